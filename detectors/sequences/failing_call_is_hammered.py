"""One failing call is tried over and over, without slowing down.

What it detects
Ten tries or more of the same call (tool and arguments) in one session that all fail and of which none succeeds, mixed with other calls or with
errors that change, where the pauses between tries do not grow and are shorter than fifteen seconds in the middle.

Why it matters
A retry storm takes down the service that is already failing, and burns a budget; well-made clients wait longer after each failure.

False positives
A person who presses for an answer. Tries whose pauses grow, or that end in success, stay quiet.

Blind spots
Storms over many sessions; tries whose arguments change. The same call with the same error and nothing in between is told as identical calls.
"""

from datetime import timedelta

from detectors.contract import Detector, Scope
from detectors.scenarios import START, call, session
from store.records import Call, Outcome, Record, Severity

TRIES_AT_LEAST = 10
"""Common clients give up after three to five tries."""
GAP_SECONDS = 15
GROWING = 1.5
"""Backing off doubles the pause each time as a rule; half as much again between the halves of the run is the least that counts."""

FIND = f"""
WITH failing AS (
    SELECT session_id, server, tool, hash(coalesce(arguments, argument_shingles::VARCHAR)) AS asked
    FROM calls WHERE session_id IS NOT NULL AND outcome <> 'denied' AND arguments_state <> 'absent'
    GROUP BY ALL HAVING count(*) FILTER (outcome = 'error') >= {TRIES_AT_LEAST} AND count(*) FILTER (outcome = 'ok') = 0
), steps_of AS (
    SELECT c.session_id, c.server, c.tool, c.call_id, c.called_at, c.seq, c.outcome, coalesce(c.error_message, c.result, c.error_type) AS error,
           hash(coalesce(c.arguments, c.argument_shingles::VARCHAR)) AS asked,
           row_number() OVER (PARTITION BY c.session_id ORDER BY c.called_at, c.seq, c.call_id) AS step
    FROM calls AS c SEMI JOIN (SELECT DISTINCT session_id FROM failing) USING (session_id)
), tries AS (
    SELECT s.*, epoch(s.called_at - lag(s.called_at) OVER one) AS pause, row_number() OVER one AS place, count(*) OVER (
        PARTITION BY s.session_id, s.server, s.tool, s.asked) AS tried
    FROM steps_of AS s JOIN failing AS f ON f.session_id = s.session_id AND f.server IS NOT DISTINCT FROM s.server AND f.tool = s.tool
      AND f.asked = s.asked
    WHERE s.outcome = 'error'
    WINDOW one AS (PARTITION BY s.session_id, s.server, s.tool, s.asked ORDER BY s.step)
), storms AS (
    SELECT session_id, server, tool, asked, count(*) AS tries, median(pause) AS pause, count(DISTINCT error) AS errors,
           coalesce(median(pause) FILTER (place * 2 <= tried), 0) AS early, coalesce(median(pause) FILTER (place * 2 > tried), 0) AS late,
           max(step) - min(step) + 1 - count(*) AS between_them, list(call_id ORDER BY step) AS call_ids
    FROM tries GROUP BY session_id, server, tool, asked
)
SELECT session_id AS scope_key, call_ids[1] AS subject, call_ids[:50] AS call_ids, 3 AS grade, least(1.0, 0.5 + tries / 60.0) AS score,
       tool || coalesce(' of ' || server, '') || ' was tried ' || tries || ' times with the same arguments and failed each time; the pause was '
           || round(early, 1) || ' seconds in the first half and ' || round(late, 1) || ' in the second, where a client that backs off waits longer.'
           AS sentence,
       {{'actual': tries, 'typical': '3 to 5', 'pause_seconds': pause, 'pause_first_half': early, 'pause_second_half': late,
        'different_errors': errors, 'calls_between': between_them}} AS evidence
FROM storms
WHERE pause < {GAP_SECONDS} AND late <= {GROWING} * greatest(early, 0.001) AND (errors > 1 OR between_them > 0)
"""

_LOGGED = call("write_log", {"line": "tried"}, "ok", server="files")


def _try(n: int, error: str = "503 from node {n}", outcome: Outcome = Outcome.ERROR) -> Call:
    return call("book_room", {"room": 4}, None, server="rooms", outcome=outcome, error_message=error.format(n=n))


def _tried(*pauses: float) -> list[Record]:
    made: list[Record] = []
    moment = START
    for n, pause in enumerate(pauses):
        moment += timedelta(seconds=pause)
        made += session(_try(n), prompt=None, start=moment)
    return made


DETECTOR = Detector(
    severity=Severity.MEDIUM,
    techniques=("owasp-mcp:2025:MCP06", "owasp-asi:2026:ASI08", "owasp-llm:2026:LLM06", "atlas:AML.T0029", "safe-mcp:SAFE-T1106",
                "safe-mcp:SAFE-T2102", "attack:T1499"),
    scope=Scope.SESSION,
    suspect=f"count(*) FILTER (outcome = 'error') >= {TRIES_AT_LEAST}",
    find=FIND,
    fires_on={
        "errors of changing nodes": _tried(*[3.0] * 14),
        "faster and faster": _tried(*(12 / n for n in range(1, 15))),
        "each try is logged": session(*(c for n in range(12) for c in (_try(n, "unavailable"), _LOGGED)), prompt="Book room 4."),
    },
    quiet_on={
        "the pauses grow": _tried(*(1.5**n for n in range(12))),
        "it succeeds in the end": [*_tried(*[3.0] * 14), *session(_try(15, "", Outcome.OK), prompt=None, start=START + timedelta(minutes=2))],
        "four tries": _tried(*[3.0] * 4),
        "once a minute": _tried(*[60.0] * 14),
        "other arguments each time": session(*(
            call("book_room", {"room": n}, None, server="rooms", outcome=Outcome.ERROR, error_message=f"taken until {n}") for n in range(14))),
        "the calls were denied": session(*(_try(n, outcome=Outcome.DENIED) for n in range(14)), prompt="Book room 4."),
    },
)
