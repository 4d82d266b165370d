"""Deliveries: queued in the alert's own transaction, tried until accepted, kept with the reason where they never are.

At least once, in order per alert and sink. A replayed delivery may come after younger ones; the body's `version` tells.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from random import Random
from typing import Any

from alerts.breaker import AT_ONCE, Breaker
from alerts.changes import Change, Row
from alerts.sinks import Result, Sink
from store.database import Database
from store.records import Delivery, names_of
from store.tables import rows_to_table

RETRY_AFTER_S = (2, 5, 30, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds after each failure: the example of Standard Webhooks (three days in all), with quicker first steps for a restart."""

JITTER = 0.2
"""Up to a fifth is added, so that deliveries that failed together do not return together."""

LONGEST_WAIT_S = 86_400
"""What a destination may ask for at most by Retry-After."""

LOST_AFTER = timedelta(minutes=5)
"""A delivery in flight whose result never came is due again; far beyond the time limit of any sink."""

GONE = 410
_MAY_RECOVER = (408, 429)

_DUE = """
    SELECT * EXCLUDE (in_alert, in_sink) FROM (
        SELECT *, row_number() OVER (PARTITION BY sink ORDER BY next_attempt_at, created_at, delivery_id) AS in_sink
        FROM (SELECT *, row_number() OVER (PARTITION BY sink, alert_id ORDER BY delivery_id) AS in_alert
              FROM hot.deliveries WHERE status = 'pending' AND sink IN (SELECT unnest($sinks::VARCHAR[])))
        WHERE in_alert = 1 AND next_attempt_at <= $now AND NOT list_contains($in_flight::VARCHAR[], delivery_id))
    WHERE in_sink <= $most ORDER BY next_attempt_at, created_at, delivery_id
"""


def enqueue(database: Database, changes: Sequence[Change], sinks: Sequence[Sink], now: datetime) -> int:
    """Queue every change for every sink that wants it; how many were queued. In the transaction that wrote the alerts.

    A sink that was told of an alert also hears of it when its severity has sunk below what the sink asks for.
    """
    known = database.rows(
        "SELECT delivery_id, sink, alert_id FROM hot.deliveries WHERE alert_id IN (SELECT unnest($alerts::VARCHAR[]))",
        {"alerts": sorted({c.alert["alert_id"] for c in changes})},
    )
    told, queued, disabled = {(k["sink"], k["alert_id"]) for k in known}, {k["delivery_id"] for k in known}, _disabled(database)
    deliveries = []
    for sink in sinks:
        for change in changes:
            subject = (sink.name, change.alert["alert_id"])
            if change.kind in sink.events and (change.alert["severity"] >= sink.min_severity or subject in told):
                delivery = _delivery(sink, change, now, sink.name in disabled)
                told.add(subject)
                if delivery.delivery_id not in queued:
                    queued.add(delivery.delivery_id)
                    deliveries.append(asdict(delivery))
    if deliveries:
        database.insert("hot.deliveries", rows_to_table("deliveries", deliveries))
    return len(deliveries)


def _delivery(sink: Sink, change: Change, now: datetime, disabled: bool) -> Delivery:
    """Its id sorts by the alert's version, is the same if queued again, and has no dot (Standard Webhooks)."""
    alert_id, version = change.alert["alert_id"], change.alert["version"]
    identity = f"{alert_id}-{version:08d}-{hashlib.sha256(sink.name.encode()).hexdigest()[:8]}"
    body, error = "", "the sink is disabled: it answered 410 Gone" if disabled else None
    try:
        body = sink.body(change.kind, change.alert)
    except Exception as failure:  # noqa: BLE001 - one sink's format must not undo the alert; the failure is kept with the delivery
        error = f"no body could be made: {type(failure).__name__}: {failure}"
    status = "dead" if error else "pending"
    return Delivery(identity, alert_id, sink.name, str(change.kind), body, now, next_attempt_at=now, status=status, last_error=error)


class Outbox:
    """What is due, one attempt, what came of it. Keep one for the engine's life: it remembers how the sinks fare.

    `due` and `record` belong to the thread that owns the database (`record` in a transaction); `attempt` to any.
    """

    def __init__(self, sinks: Iterable[Sink], random: Random | None = None) -> None:
        self.sinks = {sink.name: sink for sink in sinks}
        self._breakers = {name: Breaker() for name in self.sinks}
        self._in_flight: dict[str, tuple[str, datetime]] = {}
        self._random = random or Random()  # noqa: S311 - jitter, not a secret

    def due(self, database: Database, now: datetime) -> list[Delivery]:
        """What to attempt now. Each must come back by `record`; until then it is not due again."""
        self._in_flight = {d: (sink, since) for d, (sink, since) in self._in_flight.items() if now - since < LOST_AFTER}
        flying = Counter(sink for sink, _ in self._in_flight.values())
        room = {name: breaker.room(now, flying[name]) for name, breaker in self._breakers.items()}
        asked = {"sinks": [n for n, r in room.items() if r], "now": now, "in_flight": list(self._in_flight), "most": AT_ONCE}
        chosen = []
        for row in database.rows(_DUE, asked) if asked["sinks"] else []:
            if room[row["sink"]] > 0:
                room[row["sink"]] -= 1
                self._in_flight[row["delivery_id"]] = (row["sink"], now)
                chosen.append(Delivery(**{name: row[name] for name in names_of(Delivery)}))
        return chosen

    def attempt(self, delivery: Delivery, sink: Sink) -> Result:
        """Send once; never raises."""
        try:
            return sink.send(delivery)
        except Exception as error:  # noqa: BLE001 - whatever a sink does, the others must go on; it is kept with the delivery
            return Result(ok=False, error=f"{type(error).__name__}: {error}")

    def record(self, database: Database, delivery: Delivery, result: Result, now: datetime) -> None:
        """Write down what came of an attempt, and when to try again."""
        self._in_flight.pop(delivery.delivery_id, None)
        breaker = self._breakers.setdefault(delivery.sink, Breaker())
        final = result.ok or _is_final(result.code)
        asked_s = 0.0 if final else min(result.retry_after_s or 0.0, LONGEST_WAIT_S)
        if final:
            breaker.answered()
        else:
            breaker.failed(now, timedelta(seconds=asked_s))
        gave_up = not final and delivery.attempts >= len(RETRY_AFTER_S)
        error = f"gave up after {delivery.attempts + 1} attempts: {result.error}" if gave_up else result.error
        wait_s = 0.0 if final or gave_up else max(asked_s, RETRY_AFTER_S[delivery.attempts] * (1 + JITTER * self._random.random()))
        _write(database, delivery.delivery_id, {
            "status": "delivered" if result.ok else "dead" if final or gave_up else "pending",
            "next": now + timedelta(seconds=wait_s), "error": error, "code": result.code, "delivered": now if result.ok else None,
        })
        if result.code == GONE:
            database.execute(
                "UPDATE hot.deliveries SET status = 'dead', last_error = 'the sink is disabled: it answered 410 Gone' "
                "WHERE sink = $sink AND status = 'pending'", {"sink": delivery.sink})

    def breakers(self, now: datetime) -> dict[str, dict[str, Any]]:
        """How each sink fares: failures in a row, and until when it is left alone (None: not)."""
        return {
            name: {"failures": b.failures, "open_until": b.open_until if b.open_until and b.open_until > now else None}
            for name, b in self._breakers.items()
        }


def replay(database: Database, delivery_ids: Iterable[str]) -> list[str]:
    """Queue deliveries again that were given up or delivered, with all their attempts; the ids that were.

    Their sinks count as enabled again. What never had a body cannot be replayed.
    """
    values = {"ids": list(delivery_ids)}
    chosen = "delivery_id IN (SELECT unnest($ids::VARCHAR[])) AND status <> 'pending' AND body <> ''"
    rows = database.rows(f"SELECT delivery_id, sink FROM hot.deliveries WHERE {chosen} ORDER BY created_at, delivery_id", values)
    database.execute(
        "UPDATE hot.deliveries SET response_code = NULL WHERE response_code = 410 AND sink IN (SELECT unnest($sinks::VARCHAR[]))",
        {"sinks": sorted({row["sink"] for row in rows})},
    )
    database.execute(
        "UPDATE hot.deliveries SET status = 'pending', attempts = 0, next_attempt_at = created_at, delivered_at = NULL, "
        f"response_code = NULL WHERE {chosen}", values,
    )
    return [row["delivery_id"] for row in rows]


def dead_letters(database: Database, sink: str | None = None, limit: int = 100) -> list[Row]:
    """Deliveries that were given up, with the reason, the youngest first."""
    return database.rows(
        "SELECT * FROM hot.deliveries WHERE status = 'dead' AND ($sink::VARCHAR IS NULL OR sink = $sink) "
        "ORDER BY created_at DESC, delivery_id LIMIT $limit", {"sink": sink, "limit": limit})


def outbox_health(database: Database) -> list[Row]:
    """Per sink, also those no longer configured: how many are pending, retrying, delivered, dead, and since when the oldest waits."""
    return database.rows("""
        SELECT sink, count(*) FILTER (status = 'pending') AS pending,
               count(*) FILTER (status = 'pending' AND attempts > 0) AS retrying,
               count(*) FILTER (status = 'delivered') AS delivered, count(*) FILTER (status = 'dead') AS dead,
               min(created_at) FILTER (status = 'pending') AS oldest_pending_at, max(delivered_at) AS last_delivered_at,
               arg_max(last_error, next_attempt_at) FILTER (status <> 'delivered' AND last_error IS NOT NULL) AS last_error,
               coalesce(bool_or(status = 'dead' AND response_code = 410), false) AS disabled
        FROM hot.deliveries GROUP BY sink ORDER BY sink
    """)


def _disabled(database: Database) -> set[str]:
    rows = database.rows("SELECT DISTINCT sink FROM hot.deliveries WHERE status = 'dead' AND response_code = 410")
    return {row["sink"] for row in rows}


def _is_final(code: int | None) -> bool:
    """A refusal that trying again does not change."""
    return code is not None and 400 <= code < 500 and code not in _MAY_RECOVER


def _write(database: Database, delivery_id: str, values: dict[str, Any]) -> None:
    """A failed attempt does not revive what was given up meanwhile."""
    database.execute(
        "UPDATE hot.deliveries SET status = $status, next_attempt_at = $next, last_error = $error, response_code = $code, "
        "delivered_at = $delivered, attempts = attempts + 1 WHERE delivery_id = $id AND (status = 'pending' OR $status = 'delivered')",
        values | {"id": delivery_id},
    )
