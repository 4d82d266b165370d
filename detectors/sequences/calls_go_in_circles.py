"""The same few calls come round again and again.

What it detects
A cycle of two to six calls in one session that is gone through at least five times, always with the same arguments and the same results, and
with less than half a minute between calls.

Why it matters
An agent caught between tools whose answers send it on to one another repeats a round rather than a call, so that guards against identical calls
stay quiet, while it costs time and money with every round (tool interference).

False positives
Waiting for something: rounds that are slower, that hold a call to wait or sleep, or whose results change, stay quiet.

Blind spots
Cycles of more than six calls, or with a number, a time or a word that changes in each round. Rounds of which neither arguments nor results were
recorded must come ten times. Two calls to two servers in turn are told by another detector.
"""

from datetime import timedelta

from detectors.contract import Detector, Scope
from detectors.repetition import REPEATED
from detectors.scenarios import call, session
from store.records import Call, Outcome, Severity

LONGEST = 6
ROUNDS = 5
"""An honest edit and test, with the same outcome each time, is given up after two or three rounds."""
BLIND_ROUNDS = 10
CALLS_AT_LEAST = 12
GAP_SECONDS = 30
_BACK = ", ".join(f"coalesce(same = lag(same, {n}) OVER s, false)" for n in range(2, LONGEST + 1))

FIND = f"""
WITH told AS (
    SELECT session_id, call_id, called_at, seq, server, tool, arguments_state = 'absent' AND result_state = 'absent' AS blind,
           hash(server, tool, coalesce(arguments, argument_shingles::VARCHAR), coalesce(result, result_shingles::VARCHAR), outcome) AS same
    FROM calls WHERE session_id IS NOT NULL AND outcome <> 'denied' AND coalesce(decision, '') <> 'reject'
), again AS (
    SELECT DISTINCT session_id FROM (SELECT session_id FROM told GROUP BY session_id, same HAVING count(*) >= {ROUNDS - 1})
), marked AS (
    SELECT *, row_number() OVER s AS step, [{_BACK}] AS back FROM told SEMI JOIN again USING (session_id)
    WINDOW s AS (PARTITION BY session_id ORDER BY called_at, seq, call_id)
), apart AS (
    SELECT * EXCLUDE (back), unnest(range(2, {LONGEST + 1})) AS period, unnest(back) AS repeats FROM marked
), islands AS (
    SELECT *, sum((NOT repeats)::INT) OVER (PARTITION BY session_id, period ORDER BY step) AS island FROM apart
), runs AS (
    SELECT session_id, period, min(step) AS first_step, max(step) AS last_step, count(*) AS repeated
    FROM islands WHERE repeats GROUP BY session_id, period, island
    HAVING count(*) >= ({ROUNDS} - 1) * period AND count(*) + period >= {CALLS_AT_LEAST} AND count(DISTINCT same) >= 2
), whole AS (
    SELECT r.session_id, r.period, count(*) AS length, count(*) // r.period AS rounds, list(m.call_id ORDER BY m.step) AS call_ids,
           list(m.tool || coalesce(' of ' || m.server, '') ORDER BY m.step)[:r.period] AS round, bool_and(m.blind) AS blind,
           count(DISTINCT m.server) AS servers, bool_or(regexp_matches(lower(m.tool), '(?:^|[^a-z])(?:sleep|wait|delay|pause)(?:[^a-z]|$)')) AS waits,
           date_diff('millisecond', min(m.called_at), max(m.called_at)) / 1000.0 / (count(*) - 1) AS gap_seconds
    FROM runs AS r JOIN marked AS m ON m.session_id = r.session_id AND m.step BETWEEN r.first_step - r.period AND r.last_step
    GROUP BY r.session_id, r.period, r.first_step
)
SELECT session_id AS scope_key, call_ids[1] AS subject, call_ids[:60] AS call_ids, 3 AS grade, least(1.0, 0.5 + length / 60.0) AS score,
       'The same round of ' || period || ' calls (' || array_to_string(round, ', ') || ') was gone through ' || rounds || ' times, '
           || round(gap_seconds, 1) || ' seconds between calls, '
           || CASE WHEN blind THEN 'arguments and results unrecorded.' ELSE 'with the same arguments and the same results each time.' END AS sentence,
       {{'actual': rounds, 'typical': '1 or 2', 'calls': length, 'period': period, 'round': round, 'gap_seconds': gap_seconds}} AS evidence
FROM whole
WHERE gap_seconds < {GAP_SECONDS} AND NOT waits AND NOT (period = 2 AND servers = 2) AND (NOT blind OR rounds >= {BLIND_ROUNDS})
QUALIFY row_number() OVER (PARTITION BY session_id ORDER BY length DESC, period, call_ids) = 1
"""


def _round(n: int, last: str = "The ledger has to be checked first.") -> list[Call]:
    return [call("get_invoice", {"id": 7}, "See the order.", server="billing"), call("get_order", {"id": 7}, "See the ledger.", server="shop"),
            call("check_ledger", {"id": 7}, last.format(n=n), server="ledger")]


_ROUNDS = [c for n in range(8) for c in _round(n)]

DETECTOR = Detector(
    severity=Severity.MEDIUM,
    techniques=("owasp-mcp:2025:MCP06", "owasp-asi:2026:ASI02", "owasp-asi:2026:ASI08", "owasp-llm:2026:LLM06", "atlas:AML.T0029",
                "safe-mcp:SAFE-T1106", "attack:T1499"),
    scope=Scope.SESSION,
    suspect=f"{REPEATED} >= {CALLS_AT_LEAST - 2}",
    find=FIND,
    fires_on={
        "three servers send the agent on": session(*_ROUNDS, prompt="Is invoice 7 paid?"),
        "two tools of one server, after honest work": session(
            *(call("read", {"n": n}, f"line {n}") for n in range(5)), *(call(("open", "save")[n % 2], {"id": 1}, "try again") for n in range(14))),
    },
    quiet_on={
        "the results change": session(*(c for n in range(8) for c in _round(n, "{n} of 8 entries are booked.")), prompt="Is invoice 7 paid?"),
        "a status is asked, then waited for": session(
            *(c for _ in range(8) for c in (call("get_status", {"job": 7}, "pending"), call("sleep", {"seconds": 5}, "done")))),
        "one round a minute": session(*_ROUNDS, prompt="Is invoice 7 paid?", every=timedelta(minutes=1)),
        "three rounds": session(*_ROUNDS[:9], prompt="Is invoice 7 paid?"),
        "one row after the other": session(*(
            c for n in range(10) for c in (call("read_row", {"row": n}, f"row {n}"), call("add_row", {"row": n}, "ok")))),
        "the calls were denied": session(*(call(("open", "save")[n % 2], {"id": 1}, "try again", outcome=Outcome.DENIED) for n in range(14))),
    },
)
