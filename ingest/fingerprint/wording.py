"""Winnowed hashes of normalised text (Schleimer, Wilkerson, Aiken 2003)."""

import unicodedata
from functools import cache
from typing import Final

import numpy as np
from numba import njit

from ingest.fingerprint.encodings import Array
from ingest.fingerprint.segments import Segments

# Nothing shorter than k matches, everything of k + w - 1 = 48 does; density 2 / (w + 1).
_GRAM: Final = 24
_WINDOW: Final = 25
_LAST_LETTER = 0x33480  # no letter or digit lies beyond (Unicode 17); variation selectors and tags do


@cache
def _letters() -> tuple[Array, Array]:
    """For each code point where its letters lie in the pool, as (start << 8 | count): case-folded, NFKD, marks and the rest left out."""
    index = np.zeros(_LAST_LETTER, dtype=np.int64)
    pool: list[int] = []
    for point in range(_LAST_LETTER):
        char = chr(point)
        if not char.isalnum() and not unicodedata.decomposition(char):
            continue
        plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
        letters = [ord(c) for c in plain if c.isalnum()]
        index[point] = len(pool) << 8 | len(letters)
        pool += letters
    return index, np.array(pool, dtype=np.uint64)


@njit(cache=True, nogil=True, inline="always")
def mix(x: np.uint64) -> np.uint64:
    """The finaliser of splitmix64 (Steele, Lea, Flood 2014)."""
    h = x + np.uint64(0x9E3779B97F4A7C15)
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return h ^ (h >> np.uint64(31))


@njit(cache=True, nogil=True)
def _normalise(data: Array, i: int, end: int, index: Array, pool: Array, ascii_letters: Array, out: Array) -> int:
    """One segment as letters and digits, each mixed to 64 bits; how many."""
    n = 0
    while i < end:
        byte = data[i]
        i += 1
        if byte < 128:
            letter = ascii_letters[byte]
            out[n] = letter
            n += letter != 0
            continue
        more = 1 if 0xC2 <= byte < 0xE0 else 2 if 0xE0 <= byte < 0xF0 else 3 if 0xF0 <= byte < 0xF5 else 0
        if more == 0 or i + more > end:
            continue
        point = np.int64(byte & (63 >> more))
        for j in range(i, i + more):
            point = point << 6 | np.int64(data[j] & 63)
        i += more
        if point < len(index):
            where = index[point]
            for j in range(where >> 8, (where >> 8) + (where & 255)):
                out[n] = mix(pool[j])
                n += 1
    return n


def wording_of(segments: Segments) -> tuple[Array, Array]:
    """Shingles, and the text that each belongs to."""
    return _winnow(segments.data, segments.starts, segments.ends, segments.owners, *_letters())


@njit(cache=True, nogil=True)
def _winnow(data: Array, starts: Array, ends: Array, owners: Array, index: Array, pool: Array) -> tuple[Array, Array]:
    """The smallest gram hash of every window of every segment, and whose it is."""
    longest = total = 0
    for s in range(len(starts)):
        longest = max(longest, ends[s] - starts[s])
        total += ends[s] - starts[s]
    ascii_letters = np.zeros(128, dtype=np.uint64)
    for point in range(128):
        lower = point + 32 if 65 <= point <= 90 else point
        if 48 <= lower <= 57 or 97 <= lower <= 122:
            ascii_letters[point] = mix(np.uint64(lower))
    text = np.empty(18 * longest + 8, dtype=np.uint64)  # one character of 3 bytes may stand for 18 letters
    hashes = np.empty(18 * longest + 8, dtype=np.uint64)
    values, whose = np.empty(total + 8, dtype=np.uint64), np.empty(total + 8, dtype=np.int64)
    base, power = np.uint64(0x9E3779B97F4A7C15), np.uint64(1)
    for _ in range(_GRAM):
        power *= base
    nothing = np.uint64(0xFFFFFFFFFFFFFFFF)
    found = 0
    for s in range(len(starts)):
        n = _normalise(data, starts[s], ends[s], index, pool, ascii_letters, text)
        if n < _GRAM:
            continue
        rolling = np.uint64(0)
        alike = 0  # how many characters in a row equal one of the four before
        for i in range(n):
            rolling = rolling * base + text[i]
            if i >= _GRAM:
                rolling -= power * text[i - _GRAM]
            same = i >= 4 and (text[i] == text[i - 1] or text[i] == text[i - 2] or text[i] == text[i - 3] or text[i] == text[i - 4])
            alike = alike + 1 if same else 0
            if i >= _GRAM - 1:
                hashes[i - _GRAM + 1] = nothing if alike >= _GRAM - 4 else mix(rolling)
        grams = n - _GRAM + 1
        smallest = last = -1
        for i in range(grams):
            if smallest <= i - _WINDOW or smallest < 0:
                smallest = max(0, i - _WINDOW + 1)
                for j in range(smallest + 1, i + 1):
                    if hashes[j] <= hashes[smallest]:
                        smallest = j
            elif hashes[i] <= hashes[smallest]:
                smallest = i
            if (i >= _WINDOW - 1 or i == grams - 1) and smallest != last:
                last = smallest
                if hashes[smallest] != nothing and found < len(values):
                    values[found] = mix(~hashes[smallest])  # mixed anew: winnowing favours small hashes, sampling must not
                    whose[found] = owners[s]
                    found += 1
    return values[:found], whose[:found]
