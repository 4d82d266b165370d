"""agent-bom: the chained audit records of its runtime proxy."""

from collections.abc import Iterator

from ingest.dialects.contract import as_json, digest, rest, text
from ingest.json_traces.contract import UNNAMED, Clock, Line, LogFormat, client_of, decided, each_line, outcome_of, word
from store.records import Call, Observer, Record, SessionSource

NAME = "agent_bom"


def recognises(line: Line) -> bool:
    """The chain's hash beside a method of MCP."""
    return "record_hash" in line and "type" in line and ("ts" in line or "tool" in line)


def read(line: Line, clock: Clock) -> Iterator[Record]:
    """The call of a `tools/call` record."""
    at, agent, tenant = clock.moment(line.get("ts")), word(line.get("agent_id")), word(line.get("tenant_id"))
    if line.get("type") != "tools/call":
        return
    decision = decided(line.get("policy"))
    yield Call(
        observation_id=digest(NAME, word(line.get("record_hash")) or as_json(line)), called_at=at, tool=word(line.get("tool")) or UNNAMED,
        observed_by=Observer.GATEWAY, dialect=NAME, session_id=client_of(NAME, tenant, agent),
        session_source=SessionSource.CLIENT, agent=agent,
        outcome=outcome_of(decision, None), error_message=text(line.get("reason")) if decision == "reject" else None, decision=decision,
        decided_by=NAME if decision else None,
        attributes=rest((k, text(line[k])) for k in ("tenant_id", "event_relationships", "prev_hash") if line.get(k)),
    )


FORMAT = LogFormat(
    rank=40, recognises=recognises, reader=each_line(read),
    carries="tool, agent, tenant, what a policy blocked, the targets that an event relates to",
    never_carries="arguments, by design; results, prompts, servers; sessions (one is made of tenant, agent and day)",
)
