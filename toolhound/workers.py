"""Detectors in processes of their own: what they do in Python keeps neither the engine nor one another from the processor."""

import gc
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Protocol

import pyarrow as pa

from detectors.contract import Slice
from detectors.registry import Registered, detectors
from detectors.run import Run, run
from store.errors import DetectorError
from toolhound.lessons import Taught, teach

ENDED = "a process of detectors ended by itself, perhaps for lack of memory; it is started again"


TO_TEACH = "to_teach"
"""The table of calls that detectors are to learn from."""

SAID = "said"
"""The table of what users said in their sessions, beside it, where one of these detectors learns from it."""


class Answer(Protocol):
    """What detectors say of a slice, sooner or later."""

    def result(self) -> Run | Taught:
        """Wait for it. Raises DetectorError where the process that was asked has ended."""


class Ask(Protocol):
    """Asks detectors about the tables of a slice; or has them learn, where there is the table `TO_TEACH`."""

    def __call__(self, asked: Sequence[Registered], seen: Mapping[str, pa.Table]) -> Answer:
        """Ask."""


@dataclass(frozen=True, slots=True)
class Given:
    """An answer that is there."""

    given: Run | Taught

    def result(self) -> Run | Taught:
        """Give it."""
        return self.given


def here(asked: Sequence[Registered], seen: Mapping[str, pa.Table]) -> Answer:
    """Ask in this process, at once."""
    return Given(_asked(asked, seen))


class Worker:
    """A process that is asked one thing at a time, and that ends with the one that started it, however that ends."""

    def __init__(self) -> None:
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process: SpawnProcess = context.Process(target=_work, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def ask(self, names: list[str], seen: dict[str, pa.Table]) -> None:
        """Ask; the answer is to be fetched before anything else is asked. Raises DetectorError where the process has ended."""
        try:
            self._connection.send((names, seen))
        except OSError as error:
            raise DetectorError(ENDED) from error

    def result(self) -> Run | Taught:
        """Fetch the answer. Raises DetectorError where the process has ended."""
        try:
            answer = self._connection.recv()
        except (EOFError, OSError) as error:
            raise DetectorError(ENDED) from error
        if not isinstance(answer, Run | Taught):
            raise DetectorError(str(answer))
        return answer

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.is_alive()

    def stop(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.join()
        self._connection.close()


class Workers:
    """Processes that are asked in turn; started once there is something to ask. One thread asks, any may stop them."""

    def __init__(self, processes: int = os.cpu_count() or 1) -> None:
        self.processes = processes
        self._workers: list[Worker | None] = [None] * processes
        self._turn = 0
        self._changing = threading.Lock()
        self._stopped = False

    def start(self) -> None:
        """Start them now: the first question need not wait until they are there."""
        with self._changing:
            if not self._stopped:
                self._workers = [worker or Worker() for worker in self._workers]

    def ask(self, asked: Sequence[Registered], seen: Mapping[str, pa.Table]) -> Answer:
        """Ask the process whose turn it is: at most as many questions are open as there are processes, and the oldest is answered first."""
        with self._changing:
            if self._stopped:
                raise DetectorError("the processes of detectors are stopped")
            worker = self._workers[self._turn]
            if worker is None or not worker.is_alive:
                worker = self._workers[self._turn] = Worker()
            self._turn = (self._turn + 1) % self.processes
        worker.ask([one.name for one in asked], dict(seen))
        return worker

    def stop(self) -> None:
        """End the processes; whoever waits for an answer is told."""
        with self._changing:
            self._stopped = True
            for worker in self._workers:
                if worker:
                    worker.stop()


def _asked(asked: Sequence[Registered], seen: Mapping[str, pa.Table]) -> Run | Taught:
    if TO_TEACH in seen:
        return teach(asked, seen[TO_TEACH], seen.get(SAID))
    laid = Slice(seen)
    try:
        return run(asked, laid)
    finally:
        laid.close()


NICER = 10
"""By how much detectors give way to taking in, where there is not enough for both: what waits to be looked at is kept, what is not taken is not."""


def _work(connection: Connection) -> None:
    os.nice(NICER)
    parent = parent_process()
    if parent:
        threading.Thread(target=lambda: (wait([parent.sentinel]), os._exit(1)), daemon=True).start()
    known = detectors()
    gc.freeze()  # what is here now stays for good: no collection need walk through it again
    while True:
        try:
            names, seen = connection.recv()
        except (EOFError, OSError):
            os._exit(0)  # DuckDB's binding has long complaints about what lives as the interpreter ends
        try:
            connection.send(_asked([known[name] for name in names], seen))
        except Exception as error:  # noqa: BLE001 - told to whoever asked
            connection.send(f"{type(error).__name__}: {error}")
