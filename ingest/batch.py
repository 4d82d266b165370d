"""Records made ready for disk: secrets masked, texts fingerprinted, payloads cut to the setting, one Arrow table for each kind."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from operator import attrgetter
from typing import Any, Protocol

import pyarrow as pa

from ingest import fingerprint
from store import tables
from store.records import Access, Call, Message, Records, State, ToolDefinition


class Masks(Protocol):
    """What hides secrets in texts."""

    def mask_all(self, texts: Sequence[str | None]) -> tuple[list[str | None], list[list[Any]]]:
        """The texts with their secrets masked, and which those were."""


@dataclass(frozen=True, slots=True)
class Payloads:
    """How payloads are kept: `full`, `truncated` to so many bytes, as `fingerprint_only`, or `none`."""

    kept: str = "full"
    truncate_bytes: int = 64 << 10


def to_tables(records: Records, masks: Masks, payloads: Payloads = Payloads(), seen_at: datetime | None = None) -> dict[str, pa.Table]:
    """Records as the tables that the spool takes; nothing secret is in them."""
    now = seen_at or datetime.now(UTC)
    made = {
        "observations": _observations(records.calls, masks, payloads),
        "spans": tables.rows_to_table("spans", [_fields(s) for s in records.spans]),
        "messages": _messages(records.messages, masks, payloads),
        "tool_definitions": _definitions(records.definitions, masks),
        "access": _access(records.access, masks),
    }
    return {kind: _stamped(table, now) for kind, table in made.items() if len(table)}


def _observations(calls: list[Call], masks: Masks, payloads: Payloads) -> pa.Table:
    rows = [_fields(c) for c in calls]
    found = _fingerprinted(rows, "arguments", "argument_atoms", "argument_shingles", masks, payloads)
    found |= _fingerprinted(rows, "result", "result_atoms", "result_shingles", masks, payloads)
    for column in ("error_type", "error_message", "server_address", "attributes"):
        _masked(rows, column, masks)
    return _with(tables.rows_to_table("observations", rows), found)


def _messages(messages: list[Message], masks: Masks, payloads: Payloads) -> pa.Table:
    rows = [_fields(m) for m in messages]
    found = _fingerprinted(rows, "text", "text_atoms", "text_shingles", masks, payloads)
    return _with(tables.rows_to_table("messages", rows), found)


def _definitions(definitions: list[ToolDefinition], masks: Masks) -> pa.Table:
    rows = []
    for one in definitions:
        row = _fields(one)
        description, schema = one.description or "", one.input_schema or ""
        row["description_hash"], row["schema_hash"] = _sha(description), _sha(_canonical(schema))
        row["definition_hash"] = _sha(row["description_hash"] + row["schema_hash"])
        row["definition_id"] = _sha("\0".join((one.server or "", one.tool, one.agent or "", row["definition_hash"])))[:24]
        row["first_seen_at"] = row["last_seen_at"] = row.pop("sighted_at")
        rows.append(row)
    for column in ("description", "input_schema", "launch_command"):
        _masked(rows, column, masks)
    return tables.rows_to_table("tool_definitions", rows)


def _access(access: list[Access], masks: Masks) -> pa.Table:
    rows = [_fields(a) for a in access]
    _masked(rows, "error_message", masks)
    return tables.rows_to_table("access", rows)


def _fingerprinted(rows: list[dict[str, Any]], column: str, atoms: str, shingles: str, masks: Masks, payloads: Payloads) -> dict[str, pa.Array]:
    raw = [row[column] for row in rows]
    for row, text in zip(rows, raw, strict=True):
        row[f"{column}_bytes"] = None if text is None else len(text.encode("utf-8", "replace"))
    masked, _ = masks.mask_all(raw)
    for row, text in zip(rows, masked, strict=True):
        row[column], row[f"{column}_state"] = _kept(text, row[f"{column}_state"], payloads)
    found = fingerprint.atoms_and_shingles(masked if payloads.kept != "none" else [None] * len(masked))
    return dict(zip((atoms, shingles), found, strict=True))


def _with(table: pa.Table, columns: dict[str, pa.Array]) -> pa.Table:
    for name, values in columns.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(place), values.cast(table.schema.field(place).type))
    return table


def _kept(text: str | None, state: State, payloads: Payloads) -> tuple[str | None, State]:
    if text is None:
        return None, state
    if payloads.kept == "fingerprint_only":
        return None, State.FINGERPRINT_ONLY
    if payloads.kept == "none":
        return None, State.REDACTED
    if payloads.kept == "truncated" and len(whole := text.encode("utf-8", "replace")) > payloads.truncate_bytes:
        return whole[: payloads.truncate_bytes].decode("utf-8", "ignore"), State.TRUNCATED
    return text, state


def _masked(rows: list[dict[str, Any]], column: str, masks: Masks) -> None:
    masked, _ = masks.mask_all([row[column] for row in rows])
    for row, text in zip(rows, masked, strict=True):
        row[column] = text


def _stamped(table: pa.Table, now: datetime) -> pa.Table:
    place = table.schema.get_field_index("seen_at")
    return table.set_column(place, table.schema.field(place), pa.repeat(pa.scalar(now, tables.MOMENT), len(table)))


def _fields(record: Any) -> dict[str, Any]:
    """A record as a row."""
    names: tuple[str, ...] = record.__slots__
    row = dict(zip(names, _getter(names)(record), strict=True))
    try:
        "".join([value for value in row.values() if isinstance(value, str)]).encode()
    except UnicodeEncodeError:
        return {name: _printable(value) for name, value in row.items()}
    return row


@cache
def _getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    return attrgetter(*names)


def _printable(value: Any) -> Any:
    """Lone surrogates cannot be written as UTF-8; they become the replacement character."""
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value


def _canonical(schema: str) -> str:
    """A schema whose keys were written in another order is the same schema."""
    try:
        return json.dumps(json.loads(schema), sort_keys=True, ensure_ascii=False) if schema else ""
    except (ValueError, RecursionError):
        return schema


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
