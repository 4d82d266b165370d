"""Records made ready for disk: secrets masked, texts fingerprinted, payloads cut to the setting, one Arrow table for each kind."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ingest import fingerprint
from ingest.keeping import FINGERPRINT_ONLY, NONE, Payloads, kept, without
from ingest.masking import Masks, masked
from store import tables
from store.records import Records, ToolDefinition

__all__ = ["Masks", "Payloads", "to_tables"]

FULL = Payloads()
OWN_FIELDS = frozenset({"sighted_at"})
"""Fields of records that no column has."""


def to_tables(
    records: Records, masks: Masks, payloads: Payloads = FULL, seen_at: datetime | None = None,
    columns: Mapping[str, Sequence[pa.Table]] = MappingProxyType({}),
) -> dict[str, pa.Table]:
    """Records, and what was read column by column, as the tables that the spool takes; nothing secret is in them."""
    now = seen_at or datetime.now(UTC)

    def whole(kind: str, one_by_one: Sequence[Any]) -> pa.Table:
        parts = [*([_table(kind, one_by_one)] if one_by_one else []), *columns.get(kind, ())]
        return pa.concat_tables(parts).combine_chunks() if parts else tables.empty(kind)

    made = {
        "observations": _with_payloads(
            whole("observations", records.calls), {"arguments": "argument", "result": "result"}, masks, payloads,
            beside=("error_type", "error_message", "server_address", "attributes"),
        ),
        "spans": whole("spans", records.spans),
        "messages": _with_payloads(whole("messages", records.messages), {"text": "text"}, masks, payloads),
        "tool_definitions": _masked(_definitions(records.definitions), ("description", "input_schema", "launch_command"), masks),
        "access": _masked(whole("access", records.access), ("error_message",), masks),
    }
    return {kind: _with(table, seen_at=pa.repeat(pa.scalar(now, tables.MOMENT), len(table))) for kind, table in made.items() if len(table)}


def _with_payloads(table: pa.Table, fingerprinted: Mapping[str, str], masks: Masks, payloads: Payloads, beside: Sequence[str] = ()) -> pa.Table:
    """fingerprinted: columns that hold payloads, and how the columns of their fingerprints begin. beside: further columns to mask."""
    if not len(table):
        return table
    raw = [_array(table, name) for name in (*fingerprinted, *beside)]
    clean = dict(zip((*fingerprinted, *beside), masked(raw, masks), strict=True))
    codes = payloads.codes(table)
    for (name, prefix), given in zip(fingerprinted.items(), raw, strict=False):
        atoms, shingles = fingerprint.atoms_and_shingles(without(clean[name], codes == NONE), masks.key)
        clean[f"{prefix}_atoms"], clean[f"{prefix}_shingles"] = atoms, shingles
        if f"{name}_bytes" in table.column_names:
            clean[f"{name}_bytes"] = pc.binary_length(given)
        clean[name], clean[f"{name}_state"] = kept(clean[name], _array(table, f"{name}_state"), codes, payloads.truncate_bytes)
    if "error_message" in clean:  # it often says again what was asked or answered
        clean["error_message"] = without(clean["error_message"], codes >= FINGERPRINT_ONLY)
        clean["attributes"] = without(clean["attributes"], codes == NONE)
    return _with(table, **clean)


def _masked(table: pa.Table, columns: Sequence[str], masks: Masks) -> pa.Table:
    clean = masked([_array(table, name) for name in columns], masks)
    return _with(table, **dict(zip(columns, clean, strict=True)))


def _definitions(definitions: Sequence[ToolDefinition]) -> pa.Table:
    if not definitions:
        return tables.empty("tool_definitions")
    descriptions = [_sha(one.description or "") for one in definitions]
    schemas = [_sha(_canonical(one.input_schema or "")) for one in definitions]
    both = [_sha(description + schema) for description, schema in zip(descriptions, schemas, strict=True)]
    ids = [
        _sha("\0".join(part or "" for part in (
            one.server, one.tool, one.agent, whole, one.server_version, one.server_address, one.launch_command,
        )))[:24] for one, whole in zip(definitions, both, strict=True)
    ]
    sighted = pa.array([one.sighted_at for one in definitions], tables.MOMENT)
    return _with(
        _table("tool_definitions", definitions), description_hash=pa.array(descriptions), schema_hash=pa.array(schemas),
        definition_hash=pa.array(both), definition_id=pa.array(ids), first_seen_at=sighted, last_seen_at=sighted,
    )


def _table(kind: str, records: Sequence[Any]) -> pa.Table:
    """Records of one class as a table; columns that it has no field for are null."""
    schema, fields = tables.schema(kind), frozenset(records[0].__slots__) - OWN_FIELDS
    told = {f.name: _column([getattr(one, f.name) for one in records], f.type) for f in schema if f.name in fields}
    return pa.table({f.name: told.get(f.name, pa.nulls(len(records), f.type)) for f in schema}, schema)


def _column(values: list[Any], kind: pa.DataType) -> pa.Array:
    try:
        return pa.array(values, kind)
    except UnicodeEncodeError:  # lone surrogates cannot be written as UTF-8; they become the replacement character
        return pa.array([v.encode("utf-8", "replace").decode() if isinstance(v, str) else v for v in values], kind)


def _array(table: pa.Table, name: str) -> pa.Array:
    """A column in one piece."""
    column = table[name].combine_chunks()
    return column if isinstance(column, pa.Array) else pa.concat_arrays(column.chunks)


def _with(table: pa.Table, **columns: pa.Array) -> pa.Table:
    for name, values in columns.items():
        place = table.schema.get_field_index(name)
        field = table.schema.field(place)
        table = table.set_column(place, field, values if values.type == field.type else values.cast(field.type))
    return table


def _canonical(schema: str) -> str:
    """A schema whose keys were written in another order is the same schema."""
    try:
        return json.dumps(json.loads(schema), sort_keys=True, ensure_ascii=False) if schema else ""
    except (ValueError, RecursionError):
        return schema


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
