"""Calls move into the lake: nothing is lost, nothing counts twice, and detectors see the same."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from detectors.scenarios import access, call, definition, session
from ingest.batch import to_tables
from store.database import Database
from store.errors import DiskError
from store.lake import Lake
from store.manifest import LakeFile
from store.records import Observer, Outcome, Records, Span
from tests.toolhound.small import COUNTED, DELETED, FUTURE, MASKS, MONDAY, UNASKED, attack, opened, spool, state, work
from toolhound import engine as loop
from toolhound import learning
from toolhound.engine import Engine


def kept(engine: Engine) -> tuple[Any, ...]:
    tables = ("calls", "observations", "messages", "access", "tool_definitions")
    counts = tuple(engine.database.value(f"SELECT count(*) FROM {table}") for table in tables)
    return (*counts, engine.database.rows("SELECT * FROM steps ORDER BY session_id, step"))


def on_disk(engine: Engine) -> set[str]:
    return {str(p.relative_to(engine.lake.folder)) for p in engine.lake.folder.rglob("*") if p.is_file() and p != engine.lake.manifest.path}


def ledger(engine: Engine) -> set[str]:
    return {row["path"] for row in engine.database.rows("SELECT path FROM hot.lake_files")}


def test_hot_and_lake_are_one(started: Engine) -> None:
    spool(started, [*work(10), *attack(), definition(), access(), *session(call(), name="next day", start=MONDAY + timedelta(days=1))])
    started.catch_up()
    before = kept(started)
    assert started.settle(FUTURE) == 43 and started.settle(FUTURE) == 0
    assert kept(started) == before and ledger(started) == on_disk(started)
    assert [started.database.value(f"SELECT count(*) FROM hot.{t}") for t in ("calls", "observations", "messages", "access")] == [0] * 4
    assert {path.split("/")[1] for path in on_disk(started) if path.startswith("calls/")} == {"date=2026-01-05", "date=2026-01-06"}
    spool(started, work(5, first=8))
    started.catch_up()
    assert started.database.value("SELECT count(*) FROM calls") == 43 + 20  # sightings of their own
    started.close()
    reopened = opened(started.folder)
    assert reopened.database.value("SELECT count(*) FROM calls") == 63
    started.database = reopened.database


def test_only_what_is_old_and_looked_at_settles(started: Engine) -> None:
    spool(started, work(2))
    started.take()
    assert started.settle(FUTURE) == 0  # no detector has seen it yet
    started.catch_up()
    assert started.settle(datetime.now(UTC) - timedelta(minutes=5)) == 0
    assert started.settle(FUTURE) == 8


def test_few_calls_do_not_make_a_file_each_minute(started: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "SETTLE_EVERY", timedelta(0))
    started.settings = started.settings.model_copy(update={"keep": started.settings.keep.model_copy(update={"settle_seconds": 0.0001})})
    spool(started, work(2))
    started.catch_up()
    started.step()
    assert on_disk(started) == set()
    monkeypatch.setattr(loop, "SETTLE_ROWS", 8)
    started.step()
    assert len(on_disk(started)) == 3
    spool(started, work(1, first=5))
    started.catch_up()
    monkeypatch.setattr(loop, "SETTLE_AFTER", timedelta(0))
    started.step()
    assert started.database.value("SELECT count(*) FROM hot.calls") == 0 and len(on_disk(started)) == 6


def test_the_same_file_again_after_it_settled(started: Engine) -> None:
    records = [*work(3), *attack()]
    spool(started, records)
    started.catch_up()
    started.settle(FUTURE)
    before = kept(started), state(started)
    spool(started, records)
    started.catch_up()
    assert (kept(started), state(started)) == before


@pytest.mark.parametrize("cut", [0, 7, 20, 40])
def test_settled_or_hot_the_findings_are_the_same(tmp_path: Path, only: Callable[..., None], cut: int) -> None:
    only(UNASKED, DELETED, COUNTED)
    records = [*work(4), *session(call("delete"), call("rare"), prompt=None, name="b"), *attack("c", prompt=None), *work(3, first=9)]
    hot, settled = opened(tmp_path / "hot"), opened(tmp_path / "settled")
    spool(hot, records)
    spool(settled, records[:cut])
    settled.catch_up()
    settled.settle(FUTURE)
    spool(settled, records[cut:])
    for engine in (hot, settled):
        engine.catch_up()
        engine.detect()
    assert state(hot) == state(settled) and len(state(hot)[0]) >= 4
    hot.close()
    settled.close()


def test_counters_are_merged_once(started: Engine, only: Callable[..., None]) -> None:
    only(COUNTED)
    for n in range(3):
        spool(started, work(2, first=2 * n))
        started.catch_up()
        started.settle(FUTURE)
    started.settle(FUTURE)
    rows = started.database.rows("SELECT * FROM hot.normal")
    assert [(r["key"], r["n"], r["first_at"]) for r in rows] == [("get_weather", 24, MONDAY + timedelta(seconds=5))]


def test_a_crash_between_file_and_ledger_leaves_no_duplicates(started: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    spool(started, work(3))
    started.catch_up()
    before = kept(started)
    written = started.lake._write("calls", MONDAY.date(), started.database.query("SELECT * FROM hot.calls"))
    stray = written.with_name(".half.partial")
    stray.write_bytes(b"half")
    started.close()
    after = opened(started.folder)
    assert kept(after) == before and not written.exists() and not stray.exists()
    started.database = after.database


@pytest.mark.parametrize("fails_at", [1, 2, 3])
def test_a_full_disk_leaves_everything_hot(started: Engine, monkeypatch: pytest.MonkeyPatch, fails_at: int) -> None:
    spool(started, work(3))
    started.catch_up()
    before, written = kept(started), 0
    write = Lake._write

    def full(lake: Lake, *rest: Any) -> Path:
        nonlocal written
        written += 1
        if written == fails_at:
            raise DiskError("lake cannot be written: No space left on device")
        return write(lake, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(Lake, "_write", full)
        with pytest.raises(DiskError):
            started.settle(FUTURE)
    assert kept(started) == before and on_disk(started) == set() and started.database.value("SELECT count(*) FROM hot.calls") == 12
    spool(started, attack())
    started.catch_up()
    assert len(state(started)[1]) == 1
    assert started.settle(FUTURE) == 14


def test_a_file_that_cannot_be_written_is_a_disk_error(started: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("store.lake_file.os.fsync", refuse)
    with pytest.raises(DiskError, match="No space left"):
        started.lake._write("calls", MONDAY.date(), pa.table({"x": [1]}))
    assert on_disk(started) == set()


def test_spans_of_a_long_trace_are_remembered(started: Engine) -> None:
    known = Span("t", "1", MONDAY, session_id="conversation", session_source=1)
    spans = Records(spans=[Span("old", "1", MONDAY), known])
    started.spool.write(to_tables(spans, MASKS, seen_at=datetime(2020, 1, 1, tzinfo=UTC)))
    spool(started, [call(trace_id="t", span_id="2", session_id=None)])
    started.catch_up()
    started.settle(datetime(2025, 1, 1, tzinfo=UTC))
    assert started.database.rows("SELECT trace_id FROM hot.spans") == [{"trace_id": "t"}]
    spool(started, [call("later", trace_id="t", span_id="3", parent_span_id="1", session_id=None)])
    started.catch_up()
    assert started.database.rows("SELECT DISTINCT session_id FROM calls") == [{"session_id": "conversation"}]


def test_what_a_look_taught_is_taken_over_as_it_is(tmp_path: Path, only: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    only(COUNTED, DELETED)
    anew, over = opened(tmp_path / "anew"), opened(tmp_path / "over")
    for engine in (anew, over):
        spool(engine, [*work(4), *session(call("delete"), call("rare"), name="b"), call("alone", session_id=None)])
        engine.catch_up()
    anew.database.execute("DELETE FROM hot.taught")
    anew.settle(FUTURE)
    with monkeypatch.context() as patched:
        patched.setattr(learning, "counters", None)
        over.settle(FUTURE)
    counted = [engine.database.rows("SELECT * FROM hot.normal ORDER BY ALL") for engine in (anew, over)]
    assert counted[0] == counted[1] != []
    assert [over.database.value(f"SELECT count(*) FROM hot.{table}") for table in ("lessons", "taught")] == [0, 0]
    anew.close()
    over.close()


@pytest.mark.parametrize("added", ["to the session", "by another release"])
def test_a_lesson_that_is_not_whole_is_done_anew(started: Engine, only: Callable[..., None], added: str) -> None:
    only(COUNTED)
    spool(started, work(1))
    started.catch_up()
    if added == "to the session":
        spool(started, session(call("rare"), name="work-0", start=MONDAY + timedelta(hours=1)))
        started.take()
        started.forget_touched()  # the call settles with the others, and no look has taught it
    else:
        started.database.execute("UPDATE hot.taught SET learners = 'of an older release'; DELETE FROM hot.lessons")
    started.settle(FUTURE)
    rows = started.database.rows("SELECT key, n, sessions FROM hot.normal ORDER BY key")
    assert rows[0] == {"key": "get_weather", "n": 4, "sessions": 1} and [row["key"] for row in rows[1:]] == ["rare"] * (added == "to the session")


def test_others_are_taken_in_while_calls_settle_and_what_would_change_these_waits(started: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = call("read", {"path": "a"}, trace_id="t", span_id="1", session_id=None, result=None, outcome=Outcome.UNKNOWN)
    late = replace(asked, observation_id="served", span_id="2", parent_span_id="1", observed_by=Observer.SERVER, result="fine", outcome=Outcome.OK)
    spool(started, [asked, *work(1)])
    started.catch_up()
    before, write, hot = datetime.now(UTC), Lake.write_out, list[int]()
    waiting = threading.Thread(target=started.take)

    def slow(lake: Lake, database: Database, table: str, select: str) -> list[LakeFile]:
        files = write(lake, database, table, select)
        if table == "calls":
            spool(started, work(1, first=5))
            hot.append(started.take())
            spool(started, [late])
            waiting.start()
            waiting.join(0.5)
            hot.append(waiting.is_alive())
        return files

    monkeypatch.setattr(Lake, "write_out", slow)
    assert started.settle(before) == 5 and hot == [5, True]
    waiting.join()
    started.catch_up()
    assert started.database.value("SELECT count(*) FROM calls") == 1 + 4 + 4
    (row,) = started.database.rows("SELECT result, observed_by FROM calls WHERE tool = 'read'")
    assert row == {"result": "fine", "observed_by": ["agent", "server"]}
    assert started.database.value("SELECT count(*) FROM observations WHERE tool = 'read'") == 2


def test_of_very_many_calls_the_oldest_settle_before_they_are_looked_at(
    started: Engine, only: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    only(DELETED)
    monkeypatch.setattr("toolhound.detection.LOOKED_AT_CALLS", 4)
    for n in range(3):
        spool(started, session(call("delete"), call("get_weather"), prompt=None, name=f"s{n}"))
        started.take()
    assert started.settle(FUTURE) == 2 and started.database.value("SELECT count(*) FROM hot.calls") == 4
    started.catch_up()
    assert len(state(started)[0]) == 3
