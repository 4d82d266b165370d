"""Calls of one trace that have nothing to do with one another: an agent's calls side by side, of which nobody else told anything.

Column by column what `store.identity` does one by one: a test asks for the same answer of both. What does not fit exactly is left to it.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from store.heard import NO_KEY, Flags, Keys
from store.identity import TOLD

Codes = npt.NDArray[np.int64]

_ABSENT = -1


def siblings(observations: pa.Table, traces: Keys, candidates: Flags) -> Flags:
    """Which of the candidates are calls by themselves although their trace has others.

    So are all sightings of a trace if all are candidates, none names a span around it, no span and no tool-call id comes twice, and all say the
    same of session, agent and principal, so that none has anything to give to another.
    """
    if not (candidates & (traces != NO_KEY)).any():
        return np.zeros(len(traces), np.bool_)
    _, places = np.unique(traces, return_inverse=True)
    spans, named = _codes(observations["span_id"]), _codes(observations["tool_call_id"])
    unfit = ~candidates | (traces == NO_KEY) | (_codes(observations["parent_span_id"]) != _ABSENT) | (spans == _ABSENT)
    unfit |= _twice(places, spans) | (_twice(places, named) & (named != _ABSENT))
    count = int(places.max()) + 1
    for column in TOLD:
        said = _codes(observations[column])
        least, most = np.full(count, np.iinfo(np.int64).max), np.full(count, _ABSENT)
        np.minimum.at(least, places, said)
        np.maximum.at(most, places, said)
        unfit |= (least != most)[places]
    spoiled = np.zeros(count, np.bool_)
    spoiled[places[unfit]] = True
    return np.asarray(~spoiled[places])


def _codes(column: pa.ChunkedArray) -> Codes:
    """Equal values as equal numbers; `_ABSENT` for null."""
    coded: Any = pc.dictionary_encode(column).combine_chunks()
    indices = coded.indices if isinstance(coded, pa.DictionaryArray) else pa.array([], pa.int32())
    return np.asarray(pc.fill_null(indices.cast(pa.int64()), _ABSENT))


def _twice(places: Codes, codes: Codes) -> Flags:
    """Which rows share their code with another one of their trace."""
    both = places.astype(np.int64) * (int(codes.max(initial=0)) + 2) + codes + 1
    _, back, counts = np.unique(both, return_inverse=True, return_counts=True)
    return np.asarray(counts[back] > 1)
