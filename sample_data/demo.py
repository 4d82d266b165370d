"""The demonstration: Toolhound on loopback, the recording played into its receivers, the alerts it raised, and a webhook that got them.

`python -m sample_data.demo [--once] [--workspace FOLDER]`; without `--once` it keeps serving until Ctrl-C.
"""

import argparse
import base64
import json
import secrets
import shutil
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from rich.console import Console
from standardwebhooks import Webhook, WebhookVerificationError

from sample_data.play import play
from sample_data.recording import read
from store.errors import ToolhoundError
from toolhound.client import Client
from toolhound.printing import alert_table
from toolhound.settings import FILE_NAME, read_settings
from toolhound.supervisor import Supervisor

RECORDED = Path(__file__).parent / "recorded"
CAUGHT_UP_SECONDS = 120
SETTINGS = """\
[collect]
grpc_port = {grpc}
http_port = {http}

[serve]
port = {pages}

[[webhooks]]
name = "demo"
url = "{receiver}"
secret_file = "{secret}"
minimum_severity = "high"
network = "loopback"
"""


class Receiver:
    """A webhook's other end: keeps what came, and whether its signature held."""

    def __init__(self, secret: str) -> None:
        self.arrived: list[dict[str, Any]] = []
        self.forged = 0
        receiver, verifier = self, Webhook(secret)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                try:
                    verifier.verify(body, dict(self.headers.items()))
                    receiver.arrived.append(json.loads(body))
                    self.send_response(204)
                except WebhookVerificationError:
                    receiver.forged += 1
                    self.send_response(401)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}/alerts"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


def main() -> int:
    """Play, wait, show."""
    options = _options()
    console = Console(width=None if sys.stdout.isatty() else 160)
    folder: Path = options.workspace
    _clear(folder)
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    receiver = Receiver(secret)
    _write_settings(folder, options, receiver.url, secret)
    try:
        supervisor = Supervisor(folder, read_settings(folder / FILE_NAME))
        addresses = supervisor.start()
    except ToolhoundError as error:
        print(f"toolhound: {error}", file=sys.stderr)
        return 2
    watching = threading.Thread(target=supervisor.watch, daemon=True)
    watching.start()
    try:
        console.print(f"Playing two weeks of work of ten agents into {addresses.grpc} (gRPC) and {addresses.http} (HTTP) ...", highlight=False)
        sent = play(read(RECORDED), addresses.grpc, addresses.http)
        console.print("  " + ", ".join(f"{count:,} requests by {name}" for name, count in sent.items()), highlight=False)
        with Client(addresses.pages, addresses.token) as client:
            done = _waited(lambda: _caught_up(client.health()), CAUGHT_UP_SECONDS)
            rows = client.alerts(limit=500).rows
            alert_table(console, rows)
            if not done:
                print("the engine has not caught up; `toolhound health` tells why", file=sys.stderr)
        told = [one for one in receiver.arrived if one["type"] == "alert.created"]
        console.print(f"Webhook: {len(receiver.arrived)} messages came, {len(told)} of them new alerts of high severity or above; "
                      f"{'every signature held' if not receiver.forged else f'{receiver.forged} signatures did not hold'}.", highlight=False)
        console.print(f"\nDashboard:  {addresses.link}\nWorkspace:  {folder}  (toolhound alerts -w {folder})", highlight=False, soft_wrap=True)
        if options.once:
            return 0 if done and not receiver.forged else 1
        console.print("Serving until Ctrl-C. Point an agent's OTLP exporter at the addresses above to see its calls here.")
        watching.join()
    except KeyboardInterrupt:
        console.print("stopping")
    finally:
        supervisor.stop()
        receiver.close()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--once", action="store_true", help="exit after the table")
    parser.add_argument("--workspace", type=Path, default=Path("demo-workspace"), help="made anew each time")
    for name, port in (("grpc", 4317), ("http", 4318), ("pages", 8765)):
        parser.add_argument(f"--{name}-port", type=int, default=port, dest=name, help="0: any free one")
    return parser.parse_args()


def _clear(folder: Path) -> None:
    """Start anew; only a folder that a demonstration made is removed."""
    if folder.exists():
        if not (folder / FILE_NAME).exists() and any(folder.iterdir()):
            raise SystemExit(f"{folder} is no workspace of a demonstration; give another --workspace")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)


def _write_settings(folder: Path, options: argparse.Namespace, receiver: str, secret: str) -> None:
    held = (folder / "webhook.secret").resolve()
    held.touch(0o600)
    held.write_text(secret)
    (folder / FILE_NAME).write_text(SETTINGS.format(
        grpc=options.grpc, http=options.http, pages=options.pages, receiver=receiver, secret=held,
    ))


def _caught_up(health: dict[str, Any]) -> bool:
    waiting = sum(sink["pending"] for sink in health["deliveries"])
    return not health["spool"]["files"] and not health["engine"]["touched"] and not waiting


def _waited(condition: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.25)
    return condition()


if __name__ == "__main__":
    raise SystemExit(main())
