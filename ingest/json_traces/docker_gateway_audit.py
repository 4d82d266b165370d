"""Docker MCP gateway: the events of its policy audit in JSON, and the text lines of `--log-calls`."""

from collections.abc import Iterator

from ingest.dialects.contract import as_json, digest, rest, text
from ingest.json_traces.contract import UNNAMED, Clock, Line, LogFormat, Pairs, client_of, decided, outcome_of, word
from ingest.json_traces.gateway_lines import milliseconds
from store.records import Access, Call, Observer, Outcome, Record, SessionSource, State

NAME = "docker_gateway_audit"
BEGINS, WITH, ENDS, TOOK = "- Calling tool ", " with arguments", "> Calling tool ", " took: "


def recognises(line: Line) -> bool:
    """The audit's keys, or what was made of a text line."""
    return ("target_type" in line and "result" in line and ("trigger" in line or "policy_id" in line)) or "docker_log_calls" in line


def parse(line: str) -> Line | None:
    """`- Calling tool X with arguments: ...` and `> Calling tool X took: 1.2s`; of arguments it tells the shape alone."""
    told = line.strip()
    if told.startswith(BEGINS) and WITH in told:
        return {"docker_log_calls": "begins", "tool_name": told[len(BEGINS):].partition(WITH)[0]}
    if told.startswith(ENDS) and TOOK in told:
        tool, _, took = told[len(ENDS):].partition(TOOK)
        return {"docker_log_calls": "ends", "tool_name": tool, "took": took}
    return None


class Reader:
    """Pairs text lines by the tool's name; events stand alone."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._pairs, self._chain, self._session = clock, Pairs(), "", ""

    def read(self, line: Line) -> Iterator[Record]:
        """A call, or what was denied."""
        if "docker_log_calls" not in line:
            yield from _event(line, self._clock)
            return
        self._chain = digest(self._chain, as_json(line))
        self._session = self._session or digest(NAME, self._chain)
        tool = word(line.get("tool_name")) or UNNAMED
        if line["docker_log_calls"] == "begins":
            yield from self._pairs.ask(tool, Call(
                observation_id=self._chain, called_at=self._clock.moment(), tool=tool, observed_by=Observer.GATEWAY, dialect=NAME,
                session_id=self._session, arguments_state=State.REDACTED,
            ), once=False)
        else:
            yield from self._pairs.answer(tool, duration_ms=milliseconds(line.get("took")))

    def finish(self) -> Iterator[Record]:
        """Calls that were not seen to end."""
        yield from self._pairs.left()


def _event(line: Line, clock: Clock) -> Iterator[Record]:
    at, decision = clock.moment(line.get("timestamp")), decided(line.get("result"))
    principal, agent, server = word(line.get("actor_id")), word(line.get("client_name")), word(line.get("server_name"))
    session, identity = word(line.get("session_id")), digest(NAME, as_json(line))
    tool = word(line.get("tool_name"))
    if tool:
        yield Call(
            observation_id=identity, called_at=at, tool=tool, observed_by=Observer.GATEWAY, dialect=NAME,
            session_id=session or client_of(NAME, principal, agent),
            session_source=SessionSource.MCP_SESSION if session else SessionSource.CLIENT, trace_id=word(line.get("trace_id")), agent=agent,
            agent_version=word(line.get("client_version")), principal=principal, server=server, transport=word(line.get("transport")),
            outcome=outcome_of(decision, None), error_message=text(line.get("outcome_reason")) if decision == "reject" else None, decision=decision,
            decided_by=word(line.get("policy_id")), attributes=rest((k, line[k]) for k in ("trigger", "org_id", "actor_type") if word(line.get(k))),
        )
    else:
        yield Access(
            access_id=identity, accessed_at=at, outcome=Outcome.DENIED if decision == "reject" else Outcome.OK, dialect=NAME,
            method=word(line.get("trigger")) or "connect", principal=principal, agent=agent, server=server, transport=word(line.get("transport")),
            error_message=text(line.get("outcome_reason")) if decision == "reject" else None, session_id=session,
        )


FORMAT = LogFormat(
    rank=35, recognises=recognises, reader=Reader, parse=parse,
    carries="tool, server, client, actor, session, what a policy allowed or denied and why; durations in the text lines",
    never_carries="arguments (only their shape, in the text lines), results, prompts; more than 100 waiting events, which it drops silently",
)
