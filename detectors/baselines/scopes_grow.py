r"""An agent's token got a scope that it never had.

What it detects
An OAuth scope among a call's attributes that writes, deletes, administers or covers everything, and that this agent and principal did not have
before that day, after twenty calls over five days whose scopes were told.

Why it matters
Scopes that were added for one task stay with the token; what is stolen or misled later can do all of it (MCP02: scope creep).

False positives
A new feature that was agreed on. Reading scopes stay quiet.

Blind spots
Sources that do not tell scopes, which are most; the attribute's name must end in scope or scopes, or stand in claims as `scp`.
"""

from datetime import timedelta
from typing import Any

from detectors.contract import Detector, Scope
from detectors.scenarios import START, call, steady
from store.records import Call, Outcome, Severity

CALLS_AT_LEAST, DAYS_AT_LEAST = 20, 5
STRONG = r"(?i)write|delete|admin|manage|full|owner|\*|all$|^repo$|root|impersonat|offline_access|\.default$"

_HELD = r"""
    SELECT call_id, called_at, agent, principal, tool, server, unnest(list_distinct(regexp_extract_all(j.value ->> '$', '[^\s,;\[\]"'']{1,120}'))) AS scope
    FROM calls AS c, json_tree(CASE WHEN json_valid(c.attributes) THEN c.attributes ELSE '{}' END) AS j
    WHERE regexp_matches(c.attributes, '(?i)scopes?"|"scp"') AND c.outcome <> 'denied'
      AND (j.type = 'VARCHAR' AND regexp_matches(j.fullkey, '(?i)(?:oauth|auth|token|claims|grant|mcp|jwt)[^\[]*\bscopes?"?(?:\[\d+\])?$|^\$\."?scopes?"?(?:\[\d+\])?$|\.scp"?(?:\[\d+\])?$'))
"""

LEARN = f"""
SELECT lesson, subject, coalesce(agent, '') || chr(31) || coalesce(principal, '') || chr(31) || scope AS key, count(*) AS n, min(called_at) AS first_at, max(called_at) AS last_at
FROM ({_HELD.replace('SELECT call_id, called_at', 'SELECT lesson, subject, call_id, called_at')}) GROUP BY ALL
"""

FIND = f"""
WITH held AS (
    SELECT *, coalesce(agent, '') || chr(31) || coalesce(principal, '') AS who FROM ({_HELD}) WHERE regexp_matches(scope, '{STRONG}')
), known AS (
    SELECT split_part(key, chr(31), 1) || chr(31) || split_part(key, chr(31), 2) AS who, split_part(key, chr(31), 3) AS scope, n, first_at
    FROM normal WHERE detector = 'scopes_grow'
), judged AS (
    SELECT h.agent, h.principal, h.who, h.scope, h.call_id, h.called_at, own.first_at AS begun_at, max(k.n) AS calls, count(*) AS scopes,
           min(k.first_at) AS since, list_sort(list(k.scope))[:8] AS before
    FROM held AS h
    JOIN known AS own ON own.who = h.who AND own.scope = h.scope
    JOIN known AS k ON k.who = h.who AND k.first_at < own.first_at
    WHERE h.called_at < own.first_at + INTERVAL 1 DAY
    GROUP BY ALL
    HAVING max(k.n) >= {CALLS_AT_LEAST} AND min(k.first_at) <= own.first_at - INTERVAL {DAYS_AT_LEAST} DAY
)
SELECT coalesce(agent, '') AS scope_key, who || chr(31) || scope AS subject, list(call_id ORDER BY called_at, call_id)[:20] AS call_ids, 3 AS grade,
       0.7 AS score,
       concat_ws(' for ', coalesce(agent, 'An agent'), principal) || ' has the scope ' || printed(scope) || ' since ' || strftime(any_value(begun_at), '%Y-%m-%d')
           || '; before, since ' || strftime(any_value(since), '%Y-%m-%d') || ', it had only ' || printed(array_to_string(any_value(before), ', ')) || '.' AS sentence,
       {{'actual': scope, 'typical': any_value(before), 'baseline_calls': any_value(calls), 'since': any_value(since)::VARCHAR}} AS evidence
FROM judged GROUP BY agent, principal, who, scope
"""

_READING = '{"auth.scopes": "issues:read repo:status"}'


def _with(attributes: str, **more: Any) -> Call:
    return call("list_issues", server="github", principal="pat@example.com", attributes=attributes, **more)


_PAST = steady(_with(_READING, called_at=START - timedelta(days=15)), 30, timedelta(hours=12))

DETECTOR = Detector(
    severity=Severity.MEDIUM,
    techniques=("owasp-mcp:2025:MCP02", "owasp-asi:2026:ASI03", "owasp-llm:2026:LLM03", "safe-mcp:SAFE-T1104", "attack:T1078"),
    scope=Scope.AGENT,
    payloads=("attributes",),
    lookback=timedelta(days=1),
    learn=LEARN,
    learn_at_once=True,
    learn_by="coalesce(agent, '')",
    suspect=r"""bool_or(regexp_matches(attributes, '(?i)scopes?"|"scp"'))""",
    needs=("normal",),
    find=FIND,
    fires_on={"administration is added": [*_PAST, _with('{"auth.scopes": "issues:read repo:status admin:org"}')]},
    quiet_on={
        "another scope that reads": [*_PAST, _with('{"auth.scopes": "issues:read repo:status pulls:read"}')],
        "an agent without history": [_with('{"auth.scopes": "admin:org"}')],
        "an attribute that is no scope of a token": [*_PAST, _with('{"otel.scope.name": "admin", "telescope": "write all"}')],
        "the call was denied": [*_PAST, _with('{"auth.scopes": "admin:org"}', outcome=Outcome.DENIED)],
    },
)
