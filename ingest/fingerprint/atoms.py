"""Names as atoms: each written as it counts (in lower case, without its scheme), then hashed under the key."""

from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from ingest.fingerprint.characters import CLASS, DIGIT, HEX
from ingest.fingerprint.hashing import U64, Array, siphash


class Kind(IntEnum):
    """What an atom names: its low four bits."""

    EMAIL = 1
    URL = 2
    HOST = 3
    ACCOUNT = 4
    PATH = 5
    SECRET = 6
    TOKEN = 7
    PHONE = 8
    HANDLE = 9


class Source(NamedTuple):
    """What atoms are made from: text, the key, the atoms of hosts whose paths begin with an owner and a repository; and room to write in,
    of bytes and of an address's eight groups.
    """

    data: Array
    key: Array
    code_hosts: Array
    room: Array
    groups: Array


CODE_HOSTS: Final = ("github.com", "gitlab.com", "bitbucket.org", "raw.githubusercontent.com", "codeberg.org")
_ACCOUNT_DIGITS: Final = (10, 19)
_ADDRESS_DIGITS: Final = 42  # 0x and 160 bits: Ethereum
_IBAN_SIZES: Final = (15, 34)  # ISO 13616
_TOKEN_SIZE: Final = 12
_HEX_TOKEN_SIZE: Final = 16


def atom_of(kind: Kind, value: bytes, key: Array) -> int:
    """64 bits: a hash of the value and its kind, and in the low four the kind."""
    return int(siphash(np.frombuffer(value + bytes([kind]), dtype=np.uint8), len(value) + 1, key)) & ~15 | kind


@njit(cache=True, nogil=True)
def put(source: Source, start: int, lower: int, end: int, kind: int, out: Array, n: int) -> int:
    """One atom more in `out`, of data[start:end], in lower case up to `lower`; of nothing none."""
    for i in range(start, end):
        byte = source.data[i]
        source.room[i - start] = byte | 32 if 65 <= byte <= 90 and i < lower else byte
    return put_room(source.room, source.key, end - start, kind, out, n) if start < end else n


@njit(cache=True, nogil=True)
def put_room(room: Array, key: Array, size: int, kind: int, out: Array, n: int) -> int:
    """One atom more, of the first `size` bytes of `room`, which has place for one more."""
    room[size] = kind
    out[n] = siphash(room, size + 1, key) & ~U64(15) | U64(kind)
    return n + 1


@njit(cache=True, nogil=True)
def put_without(source: Source, start: int, end: int, prefix: int, kind: int, out: Array, n: int) -> int:
    """An atom of the letters and digits alone, behind a prefix (0 for none)."""
    size = 0
    if prefix:
        source.room[0] = prefix
        size = 1
    for i in range(start, end):
        if HEX[source.data[i]] >= 0 or 65 <= source.data[i] & 0xDF <= 90:
            source.room[size] = source.data[i]
            size += 1
    return put_room(source.room, source.key, size, kind, out, n)


@njit(cache=True, nogil=True)
def put_url(source: Source, start: int, end: int, out: Array, n: int, parts: Array) -> int:
    """A URL without its scheme: itself, its host, the repository it names. `parts` gets the bounds of what may hold further names:
    who logs in, and path with query.
    """
    data = source.data
    parts[3] = 0
    while end > start and (data[end - 1] in (46, 58, 33, 63, 38, 35, 61, 47)):  # .:!?&#=/
        end -= 1
    slash = start
    while slash < end and data[slash] != 47:
        slash += 1
    address = slash
    while address > start and data[address - 1] != 64:
        address -= 1
    login = address
    if slash - address >= 4 and is_www(data, address) and data[address + 3] == 46:
        address += 4
    if address == slash:
        return put(source, slash, slash, end, Kind.PATH, out, n) if slash + 1 < end else n  # file:///...
    n = put(source, address, slash, end, Kind.URL, out, n)
    host = address
    while host < slash and data[host] != 63 and data[host] != 35 and data[host] != 58:  # ? # :
        host += 1
    n = put(source, address, host, host, Kind.HOST, out, n)
    parts[0], parts[1], parts[2], parts[3] = start, login, min(slash + 1, end), end
    if slash < end and host == slash and (source.code_hosts == out[n - 1]).any():
        second = slash + 1
        while second < end and data[second] != 47 and data[second] != 63:
            second += 1
        if second < end and data[second] == 47:
            last = second + 1
            while last < end and data[last] != 47 and data[last] != 63:
                last += 1
            if last - second > 4 and _is_git(data, last - 4):
                last -= 4
            n = put(source, slash + 1, last, last, Kind.HANDLE, out, n)
    return n


@njit(cache=True, nogil=True)
def is_www(data: Array, i: int) -> bool:
    """Three times the letter."""
    return bool(data[i] | 32 == 119 and data[i + 1] | 32 == 119 and data[i + 2] | 32 == 119)


@njit(cache=True, nogil=True)
def _is_git(data: Array, i: int) -> bool:
    return bool(data[i] == 46 and data[i + 1] | 32 == 103 and data[i + 2] | 32 == 105 and data[i + 3] | 32 == 116)


@njit(cache=True, nogil=True)
def put_word(source: Source, start: int, end: int, digits: int, out: Array, n: int) -> int:
    """Letters, digits, "-" and "_": an account, a token, or (a date, a word with a number) nothing."""
    data, size = source.data, end - start
    if _is_date(data, start, end):
        return n
    if digits == size:
        return put(source, start, start, end, Kind.ACCOUNT, out, n) if _ACCOUNT_DIGITS[0] <= size <= _ACCOUNT_DIGITS[1] else n
    hexes = dashes = bars = 0
    iban = _IBAN_SIZES[0] <= size <= _IBAN_SIZES[1] and digits >= 8 and is_iban_head(data, start)
    for i in range(start, end):
        byte = data[i]
        hexes += HEX[byte] >= 0
        dashes += byte == 45
        bars += byte == 95
        iban = iban and (CLASS[byte] & DIGIT != 0 or 65 <= byte <= 90)
    if size == _ADDRESS_DIGITS and data[start] == 48 and data[start + 1] | 32 == 120 and hexes == size - 1:
        return put(source, start, end, end, Kind.ACCOUNT, out, n)
    if iban:
        return put(source, start, start, end, Kind.ACCOUNT, out, n)
    if size >= _HEX_TOKEN_SIZE and hexes + dashes == size:
        return put(source, start, end, end, Kind.TOKEN, out, n)
    if size >= _TOKEN_SIZE and digits >= 3 and size - digits - dashes - bars >= 2:
        return put(source, start, start, end, Kind.TOKEN, out, n)
    return n


@njit(cache=True, nogil=True)
def is_iban_head(data: Array, start: int) -> bool:
    """Two capitals and two digits."""
    capitals = 65 <= data[start] <= 90 and 65 <= data[start + 1] <= 90
    return bool(capitals and CLASS[data[start + 2]] & CLASS[data[start + 3]] & DIGIT)


@njit(cache=True, nogil=True)
def _is_date(data: Array, start: int, end: int) -> bool:
    """20260131, 2026-01-31T10, 20260131235959 and so on; seconds, milliseconds... since 1970."""
    size = end - start
    digits = 0
    while digits < size and CLASS[data[start + digits]] & DIGIT:
        digits += 1
    first, second = data[start] - 48, data[start + 1] - 48
    if digits == size and ((first == 1 and size in (10, 13, 16, 19)) or (first == 2 and second == 0 and size in (12, 14, 17))):
        return True
    if digits < 4 or not ((first == 1 and second == 9) or (first == 2 and second == 0)):
        return False
    i = start + 4
    for most in (49, 51):  # a month begins with 0 or 1, a day with 0 to 3
        if i < end and data[i] == 45:
            i += 1
        if i + 2 > end or not 48 <= data[i] <= most or not CLASS[data[i + 1]] & DIGIT:
            return False
        i += 2
    return i == end or bool(data[i] == 84 or data[i] == 95 or data[i] == 45)  # T _ -


@njit(cache=True, nogil=True)
def put_ipv6(source: Source, out: Array, n: int) -> int:
    """The address whose groups were read last, as RFC 5952 writes it."""
    groups = source.groups
    best = size = 0
    first = -1
    for i in range(8):
        j = i
        while j < 8 and groups[j] == 0:
            j += 1
        if j - i > max(best, 1):
            first, best = i, j - i
    i = 0
    while i < 8:
        if i == first:
            source.room[size] = source.room[size + 1] = 58
            size += 2
            i += best
            continue
        if i and i != first + best:
            source.room[size] = 58
            size += 1
        started = False
        for shift in (12, 8, 4, 0):
            digit = groups[i] >> shift & 15
            started = started or digit > 0 or shift == 0
            if started:
                source.room[size] = digit + (48 if digit < 10 else 87)
                size += 1
        i += 1
    return put_room(source.room, source.key, size, Kind.HOST, out, n)
