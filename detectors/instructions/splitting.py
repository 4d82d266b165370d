"""A text taken apart at its blanks, and each part looked up among those that are known: one compiled loop over its bytes.

Blanks are what `str.split` takes for blanks. A part is known by its bytes, not by its hash alone: no text can pass one off as another.
"""

from typing import Any, TypeAlias

import numpy as np
from numba import njit

CHUNK_LIMIT = 256
"""Characters; longer chunks are encoded data, and their beginning is enough to recognise them."""

LONG_RUN = 24
"""Bytes without a blank: shorter ones carry no encoded text."""
LONG, BACKSLASHES, QUOTES_OR_TAGS, WIDE, PERHAPS_UNSEEN = (1 << n for n in range(5))
"""A long run; marks that are escaped or set apart; characters from U+3000 on; characters that may show nothing (U+00AD, U+200B on, U+F000 on)."""

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

_NEW_LINE, _BLANK = 10, 32
_BASIS, _PRIME, _MIX = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3), np.uint64(0xFF51AFD7ED558CCD)
_HALF = np.uint64(33)


@njit(cache=True, nogil=True, inline="always")
def _blank(data: Array, n: int) -> int:
    """How many bytes of a blank begin at n; 0 where there is none."""
    one = data[n]
    if one == _BLANK or 9 <= one <= 13 or 28 <= one <= 31:
        return 1
    if one < 0xC2:
        return 0
    if one == 0xC2 and n + 1 < len(data):
        return 2 if data[n + 1] == 0x85 or data[n + 1] == 0xA0 else 0
    if n + 2 < len(data) and (one == 0xE1 or one == 0xE2 or one == 0xE3):
        two, three = data[n + 1], data[n + 2]
        if one == 0xE2:
            wide = two == 0x80 and (three <= 0x8A or three == 0xA8 or three == 0xA9 or three == 0xAF)
            return 3 if wide or (two == 0x81 and three == 0x9F) else 0
        return 3 if (one == 0xE1 and two == 0x9A and three == 0x80) or (one == 0xE3 and two == 0x80 and three == 0x80) else 0
    return 0


@njit(cache=True, nogil=True, inline="always")
def _perhaps_unseen(data: Array, n: int) -> bool:
    """Whether a character that may show nothing begins at n."""
    one = data[n]
    if one == 0xC2:
        return n + 1 < len(data) and bool(data[n + 1] == 0xAD)
    if one == 0xE2 and n + 2 < len(data):
        two, three = data[n + 1], data[n + 2]
        return bool((two == 0x80 and (0x8B <= three <= 0x8F or 0xAA <= three <= 0xAE)) or (two == 0x81 and three >= 0xA0))
    return bool(one == 0xEF or one >= 0xF3)


def traits_of(text: str) -> int:
    """What a text may hold, as bits: most texts hold little of it, and need not be searched for it."""
    return int(_traits(np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)))


@njit(cache=True, nogil=True)
def _traits(data: Array) -> int:
    found = run = n = 0
    while n < len(data):
        one = data[n]
        run += 1
        if one <= _BLANK:
            run = 0
        elif one == 0x5C:
            found |= BACKSLASHES
        elif one == 0x22 or one == 0x27 or one == 0x3C or one == 0x3E:
            found |= QUOTES_OR_TAGS
        elif one >= 0x80:
            if one >= 0xE3:
                found |= WIDE
            if _perhaps_unseen(data, n):
                found |= PERHAPS_UNSEEN
        if run >= LONG_RUN:
            found |= LONG
        n += 1
    return found


@njit(cache=True, nogil=True)
def split(data: Array, slots: Array, hashes: Array, arena: Array, offsets: Array, seed: Any) -> tuple[Array, Array, Array, Array]:
    """The chunks of a text by number, -1 where one is not known; which chunks begin a line; and of the unknown ones: place, first and last byte;
    and their hashes."""
    most, breaks = len(data) // 2 + 1, 1
    for one in data:
        breaks += one == _NEW_LINE
    numbers, lines = np.empty(most, np.int32), np.empty(breaks, np.int64)
    unknown, unknown_hashes = np.empty((0, 3), np.int64), np.empty(0, np.uint64)
    count = strangers = n = 0
    lines[0], line = 0, 1
    while n < len(data):
        wide = _blank(data, n)
        if wide:
            if data[n] == _NEW_LINE:
                lines[line] = count
                line += 1
            n += wide
            continue
        start = end = n
        characters = 0
        value = _BASIS ^ seed
        while n < len(data):
            if data[n] & 0xC0 != 0x80:
                if _blank(data, n):
                    break
                characters += 1
            if characters <= CHUNK_LIMIT:
                value = (value ^ np.uint64(data[n])) * _PRIME
                end = n + 1
            n += 1
        value = (value ^ (value >> _HALF)) * _MIX
        value ^= value >> _HALF
        found = _find(data, start, end, value, slots, hashes, arena, offsets)
        numbers[count] = found
        if found < 0:
            if strangers == len(unknown):
                unknown, unknown_hashes = _twice(unknown), _twice(unknown_hashes)
            unknown[strangers, 0], unknown[strangers, 1], unknown[strangers, 2] = count, start, end
            unknown_hashes[strangers] = value
            strangers += 1
        count += 1
    return numbers[:count].copy(), lines, unknown[:strangers], unknown_hashes[:strangers]


@njit(cache=True, nogil=True)
def _twice(array: Array) -> Array:
    """The array with room for as much again."""
    larger = np.empty((2 * len(array) + 8, *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger


@njit(cache=True, nogil=True)
def _find(data: Array, start: int, end: int, value: Any, slots: Array, hashes: Array, arena: Array, offsets: Array) -> int:
    mask = np.uint64(len(slots) - 1)
    place = value & mask
    while True:
        number = slots[place]
        if number < 0:
            return -1
        if hashes[number] == value and offsets[number + 1] - offsets[number] == end - start:
            at, n = offsets[number], 0
            while n < end - start and arena[at + n] == data[start + n]:
                n += 1
            if n == end - start:
                return int(number)
        place = (place + np.uint64(1)) & mask


@njit(cache=True, nogil=True)
def insert(slots: Array, hashes: Array, first: int, last: int) -> None:
    """Note where the chunks of these numbers are found."""
    mask = np.uint64(len(slots) - 1)
    for number in range(first, last):
        place = hashes[number] & mask
        while slots[place] >= 0:
            place = (place + np.uint64(1)) & mask
        slots[place] = number
