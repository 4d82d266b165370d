"""Text that a model reads and a person does not see: Unicode tags, zero-width characters, comments, invisible elements."""

import re2

_FIRST_TAG = "\U000e0000"
_TAGS = range(0xE0000, 0xE0080)
_BLACK_FLAG = "\U0001f3f4"
_ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_SELECTORS = range(0xE0100, 0xE01F0)
_REMOVED = {ord(c): None for c in _ZERO_WIDTH} | dict.fromkeys(_SELECTORS)
_JOINED_LETTERS = 3
"""So many zero-width characters between plain Latin letters are no accident of copying."""

_UNSEEN = re2.compile(
    r"(?is)<!--(.*?)-->"
    r"|<[a-z]+\b[^>]*\bstyle\s*=\s*[^>]*(?:display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0[;\"'])"
    r"[^>]*>([^<]+)")
_PIECE_LIMIT = 2_000


def decoded(text: str) -> str:
    """The text with tag characters turned into the letters they stand for and zero-width characters taken out."""
    if text.isascii():
        return text
    if max(text) >= _FIRST_TAG:
        text = "".join(chr(ord(c) - 0xE0000) if ord(c) in _TAGS and 0x20 <= ord(c) - 0xE0000 < 0x7F else c for c in text)
    return text.translate(_REMOVED)


def hidden_in(text: str) -> list[str]:
    """The pieces of a text that only a model sees."""
    pieces: list[str] = []
    if not text.isascii():
        pieces += _tagged(text)
        joined = sum(text[n] in _ZERO_WIDTH and _latin(text[n - 1]) and _latin(text[n + 1]) for n in range(1, len(text) - 1))
        if joined >= _JOINED_LETTERS:
            pieces.append(decoded(_around(text)))
    if "<" in text:
        for match in _UNSEEN.finditer(text.encode("utf-8", "replace").decode("utf-8")):
            pieces.append((match.group(1) or match.group(2) or "")[:_PIECE_LIMIT])
    return pieces


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
