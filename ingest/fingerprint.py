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

import binascii
import hashlib
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import suppress
from enum import IntEnum
from functools import cache
from ipaddress import ip_address
from typing import Any, Final, TypeAlias
from urllib.parse import unquote_to_bytes

import numpy as np
import pyarrow as pa
import re2
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
    return _lists([_names(segments) for segments in _levels(texts)], len(texts), ATOMS_PER_TEXT)


def shingles(texts: Sequence[str | None]) -> pa.ListArray:
    """The winnowed hashes of each text and of what it encodes, as list<uint64>, ascending and unique: at most 4,096."""
    return _lists([_wording(segments) for segments in _levels(texts)], len(texts), SHINGLES_PER_TEXT)


def atoms_and_shingles(texts: Sequence[str | None]) -> tuple[pa.ListArray, pa.ListArray]:
    """Both, for the price of one decoding."""
    levels = _levels(texts)
    names, wording = [_names(segments) for segments in levels], [_wording(segments) for segments in levels]
    return _lists(names, len(texts), ATOMS_PER_TEXT), _lists(wording, len(texts), SHINGLES_PER_TEXT)


def atom(kind: Kind, value: str) -> int:
    """The atom of one normalised value: names in lower case, a URL without its scheme, a SECRET's 16 hex digits."""
    return _atom(kind, value.encode("utf-8", "surrogatepass"))


def warm() -> None:
    """Compile (or load from cache) everything, so that the first batch is as fast as the others."""
    atoms_and_shingles(["warm", None, "é"])


# --- texts as one buffer of segments; level 0 the texts, levels 1 and 2 what they encode -------------------------------------------------

_LEVELS: Final = 3


class _Segments:
    """Pieces of one byte buffer with their escapes undone; `owners` says whose text each belongs to, ascending."""

    def __init__(self, raw: bytes, starts: Array, ends: Array, owners: Array) -> None:
        self.raw, self.raw_starts, self.raw_ends, self.owners = raw, starts, ends, owners
        self.data, self.starts, self.ends = _unescape(np.frombuffer(raw + b"\n", dtype=np.uint8), starts, ends)
        self.text = self.data.tobytes()

    def owner_of(self, positions: list[int]) -> Array:
        """The text that each position in `text` belongs to."""
        return self.owners[np.searchsorted(self.starts, np.array(positions, dtype=np.int64), side="right") - 1]

    def raw_matches(self, pattern: Any) -> tuple[Array, list[bytes]]:
        """Matches in the text before its escapes were undone: whose they are, and their bytes."""
        found = list(_each(pattern, self.raw))
        positions = np.array([position for position, _ in found], dtype=np.int64)
        rows = np.searchsorted(self.raw_starts, positions, side="right") - 1
        examined = positions < self.raw_ends[rows]
        return self.owners[rows[examined]], [match for (_, match), kept in zip(found, examined, strict=True) if kept]

    def inner(self) -> "_Segments":
        """What the segments hold in encoded form, as segments."""
        pieces: list[bytes] = []
        where: list[int] = []
        for position, encoded in _each(_ENCODED, self.text):
            decoded = list(_decoded(encoded))
            pieces += decoded
            where += [position] * len(decoded)
        ends = np.cumsum(np.array([len(piece) for piece in pieces], dtype=np.int64))
        starts = np.concatenate((np.zeros(1, dtype=np.int64), ends))[:-1]
        return _Segments(b"".join(pieces), starts, ends, self.owner_of(where))


def _levels(texts: Sequence[str | None]) -> list[_Segments]:
    try:
        column = pa.array(texts, pa.large_string())
    except UnicodeEncodeError:  # lone surrogates
        column = pa.array([None if text is None else text.encode("utf-8", "surrogatepass") for text in texts], pa.large_binary())
    _, offsets, data = column.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int64, count=len(texts) + 1) if len(texts) else np.zeros(1, dtype=np.int64)
    ends = np.minimum(bounds[1:], bounds[:-1] + EXAMINED_BYTES)
    levels = [_Segments(data.to_pybytes() if data else b"", bounds[:-1].copy(), ends, np.arange(len(texts), dtype=np.int64))]
    while len(levels) < _LEVELS and len(levels[-1].owners):
        levels.append(levels[-1].inner())
    return levels


def _lists(found: list[tuple[Array, Array]], rows: int, most: int) -> pa.ListArray:
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


# --- undoing escapes and encodings --------------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def _hex_number(data: Array, start: int, end: int) -> int:
    """The number that data[start:end] spells in hex, -1 where it spells none."""
    number = 0
    for i in range(start, end):
        byte = data[i]
        if 48 <= byte <= 57:
            number = number * 16 + byte - 48
        elif 97 <= byte | 32 <= 102:
            number = number * 16 + (byte | 32) - 87
        else:
            return -1
    return number


@njit(cache=True, nogil=True)
def _unescape(data: Array, starts: Array, ends: Array) -> tuple[Array, Array, Array]:
    r"""Segments with their backslash escapes undone, however many backslashes they have ("\n" and "\\\\n" are both a line break),
    each followed by a NUL. So a text, its JSON and the JSON of its JSON become equal but for punctuation.
    """
    total = 0
    for s in range(len(starts)):
        total += ends[s] - starts[s] + 1
    out = np.zeros(total + 8, dtype=np.uint8)
    out_starts, out_ends = np.empty_like(starts), np.empty_like(ends)
    o = 0
    for s in range(len(starts)):
        out_starts[s] = o
        i, end = starts[s], ends[s]
        while i < end:
            if data[i] != 92:
                out[o] = data[i]
                o += 1
                i += 1
                continue
            while i < end and data[i] == 92:
                i += 1
            c = data[i] if i < end else 0
            point = -1
            if c == 110 or c == 114 or c == 116 or c == 98 or c == 102:  # n, r, t, b, f
                point = 9 if c == 116 else 10
                i += 1
            elif c == 34 or c == 39 or c == 47:  # quotes and slash
                point = c
                i += 1
            elif c == 120 and i + 3 <= end:  # x41, of Python and JavaScript
                point = _hex_number(data, i + 1, i + 3)
                i += 3 if point >= 0 else 0
            elif c == 117 and i + 5 <= end:  # u0041
                point = _hex_number(data, i + 1, i + 5)
                i += 5 if point >= 0 else 0
                j = i
                while j < end and data[j] == 92:
                    j += 1
                if 0xD800 <= point < 0xDC00 and i < j and j + 5 <= end and data[j] == 117:
                    low = _hex_number(data, j + 1, j + 5)
                    if 0xDC00 <= low < 0xE000:
                        point = 0x10000 + (point - 0xD800 << 10) + (low - 0xDC00)
                        i = j + 5
            if point < 0:
                point = 92
            if point < 128:
                out[o] = point
                o += 1
            else:
                more = 1 if point < 0x800 else 2 if point < 0x10000 else 3
                out[o] = (0xF80 >> more & 0xFF) | point >> 6 * more
                for j in range(more):
                    out[o + more - j] = 0x80 | point >> 6 * j & 63
                o += more + 1
        out_ends[s] = o
        o += 1
    return out[:o], out_starts, out_ends


def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.never_capture = True
    options.max_mem = 64 << 20
    return re2.compile(pattern.encode("latin-1"), options)


def _each(pattern: Any, data: bytes) -> Iterator[tuple[int, bytes]]:
    """Where each match starts, and its bytes."""
    match, anchor, position, end = pattern._regexp.Match, re2._Anchor.UNANCHORED, 0, len(data)
    while (start := (span := match(anchor, data, position, end)[0])[0]) >= 0:
        position = span[1]
        yield start, data[start:position]


_SEXTET: Final = "[A-Za-z0-9+/_-]"
_END: Final = r"\x00-\x20\"'`<>(){}\[\]|,;\\*"  # what ends a token
# Base64 or hex, wrapped as MIME (76) and PEM (64) wrap it or in one piece; a token with percent codes in it.
_ENCODED: Final = _compiled(
    rf"[^%{_END}]{{0,64}}%[0-9A-Fa-f]{{2}}[^{_END}]{{9,}}|(?:{_SEXTET}{{60,}}\r?\n)+{_SEXTET}+|{_SEXTET}{{32,}}"
)
_HEX: Final = _compiled("[0-9A-Fa-f]{48,}")
# What reads as text: UTF-8, or ASCII in UTF-16; 20 random bytes in a row practically never do.
_READABLE: Final = _compiled(
    r"(?:\x00?[\x09-\x0d\x20-\x7e]\x00?|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}){20,}"
)


def _decoded(encoded: bytes) -> Iterator[bytes]:
    """The readable texts in an encoded run: base64 at every alignment (words may run into it), hex at both."""
    if b"%" in encoded:
        yield unquote_to_bytes(encoded.replace(b"+", b" "))
        return
    sextets = encoded.translate(_STANDARD, b"\r\n")
    for shift in range(4):
        whole = sextets[shift:]
        rest = len(whole) % 4
        plain = binascii.a2b_base64(whole[: len(whole) - rest] + (whole[-rest:] + b"=" * (4 - rest) if rest > 1 else b""))
        yield from (text.replace(b"\x00", b"") for _, text in _each(_READABLE, plain))
    for _, run in _each(_HEX, encoded):
        for shift in range(2):
            digits = run[shift:]
            plain = bytes.fromhex(digits[: len(digits) & ~1].decode())
            yield from (text.replace(b"\x00", b"") for _, text in _each(_READABLE, plain))


_STANDARD: Final = bytes.maketrans(b"-_", b"+/")


# --- wording ------------------------------------------------------------------------------------------------------------------------------

_LAST_LETTER = 0x33480  # no letter or digit lies beyond (Unicode 17); variation selectors and tags do


@cache
def _letters() -> tuple[Array, Array]:
    """For each code point where its letters lie in the pool, as (start << 8 | count): case-folded, NFKD, marks and the rest left out."""
    index = np.zeros(_LAST_LETTER, dtype=np.int64)
    pool: list[int] = []
    for point in range(_LAST_LETTER):
        char = chr(point)
        if not char.isalnum() and not unicodedata.decomposition(char):
            continue
        plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
        letters = [ord(c) for c in plain if c.isalnum()]
        index[point] = len(pool) << 8 | len(letters)
        pool += letters
    return index, np.array(pool, dtype=np.uint64)


@njit(cache=True, nogil=True, inline="always")
def _mix(x: np.uint64) -> np.uint64:
    """The finaliser of splitmix64 (Steele, Lea, Flood 2014)."""
    h = x + np.uint64(0x9E3779B97F4A7C15)
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return h ^ (h >> np.uint64(31))


@njit(cache=True, nogil=True)
def _normalise(data: Array, i: int, end: int, index: Array, pool: Array, ascii_letters: Array, out: Array) -> int:
    """One segment as letters and digits, each mixed to 64 bits; how many."""
    n = 0
    while i < end:
        byte = data[i]
        i += 1
        if byte < 128:
            letter = ascii_letters[byte]
            out[n] = letter
            n += letter != 0
            continue
        more = 1 if 0xC2 <= byte < 0xE0 else 2 if 0xE0 <= byte < 0xF0 else 3 if 0xF0 <= byte < 0xF5 else 0
        if more == 0 or i + more > end:
            continue
        point = np.int64(byte & (63 >> more))
        for j in range(i, i + more):
            point = point << 6 | np.int64(data[j] & 63)
        i += more
        if point < len(index):
            where = index[point]
            for j in range(where >> 8, (where >> 8) + (where & 255)):
                out[n] = _mix(pool[j])
                n += 1
    return n


def _wording(segments: _Segments) -> tuple[Array, Array]:
    return _winnow(segments.data, segments.starts, segments.ends, segments.owners, *_letters())


@njit(cache=True, nogil=True)
def _winnow(data: Array, starts: Array, ends: Array, owners: Array, index: Array, pool: Array) -> tuple[Array, Array]:
    """The smallest gram hash of every window of every segment, and whose it is."""
    longest = total = 0
    for s in range(len(starts)):
        longest = max(longest, ends[s] - starts[s])
        total += ends[s] - starts[s]
    ascii_letters = np.zeros(128, dtype=np.uint64)
    for point in range(128):
        lower = point + 32 if 65 <= point <= 90 else point
        if 48 <= lower <= 57 or 97 <= lower <= 122:
            ascii_letters[point] = _mix(np.uint64(lower))
    text = np.empty(18 * longest + 8, dtype=np.uint64)  # one character of 3 bytes may stand for 18 letters
    hashes = np.empty(18 * longest + 8, dtype=np.uint64)
    values, whose = np.empty(total + 8, dtype=np.uint64), np.empty(total + 8, dtype=np.int64)
    base, power = np.uint64(0x9E3779B97F4A7C15), np.uint64(1)
    for _ in range(_GRAM):
        power *= base
    nothing = np.uint64(0xFFFFFFFFFFFFFFFF)
    found = 0
    for s in range(len(starts)):
        n = _normalise(data, starts[s], ends[s], index, pool, ascii_letters, text)
        if n < _GRAM:
            continue
        rolling = np.uint64(0)
        alike = 0  # how many characters in a row equal one of the four before
        for i in range(n):
            rolling = rolling * base + text[i]
            if i >= _GRAM:
                rolling -= power * text[i - _GRAM]
            same = i >= 4 and (text[i] == text[i - 1] or text[i] == text[i - 2] or text[i] == text[i - 3] or text[i] == text[i - 4])
            alike = alike + 1 if same else 0
            if i >= _GRAM - 1:
                hashes[i - _GRAM + 1] = nothing if alike >= _GRAM - 4 else _mix(rolling)
        grams = n - _GRAM + 1
        smallest = last = -1
        for i in range(grams):
            if smallest <= i - _WINDOW or smallest < 0:
                smallest = max(0, i - _WINDOW + 1)
                for j in range(smallest + 1, i + 1):
                    if hashes[j] <= hashes[smallest]:
                        smallest = j
            elif hashes[i] <= hashes[smallest]:
                smallest = i
            if (i >= _WINDOW - 1 or i == grams - 1) and smallest != last:
                last = smallest
                if hashes[smallest] != nothing and found < len(values):
                    values[found] = _mix(~hashes[smallest])  # mixed anew: winnowing favours small hashes, sampling must not
                    whose[found] = owners[s]
                    found += 1
    return values[:found], whose[:found]




# --- names --------------------------------------------------------------------------------------------------------------------------------

# No alternative may read far past what it takes, or many short matches would each pay for it: hence the bounds.
_LABEL: Final = r"[A-Za-z0-9_][A-Za-z0-9_-]*\."
# Endings that make two words with a dot a host. Those that also end file names or attributes (md, py, sh, id, name, info) do not;
# the weak ones are believed from three words on (db.corp.local, x.vercel.app).
_TLD: Final = (
    "com|org|net|edu|gov|mil|io|ai|co|uk|ru|cn|de|fr|nl|eu|jp|br|ch|kr|dev|xyz|site|online|top|club"
    "|onion|example|invalid|internal"
)
_WEAK_TLD: Final = (
    "app|cloud|local|lan|corp|home|test|tech|store|shop|space|website|link|live|me|tv|cc|us|ca|au|nz|in|at|be|it|es|pl|se|no|fi|dk|cz|pt|gr|ie"
    "|il|za|mx|ar|tr|ua|hk|sg|tw|th|vn|ph|biz|pro|page|run|host|press|icu|intranet|private"
)
_SEGMENT: Final = r"/[A-Za-z0-9_.@%+~\x80-\xff-]+"
_NAMED: Final = _compiled(
    "|".join(
        (
            r"\[secret:[a-z0-9-]{2,24}:[0-9a-f]{16}\]",
            rf"(?:\b[A-Za-z][A-Za-z0-9+.-]{{1,15}}://|\b[wW]{{3}}\.)[^{_END}]+",
            rf"\b[A-Za-z0-9][A-Za-z0-9._%+-]{{0,63}}@(?:{_LABEL}){{1,8}}[A-Za-z0-9-]{{2,24}}\b",
            rf"(?:^|[^A-Za-z0-9_./~-])(?:~{_SEGMENT}|{_SEGMENT}{_SEGMENT})(?:{_SEGMENT})*",
            rf"\b(?:(?:{_LABEL}){{2,8}}(?i:{_WEAK_TLD})|(?:{_LABEL}){{1,8}}(?i:{_TLD}))\b(?:/[^{_END}]*)?",
            r"\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b",
            r"(?:\b[0-9A-Fa-f]{1,4}|\B:):(?:[0-9A-Fa-f]{0,4}:){1,6}[0-9A-Fa-f]{1,4}\b",
            r"\B\+[0-9][0-9 ().-]{6,22}[0-9]\b",
            r"\b[A-Z]{2}[0-9]{2}(?: [A-Z0-9]{4}){3,7}(?: [A-Z0-9]{1,3})?\b",
            r"\B#[a-z][a-z0-9_-]{2,79}|\B@[A-Za-z0-9][A-Za-z0-9_.-]{2,38}",
            r"\b[A-Za-z_-]{0,64}[0-9][A-Za-z0-9_-]{7,}|\b[A-Za-z][A-Za-z_-]{7,64}[0-9][A-Za-z0-9_-]*",
        )
    )
)
_FOLDER: Final = r"[A-Za-z0-9_.~$@+-]+"
_WINDOWS: Final = _compiled(  # the same number of backslashes all along: 1, 2 in JSON, 4 in JSON in JSON
    "|".join(rf"\b[A-Za-z]:(?:{bar}{_FOLDER}(?: {_FOLDER}){{0,3}})+{bar}{_FOLDER}" for bar in (r"\\" * 4, r"\\" * 2, r"\\"))
)
_BARS: Final = _compiled(r"\\+")
_DATE: Final = _compiled(  # and times in seconds, milliseconds... since 1970
    r"^(?:19|20)[0-9]{2}-?[01][0-9]-?[0-3][0-9](?:$|[T_-])|^1[0-9]{9}(?:[0-9]{3}){0,3}$|^20[0-9]{10}(?:[0-9]{2}(?:[0-9]{3})?)?$"
)
_IBAN: Final = _compiled(r"^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$")
_CODE_HOSTS: Final = frozenset((b"github.com", b"gitlab.com", b"bitbucket.org", b"raw.githubusercontent.com", b"codeberg.org"))
_NESTED: Final = 2  # how deep URLs are read inside URLs


def _names(segments: _Segments) -> tuple[Array, Array]:
    """The atoms of all segments, and whose they are. What a name means is worked out once per batch, however often it stands there."""
    known: dict[bytes, tuple[int, ...]] = {}
    values: list[int] = []
    positions: list[int] = []
    for position, name in _each(_NAMED, segments.text):
        if (read := known.get(name)) is None:
            read = known[name] = tuple(_read(name, 0))
        if read:
            values += read
            positions += [position] * len(read)
    owners = segments.owner_of(positions)
    if b":\\" in segments.raw:
        whose, paths = segments.raw_matches(_WINDOWS)
        values += [_atom(Kind.PATH, _BARS.sub(rb"\\", path).lower()) for path in paths]
        owners = np.concatenate((owners, whose))
    return np.array(values, dtype=np.uint64), owners


def _atom(kind: Kind, value: bytes) -> int:
    digest = hashlib.blake2b(value, digest_size=8, person=kind.name.encode()).digest()
    return int.from_bytes(digest, "little") & ~15 | kind


def _read(name: bytes, depth: int) -> Iterator[int]:
    """The atoms of one match of `_NAMED`, told apart by their characters."""
    first = name[:1]
    if name.startswith(b"[secret:"):
        yield _atom(Kind.SECRET, name[-17:-1])
    elif first == b"#" or first == b"@":
        yield _atom(Kind.HANDLE, name.lower().rstrip(b".-_"))
    elif first == b"+":
        digits = name.translate(None, b"+ ().-")
        if 8 <= len(digits) <= 15:
            yield _atom(Kind.PHONE, b"+" + digits)
    elif b"://" in name or name[:4].lower() == b"www.":
        yield from _read_url(name.partition(b"://")[2] or name, depth)
    elif not name[:1].isalnum() and first != b"_" and first != b":":
        yield _atom(Kind.PATH, (name if first in b"/~" else name[1:]).rstrip(b"./"))
    elif b"@" in name:
        yield _atom(Kind.EMAIL, name.lower())
        yield _atom(Kind.HOST, name.lower().rpartition(b"@")[2])
    elif b":" in name:
        with suppress(ValueError):
            address = ip_address(name.decode())
            if any(48 <= byte <= 57 for byte in name):
                yield _atom(Kind.HOST, address.compressed.encode())
    elif b" " in name:
        account = name.replace(b" ", b"").decode()
        if int("".join(str(int(c, 36)) for c in account[4:] + account[:4])) % 97 == 1:  # ISO 13616
            yield _atom(Kind.ACCOUNT, account.encode())
    elif b"/" in name:
        yield from _read_url(name, depth)
    elif b"." in name:
        if not name.replace(b".", b"").isdigit() or all(int(part) < 256 for part in name.split(b".")):
            yield _atom(Kind.HOST, name.lower())
    else:
        yield from _read_word(name)


def _read_url(rest: bytes, depth: int) -> Iterator[int]:
    """A URL without its scheme: itself, its host, the repository it names, and the names inside its path and query."""
    rest = rest.rstrip(b".:!?&#=/")
    authority, slash, tail = rest.partition(b"/")
    address = authority.rpartition(b"@")[2].lower()
    address = address.removeprefix(b"www.")
    if not address:
        if tail:
            yield _atom(Kind.PATH, slash + tail)  # file:///...
        return
    yield _atom(Kind.URL, address + slash + tail)
    yield _atom(Kind.HOST, address.partition(b"?")[0].partition(b"#")[0].partition(b":")[0])
    parts = tail.partition(b"?")[0].split(b"/")
    if address in _CODE_HOSTS and len(parts) > 1:
        yield _atom(Kind.HANDLE, b"/".join(parts[:2]).lower().removesuffix(b".git"))
    if depth < _NESTED:
        for _, name in _each(_NAMED, authority[: -len(address)] + b" " + tail):
            yield from _read(name, depth + 1)


def _read_word(word: bytes) -> Iterator[int]:
    """Letters, digits, "-" and "_": an account, a token, or (a date, a word with a number) nothing."""
    size, digits = len(word), sum(48 <= byte <= 57 for byte in word)
    lower = word.lower()
    hexes = len(lower) - len(lower.translate(None, b"0123456789abcdef"))
    if digits == size:
        if 10 <= size <= 19 and not _DATE.search(word):
            yield _atom(Kind.ACCOUNT, word)  # orders, accounts; not times since 1970
    elif size == 42 and lower.startswith(b"0x") and hexes == 41:
        yield _atom(Kind.ACCOUNT, lower)
    elif digits >= 8 and _IBAN.search(word):
        yield _atom(Kind.ACCOUNT, word)
    elif _DATE.search(word):
        return
    elif size >= 16 and hexes + lower.count(b"-") == size:
        yield _atom(Kind.TOKEN, lower)
    elif size >= 12 and digits >= 3 and size - digits - word.count(b"-") - word.count(b"_") >= 2:
        yield _atom(Kind.TOKEN, word)
