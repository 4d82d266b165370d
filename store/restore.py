"""The database's own knowledge, made anew from the lake: the ledger, what stays hot, and what is remembered of what has settled."""

from datetime import datetime

from store import tables
from store.database import Database
from store.lake import STAYING, Lake, as_today
from store.manifest import LakeFile

_NEWEST_FIRST = {
    "grants": "revoked_at DESC NULLS LAST", "registry": "changed_at DESC", "tool_definitions": "first_seen_at", "decisions": "decided_at DESC",
}
"""Which of several rows of one key is the one that counts: the last that was laid down; of sightings the first."""


def restore(database: Database, lake: Lake, files: list[LakeFile], since: datetime) -> None:
    """Fill a new database from files of the lake. What was seen `since` is remembered row by row, so that it is known when it comes again."""
    for one in files:
        database.execute(
            "INSERT INTO hot.lake_files (tbl, path, records, written_at, bytes, checksum) VALUES (?, ?, ?, ?, ?, ?)",
            [one.table, one.path, one.records, one.written_at, one.bytes, one.checksum],
        )
    for table in STAYING:
        if source := _source(database, lake, table):
            columns = ", ".join(tables.names(table))
            same = ", ".join(tables.KEYS[table])
            database.execute(f"""
                INSERT INTO hot.{table} BY NAME SELECT {columns} FROM {source}
                QUALIFY row_number() OVER (PARTITION BY {same} ORDER BY {_NEWEST_FIRST[table]}) = 1
            """)
    database.execute("INSERT INTO hot.defined SELECT definition_id FROM hot.tool_definitions")
    database.execute("INSERT INTO hot.decided SELECT decision_id FROM hot.decisions")
    _remember(database, lake, since)
    database.execute("INSERT INTO hot.forgotten VALUES (?)", [since])
    lake.make_views(database)


def _remember(database: Database, lake: Lake, since: datetime) -> None:
    """The ids of what has settled, and which of its rows a later one took the place of."""
    if source := _source(database, lake, "observations"):
        given = ", ".join(f"{name.removeprefix('given_')} AS {name}" for name in tables.names("told") if name.startswith("given_"))
        told = ", ".join(name for name in tables.names("told") if name != "place" and not name.startswith("given_"))
        database.execute(f"INSERT INTO hot.told BY NAME SELECT {told}, {given}, 'lake' AS place FROM {source} WHERE seen_at >= ?", [since])
    if source := _source(database, lake, "messages"):
        database.execute(f"""
            INSERT INTO hot.said BY NAME
            SELECT message_id, session_id, md5(role || chr(31) || text) AS words, 0 AS adopted, said_at, seen_at FROM {source} WHERE seen_at >= ?
        """, [since])
    if source := _source(database, lake, "access"):
        database.execute(f"INSERT INTO hot.accessed BY NAME SELECT access_id, seen_at FROM {source} WHERE seen_at >= ?", [since])
    if source := _source(database, lake, "calls"):
        database.execute(f"""
            INSERT INTO hot.superseded BY NAME
            WITH newest AS (SELECT call_id, max(version) AS version FROM {source} GROUP BY call_id HAVING max(version) > 0)
            SELECT DISTINCT c.call_id, n.version, least(c.called_at, c.seen_at)::DATE AS day FROM {source} AS c JOIN newest AS n USING (call_id)
            WHERE coalesce(c.version, 0) < n.version
        """)


def _source(database: Database, lake: Lake, table: str) -> str | None:
    files = lake.files(database, table)
    if not files:
        return None
    return as_today(database, table, files)
