"""Splunk `mcp:jsonrpc`: flattened JSON-RPC, as Splunk's own detections read it."""

from collections.abc import Iterator

from ingest.dialects.contract import as_json, digest, payload
from ingest.json_traces.contract import UNNAMED, Clock, Line, LogFormat, client_of, each_line, word
from store.records import Call, Observer, Record, SessionSource

NAME = "splunk_mcp"
PREFIX, PREVIEW = "params.", "params.result_preview"
OUTBOUND = ("outbound", "response", "out")
PROTOCOL = ("tools/list", "initialize", "ping")


def recognises(line: Line) -> bool:
    """A method and a direction beside flattened parameters."""
    return "method" in line and "direction" in line and "jsonrpc" not in line and any(key.startswith(PREFIX) for key in line)


def read(line: Line, clock: Clock) -> Iterator[Record]:
    """The call that an inbound line is; results are previews without an id, so no call can claim them."""
    at, method = clock.moment(line.get("timestamp", line.get("_time"))), word(line.get("method"))
    if str(line.get("direction")).lower() in OUTBOUND or method is None or method.startswith("notifications/") or method in PROTOCOL:
        return
    given = {key.removeprefix(PREFIX): value for key, value in line.items() if key.startswith(PREFIX) and key != PREVIEW and value is not None}
    tool = word(given.pop("name", None)) if method == "tools/call" else method
    arguments, arguments_state = payload(given or None)
    host, source = word(line.get("host")), word(line.get("source"))
    yield Call(
        observation_id=digest(NAME, as_json(line)), called_at=at, tool=tool or UNNAMED, observed_by=Observer.GATEWAY, dialect=NAME,
        session_id=client_of(NAME, host, source), session_source=SessionSource.CLIENT, client_address=host, server=source,
        arguments=arguments, arguments_state=arguments_state,
    )


FORMAT = LogFormat(
    rank=44, recognises=recognises, reader=each_line(read),
    carries="tool or method, those arguments that were flattened, host, source",
    never_carries="ids, sessions (one is made of host, source and day), results beyond a preview, the user, prompts",
)
