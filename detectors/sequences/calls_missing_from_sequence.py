"""A session's numbering has holes.

What it detects
A source numbers the calls of its sessions (`seq`), and a session of ten calls or more lacks one to three numbers in the middle that are otherwise
without a gap.

Why it matters
A record that is missing where its neighbours are there was lost on the way, or taken out (MCP08).

False positives
Exports that were filtered. Sources that number more than their calls have gaps everywhere, and are not judged.

Blind spots
Records missing at the beginning or end, sources that do not number, whole sessions that are missing. The missing call may still be on its way:
the finding goes when it comes.
"""

from dataclasses import replace

from detectors.contract import Detector, Scope
from detectors.scenarios import call, session
from store.records import Call, Record, Severity

CALLS_AT_LEAST, MISSING_AT_MOST = 10, 3

FIND = f"""
WITH numbered AS (
    SELECT session_id, dialect, coalesce(agent, '') AS agent, seq, call_id, lead(seq) OVER one AS next_seq, lead(call_id) OVER one AS next_id
    FROM (SELECT session_id, dialect, agent, seq, min(call_id) AS call_id FROM calls WHERE session_id IS NOT NULL AND seq IS NOT NULL GROUP BY ALL)
    WINDOW one AS (PARTITION BY session_id, dialect, coalesce(agent, '') ORDER BY seq, call_id)
), whole AS (
    SELECT session_id, dialect, agent, count(DISTINCT seq) AS seen, max(seq) - min(seq) + 1 - count(DISTINCT seq) AS missing,
           list([call_id, next_id] ORDER BY seq) FILTER (next_seq > seq + 1)[1] AS around, min(seq) FILTER (next_seq > seq + 1) AS after_seq
    FROM numbered GROUP BY session_id, dialect, agent
)
SELECT session_id AS scope_key, dialect || chr(31) || agent AS subject, around AS call_ids, 1 AS grade, 0.5 AS score,
       'Of ' || (seen + missing) || ' calls that the source numbered in this session ' || missing
           || CASE missing WHEN 1 THEN ' is' ELSE ' are' END || ' missing, the first after number ' || after_seq || '.' AS sentence,
       {{'seen': seen, 'missing': missing, 'after': after_seq, 'dialect': dialect}} AS evidence
FROM whole WHERE seen >= {CALLS_AT_LEAST} AND missing BETWEEN 1 AND {MISSING_AT_MOST}
"""


def _numbered(*numbers: int) -> list[Record]:
    made = session(*(call("read_file", {"path": f"/n/{n}"}, server="files") for n in numbers))
    return [replace(one, seq=numbers[one.seq or 0]) if isinstance(one, Call) else one for one in made]


DETECTOR = Detector(
    severity=Severity.LOW,
    techniques=("owasp-mcp:2025:MCP08", "attack:T1562"),
    scope=Scope.SESSION,
    suspect=f"""count(seq) >= {CALLS_AT_LEAST} AND (max(seq) - min(seq) + 1 > count(DISTINCT seq)
        OR min(dialect) <> max(dialect) OR min(coalesce(agent, '')) <> max(coalesce(agent, '')))""",
    find=FIND,
    fires_on={"number seven is missing": _numbered(*range(1, 7), *range(8, 16))},
    quiet_on={
        "all are there": _numbered(*range(1, 16)),
        "the source numbers other things too": _numbered(*range(1, 60, 3)),
        "too few to say": _numbered(1, 2, 3, 5, 6),
        "two calls at once": _numbered(*range(1, 8), 7, *range(8, 14)),
    },
)
