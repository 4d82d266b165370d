"""What an agent has read in a session so far: orders and texts as numbers of one vocabulary, and which call brought them."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from detectors.instructions.following import ATOM, MEANT, NOVEL, VALUE, append, compare, holding, note, strongest
from detectors.instructions.leaving import Leaving
from detectors.instructions.prompts import COMMAND, meant
from detectors.instructions.sentences import Reading, Sentence
from detectors.instructions.tools import RELATED_SHARE, Tool
from detectors.instructions.vocabulary import Array, Vocabulary, room

FLOOR = 0.35
"""Mood of any sentence with a verb that changes something: "the open point is to send ..."."""
_OTHER_VERB = 0.5
ENOUGH_MASS = 1.5
"""Of values that the prompt does not know: fewer say less."""
_VALUELESS, _VALUED = 0.4, 0.6
"""What an order explains of a call that has none of its values, and what all of them add."""
_ORDERS = 20_000
"""Orders remembered of one session: no flood of them may stall us."""
_SOURCES = 63
"""Tools that are told apart at once by what they gave to read; the latest results of those that come after are searched."""
_KEPT = 50
"""Results of a tool that are remembered one by one, the latest."""


@dataclass(frozen=True, slots=True)
class Result:
    """A call that brought something to read."""

    call_id: str
    tool: str
    values: Mapping[str, float]
    """With which it was called: the name under which the prompt may send the agent there for its orders."""
    trust: float
    """Less for error messages."""
    reading: Reading
    first: int
    """The number of its first order."""


@dataclass(slots=True)
class Recorded:
    """What one tool gave to read: which results, the values that it was called with, and whether the log holds all of it."""

    results: list[Result] = field(default_factory=list)
    papers: set[str] = field(default_factory=set)
    cut_off: bool = False
    """The log holds only the beginning of something that it gave."""


@dataclass(frozen=True, slots=True)
class Followed:
    """How far a call follows orders: the most that any of them says by values, by fitting better than the prompt, by an address."""

    instr: float
    gap: float
    atom: float
    result: Result
    """What brought the order that says most together."""
    order: Sentence


VALUE_OF = {
    (novel, atom): float(VALUE | (NOVEL if novel else np.uint64(0)) | (ATOM if atom else np.uint64(0))) for novel in (False, True) for atom in (False, True)
}
"""What a value's token is, by whether the prompt does not know it and whether it is an address that it does not know."""


class Heard:
    """The orders and texts of one session; its vocabulary's lock is held meanwhile."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.recorded: dict[str, Recorded] = {}
        """By tool, in the order of their first results."""
        self._brought: list[Result] = []
        """Those that brought orders."""
        self._noted: list[Array] = []
        self._known: set[tuple[Reading, float]] = set()
        self._chunks = self._count = 0
        self._numbers, self._ordered = np.empty(1_024, np.int32), np.empty(1_024, np.uint8)
        self._orders, self._moods, self._trusts = np.empty((64, 5), np.int64), np.empty(64), np.empty(64)

    def add(self, call_id: str, tool: str, values: Mapping[str, float], trust: float, reading: Reading, cut: bool) -> None:
        """One more result; a page read again brings no new orders."""
        result = Result(call_id, tool, values, trust, reading, self._count)
        if (reading, trust) not in self._known and self._count < _ORDERS:
            self._known.add((reading, trust))
            self._add_orders(result)
        if tool not in self.recorded:
            self.recorded[tool] = Recorded()
        recorded = self.recorded[tool]
        recorded.results = [*recorded.results[1 - _KEPT:], result]
        recorded.papers.update(values)
        recorded.cut_off = recorded.cut_off or cut
        v = self.vocabulary
        slot = min([*self.recorded].index(tool), _SOURCES)
        self._noted.append(reading.page.numbers)
        note(reading.page.numbers, v.begins, v.held, v.read_by, np.uint64(1 << slot))

    def close(self) -> None:
        """Leave the vocabulary as it was."""
        v = self.vocabulary
        for numbers in self._noted:
            note(numbers, v.begins, v.held, v.read_by, np.uint64(0))

    def read_in(self, tokens: Iterable[str]) -> dict[str, list[str]]:
        """Which of these tokens were read, and which tools gave them."""
        v = self.vocabulary
        known = [(token, v.tokens[token]) for token in tokens if token in v.tokens]
        if not known or not self._noted:
            return {}
        sources = [*self.recorded]
        found = {}
        for (token, _), by in zip(known, v.read_by[[n for _, n in known]].tolist(), strict=True):
            if by:
                found[token] = [one for n, one in enumerate(sources) if by >> min(n, _SOURCES) & 1 and (n < _SOURCES or self._gave(one, token))]
        return found

    def _gave(self, tool: str, token: str) -> bool:
        return any(token in one.reading.tokens for one in self.recorded[tool].results)

    def first_holding(self, tool: str, tokens: Iterable[str]) -> str:
        """The first of the latest calls of a tool whose result holds most of these."""
        v = self.vocabulary
        wanted = np.array([v.tokens[t] for t in tokens if t in v.tokens], np.int64)
        return max(
            self.recorded[tool].results, key=lambda one: holding(one.reading.page.numbers, v.begins, v.held, v.flags, wanted)).call_id

    def follow(
        self, tool: Tool, values: Mapping[str, float], novel: Mapping[str, float], atoms: Container[str], explained: float, severity: float, left: Leaving
    ) -> Followed | None:
        """How far a call of `tool` with these values, of which the prompt does not know some, follows the orders; None where it follows none."""
        v, orders, moods = self.vocabulary, self._orders[: self._count], self._moods[: self._count]
        if not self._count:
            return None
        marked, marks, shares = v.marks_of(tool)
        known = [(v.tokens[t], VALUE_OF[t in novel, t in atoms], w) for t, w in values.items() if t in v.tokens]
        if tool.carrier and (commands := [v.tokens[t] for t in meant(values) if t in v.tokens]):
            marked, marks = np.append(marked, commands), np.append(marks, np.full(len(commands), MEANT))
        valued = np.array(known, np.float64).reshape(-1, 3)
        mass = sum(values.values())
        told, count = compare(
            orders, moods, self._numbers, self._ordered, v.bits, v.stems, v.begins, v.held, v.flags, v.weights, v.met, marked, marks,
            valued, shares, RELATED_SHARE, mass, tool.carrier, COMMAND, _VALUELESS, _OTHER_VERB, explained, v.stamp + 1,
        )
        v.stamp += len(orders) + 1
        if not count:
            return None
        counts = np.ones(len(self._brought))
        for slot in set(orders[told[:, 4] > 0, 4].tolist()):
            result = self._brought[slot]
            counts[slot] = left.of(result.call_id, result.tool, result.values).counts
        instr, gap, atom, winner = strongest(
            told, orders, moods, self._trusts, counts, mass, sum(novel.values()), ENOUGH_MASS, severity, explained, _VALUELESS, _VALUED)
        if winner < 0:
            return None
        result = self._brought[int(orders[winner, 4])]
        return Followed(instr, gap, atom, result, result.reading.sentence(winner - result.first))

    def _add_orders(self, result: Result) -> None:
        page, places = result.reading.page, result.reading.places
        first, last, chunks = self._count, self._count + len(places), self._chunks + len(page.numbers)
        if not len(places):
            return
        self._numbers, self._ordered = room(self._numbers, chunks), room(self._ordered, chunks)
        self._orders, self._moods, self._trusts = room(self._orders, last), room(self._moods, last), room(self._trusts, last)
        append(
            self._numbers, self._ordered, self._chunks, page.numbers, page.ordered, self._orders, self._moods, self._trusts, first, places,
            result.reading.strengths, FLOOR, result.trust, len(self._brought))
        self._brought.append(result)
        self._chunks, self._count = chunks, last
