r"""A result holds records of a tenant that its reader never saw.

What it detects
A tenant, organisation or workspace id in a result that this principal (else agent) never met at this server before this session, after thirty
results over three days with the same one or two ids; the user named it no more than the arguments did.

Why it matters
In the Asana case (2025) ordinary calls returned other customers' rows for weeks. Nothing in the calls tells, only whose rows come back.

False positives
A second organisation that somebody joined. Staff who serve many tenants know more than two and stay quiet.

Blind spots
Results without such ids, or not captured; readers without history.
"""

from datetime import timedelta
from typing import Any

from detectors.contract import Detector, Scope
from detectors.scenarios import START, call, session, together
from store.records import Record, Severity

RESULTS_AT_LEAST, DAYS_AT_LEAST, TENANTS_AT_MOST = 30, 3, 2
TENANT = r'(?i)\b(?:tenant|org|organi[sz]ation|workspace|account)_?(?:id|gid|uuid)\\*"?\s*[:=]\s*\\*"?([A-Za-z0-9-]{2,64})'
WHO = "coalesce(principal, agent, '') || chr(31) || coalesce(server, '')"

_NAMED = "(?i)(?:tenant|org|organi[sz]ation|workspace|account)_?(?:id|gid|uuid)"
_HELD = f"""
    SELECT session_id, call_id, called_at, tool, server, principal, agent, arguments, {WHO} AS who,
           unnest(list_distinct(regexp_extract_all(left(result, 100000), '{TENANT}', 1))) AS tenant
    FROM calls WHERE outcome = 'ok' AND regexp_matches(result, '{_NAMED}')
"""

LEARN = f"""
SELECT lesson, subject, who || chr(31) || tenant AS key, count(*) AS n, min(called_at) AS first_at, max(called_at) AS last_at FROM ({_HELD.replace('SELECT session_id, call_id', 'SELECT lesson, subject, session_id, call_id')}) GROUP BY ALL
"""

FIND = f"""
WITH begun AS (
    SELECT session_id, min(called_at) AS began_at FROM calls WHERE session_id IS NOT NULL GROUP BY session_id
), held AS (
    SELECT h.*, b.began_at FROM ({_HELD}) AS h JOIN begun AS b USING (session_id)
), known AS (
    SELECT split_part(key, chr(31), 1) || chr(31) || split_part(key, chr(31), 2) AS who, split_part(key, chr(31), 3) AS tenant, n, first_at, last_at
    FROM normal WHERE detector = 'foreign_tenant_in_result'
), judged AS (
    SELECT h.session_id, h.who, h.tenant, h.call_id, h.called_at, h.tool, h.server, h.principal, h.agent, sum(k.n)::BIGINT AS n, count(*) AS tenants,
           min(k.tenant) AS usual, min(k.first_at) AS since
    FROM held AS h JOIN known AS k ON k.who = h.who AND k.first_at < h.began_at
    WHERE NOT EXISTS (FROM known AS o WHERE o.who = h.who AND o.tenant = h.tenant AND o.first_at < h.began_at)
      AND NOT coalesce(contains(h.arguments, h.tenant), false)
      AND NOT EXISTS (FROM messages AS m WHERE m.session_id = h.session_id AND m.role = 'user' AND contains(m.text, h.tenant))
    GROUP BY h.session_id, h.who, h.tenant, h.call_id, h.called_at, h.tool, h.server, h.principal, h.agent, h.began_at
    HAVING sum(k.n) >= {RESULTS_AT_LEAST} AND count(*) <= {TENANTS_AT_MOST} AND min(k.first_at) <= h.began_at - INTERVAL {DAYS_AT_LEAST} DAY
)
SELECT session_id AS scope_key, coalesce(any_value(server), '') AS subject, list(DISTINCT call_id ORDER BY call_id)[:20] AS call_ids, 3 AS grade, 0.7 AS score,
       min(tool) || coalesce(' of ' || any_value(server), '') || ' returned records of ' || count(DISTINCT tenant) || ' tenant'
           || CASE WHEN count(DISTINCT tenant) > 1 THEN 's' ELSE '' END || ' (' || printed(min(tenant)) || ') that ' || printed(coalesce(any_value(principal), any_value(agent)))
           || ' never met; since ' || strftime(min(since), '%Y-%m-%d') || ' ' || max(n) || ' results had ' || printed(min(usual)) || '.' AS sentence,
       {{'actual': list_sort(list(DISTINCT tenant))[:10], 'typical': min(usual), 'baseline_results': max(n), 'tenants_known': max(tenants)}} AS evidence
FROM judged GROUP BY session_id, who
"""


def _listed(tenant: str, **more: Any) -> list[Record]:
    return session(call("list_tasks", {}, f'[{{"task": "plan", "tenant_id": "{tenant}"}}]', server="tasks", principal="pat@example.com"),
                   **{"prompt": "List my tasks.", **more})


_PAST = together(*(_listed("acme-eu", name=f"past-{n}", start=START - timedelta(hours=4 * n + 4)) for n in range(40)))

DETECTOR = Detector(
    severity=Severity.MEDIUM,
    techniques=("owasp-mcp:2025:MCP10", "owasp-mcp:2025:MCP07", "owasp-llm:2026:LLM02", "attack:T1213"),
    scope=Scope.SESSION,
    learn=LEARN,
    learn_at_once=True,
    learn_by="coalesce(principal, agent, '')",
    needs=("normal",),
    suspect_result=_NAMED,
    find=FIND,
    fires_on={"another customer's tasks": [*_PAST, *_listed("globex-us")]},
    quiet_on={
        "its own tenant": [*_PAST, *_listed("acme-eu")],
        "the user named it": [*_PAST, *_listed("globex-us", prompt="List the tasks of globex-us.")],
        "a reader without history": _listed("globex-us"),
        "staff of many tenants": together(*(
            _listed(f"customer-{n}", name=f"past-{n}", start=START - timedelta(hours=4 * n + 4)) for n in range(40)), _listed("globex-us")),
    },
)
