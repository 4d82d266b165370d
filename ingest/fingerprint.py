"""What a text contains, without keeping the text: `atoms` (hashed names) and `shingles` (winnowed hashes of its wording).

Everything runs over a whole batch at once: one byte buffer, numba loops that visit each byte a bounded number of times, no regular
expressions, so text written by attackers costs no more than other text.

Guaranteed, for texts of up to 256 KiB (of longer ones the first 256 KiB are examined):
- *Plain and escaped text agree.* JSON escapes of any depth (`\\n`, `\\\\n`, `\\u00e9`) are undone first.
- *A shared run of 48 normalised characters shares a shingle*, also where one side has it in base64, hex or percent-encoding, twice over;
  nothing shorter than 24 ever does. Normalised: letters and digits of any script in lower case, NFKD without marks; blanks, punctuation,
  zero-width characters and Unicode tags do not count. Two exceptions: runs of so little variety (`0000`, `abab`) that they say nothing,
  and texts with more than 4,096 shingles (some 50,000 characters), which keep the smallest hashes, a sample that stays comparable.
- A phrase counts once per text however often it is repeated. Boilerplate that many calls share is told by how many calls hold its
  hashes, which only the reader of many calls can know; here it is neither dropped nor weighted.
Hashes are not keyed: who holds them can test a guess. Secrets are masked, under a key, before this runs.
"""

import unicodedata
from collections.abc import Sequence
from enum import IntEnum
from functools import cache
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # ships no stubs
from numba import njit

EXAMINED_BYTES: Final = 256 << 10
ATOMS_PER_TEXT: Final = 512
SHINGLES_PER_TEXT: Final = 4096
# Winnowing (Schleimer, Wilkerson, Aiken 2003): nothing shorter than k matches, everything of k + w - 1 = 48 does; density 2 / (w + 1).
_GRAM: Final = 24
_WINDOW: Final = 25

Array: TypeAlias = np.ndarray[Any, Any]


class Kind(IntEnum):
    """What an atom names: its low four bits."""

    EMAIL = 1
    URL = 2
    HOST = 3
    ACCOUNT = 4
    PATH = 5
    SECRET = 6
    TOKEN = 7
    PHONE = 8
    HANDLE = 9


def atoms(texts: Sequence[str | None]) -> pa.ListArray:
    """The names in each text, as list<uint64>, ascending and unique: at most 512, those with the smallest hashes."""
    return _atoms(_levels(texts), len(texts))


def shingles(texts: Sequence[str | None]) -> pa.ListArray:
    """The winnowed hashes of each text and of what it encodes, as list<uint64>, ascending and unique: at most 4,096."""
    return _shingles(_levels(texts), len(texts))


def atoms_and_shingles(texts: Sequence[str | None]) -> tuple[pa.ListArray, pa.ListArray]:
    """Both, for the price of one decoding."""
    levels = _levels(texts)
    return _atoms(levels, len(texts)), _shingles(levels, len(texts))


def atom(kind: Kind, value: str) -> int:
    """The atom of one normalised value: an address or host in lower case, a URL without scheme, a SECRET's 16 hex digits."""
    data = np.frombuffer(value.encode("utf-8", "surrogatepass"), dtype=np.uint8)
    return int(_hash(data, 0, len(data), 0, int(kind)))


def warm() -> None:
    """Compile (or load from cache) everything, so that the first batch is as fast as the others."""
    atoms_and_shingles(["warm", None, "é"])
