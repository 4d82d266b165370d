"""MCP-Defender: the scan records of its desktop proxy."""

from collections.abc import Iterator

from ingest.dialects.contract import digest, payload, rest, text
from ingest.json_traces.contract import UNNAMED, Clock, Line, LogFormat, client_of, decided, each_line, outcome_of, word
from store.records import Call, Observer, Record, SessionSource

NAME = "mcp_defender"


def recognises(line: Line) -> bool:
    """Its names for server, tool and scan."""
    return "toolName" in line and "isResponse" in line and "serverName" in line


def read(line: Line, clock: Clock) -> Iterator[Record]:
    """The call that a scanned request is; scans of responses tell no more of it."""
    at = clock.moment(line.get("date"))
    if line.get("isResponse") in (True, "true"):
        return
    decision = decided(line.get("allowed"))
    arguments, arguments_state = payload(line.get("toolArgs"))
    agent, server = word(line.get("appName")), word(line.get("serverName"))
    yield Call(
        observation_id=digest(NAME, word(line.get("id")), at.isoformat() if line.get("date") else None, agent, server, arguments), called_at=at,
        tool=word(line.get("toolName")) or UNNAMED, observed_by=Observer.GATEWAY, dialect=NAME, session_id=client_of(NAME, agent, server),
        session_source=SessionSource.CLIENT, agent=agent, server=server, server_version=word(line.get("serverVersion")),
        arguments=arguments, arguments_state=arguments_state,
        outcome=outcome_of(decision, None), decision=decision, decided_by=NAME if decision else None,
        attributes=rest([("signatureVerifications", text(line["signatureVerifications"]))] if line.get("signatureVerifications") else []),
    )


FORMAT = LogFormat(
    rank=38, recognises=recognises, reader=each_line(read),
    carries="tool, app, server and its version, arguments, what was allowed or blocked",
    never_carries="results, prompts, the user; sessions: one is made of app, server and day",
)
