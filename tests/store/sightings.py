"""Sightings of calls as collectors write them, and a database in memory that takes them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from store import tables
from store.database import Database, hot_schema
from store.intake import absorb
from store.lake import make_views
from store.merge import Merged

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
ROLES = {"agent": 0.0, "client": 0.01, "send": 0.02, "server": 0.03}
Row = dict[str, Any]
Sent = tuple[str, Row]
"""A kind of record, and its row."""


def moment(second: float) -> datetime:
    return NOON + timedelta(seconds=second)


def sighting(name: str, tool: str = "list_issues", second: float = 0, observed_by: str = "agent", **more: Any) -> Sent:
    """One observation; everything that the source does not say is absent."""
    return "observations", {
        "observation_id": name, "tool": tool, "observed_by": observed_by, "called_at": moment(second), "session_source": 4,
        "outcome": "unknown", "arguments_state": "absent", "result_state": "absent", "dialect": "otel_mcp", "seen_at": moment(second + 1), **more,
    }


def span(trace: str, name: str, parent: str | None = None, **more: Any) -> Sent:
    """A context span."""
    return "spans", {
        "trace_id": trace, "span_id": name, "parent_span_id": parent, "started_at": NOON, "session_source": 4, "seen_at": NOON, **more,
    }


def said(name: str, text: str, second: float = 0, **more: Any) -> Sent:
    return "messages", {
        "message_id": name, "role": "user", "text": text, "text_state": "captured", "said_at": moment(second), "session_source": 4,
        "seen_at": moment(second), **more,
    }


def defined(server: str, tool: str, agent: str | None = None) -> Sent:
    return "tool_definitions", {
        "definition_id": f"{server}-{tool}", "server": server, "tool": tool, "agent": agent, "first_seen_at": NOON, "last_seen_at": NOON,
        "seen_at": NOON,
    }


def whole_call(trace: str, n: int, tool: str = "list_issues", parent: str = "chat", **more: Any) -> list[Sent]:
    """Agent > client > `MCP send` > HTTP > server: one call as four sightings and a span between them."""
    name = f"{trace}-{n}"
    return [
        sighting(f"{name}-agent", f"github_{tool}", 10 * n, "agent", trace_id=trace, span_id=f"{name}-a", parent_span_id=parent,
                 arguments='{"meant": true}', arguments_state="captured", dialect="otel_genai", agent="coder", **more),
        sighting(f"{name}-client", tool, 10 * n + 0.1, "client", trace_id=trace, span_id=f"{name}-c", parent_span_id=f"{name}-a"),
        sighting(f"{name}-send", tool, 10 * n + 0.2, "client", trace_id=trace, span_id=f"{name}-m", parent_span_id=f"{name}-c"),
        span(trace, f"{name}-h", f"{name}-m"),
        sighting(f"{name}-server", tool, 10 * n + 0.3, "server", trace_id=trace, span_id=f"{name}-s", parent_span_id=f"{name}-h", server="github",
                 arguments=f'{{"ran": {n}}}', arguments_state="captured", result="fine", result_state="captured", outcome="ok"),
    ]


def database() -> Database:
    made = Database.memory()
    hot_schema(made)
    make_views(made)
    return made


def tabled(sent: Iterable[Sent]) -> dict[str, pa.Table]:
    by_kind: dict[str, list[Row]] = {}
    for kind, row in sent:
        by_kind.setdefault(kind, []).append(row)
    return {kind: tables.rows_to_table(kind, rows) for kind, rows in by_kind.items()}


def absorbed(into: Database, *batches: Sequence[Sent]) -> Merged:
    """Batches one after another; what the last one changed."""
    merged = Merged()
    for batch in batches:
        with into.transaction():
            merged = absorb(into, tabled(batch), NOON)
    return merged


def calls(of: Database, *columns: str) -> list[tuple[Any, ...]]:
    rows = of.rows("SELECT * FROM calls ORDER BY called_at, tool, call_id")
    return [tuple(row[c] for c in columns) for row in rows]
