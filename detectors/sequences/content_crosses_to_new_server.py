"""Content crosses between two servers between which its agent never carried any.

What it detects
Text that one server returned stands in the arguments of the same agent's call to another server (two shared fingerprints: 48 characters or more,
also when encoded), and in none of its earlier sessions did text go from the one to the other, although it used both on fifteen earlier days. The
user's words do not name the tool that receives it. Where other agents have long carried text from the one to the other, that only ranks.

Why it matters
Each server sees only its own calls. What joins them is the agent, and the pairs that it joins are few and stay the same: files go to mail,
tickets to the code host. A new pair is a new way out, as when a file's text turns up in the side note of a calculator.

False positives
New kinds of work. Each pair is told for the session that begins it; later ones find it known. Agents with little history only rank their sessions.

Blind spots
Pairs that an attacker finds in use already; text that was reworded on the way or is shorter than 48 characters, or that one agent hands to
another; two purposes behind one server's name.
"""

from datetime import timedelta

from detectors.contract import Detector, Scope
from detectors.peers import BESIDE, sessions_of_peers
from detectors.scenarios import START, call, session, together
from store.records import Outcome, Record, Severity

DAYS_AT_LEAST = 15
"""Three working weeks: what is done at all is mostly done once in that time."""

SHARED_AT_LEAST = 2
"""One shared fingerprint may be a heading or a licence line."""

_SEVERAL = "(SELECT session_id FROM calls GROUP BY session_id HAVING count(DISTINCT server) > 1)"

_FLOWS = f"""
    WITH given AS (
        SELECT session_id, coalesce(agent, '') AS agent, server, call_id, called_at, unnest(argument_shingles) AS piece FROM calls
        WHERE server IS NOT NULL AND outcome <> 'denied' AND coalesce(decision, '') <> 'reject' AND session_id IN {_SEVERAL}
    ), told AS (
        SELECT session_id, agent, server, piece, arg_min(call_id, (called_at, call_id)) AS told, min(called_at) AS told_at
        FROM (SELECT session_id, coalesce(agent, '') AS agent, server, call_id, called_at, unnest(result_shingles) AS piece FROM calls
              WHERE server IS NOT NULL AND session_id IN {_SEVERAL}) SEMI JOIN given USING (session_id, agent, piece)
        GROUP BY session_id, agent, server, piece
    )
    SELECT t.session_id, t.agent, t.server AS told_by, a.server AS given_to, a.call_id, a.called_at,
           arg_min(t.told, (t.told_at, t.told)) AS told, count(*) AS shared
    FROM told AS t JOIN given AS a
      ON a.session_id = t.session_id AND a.agent = t.agent AND a.piece = t.piece AND a.server <> t.server AND a.called_at > t.told_at
    GROUP BY ALL HAVING count(*) >= {SHARED_AT_LEAST}
"""
_OWN = "(FROM calls WHERE NOT starts_with(subject, chr(31)))"
"""Calls as their agent's: each is there once more, as one of its server."""
LEARN = f"""
SELECT hash(session_id) AS lesson, unnest([agent, chr(31) || given_to]) AS subject, json_array('pair', told_by, given_to)::VARCHAR AS key, n, first_at, last_at
FROM (SELECT session_id, agent, told_by, given_to, count(*) AS n, min(called_at) AS first_at, max(called_at) AS last_at
      FROM ({_FLOWS.replace('FROM calls', f'FROM {_OWN}')}) GROUP BY ALL)
UNION ALL
SELECT lesson, subject, json_array('day', server, called_at::DATE)::VARCHAR, count(*), min(called_at), max(called_at) FROM {_OWN} WHERE server IS NOT NULL
GROUP BY ALL
"""

FIND = f"""
WITH begun AS (
    SELECT session_id, min(called_at) AS began_at FROM calls WHERE session_id IS NOT NULL GROUP BY session_id
), known AS (
    SELECT subject AS agent, key ->> '$[0]' AS kind, key ->> '$[1]' AS server, key ->> '$[2]' AS other, first_at, last_at, sessions
    FROM normal
    WHERE detector = 'content_crosses_to_new_server'
), new AS (
    SELECT f.*, b.began_at, {sessions_of_peers('p', 'k', 'b.began_at')} AS peer_sessions FROM ({_FLOWS}) AS f JOIN begun AS b USING (session_id)
    LEFT JOIN known AS k ON k.kind = 'pair' AND k.agent = f.agent AND k.server = f.told_by AND k.other = f.given_to
    LEFT JOIN known AS p ON p.kind = 'pair' AND p.agent = chr(31) || f.given_to AND p.server = f.told_by AND p.other = f.given_to
    WHERE k.first_at IS NULL OR k.first_at >= b.began_at
    QUALIFY row_number() OVER (PARTITION BY f.session_id, f.told_by, f.given_to ORDER BY f.shared DESC, f.call_id) = 1
), in_use AS (
    SELECT agent, server, list(first_at) AS days FROM known WHERE kind = 'day' GROUP BY agent, server
), weighed AS (
    SELECT n.*, least(len(list_filter(coalesce(i.days, []), lambda d: d < n.began_at)), len(list_filter(coalesce(o.days, []), lambda d: d < n.began_at)))
               AS days, r.tool AS read_tool, s.tool AS sent_tool,
           len(list_filter(list_intersect(s.argument_atoms, r.result_atoms), lambda a: (a & 15) = 6)) AS secrets,
           len(list_filter(regexp_split_to_array(lower(s.tool || ' ' || n.given_to), '[^a-z]+'),
                           lambda w: len(w) >= 4 AND contains(lower(coalesce(s.prompt, '')), w))) > 0 AS named
    FROM new AS n LEFT JOIN in_use AS i ON i.agent = n.agent AND i.server = n.told_by
    LEFT JOIN in_use AS o ON o.agent = n.agent AND o.server = n.given_to
    JOIN calls AS r ON r.call_id = n.told JOIN steps AS s ON s.call_id = n.call_id
), judged AS (
    SELECT *, named OR (peer_sessions > 0 AND secrets = 0) AS usual FROM weighed
)
SELECT session_id AS scope_key, told_by || ' > ' || given_to AS subject, [told, call_id] AS call_ids,
       CASE WHEN secrets > 0 THEN 4 WHEN days >= {DAYS_AT_LEAST} THEN 3 ELSE 1 END AS grade,
       CASE WHEN usual THEN 0.15 WHEN days >= {DAYS_AT_LEAST} THEN 0.8 ELSE 0.15 END AS score,
       sent_tool || ' of ' || given_to || ' was given text that ' || read_tool || ' of ' || told_by || ' returned (' || shared
           || ' shared fingerprints); in no session before did '
           || CASE agent WHEN '' THEN 'this agent' ELSE printed(agent) END || ' carry text from ' || told_by || ' to ' || given_to
           || CASE WHEN days >= {DAYS_AT_LEAST} THEN ', though it had used both on ' || days || ' days or more.'
                   ELSE ', but there is little history (' || days || ' days).' END
           || CASE WHEN peer_sessions > 0 THEN ' Other agents did in ' || peer_sessions || ' sessions.' ELSE '' END AS sentence,
       {{'read_call': told, 'sent_call': call_id, 'shared_fingerprints': shared, 'actual': 1, 'typical': 0, 'baseline_days': days,
        'named_by_user': named, 'peer_sessions': peer_sessions, 'alerting': days >= {DAYS_AT_LEAST} AND NOT usual}} AS evidence
FROM judged
"""

_SALARIES = "Salaries of the third quarter: the director has 91,000, the two leads have 74,500 and 72,300, all others between 48,000 and 61,000."
_PAST = [
    session(call("read_file", {"path": f"/notes/{n}.txt"}, f"Minutes number {n}: {_SALARIES}", server="files"),
            call("add", {"a": n, "b": 2}, str(n + 2), server="calculator"),
            call("add_comment", {"ticket": n, "text": f"Minutes number {n}: {_SALARIES}"}, "ok", server="tickets"),
            name=f"past-{n}", start=START - timedelta(days=n + 1), prompt="The usual round, please.")
    for n in range(17)
]


def _carried(tool: str, arguments: dict[str, object], server: str, prompt: str = "What is 1 + 2?", outcome: Outcome = Outcome.OK) -> list[Record]:
    return session(call("read_file", {"path": "/reports/q3.txt"}, _SALARIES, server="files"),
                   call(tool, arguments, "3", server=server, outcome=outcome), prompt=prompt)


def _peers(sessions: int, every: timedelta = timedelta(days=1)) -> list[Record]:
    """Another agent puts what it read into the calculator."""
    return together(*(
        session(call("read_file", {"path": f"/sums/{n}.txt"}, f"Sum {n}: {_SALARIES}", server="files"),
                call("add", {"a": n, "b": n, "sidenote": f"Sum {n}: {_SALARIES}"}, str(2 * n), server="calculator"),
                name=f"peer-{n}", agent="accountant", start=START - timedelta(days=1, hours=1) - every * n) for n in range(sessions)))


_NOTE: dict[str, object] = {"a": 1, "b": 2, "sidenote": _SALARIES}

DETECTOR = Detector(
    severity=Severity.MEDIUM,
    techniques=("owasp-mcp:2025:MCP10", "owasp-mcp:2025:MCP06", "owasp-asi:2026:ASI02", "owasp-llm:2026:LLM02", "atlas:AML.T0086", "safe-mcp:SAFE-T1703",
                "safe-mcp:SAFE-T1911"),
    scope=Scope.SESSION,
    learn=LEARN,
    learn_at_once=True,
    learn_by=f"unnest([coalesce(agent, ''), {BESIDE}])",
    suspect="min(server) <> max(server) AND bool_or(handed_on)",
    find=FIND,
    fires_on={
        "a file's text in the side note of a calculator": together(*_PAST, _carried("add", _NOTE, "calculator")),
        "another agent did so a few times": together(*_PAST, _peers(4), _carried("add", _NOTE, "calculator")),
        "another agent began to on the day before": together(*_PAST, _peers(8, timedelta(hours=1)), _carried("add", _NOTE, "calculator")),
    },
    quiet_on={
        "a pair in daily use": together(*_PAST, _carried("add_comment", {"ticket": 7, "text": _SALARIES}, "tickets")),
        "other agents do so every day": together(*_PAST, _peers(8), _carried("add", _NOTE, "calculator")),
        "the user named the receiver": together(*_PAST, _carried("add", _NOTE, "calculator", "Put the third quarter into the calculator.")),
        "a deployment without history": together(*_PAST[:3], _carried("add", _NOTE, "calculator")),
        "only the numbers are given": together(*_PAST, _carried("add", {"a": 74500, "b": 72300}, "calculator")),
        "the call was denied": together(*_PAST, _carried("add", _NOTE, "calculator", outcome=Outcome.DENIED)),
    },
)
