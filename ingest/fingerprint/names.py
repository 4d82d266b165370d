"""Hashed names in text: found from the characters that names have and most words have not, back to where the word begins."""

from functools import lru_cache
from typing import Final

import numpy as np
from numba import njit

from ingest.fingerprint.atoms import CODE_HOSTS, Kind, Source, atom_of, is_www, put, put_ipv6, put_room, put_url, put_without, put_word
from ingest.fingerprint.characters import CLASS, DASHED, DIGIT, END, GOES_ON, HOT, LOCAL, WORD
from ingest.fingerprint.escapes import windows_path
from ingest.fingerprint.hashing import U64, Array
from ingest.fingerprint.segments import Segments
from ingest.fingerprint.shapes import email, handle, host, ipv4, ipv6, mask, path, phone, scheme, spaced_iban

_NESTED: Final = 2  # how deep URLs are read inside URLs
_AT_ONCE: Final = 3  # so many atoms one name has at most
_SHORTEST_WORD: Final = 10
_GROUPS: Final = 8


def names_in(segments: Segments, key: Array) -> tuple[Array, Array]:
    """The atoms of all segments, and whose they are."""
    longest = int(max((segments.raw_ends - segments.raw_starts).max(initial=0), 64))
    room = np.empty(longest + 1, dtype=np.uint8)
    source = Source(segments.data, key, _code_hosts(key.tobytes()), room, np.zeros(_GROUPS, dtype=np.int64))
    values, owners = _find(source, segments.starts, segments.ends, segments.owners)
    if len(segments.drives):
        more, whose = _find_windows(segments.raw, segments.drives, segments.raw_starts, segments.raw_ends, segments.owners, room, key)
        values, owners = np.concatenate((values, more)), np.concatenate((owners, whose))
    return values, owners


@lru_cache(maxsize=8)
def _code_hosts(key: bytes) -> Array:
    return np.array([atom_of(Kind.HOST, name.encode(), np.frombuffer(key, dtype=np.uint64)) for name in CODE_HOSTS], dtype=np.uint64)


@njit(cache=True, nogil=True)
def _find(source: Source, starts: Array, ends: Array, owners: Array) -> tuple[Array, Array]:
    data = source.data
    out, whose = np.empty(256, dtype=np.uint64), np.empty(256, dtype=np.int64)
    ahead, parts = np.empty((3 * _NESTED + 1, 3), dtype=np.int64), np.zeros(4, dtype=np.int64)
    n = 0
    for s in range(len(starts)):
        ahead[0, 0], ahead[0, 1], ahead[0, 2] = starts[s], ends[s], 0
        left = 1
        while left:
            left -= 1
            begin, end, depth = ahead[left]
            i = local = begin
            while i < end:
                hot = end
                for place in range(U64(i), U64(end)):  # unsigned: numba need not ask whether an index counts from the end
                    if CLASS[data[place]] & HOT and (place + U64(1) == U64(end) or GOES_ON[data[place], data[place + U64(1)]]):
                        hot = np.int64(place)
                        break
                if hot == end:
                    break
                word = hot
                while word > i and CLASS[data[word - 1]] & LOCAL:
                    word -= 1
                if local <= hot:
                    local = hot
                    while local < end and CLASS[data[local]] & LOCAL:
                        local += 1
                    if hot < local < word + _SHORTEST_WORD and _is_number(data, word, local, end):
                        i = local
                        continue
                i = word
                while i <= hot:
                    if n + _AT_ONCE > len(out):
                        out, whose = np.concatenate((out, np.empty_like(out))), np.concatenate((whose, np.empty_like(whose)))
                    before = n
                    i, n = _read(source, begin, i, local, end, out, n, parts)
                    if n == before:
                        continue
                    whose[before:n] = owners[s]
                    if parts[3] > 0 and depth < _NESTED:
                        ahead[left, 0], ahead[left, 1], ahead[left, 2] = i, end, depth
                        ahead[left + 1, 0], ahead[left + 1, 1], ahead[left + 1, 2] = parts[0], parts[1], depth + 1
                        ahead[left + 2, 0], ahead[left + 2, 1], ahead[left + 2, 2] = parts[2], parts[3], depth + 1
                        left += 3
                        i = end
                    parts[3] = 0
    return out[:n], whose[:n]


@njit(cache=True, nogil=True, inline="always")
def _is_number(data: Array, start: int, stop: int, end: int) -> bool:
    """Digits with one dot at most, and then the end of a token."""
    dots = 0
    for i in range(start, stop):
        if not CLASS[data[i]] & DIGIT:
            if data[i] != 46:
                return False
            dots += 1
    return dots <= 1 and (stop == end or CLASS[data[stop]] & END != 0)


@njit(cache=True, nogil=True, inline="always")
def _read(source: Source, begin: int, i: int, local: int, end: int, out: Array, n: int, parts: Array) -> tuple[int, int]:
    """The name that begins at `i`, if one does: where to read on, and how many atoms there are now."""
    data = source.data
    byte = data[i]
    before = data[i - 1] if i > begin else 0
    if CLASS[byte] & WORD:
        if CLASS[before] & WORD:
            return i + 1, n
        return _read_word(source, i, local, end, out, n, parts)
    if byte == 47:  # /
        home = before == 126
        if home:
            before = data[i - 2] if i - 1 > begin else 0
        stop = -1 if CLASS[before] & DASHED or before in (46, 47, 126) else path(data, i, end, 1 if home else 2)
        if stop >= 0:
            last = stop
            while data[last - 1] == 46 or data[last - 1] == 47:
                last -= 1
            return stop, put(source, i - home, i - home, last, Kind.PATH, out, n)
    elif byte == 91:  # [
        stop = mask(data, i, end)
        if stop >= 0:
            return stop, put(source, stop - 17, stop - 17, stop - 1, Kind.SECRET, out, n)
    elif CLASS[before] & WORD:
        return i + 1, n
    elif byte == 35 or byte == 64:  # # @
        stop = handle(data, i, end)
        if stop >= 0:
            return stop, put(source, i, stop, stop, Kind.HANDLE, out, n)
    elif byte == 43:  # +
        stop = phone(data, i, end)
        if stop >= 0:
            return stop, put_without(source, i, stop, 43, Kind.PHONE, out, n)
    elif byte == 58 and i + 1 < end and data[i + 1] == 58:
        return _read_ipv6(source, i, end, out, n)
    return i + 1, n


@njit(cache=True, nogil=True, inline="always")
def _read_word(source: Source, i: int, local: int, end: int, out: Array, n: int, parts: Array) -> tuple[int, int]:
    data = source.data
    stop, digits = i, 0
    while stop < end and CLASS[data[stop]] & DASHED:
        digits += CLASS[data[stop]] & DIGIT != 0
        stop += 1
    after = data[stop] if stop < end else 0
    if local < end and data[local] == 58:
        rest = scheme(data, i, local, end)
        if rest >= 0:
            return _read_url(source, rest, rest, end, out, n, parts)
    if after == 46 and stop - i == 3 and is_www(data, i) and stop + 1 < end and not CLASS[data[stop + 1]] & END:
        return _read_url(source, i, i, end, out, n, parts)
    if local < end and data[local] == 64:
        last = email(data, i, local, end)
        if last >= 0:
            n = put(source, i, last, last, Kind.EMAIL, out, n)
            return last, put(source, local + 1, last, last, Kind.HOST, out, n)
    if after == 46 and stop + 1 < end and CLASS[data[stop + 1]] & WORD:
        last = host(data, i, end)
        if last >= 0 and last < end and data[last] == 47:
            return _read_url(source, i, last, end, out, n, parts)
        if last < 0:
            last = ipv4(data, i, end)
        if last >= 0:
            return last, put(source, i, last, last, Kind.HOST, out, n)
    if after == 58 and stop - i <= 4:
        last, more = _read_ipv6(source, i, end, out, n)
        if more > n:
            return last, more
    if after == 32 and stop - i == 4 and digits >= 2:
        last = spaced_iban(data, i, end)
        if last >= 0:
            return last, put_without(source, i, last, 0, Kind.ACCOUNT, out, n)
    if digits and stop - i >= _SHORTEST_WORD:
        n = put_word(source, i, stop, digits, out, n)
    return stop, n


@njit(cache=True, nogil=True)
def _read_url(source: Source, start: int, known: int, end: int, out: Array, n: int, parts: Array) -> tuple[int, int]:
    """start: of the address; known: how far it reaches at least."""
    stop = known
    while stop < end and not CLASS[source.data[stop]] & END:
        stop += 1
    return stop, put_url(source, start, stop, out, n, parts)


@njit(cache=True, nogil=True)
def _read_ipv6(source: Source, i: int, end: int, out: Array, n: int) -> tuple[int, int]:
    stop = ipv6(source.data, i, end, source.groups)
    return (stop, put_ipv6(source, out, n)) if stop >= 0 else (i + 1, n)


@njit(cache=True, nogil=True)
def _find_windows(raw: Array, drives: Array, starts: Array, ends: Array, owners: Array, room: Array, key: Array) -> tuple[Array, Array]:
    out, whose = np.empty(len(drives), dtype=np.uint64), np.empty(len(drives), dtype=np.int64)
    n = s = 0
    for drive in drives:
        while drive >= ends[s]:
            s += 1
        size = windows_path(raw, drive, ends[s], room)
        if size:
            whose[n] = owners[s]
            n = put_room(room, key, size, Kind.PATH, out, n)
    return out[:n], whose[:n]
