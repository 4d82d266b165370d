"""Sessions and servers as pages and the command line show them: lists, one session in order, one server with its tools.

Asks `calls`, `messages`, `tool_definitions` and `turns`, whatever these are (hot tables, the lake, both), and `hot.findings` and
`hot.alerts`. A list looks at session ids and moments first and at the other columns for the rows of one page only; payloads are read
only where a text is searched for or a session is opened, and cut to `PAYLOAD_CHARACTERS`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from store.database import Database
from store.errors import NotFoundError

PAYLOAD_CHARACTERS = 20_000
"""What a page shows of one payload; the whole of it is a query away."""

TURNS = 2_000
"""What a page shows of one session; turns that prove a finding are shown wherever they stand."""

RECENT = 25
"""How many errors a server's page lists."""

_ORDERS = {
    "risk": "coalesce(a.risk, 0) DESC, k.last_called_at DESC, k.session_id",
    "newest": "k.last_called_at DESC, k.session_id",
}
_SAYS = """session_id IN (
    SELECT session_id FROM calls WHERE contains(lower(concat_ws(chr(10), session_id, principal, agent, server, tool, arguments, result)), $text)
    UNION ALL SELECT session_id FROM messages WHERE contains(lower(text), $text))"""


def page(
    database: Database, *, text: str | None = None, agent: str | None = None, server: str | None = None, order: str = "risk",
    limit: int = 50, offset: int = 0,
) -> dict[str, Any]:
    """`{"total": how many sessions there are, "rows": those of one page}`; `order` is "risk" or "newest"."""
    asked: dict[str, Any] = {"limit": limit, "offset": offset}
    conditions = ["session_id IS NOT NULL"]
    if agent:
        conditions.append("agent = $agent")
        asked["agent"] = agent
    if server:
        conditions.append("server = $server")
        asked["server"] = server
    if text:
        conditions.append(_SAYS)
        asked["text"] = text.lower()
    listed = database.rows(
        f"""
        WITH known AS (
            SELECT session_id, max(called_at) AS last_called_at FROM calls WHERE {' AND '.join(conditions)} GROUP BY session_id
        ), alerted AS (
            SELECT session_id, max(risk) AS risk, max(severity) AS severity, count(*) AS alerts,
                   count(*) FILTER (state <> 'closed') AS open_alerts
            FROM (SELECT unnest(session_ids) AS session_id, risk, severity, state FROM hot.alerts) GROUP BY session_id
        )
        SELECT k.session_id, count(*) OVER () AS total, a.risk, a.severity, coalesce(a.alerts, 0) AS alerts,
               coalesce(a.open_alerts, 0) AS open_alerts
        FROM known AS k LEFT JOIN alerted AS a USING (session_id)
        ORDER BY {_ORDERS.get(order, _ORDERS['risk'])} LIMIT $limit OFFSET $offset
        """,
        asked,
    )
    total = listed[0]["total"] if listed else 0
    told = _told(database, [row["session_id"] for row in listed])
    return {"total": total, "rows": [{k: v for k, v in row.items() if k != "total"} | told[row["session_id"]] for row in listed]}


def _told(database: Database, session_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What a list says about sessions, by id."""
    if not session_ids:
        return {}
    told = database.rows(
        """
        SELECT session_id, min(called_at) AS first_called_at, max(called_at) AS last_called_at, count(*) AS calls,
               count(*) FILTER (outcome = 'error') AS errors, count(*) FILTER (outcome = 'denied') AS denied,
               list_sort(list(DISTINCT agent) FILTER (agent IS NOT NULL)) AS agents,
               list_sort(list(DISTINCT server) FILTER (server IS NOT NULL)) AS servers,
               count(DISTINCT tool) AS tools, max(principal) AS principal
        FROM calls WHERE session_id IN (SELECT unnest($ids)) GROUP BY session_id
        """,
        {"ids": list(session_ids)},
    )
    prompts = database.rows(
        """
        SELECT session_id, arg_min(left(text, 240), (said_at, message_id)) AS prompt
        FROM messages WHERE role = 'user' AND session_id IN (SELECT unnest($ids)) GROUP BY session_id
        """,
        {"ids": list(session_ids)},
    )
    prompt_of = {row["session_id"]: row["prompt"] for row in prompts}
    return {row["session_id"]: _lists(row, "agents", "servers") | {"prompt": prompt_of.get(row["session_id"])} for row in told}


def chain(database: Database, session_id: str, limit: int = TURNS) -> dict[str, Any]:
    """One session in order: turns, each with the findings that it proves, and the findings and alerts themselves.

    `total` counts all turns; the first `limit` are here, and beyond them those that prove a finding. Raises NotFoundError.
    """
    findings = database.rows(
        """
        SELECT * FROM hot.findings WHERE session_id = $session OR finding_id IN (
            SELECT f.finding_id FROM (SELECT finding_id, unnest(call_ids) AS call_id FROM hot.findings) AS f
            JOIN (SELECT call_id FROM calls WHERE session_id = $session) AS c USING (call_id))
        ORDER BY severity DESC, score DESC, finding_id
        """,
        {"session": session_id},
    )
    marks: dict[str, list[dict[str, Any]]] = {}
    for finding in findings:
        for call_id in finding["call_ids"] or []:
            marks.setdefault(call_id, []).append({k: finding[k] for k in ("finding_id", "detector", "severity")})
    turns = database.rows(
        """
        SELECT t.* EXCLUDE (session_id, said, result, seq), left(t.said, $payload) AS said, length(t.said) AS said_length,
               left(t.result, $payload) AS result, length(t.result) AS result_length,
               c.principal, c.error_type, left(c.error_message, $payload) AS error_message, c.decided_by, c.transport, c.dialect, c.disagreement,
               row_number() OVER (
                   ORDER BY t.happened_at, t.seq, CASE t.kind WHEN 'system' THEN 0 WHEN 'user' THEN 1 ELSE 2 END, t.id
               ) AS step, count(*) OVER () AS total
        FROM (SELECT * FROM turns WHERE session_id = $session) AS t
        LEFT JOIN (SELECT * FROM calls WHERE session_id = $session) AS c ON t.kind = 'call' AND c.call_id = t.id
        QUALIFY step <= $limit OR t.id IN (SELECT unnest($marked))
        ORDER BY step
        """,
        {"session": session_id, "payload": PAYLOAD_CHARACTERS, "limit": limit, "marked": list(marks)},
    )
    if not turns and not findings:
        raise NotFoundError(f"session {session_id!r} does not exist")
    total = turns[0].pop("total") if turns else 0
    for turn in turns:
        turn.pop("total", None)
        turn["marks"] = marks.get(turn["id"], [])
    told = _told(database, [session_id]).get(session_id, {})
    alerts = database.rows(
        """
        SELECT alert_id, title, severity, risk, state, verdict FROM hot.alerts WHERE list_contains(session_ids, $session)
        ORDER BY risk DESC, alert_id
        """,
        {"session": session_id},
    )
    return {**told, "session_id": session_id, "total": total, "turns": turns, "findings": findings, "alerts": alerts}


def servers(database: Database) -> list[dict[str, Any]]:
    """Every server that was called or whose tools were sighted, those with open alerts first; "" is "not recorded"."""
    called = database.rows(
        """
        SELECT coalesce(server, '') AS server, count(*) AS calls, count(*) FILTER (outcome = 'error') AS errors,
               count(*) FILTER (outcome = 'denied') AS denied, count(DISTINCT tool) AS tools_called,
               list_sort(list(DISTINCT agent) FILTER (agent IS NOT NULL)) AS agents,
               list_sort(list(DISTINCT transport) FILTER (transport IS NOT NULL)) AS transports,
               min(called_at) AS first_called_at, max(called_at) AS last_called_at, approx_quantile(duration_ms, 0.5) AS typical_ms
        FROM calls GROUP BY ALL
        """
    )
    defined = database.rows(
        """
        SELECT coalesce(server, '') AS server, count(DISTINCT tool) AS tools_defined,
               count(DISTINCT (tool, definition_hash)) - count(DISTINCT tool) AS changes, max(last_seen_at) AS defined_at
        FROM tool_definitions GROUP BY ALL
        """
    )
    alerted = database.rows(
        """
        SELECT server, count(*) AS open_alerts, max(severity) AS severity
        FROM (SELECT unnest(servers) AS server, severity FROM hot.alerts WHERE state <> 'closed') GROUP BY ALL
        """
    )
    blank = {
        "calls": 0, "errors": 0, "denied": 0, "tools_called": 0, "agents": [], "transports": [], "first_called_at": None, "last_called_at": None,
        "typical_ms": None, "tools_defined": 0, "changes": 0, "defined_at": None, "open_alerts": 0, "severity": None,
    }
    known: dict[str, dict[str, Any]] = {}
    for row in (*called, *defined, *alerted):
        known.setdefault(row["server"], dict(blank)).update(_lists(row, *(k for k in ("agents", "transports") if k in row)))
    return sorted(known.values(), key=lambda s: (-s["open_alerts"], -s["calls"], s["server"]))


def server(database: Database, name: str) -> dict[str, Any]:
    """One server: its tools with their calls, the history of their definitions, how it was run, errors. Raises NotFoundError."""
    asked = {"server": name}
    tools = database.rows(
        """
        SELECT tool, count(*) AS calls, count(*) FILTER (outcome = 'error') AS errors, count(*) FILTER (outcome = 'denied') AS denied,
               list_sort(list(DISTINCT agent) FILTER (agent IS NOT NULL)) AS agents, approx_quantile(duration_ms, 0.5) AS typical_ms,
               approx_quantile(duration_ms, 0.95) AS slow_ms, CAST(sum(result_bytes) AS BIGINT) AS result_bytes,
               min(called_at) AS first_called_at, max(called_at) AS last_called_at
        FROM calls WHERE coalesce(server, '') = $server GROUP BY tool ORDER BY calls DESC, tool
        """,
        asked,
    )
    definitions = database.rows(
        """
        SELECT tool, definition_hash, min(first_seen_at) AS first_seen_at, max(last_seen_at) AS last_seen_at,
               any_value(description) AS description, any_value(input_schema) AS input_schema,
               max(description_hash) AS description_hash, max(schema_hash) AS schema_hash,
               list_sort(list(DISTINCT agent) FILTER (agent IS NOT NULL)) AS agents,
               list_sort(list(DISTINCT server_version) FILTER (server_version IS NOT NULL)) AS server_versions
        FROM tool_definitions WHERE coalesce(server, '') = $server
        GROUP BY tool, definition_hash ORDER BY tool, first_seen_at, definition_hash
        """,
        asked,
    )
    runs = database.rows(
        """
        SELECT server_version, server_address, launch_command, min(first_seen_at) AS first_seen_at, max(last_seen_at) AS last_seen_at
        FROM tool_definitions WHERE coalesce(server, '') = $server GROUP BY ALL
        ORDER BY first_seen_at, server_version, server_address, launch_command
        """,
        asked,
    )
    errors = database.rows(
        f"""
        SELECT called_at, call_id, session_id, agent, tool, outcome, error_type, left(error_message, 500) AS error_message
        FROM calls WHERE coalesce(server, '') = $server AND outcome IN ('error', 'denied') ORDER BY called_at DESC, call_id LIMIT {RECENT}
        """,
        asked,
    )
    if not tools and not definitions:
        raise NotFoundError(f"server {name!r} does not exist")
    alerts = database.rows(
        """
        SELECT alert_id, title, severity, risk, state, verdict FROM hot.alerts WHERE list_contains(servers, $server)
        ORDER BY state = 'closed', risk DESC, alert_id LIMIT 50
        """,
        asked,
    )
    return {
        "server": name,
        "calls": sum(t["calls"] for t in tools),
        "tools": _with_definitions([_lists(t, "agents") for t in tools], [_lists(d, "agents", "server_versions") for d in definitions]),
        "runs": runs,
        "errors": errors,
        "alerts": alerts,
    }


def _with_definitions(tools: Iterable[dict[str, Any]], definitions: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tools, called or only sighted, each with its definitions, oldest first."""
    known = {tool["tool"]: tool | {"definitions": []} for tool in tools}
    for definition in definitions:
        blank = {
            "tool": definition["tool"], "calls": 0, "errors": 0, "denied": 0, "agents": [], "typical_ms": None, "slow_ms": None,
            "result_bytes": None, "first_called_at": None, "last_called_at": None, "definitions": [],
        }
        known.setdefault(definition["tool"], blank)["definitions"].append({k: v for k, v in definition.items() if k != "tool"})
    return sorted(known.values(), key=lambda t: (len(t["definitions"]) < 2, -t["calls"], t["tool"]))


def _lists(row: dict[str, Any], *names: str) -> dict[str, Any]:
    """The row with empty lists where the database says null."""
    return row | {name: row[name] or [] for name in names}
