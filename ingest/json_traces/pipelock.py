"""Pipelock: the security events that its proxy sends out."""

from collections.abc import Iterator

from ingest.dialects.contract import as_json, digest, rest, text
from ingest.json_traces.contract import Clock, Line, LogFormat, client_of, each_line, inside, outcome_of, word
from store.records import Access, Call, Observer, Outcome, Record, SessionSource

NAME = "pipelock"
DENIALS = ("blocked", "kill_switch_deny", "ws_blocked", "airlock_deny")
FORWARDED = "pipelock.siem.event."
"""How the schema of the forwarder's envelope begins."""


def recognises(line: Line) -> bool:
    """Its instance's name, one of its envelopes, or a line of its own log."""
    if line.get("component") == NAME or str(line.get("schema")).startswith(FORWARDED):
        return isinstance(line.get("event"), str | dict)
    return isinstance(line.get("fields"), dict) and "type" in line and ("pipelock_instance" in line or ("severity" in line and "timestamp" in line))


def read(line: Line, clock: Clock) -> Iterator[Record]:
    """A call where a tool is named, an attempt to connect where an address was blocked."""
    if isinstance(line.get("event"), dict):
        line = line["event"]
    own = not isinstance(line.get("fields"), dict)  # its own log is flat
    fields = line if own else line["fields"]
    at, kind = clock.moment(line.get("timestamp", line.get("time"))), word(line.get("event" if own else "type"))
    is_denied = kind in DENIALS or inside(fields, "action") in ("block", "blocked", "deny")
    identity, address, agent = digest(NAME, as_json(line)), word(fields.get("client_ip")), word(fields.get("agent"))
    told = word(fields.get("session_id"), fields.get("session"))
    by_mcp = any(str(fields.get(key)).lower().startswith(("mcp", "tools/")) for key in ("method", "scanner", "transport"))
    tool = word(fields.get("tool"), fields.get("tool_name"), fields.get("mcp_tool"), fields.get("resource") if by_mcp else None)
    reason = text(fields.get("reason"))
    if tool:
        decision = "reject" if is_denied else None
        yield Call(
            observation_id=identity, called_at=at, tool=tool, observed_by=Observer.GATEWAY, dialect=NAME,
            session_id=told or client_of(NAME, word(line.get("pipelock_instance")), agent, address),
            session_source=SessionSource.MCP_SESSION if told else SessionSource.CLIENT, agent=agent, client_address=address,
            server=word(fields.get("server"), fields.get("mcp_server")), server_address=word(fields.get("url")),
            outcome=outcome_of(decision, None), error_message=reason if is_denied else None, decision=decision,
            decided_by=word(fields.get("scanner"), "pipelock") if is_denied else None,
            attributes=rest((k, v) for k, v in (("type", kind), ("severity", word(line.get("severity"))), ("scanner", word(fields.get("scanner"))),
                                                ("request_id", word(fields.get("request_id")))) if v),
        )
    elif is_denied:
        yield Access(
            access_id=identity, accessed_at=at, outcome=Outcome.DENIED, dialect=NAME, method=word(fields.get("method")) or "connect",
            client_address=address, agent=agent, server=word(fields.get("url"), fields.get("target")), error_message=reason, session_id=told,
        )


FORMAT = LogFormat(
    rank=36, recognises=recognises, reader=each_line(read),
    carries="what was blocked: tool or address, scanner, reason, client address",
    never_carries="what was allowed; arguments, results, prompts; the user",
)
