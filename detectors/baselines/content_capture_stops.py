"""An agent's calls come without content all at once.

What it detects
A day with twenty calls of an agent and one dialect none of whose arguments and results were captured, after days with fifty calls of which nine in
ten had been.

Why it matters
Without content, flows, injections and leaks cannot be seen, while the calls go on and every count looks as ever. It takes one setting (MCP08).

False positives
A decision to keep less, for privacy: then it is right to have it on record, once.

Blind spots
Sources that never told content, and a change for single tools. The first day after the change needs twenty calls.
"""

from datetime import timedelta
from typing import Any

from detectors.contract import Detector, Scope
from detectors.scenarios import START, call, steady
from store.records import Call, Severity, State

CALLS_AT_LEAST, BEFORE_AT_LEAST, SHARE_BEFORE = 20, 50, 0.9

LEARN = """
SELECT lesson, subject, coalesce(agent, '') || chr(31) || dialect || chr(31) || strftime(called_at, '%Y-%m-%d') || chr(31)
           || CASE WHEN arguments_state IN ('captured', 'truncated') OR result_state IN ('captured', 'truncated') THEN 'told' ELSE 'untold' END AS key,
       count(*) AS n, min(called_at) AS first_at, max(called_at) AS last_at
FROM calls WHERE outcome IN ('ok', 'error') GROUP BY ALL
"""

FIND = f"""
WITH parts AS (
    SELECT string_split(key, chr(31)) AS p, n, first_at, last_at FROM normal WHERE detector = 'content_capture_stops'
), days AS (
    SELECT p[1] AS agent, p[2] AS dialect, p[3] AS day, sum(n)::BIGINT AS calls, (sum(n) FILTER (p[4] = 'told'))::BIGINT AS told,
           min(first_at) AS first_at, max(last_at) AS last_at
    FROM parts GROUP BY ALL
), judged AS (
    SELECT *, sum(calls) OVER past AS calls_before, coalesce(sum(told) OVER past, 0) AS told_before, count(*) OVER past AS days_before,
           lag(coalesce(told, 0)) OVER (PARTITION BY agent, dialect ORDER BY day) AS told_last
    FROM days WINDOW past AS (PARTITION BY agent, dialect ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
SELECT agent AS scope_key, dialect || chr(31) || day AS subject, []::VARCHAR[] AS call_ids, 3 AS grade, 0.7 AS score,
       'On ' || day || ' none of ' || calls || ' calls of ' || printed(agent) || ' came with content; over ' || days_before || ' days before, '
           || told_before::BIGINT || ' of ' || calls_before::BIGINT || ' did.' AS sentence,
       {{'actual': 0.0, 'typical': round(told_before / calls_before, 3), 'calls': calls, 'baseline_calls': calls_before::BIGINT, 'dialect': dialect}} AS evidence,
       {{'agents': [agent], 'first_at': first_at, 'last_at': last_at}} AS about
FROM judged
WHERE coalesce(told, 0) = 0 AND told_last > 0 AND calls >= {CALLS_AT_LEAST} AND calls_before >= {BEFORE_AT_LEAST} AND told_before >= {SHARE_BEFORE} * calls_before
  AND agent IN (SELECT coalesce(agent, '') FROM calls)
"""


def _day(days_ago: int, state: State = State.CAPTURED, times: int = 30) -> list[Call]:
    told: dict[str, Any] = {} if state == State.CAPTURED else {"arguments": None, "arguments_state": state, "result": None, "result_state": state}
    return steady(call(called_at=START - timedelta(days=days_ago), **told), times, timedelta(minutes=1))


DETECTOR = Detector(
    severity=Severity.MEDIUM,
    techniques=("owasp-mcp:2025:MCP08", "attack:T1562"),
    scope=Scope.AGENT,
    learn=LEARN,
    learn_at_once=True,
    learn_by="coalesce(agent, '')",
    suspect="bool_or(coalesce(arguments_state, '') NOT IN ('captured', 'truncated') AND coalesce(result_state, '') NOT IN ('captured', 'truncated'))",
    needs=("normal",),
    find=FIND,
    fires_on={"content is gone from one day to the next": [*_day(3), *_day(2), *_day(0, State.ABSENT)]},
    quiet_on={
        "it never told content": [*_day(3, State.ABSENT), *_day(2, State.ABSENT), *_day(0, State.ABSENT)],
        "some calls have none": [*_day(3), *_day(2), *_day(0, State.ABSENT), *_day(0, times=3)],
        "a few calls only": [*_day(3), *_day(2), *_day(0, State.ABSENT, times=5)],
    },
)
