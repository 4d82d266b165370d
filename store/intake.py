"""Spooled batches into the hot tables: each file counts once, whatever crashes, because its name goes in with its rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from store import messages, spool, tables
from store.client_sessions import with_sessions
from store.database import Database
from store.errors import DamagedError, SettlingError
from store.heard import Kind, heard_of, keys, remember
from store.merge import Merged, earliest, merge
from store.rewriting import ADOPTED

Read: TypeAlias = Callable[[Path], Mapping[str, pa.Table]]

UNFIT = (DamagedError, ValueError, KeyError, TypeError, OverflowError)
"""What a file raises that can never be taken; everything else, a full disk above all, is tried again."""


MOMENTS = {
    "observations": "called_at", "spans": "started_at", "messages": "said_at", "tool_definitions": "first_seen_at", "access": "accessed_at",
}
"""When something happened, by its source."""


@dataclass(slots=True)
class Taken:
    """What a step took in: files, records, what changed, and which files were damaged and why."""

    files: list[Path] = field(default_factory=list)
    records: int = 0
    merged: Merged = field(default_factory=Merged)
    damaged: dict[Path, str] = field(default_factory=dict)


def take(
    database: Database, files: list[Path], read: Read = spool.read, rewritten: Callable[[], None] = lambda: None,
    settling: datetime | None = None,
) -> Taken:
    """Take spool files into the hot tables, in one transaction with their names; a file that was taken before is only named.

    rewritten: called inside the transaction where calls of the lake were written anew, so that their older versions are left out.
    settling: calls that were seen before this moment are on their way into the lake. Raises SettlingError where one of them would change.
    Where something in them cannot be taken, each is tried by itself, so that one damaged file does not hold up the others.
    """
    try:
        return _take(database, files, read, rewritten, settling)
    except UNFIT as error:
        if len(files) == 1:
            return Taken(damaged={files[0]: f"{type(error).__name__}: {error}"})
    taken = Taken()
    for path in files:
        one = take(database, [path], read, rewritten, settling)
        taken.files += one.files
        taken.records += one.records
        taken.damaged |= one.damaged
        taken.merged.add(one.merged)
    return taken


def _take(database: Database, files: list[Path], read: Read, rewritten: Callable[[], None], settling: datetime | None) -> Taken:
    taken = Taken()
    asked = {"names": [path.name for path in files]}
    known = {r["file"] for r in database.rows("SELECT file FROM hot.spooled WHERE file IN (SELECT unnest($names::VARCHAR[]))", asked)}
    parts: dict[str, list[pa.Table]] = {kind: [] for kind in tables.SPOOLED}
    counts: dict[str, int] = {}
    for path in files:
        if path.name in known:
            taken.files.append(path)
            continue
        try:
            batch = read(path)
            for kind, table in batch.items():
                parts[kind].append(table.cast(tables.schema(kind)))
        except UNFIT as error:  # ArrowInvalid is a ValueError: another version's columns
            taken.damaged[path] = str(error)
            continue
        counts[path.name] = sum(len(t) for t in batch.values())
        taken.files.append(path)
    if not counts:
        return taken
    taken.records = sum(counts.values())
    now = datetime.now(UTC)
    with database.transaction():
        taken.merged = absorb(database, {kind: pa.concat_tables(p) for kind, p in parts.items() if p}, now)
        if settling and taken.merged.since and taken.merged.since < settling:
            raise SettlingError("calls that settle now would change; they do when they have settled")
        if taken.merged.superseded:
            rewritten()
        database.insert("hot.spooled", pa.table({
            "file": list(counts), "taken_at": pa.repeat(pa.scalar(now, tables.MOMENT), len(counts)), "records": list(counts.values()),
        }))
    return taken


def absorb(database: Database, batch: Mapping[str, pa.Table], now: datetime) -> Merged:
    """Take a batch into the hot tables and note what it touches. Call inside a transaction."""
    whole = {kind: _with_moment(kind, batch.get(kind, tables.empty(kind))) for kind in tables.SPOOLED}
    new = _definitions(database, whole["tool_definitions"])
    merged = merge(database, with_sessions(database, whole["observations"], now), whole["spans"])
    moved = messages.take(database, whole["messages"], [*(whole[kind]["trace_id"] for kind in ("observations", "spans", "messages"))])
    _accesses(database, whole["access"])
    served = _adopt_servers(database, new, merged) if len(new) else []
    _touch(database, Merged(sorted({*merged.call_ids, *served}), sorted({*merged.left_sessions, *moved})), whole, now)
    return merged


def _with_moment(kind: str, rows: pa.Table) -> pa.Table:
    """What does not say when it happened, happened when it was seen."""
    name = MOMENTS[kind]
    if not rows[name].null_count:
        return rows
    return rows.set_column(rows.schema.get_field_index(name), name, pc.coalesce(rows[name], rows["seen_at"]))


def _adopt_servers(database: Database, definitions: pa.Table, merged: Merged) -> list[str]:
    """Calls that came without a server get one from definitions that came later; which they are."""
    with database.named(listed=definitions):
        rows = database.query(f"""
            SELECT c.call_id, c.seen_at, d.server
            FROM hot.calls AS c JOIN ({ADOPTED}) AS d ON d.tool = c.tool AND d.agent IS NOT DISTINCT FROM c.agent
            WHERE c.server IS NULL AND c.tool IN (SELECT tool FROM listed)
        """)
    if len(rows):
        merged.since = earliest(merged.since, pc.min(rows["seen_at"]).as_py())
        with database.named(served=rows):
            database.execute("UPDATE hot.calls AS c SET server = s.server FROM served AS s WHERE s.call_id = c.call_id")
    return [str(call_id) for call_id in rows.column("call_id").to_pylist()]


def _accesses(database: Database, rows: pa.Table) -> None:
    """Append the attempts that are not known."""
    if not len(rows):
        return
    heard = heard_of(database)
    wanted = keys(Kind.ACCESS, rows["access_id"].to_pylist())
    since = heard.find(wanted)[1]
    known = "" if since is None else "WHERE access_id NOT IN (SELECT access_id FROM hot.accessed WHERE seen_at >= $since)"
    with database.named(incoming=rows):
        new = database.query(
            f"SELECT * FROM incoming {known} QUALIFY row_number() OVER (PARTITION BY access_id ORDER BY accessed_at) = 1",
            {"since": since} if since else None,
        )
    database.insert("hot.access", new)
    database.insert("hot.accessed", new.select(["access_id", "seen_at"]))
    remember(heard, wanted, rows)


def _definitions(database: Database, rows: pa.Table) -> pa.Table:
    """Take sightings of definitions; the definitions that are new."""
    if not len(rows):
        return rows
    with database.named(incoming=rows):
        database.execute("""
            CREATE OR REPLACE TEMP TABLE sighted AS
            SELECT * REPLACE (min(first_seen_at) OVER same AS first_seen_at, max(last_seen_at) OVER same AS last_seen_at)
            FROM incoming WINDOW same AS (PARTITION BY definition_id)
            QUALIFY row_number() OVER (PARTITION BY definition_id ORDER BY first_seen_at) = 1
        """)
        database.execute("""
            UPDATE hot.tool_definitions AS d
            SET first_seen_at = least(d.first_seen_at, s.first_seen_at), last_seen_at = greatest(d.last_seen_at, s.last_seen_at)
            FROM sighted AS s WHERE s.definition_id = d.definition_id
        """)
        new = database.query("SELECT s.* FROM sighted AS s ANTI JOIN hot.tool_definitions AS d ON d.definition_id = s.definition_id")
    if len(new):
        database.insert("hot.tool_definitions", new)
    return new


def _touch(database: Database, merged: Merged, whole: Mapping[str, pa.Table], now: datetime) -> None:
    """Note what detectors have to look at again; it stays noted until they have."""
    noted = {
        "call": merged.call_ids,
        "session": {*whole["messages"]["session_id"].to_pylist(), *merged.left_sessions} - {None, ""},
        "server": {s or "" for kind in ("tool_definitions", "access") for s in whole[kind]["server"].to_pylist()},
        "principal": _principals(whole["access"]),
    }
    kinds = [pa.repeat(kind, len(touched)) for kind, touched in noted.items()]
    touched = pa.concat_arrays([pa.array(list(touched), tables.TEXT) for touched in noted.values()])
    if len(touched):
        database.insert("hot.touched", pa.table({
            "kind": pa.concat_arrays(kinds), "key": touched, "touched_at": pa.repeat(pa.scalar(now, tables.MOMENT), len(touched)),
        }))


def _principals(access: pa.Table) -> set[str]:
    return {r["principal"] or r["client_address"] or r["agent"] or "" for r in access.select(["principal", "client_address", "agent"]).to_pylist()}
