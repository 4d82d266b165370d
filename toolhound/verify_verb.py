"""`toolhound verify`: is what is stored whole, and if not, what helps."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from store.errors import StoreError
from toolhound.options import AsJson, Token, Where
from toolhound.printing import plain
from toolhound.rebuild import rebuild
from toolhound.settings import settings_of
from toolhound.verification import verify_folder
from toolhound.workspace import DEFAULT_FOLDER, server_of

SOMETHING_WRONG = 1
shown, said = Console(), Console(stderr=True)


def verify(
    workspace: Where = DEFAULT_FOLDER, token: Token = None, as_json: AsJson = False,
    make_anew: Annotated[bool, typer.Option("--rebuild", help="make the database anew from lake and spool first; not while it is served")] = False,
) -> None:
    """Check every file against the ledger, the spool, calls against their observations, and decisions. 1 where something is wrong."""
    server = server_of(workspace, token)
    if server:
        with server:
            if make_anew:
                raise StoreError(f"{workspace} is being served at {server.address}; stop the server, then rebuild")
            told = server.verify()
    else:
        folder = Path(workspace)
        settings = settings_of(folder)
        rebuilt = rebuild(folder, settings) if make_anew else None
        told = {**verify_folder(folder, settings), "rebuilt": rebuilt}
    if as_json:
        print(json.dumps(told, default=str, indent=2))
    else:
        _print(told)
    rebuilt = told.get("rebuilt") or {}
    raise typer.Exit(SOMETHING_WRONG if told["problems"] or rebuilt.get("left_out") or rebuilt.get("failures") else 0)


def _print(told: dict[str, Any]) -> None:
    rebuilt = told.get("rebuilt")
    if rebuilt:
        shown.print(f"made anew: {rebuilt['calls']:,} calls, {rebuilt['alerts']:,} alerts, {rebuilt['decisions']:,} decisions", highlight=False)
        if rebuilt["decisions_about_nothing"]:
            said.print(f"{rebuilt['decisions_about_nothing']:,} decisions are about alerts whose calls are gone; they are kept", highlight=False)
        for line in (*rebuilt["left_out"], *(f"detector {name} failed: {why}" for name, why in rebuilt["failures"].items())):
            said.print(plain(line), markup=False, highlight=False, soft_wrap=True)
    for one in told["problems"]:
        said.print(plain(f"{one['place']}: {one['what']}"), style="red", markup=False, highlight=False, soft_wrap=True)
        said.print(plain(f"  {one['cure']}"), markup=False, highlight=False, soft_wrap=True)
    counted = ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in told["counts"].items())
    if told["problems"]:
        counted = f"{len(told['problems']):,} problems; {counted}"
    shown.print(counted or "nothing is stored", highlight=False)
