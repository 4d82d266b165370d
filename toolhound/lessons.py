"""Lessons: what a session teaches about what is usual. Those of sessions that may still change are kept apart, and done anew when these are touched.

A session is taught as a whole, so that however calls are split by session, the counters come out the same; and a counter knows how many
sessions speak for it, not only how many calls: one busy session cannot make usual what it does.
"""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from detectors.contract import SAID_BEFORE, SAID_LENGTH, Slice, unanswered
from detectors.registry import Registered
from store.database import Database
from store.errors import StoreError

Writing = Callable[[], AbstractContextManager[None]]

LESSON = "hash(coalesce(session_id, call_id))"
"""SQL over `calls` that names the lesson a call belongs to: its session; a call without one stands alone."""

WEIGHED_FROM = "TIMESTAMPTZ '2026-01-01 00:00:00+00'"
"""Forward decay (Cormode and others, 2009): weights are kept as of this day, so that they merge by sum whenever they were learned."""

COUNTED = """
    SELECT detector, subject, key, sum(n)::BIGINT AS n, min(first_at) AS first_at, max(last_at) AS last_at,
           sum(sessions)::BIGINT AS sessions, sum(weight) AS weight
    FROM {} GROUP BY detector, subject, key
"""
"""Counters become one: by sum, min, max."""

TOUCHED = f"""
    SELECT {LESSON} AS lesson FROM hot.calls WHERE call_id IN (SELECT key FROM {{0}} WHERE kind = 'call')
    UNION SELECT hash(key) FROM {{0}} WHERE kind IN ('session', 'call')
"""
"""SQL: the lessons of what a table like `hot.touched` names; a call that has moved into a session leaves the lesson that it was alone."""


LEARNERS_ID_CHARACTERS = 16

_NOTHING = pa.schema({
    "lesson": pa.uint64(), "detector": pa.string(), "subject": pa.string(), "key": pa.string(), "n": pa.int64(),
    "first_at": pa.timestamp("us", "UTC"), "last_at": pa.timestamp("us", "UTC"),
}).empty_table()


def learners_id(learners: Sequence[Registered]) -> str:
    """Stands for who learns, and how: lessons that others did are not theirs."""
    told = sorted(
        (one.name, str(one.detector.learn), one.detector.learn_by, one.detector.learn_at_once, one.detector.learn_prompts)
        for one in learners if one.detector.learn)
    return hashlib.sha256(repr(told).encode()).hexdigest()[:LEARNERS_ID_CHARACTERS]


def grown(half_life_days: float, moment: str = "last_at") -> str:
    """SQL: what a session at `moment` weighs as of `WEIGHED_FROM`; it doubles with every half-life."""
    return f"pow(2.0, (epoch({moment}) - epoch({WEIGHED_FROM})) / {half_life_days * 86_400.0!r})"


def _teaching(one: Registered) -> str:
    """SQL: what the calls named `incoming` teach a detector, its counters by lesson and subject."""
    subject = f"coalesce({one.detector.learn_by}, '')" if one.detector.learn_by else "''"
    heard = ", messages AS (SELECT {} FROM said{})" if one.detector.learn_prompts else ""
    if one.detector.learn_at_once:
        return f"""
            WITH calls AS (SELECT *, {LESSON} AS lesson, {subject} AS subject FROM incoming){heard.format('*', '')}
            SELECT lesson, '{one.name}' AS detector, subject, key, n::BIGINT AS n, first_at, last_at FROM ({one.detector.learn}) WHERE key IS NOT NULL
        """
    return f"""
        WITH apart AS (SELECT *, {LESSON} AS lesson, {subject} AS subject FROM incoming)
        SELECT who.lesson, '{one.name}' AS detector, who.subject, told.key, told.n::BIGINT AS n, told.first_at, told.last_at
        FROM (SELECT DISTINCT lesson, subject FROM apart) AS who, LATERAL (
            WITH calls AS (
                SELECT * EXCLUDE (lesson, subject) FROM apart WHERE apart.lesson = who.lesson AND apart.subject = who.subject
            ){heard.format('* EXCLUDE (lesson)', ' WHERE said.lesson = who.lesson')}
            SELECT key, n, first_at, last_at FROM ({one.detector.learn})
        ) AS told WHERE told.key IS NOT NULL
    """


@dataclass(slots=True)
class Taught:
    """What calls teach, by lesson: `lesson, detector, subject, key, n, first_at, last_at`; and the detectors that failed, and why."""

    lessons: pa.Table
    failures: dict[str, str] = field(default_factory=dict)


Teach = Callable[[Sequence[Registered], pa.Table, pa.Table | None], Taught]

_SAID = f"""
    SELECT hash(session_id) AS lesson, session_id, m.message_id, m.said_at, left(m.text, {SAID_LENGTH}) AS text
    FROM messages AS m JOIN (
        SELECT session_id, min(called_at) AS first_at, max(called_at) AS last_at FROM teaching WHERE session_id IS NOT NULL GROUP BY session_id
    ) AS t USING (session_id)
    WHERE m.role = 'user' AND m.text IS NOT NULL AND m.said_at BETWEEN t.first_at - {SAID_BEFORE} AND t.last_at
      AND m.said_at BETWEEN $first::TIMESTAMPTZ - {SAID_BEFORE} AND $last::TIMESTAMPTZ  -- as the lake is laid out by days
"""


def said_in(database: Database, learners: Sequence[Registered], calls: pa.Table) -> pa.Table | None:
    """What users said in the sessions of these calls, where anybody learns from it."""
    if not any(one.detector.learn_prompts for one in learners):
        return None
    with database.named(teaching=calls.select(["session_id", "called_at"])):
        return database.few(_SAID, {"first": pc.min(calls["called_at"]).as_py(), "last": pc.max(calls["called_at"]).as_py()})


def teach(learners: Sequence[Registered], calls: pa.Table, said: pa.Table | None = None) -> Taught:
    """Have detectors learn from calls, and from what `said` gives of them, where one asks for it."""
    taught, room = Taught(_NOTHING), Slice({})
    try:
        with room.named(incoming=calls, **({} if said is None else {"said": said})):
            for one in learners:
                if one.detector.learn:
                    try:
                        taught.lessons = pa.concat_tables([taught.lessons, room.query(_teaching(one)).cast(_NOTHING.schema)])
                    except StoreError as error:
                        asked = "learn_by and learn" if one.detector.learn_by else "learn"
                        taught.failures[one.name] = f"{type(error).__name__}: {unanswered(asked, error)}"
    finally:
        room.close()
    return taught


def counters(database: Database, learners: Sequence[Registered], calls: pa.Table, half_life_days: float) -> pa.Table:
    """What `calls` teach all detectors together, fit to be merged with other counters. Raises StoreError where one cannot learn from them."""
    taught = teach(learners, calls, said_in(database, learners, calls))
    if taught.failures:
        raise StoreError("; ".join(f"{name}: {why}" for name, why in taught.failures.items()))
    with database.named(taught=taught.lessons):
        return database.query(COUNTED.format(f"(SELECT *, 1 AS sessions, {grown(half_life_days)} AS weight FROM taught)"))


def refresh(
    database: Database, learners: Sequence[Registered], asked: pa.Table | None = None, write: Writing = nullcontext, teach: Teach = teach,
) -> dict[str, str]:
    """Do lessons anew (those that were touched, where none are given) from the calls that may still change; detectors that fail, and why.

    write: what to write in, such as a transaction; the questions before it may fail.
    """
    asked = database.query(TOUCHED.format("hot.touched")) if asked is None else asked
    if not len(asked):
        return {}
    with database.named(asked=asked):
        theirs = f"FROM hot.calls WHERE {LESSON} IN (SELECT lesson FROM asked)"
        calls = database.few(f"SELECT * {theirs} AND {database.bounds('seen_at', theirs)}")
    taught = teach(learners, calls, said_in(database, learners, calls)) if len(calls) else Taught(_NOTHING)
    with write(), database.named(asked=asked, lessons_done=taught.lessons, calls_taught=calls.select(["session_id", "call_id"])):
        drop(database, "asked")
        database.execute("INSERT INTO hot.lessons BY NAME FROM lessons_done")
        if not taught.failures:
            database.execute(f"INSERT INTO hot.taught SELECT {LESSON}, count(*), $learners FROM calls_taught GROUP BY 1",
                             {"learners": learners_id(learners)})
    return taught.failures


def drop(database: Database, lessons: str) -> None:
    """Let go of the lessons that a table of ours names."""
    for table in ("lessons", "taught"):
        database.execute(f"DELETE FROM hot.{table} WHERE lesson IN (SELECT lesson FROM {lessons})")
