"""Health: whether what is sent arrives, is looked at and is passed on; and what was not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from dashboards.api import Workspace
from dashboards.rendering import count, render, size

router = APIRouter()

LAID_OUT = ("status", "trouble", "collectors", "spool", "rejected", "engine", "detectors", "deliveries", "dialects", "lake", "calls")
"""What the page lays out (`toolhound.health` makes it); whatever else a workspace tells is listed below as it comes."""

LAG_SECONDS = 60
"""An engine further behind than this makes alerts late."""

SPOOL_FULL = 0.8
"""A spool this full will soon turn senders away."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One part of the health strip: "good", "warn" or "bad"."""

    name: str
    state: str
    says: str


@router.get("/health")
def health(request: Request, workspace: Workspace) -> Response:
    """The page."""
    told = workspace.health()
    return render(
        request, "health.html", told=told, strip=strip(told), failing=failing(told), other={k: v for k, v in told.items() if k not in LAID_OUT}
    )


def failing(told: Mapping[str, Any]) -> Mapping[str, str]:
    """Detectors that fail, each with what it said."""
    found: Mapping[str, str] = (told.get("detectors") or {}).get("failing") or {}
    return found


def strip(told: Mapping[str, Any]) -> list[Sign]:
    """The parts in one line; a part that the workspace does not tell of is left out."""
    signs = [_collectors(told["collectors"])] if told.get("collectors") else []
    if "engine" in told:
        lag = max(told["engine"].get("lag_seconds") or 0, told["engine"].get("look_lag_seconds") or 0)
        trouble = told.get("status") == "failing"
        signs.append(Sign("Engine", "bad" if trouble else "warn" if lag > LAG_SECONDS else "good", "failing" if trouble else f"{lag:.0f} s behind"))
    if "spool" in told:
        waiting, most = told["spool"].get("bytes") or 0, told["spool"].get("limit_bytes") or 0
        state = "warn" if most and waiting > SPOOL_FULL * most else "good"
        signs.append(Sign("Spool", state, f"{count(told['spool'].get('files') or 0)} files, {size(waiting)} waiting"))
    if "rejected" in told:
        kept = told["rejected"].get("kept") or 0
        signs.append(Sign("Rejected", "warn" if kept else "good", f"{count(kept)} kept aside" if kept else "none"))
    if "detectors" in told:
        fail = failing(told)
        signs.append(Sign("Detectors", "bad" if fail else "good", f"{len(fail)} failing" if fail else f"{told['detectors'].get('known', 0)} run"))
    if "deliveries" in told:
        signs.append(_deliveries(told["deliveries"]))
    return signs


def _collectors(collectors: list[Mapping[str, Any]]) -> Sign:
    up = sum(c.get("status") != "silent" for c in collectors)
    return Sign("Collectors", "good" if up == len(collectors) else "warn" if up else "bad", f"{up} of {len(collectors)} up")


def _deliveries(sinks: list[Mapping[str, Any]]) -> Sign:
    dead, pending = (sum(s.get(k) or 0 for s in sinks) for k in ("dead", "pending"))
    if dead:
        return Sign("Deliveries", "bad", f"{count(dead)} given up")
    return Sign("Deliveries", "good", f"{count(pending)} on the way" if sinks else "no sinks")
