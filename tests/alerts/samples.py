"""Findings, alerts and sinks to test with."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from alerts import triage
from alerts.changes import Change, Event, Row
from alerts.sinks import Result
from store.database import Database, hot_schema
from store.records import Delivery, Finding, Grade, Severity

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TITLES = {"secret_leaves": "A secret read in one call leaves in another", "tool_loop": "A tool is called in circles"}


def opened() -> Database:
    """An empty database with the engine's tables."""
    database = Database.memory()
    hot_schema(database)
    return database


def finding(finding_id: str = "f1", **changes: Any) -> Finding:
    """A high finding of session s1, unless said otherwise."""
    known: dict[str, Any] = {
        "finding_id": finding_id, "detector": "secret_leaves", "severity": Severity.HIGH, "scope": "session", "scope_key": "s1",
        "subject": finding_id, "call_ids": [f"call-{finding_id}"], "grade": Grade.CONTENT, "score": 0.5,
        "sentence": f"Sentence of {finding_id}.", "evidence": {"characters": 84}, "techniques": ["atlas:AML.T0086"],
        "session_id": "s1", "agents": ["planner"], "servers": ["mail"], "tools": ["send_mail"],
        "first_called_at": NOON, "last_called_at": NOON,
    }
    return Finding(**(known | changes))


def created(database: Database, *findings: Finding, now: datetime = NOON) -> Row:
    """The one alert that these findings open."""
    (change,) = triage.group(database, findings, now, TITLES)
    assert change.kind == Event.CREATED
    return change.alert


def change(alert_id: str = "a1", version: int = 1, kind: Event = Event.CREATED, severity: Severity = Severity.HIGH) -> Change:
    """A step in the life of an alert that stands in no table."""
    return Change(kind, _opened_by(severity) | {"alert_id": alert_id, "version": version})


@cache
def _opened_by(severity: Severity) -> Row:
    return created(opened(), finding(severity=severity))


@dataclass
class Desk:
    """A sink that answers as told and keeps what it got."""

    name: str = "desk"
    events: frozenset[Event] = frozenset(Event)
    min_severity: Severity = Severity.LOW
    answers: list[Result] = field(default_factory=list)
    got: list[str] = field(default_factory=list)

    def body(self, event: Event, alert: Row) -> str:
        return f"{event} {alert['alert_id']} {alert['version']}"

    def send(self, delivery: Delivery) -> Result:
        self.got.append(delivery.delivery_id)
        return self.answers.pop(0) if self.answers else Result(ok=True, code=204)
