"""`toolhound grant ...` and `toolhound registry ...`: what people lay down about who may call what, and which servers are approved."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from toolhound.options import Actor, AsJson, Token, Where, opening
from toolhound.printing import plain
from toolhound.workspace import DEFAULT_FOLDER

grants = typer.Typer(no_args_is_help=True, help="Who may call what. Whoever has a grant is held to it: calls outside it are found.")
registry = typer.Typer(no_args_is_help=True, help="Which servers and tools are approved. With one approved, calls to any other server are found.")
shown = Console()
MINUTES = len("2026-01-05 09:00")

Comment = Annotated[str, typer.Option(help="why")]
Server = Annotated[str, typer.Argument(help="the server's name")]
Tool = Annotated[str | None, typer.Argument(help="one tool of it; the server itself where left out")]


@grants.command("add")
def add(
    principal: Annotated[str | None, typer.Option(help="the person or service; * and ? are patterns, here and below")] = None,
    agent: Annotated[str | None, typer.Option(help="the agent")] = None,
    server: Annotated[str | None, typer.Option(help="any where left out")] = None,
    tool: Annotated[str | None, typer.Option(help="any where left out")] = None,
    until: Annotated[datetime | None, typer.Option(help="UTC; until it is revoked where left out")] = None,
    comment: Comment = "", actor: Actor = "analyst", workspace: Where = DEFAULT_FOLDER, token: Token = None,
) -> None:
    """Allow a principal or an agent to call a server's tools."""
    with opening(workspace, token) as opened:
        row = opened.grant(
            actor=actor, principal=principal, agent=agent, server=server, tool=tool, until=until.replace(tzinfo=UTC) if until else None,
            comment=comment,
        )
    shown.print(row["grant_id"], markup=False, highlight=False)


@grants.command("list")
def list_grants(workspace: Where = DEFAULT_FOLDER, token: Token = None, as_json: AsJson = False) -> None:
    """List grants, newest first."""
    with opening(workspace, token) as opened:
        rows = opened.grants()
    _print(rows, ("grant_id", "principal", "agent", "server", "tool", "granted_at", "expires_at", "granted_by", "revoked_at"), as_json)


@grants.command("revoke")
def revoke(grant: Annotated[str, typer.Argument(help="a grant's id")], actor: Actor = "analyst", workspace: Where = DEFAULT_FOLDER,
           token: Token = None) -> None:
    """Take a grant back."""
    with opening(workspace, token) as opened:
        row = opened.revoke(grant, actor=actor)
    shown.print(f"{row['grant_id']} is revoked", markup=False, highlight=False)


@registry.command("approve")
def approve(server: Server, tool: Tool = None, version: Annotated[str | None, typer.Option(help="the only version that is approved")] = None,
            comment: Comment = "", actor: Actor = "analyst", workspace: Where = DEFAULT_FOLDER, token: Token = None) -> None:
    """Approve a server, or one tool with the definition that it was last sighted with."""
    _entered(workspace, token, server, tool, state="approved", actor=actor, version=version, comment=comment)


@registry.command("retire")
def retire(server: Server, tool: Tool = None, comment: Comment = "", actor: Actor = "analyst", workspace: Where = DEFAULT_FOLDER,
           token: Token = None) -> None:
    """Retire a server, or one tool of it: it is not to be called any more."""
    _entered(workspace, token, server, tool, state="retired", actor=actor, comment=comment)


@registry.command("list")
def list_registry(workspace: Where = DEFAULT_FOLDER, token: Token = None, as_json: AsJson = False) -> None:
    """List what is approved or retired, by server and tool."""
    with opening(workspace, token) as opened:
        rows = opened.registry()
    _print(rows, ("server", "tool", "state", "version", "changed_at", "changed_by"), as_json)


def _entered(workspace: str, token: str | None, server: str, tool: str | None, **said: Any) -> None:
    with opening(workspace, token) as opened:
        row = opened.enter(server, tool, **said)
    shown.print(_literal(f"{row['server']}{'.' + row['tool'] if row['tool'] else ''} is {row['state']}"), highlight=False)


def _print(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], as_json: bool) -> None:
    if as_json:
        print(json.dumps(rows, default=str, indent=2))
        return
    table = Table(box=None)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column == "grant_id")
    for row in rows:
        table.add_row(*(_literal("" if row[c] is None else str(row[c])[: MINUTES if c.endswith("_at") else None]) for c in columns))
    shown.print(table)


def _literal(name: str) -> Text:
    """A name that anybody may have given, as it is: neither markup nor controls are obeyed, and it stays on its line."""
    return Text(plain(name).replace("\n", " ⏎ "))
