"""Where the sightings of a call contradict one another: what the agent asked for is not what the server ran.

Told as JSON, `[{"what": "tool", "said": [{"observed_by": "agent", "value": "read"}, ...]}]`. A tool's name may carry the server's
before it; arguments are the same if they are the same JSON, or the same words. Where a side kept no payload, fingerprints are
compared if both sides have them, and hashes stand in the place of values.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from store import tables
from store.identity import Node, same_tool
from store.records import Observer, State

Rows: TypeAlias = npt.NDArray[np.int64]

VALUE_CHARACTERS = 100
"""How much of a payload is told; the whole of it stands in the observations."""

ALIKE = 0.5
"""Fingerprints of which fewer are shared are of different arguments: layout and masks change some of them."""

MOST_SIDES = 20
"""How many sightings are compared; only a broken or hostile sender makes more of one call."""

_ASKED = ("observed_by", "tool", "server", "outcome", "decision", "arguments", "arguments_state", "argument_shingles")
_SIDES = tuple(str(o) for o in Observer)


def disagreements(sightings: pa.Table, rows: Rows, starts: Rows) -> pa.Array:
    """For each group, which begins at one of the places `starts` of `rows`, the JSON of what it disagrees on, null where it does not."""
    ends = np.r_[starts[1:], len(rows)]
    told: list[str | None] = [None] * len(starts)
    suspects = np.zeros(len(starts), np.bool_)
    for name in ("tool", "server", "outcome", "decision", "arguments", "arguments_state"):
        codes = _codes(sightings[name])[rows]
        suspects |= np.minimum.reduceat(codes, starts) != np.maximum.reduceat(codes, starts)
    sums = _sums(sightings["argument_shingles"])[rows]
    suspects |= np.minimum.reduceat(sums, starts) != np.maximum.reduceat(sums, starts)
    for n in np.flatnonzero(suspects):
        group = sightings.select(list(_ASKED)).take(pa.array(rows[starts[n]:ends[n]][:MOST_SIDES])).to_pylist()
        found = _differences(group)
        told[n] = json.dumps(found, ensure_ascii=False) if found else None
    return pa.array(told, tables.TEXT)


def _codes(values: pa.ChunkedArray) -> Rows:
    """A number for each value, the same for the same."""
    whole = pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], values.type)
    found: Rows = whole.dictionary_encode(null_encoding="encode").indices.to_numpy(zero_copy_only=False)
    return found


def _sums(fingerprints: pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """A number for each list of hashes, the same for the same."""
    lists = pa.concat_arrays(fingerprints.chunks)
    running = np.concatenate([np.zeros(1, np.uint64), np.cumsum(lists.values.to_numpy(zero_copy_only=False).astype(np.uint64), dtype=np.uint64)])
    places = lists.offsets.to_numpy()
    return np.asarray(running[places[1:]] - running[places[:-1]])


def _differences(rows: list[Node]) -> list[dict[str, Any]]:
    rows = sorted(rows, key=lambda row: (_SIDES.index(row["observed_by"]), str(row["tool"]), str(row["arguments"]), str(row["outcome"])))
    found: list[dict[str, Any]] = []
    ways: tuple[tuple[str, Callable[[Any, Any], bool], Callable[[Node], Any]], ...] = (
        ("tool", lambda a, b: not same_tool(a, b) and not same_tool(b, a), lambda row: row["tool"]),
        ("arguments", _other_arguments, lambda row: row if row["arguments"] is not None or row["argument_shingles"] else None),
        ("outcome", lambda a, b: a != b, _outcome),
        ("server", lambda a, b: a.casefold() != b.casefold(), lambda row: row["server"]),
    )
    for what, differ, value in ways:
        said = [(row, given) for row in rows if (given := value(row)) is not None]
        if any(differ(a, b) for n, (_, a) in enumerate(said) for _, b in said[n + 1:]):
            found.append({"what": what, "said": _once([_told(what, row, given) for row, given in said])})
    return found


def _outcome(row: Node) -> str | None:
    return "denied" if row["decision"] == "reject" else None if row["outcome"] in (None, "unknown") else row["outcome"]


def _other_arguments(a: Node, b: Node) -> bool:
    if a["arguments_state"] == b["arguments_state"] == State.CAPTURED and a["arguments"] is not None and b["arguments"] is not None:
        return a["arguments"] != b["arguments"] and canonical(a["arguments"]) != canonical(b["arguments"])
    ours, theirs = set(a["argument_shingles"] or ()), set(b["argument_shingles"] or ())
    return bool(ours and theirs) and len(ours & theirs) < ALIKE * len(ours | theirs)


def canonical(arguments: str) -> str:
    """Arguments however they were laid out: their JSON with sorted keys, else their words."""
    try:
        return json.dumps(json.loads(arguments), sort_keys=True)
    except (ValueError, RecursionError):
        return " ".join(arguments.split())


def _told(what: str, row: Node, given: Any) -> dict[str, Any]:
    if what != "arguments":
        return {"observed_by": row["observed_by"], "value": str(given)[:VALUE_CHARACTERS]}
    if row["arguments_state"] == State.CAPTURED and row["arguments"] is not None:
        whole = hashlib.sha256(canonical(row["arguments"]).encode("utf-8", "replace")).hexdigest()
        return {"observed_by": row["observed_by"], "hash": whole[:16], "value": row["arguments"][:VALUE_CHARACTERS]}
    marks = ",".join(map(str, sorted(row["argument_shingles"] or ())))
    return {"observed_by": row["observed_by"], "hash": hashlib.sha256(marks.encode()).hexdigest()[:16]}


def _once(said: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for n, one in enumerate(said) if one not in said[:n]]
