"""Figures: what they show of a table, and that foreign names stay names."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from dashboards import figures
from store.records import Severity
from tests.dashboards.small import HOSTILE

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
OVER = figures.Over(START, START + timedelta(days=1), "hour")


def turn(step: int, kind: str = "call", **more: Any) -> dict[str, Any]:
    return {
        "id": f"t{step}", "step": step, "kind": kind, "happened_at": START + timedelta(minutes=step), "server": "mail", "tool": "send",
        "said": "text", "outcome": "ok", **more,
    }


def test_bars_are_stacked_by_severity() -> None:
    figure = figures.alerts_over_time(pa.table({"bucket": [START, START], "severity": [3, 1], "n": [2, 5]}), OVER)
    assert [bar.name for bar in figure.data] == ["low", "high"] and figure.layout.barmode == "stack"
    assert figure.data[1].marker.color == figures.SEVERITY_COLOURS[Severity.HIGH]


def test_the_busiest_agent_comes_first_and_the_others_last() -> None:
    table = pa.table({"bucket": [START] * 3, "agent": ["few", None, "many"], "n": [1, 50, 9]})
    assert [bar.name for bar in figures.calls_over_time(table, OVER).data] == ["many", "few", "all others"]


def test_outcomes_keep_their_colours() -> None:
    figure = figures.outcomes_over_time(pa.table({"bucket": [START] * 2, "outcome": ["denied", "ok"], "n": [1, 2]}), OVER)
    assert [(b.name, b.marker.color) for b in figure.data] == [(o, figures.OUTCOME_COLOURS[o]) for o in ("ok", "denied")]


def test_a_session_has_a_lane_for_each_server() -> None:
    turns = [turn(1, "user", server=None, tool=None), turn(2, server="web"), turn(3, outcome="error"), turn(4, server="web")]
    figure = figures.timeline(turns, frozenset({"t3"}))
    assert list(figure.layout.yaxis.categoryarray) == ["mail", "web", "prompt"] and figure.layout.yaxis.type == "category"
    ring = next(t for t in figure.data if t.name == "evidence")
    assert list(ring.y) == ["mail"]
    assert [list(t.customdata) for t in figure.data if t.customdata is not None] == [[1], [2, 4], [3]]


def test_a_session_with_long_rests_is_drawn_by_step() -> None:
    turns = [turn(1), turn(2, happened_at=START + timedelta(hours=9))]
    assert list(figures.timeline(turns).data[0].x) == [1, 2]
    assert figures.timeline([turn(1)]).data and figures.timeline([turn(1), turn(2)]).data[0].x[0] == turn(1)["happened_at"]


def test_foreign_names_are_no_markup() -> None:
    assert "<" not in figures.label(HOSTILE) and "\u202e" not in figures.label(HOSTILE) and figures.label("&lt;b>") == "&amp;lt;b&gt;"
    table = pa.table({"bucket": [START], "agent": ["<a href='x'>%{x}"], "n": [1]})
    written = json.loads(figures.calls_over_time(table, OVER).to_json())["data"][0]
    assert "<a" not in written["name"] and "%{x}<" not in written["hovertemplate"].removeprefix("%{x|")
