"""The loop: alerts in time, findings withdrawn when later telemetry corrects them, failures told and survived."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from detectors.contract import Found, Scope, Slice
from detectors.scenarios import call, message, session
from store.errors import BusyError, DiskError
from store.records import Grade, Observer, Outcome, Span
from tests.toolhound.small import COUNTED, DELETED, FAILING, MONDAY, UNASKED, attack, detector, opened, spool, state, work
from toolhound.engine import Engine
from toolhound.health import health
from toolhound.workspace import Workspace


@contextmanager
def running(engine: Engine) -> Iterator[None]:
    stop = threading.Event()
    threads = [threading.Thread(target=engine.run, args=(stop,)), threading.Thread(target=engine.run_deliveries, args=(stop,))]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(10)


def until(holds: Callable[[], Any], what: str, seconds: float = 10) -> float:
    """How long it took."""
    started = time.monotonic()
    while not holds():
        assert time.monotonic() < started + seconds, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.01)
    return time.monotonic() - started


def asked(engine: Engine, sql: str) -> list[dict[str, Any]]:
    reader = engine.database.reader()
    try:
        return reader.rows(sql)
    finally:
        reader.close()


def test_an_alert_in_time(started: Engine) -> None:
    with running(started):
        spool(started, work(30))
        until(lambda: started.progress.records, "the first batch is taken")
        took = []
        for n in range(3):
            spool(started, attack(f"attack-{n}"))  # on return it is what a sender gets as acknowledged
            sql = f"SELECT 1 FROM hot.alerts WHERE group_key = 'session:attack-{n}'"
            took.append(until(partial(asked, started, sql), "the alert"))
        print("seconds from acknowledgement to alert:", [round(seconds, 2) for seconds in took])


def test_a_prompt_that_arrives_late_explains(started: Engine, only: Callable[..., None]) -> None:
    only(UNASKED)
    spool(started, session(call(), call(), prompt=None))
    started.catch_up()
    findings, alerts = state(started)
    assert len(findings) == 2 and len(alerts) == 1
    spool(started, [message("What is the weather in Oslo?")])
    started.catch_up()
    assert state(started) == ([], [])
    assert started.database.rows("SELECT actor, to_state FROM hot.decisions") == [{"actor": "toolhound", "to_state": "closed"}]


def test_a_prompt_of_the_trace_explains_too(started: Engine, only: Callable[..., None]) -> None:
    only(UNASKED)
    one = call(trace_id="t", span_id="2", parent_span_id="1", session_id=None)
    spool(started, [one])
    started.catch_up()
    spool(started, [Span("t", "1", MONDAY, session_id="conversation", session_source=1)])
    started.catch_up()
    assert [f["scope_key"] for f in state(started)[0]] == ["conversation"]  # and no longer that of the trace
    spool(started, [message("Weather?", session_id="t", trace_id="t")])
    started.catch_up()
    assert state(started) == ([], [])


def test_a_rejection_that_arrives_late_corrects(started: Engine, only: Callable[..., None]) -> None:
    only(DELETED)
    did = call("delete", tool_call_id="u1", session_source=2)
    spool(started, [did])
    started.catch_up()
    assert len(state(started)[0]) == 1
    spool(started, [replace(did, observation_id="decided", observed_by=Observer.DECISION, decision="reject", outcome=Outcome.UNKNOWN)])
    started.catch_up()
    assert state(started) == ([], [])


def test_a_call_that_became_part_of_another_takes_its_findings_along(started: Engine, only: Callable[..., None]) -> None:
    only(DELETED)
    inner = call("delete", trace_id="t", span_id="3", parent_span_id="2", observed_by=Observer.SERVER)
    outer = call("delete", trace_id="t", span_id="1")
    spool(started, [inner, outer])
    started.catch_up()
    assert len(state(started)[0]) == 2
    spool(started, [Span("t", "2", MONDAY, parent_span_id="1")])
    started.catch_up()
    (finding,) = state(started)[0]
    assert finding["call_ids"] == [row["call_id"] for row in asked(started, "SELECT call_id FROM calls")]


def test_a_failing_detector_is_told_and_the_others_go_on(started: Engine, only: Callable[..., None]) -> None:
    only(FAILING, DELETED)
    spool(started, [call("delete")])
    started.catch_up()
    assert len(state(started)[0]) == 1
    told = health(started, started.database)
    assert told["status"] == "degraded" and "on purpose" in told["trouble"][0]
    assert told["detectors"]["failing"] == {"failing": "ZeroDivisionError: on purpose"}
    only(DELETED)
    assert not started.detect().failures and health(started, started.database)["status"] == "ok"


def test_a_finding_that_cannot_be_stored_is_its_detectors_failure_alone(started: Engine, only: Callable[..., None]) -> None:
    def find(seen: Slice) -> Iterator[Found]:
        for row in seen.rows("SELECT * FROM calls"):
            yield Found(row["call_id"], "", [row["call_id"]], Grade.CONTENT, 0.9, "No text: \ud800." if row["tool"] == "odd" else "A text.")

    only(detector("torn", find, Scope.CALL), DELETED)
    spool(started, [call("odd"), call("delete")])
    started.catch_up()
    assert sorted(f["detector"] for f in state(started)[0]) == ["deleted", "torn"]
    told = health(started, started.database)
    assert "cannot be stored" in told["detectors"]["failing"]["torn"] and told["engine"]["touched_since"] is None


def test_taking_does_not_wait_for_a_look_and_what_is_touched_meanwhile_is_looked_at(started: Engine, only: Callable[..., None]) -> None:
    looking, go_on = threading.Event(), threading.Event()

    def find(seen: Slice) -> Iterator[Found]:
        looking.set()
        assert go_on.wait(10)
        for row in seen.rows("SELECT session_id, list(call_id ORDER BY called_at) AS calls FROM calls GROUP BY session_id"):
            yield Found(row["session_id"], "", row["calls"], Grade.CONTENT, 0.9, f"{len(row['calls'])} calls.")

    only(detector("slow", find))
    with running(started):
        spool(started, [call(session_id="s", called_at=MONDAY)])
        assert looking.wait(10)
        spool(started, [call(session_id="s", called_at=MONDAY + timedelta(seconds=5))])
        until(lambda: started.progress.records == 2, "it is taken while the detector is busy")
        go_on.set()
        until(lambda: asked(started, "SELECT 1 FROM hot.findings WHERE len(call_ids) = 2"), "the session is looked at again")


def test_touched_or_all_at_once_is_the_same(tmp_path: Path, only: Callable[..., None]) -> None:
    only(UNASKED, DELETED)
    records = [*work(10), *attack("a", prompt=None), *session(call("delete"), prompt=None, name="b")]
    first, second = opened(tmp_path / "1"), opened(tmp_path / "2")
    for n in range(0, len(records), 5):
        spool(first, records[n:n + 5])
        first.catch_up()
    spool(second, records)
    second.detect()
    assert state(first) == state(second) and state(first)[0]
    before = state(first)
    first.detect()
    assert state(first) == before
    first.close()
    second.close()


def test_the_loop_outlives_a_failing_disk(started: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(started):
        with monkeypatch.context() as patched:
            def full(*_: object) -> None:
                raise DiskError("no space left on device; free some space")

            patched.setattr("toolhound.engine.intake.take", full)
            spool(started, attack())
            until(lambda: started.progress.trouble, "the trouble is told")
            assert health(started, started.database.reader())["status"] == "failing"
        until(lambda: asked(started, "SELECT 1 FROM hot.alerts"), "it goes on by itself")
        until(lambda: started.progress.trouble is None, "the trouble is over")


def test_damaged_spool_files_are_set_aside_with_the_reason(started: Engine) -> None:
    (started.spool.folder / "00000000000000000001-1-x.arrow").write_bytes(b"torn")
    spool(started, attack())
    started.catch_up()
    told = health(started, started.database)["rejected"]
    assert told["kept"] == 1 and "damaged" in told["newest"][0]["reason"] and len(state(started)[1]) == 1
    assert started.spool.pending(10) == []


def test_one_workspace_one_process(started: Engine, tmp_path: Path) -> None:
    import subprocess
    import sys

    command = [sys.executable, "-m", "toolhound.cli", "alerts", "-w", str(started.folder)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2 and ended.stdout == "" and ended.stderr.startswith("toolhound: ") and "held by another process" in ended.stderr
    assert BusyError.__name__ not in ended.stderr and "Traceback" not in ended.stderr


@pytest.mark.parametrize("stale", ["", "{", "[]", '{"address": 1}', json.dumps({"address": "http://127.0.0.1:9", "token": "t", "pid": 1})])
def test_a_stale_note_of_a_server_is_no_obstacle(tmp_path: Path, stale: str) -> None:
    from toolhound.workspace import connect

    (tmp_path / "serve.json").write_text(stale)
    found = connect(tmp_path)
    assert isinstance(found, Workspace)
    found.close()


def test_what_is_learned_counts_once(started: Engine, only: Callable[..., None]) -> None:
    only(COUNTED)
    spool(started, [*work(3), call("rare", session_id="x"), call("rare", session_id="x", called_at=MONDAY)])
    started.catch_up()
    assert [f["scope_key"] for f in state(started)[0]] == ["x", "x"]


def test_a_backlog_is_taken_before_a_look_and_a_look_takes_on_so_much_at_most(
    started: Engine, only: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    only(DELETED)
    monkeypatch.setattr("toolhound.engine.FILES_A_STEP", 1)
    monkeypatch.setattr("toolhound.engine.STEPS_A_LOOK", 3)
    monkeypatch.setattr("toolhound.looking.LOOKED_AT_ONCE", 4)
    for n in range(5):
        spool(started, [call("delete", session_id=f"s{n}"), call("delete", session_id=f"s{n}")])
    assert started.step(patient=False) == 6 and len(state(started)[0]) == 4
    told = health(started, started.database)["engine"]
    assert told["touched"] == 2 and told["touched_since"] is not None
    started.catch_up()
    assert len(state(started)[0]) == 10 and health(started, started.database)["engine"]["touched_since"] is None


def test_looks_give_way_while_taking_does_not_keep_up(started: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    looked, busy, stop = list[float](), threading.Event(), threading.Event()
    busy.set()

    def look() -> bool:
        looked.append(time.monotonic())
        time.sleep(0.1)
        return True

    def take() -> int:
        time.sleep(0.02)
        return int(busy.is_set())

    monkeypatch.setattr("toolhound.engine.STEP_SECONDS", 0.01)
    monkeypatch.setattr(started, "take", take)
    monkeypatch.setattr(started.looks, "once", look)
    running = threading.Thread(target=started.run, args=(stop,))
    running.start()
    time.sleep(2)
    assert 2 <= len(looked) <= 6  # of some twenty: a fifth of the time, and what was begun before it was known
    busy.clear()
    before = len(looked)
    while len(looked) < before + 6:
        time.sleep(0.01)
    stop.set()
    running.join()
    assert sorted(b - a for a, b in zip(looked[-5:], looked[-4:], strict=False))[0] < 0.5
