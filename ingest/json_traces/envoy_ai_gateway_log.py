"""Envoy AI Gateway: its JSON access log."""

from ingest.json_traces.contract import Line, LogFormat, each_line
from ingest.json_traces.gateway_lines import Keys, flat_line

NAME = "envoy_ai_gateway_log"
KEYS = Keys(
    method=("mcp_method", "mcp.method.name"), tool=("mcp_tool", "mcp_tool_name", "mcp.tool.name", "gen_ai.tool.name"),
    server=("mcp_backend", "mcp.provider.name"), session=("mcp_session_id", "mcp.session.id", "session.id"), agent=("agent.id",),
    client_address=("downstream_remote_address", "x-forwarded-for"), status=("response_code", "http.response.status_code"),
    duration=("duration", "duration_ms"), request=("x-request-id", "mcp_request_id", "jsonrpc.request.id"),
    time=("start_time", "timestamp", "time"),
)


def recognises(line: Line) -> bool:
    """The gateway's own keys beside Envoy's."""
    return ("mcp_backend" in line or "mcp.provider.name" in line) and ("mcp_method" in line or "mcp.method.name" in line)


FORMAT = LogFormat(
    rank=32, recognises=recognises, reader=each_line(flat_line(NAME, KEYS)),
    carries="method, backend, session, HTTP status, durations; the tool where the log's format was given it",
    never_carries="arguments, results, prompts, the user; the tool's name, in the form that the gateway's own documents show",
)
