"""Spans and log records as dialects see them, whichever encoding they came in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Value: TypeAlias = str | bool | int | float | bytes | list[Any] | dict[str, Any] | None
Attributes: TypeAlias = Mapping[str, Value]
NAMELESS = "unknown_service"
"""What SDKs put for a service.name that nobody set, some with the program's name after a colon."""
REASONS_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Source:
    """Where items come from: resource attributes and instrumentation scope."""

    resource: Attributes
    scope: str
    scope_version: str

    def named(self, key: str) -> str | None:
        """A resource attribute as text; the name that SDKs give to services without one is no name."""
        value = self.resource.get(key)
        found = str(value) if value not in (None, "") else None
        return None if found is None or found.startswith(NAMELESS) else found

    def key(self) -> tuple[Any, ...]:
        """What tells it from others."""
        return (self.scope, self.scope_version, *sorted((key, str(self.resource.get(key))) for key in self.resource))


@dataclass(frozen=True, slots=True)
class Event:
    """A span event."""

    name: str
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class Item:
    """One span or log record. Ids are lower-case hex, None where absent; moments are unix nanoseconds, 0 where absent."""

    signal: str
    name: str
    source: Source
    attributes: Attributes
    trace_id: str | None
    span_id: str | None
    parent_span_id: str | None
    started_ns: int
    ended_ns: int = 0
    kind: int = 0
    failed: bool = False
    status_message: str = ""
    body: Value = None
    events: tuple[Event, ...] = ()


@dataclass(slots=True)
class Refusals:
    """What was refused one by one: all are counted, the reasons of the first thousand kept, so that garbage cannot fill the memory."""

    count: int = 0
    reasons: list[str] = field(default_factory=list)

    def append(self, reason: str) -> None:
        """Refuse one more."""
        self.count += 1
        if len(self.reasons) < REASONS_KEPT:
            self.reasons.append(reason)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[str]:
        return iter(self.reasons)


@dataclass(slots=True)
class Decoded:
    """What a request held: items, and what had to be refused one by one with the reason and the place."""

    items: list[Item] = field(default_factory=list)
    refused: Refusals = field(default_factory=Refusals)
    warnings: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items) + len(self.refused)


MAX_NANOS = (1 << 63) - 1
SHOWN_CHARACTERS = 200


def shown(text: object) -> str:
    """Somebody else's text as it can stand in a message: short, and without what cannot be written as UTF-8."""
    return str(text)[:SHOWN_CHARACTERS].encode("utf-8", "replace").decode()


def plausible_nanos(value: int) -> int:
    """A moment that fits; those past the int64 maximum, which do occur, count as absent."""
    return value if 0 < value <= MAX_NANOS else 0
