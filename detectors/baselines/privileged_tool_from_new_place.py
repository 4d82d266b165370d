"""A privileged tool is used from a place that its principal never came from.

What it detects
A call of a tool that destroys, pays, runs code or changes permissions, for a principal with a history of twenty calls over five days, from a
network (the first two numbers of an IPv4 address, three groups of IPv6) or by an agent that was not seen with this principal before that day. It
weighs most where the tool is new to the principal as well; where colleagues, who work through the same agents, come from there, it only ranks.

Why it matters
Stolen credentials work from anywhere. What gives them away is where they are used, and what for.

False positives
Travel, a new machine, a new agent: worth a look where it begins with such a tool. Later days from there are known.

Blind spots
Principals without history or without recorded addresses, and thieves in the same network, or in one that several colleagues use.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from detectors.contract import Detector, Scope
from detectors.privileges import PRIVILEGED
from detectors.scenarios import START, call, steady
from store.records import Call, Outcome, Severity

CALLS_AT_LEAST, DAYS_AT_LEAST = 20, 5
"""Elastic holds findings of baselines below twenty observations or five days at informational."""

TOOL_SESSIONS, COLLEAGUES = 3, 2
"""A tool of so many sessions is the principal's own; a place of so many colleagues is no stranger's."""
THROUGH = "chr(31) || coalesce(agent, '')"
"""Whom a counter is about besides the principal: everybody who works through the agent."""

NETWORK = (
    r"coalesce(nullif(regexp_extract(client_address, '^(\d+\.\d+)\.\d+\.\d+(?::\d+)?$', 1), ''), "
    r"nullif(lower(regexp_extract(client_address, '^\[?([0-9a-fA-F]+:[0-9a-fA-F]*:[0-9a-fA-F]*):', 1)), ''), client_address)"
)
_PLACES = f"""
    SELECT call_id, called_at, principal, agent, tool, server, outcome, decision, client_address, 'network' AS kind, {NETWORK} AS place
    FROM calls WHERE principal IS NOT NULL AND client_address IS NOT NULL
    UNION ALL
    SELECT call_id, called_at, principal, agent, tool, server, outcome, decision, client_address, 'agent', agent
    FROM calls WHERE principal IS NOT NULL AND agent IS NOT NULL
"""
_NAME = "coalesce(server || '.', '') || tool"

LEARN = f"""
SELECT principal || chr(31) || kind || chr(31) || place AS key, count(*) AS n, min(called_at) AS first_at, max(called_at) AS last_at
FROM ({_PLACES} UNION ALL
      SELECT call_id, called_at, principal, agent, tool, server, outcome, decision, client_address, 'tool', {_NAME}
      FROM calls WHERE principal IS NOT NULL AND {PRIVILEGED})
WHERE outcome <> 'denied' GROUP BY 1
"""

# It is told while its first call is in sight; a slice that begins later would have half of the proof.
FIND = f"""
WITH used AS (
    SELECT * FROM ({_PLACES}) WHERE {PRIVILEGED} AND outcome <> 'denied' AND coalesce(decision, '') <> 'reject'
), told AS (
    SELECT subject, split_part(key, chr(31), 1) AS principal, split_part(key, chr(31), 2) AS kind, split_part(key, chr(31), 3) AS place, n, sessions, first_at
    FROM normal WHERE detector = 'privileged_tool_from_new_place'
), known AS (
    SELECT * FROM told WHERE subject = principal
), through AS (
    SELECT * FROM told WHERE starts_with(subject, chr(31))
), here AS (
    SELECT principal, kind, place, min(called_at) AS begun_here FROM ({_PLACES}) GROUP BY ALL
), judged AS (
    SELECT u.*, own.first_at AS begun_at, sum(k.n)::BIGINT AS calls, count(*) AS places, min(k.first_at) AS since
    FROM used AS u
    JOIN known AS own ON own.principal = u.principal AND own.kind = u.kind AND own.place = u.place
    JOIN here AS h ON h.principal = u.principal AND h.kind = u.kind AND h.place = u.place AND h.begun_here <= own.first_at
    JOIN known AS k ON k.principal = u.principal AND k.kind = u.kind AND k.place <> u.place AND k.first_at < own.first_at
    WHERE u.called_at < own.first_at + INTERVAL 1 DAY
    GROUP BY ALL
    HAVING sum(k.n) >= {CALLS_AT_LEAST} AND min(k.first_at) <= own.first_at - INTERVAL {DAYS_AT_LEAST} DAY
), colleagues AS (
    SELECT DISTINCT mine.principal, other.principal AS colleague
    FROM known AS mine JOIN through AS other ON other.subject = chr(31) || mine.place AND other.principal <> mine.principal
    WHERE mine.kind = 'agent'
), places AS (
    SELECT principal, kind, place, min(first_at) AS first_at FROM through GROUP BY ALL
), shared AS (
    SELECT j.principal, j.kind, j.place, count(DISTINCT c.colleague) AS colleagues
    FROM (SELECT DISTINCT principal, kind, place, begun_at FROM judged) AS j JOIN colleagues AS c USING (principal)
    JOIN places AS p ON p.principal = c.colleague AND p.kind = j.kind AND p.place = j.place AND p.first_at < date_trunc('day', j.begun_at)
    GROUP BY ALL
), weighed AS (
    SELECT j.*, coalesce(s.colleagues, 0) AS colleagues, s.colleagues IS NOT NULL AND s.colleagues >= {COLLEAGUES} AS usual, t.place IS NOT NULL AS own_tool
    FROM judged AS j LEFT JOIN shared AS s USING (principal, kind, place)
    LEFT JOIN known AS t ON t.principal = j.principal AND t.kind = 'tool' AND t.place = {_NAME.replace("server", "j.server").replace("tool", "j.tool")}
        AND t.first_at < date_trunc('day', j.begun_at) AND t.sessions > {TOOL_SESSIONS}
)
SELECT principal AS scope_key, kind || chr(31) || place AS subject, list(call_id ORDER BY own_tool, called_at, call_id)[:20] AS call_ids,
       CASE WHEN kind = 'network' AND NOT any_value(usual) AND NOT bool_and(own_tool) THEN 2 ELSE 1 END AS grade,
       CASE WHEN any_value(usual) THEN 0.2 WHEN any_value(places) <= 3 THEN 0.8 ELSE 0.5 END AS score,
       printed(principal) || ' used ' || min_by(tool, (own_tool, called_at, call_id)) || coalesce(' of ' || min_by(server, (own_tool, called_at, call_id)), '')
           || CASE kind WHEN 'network' THEN ' from ' || printed(min(client_address)) ELSE ' through the agent ' || printed(place) END
           || ', not seen with it before ' || strftime(any_value(begun_at), '%Y-%m-%d') || '; since ' || strftime(any_value(since), '%Y-%m-%d') || ' it made '
           || any_value(calls) || ' calls from ' || any_value(places) || CASE kind WHEN 'network' THEN ' other networks.' ELSE ' other agents.' END
           || CASE WHEN bool_and(own_tool) THEN ' The tool is one that it uses otherwise, too.' ELSE '' END
           || CASE WHEN any_value(usual) THEN ' ' || any_value(colleagues) || ' who work through the same agents are there as well.' ELSE '' END AS sentence,
       {{'kind': kind, 'actual': place, 'baseline_calls': any_value(calls), 'known': any_value(places), 'since': any_value(since)::VARCHAR,
        'tool_is_new': NOT bool_and(own_tool), 'colleagues_there': any_value(colleagues),
        'alerting': any_value(places) <= 3 AND NOT any_value(usual)}} AS evidence
FROM weighed GROUP BY principal, kind, place
"""

_PAST = steady(call("list_users", principal="pat@example.com", client_address="192.0.2.7", server="directory", called_at=START - timedelta(days=20)), 30,
               timedelta(hours=12))


def _colleagues(address: str, *names: str) -> list[Call]:
    """The same list, asked for by others, from elsewhere."""
    return [
        call("list_users", principal=name, client_address=address, server="directory", session_id=f"{name}-{n}", called_at=START - timedelta(days=n + 1))
        for name in names for n in range(3)
    ]


def _delete(**more: Any) -> Call:
    return call("delete_user", {"id": 7}, "deleted", server="directory", principal="pat@example.com", **{"client_address": "203.0.113.9", **more})


DETECTOR = Detector(
    severity=Severity.HIGH,
    techniques=("owasp-mcp:2025:MCP07", "owasp-asi:2026:ASI03", "attack:T1078"),
    scope=Scope.PRINCIPAL,
    lookback=timedelta(days=1),
    learn=LEARN,
    learn_by=f"unnest([coalesce(principal, ''), {THROUGH}])",
    suspect=f"bool_or(principal IS NOT NULL AND {PRIVILEGED})",
    needs=("normal",),
    find=FIND,
    fires_on={
        "a user is deleted from elsewhere": [*_PAST, _delete()],
        "by an agent never used before": [*_PAST, _delete(client_address=None, agent="curl-agent")],
        "from where one colleague works": [*_PAST, *_colleagues("203.0.113.40", "kim@example.com"), _delete()],
        "from where people of another agent work": [*_PAST, _delete(), *(
            replace(one, agent="other") for one in _colleagues("203.0.113.40", "kim@example.com", "lou@example.com"))],
    },
    quiet_on={
        "from the usual network": [*_PAST, _delete(client_address="192.0.2.200")],
        "a tool that only reads": [*_PAST, call("list_users", principal="pat@example.com", client_address="203.0.113.9", server="directory")],
        "a principal without history": [_delete()],
        "a place of some days ago": [
            *_PAST, call("list_users", principal="pat@example.com", client_address="203.0.113.9", server="directory", called_at=START - timedelta(days=3)),
            _delete()],
        "from where several colleagues work": [*_PAST, *_colleagues("203.0.113.40", "kim@example.com", "lou@example.com"), _delete()],
        "the call was denied": [*_PAST, _delete(outcome=Outcome.DENIED)],
    },
)
