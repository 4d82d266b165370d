"""The outbox: who is told what, when it is tried again, when it is given up, and that nothing is lost on the way."""

from datetime import datetime, timedelta
from random import Random

import pytest

from alerts import outbox as box
from alerts.breaker import AT_ONCE, FAILURES_TO_OPEN, FIRST_PAUSE, LONGEST_PAUSE, Breaker
from alerts.changes import Event, Row
from alerts.outbox import JITTER, RETRY_AFTER_S, Outbox, dead_letters, enqueue, outbox_health, replay
from alerts.sinks import Result
from store.database import Database
from store.records import Severity
from tests.alerts.samples import NOON, Desk, change, opened

BUSY = Result(ok=False, code=503, error="answered 503")


def step(outbox: Outbox, database: Database, now: datetime) -> list[str]:
    """One round of the engine; ids attempted."""
    due = outbox.due(database, now)
    for delivery in due:
        outbox.record(database, delivery, outbox.attempt(delivery, outbox.sinks[delivery.sink]), now)
    return [d.delivery_id for d in due]


def rows(database: Database) -> list[Row]:
    return database.rows("SELECT * FROM hot.deliveries ORDER BY delivery_id, sink")


def only(database: Database) -> Row:
    (row,) = rows(database)
    return row


def test_sinks_hear_what_they_asked_for() -> None:
    database = opened()
    sinks = [Desk("all"), Desk("closings", frozenset({Event.CLOSED})), Desk("critical", min_severity=Severity.CRITICAL)]
    assert enqueue(database, [change(version=1), change(version=2, kind=Event.CLOSED)], sinks, NOON) == 3
    assert sorted((r["sink"], r["event"]) for r in rows(database)) == [
        ("all", "alert.closed"), ("all", "alert.created"), ("closings", "alert.closed"),
    ]
    assert rows(database)[0]["body"] == "alert.created a1 1"


def test_who_was_told_hears_of_the_end_whatever_the_severity() -> None:
    database, desk = opened(), Desk(min_severity=Severity.HIGH)
    enqueue(database, [change(severity=Severity.HIGH)], [desk], NOON)
    assert enqueue(database, [change(version=2, kind=Event.CLOSED, severity=Severity.LOW)], [desk], NOON) == 1
    assert enqueue(database, [change("a2", kind=Event.CLOSED, severity=Severity.LOW)], [desk], NOON) == 0


def test_queueing_twice_is_queueing_once() -> None:
    database, desk = opened(), Desk()
    assert enqueue(database, [change()], [desk], NOON) == 1
    assert enqueue(database, [change()], [desk], NOON) == 0
    assert "." not in only(database)["delivery_id"]


def test_two_failures_then_accepted() -> None:
    database, desk = opened(), Desk(answers=[BUSY, BUSY])
    outbox = Outbox([desk], Random(1))
    enqueue(database, [change()], [desk], NOON)
    attempted = [n for n in range(20) if step(outbox, database, NOON + timedelta(seconds=n))]
    assert len(attempted) == 3 and attempted[0] == 0 and attempted[2] <= 10
    row = only(database)
    assert (row["status"], row["attempts"], row["response_code"], row["last_error"]) == ("delivered", 3, 204, None)
    assert row["delivered_at"] == NOON + timedelta(seconds=attempted[2])
    assert len(set(desk.got)) == 1


def test_the_whole_schedule_ends_in_a_dead_letter() -> None:
    database, desk = opened(), Desk(answers=[BUSY] * 100)
    enqueue(database, [change()], [desk], NOON)
    now, waits = NOON, []
    while only(database)["status"] == "pending":
        now = max(now, only(database)["next_attempt_at"])
        step(Outbox([desk], Random(2)), database, now)  # a new outbox each time: what counts survives a restart
        waits.append((only(database)["next_attempt_at"] - now).total_seconds())
    assert len(desk.got) == len(RETRY_AFTER_S) + 1 == only(database)["attempts"]
    for waited, planned in zip(waits, RETRY_AFTER_S, strict=False):
        assert planned <= waited <= planned * (1 + JITTER)
    (dead,) = dead_letters(database)
    assert dead["last_error"] == "gave up after 12 attempts: answered 503" and dead["response_code"] == 503
    assert timedelta(hours=70) < now - NOON < timedelta(hours=100)


@pytest.mark.parametrize("code", [400, 401, 403, 404, 413, 422])
def test_a_refusal_is_final_at_once(code: int) -> None:
    database, desk = opened(), Desk(answers=[Result(ok=False, code=code, error=f"answered {code}")])
    enqueue(database, [change()], [desk], NOON)
    step(Outbox([desk]), database, NOON)
    assert (only(database)["status"], only(database)["last_error"]) == ("dead", f"answered {code}")


@pytest.mark.parametrize("code", [302, 408, 429, 500, 502, 503, 504, None])
def test_what_may_recover_is_tried_again(code: int | None) -> None:
    database, desk = opened(), Desk(answers=[Result(ok=False, code=code, error="no")])
    enqueue(database, [change()], [desk], NOON)
    step(Outbox([desk]), database, NOON)
    assert (only(database)["status"], only(database)["attempts"]) == ("pending", 1)


@pytest.mark.parametrize(("asked", "least", "most"), [(120, 120, 121), (0, 2, 3), (10**9, 86_400, 86_401)])
def test_retry_after_is_honoured_within_reason(asked: float, least: int, most: int) -> None:
    database, desk = opened(), Desk(answers=[Result(ok=False, code=429, error="answered 429", retry_after_s=asked)])
    outbox = Outbox([desk])
    enqueue(database, [change("a1"), change("a2")], [desk], NOON)
    first, second = outbox.due(database, NOON)
    outbox.record(database, first, outbox.attempt(first, desk), NOON)
    assert least <= (rows(database)[0]["next_attempt_at"] - NOON).total_seconds() <= most
    outbox.record(database, second, Result(ok=False, error="lost"), NOON)
    assert outbox.due(database, NOON + timedelta(seconds=1)) == []


def test_gone_disables_the_sink_until_replayed() -> None:
    database, desk = opened(), Desk(answers=[Result(ok=False, code=410, error="answered 410")])
    outbox = Outbox([desk, Desk("other")])
    enqueue(database, [change("a1"), change("a1", version=2)], [desk], NOON)
    step(outbox, database, NOON)
    enqueue(database, [change("a2")], [desk, Desk("other")], NOON)
    assert [(r["sink"], r["status"]) for r in rows(database)] == [("desk", "dead")] * 3 + [("other", "pending")]
    assert outbox_health(database)[0]["disabled"] and not outbox_health(database)[1]["disabled"]
    assert all(r["last_error"] for r in dead_letters(database, "desk"))
    assert len(replay(database, [r["delivery_id"] for r in dead_letters(database)])) == 3
    assert not outbox_health(database)[0]["disabled"]
    for _ in range(3):
        step(outbox, database, NOON)
    assert outbox_health(database)[0]["delivered"] == 3


def test_an_alert_is_told_in_order_and_others_need_not_wait() -> None:
    database, desk = opened(), Desk(answers=[BUSY])
    outbox = Outbox([desk])
    enqueue(database, [change("a1", version=v) for v in (1, 2, 10)] + [change("a2")], [desk], NOON)
    ids = [r["delivery_id"] for r in rows(database)]
    assert step(outbox, database, NOON) == [ids[0], ids[3]]
    seen: list[str] = []
    for n in range(1, 10):
        seen += step(outbox, database, NOON + timedelta(seconds=n))
    assert seen == ids[:3]


def test_what_is_in_flight_is_not_due_again_unless_lost() -> None:
    database, desk = opened(), Desk()
    outbox = Outbox([desk])
    enqueue(database, [change(), change(version=2)], [desk], NOON)
    assert len(outbox.due(database, NOON)) == 1
    assert outbox.due(database, NOON) == []
    assert len(outbox.due(database, NOON + box.LOST_AFTER)) == 1
    assert len(Outbox([desk]).due(database, NOON)) == 1


def test_one_dead_sink_does_not_hold_up_another() -> None:
    database, dead, alive = opened(), Desk("dead", answers=[BUSY] * 1000), Desk("alive")
    outbox = Outbox([dead, alive])
    enqueue(database, [change(f"a{n:03}") for n in range(50)], [dead, alive], NOON)
    for n in range(600):
        step(outbox, database, NOON + timedelta(seconds=n))
    by_sink = {h["sink"]: h for h in outbox_health(database)}
    assert by_sink["alive"]["delivered"] == 50
    assert by_sink["dead"]["pending"] == 50 and by_sink["dead"]["last_error"] == "answered 503"
    assert len(dead.got) <= AT_ONCE + 10
    assert outbox.breakers(NOON + timedelta(seconds=600))["dead"]["open_until"] is not None
    dead.answers.clear()
    now = NOON + timedelta(seconds=600) + LONGEST_PAUSE
    assert len(step(outbox, database, now)) == 1
    assert len(step(outbox, database, now)) == AT_ONCE
    assert outbox.breakers(now)["dead"] == {"failures": 0, "open_until": None}


def test_the_breaker_opens_pauses_longer_and_closes() -> None:
    breaker, now = Breaker(), NOON
    for _ in range(FAILURES_TO_OPEN):
        assert breaker.room(now, 0) >= 1
        breaker.failed(now, timedelta())
    assert breaker.room(now, 0) == 0
    assert breaker.room(now + FIRST_PAUSE, 0) == 1 and breaker.room(now + FIRST_PAUSE, 1) == 0
    breaker.failed(now, timedelta())
    assert breaker.open_until == now + 2 * FIRST_PAUSE
    for _ in range(10_000):
        breaker.failed(now, timedelta())
    assert breaker.open_until == now + LONGEST_PAUSE
    breaker.answered()
    assert breaker.room(now, 3) == AT_ONCE - 3


class Broken(Desk):
    """A sink that fails in every way."""

    def body(self, event: Event, alert: Row) -> str:
        if alert["version"] > 1:
            raise KeyError("title")
        return super().body(event, alert)

    def send(self, delivery: object) -> Result:
        raise RuntimeError("no route")


def test_a_broken_sink_is_kept_with_its_reason() -> None:
    database, sink = opened(), Broken()
    outbox = Outbox([sink])
    assert enqueue(database, [change(), change(version=2)], [sink], NOON) == 2
    step(outbox, database, NOON)
    first, second = rows(database)
    assert (first["status"], first["last_error"]) == ("pending", "RuntimeError: no route")
    assert second["status"] == "dead" and "no body could be made: KeyError" in second["last_error"]
    assert replay(database, [second["delivery_id"]]) == []


def test_a_sink_that_is_configured_no_longer_still_shows() -> None:
    database = opened()
    enqueue(database, [change()], [Desk("gone")], NOON)
    assert Outbox([Desk("desk")]).due(database, NOON) == [] == Outbox([]).due(database, NOON)
    (health,) = outbox_health(database)
    assert health["sink"] == "gone" and health["pending"] == 1 and health["oldest_pending_at"] == NOON
