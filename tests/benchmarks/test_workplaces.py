"""The harder set says what it holds: the same sessions from the same seed, and labels that fit them."""

import json
from itertools import chain
from typing import Any

import pytest

from benchmarks.deployments import history, made
from benchmarks.workplaces import PLACES
from benchmarks.workplaces.compose import KINDS, Session
from benchmarks.workplaces.evasions import AGED, CONFUSED, ENCODED, EVASIONS, SPLIT
from benchmarks.workplaces.fortnight import ATTACK, DAYS, NEWCOMERS, day_of, kind_of
from benchmarks.workplaces.incidents import INCIDENTS, Incident
from benchmarks.workplaces.releases import RELEASES, Release
from benchmarks.workplaces.variety import varied
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


CALLS = 8_000


@pytest.fixture(scope="module")
def fortnight() -> list[list[dict[str, Any]]]:
    return [day_of(number, 1, CALLS) for number in range(DAYS)]


def calls(day: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in day if "tool" in line]


def test_two_weeks_have_about_so_many_calls_in_the_order_of_events(fortnight: list[list[dict[str, Any]]]) -> None:
    assert 0.95 * CALLS < sum(len(calls(day)) for day in fortnight) < 1.25 * CALLS
    for day in fortnight:
        moments = [line["timestamp"] for line in day]
        assert moments == sorted(moments)
    assert day_of(3, 1, CALLS) == fortnight[3] != day_of(3, 2, CALLS)


def test_month_ends_are_busy_where_money_is_moved_and_days_off_are_not(fortnight: list[list[dict[str, Any]]]) -> None:
    off, end, others = ([len(calls(day)) for number, day in enumerate(fortnight) if kind_of(number) in kinds] for kinds in (
        {"day off"}, {"month end"}, {"ordinary", "newcomers", "release", "incident"}))
    assert len(off) == 5 and len(end) == 2
    assert 2 * max(off) < min(others) and 1.4 * max(others) < min(end)


def test_newcomers_come_and_stay(fortnight: list[list[dict[str, Any]]]) -> None:
    for agent, first in NEWCOMERS.items():
        days = [number for number, day in enumerate(fortnight) if any(line["agent"] == agent for line in calls(day))]
        assert days and days[0] >= first
    people = [{line["principal"] for line in calls(day)} for day in fortnight]
    assert len(set.union(*people)) > len(set.union(*people[:2])) + 7
    agents = {line["agent"] for day in fortnight for line in calls(day)}
    assert len(agents) == 10


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.server)
def test_a_release_shows_in_what_the_server_says_of_itself(fortnight: list[list[dict[str, Any]]], release: Release) -> None:
    def told(day: list[dict[str, Any]]) -> tuple[str, str, str]:
        lines = [line for line in day if line.get("server") == release.server and line.get("direction") == "server_to_client"]
        greeting, tools = (next(line["raw"]["result"] for line in lines if key in line["raw"]["result"]) for key in ("serverInfo", "tools"))
        return greeting["serverInfo"]["version"], json.dumps(tools), lines[0]["server_command"]

    before, after = told(fortnight[release.day - 1]), told(fortnight[release.day])
    assert before[0] != after[0] == release.version or before[0] == release.version  # a server that only moved is what it was
    assert (before[1] != after[1]) == bool(release.tool or release.parameter[0] or release.reworded)
    assert (before[2] != after[2]) == release.moved


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda incident: incident.server)
def test_an_incident_has_failures_slow_calls_and_people_at_the_logs(incident: Incident) -> None:
    day = calls(day_of(incident.day, 1, 12_000))
    hours = [line for line in day if incident.message == line["result"]]
    assert hours and all(line["is_error"] for line in hours)
    assert {line["session_id"].split("-")[0] for line in hours} == {incident.place.split("-")[0]}
    assert incident.slower == 1 or max(line["duration_ms"] for line in day) > 10_000
    night = [line for line in day if "-night-" in line["session_id"]]
    assert len(night) > 20 and any(line["tool"] == "log_tail" for line in night)


def test_attacked_sessions_come_besides_and_hold_an_attackers_goal() -> None:
    honest, attacked = calls(day_of(10, 1, 100)), calls(day_of(10, 1, 100, attacks=2))
    more = [line for line in attacked if f"-{ATTACK}-" in line["session_id"]]
    assert [line for line in attacked if line not in more] == honest
    assert len({line["session_id"] for line in more}) == 2 * len(PLACES)
    goals = {place.prefix.format(server=goal.server, tool=goal.tool) for place in PLACES for goal in place.goals}
    by_session = {line["session_id"]: set[str]() for line in more}
    for line in more:
        by_session[line["session_id"]].add(line["tool"])
    assert all(tools & goals for tools in by_session.values())


def test_papers_differ_more_where_a_workplace_is_varied() -> None:
    for place in PLACES:
        more = varied(place)
        assert more == varied(place) and len(more.chatter) > 100 and set(place.chatter) <= set(more.chatter)
        assert all(len(members) > len(place.pools[pool]) for pool, members in more.pools.items())
