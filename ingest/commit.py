"""Group commit: requests that arrive while a batch is being synced share the next one, and each waits until its own is on disk."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

import pyarrow as pa

from store.spool import Spool

WAIT_SECONDS = 60
MOST_REQUESTS = 256
"""How many requests one file takes at most, so that nobody waits for an endless one."""


@dataclass(slots=True)
class _Waiting:
    batch: dict[str, pa.Table]
    done: "Future[None]"


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
        waiting = _Waiting(batch, Future())
        with self._wake:
            if self._stopped:
                raise RuntimeError("the collector is stopping")
            self._queue.append(waiting)
            self._wake.notify()
        waiting.done.result(WAIT_SECONDS)

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
                taken, self._queue = self._queue[:MOST_REQUESTS], self._queue[MOST_REQUESTS:]
                if not taken:
                    return
            self._settle(taken, lambda: self._write(taken))

    def _write(self, taken: list[_Waiting]) -> None:
        kinds = {kind for waiting in taken for kind in waiting.batch}
        self._spool.write({
            kind: pa.concat_tables([w.batch[kind] for w in taken if kind in w.batch]) for kind in sorted(kinds)
        })

    @staticmethod
    def _settle(taken: list[_Waiting], write: Callable[[], None]) -> None:
        try:
            write()
        except BaseException as error:  # noqa: BLE001 - whoever waits must be told, whatever it was
            for waiting in taken:
                waiting.done.set_exception(error)
        else:
            for waiting in taken:
                waiting.done.set_result(None)
