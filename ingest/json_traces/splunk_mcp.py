"""Splunk `mcp:jsonrpc`: JSON-RPC whose method is the tool, as events are logged and, flattened, as Splunk's own detections read them."""

from collections.abc import Iterator

from ingest.dialects.contract import as_json, digest, payload
from ingest.json_traces.contract import UNNAMED, Clock, Line, LogFormat, client_of, each_line, word
from store.records import Call, Observer, Record, SessionSource

NAME = "splunk_mcp"
PREFIX, PREVIEW = "params.", "result_preview"
OUTBOUND = ("outbound", "response", "out")
DIRECTIONS = ("inbound", *OUTBOUND, "request", "in")
PROTOCOL = ("tools/list", "initialize", "ping")


def recognises(line: Line) -> bool:
    """A method and a direction beside flattened parameters, or beside parameters of what is no method of MCP's own."""
    method = line.get("method")
    if not isinstance(method, str) or "direction" not in line:
        return False
    if "jsonrpc" not in line and any(key.startswith(PREFIX) for key in line):
        return True
    is_tool = "/" not in method and method not in PROTOCOL
    return isinstance(line.get("params"), dict) and str(line["direction"]).lower() in DIRECTIONS and (is_tool or "jsonrpc" not in line)


def read(line: Line, clock: Clock) -> Iterator[Record]:
    """The call that an inbound line is; results are previews without an id, so no call can claim them."""
    at, method = clock.moment(line.get("timestamp", line.get("_time"))), word(line.get("method"))
    if str(line.get("direction")).lower() in OUTBOUND or method is None or method.startswith("notifications/") or method in PROTOCOL:
        return
    nested = line["params"] if isinstance(line.get("params"), dict) else {}
    flat = {key.removeprefix(PREFIX): value for key, value in line.items() if key.startswith(PREFIX) and value is not None}
    given = {key: value for key, value in (nested | flat).items() if key != PREVIEW}
    tool = method
    if method == "tools/call":
        tool = word(given.pop("name", None)) or UNNAMED
        given = given["arguments"] if isinstance(given.get("arguments"), dict) else given
    arguments, arguments_state = payload(given or None)
    host, source = word(line.get("host")), word(line.get("source"))
    yield Call(
        observation_id=digest(NAME, as_json(line)), called_at=at, tool=tool, observed_by=Observer.GATEWAY, dialect=NAME,
        session_id=client_of(NAME, host, source), session_source=SessionSource.CLIENT, client_address=host, server=source,
        arguments=arguments, arguments_state=arguments_state,
    )


FORMAT = LogFormat(
    rank=44, recognises=recognises, reader=each_line(read),
    carries="tool or method, arguments (where they are flattened: those that were), host, source",
    never_carries="ids, sessions (one is made of host, source and day), results beyond a preview, the user, prompts",
)
