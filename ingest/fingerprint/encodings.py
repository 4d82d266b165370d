"""Escapes and encodings undone: what a text says once JSON, base64, hex and percent-encoding are taken off."""

import binascii
from collections.abc import Iterator
from typing import Any, Final, TypeAlias
from urllib.parse import unquote_to_bytes

import numpy as np
from numba import njit

from ingest.fingerprint.matching import compiled, matches

Array: TypeAlias = np.ndarray[Any, Any]


@njit(cache=True, nogil=True)
def hex_number(data: Array, start: int, end: int) -> int:
    """The number that data[start:end] spells in hex, -1 where it spells none."""
    number = 0
    for i in range(start, end):
        byte = data[i]
        if 48 <= byte <= 57:
            number = number * 16 + byte - 48
        elif 97 <= byte | 32 <= 102:
            number = number * 16 + (byte | 32) - 87
        else:
            return -1
    return number


@njit(cache=True, nogil=True)
def unescape(data: Array, starts: Array, ends: Array) -> tuple[Array, Array, Array]:
    r"""Segments with their backslash escapes undone, however many backslashes they have ("\n" and "\\\\n" are both a line break),
    each followed by a NUL. So a text, its JSON and the JSON of its JSON become equal but for punctuation.
    """
    total = 0
    for s in range(len(starts)):
        total += ends[s] - starts[s] + 1
    out = np.zeros(total + 8, dtype=np.uint8)
    out_starts, out_ends = np.empty_like(starts), np.empty_like(ends)
    o = 0
    for s in range(len(starts)):
        out_starts[s] = o
        i, end = starts[s], ends[s]
        while i < end:
            if data[i] != 92:
                out[o] = data[i]
                o += 1
                i += 1
                continue
            while i < end and data[i] == 92:
                i += 1
            c = data[i] if i < end else 0
            point = -1
            if c == 110 or c == 114 or c == 116 or c == 98 or c == 102:  # n, r, t, b, f
                point = 9 if c == 116 else 10
                i += 1
            elif c == 34 or c == 39 or c == 47:  # quotes and slash
                point = c
                i += 1
            elif c == 120 and i + 3 <= end:  # x41, of Python and JavaScript
                point = hex_number(data, i + 1, i + 3)
                i += 3 if point >= 0 else 0
            elif c == 117 and i + 5 <= end:  # u0041
                point = hex_number(data, i + 1, i + 5)
                i += 5 if point >= 0 else 0
                j = i
                while j < end and data[j] == 92:
                    j += 1
                if 0xD800 <= point < 0xDC00 and i < j and j + 5 <= end and data[j] == 117:
                    low = hex_number(data, j + 1, j + 5)
                    if 0xDC00 <= low < 0xE000:
                        point = 0x10000 + (point - 0xD800 << 10) + (low - 0xDC00)
                        i = j + 5
            if point < 0:
                point = 92
            if point < 128:
                out[o] = point
                o += 1
            else:
                more = 1 if point < 0x800 else 2 if point < 0x10000 else 3
                out[o] = (0xF80 >> more & 0xFF) | point >> 6 * more
                for j in range(more):
                    out[o + more - j] = 0x80 | point >> 6 * j & 63
                o += more + 1
        out_ends[s] = o
        o += 1
    return out[:o], out_starts, out_ends


_SEXTET: Final = "[A-Za-z0-9+/_-]"
NAME_END: Final = r"\x00-\x20\"'`<>(){}\[\]|,;\\*"  # what ends a token
# Base64 or hex, wrapped as MIME (76) and PEM (64) wrap it or in one piece; a token with percent codes in it.
ENCODED: Final = compiled(
    rf"[^%{NAME_END}]{{0,64}}%[0-9A-Fa-f]{{2}}[^{NAME_END}]{{9,}}|(?:{_SEXTET}{{60,}}\r?\n)+{_SEXTET}+|{_SEXTET}{{32,}}"
)
_HEX: Final = compiled("[0-9A-Fa-f]{48,}")
# What reads as text: UTF-8, or ASCII in UTF-16; 20 random bytes in a row practically never do.
_READABLE: Final = compiled(
    r"(?:\x00?[\x09-\x0d\x20-\x7e]\x00?|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}){20,}"
)


def decoded(encoded: bytes) -> Iterator[bytes]:
    """The readable texts in an encoded run: base64 at every alignment (words may run into it), hex at both."""
    if b"%" in encoded:
        yield unquote_to_bytes(encoded.replace(b"+", b" "))
        return
    sextets = encoded.translate(_STANDARD, b"\r\n")
    for shift in range(4):
        whole = sextets[shift:]
        rest = len(whole) % 4
        plain = binascii.a2b_base64(whole[: len(whole) - rest] + (whole[-rest:] + b"=" * (4 - rest) if rest > 1 else b""))
        yield from (text.replace(b"\x00", b"") for _, text in matches(_READABLE, plain))
    for _, run in matches(_HEX, encoded):
        for shift in range(2):
            digits = run[shift:]
            plain = bytes.fromhex(digits[: len(digits) & ~1].decode())
            yield from (text.replace(b"\x00", b"") for _, text in matches(_READABLE, plain))


_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
