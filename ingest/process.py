"""A collector as a process of its own: `python -m ingest.process '{"workspace": ..., ...}'`.

It ends when its standard input does, so that it does not outlive whoever started it; what it began to store is stored first.
"""

import json
import os
import secrets
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

import uvicorn

from ingest import fingerprint
from ingest.batch import Payloads
from ingest.collector import Collector
from ingest.otlp import grpc, http
from ingest.redact import Redactor
from store.rejected import Rejected
from store.spool import Spool

GRACE_SECONDS = 5
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Orders:
    """What a collector process is told by whoever starts it."""

    workspace: str
    host: str
    grpc_port: int
    http_port: int
    body_bytes: int
    spool_bytes: int
    payloads: str
    truncate_bytes: int
    shared_ports: bool = False

    def as_json(self) -> str:
        """For the command line."""
        return json.dumps(asdict(self))


def redaction_key(workspace: Path) -> bytes:
    """The key that keeps equal secrets equal, made with the workspace; only its owner may read it."""
    path = workspace / "redaction.key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    key = secrets.token_bytes(KEY_BYTES)
    with os.fdopen(descriptor, "wb") as sink:
        sink.write(key)
        sink.flush()
        os.fsync(sink.fileno())
    return key


def collector_of(orders: Orders) -> Collector:
    """The collector over a workspace's spool."""
    workspace = Path(orders.workspace)
    workspace.mkdir(parents=True, exist_ok=True)
    return Collector(
        Spool(workspace / "spool"), Rejected(workspace / "rejected"), Redactor(redaction_key(workspace)),
        Payloads(orders.payloads, orders.truncate_bytes), orders.spool_bytes,
    )


def main() -> int:
    """Serve both transports until told to stop."""
    orders = Orders(**json.loads(sys.argv[1]))
    fingerprint.warm()
    collector = collector_of(orders)
    try:
        rpc, _ = grpc.server(collector, f"{orders.host}:{orders.grpc_port}", orders.body_bytes, orders.shared_ports)
    except OSError as error:
        print(f"toolhound collector: {error}", file=sys.stderr)
        return 1
    rpc.start()
    web = uvicorn.Server(uvicorn.Config(
        http.receiver(collector, orders.body_bytes), host=orders.host, port=orders.http_port, log_level="warning", access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS, server_header=False,
    ))
    threading.Thread(target=_end_with_input, args=(web,), daemon=True).start()
    web.run()
    rpc.stop(GRACE_SECONDS).wait()
    collector.stop()
    return 0


def _end_with_input(web: uvicorn.Server) -> None:
    sys.stdin.buffer.read()
    web.should_exit = True


if __name__ == "__main__":
    raise SystemExit(main())
