"""Winnowed hashes of normalised text (Schleimer, Wilkerson, Aiken 2003)."""

import unicodedata
from functools import cache
from typing import Final

import numpy as np
from numba import njit

from ingest.fingerprint.hashing import U64, Array, siphash_words
from ingest.fingerprint.segments import Segments

# Nothing shorter than k matches, everything of k + w - 1 = 48 does; density 2 / (w + 1).
_GRAM: Final = 24
_WINDOW: Final = 25
_BLOCK: Final = 1024  # letters at a time, so that they stay in the cache
_ALIKE: Final = _GRAM - 4  # a gram says nothing where so many letters in a row equal one of the four before
_NOTHING: Final = U64(0xFFFFFFFFFFFFFFFF)
_FOREIGN: Final = _NOTHING  # stands for a byte that is not ASCII
_LAST_LETTER = 0x33480  # no letter or digit lies beyond (Unicode 17); variation selectors and tags do
_MOST_LETTERS: Final = 18  # that one character stands for (U+FDFA)


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
def _mix(x: np.uint64) -> np.uint64:
    """The finaliser of splitmix64 (Steele, Lea, Flood 2014)."""
    h = x + U64(0x9E3779B97F4A7C15)
    h = (h ^ (h >> U64(30))) * U64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> U64(27))) * U64(0x94D049BB133111EB)
    return h ^ (h >> U64(31))


@njit(cache=True, nogil=True)
def _normalise(
    data: Array, i: int, end: int, ascii_letters: Array, index: Array, pool: Array, salt: np.uint64, out: Array, n: int,
) -> tuple[int, int]:
    """Letters and digits from `i` on, each mixed to 64 bits, behind the `n` that are there already, while there is room."""
    most = len(out) - _MOST_LETTERS
    while i < end and n < most:
        stop, size = min(end, i + most - n), U64(n)
        for place in range(U64(i), U64(stop)):  # unsigned: numba need not ask whether an index counts from the end
            letter = ascii_letters[data[place]]
            if letter == _FOREIGN:
                stop = int(np.int64(place))
                break
            out[size] = letter
            size += U64(letter != 0)
        i, n = stop, int(np.int64(size))
        if i == end or data[i] < 128:
            continue
        byte = data[i]
        i += 1
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
                out[n] = _mix(pool[j] ^ salt)
                n += 1
    return i, n


@njit(cache=True, nogil=True, inline="always")
def _turned(word: np.uint64, bits: np.uint64) -> np.uint64:
    return word << bits | word >> U64(64) - bits


@njit(cache=True, nogil=True)
def _hash_grams(text: Array, n: int, halves: Array, hashes: Array) -> None:
    """The hash of each gram by cyclic polynomials (Cohen 1997); of one that says nothing, the largest number.

    Not rolled on from one gram to the next, which waits for the one before, but doubled: of 2, 4, 8 letters, then of 8 + 8 + 8.
    """
    for i in range(U64(n - 1)):
        halves[i] = _turned(text[i], U64(1)) ^ text[i + U64(1)]
    for i in range(U64(n - 3)):
        halves[i] = _turned(halves[i], U64(2)) ^ halves[i + U64(2)]
    for i in range(U64(n - 7)):
        halves[i] = _turned(halves[i], U64(4)) ^ halves[i + U64(4)]
    for i in range(U64(n - _GRAM + 1)):
        hashes[i] = _turned(halves[i], U64(16)) ^ _turned(halves[i + U64(8)], U64(8)) ^ halves[i + U64(16)]
    i = 16  # every run of 20 holds a multiple of 16
    while i < n:
        first = last = i
        while first >= 4 and _is_alike(text, first):
            first -= 1
        while last < n and _is_alike(text, last):
            last += 1
        for j in range(first + _ALIKE, last):
            hashes[j - _GRAM + 1] = _NOTHING
        i = max(i + 16, last & ~15)


@njit(cache=True, nogil=True, inline="always")
def _is_alike(text: Array, i: int) -> bool:
    return bool((text[i] == text[i - 1]) | (text[i] == text[i - 2]) | (text[i] == text[i - 3]) | (text[i] == text[i - 4]))


@njit(cache=True, nogil=True)
def _smallest(hashes: Array, grams: int, out: Array, found: int) -> int:
    """The smallest hash of each window, once where neighbours share it."""
    for step in (1, 2, 4, 8, _WINDOW - 16):  # the smallest of 2, 4, 8, 16, 25
        grams -= step
        for i in range(U64(grams)):
            hashes[i] = min(hashes[i], hashes[i + U64(step)])
    before, size = _NOTHING, U64(found)
    for i in range(grams):
        value = hashes[i]
        out[size] = value
        size += U64((value != before) & (value != _NOTHING))
        before = value
    return int(np.int64(size))


def wording_of(segments: Segments, key: Array) -> tuple[Array, Array]:
    """Shingles, and the text that each belongs to."""
    values, owners = _winnow(segments.data, segments.starts, segments.ends, segments.owners, *_letters(), key)
    siphash_words(values, key)  # hashed anew: winnowing favours small hashes, sampling must not
    return values, owners


@njit(cache=True, nogil=True)
def _winnow(data: Array, starts: Array, ends: Array, owners: Array, index: Array, pool: Array, key: Array) -> tuple[Array, Array]:
    """The smallest gram hash of every window of every segment, and whose it is."""
    ascii_letters = np.full(256, _FOREIGN)
    ascii_letters[:128] = 0
    for point in range(128):
        lower = point + 32 if 65 <= point <= 90 else point
        if 48 <= lower <= 57 or 97 <= lower <= 122:
            ascii_letters[point] = _mix(U64(lower) ^ key[0])
    text, halves, hashes = np.empty(_BLOCK, dtype=np.uint64), np.empty(_BLOCK, dtype=np.uint64), np.empty(_BLOCK, dtype=np.uint64)
    values, whose = np.empty(16 * _BLOCK, dtype=np.uint64), np.empty(16 * _BLOCK, dtype=np.int64)
    found = 0
    for s in range(len(starts)):
        i, n = _normalise(data, starts[s], ends[s], ascii_letters, index, pool, key[0], text, 0)
        while n >= _GRAM:
            if found + _BLOCK > len(values):
                values, whose = np.concatenate((values, np.empty_like(values))), np.concatenate((whose, np.empty_like(whose)))
            _hash_grams(text, n, halves, hashes)
            grams = n - _GRAM + 1
            for j in range(grams, _WINDOW):  # a short text is one window
                hashes[j] = _NOTHING
            before = found
            found = _smallest(hashes, max(grams, _WINDOW), values, found)
            whose[before:found] = owners[s]
            if i >= ends[s]:
                break
            kept = _GRAM + _WINDOW - 2
            text[:kept] = text[n - kept : n]
            i, n = _normalise(data, i, ends[s], ascii_letters, index, pool, key[0], text, kept)
    return values[:found], whose[:found]
