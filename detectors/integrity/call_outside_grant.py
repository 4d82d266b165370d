r"""A call that no grant allows.

What it detects
A principal or an agent that has grants (`toolhound grant add`) called a tool that none of them covers, or covered once: the grant has ended or
was taken back. Whoever has no grant at all is not held to any.

Why it matters
Privileges creep: a token works on long after the task it was given for. The grant says what was meant, the call what is done.

False positives
Grants that were forgotten to renew, and new tools of a server whose grant lists tools one by one.

Blind spots
Calls of agents and principals without any grant; sources that tell neither. A grant given later does not excuse an earlier call.
"""

from datetime import timedelta

from detectors.contract import Detector, Scope
from detectors.privileges import PRIVILEGED
from detectors.scenarios import START, call, grant
from store.records import Outcome, Severity

FIND = rf"""
WITH made AS (
    SELECT call_id, called_at, principal, agent, server, tool FROM calls
    WHERE outcome <> 'denied' AND coalesce(decision, '') <> 'reject' AND EXISTS (FROM grants)
), kinds AS (
    SELECT DISTINCT principal, agent, server, tool FROM made
), concerned AS (
    SELECT k.*, g.granted_at, least(coalesce(g.expires_at, 'infinity'), coalesce(g.revoked_at, 'infinity')) AS ends_at, g.revoked_at, g.granted_by,
           (g.server IS NULL OR k.server GLOB g.server) AND (g.tool IS NULL OR k.tool GLOB g.tool) AS covers
    FROM kinds AS k JOIN grants AS g
      ON (g.principal IS NULL OR k.principal GLOB g.principal) AND (g.agent IS NULL OR k.agent GLOB g.agent)
), judged AS (
    SELECT m.*, bool_or(c.covers AND m.called_at < c.ends_at) AS allowed, count(*) AS grants,
           max(c.ends_at) FILTER (c.covers) AS ended_at, arg_max(c.granted_by, c.ends_at) FILTER (c.covers) AS granted_by,
           arg_max(c.ends_at = c.revoked_at, c.ends_at) FILTER (c.covers) AS taken_back
    FROM made AS m JOIN concerned AS c
      ON c.principal IS NOT DISTINCT FROM m.principal AND c.agent IS NOT DISTINCT FROM m.agent AND c.server IS NOT DISTINCT FROM m.server
     AND c.tool = m.tool AND c.granted_at <= m.called_at
    GROUP BY ALL
)
SELECT call_id AS scope_key, 'grant' AS subject, [call_id] AS call_ids, CASE WHEN {PRIVILEGED} THEN 4 ELSE 3 END AS grade,
       CASE WHEN ended_at IS NULL THEN 0.8 ELSE 0.9 END AS score,
       concat_ws(' for ', agent, principal) || ' called ' || tool || coalesce(' of ' || server, '')
           || CASE WHEN ended_at IS NULL THEN ', which none of its grants covers (' || grants || ' known).'
                   WHEN taken_back THEN ' after its grant was taken back on ' || strftime(ended_at, '%Y-%m-%d %H:%M') || '.'
                   ELSE ' after its grant had ended on ' || strftime(ended_at, '%Y-%m-%d %H:%M') || '.' END AS sentence,
       {{'grants': grants, 'ended_at': ended_at::VARCHAR, 'granted_by': granted_by}} AS evidence
FROM judged WHERE NOT coalesce(allowed, false)
"""

_MERGE = call("merge_pull_request", {"number": 12}, "merged", server="github", agent="release-bot", principal="pat@example.com")

DETECTOR = Detector(
    severity=Severity.MEDIUM,
    techniques=("owasp-mcp:2025:MCP02", "owasp-mcp:2025:MCP07", "owasp-asi:2026:ASI03", "owasp-llm:2026:LLM03", "safe-mcp:SAFE-T1104", "attack:T1078"),
    scope=Scope.CALL,
    needs=("grants",),
    find=FIND,
    fires_on={
        "a server that was never granted": [grant(agent="release-bot", server="tickets"), _MERGE],
        "the grant has ended": [grant(agent="release-bot", server="github", expires_at=START - timedelta(hours=1)), _MERGE],
        "the grant was taken back": [grant(principal="*@example.com", server="git*", revoked_at=START - timedelta(days=2)), _MERGE],
    },
    quiet_on={
        "a pattern covers it": [grant(agent="release-*", server="github", tool="merge_*", expires_at=START + timedelta(days=1)), _MERGE],
        "one of two covers it": [grant(agent="release-bot", server="tickets"), grant(principal="pat@*", server="github"), _MERGE],
        "an agent without grants": [grant(agent="billing-bot", server="tickets"), _MERGE],
        "the first grant came later": [grant(agent="release-bot", server="tickets", granted_at=START + timedelta(days=1)), _MERGE],
        "the call was denied": [grant(agent="release-bot", server="tickets"),
                                call("merge_pull_request", {"number": 12}, None, server="github", agent="release-bot", outcome=Outcome.DENIED)],
    },
)
