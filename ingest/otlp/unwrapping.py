"""Payloads taken out of a framework's wrappings: the one part of some plans that is done value by value."""

from collections.abc import Sequence
from itertools import starmap
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.dialects.plan import Inside, Open
from ingest.otlp.wire import Array

_WRAPPED = ("arguments", "result")


def looked_into(look: Open, columns: dict[str, Any]) -> list[Inside | None]:
    """What is inside of each row's payloads; None where the row has to be read by itself."""
    return list(starmap(look, zip(*(columns[name].to_pylist() for name in _WRAPPED), strict=True)))


def opened(columns: dict[str, Any], found: Sequence[Inside], failed: Array) -> Array:
    """Put what was found in the place of what came; which calls failed. What was no text stays absent or hidden as it is."""
    for name in _WRAPPED:
        told = [getattr(one, name) for one in found]
        is_text = columns[name].is_valid()
        columns[name] = pc.if_else(is_text, _texts([text for text, _ in told]), None)
        columns[f"{name}_state"] = pc.if_else(is_text, pa.array([state.value for _, state in told], pa.string()), columns[f"{name}_state"])
    columns["tool_call_id"] = pc.coalesce(columns["tool_call_id"], _texts([one.tool_call_id for one in found]))
    return failed | np.array([one.failed for one in found], dtype=np.bool_)


def _texts(texts: Sequence[str | None]) -> pa.Array:
    try:
        return pa.array(texts, pa.string())
    except UnicodeEncodeError:  # JSON can tell lone surrogates; they become the replacement character
        return pa.array([None if text is None else text.encode("utf-8", "replace").decode() for text in texts], pa.string())
