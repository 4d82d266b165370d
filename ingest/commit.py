"""Group commit: requests that arrive while a batch is being synced share the next one, and each waits until its own is on disk."""

import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as WaitedTooLong
from dataclasses import dataclass

import pyarrow as pa

from store.errors import DiskError, StoreError
from store.spool import Spool

WAIT_SECONDS = 60
MOST_REQUESTS, MOST_BYTES = 256, 64 << 20
"""What one file takes at most (one request may be larger), so that nobody waits for an endless one, nor is an endless one in memory."""


@dataclass(slots=True)
class _Waiting:
    batch: dict[str, pa.Table]
    done: "Future[None]"
    bytes: int


class GroupCommit:
    """One thread writes the spool; `store` returns when the caller's records are on disk."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._queue: list[_Waiting] = []
        self._wake = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)
        self._thread.start()

    def store(self, batch: dict[str, pa.Table]) -> None:
        """Put a batch on disk. Raises DiskError or StoreError; then nothing of it is kept."""
        if not batch:
            return
        waiting = _Waiting(batch, Future(), sum(table.get_total_buffer_size() for table in batch.values()))
        with self._wake:
            if self._stopped:
                raise StoreError("the collector is stopping")
            self._queue.append(waiting)
            self._wake.notify()
        try:
            waiting.done.result(WAIT_SECONDS)
        except WaitedTooLong as error:
            waiting.done.cancel()  # unless it is being written right now; then it may come twice, but never not at all
            raise DiskError(f"{self._spool.folder} took nothing for {WAIT_SECONDS} seconds") from error

    def stop(self) -> None:
        """Write what waits, then stop."""
        with self._wake:
            self._stopped = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._queue or self._stopped)
                if not self._queue:
                    return
                taken = self._take()
            self._settle([waiting for waiting in taken if waiting.done.set_running_or_notify_cancel()])

    def _take(self) -> list[_Waiting]:
        count, room = 0, MOST_BYTES
        for waiting in self._queue[:MOST_REQUESTS]:
            room -= waiting.bytes
            if room < 0 and count:
                break
            count += 1
        taken, self._queue = self._queue[:count], self._queue[count:]
        return taken

    def _write(self, taken: list[_Waiting]) -> None:
        kinds = {kind for waiting in taken for kind in waiting.batch}
        self._spool.write({
            kind: pa.concat_tables([w.batch[kind] for w in taken if kind in w.batch]) for kind in sorted(kinds)
        })

    def _settle(self, taken: list[_Waiting]) -> None:
        try:
            if taken:
                self._write(taken)
        except BaseException as error:  # noqa: BLE001 - whoever waits must be told, whatever it was
            for waiting in taken:
                waiting.done.set_exception(error)
        else:
            for waiting in taken:
                waiting.done.set_result(None)
