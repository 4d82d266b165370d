"""What of a payload is kept, source by source: all of it, its beginning, its fingerprint, or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from store.records import State

Kept: TypeAlias = Literal["full", "truncated", "fingerprint_only", "none"]
FULL, TRUNCATED, FINGERPRINT_ONLY, NONE = range(4)
CODES: Final[dict[Kept, int]] = {"full": FULL, "truncated": TRUNCATED, "fingerprint_only": FINGERPRINT_ONLY, "none": NONE}
_STATES: Final = {FINGERPRINT_ONLY: State.FINGERPRINT_ONLY, NONE: State.REDACTED}
Array: TypeAlias = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """Whose payloads are kept otherwise: where all that is said here fits; `*` stands for any characters."""

    kept: Kept
    agent: str = "*"
    server: str = "*"
    dialect: str = "*"


@dataclass(frozen=True, slots=True)
class Payloads:
    """How payloads are kept: `full`, `truncated` to so many bytes, as `fingerprint_only`, or `none`; the first source that fits counts."""

    kept: Kept = "full"
    truncate_bytes: int = 64 << 10
    sources: tuple[Source, ...] = ()

    def codes(self, table: Mapping[str, pa.Array], rows: int) -> Array:
        """For each row of a table's columns FULL, TRUNCATED, FINGERPRINT_ONLY or NONE."""
        codes = np.full(rows, CODES[self.kept], dtype=np.int8)
        for source in reversed(self.sources):
            fits = np.ones(rows, dtype=np.bool_)
            for name, pattern in (("agent", source.agent), ("server", source.server), ("dialect", source.dialect)):
                if pattern != "*" and name in table:
                    fits &= pc.fill_null(pc.match_like(table[name], _like(pattern)), False).to_numpy(zero_copy_only=False)
                elif pattern != "*":
                    fits[:] = False  # a message has no server
            codes[fits] = CODES[source.kept]
        return codes


def _like(pattern: str) -> str:
    """A pattern with `*` as SQL's LIKE has it."""
    return pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("*", "%")


def kept(texts: pa.Array, states: pa.Array, codes: Array, truncate_bytes: int) -> tuple[pa.Array, pa.Array]:
    """Payloads and their states as they are kept."""
    if not codes.any():  # all of it, which FULL says
        return texts, states
    present = texts.is_valid().to_numpy(zero_copy_only=False)
    for code, state in _STATES.items():
        if (gone := (codes == code) & present).any():
            texts, states = without(texts, gone), pc.if_else(pa.array(gone), pa.scalar(state.value), states)
    if ((codes == TRUNCATED) & present).any():
        long = np.flatnonzero((codes == TRUNCATED) & (pc.fill_null(pc.binary_length(texts), 0).to_numpy() > truncate_bytes))
        if len(long):
            cut = [text.encode()[:truncate_bytes].decode("utf-8", "ignore") for text in texts.take(pa.array(long)).to_pylist()]
            hit = np.zeros(len(texts), dtype=np.bool_)
            hit[long] = True
            texts = pc.replace_with_mask(texts, pa.array(hit), pa.array(cut, texts.type))
            states = pc.if_else(pa.array(hit), pa.scalar(State.TRUNCATED.value), states)
    return texts, states


def without(texts: pa.Array, gone: Array) -> pa.Array:
    """The column with nothing in these rows, nor in the bytes beneath them, which `if_else` would leave there."""
    return pc.replace_with_mask(texts, pa.array(gone), pa.scalar(None, texts.type)) if gone.any() else texts
