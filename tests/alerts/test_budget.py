"""The alert budget: the share of chance among what is told stays below the rate, and content that proves is always told."""

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from alerts import budget, triage
from alerts.budget import Budget
from alerts.queue import decide
from alerts.risk import risk
from store.database import Database, hot_schema
from store.records import Finding, Grade, Severity

DAY = date(2026, 1, 5)
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


def told_on_a_day(chance: random.Random, attacks: int, sessions: int = 300, rate: float = 0.2, at_most: int = 20) -> tuple[int, int]:
    """How many honest and how many attacked sessions alert: honest p-values are uniform, attacked ones small."""
    one = Budget(at_most, rate, sessions)
    kinds = [True] * attacks + [False] * (sessions - attacks)
    chance.shuffle(kinds)
    told = [attacked for attacked in kinds if one.tells(DAY, chance.random() ** (12 if attacked else 1))]
    return len(told) - sum(told), sum(told)


@pytest.mark.parametrize("attacks", [0, 3, 30])
def test_the_false_discovery_rate_is_kept(attacks: int) -> None:
    chance, shares, found = random.Random(attacks), [], 0
    for _ in range(1500):
        false, true = told_on_a_day(chance, attacks)
        shares.append(false / max(1, false + true))
        found += true
    assert sum(shares) / len(shares) <= 0.2 + 3 * (0.2 * 0.8 / len(shares)) ** 0.5
    assert attacks == 0 or found / (1500 * attacks) > 0.3


def test_no_more_are_told_than_the_budget_allows() -> None:
    one = Budget(5, 1.0, 10)
    assert sum(one.tells(DAY, 0.0) for _ in range(50)) == 5
    assert one.tells(DAY + timedelta(days=1), 0.0)
    assert not Budget(0, 0.2, 10).tells(DAY, 0.0)


def test_it_waits_until_history_can_tell() -> None:
    assert not Budget(20, 0.2, 10).is_warm(199) and Budget(20, 0.2, 10).is_warm(200)
    assert not Budget(20, 0.2, 1000).is_warm(2000) and Budget(20, 0.2, 1000).is_warm(5000)


@pytest.fixture
def database() -> Database:
    made = Database.memory()
    hot_schema(made)
    return made


def past(database: Database, chance: dict[int, int], days: int = 10, until: date = DAY) -> None:
    """On each of so many days, so many sessions with a score."""
    for name in ("chance", "risk", "odd"):
        for score, sessions in chance.items():
            for n in range(1, days + 1):
                database.execute("INSERT INTO hot.scores VALUES (?, ?, ?, ?)", [name, until - timedelta(days=n), score, sessions])


def finding(session: str = "s", score: float = 0.5, grade: Grade = Grade.ORDER, **more: object) -> Finding:
    return replace(Finding(
        finding_id=f"odd-{session}", detector="odd", severity=Severity.MEDIUM, scope="session", scope_key=session, subject="s", call_ids=["c"],
        grade=grade, score=score, sentence="It is odd.", evidence={}, techniques=[], session_id=session, agents=[], servers=[], tools=[],
        first_called_at=NOW, last_called_at=NOW,
    ), **more)  # type: ignore[arg-type]  # fields of the finding


def weighed(database: Database, findings: Iterable[Finding], per_day: int = 20) -> list[Finding]:
    made = budget.weighed(database, list(findings), per_day, 0.2)
    triage.group(database, made, now=NOW)
    return made


def test_without_history_nothing_is_held_back_nor_said(database: Database) -> None:
    past(database, {0: 9, 400: 10})
    assert weighed(database, [finding()]) == [finding()]


def test_where_a_day_is_much_of_the_history_nothing_is_held_back_either(database: Database) -> None:
    past(database, {0: 100, 900: 150}, days=2)
    (made,) = weighed(database, [finding()])
    assert "alerting" not in made.evidence and made.evidence["baseline_size"] == 500


def test_a_usual_oddity_is_kept_but_does_not_alert(database: Database) -> None:
    past(database, {0: 10, 900: 15})
    (made,) = weighed(database, [finding()])
    assert made.evidence["alerting"] is False and "over the budget" in made.evidence["quiet"]
    assert made.evidence["p_value"] == pytest.approx(151 / 251, abs=1e-6)
    assert made.sentence == "It is odd. Of 250 past sessions, 150 scored as high."
    assert database.value("SELECT count(*) FROM hot.alerts") == 0 and database.value("SELECT count(*) FROM hot.findings") == 1


def test_one_unlike_all_before_alerts_and_says_so(database: Database) -> None:
    past(database, {0: 30})
    (made,) = weighed(database, [finding()])
    assert "alerting" not in made.evidence and made.evidence["baseline_size"] == 300 and made.sentence.endswith("none scored as high.")


def test_content_always_alerts_and_leaves_the_sentence(database: Database) -> None:
    past(database, {0: 10, 900: 15})
    (made,) = weighed(database, [finding(grade=Grade.CONTENT)], per_day=0)
    assert "alerting" not in made.evidence and made.sentence == "It is odd." and made.evidence["baseline_size"] == 250


def test_what_was_told_is_not_taken_back_and_does_not_change(database: Database) -> None:
    past(database, {0: 5})
    weighed(database, [finding()])
    past(database, {0: 10, 900: 25})
    assert "alerting" not in weighed(database, [finding()])[0].evidence and database.value("SELECT state FROM hot.alerts") == "new"
    quiet = weighed(database, [finding("other")])
    past(database, {900: 99})
    assert quiet[0].evidence["alerting"] is False and weighed(database, [finding("other")]) == quiet


def test_what_a_detector_keeps_quiet_stays_quiet(database: Database) -> None:
    past(database, {0: 30})
    (made,) = weighed(database, [finding(evidence={"alerting": False})])
    assert made.evidence["alerting"] is False and "quiet" not in made.evidence


def test_the_budget_of_a_day_is_spent_over_several_looks(database: Database) -> None:
    past(database, {0: 30})
    looks = [weighed(database, [finding(f"s{n}")], per_day=2)[0] for n in range(4)]
    assert [f.evidence.get("alerting", True) for f in looks] == [True, True, False, False]


def high(session: str = "s", score: float = 0.9, **more: object) -> Finding:
    return finding(session, score, **{"severity": Severity.HIGH, "grade": Grade.CONTENT, **more})  # type: ignore[arg-type]


def severities(database: Database) -> list[int]:
    return [row["severity"] for row in database.rows("SELECT severity FROM hot.alerts ORDER BY alert_id")]


def test_what_is_found_every_day_is_told_as_medium_and_weighs_as_before(database: Database) -> None:
    past(database, {0: 25, 900: 5})
    (made,) = weighed(database, [high()])
    assert (made.severity, made.evidence["told_as"]) == (Severity.HIGH, Severity.MEDIUM)
    assert severities(database) == [Severity.MEDIUM]
    assert database.value("SELECT risk FROM hot.alerts") == risk([high()])
    assert "Told as medium: 50 of 300 past sessions" in database.value("SELECT explanation FROM hot.alerts")


@pytest.mark.parametrize(("chance", "more"), [
    ({0: 29, 900: 1}, {}),  # not more of the like than may be high
    ({0: 25, 500: 5}, {}),  # the others scored lower
    ({0: 25, 900: 5}, {"grade": Grade.SENSITIVE}),
    ({0: 25, 900: 5}, {"session_id": None}),
])
def test_what_is_rare_or_known_to_be_secret_stays_high(database: Database, chance: dict[int, int], more: dict[str, Any]) -> None:
    past(database, chance)
    (made,) = weighed(database, [high(**more)])
    assert "told_as" not in made.evidence and severities(database) == [Severity.HIGH]


def test_of_the_like_those_stay_high_whose_whole_risk_is_rare(database: Database) -> None:
    past(database, {0: 25, 900: 5})
    database.execute("UPDATE hot.scores SET score = 650 WHERE detector = 'risk' AND score > 0")
    others = [finding(score=1.0, finding_id=f"other-{n}", detector=f"other-{n}", severity=Severity.HIGH, grade=Grade.CONTENT) for n in range(2)]
    made = weighed(database, [high(), *others])
    assert [f.evidence.get("told_as") for f in made] == [None] * 3 and severities(database) == [Severity.HIGH]


def test_a_session_of_which_more_is_found_rises_and_one_that_was_high_does_not_sink(database: Database) -> None:
    past(database, {0: 25, 900: 5})
    database.execute("UPDATE hot.scores SET score = 650 WHERE detector = 'risk' AND score > 0")
    assert weighed(database, [high()])[0].evidence["told_as"] == Severity.MEDIUM
    weighed(database, [high(), finding(score=1.0, finding_id="more", detector="more", severity=Severity.HIGH, grade=Grade.CONTENT)])
    assert severities(database) == [Severity.HIGH]
    past(database, {950: 90}, until=DAY - timedelta(days=10))
    (made,) = weighed(database, [high(score=0.91)])
    assert "told_as" not in made.evidence and severities(database) == [Severity.HIGH]


def test_closed_as_medium_it_stays_closed_when_found_again(database: Database) -> None:
    past(database, {0: 25, 900: 5})
    weighed(database, [high()])
    alert = database.rows("SELECT alert_id FROM hot.alerts")[0]["alert_id"]
    decide(database, alert, actor="ann", state="closed", verdict="benign_positive", now=NOW)
    weighed(database, [high(score=0.89)])
    assert [row["state"] for row in database.rows("SELECT state FROM hot.alerts")] == ["closed"]
