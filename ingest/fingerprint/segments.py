"""Texts as one buffer of segments: level 0 the texts, levels 1 and 2 what they encode."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numba import njit

from ingest.fingerprint.encodings import ENCODED, Array, decoded, unescape
from ingest.fingerprint.matching import matches

EXAMINED_BYTES: Final = 256 << 10
_LEVELS: Final = 3


class Segments:
    """Pieces of one byte buffer with their escapes undone; `owners` says whose text each belongs to, ascending."""

    def __init__(self, raw: bytes, starts: Array, ends: Array, owners: Array) -> None:
        self.raw, self.raw_starts, self.raw_ends, self.owners = raw, starts, ends, owners
        self.data, self.starts, self.ends = unescape(np.frombuffer(raw + b"\n", dtype=np.uint8), starts, ends)
        self.text = self.data.tobytes()

    def owner_of(self, positions: list[int]) -> Array:
        """The text that each position in `text` belongs to."""
        return self.owners[np.searchsorted(self.starts, np.array(positions, dtype=np.int64), side="right") - 1]

    def raw_matches(self, pattern: Any) -> tuple[Array, list[bytes]]:
        """Matches in the text before its escapes were undone: whose they are, and their bytes."""
        found = list(matches(pattern, self.raw))
        positions = np.array([position for position, _ in found], dtype=np.int64)
        rows = np.searchsorted(self.raw_starts, positions, side="right") - 1
        examined = positions < self.raw_ends[rows]
        return self.owners[rows[examined]], [match for (_, match), kept in zip(found, examined, strict=True) if kept]

    def inner(self) -> "Segments":
        """What the segments hold in encoded form, as segments."""
        pieces: list[bytes] = []
        where: list[int] = []
        for position, encoded in matches(ENCODED, self.text):
            texts = list(decoded(encoded))
            pieces += texts
            where += [position] * len(texts)
        ends = np.cumsum(np.array([len(piece) for piece in pieces], dtype=np.int64))
        starts = np.concatenate((np.zeros(1, dtype=np.int64), ends))[:-1]
        return Segments(b"".join(pieces), starts, ends, self.owner_of(where))


def levels(texts: Sequence[str | None]) -> list[Segments]:
    """The texts, what they encode, and what that encodes."""
    try:
        column = pa.array(texts, pa.large_string())
    except UnicodeEncodeError:  # lone surrogates
        column = pa.array([None if text is None else text.encode("utf-8", "surrogatepass") for text in texts], pa.large_binary())
    _, offsets, data = column.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int64, count=len(texts) + 1) if len(texts) else np.zeros(1, dtype=np.int64)
    ends = np.minimum(bounds[1:], bounds[:-1] + EXAMINED_BYTES)
    found = [Segments(data.to_pybytes() if data else b"", bounds[:-1].copy(), ends, np.arange(len(texts), dtype=np.int64))]
    while len(found) < _LEVELS and len(found[-1].owners):
        found.append(found[-1].inner())
    return found


def by_text(found: list[tuple[Array, Array]], rows: int, most: int) -> pa.ListArray:
    """What the levels gave, as one list for each text."""
    values, owners = (np.concatenate(part) for part in zip(*found, strict=True))
    offsets, kept = _by_owner(values, owners, rows, most)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(kept))


@njit(cache=True, nogil=True)
def _by_owner(values: Array, owners: Array, rows: int, most: int) -> tuple[Array, Array]:
    """Values sorted by text, ascending and unique within it, at most so many (the smallest)."""
    first = np.zeros(rows + 1, dtype=np.int64)
    for owner in owners:
        first[owner + 1] += 1
    first = np.cumsum(first)
    place = first.copy()
    sorted_values = np.empty(len(values), dtype=np.uint64)
    for i in range(len(values)):
        sorted_values[place[owners[i]]] = values[i]
        place[owners[i]] += 1
    offsets = np.zeros(rows + 1, dtype=np.int32)
    kept = 0
    for row in range(rows):
        part = np.sort(sorted_values[first[row] : first[row + 1]])
        count = 0
        for i in range(len(part)):
            if count < most and (i == 0 or part[i] != part[i - 1]):
                sorted_values[kept] = part[i]
                kept += 1
                count += 1
        offsets[row + 1] = kept
    return offsets, sorted_values[:kept]
