"""What a text contains, without keeping the text: `atoms` (hashed names) and `shingles` (winnowed hashes of its wording).

Everything runs over a whole batch at once, in one byte buffer: RE2 finds names and encoded runs, numba does what needs every character.
Both are linear, and no pattern reads far past what it takes, so text written by attackers costs about as much as other text.

Guaranteed, for texts of up to 256 KiB (of longer ones the first 256 KiB are examined):
- *Plain and escaped text agree.* JSON escapes of any depth (`\\n`, `\\\\n`, `\\u00e9`) are undone first.
- *A shared run of 48 normalised characters shares a shingle*, also where one side has it in base64, hex or percent-encoding, twice over
  (percent-encoded words of more than 64 letters excepted);
  nothing shorter than 24 ever does. Normalised: letters and digits of any script in lower case, NFKD without marks; blanks, punctuation,
  zero-width characters and Unicode tags do not count. Two exceptions: runs of so little variety (`0000`, `abab`) that they say nothing,
  and texts with more than 4,096 shingles (some 50,000 characters), which keep the smallest hashes, a sample that stays comparable.
- A phrase counts once per text however often it is repeated. Boilerplate that many calls share is told by how many calls hold its
  hashes, which only the reader of many calls can know; here it is neither dropped nor weighted.
Hashes are not keyed: who holds them can test a guess. Secrets are masked, under a key, before this runs.
"""

from collections.abc import Sequence
from typing import Final

import pyarrow as pa

from ingest.fingerprint.names import Kind, atom_of, names_in
from ingest.fingerprint.segments import EXAMINED_BYTES, by_text, levels
from ingest.fingerprint.wording import wording_of

__all__ = ["ATOMS_PER_TEXT", "EXAMINED_BYTES", "SHINGLES_PER_TEXT", "Kind", "atom", "atoms", "atoms_and_shingles", "shingles", "warm"]

ATOMS_PER_TEXT: Final = 512
SHINGLES_PER_TEXT: Final = 4096


def atoms(texts: Sequence[str | None]) -> pa.ListArray:
    """The names in each text, as list<uint64>, ascending and unique: at most 512, those with the smallest hashes."""
    return by_text([names_in(segments) for segments in levels(texts)], len(texts), ATOMS_PER_TEXT)


def shingles(texts: Sequence[str | None]) -> pa.ListArray:
    """The winnowed hashes of each text and of what it encodes, as list<uint64>, ascending and unique: at most 4,096."""
    return by_text([wording_of(segments) for segments in levels(texts)], len(texts), SHINGLES_PER_TEXT)


def atoms_and_shingles(texts: Sequence[str | None]) -> tuple[pa.ListArray, pa.ListArray]:
    """Both, for the price of one decoding."""
    decoded = levels(texts)
    names, wording = [names_in(segments) for segments in decoded], [wording_of(segments) for segments in decoded]
    return by_text(names, len(texts), ATOMS_PER_TEXT), by_text(wording, len(texts), SHINGLES_PER_TEXT)


def atom(kind: Kind, value: str) -> int:
    """The atom of one normalised value: names in lower case, a URL without its scheme, a SECRET's 16 hex digits."""
    return atom_of(kind, value.encode("utf-8", "surrogatepass"))


def warm() -> None:
    """Compile (or load from cache) everything, so that the first batch is as fast as the others."""
    atoms_and_shingles(["warm", None, "é"])
