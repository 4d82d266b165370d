"""Sentences of a text, and how strongly each tells somebody to act.

Works chunk by chunk from left to right, so its cost grows with the length of the text and not with its shape.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from threading import Lock

from detectors.instructions import words
from detectors.instructions.chunks import Chunk, chunk_of
from detectors.instructions.hidden import decoded

TEXT_LIMIT = 65_536
"""Characters of a text that are read: three quarters from its beginning, the rest from its end."""
_SEGMENT_LIMIT = 120
"""Chunks of one sentence; a longer one is cut."""
_SENTENCES = 1_000
"""Sentences of one text that are kept, the strongest first."""
_TITLE_WORDS, _TITLE_LIMIT, _TITLE_SHARE, _LONG_WORD = 3, 14, 0.6, 4
_LEAD_WORDS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Sentence:
    """A sentence that holds a verb of action, with the sentence behind it as its context."""

    text: str
    strength: float
    """How much it is an order, 0..1."""
    verbs: frozenset[str]
    """Stems of the verbs that make it an order; without any, of its verbs of action."""
    side: bool
    """One of the verbs changes something."""
    tokens: dict[str, float]
    context: frozenset[str]
    """Its tokens and those of the next sentence."""
    atoms: frozenset[str]
    """Of itself and the next sentence."""
    specific: bool


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A text, read."""

    tokens: frozenset[str]
    sentences: tuple[Sentence, ...]


def unescaped(text: str) -> str:
    """Text as its reader sees it: escapes of JSON and of nested JSON undone, fields of compact JSON apart."""
    if len(text) > TEXT_LIMIT:
        text = text[: TEXT_LIMIT * 3 // 4] + "\n\n" + text[-TEXT_LIMIT // 4 :]
    text = decoded(text)
    if "\\" in text:
        text = text.replace("\\\\", "\\").replace("\\\\", "\\")
        text = text.replace("\\n", "\n").replace("\\r", "\n").replace("\\t", " ").replace('\\"', '"').replace("\\'", "'")
        text = text.replace("\\/", "/").replace("\\ ", " ")
    for old, new in (('":', '": '), (',"', ', "'), ('{"', '{ "'), ('["', '[ "'), ("''", "'"), ("<", " <"), (">", "> ")):
        text = text.replace(old, new)
    return text


class _Remembered:
    """Readings by the hash of their text, least recently used out first, bounded by the texts' length."""

    def __init__(self, characters: int) -> None:
        self._room = characters
        self._kept: OrderedDict[bytes, tuple[int, Reading]] = OrderedDict()
        self._lock = Lock()

    def read(self, text: str) -> Reading:
        key = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][1]
        reading, cost = _read(text), min(len(text), TEXT_LIMIT)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = cost, reading
                self._room -= cost
            while self._room < 0:
                self._room += self._kept.popitem(last=False)[1][0]
        return reading


_remembered = _Remembered(characters=8_000_000)


def read(text: str) -> Reading:
    """Read a text; texts read before are remembered."""
    return _remembered.read(text)


def _read(text: str) -> Reading:
    chunks: list[Chunk] = []
    lines: set[int] = set()
    for line in unescaped(text).split("\n"):
        lines.add(len(chunks))
        chunks += map(chunk_of, line.split())
    tokens = frozenset(token for chunk in set(chunks) for token, _ in chunk.tokens)
    parts = list(segments(chunks, lines))
    found = (_sentence(chunks, part, parts[n + 1 : n + 2]) for n, part in enumerate(parts))
    telling = [s for s in found if s and (s.strength > 0 or s.side)]
    if len(telling) > _SENTENCES:
        telling = sorted(telling, key=lambda s: -s.strength)[:_SENTENCES]
    return Reading(tokens, tuple(telling))


def segments(chunks: Sequence[Chunk], lines: set[int]) -> Iterator[tuple[int, int]]:
    """Where sentences begin and end; `lines` holds the chunks that begin a line."""
    start = 0
    for n in range(1, len(chunks)):
        if n - start >= _SEGMENT_LIMIT or _cut(chunks, n, n in lines):
            yield start, n
            start = n
    if chunks:
        yield start, len(chunks)


def _cut(chunks: Sequence[Chunk], n: int, new_line: bool) -> bool:
    """Whether a sentence ends before chunk n."""
    before, after = chunks[n - 1], chunks[n]
    if after.opens:
        if before.ends or new_line or before.key:
            return True
        if after.capital and ((before.comma and before.raw[-1] == ":") or after.action):
            return True
        if after.numbered and n + 1 < len(chunks) and chunks[n + 1].capital:
            return True
    return after.key or before.mark or after.mark or before.raw[-1] == ";"


def _sentence(chunks: Sequence[Chunk], part: tuple[int, int], following: Sequence[tuple[int, int]]) -> Sentence | None:
    start, end = part
    while start < end and not chunks[start].word:  # bullets, numbers
        start += 1
    if not any(c.action or c.side for c in chunks[start:end]):
        return None
    own = chunks[start:end]
    strength, ordered = _strength(own, inside=start > 0 and not _stands_alone(chunks, start))
    side = frozenset(c.stem for c in own if c.side)
    tokens = _tokens(own)
    behind = chunks[following[0][0] : following[0][1]] if following else ()
    return Sentence(
        text=" ".join(c.raw for c in own), strength=strength, verbs=ordered or side,
        side=not words.SIDE_VERBS.isdisjoint(ordered) if ordered else bool(side), tokens=tokens,
        context=frozenset(tokens).union(_tokens(behind)), atoms=frozenset(a for c in (*own, *behind) for a in c.atoms),
        specific=any((not c.word and any(x.isdigit() or x in "_$\u20ac\u00a3" for x in c.raw)) or c.raw[0] in "'\"\u201c" for c in own),
    )


def _stands_alone(chunks: Sequence[Chunk], start: int) -> bool:
    before = chunks[start - 1]
    return before.ends or before.comma or before.key or before.mark or not before.word


def _tokens(chunks: Sequence[Chunk]) -> dict[str, float]:
    tokens: dict[str, float] = {}
    for chunk in chunks:
        tokens.update(chunk.tokens)
    return tokens


def _strength(own: Sequence[Chunk], inside: bool) -> tuple[float, frozenset[str]]:
    """The strongest order among the verbs, and the verbs that are orders."""
    best, ordered = 0.0, set()
    title: float | None = None
    carried = 0.0  # "get the addresses and send them": the second verb is as much an order as the first
    for k, chunk in enumerate(own[:-1]):
        after = own[k + 1]
        if not chunk.action or chunk.comma or chunk.ends or after.word == "not" or not (after.tokens or after.word):
            continue
        lead = max(_lead(own, k, inside), carried if own[k - 1].word in ("and", "then") else 0.0)
        if lead <= 0:
            continue
        carried = lead
        if after.capital:
            lead *= 0.7
        if chunk.stem in words.NOUNS_TOO and after.word in ("at", "by", "for", "from", "of", "with"):
            lead *= 0.3
        if not chunk.side:
            lead *= 0.5
        if title is None:
            title = 0.4 if _title(own) else 1.0
        ordered.add(chunk.stem)
        best = max(best, lead * title)
    return best, frozenset(ordered)


def _lead(own: Sequence[Chunk], k: int, inside: bool) -> float:
    """How much what stands before a verb makes it an order."""
    tail = "".join(f" {c.word}" for c in own[max(0, k - _LEAD_WORDS) : k])
    if tail.endswith(words.LEADS):
        return 1.0
    if tail.endswith(words.DENIALS):
        return 0.0
    capital = own[k].raw.strip("'\"(\u201c")[:1].isupper()
    if k == 0:
        return (0.85 if inside else 1.0) if capital else 0.5
    if own[k].capital:
        return 0.85
    if tail.endswith(words.STEPS):
        return 1.0 if k == 1 else 0.5
    if tail.endswith(words.OFFERS):
        return 0.5
    return 0.25 if tail.endswith(words.JOINS) else 0.0


def _title(own: Sequence[Chunk]) -> bool:
    """Headings and link texts: short, no full stop, most long words capitalised."""
    if own[-1].raw.rstrip("'\")")[-1:] in (".", "!", ":"):
        return False
    if len(own) <= _TITLE_WORDS:
        return True
    long = [c for c in own[1:] if c.word and len(c.word) >= _LONG_WORD]
    return len(own) <= _TITLE_LIMIT and bool(long) and sum(c.capital for c in long) >= _TITLE_SHARE * len(long)
