"""`toolhound learn` and `toolhound baselines ...`: learning anew, and what is normal."""

import json
from datetime import datetime
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from toolhound.options import AsJson, Token, Where, opening
from toolhound.printing import plain
from toolhound.workspace import DEFAULT_FOLDER

PARTLY = 1
LAKE = "lake"
LONGEST = 80
baselines = typer.Typer(no_args_is_help=True, help="What is normal here, as detectors have learned it.")
shown, said = Console(), Console(stderr=True)


def learn(
    source: Annotated[list[str] | None, typer.Option("--from", help="call files of ordinary work; repeatable. The lake where left out")] = None,
    reset: Annotated[bool, typer.Option("--reset", help="forget first what was learned before; the lake is always learned anew")] = False,
    workspace: Where = DEFAULT_FOLDER, token: Token = None, as_json: AsJson = False,
) -> None:
    """Learn what is normal: anew from the lake, or from files of ordinary work, whose calls are not kept. The same file twice counts twice."""
    names = [name for name in source or [] if name != LAKE]
    with opening(workspace, token, create=bool(names)) as opened:
        done = opened.learn(names, reset=reset)
    if as_json:
        print(json.dumps(done))
    else:
        waiting = f"; {done['unsettled']:,} may still change, and are learned from when they settle" if done["unsettled"] else ""
        shown.print(f"{done['counters']:,} counters, learned from {done['sessions']:,} sessions{waiting}", highlight=False)
        for reason in done["refused"][:20]:
            said.print(plain(reason), markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(PARTLY if done["refused"] else 0)


@baselines.command("show")
def show(
    detector: Annotated[str | None, typer.Option(help="only this detector's")] = None,
    subject: Annotated[str | None, typer.Option(help="a text in whom or what is counted: an agent, a server")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="how many counters")] = 20,
    workspace: Where = DEFAULT_FOLDER, token: Token = None, as_json: AsJson = False,
) -> None:
    """Show how much history there is, what each detector has learned from it, and what most sessions do."""
    with opening(workspace, token) as opened:
        told = opened.baselines(detector=detector, subject=subject, limit=limit)
    if as_json:
        print(json.dumps(told, default=str, indent=2))
        return
    enough = "" if not told["cold"] else f"; cold: p-values are given from {told['enough']} on"
    shown.print(f"{told['sessions']:,} sessions of history, up to {told['sessions_a_day']:,} a day{enough}", highlight=False)
    if told["unsettled"]:
        shown.print(f"{told['unsettled']:,} sessions may still change; they count as usual too, and are counted below once they have settled")
    _print(told["detectors"], ("detector", "counters", "subjects", "first_at", "last_at", "sessions", "sessions_with_finding", "cold"))
    _print(told["counters"], ("detector", "subject", "key", "n", "sessions", "weight", "first_at", "last_at"))


def _print(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    table = Table(*(name.replace("_", " ") for name in columns), box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*(_cell(row[name]) for name in columns))
    shown.print(table)


def _cell(value: Any) -> Text:
    """A value as text and nothing else: keys hold what attackers name their tools."""
    if isinstance(value, bool):
        return Text("cold" if value else "")
    if isinstance(value, datetime):
        return Text(value.strftime("%Y-%m-%d %H:%M"))
    separated = "" if value is None else str(value).replace("\x1f", " · ").replace("\n", " ⏎ ")
    return Text(plain(separated)[:LONGEST])
