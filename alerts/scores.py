"""How unusual this deployment's sessions were so far: the distribution of each detector's scores and of the combined risk, and p-values from it.

A session counts once, when it first settles; without a finding it counts as score 0. Counts merge by sum. A conformal p-value,
`(1 + how many scored as high) / (1 + how many there were)`, needs no model: where a session is exchangeable with those of the past, it is at
most x with probability x at most (Vovk and others, 2005; for outliers Bates and others, 2023). Confirmed attacks are no part of the past;
alerts that nobody has judged are, or the bar would sink with every alert.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import pyarrow as pa

from alerts.risk import risk
from store.database import Database
from store.records import Finding, Grade, Severity, names_of

RISK, CHANCE = "risk", "chance"
"""Beside the detectors: the combined risk of all findings of a session, and of those that content does not prove."""

STEPS = 1000
"""Scores are counted in thousandths, rounded down; a score is compared as it is counted."""

ENOUGH = 200
"""Sessions; below, the smallest p-value there can be says too little to be shown."""

BUSY_DAYS = 14
"""The busiest day of so many, the latest, tells how many sessions a day there are: a week has quiet days, a fortnight hardly."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A score among those of the past."""

    p_value: float
    as_high: int
    baseline_size: int


@dataclass(frozen=True, slots=True)
class History:
    """The scores of past sessions by detector, each with how many sessions had it; and how many sessions the busiest day had."""

    counts: Mapping[str, Mapping[int, int]]
    sessions_a_day: int

    @classmethod
    def of(cls, database: Database) -> "History":
        """What the database knows."""
        counts: dict[str, dict[int, int]] = defaultdict(dict)
        for row in database.rows("SELECT detector, score, sum(sessions)::BIGINT AS n FROM hot.scores GROUP BY detector, score"):
            counts[row["detector"]][row["score"]] = row["n"]
        busiest = database.value(f"""
            SELECT max(n) FROM (
                SELECT sum(sessions)::BIGINT AS n FROM hot.scores WHERE detector = '{RISK}' GROUP BY day ORDER BY day DESC LIMIT {BUSY_DAYS})
        """)
        return cls(counts, busiest or 0)

    def size(self, name: str) -> int:
        """How many past sessions a detector's scores are known of."""
        return sum(self.counts.get(name, {}).values())

    def standing(self, name: str, score: float, counted: bool = False) -> Standing:
        """A session's score among those of the past, without the session itself where it is `counted` there."""
        step, known = _step(score), self.counts.get(name, {})
        as_high = max(sum(n for at, n in known.items() if at >= step) - counted, 0)
        size = max(sum(known.values()) - counted, 0)
        return Standing((1 + as_high) / (1 + size), as_high, size)


def standing_of(database: Database, group_key: str, value: float) -> dict[str, Any] | None:
    """How a session's risk stands among those of past sessions; None for other groups, and where there is too little history."""
    session = group_key.removeprefix("session:")
    history = History.of(database)
    if session == group_key or history.size(RISK) < ENOUGH:
        return None
    return asdict(history.standing(RISK, value, session in counted_among(database, [session])))


def counted_among(database: Database, sessions: Iterable[str]) -> set[str]:
    """Which of these sessions are part of the past."""
    rows = database.rows(
        "SELECT s FROM (SELECT unnest($sessions::VARCHAR[]) AS s) WHERE hash(s) IN (SELECT session FROM hot.scored) "
        "AND s NOT IN (SELECT name FROM hot.held WHERE confirmed)", {"sessions": sorted(sessions)},
    )
    return {row["s"] for row in rows}


def count(database: Database, sessions: pa.Table, detectors: Iterable[str], times: int = 1) -> None:
    """Count sessions (`session_id`, `day`) with the findings that they have now; `times=-1` takes them out again."""
    days = dict(zip(sessions["session_id"].to_pylist(), sessions["day"].to_pylist(), strict=True))
    scored = {session: scores_of(findings) for session, findings in findings_of(database, days).items()}
    names = [*detectors, RISK, CHANCE]
    made: Counter[tuple[str, date, int]] = Counter()
    for day, n in Counter(days.values()).items():
        made.update({(name, day, 0): n for name in names})
    for session, scores in scored.items():
        for name in scores.keys() & set(names):
            made[name, days[session], _step(scores[name])] += 1
            made[name, days[session], 0] -= 1
    rows = [(name, day, score, n * times) for (name, day, score), n in made.items() if n]
    if rows:
        detector, day_of, score_of, n_of = zip(*rows, strict=True)
        merge(database, pa.table({
            "detector": pa.array(detector), "day": pa.array(day_of, pa.date32()), "score": pa.array(score_of, pa.int16()), "sessions": pa.array(n_of),
        }))


def merge(database: Database, counted: pa.Table) -> None:
    """Add counts to what is known."""
    with database.named(counted=counted):
        merged = database.query("""
            SELECT detector, day, score, sum(sessions)::BIGINT AS sessions
            FROM (FROM hot.scores SEMI JOIN counted USING (detector, day) UNION ALL BY NAME FROM counted) GROUP BY ALL HAVING sum(sessions) > 0
        """)
        database.execute("DELETE FROM hot.scores AS old USING counted WHERE old.detector = counted.detector AND old.day = counted.day")
    database.insert("hot.scores", merged)


def forget(database: Database, today: date, days: int) -> None:
    """Let go of what lies further back than `days`."""
    database.execute("DELETE FROM hot.scores WHERE day < ?", [today - timedelta(days=days)])


def findings_of(database: Database, sessions: Iterable[str]) -> dict[str, list[Finding]]:
    """What is known of sessions, by session."""
    found: dict[str, list[Finding]] = defaultdict(list)
    with database.named(asked_sessions=pa.table({"session_id": pa.array(sessions, pa.string())})):
        rows = database.rows(f"SELECT {', '.join(names_of(Finding))} FROM hot.findings SEMI JOIN asked_sessions USING (session_id)")
    for row in rows:
        row |= {"severity": Severity(row["severity"]), "grade": Grade(row["grade"]), "evidence": json.loads(row["evidence"] or "{}")}
        found[row["session_id"]].append(Finding(**row))
    return found


def scores_of(findings: Iterable[Finding]) -> dict[str, float]:
    """A session's scores from its findings."""
    known = list(findings)
    scores: dict[str, float] = {RISK: risk(known), CHANCE: risk(f for f in known if f.grade < Grade.CONTENT)}
    for finding in known:
        scores[finding.detector] = max(scores.get(finding.detector, 0.0), finding.score)
    return scores


def _step(score: float) -> int:
    return int(min(max(score, 0.0), 1.0) * STEPS)
