"""Templates: the environment, the filters, and what every page is given."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import plotly
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from dashboards.payloads import facts, formatted, parts_in
from dashboards.visible import hidden_count, marked, plain, short, visible
from store.records import Severity

HERE = Path(__file__).parent
NOT_RECORDED = "—"
NAV = (
    ("/", "Overview", "o"), ("/alerts", "Alerts", "q"), ("/sessions", "Sessions", "s"), ("/servers", "Servers", "v"),
    ("/detectors", "Detectors", "d"), ("/health", "Health", "h"),
)
"""Address, label and the key that follows g."""


def moment(value: datetime | None) -> Markup:
    """A moment in UTC, to the second."""
    if value is None:
        return escape(NOT_RECORDED)
    there = value.astimezone(UTC)
    return Markup('<time datetime="{}" title="{} UTC, {}">{}</time>').format(
        there.isoformat(), there.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3], ago(there), there.strftime("%Y-%m-%d %H:%M:%S")
    )


def ago(value: datetime | None) -> str:
    """How long ago, in one unit."""
    if value is None:
        return NOT_RECORDED
    seconds = (datetime.now(UTC) - value).total_seconds()
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if abs(seconds) >= length:
            return f"{seconds / length:.0f} {unit} ago" if seconds > 0 else f"in {-seconds / length:.0f} {unit}"
    return "just now"


def size(value: float | None) -> str:
    """Bytes, in decimal units."""
    if value is None:
        return NOT_RECORDED
    number = float(value)
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" or number >= 100 else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def duration(value: float | None) -> str:
    """Milliseconds, in the unit that reads best."""
    if value is None:
        return NOT_RECORDED
    if value < 1000:
        return f"{value:.0f} ms"
    return f"{value / 1000:.1f} s" if value < 120_000 else f"{value / 60_000:.0f} min"


def count(value: float | None) -> str:
    """A number with thousands apart."""
    return NOT_RECORDED if value is None else f"{value:,.0f}".replace(",", "\u202f")


def severity_name(value: int | None) -> str:
    """A severity in words."""
    return Severity(value).name.lower() if value is not None else "none"


def words(value: str | None) -> str:
    """One of our own names as words: in_progress is "in progress"."""
    return (value or NOT_RECORDED).replace("_", " ")


def to(folder: str, name: str | None) -> str:
    """The address of something that others named. Browsers swallow the segments "." and "..", so such names go into the query."""
    if name in (None, "", ".", ".."):
        return f"{folder}/?{urlencode({'name': name or ''})}"
    return f"{folder}/{quote(name or '', safe='')}"


def with_query(query: Mapping[str, Any], **changes: Any) -> str:
    """The present filters with some changed, as a query; None takes one out."""
    merged = {**query, **changes}
    return "?" + urlencode([(k, v) for k, v in merged.items() if v not in (None, "", [])], doseq=True)


def data(value: Any) -> Markup:
    """JSON for a data block; "<" cannot end it."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))  # noqa: S704 - JSON, with the three escaped


def evidence_text(text: str, parts: Sequence[str]) -> Markup:
    """A payload with the parts that prove a finding marked."""
    return marked(text, parts_in(text, parts))


def raw(row: Mapping[str, Any]) -> str:
    """A row as JSON, laid out."""
    return json.dumps({k: v for k, v in row.items() if v is not None and k != "marks"}, indent=2, ensure_ascii=False, default=str)


@cache
def file_version(name: str) -> str:
    """A few characters that change with a static file, so that browsers may keep it for good."""
    return sha256((HERE / "static" / name).read_bytes()).hexdigest()[:12]


@cache
def environment() -> Environment:
    """The templates: everything is escaped, what is missing is an error."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters.update(
        visible=visible, plain=plain, short=short, hidden_count=hidden_count, moment=moment, ago=ago, size=size, duration=duration, count=count,
        severity_name=severity_name, words=words, data=data, formatted=formatted, facts=facts,
    )
    made.globals.update(
        to=to, with_query=with_query, evidence_text=evidence_text, raw=raw, file_version=file_version, NAV=NAV, PLOTLY_VERSION=plotly.__version__
    )
    return made


def render(request: Request, template: str, status_code: int = 200, **given: Any) -> HTMLResponse:
    """A page."""
    state = request.state
    page = environment().get_template(template).render(
        path=request.url.path, here=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        actor=state.actor, via=state.via, csrf=state.gate.form_token(state.cookie) if state.via else "", **given,
    )
    return HTMLResponse(page.encode("utf-8", "replace"), status_code)
