"""Records as collectors spool them, engines over folders that take them, and detectors small enough to know by heart."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from detectors.contract import Detector, Find, Found, Scope, Slice
from detectors.registry import Registered
from detectors.scenarios import call, session
from ingest.batch import to_tables
from ingest.redact import Redactor
from store.records import Call, Grade, Record, Records, Severity
from toolhound.engine import Engine
from toolhound.settings import Settings

MASKS = Redactor(b"a key of the tests")
MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)
FUTURE = datetime(2100, 1, 1, tzinfo=UTC)


def opened(folder: Path) -> Engine:
    return Engine(folder, Settings())


def spool(engine: Engine, records: Iterable[Record]) -> Path:
    batch = Records()
    for record in records:
        batch.add(record)
    return engine.spool.write(to_tables(batch, MASKS))


def attack(name: str = "attack", start: datetime = MONDAY, prompt: str | None = "List my notes.") -> list[Record]:
    """A session in which a path climbs out of its folder."""
    made = [call("list_files", {"path": "notes"}, server="files"), call("read_file", {"path": "../../../../etc/shadow"}, server="files")]
    return session(*made, prompt=prompt, name=name, start=start)


def work(sessions: int, start: datetime = MONDAY, calls: int = 4, first: int = 0) -> list[Record]:
    """Ordinary sessions."""
    return [
        record for n in range(first, first + sessions)
        for record in session(
            *(call(arguments={"city": f"Oslo {step}"}) for step in range(calls)), name=f"work-{n}", start=start + timedelta(minutes=n),
        )
    ]


def again(records: Iterable[Record]) -> list[Record]:
    """The calls once more, as sightings of their own."""
    return [replace(r, observation_id=f"{r.observation_id}-again") if isinstance(r, Call) else r for r in records]


def state(engine: Engine) -> tuple[Any, ...]:
    """What an engine knows: findings and open alerts, without the moments at which they were made."""
    findings = engine.database.rows("SELECT finding_id, detector, scope_key, call_ids, severity, score, sentence FROM hot.findings ORDER BY ALL")
    alerts = engine.database.rows("SELECT group_key, title, risk, finding_ids FROM hot.alerts WHERE state <> 'closed' ORDER BY ALL")
    return findings, alerts


def detector(
    name: str, find: Find, scope: Scope = Scope.SESSION, learn: str | None = None, learn_by: str | None = None, **more: bool,
) -> Registered:
    """more: other fields of `Detector`."""
    made = Detector(severity=Severity.HIGH, techniques=(), scope=scope, find=find, learn=learn, learn_by=learn_by, fires_on={}, quiet_on={})
    made = replace(made, **more)  # type: ignore[arg-type]  # those that are true or false
    return Registered(name, "rules", made, name.replace("_", " "), {})


def _each(wanted: str, says: str, key: str = "session_id") -> Callable[[Slice], Iterable[Found]]:
    def find(seen: Slice) -> Iterable[Found]:
        for row in seen.rows(wanted):
            yield Found(row[key], row["call_id"], [row["call_id"]], Grade.CONTENT, 0.9, says)

    return find


def _fails(_: Slice) -> Iterable[Found]:
    raise ZeroDivisionError("on purpose")


UNASKED = detector("unasked", _each("SELECT * FROM steps WHERE prompt IS NULL AND session_id IS NOT NULL", "Nobody asked for it."))
DELETED = detector("deleted", _each("SELECT * FROM calls WHERE tool = 'delete' AND outcome <> 'denied'", "It was deleted.", "call_id"), Scope.CALL)
FAILING = detector("failing", _fails, Scope.CALL)
COUNTED = detector(
    "counted", _each("SELECT c.* FROM calls AS c JOIN normal AS m ON m.detector = 'counted' AND m.key = c.tool WHERE m.n < 3", "Rarely called."),
    learn="SELECT tool AS key, count(*) AS n, min(called_at) AS first_at, max(called_at) AS last_at FROM calls GROUP BY tool",
)
