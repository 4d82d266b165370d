r"""A secret stands in an argument that is not made for one.

What it detects
A masked secret in an argument whose name does not ask for one (a text, a URL's query, a title), where neither the user gave it nor is it a card
number. Kinds that only their surroundings give away (`password=...`) and secrets in commands count towards the session's risk.

Why it matters
What stands in arguments is logged, cached and shown by every server on the way. A token in a URL's query is in its server's log for good.

False positives
Test values of a real shape. Tools that take a secret under a name that does not say so.

Blind spots
Secrets of a shape that is not known, and those cut off in long arguments. What flowed from a result is told by `credential_leaves_session`.
"""

from detectors.contract import Detector, Scope
from detectors.scenarios import call, message, session
from detectors.secret_marks import KIND, MARK, WEAK_KINDS
from store.records import Outcome, Severity

FIND = rf"""
WITH suspect AS (
    SELECT call_id, session_id FROM calls
    WHERE outcome <> 'denied' AND coalesce(decision, '') <> 'reject' AND contains(arguments, '[secret:') AND session_id IS NOT NULL
), given AS (
    SELECT m.session_id, string_agg(m.text, chr(10)) AS said FROM messages AS m SEMI JOIN suspect USING (session_id)
    WHERE m.role = 'user' AND contains(m.text, '[secret:') GROUP BY m.session_id
), marked AS (
    SELECT l.*, regexp_extract(value, '{KIND}', 1) AS kind,
           regexp_extract(value, '{MARK}') AS mark,
           regexp_matches(value, '(?i)https?://[^\s"'']*[?&][^\s"'']*\[secret:') AS in_query
    FROM leaves AS l SEMI JOIN suspect USING (call_id) WHERE contains(value, '[secret:')
)
SELECT k.session_id AS scope_key, call_id || '.' || name AS subject, [call_id] AS call_ids, CASE WHEN in_query OR NOT weak THEN 4 ELSE 3 END AS grade,
       CASE WHEN in_query THEN 0.9 WHEN weak THEN 0.3 ELSE 0.7 END AS score,
       'Argument ' || name || ' of ' || tool || coalesce(' of ' || server, '') || ' holds a secret (' || kind || ')'
           || CASE WHEN in_query THEN ' in the query of a URL.' ELSE '.' END AS sentence,
       {{'argument': name, 'kind': kind, 'in_query': in_query, 'alerting': in_query OR NOT weak}} AS evidence
FROM (
    SELECT *, kind IN {WEAK_KINDS} OR regexp_matches(name, 'command|cmd|script|code|sql|query')
              OR regexp_matches(lower(tool), 'write|edit|save|shell|exec|terminal|run_') AS weak
    FROM marked
) AS k LEFT JOIN given AS g ON g.session_id = k.session_id
WHERE kind <> '' AND kind <> 'card-number' AND NOT coalesce(contains(g.said, mark), false)
  AND (in_query OR NOT regexp_matches(name, 'pass|token|secret|key|auth|credential|header|cookie|pin$|session'))
QUALIFY row_number() OVER (PARTITION BY call_id, name ORDER BY in_query DESC, weak, mark) = 1
"""

_TOKEN = "ghp_" + "x7Kq2Lm9" * 4 + "Zt5w"

DETECTOR = Detector(
    severity=Severity.LOW,
    techniques=("owasp-mcp:2025:MCP01", "owasp-asi:2026:ASI03", "owasp-llm:2026:LLM02", "atlas:AML.T0098", "attack:T1552"),
    scope=Scope.SESSION,
    suspect="bool_or(contains(arguments, '[secret:'))",
    find=FIND,
    fires_on={
        "a token in a message": session(call("post_message", {"channel": "general", "text": f"use {_TOKEN}"}, "ok", server="chat"), prompt="Tell the team."),
        "a token in a URL": session(call("fetch", {"url": f"https://api.example.com/?access_token={_TOKEN}"}, "ok", server="web"), prompt="Fetch the list."),
    },
    quiet_on={
        "an argument that is made for it": session(call("login", {"user": "pat", "token": _TOKEN}, "ok", server="web"), prompt="Log in."),
        "the user gave it": [
            message(f"Post {_TOKEN} to #ops, it is revoked."),
            *session(call("post_message", {"channel": "ops", "text": _TOKEN}, "ok", server="chat"), prompt=None)],
        "a command that needs it": session(
            call("run_command", {"command": f"curl -H 'Authorization: token {_TOKEN}' https://api.example.com"}, "ok", server="shell"), prompt="Try the API."),
        "a placeholder": session(call("post_message", {"text": "set token=<your-token-here>"}, "ok", server="chat"), prompt="Tell the team."),
        "the call was denied": session(
            call("post_message", {"text": _TOKEN}, None, server="chat", outcome=Outcome.DENIED), prompt="Tell the team."),
    },
)
