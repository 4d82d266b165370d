"""mcp-audit (P4ST4S): the signed records of its proxy."""

from collections.abc import Iterator

from ingest.dialects.contract import digest, number, rest
from ingest.json_traces.contract import UNNAMED, Clock, Line, LogFormat, client_of, each_line, word
from ingest.json_traces.json_rpc import from_client
from store.records import Access, Call, Observer, Outcome, Record, SessionSource

NAME = "mcp_audit"


def recognises(line: Line) -> bool:
    """A direction, a method and a signature."""
    return "direction" in line and "method" in line and "signature" in line and "server_id" in line


def read(line: Line, clock: Clock) -> Iterator[Record]:
    """A call for each `tools/call` that goes to a server, a connection for `initialize`."""
    at, agent, server = clock.moment(line.get("timestamp")), word(line.get("client_id")), word(line.get("server_id"))
    session, identity = client_of(NAME, agent, server), digest(NAME, word(line.get("id")), word(line.get("signature")))
    if from_client(line.get("direction")) is False:
        return
    if line.get("method") == "tools/call":
        yield Call(
            observation_id=identity, called_at=at, tool=word(line.get("tool_name")) or UNNAMED, observed_by=Observer.GATEWAY, dialect=NAME,
            session_id=session, session_source=SessionSource.CLIENT,
            duration_ms=number(line.get("duration_ms")), agent=agent, server=server, transport=word(line.get("transport")),
            attributes=rest([("id", word(line.get("id")))]),
        )
    elif line.get("method") == "initialize":
        yield Access(access_id=identity, accessed_at=at, outcome=Outcome.UNKNOWN, dialect=NAME, method="initialize", agent=agent, server=server,
                     transport=word(line.get("transport")))


FORMAT = LogFormat(
    rank=42, recognises=recognises, reader=each_line(read),
    carries="tool, client, server, transport, duration",
    never_carries="arguments, results, prompts, outcomes, the user; sessions (one is made of client, server and day)",
)
