"""The flat JSON line: one call a line.

`session_id, seq, timestamp, agent, user_prompt, server, tool, arguments, result, is_error`, and where known `principal,
client_address, duration_ms, decision, decided_by, tool_call_id, server_version`. Only `tool` and one of `session_id` and `timestamp`
must be there.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from ingest.dialects.contract import digest, number, payload, text
from store.errors import SourceError
from store.records import Call, Message, Observer, Outcome, Records, SessionSource, State

NAME = "call_lines"
KNOWN = frozenset((
    "session_id", "seq", "timestamp", "agent", "user_prompt", "server", "tool", "arguments", "result", "is_error", "principal", "client_address",
    "duration_ms", "decision", "decided_by", "tool_call_id", "server_version", "error",
))


def is_call_line(line: dict[str, Any]) -> bool:
    """Whether a JSON object is one of these lines."""
    return "tool" in line and ("session_id" in line or "timestamp" in line) and "jsonrpc" not in line


def read_body(body: bytes) -> tuple[Records, list[str]]:
    """Records out of many lines, and for each line that was refused its number and the reason."""
    return read_lines(body.split(b"\n"))


def read_lines(lines: Iterable[bytes]) -> tuple[Records, list[str]]:
    """The same for lines that come one by one; blank ones are passed over."""
    records, refused = Records(), []
    for n, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            for record in _read(parse_line(line)):
                records.add(record)
        except SourceError as error:
            refused.append(f"line {n}: {error}")
    return records, refused


def parse_line(line: bytes) -> dict[str, Any]:
    """A line as a JSON object. Raises SourceError where it is none."""
    try:
        loaded = json.loads(line)
    except UnicodeDecodeError as error:
        raise SourceError(f"not UTF-8 (byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise SourceError(f"not JSON: {error.msg} at column {error.colno}") from error
    except RecursionError as error:
        raise SourceError("nests too deeply") from error
    if not isinstance(loaded, dict):
        raise SourceError(f"must be a JSON object, not {type(loaded).__name__}")
    return loaded


def _read(line: dict[str, Any]) -> Iterator[Call | Message]:
    tool = line.get("tool")
    if not isinstance(tool, str) or not tool:
        raise SourceError(f"no tool is named; a line needs tool and session_id or timestamp, this one has {', '.join(map(str, list(line)[:12]))}")
    called_at = _moment(line.get("timestamp"))
    session_id = None if line.get("session_id") in (None, "") else str(line["session_id"])
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
        seq=seq if isinstance(seq, int) and not isinstance(seq, bool) else None, tool_call_id=_optional(line, "tool_call_id"),
        session_id=session_id or identity, session_source=source, duration_ms=number(line.get("duration_ms")), agent=agent,
        principal=_optional(line, "principal"), client_address=_optional(line, "client_address"), server=_optional(line, "server"),
        server_version=_optional(line, "server_version"), arguments=arguments, arguments_state=arguments_state, result=result,
        result_state=result_state, outcome=_outcome(line), error_message=_optional(line, "error"),
        decision={"deny": "reject", "denied": "reject", "blocked": "reject", "allow": "accept", "allowed": "accept"}.get(decision or "", decision),
        decided_by=_optional(line, "decided_by"),
        attributes=json.dumps(extra, ensure_ascii=False, default=str)[:2000] if (extra := {k: v for k, v in line.items() if k not in KNOWN}) else None,
    )


def _optional(line: dict[str, Any], key: str) -> str | None:
    return text(line.get(key))


def _outcome(line: dict[str, Any]) -> Outcome:
    failed = line.get("is_error")
    return Outcome.UNKNOWN if failed is None else Outcome.ERROR if failed in (True, "true", 1) else Outcome.OK


def _moment(value: Any) -> datetime:
    """A timestamp in ISO form, or unix seconds; now, where there is none."""
    if value in (None, ""):
        return datetime.now(UTC)
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        made = datetime.fromisoformat(str(value))
        return made if made.tzinfo else made.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise SourceError(f"timestamp {str(value)[:40]!r} is neither ISO 8601 nor unix seconds") from error
