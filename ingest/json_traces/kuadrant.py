"""Kuadrant MCP gateway: its audit log in logfmt, and Envoy's access log with its keys."""

from ingest.json_traces.contract import Line, LogFormat, each_line
from ingest.json_traces.gateway_lines import Keys, flat_line
from ingest.json_traces.key_values import key_values

NAME = "kuadrant"
KEYS = Keys(
    method=("mcp_method",), tool=("tool", "mcp_tool_name"), server=("server", "mcp_server_name"), session=("session", "mcp_session_id"),
    principal=("user", "mcp_user_id"), client_address=("client_address", "downstream_remote_address"), status=("status", "response_code"),
    duration=("duration_ms", "duration"), request=("request_id",), time=("time", "timestamp", "start_time"),
)


def recognises(line: Line) -> bool:
    """The audit's mark, or the keys that its Envoy filter adds."""
    return (str(line.get("audit")).lower() == "true" and "tool" in line and "server" in line) or "mcp_server_name" in line


def parse(line: str) -> Line | None:
    """`level=INFO msg="tool call" audit=true user=... tool=... server=... status=200 request_id=... session=...`."""
    if "audit=true" not in line:
        return None
    found: Line = dict(key_values(line))
    return found if recognises(found) else None


FORMAT = LogFormat(
    rank=31, recognises=recognises, reader=each_line(flat_line(NAME, KEYS)), parse=parse,
    carries="tool, server, user, session, HTTP status, request id",
    never_carries="arguments, results, prompts; what a policy denied; tools/list and initialize",
)
