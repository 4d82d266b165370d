"""The flat JSON line: one call a line.

`session_id, seq, timestamp, agent, user_prompt, server, tool, arguments, result, is_error`, and where known `principal,
client_address, duration_ms, decision, decided_by, tool_call_id, server_version`. Only `tool` and one of `session_id` and `timestamp`
must be there.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ingest.dialects.contract import digest, moment_of, number, payload, rest, text, whole
from ingest.json_traces.contract import Clock, LogFormat, decided, each_line
from ingest.otlp.items import shown
from store.errors import SourceError
from store.records import Call, Message, Observer, Outcome, SessionSource, State

NAME = "call_lines"
KNOWN = frozenset((
    "session_id", "seq", "timestamp", "agent", "user_prompt", "server", "tool", "arguments", "result", "is_error", "principal", "client_address",
    "duration_ms", "decision", "decided_by", "tool_call_id", "server_version", "error",
))


def is_call_line(line: dict[str, Any]) -> bool:
    """Whether a JSON object is one of these lines."""
    return "tool" in line and ("session_id" in line or "timestamp" in line) and "jsonrpc" not in line


def record_of(line: dict[str, Any], clock: Clock | None = None) -> Iterator[Call | Message]:
    """The records of one line; the clock gives the moment where it has none.

    Raises SourceError where it has no tool or no readable time, or nests too deeply to be written again.
    """
    try:
        yield from _read(line, clock)
    except RecursionError as error:
        raise SourceError("nests too deeply") from error


def _read(line: dict[str, Any], clock: Clock | None) -> Iterator[Call | Message]:
    tool = line.get("tool")
    if not isinstance(tool, str) or not tool:
        keys = ", ".join(shown(k) for k in list(line)[:12])
        raise SourceError(f"no tool is named; a line needs tool and session_id or timestamp, this one has {keys}")
    called_at = _moment(line.get("timestamp"), clock)
    session_id = _optional(line, "session_id") or None
    agent = _optional(line, "agent")
    arguments, arguments_state = payload(line.get("arguments"))
    result, result_state = payload(line.get("result"))
    source = SessionSource.SESSION if session_id else SessionSource.TRACE
    seq = line.get("seq")
    identity = digest(NAME, session_id, str(seq), called_at.isoformat() if "timestamp" in line else None, tool, arguments)
    prompt = _optional(line, "user_prompt")
    if prompt:
        session = session_id or identity
        yield Message(
            message_id=digest(session, "user", prompt), said_at=called_at, role="user", dialect=NAME, text=prompt, text_state=State.CAPTURED,
            session_id=session, session_source=source, agent=agent,
        )
    decision = _optional(line, "decision")
    yield Call(
        observation_id=identity, called_at=called_at, tool=tool, observed_by=Observer.GATEWAY, dialect=NAME,
        seq=whole(seq), tool_call_id=_optional(line, "tool_call_id"),
        session_id=session_id or identity, session_source=source, duration_ms=number(line.get("duration_ms")), agent=agent,
        principal=_optional(line, "principal"), client_address=_optional(line, "client_address"), server=_optional(line, "server"),
        server_version=_optional(line, "server_version"), arguments=arguments, arguments_state=arguments_state, result=result,
        result_state=result_state, outcome=_outcome(line), error_message=_optional(line, "error"),
        decision=decided(decision) or decision,
        decided_by=_optional(line, "decided_by"),
        attributes=rest((k, v) for k, v in line.items() if k not in KNOWN),
    )


def _optional(line: dict[str, Any], key: str) -> str | None:
    return text(line.get(key))


def _outcome(line: dict[str, Any]) -> Outcome:
    failed = line.get("is_error")
    return Outcome.UNKNOWN if failed is None else Outcome.ERROR if failed in (True, "true", 1) else Outcome.OK


def _moment(value: Any, clock: Clock | None) -> datetime:
    """A timestamp in ISO form, or unix seconds; the clock's, where there is none."""
    if value in (None, ""):
        return clock.moment() if clock else datetime.now(UTC)
    made = moment_of(value)
    if made is None:
        raise SourceError(f"timestamp {shown(value)[:40]!r} is neither ISO 8601 nor unix seconds, or out of range")
    return made


FORMAT = LogFormat(
    rank=80, recognises=is_call_line, reader=each_line(record_of),
    carries="whatever the line says: tool, session, server, agent, user, prompt, arguments, result, outcome, decision",
    never_carries="tool definitions",
)
