"""Detectors: the list with how each fares, and the page of one, from its own file."""

from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from dashboards.api import Workspace
from dashboards.pages.asking import ask
from dashboards.pages.health import failing
from dashboards.rendering import render
from detectors import registry
from toolhound.spending import TITLES

router = APIRouter()
UNTOLD: dict[str, Any] = {
    "findings": 0, "last_found_at": None, "opened": 0, "standing": 0, "true_positive": 0, "benign_positive": 0, "false_positive": 0,
}


@router.get("/detectors")
def detectors(request: Request, workspace: Workspace) -> Response:
    """All detectors, and those that once were and left findings behind."""
    told = {row["detector"]: row for row in ask(workspace, "detectors_told").to_pylist()}
    known = registry.detectors()
    rows = [{"detector": name, "registered": one, **UNTOLD, **told.get(name, {})} for name, one in known.items()]
    rows += [{"detector": name, "registered": None, **UNTOLD, **row} for name, row in sorted(told.items()) if name not in known]
    return render(request, "detectors.html", rows=rows, titles=TITLES, failures=failing(workspace.health()))


@router.get("/detectors/{name}")
def detector(request: Request, workspace: Workspace, name: str) -> Response:
    """One detector: its page, what it found, what became of it."""
    one = registry.detectors().get(name)
    if name in TITLES:  # limits of the settings have no file and no page
        return RedirectResponse(f"/alerts?status=all&detector={name}")
    if one is None:
        raise HTTPException(404, f"detector {name!r} does not exist")
    told = {row["detector"]: row for row in ask(workspace, "detectors_told").to_pylist()}
    recent = workspace.alerts(detector=name, order="newest", limit=10)
    return render(request, "detector.html", one=one, told={**UNTOLD, **told.get(name, {})}, recent=recent)
