"""Calls that two saw, one inside the other, in a trace of which nothing else is known: an agent's span around a server's, most often.

Column by column what `store.identity` does one by one: a test asks for the same answer of both. What does not fit exactly is left to it.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from store import fields, tables
from store.database import Database
from store.identity import CALL_ID_CHARACTERS, MEANT_ORDER, TOLD, WHO, same_tool
from store.records import SessionSource
from store.rewriting import BESIDE, insert_calls

Rows = npt.NDArray[np.int64]

_ASKED = ("observation_id", "observed_by", "tool", "trace_id", "span_id", "parent_span_id", *TOLD)


def take_pairs(database: Database, observations: pa.Table, rows: Rows) -> tuple[list[str], Rows]:
    """Take pairs in: `rows` holds two of one trace after one another. Their calls, and the rows that were taken."""
    outer, inner = _nested(observations.select(list(_ASKED)), rows[0::2], rows[1::2])
    if not len(outer):
        return [], outer
    around, inside = observations.take(pa.array(outer)), observations.take(pa.array(inner))
    call_ids = _call_ids(around, inside)
    told, gathered = [], []
    for own, other, is_strong in ((around, inside, _is_strong(around)), (inside, around, _is_strong(inside))):
        has = {name: pc.if_else(is_strong, own[name], other[name]) for name in ("session_id", "session_source")}
        has |= {name: pc.coalesce(own[name], other[name]) for name in WHO}
        given = {f"given_{name}": pc.if_else(pc.fill_null(pc.equal(has[name], own[name]), False), None, has[name]) for name in TOLD}
        said = {name: own[name] for name in tables.names("told") if name in own.column_names}
        types = tables.schema("told")
        whole = said | given | {"call_id": call_ids, "place": pa.repeat(BESIDE, len(own))}
        told.append(pa.table({name: whole[name].cast(types.field(name).type) for name in types.names}))
        gathered.append(_with(own, has | {"call_id": call_ids}))
    sightings = pa.concat_tables(gathered)
    insert_calls(database, fields.together(sightings))
    database.insert("hot.sighted", sightings)
    database.insert("hot.told", pa.concat_tables(told))
    return call_ids.to_pylist(), np.concatenate([outer, inner])


def _nested(sightings: pa.Table, first: Rows, second: Rows) -> tuple[Rows, Rows]:
    """Of the pairs that are one call beyond doubt, the outer sightings and the inner."""
    a, b = sightings.take(pa.array(first)), sightings.take(pa.array(second))
    a_inside, b_inside = _equal(a["parent_span_id"], b["span_id"]), _equal(b["parent_span_id"], a["span_id"])
    circular = _equal(a["parent_span_id"], a["span_id"]) | _equal(b["parent_span_id"], b["span_id"]) | _equal(a["span_id"], b["span_id"])
    fits = (a_inside ^ b_inside) & ~circular & _equal(a["trace_id"], b["trace_id"]) & (_flags(_is_strong(a)) | _flags(_is_strong(b)))
    for n in np.flatnonzero(fits & ~_equal(a["tool"], b["tool"])):
        around, inside = (a["tool"][n].as_py(), b["tool"][n].as_py())[::-1 if a_inside[n] else 1]
        fits[n] = same_tool(around, inside)
    return np.where(a_inside, second, first)[fits], np.where(a_inside, first, second)[fits]


def _call_ids(around: pa.Table, inside: pa.Table) -> pa.ChunkedArray:
    """Made from the sighting of whoever stands furthest out by what it saw."""
    place = {str(observer): n for n, observer in enumerate(MEANT_ORDER)}
    outer, inner = (np.array([place[by] for by in part["observed_by"].to_pylist()]) for part in (around, inside))
    is_outer = (outer < inner) | ((outer == inner) & _flags(pc.less(around["observation_id"], inside["observation_id"])))
    names = pc.if_else(pa.array(is_outer), around["observation_id"], inside["observation_id"])
    return pc.binary_join_element_wise("c", pc.utf8_slice_codeunits(names, 0, CALL_ID_CHARACTERS), "")


def _is_strong(sightings: pa.Table) -> pa.ChunkedArray:
    """Whether a sighting names its conversation itself, and more than a connection."""
    return pc.and_(pc.is_valid(sightings["session_id"]), pc.less(sightings["session_source"], int(SessionSource.MCP_SESSION)))


def _equal(left: pa.ChunkedArray, right: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    return _flags(pc.equal(left, right))


def _flags(values: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    return np.asarray(pc.fill_null(values, False).to_numpy())


def _with(table: pa.Table, columns: dict[str, pa.ChunkedArray]) -> pa.Table:
    for name, values in columns.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(place), values.cast(table.schema.field(place).type))
    return table
