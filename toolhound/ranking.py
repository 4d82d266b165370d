"""Sessions of an export by risk: what is normal comes from a history, if one is given; no workspace is needed or left behind."""

import csv
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from alerts.risk import risk
from ingest import files
from ingest.batch import to_tables
from ingest.redact import Redactor
from store.database import Database
from store.errors import StoreError
from store.records import Finding, Grade, Severity
from toolhound.engine import Engine
from toolhound.settings import Settings
from toolhound.workers import Workers

THROWAWAY_KEY = b"nothing of this outlives the command"


def rank(
    calls: Sequence[str], history: Sequence[str], progress: Callable[[int], None] = lambda _: None, workers: Workers | None = None
) -> tuple[list[tuple[str, float]], list[str]]:
    """`(session_id, risk)` for each session of `calls`, best first; and what was refused or failed, each with its place."""
    refused: list[str] = []
    with TemporaryDirectory(prefix="toolhound-") as folder:
        engine = Engine(Path(folder), Settings(), workers=workers)
        try:
            _take(engine, history, refused, progress)
            engine.forget_touched()
            engine.settle(datetime.now(UTC) + timedelta(days=1))
            _take(engine, calls, refused, progress)
            sessions = [r["s"] for r in engine.database.rows("SELECT DISTINCT session_id AS s FROM hot.calls WHERE session_id IS NOT NULL")]
            failures = engine.detect(learn_from_unsettled=False).failures
            refused += [f"detector {name} failed, so its findings are missing: {why}" for name, why in failures.items()]
            found = _findings(engine.database)
        finally:
            engine.close()
    ranked = [(session, risk(found.get(session, []))) for session in sessions]
    return sorted(ranked, key=lambda pair: (-pair[1], pair[0])), refused


def write_csv(ranked: Sequence[tuple[str, float]], output: Path | None) -> None:
    """`session_id,risk`, one line each."""
    try:
        with output.open("w", newline="", encoding="utf-8") if output else nullcontext(sys.stdout) as sink:
            writer = csv.writer(sink)
            writer.writerow(("session_id", "risk"))
            writer.writerows((session, f"{value:.6f}") for session, value in ranked)
    except OSError as error:
        if output is None:
            raise
        raise StoreError(f"{output} cannot be written: {error.strerror}") from error


def _take(engine: Engine, names: Sequence[str], refused: list[str], progress: Callable[[int], None]) -> None:
    masks = Redactor(THROWAWAY_KEY)
    for name in names:
        for part in files.read(name):
            engine.spool.write(to_tables(part.records, masks))
            engine.take()
            refused += part.refused
            progress(part.read_bytes)


def _findings(database: Database) -> dict[str, list[Finding]]:
    """Findings by session; one over several sessions counts for each."""
    found: dict[str, list[Finding]] = {}
    for row in database.rows("SELECT * EXCLUDE (found_at) FROM hot.findings"):
        sessions = [row["session_id"]] if row["session_id"] else json.loads(row["evidence"]).get("sessions", ())
        finding = Finding(**{**row, "severity": Severity(row["severity"]), "grade": Grade(row["grade"]), "evidence": {}})
        for session in sessions:
            found.setdefault(session, []).append(finding)
    return found
