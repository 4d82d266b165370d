"""What pages share in asking: our own SQL by file name, forms with their token, paging, spans of time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs

import pyarrow as pa
from fastapi import Depends, HTTPException, Request

from dashboards.contract import Served

QUERIES = Path(__file__).parent.parent / "queries"
FORM_BYTES = 1 << 20
FORM_FIELDS = 2_000
ROWS = 50

RANGES: dict[str, tuple[timedelta, str]] = {
    "24h": (timedelta(days=1), "hour"), "7d": (timedelta(days=7), "hour"), "30d": (timedelta(days=30), "day"),
}
"""Spans that the overview offers, each with the width of its bars."""


@cache
def sql(name: str) -> str:
    """A question of ours, `dashboards/queries/<name>.sql`."""
    return (QUERIES / f"{name}.sql").read_text()


def ask(workspace: Served, name: str, **values: Any) -> pa.Table:
    """The answer to a question of ours."""
    return workspace.run(sql(name), values or None)


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time, up to now or, where it is everything, to the last call."""

    name: str
    since: datetime
    until: datetime
    bucket: str


def bucket_of(length: timedelta) -> str:
    """The width of bars that gives between a few and a few hundred."""
    return "hour" if length <= timedelta(days=10) else "day" if length <= timedelta(days=400) else "month"


def span(workspace: Served, asked: str | None) -> tuple[Span, dict[str, Any]]:
    """The span asked for, else the last week, or everything where that week was silent; and when calls were made at all."""
    known: dict[str, Any] = ask(workspace, "span_of_calls").to_pylist()[0]
    now, first, last = datetime.now(UTC), known["first_at"], known["last_at"]
    name = asked if asked in (*RANGES, "all") else "7d"
    if asked is None and last is not None and last < now - RANGES["7d"][0]:
        name = "all"
    if name in RANGES:
        length, bucket = RANGES[name]
        return Span(name, now - length, now, bucket), known
    start, end = first or now, last or now
    return Span(name, start - timedelta(seconds=1), end, bucket_of(end - start)), known


async def form(request: Request) -> dict[str, list[str]]:
    """The fields of a form of ours. Refuses one without this browser's token."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES:
            raise HTTPException(413, "the form is larger than a form of ours can be")
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=FORM_FIELDS)
    except ValueError as error:
        raise HTTPException(400, f"the form cannot be read: {error}") from error
    if request.state.via and not request.state.gate.takes_form(one(fields, "csrf"), request.state.cookie):
        raise HTTPException(403, "the form does not carry this page's token; reload the page and try again")
    return fields


Form = Annotated[dict[str, list[str]], Depends(form)]


def one(fields: Mapping[str, list[str]], name: str) -> str:
    """A field's first value, or ""."""
    return (fields.get(name) or [""])[0]


def local(address: str) -> str:
    """An address to go on to, if it is a path of ours; "/" for anything that could lead away."""
    ours = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable() and "\\" not in address
    return address if ours else "/"


@dataclass(frozen=True, slots=True)
class Paging:
    """Where a list stands."""

    page: int
    total: int
    rows: int = ROWS

    @property
    def offset(self) -> int:
        """Rows before this page."""
        return (self.page - 1) * self.rows

    @property
    def first(self) -> int:
        """Number of the first row shown."""
        return min(self.offset + 1, self.total)

    @property
    def last(self) -> int:
        """Number of the last row shown."""
        return min(self.offset + self.rows, self.total)

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-self.total // self.rows))
