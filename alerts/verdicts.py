"""An analyst's step: take, close with a verdict, reopen, assign, note. Every step is one row that is never rewritten."""

from datetime import datetime

from alerts.changes import Change, Event, Row, alert_row, save_alerts, save_decision
from alerts.triage import TOOLHOUND
from store.database import Database
from store.errors import ConflictError, SourceError
from store.records import AlertState, Verdict

COMMENT_AT_MOST = 30_000
"""Characters; the limit of Microsoft Sentinel's comments, so that they can be carried over."""

_NEXT: dict[AlertState, tuple[AlertState, ...]] = {
    AlertState.NEW: (AlertState.IN_PROGRESS, AlertState.CLOSED),
    AlertState.IN_PROGRESS: (AlertState.CLOSED,),
    AlertState.CLOSED: (AlertState.IN_PROGRESS,),
}


def decide(
    database: Database, alert_id: str, *, actor: str, state: str | None = None, verdict: str | None = None,
    assignee: str | None = None, comment: str = "", version: int | None = None, now: datetime,
) -> Change:
    """Move an alert on; what is None stays as it is, an empty `assignee` takes the name off. The caller owns the transaction.

    version: the one that the analyst looked at; where the alert has moved on since, ConflictError.
    Raises NotFoundError, and SourceError for a step that is not allowed, naming those that are.
    """
    before = alert_row(database, alert_id)
    if version is not None and version != before["version"]:
        raise ConflictError(f"alert {alert_id} is at version {before['version']}, not {version}: look again, then decide")
    if not actor.strip() or actor == TOOLHOUND:
        raise SourceError(f"actor: {actor!r} cannot decide; give the analyst's name")
    if len(comment) > COMMENT_AT_MOST:
        raise SourceError(f"comment: {len(comment)} characters, at most {COMMENT_AT_MOST} are kept")
    if state is None and verdict is None and assignee is None and not comment.strip():
        raise SourceError("decision: nothing to decide; give a state, a verdict, an assignee or a comment")
    after = _moved(database, before, _state(before, state), _verdict(verdict), now)
    if assignee is not None:
        after["assignee"] = assignee.strip() or None
    save_alerts(database, [after])
    save_decision(
        database, before, after, actor=actor.strip(), now=now, comment=comment,
        verdict=_verdict(verdict), assignee=after["assignee"],
    )
    closes = after["state"] == AlertState.CLOSED and before["state"] != AlertState.CLOSED
    return Change(Event.CLOSED if closes else Event.UPDATED, after)


def _state(before: Row, asked: str | None) -> AlertState:
    current = AlertState(before["state"])
    if asked is None or asked == current:
        return current
    if asked not in _NEXT[current]:
        raise SourceError(f"state: {current.value} cannot become {asked!r}, only {' or '.join(_NEXT[current])}")
    return AlertState(asked)


def _verdict(asked: str | None) -> Verdict | None:
    if asked is None:
        return None
    if asked not in set(Verdict):
        raise SourceError(f"verdict: {asked!r} is not one of {', '.join(Verdict)}")
    return Verdict(asked)


def _moved(database: Database, before: Row, state: AlertState, verdict: Verdict | None, now: datetime) -> Row:
    after = before | {"state": state.value, "updated_at": now, "version": before["version"] + 1}
    if state != AlertState.CLOSED:
        if verdict is not None:
            raise SourceError(f"verdict: {verdict.value} is given on closing; set state to closed as well")
        if before["state"] == AlertState.CLOSED:
            _refuse_second(database, before)
        return after | {"verdict": None, "closed_at": None}
    if before["state"] != AlertState.CLOSED and verdict is None:
        raise SourceError(f"verdict: closing asks for one of {', '.join(Verdict)}")
    return after | {"verdict": (verdict or before["verdict"]), "closed_at": before["closed_at"] or now}


def _refuse_second(database: Database, closed: Row) -> None:
    other = database.rows(
        "SELECT alert_id FROM hot.alerts WHERE group_key = $key AND state <> 'closed'", {"key": closed["group_key"]}
    )
    if other:
        standing = other[0]["alert_id"]
        raise ConflictError(f"alert {closed['alert_id']} cannot be reopened: {standing} is open on the same subject; work there")
