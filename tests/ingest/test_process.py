"""The collector as a process: the key that all collectors of a workspace share, and an orderly end."""

import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from ingest.keeping import Payloads, Source
from ingest.process import KEY_BYTES, Orders, redaction_key
from store import spool
from store.errors import StoreError
from store.spool import Spool
from tests.ingest.receiver import until
from tests.ingest.ways import ANSWER_SECONDS


def test_many_at_once_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: redaction_key(tmp_path), range(64)))
    (key,) = keys
    assert len(key) == KEY_BYTES
    assert [path.name for path in tmp_path.iterdir()] == ["redaction.key"]
    assert (tmp_path / "redaction.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("damaged", [b"", b"short"])
def test_a_damaged_key_is_not_used(tmp_path: Path, damaged: bytes) -> None:
    (tmp_path / "redaction.key").write_bytes(damaged)
    with pytest.raises(StoreError, match="damaged"):
        redaction_key(tmp_path)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
@pytest.mark.parametrize("how", ["input ends", "SIGTERM"])
def test_it_serves_and_ends_in_order(tmp_path: Path, how: str) -> None:
    port = _free_port()
    orders = Orders(str(tmp_path), "127.0.0.1", 0, port, 1 << 20, 1 << 30, Payloads())
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen([sys.executable, "-m", "ingest.process", orders.as_json()], stdin=subprocess.PIPE, env=environment) as process:
        def answers() -> bool:
            assert process.poll() is None
            try:
                return httpx.get(f"http://127.0.0.1:{port}/livez", trust_env=False, timeout=ANSWER_SECONDS).is_success
            except httpx.HTTPError:
                return False

        try:
            until(answers)
            address, line = f"http://127.0.0.1:{port}/v1/calls", b'{"tool": "t", "session_id": "s"}'
            answer = httpx.post(address, content=line, trust_env=False, timeout=ANSWER_SECONDS)
            assert answer.json() == {"accepted": 1}
            if how == "SIGTERM":
                process.send_signal(signal.SIGTERM)
            elif process.stdin:
                process.stdin.close()
            assert process.wait(30) == 0
        finally:
            process.kill()
    (path,) = Spool(tmp_path / "spool").pending(10)
    assert spool.read(path)["observations"]["tool"].to_pylist() == ["t"]


def test_orders_survive_the_command_line() -> None:
    sources = Source("none", agent="payroll-*"), Source("fingerprint_only", server="hr")
    orders = Orders("w", "::1", 1, 2, 3, 4, Payloads("truncated", 512, sources), True)
    assert Orders.from_json(orders.as_json()) == orders
