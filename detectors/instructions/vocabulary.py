"""Chunks and their tokens by number, and what the loops of `grammar` and `following` need to know of each: every text is then a row of numbers.

Numbers are given in the order of first appearance and hold as long as their vocabulary; where one is full, a new one is begun.
"""

from collections.abc import Iterable
from secrets import randbits
from threading import RLock
from typing import Any, TypeAlias

import numpy as np

from detectors.instructions import words
from detectors.instructions.chunks import Chunk, chunk_of
from detectors.instructions.splitting import insert, split
from detectors.instructions.tools import Tool

FULL, CAPACITY = 1 << 16, 1 << 17
"""From so many chunks on, a new vocabulary is begun; a session that needs this one longer makes it larger."""

WORD, CAPITAL, ACTION, SIDE, ENDS, COMMA, OPENS, KEY, MARK, NUMBERED = (1 << n for n in range(10))
COLON, SEMICOLON, TELLING, NOUN_TOO, RELATES, NOT, AND, UPPER, TITLE_ENDS, LONG = (1 << n for n in range(10, 20))
FOREIGN, PLEADS = (1 << n for n in range(20, 22))

LEAD, DENIAL, STEP, OFFER, JOIN = (1 << n for n in range(5))
"""What a phrase before a verb makes of it."""

_RELATING = frozenset(("at", "by", "for", "from", "of", "with"))
_LONG_WORD = 4
_MEANINGS = ((LEAD, words.LEADS), (DENIAL, words.DENIALS), (STEP, words.STEPS), (OFFER, words.OFFERS), (JOIN, words.JOINS))
_NUMBERS = {word: n for n, word in enumerate(sorted({w for _, phrases in _MEANINGS for p in phrases for w in p.split()}), 1)}
BITS_A_WORD = 8

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


def _phrases() -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Of each phrase: its words' numbers, the last one lowest, which bits count, and what it means."""
    rows = []
    for meaning, phrases in _MEANINGS:
        for phrase in phrases:
            last_first = phrase.split()[::-1]
            key = sum(_NUMBERS[word] << BITS_A_WORD * n for n, word in enumerate(last_first))
            rows.append((key, (1 << BITS_A_WORD * len(last_first)) - 1, meaning))
    return np.array(rows, np.int64)


PHRASES = _phrases()


class Vocabulary:
    """The chunks that were met, and the tokens that they hold; whoever works with its arrays holds `lock`."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.chunks: list[Chunk] = []
        self.tokens: dict[str, int] = {}
        """Numbers of tokens."""
        self.bits = np.zeros(CAPACITY, np.uint32)
        self.numbers = np.zeros(CAPACITY, np.uint8)
        """Of words that phrases are made of."""
        self.stems = np.zeros(CAPACITY, np.int32)
        """Of each chunk, the number of its stem among the tokens."""
        self.begins = np.zeros(CAPACITY + 1, np.int64)
        self.held = np.zeros(4 * CAPACITY, np.int32)
        """The tokens that chunk n holds: from `begins[n]` to `begins[n + 1]`."""
        self.flags, self.weights = np.zeros(2 * CAPACITY, np.uint64), np.zeros(2 * CAPACITY)
        self.met, self.read_by = np.zeros(2 * CAPACITY, np.int64), np.zeros(2 * CAPACITY, np.uint64)
        """Room for what is asked about tokens; `following` says what. All but `met` are left empty."""
        self.stamp = 0
        """Larger than all of `met`."""
        self._marks: dict[tuple[str, ...], tuple[Array, Array, Array]] = {}
        self._hashes = np.zeros(CAPACITY, np.uint64)
        self._slots = np.full(2 * CAPACITY, -1, np.int32)
        self._offsets = np.zeros(CAPACITY + 1, np.int64)
        self._arena = np.zeros(16 * CAPACITY, np.uint8)
        self._seed = np.uint64(randbits(64))  # who writes texts must not choose where they are looked for

    @property
    def full(self) -> bool:
        """Whether it is time for a new one."""
        return len(self.chunks) >= FULL or len(self.tokens) >= 2 * FULL

    def token(self, name: str) -> int:
        """The number of a token."""
        number = self.tokens.setdefault(name, len(self.tokens))
        if number + 1 >= len(self.flags):
            for scratch in ("flags", "weights", "met", "read_by"):
                setattr(self, scratch, room(getattr(self, scratch), number + 1))
        return number

    def marks_of(self, tool: Tool) -> tuple[Array, Array, Array]:
        """The tokens that speak of a tool, what each says of it, as bits, and the weights of its words."""
        if tool.stems not in self._marks:
            marks = tool.marks()
            tokens = np.array([*map(self.token, marks)], np.int64)
            self._marks[tool.stems] = tokens, np.array([*marks.values()], np.uint64), np.array(tool.weights, np.float64)
        return self._marks[tool.stems]

    def numbered(self, text: str) -> tuple[Array, Array]:
        """A text as numbers of its chunks, and which of them begin a line."""
        data = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
        with self.lock:
            numbers, lines, unknown, hashes = split(data, self._slots, self._hashes, self._arena, self._offsets, self._seed)
            if len(unknown):
                self._learn(data.tobytes(), numbers, unknown.tolist(), hashes)
        return numbers, lines

    def _learn(self, data: bytes, numbers: Array, unknown: Iterable[tuple[int, int, int]], hashes: Array) -> None:
        first, fresh = len(self.chunks), dict[bytes, int]()
        for (place, start, end), value in zip(unknown, hashes, strict=True):
            raw = data[start:end]
            known = fresh.get(raw)
            if known is None:
                known = fresh[raw] = len(self.chunks)
                self._hashes[known] = value
                self._add(raw)
            numbers[place] = known
        if 2 * len(self.chunks) > len(self._slots):
            self._slots, first = np.full(1 << (4 * len(self.chunks)).bit_length(), -1, np.int32), 0
        insert(self._slots, self._hashes, first, len(self.chunks))

    def _add(self, raw: bytes) -> None:
        n, chunk = len(self.chunks), chunk_of(raw.decode("utf-8", "surrogatepass"))
        self.chunks.append(chunk)
        self.bits[n], self.numbers[n] = _bits(chunk), _NUMBERS.get(chunk.word, 0)
        self.stems[n] = self.token(chunk.stem)
        begin, held = int(self.begins[n]), [self.token(name) for name, _ in chunk.tokens]
        self.begins[n + 1] = begin + len(held)
        self.held = room(self.held, begin + len(held))
        self.held[begin : begin + len(held)] = held
        offset = int(self._offsets[n])
        self._offsets[n + 1] = offset + len(raw)
        self._arena = room(self._arena, offset + len(raw))
        self._arena[offset : offset + len(raw)] = np.frombuffer(raw, np.uint8)
        if n + 2 >= len(self._hashes):
            for name in ("bits", "numbers", "stems", "begins", "_hashes", "_offsets"):
                setattr(self, name, room(getattr(self, name), 2 * n))


def room(array: Array, needed: int) -> Array:
    """The array, or where so much does not fit a larger one that begins with it."""
    if needed < len(array):
        return array
    more = max(needed - len(array), len(array)) + 1
    return np.concatenate((array, np.zeros((more, *array.shape[1:]), array.dtype)))


def _bits(chunk: Chunk) -> int:
    raw, word = chunk.raw, chunk.word
    told = (
        (WORD, word), (CAPITAL, chunk.capital), (ACTION, chunk.action), (SIDE, chunk.side), (ENDS, chunk.ends), (COMMA, chunk.comma),
        (OPENS, chunk.opens), (KEY, chunk.key), (MARK, chunk.mark), (NUMBERED, chunk.numbered), (COLON, raw[-1] == ":"), (SEMICOLON, raw[-1] == ";"),
        (TELLING, chunk.tokens or word), (NOUN_TOO, chunk.stem in words.NOUNS_TOO), (RELATES, word in _RELATING), (NOT, word == "not"),
        (AND, word in ("and", "then")), (UPPER, raw.strip("'\"(\u201c")[:1].isupper()), (TITLE_ENDS, raw.rstrip("'\")")[-1:] in (".", "!", ":")),
        (LONG, len(word) >= _LONG_WORD), (FOREIGN, chunk.foreign), (PLEADS, word in words.PLEAS),
    )
    return sum(bit for bit, holds in told if holds)
