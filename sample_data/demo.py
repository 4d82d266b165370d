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
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from sample_data.play import play
from sample_data.recording import read
from store.errors import SettingsError, StoreError, ToolhoundError
from toolhound.client import Client
from toolhound.printing import alert_table
from toolhound.settings import Collect, Serve, Settings, Webhook
from toolhound.supervisor import Supervisor

RECORDED = Path(__file__).parent / "recorded"
CAUGHT_UP_SECONDS = 120
SECRET = "webhook.secret"
class Receiver:
    """A webhook's other end: keeps what came, and whether its signature held."""

    def __init__(self, secret: str) -> None:
        self.arrived: list[dict[str, Any]] = []
        self.forged = 0
        receiver, verifier = self, Verifier(secret)

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
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    receiver = Receiver(secret)
    try:
        supervisor = Supervisor(folder, _settings(options, receiver.url))  # looks whether the ports are free, before anything is cleared
        _clear(folder)
        _write_secret(folder, secret)
        addresses = supervisor.start()
    except ToolhoundError as error:
        receiver.close()
        print(f"toolhound: {error}", file=sys.stderr)
        return 2
    watching = threading.Thread(target=supervisor.watch, daemon=True)
    watching.start()
    try:
        console.print(f"Playing two weeks of work of ten agents into {addresses.grpc} (gRPC) and {addresses.http} (HTTP) ...", highlight=False)
        sent = play(read(RECORDED), addresses.grpc, addresses.http)
        console.print("  " + ", ".join(f"{count:,} requests by {name}" for name, count in sent.items()), highlight=False)
        with Client(addresses.pages, addresses.token) as client:
            done = _waited(lambda: _caught_up(client), CAUGHT_UP_SECONDS)
            rows = client.alerts(states=["new", "in_progress"], limit=500).rows
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
        if any(folder.iterdir()) and not (folder / SECRET).exists():
            raise SettingsError(f"{folder} is not of a demonstration's making; give another --workspace")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)


def _write_secret(folder: Path, secret: str) -> None:
    path = folder / SECRET
    path.touch(0o600)
    path.write_text(secret)


def _settings(options: argparse.Namespace, receiver: str) -> Settings:
    return Settings(
        collect=Collect(grpc_port=options.grpc, http_port=options.http), serve=Serve(port=options.pages),
        webhooks=(Webhook(
            name="demo", url=receiver, secret_file=(options.workspace / SECRET).resolve(), minimum_severity="high", network="loopback",
        ),),
    )


def _caught_up(client: Client) -> bool:
    try:
        health = client.health()
    except StoreError:  # the engine is being started again
        return False
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
