"""Records as collectors spool them, and engines over folders that take them."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from detectors.scenarios import call, session
from ingest.batch import to_tables
from ingest.redact import Redactor
from store.records import Record, Records
from toolhound.engine import Engine
from toolhound.settings import Settings

MASKS = Redactor(b"a key of the tests")
FUTURE = datetime(2100, 1, 1, tzinfo=UTC)
INJECTION = call("run_sql", {"query": "SELECT * FROM t WHERE id = 1 OR 1=1; DROP TABLE users; --"}, server="db")
TRAVERSAL = call("read_file", {"path": "../../../../etc/shadow"}, server="files")


def spool(engine: Engine, records: Iterable[Record], seen_at: datetime | None = None) -> Path:
    batch = Records()
    for record in records:
        batch.add(record)
    return engine.spool.write(to_tables(batch, MASKS, seen_at=seen_at))


def attack(name: str = "attack", start: datetime = datetime(2026, 1, 5, 9, tzinfo=UTC)) -> list[Record]:
    """A session in which a path climbs out of its folder."""
    return session(call("list_files", {"path": "notes"}, server="files"), _fresh(TRAVERSAL), prompt="List my notes.", name=name, start=start)


def _fresh(one: Any) -> Any:
    return call(one.tool, None, server=one.server, arguments=one.arguments) if False else call(one.tool, {"path": "../../../../etc/shadow"}, server="files")


def work(sessions: int, start: datetime = datetime(2026, 1, 5, 9, tzinfo=UTC)) -> list[Record]:
    """Ordinary sessions."""
    return [
        record for n in range(sessions)
        for record in session(*(call(arguments={"city": f"Oslo {step}"}) for step in range(4)), name=f"work-{n}", start=start + timedelta(minutes=n))
    ]


def state(engine: Engine) -> tuple[Any, ...]:
    """What an engine knows: findings and open alerts, without the moments at which they were made."""
    findings = engine.database.rows("SELECT finding_id, detector, scope_key, call_ids, severity, score, sentence FROM hot.findings ORDER BY ALL")
    alerts = engine.database.rows("SELECT group_key, title, risk, finding_ids FROM hot.alerts WHERE state <> 'closed' ORDER BY ALL")
    return findings, alerts


def opened(folder: Path) -> Engine:
    return Engine(folder, Settings())


def killed(engine: Engine) -> None:
    """As after a crash: nothing is said goodbye to."""
    with suppress(Exception):
        engine.database.close()
