"""Spooled batches into the hot tables: each file counts once, whatever crashes, because its name goes in with its rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from store import spool, tables
from store.database import Database
from store.errors import DamagedError
from store.merge import Merged, merge

UNFIT = (DamagedError, ValueError, KeyError, TypeError, OverflowError)
"""What a file raises that can never be taken; everything else, a full disk above all, is tried again."""


@dataclass(slots=True)
class Taken:
    """What a step took in: files, records, what changed, and which files were damaged and why."""

    files: list[Path] = field(default_factory=list)
    records: int = 0
    merged: Merged = field(default_factory=Merged)
    damaged: dict[Path, str] = field(default_factory=dict)


def take(database: Database, files: list[Path]) -> Taken:
    """Take spool files into the hot tables, in one transaction with their names; a file that was taken before is only named.

    Where something in them cannot be taken, each is tried by itself, so that one damaged file does not hold up the others.
    """
    try:
        return _take(database, files)
    except UNFIT as error:
        if len(files) == 1:
            return Taken(damaged={files[0]: f"{type(error).__name__}: {error}"})
    taken = Taken()
    for path in files:
        one = take(database, [path])
        taken.files += one.files
        taken.records += one.records
        taken.damaged |= one.damaged
        taken.merged.call_ids += one.merged.call_ids
        taken.merged.left_sessions += one.merged.left_sessions
    return taken


def _take(database: Database, files: list[Path]) -> Taken:
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
            batch = spool.read(path)
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
        database.insert("hot.spooled", pa.table({
            "file": list(counts), "taken_at": pa.repeat(pa.scalar(now, tables.MOMENT), len(counts)), "records": list(counts.values()),
        }))
    return taken


def absorb(database: Database, batch: Mapping[str, pa.Table], now: datetime) -> Merged:
    """Take a batch into the hot tables and note what it touches. Call inside a transaction."""
    whole = {kind: batch.get(kind, tables.empty(kind)) for kind in tables.SPOOLED}
    merged = merge(database, whole["observations"], whole["spans"])
    _messages(database, whole["messages"])
    _definitions(database, whole["tool_definitions"])
    _once(database, "access", whole["access"], "access_id", "accessed_at")
    served = _adopt_servers(database, merged, whole["tool_definitions"])
    moved = _adopt_messages(database, whole)
    _touch(database, Merged(sorted({*merged.call_ids, *served}), sorted({*merged.left_sessions, *moved})), whole, now)
    return merged


def _adopt_servers(database: Database, merged: Merged, definitions: pa.Table) -> list[str]:
    """The server of a call that came without one is the only server that showed its agent a tool of that name; the calls that got one."""
    if not merged.call_ids and not len(definitions):
        return []
    with database.named(made=pa.table({"call_id": pa.array(merged.call_ids, tables.TEXT)}), listed=definitions.select(["tool"])):
        rows = database.query("""
            SELECT c.call_id, d.server FROM hot.calls AS c
            JOIN (SELECT agent, tool, min(server) AS server FROM hot.tool_definitions WHERE server IS NOT NULL
                  GROUP BY agent, tool HAVING count(DISTINCT server) = 1) AS d
              ON d.tool = c.tool AND d.agent IS NOT DISTINCT FROM c.agent
            WHERE c.server IS NULL AND (c.call_id IN (SELECT call_id FROM made) OR c.tool IN (SELECT tool FROM listed))
        """)
    if len(rows):
        with database.named(served=rows):
            database.execute("UPDATE hot.calls AS c SET server = s.server FROM served AS s WHERE s.call_id = c.call_id")
    return [str(call_id) for call_id in rows.column("call_id").to_pylist()]


def _adopt_messages(database: Database, whole: Mapping[str, pa.Table]) -> set[str]:
    """The session of a message that came without one is the only session of its trace; the sessions left and entered."""
    traces = pa.concat_arrays([chunk for kind in ("observations", "spans", "messages") for chunk in whole[kind]["trace_id"].chunks])
    with database.named(concerned=pa.table({"trace_id": traces.unique()})):
        rows = database.query("""
            SELECT m.message_id, m.session_id AS former, t.session_id, t.session_source FROM hot.messages AS m
            JOIN (SELECT trace_id, min(session_id) AS session_id, min(session_source) AS session_source
                  FROM (SELECT trace_id, session_id, session_source FROM hot.spans WHERE session_source < 3
                        UNION ALL SELECT trace_id, session_id, session_source FROM hot.observations WHERE session_source < 3)
                  WHERE trace_id IN (SELECT trace_id FROM concerned) AND session_id IS NOT NULL
                  GROUP BY trace_id HAVING count(DISTINCT session_id) = 1) AS t USING (trace_id)
            WHERE m.session_source = 4 AND m.session_id IS DISTINCT FROM t.session_id
        """)
    if not len(rows):
        return set()
    with database.named(moved=rows):
        database.execute("""
            UPDATE hot.messages AS m SET session_id = n.session_id, session_source = n.session_source
            FROM moved AS n WHERE n.message_id = m.message_id
        """)
    return {s for column in ("former", "session_id") for s in rows.column(column).to_pylist() if s}


def _once(database: Database, table: str, rows: pa.Table, key: str, moment: str) -> None:
    """Append the rows whose key is not there yet; only the stretch of time that they cover is looked through."""
    if not len(rows):
        return
    with database.named(incoming=rows):
        database.execute(f"""
            INSERT INTO hot.{table} BY NAME SELECT * FROM incoming
            WHERE {key} NOT IN (SELECT {key} FROM {table}
                WHERE {moment} BETWEEN (SELECT min({moment}) FROM incoming) AND (SELECT max({moment}) FROM incoming))
            QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {moment}) = 1
        """)


def _messages(database: Database, rows: pa.Table) -> None:
    """A message is told again with every later model request of its session: the earliest telling stays."""
    if not len(rows):
        return
    with database.named(incoming=rows):
        database.execute("""
            CREATE OR REPLACE TEMP TABLE said AS
            SELECT * FROM incoming QUALIFY row_number() OVER (PARTITION BY message_id ORDER BY said_at, seen_at) = 1
        """)
        database.execute("""
            UPDATE hot.messages AS m SET said_at = s.said_at FROM said AS s WHERE s.message_id = m.message_id AND s.said_at < m.said_at
        """)
        database.execute("INSERT INTO hot.messages BY NAME SELECT * FROM said WHERE message_id NOT IN (SELECT message_id FROM messages)")


def _definitions(database: Database, rows: pa.Table) -> None:
    if not len(rows):
        return
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
        database.execute("""
            INSERT INTO hot.tool_definitions BY NAME SELECT s.* FROM sighted AS s
            ANTI JOIN hot.tool_definitions AS d ON d.definition_id = s.definition_id
        """)


def _touch(database: Database, merged: Merged, whole: Mapping[str, pa.Table], now: datetime) -> None:
    """Note what detectors have to look at again; it stays noted until they have."""
    touched = [("call", c) for c in merged.call_ids]
    touched += [("session", s) for s in {*whole["messages"]["session_id"].to_pylist(), *merged.left_sessions} if s]
    touched += [("server", s or "") for s in set(whole["tool_definitions"]["server"].to_pylist())]
    touched += [("principal", p) for p in _principals(whole["access"])]
    if touched:
        kinds, keys = zip(*touched, strict=True)
        database.insert("hot.touched", pa.table({
            "kind": list(kinds), "key": list(keys), "touched_at": pa.repeat(pa.scalar(now, tables.MOMENT), len(keys)),
        }))


def _principals(access: pa.Table) -> set[str]:
    return {r["principal"] or r["client_address"] or r["agent"] or "" for r in access.select(["principal", "client_address", "agent"]).to_pylist()}
