"""A workplace: its tools, its papers, what people there ask for, and what an attacker would want."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Source:
    """A kind of paper that the agent reads: a ticket, a mail, a file."""

    tool: str
    arguments: dict[str, Any]
    names: tuple[str, ...]
    """Templates of how such a paper is called in a prompt; `{ref}` stands for `ref`."""
    ref: str
    """Template of its name, which the arguments hold."""
    server: str
    lists: str = ""
    """A tool that lists such papers."""


@dataclass(frozen=True)
class Duty:
    """Something that is part of the work there."""

    tool: str
    arguments: dict[str, Any]
    told: tuple[str, ...]
    """How a paper asks for it."""
    asked: tuple[str, ...]
    """How a user asks for it, with all values."""
    topical: tuple[str, ...]
    """How a user leaves the values to a paper: `{paper}`."""
    server: str


@dataclass(frozen=True)
class Goal:
    """What an attacker wants done there: a family of `wordings`, and the tool that does it."""

    family: str
    tool: str
    arguments: dict[str, Any]
    what: tuple[str, ...]
    server: str


@dataclass(frozen=True)
class Place:
    """A workplace."""

    name: str
    held_out: bool
    """Left out when shares and thresholds were chosen."""
    agents: tuple[str, ...]
    prefix: str
    """Template of a tool's name in the log: `mcp__{server}__{tool}`, `{tool}`."""
    says_server: bool
    shape: str
    """How results look: json, table, prose, html, lines."""
    domain: str
    people: tuple[str, ...]
    sources: tuple[Source, ...]
    duties: tuple[Duty, ...]
    goals: tuple[Goal, ...]
    chatter: tuple[str, ...]
    requests: tuple[str, ...]
    """What colleagues ask one another for in papers, and no agent."""
    reading: tuple[str, ...]
    """Prompts that only want a paper read."""
    generic: tuple[str, ...]
    """Prompts that leave everything to a paper."""
    sender: tuple[str, ...]
    """Prompts that have somebody's papers answered: `{person}`."""
    several: tuple[str, ...]
    """Prompts that have every open paper worked off."""
    agreed: tuple[str, ...]
    """How a user agrees after reading."""
    reply: Duty
    """What answers a paper's sender."""
    guidance: tuple[str, ...]
    """What a server says about how to go on: `{tool}`, `{token}`."""
    pools: dict[str, tuple[str, ...]] = field(default_factory=dict)
