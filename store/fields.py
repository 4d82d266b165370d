"""The row of a call out of its sightings: field by field the word of whoever knows best."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from store import tables
from store.disagreement import disagreements
from store.identity import CALL_ID_CHARACTERS, MEANT_ORDER, RAN_ORDER
from store.records import Observer

RAN = (
    "server", "server_version", "server_address", "tool", "transport", "arguments", "result", "error_type", "error_message", "client_address",
)
MEANT = ("seq", "duration_ms", "trace_id", "span_id", "parent_span_id", "agent", "agent_version", "principal", "dialect", "attributes")
WITH_PAYLOAD = {
    "arguments": ("arguments_state", "arguments_bytes", "argument_atoms", "argument_shingles"),
    "result": ("result_state", "result_bytes", "result_atoms", "result_shingles"),
}

Places: TypeAlias = npt.NDArray[np.int64]

_PLACES = tuple({str(observer): n for n, observer in enumerate(order)} for order in (RAN_ORDER, MEANT_ORDER))


def alone(sightings: pa.Table, told: Mapping[str, pa.Array]) -> pa.Table:
    """Calls that were seen once each and told who decided nothing: the sighting's own words, and what it was `told`: its session and so on."""
    _known_observers(sightings)
    made = {name: sightings[name] for name in tables.names("calls") if name in sightings.column_names} | {
        "call_id": pc.binary_join_element_wise("c", pc.utf8_slice_codeunits(sightings["observation_id"], 0, CALL_ID_CHARACTERS), ""),
        "outcome": pc.coalesce(sightings["outcome"], pa.scalar("unknown")),
        "observed_by": _listed(sightings["observed_by"]), **told,
    }
    return _as_calls(made, len(sightings))


def together(sightings: pa.Table) -> pa.Table:
    """Calls out of sightings that have their call ids: one row for each id."""
    _known_observers(sightings)
    ran, meant, told = _orders(sightings)
    made: dict[str, Any] = {
        "call_id": sightings["call_id"].take(ran.leaders()),
        "called_at": ran.least(sightings["called_at"]), "seen_at": ran.least(sightings["seen_at"]),
        "session_id": told.first(sightings["session_id"]), "session_source": told.first(sightings["session_source"]),
        "outcome": _outcomes(sightings, ran), "disagreement": disagreements(sightings, ran.rows, ran.starts),
    }
    for order, names in ((ran, RAN), (meant, MEANT)):
        for name in names:
            made[name] = order.first(sightings[name])
            for beside in WITH_PAYLOAD.get(name, ()):  # state, length and fingerprint come from the sighting that gave the payload
                made[beside] = order.first(
                    sightings[beside], pc.is_valid(sightings[name]), pc.not_equal(sightings[f"{name}_state"], "absent"),
                )
    groups, seen = ran.groups(), sightings["observed_by"].to_pylist()
    made["observed_by"] = pa.array([sorted({seen[n] for n in group}) for group in groups], tables.TEXTS)
    for name in ("decision", "decided_by"):
        if sightings[name].null_count < len(sightings):
            values = sightings[name].to_pylist()
            made[name] = pa.array([max((v for n in group if (v := values[n])), default=None) for group in groups], tables.TEXT)
    return _as_calls(made, len(made["call_id"]))


def _outcomes(sightings: pa.Table, ran: "_Order") -> pa.Array:
    """A call that somebody refused never ran, whatever else was logged."""
    said = pc.if_else(pc.equal(sightings["outcome"], "unknown"), None, sightings["outcome"])
    known = pc.coalesce(ran.first(said), pa.scalar("unknown"))
    refused = pc.fill_null(pc.equal(sightings["decision"], "reject"), False)
    return pc.if_else(ran.any(refused), pa.scalar("denied"), known)


def _orders(sightings: pa.Table) -> tuple["_Order", "_Order", "_Order"]:
    """By whose word counts first on what ran, on what was meant, and on the session."""
    observers, sources = sightings["observed_by"].to_pylist(), _numbers(sightings["session_source"])
    calls = _numbers(_flat(sightings["call_id"].combine_chunks()).dictionary_encode().indices)
    names = np.empty(len(sightings), np.int64)
    names[pc.sort_indices(sightings["observation_id"]).to_numpy()] = np.arange(len(sightings))
    ran, meant = (
        np.array([place[by] for by in observers], np.int64) for place in _PLACES
    )
    rest = (_numbers(sightings["called_at"]), names)
    return _Order((calls, ran, *rest)), _Order((calls, meant, *rest)), _Order((calls, sources, meant, *rest))


class _Order:
    """Sightings sorted by call and, inside a call, by whose word counts first; never a tie, so that the order of rows does not matter."""

    def __init__(self, by: Sequence[Places]) -> None:
        self.rows: Places = np.lexsort(by[::-1])
        calls = by[0][self.rows]
        self.starts: Places = np.flatnonzero(np.r_[True, calls[1:] != calls[:-1]])

    def leaders(self) -> Places:
        """The first row of each call."""
        return self.rows[self.starts]

    def groups(self) -> list[list[int]]:
        """The rows of each call."""
        rows, ends = self.rows.tolist(), [*self.starts[1:].tolist(), len(self.rows)]
        return [rows[start:end] for start, end in zip(self.starts.tolist(), ends, strict=True)]

    def first(self, values: pa.ChunkedArray | pa.Array, *preferred: pa.ChunkedArray) -> pa.Array:
        """Each call's first value that is there, from rows that are preferred if one of these has any."""
        there = _truth(pc.is_valid(values))
        chosen = self._first(there)
        for flags in reversed(preferred):
            better = self._first(there & _truth(flags))
            chosen = np.where(better >= 0, better, chosen)
        return values.take(pa.array(chosen, mask=chosen < 0))

    def least(self, moments: pa.ChunkedArray) -> pa.Array:
        """Each call's earliest moment."""
        return pa.array(np.minimum.reduceat(_numbers(moments)[self.rows], self.starts)).cast(tables.MOMENT)

    def any(self, flags: pa.ChunkedArray) -> pa.Array:
        """Whether one of each call's rows is flagged."""
        return pa.array(np.logical_or.reduceat(_truth(flags)[self.rows], self.starts))

    def _first(self, flags: npt.NDArray[np.bool_]) -> Places:
        count = len(self.rows)
        least = np.minimum.reduceat(np.where(flags[self.rows], np.arange(count), count), self.starts)
        return np.where(least < count, self.rows[np.minimum(least, count - 1)], -1)


def _truth(flags: pa.ChunkedArray | pa.Array) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = _flat(pc.fill_null(flags, False)).to_numpy(zero_copy_only=False)
    return found


def _numbers(values: pa.ChunkedArray | pa.Array) -> Places:
    found: Places = _flat(values).cast(pa.int64()).to_numpy()
    return found


def _flat(values: pa.ChunkedArray | pa.Array) -> pa.Array:
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    return pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole


def _listed(values: pa.ChunkedArray) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(np.arange(len(values) + 1, dtype=np.int32)), _flat(values))


def _as_calls(columns: dict[str, Any], count: int) -> pa.Table:
    schema = tables.schema("calls")
    columns.setdefault("version", pa.repeat(pa.scalar(0, pa.int64()), count))
    return pa.table({f.name: columns[f.name] if f.name in columns else pa.nulls(count, f.type) for f in schema}, schema)


def _known_observers(sightings: pa.Table) -> None:
    strange = {*pc.unique(sightings["observed_by"]).to_pylist()} - {str(o) for o in Observer}
    if strange:
        raise ValueError("a sighting by none of " + ", ".join(Observer))
