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

    def suspects(self, data: bytes, ends: Array) -> list[int]:
        """Which of the texts in `data`, each followed by a NUL at `ends`, may hold a secret."""

    def mask_all(self, texts: Sequence[str | None]) -> tuple[list[str | None], list[list[Any]]]:
        """The texts with their secrets masked, and which those were."""


def masked(columns: Sequence[pa.Array], masks: Masks) -> list[pa.Array]:
    """The columns with their secrets masked."""
    if not any(len(column) for column in columns):
        return list(columns)
    joined, ends = zip(*(_joined(*_parts(column)) for column in columns), strict=True)
    lengths = np.array([len(part) for part in joined], dtype=np.int64)
    before = np.cumsum(lengths) - lengths
    found = masks.suspects(b"".join(part.tobytes() for part in joined), np.concatenate([e + b for e, b in zip(ends, before, strict=True)]))
    bounds = np.cumsum([0, *(len(column) for column in columns)])
    rows = np.array(found, dtype=np.int64)
    return [
        _replaced(column, rows[(rows >= bounds[n]) & (rows < bounds[n + 1])] - bounds[n], masks) for n, column in enumerate(columns)
    ]


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
def _joined(offsets: Array, data: Array) -> tuple[Array, Array]:
    """The texts, each followed by a NUL, so that none runs into the next; and where those are."""
    rows = len(offsets) - 1
    out = np.empty(offsets[rows] - offsets[0] + rows, dtype=np.uint8)
    ends = np.empty(rows, dtype=np.int64)
    o = 0
    for r in range(rows):
        size = offsets[r + 1] - offsets[r]
        out[o : o + size] = data[offsets[r] : offsets[r + 1]]
        o += size
        out[o] = 0
        ends[r] = o
        o += 1
    return out, ends
