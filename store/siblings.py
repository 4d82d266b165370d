"""Calls of one trace that nobody else told anything of: an agent's calls side by side, with the spans around and inside them if there are any.

Column by column what `store.identity` does one by one: a test asks for the same answer of both. What does not fit exactly is left to it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from store.heard import NO_KEY, Flags, Keys
from store.identity import TOLD, WHO, same_tool
from store.records import SessionSource

Codes = npt.NDArray[np.int64]

DEEPEST = 100
"""How many spans inside one another are followed here; real ones have some ten."""

_ABSENT = -1
_MOST = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Siblings:
    """Which sightings are calls by themselves, which context spans are of no concern to any other sighting, and what the sightings have got.

    told: session, agent and so on of every sighting, which count for those that are calls by themselves; given: which of that is not their own.
    """

    calls: Flags
    spans: Flags
    told: dict[str, pa.Array]
    given: dict[str, Flags]


def siblings(observations: pa.Table, traces: Keys, candidates: Flags, spans: pa.Table, span_traces: Keys, new: Flags) -> Siblings:
    """Which of the candidates are calls by themselves, and where they stand.

    So are all sightings of a trace if all are candidates, none lies inside another of the same tool, and no tool-call id comes twice; all spans of
    the trace are among `spans`, all of them `new`, and none comes twice. A sighting without a trace stands for itself.
    """
    count = len(observations)
    keyed = np.concatenate((traces, span_traces))
    _, places = np.unique(keyed, return_inverse=True)
    places = places.astype(np.int64)
    parents, unfit = _parents(observations, spans, places, keyed != NO_KEY)
    unfit[:count] |= ~candidates | _twice(places[:count], _codes(observations["tool_call_id"])[0])
    unfit[count:] |= ~new
    levels, circular = _levels(parents)
    unfit[circular] = True
    unfit[_nested(observations["tool"], parents, levels)] = True
    spoiled = np.zeros(len(keyed) + 1, np.bool_)
    spoiled[places[unfit & (keyed != NO_KEY)]] = True
    fits = ~spoiled[places]
    fits[:count] &= candidates  # where there is no trace
    fits[count:] &= span_traces != NO_KEY
    told, given = _resolved(observations, traces, spans, places, parents, levels)
    return Siblings(fits[:count], fits[count:], told, given)


def _parents(observations: pa.Table, spans: pa.Table, places: Codes, is_traced: Flags) -> tuple[Codes, Flags]:
    """What is around each sighting and span, and which of them come twice, or have no name."""
    count, n = len(observations), len(places)
    codes, _ = _codes(*(table[name] for name in ("span_id", "parent_span_id") for table in (observations, spans)))
    here = places * (int(codes.max(initial=0)) + 1)
    own, around = (np.where((part != _ABSENT) & is_traced, here + part, _ABSENT) for part in (codes[:n], codes[n:]))
    order = np.argsort(own, kind="stable")
    ordered = own[order]
    found = np.searchsorted(ordered, around)
    is_there = (around != _ABSENT) & (ordered[np.minimum(found, n - 1)] == around)
    parents = np.where(is_there, order[np.minimum(found, n - 1)], _ABSENT)
    unfit = np.zeros(n, np.bool_)
    unfit[order[1:][(ordered[1:] == ordered[:-1]) & (ordered[1:] != _ABSENT)]] = True
    unfit[count:] |= codes[count:n] == _ABSENT
    return parents, unfit


def _levels(parents: Codes) -> tuple[list[Codes], Codes]:
    """Those that lie in something, parents before children; and those that lie inside themselves, or too deep."""
    done, left = parents == _ABSENT, np.flatnonzero(parents != _ABSENT)
    levels: list[Codes] = []
    while len(left) and len(levels) < DEEPEST:
        ready = done[parents[left]]
        if not ready.any():
            break
        levels.append(left[ready])
        done[levels[-1]] = True
        left = left[~ready]
    return levels, left


def _nested(tools: pa.ChunkedArray, parents: Codes, levels: list[Codes]) -> list[int]:
    """The sightings that lie inside one of the same tool, with whatever spans between them."""
    count, nearest = len(tools), np.full(len(parents), _ABSENT)
    for level in levels:
        above = parents[level]
        nearest[level] = np.where(above < count, above, nearest[above])
    inner = np.flatnonzero(nearest[:count] != _ABSENT)
    around, inside = (tools.take(pa.array(rows)).to_pylist() for rows in (nearest[inner], inner))
    return [row for row, outer, own in zip(inner.tolist(), around, inside, strict=True) if same_tool(outer, own)]


def _resolved(
    observations: pa.Table, traces: Keys, spans: pa.Table, places: Codes, parents: Codes, levels: list[Codes],
) -> tuple[dict[str, pa.Array], dict[str, Flags]]:
    """As `identity.resolve` has it: a sighting's own word, else the nearest enclosing span's, else its trace's only one."""
    count = len(observations)
    codes, words = _codes(observations["session_id"], spans["session_id"], observations["trace_id"])
    sessions, own_traces = codes[: len(places)], codes[len(places):]
    sources = np.concatenate([np.asarray(table["session_source"].cast(pa.int64())) for table in (observations, spans)])
    strong = (sessions != _ABSENT) & (sources < int(SessionSource.MCP_SESSION))
    only_session, only_source = _only(places, sessions, strong), np.full(len(places) + 1, _MOST)
    np.minimum.at(only_source, places[strong], sources[strong])
    own_sessions, own_sources = sessions[:count].copy(), sources[:count].copy()
    for level in levels:
        above = parents[level]
        is_strong = (sessions[level] != _ABSENT) & (sources[level] < int(SessionSource.MCP_SESSION))
        better = ~is_strong & (sessions[above] != _ABSENT) & ((sessions[level] == _ABSENT) | (sources[above] < sources[level]))
        sessions[level[better]], sources[level[better]] = sessions[above[better]], sources[above[better]]
    sessions, sources, here, is_traced = sessions[:count], sources[:count], places[:count], traces != NO_KEY
    weak = ~((sessions != _ABSENT) & (sources < int(SessionSource.MCP_SESSION)))
    adopts = weak & is_traced & (only_session[here] != _ABSENT)
    sessions, sources = np.where(adopts, only_session[here], sessions), np.where(adopts, only_source[here], sources)
    homeless = (sessions == _ABSENT) & is_traced
    sessions, sources = np.where(homeless, own_traces, sessions), np.where(homeless, int(SessionSource.TRACE), sources)
    given = {"session_id": sessions != own_sessions, "session_source": sources != own_sources}
    kind = observations.schema.field("session_source").type
    told = {"session_id": _words(words, sessions), "session_source": pa.array(sources).cast(kind)}
    for what in WHO:
        who, words = _codes(observations[what], spans[what])
        only, own = _only(places, who, who != _ABSENT), who[:count].copy()
        for level in levels:
            who[level] = np.where(who[level] == _ABSENT, who[parents[level]], who[level])
        who = who[:count]
        who = np.where((who == _ABSENT) & is_traced, only[here], who)
        told[what], given[what] = _words(words, who), who != own
    return {name: told[name] for name in TOLD}, given


def _only(places: Codes, said: Codes, counts: Flags) -> Codes:
    """What is said in a trace by all that say anything, for each place; `_ABSENT` where nobody does, or one says this and one that."""
    least, most = np.full(len(places) + 1, _MOST), np.full(len(places) + 1, _ABSENT)
    np.minimum.at(least, places[counts], said[counts])
    np.maximum.at(most, places[counts], said[counts])
    return np.where(least == most, most, _ABSENT)


def _codes(*columns: pa.ChunkedArray) -> tuple[Codes, pa.Array]:
    """Equal values as equal numbers, column behind column, `_ABSENT` for null; and the values."""
    whole = pa.chunked_array([chunk for column in columns for chunk in column.chunks], pa.string())
    coded: Any = pc.dictionary_encode(whole).combine_chunks()
    if not isinstance(coded, pa.DictionaryArray):
        return np.zeros(0, np.int64), pa.array([], pa.string())
    return np.array(pc.fill_null(coded.indices.cast(pa.int64()), _ABSENT)), coded.dictionary


def _words(words: pa.Array, codes: Codes) -> pa.Array:
    return words.take(pa.array(codes, mask=codes == _ABSENT))


def _twice(places: Codes, codes: Codes) -> Flags:
    """Which rows share their code with another one of their trace."""
    both = places * (int(codes.max(initial=0)) + 2) + codes + 1
    _, back, counts = np.unique(both, return_inverse=True, return_counts=True)
    return np.asarray((counts[back] > 1) & (codes != _ABSENT))
