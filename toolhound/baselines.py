"""What is normal here, for people: what each detector has learned, from how much, since when, and whether that is enough to judge by."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from alerts.scores import ENOUGH, RISK, History
from detectors.registry import Registered
from store.database import Database
from toolhound.lessons import grown

WARM_AFTER = timedelta(days=5)
"""Counters that reach less far back are cold: first-seen rules in use elsewhere take 5 to 14 days of history."""

_BY_DETECTOR = """
    SELECT detector, count(*) AS counters, count(DISTINCT subject) FILTER (subject <> '') AS subjects,
           min(first_at) AS first_at, max(last_at) AS last_at
    FROM hot.normal WHERE $subject::VARCHAR IS NULL OR contains(lower(subject || chr(31) || key), lower($subject)) GROUP BY detector
"""
_TOP = """
    SELECT detector, subject, key, n, sessions, round(weight / {today}, 2) AS weight, first_at, last_at FROM hot.normal
    WHERE ($detector::VARCHAR IS NULL OR detector = $detector)
      AND ($subject::VARCHAR IS NULL OR contains(lower(subject || chr(31) || key), lower($subject)))
    ORDER BY weight DESC, n DESC, detector, subject, key LIMIT $limit
"""


def baselines(
    database: Database, known: Iterable[Registered], half_life_days: float, detector: str | None = None, subject: str | None = None, limit: int = 20
) -> dict[str, Any]:
    """`sessions` of history and how many a day, those `unsettled`; `detectors` that learn or found something; `counters`, the strongest first.

    subject: a text that the counters' subjects or keys hold.
    """
    history = History.of(database)
    asked = {"detector": detector, "subject": subject, "limit": limit}
    counted = {row["detector"]: row for row in database.rows(_BY_DETECTOR, {"subject": subject})}
    rows = [_row(one, counted.get(one.name), history) for one in known if detector in (None, one.name)]
    sessions = history.size(RISK)
    return {
        "sessions": sessions, "sessions_a_day": history.sessions_a_day, "cold": sessions < ENOUGH, "enough": ENOUGH,
        "unsettled": database.value("SELECT count(DISTINCT lesson) FROM hot.lessons"),
        "detectors": [row for row in rows if row["learns"] or row["sessions_with_finding"] or detector],
        "counters": database.rows(_TOP.format(today=grown(half_life_days, "now()")), asked),
    }


def _row(one: Registered, counted: dict[str, Any] | None, history: History) -> dict[str, Any]:
    size = history.size(one.name)
    found = size - history.counts.get(one.name, {}).get(0, 0)
    reach = counted["last_at"] - counted["first_at"] if counted else timedelta(0)
    return {
        "detector": one.name, "learns": one.detector.learn is not None,
        "counters": counted["counters"] if counted else 0, "subjects": counted["subjects"] if counted else 0,
        "first_at": counted["first_at"] if counted else None, "last_at": counted["last_at"] if counted else None,
        "sessions": size, "sessions_with_finding": found,
        "cold": reach < WARM_AFTER if one.detector.learn else size < ENOUGH,
    }
