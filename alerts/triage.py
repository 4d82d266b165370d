"""Findings into alerts: one open alert per session or subject, always what its live findings say.

An alert is worked out anew from the findings of its group, so that order, repeats and corrections do not matter.
A finding is live until an alert that holds it is closed; found again it stays quiet, unless it is now worse than that alert was.
The caller owns the transaction.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from alerts.changes import Change, Event, Row, save_alerts, save_decision
from alerts.risk import risk
from store.database import Database
from store.records import AlertState, Finding, Grade, Severity, Verdict, names_of
from store.tables import rows_to_table

TOOLHOUND = "toolhound"
"""The actor of what is decided without an analyst."""

LAPSED = "What it rested on was corrected by later telemetry."

SENTENCES_AT_MOST = 50
"""A person reads no more; the findings themselves are all kept."""

_GROUP_KEY = "CASE WHEN session_id IS NOT NULL THEN 'session:' || session_id ELSE scope || ':' || scope_key END"
_IN_KEYS = "IN (SELECT unnest($keys::VARCHAR[]))"
_IN_IDS = "IN (SELECT unnest($ids::VARCHAR[]))"

_TOLD_AS = "coalesce((findings.evidence ->> '$.told_as')::INT, findings.severity)"

_LIVE = f"""
    WITH settled AS (SELECT unnest(finding_ids) AS finding_id, severity FROM hot.alerts WHERE state = 'closed')
    SELECT {_GROUP_KEY} AS group_key, findings.* FROM hot.findings AS findings
    WHERE group_key {_IN_KEYS} AND NOT EXISTS (
        SELECT 1 FROM settled WHERE settled.finding_id = findings.finding_id AND settled.severity >= {_TOLD_AS})
"""


def group(
    database: Database, findings: Sequence[Finding], now: datetime, titles: Mapping[str, str] | None = None
) -> list[Change]:
    """Store findings and bring the alerts of their groups up to date.

    A finding with `"alerting": false` in its evidence is kept and adds to the risk, but opens no alert and is not told; one with
    `"told_as"` is told as of that severity, and weighs as what it is.
    titles: what a person calls the problem, by detector.
    """
    new = {f.finding_id: _row(f, now) for f in findings}
    ids = {"ids": list(new)}
    old = {r["finding_id"]: r for r in database.rows(f"SELECT * FROM hot.findings WHERE finding_id {_IN_IDS}", ids)}
    for finding_id, row in old.items():
        new[finding_id]["found_at"] = row["found_at"]
    changed = [row for finding_id, row in new.items() if row != old.get(finding_id)]
    if not changed:
        return []
    ids = {"ids": [row["finding_id"] for row in changed]}
    keys = _group_keys(database, ids)
    database.replace("hot.findings", rows_to_table("findings", changed), ["finding_id"])
    return _refresh(database, keys | _group_keys(database, ids), now, titles or {})


def withdraw(
    database: Database, finding_ids: Iterable[str], now: datetime, titles: Mapping[str, str] | None = None
) -> list[Change]:
    """Remove findings that no longer hold. An open alert left without any is closed, or, where an analyst touched it, noted upon."""
    ids = {"ids": list(finding_ids)}
    keys = _group_keys(database, ids)
    database.execute(f"DELETE FROM hot.findings WHERE finding_id {_IN_IDS}", ids)
    return _refresh(database, keys, now, titles or {})


def lapsed(
    database: Database, *, scope: str, scope_keys: Iterable[str], detectors: Iterable[str], found: Iterable[str],
    since: datetime | None = None,
) -> list[str]:
    """Ids of findings that `detectors`, looking again at all of `scope_keys`, did not find this time; fit for `withdraw`.

    since: how far back they looked; findings that rest on earlier calls are left alone. Leave out detectors that failed.
    """
    sql = f"""
        SELECT finding_id FROM hot.findings
        WHERE scope = $scope AND scope_key {_IN_KEYS} AND detector IN (SELECT unnest($detectors::VARCHAR[]))
          AND finding_id NOT {_IN_IDS} AND ($since::TIMESTAMPTZ IS NULL OR first_called_at >= $since)
        ORDER BY finding_id
    """
    values = {"scope": scope, "keys": list(scope_keys), "detectors": list(detectors), "ids": list(found), "since": since}
    return [row["finding_id"] for row in database.rows(sql, values)]


def _refresh(database: Database, keys: set[str], now: datetime, titles: Mapping[str, str]) -> list[Change]:
    asked = {"keys": sorted(keys)}
    live: dict[str, list[Finding]] = defaultdict(list)
    for row in database.rows(_LIVE, asked):
        live[row["group_key"]].append(_finding(row))
    alerts: dict[str, list[Row]] = defaultdict(list)
    for row in database.rows(f"SELECT * FROM hot.alerts WHERE group_key {_IN_KEYS}", asked):
        alerts[row["group_key"]].append(row)
    changes = []
    for key in sorted(keys):
        standing = next((a for a in alerts[key] if a["state"] != AlertState.CLOSED), None)
        told = [f for f in live[key] if f.evidence.get("alerting") is not False]
        if told:
            said = _said(key, live[key], told, titles)
            changes += [_created(key, len(alerts[key]), said, now)] if standing is None else _updated(standing, said, now)
        elif standing is not None and standing["finding_ids"]:
            changes.append(_emptied(database, standing, live[key], now))
    save_alerts(database, [change.alert for change in changes])
    return changes


def group_key(finding: Finding) -> str:
    """What a finding's alert is about: the session, else the subject; as `_GROUP_KEY` has it."""
    return f"session:{finding.session_id}" if finding.session_id is not None else f"{finding.scope}:{finding.scope_key}"


def alert_id(key: str, number: int) -> str:
    """The id of a group's first, second, ... alert, from 0."""
    return hashlib.sha256(f"{key}\0{number}".encode()).hexdigest()[:24]


def _created(key: str, number: int, said: Row, now: datetime) -> Change:
    life = {
        "alert_id": alert_id(key, number), "state": AlertState.NEW.value, "verdict": None, "assignee": None,
        "opened_at": now, "updated_at": now, "closed_at": None, "version": 1,
    }
    return Change(Event.CREATED, life | said)


def _updated(standing: Row, said: Row, now: datetime) -> list[Change]:
    if all(standing[column] == value for column, value in said.items()):
        return []
    return [Change(Event.UPDATED, standing | said | {"updated_at": now, "version": standing["version"] + 1})]


def _emptied(database: Database, standing: Row, left: list[Finding], now: datetime) -> Change:
    """What it said stays readable; it holds no findings any more, so the same ones coming back open a new alert."""
    after = standing | {"finding_ids": [], "risk": risk(left), "updated_at": now, "version": standing["version"] + 1}
    touched = database.rows(
        "SELECT 1 FROM hot.decisions WHERE alert_id = $alert AND actor <> $us LIMIT 1", {"alert": after["alert_id"], "us": TOOLHOUND}
    )
    if touched:
        save_decision(database, standing, after, actor=TOOLHOUND, now=now, comment=f"{LAPSED} Left open: an analyst is on it.")
        return Change(Event.UPDATED, after)
    after |= {"state": AlertState.CLOSED.value, "verdict": Verdict.UNDETERMINED.value, "closed_at": now}
    save_decision(database, standing, after, actor=TOOLHOUND, now=now, comment=LAPSED, verdict=Verdict.UNDETERMINED)
    return Change(Event.CLOSED, after)


def _said(key: str, live: list[Finding], told: list[Finding], titles: Mapping[str, str]) -> Row:
    """What the findings say together; lists name what is told, the ids and the risk also hold the quiet ones."""
    told = sorted(told, key=lambda f: (-_told_as(f), -f.grade, -f.score, f.finding_id))
    detectors = sorted({f.detector for f in told})
    title = titles.get(told[0].detector) or told[0].detector.replace("_", " ").capitalize()
    sentences = [
        f.sentence + (f" Told as {Severity(_told_as(f)).name.lower()}: {f.evidence['told_because']}." if "told_as" in f.evidence else "")
        for f in told[:SENTENCES_AT_MOST]
    ]
    if len(told) > SENTENCES_AT_MOST:
        sentences.append(f"(and {len(told) - SENTENCES_AT_MOST} more findings)")
    return {
        "group_key": key,
        "title": title if len(detectors) == 1 else f"{title} (+{len(detectors) - 1} more)",
        "severity": _told_as(told[0]),
        "risk": risk(live),
        "detectors": detectors,
        "finding_ids": sorted(f.finding_id for f in live),
        "session_ids": sorted({s for f in told for s in (f.session_id, *f.evidence.get("sessions", ())) if s}),
        **{name: sorted({x for f in told for x in getattr(f, name)}) for name in ("agents", "servers", "tools", "call_ids", "techniques")},
        "first_called_at": min((f.first_called_at for f in told if f.first_called_at), default=None),
        "last_called_at": max((f.last_called_at for f in told if f.last_called_at), default=None),
        "explanation": "\n".join(sentences),
    }


def _told_as(finding: Finding) -> int:
    """How severe it is told to be: as it is, unless the like is too frequent here to be told so (see `budget`)."""
    return int(finding.evidence.get("told_as", finding.severity))


def _group_keys(database: Database, ids: Mapping[str, Any]) -> set[str]:
    rows = database.rows(f"SELECT DISTINCT {_GROUP_KEY} AS group_key FROM hot.findings WHERE finding_id {_IN_IDS}", ids)
    return {row["group_key"] for row in rows}


def _row(finding: Finding, now: datetime) -> Row:
    row = {name: getattr(finding, name) for name in names_of(Finding)}
    row |= {"severity": int(finding.severity), "grade": int(finding.grade), "scope": str(finding.scope)}
    return row | {"found_at": now, "evidence": json.dumps(finding.evidence, sort_keys=True, default=str)}


def _finding(row: Row) -> Finding:
    known = {name: row[name] for name in names_of(Finding)}
    known |= {"severity": Severity(row["severity"]), "grade": Grade(row["grade"]), "evidence": json.loads(row["evidence"] or "{}")}
    return Finding(**known)
