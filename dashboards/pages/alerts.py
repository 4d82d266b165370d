"""The queue: open alerts, highest risk first; every filter stands in the address."""

from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import RedirectResponse

from dashboards.api import Workspace
from dashboards.contract import Served
from dashboards.pages.asking import ROWS, Form, Paging, ask, local, one
from dashboards.rendering import render
from store.errors import ConflictError, NotFoundError, SourceError
from store.records import Severity, Verdict

router = APIRouter()
STATES = {
    "open": ("new", "in_progress"), "new": ("new",), "in_progress": ("in_progress",), "closed": ("closed",),
    "all": ("new", "in_progress", "closed"),
}
"""What the Status filter offers; it is never off."""

ORDERS = {"risk": "highest risk", "newest": "newest", "oldest": "oldest", "severity": "severity"}
SEVERITIES = tuple(s.name.lower() for s in sorted(Severity, reverse=True))


@router.get("/alerts")
def queue(
    request: Request, workspace: Workspace, status: str = "open", severity: Annotated[list[str] | None, Query()] = None, agent: str = "",
    server: str = "", detector: str = "", session: str = "", q: str = "", order: str = "risk", page: Annotated[int, Query(ge=1)] = 1,
    done: int = 0, failed: int = 0,
) -> Response:
    """A page of the queue."""
    status = status if status in STATES else "open"
    order = order if order in ORDERS else "risk"
    chosen = [s for s in SEVERITIES if s in (severity or [])]
    found = workspace.alerts(
        states=STATES[status], severities=chosen or None, agent=agent or None, server=server or None, detector=detector or None,
        session_id=session or None, text=q.strip() or None, order=order, limit=ROWS, offset=(page - 1) * ROWS,
    )
    filters: dict[str, Any] = {
        "status": status if status != "open" else None, "severity": chosen, "agent": agent, "server": server, "detector": detector,
        "session": session, "q": q, "order": order if order != "risk" else None,
    }
    choices: dict[str, list[str] | None] = ask(workspace, "choices").to_pylist()[0]
    return render(
        request, "alerts.html", found=found, filters=filters, status=status, chosen=chosen, order=order, states=STATES, orders=ORDERS,
        severities=[(s, int(Severity[s.upper()])) for s in SEVERITIES], paging=Paging(page, found.total), done=done, failed=failed,
        choices={k: v or [] for k, v in choices.items()}, asked={"agent": agent, "server": server, "detector": detector, "session": session, "q": q},
        verdicts=list(Verdict), filtered=any((chosen, agent, server, detector, session, q.strip())),
    )


@router.post("/alerts/triage")
def triage(request: Request, workspace: Workspace, fields: Form) -> Response:
    """One step for all the alerts that are ticked; each is named as `id:version`."""
    done = failed = 0
    step = chosen_step(fields, request.state.actor)
    for ticked in fields.get("alert", []):
        alert_id, _, version = ticked.rpartition(":")
        try:
            take(workspace, alert_id, step, request.state.actor, int(version) if version.isdigit() else None)
            done += 1
        except (ConflictError, NotFoundError, SourceError):
            failed += 1
    return RedirectResponse(_back(one(fields, "back"), done, failed), 303)


def chosen_step(fields: dict[str, list[str]], actor: str) -> dict[str, Any]:
    """What a triage form asks for, as arguments of `Served.decide`."""
    comment = one(fields, "comment").strip()
    match one(fields, "action"):
        case "assign":
            return {"assignee": actor, "comment": comment}
        case "release":
            return {"assignee": "", "comment": comment}
        case "progress":
            return {"state": "in_progress", "comment": comment}
        case "close":
            return {"state": "closed", "verdict": one(fields, "verdict") or None, "comment": comment}
        case "comment":
            return {"comment": comment}
    raise SourceError("action: one of assign, release, progress, close, comment")


def take(workspace: Served, alert_id: str, step: dict[str, Any], actor: str, version: int | None) -> None:
    """One step for one alert. Somebody who starts on an alert that nobody has, has it."""
    if step.get("state") == "in_progress" and not workspace.alert(alert_id)["alert"]["assignee"]:
        step = {**step, "assignee": actor}
    workspace.decide(alert_id, actor=actor, version=version, **step)


def _back(address: str, done: int, failed: int) -> str:
    parts = urlsplit(local(address))
    query = [(k, v) for k, v in parse_qsl(parts.query) if k not in ("done", "failed")]
    query += [(k, str(n)) for k, n in (("done", done), ("failed", failed)) if n]
    return (parts.path if parts.path.startswith("/alerts") else "/alerts") + (f"?{urlencode(query)}" if query else "")
