"""One value that nests deeper than the JSON parser goes does not take its neighbours with it.

Whoever can write such a value into a tool's result could else hide everything else of that batch. So what lies too deep is cut out of a body
that does not parse for its depth; what remains of the value is still deeper than any attribute may be, and is refused alone.
"""

from typing import Final

import re2

LEVELS: Final = 400
"""Brackets inside one another: more than 64 levels of a value take, which has four for each, and fewer than the parser's thousand."""

_NOTHING: Final = b"null"


def _compiled() -> "re2._Regexp":
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # bytes; what is not UTF-8 the parser has told before
    return re2.compile(rb'"(?:[^"\\]|\\[\x00-\xff])*"|[\[{]|[\]}]', options)


_TOKENS: Final = _compiled()


def shallower(body: bytes) -> bytes:
    """The body with null for whatever nests too deeply; as it is where that is never closed."""
    depth = kept = begun = 0
    pieces: list[bytes] = []
    for found in _TOKENS.finditer(body):
        place = found.start()
        if body[place] in b"[{":
            depth += 1
            if depth == LEVELS + 1:
                begun = place
        elif body[place] in b"]}":
            if depth == LEVELS + 1:
                pieces += (body[kept:begun], _NOTHING)
                kept = place + 1
            depth -= 1
    return b"".join([*pieces, body[kept:]]) if depth <= LEVELS else body
