"""Whole columns without secrets: one scan over all texts of a batch; only those that may hold a secret become Python strings."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit

Array: TypeAlias = np.ndarray[Any, Any]


class Masks(Protocol):
    """What hides secrets in texts, and the key under which they, and fingerprints, are hashed."""

    key: bytes

    def suspects(self, data: Array, ends: Array) -> list[int]:
        """Which of the texts in `data`, each followed by a NUL at `ends`, may hold a secret."""

    def mask_all(self, texts: Sequence[str | None]) -> tuple[list[str | None], list[list[Any]]]:
        """The texts with their secrets masked, and which those were."""


def masked(columns: Sequence[pa.Array], masks: Masks) -> list[pa.Array]:
    """The columns with their secrets masked."""
    if not any(len(column) for column in columns):
        return list(columns)
    parts = [_parts(column) for column in columns]
    rows = sum(map(len, columns))
    data = np.empty(sum(int(offsets[-1] - offsets[0]) for offsets, _ in parts) + rows, dtype=np.uint8)
    ends = np.empty(rows, dtype=np.int64)
    o = row = 0
    for offsets, texts in parts:
        o = _join(offsets, texts, data, o, ends[row : row + len(offsets) - 1])
        row += len(offsets) - 1
    found = np.array(masks.suspects(data, ends), dtype=np.int64)
    bounds = np.cumsum([0, *(len(column) for column in columns)])
    return [
        _replaced(column, found[(found >= bounds[n]) & (found < bounds[n + 1])] - bounds[n], masks) for n, column in enumerate(columns)
    ] if len(found) else list(columns)


def _replaced(column: pa.Array, rows: Array, masks: Masks) -> pa.Array:
    if not len(rows):
        return column
    clean, _ = masks.mask_all(column.take(pa.array(rows)).to_pylist())
    hit = np.zeros(len(column), dtype=np.bool_)
    hit[rows] = True
    return pc.replace_with_mask(column, pa.array(hit), pa.array(clean, column.type))


def _parts(column: pa.Array) -> tuple[Array, Array]:
    """Offsets and bytes of a column of strings."""
    _, offsets, data = column.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int32)[column.offset : column.offset + len(column) + 1]
    return bounds, np.frombuffer(data, dtype=np.uint8) if data else np.zeros(0, dtype=np.uint8)


@njit(cache=True, nogil=True)
def _join(offsets: Array, texts: Array, out: Array, o: int, ends: Array) -> int:
    """The texts from out[o] on, each followed by a NUL, so that none runs into the next; `ends` becomes where those are. Where the next goes."""
    for r in range(len(ends)):
        size = offsets[r + 1] - offsets[r]
        out[o : o + size] = texts[offsets[r] : offsets[r + 1]]
        o += size
        out[o] = 0
        ends[r] = o
        o += 1
    return o
