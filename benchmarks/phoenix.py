"""Arize Phoenix on the same payloads: how many spans a second are in its SQLite file. It gets an environment of its own, from PyPI."""

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from benchmarks.payloads import SPANS, Fresh

ENVIRONMENT = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "toolhound-benchmarks" / "phoenix"
READY_SECONDS = 120
REQUESTS, STORED_SECONDS = 8, 180
"""It answers long before it stores, so that what is measured is a number of spans from the first request to the last row, as far as they come."""

LOOK_SECONDS = 0.5
HEADERS = {"content-type": "application/x-protobuf"}


def durable(requests: Sequence[Fresh]) -> dict[str, float]:
    """Some thousand spans: `phoenix_acknowledged_per_s` while they are sent, `phoenix_spans_per_s` until they are in its database."""
    python = _python()
    with TemporaryDirectory() as folder:
        http, grpc = _free_port(), _free_port()
        environment = {
            **os.environ, "PHOENIX_WORKING_DIR": folder, "PHOENIX_PORT": str(http), "PHOENIX_GRPC_PORT": str(grpc), "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_TELEMETRY_ENABLED": "false", "PHOENIX_DISABLE_AGENT_ASSISTANT": "true",
        }
        with (Path(folder) / "log").open("wb") as log:
            server = subprocess.Popen([python, "-m", "phoenix.server.main", "serve"], env=environment, stdout=log, stderr=log)
        try:
            return _measured(server, f"http://127.0.0.1:{http}", Path(folder), requests)
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _measured(server: "subprocess.Popen[bytes]", address: str, folder: Path, requests: Sequence[Fresh]) -> dict[str, float]:
    with httpx.Client(trust_env=False, timeout=60) as client:
        until = time.monotonic() + READY_SECONDS
        while not _answers(client, address):
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"Phoenix did not start: {(folder / 'log').read_text()[-2000:]}")
            time.sleep(0.5)
        begun, sent = time.monotonic(), 0
        while sent < REQUESTS * SPANS and time.monotonic() - begun < STORED_SECONDS:
            answer = client.post(f"{address}/v1/traces", content=requests[sent // SPANS % len(requests)].next(), headers=HEADERS)
            if answer.is_success:
                sent += SPANS
            else:
                time.sleep(LOOK_SECONDS)
        acknowledged = sent / (time.monotonic() - begun)
        while (stored := _count(folder)) < sent and time.monotonic() - begun < STORED_SECONDS:
            time.sleep(LOOK_SECONDS)
        return {"phoenix_acknowledged_per_s": acknowledged, "phoenix_spans_per_s": stored / (time.monotonic() - begun)}


def _answers(client: httpx.Client, address: str) -> bool:
    try:
        return client.get(f"{address}/healthz").is_success
    except httpx.HTTPError:
        return False


def _count(folder: Path) -> int:
    path = next(folder.glob("**/phoenix.db"))
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        return int(database.execute("SELECT count(*) FROM spans").fetchone()[0])


def _python() -> str:
    python = ENVIRONMENT / "bin" / "python"
    if not (ENVIRONMENT / "ready").exists():
        print(f"installing Phoenix into {ENVIRONMENT}", file=sys.stderr)
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "arize-phoenix"], check=True)
        (ENVIRONMENT / "ready").touch()
    return str(python)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
