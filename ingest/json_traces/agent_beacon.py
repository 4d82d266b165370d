"""agent-beacon: one shape for the events of many coding agents."""

from collections.abc import Iterator

from ingest.dialects.contract import as_json, digest, payload, rest
from ingest.json_traces.contract import Clock, Line, LogFormat, decided, each_line, inside, outcome_of, split_name, word
from store.records import Call, Message, Observer, Record, SessionSource, State

NAME = "agent_beacon"
BUILTIN = {"command.executed": "command", "file.read": "read", "file.written": "write", "file.write": "write"}


def recognises(line: Line) -> bool:
    """The program that an event comes from, beside the event."""
    return isinstance(line.get("harness"), dict) and isinstance(line.get("event"), dict)


def read(line: Line, clock: Clock) -> Iterator[Record]:
    """Calls of tools, commands and files; prompts."""
    at, action, agent = clock.moment(line.get("timestamp")), word(inside(line, "event", "action")) or "", word(inside(line, "harness", "name"))
    session, identity = word(inside(line, "session", "id")), digest(NAME, as_json(line))
    source = SessionSource.SESSION if session else SessionSource.TRACE
    named = word(inside(line, "tool", "name"))
    said = word(line.get("message"))
    if named or action in BUILTIN:
        server, tool = split_name(named or BUILTIN[action], agent)
        command = word(inside(line, "tool", "command"), line.get("command"))
        given = inside(line, "tool", "input")
        arguments, arguments_state = payload(given if given is not None else None if command is None else {"command": command})
        decision = decided(inside(line, "event", "decision"))
        yield Call(
            observation_id=identity, called_at=at, tool=tool, observed_by=Observer.AGENT, dialect=NAME, session_id=session or identity,
            session_source=source, agent=agent, principal=word(line.get("user"), inside(line, "user", "name"), inside(line, "user", "id")),
            server=server, arguments=arguments, arguments_state=arguments_state, outcome=outcome_of(decision, None), decision=decision,
            attributes=rest((k, v) for k, v in (("action", action), ("cwd", word(inside(line, "session", "working_directory"))),
                                                ("endpoint", word(inside(line, "endpoint", "hostname"), line.get("endpoint")))) if v),
        )
    elif action.startswith("prompt.") and said:
        yield Message(
            message_id=digest(session, "user", said), said_at=at, role="user", dialect=NAME, text=said, text_state=State.CAPTURED,
            session_id=session or identity, session_source=source, agent=agent,
        )


FORMAT = LogFormat(
    rank=41, recognises=recognises, reader=each_line(read),
    carries="agent, session, tool, commands, files, user, machine",
    never_carries="results; call ids; prompts and arguments beyond what each adapter writes",
)
