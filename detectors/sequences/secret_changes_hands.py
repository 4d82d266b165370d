"""A secret is used by somebody who never had it.

What it detects
A masked token or key in the arguments of a call, used before under another principal (or, where principals are not known, by another agent), and never
by this one; the user did not give it in this session.

Why it matters
Tokens belong to somebody. One that turns up in other hands was read from somewhere, passed on, or stolen.

False positives
Shared secrets by design: once three have used it, it counts as shared and stays quiet. A job that takes over another's work.

Blind spots
Passwords, and tokens in headers, which traces do not carry. The first use by a thief, if the owner's use was never seen.
"""

from datetime import timedelta
from typing import Any

from detectors.contract import Detector, Scope
from detectors.scenarios import START, call, session, together
from detectors.secret_marks import KIND
from store.records import Call, Outcome, Record, Severity

SHARED_BY = 3
TOKENS = f"""(contains(arguments, '[secret:') AND len(list_filter(regexp_extract_all(arguments, '{KIND}', 1),
    lambda k: k NOT IN ('password', 'password-hash', 'card-number', 'assigned-secret'))) > 0)"""
"""Passwords are chosen by people, who choose alike; tokens are made and belong to somebody."""

WHO = "coalesce('principal ' || principal, 'agent ' || agent)"

LEARN = f"""
SELECT lesson, subject, atom || chr(31) || who AS key, count(*) AS n, min(called_at) AS first_at, max(called_at) AS last_at
FROM (SELECT {WHO} AS who, lesson, subject, called_at, unnest(argument_atoms) AS atom FROM calls WHERE outcome <> 'denied' AND {TOKENS})
WHERE (atom & 15) = 6 AND who IS NOT NULL GROUP BY ALL
"""

FIND = f"""
WITH used AS (
    SELECT session_id, call_id, called_at, tool, server, who, atom
    FROM (SELECT *, {WHO} AS who, unnest(argument_atoms) AS atom FROM calls
          WHERE session_id IS NOT NULL AND outcome <> 'denied' AND coalesce(decision, '') <> 'reject' AND {TOKENS})
    WHERE (atom & 15) = 6 AND who IS NOT NULL
), holders AS (
    SELECT split_part(key, chr(31), 1)::UBIGINT AS atom, split_part(key, chr(31), 2) AS who, first_at, last_at, n
    FROM normal WHERE detector = 'secret_changes_hands'
), judged AS (
    SELECT u.*, count(*) AS owners, min(h.who) AS owner, min(h.first_at) AS since, sum(h.n) AS uses
    FROM used AS u JOIN holders AS h ON h.atom = u.atom AND h.who <> u.who AND h.first_at < u.called_at
        AND split_part(h.who, ' ', 1) = split_part(u.who, ' ', 1)
    WHERE NOT EXISTS (FROM holders AS o WHERE o.atom = u.atom AND o.who = u.who AND o.first_at < u.called_at)
      AND NOT EXISTS (FROM messages AS m WHERE m.session_id = u.session_id AND m.role = 'user' AND list_contains(m.text_atoms, u.atom))
    GROUP BY ALL HAVING count(*) < {SHARED_BY}
)
SELECT session_id AS scope_key, atom::VARCHAR AS subject, [call_id] AS call_ids, 3 AS grade, 0.8 AS score,
       'A secret in the arguments of ' || tool || coalesce(' of ' || server, '') || ' was used by ' || printed(who) || ' for the first time; since '
           || strftime(since, '%Y-%m-%d') || ' only ' || printed(owner) || CASE WHEN owners > 1 THEN ' and ' || (owners - 1) || ' other' ELSE '' END
           || ' had used it.' AS sentence,
       {{'who': who, 'owner': owner, 'owners': owners, 'since': since::VARCHAR, 'uses_before': uses::BIGINT}} AS evidence
FROM judged QUALIFY row_number() OVER (PARTITION BY session_id, atom ORDER BY called_at, call_id) = 1
"""

_TOKEN = "ghp_" + "x7Kq2Lm9" * 4 + "Zt5w"


def _used(principal: str | None, **more: Any) -> Call:
    return call("api_request", {"url": "https://api.example.com", "token": _TOKEN}, "200", server="web", principal=principal, **more)


def _past(*principals: str) -> list[Record]:
    return together(*(session(_used(p), name=f"past-{n}", start=START - timedelta(days=n + 1), prompt="Sync.") for n, p in enumerate(principals)))


DETECTOR = Detector(
    severity=Severity.MEDIUM,
    techniques=("owasp-mcp:2025:MCP01", "owasp-mcp:2025:MCP07", "owasp-asi:2026:ASI03", "safe-mcp:SAFE-T1304", "attack:T1550"),
    scope=Scope.SESSION,
    learn=LEARN,
    learn_at_once=True,
    suspect="bool_or(contains(arguments, '[secret:'))",
    needs=("normal",),
    find=FIND,
    fires_on={"another person's token": [*_past("pat@example.com"), *session(_used("eve@example.org"), prompt="Sync.")]},
    quiet_on={
        "its owner uses it again": [*_past("pat@example.com"), *session(_used("pat@example.com"), prompt="Sync.")],
        "the user gave it": [*_past("pat@example.com"), *session(_used("kim@example.com"), prompt=f"Sync with {_TOKEN}.")],
        "the source tells no principals": [*_past("pat@example.com"), *session(_used(None), prompt="Sync.")],
        "the call was denied": [*_past("pat@example.com"), *session(_used("eve@example.org", outcome=Outcome.DENIED), prompt="Sync.")],
    },
)
