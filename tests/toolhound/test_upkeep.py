"""Old days go, small files become one; nothing counts twice or is lost, whenever it is broken off."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from detectors.scenarios import access, call, session
from store.lake import Lake
from store.manifest import LakeFile
from tests.toolhound.small import FUTURE, MONDAY, UNASKED, attack, opened, spool, state, work
from toolhound import upkeep
from toolhound.engine import Engine
from toolhound.settings import Keep
from toolhound.upkeep import expired, keep_house, mergeable

LATER = timedelta(hours=2)
CALLED = MONDAY.date()


@pytest.fixture(autouse=True)
def small(only: Callable[..., None]) -> None:
    only(UNASKED)


def lake_file(day: int, size: int = 10, table: str = "calls", number: int = 0, written: datetime = MONDAY) -> LakeFile:
    return LakeFile(table, f"{table}/date={CALLED + timedelta(days=day)}/{number}.parquet", 1, written, size, "")


def settled_days(engine: Engine, days: int) -> None:
    for day in range(days):
        spool(engine, [*work(2, start=MONDAY + timedelta(days=day), first=10 * day), access(accessed_at=MONDAY + timedelta(days=day))])
    engine.catch_up()
    engine.settle(FUTURE)


def days_of(engine: Engine) -> list[date]:
    rows = engine.database.rows("SELECT DISTINCT called_at::DATE AS day FROM calls ORDER BY day")
    return [row["day"] for row in rows]


def on_disk(engine: Engine) -> set[str]:
    return {str(p.relative_to(engine.lake.folder)) for p in engine.lake.folder.rglob("*.parquet")}


def everything(engine: Engine) -> list[tuple[Any, ...]]:
    asked = {"calls": "call_id", "observations": "observation_id", "messages": "message_id"}
    return [tuple(map(str, engine.database.rows(f"SELECT * FROM {table} ORDER BY {key}"))) for table, key in asked.items()]


@pytest.mark.parametrize(("keep", "gone"), [
    (Keep(), []), (Keep(days=400), []), (Keep(days=3), [0, 1]), (Keep(days=1), [0, 1, 2, 3]),
    (Keep(lake_bytes=60), []), (Keep(lake_bytes=45), [0]), (Keep(lake_bytes=1), [0, 1, 2, 3]), (Keep(days=3, lake_bytes=25), [0, 1, 2]),
])
def test_which_days_go(keep: Keep, gone: list[int]) -> None:
    files = [lake_file(day) for day in range(5)] + [lake_file(0, 1, "decisions")]
    assert [one.day for one in expired(files, CALLED + timedelta(days=5), keep)] == [CALLED + timedelta(days=day) for day in gone]


def test_a_day_goes_from_all_tables_and_its_findings_stay(started: Engine) -> None:
    spool(started, attack(start=MONDAY, prompt=None))
    settled_days(started, 3)
    before = state(started)
    assert before[1] and len(days_of(started)) == 3
    now = MONDAY + timedelta(days=2, hours=12)
    done = keep_house(started.database, started.lake, Keep(days=1), now)
    assert done["dropped"] > 3 and days_of(started) == [CALLED + timedelta(days=1), CALLED + timedelta(days=2)]
    assert state(started) == before
    assert not {path for path in started.lake.manifest.files if f"date={CALLED}" in path and "decisions" not in path}
    assert len(on_disk(started)) > len(started.lake.manifest.files)  # whoever reads goes on reading
    assert keep_house(started.database, started.lake, Keep(), datetime.now(UTC) + LATER)["removed"] == done["dropped"]
    assert on_disk(started) == set(started.lake.manifest.files)


def test_a_question_that_began_before_goes_on(started: Engine) -> None:
    settled_days(started, 2)
    reader = started.database.reader()
    with reader.transaction():
        assert reader.value("SELECT count(*) FROM calls") == 16
        keep_house(started.database, started.lake, Keep(lake_bytes=1), datetime.now(UTC))
        assert reader.value("SELECT sum(length(arguments)) FROM calls") > 0 and reader.value("SELECT count(*) FROM calls") == 16
    assert reader.value("SELECT count(*) FROM calls") == 8
    reader.close()


def test_a_crash_between_ledger_and_removal(started: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    settled_days(started, 2)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Lake, "publish", crash)
        with pytest.raises(KeyboardInterrupt):
            keep_house(started.database, started.lake, Keep(lake_bytes=1), datetime.now(UTC))
    started.close()
    again = opened(started.folder)
    assert days_of(again) == [CALLED + timedelta(days=1)]
    assert on_disk(again) == set(again.lake.manifest.files) == {one.path for one in again.lake.ledger(again.database)}
    started.database = again.database


def test_which_files_become_one() -> None:
    many, few = [lake_file(0, number=n) for n in range(20)], [lake_file(1, number=n) for n in range(15)]
    assert mergeable([*many, *few], MONDAY + LATER) == many
    assert mergeable(many, MONDAY + timedelta(minutes=5)) == []
    assert mergeable([lake_file(0, upkeep.SMALL_BYTES, number=n) for n in range(20)], MONDAY + LATER) == []
    large = [lake_file(0, upkeep.SMALL_BYTES - 1, number=n) for n in range(20)]
    assert len(mergeable(large, MONDAY + LATER)) == 8


def scattered(engine: Engine) -> None:
    for n in range(17):
        spool(engine, session(call(arguments={"n": n}), name=f"s{16 - n}", start=MONDAY + timedelta(minutes=n)))
        engine.catch_up()
        engine.settle(FUTURE)


def test_many_small_files_become_one(started: Engine) -> None:
    scattered(started)
    before = everything(started)
    now = datetime.now(UTC) + LATER
    assert keep_house(started.database, started.lake, Keep(), now)["merged"] == 17
    while keep_house(started.database, started.lake, Keep(), now)["merged"]:
        continue
    assert everything(started) == before
    for table in ("calls", "observations", "messages"):
        (path,) = started.lake.files(started.database, table)
        rows = started.database.query(f"SELECT session_id FROM {started.database.parquet([path])}")["session_id"].to_pylist()
        assert len(rows) == 17 and rows == sorted(rows)
    started.close()
    again = opened(started.folder)
    assert everything(again) == before and len(on_disk(again)) == 3
    started.database = again.database


@pytest.mark.parametrize("broken", ["note", "drop", "publish"])
def test_a_crash_while_files_become_one(started: Engine, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    scattered(started)
    before = everything(started)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Lake, broken, crash)
        with pytest.raises(KeyboardInterrupt):
            keep_house(started.database, started.lake, Keep(), datetime.now(UTC) + LATER)
    started.close()
    again = opened(started.folder)
    assert everything(again) == before and on_disk(again) == set(again.lake.manifest.files)
    started.database = again.database


def test_the_house_is_kept_while_running(started: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    settled_days(started, 2)
    started.settings = started.settings.model_copy(update={"keep": Keep(lake_bytes=1)})
    monkeypatch.setattr("toolhound.engine.SETTLE_EVERY", timedelta(0))
    started.step()
    assert days_of(started) == [CALLED + timedelta(days=1)]
    settled_days(started, 3)
    started.step()
    assert len(days_of(started)) == 3  # once an hour is enough
