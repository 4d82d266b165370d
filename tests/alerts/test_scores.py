"""Scores of past sessions: they merge, and give p-values that hold what they promise."""

import random
from datetime import date

import pyarrow as pa
import pytest

from alerts import scores
from alerts.scores import CHANCE, RISK, History
from store.database import Database, hot_schema
from store.records import Grade, Severity
from store.tables import rows_to_table

DAY = date(2026, 1, 5)


@pytest.fixture
def database() -> Database:
    made = Database.memory()
    hot_schema(made)
    return made


def keep(database: Database, session: str, score: float, detector: str = "odd", grade: Grade = Grade.ORDER) -> None:
    row = {
        "finding_id": f"{detector}-{session}", "detector": detector, "severity": Severity.MEDIUM, "scope": "session", "scope_key": session,
        "subject": "s", "call_ids": [], "grade": grade, "score": score, "sentence": "Odd.", "evidence": "{}", "techniques": [],
        "session_id": session, "agents": [], "servers": [], "tools": [],
    }
    database.insert("hot.findings", rows_to_table("findings", [{k: int(v) if isinstance(v, Severity | Grade) else v for k, v in row.items()}]))


def sessions(*names: str, day: date = DAY) -> pa.Table:
    return pa.table({"session_id": pa.array(names, pa.string()), "day": pa.array([day] * len(names), pa.date32())})


def counts(database: Database) -> set[tuple[object, ...]]:
    return {tuple(row.values()) for row in database.rows("SELECT * FROM hot.scores")}


def test_a_session_counts_once_for_each_detector(database: Database) -> None:
    keep(database, "a", 0.8)
    scores.count(database, sessions("a", "b", "c"), ["odd", "other"])
    history = History.of(database)
    assert {name: history.size(name) for name in ("odd", "other", RISK, CHANCE)} == dict.fromkeys(("odd", "other", RISK, CHANCE), 3)
    assert history.counts["odd"] == {0: 2, 800: 1} and history.counts["other"] == {0: 3} and history.sessions_a_day == 3


def test_any_split_gives_the_same_counts(database: Database) -> None:
    for n in range(20):
        keep(database, f"s{n}", n / 20)
    names = [f"s{n}" for n in range(40)]
    scores.count(database, sessions(*names), ["odd"])
    whole = counts(database)
    random.Random(3).shuffle(names)
    database.execute("DELETE FROM hot.scores")
    for part in (names[:7], names[7:8], names[8:]):
        scores.count(database, sessions(*part), ["odd"])
    assert counts(database) == whole
    scores.count(database, sessions(*names), ["odd"], -1)
    assert counts(database) == set()


def test_a_p_value_is_the_share_that_scored_as_high() -> None:
    history = History({"odd": {0: 190, 300: 6, 900: 3}}, 1)
    assert history.standing("odd", 0.0).p_value == 1.0
    assert history.standing("odd", 0.3).as_high == 9 and history.standing("odd", 0.3).p_value == pytest.approx(10 / 200)
    assert history.standing("odd", 0.9004).p_value == pytest.approx(4 / 200)
    assert history.standing("odd", 0.95).p_value == pytest.approx(1 / 200)
    assert history.standing("odd", 0.9, counted=True).p_value == pytest.approx(3 / 199)
    assert history.standing("unheard of", 0.9).p_value == 1.0


def test_p_values_of_sessions_like_those_before_are_uniform() -> None:
    chance = random.Random(11)
    below, trials, past = dict.fromkeys((0.01, 0.05, 0.2, 0.5), 0), 4000, 400
    for _ in range(trials):
        drawn = [int(chance.random() * 1000) for _ in range(past)]
        counted = {step: drawn.count(step) for step in set(drawn)}
        p = History({"odd": counted}, 1).standing("odd", chance.random()).p_value
        for level in below:
            below[level] += p <= level
    for level, n in below.items():
        assert n / trials <= level + 3 * (level * (1 - level) / trials) ** 0.5
        assert n / trials >= level - 1 / past - 4 * (level * (1 - level) / trials) ** 0.5


def test_what_lies_far_back_is_forgotten(database: Database) -> None:
    scores.count(database, sessions("a", day=date(2025, 1, 1)), ["odd"])
    scores.count(database, sessions("b"), ["odd"])
    scores.forget(database, DAY, 180)
    assert History.of(database).size("odd") == 1
