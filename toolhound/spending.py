"""What sessions and agents used against the limits of the settings: going over one is a finding, with what was used and what was allowed."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from detectors.costs import COST, TOKENS
from store.database import Database
from store.records import Finding, Grade, Severity
from toolhound.settings import Budget, Budgets, Limits

BUDGET_IS_EXCEEDED = "budget_is_exceeded"
"""The name under which such findings stand beside those of the detectors."""
TITLES = {BUDGET_IS_EXCEEDED: "A session or an agent uses more than its budget"}
TECHNIQUES = ["owasp-mcp:2025:MCP06", "owasp-asi:2026:ASI08", "owasp-llm:2026:LLM06", "atlas:AML.T0034.002", "safe-mcp:SAFE-T2102", "attack:T1499"]
MEASURES = tuple(Limits.model_fields)
_UNITS = {"calls": "calls", "tokens": "tokens", "cost": "of costs"}
_TOLD_CALLS = 20
"""Of the calls that used it, the last so many are the proof."""
_ASKED = "asked_of_all"
_WHOLE = "(SELECT session_id, agent, called_at FROM calls)"

_USED = f"""
    count(*) AS calls, sum(coalesce({TOKENS}, (coalesce(arguments_bytes, 0) + coalesce(result_bytes, 0)) // 4))::BIGINT AS tokens,
    count(*) FILTER ({TOKENS} IS NULL) AS estimated, coalesce(sum({COST}), 0)::DOUBLE AS cost,
    min(called_at) AS first_at, max(called_at) AS last_at, list_sort(list(DISTINCT server) FILTER (server IS NOT NULL)) AS servers,
    list_sort(list(DISTINCT tool)) AS tools, list(call_id ORDER BY called_at DESC, call_id)[:{_TOLD_CALLS}] AS call_ids
"""
_SESSIONS = f"""
    SELECT session_id, session_id AS whose, list_sort(list(DISTINCT agent) FILTER (agent IS NOT NULL)) AS agents, {_USED} FROM calls
    WHERE session_id IN (SELECT session_id FROM {_ASKED}) AND outcome <> 'denied' GROUP BY session_id ORDER BY session_id
"""
_DAYS = f"""
    SELECT NULL AS session_id, agent AS whose, [agent] AS agents, strftime(called_at AT TIME ZONE 'UTC', '%Y-%m-%d') AS day, {_USED} FROM calls
    WHERE agent IN (SELECT agent FROM {_ASKED}) AND outcome <> 'denied'
      AND called_at >= (SELECT date_trunc('day', min(called_at) AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' FROM {_ASKED})
    GROUP BY agent, day ORDER BY agent, day
"""


def overspent(database: Database, budgets: Budgets, asked: str = _WHOLE) -> Iterator[Finding]:
    """What is over a limit: of the sessions, agents and days of `asked` (a table of `session_id`, `agent`, `called_at`), or of all."""
    if any(_limited(one.session) for one in (budgets, *budgets.agents)):
        for row in database.rows(_SESSIONS.replace(_ASKED, asked)):
            yield from _over(row, [_of(budgets, agent).session for agent in row["agents"] or [""]], "session", "")
    if any(_limited(one.day) for one in (budgets, *budgets.agents)):
        for row in database.rows(_DAYS.replace(_ASKED, asked)):
            yield from _over(row, [_of(budgets, row["whose"]).day], "agent", row["day"])


def _limited(limits: Limits) -> bool:
    return any(getattr(limits, measure) is not None for measure in MEASURES)


def _of(budgets: Budgets, agent: str) -> Budget:
    return next((one for one in budgets.agents if fnmatchcase(agent, one.agent)), budgets)


def _over(row: Mapping[str, Any], limits: Sequence[Limits], scope: str, day: str) -> Iterator[Finding]:
    """What is over a limit; where several agents share a session, over the least of theirs."""
    for measure in MEASURES:
        limit, used = min((given for one in limits if (given := getattr(one, measure)) is not None), default=None), row[measure]
        if limit is not None and used > limit:
            yield _finding(row, scope, day, measure, round(used, 2), limit)


def _finding(row: Mapping[str, Any], scope: str, day: str, measure: str, used: float, limit: float) -> Finding:
    subject = f"{day}\x1f{measure}" if day else measure
    estimated = row["estimated"] if measure == "tokens" else 0
    told = "".join(c if c.isprintable() else "?" for c in row["whose"])[:120]
    return Finding(
        finding_id=hashlib.sha256("\0".join((BUDGET_IS_EXCEEDED, scope, row["whose"], subject)).encode("utf-8", "replace")).hexdigest()[:24],
        detector=BUDGET_IS_EXCEEDED, severity=Severity.MEDIUM, scope=scope, scope_key=row["whose"], subject=subject, call_ids=row["call_ids"],
        grade=Grade.CONTENT, score=round(min(1.0, used / limit / 2), 4),
        sentence=f"{f'“{told}” used on {day}' if day else 'The session used'} {used:,} {_UNITS[measure]}; its budget is {limit:,}."
                 + (f" The tokens of {estimated:,} of its calls are reckoned from their bytes." if estimated else ""),
        evidence={"actual": used, "limit": limit, "measure": measure, "per": "agent and day" if day else "session", "estimated_calls": estimated},
        techniques=TECHNIQUES, session_id=row["session_id"], agents=row["agents"] or [], servers=row["servers"] or [], tools=row["tools"],
        first_called_at=row["first_at"], last_called_at=row["last_at"],
    )
