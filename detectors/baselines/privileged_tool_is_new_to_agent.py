"""An agent with a settled set of tools begins to use a privileged one.

What it detects
The first day on which an agent uses a tool that destroys, pays, runs code or changes permissions, after a hundred and fifty calls over five days without
it, where its tools are settled: by Good and Turing's estimate less than one call in a hundred is of a tool that it never used. Where its peers use
the tool, agents that use at least half of its tools on the same servers, that only ranks.

Why it matters
Scope creep: what an agent can do grows call by call, and a hijacked agent reaches for what its task never needed.

False positives
A new task or release of the agent. The user's own words do not excuse it here; where the prompt asks for it, the session's other findings say so.

Blind spots
Agents without a name or with little history, and tools whose names do not say what they do. An agent that is taken over together with its peers, or
does what its peers may do and it should not: say who may call what with `grants`.
"""

from datetime import timedelta
from typing import Any

from detectors.contract import Detector, Scope
from detectors.peers import BESIDE
from detectors.privileges import PRIVILEGED
from detectors.scenarios import START, call, steady
from store.records import Call, Outcome, Severity

CALLS_AT_LEAST, DAYS_AT_LEAST = 150, 5
CHANCE_AT_MOST = 0.01
"""Good-Turing: the chance of something new is the share of what was seen once. An agent that tries tools all the time is not settled."""

PEER_SHARE, PEER_SESSIONS = 0.5, 5
"""A peer uses so much of what the agent uses; and in so many of the peers' sessions the tool was used before."""

LEARN = """
SELECT agent || chr(31) || coalesce(server, '') || chr(31) || tool AS key, count(*) AS n, min(called_at) AS first_at, max(called_at) AS last_at
FROM calls WHERE agent IS NOT NULL AND outcome <> 'denied' GROUP BY 1
"""

# A counter may have grown since: what it stood at on the day in question is its even share. The tool itself may have none, where its session is held.
FIND = f"""
WITH used AS (
    SELECT * FROM calls WHERE agent IS NOT NULL AND {PRIVILEGED} AND outcome <> 'denied' AND coalesce(decision, '') <> 'reject'
), told AS (
    SELECT subject, split_part(key, chr(31), 1) AS agent, split_part(key, chr(31), 2) AS server, split_part(key, chr(31), 3) AS tool, n, sessions,
           first_at, last_at
    FROM normal WHERE detector = 'privileged_tool_is_new_to_agent'
), known AS (
    SELECT * FROM told WHERE subject = agent
), beside AS (
    SELECT * FROM told WHERE subject = {BESIDE}
), begun AS (
    SELECT agent, coalesce(server, '') AS server, tool, min(called_at) AS begun_at FROM used GROUP BY ALL
), before_it AS (
    SELECT u.agent, u.server, u.tool, u.call_id, u.called_at, b.begun_at, k.first_at,
           greatest(1, k.n * least(1, (epoch(b.begun_at) - epoch(k.first_at)) / greatest(1, epoch(k.last_at) - epoch(k.first_at)))) AS n
    FROM used AS u JOIN begun AS b ON b.agent = u.agent AND b.server = coalesce(u.server, '') AND b.tool = u.tool
    ANTI JOIN known AS own ON own.agent = u.agent AND own.server = b.server AND own.tool = u.tool AND own.first_at < b.begun_at
    JOIN known AS k ON k.agent = u.agent AND k.first_at < b.begun_at
    WHERE u.called_at < b.begun_at + INTERVAL 1 DAY
), judged AS (
    SELECT agent, server, tool, call_id, called_at, begun_at, sum(n)::BIGINT AS calls, count(*) AS tools,
           min(first_at) AS since, (1 + count(*) FILTER (n < 2)) / (1 + sum(n)) AS chance
    FROM before_it
    GROUP BY ALL
    HAVING sum(n) >= {CALLS_AT_LEAST} AND min(first_at) <= begun_at - INTERVAL {DAYS_AT_LEAST} DAY
), own AS (
    SELECT j.agent, j.server, j.tool, j.begun_at, b.server AS on_server, b.tool AS with_tool, count(*) OVER (PARTITION BY j.agent, j.server, j.tool) AS tools
    FROM (SELECT DISTINCT agent, server, tool, begun_at FROM judged WHERE chance <= {CHANCE_AT_MOST}) AS j
    JOIN beside AS b ON b.agent = j.agent AND b.first_at < j.begun_at
), alike AS (
    SELECT o.agent, o.server, o.tool, o.begun_at, b.agent AS peer
    FROM own AS o JOIN beside AS b ON b.server = o.on_server AND b.tool = o.with_tool AND b.agent <> o.agent AND b.first_at < o.begun_at
    GROUP BY o.agent, o.server, o.tool, o.begun_at, b.agent, o.tools HAVING count(*) >= {PEER_SHARE} * o.tools
), usual AS (
    SELECT a.agent, a.server, a.tool, count(DISTINCT a.peer) AS peers, count(DISTINCT b.agent) AS users, coalesce(sum(b.sessions), 0)::BIGINT AS sessions
    FROM alike AS a LEFT JOIN beside AS b
      ON b.agent = a.peer AND b.server = coalesce(a.server, '') AND b.tool = a.tool AND b.first_at < date_trunc('day', a.begun_at)
    GROUP BY ALL
), weighed AS (
    SELECT j.*, coalesce(u.peers, 0) AS peers, coalesce(u.users, 0) AS users, coalesce(u.sessions, 0) AS peer_sessions,
           coalesce(u.users * 2 >= u.peers AND u.sessions >= {PEER_SESSIONS}, false) AS usual
    FROM judged AS j LEFT JOIN usual AS u ON u.agent = j.agent AND u.server IS NOT DISTINCT FROM j.server AND u.tool = j.tool
)
SELECT agent AS scope_key, coalesce(server, '') || chr(31) || tool AS subject, list(call_id ORDER BY called_at, call_id)[:20] AS call_ids, 1 AS grade,
       CASE WHEN any_value(usual) THEN 0.2 ELSE 0.6 END AS score,
       printed(agent) || ' used ' || tool || coalesce(' of ' || server, '') || ' for the first time on ' || strftime(any_value(begun_at), '%Y-%m-%d')
           || '; since ' || strftime(any_value(since), '%Y-%m-%d') || ' it had made ' || any_value(calls) || ' calls of ' || any_value(tools)
           || ' other tools without it.' || CASE WHEN any_value(usual) THEN ' Of ' || any_value(peers) || ' agents that do alike, ' || any_value(users)
               || ' used it before, in ' || any_value(peer_sessions) || ' sessions.' ELSE '' END AS sentence,
       {{'actual': tool, 'baseline_calls': any_value(calls), 'tools_known': any_value(tools), 'chance': round(any_value(chance), 5),
        'since': any_value(since)::VARCHAR, 'peers': any_value(peers), 'peers_that_use_it': any_value(users),
        'peer_sessions': any_value(peer_sessions), 'alerting': NOT any_value(usual)}} AS evidence
FROM weighed WHERE chance <= {CHANCE_AT_MOST} GROUP BY agent, server, tool
"""

_PAST = steady(call("list_tickets", server="tickets", called_at=START - timedelta(days=10)), 240, timedelta(hours=1))


def _others(agent: str, *tools: str, sessions: int = 8) -> list[Call]:
    """What another agent did on the days before."""
    return [
        call(tool, server="directory" if tool == "grant_role" else "tickets", agent=agent, session_id=f"{agent}-{n}",
             called_at=START - timedelta(days=n % 4 + 2)) for n in range(sessions) for tool in tools
    ]


def _grant(**more: Any) -> Call:
    return call("grant_role", {"user": "eve", "role": "admin"}, "granted", server="directory", **more)


DETECTOR = Detector(
    severity=Severity.MEDIUM,
    techniques=("owasp-mcp:2025:MCP02", "owasp-asi:2026:ASI03", "owasp-asi:2026:ASI10", "owasp-llm:2026:LLM03", "safe-mcp:SAFE-T1104", "attack:T1078"),
    scope=Scope.AGENT,
    lookback=timedelta(days=1),
    learn=LEARN,
    learn_by=f"unnest([coalesce(agent, ''), {BESIDE}])",
    suspect=f"bool_or(agent IS NOT NULL AND {PRIVILEGED})",
    find=FIND,
    fires_on={
        "a ticket agent grants roles": [*_PAST, _grant()],
        "agents that do other things grant roles": [*_PAST, *_others("administrator", "list_accounts", "grant_role"), _grant()],
        "another agent did it today as well": [*_PAST, *_others("colleague", "list_tickets"), _grant(agent="colleague", session_id="s2"), _grant()],
    },
    quiet_on={
        "a new tool that only reads": [*_PAST, call("get_role", {"role": "admin"}, server="directory")],
        "an agent without history": [_grant()],
        "an agent that tries tools all the time": [
            *_PAST, *(call(f"try_{n}", server="tickets", called_at=START - timedelta(days=2)) for n in range(12)), _grant()],
        "one of the agent's first tools": [*_PAST, _grant(called_at=START - timedelta(days=9)), _grant()],
        "its peers do it": [*_PAST, *_others("colleague", "list_tickets", "grant_role"), *_others("other", "list_tickets", "grant_role"), _grant()],
        "the call was denied": [*_PAST, _grant(outcome=Outcome.DENIED)],
    },
)
