"""Sessions: the list, and one in order."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from dashboards import figures
from dashboards.api import Workspace
from dashboards.pages.alert import parts_by_call
from dashboards.pages.asking import ROWS, Paging
from dashboards.rendering import render

router = APIRouter()
PAGE_TURNS = 100
"""Turns on one page of a session."""


@router.get("/sessions")
def sessions(
    request: Request, workspace: Workspace, q: str = "", agent: str = "", server: str = "", order: str = "risk",
    page: Annotated[int, Query(ge=1)] = 1,
) -> Response:
    """The list, highest risk first."""
    order = order if order in ("risk", "newest") else "risk"
    found = workspace.sessions(
        text=q.strip() or None, agent=agent or None, server=server or None, order=order, limit=ROWS, offset=(page - 1) * ROWS
    )
    asked: dict[str, Any] = {"q": q, "agent": agent, "server": server, "order": order if order != "risk" else None}
    return render(request, "sessions.html", rows=found["rows"], paging=Paging(page, found["total"]), asked=asked, order=order)


@router.get("/sessions/{session_id:path}")
def session(
    request: Request, workspace: Workspace, session_id: str, name: str = "", page: Annotated[int, Query(ge=1)] = 1
) -> Response:
    """One session in order, with what its calls prove."""
    chain = workspace.session(session_id or name)
    evidence = frozenset(c for f in chain["findings"] for c in f["call_ids"] or [])
    turns = chain["turns"]
    paging = Paging(page, len(turns), PAGE_TURNS)
    return render(
        request, "session.html", chain=chain, turns=turns[paging.offset : paging.offset + PAGE_TURNS], paging=paging, evidence=evidence,
        parts_of=parts_by_call(chain["findings"]), figure=figures.timeline(turns, evidence).to_json() if turns else None,
        left_out=chain["total"] - len(turns),
    )
