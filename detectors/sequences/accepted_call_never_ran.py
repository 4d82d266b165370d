"""A call was allowed, and nothing more was heard of it.

What it detects
A decision to accept a call whose outcome was never told, in a session in which other accepted calls have theirs, and which went on for ten minutes
and three calls.

Why it matters
Either the call ran and its record was kept back, or it was swapped for another between approval and execution. Both are what an audit is for (MCP08).

False positives
A client that crashed, or a user who broke the call off. The outcome may still be on its way: the finding goes when it comes.

Blind spots
Sources that tell decisions only, or none; the last calls of a session.
"""

from dataclasses import replace
from datetime import timedelta

from detectors.contract import Detector, Scope
from detectors.scenarios import call, session
from store.records import Call, Observer, Outcome, Record, Severity, State

LATER_CALLS, LATER = 3, "INTERVAL 10 MINUTE"

FIND = f"""
WITH decided AS (
    SELECT * FROM calls WHERE session_id IS NOT NULL AND decision = 'accept'
), open AS (
    SELECT * FROM decided WHERE outcome = 'unknown' AND duration_ms IS NULL AND result_state = 'absent' AND list_has_all(['decision'], observed_by)
), told AS (
    SELECT session_id, count(*) AS ran FROM decided WHERE outcome IN ('ok', 'error') GROUP BY session_id
)
SELECT o.session_id AS scope_key, o.call_id AS subject, [o.call_id] AS call_ids, 1 AS grade, 0.5 AS score,
       'The call of ' || o.tool || coalesce(' of ' || o.server, '') || ' was accepted' || coalesce(' by ' || printed(o.decided_by), '')
           || ', and its outcome was never told; ' || any_value(t.ran) || ' other accepted calls of the session have theirs, and '
           || count(*) || ' calls came later.' AS sentence,
       {{'tool': o.tool, 'accepted_and_run': any_value(t.ran), 'later_calls': count(*)}} AS evidence
FROM open AS o JOIN told AS t USING (session_id)
JOIN calls AS c ON c.session_id = o.session_id AND c.called_at > o.called_at AND c.outcome IN ('ok', 'error')
GROUP BY o.session_id, o.call_id, o.tool, o.server, o.decided_by, o.called_at
HAVING count(*) >= {LATER_CALLS} AND max(c.called_at) >= o.called_at + {LATER}
"""


def _accepted(**more: object) -> Call:
    return replace(call("read_file", {"path": "/n"}, server="files", decision="accept", decided_by="user"), **more)  # type: ignore[arg-type]


_OPEN = _accepted(observed_by=Observer.DECISION, outcome=Outcome.UNKNOWN, result=None, result_state=State.ABSENT)


def _worked(*calls: Call) -> list[Record]:
    return session(*calls, every=timedelta(minutes=5))


DETECTOR = Detector(
    severity=Severity.LOW,
    techniques=("owasp-mcp:2025:MCP08", "attack:T1562"),
    scope=Scope.SESSION,
    suspect="bool_or(decision = 'accept' AND outcome = 'unknown')",
    find=FIND,
    fires_on={"one of five is never heard of again": _worked(_accepted(), _OPEN, _accepted(), _accepted(), _accepted())},
    quiet_on={
        "all were told": _worked(*(_accepted() for _ in range(5))),
        "it is the last": _worked(_accepted(), _accepted(), _accepted(), _OPEN),
        "the source tells decisions only": _worked(*(replace(_OPEN, observation_id=f"d{n}") for n in range(6))),
        "it was rejected": _worked(_accepted(), replace(_OPEN, decision="reject", outcome=Outcome.DENIED), _accepted(), _accepted(), _accepted()),
    },
)
