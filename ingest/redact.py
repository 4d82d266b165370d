"""Secrets masked before anything touches disk: each becomes `[secret:KIND:DIGEST]`, and equal secrets become equal masks.

Three passes: shapes that speak for themselves (`AKIA...`, PEM blocks), runs of base64 or hex that hide such a shape, then values that only
their surroundings give away (`password=...`, `scheme://user:...@host`). Patterns run on UTF-8 bytes in RE2, so time is linear whatever an
attacker writes; one pattern with everything in it is the prefilter, and when memory is short RE2 turns to a slower automaton, never to "no match".
"""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import re2

from ingest.encoded_secrets import replace_encoded, rows_with_encoded
from ingest.fingerprint.segments import as_column, bytes_of
from ingest.secret_kinds import ASSIGNED, CONTEXTS, MARKER, NOT_CREDENTIALS, PHRASES, PLACEHOLDERS, SHAPES

_DIGEST_HEX: Final = 16  # 64 bits: no chance collision among the secrets of one workspace
_LONGEST_PHRASE: Final = 128  # bytes; a longer quoted value with blanks in it is prose, not a pass phrase
_KEY_BYTES: Final = 40  # how far before a credential word its name is read ("next_page_" before "token")
_AUTOMATON_BYTES: Final = 256 << 20


def _compiled(pattern: str, captures: bool) -> "re2._Regexp":
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # bytes: half the automaton that UTF-8 needs
    options.max_mem = _AUTOMATON_BYTES
    options.never_capture = not captures
    return re2.compile(pattern.encode("latin-1"), options)


_ANYTHING: Final = _compiled("|".join(pattern for _, pattern in (*SHAPES, *CONTEXTS)), captures=False)
_PLACEHOLDER: Final = _compiled(PLACEHOLDERS, captures=False)
_NOT_CREDENTIAL: Final = _compiled(NOT_CREDENTIALS, captures=False)
_PHRASE: Final = _compiled(PHRASES, captures=False)
_NAME: Final = _compiled(r"[A-Za-z0-9_-]*$", captures=False)
_ESCAPES: Final = _compiled(r"\\+[nrt]|\s", captures=False)


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that was masked: its kind and the first 16 hex characters of HMAC-SHA256(key, secret)."""

    kind: str
    digest: str


class Redactor:
    """Masks secrets under one key; without the key a mask says nothing about its secret."""

    def __init__(self, key: bytes) -> None:
        self.key = key

    def mask(self, text: str) -> tuple[str, list[Secret]]:
        """The text with each secret replaced by its mask, and the secrets in the order found; masks already there stay."""
        masked, secrets = self.mask_all([text])
        return masked[0] or "", secrets[0]

    def mask_all(self, texts: Sequence[str | None]) -> tuple[list[str | None], list[list[Secret]]]:
        """`mask` for a batch; a text without anything like a secret costs two scans, of which the one for encoded secrets is short."""
        masked: list[str | None] = list(texts)
        secrets: list[list[Secret]] = [[] for _ in masked]
        encoded = frozenset(rows_with_encoded(*bytes_of(as_column(texts)), _ANYTHING.search))
        for row, text in enumerate(texts):
            if text and (_ANYTHING.search(data := text.encode("utf-8", "surrogatepass")) or row in encoded):
                masked[row], secrets[row] = self._mask(text, data)
        return masked, secrets

    def suspects(self, data: "np.ndarray[Any, Any]", ends: "np.ndarray[Any, Any]") -> list[int]:
        """Which of the texts in `data`, each followed by a NUL at `ends`, may hold a secret: one scan over all of them."""
        rows: list[int] = []
        position = 0
        while (found := _ANYTHING.search(data, position)) is not None:
            row = int(np.searchsorted(ends, found.start(), side="right"))
            rows.append(row)
            position = int(ends[row])  # at the NUL, which stands before the next text for patterns that ask what does
        starts = np.concatenate((np.zeros(1, dtype=np.int64), ends[:-1] + 1))[: len(ends)]
        return sorted({*rows, *rows_with_encoded(data, starts, ends, _ANYTHING.search)})

    def _mask(self, text: str, data: bytes) -> tuple[str, list[Secret]]:
        found: list[Secret] = []

        def mark(kind: str, value: bytes) -> bytes:
            digest = hmac.digest(self.key, _canonical(value), "sha256").hex()[:_DIGEST_HEX]
            found.append(Secret(kind, digest))
            return f"[secret:{kind}:{digest}]".encode()

        clean = _CONTEXT_PASS.replace(replace_encoded(_SHAPE_PASS.replace(data, mark), _shape_in, mark), mark)
        return (clean.decode("utf-8", "surrogatepass"), found) if found else (text, found)


class _Pass:
    """One alternation over many kinds: group 1 is a mask already there, group i + 2 the secret of kind i."""

    def __init__(self, kinds: Sequence[tuple[str, str]]) -> None:
        self._kinds = [kind for kind, _ in kinds]
        self._finds = _compiled("|".join([f"({MARKER})", *(pattern for _, pattern in kinds)]), captures=True)
        if self._finds.groups != len(kinds) + 1:
            raise AssertionError("each kind needs exactly one group")

    def replace(self, data: bytes, mark: Callable[[str, bytes], bytes]) -> bytes:
        """The text with every secret replaced by what `mark` returns for it."""
        pieces: list[bytes] = []
        kept = position = 0
        while (found := self._finds.search(data, position)) is not None:
            group = next(g for g in range(1, self._finds.groups + 1) if found.start(g) >= 0)
            start, end = found.span(group)
            start += _rest_of_escape(data, start)
            position = max(end, position + 1)
            if group == 1:
                continue
            kind, value = self._kinds[group - 2], data[start:end]
            if kind == ASSIGNED:
                kind = _assigned_kind(data, found.start(), start, value)
            elif not _plausible(kind, value):
                kind = ""
            if kind:
                pieces += (data[kept:start], mark(kind, value))
                kept = end
            elif b" " in value and self._kinds[group - 2] == ASSIGNED:
                position = start  # prose in quotes: look inside it. It is read again only up to the next quote, so time stays linear
        return b"".join([*pieces, data[kept:]]) if pieces else data


_SHAPE_PASS: Final = _Pass(SHAPES)
_CONTEXT_PASS: Final = _Pass(CONTEXTS)


def _shape_in(data: bytes) -> tuple[str, bytes] | None:
    """Kind and value of the first secret that speaks for itself."""
    found: list[tuple[str, bytes]] = []

    def note(kind: str, value: bytes) -> bytes:
        found.append((kind, value))
        return b""

    _SHAPE_PASS.replace(data, note)
    return found[0] if found else None


def _rest_of_escape(data: bytes, start: int) -> int:
    r"""How many bytes at `start` belong to an escape: 1 in "\n|ame", 5 in "\u001f|name"; they must stay for JSON to stay JSON."""
    slash = start
    while slash > 0 and data[slash - 1] == 92:
        slash -= 1
    if (start - slash) % 2 == 0:
        return 0
    return 5 if data[start : start + 1] == b"u" else 1 if data[start] in b"bfnrt/" else 0


def _canonical(secret: bytes) -> bytes:
    r"""The secret as it is, not as it is written: "\/" is "/", and a PEM block has no line breaks."""
    bare = secret.replace(b"\\/", b"/")
    return bytes(_ESCAPES.sub(b"", bare)) if bare.startswith(b"-----BEGIN") else bare


def _plausible(kind: str, value: bytes) -> bool:
    if kind == "card-number":
        return _luhn(value)
    if kind == "bearer-token":
        return any(48 <= byte <= 57 for byte in value)
    if kind == "basic-auth" and value.isdigit():
        return False  # docker run -u 1000:1000
    if kind in ("url-password", "database-password", "authorization", "basic-auth", "password"):
        return not _PLACEHOLDER.search(value)
    return True


def _assigned_kind(data: bytes, key_start: int, start: int, value: bytes) -> str:
    """Which kind a value after a credential's name is, or "" where it is none: a placeholder, a page token, a number, a word."""
    head = data[max(0, key_start - _KEY_BYTES) : key_start]
    prefix = head[_NAME.search(head).start() :]
    name = prefix + data[key_start:start]
    if _PLACEHOLDER.search(value) or _NOT_CREDENTIAL.search(name):
        return ""
    blank = b" " in value
    if _PHRASE.search(name):
        bare = data[start - 1 : start] not in b"\"'"
        weak = value.isalpha() and value.islower() and bare and b"=" not in data[key_start:start]  # "password: required"
        return "password" if len(value) >= 4 and not weak and not (blank and len(value) > _LONGEST_PHRASE) else ""
    mixed = any(48 <= byte <= 57 for byte in value) and any(byte >= 65 for byte in value)
    return "assigned-secret" if len(value) >= 8 and not blank and (mixed or len(set(value)) >= 12) else ""


def _luhn(number: bytes) -> bool:
    """ISO/IEC 7812-1 annex B; a number whose digits are all equal passes nowhere."""
    digits = [byte - 48 for byte in number if 48 <= byte <= 57]
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return len(set(digits)) > 1 and (sum(digits[-1::-2]) + doubled) % 10 == 0
