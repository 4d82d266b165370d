"""Arguments or a result far larger than any that the tool had before.

What it detects
A call whose arguments or result have at least 20 KB and eight times the length of every earlier call of the tool, of which there were fifty.

Why it matters
Bulk is what exfiltration, a dump of a database and an attempt to flood the model's context have in common.

False positives
A first large file. Results count less than arguments: they only add to the session's risk unless they pass a megabyte.

Blind spots
Tools with fewer than fifty calls, tools whose payloads vary that much anyway, and data that leaves in many small pieces. Lengths are those that
were recorded; a source without payloads has none. Earlier lengths are known to within a factor of two.
"""

from datetime import timedelta

from detectors.contract import Detector, Scope
from detectors.scenarios import START, call, steady
from store.records import Outcome, Severity

DOUBLINGS = 3
"""Eight times; since earlier lengths are known to within a factor of two, at least four times in truth."""

SMALLEST_BYTES = 20_000
"""What fits a page or a mail is no bulk."""

LOUD_RESULT_BYTES = 1_000_000
CALLS_AT_LEAST = 50

_LENGTHS = """
    SELECT call_id, called_at, coalesce(server, '') || chr(31) || tool || chr(31) || 'arguments' AS what, arguments_bytes AS bytes
    FROM calls WHERE arguments_bytes > 0 AND outcome <> 'denied' AND coalesce(decision, '') <> 'reject'
    UNION ALL
    SELECT call_id, called_at, coalesce(server, '') || chr(31) || tool || chr(31) || 'result', result_bytes FROM calls WHERE result_bytes > 0
"""

LEARN = f"""
SELECT lesson, subject, what || chr(31) || floor(log2(bytes))::INT AS key, count(*) AS n, min(called_at) AS first_at, max(called_at) AS last_at
FROM ({_LENGTHS.replace('SELECT call_id', 'SELECT lesson, subject, call_id')}) GROUP BY ALL
"""

FIND = f"""
WITH large AS (
    SELECT *, floor(log2(bytes))::INT AS size FROM ({_LENGTHS}) WHERE bytes >= {SMALLEST_BYTES}
), known AS (
    SELECT array_to_string(string_split(key, chr(31))[:3], chr(31)) AS what, string_split(key, chr(31))[4]::INT AS size, n, first_at
    FROM normal WHERE detector = 'payload_is_oversize'
), judged AS (
    SELECT l.call_id, l.what, l.bytes, sum(k.n) AS n, max(k.size) AS largest, sum(k.n * pow(2, k.size) * 1.5) / sum(k.n) AS typical
    FROM large AS l JOIN known AS k ON k.what = l.what AND k.first_at < l.called_at
    GROUP BY l.call_id, l.what, l.bytes, l.size HAVING sum(k.n) >= {CALLS_AT_LEAST} AND max(k.size) + {DOUBLINGS} <= l.size
)
SELECT j.call_id AS scope_key, string_split(what, chr(31))[3] AS subject, [j.call_id] AS call_ids, 3 AS grade,
       least(1.0, 0.4 + 0.1 * (log2(bytes) - largest)) AS score,
       'The ' || string_split(what, chr(31))[3] || ' of ' || c.tool || coalesce(' of ' || c.server, '') || ' had ' || format('{{:,}}', bytes)
           || ' bytes; the ' || n::BIGINT || ' calls before had less than ' || format('{{:,}}', pow(2, largest + 1)::BIGINT) || ', about '
           || format('{{:,}}', typical::BIGINT) || ' on average.' AS sentence,
       {{'actual': bytes, 'typical': typical::BIGINT, 'range': [0, pow(2, largest + 1)::BIGINT], 'baseline_calls': n::BIGINT,
        'alerting': string_split(what, chr(31))[3] = 'arguments' OR bytes >= {LOUD_RESULT_BYTES}}} AS evidence
FROM judged AS j JOIN calls AS c USING (call_id)
"""

_PAST = steady(call("post_note", {"text": "fine"}, "noted", server="notes", called_at=START - timedelta(days=2)), 60)

DETECTOR = Detector(
    severity=Severity.MEDIUM,
    techniques=("owasp-mcp:2025:MCP10", "owasp-asi:2026:ASI02", "owasp-llm:2026:LLM06", "safe-mcp:SAFE-T1801", "attack:T1048"),
    scope=Scope.CALL,
    learn=LEARN,
    learn_at_once=True,
    learn_by="coalesce(server, '')",
    suspect=f"max(greatest(arguments_bytes, result_bytes)) >= {SMALLEST_BYTES}",
    needs=("normal",),
    find=FIND,
    fires_on={
        "a dump goes into a note": [*_PAST, call("post_note", {"text": "row " * 20_000}, "noted", server="notes")],
        "a tool returns megabytes": [*_PAST, call("post_note", {"text": "fine"}, "row " * 300_000, server="notes")],
    },
    quiet_on={
        "a long note": [*_PAST, call("post_note", {"text": "row " * 2_000}, "noted", server="notes")],
        "a tool that takes such now and then": [
            *_PAST, call("post_note", {"text": "row " * 4_900}, "noted", server="notes", called_at=START - timedelta(hours=1)),
            call("post_note", {"text": "row " * 20_000}, "noted", server="notes")],
        "a tool without history": [call("post_note", {"text": "row " * 20_000}, "noted", server="notes")],
        "the call was denied": [*_PAST, call("post_note", {"text": "row " * 20_000}, None, server="notes", outcome=Outcome.DENIED)],
    },
)
