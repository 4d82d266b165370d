"""Spans that were decoded one by one as columns, so that plans can be carried out on them as on those of a protobuf body.

What a plan never looks into (arrays, pairs, bytes) is only told by its type: a span of which it would be needed is odd, and is read by itself.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numba import njit

from ingest.otlp import wire
from ingest.otlp.items import Item
from ingest.otlp.wire import ABSENT, BOOL, DOUBLE, EMPTY, INT, MOST_KEYS, NOTHING, PLACEHOLDER, SEED, STRING, Array, Spans, Words

_TYPES: Final[dict[type, int]] = {
    str: STRING, bool: BOOL, int: INT, float: DOUBLE, list: wire.ARRAY, dict: wire.KVLIST, bytes: wire.BYTES, type(None): NOTHING,
}
_NO_PARENT: Final = "0" * 16
_ID_BYTES: Final = 32  # a trace's, a span's, its parent's
_IN_DATA: Final = 8  # a double


class Flat:
    """Spans that were decoded, where plans look for those of a request."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items
        sources = {id(item.source): item.source for item in items}
        self.sources = list(sources.values())
        self._numbers = {one: number for number, one in enumerate(sources)}

    def item(self, n: int) -> Item:
        """A span as it was decoded."""
        return self._items[n]

    def spans(self, telling: Words, placeholders: Words) -> Spans | None:
        """All of them as columns; None where they have to be read one by one."""
        if not self._items or any(item.signal != "span" for item in self._items):
            return None
        return _spans(self._items, [self._numbers[id(item.source)] for item in self._items], telling, placeholders)


def _spans(items: Sequence[Item], sources: list[int], telling: Words, placeholders: Words) -> Spans | None:
    numbers: dict[str, int] = {}
    keys = [numbers.setdefault(key, len(numbers)) for item in items for key in item.attributes]
    said: list[Any] = [value for item in items for value in item.attributes.values()]
    types = np.array([_TYPES[type(value)] for value in said], dtype=np.int64)
    if len(numbers) > MOST_KEYS:
        return None
    try:
        texts = pa.array(
            [*(value if type(value) is str else "" for value in said), *numbers, *(i.name for i in items), *(i.status_message for i in items)],
            pa.large_string(),
        )
        moments = np.array([(i.started_ns, i.ended_ns) for i in items], dtype=np.int64)
        kinds = np.array([i.kind for i in items], dtype=np.int64)
        counted = np.flatnonzero((types == INT) | (types == BOOL))
        counts = np.array([int(said[c]) for c in counted.tolist()], dtype=np.int64)
    except (UnicodeEncodeError, OverflowError):
        return None
    _, offsets, written = texts.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int64)[: len(texts) + 1]
    places = np.stack((bounds[:-1], np.diff(bounds)), axis=1)
    n, m, k = len(items), len(said), len(numbers)
    values = places[:m].copy()
    values[counted, 0] = counts
    doubles = np.flatnonzero(types == DOUBLE)
    end = int(bounds[-1])
    ids = bytes.fromhex("".join([f"{i.trace_id}{i.span_id}{i.parent_span_id or _NO_PARENT}" for i in items]))
    values[doubles, 0] = end + len(ids) + _IN_DATA * np.arange(len(doubles))
    values[doubles, 1] = _IN_DATA
    behind = np.array([said[d] for d in doubles.tolist()], dtype="<f8").tobytes()
    data = np.frombuffer(b"".join((memoryview(written or b"")[:end], ids, behind)), dtype=np.uint8)
    id_places = end + _ID_BYTES * np.arange(n)[:, None] + np.array([[0, 16, 24]])
    id_places[[not i.parent_span_id for i in items], 2] = ABSENT
    first = np.cumsum(np.array([0, *(len(i.attributes) for i in items)], dtype=np.int64))
    statuses = np.concatenate((np.array([[2 if i.failed else 0] for i in items], dtype=np.int64), places[m + k + n :]), axis=1)
    numbered = np.array(keys, dtype=np.int64)
    shapes, irregular = _shapes(
        data, first, numbered, types, values, places[m : m + k], places[m + k : m + k + n], kinds, np.array([bool(i.events) for i in items]),
        telling.data, telling.ends, placeholders.data, placeholders.ends, SEED,
    )
    if not m:  # whoever asks for an attribute that is absent may look at one that is never used
        numbered, types, values = np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros((1, 2), np.int64)
    return Spans(
        data, np.array(sources, dtype=np.int64), id_places, moments, kinds,
        places[m + k : m + k + n], statuses, shapes, irregular, first, numbered, types, values, places[m : m + k],
    )


@njit(cache=True, nogil=True)
def _shapes(
    data: Array, first: Array, keys: Array, types: Array, values: Array, key_places: Array, names: Array, kinds: Array, events: Array, telling: Array,
    telling_ends: Array, none: Array, none_ends: Array, seed: np.uint64,
) -> Any:
    """What tells spans apart, and which are irregular, as the scan of a body has it; `types` learn which texts are empty or placeholders."""
    n, k = len(first) - 1, len(key_places)
    shapes, irregular = np.zeros(n, dtype=np.uint64), np.zeros(n, dtype=np.bool_)
    hashes, tells = np.empty(k, dtype=np.uint64), np.zeros(k, dtype=np.bool_)
    for i in range(k):
        hashes[i] = wire.text_hash(data, key_places[i, 0], key_places[i, 1], seed)
        tells[i] = wire.is_one_of(data, key_places[i, 0], key_places[i, 1], telling, telling_ends)
    for s in range(n):
        shape = np.uint64(0)
        for a in range(first[s], first[s + 1]):
            key, kind = hashes[keys[a]], types[a]
            if kind == STRING:
                if values[a, 1] == 0:
                    kind = EMPTY
                elif wire.is_one_of(data, values[a, 0], values[a, 1], none, none_ends):
                    kind = PLACEHOLDER
                types[a] = kind
            said = key ^ np.uint64(kind * 0x9E3779B9)
            if tells[keys[a]] and kind in (STRING, PLACEHOLDER):
                said ^= wire.text_hash(data, values[a, 0], values[a, 1], key)
            elif tells[keys[a]] and kind != EMPTY and kind != NOTHING:
                irregular[s] = True
            shape += wire.mixed(said)
        named = wire.text_hash(data, names[s, 0], names[s, 1], seed)
        shapes[s] = wire.mixed(shape + named * np.uint64(3) + np.uint64(2 * kinds[s] + np.int64(events[s])))
    return shapes, irregular
