"""Text that a model reads and a person does not see: Unicode tags, zero-width characters, comments, invisible elements."""

import re2

from detectors.instructions.splitting import PERHAPS_UNSEEN, traits_of

_FIRST_TAG = "\U000e0000"
_TAGS = range(0xE0000, 0xE0080)
_BLACK_FLAG = "\U0001f3f4"
_ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_SELECTORS = range(0xE0100, 0xE01F0)
_REMOVED = {ord(c): None for c in _ZERO_WIDTH} | dict.fromkeys(_SELECTORS)
_JOINED_LETTERS = 3
"""So many zero-width characters between plain Latin letters are no accident of copying."""

_RUN = 4
"""So many variation selectors in a row choose no glyph: they carry bytes."""
_BITS = 16
"""So many zero-width characters in a row carry bits: two letters' worth."""
_DIRECTIONS = re2.compile("[\u202d\u202e]([^\u202c\n]{1,400})")
"""Overrides of direction, which no language needs; embeddings and isolates are honest Hebrew and Arabic."""
_SELECTED = re2.compile(f"[\ufe00-\ufe0f\U000e0100-\U000e01ef]{{{_RUN},}}")
_BINARY = re2.compile(f"[\u200b\u200c\u200d\u2060\ufeff]{{{_BITS},}}")

_WHITE = r"\s*:\s*(?:white|#fff(?:fff)?)\b"
_UNSEEN = re2.compile(
    r"(?is)<!--(.*?)-->"
    r"|<[a-z]+\b[^>]*\bstyle\s*=\s*[^>]*(?:display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*[01](?:px|pt|em|rem|%)?\s*[;\"']"
    r"|opacity\s*:\s*0(?:\.0\d*)?\s*[;\"']|(?:left|top|text-indent)\s*:\s*-\d{4,}"
    rf"|background(?:-color)?{_WHITE}[^>]*[;\"'\s]color{_WHITE}|[;\"'\s]color{_WHITE}[^>]*background(?:-color)?{_WHITE})"
    r"[^>]*>([^<]+)"
    r"|\[//\]:\s*#\s*[(\"']([^\n]*?)[)\"']\s*(?:\n|$)")
_PIECE_LIMIT = 2_000
_SPELLED = re2.compile(r"(?:\b\w[ .\-_]{1,3}){7,}\w\b")
"""Letters one by one; two blanks or more stand for the blank between words."""
_SINGLE_GAPS = re2.compile(r"(\w)[ .\-_]")


def decoded(text: str) -> str:
    """The text with tag characters turned into the letters they stand for and zero-width characters taken out."""
    if text.isascii():
        return text
    if max(text) >= _FIRST_TAG:
        text = "".join(chr(ord(c) - 0xE0000) if ord(c) in _TAGS and 0x20 <= ord(c) - 0xE0000 < 0x7F else c for c in text)
    return text.translate(_REMOVED)


def joined(text: str) -> str:
    """The text with words that are spelled letter by letter put together."""
    return str(_SPELLED.sub(lambda m: _SINGLE_GAPS.sub(r"\1", m.group()), text))


def hidden_in(text: str) -> list[str]:
    """The pieces of a text that only a model sees."""
    unseen = not text.isascii() and traits_of(text) & PERHAPS_UNSEEN
    pieces = spelled_in(text) if unseen else []
    if unseen:
        joined = sum(text[n] in _ZERO_WIDTH and _latin(text[n - 1]) and _latin(text[n + 1]) for n in range(1, len(text) - 1))
        if joined >= _JOINED_LETTERS:
            pieces.append(decoded(_around(text)))
    return pieces + unseen_in(text)


def spelled_in(text: str) -> list[str]:
    """What tag characters, variation selectors and zero-width bits of a text spell."""
    if text.isascii():
        return []
    clean = text.encode("utf-8", "replace").decode("utf-8")
    selected = (_spelled(match.group()) for match in _SELECTED.finditer(clean))
    return [*_tagged(text), *filter(None, selected), *filter(None, (_bits(match.group()) for match in _BINARY.finditer(clean)))]


def unseen_in(text: str) -> list[str]:
    """What stands in comments and in elements that a page does not show."""
    if "<" not in text and "[//]" not in text:
        return []
    found = _UNSEEN.finditer(text.encode("utf-8", "replace").decode("utf-8"))
    return [(match.group(1) or match.group(2) or match.group(3) or "")[:_PIECE_LIMIT] for match in found]


def turned_around(text: str) -> str | None:
    """The first stretch that is shown in another direction than it is read in."""
    if text.isascii():
        return None
    match = _DIRECTIONS.search(text.encode("utf-8", "replace").decode("utf-8"))
    return match.group(1) if match else None


def _spelled(run: str) -> str:
    """The bytes that variation selectors stand for, as text; empty where they are none."""
    numbers = (ord(c) - 0xFE00 if ord(c) < 0xE0100 else ord(c) - 0xE0100 + 16 for c in run)
    return _readable(bytes(numbers))


def _bits(run: str) -> str:
    """The text that two kinds of zero-width characters spell in bits, whichever of them is the one."""
    kinds = sorted(set(run))
    if len(kinds) < 2:
        return ""
    for one in kinds:
        digits = "".join("1" if c == one else "0" for c in run)
        text = _readable(bytes(int(digits[n : n + 8], 2) for n in range(0, len(digits) - 7, 8)))
        if text:
            return text
    return ""


def _readable(raw: bytes) -> str:
    text = raw.decode("utf-8", "ignore").strip("\0")
    return text[:_PIECE_LIMIT] if len(text) > 1 and all(c.isprintable() or c.isspace() for c in text) else ""


def _tagged(text: str) -> list[str]:
    """Runs of tag characters; the ones behind a black flag are the flags of England, Scotland, Wales."""
    runs: list[str] = []
    current, flag, before = "", False, ""
    for char in text:
        if ord(char) in _TAGS:
            flag = flag or (not current and before == _BLACK_FLAG)
            current += chr(ord(char) - 0xE0000) if 0x20 <= ord(char) - 0xE0000 < 0x7F else ""
        else:
            if current and not flag:
                runs.append(current)
            current, flag = "", False
        before = char
    return [*runs, current] if current and not flag else runs


def _latin(char: str) -> bool:
    return char.isascii() and char.isalpha()


def _around(text: str) -> str:
    """The stretch of the text that zero-width characters run through."""
    places = [n for n, c in enumerate(text) if c in _ZERO_WIDTH]
    return text[max(0, places[0] - 40) : places[-1] + 40]
