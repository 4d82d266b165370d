"""How far the names reach that begin at a given place: each answers where its name ends, -1 where there is none."""

from typing import Final

import numpy as np
from numba import njit

from ingest.fingerprint.atoms import is_iban_head
from ingest.fingerprint.characters import CLASS, DASHED, DIGIT, END, HEX, SEGMENT, WORD
from ingest.fingerprint.hashing import Array

# Endings that make two words with a dot a host. Those that also end file names or attributes (md, py, sh, id, name, info) do not;
# the weak ones are believed from three words on (db.corp.local, x.vercel.app).
_TLD: Final = (
    "com|org|net|edu|gov|mil|io|ai|co|uk|ru|cn|de|fr|nl|eu|jp|br|ch|kr|dev|xyz|site|online|top|club"
    "|onion|example|invalid|internal"
)
_WEAK_TLD: Final = (
    "app|cloud|local|lan|corp|home|test|tech|store|shop|space|website|link|live|me|tv|cc|us|ca|au|nz|in|at|be|it|es|pl|se|no|fi|dk|cz|pt|gr|ie"
    "|il|za|mx|ar|tr|ua|hk|sg|tw|th|vn|ph|biz|pro|page|run|host|press|icu|intranet|private"
)
_ENDINGS: Final = np.array(sorted(int.from_bytes(word.encode()) for word in f"{_TLD}|{_WEAK_TLD}".split("|")), dtype=np.uint64)
_STRONG: Final = np.isin(_ENDINGS, [int.from_bytes(word.encode()) for word in _TLD.split("|")])
_MOST_LABELS: Final = 8
_LONGEST_LOCAL: Final = 64  # RFC 5321, 4.5.3.1.1
_SECRET: Final = np.frombuffer(b"[secret:", dtype=np.uint8)
_DIGEST_HEX: Final = 16


@njit(cache=True, nogil=True)
def _run(data: Array, i: int, end: int, flag: int) -> int:
    """Where the bytes of one class end that begin at `i`."""
    while i < end and CLASS[data[i]] & flag:
        i += 1
    return i


@njit(cache=True, nogil=True)
def _ends_word(data: Array, i: int, end: int) -> bool:
    return i >= end or not CLASS[data[i]] & WORD


@njit(cache=True, nogil=True)
def scheme(data: Array, i: int, colon: int, end: int) -> int:
    """Where the scheme of a URL ends, with its "://" ahead at `colon`."""
    if not 2 <= colon - i <= 16 or colon + 3 >= end or data[colon + 1] != 47 or data[colon + 2] != 47:
        return -1
    for j in range(i, colon):
        if data[j] == 95 or data[j] == 37:  # _ %
            return -1
    return colon + 3 if 65 <= data[i] & 0xDF <= 90 and not CLASS[data[colon + 3]] & END else -1


@njit(cache=True, nogil=True)
def email(data: Array, i: int, sign: int, end: int) -> int:
    """The end of an address whose "@" stands at `sign`."""
    if sign - i > _LONGEST_LOCAL or data[i] == 95:
        return -1
    best, j = -1, sign + 1
    for labels in range(_MOST_LABELS + 1):
        if not CLASS[data[j] if j < end else 0] & DASHED:
            break
        stop = j
        while stop < end and CLASS[data[stop]] & DASHED and data[stop] != 95:
            stop += 1
        if labels and 2 <= stop - j <= 24 and (data[stop - 1] != 45 and _ends_word(data, stop, end)):
            best = stop
        stop = _run(data, stop, end, DASHED)
        if stop >= end or data[stop] != 46 or data[j] == 45:
            break
        j = stop + 1
    return best


@njit(cache=True, nogil=True)
def host(data: Array, i: int, end: int) -> int:
    """Words with dots, up to the last that is a known ending."""
    best, j = -1, i
    for labels in range(_MOST_LABELS + 1):
        stop = _run(data, j, end, WORD)
        if stop == j:
            break
        if labels and stop - j <= 8:
            packed = np.uint64(0)
            for k in range(j, stop):
                packed = packed << np.uint64(8) | np.uint64(data[k] | 32)
            place = np.searchsorted(_ENDINGS, packed)
            if place < len(_ENDINGS) and _ENDINGS[place] == packed and (_STRONG[place] or labels >= 2):
                best = stop
        stop = _run(data, stop, end, DASHED)
        if stop >= end or data[stop] != 46:
            break
        j = stop + 1
    return best


@njit(cache=True, nogil=True)
def ipv4(data: Array, i: int, end: int) -> int:
    """Four numbers below 256."""
    for part in range(4):
        stop = _run(data, i, min(end, i + 3), DIGIT)
        number = 0
        for j in range(i, stop):
            number = 10 * number + data[j] - 48
        if stop == i or number > 255 or (part < 3 and (stop >= end or data[stop] != 46)):
            return -1
        i = stop + (part < 3)
    return i if _ends_word(data, i, end) else -1


@njit(cache=True, nogil=True)
def ipv6(data: Array, i: int, end: int, groups: Array) -> int:
    """Groups of hex digits with colons, one gap at most; written to `groups`, all eight."""
    best, gap, best_gap, count, best_count, numbered = -1, -1, -1, 0, 0, False
    for colons in range(_MOST_LABELS):
        stop, number = i, 0
        while stop < end and stop < i + 4 and HEX[data[stop]] >= 0:
            number = number << 4 | int(HEX[data[stop]])
            numbered = numbered or CLASS[data[stop]] & DIGIT != 0
            stop += 1
        if stop > i:
            groups[count] = number
            count += 1
            if colons >= 2 and _ends_word(data, stop, end):
                best, best_gap, best_count = stop, gap, count
        elif colons:
            if gap >= 0:
                break
            gap = count
        if stop >= end or data[stop] != 58:
            break
        i = stop + 1
    if best < 0 or not numbered or (best_count != 8 if best_gap < 0 else best_count > 7):
        return -1
    if best_gap >= 0:
        moved = best_count - best_gap
        for k in range(moved):
            groups[7 - k] = groups[best_count - 1 - k]
        groups[best_gap : 8 - moved] = 0
    return best


@njit(cache=True, nogil=True)
def phone(data: Array, plus: int, end: int) -> int:
    """A number with its country's code, of 8 to 15 digits (ITU E.164)."""
    best, digits = -1, 0
    for i in range(plus + 1, min(end, plus + 26)):
        byte = data[i]
        if CLASS[byte] & DIGIT:
            digits += 1
            if i >= plus + 8 and _ends_word(data, i + 1, end):
                best = i + 1 if 8 <= digits <= 15 else -1
        elif i == plus + 1 or (byte != 32 and byte != 40 and byte != 41 and byte != 45 and byte != 46):  # blank ( ) - .
            break
    return best


@njit(cache=True, nogil=True)
def spaced_iban(data: Array, i: int, end: int) -> int:
    """An account number in groups of four whose check digits are right (ISO 13616)."""
    if i + 19 > end or not is_iban_head(data, i):
        return -1
    stop, groups = i + 4, 0
    while groups < 8 and stop + 1 < end and data[stop] == 32:
        size = 0
        while size < 5 and stop + 1 + size < end and (CLASS[data[stop + 1 + size]] & DIGIT or 65 <= data[stop + 1 + size] <= 90):
            size += 1
        if size == 0 or size == 5 or (size < 4 and groups < 3) or not _ends_word(data, stop + 1 + size, end):
            break
        stop += 1 + size
        groups += 1
        if size < 4:
            break
    if groups < 3:
        return -1
    rest = 0
    for half in range(2):
        for j in range(i + 4 if half == 0 else i, stop if half == 0 else i + 4):
            if data[j] != 32:
                rest = (rest * 10 + data[j] - 48 if data[j] < 65 else rest * 100 + data[j] - 55) % 97
    return stop if rest == 1 else -1


@njit(cache=True, nogil=True)
def path(data: Array, i: int, end: int, least: int) -> int:
    """At least so many times a slash and a name."""
    segments = 0
    while i + 1 < end and data[i] == 47 and CLASS[data[i + 1]] & SEGMENT:
        i = _run(data, i + 1, end, SEGMENT)
        segments += 1
    return i if segments >= least else -1


@njit(cache=True, nogil=True)
def handle(data: Array, sign: int, end: int) -> int:
    """#channel, @person: where it ends, without the dots and dashes behind it."""
    tag = data[sign] == 35
    i, last = sign + 1, min(end, sign + (81 if tag else 40))
    if i >= end or (not 97 <= data[i] <= 122 if tag else not CLASS[data[i]] & WORD or data[i] == 95):
        return -1
    while i < last and (CLASS[data[i]] & DASHED or (data[i] == 46 and not tag)) and not (tag and 65 <= data[i] <= 90):
        i += 1
    if i < sign + 4:
        return -1
    while data[i - 1] == 46 or data[i - 1] == 45 or data[i - 1] == 95:
        i -= 1
    return i


@njit(cache=True, nogil=True)
def mask(data: Array, i: int, end: int) -> int:
    """[secret:kind:0123456789abcdef]."""
    if i + len(_SECRET) > end:
        return -1
    for k in range(len(_SECRET)):
        if data[i + k] != _SECRET[k]:
            return -1
    i += len(_SECRET)
    first = i
    while i < end and i < first + 25 and (97 <= data[i] <= 122 or data[i] == 45 or CLASS[data[i]] & DIGIT):
        i += 1
    if not 2 <= i - first <= 24 or i + _DIGEST_HEX + 1 >= end or data[i] != 58 or data[i + _DIGEST_HEX + 1] != 93:
        return -1
    for k in range(i + 1, i + 1 + _DIGEST_HEX):
        if HEX[data[k]] < 0 or 65 <= data[k] <= 70:
            return -1
    return i + _DIGEST_HEX + 2
