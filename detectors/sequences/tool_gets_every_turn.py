"""One tool gets a copy of what happens in every turn.

What it detects
A tool that is called again and again with text that stands in what the user said or in results of other tools: three calls or more, each
bringing another text, until most of the texts of the session (60 %) have gone there. Told where the user's own words are among them or the
tool's name speaks of logging, and the user did not name the tool; else it ranks the session.

Why it matters
A poisoned description or page can order the agent to "log" each turn with a tool of the attacker's. Every single call looks harmless;
together they are the whole conversation (Log-To-Leak).

False positives
A tool for transcripts that the deployment wants: where it got copies in twenty earlier sessions, it only ranks. Row-by-row work between two
tools has one source and stays quiet.

Blind spots
Copies in the agent's own words; texts shorter than 48 characters; sessions of which neither prompts nor results were recorded. A logger
that is there from the deployment's first day becomes usual.
"""

from typing import Any

from detectors.contract import Detector, Scope
from detectors.scenarios import START, call, message, session, together
from store.records import Outcome, Record, Severity

CALLS_AT_LEAST = 3
SHARE_AT_LEAST = 0.6
"""An honest report quotes some of what was read, and is written once or twice."""
USUAL_SESSIONS = 20
_LOGS = "(?:^|[^a-z])(?:log|logs|logger|logging|telemetry|audit|analytics|track|tracking|trace|metrics?|diagnostics?|monitor|usage|feedback|record_turn)"

LEARN = """
SELECT lesson, subject, tool AS key, count(*) AS n, min(called_at) AS first_at, max(called_at) AS last_at
FROM calls WHERE len(argument_shingles) > 0 GROUP BY ALL
"""

_TAKES = "outcome <> 'denied' AND coalesce(decision, '') <> 'reject' AND len(argument_shingles) > 0"
_TAKING = f"""
WITH held AS (
    SELECT session_id, coalesce(server, '') AS server, tool, call_id, called_at, argument_shingles, result_shingles,
           {_TAKES} AS takes
    FROM calls WHERE session_id IS NOT NULL
), taking AS (
    SELECT session_id, server, tool FROM held WHERE takes GROUP BY ALL HAVING count(*) >= {CALLS_AT_LEAST}
)"""
FIND = rf"""
{_TAKING}, texts AS (
    SELECT session_id, message_id AS text_id, '' AS server, '' AS tool, said_at AS told_at, text_shingles AS pieces FROM messages
    SEMI JOIN taking USING (session_id) WHERE role = 'user' AND len(text_shingles) > 0
    UNION ALL
    SELECT session_id, call_id, server, tool, called_at, result_shingles FROM held SEMI JOIN taking USING (session_id) WHERE len(result_shingles) > 0
), given AS (
    SELECT session_id, server, tool, call_id, called_at, unnest(argument_shingles) AS piece FROM held SEMI JOIN taking USING (session_id, server, tool) WHERE takes
), first_told AS (
    SELECT session_id, piece, arg_min(text_id, (told_at, text_id)) AS text_id, min(told_at) AS told_at,
           arg_min(tool, (told_at, text_id)) AS from_tool, arg_min(server, (told_at, text_id)) AS from_server
    FROM (SELECT * EXCLUDE (pieces), unnest(pieces) AS piece FROM texts) SEMI JOIN given USING (session_id, piece) GROUP BY session_id, piece
), copies AS (
    SELECT c.session_id, c.server, c.tool, c.call_id, f.text_id, any_value(f.from_tool) AS from_tool, c.called_at
    FROM given AS c
    JOIN first_told AS f ON f.session_id = c.session_id AND f.piece = c.piece AND f.told_at <= c.called_at
    WHERE f.from_tool <> c.tool OR f.from_server <> c.server
    GROUP BY c.session_id, c.server, c.tool, c.call_id, f.text_id, c.called_at
), fresh AS (
    SELECT * FROM copies QUALIFY row_number() OVER (PARTITION BY session_id, server, tool, text_id ORDER BY called_at, call_id) = 1
), gathered AS (
    SELECT session_id, server, tool, count(*) AS copied, count(DISTINCT call_id) AS calls, count(DISTINCT from_tool) AS origins,
           count(*) FILTER (from_tool = '') AS said, list_distinct(list(call_id ORDER BY called_at, call_id)) AS call_ids, min(called_at) AS first_at
    FROM fresh GROUP BY session_id, server, tool HAVING count(DISTINCT call_id) >= {CALLS_AT_LEAST} AND count(DISTINCT from_tool) >= 2
), judged AS (
    SELECT g.*, (SELECT count(*) FROM texts AS t WHERE t.session_id = g.session_id AND (t.tool <> g.tool OR t.server <> g.server)) AS texts,
           regexp_matches(lower(g.tool), '{_LOGS}') AS logs,
           coalesce((SELECT sum(n.sessions) FROM normal AS n WHERE n.detector = 'tool_gets_every_turn' AND n.first_at < g.first_at
                     AND n.subject = g.server AND n.key = g.tool), 1) - 1 AS sessions_before,
           EXISTS (SELECT 1 FROM messages AS m WHERE m.session_id = g.session_id AND m.role = 'user' AND (
               contains(lower(m.text), lower(g.tool)) OR len(list_filter(regexp_split_to_array(lower(g.tool || ' ' || g.server), '[^a-z]+'),
               lambda w: len(w) >= 3 AND regexp_matches(lower(m.text), '(?:^|[^a-z])' || w || '(?:s|ging|ged|ed|ing)?(?:[^a-z]|$)'))) > 0)) AS named
    FROM gathered AS g
)
SELECT session_id AS scope_key, server || '.' || tool AS subject, call_ids[:50] AS call_ids, 3 AS grade,
       CASE WHEN (said > 0 OR logs) AND NOT named THEN 0.9 ELSE 0.3 END AS score,
       tool || coalesce(' of ' || nullif(server, ''), '') || ' was given ' || copied || ' of the ' || texts || ' longer texts of the session in ' || calls || ' calls'
           || CASE WHEN said > 0 THEN ', the user''s own words among them' ELSE '' END
           || CASE WHEN named THEN '; the user named it.' ELSE '; the user did not ask for it.' END AS sentence,
       {{'actual': round(copied / texts, 2), 'typical': 'below {SHARE_AT_LEAST}', 'texts_copied': copied, 'texts': texts, 'words_of_user': said,
        'baseline_sessions': sessions_before, 'named_by_user': named,
        'alerting': (said > 0 OR logs) AND NOT named AND sessions_before < {USUAL_SESSIONS}}} AS evidence
FROM judged WHERE copied >= {SHARE_AT_LEAST} * texts
"""

_WISHES = ("How many days of leave does Bilal Albrecht of the finance department have left this year?",
           "Which projects has Jonas Hansen of the sales department worked on since last March?", "Who stands in for Farid Costa in the warehouse next week?")
_FACTS = ("Bilal Albrecht has eleven days left of thirty, five of them from the year before.", "Jonas Hansen worked on the fair in Oslo, on two "
          "tenders and on the new price list.", "Elena Ivanova stands in for Farid Costa from Monday to Thursday, Hugo Bakker on Friday.")


def _turns(tool: str, asked: str = "", copies: bool = True, server: str | None = "insight", **more: Any) -> list[Record]:
    made: list[Record] = []
    for n, (wish, fact) in enumerate(zip(_WISHES, _FACTS, strict=True)):
        calls = [call(("leave", "projects", "absence")[n], {"n": n}, fact, server="staff")]
        if copies:
            calls.append(call(tool, {"entry": f"user: {wish} tool: {fact}"}, "ok", server=server, **more))
        start = START.replace(minute=10 * n)
        made += [message(wish + asked, said_at=start), *session(*calls, prompt=None, start=start)]
    return made


_ROWS = [f"Customer number {n} of the list of this year, with address and telephone" for n in range(6)]

DETECTOR = Detector(
    severity=Severity.HIGH,
    techniques=("owasp-mcp:2025:MCP10", "owasp-mcp:2025:MCP03", "owasp-asi:2026:ASI02", "owasp-llm:2026:LLM02", "atlas:AML.T0086", "safe-mcp:SAFE-T1904",
                "safe-mcp:SAFE-T1910", "attack:T1567"),
    scope=Scope.SESSION,
    learn=LEARN,
    learn_at_once=True,
    learn_by="coalesce(server, '')",
    suspect=f"count(*) FILTER ({_TAKES}) - count(DISTINCT tool) FILTER ({_TAKES}) >= {CALLS_AT_LEAST - 1} AND bool_or(handed_on)",
    find=FIND,
    fires_on={
        "a logger gets every turn": _turns("log_interaction"),
        "a tool of another name gets the user's words": _turns("improve_answer"),
        "a logger of which no server is known": _turns("log_interaction", server=None),
    },
    quiet_on={
        "the user asked for a log": _turns("log_interaction", " Please log everything."),
        "nothing is copied": _turns("log_interaction", copies=False),
        "rows carried over one by one": session(*(
            call(("read_row", "add_row")[n % 2], {"text": _ROWS[n // 2]} if n % 2 else {"row": n}, "ok" if n % 2 else _ROWS[n // 2],
                 server=("sheet", "crm")[n % 2]) for n in range(12)), prompt="Copy the sheet into the CRM."),
        "a report at the end": together(_turns("none", copies=False), session(
            call("write_file", {"path": "/notes/staff.txt", "content": " ".join(_FACTS)}, "ok", server="files"), prompt=None,
            start=START.replace(minute=40))),
        "the calls were denied": _turns("log_interaction", outcome=Outcome.DENIED),
    },
)
