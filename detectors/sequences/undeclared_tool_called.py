"""A tool is called that its server never declared.

What it detects
A call that went well, of a tool that its server has declared to no agent at any time, by an agent to which the same server had shown its
tools before. Calls that failed are what a model makes up, and only rank.

Why it matters
Servers may run more than they list: a hidden tool does not appear in any review. Whoever knows its name, and only an attacker or the
server's maker does, can have it called by telling the agent.

False positives
Clients that show the model a selection of a server's tools, and log only that; gateways that rename tools in one place and not in the other.

Blind spots
Sources that never show definitions. Resources and prompts.
"""

from datetime import timedelta

from detectors.contract import Detector, Scope
from detectors.scenarios import START, call, definition, session
from store.records import Outcome, Record, Severity

FIND = """
WITH declared AS (
    SELECT server, tool FROM tool_definitions WHERE server IS NOT NULL GROUP BY ALL
), shown AS (
    SELECT server, agent, count(DISTINCT tool) AS tools, min(first_seen_at) AS first_at FROM tool_definitions WHERE server IS NOT NULL GROUP BY ALL
), undeclared AS (
    SELECT c.session_id, c.server, c.tool, s.tools, list(c.call_id ORDER BY c.called_at, c.call_id)[:20] AS call_ids, count(*) AS calls,
           count(*) FILTER (c.outcome = 'ok') AS done
    FROM calls AS c JOIN shown AS s ON s.server = c.server AND s.agent IS NOT DISTINCT FROM c.agent AND s.first_at <= c.called_at
    ANTI JOIN declared AS d ON d.server = c.server AND d.tool = c.tool
    WHERE c.session_id IS NOT NULL AND c.outcome <> 'denied' AND coalesce(c.decision, '') <> 'reject'
      AND NOT EXISTS (SELECT 1 FROM declared AS e WHERE e.server = c.server AND (ends_with(c.tool, e.tool) OR ends_with(e.tool, c.tool)))
    GROUP BY ALL
)
SELECT session_id AS scope_key, server || chr(31) || tool AS subject, call_ids, CASE WHEN done > 0 THEN 3 ELSE 1 END AS grade,
       CASE WHEN done > 0 THEN 0.7 ELSE 0.2 END AS score,
       printed(tool) || ' of ' || printed(server) || CASE WHEN done > 0 THEN ' was called and answered, though its server declares ' ELSE ' was called without success; its server declares ' END
           || CASE tools WHEN 1 THEN 'another tool' ELSE tools || ' other tools' END || ' and has never declared this one.' AS sentence,
       {'alerting': done > 0, 'calls': calls, 'went_well': done, 'tools_declared': tools} AS evidence
FROM undeclared
"""


def _calling(tool: str, outcome: Outcome = Outcome.OK, declared: str = "get_weather", at: timedelta = timedelta(0)) -> list[Record]:
    return [definition(declared, sighted_at=START + at), definition("get_forecast", sighted_at=START + at),
            *session(call("get_weather", {"city": "Oslo"}), call(tool, {"key": "all"}, "done", outcome=outcome))]


DETECTOR = Detector(
    severity=Severity.MEDIUM,
    techniques=("owasp-mcp:2025:MCP03", "owasp-mcp:2025:MCP09", "owasp-asi:2026:ASI02", "owasp-asi:2026:ASI04", "owasp-llm:2026:LLM04", "atlas:AML.T0053",
                "safe-mcp:SAFE-T1104"),
    scope=Scope.SESSION,
    needs=("tool_definitions",),
    find=FIND,
    fires_on={"a hidden tool answers": _calling("export_settings")},
    quiet_on={
        "the model made it up": _calling("get_tides", Outcome.ERROR),
        "the call was denied": _calling("export_settings", Outcome.DENIED),
        "a name with the server in front of it": _calling("weather__get_weather"),
        "the tools were shown only afterwards": _calling("export_settings", at=timedelta(minutes=1)),
        "the server's tools are not known": session(call("export_settings", server="files")),
        "another agent was shown it": [*_calling("export_settings"), definition("export_settings", agent="night shift")],
    },
)
