"""What one tool gave to read in a session: its words, the values it was called with, and whether the log holds all of it."""

from collections.abc import Iterable, Mapping
from typing import Any

from detectors.instructions.sentences import Reading

_SHORTEST_CUT = 1_024
"""Logs cut texts at a power of two."""
_KEPT = 50
"""Calls that are remembered one by one, the latest."""


class Recorded:
    """The tokens of what was read."""

    def __init__(self) -> None:
        self._read: set[str] = set()
        self._calls: dict[str, frozenset[str]] = {}
        self.papers: set[str] = set()
        """With which values the tool was called."""
        self.cut_off = False
        """The log holds only the beginning of something that it gave."""

    def add(self, call_id: str, reading: Reading, values: Iterable[str], cut: bool) -> None:
        """One more result."""
        tokens = reading.tokens
        self._read |= tokens
        self._calls[call_id] = tokens
        if len(self._calls) > _KEPT:
            del self._calls[next(iter(self._calls))]
        self.papers.update(values)
        self.cut_off = self.cut_off or cut

    def __contains__(self, token: str) -> bool:
        return token in self._read

    def first_holding(self, tokens: Iterable[str]) -> str:
        """The first of the latest calls whose result holds most of these."""
        wanted = frozenset(tokens)
        return max(self._calls, key=lambda call_id: len(self._calls[call_id] & wanted))


def cut_off(call: Mapping[str, Any], result: str) -> bool:
    """Whether a result goes on past what was recorded: the record says so, or it is exactly as long as logs let texts be."""
    if call.get("result_state") == "truncated" or result.endswith(("\u2026", "...", "[truncated]")):
        return True
    return any(n >= _SHORTEST_CUT and n & (n - 1) == 0 for n in (len(result), len(result.encode("utf-8", "replace"))))
