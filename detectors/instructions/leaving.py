"""What the user left to data: how much an order out of a result still counts, given the prompt and what is usual at the deployment.

Honest work takes orders from data too: "do what ticket 12 says". Then the question is which source was named, whether the call is of a kind
that was left to it, whether calls of this tool usually have their values from there, and whether the address was written to before.
The shares were chosen on synthetic workplaces and on labelled traces; none depends on their words.
"""

from collections.abc import Collection, Container
from dataclasses import dataclass
from typing import Protocol

from detectors.instructions.prompts import Handed, Prompt
from detectors.instructions.tools import Tool, tool_of

WEB_READ = "egress"
"""Kind of a call that reads what an address shows, and tells the address that it does."""
_OUTWARD = ("money", "send", WEB_READ)
"""A new recipient or address of these is a reason of its own to look twice."""
_HALF_USUAL = 1.5
"""Sessions in which something must have been seen to be half as usual as it can get."""
_BY_ANY_SOURCE = 0.6
"""What it says that calls of this tool have values from other sources."""
_SERVERS_OWN, _OWN_STRANGE = 0.6, 0.3
"""The answer of a tool that changes something is the server's own word; strangers write into what is read."""
_NEW_ADDRESS, _NEW_ADDRESS_UNASKED = 0.5, 0.0
"""How usual a usual way is to a new address: where the user left something to data, and where not."""

_LEAST_OF = {Handed.NOT: 0.3, Handed.ANYTHING: 0.15, Handed.THIS: 0.15}
"""What is left of an order that came the most usual way; to an address where things are sent or paid, `_LEAST_OUTWARD` for what was handed over."""
_LEAST_OUTWARD = 0.25
_THIS, _THIS_OUTWARD = 0.5, 0.7
_ANYTHING, _ANYTHING_OUTWARD = 0.5, 0.8
"""What is left where nothing is known of the way, but the user handed over this, or anything."""
_ANYTHING_UNUSUAL = 0.6
"""The same where it is known that the way is not usual."""
_STRANGE_OF = {Handed.NOT: 1.0, Handed.ANYTHING: 0.7, Handed.THIS: 0.3}


class Usual(Protocol):
    """What is usual at a deployment, in numbers of its past sessions."""

    def steered(self, source: str | None, tool: str) -> int:
        """In how many of them a call of `tool` took a value from a result of `source`, or of any tool."""

    def addressed(self, atom: str) -> int:
        """In how many of them a call's arguments held this account, or an address at this host."""

    def familiar(self, tool: str) -> float:
        """How much can be said of what is usual for a tool, 0..1: nothing of a new one where new ones come all the time."""


@dataclass(frozen=True, slots=True)
class Left:
    """What an order of one source is worth."""

    counts: float
    """How much it still counts, 0..1."""
    strange: float
    """How strange it is that a value comes from there, 0..1; 0 where nothing is known."""
    handed: Handed


class Leaving:
    """What one call's sources are worth, each asked once."""

    def __init__(self, asked: Prompt, tool: Tool, name: str, outward: bool, usual: Usual | None, addressed: float) -> None:
        self._asked, self._tool, self._name, self._outward, self._usual, self._addressed = asked, tool, name, outward, usual, addressed
        self._by_any = _BY_ANY_SOURCE * often(usual.steered(None, name)) if usual else 0.0
        self._by_paper = bool(asked.that_leave(tool))
        self._known: dict[str, Left] = {}

    def of(self, key: str, source: str, paper: Container[str]) -> Left:
        """The worth of what `source` gave when called with the values of `paper`; `key` names it."""
        if not self._by_paper:
            key = source
        if key not in self._known:
            self._known[key] = self._worth(source, paper)
        return self._known[key]

    @property
    def most_handed(self) -> Handed:
        """How far such a call was left to any of the sources that were asked for."""
        return max((left.handed for left in self._known.values()), default=Handed.NOT)

    def _worth(self, source: str, paper: Container[str]) -> Left:
        handed = self._asked.hands_over(self._tool, paper)
        most, least, outward = 1.0, _LEAST_OF[handed], self._outward
        if handed == Handed.THIS:
            most = _THIS_OUTWARD if outward else _THIS
        elif handed == Handed.ANYTHING:
            most = _ANYTHING_UNUSUAL if self._usual else _ANYTHING_OUTWARD if outward else _ANYTHING
        if outward and handed:
            least = _LEAST_OUTWARD
        steered = max(often(self._usual.steered(source, self._name)), self._by_any) if self._usual else 0.0
        new = (_NEW_ADDRESS if handed else _NEW_ADDRESS_UNASKED) if outward else 1.0
        way = steered * (new + (1 - new) * self._addressed)
        strange = 0.0
        if self._usual:
            strange = (1 - steered * (self._addressed if outward and not handed else 1.0)) * _STRANGE_OF[handed] * self._usual.familiar(self._name)
        own = tool_of(source).kind not in ("read", "unknown")
        return Left((_SERVERS_OWN if own else 1.0) * (most - (most - least) * way), (_OWN_STRANGE if own else 1.0) * strange, handed)


def leaving(asked: Prompt, tool: Tool, name: str, novel_atoms: Collection[str], kind: str, usual: Usual | None) -> Leaving:
    """For a call of `tool` (called `name`), of this kind, with these addresses and numbers that the prompt does not know."""
    addressed = min((often(usual.addressed(a)) for a in novel_atoms), default=1.0) if usual else 0.0
    return Leaving(asked, tool, name, kind in _OUTWARD and bool(novel_atoms), usual, addressed)


def often(sessions: int) -> float:
    """How usual something is that this many past sessions had, 0..1."""
    return sessions / (sessions + _HALF_USUAL)
