"""A database made anew: from the lake and its manifest, the spool, and the decisions that analysts took. The one that was is kept beside it.

Nothing is asked of the old database, so it may be damaged or gone. What is not in the lake yet is still in the spool: the new database
knows none of its files, so they are taken in again. Deliveries that were pending are not known any more, and none is made: who was told of
an alert is not told again.
"""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alerts import budget, groups
from alerts.replay import replay
from detectors.registry import detectors
from store import spool, verify
from store.database import Database, hot_schema
from store.errors import BusyError, SettingsError, StoreError
from store.lake import Lake
from store.records import Finding
from store.rejected import Rejected
from store.restore import restore
from store.spool import Spool, sync_folder
from toolhound.detection import Looked, look_at_everything
from toolhound.engine import GROUPS, Engine
from toolhound.keys import seal_of
from toolhound.settings import DATABASE_FILE, Settings
from toolhound.settling import SPOOLED_KEPT
from toolhound.spending import TITLES, overspent

NEW, KEPT = f"{DATABASE_FILE}.rebuilding", f"{DATABASE_FILE}.before-rebuild"
WAL = ".wal"


def rebuild(folder: Path, settings: Settings) -> dict[str, Any]:
    """Make the database anew: how much it holds, the files that were left out and why, decisions about alerts that are no more, failures.

    Raises BusyError where somebody has the workspace open.
    """
    if not folder.is_dir():
        raise StoreError(f"{folder} is no workspace: there is no such folder")
    held = _held(folder, settings)
    try:
        left_out = _restored(folder, settings)
        engine = Engine(folder, settings, file=NEW)
        try:
            done = _looked(engine)
        finally:
            engine.close()
    finally:
        if held:
            held.close()
    _swap(folder)
    return {**done, "left_out": left_out}


def _held(folder: Path, settings: Settings) -> Database | None:
    """The old database, open, so that nobody else opens it meanwhile; None where it cannot be opened any more."""
    path = folder / DATABASE_FILE
    seal = seal_of(folder, settings.keep)
    try:
        return Database.open(path, seal) if path.exists() else None
    except (BusyError, SettingsError):
        raise
    except StoreError:
        return None


def _restored(folder: Path, settings: Settings) -> list[str]:
    """Begin the new database with what the lake says; which files it goes without."""
    for name in (NEW, NEW + WAL):
        (folder / name).unlink(missing_ok=True)
    seal = seal_of(folder, settings.keep)
    lake, waiting = Lake(folder / "lake", seal), Spool(folder / "spool", seal)
    database = Database.open(folder / NEW, seal)
    try:
        hot_schema(database)
        told = list(lake.manifest.files.values())
        problems = {one.place: one.what for one in verify.check_files(lake, told, database)}
        whole = [one for one in told if str(lake.folder / one.path) not in problems]
        oldest = min((spool.written_at(path) for path in (*waiting.taken(), *waiting.pending(1))), default=datetime.now(UTC))
        with database.transaction():
            restore(database, lake, whole, min(oldest, datetime.now(UTC)) - SPOOLED_KEPT)
        rejected = Rejected(folder / "rejected", seal)
        for place, what in problems.items():
            if Path(place).exists():
                rejected.take(Path(place), f"left out when the database was made anew: {what}")
        with database.transaction():
            lake.drop(database, [one.path for one in told if one not in whole])
    finally:
        database.close()
    return [f"{place}: {what}" for place, what in problems.items()]


def _looked(engine: Engine) -> dict[str, Any]:
    """Take in what waits, learn, look at everything, and take the decisions again."""
    database = engine.database
    engine.learn(None, reset=False)
    while engine.take():
        continue
    whole = Looked()
    for looked in look_at_everything(database, engine.normal()):
        whole.findings += looked.findings
    whole.findings += overspent(database, engine.settings.budgets)
    titles = {name: one.title for name, one in detectors().items()} | TITLES
    rules = engine.settings.detect
    with database.transaction():
        told = groups.among_days(database, whole.findings, GROUPS)
        weighed = budget.weighed(database, told, rules.alerts_per_day, rules.false_discovery_rate, rules.high_alerts_per_day)
        decisions = database.rows("SELECT * FROM hot.decisions")
        orphans = replay(database, _dated(database, weighed), decisions, titles)
    engine.learn(None, reset=False)  # now that alerts stand: attacks do not teach what is usual,
    again = engine.detect()  # and are found against it
    counts = {table: database.value(f"SELECT count(*) FROM {table}") for table in ("calls", "hot.findings", "hot.alerts", "hot.decisions")}
    return {
        **{table.removeprefix("hot."): n for table, n in counts.items()}, "decisions_about_nothing": len(orphans), "failures": again.failures,
    }


def _dated(database: Database, findings: list[Finding]) -> list[tuple[datetime, Finding]]:
    """Findings with the moment since when they could be found: when the last of what proves them was seen. Where that is unknown, now."""
    calls = {row["call_id"]: row["seen_at"] for row in database.rows(
        "SELECT call_id, seen_at FROM calls WHERE call_id IN (SELECT unnest($ids::VARCHAR[]))",
        {"ids": sorted({c for finding in findings for c in finding.call_ids})},
    )}
    defined = {row["server"]: row["seen_at"] for row in database.rows(
        "SELECT coalesce(server, '') AS server, max(seen_at) AS seen_at FROM hot.tool_definitions GROUP BY ALL"
    )}
    now = datetime.now(UTC)

    def moment(finding: Finding) -> datetime:
        seen = [calls[c] for c in finding.call_ids if c in calls] or [defined[s] for s in finding.servers if s in defined]
        return max(seen, default=now)

    return [(moment(finding), finding) for finding in findings]


def _swap(folder: Path) -> None:
    """Put the new database in the place of the old one, of which both files stay beside it.

    Its log goes first: left there, it would be taken for the new one's. A crash after that leaves the old database as of its last
    checkpoint, which the lake's manifest tells from a whole one.
    """
    path, kept = folder / DATABASE_FILE, folder / KEPT
    for old in (kept, folder / (KEPT + WAL)):
        old.unlink(missing_ok=True)
    if (folder / (DATABASE_FILE + WAL)).exists():
        (folder / (DATABASE_FILE + WAL)).rename(folder / (KEPT + WAL))
    if path.exists():
        os.link(path, kept)
    (folder / NEW).rename(path)
    sync_folder(folder)
