"""RE2 over bytes, without captures."""

from collections.abc import Iterator
from typing import Any

import re2


def compiled(pattern: str) -> Any:
    """A pattern over bytes; captures are never asked for, which is what makes it fast."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.never_capture = True
    options.max_mem = 64 << 20
    return re2.compile(pattern.encode("latin-1"), options)


def matches(pattern: Any, data: bytes) -> Iterator[tuple[int, bytes]]:
    """Where each match starts, and its bytes."""
    match, anchor, position, end = pattern._regexp.Match, re2._Anchor.UNANCHORED, 0, len(data)
    while (start := (span := match(anchor, data, position, end)[0])[0]) >= 0:
        position = span[1]
        yield start, data[start:position]
