"""Servers: the list, and one with its tools and how their definitions changed."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Any

from fastapi import APIRouter, Request, Response

from dashboards import figures
from dashboards.api import Workspace
from dashboards.pages.asking import ask, bucket_of
from dashboards.payloads import difference
from dashboards.rendering import render

router = APIRouter()
SHORTEST = timedelta(days=1)
"""A figure spans no less, or one call would fill it."""


@router.get("/servers")
def servers(request: Request, workspace: Workspace) -> Response:
    """All servers, those with open alerts first."""
    return render(request, "servers.html", rows=workspace.servers())


@router.get("/servers/{server:path}")
def server(request: Request, workspace: Workspace, server: str, name: str = "") -> Response:
    """One server."""
    shown = workspace.server(server or name)
    shown["tools"] = defined_tools(shown)
    called = [t for t in shown["tools"] if t["calls"]]
    figure = None
    if called:
        first, last = min(t["first_called_at"] for t in called), max(t["last_called_at"] for t in called)
        over = figures.Over(min(first, last - SHORTEST), last, bucket_of(last - first))
        figure = figures.outcomes_over_time(ask(workspace, "server_over_time", server=server or name, bucket=over.bucket), over).to_json()
    return render(request, "server.html", server=shown, figure=figure)


def defined_tools(server: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A server's tools, numbered, each with what became different from one definition to the next."""
    return [
        tool | {"number": number, "changes": [_change(old, new) for old, new in pairwise(tool["definitions"])]}
        for number, tool in enumerate(server["tools"], 1)
    ]


def _change(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """What became different from one definition to the next."""
    return {
        "seen_at": new["first_seen_at"],
        "description": difference(old["description"], new["description"]) if old["description"] != new["description"] else None,
        "schema": difference(old["input_schema"], new["input_schema"]) if old["input_schema"] != new["input_schema"] else None,
    }
