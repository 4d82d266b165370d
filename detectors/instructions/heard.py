"""What an agent has read in a session so far: orders and texts as numbers of one vocabulary, and which call brought them."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from detectors.instructions.arguments import Arguments
from detectors.instructions.following import MEANT, NOBODY, SOURCES, append, compare, holding, note, read_before, strongest, unexplained
from detectors.instructions.leaving import Leaving, Left
from detectors.instructions.prompts import COMMAND, Prompt, meant
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
_KEPT = 50
"""Results of a tool that are remembered one by one, the latest."""


@dataclass(slots=True, eq=False)  # not frozen: there is one for each call, and that takes three times as long to make
class Result:
    """A call that brought something to read."""

    call_id: str
    tool: str
    values: Mapping[str, float]
    """With which it was called: the name under which the prompt may send the agent there for its orders."""
    trust: float
    """Less for error messages."""
    reading: Reading


@dataclass(slots=True)
class Recorded:
    """What one tool gave to read: which results, the values that it was called with, and whether the log holds all of it."""

    bit: int
    """It stands for it where tokens say who gave them to read; of the tools from `SOURCES` on, one for all of them."""
    results: deque[Result] = field(default_factory=lambda: deque(maxlen=_KEPT))
    papers: set[str] = field(default_factory=set)
    cut_off: bool = False
    """The log holds only the beginning of something that it gave."""


@dataclass(slots=True, eq=False)
class Unexplained:
    """Of a call's values, which the prompt does not know, what these weigh, and whether any of them was read."""

    fresh: Array
    mass: float
    read: bool


@dataclass(frozen=True, slots=True)
class Followed:
    """How far a call follows orders: the most that any of them says by values, by fitting better than the prompt, by an address."""

    instr: float
    gap: float
    atom: float
    result: Result
    """What brought the order that says most together."""
    order: Sentence


class Heard:
    """The orders and texts of one session; its vocabulary's lock is held meanwhile."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.recorded: dict[str, Recorded] = {}
        """By tool, in the order of their first results."""
        self.strongest = 0.0
        """No order says more."""
        self.cut_off = False
        """The log holds only the beginning of some result."""
        self._brought: list[Result] = []
        """Those that brought orders."""
        self._firsts: list[int] = []
        """Of each of them, the number of its first order."""
        self._unlaid: list[Result] = []
        """Those whose orders nobody has asked for yet."""
        self._noted: list[Array] = []
        self._known: set[tuple[Reading, float]] = set()
        self._chunks = self._count = 0
        self._numbers, self._ordered = np.empty(1_024, np.int32), np.empty(1_024, np.uint8)
        self._orders, self._moods, self._trusts = np.empty((64, 5), np.int64), np.empty(64), np.empty(64)

    def add(self, call_id: str, tool: str, values: Mapping[str, float], trust: float, reading: Reading, cut: bool) -> None:
        """One more result."""
        result = Result(call_id, tool, values, trust, reading)
        recorded = self.recorded.get(tool)
        if recorded is None:
            recorded = self.recorded[tool] = Recorded(min(len(self.recorded), SOURCES))
        recorded.results.append(result)
        recorded.papers.update(values)
        recorded.cut_off, self.cut_off = recorded.cut_off or cut, self.cut_off or cut
        self.strongest = max(self.strongest, trust * max(FLOOR, reading.strongest))
        self._unlaid.append(result)
        self._noted.append(reading.page.numbers)
        v = self.vocabulary
        note(reading.page.numbers, v.begins, v.held, v.read_by, np.uint64(1 << recorded.bit))

    def close(self) -> None:
        """Leave the vocabulary as it was."""
        v = self.vocabulary
        for numbers in self._noted:
            note(numbers, v.begins, v.held, v.read_by, np.uint64(0))

    def unexplained(self, arguments: Arguments, asked: Prompt) -> Unexplained:
        """What of a call's values the prompt does not know."""
        v, values = self.vocabulary, arguments.numbered(self.vocabulary)
        said = asked.numbered(v)
        v.stamp += 1
        return Unexplained(*unexplained(values.tokens, values.weights, said, v.met, v.read_by, v.stamp))

    def read_before(self, arguments: Arguments, novel: Unexplained, asked: Prompt, left: Leaving) -> tuple[float, float]:
        """How much of the unexplained was read before, by what the user did not leave to it; and how much of that where it is strange."""
        v, values = self.vocabulary, arguments.numbered(self.vocabulary)
        left_to = [left.of(tool, tool, one.papers) for tool, one in self.recorded.items()]
        known = np.array([(one.counts, one.strange) for one in left_to[:SOURCES]]).T
        in_cut = min((one.strange for one, recorded in zip(left_to, self.recorded.values(), strict=True) if recorded.cut_off), default=0.0)
        telling, late = values.short, np.empty((0, 2))
        if any("@" in token for token in arguments.weights):
            telling = telling & ~np.array([_is_named(token, asked) for token in arguments.weights])
        if len(left_to) > SOURCES:
            late = self._late(arguments, left_to)
        return read_before(values.tokens, values.weights, novel.fresh, telling, v.read_by, known[0], known[1], in_cut, late)

    def _late(self, arguments: Arguments, left_to: list[Left]) -> Array:
        """Of each value, the least that those sources of it count, and are strange, which share a bit; `NOBODY` where there are none."""
        late = np.full((len(arguments.weights), 2), NOBODY)
        for tool, left in list(zip(self.recorded, left_to, strict=True))[SOURCES:]:
            given = [self._gave(tool, token) for token in arguments.weights]
            late[given] = np.minimum(late[given], (left.counts, left.strange))
        return late

    def _gave(self, tool: str, token: str) -> bool:
        return any(token in one.reading.tokens for one in self.recorded[tool].results)

    def most_read_in(self, arguments: Arguments, novel: Unexplained) -> str:
        """The call whose result holds most of what the prompt does not know: of the tool that gave most of it, the first of the latest calls."""
        v, values = self.vocabulary, arguments.numbered(self.vocabulary)
        by = v.read_by[values.tokens].tolist()
        unknown = [(token, weight, by[n]) for n, (token, weight) in enumerate(arguments.weights.items()) if novel.fresh[n]]
        _, _, tool = max(
            (sum(weight for token, weight, bits in unknown if bits >> one.bit & 1 and (one.bit < SOURCES or self._gave(tool, token))), one.cut_off, tool)
            for tool, one in self.recorded.items())
        wanted = values.tokens[novel.fresh]
        return max(
            self.recorded[tool].results, key=lambda one: holding(one.reading.page.numbers, v.begins, v.held, v.flags, wanted)).call_id

    def follow(self, tool: Tool, arguments: Arguments, novel: Unexplained, explained: float, severity: float, left: Leaving) -> Followed | None:
        """How far a call of `tool` with these values, of which the prompt does not know some, follows the orders; None where it follows none."""
        for one in self._unlaid:
            self._lay(one)
        self._unlaid.clear()
        if not self._count:
            return None
        v, values, orders, moods = self.vocabulary, arguments.numbered(self.vocabulary), self._orders[: self._count], self._moods[: self._count]
        marked, marks, shares = v.marks_of(tool)
        if tool.carrier and (commands := [v.tokens[t] for t in meant(arguments.weights) if t in v.tokens]):
            marked, marks = np.append(marked, commands), np.append(marks, np.full(len(commands), MEANT))
        told, able = compare(
            orders, moods, self._numbers, self._ordered, v.bits, v.stems, v.begins, v.held, v.flags, v.weights, v.met, marked, marks,
            values.tokens, values.weights, novel.fresh, shares, RELATED_SHARE, arguments.mass, tool.carrier, COMMAND, _VALUELESS, _OTHER_VERB, explained,
            v.stamp + 1, len(self._brought),
        )
        v.stamp += len(orders) + 1
        slots = np.flatnonzero(able).tolist()
        if not slots:
            return None
        counts = np.ones(len(self._brought))
        for slot in slots:
            result = self._brought[slot]
            counts[slot] = left.of(result.call_id, result.tool, result.values).counts
        instr, gap, atom, winner = strongest(
            told, orders, moods, self._trusts, counts, arguments.mass, novel.mass, ENOUGH_MASS, severity, explained, _VALUELESS, _VALUED)
        if winner < 0:
            return None
        slot = int(orders[winner, 4])
        result = self._brought[slot]
        return Followed(instr, gap, atom, result, result.reading.sentence(winner - self._firsts[slot]))

    def at_most(self, arguments: Arguments, novel: Unexplained, explained: float) -> float:
        """More than this no order explains of a call better than the prompt, where none of what the prompt does not know was read."""
        known = 1 - novel.mass / arguments.mass if arguments.mass else 0.0
        return self.strongest * (_VALUELESS + _VALUED * known) - explained

    def _lay(self, result: Result) -> None:
        """Lay the orders of a result behind those that are there; a page read again brings no new ones."""
        page, places = result.reading.page, result.reading.places
        if not len(places) or (result.reading, result.trust) in self._known or self._count >= _ORDERS:
            return
        self._known.add((result.reading, result.trust))
        first, last, chunks = self._count, self._count + len(places), self._chunks + len(page.numbers)
        self._numbers, self._ordered = room(self._numbers, chunks), room(self._ordered, chunks)
        self._orders, self._moods, self._trusts = room(self._orders, last), room(self._moods, last), room(self._trusts, last)
        append(
            self._numbers, self._ordered, self._chunks, page.numbers, page.ordered, self._orders, self._moods, self._trusts, first, places,
            result.reading.strengths, FLOOR, result.trust, len(self._brought))
        self._brought.append(result)
        self._firsts.append(first)
        self._chunks, self._count = chunks, last


def _is_named(token: str, asked: Prompt) -> bool:
    """Whether a token is the address of somebody whom the prompt names: "answer Dana"."""
    name, at, _ = token.partition("@")
    return bool(at) and all(part in asked.tokens for part in name.replace("_", ".").replace("-", ".").split("."))
