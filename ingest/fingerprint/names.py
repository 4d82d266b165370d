"""Hashed names: addresses, hosts, accounts, paths, secrets, tokens."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from enum import IntEnum
from ipaddress import ip_address
from typing import Final

import numpy as np

from ingest.fingerprint.encodings import NAME_END, Array
from ingest.fingerprint.matching import compiled, matches
from ingest.fingerprint.segments import Segments


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
_NAMED: Final = compiled(
    "|".join(
        (
            r"\[secret:[a-z0-9-]{2,24}:[0-9a-f]{16}\]",
            rf"(?:\b[A-Za-z][A-Za-z0-9+.-]{{1,15}}://|\b[wW]{{3}}\.)[^{NAME_END}]+",
            rf"\b[A-Za-z0-9][A-Za-z0-9._%+-]{{0,63}}@(?:{_LABEL}){{1,8}}[A-Za-z0-9-]{{2,24}}\b",
            rf"(?:^|[^A-Za-z0-9_./~-])(?:~{_SEGMENT}|{_SEGMENT}{_SEGMENT})(?:{_SEGMENT})*",
            rf"\b(?:(?:{_LABEL}){{2,8}}(?i:{_WEAK_TLD})|(?:{_LABEL}){{1,8}}(?i:{_TLD}))\b(?:/[^{NAME_END}]*)?",
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
_WINDOWS: Final = compiled(  # the same number of backslashes all along: 1, 2 in JSON, 4 in JSON in JSON
    "|".join(rf"\b[A-Za-z]:(?:{bar}{_FOLDER}(?: {_FOLDER}){{0,3}})+{bar}{_FOLDER}" for bar in (r"\\" * 4, r"\\" * 2, r"\\"))
)
_BARS: Final = compiled(r"\\+")
_DATE: Final = compiled(  # and times in seconds, milliseconds... since 1970
    r"^(?:19|20)[0-9]{2}-?[01][0-9]-?[0-3][0-9](?:$|[T_-])|^1[0-9]{9}(?:[0-9]{3}){0,3}$|^20[0-9]{10}(?:[0-9]{2}(?:[0-9]{3})?)?$"
)
_IBAN: Final = compiled(r"^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$")
_CODE_HOSTS: Final = frozenset((b"github.com", b"gitlab.com", b"bitbucket.org", b"raw.githubusercontent.com", b"codeberg.org"))
_NESTED: Final = 2  # how deep URLs are read inside URLs


def names_in(segments: Segments) -> tuple[Array, Array]:
    """The atoms of all segments, and whose they are. What a name means is worked out once per batch, however often it stands there."""
    known: dict[bytes, tuple[int, ...]] = {}
    values: list[int] = []
    positions: list[int] = []
    for position, name in matches(_NAMED, segments.text):
        if (read := known.get(name)) is None:
            read = known[name] = tuple(_read(name, 0))
        if read:
            values += read
            positions += [position] * len(read)
    owners = segments.owner_of(positions)
    if b":\\" in segments.raw:
        whose, paths = segments.raw_matches(_WINDOWS)
        values += [atom_of(Kind.PATH, _BARS.sub(rb"\\", path).lower()) for path in paths]
        owners = np.concatenate((owners, whose))
    return np.array(values, dtype=np.uint64), owners


def atom_of(kind: Kind, value: bytes) -> int:
    """64 bits: a hash of the value, and in the low four its kind."""
    digest = hashlib.blake2b(value, digest_size=8, person=kind.name.encode()).digest()
    return int.from_bytes(digest, "little") & ~15 | kind


def _read(name: bytes, depth: int) -> Iterator[int]:
    """The atoms of one match of `_NAMED`, told apart by their characters."""
    first = name[:1]
    if name.startswith(b"[secret:"):
        yield atom_of(Kind.SECRET, name[-17:-1])
    elif first == b"#" or first == b"@":
        yield atom_of(Kind.HANDLE, name.lower().rstrip(b".-_"))
    elif first == b"+":
        digits = name.translate(None, b"+ ().-")
        if 8 <= len(digits) <= 15:
            yield atom_of(Kind.PHONE, b"+" + digits)
    elif b"://" in name or name[:4].lower() == b"www.":
        yield from _read_url(name.partition(b"://")[2] or name, depth)
    elif not name[:1].isalnum() and first != b"_" and first != b":":
        yield atom_of(Kind.PATH, (name if first in b"/~" else name[1:]).rstrip(b"./"))
    elif b"@" in name:
        yield atom_of(Kind.EMAIL, name.lower())
        yield atom_of(Kind.HOST, name.lower().rpartition(b"@")[2])
    elif b":" in name:
        with suppress(ValueError):
            address = ip_address(name.decode())
            if any(48 <= byte <= 57 for byte in name):
                yield atom_of(Kind.HOST, address.compressed.encode())
    elif b" " in name:
        account = name.replace(b" ", b"").decode()
        if int("".join(str(int(c, 36)) for c in account[4:] + account[:4])) % 97 == 1:  # ISO 13616
            yield atom_of(Kind.ACCOUNT, account.encode())
    elif b"/" in name:
        yield from _read_url(name, depth)
    elif b"." in name:
        if not name.replace(b".", b"").isdigit() or all(int(part) < 256 for part in name.split(b".")):
            yield atom_of(Kind.HOST, name.lower())
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
            yield atom_of(Kind.PATH, slash + tail)  # file:///...
        return
    yield atom_of(Kind.URL, address + slash + tail)
    yield atom_of(Kind.HOST, address.partition(b"?")[0].partition(b"#")[0].partition(b":")[0])
    parts = tail.partition(b"?")[0].split(b"/")
    if address in _CODE_HOSTS and len(parts) > 1:
        yield atom_of(Kind.HANDLE, b"/".join(parts[:2]).lower().removesuffix(b".git"))
    if depth < _NESTED:
        for _, name in matches(_NAMED, authority[: -len(address)] + b" " + tail):
            yield from _read(name, depth + 1)


def _read_word(word: bytes) -> Iterator[int]:
    """Letters, digits, "-" and "_": an account, a token, or (a date, a word with a number) nothing."""
    size, digits = len(word), sum(48 <= byte <= 57 for byte in word)
    lower = word.lower()
    hexes = len(lower) - len(lower.translate(None, b"0123456789abcdef"))
    if digits == size:
        if 10 <= size <= 19 and not _DATE.search(word):
            yield atom_of(Kind.ACCOUNT, word)  # orders, accounts; not times since 1970
    elif size == 42 and lower.startswith(b"0x") and hexes == 41:
        yield atom_of(Kind.ACCOUNT, lower)
    elif digits >= 8 and _IBAN.search(word):
        yield atom_of(Kind.ACCOUNT, word)
    elif _DATE.search(word):
        return
    elif size >= 16 and hexes + lower.count(b"-") == size:
        yield atom_of(Kind.TOKEN, lower)
    elif size >= 12 and digits >= 3 and size - digits - word.count(b"-") - word.count(b"_") >= 2:
        yield atom_of(Kind.TOKEN, word)
