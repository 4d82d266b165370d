"""Encodings undone: where base64, hex and percent-encoding stand in a text, and what reads as text once they are taken off."""

from typing import Final

import numpy as np
from numba import njit

from ingest.fingerprint.characters import CLASS, END, HEX, IN_TEXT, PRINTABLE, SEXTET
from ingest.fingerprint.hashing import U64, Array

_LONG_LINE: Final = 60  # MIME wraps at 76 characters, PEM at 64
_TOKEN_BEFORE: Final = 64  # how far before its first percent code a token is read
_TOKEN_AFTER: Final = 9  # how many characters stand behind that code at least
_SHORTEST_HEX: Final = 48
_READABLE: Final = 20  # so many characters in a row; random bytes practically never have them


@njit(cache=True, nogil=True)
def encoded_runs(data: Array, starts: Array, ends: Array, shortest: int) -> tuple[Array, Array, Array]:
    """Runs of at least so many characters of base64 or hex, wrapped lines as one: where they start and end, and in which segment."""
    most = 0
    for s in range(len(starts)):
        most += (ends[s] - starts[s]) // shortest
    run_starts, run_ends, segments = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    found = 0
    for s in range(len(starts)):
        i, end = starts[s], ends[s]
        while i + shortest <= end:
            short = U64(0)  # looked at backwards: most runs are short, and most of their characters need no look
            for place in range(U64(shortest)):
                if SEXTET[data[U64(i + shortest - 1) - place]] < 0:
                    short = U64(shortest) - place
                    break
            if short:
                i += np.int64(short)
                continue
            line, j = i, i + shortest
            while j < end:
                if SEXTET[data[j]] >= 0:
                    j += 1
                    continue
                after = j + 2 if data[j] == 13 and j + 1 < end and data[j + 1] == 10 else j + 1
                if j - line < _LONG_LINE or data[after - 1] != 10 or after >= end or SEXTET[data[after]] < 0:
                    break
                line = j = after
            run_starts[found], run_ends[found], segments[found] = i, j, s
            found += 1
            i = j + 1
    return run_starts[:found], run_ends[:found], segments[:found]


@njit(cache=True, nogil=True)
def decode(data: Array, run_starts: Array, run_ends: Array) -> tuple[Array, Array, Array, Array]:
    """The readable texts in runs: base64 at every alignment (words may run into it), hex at both.

    One buffer, where each text starts and ends in it, and its run.
    """
    total = longest = 0
    for r in range(len(run_starts)):
        total += run_ends[r] - run_starts[r]
        longest = max(longest, run_ends[r] - run_starts[r])
    out = np.empty(4 * total, np.uint8)  # four alignments of 3/4, two of 1/2
    most = 4 * total // _READABLE
    starts, ends, runs = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    codes, plain = np.empty(longest + 4, np.uint8), np.empty(longest + 4, np.uint8)
    found = o = 0
    for r in range(len(run_starts)):
        before, sextets, hexes = found, 0, 0
        for i in range(run_starts[r], run_ends[r]):
            code = SEXTET[data[i]]
            if code >= 0:
                codes[sextets] = code
                sextets += 1
            hexes += HEX[data[i]] >= 0 or data[i] == 45
        if hexes < sextets:  # a number in hex, or a UUID, is no base64
            for shift in range(4):
                if _may_read(codes, shift, sextets):
                    size = _join_sextets(codes, shift, sextets, plain)
                    found, o = _keep_readable(plain, size, out, o, starts, ends, found)
        if hexes >= _SHORTEST_HEX:
            i = run_starts[r]
            while i < run_ends[r]:
                j = i
                while j < run_ends[r] and HEX[data[j]] >= 0:
                    j += 1
                for shift in range(2 if j - i >= _SHORTEST_HEX else 0):
                    size = (j - i - shift) // 2
                    for k in range(size):
                        plain[k] = HEX[data[i + shift + 2 * k]] << 4 | HEX[data[i + shift + 2 * k + 1]]
                    found, o = _keep_readable(plain, size, out, o, starts, ends, found)
                i = j + 1
        runs[before:found] = r
    return out[:o], starts[:found], ends[:found], runs[:found]


@njit(cache=True, nogil=True, inline="always")
def _may_read(codes: Array, shift: int, end: int) -> bool:
    """Whether so many bytes in a row could be of text: of most runs, which are ids, few bytes have to be made to see that none are."""
    whole, rest = divmod(end - shift, 4)
    size = 3 * whole + max(rest - 1, 0)
    last = _READABLE - 1
    while last < size:
        j = last
        while j > last - _READABLE:
            i, part = shift + j // 3 * 4, j % 3
            byte = codes[i + part] << 2 * part + 2 & 255 | codes[i + part + 1] >> 4 - 2 * part
            if not IN_TEXT[byte]:
                break
            j -= 1
        if j == last - _READABLE:
            return True
        last = j + _READABLE
    return False


@njit(cache=True, nogil=True)
def _join_sextets(codes: Array, shift: int, end: int, plain: Array) -> int:
    """Base64 without padding, from `shift` on, as bytes; how many."""
    size = 0
    for i in range(shift, end - 1, 4):
        word = np.int64(codes[i]) << 18 | np.int64(codes[i + 1]) << 12
        word |= (np.int64(codes[i + 2]) << 6 if i + 2 < end else 0) | (np.int64(codes[i + 3]) if i + 3 < end else 0)
        plain[size], plain[size + 1], plain[size + 2] = word >> 16, word >> 8 & 255, word & 255
        size += min(end - i, 4) - 1
    return size


@njit(cache=True, nogil=True)
def _keep_readable(plain: Array, size: int, out: Array, o: int, starts: Array, ends: Array, found: int) -> tuple[int, int]:
    """Stretches that read as UTF-8, or as ASCII in UTF-16, copied without their NULs."""
    i = 0
    while i < size:
        first, characters = o, 0
        while i < size:
            step = _character(plain, i, size)
            if step == 0:
                break
            for j in range(i, i + step):
                out[o] = plain[j]
                o += plain[j] != 0
            i += step
            characters += 1
        if characters >= _READABLE:
            starts[found], ends[found] = first, o
            found += 1
        else:
            o = first
        i += 1
    return found, o


@njit(cache=True, nogil=True)
def _character(plain: Array, i: int, size: int) -> int:
    """How many bytes the readable character at `i` has; 0 where none is."""
    byte = plain[i]
    zero = byte == 0 and i + 1 < size
    if PRINTABLE[plain[i + 1] if zero else byte]:
        step = 2 if zero else 1
        return step + 1 if i + step < size and plain[i + step] == 0 else step
    more = 1 if 0xC2 <= byte < 0xE0 else 2 if 0xE0 <= byte < 0xF0 else 3 if 0xF0 <= byte < 0xF5 else 0
    if more == 0 or i + more >= size:
        return 0
    for j in range(i + 1, i + more + 1):
        if plain[j] & 0xC0 != 0x80:
            return 0
    return more + 1


@njit(cache=True, nogil=True)
def unquote(data: Array, signs: Array, starts: Array, ends: Array) -> tuple[Array, Array, Array, Array]:
    """Tokens with percent codes, given where the percent signs are, decoded: one buffer, where each starts and ends, and its segment."""
    out = np.empty(len(data) if len(signs) else 0, np.uint8)
    token_starts, token_ends, segments = np.empty(len(signs), np.int64), np.empty(len(signs), np.int64), np.empty(len(signs), np.int64)
    found = o = s = done = 0
    for sign in signs:
        while s < len(starts) and sign >= ends[s]:
            s += 1
        if s == len(starts):
            break
        if sign < max(done, starts[s]) or sign + 3 > ends[s] or HEX[data[sign + 1]] < 0 or HEX[data[sign + 2]] < 0:
            continue
        i = end = sign
        while i > max(done, starts[s], sign - _TOKEN_BEFORE) and not CLASS[data[i - 1]] & END:
            i -= 1
        while end < ends[s] and not CLASS[data[end]] & END:
            end += 1
        if end - sign - 3 < _TOKEN_AFTER:
            continue
        token_starts[found], done = o, end
        while i < end:
            coded = data[i] == 37 and i + 3 <= end and HEX[data[i + 1]] >= 0 and HEX[data[i + 2]] >= 0
            out[o] = HEX[data[i + 1]] << 4 | HEX[data[i + 2]] if coded else 32 if data[i] == 43 else data[i]
            i += 3 if coded else 1
            o += 1
        token_ends[found], segments[found] = o, s
        found += 1
    return out[:o], token_starts[:found], token_ends[:found], segments[:found]
