"""How much one request may hold: what takes two bytes on the wire takes hundreds in memory, so that parts are counted before they are made."""

from typing import Any, Final, TypeAlias

import numpy as np
from numba import njit

from ingest.otlp.wire import field
from store.errors import TooLargeError

Array: TypeAlias = np.ndarray[Any, Any]

MOST_ITEMS: Final = 100_000
"""Spans, log records, or events of all spans together; SDKs send 512 at a time, OpenTelemetry's collector 8,192."""

MOST_RECORDS: Final = 250_000
"""Out of lines: calls, messages and whatever else they tell, and lines that were refused."""

MOST_EVENTS: Final = 10_000
"""Of one span, which is refused alone; SDKs keep 128."""

MOST_PARTS: Final = 2_000_000
"""Messages inside one another: groups, items, events, links, attributes, values. 64 MiB of usual spans are about a million."""

MOST_VALUES: Final = 2 * MOST_PARTS
"""Brackets and commas of JSON; what a message is in protobuf has about two."""

_DEEPEST: Final = 128  # the decoder goes 100 deep
_REQUEST, _GROUP, _RESOURCE, _SCOPED, _SCOPE, _ITEM, _EVENT, _LINK, _PAIR, _VALUE, _VALUES, _PAIRS, _ENTITY = range(13)
_INSIDE: Final = {
    _REQUEST: {1: _GROUP}, _GROUP: {1: _RESOURCE, 2: _SCOPED}, _RESOURCE: {1: _PAIR, 3: _ENTITY}, _SCOPED: {1: _SCOPE, 2: _ITEM},
    _SCOPE: {3: _PAIR}, _EVENT: {3: _PAIR}, _LINK: {4: _PAIR}, _PAIR: {2: _VALUE}, _VALUE: {5: _VALUES, 6: _PAIRS}, _VALUES: {1: _VALUE},
    _PAIRS: {1: _PAIR},
}
_OF_ITEM: Final = {"traces": {9: _PAIR, 11: _EVENT, 13: _LINK}, "logs": {5: _VALUE, 6: _PAIR}}


def _table(signal: str) -> Array:
    """Which message stands in which field of which; -1 where none does."""
    made = np.full((13, 16), -1, dtype=np.int64)
    for message, fields in (_INSIDE | {_ITEM: _OF_ITEM[signal]}).items():
        for number, inner in fields.items():
            made[message, number] = inner
    return made


_TABLES: Final = {signal: _table(signal) for signal in _OF_ITEM}


def check_items(count: int) -> None:
    """Raises TooLargeError where a request holds more spans or log records than are taken."""
    if count > MOST_ITEMS:
        raise TooLargeError(f"the request holds {count:,} spans or log records; send at most {MOST_ITEMS:,} at a time")


def check_events(count: int) -> None:
    """Raises TooLargeError where the spans of a request hold more events than are taken."""
    if count > MOST_ITEMS:
        raise TooLargeError(f"the request holds {count:,} span events; send at most {MOST_ITEMS:,} at a time")


def check_records(count: int) -> None:
    """Raises TooLargeError where lines tell more than is taken."""
    if count > MOST_RECORDS:
        raise TooLargeError(f"the lines hold more than {MOST_RECORDS:,} records; send them in parts")


def check_protobuf(body: bytes, signal: str) -> None:
    """Raises TooLargeError where an Export request of `traces` or `logs` would hold too much, before it is decoded."""
    if len(body) > 2 * MOST_PARTS and _parts(np.frombuffer(body, dtype=np.uint8), _TABLES[signal], MOST_PARTS) > MOST_PARTS:
        raise TooLargeError(f"the request holds more than {MOST_PARTS:,} attributes, events and values; send it in parts")


def check_json(body: bytes) -> None:
    """Raises TooLargeError where JSON would hold too much, before it is parsed."""
    if len(body) > MOST_VALUES and _values(np.frombuffer(body, dtype=np.uint8), MOST_VALUES) > MOST_VALUES:
        raise TooLargeError(f"the JSON holds more than {MOST_VALUES:,} values; send it in parts")


@njit(cache=True, nogil=True)
def _parts(data: Array, inside: Array, most: int) -> int:
    """How many messages a request holds, as far as `most`; what cannot be followed counts as if it were full of empty ones."""
    nexts, ends, messages = np.zeros(_DEEPEST, np.int64), np.zeros(_DEEPEST, np.int64), np.zeros(_DEEPEST, np.int64)
    depth = parts = i = 0
    end, message = len(data), _REQUEST
    while parts <= most:
        if i >= end:
            if depth == 0:
                break
            depth -= 1
            i, end, message = nexts[depth], ends[depth], messages[depth]
            continue
        number, kind, place, length, after = field(data, i, end)
        if after < 0:
            parts += (end - i) // 2
            i = end
            continue
        inner = inside[message, number] if kind == 2 and 0 <= number < 16 else -1
        i = after
        if inner >= 0:
            parts += 1
            if length and depth < _DEEPEST:
                nexts[depth], ends[depth], messages[depth] = after, end, message
                depth += 1
                i, end, message = place, place + length, inner
    return parts


@njit(cache=True, nogil=True)
def _values(data: Array, most: int) -> int:
    """How many brackets are opened and commas set outside of strings, as far as `most`."""
    found, i, inside = 0, 0, False
    while i < len(data) and found <= most:
        byte = data[i]
        if inside:
            if byte == 92:  # backslash
                i += 1
            elif byte == 34:
                inside = False
        elif byte == 34:
            inside = True
        elif byte == 44 or byte == 91 or byte == 123:
            found += 1
        i += 1
    return found
