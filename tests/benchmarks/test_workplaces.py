"""The harder set says what it holds: the same sessions from the same seed, and labels that fit them."""

import json
from itertools import chain
from typing import Any

import pytest

from benchmarks.deployments import history, made
from benchmarks.noise import day_of
from benchmarks.workplaces import PLACES
from benchmarks.workplaces.compose import KINDS, Session
from benchmarks.workplaces.evasions import AGED, CONFUSED, ENCODED, EVASIONS, SPLIT
from benchmarks.workplaces.wordings import NOTED, PLAIN, REPHRASED, TRANSLATED, WORDINGS

START = "2026-03-02T08:{minute:02d}:{second:02d}Z"


@pytest.fixture(scope="module")
def sessions() -> list[Session]:
    return made(7, benign=15, count=4, evasions=EVASIONS)


def logged(session: Session) -> list[dict[str, Any]]:
    return session.lines(START)


def test_a_seed_gives_the_same_sessions_and_another_others(sessions: list[Session]) -> None:
    again, other = made(7, 15, 4, EVASIONS), made(8, 15, 4, EVASIONS)
    assert [logged(s) for s in again] == [logged(s) for s in sessions]
    assert [logged(s) for s in other] != [logged(s) for s in sessions]


def test_only_attacks_hold_an_order_and_only_the_obeyed_ones_its_call(sessions: list[Session]) -> None:
    for session in sessions:
        goals = {goal.tool for goal in session.place.goals}
        assert bool(session.orders) == (session.label != "benign") == bool(session.family)
        if session.label == "succeeded":
            assert goals & {step.tool for step in session.steps}


def test_orders_stand_in_what_was_logged_but_for_those_past_its_end(sessions: list[Session]) -> None:
    for session in sessions:
        told = json.dumps([line["result"] for line in logged(session)], ensure_ascii=False).replace("\\", "")
        for order in session.orders:
            assert (order.replace('"', "") in told.replace('"', "")) != (AGED in session.session_id), session.session_id


def test_a_disguise_changes_the_order_and_nothing_that_the_attacker_wants(sessions: list[Session]) -> None:
    by_name = {session.session_id: session for session in sessions}
    for place in PLACES:
        plain = by_name[f"{place.name}/{PLAIN}/0"]
        wanted = [step.arguments for step in plain.steps if step.body == ["ok"]]
        for disguise in EVASIONS:
            other = by_name[f"{place.name}/{disguise}/0"]
            assert wanted[-1] in [step.arguments for step in other.steps]
            assert (other.orders != plain.orders) == (disguise != AGED)
        assert len(by_name[f"{place.name}/{SPLIT}/0"].orders) == 2
        assert not by_name[f"{place.name}/{CONFUSED}/0"].orders[0].isascii()
        assert plain.orders[0] not in by_name[f"{place.name}/{ENCODED}/0"].orders[0]


def test_every_kind_of_work_and_every_wording_is_there() -> None:
    assert {session.kind for session in history(1, 120)} == set(KINDS)
    goals = {goal.family for goal in chain(*(place.goals for place in PLACES))}
    assert goals <= set(WORDINGS)
    assert all(set(wordings) == {PLAIN, NOTED, REPHRASED, TRANSLATED} and all(wordings.values()) for wordings in WORDINGS.values())


def test_half_of_the_workplaces_are_held_out_and_none_resembles_another() -> None:
    assert 3 <= sum(place.held_out for place in PLACES) <= len(PLACES) - 3
    tools = [{source.tool for source in place.sources} | {duty.tool for duty in place.duties} for place in PLACES]
    assert all(one.isdisjoint(other) for n, one in enumerate(tools) for other in tools[n + 1:])


def test_a_day_of_noise_is_in_order_and_quieter_at_weekends() -> None:
    monday, sunday = ([line["timestamp"] for line in day_of(n, 1, 5)] for n in (0, 6))
    assert monday == sorted(monday) and len(sunday) < len(monday)
