"""A tool fails, or takes long, far more often than it did.

What it detects
An hour with twenty calls of a tool in which at least half failed, and three times the share of the hours before; or in which half took eight times
as long as all but a few of the calls before. Two hundred calls on three days come first.

Why it matters
A server that was changed, is attacked, or is made to work for somebody else shows it here first; and failing tools make agents improvise.

False positives
Outages of what lies behind a server. Refusals for lack of permission are told by `access_failures_surge`.

Blind spots
New and rarely used tools, and slow drifts. Durations are known to within a factor of two. Tokens and costs are not part of a call's record.
"""

from datetime import timedelta

from detectors.contract import Detector, Scope
from detectors.scenarios import START, call, steady
from store.records import Call, Outcome, Severity

CALLS_AN_HOUR, CALLS_BEFORE, DAYS_BEFORE, DAYS_LOOKED_AT = 20, 200, 3, 30
SHARE, TIMES = 0.5, 3
DOUBLINGS = 3
"""Eight times as long."""

USUAL_SHARE = 0.99
"""All but a few: one in a hundred."""

LEARN = """
SELECT lesson, subject, coalesce(server, '') || chr(31) || tool || chr(31) || strftime(called_at, '%Y-%m-%dT%H') || chr(31) || outcome || chr(31)
           || coalesce(floor(log2(greatest(duration_ms, 1)))::INT::VARCHAR, '') AS key,
       count(*) AS n, min(called_at) AS first_at, max(called_at) AS last_at
FROM calls WHERE outcome IN ('ok', 'error') GROUP BY ALL
"""

FIND = f"""
WITH parts AS (
    SELECT string_split(key, chr(31)) AS p, n, first_at, last_at FROM normal WHERE detector = 'tool_fails_or_slows'
), cells AS (
    SELECT p[1] AS server, p[2] AS tool, p[3] AS hour, p[4] AS outcome, try_cast(p[5] AS INT) AS size, n, first_at, last_at FROM parts
), sized AS (
    SELECT *, sum(n) OVER (PARTITION BY server, tool, hour, size IS NULL ORDER BY size) * 2 >= sum(n) OVER (PARTITION BY server, tool, hour, size IS NULL) AS upper
    FROM cells
), busy AS (
    SELECT server, tool, hour, sum(n) AS calls, coalesce(sum(n) FILTER (outcome = 'error'), 0) AS errors, min(first_at) AS first_at, max(last_at) AS last_at,
           min(size) FILTER (upper) AS middle, strftime(min(first_at) - INTERVAL {DAYS_LOOKED_AT} DAY, '%Y-%m-%dT%H') AS since
    FROM sized WHERE (server, tool, hour) IN (SELECT (coalesce(server, ''), tool, strftime(called_at, '%Y-%m-%dT%H')) FROM calls)
    GROUP BY server, tool, hour HAVING sum(n) >= {CALLS_AN_HOUR}
), judged AS (
    SELECT b.server, b.tool, b.hour, b.calls, b.errors, b.middle, b.first_at, b.last_at, sum(c.n) AS calls_before,
           coalesce(sum(c.n) FILTER (c.outcome = 'error'), 0) AS errors_before, count(DISTINCT left(c.hour, 10)) AS days,
           sum(c.n) FILTER (c.size IS NOT NULL) AS timed, coalesce(sum(c.n) FILTER (c.size + {DOUBLINGS} <= b.middle), 0) AS faster
    FROM busy AS b JOIN cells AS c ON c.server = b.server AND c.tool = b.tool AND c.hour < b.hour AND c.hour >= b.since
    GROUP BY ALL HAVING sum(c.n) >= {CALLS_BEFORE} AND count(DISTINCT left(c.hour, 10)) >= {DAYS_BEFORE}
), told AS (
    SELECT *, 'fails' AS what FROM judged WHERE errors >= {SHARE} * calls AND errors * calls_before >= {TIMES} * errors_before * calls
    UNION ALL SELECT *, 'slows' FROM judged WHERE timed >= {CALLS_BEFORE} AND faster >= {USUAL_SHARE} * timed
)
SELECT server AS scope_key, what || chr(31) || tool || chr(31) || left(hour, 10) AS subject, []::VARCHAR[] AS call_ids, 1 AS grade,
       CASE what WHEN 'fails' THEN 0.5 ELSE 0.4 END AS score,
       CASE what WHEN 'fails' THEN errors::BIGINT || ' of ' || calls::BIGINT || ' calls of ' || tool || ' failed in the hour from ' || replace(hour, 'T', ' ')
               || ':00; of the ' || calls_before::BIGINT || ' before, over ' || days || ' days, ' || errors_before::BIGINT || ' did.'
           ELSE 'Half of ' || calls::BIGINT || ' calls of ' || tool || ' took ' || pow(2, middle)::BIGINT || ' ms or longer in the hour from ' || replace(hour, 'T', ' ')
               || ':00; of the ' || timed::BIGINT || ' before, over ' || days || ' days, ' || faster::BIGINT || ' took less than an eighth of it.' END AS sentence,
       {{'what': what, 'actual': CASE what WHEN 'fails' THEN round(errors / calls, 3) ELSE pow(2, middle) END,
        'typical': CASE what WHEN 'fails' THEN round(errors_before / calls_before, 3) END, 'calls': calls::BIGINT, 'baseline_calls': calls_before::BIGINT,
        'baseline_days': days}} AS evidence,
       {{'servers': [nullif(server, '')], 'tools': [tool], 'first_at': first_at, 'last_at': last_at}} AS about
FROM told QUALIFY row_number() OVER (PARTITION BY server, what, tool, left(hour, 10) ORDER BY CASE what WHEN 'fails' THEN errors ELSE middle END DESC, hour) = 1
"""


def _hour(days_ago: int, times: int = 80, outcome: Outcome = Outcome.OK, ms: float = 40.0) -> list[Call]:
    return steady(call(called_at=START - timedelta(days=days_ago), outcome=outcome, duration_ms=ms), times, timedelta(seconds=30))


_PAST = [one for day in (4, 3, 2, 1) for one in _hour(day)]

DETECTOR = Detector(
    severity=Severity.LOW,
    techniques=("owasp-mcp:2025:MCP08", "owasp-asi:2026:ASI08", "owasp-llm:2026:LLM06", "atlas:AML.T0029", "attack:T1499"),
    scope=Scope.SERVER,
    learn=LEARN,
    learn_at_once=True,
    learn_by="coalesce(server, '')",
    needs=("normal",),
    find=FIND,
    fires_on={
        "most calls fail": [*_PAST, *_hour(0, 30, Outcome.ERROR)],
        "every call takes seconds": [*_PAST, *_hour(0, 30, ms=3_000.0)],
    },
    quiet_on={
        "a few fail": [*_PAST, *_hour(0, 30), *_hour(0, 6, Outcome.ERROR)],
        "it always failed": [*(one for day in (4, 3, 2, 1) for one in _hour(day, outcome=Outcome.ERROR)), *_hour(0, 30, Outcome.ERROR)],
        "twice as slow": [*_PAST, *_hour(0, 30, ms=80.0)],
        "a tool without history": _hour(0, 30, Outcome.ERROR),
    },
)
