"""Records made ready for disk: secrets masked, texts fingerprinted, payloads cut to the setting, one Arrow table for each kind."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, partial
from operator import attrgetter
from types import MappingProxyType
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from ingest import fingerprint
from ingest.keeping import FINGERPRINT_ONLY, NONE, Payloads, kept, without
from ingest.masking import Masks, masked
from store import tables
from store.records import Records, ToolDefinition

__all__ = ["Masks", "Payloads", "to_tables"]

Whole: TypeAlias = dict[str, pa.Array]
"""Columns by name, each in one piece."""

FULL = Payloads()
OWN_FIELDS = frozenset({"sighted_at"})
"""Fields of records that no column has."""


def to_tables(
    records: Records, masks: Masks, payloads: Payloads = FULL, seen_at: datetime | None = None,
    columns: Mapping[str, Sequence[pa.Table]] = MappingProxyType({}),
) -> dict[str, pa.Table]:
    """Records, and what was read column by column, as the tables that the spool takes; nothing secret is in them."""
    now = pa.scalar(seen_at or datetime.now(UTC), tables.MOMENT)
    made = {}
    for kind, told in (
        ("observations", records.calls), ("spans", records.spans), ("messages", records.messages), ("tool_definitions", records.definitions),
        ("access", records.access),
    ):
        parts = [*([_columns(kind, told)] if told else []), *(dict(zip(t.column_names, t.columns, strict=True)) for t in columns.get(kind, ()))]
        whole = {name: _in_one([part[name] for part in parts]) for name in parts[0]} if parts else {}
        if rows := len(whole["seen_at"]) if whole else 0:
            clean = _CLEAN[kind](whole, masks, payloads) if kind in _CLEAN else {}
            made[kind] = _table(kind, whole | clean | {"seen_at": pa.repeat(now, rows)})
    return made


def _with_payloads(table: Whole, masks: Masks, payloads: Payloads, fingerprinted: Mapping[str, str], beside: Sequence[str] = ()) -> Whole:
    """fingerprinted: columns that hold payloads, and how the columns of their fingerprints begin. beside: further columns to mask."""
    clean = _masked(table, masks, payloads, (*fingerprinted, *beside))
    codes = payloads.codes(table, len(table["seen_at"]))
    prints = fingerprint.of_columns([without(clean[name], codes == NONE) for name in fingerprinted], masks.key)
    for (name, prefix), (atoms, shingles) in zip(fingerprinted.items(), prints, strict=True):
        clean[f"{prefix}_atoms"], clean[f"{prefix}_shingles"] = atoms, shingles
        if f"{name}_bytes" in table:
            clean[f"{name}_bytes"] = pc.binary_length(table[name])
        clean[name], clean[f"{name}_state"] = kept(clean[name], table[f"{name}_state"], codes, payloads.truncate_bytes)
    if "error_message" in clean:  # it often says again what was asked or answered
        clean["error_message"] = without(clean["error_message"], codes >= FINGERPRINT_ONLY)
        clean["attributes"] = without(clean["attributes"], codes == NONE)
    return clean


def _masked(table: Whole, masks: Masks, _: Payloads, names: Sequence[str]) -> Whole:
    return dict(zip(names, masked([table[name] for name in names], masks), strict=True))


_CLEAN: dict[str, Callable[[Whole, Masks, Payloads], Whole]] = {
    "observations": partial(
        _with_payloads, fingerprinted={"arguments": "argument", "result": "result"},
        beside=("error_type", "error_message", "server_address", "attributes"),
    ),
    "messages": partial(_with_payloads, fingerprinted={"text": "text"}),
    "tool_definitions": partial(_masked, names=("description", "input_schema", "launch_command")),
    "access": partial(_masked, names=("error_message",)),
}
"""The columns that are other than they came."""


def _columns(kind: str, told: Sequence[Any]) -> Whole:
    """Records of one class as columns; those that it has no field for are null."""
    names = tuple(name for name in told[0].__slots__ if name not in OWN_FIELDS)
    values = dict(zip(names, zip(*map(attrgetter(*names), told), strict=True), strict=True))
    whole = {f.name: _column(values[f.name], f.type) if f.name in values else pa.nulls(len(told), f.type) for f in _schema(kind)}
    return whole | _of_definitions(told) if kind == "tool_definitions" else whole


def _of_definitions(definitions: Sequence[ToolDefinition]) -> Whole:
    """What definitions are known by: their hashes."""
    descriptions = [_sha(one.description or "") for one in definitions]
    schemas = [_sha(_canonical(one.input_schema or "")) for one in definitions]
    both = [_sha(description + schema) for description, schema in zip(descriptions, schemas, strict=True)]
    ids = [
        _sha("\0".join(part or "" for part in (
            one.server, one.tool, one.agent, whole, one.server_version, one.server_address, one.launch_command,
        )))[:24] for one, whole in zip(definitions, both, strict=True)
    ]
    sighted = pa.array([one.sighted_at for one in definitions], tables.MOMENT)
    return {
        "description_hash": pa.array(descriptions), "schema_hash": pa.array(schemas), "definition_hash": pa.array(both),
        "definition_id": pa.array(ids), "first_seen_at": sighted, "last_seen_at": sighted,
    }


def _column(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    try:
        return pa.array(values, kind)
    except UnicodeEncodeError:  # lone surrogates cannot be written as UTF-8; they become the replacement character
        return pa.array([v.encode("utf-8", "replace").decode() if isinstance(v, str) else v for v in values], kind)


def _in_one(parts: Sequence[pa.Array | pa.ChunkedArray]) -> pa.Array:
    pieces = [piece for part in parts for piece in (part.chunks if isinstance(part, pa.ChunkedArray) else [part])]
    return pieces[0] if len(pieces) == 1 else pa.concat_arrays(pieces)


@cache
def _schema(kind: str) -> pa.Schema:
    return tables.schema(kind)


def _table(kind: str, whole: Whole) -> pa.Table:
    schema = _schema(kind)
    made = [whole[f.name] if whole[f.name].type == f.type else whole[f.name].cast(f.type) for f in schema]
    return pa.Table.from_arrays(made, schema=schema)


def _canonical(schema: str) -> str:
    """A schema whose keys were written in another order is the same schema."""
    try:
        return json.dumps(json.loads(schema), sort_keys=True, ensure_ascii=False) if schema else ""
    except (ValueError, RecursionError):
        return schema


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
