r"""A path lies in a folder whose name only begins like an allowed one.

What it detects
A path in the arguments whose first two folders were never used on this server before, while the server works in at most three folders, one of
which the new one begins with: `/srv/data-evil` beside `/srv/data`.

Why it matters
File servers that compare text instead of folders let it pass as allowed (CVE-2025-53109), and an attacker needs only a name.

False positives
A second folder that is named after the first by habit (`/srv/data_old`). Numbered folders (`/data/pat2`) stay quiet.

Blind spots
Folders deeper than the second level, servers that work in many folders, symbolic links, servers without ten calls of history.
"""

from datetime import timedelta

from detectors.contract import Detector, Scope
from detectors.scenarios import START, call, steady
from store.records import Outcome, Severity

ROOT = r'"(?:file://)?(/[^/"\\\s]{1,80}/[^/"\\\s]{1,80})(?:/[^"]*)?"'
FOLDERS_AT_MOST, CALLS_AT_LEAST = 3, 10
"""A server that is kept to folders has few of them, and is used in them."""

LEARN = f"""
SELECT lesson, subject, coalesce(server, '') || chr(31) || root AS key, count(*) AS n, min(called_at) AS first_at, max(called_at) AS last_at
FROM (SELECT lesson, subject, server, called_at, unnest(list_distinct(regexp_extract_all(arguments, '{ROOT}', 1))) AS root
      FROM calls WHERE outcome <> 'denied' AND contains(arguments, '"/') AND len(arguments) <= 4000)
GROUP BY ALL
"""

FIND = rf"""
WITH used AS (
    SELECT call_id, coalesce(server, '') AS server, tool, called_at, outcome, unnest(list_distinct(regexp_extract_all(arguments, '{ROOT}', 1))) AS root
    FROM calls WHERE outcome <> 'denied' AND coalesce(decision, '') <> 'reject' AND contains(arguments, '"/') AND len(arguments) <= 4000
), known AS (
    SELECT split_part(key, chr(31), 1) AS server, split_part(key, chr(31), 2) AS root, n, first_at FROM normal WHERE detector = 'path_resembles_allowed_folder'
), judged AS (
    SELECT u.*, k.root AS allowed, k.n, count(*) OVER (PARTITION BY u.call_id, u.root) AS folders
    FROM used AS u JOIN known AS k ON k.server = u.server AND k.first_at < u.called_at AND k.root <> u.root
    WHERE NOT EXISTS (FROM known AS o WHERE o.server = u.server AND o.root = u.root AND o.first_at < u.called_at)
)
SELECT call_id AS scope_key, root AS subject, [call_id] AS call_ids, CASE outcome WHEN 'ok' THEN 3 ELSE 1 END AS grade, 0.8 AS score,
       tool || ' of ' || printed(server) || ' was given a path in ' || printed(root) || ', never used before, whose name begins like '
           || printed(allowed) || ', where ' || n || ' calls of this server worked' || CASE outcome WHEN 'ok' THEN '.' ELSE '; it gave no result.' END AS sentence,
       {{'folder': root, 'resembles': allowed, 'calls_there': n, 'folders_known': folders}} AS evidence
FROM judged
WHERE starts_with(root, allowed) AND NOT regexp_matches(substr(root, len(allowed) + 1), '^\d') AND n >= {CALLS_AT_LEAST} AND folders <= {FOLDERS_AT_MOST}
QUALIFY row_number() OVER (PARTITION BY call_id, root ORDER BY len(allowed) DESC) = 1
"""


def _read(path: str) -> dict[str, str]:
    return {"path": path}


_PAST = steady(call("read_file", _read("/srv/data/report.txt"), "fine", server="files", called_at=START - timedelta(days=2)), 12)

DETECTOR = Detector(
    severity=Severity.HIGH,
    techniques=("owasp-mcp:2025:MCP05", "owasp-asi:2026:ASI05", "safe-mcp:SAFE-T1105", "attack:T1083"),
    scope=Scope.CALL,
    learn=LEARN,
    learn_at_once=True,
    learn_by="coalesce(server, '')",
    suspect=r"""bool_or(contains(arguments, '"/'))""",
    needs=("normal",),
    find=FIND,
    fires_on={"a folder beside the allowed one": [*_PAST, call("read_file", _read("/srv/data-evil/keys.txt"), "keys", server="files")]},
    quiet_on={
        "inside the allowed folder": [*_PAST, call("read_file", _read("/srv/data/evil/keys.txt"), "keys", server="files")],
        "another folder": [*_PAST, call("read_file", _read("/srv/archive/keys.txt"), "keys", server="files")],
        "a numbered folder": [*_PAST, call("read_file", _read("/srv/data2/keys.txt"), "keys", server="files")],
        "a server without history": [call("read_file", _read("/srv/data/a.txt"), "a", server="files"),
                                     call("read_file", _read("/srv/data-evil/keys.txt"), "keys", server="files", called_at=START + timedelta(hours=1))],
        "the call was denied": [*_PAST, call("read_file", _read("/srv/data-evil/keys.txt"), None, server="files", outcome=Outcome.DENIED)],
    },
)
