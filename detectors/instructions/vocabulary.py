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
        first, fresh, places = len(self.chunks), dict[bytes, int](), list[int]()
        for n, (place, start, end) in enumerate(unknown):
            raw = data[start:end]
            if raw not in fresh:
                fresh[raw] = first + len(fresh)
                places.append(n)
            numbers[place] = fresh[raw]
        chunks = [chunk_of(raw.decode("utf-8", "surrogatepass")) for raw in fresh]
        held = [[self.token(name) for name, _ in chunk.tokens] for chunk in chunks]
        last = first + len(chunks)
        self._make_room(last, sum(map(len, held)), sum(map(len, fresh)))
        self.chunks += chunks
        self.bits[first:last] = [*map(_bits, chunks)]
        self.numbers[first:last] = [_NUMBERS.get(chunk.word, 0) for chunk in chunks]
        self.stems[first:last] = [self.token(chunk.stem) for chunk in chunks]
        self._hashes[first:last] = hashes[places]
        _lay(self.held, self.begins, first, np.array([token for own in held for token in own], np.int32), [*map(len, held)])
        _lay(self._arena, self._offsets, first, np.frombuffer(b"".join(fresh), np.uint8), [*map(len, fresh)])
        if 2 * last > len(self._slots):
            self._slots, first = np.full(1 << (4 * last).bit_length(), -1, np.int32), 0
        insert(self._slots, self._hashes, first, last)

    def _make_room(self, chunks: int, held: int, characters: int) -> None:
        for name in ("bits", "numbers", "stems", "begins", "_hashes", "_offsets"):
            setattr(self, name, room(getattr(self, name), chunks + 1))
        count = len(self.chunks)
        self.held = room(self.held, int(self.begins[count]) + held)
        self._arena = room(self._arena, int(self._offsets[count]) + characters)


def _lay(shelf: Array, begins: Array, first: int, rows: Array, lengths: list[int]) -> None:
    """Lay rows of these lengths behind those that are there, and note where each begins."""
    start = int(begins[first])
    shelf[start : start + len(rows)] = rows
    begins[first + 1 : first + 1 + len(lengths)] = start + np.cumsum(lengths)


def room(array: Array, needed: int) -> Array:
    """The array, or where so much does not fit a larger one that begins with it."""
    if needed < len(array):
        return array
    more = max(needed - len(array), len(array)) + 1
    return np.concatenate((array, np.zeros((more, *array.shape[1:]), array.dtype)))


def _bits(chunk: Chunk) -> int:
    raw, word = chunk.raw, chunk.word
    last = raw[-1]
    bits = LONG * (len(word) >= _LONG_WORD) | TELLING * bool(chunk.tokens or word) | COLON * (last == ":") | SEMICOLON * (last == ";")
    bits |= CAPITAL * chunk.capital | ACTION * chunk.action | SIDE * chunk.side | ENDS * chunk.ends | COMMA * chunk.comma | OPENS * chunk.opens
    bits |= KEY * chunk.key | MARK * chunk.mark | NUMBERED * chunk.numbered | FOREIGN * chunk.foreign | WORD * bool(word)
    bits |= UPPER * raw.strip("'\"(\u201c")[:1].isupper() | TITLE_ENDS * (raw.rstrip("'\")")[-1:] in (".", "!", ":"))
    if word:
        bits |= NOUN_TOO * (chunk.stem in words.NOUNS_TOO) | RELATES * (word in _RELATING) | NOT * (word == "not") | AND * (word in ("and", "then"))
        bits |= PLEADS * (word in words.PLEAS)
    return bits
