"""Arrow tables as plotly figures: pure functions, one look, no titles (the page says what a figure is about).

Colours: severities run from grey to dark red in even steps of lightness; categories are Paul Tol's "bright" and "muted" schemes, which
people with any kind of colour vision tell apart. Text and grid colours are set by `static/figures.js` from the stylesheet.
Everything that others wrote goes through `label`: plotly reads `<b>`, `<a href>` and the like in any text. We write none of them
either, but for `<br>`: plotly turns them into style attributes, which our Content-Security-Policy refuses.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go
import pyarrow as pa

from dashboards.visible import plain, short
from store.records import Severity

SEVERITY_COLOURS = {
    Severity.CRITICAL: "#a50f2b", Severity.HIGH: "#e0552b", Severity.MEDIUM: "#e3a11b", Severity.LOW: "#5b8fd0", Severity.INFO: "#9aa5b1",
}
CATEGORIES = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#999933", "#882255", "#bbbbbb")
OUTCOME_COLOURS = {"ok": "#4477aa", "error": "#e3a11b", "denied": "#aa3377", "unknown": "#9aa5b1"}
EVIDENCE_COLOUR = "#d81b43"
MESSAGE_COLOUR = "#6b7785"

BUCKETS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "month": timedelta(days=30)}
LANE_HEIGHT = 34
SINGLE_COUNTS = 5
"""Up to so many, every number stands on the axis: there is no half alert."""

SINGLE_STEPS = 30
"""So few steps are each numbered on the axis."""

PAUSE = timedelta(minutes=30)
"""A session that rests longer is drawn by step instead of by time: its calls would be two blots with nothing between."""


def label(text: object, limit: int = 60) -> str:
    """Foreign text for a figure: short, hidden characters visible, nothing that plotly would read as markup."""
    return plain(short(text, limit)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def layout(height: int, **more: Any) -> go.Layout:
    """The look that all figures share."""
    axis = {"automargin": True, "zeroline": False, "fixedrange": True, "ticks": "", "showline": False}
    made = go.Layout(
        height=height, margin={"l": 8, "r": 8, "t": 8, "b": 8}, paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 12}, hovermode="closest", barmode="stack", bargap=0.12, dragmode=False,
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "traceorder": "normal"}, xaxis=axis, yaxis=axis,
        hoverlabel={"align": "left", "namelength": -1, "font": {"family": "system-ui, sans-serif", "size": 12}},
    )
    made.update(more)
    return made


@dataclass(frozen=True, slots=True)
class Over:
    """The time that a figure spans, and how wide its bars are: "hour", "day" or "month"."""

    since: datetime
    until: datetime
    bucket: str


def _over_time(height: int, over: Over, rows: Sequence[Mapping[str, Any]]) -> go.Figure:
    """An empty figure for bars of `n` over time; all bars are as wide as their bucket, also where there is only one."""
    width = BUCKETS[over.bucket]
    figure = go.Figure(layout=layout(height))
    figure.update_xaxes(type="date", range=[over.since - width / 2, over.until + width / 2])
    stacked: Counter[Any] = Counter()
    for row in rows:
        stacked[row["bucket"]] += row["n"]
    highest = max(stacked.values(), default=0)
    figure.update_yaxes(rangemode="tozero", tickformat=",d", **({"dtick": 1} if highest <= SINGLE_COUNTS else {"nticks": 5}))
    figure.update_layout(template={"data": {"bar": [{"width": width.total_seconds() * 900, "offset": 0, "marker": {"line": {"width": 0}}}]}})
    return figure


def alerts_over_time(table: pa.Table, over: Over) -> go.Figure:
    """Alerts, stacked by severity. `bucket, severity, n`."""
    rows = table.to_pylist()
    figure = _over_time(180, over, rows)
    for severity in sorted({r["severity"] for r in rows}):
        mine = [r for r in rows if r["severity"] == severity]
        name = Severity(severity).name.lower()
        figure.add_bar(
            x=[r["bucket"] for r in mine], y=[r["n"] for r in mine], name=name, marker={"color": SEVERITY_COLOURS[Severity(severity)]},
            hovertemplate="%{x|%a %d %b %H:%M}<br>%{y} " + name + "<extra></extra>",
        )
    return figure


def calls_over_time(table: pa.Table, over: Over) -> go.Figure:
    """Calls, stacked by agent, the busiest at the bottom. `bucket, agent, n`; agent null is "all others"."""
    rows = table.to_pylist()
    figure = _over_time(190, over, rows)
    busiest: dict[str | None, int] = {}
    for row in rows:
        busiest[row["agent"]] = busiest.get(row["agent"], 0) + row["n"]
    for number, agent in enumerate(sorted(busiest, key=lambda a: (a is None, -busiest[a]))):
        mine = [r for r in rows if r["agent"] == agent]
        name = "all others" if agent is None else label(agent or "(not recorded)", 28)
        figure.add_bar(
            x=[r["bucket"] for r in mine], y=[r["n"] for r in mine], name=name, marker={"color": CATEGORIES[number % len(CATEGORIES)]},
            hovertemplate="%{x|%a %d %b %H:%M}<br>%{y:,} calls of " + name.replace("%", "&#37;") + "<extra></extra>",
        )
    return figure


def outcomes_over_time(table: pa.Table, over: Over) -> go.Figure:
    """A server's calls, stacked by outcome. `bucket, outcome, n`."""
    rows = table.to_pylist()
    figure = _over_time(150, over, rows)
    for outcome in [o for o in OUTCOME_COLOURS if any(r["outcome"] == o for r in rows)]:
        mine = [r for r in rows if r["outcome"] == outcome]
        figure.add_bar(
            x=[r["bucket"] for r in mine], y=[r["n"] for r in mine], name=outcome, marker={"color": OUTCOME_COLOURS[outcome]},
            hovertemplate="%{x|%a %d %b %H:%M}<br>%{y:,} " + outcome + "<extra></extra>",
        )
    return figure


def timeline(turns: Sequence[Mapping[str, Any]], evidence: frozenset[str] = frozenset()) -> go.Figure:
    """A session: a lane for what was said and one per server, calls in order, those of `evidence` ringed.

    A click on a point leads to its turn (`customdata` is the step).
    """
    lanes = list(dict.fromkeys(["prompt", *(_lane(t) for t in turns if t["kind"] == "call")]))
    moments = [t["happened_at"] for t in turns]
    by_time = len(turns) > 1 and max(b - a for a, b in pairwise(moments)) < PAUSE
    x = {t["id"]: t["happened_at"] if by_time else t["step"] for t in turns}
    figure = go.Figure(layout=layout(76 + LANE_HEIGHT * len(lanes), hoverdistance=30))
    figure.add_scatter(
        x=[x[t["id"]] for t in turns], y=[_lane(t) for t in turns], mode="lines", line={"width": 1, "color": "#9aa5b1", "dash": "dot"},
        hoverinfo="skip", showlegend=False,
    )
    marked = [t for t in turns if t["id"] in evidence]
    if marked:
        figure.add_scatter(
            x=[x[t["id"]] for t in marked], y=[_lane(t) for t in marked], mode="markers", name="evidence", hoverinfo="skip",
            marker={"size": 21, "symbol": "circle-open", "line": {"width": 3}, "color": EVIDENCE_COLOUR},
        )
    groups = [("said", "diamond", MESSAGE_COLOUR, [t for t in turns if t["kind"] != "call"])]
    groups += [
        (outcome, "circle", colour, [t for t in turns if t["kind"] == "call" and (t["outcome"] or "unknown") == outcome])
        for outcome, colour in OUTCOME_COLOURS.items()
    ]
    for name, symbol, colour, mine in groups:
        if mine:
            figure.add_scatter(
                x=[x[t["id"]] for t in mine], y=[_lane(t) for t in mine], mode="markers", name=name, customdata=[t["step"] for t in mine],
                marker={"size": 11, "symbol": symbol, "color": colour}, text=[_told(t) for t in mine], hovertemplate="%{text}<extra></extra>",
            )
    figure.update_yaxes(type="category", categoryorder="array", categoryarray=lanes[::-1], range=[-0.6, len(lanes) - 0.4])
    if not by_time:
        figure.update_xaxes(title={"text": "step", "font": {"size": 11}}, tickformat=",d", dtick=1 if len(turns) < SINGLE_STEPS else None)
    return figure


def _lane(turn: Mapping[str, Any]) -> str:
    return label(turn["server"] or "(server not recorded)", 32) if turn["kind"] == "call" else "prompt"


def _told(turn: Mapping[str, Any]) -> str:
    if turn["kind"] != "call":
        return f"{turn['step']}. {label(turn['kind'], 20)}: {label(turn['said'] or '(not recorded)', 90)}"
    outcome = label(turn["outcome"] or "unknown", 12)
    return f"{turn['step']}. {label(turn['tool'] or '(no name)')} · {outcome}<br>{label(turn['said'] or '', 90)}"
