"""Whether the log holds all of a result."""

from collections.abc import Mapping
from typing import Any

_SHORTEST_CUT = 1_024
"""Logs cut texts at a power of two."""

def cut_off(call: Mapping[str, Any], result: str) -> bool:
    """Whether a result goes on past what was recorded: the record says so, or it is exactly as long as logs let texts be."""
    if call.get("result_state") == "truncated" or result.endswith(("\u2026", "...", "[truncated]")):
        return True
    return any(n >= _SHORTEST_CUT and n & (n - 1) == 0 for n in (len(result), len(result.encode("utf-8", "replace"))))
