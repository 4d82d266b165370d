"""What is played: a session of turns, each a prompt and a script of tool calls.

A script is a generator: it yields the call that the model asks for next, is sent the result, and returns what the model
says at the end. So a script reads like the work it stands for, and can be duped by what it reads.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Ask:
    """One tool call that the model asks for; `wait_s` is the simulated pause before it asks."""

    tool: str
    arguments: dict[str, Any]
    wait_s: float = 0.0


Script = Generator[Ask, str, str]


def ask(tool: str, wait_s: float = 0.0, **arguments: Any) -> Ask:
    """An `Ask` with its arguments written as keywords."""
    return Ask(tool, arguments, wait_s)


@dataclass(frozen=True, slots=True)
class Turn:
    """One prompt and what the model does about it."""

    prompt: str
    script: Script


@dataclass(frozen=True, slots=True)
class Case:
    """A staged attack or near miss, and what a reader of the recording must see."""

    name: str
    kind: Literal["attack", "near_miss"]
    seen: str


@dataclass(frozen=True, slots=True)
class Session:
    """One conversation of a person with an agent."""

    key: str
    agent: str
    principal: str
    starts_at: datetime
    turns: tuple[Turn, ...]
    servers: tuple[str, ...]
    client_address: str | None = None
    case: Case | None = None


@dataclass(frozen=True, slots=True)
class Staged:
    """A staged session before it has its place in the two weeks; `day` counts from 0, `hour` is local office time."""

    case: Case
    agent: str
    day: int
    hour: float
    turns: tuple[Turn, ...]
    extra_servers: tuple[str, ...] = ()
    principal: str | None = None
    client_address: str | None = None
    label: str = field(default="")


def seeded(*parts: object) -> Random:
    """A random source that is the same for equal parts, in every process."""
    return Random("|".join(str(part) for part in parts))


def seeded_hex(length: int, *parts: object) -> str:
    """That many hexadecimal digits, the same for equal parts."""
    return f"{seeded(*parts).getrandbits(4 * length):0{length}x}"


def seeded_uuid(*parts: object) -> str:
    """A version 4 UUID, the same for equal parts."""
    digits = seeded_hex(32, *parts)
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
