r"""A tool that is not made to hand out secrets returned one.

What it detects
A masked private key, or a token or key whose shape speaks for itself, in the result of a tool whose name does not say that it hands out such.
Kinds that only their surroundings give away (`password=...`) are ordinary in honest results and stay quiet.

Why it matters
From here on the secret is in the model's context, in logs and in caches, and whatever steers the model next can ask for it.

False positives
Documentation and test data with values of a real shape.

Blind spots
Secrets of a shape that is not known. Results that were not captured or were cut off before the secret.
"""

from detectors.contract import Detector, Scope
from detectors.scenarios import call
from detectors.secret_marks import KIND, MARK, WEAK_KINDS
from store.records import Severity

FIND = rf"""
WITH marked AS (
    SELECT call_id, tool, server,
           list_sort(list_distinct(regexp_extract_all(result, '{KIND}', 1))) AS kinds,
           len(list_distinct(regexp_extract_all(result, '{MARK}'))) AS secrets
    FROM calls WHERE contains(result, '[secret:') AND NOT regexp_matches(lower(tool), 'secret|token|credential|password|vault|login|auth|key')
), judged AS (
    SELECT *, list_filter(kinds, lambda k: k NOT IN {WEAK_KINDS}) AS plain
    FROM marked
)
SELECT call_id AS scope_key, 'result' AS subject, [call_id] AS call_ids, 4 AS grade, 0.6 AS score,
       tool || coalesce(' of ' || server, '') || ' returned ' || CASE secrets WHEN 1 THEN 'a secret' ELSE secrets || ' secrets' END
           || ' (' || array_to_string(plain[:3], ', ') || '), now in the model''s context.' AS sentence,
       {{'kinds': kinds, 'secrets': secrets}} AS evidence
FROM judged WHERE len(plain) > 0
"""

_TOKEN = "ghp_" + "x7Kq2Lm9" * 4 + "Zt5w"

DETECTOR = Detector(
    severity=Severity.LOW,
    techniques=("owasp-mcp:2025:MCP01", "owasp-mcp:2025:MCP10", "owasp-llm:2026:LLM02", "safe-mcp:SAFE-T1502", "attack:T1552"),
    scope=Scope.CALL,
    suspect="bool_or(contains(result, '[secret:'))",
    find=FIND,
    fires_on={"a token in a ticket": [call("get_ticket", {"id": 7}, f"It fails with {_TOKEN}.", server="tickets")]},
    quiet_on={
        "a tool that is made for it": [call("create_access_token", {"name": "ci"}, _TOKEN, server="github")],
        "a password's name": [call("get_page", {"id": 7}, "password: hunter2secret99", server="wiki")],
        "a placeholder": [call("get_page", {"id": 7}, "Set GITHUB_TOKEN=ghp_your_token_here", server="wiki")],
    },
)
