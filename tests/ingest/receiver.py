"""A collector with both its receivers on free ports, and what it put on disk."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from ingest.batch import Payloads
from ingest.collector import Collector
from ingest.otlp import grpc, http
from ingest.redact import Redactor
from store import spool
from store.rejected import Rejected
from store.spool import Spool

BODY_BYTES = 2 << 20
DEADLINE_SECONDS = 30


@dataclass
class Receiver:
    """Where it listens, and its folders."""

    folder: Path
    collector: Collector
    grpc_port: int = 0
    http_port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.grpc_port}"

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """What lies in the spool, in the order of writing."""
        return [row for path in Spool(self.folder / "spool").pending(10_000) for row in spool.read(path).get(kind, _NOTHING).to_pylist()]

    def stored(self) -> int:
        """How many records lie in the spool."""
        return sum(len(table) for path in Spool(self.folder / "spool").pending(10_000) for table in spool.read(path).values())

    def rejected(self) -> list[dict[str, Any]]:
        """What was refused, newest first."""
        return Rejected(self.folder / "rejected").listed()

    def empty(self) -> None:
        """Forget what came so far."""
        for name in ("spool", "rejected"):
            for path in (self.folder / name).iterdir():
                path.unlink()


class _Nothing:
    @staticmethod
    def to_pylist() -> list[dict[str, Any]]:
        return []


_NOTHING = _Nothing()


def collector_in(folder: Path, spool_bytes: int = 1 << 30) -> Collector:
    """A collector over fresh folders."""
    return Collector(Spool(folder / "spool"), Rejected(folder / "rejected"), Redactor(b"a key for tests"), Payloads(), spool_bytes)


@contextmanager
def receiving(folder: Path, collector: Collector | None = None, body_bytes: int = BODY_BYTES) -> Iterator[Receiver]:
    """Both transports on free ports; on leaving, everything begun is finished."""
    collector = collector or collector_in(folder)
    receiver = Receiver(folder, collector)
    rpc, receiver.grpc_port = grpc.server(collector, "127.0.0.1:0", body_bytes)
    rpc.start()
    web = uvicorn.Server(uvicorn.Config(http.receiver(collector, body_bytes), host="127.0.0.1", port=0, log_level="critical", access_log=False))
    thread = threading.Thread(target=web.run)
    thread.start()
    try:
        until(lambda: web.started)
        receiver.http_port = web.servers[0].sockets[0].getsockname()[1]
        yield receiver
    finally:
        web.should_exit = True
        thread.join(DEADLINE_SECONDS)
        rpc.stop(5).wait()
        collector.stop()


def until(holds: Any) -> None:
    """Wait for something, not for ever."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
