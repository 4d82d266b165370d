"""Findings about agents, principals and servers say how unusual they are among the days on which any of them was at work."""

from dataclasses import replace
from datetime import timedelta

import pytest

from alerts import triage
from alerts.groups import ENOUGH, among_days
from detectors.contract import SCOPE_KEY
from detectors.scenarios import START, call
from store.database import Database
from store.records import Finding, Grade, Severity
from toolhound.proof import database_of

NAMED = {str(scope): key for scope, key in SCOPE_KEY.items()}


def finding(agent: str = "agent-0", days_ago: int = 0, **more: object) -> Finding:
    at = START - timedelta(days=days_ago)
    return replace(Finding(
        finding_id=f"odd-{agent}-{days_ago}", detector="odd", severity=Severity.MEDIUM, scope="agent", scope_key=agent, subject="s", call_ids=[],
        grade=Grade.ORDER, score=0.5, sentence="It is odd.", evidence={}, techniques=[], session_id=None, agents=[agent], servers=[], tools=[],
        first_called_at=at, last_called_at=at,
    ), **more)  # type: ignore[arg-type]  # fields of the finding


def at_work(agents: int, days: int) -> Database:
    """So many agents on each of so many days, two calls each."""
    return database_of([
        call(agent=f"agent-{n}", session_id=f"s-{n}-{day}-{again}", called_at=START - timedelta(days=day))
        for n in range(agents) for day in range(days) for again in range(2)
    ])


def test_one_of_its_kind_stands_alone_among_the_days_of_all_agents() -> None:
    [made] = among_days(at_work(5, 12), [finding()], NAMED)
    assert made.evidence == {"p_value": pytest.approx(1 / 61, abs=1e-6), "as_high": 0, "baseline_size": 60, "baseline_of": "days of agents"}
    assert made.sentence == "It is odd. Of 60 days of agents before, none had one as high."


def test_those_as_high_count_once_for_each_day_of_an_agent() -> None:
    database = at_work(5, 12)
    told = [finding("agent-1", 1), finding("agent-1", 1, finding_id="twice"), finding("agent-1", 2), finding("agent-2", 3, score=0.4)]
    triage.group(database, told, now=START)
    [made] = among_days(database, [finding()], NAMED)
    assert (made.evidence["as_high"], made.evidence["p_value"]) == (2, pytest.approx(3 / 61, abs=1e-6))


def test_it_stays_as_it_was_told_until_it_scores_otherwise() -> None:
    database = at_work(5, 12)
    [first] = among_days(database, [finding()], NAMED)
    triage.group(database, [first, *(finding(f"agent-{n}", 1) for n in range(1, 4))], now=START)
    assert among_days(database, [finding()], NAMED) == [first]
    assert among_days(database, [finding(score=0.45)], NAMED)[0].evidence["as_high"] == 3


def test_what_was_about_one_session_and_is_about_several_is_weighed_anew() -> None:
    database = at_work(5, 12)
    alone = finding(session_id="s-0-0-0", evidence={"p_value": 0.01, "as_high": 0, "baseline_size": 300})
    triage.group(database, [alone], now=START)
    assert among_days(database, [finding()], NAMED)[0].evidence["baseline_size"] == 60


@pytest.mark.parametrize("evidence", [{}, {"baseline_size": 7}])
def test_what_was_told_without_a_standing_stays_without(evidence: dict[str, int]) -> None:
    database = at_work(5, 12)
    triage.group(database, [finding(evidence=evidence)], now=START)
    assert among_days(database, [finding(evidence=evidence)], NAMED) == [finding(evidence=evidence)]


@pytest.mark.parametrize("more", [{"session_id": "s-0-0-0"}, {"scope": "unheard"}, {"first_called_at": None}])
def test_others_are_left_alone(more: dict[str, object]) -> None:
    assert among_days(at_work(5, 12), [finding(**more)], NAMED) == [finding(**more)]  # type: ignore[arg-type]


def test_with_few_days_nothing_is_said() -> None:
    assert among_days(at_work(ENOUGH - 1, 1), [finding()], NAMED) == [finding()]
    assert among_days(at_work(ENOUGH, 1), [finding()], NAMED) != [finding()]


def test_what_content_proves_needs_no_words_of_chance() -> None:
    [made] = among_days(at_work(5, 12), [finding(grade=Grade.CONTENT)], NAMED)
    assert made.sentence == "It is odd." and made.evidence["baseline_size"] == 60
