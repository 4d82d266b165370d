"""Grouping: one open alert per subject, the same whatever the order, quiet when nothing is new."""

from datetime import timedelta
from itertools import permutations

from alerts import triage
from alerts.changes import Event, Row
from alerts.queue import decide, page, show
from alerts.risk import risk
from store.database import Database
from store.records import Finding, Grade, Severity
from tests.alerts.samples import NOON, TITLES, created, finding, opened

LATER = NOON + timedelta(minutes=5)


def closed(database: Database, alert: Row) -> None:
    decide(database, alert["alert_id"], actor="ann", state="closed", verdict="benign_positive", now=NOON)


def stored(database: Database) -> list[Row]:
    return database.rows("SELECT * FROM hot.findings")


def kinds(database: Database, *findings: Finding) -> list[str]:
    return [c.kind for c in triage.group(database, findings, LATER, TITLES)]


def test_findings_of_a_session_make_one_alert() -> None:
    alert = created(
        opened(),
        finding("f2", detector="tool_loop", severity=Severity.LOW, tools=["read_file"], agents=["writer"]),
        finding("f1"),
        finding("f3", detector="tool_loop", severity=Severity.CRITICAL, call_ids=["call-f1"]),
    )
    assert alert["group_key"] == "session:s1" and alert["session_ids"] == ["s1"]
    assert alert["severity"] == Severity.CRITICAL
    assert alert["title"] == "A tool is called in circles (+1 more)"
    assert alert["explanation"].splitlines() == ["Sentence of f3.", "Sentence of f1.", "Sentence of f2."]
    assert alert["agents"] == ["planner", "writer"] and alert["tools"] == ["read_file", "send_mail"]
    assert alert["call_ids"] == ["call-f1", "call-f2"]
    assert alert["version"] == 1 and alert["state"] == "new"


def test_without_a_session_the_scope_is_the_group() -> None:
    database = opened()
    changes = triage.group(database, [
        finding("f1", session_id=None, scope="agent", scope_key="planner"),
        finding("f2", session_id=None, scope="server", scope_key="mail"),
    ], NOON, TITLES)
    assert sorted(c.alert["group_key"] for c in changes) == ["agent:planner", "server:mail"]


def test_looking_again_changes_nothing() -> None:
    database = opened()
    created(database, finding("f1"), finding("f2"))
    assert triage.group(database, [finding("f2"), finding("f1")], LATER, TITLES) == []
    assert [r["found_at"] for r in stored(database)] == [NOON, NOON]


def test_a_changed_finding_keeps_when_it_was_found() -> None:
    database = opened()
    created(database, finding("f1"))
    (change,) = triage.group(database, [finding("f1", sentence="Now 90 characters.")], LATER, TITLES)
    assert change.kind == Event.UPDATED and change.alert["version"] == 2
    assert change.alert["explanation"] == "Now 90 characters."
    assert change.alert["opened_at"] == NOON and change.alert["updated_at"] == LATER
    assert [r["found_at"] for r in stored(database)] == [NOON]


def test_the_order_of_arrival_does_not_matter() -> None:
    some = [finding("f1"), finding("f2", detector="tool_loop"), finding("f3", severity=Severity.LOW)]
    ends = []
    for order in permutations(some):
        database = opened()
        for one in order:
            triage.group(database, [one], NOON, TITLES)
        (row,) = page(database).rows
        ends.append(row)
    assert all(row == ends[0] for row in ends)


def test_quiet_findings_open_nothing_but_add_to_the_risk() -> None:
    database = opened()
    quiet = finding("f2", detector="first_seen", severity=Severity.CRITICAL, evidence={"alerting": False})
    assert kinds(database, quiet) == []
    assert len(stored(database)) == 1
    alert = created(database, finding("f1"))
    assert alert["severity"] == Severity.HIGH and alert["detectors"] == ["secret_leaves"]
    assert alert["finding_ids"] == ["f1", "f2"] and alert["explanation"] == "Sentence of f1."
    assert alert["risk"] == risk([finding("f1"), quiet]) > risk([finding("f1")])


def test_after_closing_only_something_new_opens_another() -> None:
    database = opened()
    first = created(database, finding("f1"))
    closed(database, first)
    assert kinds(database, finding("f1", sentence="The same, in other words.")) == []
    second = created(database, finding("f2"))
    assert second["alert_id"] != first["alert_id"] and second["finding_ids"] == ["f2"]


def test_an_old_finding_that_became_worse_than_its_closed_alert_opens_another() -> None:
    database = opened()
    first = created(database, finding("f1", severity=Severity.MEDIUM, grade=Grade.ORDER))
    closed(database, first)
    second = created(database, finding("f1", severity=Severity.CRITICAL, grade=Grade.SENSITIVE))
    assert second["severity"] == Severity.CRITICAL
    closed(database, second)
    assert kinds(database, finding("f1", severity=Severity.CRITICAL, sentence="Again.")) == []


def test_a_reopened_alert_takes_new_findings() -> None:
    database = opened()
    alert = created(database, finding("f1"))
    closed(database, alert)
    decide(database, alert["alert_id"], actor="ann", state="in_progress", now=NOON)
    (change,) = triage.group(database, [finding("f2")], LATER, TITLES)
    assert change.kind == Event.UPDATED and change.alert["alert_id"] == alert["alert_id"]
    assert change.alert["state"] == "in_progress"


def test_a_withdrawn_finding_leaves_the_alert() -> None:
    database = opened()
    created(database, finding("f1"), finding("f2", detector="tool_loop", severity=Severity.LOW))
    (change,) = triage.withdraw(database, ["f1"], LATER, TITLES)
    assert change.kind == Event.UPDATED and change.alert["severity"] == Severity.LOW
    assert change.alert["title"] == "A tool is called in circles" and change.alert["call_ids"] == ["call-f2"]


def test_an_alert_that_rests_on_nothing_is_closed_and_may_come_back() -> None:
    database = opened()
    first = created(database, finding("f1"))
    (change,) = triage.withdraw(database, ["f1"], LATER, TITLES)
    assert change.kind == Event.CLOSED and change.alert["verdict"] == "undetermined" and change.alert["closed_at"] == LATER
    (decision,) = show(database, first["alert_id"])["decisions"]
    assert decision["actor"] == triage.TOOLHOUND and decision["comment"] == triage.LAPSED
    assert created(database, finding("f1"), now=LATER)["alert_id"] != first["alert_id"]


def test_an_alert_that_an_analyst_touched_stays() -> None:
    database = opened()
    alert = created(database, finding("f1"))
    decide(database, alert["alert_id"], actor="ann", state="in_progress", now=NOON)
    (change,) = triage.withdraw(database, ["f1"], LATER, TITLES)
    assert change.kind == Event.UPDATED and change.alert["state"] == "in_progress" and change.alert["version"] == 3
    assert triage.LAPSED in show(database, alert["alert_id"])["decisions"][-1]["comment"]
    assert triage.withdraw(database, ["f1"], LATER, TITLES) == []


def test_a_finding_that_turns_quiet_closes_its_alert() -> None:
    database = opened()
    created(database, finding("f1"))
    assert kinds(database, finding("f1", evidence={"alerting": False})) == [Event.CLOSED]


def test_a_finding_that_turns_out_to_span_sessions_moves() -> None:
    database = opened()
    created(database, finding("f1", scope="agent", scope_key="planner"))
    moved = finding("f1", scope="agent", scope_key="planner", session_id=None)
    changes = {c.alert["group_key"]: c.kind for c in triage.group(database, [moved], LATER, TITLES)}
    assert changes == {"agent:planner": Event.CREATED, "session:s1": Event.CLOSED}


def test_lapsed_names_what_was_looked_for_and_not_found() -> None:
    database = opened()
    old = finding("f3", first_called_at=NOON - timedelta(days=2))
    triage.group(database, [finding("f1"), finding("f2"), old, finding("f4", detector="tool_loop"), finding("f5", scope_key="s2")], NOON)

    def ask(since: bool) -> list[str]:
        return triage.lapsed(
            database, scope="session", scope_keys=["s1"], detectors=["secret_leaves"], found=["f1"],
            since=NOON - timedelta(days=1) if since else None,
        )

    assert ask(since=True) == ["f2"]
    assert ask(since=False) == ["f2", "f3"]


def test_a_rolled_back_batch_leaves_nothing() -> None:
    database = opened()
    try:
        with database.transaction():
            triage.group(database, [finding("f1")], NOON, TITLES)
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert page(database).total == 0 and stored(database) == []
