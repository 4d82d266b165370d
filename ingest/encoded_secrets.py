"""Secrets that stand in base64 or hex: which texts hold a run that reads as one, and that run replaced whole."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
import re2

from ingest.fingerprint.encodings import decode, encoded_runs

Array: TypeAlias = np.ndarray[Any, Any]
_SHORTEST_RUN: Final = 27  # 20 characters, the size of the shortest unmistakable secrets
_EXAMINED_DIGITS: Final = 1 << 20  # of one run, and decoded at a time
_DIGIT: Final = r"(?:[A-Za-z0-9+_-]|\\?/)"  # of either alphabet; some JSON writers escape the slash
_LINE_END: Final = r"(?:\r?\n|(?:\\+r)?\\+n)"  # as itself, or escaped any number of times
_RUN: Final = re2.compile(rf"(?:{_DIGIT}{{60,}}{_LINE_END})+{_DIGIT}+={{0,2}}|{_DIGIT}{{{_SHORTEST_RUN},}}={{0,2}}".encode())
_NO_DIGIT: Final = re2.compile(rb"\\+[nr]|\s|\\|=")


def rows_with_encoded(data: Array, starts: Array, ends: Array, looks_secret: Callable[[bytes], Any]) -> list[int]:
    """Which of the texts, each at data[start:end], hold a run that reads as something that looks secret."""
    run_starts, run_ends, rows = encoded_runs(data, starts, ends, _SHORTEST_RUN)
    run_ends = np.minimum(run_ends, run_starts + _EXAMINED_DIGITS)
    total = np.cumsum(run_ends - run_starts)
    found: set[int] = set()
    first = 0
    while first < len(rows):
        last = max(first + 1, int(np.searchsorted(total, (total[first - 1] if first else 0) + _EXAMINED_DIGITS, side="right")))
        plain, begins, stops, runs = decode(data, run_starts[first:last], run_ends[first:last])
        found.update(int(rows[first + run]) for run, i, j in zip(runs, begins, stops, strict=True) if looks_secret(plain[i:j].tobytes()))
        first = last
    return sorted(found)


def replace_encoded(data: bytes, secret_in: Callable[[bytes], tuple[str, bytes] | None], mark: Callable[[str, bytes], bytes]) -> bytes:
    """The text with each run that hides a secret replaced by the mask of the first it hides."""
    pieces: list[bytes] = []
    kept = 0
    for found in _RUN.finditer(data):
        digits = np.frombuffer(_NO_DIGIT.sub(b"", found.group()), dtype=np.uint8)[:_EXAMINED_DIGITS]
        plain, starts, ends, _ = decode(digits, np.zeros(1, dtype=np.int64), np.full(1, len(digits)))
        hidden = (secret_in(plain[i:j].tobytes()) for i, j in zip(starts, ends, strict=True))
        if secret := next(filter(None, hidden), None):
            start = found.start() + _escape_before(data, found.start())
            pieces += (data[kept:start], mark(*secret))
            kept = found.end()
    return b"".join([*pieces, data[kept:]]) if pieces else data


def _escape_before(data: bytes, start: int) -> int:
    r"""How many bytes at `start` belong to an escape of any depth ("\n|QUtJ"); a run loses nothing by them, it is read at every alignment."""
    if data[start - 1 : start] != b"\\":
        return 0
    return 5 if data[start : start + 1] == b"u" else 1 if data[start] in b"bfnrt" else 0
