"""A collector as a process of its own: `python -m ingest.process '{"workspace": ..., ...}'`.

It ends when its standard input does, so that it does not outlive whoever started it; what it began to store is stored first.
"""

import gc
import json
import os
import secrets
import signal
import socket
import sys
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import uvicorn

from ingest import standing
from ingest.collector import Collector
from ingest.keeping import Payloads, Source
from ingest.otlp import grpc, http
from ingest.redact import Redactor
from ingest.warm import warm
from store.direct import write_durably
from store.errors import StoreError
from store.rejected import Rejected
from store.seal import Seal
from store.spool import Spool, sync_folder

GRACE_SECONDS = 5
KEY_BYTES = 32
KEY_VARIABLE = "TOOLHOUND_KEY"  # not in the orders: what stands on a command line, other users of the machine can read


@dataclass(frozen=True, slots=True)
class Orders:
    """What a collector process is told by whoever starts it."""

    workspace: str
    host: str
    grpc_port: int
    http_port: int
    body_bytes: int
    spool_bytes: int
    payloads: Payloads
    shared_ports: bool = False

    def as_json(self) -> str:
        """For the command line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, said: str) -> "Orders":
        """What `as_json` wrote."""
        told = json.loads(said)
        payloads = told.pop("payloads")
        sources = tuple(Source(**source) for source in payloads.pop("sources"))
        return cls(**told, payloads=Payloads(**payloads, sources=sources))


def redaction_key(workspace: Path) -> bytes:
    """The key that keeps equal secrets equal, made with the workspace; only its owner may read it."""
    path = workspace / "redaction.key"
    if not path.exists():
        made = workspace / f"redaction.key.{os.getpid()}-{secrets.token_hex(4)}"
        write_durably(made, secrets.token_bytes(KEY_BYTES))
        with suppress(FileExistsError):  # another process was first; whoever is, the key appears whole
            os.link(made, path)
        made.unlink()
        sync_folder(workspace)
    key = path.read_bytes()
    if len(key) < KEY_BYTES:
        raise StoreError(f"{path} is damaged: it has {len(key)} bytes instead of {KEY_BYTES}; without the key masks cannot be compared")
    return key


def collector_of(orders: Orders) -> Collector:
    """The collector over a workspace's spool."""
    workspace = Path(orders.workspace)
    workspace.mkdir(parents=True, exist_ok=True)
    key = os.environ.get(KEY_VARIABLE)
    seal = Seal.of(key) if key else None
    return Collector(
        Spool(workspace / "spool", seal), Rejected(workspace / "rejected", seal), Redactor(redaction_key(workspace)),
        orders.payloads, orders.spool_bytes,
    )


def main() -> int:
    """Serve both transports until told to stop."""
    orders = Orders.from_json(sys.argv[1])
    warm()
    gc.freeze()  # what is here now stays for good: some 170,000 objects that no collection need walk through again
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
    for number in (signal.SIGTERM, signal.SIGINT):  # the web server raises them again when it has stopped; there is more to stop
        signal.signal(number, lambda *_: setattr(web, "should_exit", True))
    threading.Thread(target=_end_with_input, args=(web,), daemon=True).start()
    addresses = {"grpc": f"{orders.host}:{orders.grpc_port}", "http": f"http://{orders.host}:{orders.http_port}"}
    stop = threading.Event()
    telling = threading.Thread(target=standing.keep_telling, args=(Path(orders.workspace), addresses, collector.told, stop), daemon=True)
    telling.start()
    web.run(sockets=[_shared_socket(orders)] if orders.shared_ports else None)
    rpc.stop(GRACE_SECONDS).wait()
    collector.stop()
    stop.set()
    telling.join()
    return 0


def _shared_socket(orders: Orders) -> socket.socket:
    """A listening socket that several collectors have; the kernel spreads connections over them."""
    made = socket.socket(socket.AF_INET6 if ":" in orders.host else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind((orders.host, orders.http_port))
    return made


def _end_with_input(web: uvicorn.Server) -> None:
    while os.read(0, 4096):  # not sys.stdin: a thread that waits there aborts the interpreter's end
        continue
    web.should_exit = True


if __name__ == "__main__":
    raise SystemExit(main())
