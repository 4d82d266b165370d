"""What the verbs on a workspace share: its options, and how it is opened."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from toolhound.client import Client
from toolhound.supervisor import TOKEN_VARIABLE
from toolhound.workers import Workers
from toolhound.workspace import Workspace, connect

Where = Annotated[str, typer.Option("--workspace", "-w", envvar="TOOLHOUND_WORKSPACE", help="a folder, or the address of a running server")]
Token = Annotated[str | None, typer.Option("--token", envvar=TOKEN_VARIABLE, help="the access token, for an address")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
Actor = Annotated[str, typer.Option(envvar="USER", help="who decides")]


@contextmanager
def opening(where: str, token: str | None, create: bool = False) -> Iterator[Workspace | Client]:
    """A workspace, or a running server, closed in the end."""
    workspace = connect(where, token, create, Workers())
    try:
        yield workspace
    finally:
        workspace.close()
