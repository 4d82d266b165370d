"""A server that nobody in the deployment had used before.

What it detects
The first call to, or the first definitions of, a server after the deployment's history has settled: two weeks of calls at least, and none of them
with a new server during the two weeks before. A server whose name the registry approves stays quiet.

Why it matters
A server that somebody added for himself is software with an agent's rights that nobody has looked at (shadow server). It is cheapest to
look at it on its first day.

False positives
Every honest introduction of a server, once. Approve it in the registry before it is used, and nothing is said.

Blind spots
Servers that were there from the beginning, and a new server behind a known name. Sources that do not name servers.
"""

from datetime import timedelta

from detectors.contract import Detector, Scope
from detectors.scenarios import START, call, definition, registration
from store.records import Record, Severity, Stated

LEARN = """
SELECT lesson, subject, json_array(server, agent)::VARCHAR AS key, count(*) AS n, min(called_at) AS first_at, max(called_at) AS last_at
FROM calls WHERE server IS NOT NULL GROUP BY ALL
"""

FIND = """
WITH sighted AS (
    SELECT key ->> '$[0]' AS server, key ->> '$[1]' AS agent, first_at FROM normal WHERE detector = 'new_server'
    UNION ALL SELECT server, agent, first_seen_at FROM tool_definitions WHERE server IS NOT NULL
), known AS (
    SELECT server, min(first_at) AS first_at, arg_min(agent, (first_at, agent)) AS agent FROM sighted GROUP BY server
), settled AS (
    SELECT server, agent, first_at, first_at - min(first_at) OVER () AS history, count(*) OVER (ORDER BY first_at ROWS UNBOUNDED PRECEDING) - 1 AS before,
           first_at - max(first_at) OVER (ORDER BY first_at RANGE BETWEEN UNBOUNDED PRECEDING AND INTERVAL 1 HOUR PRECEDING) AS since_last
    FROM known
), fresh AS (
    SELECT * FROM settled AS s
    WHERE server <> '' AND history >= INTERVAL 14 DAY AND since_last >= INTERVAL 14 DAY AND before >= 2
      AND NOT EXISTS (SELECT 1 FROM registry AS r WHERE r.server = s.server AND r.tool IS NULL AND r.state = 'approved')
)
SELECT f.server AS scope_key, 'first sighting' AS subject, []::VARCHAR[] AS call_ids, 1 AS grade, 0.5 AS score,
       printed(f.server) || ' was seen for the first time on ' || strftime(f.first_at, '%Y-%m-%d')
           || coalesce(', with ' || printed(f.agent), '') || '; the deployment had used '
           || f.before || ' servers for ' || extract(day FROM f.history) || ' days, and no new one for ' || extract(day FROM f.since_last) || '.' AS sentence,
       {'servers_known': f.before, 'baseline_days': extract(day FROM f.history), 'days_since_last_new': extract(day FROM f.since_last)} AS evidence,
       {'servers': [f.server], 'agents': [f.agent], 'first_at': f.first_at, 'last_at': f.first_at} AS about
FROM fresh AS f
"""


def _month(servers: int = 3, days: int = 30) -> list[Record | Stated]:
    return [call(server=f"server-of-old-{n}", called_at=START + timedelta(days=day), session_id=f"day-{day}-{n}")
            for n in range(servers) for day in range(0, days, 5)]


_THEN = START + timedelta(days=30)
_NEW = call("summarise", {"text": "minutes"}, "done", server="notes-helper", called_at=_THEN)

DETECTOR = Detector(
    severity=Severity.LOW,
    techniques=("owasp-mcp:2025:MCP09", "owasp-asi:2026:ASI04", "owasp-llm:2026:LLM04", "atlas:AML.T0010.005", "safe-mcp:SAFE-T1004", "attack:T1133"),
    scope=Scope.SERVER,
    learn=LEARN,
    learn_at_once=True,
    find=FIND,
    fires_on={
        "a server is called after a month without new ones": [*_month(), _NEW],
        "its tools are listed, none is called yet": [*_month(), definition("summarise", "Summarises.", server="notes-helper", sighted_at=_THEN)],
    },
    quiet_on={
        "the deployment is young": [*_month(days=10), call(server="notes-helper", called_at=START + timedelta(days=10))],
        "servers are still being added": [call(server=f"server-{n}-of-many", called_at=START + timedelta(days=2 * n)) for n in range(15)],
        "it was approved before it was used": [*_month(), _NEW, registration("notes-helper")],
        "a known server comes back": [*_month(), call(server="server-of-old-1", called_at=_THEN)],
    },
)
