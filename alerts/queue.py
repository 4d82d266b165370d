"""The alert queue: a page of it, one alert whole, how the detectors fare; `decide` stands in `alerts.verdicts`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from alerts.changes import Row, alert_row
from alerts.scores import standing_of
from alerts.verdicts import decide
from store.database import Database
from store.errors import SourceError
from store.records import AlertState, Severity

__all__ = ["Order", "Page", "decide", "detectors_health", "page", "show"]

Order: TypeAlias = Literal["risk", "newest", "oldest", "severity"]

PAGE_AT_MOST = 500
"""Rows per page; more is a question for SQL."""

_ORDERS: dict[str, str] = {
    "risk": "risk DESC, severity DESC, updated_at DESC, alert_id",
    "newest": "opened_at DESC, alert_id",
    "oldest": "opened_at, alert_id",
    "severity": "severity DESC, risk DESC, updated_at DESC, alert_id",
}

_MATCHING = """
    SELECT * FROM hot.alerts
    WHERE ($agent::VARCHAR IS NULL OR list_contains(agents, $agent))
      AND ($server::VARCHAR IS NULL OR list_contains(servers, $server))
      AND ($detector::VARCHAR IS NULL OR list_contains(detectors, $detector))
      AND ($session_id::VARCHAR IS NULL OR list_contains(session_ids, $session_id))
      AND ($text::VARCHAR IS NULL OR contains(
            lower(concat_ws(chr(10), alert_id, group_key, title, explanation, assignee,
                            array_to_string(agents || servers || tools || detectors || techniques, chr(10)))),
            lower($text)))
"""
_IN_STATES = "($states::VARCHAR[] IS NULL OR list_contains($states::VARCHAR[], state))"
_IN_SEVERITIES = "($severities::TINYINT[] IS NULL OR list_contains($severities::TINYINT[], severity))"


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of the queue. `total` counts all that match; each count leaves its own filter out, as a filter's label needs it."""

    total: int
    rows: list[Row]
    by_state: dict[str, int]
    by_severity: dict[int, int]


def page(
    database: Database, *, states: Sequence[str] | None = None, severities: Sequence[int] | None = None, agent: str | None = None,
    server: str | None = None, detector: str | None = None, session_id: str | None = None, text: str | None = None,
    order: Order = "risk", limit: int = 50, offset: int = 0,
) -> Page:
    """Alerts that match every filter given; None does not filter. `text` is looked for as it stands, in any case.

    Raises SourceError for a state, severity or order that does not exist.
    """
    values: dict[str, Any] = {"agent": agent, "server": server, "detector": detector, "session_id": session_id, "text": text or None}
    chosen = {"states": _known(states, AlertState), "severities": _known(severities, Severity)}
    if order not in _ORDERS:
        raise SourceError(f"order: {order!r} is not one of {', '.join(get_args(Order))}")
    count = f"""
        SELECT state, severity, count(*) AS n, {_IN_STATES} AS state_matches, {_IN_SEVERITIES} AS severity_matches
        FROM ({_MATCHING}) GROUP BY ALL
    """
    rows = f"""
        SELECT * FROM ({_MATCHING}) WHERE {_IN_STATES} AND {_IN_SEVERITIES} ORDER BY {_ORDERS[order]} LIMIT $limit OFFSET $offset
    """
    by_state = {state.value: 0 for state in AlertState}
    by_severity = {int(severity): 0 for severity in Severity}
    total = 0
    for cell in database.rows(count, values | chosen):
        by_state[cell["state"]] += cell["n"] if cell["severity_matches"] else 0
        by_severity[cell["severity"]] += cell["n"] if cell["state_matches"] else 0
        total += cell["n"] if cell["state_matches"] and cell["severity_matches"] else 0
    slice_of = {"limit": min(max(limit, 0), PAGE_AT_MOST), "offset": max(offset, 0)}
    return Page(total, database.rows(rows, values | chosen | slice_of), by_state, by_severity)


def show(database: Database, alert_id: str) -> dict[str, Any]:
    """One alert whole: `alert`, its `findings` (worst first), `decisions` (in order), `deliveries`, `standing` among past sessions.

    Raises NotFoundError.
    """
    row = alert_row(database, alert_id)
    alert = {"alert": row["alert_id"]}
    return {
        "alert": row,
        "findings": database.rows(
            "SELECT * FROM hot.findings WHERE finding_id IN (SELECT unnest(finding_ids) FROM hot.alerts WHERE alert_id = $alert) "
            "ORDER BY severity DESC, grade DESC, score DESC, finding_id", alert),
        "decisions": database.rows("SELECT * FROM hot.decisions WHERE alert_id = $alert ORDER BY decided_at, rowid", alert),
        "deliveries": database.rows("SELECT * FROM hot.deliveries WHERE alert_id = $alert ORDER BY sink, delivery_id", alert),
        "standing": standing_of(database, row["group_key"], row["risk"]),
    }


_HEALTH = """
    SELECT detector, count(*) AS opened, count(*) FILTER (state <> 'closed') AS standing,
           count(*) FILTER (verdict = 'true_positive') AS true_positive,
           count(*) FILTER (verdict = 'benign_positive') AS benign_positive,
           count(*) FILTER (verdict = 'false_positive') AS false_positive,
           count(*) FILTER (verdict = 'undetermined') AS undetermined,
           count(*) FILTER (verdict = 'duplicate') AS duplicate,
           max(opened_at) AS last_opened_at,
           false_positive / nullif(true_positive + benign_positive + false_positive, 0) AS false_positive_share
    FROM (SELECT unnest(detectors) AS detector, * EXCLUDE (detectors) FROM hot.alerts)
    GROUP BY detector ORDER BY detector
"""


def detectors_health(database: Database) -> list[Row]:
    """Per detector: alerts opened, still standing, closed by verdict, and the share of false positives.

    The share is over those judged true, benign or false; None where none was. An alert of several detectors counts for each.
    """
    return database.rows(_HEALTH)


def _known(asked: Sequence[Any] | None, kinds: type[AlertState] | type[Severity]) -> list[Any] | None:
    if not asked:
        return None
    allowed = {kind.value for kind in kinds}
    unknown = [x for x in asked if x not in allowed]
    if unknown:
        raise SourceError(f"{kinds.__name__}: {unknown[0]!r} is not one of {', '.join(str(kind.value) for kind in kinds)}")
    return [kinds(x).value for x in asked]
