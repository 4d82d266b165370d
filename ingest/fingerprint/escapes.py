r"""Backslash escapes undone, and the paths of Windows, whose backslashes are none."""

from typing import Final

import numpy as np
from numba import njit

from ingest.fingerprint.characters import CLASS, FOLDER, HEX, WORD
from ingest.fingerprint.hashing import U64, Array

_BACKSLASH: Final = 92
_WORDS_IN_FOLDER: Final = 4


@njit(cache=True, nogil=True)
def _number(data: Array, start: int, end: int) -> int:
    """The number that data[start:end] spells in hex, -1 where it spells none."""
    number = 0
    for i in range(start, end):
        digit = int(HEX[data[i]])
        if digit < 0:
            return -1
        number = number << 4 | digit
    return number


@njit(cache=True, nogil=True)
def unescape(data: Array, starts: Array, ends: Array) -> tuple[Array, Array, Array, Array]:
    r"""Segments with their backslash escapes undone, however many backslashes they have ("\n" and "\\\\n" are both a line break).
    So a text, its JSON and the JSON of its JSON become equal but for punctuation. Last: where a drive's letter stands in `data` (C:\).
    """
    total = 0
    for s in range(len(starts)):
        total += ends[s] - starts[s]
    out, drives = np.empty(total + 4, dtype=np.uint8), np.empty(64, dtype=np.int64)
    out_starts, out_ends = np.empty_like(starts), np.empty_like(ends)
    o = found = 0
    for s in range(len(starts)):
        out_starts[s] = o
        i, end = starts[s], ends[s]
        while i < end:
            stop = end
            for place in range(U64(i), U64(end)):  # unsigned: numba need not ask whether an index counts from the end
                if data[place] == _BACKSLASH:
                    stop = np.int64(place)
                    break
                out[U64(o) + place - U64(i)] = data[place]
            o, i = o + stop - i, stop
            if i == end:
                break
            drive = i - 2
            lone = drive == starts[s] or (drive > starts[s] and not CLASS[data[drive - 1]] & WORD)
            if lone and data[i - 1] == 58 and 97 <= data[drive] | 32 <= 122:
                if found == len(drives):
                    drives = np.concatenate((drives, np.empty_like(drives)))
                drives[found] = drive
                found += 1
            while i < end and data[i] == _BACKSLASH:
                i += 1
            point, i = _escaped(data, i, end)
            o = _write(out, o, point)
        out_ends[s] = o
    return out[:o], out_starts, out_ends, drives[:found]


@njit(cache=True, nogil=True)
def _escaped(data: Array, i: int, end: int) -> tuple[int, int]:
    """The code point that the characters behind backslashes stand for (a backslash where they stand for none), and where it ends."""
    c = data[i] if i < end else 0
    if c == 110 or c == 114 or c == 116 or c == 98 or c == 102:  # n, r, t, b, f
        return (9 if c == 116 else 10), i + 1
    if c == 34 or c == 39 or c == 47:  # quotes and slash
        return int(c), i + 1
    if c == 120 and i + 3 <= end:  # x41, of Python and JavaScript
        point = _number(data, i + 1, i + 3)
        return (point, i + 3) if point >= 0 else (_BACKSLASH, i)
    if c != 117 or i + 5 > end:
        return _BACKSLASH, i
    point = _number(data, i + 1, i + 5)  # u0041
    if point < 0:
        return _BACKSLASH, i
    i += 5
    j = i
    while j < end and data[j] == _BACKSLASH:
        j += 1
    if 0xD800 <= point < 0xDC00 and i < j and j + 5 <= end and data[j] == 117:
        low = _number(data, j + 1, j + 5)
        if 0xDC00 <= low < 0xE000:
            return 0x10000 + (point - 0xD800 << 10) + (low - 0xDC00), j + 5
    return point, i


@njit(cache=True, nogil=True)
def _write(out: Array, o: int, point: int) -> int:
    """A code point as UTF-8; where the next goes."""
    if point < 128:
        out[o] = point
        return o + 1
    more = 1 if point < 0x800 else 2 if point < 0x10000 else 3
    out[o] = (0xF80 >> more & 0xFF) | point >> 6 * more
    for j in range(more):
        out[o + more - j] = 0x80 | point >> 6 * j & 63
    return o + more + 1


@njit(cache=True, nogil=True)
def windows_path(data: Array, start: int, end: int, out: Array) -> int:
    r"""The path that begins with the drive's letter at `start`, in lower case with single backslashes, written to `out`; its size, 0 for none.
    Its separators are the same number of backslashes all along: 1, 2 in JSON, 4 in JSON in JSON.
    """
    i = bars = start + 2
    while i < end and data[i] == _BACKSLASH:
        i += 1
    bar = i - bars
    if bar != 1 and bar != 2 and bar != 4:
        return 0
    out[0], out[1] = data[start] | 32, 58
    o, size, folders = 2, 0, 0
    while i < end and CLASS[data[i]] & FOLDER:
        out[o] = _BACKSLASH
        o += 1
        folders += 1
        for word in range(_WORDS_IN_FOLDER):
            if word and (i + 1 >= end or data[i] != 32 or not CLASS[data[i + 1]] & FOLDER):
                break
            if word:
                out[o] = 32
                o, i = o + 1, i + 1
            while i < end and CLASS[data[i]] & FOLDER:
                out[o] = data[i] | 32 if 65 <= data[i] <= 90 else data[i]
                o, i = o + 1, i + 1
            if word == 0 and folders >= 2:
                size = o  # so far, if no separator follows
        bars = i
        while i < end and data[i] == _BACKSLASH:
            i += 1
        if i - bars != bar:
            break
    return size
