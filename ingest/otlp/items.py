"""Spans and log records as dialects see them, whichever encoding they came in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Value: TypeAlias = str | bool | int | float | bytes | list[Any] | dict[str, Any] | None
Attributes: TypeAlias = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Source:
    """Where items come from: resource attributes and instrumentation scope."""

    resource: Attributes
    scope: str
    scope_version: str

    def named(self, key: str) -> str | None:
        """A resource attribute as text."""
        value = self.resource.get(key)
        return str(value) if value not in (None, "") else None


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
class Decoded:
    """What a request held: items, and what had to be refused one by one with the reason and the place."""

    items: list[Item] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)


MAX_NANOS = (1 << 63) - 1


def plausible_nanos(value: int) -> int:
    """A moment that fits; those past the int64 maximum, which do occur, count as absent."""
    return value if 0 < value <= MAX_NANOS else 0
