"""What a text contains, without keeping the text: `atoms` (hashed names) and `shingles` (winnowed hashes of its wording).

Everything runs over many texts at once, in one byte buffer, in loops that numba compiles. Each is linear, and none reads far past what it
takes, so text written by attackers costs about as much as other text. Some megabytes of text are in work at a time, however many come.

Guaranteed, for texts of up to 256 KiB (of longer ones the first 256 KiB are examined):
- *Plain and escaped text agree.* JSON escapes of any depth (`\\n`, `\\\\n`, `\\u00e9`) are undone first.
- *A shared run of 48 normalised characters shares a shingle*, also where one side has it in base64, hex or percent-encoding, twice over
  (percent-encoded words of more than 64 letters excepted);
  nothing shorter than 24 ever does. Normalised: letters and digits of any script in lower case, NFKD without marks; blanks, punctuation,
  zero-width characters and Unicode tags do not count. Two exceptions: runs of so little variety (`0000`, `abab`) that they say nothing,
  and texts with more than 4,096 shingles (some 50,000 characters), which keep the smallest hashes, a sample that stays comparable.
- A phrase counts once per text however often it is repeated. Boilerplate that many calls share is told by how many calls hold its
  hashes, which only the reader of many calls can know; here it is neither dropped nor weighted.
- *Without the key no guess can be tested.* Hashes are compared within one workspace, which has one key; no key is for tests and tools.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Final

import pyarrow as pa

from ingest.fingerprint.atoms import Kind, atom_of
from ingest.fingerprint.hashing import key_of
from ingest.fingerprint.names import names_in
from ingest.fingerprint.segments import EXAMINED_BYTES, Texts, as_lists, by_text, slices
from ingest.fingerprint.wording import wording_of

__all__ = ["ATOMS_PER_TEXT", "EXAMINED_BYTES", "SHINGLES_PER_TEXT", "Kind", "Texts", "atom", "atoms", "atoms_and_shingles", "of_columns", "shingles",
           "warm"]

ATOMS_PER_TEXT: Final = 512
SHINGLES_PER_TEXT: Final = 4096


def atoms(texts: Texts, key: bytes = b"") -> pa.ListArray:
    """The names in each text, as list<uint64>, ascending and unique: at most 512, those with the smallest hashes."""
    return as_lists([by_text([names_in(s, key_of(key)) for s in levels], len(levels[0].owners), ATOMS_PER_TEXT) for levels in slices(texts)])


def shingles(texts: Texts, key: bytes = b"") -> pa.ListArray:
    """The winnowed hashes of each text and of what it encodes, as list<uint64>, ascending and unique: at most 4,096."""
    return as_lists([by_text([wording_of(s, key_of(key)) for s in levels], len(levels[0].owners), SHINGLES_PER_TEXT) for levels in slices(texts)])


def atoms_and_shingles(texts: Texts, key: bytes = b"") -> tuple[pa.ListArray, pa.ListArray]:
    """Both, for the price of one decoding."""
    names, wording = [], []
    for levels in slices(texts):
        rows = len(levels[0].owners)
        names.append(by_text([names_in(s, key_of(key)) for s in levels], rows, ATOMS_PER_TEXT))
        wording.append(by_text([wording_of(s, key_of(key)) for s in levels], rows, SHINGLES_PER_TEXT))
    return as_lists(names), as_lists(wording)


def of_columns(columns: Sequence[pa.Array], key: bytes) -> list[tuple[pa.ListArray, pa.ListArray]]:
    """Atoms and shingles of each column of strings: all of them at once, since what is done once for each column costs as much as some rows."""
    bounds = list(accumulate(map(len, columns), initial=0))
    names, wording = atoms_and_shingles(pa.concat_arrays(columns), key)
    return [(names[start:end], wording[start:end]) for start, end in pairwise(bounds)]


def atom(kind: Kind, value: str, key: bytes = b"") -> int:
    """The atom of one normalised value: names in lower case, a URL without its scheme, a SECRET's 16 hex digits."""
    return atom_of(kind, value.encode("utf-8", "surrogatepass"), key_of(key))


def warm() -> None:
    """Compile (or load from cache) everything, so that the first batch is as fast as the others."""
    atoms_and_shingles(["warm", None, "é"])
