"""Texts as one buffer of segments: level 0 the texts, levels 1 and 2 what they encode."""

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

import numpy as np
import pyarrow as pa
from numba import njit

from ingest.fingerprint.encodings import decode, encoded_runs, unquote
from ingest.fingerprint.escapes import unescape
from ingest.fingerprint.hashing import U64, Array

Texts: TypeAlias = Sequence[str | None] | pa.Array | pa.ChunkedArray
EXAMINED_BYTES: Final = 256 << 10
SHORTEST_RUN: Final = 32  # of base64: 24 bytes, what a shingle needs
_SLICE_BYTES: Final = 1 << 20  # examined at a time: what is kept meanwhile is a small multiple of it
_LEVELS: Final = 3
_BACKSLASH: Final = 92


class Segments:
    """Pieces of one byte buffer, as they are (`raw`) and with their escapes undone; `owners` says whose text each belongs to."""

    def __init__(self, raw: Array, starts: Array, ends: Array, owners: Array) -> None:
        raw.setflags(write=False)  # as what Arrow gives, so that numba compiles once
        self.raw, self.raw_starts, self.raw_ends, self.owners = raw, starts, ends, owners
        self.data, self.starts, self.ends, self.drives = raw, starts, ends, np.zeros(0, dtype=np.int64)
        if (raw == _BACKSLASH).any():
            self.data, self.starts, self.ends, self.drives = unescape(raw, starts, ends)
            self.data.setflags(write=False)

    def inner(self) -> "Segments":
        """What the segments hold in encoded form, as segments."""
        run_starts, run_ends, whose = encoded_runs(self.data, self.starts, self.ends, SHORTEST_RUN)
        plain, starts, ends, runs = decode(self.data, run_starts, run_ends)
        unquoted, more_starts, more_ends, tokens = unquote(self.data, np.flatnonzero(self.data == ord("%")), self.starts, self.ends)
        return Segments(
            np.concatenate((plain, unquoted)), np.concatenate((starts, more_starts + len(plain))), np.concatenate((ends, more_ends + len(plain))),
            self.owners[np.concatenate((whose[runs], tokens))],
        )


def as_column(texts: Texts) -> pa.Array:
    """Texts as large_binary; of an Arrow column without a copy of its bytes."""
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.cast(pa.large_binary()).combine_chunks()
        return texts if isinstance(texts, pa.Array) else pa.concat_arrays(texts.chunks)
    if isinstance(texts, pa.Array):
        return texts.cast(pa.large_binary())
    try:
        return pa.array(texts, pa.large_string()).cast(pa.large_binary())
    except UnicodeEncodeError:  # lone surrogates
        return pa.array([None if text is None else text.encode("utf-8", "surrogatepass") for text in texts], pa.large_binary())


def bytes_of(column: pa.Array) -> tuple[Array, Array, Array]:
    """Of a column of large_binary its bytes, and where each text starts and ends in them."""
    _, offsets, buffer = column.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int64)[column.offset : column.offset + len(column) + 1] if len(column) else np.zeros(1, np.int64)
    ends = bounds[1:]
    if column.null_count:  # bytes may lie beneath a null
        ends = np.where(column.is_valid().to_numpy(zero_copy_only=False), ends, bounds[:-1])
        ends.setflags(write=False)  # as what Arrow gives, so that numba compiles once
    return np.frombuffer(buffer or b"", dtype=np.uint8), bounds[:-1], ends


def slices(texts: Texts) -> Iterator[list[Segments]]:
    """The texts, what they encode, and what that encodes: some texts at a time; owners count from the first of these."""
    data, starts, ends = bytes_of(as_column(texts))
    ends = np.minimum(ends, starts + EXAMINED_BYTES)
    examined = np.cumsum(ends - starts)
    first = 0
    while first < len(starts):
        last = max(first + 1, int(np.searchsorted(examined, (examined[first - 1] if first else 0) + _SLICE_BYTES, side="right")))
        origin, stop = starts[first], ends[first:last].max()
        found = [Segments(data[origin:stop], starts[first:last] - origin, ends[first:last] - origin, np.arange(last - first))]
        while len(found) < _LEVELS and len(found[-1].owners):
            found.append(found[-1].inner())
        yield found
        first = last


def by_text(found: list[tuple[Array, Array]], rows: int, most: int) -> tuple[Array, Array]:
    """What the levels gave, text by text: how many each has, and the values, ascending and unique, at most so many (the smallest)."""
    values, owners = (np.concatenate(part) for part in zip(*found, strict=True))
    return _by_owner(values, owners, rows, most)


def as_lists(parts: list[tuple[Array, Array]]) -> pa.ListArray:
    """What slices gave, as one list for each text."""
    offsets = np.cumsum(np.concatenate([np.zeros(1, np.int32), *(sizes for sizes, _ in parts)]), dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(np.concatenate([np.zeros(0, np.uint64), *(values for _, values in parts)])))


@njit(cache=True, nogil=True)
def _by_owner(values: Array, owners: Array, rows: int, most: int) -> tuple[Array, Array]:
    """Sorted by text, then by value: hashes are spread evenly, so each goes almost to its place at once."""
    sizes = np.zeros(rows + 1, dtype=np.int64)
    for owner in owners:
        sizes[owner + 1] += 1
    first = np.cumsum(sizes)
    place = np.zeros(len(values) + 1, dtype=np.int64)
    for i in range(len(values)):
        place[_near(values[i], first[owners[i]], sizes[owners[i] + 1]) + 1] += 1
    place = np.cumsum(place)
    ordered = np.empty(len(values), dtype=np.uint64)
    for i in range(len(values)):
        near = _near(values[i], first[owners[i]], sizes[owners[i] + 1])
        ordered[place[near]] = values[i]
        place[near] += 1
    kept_sizes = np.zeros(rows, dtype=np.int32)
    kept = 0
    for row in range(rows):
        start = end = first[row]
        for i in range(start, first[row + 1]):
            value, j = ordered[i], end
            while j > start and ordered[j - 1] > value:
                j -= 1
            if j > start and ordered[j - 1] == value:
                continue
            for k in range(end, j, -1):
                ordered[k] = ordered[k - 1]
            ordered[j] = value
            end += 1
        size = min(end - start, most)
        values[kept : kept + size] = ordered[start : start + size]
        kept_sizes[row] = size
        kept += size
    return kept_sizes, values[:kept]


@njit(cache=True, nogil=True, inline="always")
def _near(value: np.uint64, first: int, size: int) -> int:
    return first + int(np.int64((value >> U64(32)) * U64(size) >> U64(32)))
