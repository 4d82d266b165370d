"""A source that always reported at this time fell silent, or reports a fraction of what it did.

What it detects
An agent or a server without a single call for six hours or more in which it had calls in each of the same hours of at least three of the four weeks
before, while others went on reporting; or with less than a fifth, over a whole day, of what it had on the least busy of the same weekdays, while all
others together had half of theirs or more. What counts as now is the latest call of all.

Why it matters
Who wants to act unseen stops the telemetry first, or lets only some of it pass, and a log that is thin is not missed by anybody who reads only what
is there (MCP08).

False positives
Holidays, releases and retired agents. A source that was thin before is not judged.

Blind spots
The first month of a source; a silence of everything at once, of which the health page tells; sources that report at no fixed hours.
"""

from collections.abc import Iterator
from datetime import timedelta

from detectors.contract import Detector, Found, Scope, Slice, found_of
from detectors.scenarios import START, call, steady
from store.records import Call, Record, Severity

HOURS_AT_LEAST, WEEKS_LOOKED_AT, WEEKS_AT_LEAST = 6, 4, 3
"""Six hours are longer than most outages and releases; weeks, since agents run on schedules."""

CALLS_AT_LEAST = 20
"""What the silent hours held in the median week, and a thin day in the least busy one; fewer may fail to come by chance."""

FIFTH, HALF = 5, 2

LONGEST_HOURS = 72
"""A longer silence is told by its first three days."""

HOURS_LOOKED_BACK = 28 * 24
"""A silence that ended earlier was told when it lasted."""

LEARN = """
SELECT lesson, subject, kind || chr(31) || name || chr(31) || (epoch(called_at) // 3600)::BIGINT AS key, count(*) AS n, min(called_at) AS first_at, max(called_at) AS last_at
FROM (SELECT lesson, subject, 'agent' AS kind, agent AS name, called_at FROM calls WHERE agent IS NOT NULL
      UNION ALL SELECT lesson, subject, 'server', server, called_at FROM calls WHERE server IS NOT NULL)
GROUP BY ALL
"""

OLD_ENOUGH = f"""
SELECT 1 FROM normal WHERE detector = 'source_falls_silent' HAVING max(last_at) - min(first_at) > INTERVAL {7 * WEEKS_AT_LEAST - 1} DAY
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
), days AS (
    SELECT kind, name, hour // 24 AS day, sum(n)::BIGINT AS n, max(last_at) AS last_at,
           sum(sum(n)) OVER (PARTITION BY kind, hour // 24)::BIGINT - sum(n)::BIGINT AS others
    FROM hours GROUP BY kind, name, hour // 24
), thin AS (
    SELECT d.kind, d.name, d.day, d.n, d.last_at, count(*) AS weeks, min(b.n) AS least, median(b.n)::BIGINT AS typical, max(b.n) AS most
    FROM days AS d JOIN (SELECT kind, name, day + 7 * unnest([1, 2, 3, 4]) AS day, n, others FROM days) AS b USING (kind, name, day)
    WHERE d.others > 0 AND d.day BETWEEN (SELECT now_hour // 24 FROM clock) - {HOURS_LOOKED_BACK // 24} AND (SELECT now_hour // 24 FROM clock) - 1
    GROUP BY d.kind, d.name, d.day, d.n, d.last_at, d.others
    HAVING count(*) >= {WEEKS_AT_LEAST} AND min(b.n) >= {CALLS_AT_LEAST} AND d.n * {FIFTH} < min(b.n) AND d.others * {HALF} >= median(b.others)
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
UNION ALL
SELECT 'fleet', kind || chr(31) || name || chr(31) || 'day' || day, [], 3, least(0.9, 0.4 + typical / 1000.0),
       'The ' || kind || ' ' || printed(name) || ' made ' || n || ' calls on ' || strftime(last_at, '%Y-%m-%d') || '; on the same weekday of the ' || weeks
           || ' weeks before it made ' || typical || ' in the median, ' || least || ' at least, and all others went on.',
       {{'actual': n, 'typical': typical, 'range': [least, most], 'baseline_weeks': weeks, 'silent_hours': 0}},
       {{'agents': CASE kind WHEN 'agent' THEN [name] ELSE [] END, 'servers': CASE kind WHEN 'server' THEN [name] ELSE [] END,
        'first_at': last_at, 'last_at': last_at}}
FROM thin
"""


def find(seen: Slice) -> Iterator[Found]:
    """The silences and the thin days, once there are weeks to compare with."""
    if seen.rows(OLD_ENOUGH):
        yield from map(found_of, seen.rows(FIND))


def _reporting(agent: str, weeks: float, *, until: timedelta = timedelta(), every: timedelta = timedelta(minutes=20)) -> list[Record]:
    begin = START - timedelta(weeks=4)
    return list(steady(call(agent=agent, server=None, session_id=agent, called_at=begin), int((timedelta(weeks=weeks) - until) / every), every))


def _thinned(agent: str, every_hours: int, days_ago: int = 1) -> list[Record]:
    """Hourly reports over four weeks, of which one day lets only some pass."""
    day = (START - timedelta(days=days_ago)).date()
    return [one for one in _reporting(agent, 4, every=timedelta(hours=1)) if isinstance(one, Call)
            and (one.called_at.date() != day or one.called_at.hour % every_hours == 0)]


_HOURLY = _reporting("builder", 4, every=timedelta(hours=1))

DETECTOR = Detector(
    severity=Severity.MEDIUM,
    techniques=("owasp-mcp:2025:MCP08", "owasp-asi:2026:ASI10", "attack:T1562"),
    scope=Scope.FLEET,
    lookback=timedelta(0),
    learn=LEARN,
    learn_at_once=True,
    find=find,
    fires_on={
        "one agent stops, another goes on": [*_reporting("assistant", 4, until=timedelta(hours=10)), *_reporting("builder", 4)],
        "one in six calls of a day passes": [*_thinned("assistant", 6), *_HOURLY],
    },
    quiet_on={
        "one in two calls passes": [*_thinned("assistant", 2), *_HOURLY],
        "all others do less too": [*_thinned("assistant", 6), *_thinned("builder", 6)],
        "the day is not over": [*_thinned("assistant", 6, days_ago=0), *_HOURLY],
        "both go on": [*_reporting("assistant", 4), *_reporting("builder", 4)],
        "a short pause": [*_reporting("assistant", 4, until=timedelta(hours=4)), *_reporting("builder", 4)],
        "an agent that is rarely used": [*_reporting("assistant", 4, until=timedelta(hours=30), every=timedelta(hours=2)), *_reporting("builder", 4)],
        "a source of two weeks": [*_reporting("assistant", 2), *_reporting("builder", 2.2)],
    },
)
