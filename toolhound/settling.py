"""What no longer changes moves into the lake, a stretch at a time; what later sightings need to find their call is remembered for a while."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from store.database import Database
from store.heard import heard_of
from store.lake import Lake
from store.manifest import LakeFile
from toolhound.detection import patience
from toolhound.learning import Learned

AT_ONCE = 120_000
"""How many calls one transaction moves at most: enough for files that are worth opening, and detectors do not wait for long."""

SPANS_KEPT = timedelta(hours=1)
"""How long spans are remembered after the last of their trace."""

SPOOLED_KEPT = timedelta(days=2)
"""How long the names of taken spool files are remembered."""

REMEMBERED = timedelta(days=2)
"""How long the identity of settled sightings, messages and attempts is remembered: one that comes later begins a call of its own."""

REMEMBERED_ROWS = 10_000_000
"""How many sightings are remembered at most, about 2 GB on disk; of more, the oldest are forgotten sooner."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """Calls that are about to settle, in files of the lake that do not count yet, and what they teach; `ready`: lessons taken over as they are."""

    calls: pa.Table
    seen: Mapping[str, datetime | None]
    files: list[LakeFile]
    learned: Learned
    ready: pa.Table


def prepare(database: Database, lake: Lake, before: datetime, learn: Callable[[Database], Learned]) -> Leaving:
    """Write out what was seen before a moment and looked at (or has waited for that too long), at most `AT_ONCE` calls; nothing is moved yet.

    None of it may change until `move`; what is taken in meanwhile is of no concern. Call outside a transaction.
    """
    database.execute("""
        CREATE OR REPLACE TEMP TABLE leaving AS
        SELECT call_id, session_id, called_at, seen_at, coalesce(version, 0) AS version,
               call_id IN (SELECT key FROM hot.touched WHERE kind = 'call' AND touched_at < $patient) AS late,
               row_number() OVER (ORDER BY seen_at, call_id) AS place
        FROM hot.calls
        WHERE seen_at < $before AND call_id NOT IN (SELECT key FROM hot.touched WHERE kind = 'call' AND touched_at >= $patient)
        QUALIFY place <= $most
    """, {"before": before, "most": AT_ONCE, "patient": patience(database, datetime.now(UTC))})
    seen = database.rows("SELECT min(seen_at) AS first, max(seen_at) AS last FROM leaving")[0]
    told = "FROM hot.told WHERE seen_at >= (SELECT min(seen_at) FROM leaving) AND call_id IN (SELECT call_id FROM leaving)"
    seen["told"] = database.value(f"SELECT max(seen_at) {told}") or seen["last"]
    files: list[LakeFile] = []
    learned = learn(database)
    if seen["first"]:
        for table, last in (("calls", seen["last"]), ("observations", seen["told"])):
            files += lake.write_out(database, table, f"""
                SELECT c.* FROM hot.{table} AS c WHERE c.call_id IN (SELECT call_id FROM leaving)
                AND c.seen_at BETWEEN TIMESTAMPTZ '{seen['first'].isoformat()}' AND TIMESTAMPTZ '{last.isoformat()}'
            """)
    leaving = Leaving(database.query("SELECT call_id, session_id FROM leaving"), seen, files, learned, database.query("FROM ready"))
    for made in ("leaving", "ready", "untaught"):
        database.execute(f"DROP TABLE {made}")
    return leaving


def move(database: Database, lake: Lake, before: datetime, leaving: Leaving) -> None:
    """Let what was written out count in the lake, and no longer here; with it go messages and access of that time. Call inside a transaction."""
    if len(leaving.calls):
        lake.enter(database, leaving.files)
        with database.named(leaving=leaving.calls):
            for table, last in (("calls", "last"), ("sighted", "told")):
                database.execute(f"DELETE FROM hot.{table} WHERE seen_at BETWEEN $first AND $until AND call_id IN (SELECT call_id FROM leaving)",
                                 {"first": leaving.seen["first"], "until": leaving.seen[last]})
            database.execute("""
                UPDATE hot.told SET place = 'lake'
                WHERE place <> 'lake' AND seen_at BETWEEN $first AND $until AND call_id IN (SELECT call_id FROM leaving)
            """, {"first": leaving.seen["first"], "until": leaving.seen["told"]})
    for table in ("messages", "access"):
        lake.move(database, table, f"SELECT * FROM hot.{table} WHERE seen_at < TIMESTAMPTZ '{before.isoformat()}'")
        database.execute(f"DELETE FROM hot.{table} WHERE seen_at < ?", [before])


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
