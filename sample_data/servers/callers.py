"""Who calls a server, and who may not."""

from mcp.server.mcpserver.exceptions import ToolError
from opentelemetry import trace

from sample_data.telemetry import PERSON

# Their access was revoked; the credentials they still hold are refused everywhere.
REVOKED = frozenset({"former.contractor@example.com"})


def check(what: str) -> None:
    """Raise a tool error with an HTTP status where the person behind this call has no access."""
    span = trace.get_current_span()
    person = (getattr(span, "attributes", None) or {}).get(PERSON)
    if person in REVOKED:
        status = "401 Unauthorized: token expired" if len(what) % 2 else "403 Forbidden: permission denied"
        raise ToolError(f"{status} for {person} on {what}")
