"""How the plain spans of a dialect are read many at once: from which attributes each column of a call comes.

A dialect that offers a plan says the same in two ways, for one span (`read`) and for many (`plan`); a property test holds them equal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from store.records import Observer, State


@dataclass(frozen=True, slots=True)
class Text:
    """Where a column's text comes from.

    The first of these attributes that has a value; else what follows so many bytes of the span's name; else a constant, or nothing.
    Spans in which the value begins with one of `unless` are read one by one.
    """

    keys: tuple[str, ...] = ()
    name_from: int | None = None
    otherwise: str | None = None
    unless: tuple[str, ...] = ()


NOWHERE = Text()


@dataclass(frozen=True, slots=True)
class Inside:
    """What a span's payloads hold inside of a framework's wrapping, and what that says of the call besides: its id, whether it failed."""

    arguments: tuple[str | None, State]
    result: tuple[str | None, State]
    tool_call_id: str | None = None
    failed: bool = False


Open: TypeAlias = Callable[[str | None, str | None], Inside | None]
"""Looks inside arguments and result, each None where there is no text; None where the span has to be read by itself."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to read the spans of one shape as calls; without a tool: as spans that are kept for parentage.

    A plan may depend on what a shape tells apart: the span's source, name and kind, whether it has events, the names and types of its
    attributes, and the values of those that a dialect names in `telling`. Where an attribute that the plan needs is no text, the span
    is read by itself.
    inside: where payloads have to be taken out of wrappings.
    agent_at_root: the agent of spans without a parent that name none; the others have theirs from the spans around.
    """

    dialect: str
    observed_by: Observer = Observer.AGENT
    tool: Text | None = None
    tool_call_id: Text = NOWHERE
    server: Text = NOWHERE
    server_version: Text = NOWHERE
    transport: Text = NOWHERE
    agent: Text | None = None
    arguments: Text = NOWHERE
    result: Text = NOWHERE
    agent_at_root: str | None = None
    inside: Open | None = None
