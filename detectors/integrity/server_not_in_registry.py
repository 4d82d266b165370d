r"""A server or tool that the registry does not approve was called.

What it detects
Once a server is approved (`toolhound registry approve`): calls to a server without approval, to a retired server or tool, to another version
than the approved one, and of a tool whose newest definition is not the one that was approved.

Why it matters
Shadow servers are set up by one person for one task and stay, with nobody to look at what their tools say and do.

False positives
Approvals that were forgotten, names that differ between sources, and releases that came before their review.

Blind spots
An impostor under an approved name, and sources that do not tell the server. Calls made before the first approval or excused by a later one.
"""

from detectors.contract import Detector, Scope
from detectors.scenarios import call, definition, registration
from store.records import Outcome, Severity

FIND = """
WITH made AS (
    SELECT call_id, called_at, session_id, server, tool, server_version FROM calls
    WHERE server IS NOT NULL AND outcome <> 'denied' AND coalesce(decision, '') <> 'reject'
      AND called_at >= (SELECT min(changed_at) FROM registry WHERE tool IS NULL AND state = 'approved')
), defined AS (
    SELECT server, tool, arg_max(definition_hash, (last_seen_at, definition_hash)) AS newest_hash, max(last_seen_at) AS defined_at
    FROM tool_definitions GROUP BY server, tool
), judged AS (
    SELECT m.*, s.version, CASE
        WHEN s.state IS NULL THEN 'which nobody has approved'
        WHEN s.state = 'retired' AND s.changed_at <= m.called_at THEN 'which is retired'
        WHEN t.state = 'retired' AND t.changed_at <= m.called_at THEN 'a tool that is retired'
        WHEN s.version IS NOT NULL AND m.server_version IS NOT NULL AND s.version <> m.server_version THEN 'another version than the approved ' || printed(s.version)
        WHEN t.definition_hash IS NOT NULL AND d.newest_hash <> t.definition_hash AND d.defined_at > t.changed_at AND m.called_at >= d.defined_at
        THEN 'a tool whose definition is not the approved one' END AS why
    FROM made AS m
    LEFT JOIN registry AS s ON s.server = m.server AND s.tool IS NULL
    LEFT JOIN registry AS t ON t.server = m.server AND t.tool = m.tool
    LEFT JOIN defined AS d ON d.server = m.server AND d.tool = m.tool
), told AS (
    SELECT server, why, CASE WHEN starts_with(why, 'a tool') THEN tool ELSE '' END AS which, server_version, any_value(version) AS version,
           list(call_id ORDER BY called_at, call_id)[:50] AS call_ids, count(*) AS calls
    FROM judged WHERE why IS NOT NULL GROUP BY ALL
)
SELECT server AS scope_key, which || chr(31) || why || chr(31) || coalesce(server_version, '') AS subject, call_ids, 3 AS grade, 0.8 AS score,
       CASE calls WHEN 1 THEN 'A call' ELSE calls || ' calls' END || ' went to ' || printed(server) || coalesce(' ' || printed(server_version), '')
           || CASE WHEN which <> '' THEN ', tool ' || printed(which) ELSE '' END || ', ' || why || '.' AS sentence,
       {'server': server, 'server_version': server_version, 'approved_version': version, 'calls': calls} AS evidence
FROM told
"""

_CALL = call(server="weather", server_version="1.1.0")

DETECTOR = Detector(
    severity=Severity.MEDIUM,
    techniques=("owasp-mcp:2025:MCP09", "owasp-asi:2026:ASI04", "owasp-llm:2026:LLM04", "atlas:AML.T0010.005", "attack:T1133"),
    scope=Scope.SERVER,
    needs=("registry",),
    find=FIND,
    fires_on={
        "a server that nobody approved": [registration("mail"), _CALL],
        "a retired server": [registration("mail"), registration(state="retired"), _CALL],
        "another version": [registration(version="1.0.0"), _CALL],
        "a definition that nobody approved": [registration(), registration(tool="get_weather", definition_hash="of another"), definition(), _CALL],
    },
    quiet_on={
        "approved": [registration(), _CALL],
        "approved in this version": [registration(version="1.1.0"), _CALL],
        "no registry is kept": [_CALL],
        "a retired tool beside it": [registration(), registration(tool="get_forecast", state="retired"), _CALL],
        "the call was denied": [registration("mail"), call(server="weather", outcome=Outcome.DENIED)],
    },
)
