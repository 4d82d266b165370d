"""For many spans and many columns in one pass: the attribute that each column takes its text from, and those texts one after another."""

from typing import Any, Final, TypeAlias

import numpy as np
from numba import njit

from ingest.otlp.wire import ABSENT, EMPTY, NOTHING, PLACEHOLDER, STRING

Array: TypeAlias = np.ndarray[Any, Any]

TEXT, PAYLOAD, SESSION = range(3)
"""How a column takes placeholders: they make a span odd; they are told as HIDDEN; they are passed over."""

HIDDEN: Final = -2
"""The place of a value that the source says it does not give."""

NO_NAME: Final = -1


@njit(cache=True, nogil=True)
def pick(
    first: Array, numbers: Array, types: Array, values: Array, span_names: Array, rows: Array, keys: Array, bounds: Array, name_from: Array,
    modes: Array, known: int, odd: Array,
) -> tuple[Array, Array]:
    """(columns, rows, 2) place and length of each text, ABSENT or HIDDEN where there is none; and which of its keys each session came from.

    What is no text, where one is wanted, marks its span in `odd`. The keys of column i, by their numbers among the `known` ones of the
    request, are keys[bounds[i]:bounds[i + 1]], the first one first; name_from: where in the span's name the text begins that stands in
    for an attribute, or NO_NAME.
    """
    columns, n = len(modes), len(rows)
    places, source = np.full((columns, n, 2), ABSENT, dtype=np.int64), np.full(n, ABSENT, dtype=np.int64)
    has = np.full(known, ABSENT, dtype=np.int64)
    for r in range(n):
        s = rows[r]
        for a in range(first[s], first[s + 1]):
            has[numbers[a]] = a
        for c in range(columns):
            mode, found = modes[c], False
            for w in range(bounds[c], bounds[c + 1]):
                a = has[keys[w]]
                if a < 0 or types[a] == NOTHING or types[a] == EMPTY or (mode == SESSION and types[a] == PLACEHOLDER):
                    continue
                if types[a] == STRING:
                    places[c, r, 0], places[c, r, 1] = values[a, 0], values[a, 1]
                    if mode == SESSION:
                        source[r] = w - bounds[c]
                elif mode == PAYLOAD and types[a] == PLACEHOLDER:
                    places[c, r, 0], places[c, r, 1] = HIDDEN, 0
                else:
                    odd[s] = True
                    if mode == SESSION:
                        continue
                found = True
                break
            if not found and name_from[c] != NO_NAME:
                places[c, r, 0], places[c, r, 1] = span_names[s, 0] + name_from[c], span_names[s, 1] - name_from[c]
                if places[c, r, 1] <= 0:
                    odd[s] = True
        for a in range(first[s], first[s + 1]):
            has[numbers[a]] = ABSENT
    return places, source


@njit(cache=True, nogil=True)
def gather(data: Array, places: Array) -> tuple[Array, Array, Array, Array, Array]:
    """For each column of `places` Arrow's offsets, bytes (from where to where in one buffer), validity, and how many are null."""
    columns, n = places.shape[0], places.shape[1]
    offsets, starts = np.zeros((columns, n + 1), dtype=np.int32), np.zeros(columns + 1, dtype=np.int64)
    valid, nulls = np.zeros((columns, (n + 7) // 8), dtype=np.uint8), np.zeros(columns, dtype=np.int64)
    for c in range(columns):
        total = 0
        for r in range(n):
            if places[c, r, 0] >= 0:
                total += places[c, r, 1]
                valid[c, r >> 3] |= 1 << (r & 7)
            else:
                nulls[c] += 1
            offsets[c, r + 1] = total
        starts[c + 1] = starts[c] + total
    out = np.empty(starts[columns], dtype=np.uint8)
    for c in range(columns):
        for r in range(n):
            if places[c, r, 0] >= 0:
                o = starts[c] + offsets[c, r]
                out[o : o + places[c, r, 1]] = data[places[c, r, 0] : places[c, r, 0] + places[c, r, 1]]
    return offsets, out, starts, valid, nulls


@njit(cache=True, nogil=True)
def begin_with(data: Array, places: Array, beginning: Array) -> Array:
    """Which of the texts begin with these bytes."""
    found = np.zeros(len(places), dtype=np.bool_)
    for r in range(len(places)):
        same = places[r, 1] >= len(beginning)
        for i in range(len(beginning)):
            same = same and data[places[r, 0] + i] == beginning[i]
        found[r] = same
    return found


@njit(cache=True, nogil=True)
def grouped(shapes: Array) -> tuple[Array, Array]:
    """The first of each kind of shape, and for each shape the number of its kind."""
    size = 16
    while size < 2 * len(shapes):
        size *= 2
    slots, which = np.full(size, -1, dtype=np.int64), np.empty(len(shapes), dtype=np.int64)
    examples = np.empty(len(shapes), dtype=np.int64)
    kinds = 0
    for s in range(len(shapes)):
        slot = np.int64(shapes[s] & np.uint64(size - 1))
        while slots[slot] >= 0 and shapes[examples[slots[slot]]] != shapes[s]:
            slot = (slot + 1) & (size - 1)
        if slots[slot] < 0:
            slots[slot], examples[kinds] = kinds, s
            kinds += 1
        which[s] = slots[slot]
    return examples[:kinds], which
