"""`toolhound serve`: collectors and engine as processes of their own; one that dies is started again, and what it had acknowledged is on disk."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from ingest import standing
from ingest.process import KEY_VARIABLE, Orders
from store.errors import BusyError, SettingsError, ToolhoundError
from store.seal import Seal
from store.spool import Spool
from toolhound.client import Client
from toolhound.keys import seal_of
from toolhound.settings import VARIABLE, Settings
from toolhound.workspace import SERVED

TOKEN_VARIABLE = "TOOLHOUND_TOKEN"  # noqa: S105 - the name of a variable
READY_SECONDS = 60.0
STOP_SECONDS = 10.0
RESTART_SECONDS = (0.2, 1.0, 5.0)
"""How long to wait before a process that died is started again: the first, the second, every later time within a minute."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a served workspace is reached."""

    pages: str
    grpc: str
    http: str
    token: str

    @property
    def link(self) -> str:
        """What a browser opens."""
        return f"{self.pages}/?token={self.token}"


class Supervisor:
    """Starts the processes of a workspace and keeps them running."""

    def __init__(self, folder: Path, settings: Settings, say: Callable[[str], None] = print) -> None:
        self.folder, self.settings, self._say = folder.resolve(), settings, say
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._changing = threading.Lock()
        self._stop = threading.Event()
        self._is_ours = False
        self._seal: Seal | None = None
        collect, serve = settings.collect, settings.serve
        self._grpc_port, self._http_port, self._port = (
            _free(host, port, name) for host, port, name in (
                (collect.host, collect.grpc_port, "collect.grpc_port"), (collect.host, collect.http_port, "collect.http_port"),
                (serve.host, serve.port, "serve.port"),
            )
        )
        self.addresses = Addresses(
            f"http://{serve.host}:{self._port}", f"{collect.host}:{self._grpc_port}", f"http://{collect.host}:{self._http_port}",
            os.environ.get(TOKEN_VARIABLE) or secrets.token_urlsafe(24),
        )

    def start(self) -> Addresses:
        """Start everything and wait until it answers. Raises ToolhoundError where a process cannot start."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._claim()
        self._seal = seal_of(self.folder, self.settings.keep)
        Spool(self.folder / "spool").sweep()
        standing.forget(self.folder)
        for name in self._names():
            self._spawn(name)
        self._write_served()
        until = time.monotonic() + READY_SECONDS
        waiting = [f"{self.addresses.http}/livez", f"{self.addresses.pages}/livez"]
        while waiting and time.monotonic() < until:
            dead = [(name, child) for name, child in self._children.items() if child.poll() is not None]
            if dead:
                self.stop()
                raise ToolhoundError(f"the {dead[0][0]} process could not start; its message stands above")
            waiting = [url for url in waiting if not _answers(url)]
            time.sleep(0.05)
        if waiting:
            self.stop()
            raise ToolhoundError(f"{waiting[0]} did not answer within {READY_SECONDS:.0f} seconds")
        return self.addresses

    def watch(self) -> None:
        """Start again what dies, until `stop`."""
        deaths: dict[str, list[float]] = {}
        while not self._stop.wait(0.1):
            for name, child in list(self._children.items()):
                if child.poll() is None or self._stop.is_set():
                    continue
                now = time.monotonic()
                recent = deaths[name] = [t for t in deaths.get(name, []) if now - t < 60] + [now]
                self._say(f"the {name} process ended ({_how(child.returncode)}); starting it again")
                self._stop.wait(RESTART_SECONDS[min(len(recent), len(RESTART_SECONDS)) - 1])
                standing.forget(self.folder, child.pid)
                self._spawn(name)

    def stop(self) -> None:
        """End the processes; what they had begun to store is stored first."""
        with self._changing:
            self._stop.set()
        for child in self._children.values():
            _let_go(child)
        until = time.monotonic() + STOP_SECONDS
        for child in self._children.values():
            try:
                child.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if self._is_ours:
            (self.folder / SERVED).unlink(missing_ok=True)

    def processes(self) -> dict[str, int]:
        """Process ids by name."""
        return {name: child.pid for name, child in self._children.items()}

    def _names(self) -> list[str]:
        return [f"collector-{n}" for n in range(1, self.settings.collect.processes + 1)] + ["engine"]

    def _claim(self) -> None:
        told = self.folder / SERVED
        if told.exists():
            try:
                other = json.loads(told.read_text())
                address, token, process = str(other["address"]), str(other["token"]), other["pid"]
            except (OSError, ValueError, KeyError, TypeError):  # half of one, or somebody else's
                return
            with Client(address, token) as client:
                if client.is_ours():
                    raise BusyError(f"{self.folder} is already served at {address} by process {process}")

    def _spawn(self, name: str) -> None:
        environment = {**os.environ, TOKEN_VARIABLE: self.addresses.token, VARIABLE: self.settings.model_dump_json()}
        environment |= {KEY_VARIABLE: self._seal.text} if self._seal else {}
        if name == "engine":
            serve = self.settings.serve
            arguments = ["dashboards.process", str(self.folder), serve.host, str(self._port), serve.address or self.addresses.pages]
        else:
            collect, keep = self.settings.collect, self.settings.keep
            orders = Orders(
                str(self.folder), collect.host, self._grpc_port, self._http_port, collect.body_bytes, collect.spool_bytes,
                keep.policy(), collect.processes > 1,
            )
            arguments = ["ingest.process", orders.as_json()]
        with self._changing:
            if self._stop.is_set():
                return
            if name in self._children:
                _let_go(self._children[name])
            # A session of its own: Ctrl-C reaches the supervisor alone, which then ends its processes in order.
            self._children[name] = subprocess.Popen(
                [sys.executable, "-m", *arguments], stdin=subprocess.PIPE, env=environment, start_new_session=True
            )

    def _write_served(self) -> None:
        told = {
            "address": self.addresses.pages, "token": self.addresses.token, "pid": os.getpid(),
            "collectors": [{"grpc": self.addresses.grpc, "http": self.addresses.http}],
        }
        path = self.folder / SERVED
        partial = path.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as sink:
            json.dump(told, sink)
        partial.rename(path)
        self._is_ours = True


def _free(host: str, port: int, setting: str) -> int:
    """The port, or a free one for 0. Raises SettingsError, in plain words, where another program has it."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingsError(
                f"port {port} on {host} is taken by another program ({error.strerror}); stop it, or set {setting} to another port (0: any free one)"
            ) from error
        bound: int = probe.getsockname()[1]
        return bound


def _let_go(child: subprocess.Popen[bytes]) -> None:
    """Close its standard input, upon which it ends."""
    if child.stdin:
        child.stdin.close()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=1.0, trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _how(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
