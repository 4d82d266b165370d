"""A source that always reported at this time fell silent.

What it detects
An agent or a server without a single call for six hours or more in which it had calls in each of the same hours of at least three of the four weeks
before, while others went on reporting. What counts as now is the latest call of all.

Why it matters
Who wants to act unseen stops the telemetry first, and a log that is thin is not missed by anybody who reads only what is there (MCP08).

False positives
Holidays, releases and retired agents. A source that was thin before is not judged.

Blind spots
The first month of a source; a silence of everything at once, of which the health page tells; sources that report at no fixed hours.
"""

from datetime import timedelta

from detectors.contract import Detector, Scope
from detectors.scenarios import START, call, steady
from store.records import Record, Severity

HOURS_AT_LEAST, WEEKS_LOOKED_AT, WEEKS_AT_LEAST = 6, 4, 3
"""Six hours are longer than most outages and releases; weeks, since agents run on schedules."""

CALLS_AT_LEAST = 20
"""What the silent hours held in the median week; fewer may fail to come by chance."""

LONGEST_HOURS = 72
"""A longer silence is told by its first three days."""

HOURS_LOOKED_BACK = 28 * 24
"""A silence that ended earlier was told when it lasted."""

LEARN = """
SELECT kind || chr(31) || name || chr(31) || (epoch(called_at) // 3600)::BIGINT AS key, count(*) AS n, min(called_at) AS first_at, max(called_at) AS last_at
FROM (SELECT 'agent' AS kind, agent AS name, called_at FROM calls WHERE agent IS NOT NULL
      UNION ALL SELECT 'server', server, called_at FROM calls WHERE server IS NOT NULL)
GROUP BY 1
"""

FIND = f"""
WITH hours AS (
    SELECT split_part(key, chr(31), 1) AS kind, split_part(key, chr(31), 2) AS name, split_part(key, chr(31), 3)::BIGINT AS hour, n, last_at
    FROM normal WHERE detector = 'source_falls_silent'
), clock AS (
    SELECT max(hour) AS now_hour FROM hours
), gaps AS (
    SELECT h.kind, h.name, h.hour AS last_hour, h.last_at, coalesce(lead(h.hour) OVER (PARTITION BY h.kind, h.name ORDER BY h.hour), c.now_hour) AS next_hour,
           lead(h.hour) OVER (PARTITION BY h.kind, h.name ORDER BY h.hour) AS back_hour
    FROM hours AS h CROSS JOIN clock AS c
), silent AS (
    SELECT *, unnest(generate_series(last_hour + 1, least(next_hour - 1, last_hour + {LONGEST_HOURS}))) AS hour FROM gaps
    WHERE next_hour - last_hour > {HOURS_AT_LEAST} AND next_hour > (SELECT now_hour FROM clock) - {HOURS_LOOKED_BACK}
), before AS (
    SELECT s.kind, s.name, s.last_hour, s.last_at, s.next_hour, s.back_hour, w.week, count(h.hour) AS hours, coalesce(sum(h.n), 0) AS calls
    FROM silent AS s CROSS JOIN (SELECT unnest(generate_series(1, {WEEKS_LOOKED_AT})) AS week) AS w
    LEFT JOIN hours AS h ON h.kind = s.kind AND h.name = s.name AND h.hour = s.hour - 168 * w.week
    GROUP BY s.kind, s.name, s.last_hour, s.last_at, s.next_hour, s.back_hour, w.week
), judged AS (
    SELECT kind, name, last_hour, last_at, next_hour, back_hour, count(*) FILTER (hours >= {HOURS_AT_LEAST}) AS weeks, median(calls)::BIGINT AS typical,
           min(calls)::BIGINT AS least, max(calls)::BIGINT AS most
    FROM before GROUP BY kind, name, last_hour, last_at, next_hour, back_hour
)
SELECT 'fleet' AS scope_key, kind || chr(31) || name || chr(31) || last_hour AS subject, []::VARCHAR[] AS call_ids, 3 AS grade,
       least(0.9, 0.5 + typical / 1000.0) AS score,
       'No call of the ' || kind || ' ' || printed(name) || ' was seen after ' || strftime(last_at, '%Y-%m-%d %H:%M') || ' for ' || (next_hour - last_hour - 1) || ' hours'
           || CASE WHEN back_hour IS NULL THEN ' until now' ELSE '' END || '; in the same hours of the four weeks before it made ' || typical
           || ' calls in the median, ' || least || ' at least.' AS sentence,
       {{'actual': 0, 'typical': typical, 'range': [least, most], 'baseline_weeks': weeks, 'silent_hours': next_hour - last_hour - 1}} AS evidence,
       {{'agents': CASE kind WHEN 'agent' THEN [name] ELSE [] END, 'servers': CASE kind WHEN 'server' THEN [name] ELSE [] END,
        'first_at': last_at, 'last_at': to_timestamp(3600 * next_hour)}} AS about
FROM judged WHERE weeks >= {WEEKS_AT_LEAST} AND typical >= {CALLS_AT_LEAST}
"""


def _reporting(agent: str, weeks: float, *, until: timedelta = timedelta(), every: timedelta = timedelta(minutes=20)) -> list[Record]:
    begin = START - timedelta(weeks=4)
    return list(steady(call(agent=agent, server=None, session_id=agent, called_at=begin), int((timedelta(weeks=weeks) - until) / every), every))


DETECTOR = Detector(
    severity=Severity.MEDIUM,
    techniques=("owasp-mcp:2025:MCP08", "owasp-asi:2026:ASI10", "attack:T1562"),
    scope=Scope.FLEET,
    lookback=timedelta(0),
    learn=LEARN,
    find=FIND,
    fires_on={"one agent stops, another goes on": [*_reporting("assistant", 4, until=timedelta(hours=10)), *_reporting("builder", 4)]},
    quiet_on={
        "both go on": [*_reporting("assistant", 4), *_reporting("builder", 4)],
        "a short pause": [*_reporting("assistant", 4, until=timedelta(hours=4)), *_reporting("builder", 4)],
        "an agent that is rarely used": [*_reporting("assistant", 4, until=timedelta(hours=30), every=timedelta(hours=2)), *_reporting("builder", 4)],
        "a source of two weeks": [*_reporting("assistant", 2), *_reporting("builder", 2.2)],
    },
)
