"""Microsoft agent-governance-toolkit: the entries of its MCP security gateway's audit."""

from collections.abc import Iterator

from ingest.dialects.contract import as_json, digest, payload, rest, text
from ingest.json_traces.contract import UNNAMED, Clock, Line, LogFormat, client_of, decided, each_line, outcome_of, word
from store.records import Call, Observer, Record, SessionSource

NAME = "agent_governance"


def recognises(line: Line) -> bool:
    """The fields of an entry."""
    return "agent_id" in line and "tool_name" in line and "allowed" in line


def read(line: Line, clock: Clock) -> Iterator[Record]:
    """The call that was allowed or denied."""
    at, decision, agent = clock.moment(line.get("timestamp")), decided(line.get("allowed")), word(line.get("agent_id"))
    arguments, arguments_state = payload(line.get("parameters"))
    yield Call(
        observation_id=digest(NAME, as_json(line)), called_at=at, tool=word(line.get("tool_name")) or UNNAMED, observed_by=Observer.GATEWAY,
        dialect=NAME, session_id=client_of(NAME, agent), session_source=SessionSource.CLIENT,
        agent=agent, arguments=arguments, arguments_state=arguments_state,
        outcome=outcome_of(decision, None), error_message=text(line.get("reason")) if decision == "reject" else None, decision=decision,
        decided_by=NAME if decision else None,
        attributes=rest((k, line[k]) for k in ("reason", "approval_status") if word(line.get(k))),
    )


FORMAT = LogFormat(
    rank=39, recognises=recognises, reader=each_line(read),
    carries="tool, agent, arguments, what was allowed or denied and why, the state of an approval",
    never_carries="sessions (one is made of agent and day), servers, results, prompts",
)
