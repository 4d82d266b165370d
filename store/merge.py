"""Sightings of one call by agent, client, server and decision logs become one call, in one session.

Which sightings belong together: the same tool-call id inside one trace or session, or a chain of spans of the same tool, one
inside the other. Which session: the sighting's own, else the nearest enclosing span's, else the only one of its trace, else the trace.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from store import tables
from store.database import Database
from store.records import Observer, SessionSource

RAN_ORDER = (Observer.SERVER, Observer.GATEWAY, Observer.CLIENT, Observer.AGENT, Observer.DECISION)
"""Whose word counts first on what really ran: server, tool, outcome."""

MEANT_ORDER = (Observer.AGENT, Observer.CLIENT, Observer.GATEWAY, Observer.SERVER, Observer.DECISION)
"""Whose word counts first on what was meant: agent, principal, session."""

RAN = (
    "server", "server_version", "server_address", "tool", "transport", "arguments", "result", "outcome", "error_type", "error_message",
    "client_address",
)
MEANT = (
    "session_id", "seq", "duration_ms", "trace_id", "span_id", "parent_span_id", "agent", "agent_version", "principal", "dialect",
    "attributes",
)
WITH_PAYLOAD = {
    "arguments": ("arguments_state", "arguments_bytes", "argument_atoms", "argument_shingles"),
    "result": ("result_state", "result_bytes", "result_atoms", "result_shingles"),
}


@dataclass(slots=True)
class Merged:
    """What changed: the calls that were made or rewritten, and the sessions that no call belongs to any more."""

    call_ids: list[str] = field(default_factory=list)
    left_sessions: list[str] = field(default_factory=list)


def merge(database: Database, observations: pa.Table, spans: pa.Table) -> Merged:
    """Take new sightings and context spans into the hot tables and rewrite the calls that they concern.

    Call inside a transaction. Sightings that are already known are left out (a batch sent twice counts once).
    """
    with database.named(incoming=observations, incoming_spans=spans):
        database.execute("""
            CREATE OR REPLACE TEMP TABLE fresh AS
            SELECT * FROM incoming
            WHERE observation_id NOT IN (SELECT observation_id FROM observations
                WHERE called_at BETWEEN (SELECT min(called_at) FROM incoming) AND (SELECT max(called_at) FROM incoming))
            QUALIFY row_number() OVER (PARTITION BY observation_id ORDER BY seen_at) = 1
        """)
        database.execute("""
            INSERT INTO hot.spans BY NAME SELECT s.* FROM incoming_spans AS s
            ANTI JOIN hot.spans AS k ON k.trace_id = s.trace_id AND k.span_id = s.span_id
        """)
        database.execute("INSERT INTO hot.observations BY NAME SELECT * FROM fresh")
        touched = database.query("""
            SELECT o.* EXCLUDE (arguments, result, attributes, argument_atoms, argument_shingles, result_atoms, result_shingles)
            FROM hot.observations AS o
            WHERE o.trace_id IN (SELECT trace_id FROM fresh UNION SELECT trace_id FROM incoming_spans)
               OR (o.tool_call_id IS NOT NULL
                   AND (o.session_id, o.tool_call_id) IN (SELECT session_id, tool_call_id FROM fresh WHERE session_id IS NOT NULL))
               OR o.observation_id IN (SELECT observation_id FROM fresh)
        """).to_pylist()
        context = database.rows("""
            SELECT trace_id, span_id, parent_span_id, session_id, session_source, agent, agent_version, principal FROM hot.spans
            WHERE trace_id IN (SELECT trace_id FROM fresh UNION SELECT trace_id FROM incoming_spans)
        """)
    if not touched:
        return Merged()
    before = {o["observation_id"]: (o["call_id"], o["session_id"]) for o in touched}
    _resolve(touched, context)
    _identify(touched)
    changed = [o for o in touched if o["call_id"] != before[o["observation_id"]][0] or o["session_id"] != before[o["observation_id"]][1]]
    return _rewrite(database, changed, {call_id for call_id, _ in before.values() if call_id})


def _resolve(observations: list[dict[str, Any]], context: list[dict[str, Any]]) -> None:
    """Give every sighting its session, agent and principal: its own, an enclosing span's, or its trace's only one."""
    nodes = {(n["trace_id"], n["span_id"]): n for n in (*context, *observations) if n["span_id"]}
    sessions: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for node in nodes.values():
        if node["session_id"] and node["session_source"] < SessionSource.MCP_SESSION:
            sessions[node["trace_id"]][node["session_id"]] = node
    for one in observations:
        if one["session_id"] and one["session_source"] < SessionSource.MCP_SESSION and one["agent"]:
            continue
        chain = list(_enclosing(one, nodes))
        trace_wide = list(sessions[one["trace_id"]].values()) if one["trace_id"] else []
        sources = chain + (trace_wide if len(trace_wide) == 1 else [])
        best = min((n for n in (one, *sources) if n["session_id"]), key=lambda n: n["session_source"], default=None)
        if best is not None:
            one["session_id"], one["session_source"] = best["session_id"], best["session_source"]
        elif one["trace_id"]:
            one["session_id"], one["session_source"] = one["trace_id"], int(SessionSource.TRACE)
        for what in ("agent", "agent_version", "principal"):
            one[what] = one[what] or next((n[what] for n in sources if n[what]), None)


def _enclosing(one: dict[str, Any], nodes: dict[tuple[str, str], dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """The spans around a sighting, innermost first; a cycle, which only a broken or hostile sender makes, ends the walk."""
    passed = {one["span_id"]}
    parent = one["parent_span_id"]
    while parent and parent not in passed:
        passed.add(parent)
        node = nodes.get((one["trace_id"], parent))
        if node is None:
            return
        yield node
        parent = node["parent_span_id"]


def _identify(observations: list[dict[str, Any]]) -> None:
    """Give the sightings of one call the same call id; a call that has one keeps it."""
    by_span = {(o["trace_id"], o["span_id"]): o for o in observations if o["span_id"]}
    leader: dict[str, str] = {o["observation_id"]: o["observation_id"] for o in observations}

    def find(name: str) -> str:
        while leader[name] != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    by_call: dict[tuple[str, ...], str] = {}
    for one in observations:
        own = one["observation_id"]
        if one["call_id"]:
            leader[find(own)] = find(by_call.setdefault((one["call_id"],), own))
        if one["tool_call_id"]:
            # Some frameworks give several calls of a trace the same id: two sightings of one kind are two calls.
            group = (one["trace_id"] or one["session_id"] or "", one["tool_call_id"])
            if by_call.setdefault((*group, one["observed_by"], one["dialect"]), own) == own:
                leader[find(own)] = find(by_call.setdefault(group, own))
        for around in _enclosing(one, by_span):
            if _same_tool(around["tool"], one["tool"]):
                leader[find(own)] = find(around["observation_id"])
    members: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in observations:
        members[find(one["observation_id"])].append(one)
    for group_members in members.values():
        known = sorted(((o["seen_at"], o["call_id"]) for o in group_members if o["call_id"]), key=lambda pair: (pair[0], pair[1]))
        first = min(group_members, key=lambda o: (MEANT_ORDER.index(Observer(o["observed_by"])), o["observation_id"]))
        for one in group_members:
            one["call_id"] = known[0][1] if known else f"c{first['observation_id'][:23]}"


def _same_tool(outer: str, inner: str) -> bool:
    """Agents often put the server's name before the tool's: `github_list_issues`, `mcp__github__list_issues`."""
    return outer == inner or outer.endswith((f"_{inner}", f".{inner}", f"/{inner}", f"-{inner}", f":{inner}"))


def _rewrite(database: Database, changed: list[dict[str, Any]], former: set[str]) -> Merged:
    resolved = tables.rows_to_table("observations", changed).select(
        ["observation_id", "call_id", "session_id", "session_source", "agent", "agent_version", "principal"]
    )
    with database.named(resolved=resolved):
        database.execute("""
            UPDATE hot.observations AS o SET call_id = r.call_id, session_id = r.session_id, session_source = r.session_source,
                agent = r.agent, agent_version = r.agent_version, principal = r.principal
            FROM resolved AS r WHERE r.observation_id = o.observation_id
        """)
        concerned = sorted({c["call_id"] for c in changed} | former)
        concerned_table = pa.table({"call_id": concerned})
        with database.named(concerned=concerned_table):
            left = database.rows("SELECT DISTINCT session_id FROM hot.calls SEMI JOIN concerned USING (call_id) WHERE session_id IS NOT NULL")
            database.execute("DELETE FROM hot.calls WHERE call_id IN (SELECT call_id FROM concerned)")
            database.execute(f"INSERT INTO hot.calls BY NAME {_merge_sql()}")
    sessions = [row["session_id"] for row in left]
    still = {r["session_id"] for r in database.rows("SELECT DISTINCT session_id FROM calls WHERE list_contains($s, session_id)", {"s": sessions})}
    return Merged(concerned, [s for s in sessions if s not in still])


def _merge_sql() -> str:
    """One row for each call out of its sightings: field by field the word of whoever knows best."""
    columns = [*_best_of(RAN, RAN_ORDER), *_best_of(MEANT, MEANT_ORDER)]
    return f"""
        SELECT call_id, min(called_at) AS called_at, min(session_source) AS session_source, min(seen_at) AS seen_at,
               max(decision) AS decision, max(decided_by) AS decided_by, list_sort(list(DISTINCT observed_by)) AS observed_by,
               {", ".join(columns)}
        FROM hot.observations SEMI JOIN concerned USING (call_id) GROUP BY call_id
    """


def _best_of(wanted: tuple[str, ...], order: tuple[Observer, ...]) -> Iterable[str]:
    rank = "CASE observed_by " + " ".join(f"WHEN '{o}' THEN {n}" for n, o in enumerate(order)) + " END"
    for column in wanted:
        if column == "outcome":  # a call that somebody refused never ran, whatever else was logged
            yield f"""CASE WHEN bool_or(decision = 'reject') THEN 'denied'
                ELSE coalesce(arg_min(outcome, {rank}) FILTER (outcome <> 'unknown'), 'unknown') END AS outcome"""
            continue
        yield f"arg_min({column}, {rank}) FILTER ({column} IS NOT NULL) AS {column}"
        for beside in WITH_PAYLOAD.get(column, ()):  # state, length and fingerprint come from the sighting that gave the payload
            yield f"""coalesce(arg_min({beside}, {rank}) FILTER ({column} IS NOT NULL),
                arg_min({beside}, {rank}) FILTER ({column}_state <> 'absent'), any_value({beside})) AS {beside}"""
