"""What comes after its call has settled: it finds the call, which is there once, in its newest version."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from detectors.scenarios import call, message
from ingest.batch import to_tables
from store.lake import Lake
from store.records import Call, Observer, Outcome, Record, Records, Span
from tests.toolhound.small import FUTURE, MASKS, MONDAY, opened, spool, work
from toolhound import learning, settling
from toolhound.engine import Engine

ASKED = call("read", {"path": "a"}, trace_id="t", span_id="1", session_id=None, result=None, outcome=Outcome.UNKNOWN)
RAN = replace(ASKED, observation_id="served", span_id="2", parent_span_id="1", observed_by=Observer.SERVER, result="fine", outcome=Outcome.OK,
              called_at=MONDAY + timedelta(seconds=1))


def taken(engine: Engine, *records: Record, settle: bool = True) -> None:
    spool(engine, records)
    engine.catch_up()
    if settle:
        engine.settle(FUTURE)


def seen(engine: Engine, columns: str = "result, session_id, observed_by") -> list[dict[str, Any]]:
    return engine.database.rows(f"SELECT {columns} FROM calls ORDER BY called_at, call_id")


@pytest.mark.parametrize("settle", [True, False])
@pytest.mark.parametrize("first", [ASKED, RAN])
def test_a_sighting_finds_the_call_that_has_settled(started: Engine, first: Call, settle: bool) -> None:
    taken(started, first)
    (before,) = seen(started, "call_id")
    taken(started, RAN if first is ASKED else ASKED, settle=settle)
    assert seen(started) == [{"result": "fine", "session_id": "t", "observed_by": ["agent", "server"]}]
    assert seen(started, "call_id") == [before]
    assert started.database.value("SELECT count(*) FROM observations") == 2
    taken(started, ASKED, RAN)
    assert len(seen(started)) == 1 and started.database.value("SELECT count(*) FROM observations") == 2
    started.close()
    again = opened(started.folder)
    assert seen(again) == [{"result": "fine", "session_id": "t", "observed_by": ["agent", "server"]}]
    started.database = again.database


def test_versions_follow_one_another(started: Engine) -> None:
    taken(started, ASKED)
    for n in range(3):
        taken(started, replace(RAN, observation_id=f"log-{n}", span_id="1", parent_span_id="1", observed_by=Observer.GATEWAY, dialect=f"d{n}"),
              settle=n != 1)
        assert seen(started, "version, len(observed_by) AS observers") == [{"version": min(n + 1, 2), "observers": 2}]
    assert started.database.value("SELECT count(*) FROM observations") == 4


def test_a_span_that_comes_late_moves_settled_calls_to_their_session(started: Engine) -> None:
    taken(started, ASKED, call("ping", trace_id="t", span_id="9", session_id=None), *work(2))
    taken(started, Span("t", "root", MONDAY, session_id="conversation", session_source=1))
    assert {row["session_id"] for row in seen(started)} == {"conversation", "work-0", "work-1"} and len(seen(started)) == 10


def test_two_settled_calls_that_turn_out_to_be_one(started: Engine) -> None:
    taken(started, ASKED, replace(RAN, parent_span_id="between"))
    assert len(seen(started)) == 2
    taken(started, Span("t", "between", MONDAY, parent_span_id="1"))
    assert seen(started) == [{"result": "fine", "session_id": "t", "observed_by": ["agent", "server"]}]


def test_only_days_with_rewritten_calls_are_looked_through_for_older_versions(started: Engine) -> None:
    taken(started, ASKED, call("ping", session_id="next", called_at=MONDAY + timedelta(days=1)))
    plain = "SELECT sql FROM duckdb_views() WHERE view_name = 'calls' AND schema_name = 'main'"
    assert "superseded" not in started.database.value(plain)
    taken(started, RAN)
    assert "superseded" in started.database.value(plain) and len(seen(started)) == 2


def test_what_was_told_before_all_that_is_remembered_is_asked_of_the_lake(started: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    old = datetime.now(UTC) - timedelta(days=9)
    records = Records(calls=[call(called_at=old)], messages=[message("Hello", said_at=old)])
    batch = to_tables(records, MASKS, seen_at=old)
    started.spool.write(batch)
    started.catch_up()
    started.settle(FUTURE)
    assert started.database.value("SELECT count(*) FROM hot.told") == 0
    started.spool.write(to_tables(records, MASKS))
    started.catch_up()
    assert len(seen(started)) == 1 and started.progress.repeated == 1


def test_more_than_one_stretch_settles_one_after_the_other(started: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "AT_ONCE", 5)
    monkeypatch.setattr(learning, "AT_ONCE", 2)
    taken(started, *work(3), settle=False)
    moved = [started.settle(FUTURE) for _ in range(4)]
    assert moved == [5, 5, 2, 0] and len(seen(started)) == 12
    assert started.database.value("SELECT count(*) FROM hot.calls") == 0


@pytest.mark.parametrize("called_at", [datetime(1971, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)])
def test_a_clock_that_is_wrong_breaks_nothing(started: Engine, called_at: datetime) -> None:
    taken(started, call(called_at=called_at, session_id="s"), *work(1))
    assert [row["called_at"] for row in seen(started, "called_at") if row["called_at"].year != 2026] == [called_at]
    today = datetime.now(UTC).date().isoformat()
    days = {path.parent.name for path in (started.folder / "lake" / "calls").rglob("*.parquet")}
    assert days == {"date=2026-01-05", "date=1971-01-01" if called_at.year == 1971 else f"date={today}"}
    assert isinstance(started.lake, Lake) and not started.detect().failures
