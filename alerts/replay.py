"""Alerts made anew: findings are grouped in the order in which they could be found, and between them each step of triage is taken again.

An alert's id is made of its group and its number in it, so the steps find the alerts that they were taken on. The caller owns the transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import takewhile

import pyarrow as pa

from alerts.changes import Row, save_alerts
from alerts.triage import TOOLHOUND, alert_id, group, group_key
from store.database import Database
from store.records import AlertState, Finding
from store.tables import MOMENT, TEXT, rows_to_table

MOST_ALERTS = 100
"""How many alerts of one group are looked for; more than a few are rare."""

GONE = "What it rested on is gone or no longer holds."


def replay(
    database: Database, found: Iterable[tuple[datetime, Finding]], decisions: Sequence[Row], titles: Mapping[str, str]
) -> list[str]:
    """Make the alerts of a database that has none. The ids of decisions whose alert is not known: all that it was about is gone.

    found: findings with the moment since when they could be found.
    """
    waiting = sorted(found, key=lambda one: (one[0], one[1].finding_id))
    groups = {group_key(finding) for _, finding in waiting}
    group_of = {alert_id(key, number): (key, number) for key in groups for number in range(MOST_ALERTS)}
    left = []
    for decision in sorted(decisions, key=lambda row: (row["decided_at"], row["decision_id"])):
        due = list(takewhile(lambda one: one[0] <= decision["decided_at"], waiting))  # noqa: B023 - used up before the next round
        waiting = waiting[len(due):]
        _group(database, due, titles)
        if decision["alert_id"] in group_of:
            _take(database, decision, group_of[decision["alert_id"]][0])
        else:
            left.append(decision["decision_id"])
    _group(database, waiting, titles)
    return left


def _group(database: Database, due: Sequence[tuple[datetime, Finding]], titles: Mapping[str, str]) -> None:
    """Bring alerts up to date; what came first also says since when they are open."""
    if not due:
        return
    group(database, [finding for _, finding in due], now=due[-1][0], titles=titles)
    moments = pa.table({
        "finding_id": pa.array([finding.finding_id for _, finding in due], TEXT), "found_at": pa.array([moment for moment, _ in due], MOMENT),
    })
    with database.named(moments=moments):
        database.execute("UPDATE hot.findings AS f SET found_at = m.found_at FROM moments AS m WHERE m.finding_id = f.finding_id")
        database.execute("""
            UPDATE hot.alerts AS a SET opened_at = f.opened_at
            FROM (SELECT h.alert_id, min(m.found_at) AS opened_at FROM (SELECT alert_id, unnest(finding_ids) AS finding_id FROM hot.alerts) AS h
                  JOIN moments AS m USING (finding_id) GROUP BY h.alert_id) AS f
            WHERE f.alert_id = a.alert_id AND f.opened_at < a.opened_at
        """)


def _take(database: Database, decision: Row, key: str) -> None:
    """One step of triage on the alert as it stands; the decision itself is recorded already."""
    known = database.rows("SELECT * FROM hot.alerts WHERE alert_id = $alert", {"alert": decision["alert_id"]})
    before = known[0] if known else _emptied(decision, key)
    moment, closes = decision["decided_at"], decision["to_state"] == AlertState.CLOSED
    after = before | {"state": decision["to_state"], "updated_at": moment, "version": before["version"] + 1}
    after |= {"verdict": decision["verdict"] or before["verdict"] if closes else None, "closed_at": before["closed_at"] or moment if closes else None}
    if decision["actor"] == TOOLHOUND:
        after["finding_ids"] = []  # it closes what is left without findings
    else:
        after["assignee"] = decision["assignee"]
    save_alerts(database, [after])


def _emptied(decision: Row, key: str) -> Row:
    """An alert that was decided on and whose findings are no longer found: it holds its place, or the next would have its number."""
    moment = decision["decided_at"]
    told = {
        "alert_id": decision["alert_id"], "group_key": key, "title": GONE, "severity": 0, "risk": 0.0, "state": decision["from_state"],
        "opened_at": moment, "updated_at": moment, "explanation": GONE, "version": 0, "finding_ids": [],
    }
    row: Row = rows_to_table("alerts", [told]).to_pylist()[0]
    return row
