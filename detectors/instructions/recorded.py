"""Whether the log holds all of a result."""

from collections.abc import Mapping
from typing import Any

_SHORTEST_CUT = 1_024
"""Logs cut texts at a power of two."""

def cut_off(call: Mapping[str, Any], result: str) -> bool:
    """Whether a result goes on past what was recorded: the record says so, or it is exactly as long as logs let texts be."""
    if call.get("result_state") == "truncated" or result.endswith(("\u2026", "...", "[truncated]")):
        return True
    if len(result) >= _SHORTEST_CUT and len(result).bit_count() == 1:
        return True
    length = len(result) if result.isascii() else len(result.encode("utf-8", "replace"))
    return length >= _SHORTEST_CUT and length.bit_count() == 1
