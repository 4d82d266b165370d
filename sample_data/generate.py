"""The generator: `python -m sample_data.generate --seed 7 --output sample_data/recorded`.

Plays two simulated weeks on real MCP servers (stdio, and streamable HTTP on loopback) and a real agent framework with a
scripted model, and records what their SDKs export. One session is played at a time, in the order of simulated time.

Reproducible from the seed: sessions, prompts, arguments, results, trace ids, span ids, conversation ids, run ids, call
ids, instance ids, and all times, which are laid out anew after the run. Not reproducible: the order in which two servers
answer when a framework lists their tools at once, and with it which of the equal connection spans comes first and has
which id; library versions in scopes and resources follow what is installed.
"""

import argparse
import json
import os
import socket
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sample_data import claude_code, exports, recording
from sample_data.cast import AGENTS, SERVERS
from sample_data.connections import server_command
from sample_data.plan import DAYS, FIRST_DAY, plan
from sample_data.script import Case, seeded_uuid

_ROOT = Path(__file__).parent.parent
_START_TIMEOUT_S = 60


def generate(seed: int, output: Path) -> dict[str, Any]:
    """Play, record, write; returns the manifest."""
    sessions = plan(seed)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        spool = Path(folder)
        ports = {name: stack.enter_context(_http_server(name, seed, spool)) for name in _over_http()}
        for port in ports.values():
            _wait_for(port)
        agents = {name: stack.enter_context(_agent(name, seed, spool, ports)) for name in AGENTS}
        cutter = exports.Cutter(seed, spool)
        for session in sessions:
            cutter.played(session, _play(agents[session.agent], session.key))
        # Servers finish their last spans after they have answered.
        time.sleep(0.5)
        requests, calls = cutter.requests()
    logs, log_calls, log_cases = claude_code.requests(seed)
    written = recording.write(output, [*requests, *logs])
    cases = [
        (
            session.case,
            seeded_uuid(seed, session.key),
            session.agent,
            _names(session.servers),
            session.starts_at.isoformat(),
        )
        for session in sessions
        if session.case
    ]
    _write_json(output / "staged.json", _staged([*cases, *log_cases]))
    manifest = {
        "seed": seed,
        "first_day": FIRST_DAY.date().isoformat(),
        "days": DAYS,
        "sessions": len(sessions) + len(log_calls),
        "calls": sum(calls.values()) + sum(log_calls.values()),
        "calls_by_agent": dict(sorted((_by_agent(sessions, calls) + Counter({"claude-code": sum(log_calls.values())})).items())),
        "requests": written,
    }
    _write_json(output / "manifest.json", manifest)
    return manifest


def _by_agent(sessions: list[Any], calls: Counter[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for session in sessions:
        counts[session.agent] += calls[session.key]
    return counts


def _names(servers: tuple[str, ...]) -> list[str]:
    return [server.partition("@")[0] for server in servers]


def _staged(cases: list[tuple[Case, str, str, list[str], str]]) -> list[dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for case, session_id, agent, servers, when in cases:
        # Sessions of one case that show different things are different rows.
        row = rows.setdefault(
            f"{case.name} {case.seen}",
            {
                "case": case.name,
                "kind": case.kind,
                "session_ids": [],
                "agent": agent,
                "servers": servers,
                "seen": case.seen,
                "when": [],
            },
        )
        row["session_ids"].append(session_id)
        row["when"].append(when)
    return sorted(rows.values(), key=lambda row: (row["kind"], row["case"], row["when"]))


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _over_http() -> list[str]:
    return [server.name for server in SERVERS.values() if not server.stdio]


@contextmanager
def _http_server(name: str, seed: int, spool: Path) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with _process(server_command(name, seed, spool, port=port)):
        yield port


@contextmanager
def _agent(name: str, seed: int, spool: Path, ports: dict[str, int]) -> Iterator[subprocess.Popen[str]]:
    command = [*_python(), "sample_data.agent_process", name, "--seed", str(seed)]
    with _process([*command, "--spool", str(spool), "--ports", json.dumps(ports)]) as process:
        yield process


def _python() -> list[str]:
    return server_command("", 0, Path())[:2]


@contextmanager
def _process(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(command, cwd=_ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=None)
    try:
        yield process
    finally:
        if process.stdin:
            process.stdin.close()
        try:
            process.wait(2)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"no server on port {port}")


def _play(agent: subprocess.Popen[str], key: str) -> dict[str, float]:
    assert agent.stdin and agent.stdout
    agent.stdin.write(key + "\n")
    agent.stdin.flush()
    line = agent.stdout.readline()
    if not line:
        raise RuntimeError(f"the agent process ended in session {key}")
    answer = json.loads(line)
    assert answer["session"] == key
    waits: dict[str, float] = answer["waits"]
    return waits


def main() -> None:
    """Read the command line, generate, print the manifest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--output", type=Path, default=_ROOT / "sample_data" / "recorded")
    options = parser.parse_args()
    print(json.dumps(generate(options.seed, options.output), indent=1))


if __name__ == "__main__":
    main()
