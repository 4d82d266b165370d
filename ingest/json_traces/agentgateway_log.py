"""agentgateway: its access log, `key=value` text or JSON."""

from ingest.dialects.contract import moment_of
from ingest.json_traces.contract import Line, LogFormat, each_line
from ingest.json_traces.gateway_lines import Keys, flat_line
from ingest.json_traces.key_values import key_values

NAME = "agentgateway_log"
KEYS = Keys(
    method=("mcp.method.name",), tool=("gen_ai.tool.name",), server=("mcp.target",), session=("mcp.session.id",), principal=("jwt.sub",),
    client_address=("src.addr",), status=("http.status",), duration=("duration",), request=("route", "endpoint", "request.id"),
    time=("timestamp", "time"), trace=("trace.id",), span=("span.id",), arguments=("mcp.tool.arguments",), result=("mcp.tool.result",),
    error_type=("mcp.error.code",), error=("mcp.error.message", "error"), transport=("protocol",),
)


def recognises(line: Line) -> bool:
    """Its names for the gateway's parts, beside those of MCP or HTTP."""
    return ("mcp.method.name" in line or "http.status" in line) and ("gateway" in line or "listener" in line or "mcp.target" in line)


def parse(line: str) -> Line | None:
    """`<time> info request gateway=... mcp.method.name=tools/call ...`."""
    if "http.status=" not in line and "mcp.method.name=" not in line:
        return None
    found: Line = dict(key_values(line))
    time = line.partition("\t" if "\t" in line[:40] else " ")[0]
    if moment_of(time):
        found.setdefault("timestamp", time)
    return found if recognises(found) else None


FORMAT = LogFormat(
    rank=30, recognises=recognises, reader=each_line(flat_line(NAME, KEYS)), parse=parse,
    carries="tool, server, session, user, client address, HTTP status, errors, durations; arguments and results where the log is set to tell them",
    never_carries="arguments and results by default; prompts; the other messages of a request that holds several",
)
