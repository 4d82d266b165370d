"""One tool is asked again and again, in other words each time, and its answers bring nothing new.

What it detects
Fifteen calls or more of one tool in one session, with different arguments and less than half a minute apart, of which every answer was empty,
a failure, or a longer text that the same tool had already returned in the session.

Why it matters
An agent that varies its question evades guards against identical calls and runs on until a budget ends it. It is also what a search
for something that is not there looks like.

False positives
Lists that are worked off with nothing to be found (names screened against a register): where most of what was asked for stands in the prompt
or in another tool's result, it stays quiet. Pages that bring new rows, and short answers that say something ("in stock"), count as new.

Blind spots
Sources without results. Empty answers in languages other than English. Short answers are taken as new even when they say the same.
"""

from datetime import timedelta
from typing import Any

from detectors.contract import Detector, Scope
from detectors.repetition import OF_ONE_TOOL
from detectors.scenarios import call, session
from store.records import Call, Outcome, Record, Severity

CALLS_AT_LEAST = 15
"""Reported loops of this kind had hundreds of calls; honest searches give up, or find something, before the tenth."""
GAP_SECONDS = 30
"""As for identical calls: whoever asks more slowly is waiting for something."""
VALUES = 500
"""What was asked for in one run, so many values of it, is looked for elsewhere."""
_EMPTY = (
    r"(?i)^\W*(?:null|none|0)?\W*$"
    r"|\b(?:no|0|zero) (?:\w+ ){0,2}(?:results?|match(?:es)?|items?|files?|rows?|records?|hits?|entries|resources?|data)\b"
    r"|\bnothing found\b|\bnot found\b"
    r'|"(?:results?|items?|matches|data|resources|rows|hits)"\s*:\s*\[\s*\]'
)
_EMPTY_LENGTH = 300

BUSY = f"""
    SELECT session_id, server, tool FROM calls WHERE session_id IS NOT NULL AND outcome <> 'denied' AND coalesce(decision, '') <> 'reject'
    GROUP BY ALL HAVING count(*) >= {CALLS_AT_LEAST}
"""

FIND = f"""
WITH busy AS ({BUSY}), told AS (
    SELECT session_id, server, tool, call_id, called_at, seq, hash(coalesce(arguments, argument_shingles::VARCHAR)) AS asked,
           CASE WHEN outcome = 'error' THEN 'failed' WHEN len(result) <= {_EMPTY_LENGTH} AND regexp_matches(result, '{_EMPTY}') THEN 'empty'
                WHEN len(result_shingles) > 0 THEN coalesce(hash(result), hash(result_shingles))::VARCHAR END AS answer
    FROM calls SEMI JOIN busy ON busy.session_id = calls.session_id AND busy.tool = calls.tool AND busy.server IS NOT DISTINCT FROM calls.server
    WHERE outcome <> 'denied' AND coalesce(decision, '') <> 'reject'
), marked AS (
    SELECT *, answer IS NULL OR (answer NOT IN ('failed', 'empty') AND row_number() OVER (
        PARTITION BY session_id, server, tool, answer ORDER BY called_at, seq, call_id) = 1) AS new
    FROM told
), islands AS (
    SELECT *, sum(new::INT) OVER (PARTITION BY session_id, server, tool ORDER BY called_at, seq, call_id) AS island FROM marked
), runs AS (
    SELECT session_id, server, tool, island, count(*) AS length, count(DISTINCT asked) AS asked, count(*) FILTER (answer = 'empty') AS empty,
           count(*) FILTER (answer = 'failed') AS failed, list(call_id ORDER BY called_at, seq, call_id) AS call_ids,
           date_diff('millisecond', min(called_at), max(called_at)) / 1000.0 / (count(*) - 1) AS gap_seconds
    FROM islands WHERE NOT new GROUP BY session_id, server, tool, island
    HAVING count(*) >= {CALLS_AT_LEAST} AND count(DISTINCT asked) * 2 >= count(*) AND gap_seconds < {GAP_SECONDS}
), longest AS (
    SELECT * FROM runs QUALIFY row_number() OVER (PARTITION BY session_id, server, tool ORDER BY length DESC, call_ids) = 1
), wanted AS (
    SELECT DISTINCT r.session_id, r.server, r.tool, l.value AS said FROM longest AS r, unnest(r.call_ids) AS one(call_id)
    JOIN leaves AS l ON l.call_id = one.call_id WHERE len(l.value) BETWEEN 3 AND 200
    QUALIFY row_number() OVER (PARTITION BY r.session_id, r.server, r.tool ORDER BY hash(l.value), l.value) <= {VALUES}
), given AS (
    SELECT session_id, server, tool, avg((
        EXISTS (FROM messages AS m WHERE m.session_id = w.session_id AND m.role = 'user' AND contains(m.text, w.said))
        OR EXISTS (FROM calls AS c WHERE c.session_id = w.session_id AND (c.tool <> w.tool OR c.server IS DISTINCT FROM w.server)
                   AND contains(c.result, w.said)))::INT) AS share
    FROM wanted AS w GROUP BY ALL
)
SELECT r.session_id AS scope_key, coalesce(r.server, '') || chr(31) || r.tool AS subject, r.call_ids[:50] AS call_ids, 3 AS grade,
       least(1.0, 0.5 + r.length / 60.0) AS score,
       r.tool || coalesce(' of ' || r.server, '') || ' was asked ' || r.asked || ' different things in ' || r.length || ' calls, '
           || round(r.gap_seconds, 1) || ' seconds apart, and no answer brought anything new: ' || r.empty || ' were empty, ' || r.failed
           || ' failed, ' || (r.length - r.empty - r.failed) || ' had been given before.' AS sentence,
       {{'actual': r.length, 'typical': 'fewer than {CALLS_AT_LEAST}', 'different_questions': r.asked, 'empty': r.empty, 'failed': r.failed,
        'gap_seconds': r.gap_seconds, 'share_known_from_elsewhere': round(coalesce(g.share, 0), 2)}} AS evidence
FROM longest AS r LEFT JOIN given AS g ON g.session_id = r.session_id AND g.tool = r.tool AND g.server IS NOT DISTINCT FROM r.server
WHERE coalesce(g.share, 0) < 0.5
"""

_PAGE = "The handbook of the year 2026 says that leave is taken in whole days and is asked for two weeks before it begins."
_NAMES = [f"person-{n:03d}" for n in range(20)]


def _asked(*answers: str, every: timedelta = timedelta(seconds=2), **more: Any) -> list[Record]:
    return session(*_lists(*answers, **more), prompt="Which resources do we have?", every=every)


def _lists(*answers: str, **more: Any) -> list[Call]:
    return [call("resource_list", {"prefix": name}, answer, server="cloud", **more) for name, answer in zip(_NAMES, answers, strict=False)]


DETECTOR = Detector(
    severity=Severity.MEDIUM,
    techniques=("owasp-mcp:2025:MCP06", "owasp-asi:2026:ASI08", "owasp-llm:2026:LLM06", "atlas:AML.T0034.002", "safe-mcp:SAFE-T1106", "attack:T1499"),
    scope=Scope.SESSION,
    suspect=f"{OF_ONE_TOOL} >= {CALLS_AT_LEAST}",
    find=FIND,
    fires_on={
        "twenty prefixes and no resource": _asked(*["[]"] * 20),
        "no matches, in words": _asked(*(f"No matches found for {name}" for name in _NAMES)),
        "the same page under every address": _asked(*[_PAGE] * 20),
        "twenty guesses that fail": _asked(*["permission problem"] * 20, outcome=Outcome.ERROR),
    },
    quiet_on={
        "pages that bring new rows": _asked(*(f"Rows of page {n}: customer {n * 7919} of the list of this year, paid in full" for n in range(20))),
        "something is found in between": _asked(*(_PAGE.replace("2026", str(n)) if n % 8 == 7 else "[]" for n in range(20))),
        "short answers that say something": _asked(*["in stock"] * 20),
        "a register is asked for every name of a list": session(
            call("read_list", {}, ", ".join(_NAMES), server="files"), *_lists(*["no matches"] * 20), prompt="Screen the list.",
            every=timedelta(seconds=2)),
        "a watch that asks every minute": _asked(*["[]"] * 20, every=timedelta(minutes=1)),
        "the calls were denied": _asked(*["[]"] * 20, outcome=Outcome.DENIED),
    },
)
