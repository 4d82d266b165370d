"""Group commit: shared files, everybody told, nothing said to be stored that is not on disk."""

import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest

from ingest import commit
from ingest.commit import GroupCommit
from store import spool, tables
from store.errors import DiskError, StoreError
from store.spool import Spool
from tests.ingest.receiver import until


def batch(n: int) -> dict[str, pa.Table]:
    return {"spans": tables.rows_to_table("spans", [{"trace_id": "t", "span_id": str(n)}])}


class Gate(Spool):
    """A spool that writes when it is let, and fails when told."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.entered, self.may = threading.Event(), threading.Event()
        self.fails: Exception | None = None

    def write(self, batch: Mapping[str, pa.Table]) -> Path:
        self.entered.set()
        assert self.may.wait(30)
        if self.fails:
            raise self.fails
        return super().write(batch)


def all_waiting(pool: ThreadPoolExecutor, group: GroupCommit, gate: Gate, count: int) -> list["Future[None]"]:
    """So many requests: the first is being written, the others are in the queue."""
    waiting = [pool.submit(group.store, batch(0))]
    assert gate.entered.wait(30)
    waiting += [pool.submit(group.store, batch(n)) for n in range(1, count)]
    until(lambda: len(group._queue) == count - 1)
    return waiting


def span_ids(folder: Path) -> list[list[str]]:
    return [sorted(spool.read(path)["spans"]["span_id"].to_pylist()) for path in Spool(folder).pending(1000)]


def test_what_store_has_returned_is_on_disk(tmp_path: Path) -> None:
    group = GroupCommit(Spool(tmp_path))

    def stored(n: int) -> bool:
        group.store(batch(n))
        return any(str(n) in ids for ids in span_ids(tmp_path))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(stored, range(60)))
    group.stop()
    assert sorted(int(n) for ids in span_ids(tmp_path) for n in ids) == list(range(60))


def test_requests_that_wait_share_a_file(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    group = GroupCommit(gate)
    with ThreadPoolExecutor(10) as pool:
        waiting = all_waiting(pool, group, gate, 9)
        assert not any(done.done() for done in waiting)
        gate.may.set()
        for done in waiting:
            done.result(30)
    group.stop()
    assert span_ids(tmp_path) == [["0"], [str(n) for n in range(1, 9)]]


def test_a_file_takes_no_more_than_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit, "MOST_BYTES", 1)
    gate = Gate(tmp_path)
    group = GroupCommit(gate)
    with ThreadPoolExecutor(4) as pool:
        waiting = all_waiting(pool, group, gate, 4)
        gate.may.set()
        for done in waiting:
            done.result(30)
    group.stop()
    assert [len(ids) for ids in span_ids(tmp_path)] == [1] * 4


@pytest.mark.parametrize("error", [DiskError("full"), StoreError("gone"), RuntimeError("a mistake")])
def test_a_failed_write_is_told_to_everybody_and_the_next_goes_on(tmp_path: Path, error: Exception) -> None:
    gate = Gate(tmp_path)
    group = GroupCommit(gate)
    gate.fails = error
    with ThreadPoolExecutor(6) as pool:
        waiting = all_waiting(pool, group, gate, 6)
        gate.may.set()
        assert [done.exception(30) for done in waiting] == [error] * 6
    assert span_ids(tmp_path) == []
    gate.fails = None
    group.store(batch(7))
    group.stop()
    assert span_ids(tmp_path) == [["7"]]


def test_stop_writes_what_waits_and_then_takes_nothing(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    group = GroupCommit(gate)
    with ThreadPoolExecutor(6) as pool:
        waiting = all_waiting(pool, group, gate, 4)
        stopping = pool.submit(group.stop)
        until(lambda: group._stopped)
        with pytest.raises(StoreError, match="stopping"):
            group.store(batch(9))
        gate.may.set()
        stopping.result(30)
        for done in waiting:
            done.result(30)
    assert sorted(n for ids in span_ids(tmp_path) for n in ids) == ["0", "1", "2", "3"]


def test_who_waited_too_long_is_told_and_the_thread_lives_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(tmp_path)
    group = GroupCommit(gate)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(group.store, batch(0))
        assert gate.entered.wait(30)
        with monkeypatch.context() as patched:
            patched.setattr(commit, "WAIT_SECONDS", 0)
            with pytest.raises(DiskError):
                group.store(batch(1))
        gate.may.set()
        first.result(30)
    group.store(batch(2))
    group.stop()
    assert span_ids(tmp_path) == [["0"], ["2"]]  # what was given up is not stored behind its sender's back


def test_nothing_makes_no_file(tmp_path: Path) -> None:
    group = GroupCommit(Spool(tmp_path))
    group.store({})
    group.stop()
    assert list(tmp_path.iterdir()) == []
