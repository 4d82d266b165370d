"""Learning, once calls settle: counters merge, attacks are left out and taken out again, what is old or rare is let go of.

Sessions of an open alert with proof teach nothing for some days, those of a confirmed attack never; when an alert is closed otherwise, its sessions
are taught after all. What was learned before an alert came is taken out by teaching it negatively: counters are sums. Only `first_at` and
`last_at` cannot be taken back; where other sessions speak for the counter too, it may seem older or younger than it is until learned anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from alerts import scores
from detectors.registry import Registered
from store import tables
from store.database import Database
from toolhound.lessons import COUNTED, LESSON, counters, drop, grown, learners_id, refresh
from toolhound.normal import held
from toolhound.settings import Learn

BEFORE_ALERT = timedelta(days=7)
"""How long before the first call of an alert its session may have begun; further back the lake is not searched."""

SCORED_KEPT_DAYS = 30
"""How long a session is remembered as counted; one that goes on after that counts as another."""

AT_ONCE = 25_000
"""How many calls are taught at a time."""


@dataclass(frozen=True, slots=True)
class Taught:
    """What files taught: counters, scores, the sessions that were counted; and what was refused or failed."""

    normal: pa.Table
    scores: pa.Table
    scored: pa.Table
    refused: list[str]


_BEGUN = "SELECT session_id, min(called_at)::DATE AS day FROM {} WHERE session_id IS NOT NULL GROUP BY session_id"


@dataclass(frozen=True, slots=True)
class Learned:
    """What calls teach that are about to settle: `counted`, counters; `sessions` (`session_id`, `day`); `standing`, who was held then."""

    standing: pa.Table
    counted: list[pa.Table]
    sessions: pa.Table


def prepare(database: Database, known: Sequence[Registered], learners: Sequence[Registered], rules: Learn) -> Learned:
    """What the calls of the table `leaving` teach; nothing is written but the table `ready`, the lessons that are taken over as they are.

    A session that leaves whole and was looked at, all of it, by today's `learners` was taught to `known` then: that is most of them.
    """
    standing = held(database, rules.held_days)
    database.execute(f"""
        CREATE OR REPLACE TEMP TABLE ready AS
        SELECT lesson FROM (SELECT {LESSON} AS lesson, count(*) AS calls FROM leaving WHERE version = 0 AND NOT late GROUP BY 1)
        SEMI JOIN (SELECT lesson, calls FROM hot.taught WHERE learners = $learners) USING (lesson, calls)
        WHERE lesson NOT IN (SELECT hash(key) FROM hot.touched WHERE kind = 'session')
    """, {"learners": learners_id(learners)})
    with database.named(standing=standing):
        taken_over = f"""
            SELECT * EXCLUDE (lesson), 1 AS sessions, {grown(rules.half_life_days)} AS weight FROM hot.lessons SEMI JOIN ready USING (lesson)
            WHERE detector IN (SELECT unnest($attacks::VARCHAR[]))
               OR (detector IN (SELECT unnest($usual::VARCHAR[])) AND lesson NOT IN (SELECT hash(name) FROM standing))
        """
        counted = [database.query(COUNTED.format(f"({taken_over})"), {
            "attacks": [one.name for one in known if one.detector.learn_attacks],
            "usual": [one.name for one in known if not one.detector.learn_attacks],
        })]
        sessions = database.query(_BEGUN.format("(FROM leaving WHERE version = 0)"))
    database.execute(f"""
        CREATE OR REPLACE TEMP TABLE untaught AS SELECT call_id, seen_at, row_number() OVER (ORDER BY place) AS place FROM leaving
        WHERE version = 0 AND {LESSON} NOT IN (SELECT lesson FROM ready)
    """)
    for start in range(0, database.value("SELECT count(*) FROM untaught"), AT_ONCE):
        within = f"FROM untaught WHERE place > {start} AND place <= {start + AT_ONCE}"
        calls = database.query(f"SELECT * FROM hot.calls WHERE call_id IN (SELECT call_id {within}) AND {database.bounds('seen_at', within)}")
        counted += _counted(database, calls, standing, known, rules)
    return Learned(standing, counted, sessions)


def conclude(database: Database, learned: Learned, known: Sequence[Registered], rules: Learn) -> None:
    """Merge what was learned; call inside the transaction that moves the calls, before it does."""
    _reconcile(database, learned.standing, known, rules)
    merge(database, pa.concat_tables(learned.counted))
    _count_sessions(database, learned.sessions, learned.standing, known)
    forget(database, rules)


def teach(database: Database, calls: pa.Table, standing: pa.Table, known: Sequence[Registered], rules: Learn) -> None:
    """Merge what calls teach, apart from those of `standing`; and count the sessions that are new."""
    with database.named(settling=calls):
        sessions = database.query(_BEGUN.format("settling"))
    for counted in _counted(database, calls, standing, known, rules):
        merge(database, counted)
    _count_sessions(database, sessions, standing, known)


def _counted(database: Database, calls: pa.Table, standing: pa.Table, known: Sequence[Registered], rules: Learn) -> list[pa.Table]:
    """What calls teach; those of `standing`, only those who learn from attacks too."""
    with database.named(settling=calls, standing=standing):
        unheld = "FROM settling WHERE coalesce(session_id, call_id) NOT IN (SELECT name FROM standing)"
        honest = database.query(unheld) if len(standing) else calls
    counted = []
    for attacks, taught in ((False, honest), (True, calls)):
        whose = [one for one in known if one.detector.learn_attacks == attacks]
        for offset in range(0, len(taught) if whose else 0, AT_ONCE):
            counted.append(counters(database, whose, taught.slice(offset, AT_ONCE), rules.half_life_days))
    return counted


def _count_sessions(database: Database, sessions: pa.Table, standing: pa.Table, known: Sequence[Registered]) -> None:
    """Count those of `sessions` that are new, and no confirmed attacks."""
    with database.named(settling_sessions=sessions, standing=standing):
        fresh = database.query("SELECT * FROM settling_sessions WHERE hash(session_id) NOT IN (SELECT session FROM hot.scored)")
        with database.named(new_sessions=fresh):
            database.execute("INSERT INTO hot.scored SELECT hash(session_id), day FROM new_sessions")
            counted = database.query("SELECT * FROM new_sessions WHERE session_id NOT IN (SELECT name FROM standing WHERE confirmed)")
    scores.count(database, counted, [one.name for one in known])


def relearn(database: Database, known: Sequence[Registered], rules: Learn) -> None:
    """Forget what was learned, and learn it from the lake, a day at a time."""
    standing = held(database, rules.held_days)
    _clear(database)
    database.insert("hot.held", standing.select(["name", "confirmed"]))
    calls = "FROM calls WHERE call_id NOT IN (SELECT call_id FROM hot.calls)"
    for row in database.rows(f"SELECT DISTINCT called_at::DATE AS day {calls} ORDER BY day"):
        of_day = database.query(f"SELECT * {calls} AND called_at >= $day AND called_at < $day + INTERVAL 1 DAY", row)
        teach(database, of_day, standing, known, rules)
    forget(database, rules)


def take(database: Database, given: Taught, rules: Learn, reset: bool) -> None:
    """Merge what was learned elsewhere."""
    if reset:
        _clear(database)
    merge(database, given.normal)
    scores.merge(database, given.scores)
    with database.named(scored_there=given.scored):
        database.execute("INSERT INTO hot.scored SELECT * FROM scored_there WHERE session NOT IN (SELECT session FROM hot.scored)")
    forget(database, rules)


def _clear(database: Database) -> None:
    for table in ("normal", "scores", "scored", "held"):
        database.execute(f"DELETE FROM hot.{table}")


def settled(database: Database, known: Sequence[Registered], calls: pa.Table, ready: pa.Table) -> None:
    """After `calls` have left the hot tables: their sessions teach there only with what is left; those that are `ready` are gone as a whole."""
    with database.named(settled_calls=calls.select(["session_id", "call_id"]), ready_lessons=ready):
        drop(database, "ready_lessons")
        lessons = database.query(f"SELECT DISTINCT {LESSON} AS lesson FROM settled_calls WHERE {LESSON} NOT IN (SELECT lesson FROM ready_lessons)")
    refresh(database, known, lessons)


def merge(database: Database, counted: pa.Table) -> None:
    """Add counters to what is known; one that no session speaks for any more goes."""
    with database.named(counted=counted.select(tables.names("normal"))):
        together = "(FROM hot.normal SEMI JOIN counted USING (detector, subject, key) UNION ALL BY NAME FROM counted)"
        merged = database.query(f"{COUNTED.format(together)} HAVING sum(sessions) > 0")
        same = " AND ".join(f"old.{k} = counted.{k}" for k in tables.KEYS["normal"])
        database.execute(f"DELETE FROM hot.normal AS old USING counted WHERE {same}")
    database.insert("hot.normal", merged)


def forget(database: Database, rules: Learn) -> None:
    """Let go of what was not seen for long, sooner where one session alone spoke for it; and of the weakest where there are too many."""
    now = database.value("SELECT least(now(), max(last_at)) FROM hot.normal") or datetime.now(UTC)
    database.execute(
        "DELETE FROM hot.normal WHERE last_at < ? OR (sessions <= 1 AND last_at < ?)",
        [now - timedelta(days=rules.forget_days), now - timedelta(days=rules.forget_once_days)],
    )
    known = database.value("SELECT count(*) FROM hot.normal")
    if known > rules.counters:
        database.execute(
            "DELETE FROM hot.normal WHERE rowid IN (SELECT rowid FROM hot.normal ORDER BY weight, detector, subject, key LIMIT ?)",
            [known - rules.counters],
        )
    today = database.value("SELECT least(today(), max(day)) FROM hot.scored")
    if today:
        scores.forget(database, today, rules.forget_days)
        database.execute("DELETE FROM hot.scored WHERE day < ?", [today - timedelta(days=SCORED_KEPT_DAYS)])


def _reconcile(database: Database, standing: pa.Table, known: Sequence[Registered], rules: Learn) -> None:
    """Teach what is no longer held, take out what is held from now on: as alerts stand, whatever happened since the last time."""
    names = [one.name for one in known]
    with database.named(standing=standing):
        released = database.query("SELECT name, NULL::TIMESTAMPTZ AS since FROM hot.held WHERE name NOT IN (SELECT name FROM standing)")
        late = database.query("SELECT name, first_called_at AS since FROM standing WHERE name NOT IN (SELECT name FROM hot.held)")
        confirmed = database.query(_SCORED.format("SELECT name FROM standing WHERE confirmed", "SELECT name FROM hot.held WHERE confirmed"))
        cleared = database.query(_SCORED.format("SELECT name FROM hot.held WHERE confirmed", "SELECT name FROM standing WHERE confirmed"))
    for changed, times in ((released, 1), (late, -1)):
        calls = _calls_of(database, changed) if len(changed) else None
        if calls:
            usual = [one for one in known if not one.detector.learn_attacks]
            merge(database, _times(database, counters(database, usual, calls, rules.half_life_days), times))
    scores.count(database, confirmed, names, -1)
    scores.count(database, cleared, names)
    database.execute("DELETE FROM hot.held")
    database.insert("hot.held", standing.select(["name", "confirmed"]))


_SCORED = """
    SELECT n.name AS session_id, any_value(s.day) AS day FROM ({}) AS n JOIN hot.scored AS s ON s.session = hash(n.name)
    WHERE n.name NOT IN ({}) GROUP BY n.name
"""


def _calls_of(database: Database, names: pa.Table) -> pa.Table:
    """The settled calls of sessions, or single ones."""
    since = min((m for m in names["since"].to_pylist() if m), default=None)
    with database.named(asked_names=names):
        return database.query("""
            SELECT * FROM calls WHERE coalesce(session_id, call_id) IN (SELECT name FROM asked_names)
              AND ($since::TIMESTAMPTZ IS NULL OR called_at >= $since) AND call_id NOT IN (SELECT call_id FROM hot.calls)
        """, {"since": since - BEFORE_ALERT if since else None})


def _times(database: Database, counted: pa.Table, times: int) -> pa.Table:
    with database.named(counted=counted):
        return database.query("SELECT * REPLACE (n * $x AS n, sessions * $x AS sessions, weight * $x AS weight) FROM counted", {"x": times})
