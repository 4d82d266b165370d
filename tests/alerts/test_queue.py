"""The queue: filters, counts, orders; decisions with their rules; the detectors' health."""

from datetime import timedelta

import pytest

from alerts import queue, triage
from alerts.changes import Event
from alerts.queue import decide
from store.database import Database
from store.errors import ConflictError, NotFoundError, SourceError
from store.records import Severity
from tests.alerts.samples import NOON, TITLES, created, finding, opened


@pytest.fixture
def three() -> Database:
    database = opened()
    severities = {"s1": Severity.LOW, "s2": Severity.HIGH, "s3": Severity.CRITICAL}
    for n, (session, severity) in enumerate(severities.items()):
        one = finding(f"f-{session}", session_id=session, severity=severity, agents=[f"agent-{session}"], sentence=f"100% of {session}.")
        triage.group(database, [one], NOON + timedelta(minutes=n), TITLES)
    return database


def sessions(page: queue.Page) -> list[str]:
    return [row["session_ids"][0] for row in page.rows]


@pytest.mark.parametrize(("order", "first"), [("risk", "s3"), ("severity", "s3"), ("newest", "s3"), ("oldest", "s1")])
def test_orders(three: Database, order: queue.Order, first: str) -> None:
    assert sessions(queue.page(three, order=order))[0] == first


def test_filters_and_counts(three: Database) -> None:
    (low,) = queue.page(three, severities=[Severity.LOW]).rows
    decide(three, low["alert_id"], actor="ann", state="closed", verdict="true_positive", now=NOON)
    found = queue.page(three, states=["new"], severities=[Severity.HIGH])
    assert found.total == 1 and sessions(found) == ["s2"]
    assert found.by_state == {"new": 1, "in_progress": 0, "closed": 0}
    assert found.by_severity == {0: 0, 1: 0, 2: 0, 3: 1, 4: 1}
    assert sessions(queue.page(three, agent="agent-s3")) == ["s3"]
    assert sessions(queue.page(three, session_id="s2")) == ["s2"]
    assert queue.page(three, server="mail").total == queue.page(three, detector="secret_leaves").total == 3
    assert queue.page(three, server="nowhere").total == 0


@pytest.mark.parametrize(("text", "total"), [
    ("100% OF S2", 1), ("agent-s1", 1), ("leaves", 3), ("%", 3), ("_%", 0), ("s%2", 0), ("'; DROP TABLE hot.alerts; --", 0), ("", 3),
])
def test_text_is_taken_as_it_stands(three: Database, text: str, total: int) -> None:
    assert queue.page(three, text=text).total == total


def test_pages(three: Database) -> None:
    assert sessions(queue.page(three, limit=1, offset=1)) == ["s2"]
    assert queue.page(three, limit=-5, offset=-5).rows == []
    assert queue.page(three, limit=0).total == 3


@pytest.mark.parametrize("wrong", [{"states": ["open"]}, {"severities": [9]}, {"order": "risk; DROP TABLE hot.alerts"}])
def test_unknown_values_are_named(three: Database, wrong: dict[str, list[str]]) -> None:
    with pytest.raises(SourceError, match="is not one of"):
        queue.page(three, **wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_show_is_whole() -> None:
    database = opened()
    alert = created(database, finding("f1", severity=Severity.LOW), finding("f2"))
    whole = queue.show(database, alert["alert_id"])
    assert [f["finding_id"] for f in whole["findings"]] == ["f2", "f1"]
    assert whole["alert"]["alert_id"] == alert["alert_id"] and whole["decisions"] == whole["deliveries"] == []
    with pytest.raises(NotFoundError):
        queue.show(database, "no-such")


def test_the_life_of_an_alert() -> None:
    database = opened()
    alert_id = created(database, finding())["alert_id"]
    assert decide(database, alert_id, actor="ann", state="in_progress", assignee="ann", version=1, now=NOON).kind == Event.UPDATED
    done = decide(database, alert_id, actor="ann", state="closed", verdict="false_positive", comment="A test key.", version=2, now=NOON)
    assert done.kind == Event.CLOSED and done.alert["closed_at"] == NOON and done.alert["assignee"] == "ann"
    again = decide(database, alert_id, actor="bob", verdict="true_positive", now=NOON)
    assert again.kind == Event.UPDATED and again.alert["verdict"] == "true_positive"
    reopened = decide(database, alert_id, actor="bob", state="in_progress", assignee="", now=NOON)
    assert reopened.alert["verdict"] is reopened.alert["closed_at"] is reopened.alert["assignee"] is None
    decide(database, alert_id, actor="bob", comment="Asked the owner.", now=NOON)
    whole = queue.show(database, alert_id)
    assert whole["alert"]["version"] == 6
    assert [(d["actor"], d["from_state"], d["to_state"], d["verdict"]) for d in whole["decisions"]] == [
        ("ann", "new", "in_progress", None), ("ann", "in_progress", "closed", "false_positive"),
        ("bob", "closed", "closed", "true_positive"), ("bob", "closed", "in_progress", None), ("bob", "in_progress", "in_progress", None),
    ]


@pytest.mark.parametrize(("step", "says"), [
    ({"state": "closed"}, "closing asks for one of true_positive, benign_positive, false_positive, undetermined, duplicate"),
    ({"state": "closed", "verdict": "fine"}, "'fine' is not one of true_positive"),
    ({"verdict": "true_positive"}, "is given on closing"),
    ({"state": "resolved"}, "only in_progress or closed"),
    ({}, "nothing to decide"),
    ({"comment": "x" * 30_001}, "at most 30000"),
    ({"comment": "hello", "actor": "toolhound"}, "cannot decide"),
    ({"comment": "hello", "actor": " "}, "cannot decide"),
])
def test_steps_that_are_refused(step: dict[str, str], says: str) -> None:
    database = opened()
    alert_id = created(database, finding())["alert_id"]
    with pytest.raises(SourceError, match=says):
        decide(database, alert_id, **({"actor": "ann"} | step), now=NOON)  # type: ignore[arg-type]  # wrong on purpose
    whole = queue.show(database, alert_id)
    assert whole["alert"]["version"] == 1 and whole["decisions"] == []


def test_deciding_on_an_old_version_is_a_conflict() -> None:
    database = opened()
    alert_id = created(database, finding())["alert_id"]
    decide(database, alert_id, actor="ann", comment="Mine.", version=1, now=NOON)
    with pytest.raises(ConflictError, match="at version 2, not 1"):
        decide(database, alert_id, actor="bob", state="in_progress", version=1, now=NOON)


def test_reopening_beside_an_open_one_is_a_conflict() -> None:
    database = opened()
    first = created(database, finding("f1"))["alert_id"]
    decide(database, first, actor="ann", state="closed", verdict="duplicate", now=NOON)
    second = created(database, finding("f2"))["alert_id"]
    with pytest.raises(ConflictError, match=second):
        decide(database, first, actor="ann", state="in_progress", now=NOON)


def test_detectors_health() -> None:
    database = opened()
    for n, verdict in enumerate(["true_positive", "false_positive", "false_positive", "benign_positive", "undetermined", None]):
        alert_id = created(database, finding(f"f{n}", session_id=f"s{n}"))["alert_id"]
        if verdict:
            decide(database, alert_id, actor="ann", state="closed", verdict=verdict, now=NOON)
    created(database, finding("g", detector="tool_loop", session_id="s9"))
    secret, loop = queue.detectors_health(database)
    assert (secret["detector"], secret["opened"], secret["standing"], secret["undetermined"]) == ("secret_leaves", 6, 1, 1)
    assert secret["false_positive_share"] == 0.5
    assert loop["opened"] == 1 and loop["false_positive_share"] is None
