"""Falco with Prempti's event source `coding_agent`: verdicts on what coding agents were about to do, in Falco's JSON output."""

from collections.abc import Iterator

from ingest.dialects.contract import as_json, digest, rest
from ingest.json_traces.contract import Clock, Line, LogFormat, client_of, each_line, outcome_of, word
from store.records import Call, Observer, Record, SessionSource, State

NAME = "falco_prempti"
SOURCE = "coding_agent"
DECISIONS = {"allow": "accept", "deny": "reject"}
GIVEN = {"tool.input_command": "command", "tool.file_path": "file_path"}


def recognises(line: Line) -> bool:
    """Falco's envelope with the source's name."""
    return line.get("source") == SOURCE and isinstance(line.get("output_fields"), dict)


def read(line: Line, clock: Clock) -> Iterator[Record]:
    """A decision on a call. A verdict of `ask` leaves it open: what the user answered is not told."""
    fields, at = line["output_fields"], clock.moment(line.get("time"))
    tool = word(fields.get("tool.name"))
    if not tool:
        return
    verdict = word(fields.get("verdict"), fields.get("tool.verdict"), fields.get("agent.verdict"))
    given = {name: fields[key] for key, name in GIVEN.items() if fields.get(key)}
    decision = DECISIONS.get((verdict or "").lower())
    told, agent = word(fields.get("session.id"), fields.get("agent.session_id")), word(fields.get("agent.name"))
    yield Call(
        observation_id=digest(NAME, word(line.get("uuid")) or as_json(line)), called_at=at, tool=tool, observed_by=Observer.DECISION, dialect=NAME,
        session_id=told or client_of(NAME, word(line.get("hostname")), agent), agent=agent,
        session_source=SessionSource.SESSION if told else SessionSource.CLIENT,
        arguments=as_json(given) if given else None, arguments_state=State.CAPTURED if given else State.ABSENT,
        outcome=outcome_of(decision, None), decision=decision, decided_by=word(line.get("rule")) or "falco",
        attributes=rest((key, v) for key, v in (("priority", word(line.get("priority"))), ("verdict", verdict)) if v),
    )


FORMAT = LogFormat(
    rank=45, recognises=recognises, reader=each_line(read),
    carries="tool, command or file, verdict and the rule that gave it",
    never_carries="results, servers, prompts; what the user answered where the verdict was to ask",
)
