"""Records for scenarios, benign by default: say only what the scenario is about."""

import hashlib
import itertools
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from store.records import Access, Call, Grant, Message, Observer, Outcome, Record, Registration, State, ToolDefinition

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
"""A Monday morning."""

_numbers = itertools.count(1)


def call(tool: str = "get_weather", arguments: dict[str, Any] | None = None, result: str | None = "sunny, 21 degrees", **more: Any) -> Call:
    """One call that went well, with arguments and result captured; any field can be given by name."""
    fields: dict[str, Any] = {
        "observation_id": f"observation-{next(_numbers)}",
        "called_at": START,
        "tool": tool,
        "server": "weather",
        "agent": "assistant",
        "session_id": "s1",
        "observed_by": Observer.AGENT,
        "dialect": "scenario",
        "arguments": json.dumps({} if arguments is None else arguments, ensure_ascii=False),
        "arguments_state": State.CAPTURED,
        "result": result,
        "result_state": State.ABSENT if result is None else State.CAPTURED,
        "outcome": Outcome.OK,
    }
    return Call(**{**fields, **more})


def session(
    *calls: Call, prompt: str | None = "What is the weather in Oslo?", name: str = "s1", start: datetime = START,
    every: timedelta = timedelta(seconds=5), agent: str | None = None,
) -> list[Record]:
    """Calls made one after another for one prompt."""
    made: list[Record] = []
    if prompt is not None:
        who = agent or (calls[0].agent if calls else "assistant")
        made.append(message(prompt, session_id=name, said_at=start, agent=who))
    for step, one in enumerate(calls):
        moved = replace(one, session_id=name, called_at=start + every * (step + 1), seq=step)
        made.append(replace(moved, agent=agent) if agent else moved)
    return made


def message(text: str, role: str = "user", **more: Any) -> Message:
    """Something said."""
    fields: dict[str, Any] = {
        "said_at": START, "role": role, "dialect": "scenario", "text": text, "text_state": State.CAPTURED,
        "session_id": "s1", "agent": "assistant",
    }
    made = {**fields, **more}
    digest = hashlib.sha256(f"{made['session_id']}\0{role}\0{text}".encode()).hexdigest()[:24]
    return Message(message_id=digest, **made)


def definition(tool: str = "get_weather", description: str = "Current weather of a city.", **more: Any) -> ToolDefinition:
    """A tool's definition as it was sighted."""
    fields: dict[str, Any] = {
        "sighted_at": START, "dialect": "scenario", "server": "weather", "server_version": "1.0.0", "agent": "assistant",
        "input_schema": json.dumps({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}),
    }
    return ToolDefinition(tool=tool, description=description, **{**fields, **more})


def access(outcome: Outcome = Outcome.OK, **more: Any) -> Access:
    """A connection attempt."""
    fields: dict[str, Any] = {
        "access_id": f"access-{next(_numbers)}", "accessed_at": START, "dialect": "scenario", "principal": "pat@example.com",
        "server": "weather", "agent": "assistant",
    }
    return Access(outcome=outcome, **{**fields, **more})


def grant(**more: Any) -> Grant:
    """A permission, given before everything that happens in a scenario."""
    fields: dict[str, Any] = {"grant_id": f"grant-{next(_numbers)}", "granted_at": START - timedelta(days=30), "granted_by": "kim@example.com"}
    return Grant(**{**fields, **more})


def registration(server: str = "weather", state: str = "approved", **more: Any) -> Registration:
    """An entry of the registry, made before everything that happens in a scenario."""
    fields: dict[str, Any] = {"entry_id": f"entry-{next(_numbers)}", "changed_at": START - timedelta(days=30), "changed_by": "kim@example.com"}
    return Registration(server=server, state=state, **{**fields, **more})


def steady(one: Call, times: int, every: timedelta = timedelta(minutes=10)) -> list[Call]:
    """The same call again and again, at an even pace."""
    return [replace(one, observation_id=f"{one.observation_id}-{n}", called_at=one.called_at + every * n, seq=n) for n in range(times)]


def burst(one: Call, times: int) -> list[Call]:
    """The same call again and again, within seconds."""
    return steady(one, times, timedelta(seconds=1))


def at(moment: datetime, records: Iterable[Record]) -> list[Record]:
    """Records moved in time so that the first happens at `moment`."""
    moved = list(records)
    shift = moment - min(_moment(r) for r in moved)
    return [_shifted(r, shift) for r in moved]


def together(*parts: Sequence[Record]) -> list[Record]:
    """Several parts as one scenario."""
    return [record for part in parts for record in part]


def _moment(record: Record) -> datetime:
    match record:
        case Call():
            return record.called_at
        case Message():
            return record.said_at
        case ToolDefinition():
            return record.sighted_at
        case Access():
            return record.accessed_at
    return record.started_at


def _shifted(record: Record, shift: timedelta) -> Record:
    match record:
        case Call():
            return replace(record, called_at=record.called_at + shift)
        case Message():
            return replace(record, said_at=record.said_at + shift)
        case ToolDefinition():
            return replace(record, sighted_at=record.sighted_at + shift)
        case Access():
            return replace(record, accessed_at=record.accessed_at + shift)
    return replace(record, started_at=record.started_at + shift)
