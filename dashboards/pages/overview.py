"""The first page: what is open, what happened, and whether we would have seen it."""

from dataclasses import replace

from fastapi import APIRouter, Request, Response

from dashboards import figures
from dashboards.api import Workspace
from dashboards.pages.asking import RANGES, ask, span
from dashboards.pages.health import strip
from dashboards.rendering import render

router = APIRouter()
OPEN = ("new", "in_progress")
WORST = 6
"""Rows of the queue that the overview shows."""


@router.get("/")
def overview(request: Request, workspace: Workspace, range: str | None = None) -> Response:
    """Counts, trends, the busiest, the noisiest, health."""
    chosen, known = span(workspace, range)
    queue = workspace.alerts(states=OPEN, limit=WORST)
    over_time = {"since": chosen.since, "bucket": chosen.bucket}
    over = figures.Over(chosen.since, chosen.until, chosen.bucket)
    per = "day" if chosen.name == "7d" else chosen.bucket  # alerts are few: a week of hours would be a comb without teeth
    alerts = ask(workspace, "alerts_over_time", since=chosen.since, bucket=per)
    calls = ask(workspace, "calls_over_time", **over_time)
    return render(
        request, "overview.html", span=chosen, per=per, ranges=(*RANGES, "all"), known=known, queue=queue,
        unassigned=workspace.alerts(states=["new"], limit=0).total,
        alerts_figure=figures.alerts_over_time(alerts, replace(over, bucket=per)).to_json() if alerts.num_rows else None,
        calls_figure=figures.calls_over_time(calls, over).to_json() if calls.num_rows else None,
        calls_in_span=sum(calls.column("n").to_pylist()),
        tools=ask(workspace, "top_tools", since=chosen.since).to_pylist(),
        noisy=ask(workspace, "noisy_detectors", since=chosen.since).to_pylist(),
        strip=strip(workspace.health()),
    )
