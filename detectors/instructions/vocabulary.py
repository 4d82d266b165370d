"""Chunks by number, and what the loops of `grammar` need to know of each, as bits: every text is then a row of small numbers."""

from threading import Lock

import numpy as np

from detectors.instructions import words
from detectors.instructions.chunks import CHUNK_LIMIT, Chunk, chunk_of

FULL, CAPACITY = 1 << 16, 1 << 17
"""From so many chunks on, a new vocabulary is begun; until then there is room for what two more texts may bring, each less than `FULL / 2`."""

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


class Vocabulary(dict[str, int]):
    """The chunks that were met, numbered in the order of their first appearance; ask it for a chunk's number like a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.chunks: list[Chunk] = []
        self.tokens: list[tuple[str, ...]] = []
        self.bits = np.zeros(CAPACITY, np.uint32)
        self.numbers = np.zeros(CAPACITY, np.uint8)
        """Of words that phrases are made of."""
        self._lock = Lock()

    def __missing__(self, raw: str) -> int:
        if len(raw) > CHUNK_LIMIT:
            return self[raw[:CHUNK_LIMIT]]
        chunk = chunk_of(raw)
        with self._lock:
            known = self.get(raw)
            if known is not None:
                return known
            number = len(self.chunks)
            self.chunks.append(chunk)
            self.tokens.append(tuple(token for token, _ in chunk.tokens))
            self.bits[number] = _bits(chunk)
            self.numbers[number] = _NUMBERS.get(chunk.word, 0)
            self[raw] = number
        return number

    @property
    def full(self) -> bool:
        """Whether it is time for a new one."""
        return len(self.chunks) >= FULL


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
