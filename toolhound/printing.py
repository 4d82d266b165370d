"""Alerts and tables on a terminal. Whatever an attacker wrote is printed without control characters and without markup."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from store.records import Severity

STYLES = {0: "dim", 1: "cyan", 2: "yellow", 3: "bold red", 4: "bold white on red"}
SHOWN = (
    "alert_id", "title", "severity", "risk", "state", "verdict", "assignee", "detectors", "session_ids", "agents", "servers", "tools", "call_ids",
    "techniques", "opened_at", "updated_at", "first_called_at", "last_called_at", "explanation", "version",
)
LONGEST = 400


def plain(text: object) -> str:
    """Text without what a terminal would obey or hide: controls, escapes, bidi and invisible characters are shown by code."""
    return "".join(c if c.isprintable() or c == "\n" else f"\\u{ord(c):04x}" for c in str(text))


def alert_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """An alert as programs read it: severity by name, moments in ISO form."""
    made = {key: row.get(key) for key in SHOWN}
    made["severity"] = Severity(row["severity"]).name.lower()
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in made.items()}


def alert_table(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """The queue: severity, risk, id; beside them the title, what was seen, and where. Fits a narrow terminal too."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 1, 0))
    for name in ("severity", "risk", "alert"):
        table.add_column(name, no_wrap=True)
    table.add_column("title, evidence; agent, servers, session", overflow="fold", ratio=1)
    for row in rows:
        told = Text(plain(row["title"]), style="bold")
        told.append("\n").append(_cell(row["explanation"].split("\n")[0], LONGEST).plain, style="not bold")
        where = (
            ("agent", row["agents"]), ("server" if len(row["servers"]) == 1 else "servers", row["servers"]),
            ("session" if len(row["session_ids"]) == 1 else "sessions", row["session_ids"]),
        )
        named = "  ".join(f"{name} {', '.join(names[:6])}" for name, names in where if names)
        told.append("\n").append(_cell(named, LONGEST).plain, style="not bold dim")
        table.add_row(_severity(row["severity"]), f"{row['risk']:.2f}", Text(row["alert_id"][:10]), told)
    console.print(table)
    console.print(f"{len(rows)} alert{'' if len(rows) == 1 else 's'}", highlight=False)


def alert_whole(console: Console, whole: Mapping[str, Any], chains: Sequence[Mapping[str, Any]]) -> None:
    """One alert: summary, findings, the session's turns with the evidence marked, history."""
    alert = whole["alert"]
    console.print(_severity(alert["severity"]), Text(f"  {plain(alert['title'])}", style="bold"))
    for name in ("alert_id", "state", "verdict", "assignee", "risk", "agents", "servers", "tools", "session_ids", "techniques", "first_called_at"):
        value = alert.get(name)
        if value not in (None, "", []):
            console.print(Text(f"{name:16s}", style="dim"), _cell(", ".join(map(str, value)) if isinstance(value, list) else value))
    if whole["standing"]:
        said = "{as_high:,} of {baseline_size:,} past sessions had a risk as high (p {p_value:.2g})".format(**whole["standing"])
        console.print(Text(f"{'standing':16s}", style="dim"), said, highlight=False)
    console.print()
    for finding in whole["findings"]:
        console.print(_severity(finding["severity"]), Text(f" {finding['detector']}: {plain(finding['sentence'])}"), soft_wrap=True)
    marked = set(alert["call_ids"])
    for chain in chains:
        console.print()
        if not chain["turns"]:
            console.print("Its calls are gone: the days that the settings keep are over.", style="dim")
        for turn in chain["turns"]:
            mark = Text("▶ ", style="bold red") if turn["id"] in marked else Text("  ")
            name = turn["kind"] if turn["kind"] != "call" else f"{turn['server'] or ''}.{turn['tool']}"
            console.print(mark, Text(plain(name), style="bold"), _cell(turn["said"] or "", 300), soft_wrap=True)
            if turn["kind"] == "call":
                console.print("     →", _cell(turn["result"] or f"({turn['outcome']})", 300), soft_wrap=True)
    for step in whole["decisions"]:
        told = f"{step['decided_at']}  {step['actor']}: {step['from_state']} → {step['to_state']}  {step['comment']}"
        console.print(Text(plain(told), style="dim"))


def scan_table(console: Console, rated: Sequence[Mapping[str, Any]], drift: bool = False) -> None:
    """Tool definitions, worst first; where two sets were compared, all that differ."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("risk", "severity", *(("change",) if drift else ()), "server", "tool", "why"):
        table.add_column(name, overflow="fold")
    for row in rated:
        if row["findings"] or drift:
            why = [f["sentence"] for f in row["findings"]] or row.get("changes", [])
            table.add_row(f"{row['risk']:.2f}", _severity(row["severity"]), *((_cell(row["change"]),) if drift else ()), _cell(row["server"] or ""),
                          _cell(row["tool"]), _cell((" " if row["findings"] else ", ").join(why), LONGEST))
    console.print(table)
    what = "changes" if drift else "definitions"
    console.print(f"{sum(bool(r['findings']) for r in rated)} of {len(rated)} {what} would steer an agent", highlight=False)


def any_table(console: Console, answer: pa.Table) -> None:
    """The answer to a question."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in answer.column_names:
        table.add_column(Text(plain(name)), overflow="fold")
    columns = [column.to_pylist() for column in answer.columns]  # two columns may have the same name
    for row in zip(*columns, strict=True):
        table.add_row(*(_cell("" if v is None else v, 500) for v in row))
    console.print(table)


def _severity(number: int) -> Text:
    return Text(f"{Severity(number).name.lower():8s}", style=STYLES[number])


def _cell(value: object, limit: int = 120) -> Text:
    shown = plain(value).replace("\n", " ⏎ ")  # or foreign text could imitate a line of ours
    return Text(shown if len(shown) <= limit else shown[: limit - 1] + "…")
