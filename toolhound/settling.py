"""What no longer changes moves into the lake, a stretch at a time; what later sightings need to find their call is remembered for a while."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from store.database import Database
from store.heard import heard_of
from store.lake import Lake
from toolhound.detection import LOOKED_AT_WITHIN

AT_ONCE = 250_000
"""How many calls one transaction moves at most: enough for files that are worth opening, and detectors do not wait for long."""

TAUGHT_AT_ONCE = 50_000
"""How many calls are held in memory at a time, for detectors to learn from."""

SPANS_KEPT = timedelta(hours=1)
"""How long spans are remembered after the last of their trace."""

SPOOLED_KEPT = timedelta(days=2)
"""How long the names of taken spool files are remembered."""

REMEMBERED = timedelta(days=2)
"""How long the identity of settled sightings, messages and attempts is remembered: one that comes later begins a call of its own."""

REMEMBERED_ROWS = 10_000_000
"""How many sightings are remembered at most, about 2 GB on disk; of more, the oldest are forgotten sooner."""


def settle(database: Database, lake: Lake, before: datetime, learn: Callable[[pa.Table], None], settled: Callable[[pa.Table], None]) -> int:
    """Move what was seen before a moment and looked at (or has waited for that too long), at most `AT_ONCE` calls; how many were moved.

    Call inside a transaction.
    """
    database.execute("""
        CREATE OR REPLACE TEMP TABLE leaving AS
        SELECT call_id, session_id, seen_at, row_number() OVER (ORDER BY seen_at, call_id) AS place FROM hot.calls
        WHERE seen_at < $before AND call_id NOT IN (SELECT key FROM hot.touched WHERE kind = 'call' AND touched_at >= $patient)
        QUALIFY place <= $most
    """, {"before": before, "most": AT_ONCE, "patient": datetime.now(UTC) - LOOKED_AT_WITHIN})
    moved = int(database.value("SELECT count(*) FROM leaving"))
    if moved:
        for start in range(0, moved, TAUGHT_AT_ONCE):  # what settled before has taught already
            learn(database.query("""
                SELECT c.* FROM hot.calls AS c JOIN leaving AS s USING (call_id) WHERE s.place > $start AND s.place <= $end AND c.version = 0
            """, {"start": start, "end": start + TAUGHT_AT_ONCE}))
        lake.move(database, "calls", "SELECT c.* FROM hot.calls AS c SEMI JOIN leaving AS s ON s.call_id = c.call_id")
        lake.move(database, "observations", "SELECT o.* FROM hot.observations AS o SEMI JOIN leaving AS s ON s.call_id = o.call_id")
        for table in ("calls", "sighted"):
            database.execute(f"DELETE FROM hot.{table} WHERE call_id IN (SELECT call_id FROM leaving)")
        database.execute("UPDATE hot.told SET place = 'lake' WHERE place <> 'lake' AND call_id IN (SELECT call_id FROM leaving)")
        settled(database.query("SELECT session_id, call_id FROM leaving"))
    for table in ("messages", "access"):
        lake.move(database, table, f"SELECT * FROM hot.{table} WHERE seen_at < TIMESTAMPTZ '{before.isoformat()}'")
        database.execute(f"DELETE FROM hot.{table} WHERE seen_at < ?", [before])
    return moved


def forget(database: Database, before: datetime, now: datetime) -> None:
    """Let go of what is too old to be needed: context spans, names of spool files, the identity of what settled long ago."""
    database.execute("""
        DELETE FROM hot.spans WHERE trace_id NOT IN (
            SELECT trace_id FROM hot.spans WHERE seen_at >= ? UNION SELECT trace_id FROM hot.told WHERE place <> 'lake' AND trace_id IS NOT NULL)
    """, [before - SPANS_KEPT])
    database.execute("DELETE FROM hot.spooled WHERE taken_at < ?", [before - SPOOLED_KEPT])
    edge = now - REMEMBERED
    if (count := database.value("SELECT count(*) FROM hot.told")) > REMEMBERED_ROWS:
        share = 1 - REMEMBERED_ROWS / count
        edge = max(edge, database.value("SELECT quantile_disc(seen_at, ?) FROM hot.told", [share]))
    if not database.value("SELECT count(*) FROM hot.told WHERE seen_at < ? AND place = 'lake'", [edge]):
        return
    database.execute("DELETE FROM hot.told WHERE seen_at < ? AND place = 'lake'", [edge])
    for table in ("said", "accessed"):
        database.execute(f"DELETE FROM hot.{table} WHERE seen_at < ?", [min(edge, before)])
    database.execute("DELETE FROM hot.forgotten")
    database.execute("INSERT INTO hot.forgotten VALUES (?)", [edge])
    oldest = database.value("SELECT min(seen_at) FROM hot.told")
    heard_of(database).forget(min(edge, oldest) if oldest else edge)
