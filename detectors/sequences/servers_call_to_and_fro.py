"""Two servers keep an agent going to and fro between them.

What it detects
A run of calls in one session that alternates between two servers, with the same tools, where both sides feed the other (what one returns
stands in what is asked of the other) or where the same calls come back, within less than a minute each.

Why it matters
OWASP calls it tool interference: the outputs of two tools trigger each other, nobody asked for it, and it ends when a budget does.

False positives
Long alternating work on the user's behalf (read here, write there, row by row) goes one way only and does not repeat, so it stays quiet.

Blind spots
Cycles over three servers or more. Sources without arguments and results show repeated calls only.
"""

from detectors.contract import Detector, Scope
from detectors.repetition import OF_ONE_TOOL
from detectors.scenarios import call, session
from store.records import Severity

FIND = """
WITH ordered AS (
    SELECT session_id, call_id, step, server, tool, called_at, argument_shingles, argument_atoms, arguments,
           lag(server) OVER s AS before, lag(server, 2) OVER s AS before_that, lag(result_shingles) OVER s AS told,
           lag(result_atoms) OVER s AS told_atoms, called_at - lag(called_at) OVER s AS gap
    FROM steps WHERE session_id IS NOT NULL AND server IS NOT NULL AND outcome <> 'denied'
    WINDOW s AS (PARTITION BY session_id ORDER BY step)
), marked AS (
    SELECT *, coalesce(server = before_that AND server <> before AND gap < INTERVAL 1 MINUTE, false) AS swings,
           coalesce(len(list_intersect(argument_shingles, told)) > 0 OR len(list_intersect(argument_atoms, told_atoms)) > 0, false) AS fed
    FROM ordered
), islands AS (
    SELECT *, sum(CASE WHEN swings THEN 0 ELSE 1 END) OVER (PARTITION BY session_id ORDER BY step) AS island FROM marked
), runs AS (
    SELECT session_id, island, count(*) FILTER (swings) AS length, list(call_id ORDER BY step) AS call_ids,
           list_sort(list(DISTINCT server)) AS servers, list_sort(list(DISTINCT coalesce(server, '') || '.' || tool)) AS tools,
           count(DISTINCT hash(server, tool, coalesce(arguments, argument_shingles::VARCHAR))) AS distinct_calls,
           count(*) FILTER (swings AND fed AND server < before) AS fed_one_way, count(*) FILTER (swings AND fed AND server > before) AS fed_other_way
    FROM islands GROUP BY session_id, island
)
SELECT session_id AS scope_key, call_ids[1] AS subject, call_ids[:60] AS call_ids, 3 AS grade, least(1.0, 0.5 + length / 60.0) AS score,
       'The agent went to and fro between ' || array_to_string(servers, ' and ') || ' ' || length || ' times without a pause of a minute, '
           || CASE WHEN least(fed_one_way, fed_other_way) >= 3 THEN 'each answer feeding the next question of the other server.'
                   ELSE 'with only ' || distinct_calls || ' different calls.' END AS sentence,
       {'actual': length, 'typical': '3 or 4', 'tools': tools, 'fed_one_way': fed_one_way, 'fed_other_way': fed_other_way,
        'different_calls': distinct_calls} AS evidence
FROM runs
WHERE length >= 10 AND len(tools) <= 4 AND (least(fed_one_way, fed_other_way) >= 3 OR distinct_calls * 2 <= length)
"""


_NOTE = "Reference TCK-20260{n}-AB7Q needs the other system to confirm it before it can be closed here."

DETECTOR = Detector(
    severity=Severity.MEDIUM,
    techniques=("owasp-mcp:2025:MCP06", "owasp-asi:2026:ASI02", "owasp-asi:2026:ASI08", "owasp-llm:2026:LLM06", "atlas:AML.T0029", "safe-mcp:SAFE-T1703"),
    scope=Scope.SESSION,
    suspect=f"min(server) <> max(server) AND count(server) >= 12 AND {OF_ONE_TOOL} > 8",
    find=FIND,
    fires_on={
        "each answer asks for the other": session(*(
            call("sync_record", {"note": _NOTE.format(n=n)}, _NOTE.format(n=n + 1), server=("crm", "tickets")[n % 2]) for n in range(14)),
            prompt="Close ticket 12."),
        "the same two calls": session(*(call("check", {"id": 1}, "ask the other", server=("crm", "tickets")[n % 2]) for n in range(14))),
    },
    quiet_on={
        "rows carried over one by one": session(*(
            call(("read_row", "add_row")[n % 2], {"row": n // 2, "text": f"Customer number {n // 2} of the list of 2026"},
                 f"Customer number {n // 2} of the list of 2026" if n % 2 == 0 else "ok", server=("sheet", "crm")[n % 2]) for n in range(16)),
            prompt="Copy the sheet into the CRM."),
        "to and fro four times": session(*(
            call("sync_record", {"note": _NOTE.format(n=n)}, _NOTE.format(n=n + 1), server=("crm", "tickets")[n % 2]) for n in range(5))),
    },
)
