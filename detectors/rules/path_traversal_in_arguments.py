r"""A path that climbs out of where it belongs, or goes to the system's own secrets.

What it detects
Argument values that climb two levels or more (`../../`, also percent-encoded or with backslashes, and `....//`), a null byte behind a
file name, or the system's account and key files.

Why it matters
File tools are meant for one folder. Servers that only check a prefix hand out everything the process can read (CVE-2025-53109, -53110).

False positives
Relative imports in code and links in documents: long texts and text-like arguments are left out.

Blind spots
Symbolic links, and prefixes that only look allowed (`/allowed_evil`), which need the server's own roots.
"""

from detectors.contract import Detector, Scope
from detectors.scenarios import call
from store.records import Outcome, Severity

FIND = r"""
WITH suspect AS (
    SELECT call_id FROM calls WHERE outcome <> 'denied' AND regexp_matches(arguments, '\.\.|%2e|%00|\\u0000|/etc/|/proc/')
), judged AS (
    SELECT l.*, regexp_extract(value, '(?i)(?:(?:\.|%2e|%252e){2,4}(?:/|\\|%2f|%5c|%252f)+){2,}[^\s]{0,80}|\x00|%00\.|^(?:file://)?/etc/(?:passwd|shadow|sudoers|gshadow)\b|^/proc/(?:self|\d+)/(?:environ|mem|cmdline)\b')
        AS climbs
    FROM leaves AS l SEMI JOIN suspect USING (call_id)
    WHERE len(value) <= 1000 AND NOT regexp_matches(name, 'body|content|text|message|description|patch|diff|prompt|note|comment|code|command|cmd|script')
)
SELECT call_id AS scope_key, name AS subject, [call_id] AS call_ids, 3 AS grade, 0.9 AS score,
       'Argument ' || name || ' of ' || tool || coalesce(' of ' || server, '') || ' leaves its folder: ' || printed(climbs) AS sentence,
       {'argument': name, 'matched': printed(climbs)} AS evidence
FROM judged WHERE climbs <> ''
QUALIFY row_number() OVER (PARTITION BY call_id, name ORDER BY value) = 1
"""

DETECTOR = Detector(
    severity=Severity.HIGH,
    techniques=("owasp-mcp:2025:MCP05", "owasp-asi:2026:ASI05", "safe-mcp:SAFE-T1105", "attack:T1083"),
    scope=Scope.CALL,
    suspect=r"bool_or(regexp_matches(arguments, '\.\.|%2e|%00|\\u0000|/etc/|/proc/'))",
    find=FIND,
    fires_on={
        "four levels up": [call("read_file", {"path": "../../../../etc/passwd"}, server="files")],
        "percent-encoded": [call("get_report", {"name": "%2e%2e%2f%2e%2e%2fconfig/master.key"}, server="reports")],
        "the account file": [call("read_file", {"path": "/etc/shadow"}, server="files")],
    },
    quiet_on={
        "a neighbouring folder": [call("read_file", {"path": "../README.md"}, server="files")],
        "a range": [call("list_commits", {"range": "v1.2..v1.3"}, server="git")],
        "code that imports": [call("write_file", {"path": "a.ts", "content": "import x from '../../../lib/x'"}, server="files")],
        "the call was denied": [call("read_file", {"path": "../../../../etc/passwd"}, None, server="files", outcome=Outcome.DENIED)],
    },
)
