"""What of an earlier text stands in a later one, told by letters and digits alone."""

import unicodedata
from collections import deque
from dataclasses import dataclass
from itertools import accumulate
from math import log2

from detectors.instructions.sentences import unescaped

REMEMBERED = 1_000_000
"""Characters of results that are remembered of one session, the newest."""
WINDOWS = 60
"""Stretches of one text that are looked for, at most."""
_DROPPED = bytes(c for c in range(256) if not chr(c).isascii() or not chr(c).isalnum())


def letters(text: str) -> str:
    """Letters and digits of any script in lower case, without accents; blanks and punctuation left out."""
    if text.isascii():
        return text.lower().encode().translate(None, _DROPPED).decode()
    return "".join(c for c in unicodedata.normalize("NFKD", text).casefold() if c.isalnum())


def entropy(text: str) -> float:
    """Bits per character (Shannon)."""
    return -sum(n / len(text) * log2(n / len(text)) for n in (text.count(c) for c in set(text)))


@dataclass(frozen=True, slots=True)
class Source:
    """The call whose result said it first, and how many of the stretches looked for stand in its result."""

    call_id: str
    tool: str
    server: str | None
    found: int
    of: int


@dataclass(slots=True)
class _Told:
    call_id: str
    tool: str
    server: str | None
    text: str
    plain: str | None = None


class Memory:
    """What a session was told so far, and by which calls."""

    def __init__(self) -> None:
        self._told: deque[_Told] = deque()
        self._size = 0
        self._joined: str | None = None

    def add(self, call_id: str, tool: str, server: str | None, text: str | None) -> None:
        """Remember a result."""
        if text:
            self._told.append(_Told(call_id, tool, server, text))
            self._size += len(text)
            self._joined = None
        while self._size > REMEMBERED and len(self._told) > 1:
            self._size -= len(self._told.popleft().text)

    def holds(self, text: str) -> bool:
        """Whether a result says just this."""
        plain = letters(text)
        return bool(plain) and plain in self._text()

    def source(self, text: str, stretch: int) -> Source | None:
        """The first call that said a stretch of so many letters of the text; None where no call did."""
        plain, said = letters(text), self._text()
        step = max(stretch // 2, (len(plain) - stretch) // WINDOWS + 1)
        wanted = [plain[n : n + stretch] for n in range(0, len(plain) - stretch + 1, step)]
        places = [place for place in (said.find(one) for one in wanted) if place >= 0]
        if not places:
            return None
        ends = accumulate(len(one.plain or "") + 1 for one in self._told)
        first = min(places)
        told = next(one for one, end in zip(self._told, ends, strict=True) if first < end)
        return Source(told.call_id, told.tool, told.server, len(places), len(wanted))

    def _text(self) -> str:
        if self._joined is None:
            for one in self._told:
                if one.plain is None:
                    one.plain = letters(unescaped(one.text))
            self._joined = "".join(f"{one.plain} " for one in self._told)
        return self._joined
