"""Detectors in processes of their own: the same answers, and an end that is noticed."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import active_children
from pathlib import Path

import pytest

from detectors.registry import detectors
from store.errors import DetectorError
from tests.toolhound.small import attack, opened, spool, work
from toolhound.detection import Look, Looked, look_at_touched
from toolhound.engine import Engine
from toolhound.workers import Workers

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    made = Workers(2)
    yield made
    made.stop()


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Engine]:
    made = opened(tmp_path)
    spool(made, [*work(250), *attack("a"), *attack("b")])
    made.take()
    yield made
    made.close()


def looked_at(engine: Engine, workers: Workers) -> Looked:
    look, looked = Look(engine.database, ask=workers.ask, at_once=workers.processes), Looked()
    look.choose()
    look.learn(looked)
    look.sessions(looked)
    look.groups(look.touched(), looked)
    return looked


def test_the_same_is_found(busy: Engine, workers: Workers) -> None:
    there, here = looked_at(busy, workers), look_at_touched(busy.database)
    assert {f.finding_id: f for f in there.findings} == {f.finding_id: f for f in here.findings}
    assert {f.session_id for f in there.findings} >= {"a", "b"} and not there.failures


def test_one_that_dies_is_told_and_replaced(busy: Engine, workers: Workers) -> None:
    workers.ask([], {}).result()
    for one in active_children():
        os.kill(one.pid or 0, signal.SIGSTOP)
    answers = [workers.ask([], {}) for _ in range(workers.processes)]
    for one in active_children():
        one.kill()
    for answer in answers:
        with pytest.raises(DetectorError, match="ended by itself"):
            answer.result()
    assert looked_at(busy, workers).findings


def test_what_goes_wrong_there_is_said_here(workers: Workers) -> None:
    unknown = replace(next(iter(detectors().values())), name="unknown_there")
    with pytest.raises(DetectorError, match="unknown_there"):
        workers.ask([unknown], {}).result()


def test_they_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    script = """
import os, time
from toolhound.workers import Workers
if __name__ == "__main__":
    made = Workers(1)
    made.ask([], {}).result()
    print(made._workers[0]._process.pid, flush=True)
    time.sleep(60)
"""
    path = tmp_path / "asks.py"
    path.write_text(script)
    root = str(Path(__file__).resolve().parents[2])
    with subprocess.Popen([sys.executable, str(path)], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": root}) as asking:
        assert asking.stdout
        worker = int(asking.stdout.readline())
        asking.kill()
    until = time.monotonic() + 10
    while Path(f"/proc/{worker}").exists() and "Z" not in Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2][:3]:
        assert time.monotonic() < until, "the worker outlives whoever started it"
        time.sleep(0.05)



def test_they_are_there_before_the_first_question() -> None:
    workers = Workers(2)
    try:
        before = {child.pid for child in multiprocessing.active_children()}
        workers.start()
        workers.start()  # what is there already stays
        assert len({child.pid for child in multiprocessing.active_children()} - before) == workers.processes
    finally:
        workers.stop()
    workers.start()
    assert {child.pid for child in multiprocessing.active_children()} <= before
