"""One session is used by two principals, or from two places in turn.

What it detects
In one session, calls of one agent for two principals; or its calls come from two client addresses of different networks in turn (back to the
first after the second), as they do when two parties hold the same session.

Why it matters
A session id that was guessed or stolen works for whoever sends it, with all that was agreed on in that session.

False positives
A move from one network to another, which goes one way, stays quiet. Load balancers with several outgoing addresses of different networks. Services
that call on behalf of many people in one session.

Blind spots
Both parties behind one address, and sources that tell neither principal nor address. Sessions known only as a trace are left out for principals:
a trace may cross services on purpose.
"""

from datetime import timedelta
from typing import Any

from detectors.contract import Detector, Scope
from detectors.scenarios import call, session
from store.records import Outcome, Record, SessionSource, Severity

FIND = r"""
WITH made AS (
    SELECT session_id, session_source, call_id, called_at, seq, agent, principal, client_address,
           coalesce(nullif(regexp_extract(client_address, '^(\d+\.\d+)\.\d+\.\d+(?::\d+)?$', 1), ''),
                    nullif(lower(regexp_extract(client_address, '^\[?([0-9a-fA-F]+:[0-9a-fA-F]*:[0-9a-fA-F]*):', 1)), ''), client_address) AS network
    FROM calls WHERE session_id IS NOT NULL AND outcome <> 'denied'
), by_principal AS (
    SELECT session_id, agent, list_sort(list(DISTINCT principal)) AS parties, arg_min(call_id, (called_at, call_id)) AS first_id,
           arg_min(principal, (called_at, call_id)) AS first_party
    FROM made WHERE principal IS NOT NULL AND session_source < 4 GROUP BY session_id, agent HAVING count(DISTINCT principal) BETWEEN 2 AND 5
), turns AS (
    SELECT *, lag(network) OVER (PARTITION BY session_id, agent, principal ORDER BY called_at, seq, call_id) AS before
    FROM made WHERE network IS NOT NULL
), by_place AS (
    SELECT session_id, agent, list_sort(list(DISTINCT client_address)) AS parties, count(*) FILTER (before <> network) AS changes,
           count(DISTINCT network) AS networks, arg_min(call_id, (called_at, call_id)) AS first_id, arg_min(network, (called_at, call_id)) AS first_party
    FROM turns GROUP BY session_id, agent, principal HAVING count(DISTINCT network) = 2 AND count(*) FILTER (before <> network) >= 2
), told AS (
    SELECT p.session_id, 'principals' AS what, p.agent, p.parties, p.first_id, min_by(m.call_id, (m.called_at, m.call_id)) AS other_id, 0 AS changes
    FROM by_principal AS p JOIN made AS m ON m.session_id = p.session_id AND m.agent IS NOT DISTINCT FROM p.agent AND m.principal <> p.first_party
    GROUP BY ALL
    UNION ALL
    SELECT p.session_id, 'addresses', p.agent, p.parties, p.first_id, min_by(m.call_id, (m.called_at, m.call_id)), p.changes
    FROM by_place AS p JOIN made AS m ON m.session_id = p.session_id AND m.agent IS NOT DISTINCT FROM p.agent AND m.network <> p.first_party
    GROUP BY ALL
)
SELECT session_id AS scope_key, what || chr(31) || coalesce(agent, '') AS subject, [first_id, other_id] AS call_ids,
       CASE what WHEN 'principals' THEN 3 ELSE 1 END AS grade, CASE what WHEN 'principals' THEN 0.8 ELSE 0.6 END AS score,
       coalesce(agent, 'An agent') || ' called for ' || len(parties) || ' ' || what || ' in one session (' || array_to_string(list_transform(parties, lambda p: printed(p))[:3], ', ')
           || ')' || CASE WHEN changes > 0 THEN ', changing between them ' || changes || ' times.' ELSE '.' END AS sentence,
       {'what': what, 'parties': parties, 'changes': changes} AS evidence
FROM told
QUALIFY row_number() OVER (PARTITION BY session_id, what, agent ORDER BY len(parties) DESC, first_id) = 1
"""

_SOURCE: dict[str, Any] = {"session_source": SessionSource.MCP_SESSION}


def _from(*addresses: str) -> list[Record]:
    return session(*(call("read_file", {"path": f"/n/{i}"}, client_address=a, server="files", **_SOURCE) for i, a in enumerate(addresses)))


DETECTOR = Detector(
    severity=Severity.HIGH,
    techniques=("owasp-mcp:2025:MCP07", "owasp-asi:2026:ASI03", "attack:T1563", "attack:T1078"),
    scope=Scope.SESSION,
    lookback=timedelta(hours=24),
    suspect="min(principal) <> max(principal) OR min(client_address) <> max(client_address)",
    find=FIND,
    fires_on={
        "a second principal": session(call(principal="pat@example.com", **_SOURCE), call(principal="eve@example.org", **_SOURCE)),
        "two places in turn": _from("192.0.2.7", "203.0.113.9", "192.0.2.7"),
    },
    quiet_on={
        "a move to another network": _from("192.0.2.7", "192.0.2.7", "203.0.113.9", "203.0.113.9"),
        "another address of one network": _from("192.0.2.7", "192.0.2.8", "192.0.2.7"),
        "each agent has its own principal": session(call(principal="pat@example.com", **_SOURCE), call(principal="ci@example.com", agent="builder", **_SOURCE)),
        "the second was denied": session(call(principal="pat@example.com", **_SOURCE), call(principal="eve@example.org", outcome=Outcome.DENIED, **_SOURCE)),
    },
)
