"""Spans as columns, straight from the bytes of an ExportTraceServiceRequest: places in the body, nothing copied, no object for a span.

Protobuf has decoded the body before, which proves that it is well-formed and its texts are UTF-8; this walk only notes where things lie
(protobuf.dev/programming-guides/encoding). A span that holds what it does not expect, such as a field twice that may stand once, is
marked irregular, to be read by itself.
"""

import os
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numba import njit

Array: TypeAlias = np.ndarray[Any, Any]
Int: TypeAlias = Any
"""A machine integer: numba's, not Python's."""

NOTHING, STRING, BOOL, INT, DOUBLE, ARRAY, KVLIST, BYTES, EMPTY, PLACEHOLDER = range(10)
"""What an attribute's value is: the field numbers of AnyValue; then texts that are empty, or stand where the source gives no value."""

ABSENT: Final = -1
MOST_KEYS: Final = 2048
"""Names of attributes in one request; real ones have some dozens."""

_TEXT_TAG, _KEY_TAG, _VALUE_TAG = 0x0A, 0x0A, 0x12
_SLOTS: Final = 4 * MOST_KEYS
SEED: Final = np.uint64(int.from_bytes(os.urandom(8), "little"))  # so that nobody can choose spans whose shapes collide


class Spans(NamedTuple):
    """n spans with m attributes and k attribute names. Places are offsets into `data`."""

    data: Array  # uint8: the body
    sources: Array  # (n) which scope, counted through the request
    ids: Array  # (n, 3) places of trace id, span id and parent's span id, or ABSENT
    moments: Array  # (n, 2) start and end, unix nanoseconds; 0 where absent or implausible
    kinds: Array  # (n) SpanKind
    names: Array  # (n, 2) place and length
    statuses: Array  # (n, 3) code, place and length of the message
    shapes: Array  # (n) a hash of what tells spans apart: name, kind, whether there are events, attributes with their types, telling values
    irregular: Array  # (n) bool
    first: Array  # (n + 1) the first attribute of each span
    keys: Array  # (m) number of the attribute's name
    types: Array  # (m)
    values: Array  # (m, 2) place and length; BOOL and INT: the number itself
    key_places: Array  # (k, 2) place and length of the names


class Words:
    """Texts that a scan looks for, as one buffer: attributes whose values count for the shape, and placeholders."""

    def __init__(self, words: frozenset[str]) -> None:
        encoded = [word.encode() for word in sorted(words)]
        self.data = np.frombuffer(b"".join(encoded) + b"\0", dtype=np.uint8)
        self.ends = np.cumsum(np.array([0, *map(len, encoded)], dtype=np.int64))


def scan(body: bytes, telling: Words, placeholders: Words) -> Spans | None:
    """The spans of a request that protobuf could decode; None where all of them have to be read one by one."""
    data = np.frombuffer(body, dtype=np.uint8)
    places = _spans(data)
    if places is None or not len(places):
        return None
    found = _scan(data, places, telling.data, telling.ends, placeholders.data, placeholders.ends, SEED)
    return None if found is None else Spans(data, places[:, 2], *found)


@njit(cache=True, nogil=True)
def _varint(data: Array, i: int, end: int) -> tuple[np.uint64, Int]:
    value, shift = np.uint64(0), np.uint64(0)
    while i < end and shift < 64:
        byte = data[i]
        i += 1
        value |= np.uint64(byte & 127) << shift
        if byte < 128:
            return value, i
        shift += np.uint64(7)
    return value, -1


@njit(cache=True, nogil=True, inline="always")
def _length(data: Array, i: int, end: int) -> tuple[Int, Int]:
    """A length of one to three bytes and where what it measures begins; 0 where it is none of these."""
    found: Int = 0
    shift = 0
    while i < end and shift < 21:
        byte = np.int64(data[i])
        i += 1
        found |= (byte & 127) << shift
        if byte < 128:
            return found, i
        shift += 7
    return 0, i


@njit(cache=True, nogil=True)
def field(data: Array, i: int, end: int) -> tuple[Int, Int, Int, Int, Int]:
    """A field: its number, wire type, place (of a varint: its value), length, and where the next one starts; -1 where it is broken or a group."""
    tag, i = _varint(data, i, end)
    number, kind = np.int64(tag >> np.uint64(3)), np.int64(tag & np.uint64(7))
    if i < 0:
        return 0, 0, 0, 0, -1
    if kind == 0:
        value, i = _varint(data, i, end)
        return number, kind, np.int64(value), 0, i
    if kind == 2:
        value, i = _varint(data, i, end)
        length = np.int64(value)
        if i < 0 or length < 0 or i + length > end:
            return number, kind, 0, 0, -1
        return number, kind, i, length, i + length
    size = 8 if kind == 1 else 4
    if kind not in (1, 5) or i + size > end:
        return number, kind, 0, 0, -1
    return number, kind, i, size, i + size


@njit(cache=True, nogil=True)
def _spans(data: Array) -> Array | None:
    """Place, length and source of each span; None where something is odd."""
    found = np.empty((1024, 3), dtype=np.int64)
    n, source, i = 0, -1, 0
    while i < len(data):
        number, kind, place, length, i = field(data, i, len(data))
        if i < 0:
            return None
        if number != 1 or kind != 2:
            continue
        j, resources = place, 0
        while j < place + length:
            number, kind, inner, inner_length, j = field(data, j, place + length)
            if j < 0 or (number == 1 and resources):
                return None
            resources += number == 1
            if number != 2 or kind != 2:
                continue
            source += 1
            k, scopes = inner, 0
            while k < inner + inner_length:
                number, kind, span, span_length, k = field(data, k, inner + inner_length)
                if k < 0 or (number == 1 and scopes):
                    return None
                scopes += number == 1
                if number == 2 and kind == 2:
                    if n == len(found):
                        grown = np.empty((2 * n, 3), dtype=np.int64)
                        grown[:n] = found
                        found = grown
                    found[n, 0], found[n, 1], found[n, 2] = span, span_length, source
                    n += 1
    return found[:n]


@njit(cache=True, nogil=True, inline="always")
def mixed(x: np.uint64) -> np.uint64:
    """The finaliser of splitmix64 (Steele, Lea, Flood 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@njit(cache=True, nogil=True)
def text_hash(data: Array, place: int, length: int, seed: np.uint64) -> np.uint64:
    """A text's hash, under a key of this process."""
    h = seed ^ np.uint64(0xCBF29CE484222325)
    for i in range(place, place + length):
        h = (h ^ np.uint64(data[i])) * np.uint64(0x100000001B3)
    return mixed(h + np.uint64(length))


@njit(cache=True, nogil=True, inline="always")
def _same(data: Array, one: int, other: int, length: int) -> bool:
    """Whether two texts are equal, without a branch for each byte."""
    differ = np.uint8(0)
    for i in range(length):
        differ |= data[one + i] ^ data[other + i]
    return bool(differ == 0)


@njit(cache=True, nogil=True)
def is_one_of(data: Array, place: int, length: int, words: Array, ends: Array) -> bool:
    """Whether a text is one of these words."""
    for w in range(len(ends) - 1):
        if ends[w + 1] - ends[w] == length:
            same = True
            for i in range(length):
                if data[place + i] != words[ends[w] + i]:
                    same = False
                    break
            if same:
                return True
    return False


@njit(cache=True, nogil=True)
def _value(data: Array, i: int, end: int) -> tuple[int, int, int]:
    """An AnyValue: its type, place (or number) and length; type -1 where it holds several."""
    if i < end and data[i] == _TEXT_TAG:  # as good as all of them are one text and nothing else
        length, place = _length(data, i + 1, end)
        if length and place + length == end:
            return STRING, place, length
    found, place, length, several = NOTHING, 0, 0, 0
    while i < end:
        number, kind, at, size, i = field(data, i, end)
        if i < 0:
            return -1, 0, 0
        if 1 <= number <= 7:
            fits = kind == 0 if number in (BOOL, INT) else kind == 1 if number == DOUBLE else kind == 2
            if not fits or several:
                return -1, 0, 0
            several, found, place, length = 1, number, at, size
    return (EMPTY if found == STRING and length == 0 else found), place, length


@njit(cache=True, nogil=True)
def _attribute(data: Array, i: int, end: int) -> tuple[int, int, int, int]:
    """Where a KeyValue's key and value lie: place and length of each; place -1 where something stands twice."""
    if i < end and data[i] == _KEY_TAG:
        length, place = _length(data, i + 1, end)
        after = place + length
        if length and after < end and data[after] == _VALUE_TAG:
            rest, begin = _length(data, after + 1, end)
            if rest and begin + rest == end:
                return place, length, begin, rest
    key, key_length, value, value_length = 0, 0, 0, 0
    seen = 0
    while i < end:
        number, kind, place, length, i = field(data, i, end)
        if i < 0 or (number in (1, 2) and (kind != 2 or seen & number)):
            return -1, 0, 0, 0
        if number == 1:
            key, key_length = place, length
            seen |= 1
        elif number == 2:
            value, value_length = place, length
            seen |= 2
    return key, key_length, value, value_length


@njit(cache=True, nogil=True)
def _id(data: Array, place: int, length: int, size: int) -> int:
    """The place of an id of the right size that is not all zeros; ABSENT where there is none, -2 where it has another size."""
    if length != size:
        return ABSENT if length == 0 else -2
    for i in range(place, place + size):
        if data[i]:
            return place
    return ABSENT


@njit(cache=True, nogil=True)
def _nanos(data: Array, place: int) -> Int:
    value = np.uint64(0)
    for i in range(8):
        value |= np.uint64(data[place + i]) << np.uint64(8 * i)
    return np.int64(value) if value <= np.uint64(0x7FFFFFFFFFFFFFFF) else 0


@njit(cache=True, nogil=True)
def _scan(data: Array, places: Array, telling: Array, telling_ends: Array, none: Array, none_ends: Array, seed: np.uint64) -> Any:
    n = len(places)
    ids = np.full((n, 3), ABSENT, dtype=np.int64)
    moments, names, statuses = np.zeros((n, 2), dtype=np.int64), np.zeros((n, 2), dtype=np.int64), np.zeros((n, 3), dtype=np.int64)
    kinds, shapes, irregular = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.uint64), np.zeros(n, dtype=np.bool_)
    first = np.zeros(n + 1, dtype=np.int64)
    keys = np.empty(16 * n + 64, dtype=np.int64)
    types, values = np.empty_like(keys), np.empty((len(keys), 2), dtype=np.int64)
    slots = np.full(_SLOTS, -1, dtype=np.int64)
    key_places, key_hashes = np.empty((MOST_KEYS, 2), dtype=np.int64), np.empty(MOST_KEYS, dtype=np.uint64)
    tells, last_in = np.zeros(MOST_KEYS, dtype=np.bool_), np.full(MOST_KEYS, -1, dtype=np.int64)
    follows = np.full(MOST_KEYS + 1, -1, dtype=np.int64)  # which name stood behind each; last: which stood first
    longest = 0
    for w in range(len(none_ends) - 1):
        longest = max(longest, none_ends[w + 1] - none_ends[w])
    k = m = 0
    for s in range(n):
        i, end, seen = places[s, 0], places[s, 0] + places[s, 1], 0
        shape, events = np.uint64(0), 0
        name = before = MOST_KEYS
        while i < end:
            number, kind, place, length, i = field(data, i, end)
            if i < 0:
                irregular[s] = True
                break
            if number == 9:
                key, key_length, value, value_length = _attribute(data, place, place + length)
                kind, place, length = _value(data, value, value + value_length)
                if key < 0 or kind < 0:
                    irregular[s] = True
                    continue
                name = follows[name]  # most spans have the same attributes in the same order
                if name < 0 or key_places[name, 1] != key_length or not _same(data, key, key_places[name, 0], key_length):
                    hashed = text_hash(data, key, key_length, seed)
                    slot = np.int64(hashed & np.uint64(_SLOTS - 1))
                    while slots[slot] >= 0:
                        known = slots[slot]
                        if key_hashes[known] == hashed and key_places[known, 1] == key_length:
                            break
                        slot = (slot + 1) & (_SLOTS - 1)
                    if slots[slot] < 0:
                        if k == MOST_KEYS:
                            return None
                        slots[slot], key_hashes[k], key_places[k, 0], key_places[k, 1] = k, hashed, key, key_length
                        tells[k] = is_one_of(data, key, key_length, telling, telling_ends)
                        k += 1
                    name = slots[slot]
                    follows[before] = name
                before, hashed = name, key_hashes[name]
                if last_in[name] == s:
                    irregular[s] = True
                last_in[name] = s
                if kind == STRING and length <= longest and is_one_of(data, place, length, none, none_ends):
                    kind = PLACEHOLDER
                if m == len(keys):
                    more = np.empty(2 * m, dtype=np.int64)
                    more[:m] = keys
                    keys = more
                    more = np.empty(2 * m, dtype=np.int64)
                    more[:m] = types
                    types = more
                    wider = np.empty((2 * m, 2), dtype=np.int64)
                    wider[:m] = values
                    values = wider
                keys[m], types[m], values[m, 0], values[m, 1] = name, kind, place, length
                m += 1
                said = hashed ^ np.uint64(kind * 0x9E3779B9)
                if tells[name] and kind in (STRING, PLACEHOLDER):
                    said ^= text_hash(data, place, length, hashed)
                elif tells[name] and kind != EMPTY and kind != NOTHING:
                    irregular[s] = True
                shape += mixed(said)  # a sum: attributes may come in any order
            elif number == 11:
                events = 1
            elif number in (1, 2, 4, 5, 6, 7, 8, 15):
                wanted = 0 if number == 6 else 1 if number in (7, 8) else 2
                if kind != wanted or seen >> number & 1:
                    irregular[s] = True
                    continue
                seen |= 1 << number
                if number == 1:
                    ids[s, 0] = _id(data, place, length, 16)
                elif number == 2:
                    ids[s, 1] = _id(data, place, length, 8)
                elif number == 4:
                    ids[s, 2] = _id(data, place, length, 8)
                elif number == 5:
                    names[s, 0], names[s, 1] = place, length
                elif number == 6:
                    kinds[s] = place
                elif number == 15:
                    j, stop, twice = place, place + length, 0
                    while j < stop:
                        inner, kind, at, size, j = field(data, j, stop)
                        if j < 0 or (inner in (2, 3) and (kind != (2 if inner == 2 else 0) or twice >> inner & 1)):
                            irregular[s] = True
                            break
                        if inner == 2:
                            statuses[s, 1], statuses[s, 2] = at, size
                        elif inner == 3:
                            statuses[s, 0] = at
                        twice |= 1 << inner if inner < 8 else 0
                else:
                    moments[s, number - 7] = _nanos(data, place)
        if ids[s, 0] < 0 or ids[s, 1] < 0 or ids[s, 2] < ABSENT:
            irregular[s] = True
        shapes[s] = mixed(shape + text_hash(data, names[s, 0], names[s, 1], seed) * np.uint64(3) + np.uint64(2 * kinds[s] + events))
        first[s + 1] = m
    m = max(m, 1)  # whoever asks for an attribute that is absent may look at one that is never used
    return ids, moments, kinds, names, statuses, shapes, irregular, first, keys[:m], types[:m], values[:m], key_places[:k]
