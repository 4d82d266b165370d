"""Sentences of a text, and how strongly each tells somebody to act.

Works chunk by chunk from left to right, so its cost grows with the length of the text and not with its shape. A text becomes numbers once
(`vocabulary`, `grammar`); the words of a sentence are put together again where somebody asks for them.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import blake2b
from itertools import pairwise
from threading import Lock

import numpy as np

from detectors.instructions.chunks import Chunk
from detectors.instructions.encoded import with_decoded
from detectors.instructions.foreign import spaced
from detectors.instructions.grammar import Chunks, Numbers, Places, Strengths, Table, cuts, telling
from detectors.instructions.hidden import decoded
from detectors.instructions.splitting import BACKSLASHES, LONG, PERHAPS_UNSEEN, QUOTES_OR_TAGS, WIDE, traits_of
from detectors.instructions.vocabulary import PHRASES, SIDE, Vocabulary

TEXT_LIMIT = 65_536
"""Characters of a text that are read: three quarters from its beginning, the rest from its end."""
_SENTENCES = 1_000
"""Sentences of one text that are kept, the strongest first."""
_READY = 64
"""Texts whose sentences are kept as well: they take some thirty times the room of their numbers, but the same pages are read again and again."""
_REMEMBERED = 64_000_000
"""Characters of texts that are remembered, as numbers: about one byte each, and as many as a shard of calls brings, which several detectors read."""


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """A text as numbers of chunks."""

    numbers: Chunks
    begins: Places
    """Of its sentences; and at last where it ends."""
    ordered: Numbers
    """1 where the chunk is the verb of an order."""
    vocabulary: Vocabulary

    def chunks(self, start: int, end: int) -> list[Chunk]:
        """Those from one place to another."""
        known = self.vocabulary.chunks
        return [known[n] for n in self.numbers[start:end].tolist()]

    def tokens(self, start: int = 0, end: int | None = None) -> frozenset[str]:
        """What these hold."""
        known = self.vocabulary.chunks
        return frozenset(token for n in set(self.numbers[start:end].tolist()) for token, _ in known[n].tokens)


@dataclass(eq=False)  # not frozen: there are many, and that takes four times as long to make
class Sentence:
    """A sentence that holds a verb of action, with the sentence behind it as its context."""

    page: Page
    start: int
    end: int
    behind: int
    """Where the sentence behind it ends."""
    strength: float
    """How much it is an order, 0..1."""
    side: bool
    """One of the verbs changes something."""

    @cached_property
    def _own(self) -> list[Chunk]:
        return self.page.chunks(self.start, self.end)

    @cached_property
    def text(self) -> str:
        """As it stands, with single blanks."""
        return " ".join(c.raw for c in self._own)

    @cached_property
    def verbs(self) -> frozenset[str]:
        """Stems of the verbs that make it an order; without any, of its verbs that change something."""
        vocabulary, own = self.page.vocabulary, self.page.numbers[self.start : self.end]
        marked = own[self.page.ordered[self.start : self.end] != 0] if self.strength else own[vocabulary.bits[own] & SIDE != 0]
        return frozenset(vocabulary.chunks[n].stem for n in marked.tolist())

    @cached_property
    def tokens(self) -> dict[str, float]:
        """Its tokens and their weights."""
        return {token: weight for chunk in self._own for token, weight in chunk.tokens}

    @cached_property
    def context(self) -> frozenset[str]:
        """Its tokens and those of the next sentence."""
        return self.page.tokens(self.start, self.behind)

    @cached_property
    def atoms(self) -> frozenset[str]:
        """Of itself and the next sentence."""
        return frozenset(a for c in self.page.chunks(self.start, self.behind) for a in c.atoms)

    @cached_property
    def specific(self) -> bool:
        """It holds a number, an amount, a name with a dash below, or something in quotation marks."""
        return any((not c.word and any(x.isdigit() or x in "_$\u20ac\u00a3" for x in c.raw)) or c.raw[0] in "'\"\u201c" for c in self._own)


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A text, read; it is kept as numbers, from which sentences are made."""

    page: Page
    places: Table
    strengths: Strengths
    strongest: float
    """How strong the strongest is."""

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The sentences that tell to act, or that name a change."""
        return _sentences(self)

    def orders(self, least: float) -> Iterator[Sentence]:
        """Those of at least this strength that name a change."""
        if self.strongest < least:
            return iter(())
        return map(self.sentence, np.flatnonzero((self.strengths >= least) & (self.places[:, 3] != 0)).tolist())

    def sentence(self, row: int) -> Sentence:
        """One of the sentences."""
        start, end, behind, side = self.places[row].tolist()
        return Sentence(self.page, start, end, behind, float(self.strengths[row]), bool(side))

    @property
    def tokens(self) -> frozenset[str]:
        """All tokens of the text."""
        return self.page.tokens()


@lru_cache(maxsize=_READY)
def _sentences(reading: Reading) -> tuple[Sentence, ...]:
    return tuple(map(reading.sentence, range(len(reading.places))))


def unescaped(text: str) -> str:
    """Text as its reader sees it: escapes of JSON and of nested JSON undone, fields of compact JSON apart."""
    if len(text) > TEXT_LIMIT:
        text = text[: TEXT_LIMIT * 3 // 4] + "\n\n" + text[-TEXT_LIMIT // 4 :]
    held = traits_of(text)
    if held & (PERHAPS_UNSEEN | LONG):
        plain = with_decoded(decoded(text) if held & PERHAPS_UNSEEN else text)
        text, held = plain, held if len(plain) == len(text) else traits_of(plain)  # either changes the length, if it changes anything
    if held & WIDE:
        text = spaced(text)
    if held & BACKSLASHES:
        text = text.replace("\\\\", "\\").replace("\\\\", "\\")
        text = text.replace("\\n", "\n").replace("\\r", "\n").replace("\\t", " ").replace('\\"', '"').replace("\\'", "'")
        text = text.replace("\\/", "/").replace("\\ ", " ")
    if held & QUOTES_OR_TAGS:
        for old, new in _APART:
            text = text.replace(old, new)
    return text


_APART = (('":', '": '), (',"', ', "'), ('{"', '{ "'), ('["', '[ "'), ("''", "'"), ("<", " <"), (">", "> "))


class _Remembered:
    """Readings by the hash of their text, least recently used out first, bounded by the texts' length and the vocabulary."""

    def __init__(self, characters: int) -> None:
        self._most = self._room = characters
        self._kept: OrderedDict[bytes, tuple[int, Reading]] = OrderedDict()
        self._vocabulary = Vocabulary()
        self._lock = Lock()

    @property
    def vocabulary(self) -> Vocabulary:
        """The vocabulary of the texts that are read now."""
        with self._lock:
            if self._vocabulary.full:
                self._vocabulary, self._room = Vocabulary(), self._most
                self._kept.clear()
            return self._vocabulary

    def read(self, text: str, vocabulary: Vocabulary) -> Reading:
        key = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        with self._lock:
            if key in self._kept and vocabulary is self._vocabulary:
                self._kept.move_to_end(key)
                return self._kept[key][1]
        reading, cost = _read(text, vocabulary), min(len(text), TEXT_LIMIT)
        with self._lock:
            if vocabulary is not self._vocabulary:  # of a session that goes on while a new one was begun
                return reading
            if key not in self._kept:
                self._kept[key] = cost, reading
                self._room -= cost
            while self._room < 0:
                self._room += self._kept.popitem(last=False)[1][0]
        return reading


_remembered = _Remembered(characters=_REMEMBERED)


def read(text: str, vocabulary: Vocabulary | None = None) -> Reading:
    """Read a text, as numbers of this vocabulary or of that of today; texts read before are remembered."""
    return _remembered.read(text, vocabulary or _remembered.vocabulary)


def todays_vocabulary() -> Vocabulary:
    """The vocabulary of the texts that are read now; for those who read several texts as numbers of one."""
    return _remembered.vocabulary


def parts_of(text: str) -> list[list[Chunk]]:
    """The chunks of a text, sentence by sentence."""
    page = read(text).page
    return [page.chunks(start, end) for start, end in pairwise(page.begins.tolist())]


def _read(text: str, vocabulary: Vocabulary) -> Reading:
    numbers, lines = vocabulary.numbered(unescaped(text))
    bits = vocabulary.bits[numbers]
    begins = cuts(bits, lines)
    places, strengths, ordered = telling(bits, vocabulary.numbers[numbers], begins, PHRASES)
    if len(places) > _SENTENCES:
        strongest = np.argsort(-strengths, kind="stable")[:_SENTENCES]
        places, strengths = places[strongest], strengths[strongest]
    page = Page(numbers, begins.copy(), ordered, vocabulary)
    return Reading(page, places.copy(), strengths.copy(), float(strengths.max(initial=0.0)))  # of what the loops made, the rest is let go
