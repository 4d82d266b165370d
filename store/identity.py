"""Which sightings are one call, and in which session: worked out from what they said themselves, in any order.

Which sightings belong together: a span of the same tool inside another, or the same tool-call id inside one trace or session. Which
session: the sighting's own, else the nearest enclosing span's, else the only one of its trace, else the trace.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, TypeAlias

from store.records import Observer, SessionSource

RAN_ORDER = (Observer.SERVER, Observer.GATEWAY, Observer.CLIENT, Observer.AGENT, Observer.DECISION)
"""Whose word counts first on what really ran: server, tool, outcome."""

MEANT_ORDER = (Observer.AGENT, Observer.CLIENT, Observer.GATEWAY, Observer.SERVER, Observer.DECISION)
"""Whose word counts first on what was meant: agent, principal, duration."""

WHO = ("agent", "agent_version", "principal")
TOLD = ("session_id", "session_source", *WHO)
"""What a sighting may lack and get from the spans around it."""

CALL_ID_CHARACTERS = 23
"""How much of its first sighting's id, a hash, a call's id repeats."""

Node: TypeAlias = dict[str, Any]


def outermost_first(observations: list[Node], context: list[Node]) -> list[tuple[Node, Node | None]]:
    """Every span and sighting with the span around it, parents before children.

    A log record lies inside the span that it names. Spans that enclose one another, which only a broken or hostile sender
    makes, have nothing around them.
    """
    spans: dict[tuple[str, str], Node] = {(n["trace_id"], n["span_id"]): n for n in context}
    for one in sorted(observations, key=lambda o: o["parent_span_id"] is None):
        if one["trace_id"] and one["span_id"]:
            spans.setdefault((one["trace_id"], one["span_id"]), one)

    def parent_of(node: Node) -> Node | None:
        own = spans.get((node["trace_id"], node["span_id"]))
        if own is not None and own is not node:
            return own
        return spans.get((node["trace_id"], node["parent_span_id"])) if node["trace_id"] else None

    ordered: list[tuple[Node, Node | None]] = []
    done: set[int] = set()
    for start in (*context, *observations):
        path: list[Node] = []
        places: dict[int, int] = {}
        node: Node | None = start
        while node is not None and id(node) not in done and id(node) not in places:
            places[id(node)] = len(path)
            path.append(node)
            node = parent_of(node)
        turn = places.get(id(node), len(path))  # from here on the path is a circle
        for n in range(len(path) - 1, -1, -1):
            ordered.append((path[n], None if n >= turn else path[n + 1] if n + 1 < len(path) else node))
            done.add(id(path[n]))
    return ordered


def resolve(observations: list[Node], around: list[tuple[Node, Node | None]]) -> None:
    """Give every sighting its session, agent and principal: its own, the nearest enclosing span's, or its trace's only one."""
    said: dict[str, dict[str, set[Any]]] = defaultdict(lambda: defaultdict(set))
    for node, _ in around:
        if node["session_id"] and node["session_source"] < SessionSource.MCP_SESSION:
            said[node["trace_id"]]["session"].add(node["session_id"])
            said[node["trace_id"]]["source"].add(node["session_source"])
        for what in WHO:
            if node[what]:
                said[node["trace_id"]][what].add(node[what])
    for node, parent in around:
        outer = parent or {}
        if not (node["session_id"] and node["session_source"] < SessionSource.MCP_SESSION) and outer.get("session_id") and (
            not node["session_id"] or outer["session_source"] < node["session_source"]
        ):
            node["session_id"], node["session_source"] = outer["session_id"], outer["session_source"]
        for what in WHO:
            node[what] = node[what] or outer.get(what)
    for one in observations:
        trace = said[one["trace_id"]] if one["trace_id"] else {}
        if not (one["session_id"] and one["session_source"] < SessionSource.MCP_SESSION) and len(trace.get("session", ())) == 1:
            one["session_id"], one["session_source"] = next(iter(trace["session"])), min(trace["source"])
        if not one["session_id"] and one["trace_id"]:
            one["session_id"], one["session_source"] = one["trace_id"], int(SessionSource.TRACE)
        for what in WHO:
            if not one[what] and len(trace.get(what, ())) == 1:
                one[what] = next(iter(trace[what]))


def identify(observations: list[Node], around: list[tuple[Node, Node | None]]) -> None:
    """Give the sightings of one call the same call id; a call that has one keeps it. `observations` are in the order of time."""
    leader: dict[str, str] = {o["observation_id"]: o["observation_id"] for o in observations}

    def find(name: str) -> str:
        while leader[name] != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    for inner, outer in _nested(around):
        leader[find(inner)] = find(outer)
    named: dict[tuple[str, str], dict[str, set[tuple[str, str]]]] = defaultdict(lambda: defaultdict(set))
    for one in observations:
        if one["tool_call_id"] and (within := one["trace_id"] or one["session_id"]):
            named[within, one["tool_call_id"]][find(one["observation_id"])].add((one["observed_by"], one["dialect"]))
    for sighted in named.values():
        # Some frameworks give several calls of a trace the same id: two sightings of one kind are two calls, told apart in time.
        rounds: list[tuple[set[tuple[str, str]], str]] = []
        full: dict[tuple[str, str], int] = defaultdict(int)
        for own, kinds in sighted.items():
            n = max(full[kind] for kind in kinds)
            while n < len(rounds) and rounds[n][0] & kinds:
                n += 1
            if n == len(rounds):
                rounds.append((set(), own))
            rounds[n][0].update(kinds)
            leader[find(own)] = find(rounds[n][1])
            for kind in kinds:
                while full[kind] < len(rounds) and kind in rounds[full[kind]][0]:
                    full[kind] += 1
    members: dict[str, list[Node]] = defaultdict(list)
    for one in observations:
        members[find(one["observation_id"])].append(one)
    _name(list(members.values()))


def _nested(around: list[tuple[Node, Node | None]]) -> Iterable[tuple[str, str]]:
    """Pairs of sightings of which one lies inside the other and is of the same tool.

    Between them may lie spans that are no call (HTTP, transport), but then the outer one must stand further out by what it saw:
    an agent's call of a tool inside another agent's call of the same tool is a call of its own.
    """
    nearest: dict[int, tuple[Node, bool] | None] = {}
    for node, parent in around:
        if parent is None:
            nearest[id(node)] = None
        elif "observation_id" in parent:
            nearest[id(node)] = (parent, True)
        else:
            above = nearest[id(parent)]
            nearest[id(node)] = (above[0], False) if above else None
        outer = nearest[id(node)]
        if "observation_id" in node and outer and same_tool(outer[0]["tool"], node["tool"]) and (
            outer[1] or MEANT_ORDER.index(outer[0]["observed_by"]) < MEANT_ORDER.index(node["observed_by"])
        ):
            yield node["observation_id"], outer[0]["observation_id"]


def _name(groups: list[list[Node]]) -> None:
    """Each group's call id: the oldest that it has, else one made from its first sighting.

    Where sightings that had one id turn out to be two calls, it stays with the sighting that it was made from.
    """
    kept: dict[str, int] = {}
    for n, group in enumerate(groups):
        for one in group:
            if one["call_id"] and (one["call_id"] not in kept or _made(one) == one["call_id"]):
                kept[one["call_id"]] = n
    for n, group in enumerate(groups):
        known = sorted((o["seen_at"], o["call_id"]) for o in group if o["call_id"] and kept[o["call_id"]] == n)
        first = min(group, key=lambda o: (MEANT_ORDER.index(o["observed_by"]), o["observation_id"]))
        for one in group:
            one["call_id"] = known[0][1] if known else _made(first)


def _made(first: Node) -> str:
    return f"c{first['observation_id'][:CALL_ID_CHARACTERS]}"


def same_tool(outer: str, inner: str) -> bool:
    """Agents often put the server's name before the tool's: `github_list_issues`, `mcp__github__list_issues`."""
    return outer == inner or outer.endswith((f"_{inner}", f".{inner}", f"/{inner}", f"-{inner}", f":{inner}"))
