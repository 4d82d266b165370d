"""Every verb, on a folder and against a running server; what attackers wrote never reaches the terminal as they wrote it."""

import csv
import gzip
import io
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from store.errors import ToolhoundError
from toolhound.cli import app
from toolhound.settings import Collect, Serve, Settings
from toolhound.supervisor import Supervisor

ESC, RLO, ZWSP = "\x1b", "\u202e", "\u200b"
HOSTILE = f"{ESC}]0;owned\x07{ESC}[2J {RLO}exe.txt{ZWSP} [bold red]markup[/bold red] [/nothing] \x08\x9b31m"
RAW = (ESC, RLO, ZWSP, "\x07", "\x08", "\x9b")
EVIL = f"mail{ESC}[31m{RLO}"
FIELDS = {
    "alert_id", "title", "severity", "risk", "state", "detectors", "session_ids", "agents", "servers", "tools", "call_ids", "opened_at",
    "explanation",
}
Told = Callable[..., Result]


def lines(name: str = "s1", bad: bool = True) -> list[dict[str, Any]]:
    path = "../../../../etc/shadow"
    made = [{"tool": "list_files", "arguments": {"path": "notes"}, "result": "a.txt"},
            {"tool": "read_file", "arguments": {"path": path if bad else "a.txt", "note": HOSTILE}, "result": HOSTILE}]
    about = {"session_id": name, "agent": "coder", "server": EVIL, "user_prompt": f"List. {HOSTILE}"}
    return [{**about, "seq": n, "timestamp": f"2026-01-05T09:00:0{n}Z", **line} for n, line in enumerate(made)]


def written(path: Path, rows: Sequence[Any]) -> Path:
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
    return path


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    """As `main` does: errors of ours are exit code 2 and one line."""
    ended = CliRunner().invoke(app, list(arguments), input=stdin, env={"COLUMNS": "200"})
    if isinstance(ended.exception, ToolhoundError):
        ended.exit_code = 2
    elif ended.exception and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    return ended


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervisor]:
    settings = Settings(collect=Collect(grpc_port=0, http_port=0), serve=Serve(port=0))
    supervisor = Supervisor(tmp_path_factory.mktemp("served"), settings, lambda _: None)
    supervisor.start()
    watching = threading.Thread(target=supervisor.watch)
    watching.start()
    yield supervisor
    supervisor.stop()
    watching.join(10)


@pytest.fixture(params=["folder", pytest.param("served folder", marks=pytest.mark.slow), pytest.param("address", marks=pytest.mark.slow)])
def told(request: pytest.FixtureRequest, tmp_path: Path) -> Told:
    """The command line on a workspace that holds one alert."""
    if request.param == "folder":
        where = ["-w", str(tmp_path / "workspace")]
    else:
        supervisor: Supervisor = request.getfixturevalue("server")
        addresses = supervisor.addresses
        where = ["-w", str(supervisor.folder)] if request.param == "served folder" else ["-w", addresses.pages, "--token", addresses.token]

    def tell(verb: str, *arguments: str, **more: Any) -> Result:
        return run(verb, *where, *arguments, **more)

    ended = tell("ingest", str(written(tmp_path / "calls.jsonl", lines())))
    assert ended.exit_code == 0, ended.output
    return tell


def listed(told: Told, *more: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(told("alerts", "--json", *more).stdout)
    return found


def test_alerts_and_one_of_them(told: Told) -> None:
    (alert,) = listed(told)
    assert set(alert) >= FIELDS and (alert["severity"], alert["session_ids"], alert["agents"]) == ("high", ["s1"], ["coder"])
    assert alert["servers"] == [EVIL] and 0 < alert["risk"] <= 1 and alert["opened_at"] > "2026"
    assert told("alerts", "--fail-on", "high").exit_code == 3 and told("alerts", "--fail-on", "critical").exit_code == 0
    assert listed(told, "--state", "closed", "--severity", "low") == []
    assert len(listed(told, "--limit", "1", "--agent", "coder", "--text", "SHADOW")) == 1
    assert told("alerts", "--state", "asleep").exit_code == 2 and told("alerts", "--fail-on", "bad").exit_code == 2
    whole = json.loads(told("show", alert["alert_id"], "--json").stdout)
    assert whole["alert"]["alert_id"] == alert["alert_id"] and len(whole["findings"]) >= 1 and len(whole["sessions"][0]["turns"]) == 3
    assert told("show", "nothing-of-that-name").exit_code == 2


def test_nothing_hostile_reaches_the_terminal(told: Told) -> None:
    (alert,) = listed(told)
    for arguments in (["alerts"], ["alerts", "--json"], ["show", alert["alert_id"]], ["show", alert["alert_id"], "--json"], ["health"],
                      ["query", "SELECT *, 1 AS \"[red]x[/red] [/y]\" FROM calls"], ["query", "SELECT * FROM messages", "--json"],
                      ["query", f"SELECT '{ESC}[31m' AS a FROM nothing"], ["show", EVIL], ["close", HOSTILE, "--verdict", "duplicate"]):
        ended = told(*arguments)
        printed = ended.output
        assert not any(raw in printed for raw in RAW), arguments
        if arguments[0] == "show" and ended.exit_code == 0 and "--json" not in arguments:
            assert "[bold red]markup[/bold red]" in printed and "\\u001b" in printed


def test_questions_are_read_only(told: Told) -> None:
    assert json.loads(told("query", "SELECT tool, count(*) AS n FROM calls GROUP BY ALL ORDER BY ALL", "--json").stdout) == [
        {"tool": "list_files", "n": 1}, {"tool": "read_file", "n": 1}]
    assert "read_file" in told("query", "SELECT tool FROM calls").stdout
    for sql in ("DELETE FROM hot.calls", "COPY calls TO 'x.csv'", "SELECT * FROM read_text('/etc/passwd')", "ATTACH 'x.db'",
                "SELECT 1; SELECT 2"):
        ended = told("query", sql)
        assert ended.exit_code == 2 and str(ended.exception).startswith("query: "), sql
    assert "exactly one SELECT" in str(told("query", "DROP TABLE hot.calls").exception)


def test_what_cannot_be_read_is_named_with_its_line(told: Told, tmp_path: Path) -> None:
    mixed = written(tmp_path / "mixed.jsonl", [*lines("s1"), "{not JSON", {"unknown": HOSTILE}, "[1]"])
    ended = told("ingest", str(mixed))
    assert ended.exit_code == 1 and "3 refused" in ended.stdout and all(f"mixed.jsonl:{n}: " in ended.stderr for n in (3, 4, 5)), ended.output
    assert not any(raw in ended.output for raw in RAW)
    assert told("ingest", str(tmp_path / "none.jsonl")).exit_code == 2
    (tmp_path / "noise.bin").write_bytes(b"\x00\x01noise" * 100)
    assert told("ingest", str(tmp_path / "noise.bin")).exit_code == 2
    both = json.loads(told("ingest", "--json", str(written(tmp_path / "a.jsonl", lines())), str(mixed)).stdout)
    assert both["calls"] == 4 and len(both["refused"]) == 3
    assert json.loads(told("query", "SELECT count(*) AS n FROM calls", "--json").stdout) == [{"n": 2}]  # however often it is told


def test_detect_and_health(told: Told) -> None:
    ended = told("detect", "--json")
    assert ended.exit_code == 0 and json.loads(ended.stdout)["findings"] >= 1 and "findings hold" in told("detect").stdout
    health = told("health")
    assert json.loads(health.stdout)["calls"] == 2 and health.exit_code == (0 if json.loads(health.stdout)["status"] == "ok" else 1)


def test_closing_asks_for_a_verdict(tmp_path: Path) -> None:
    where = ["-w", str(tmp_path / "workspace")]
    assert run("ingest", *where, "-", stdin="".join(json.dumps(line) + "\n" for line in lines())).exit_code == 0
    (alert,) = json.loads(run("alerts", *where, "--json").stdout)
    assert run("close", alert["alert_id"], *where).exit_code == 2
    assert run("close", alert["alert_id"], "--verdict", "sure", *where).exit_code == 2
    ended = run("close", alert["alert_id"], "--verdict", "true_positive", "--comment", "seen", "--actor", "ana", *where)
    assert ended.exit_code == 0 and "closed: true_positive" in ended.stdout
    (alert,) = json.loads(run("alerts", *where, "--json", "--state", "closed").stdout)
    assert (alert["state"], alert["verdict"]) == ("closed", "true_positive")


def test_a_file_that_cannot_be_read_leaves_the_others_looked_at(tmp_path: Path) -> None:
    where = ["-w", str(tmp_path / "workspace")]
    ended = run("ingest", *where, str(written(tmp_path / "good.jsonl", lines())), str(tmp_path / "none.jsonl"))
    assert ended.exit_code == 2 and "none.jsonl" in str(ended.exception)
    assert len(json.loads(run("alerts", *where, "--json").stdout)) == 1


@pytest.mark.parametrize("form", ["jsonl", "jsonl.gz", "parquet"])
def test_risk_of_every_session(tmp_path: Path, form: str) -> None:
    rows = [line for n in range(4) for line in lines(f"s{n}", bad=n == 2)]
    history = written(tmp_path / "history.jsonl", [line for n in range(5) for line in lines(f"h{n}", bad=False)])
    path = tmp_path / f"calls.{form}"
    match form:
        case "jsonl":
            written(path, rows)
        case "jsonl.gz":
            path.write_bytes(gzip.compress(written(tmp_path / "x", rows).read_bytes()))
        case _:
            pq.write_table(pa.Table.from_pylist([{**row, "arguments": json.dumps(row["arguments"])} for row in rows]), path)
    ended = run("risk", str(path), "--history", str(history))
    ranked = list(csv.DictReader(io.StringIO(ended.stdout)))
    assert ended.exit_code == 0 and {row["session_id"] for row in ranked} == {"s0", "s1", "s2", "s3"}
    assert ranked[0]["session_id"] == "s2"
    assert [float(row["risk"]) for row in ranked] == sorted((float(row["risk"]) for row in ranked), reverse=True)
    assert run("risk", str(path), "--output", str(tmp_path / "out.csv")).exit_code == 0
    assert (tmp_path / "out.csv").read_text().startswith("session_id,risk\n")
    ended = run("risk", str(path), "--output", str(tmp_path / "no" / "out.csv"))
    assert ended.exit_code == 2 and "cannot be written" in str(ended.exception)


@pytest.mark.slow
def test_a_served_workspace(server: Supervisor, tmp_path: Path) -> None:
    assert run("serve", "-w", str(server.folder)).exit_code == 2  # the ports are free, the folder is not
    assert (server.folder / "serve.json").exists()
    wrong = run("alerts", "-w", server.addresses.pages, "--token", "wrong")
    assert wrong.exit_code == 2 and "--token" in str(wrong.exception)
    assert run("alerts", "-w", "http://127.0.0.1:9").exit_code == 2
    # Another folder's note names this server's port, which it had before: its own calls are meant, and its token is not ours.
    (tmp_path / "serve.json").write_text(json.dumps({"address": server.addresses.pages, "token": "older", "pid": 1}))
    assert json.loads(run("query", "-w", str(tmp_path), "SELECT count(*) AS n FROM calls", "--json").stdout) == [{"n": 0}]
