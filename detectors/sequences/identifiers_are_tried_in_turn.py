r"""Identifiers are tried one after the other.

What it detects
In one session, ten or more calls of one tool whose identifier argument (`customer_id`, `account`, `user`) counts up or down, with numbers that
neither the user nor any earlier result named.

Why it matters
Servers that check who is logged in but not whose record is asked for give away every record to whoever counts (insecure direct object references).

False positives
Exports that walk all records by design. Pages, offsets, line numbers and years are no identifiers; numbers out of a list that was read are known.

Blind spots
Identifiers tried in random order, or over many sessions. Results that were not captured are taken as naming nothing, and the finding says so.
"""

from typing import Any

from detectors.contract import Detector, Scope
from detectors.repetition import OF_ONE_TOOL
from detectors.scenarios import call, session
from store.records import Call, Outcome, Severity

TRIES_AT_LEAST = 10
LONGEST_STEP = 3
"""Gaps of one or two are left where records were deleted, or where a counter skips."""

FIND = rf"""
WITH busy AS (
    SELECT session_id, server, tool FROM calls WHERE session_id IS NOT NULL AND outcome <> 'denied' AND coalesce(decision, '') <> 'reject'
      AND regexp_matches(arguments, '\d') GROUP BY ALL HAVING count(*) >= {TRIES_AT_LEAST}
), asked AS (
    SELECT c.session_id, c.call_id, c.server, c.tool, c.called_at, c.outcome, c.result_state, regexp_extract(j.fullkey, '([^.\[\]"]+)"?$', 1) AS name,
           try_cast(regexp_extract(j.value ->> '$', '^[A-Za-z_-]{{0,12}}(\d{{1,15}})$', 1) AS BIGINT) AS number, j.value ->> '$' AS said
    FROM calls AS c SEMI JOIN busy AS b ON b.session_id = c.session_id AND b.server IS NOT DISTINCT FROM c.server AND b.tool = c.tool,
         json_tree(CASE WHEN json_valid(c.arguments) THEN c.arguments ELSE '{{}}' END) AS j
    WHERE j.type IN ('VARCHAR', 'UBIGINT', 'BIGINT') AND c.outcome <> 'denied' AND coalesce(c.decision, '') <> 'reject'
), steps_taken AS (
    SELECT *, number - lag(number) OVER one AS step FROM asked
    WHERE number > 0 AND regexp_matches(lower(name), '(?:^|_|[a-z])id$|account|customer|user|order|invoice|ticket|patient|employee|member|tenant|number')
      AND NOT regexp_matches(lower(name), 'page|offset|limit|line|year|size|index|count|port|width|height')
    WINDOW one AS (PARTITION BY session_id, server, tool, name ORDER BY called_at, call_id)
), runs AS (
    SELECT session_id, server, tool, name, count(*) AS tries, count(DISTINCT number) AS numbers,
           count(*) FILTER (step BETWEEN 1 AND {LONGEST_STEP}) AS up, count(*) FILTER (step BETWEEN -{LONGEST_STEP} AND -1) AS down,
           min(number) AS lowest, max(number) AS highest, list(said) AS said, list(call_id ORDER BY called_at, call_id)[:50] AS call_ids,
           count(*) FILTER (outcome = 'error') AS errors, count(*) FILTER (result_state = 'captured') AS captured
    FROM steps_taken GROUP BY session_id, server, tool, name
    HAVING count(DISTINCT number) >= {TRIES_AT_LEAST} AND greatest(up, down) >= 0.8 * (count(*) - 1)
), named AS (
    SELECT r.session_id, r.server, r.tool, r.name, count(DISTINCT s.one) AS known
    FROM (SELECT session_id, server, tool, name, unnest(list_distinct(said))::VARCHAR AS one FROM runs) AS s
    JOIN runs AS r ON r.session_id = s.session_id AND r.server IS NOT DISTINCT FROM s.server AND r.tool = s.tool AND r.name = s.name
    WHERE EXISTS (FROM calls AS c WHERE c.session_id = s.session_id AND (c.tool <> s.tool OR c.server IS DISTINCT FROM s.server) AND contains(c.result, s.one))
       OR EXISTS (FROM messages AS m WHERE m.session_id = s.session_id AND m.role = 'user' AND contains(m.text, s.one))
    GROUP BY ALL
)
SELECT r.session_id AS scope_key, coalesce(r.server, '') || chr(31) || r.tool || chr(31) || r.name AS subject, r.call_ids,
       CASE WHEN r.captured > 0 THEN 3 ELSE 1 END AS grade, least(0.9, 0.5 + r.numbers / 100.0) AS score,
       r.tool || coalesce(' of ' || r.server, '') || ' was asked for ' || r.numbers || ' values of ' || r.name || ' in turn, ' || r.lowest || ' to ' || r.highest
           || ', of which ' || (r.numbers - coalesce(k.known, 0)) || ' stand in no prompt and no other result'
           || CASE WHEN r.captured = 0 THEN '; results were not captured.' WHEN r.errors > 0 THEN '; ' || r.errors || ' failed.' ELSE '.' END AS sentence,
       {{'actual': r.numbers, 'known': coalesce(k.known, 0), 'errors': r.errors, 'range': [r.lowest, r.highest]}} AS evidence
FROM runs AS r LEFT JOIN named AS k ON k.session_id = r.session_id AND k.server IS NOT DISTINCT FROM r.server AND k.tool = r.tool AND k.name = r.name
WHERE r.numbers - coalesce(k.known, 0) >= {TRIES_AT_LEAST}
"""


def _reads(numbers: range, name: str = "customer_id", **more: Any) -> list[Call]:
    return [call("get_customer", {name: n}, f"Customer: {n * 7919} Euro", **{"server": "crm", **more}) for n in numbers]


DETECTOR = Detector(
    severity=Severity.MEDIUM,
    techniques=("owasp-mcp:2025:MCP07", "owasp-asi:2026:ASI03", "safe-mcp:SAFE-T1804", "attack:T1213"),
    scope=Scope.SESSION,
    suspect=f"{OF_ONE_TOOL} >= {TRIES_AT_LEAST}",
    find=FIND,
    fires_on={
        "customers one after the other": session(*_reads(range(1001, 1021)), prompt="What does Pat owe us?"),
        "the same where no server is known": session(*_reads(range(1001, 1021), server=None), prompt="What does Pat owe us?"),
    },
    quiet_on={
        "the list was read before": session(
            call("list_customers", {}, ", ".join(map(str, range(1001, 1021))), server="crm"), *_reads(range(1001, 1021)), prompt="Sum up what all owe."),
        "pages": session(*_reads(range(1, 21), name="page"), prompt="Sum up what all owe."),
        "a few": session(*_reads(range(1001, 1006)), prompt="What does Pat owe us?"),
        "far apart": session(*_reads(range(1001, 99001, 4900)), prompt="What does Pat owe us?"),
        "the calls were denied": session(*_reads(range(1001, 1021), outcome=Outcome.DENIED), prompt="What does Pat owe us?"),
    },
)
