"""The same call again and again, with the same result.

What it detects
A run of calls in one session to the same tool with the same arguments and the same result (or error), with nothing else between them.

Why it matters
A stuck agent, or one that a tool's answer keeps in a loop (tool interference): it costs money and blocks a service until somebody notices.

False positives
Waiting for something: a status asked every half minute or slower, or whose answer changes, stays quiet.

Blind spots
Loops over more than one call, or with changing arguments. Sources without arguments need a run twice as long.
"""

from datetime import timedelta

from detectors.contract import Detector, Scope
from detectors.repetition import REPEATED
from detectors.scenarios import burst, call, session, steady
from store.records import Severity

FIND = """
WITH told AS (
    SELECT *, hash(coalesce(server, ''), tool, coalesce(arguments, argument_shingles::VARCHAR), coalesce(result, result_shingles::VARCHAR), outcome)
           AS same, arguments_state = 'absent' AS blind
    FROM steps WHERE session_id IS NOT NULL AND outcome <> 'denied'
), marked AS (
    SELECT *, row_number() OVER (PARTITION BY session_id ORDER BY step) - row_number() OVER (PARTITION BY session_id, same ORDER BY step) AS island
    FROM told
), runs AS (
    SELECT session_id, same, island, count(*) AS length, any_value(tool) AS tool, any_value(server) AS server, bool_or(blind) AS blind,
           list(call_id ORDER BY step) AS call_ids, min(step) AS first_step,
           date_diff('millisecond', min(called_at), max(called_at)) / 1000.0 / (count(*) - 1) AS gap_seconds
    FROM marked GROUP BY session_id, same, island HAVING count(*) >= 10
)
SELECT session_id AS scope_key, arg_min(call_ids, first_step)[1] AS subject, arg_max(call_ids, length)[:50] AS call_ids, 3 AS grade,
       least(1.0, 0.5 + max(length) / 60.0) AS score,
       arg_max(tool || coalesce(' of ' || server, ''), length) || ' was called ' || max(length)
           || ' times in a row with the same arguments and the same result, ' || round(arg_max(gap_seconds, length), 1) || ' seconds apart.' AS sentence,
       {'actual': max(length), 'typical': 1, 'gap_seconds': arg_max(gap_seconds, length)} AS evidence
FROM runs WHERE gap_seconds < 30 AND (NOT blind OR length >= 20) GROUP BY session_id, same
"""

_ASK = call("get_status", {"job": 7}, "pending", server="builds")

DETECTOR = Detector(
    severity=Severity.MEDIUM,
    techniques=("owasp-mcp:2025:MCP06", "owasp-asi:2026:ASI08", "owasp-llm:2026:LLM06", "atlas:AML.T0034.002", "safe-mcp:SAFE-T1106", "attack:T1499"),
    scope=Scope.SESSION,
    suspect=f"{REPEATED} >= 9",
    find=FIND,
    fires_on={"fifteen times in fifteen seconds": burst(_ASK, 15)},
    quiet_on={
        "asked every minute": steady(_ASK, 15, timedelta(minutes=1)),
        "the answer changes": session(*(call("get_status", {"job": 7}, f"{n} of 15 done", server="builds") for n in range(15)), prompt="Is job 7 done?"),
        "other calls between": session(*(c for n in range(12) for c in (call("get_status", {"job": 7}, "pending"), call("read", {"n": n}, f"line {n}")))),
        "a few retries": burst(_ASK, 5),
    },
)
