"""An alert that came to be, changed or was closed; and how alerts and decisions are written down."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias

from store.database import Database
from store.errors import NotFoundError, SourceError
from store.records import AlertState, Decision, Verdict
from store.tables import rows_to_table

Row: TypeAlias = dict[str, Any]
"""A row by column name; the columns stand in `store.tables`."""


SHORTEST_BEGINNING = 6
"""Characters of an id that tables show and people type."""


class Event(StrEnum):
    """What may be told to a sink."""

    CREATED = "alert.created"
    UPDATED = "alert.updated"
    CLOSED = "alert.closed"


@dataclass(frozen=True, slots=True)
class Change:
    """One step in an alert's life, with the alert's row after it. No two changes of an alert share a version."""

    kind: Event
    alert: Row


def alert_row(database: Database, alert_id: str) -> Row:
    """An alert's row, by its id or by a beginning of it that only one alert has. Raises NotFoundError, SourceError where several have it."""
    rows = database.rows("SELECT * FROM hot.alerts WHERE alert_id = $alert", {"alert": alert_id})
    if not rows and len(alert_id) >= SHORTEST_BEGINNING:
        rows = database.rows("SELECT * FROM hot.alerts WHERE starts_with(alert_id, $alert) LIMIT 2", {"alert": alert_id})
    if len(rows) > 1:
        raise SourceError(f"alert {alert_id!r}: several begin so; give more of the id")
    if not rows:
        raise NotFoundError(f"alert {alert_id!r} does not exist")
    return rows[0]


def save_alerts(database: Database, alerts: Sequence[Row]) -> None:
    """Put alerts in place of their earlier versions."""
    if alerts:
        database.replace("hot.alerts", rows_to_table("alerts", list(alerts)), ["alert_id"])


def save_decision(
    database: Database, before: Row, after: Row, *, actor: str, now: datetime, comment: str,
    verdict: Verdict | None = None, assignee: str | None = None,
) -> None:
    """Append one step of triage."""
    decision = Decision(
        decision_id=uuid.uuid4().hex, alert_id=after["alert_id"], decided_at=now, actor=actor,
        from_state=AlertState(before["state"]), to_state=AlertState(after["state"]),
        verdict=verdict, assignee=assignee, comment=comment,
    )
    database.insert("hot.decisions", rows_to_table("decisions", [asdict(decision)]))
