"""agentgateway: its access log, `key=value` text or JSON."""

from collections.abc import Iterator

from ingest.dialects.contract import moment_of
from ingest.json_traces.contract import Clock, Line, LogFormat, each_line
from ingest.json_traces.gateway_lines import Keys, flat_line
from ingest.json_traces.key_values import key_values
from store.records import Record

NAME = "agentgateway_log"
KEYS = Keys(
    method=("mcp.method.name", "mcp.method"), tool=("gen_ai.tool.name", "mcp.tool.name"), server=("mcp.target",),
    session=("mcp.session.id",), principal=("jwt.sub",),
    client_address=("src.addr",), status=("http.status",), duration=("duration",), request=("route", "endpoint", "request.id"),
    time=("timestamp", "time"), trace=("trace.id",), span=("span.id",), arguments=("mcp.tool.arguments",), result=("mcp.tool.result",),
    error_type=("mcp.error.code",), error=("mcp.error.message", "error"), transport=("protocol",),
)
FLAT = flat_line(NAME, KEYS)


def recognises(line: Line) -> bool:
    """Its names for the gateway's parts, beside those of MCP or HTTP."""
    told = any(key in line for key in ("mcp.method.name", "mcp.method", "http.status"))
    return told and any(key in line for key in ("gateway", "listener", "mcp.target"))


def parse(line: str) -> Line | None:
    """`<time> info request gateway=... mcp.method.name=tools/call ...`."""
    if "http.status=" not in line and "mcp.method" not in line:
        return None
    found: Line = dict(key_values(line))
    time = line.partition("\t" if "\t" in line[:40] else " ")[0]
    if moment_of(time):
        found.setdefault("timestamp", time)
    return found if recognises(found) else None


def read(line: Line, clock: Clock) -> Iterator[Record]:
    """As other gateways' lines; before it followed the conventions, a tool was a resource of type `tool`."""
    if line.get("mcp.resource.type") == "tool" and "gen_ai.tool.name" not in line:
        line = line | {"gen_ai.tool.name": line.get("mcp.resource.name")}
    yield from FLAT(line, clock)


FORMAT = LogFormat(
    rank=30, recognises=recognises, reader=each_line(read), parse=parse,
    carries="tool, server, session, user, client address, HTTP status, errors, durations; arguments and results where the log is set to tell them",
    never_carries="arguments and results by default; prompts; the other messages of a request that holds several",
)
