"""Calls move into the lake: nothing is lost, nothing counts twice, and detectors see the same."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from detectors.scenarios import access, call, definition, session
from ingest.batch import to_tables
from store.errors import DiskError
from store.lake import Lake
from store.records import Records, Span
from tests.toolhound.small import COUNTED, DELETED, FUTURE, MASKS, MONDAY, UNASKED, attack, opened, spool, state, work
from toolhound import engine as loop
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
