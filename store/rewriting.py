"""Calls written anew because sightings came, left, or got another session: in the hot tables, and over their older versions in the lake."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from store import fields, tables
from store.database import Database
from store.heard import moment
from store.identity import MEANT_ORDER, RAN_ORDER, TOLD, WHO, Node

ALONE, BESIDE, LAKE = "alone", "beside", "lake"
"""Where a sighting's payload is: in its call, in `hot.sighted`, in the lake."""

_SOURCES = {
    ALONE: f"{tables.LONE_SIGHTINGS} AND c.seen_at BETWEEN $first AND $last", BESIDE: "SELECT t.* FROM hot.sighted AS t WHERE true",
    LAKE: "SELECT t.* FROM observations AS t WHERE true",
}

ADOPTED = """
    SELECT agent, tool, min(server) AS server FROM hot.tool_definitions WHERE server IS NOT NULL
    GROUP BY agent, tool HAVING count(DISTINCT server) = 1"""
"""The server of a call that came without one is the only server that showed its agent a tool of that name."""


def insert_calls(database: Database, calls: pa.Table) -> None:
    """Append calls, each with a server if there is one to be known."""
    if not calls["server"].null_count:
        database.insert("hot.calls", calls)
        return
    with database.named(made=calls):
        database.execute(f"""
            INSERT INTO hot.calls BY NAME
            SELECT m.* REPLACE (coalesce(m.server, a.server) AS server)
            FROM made AS m LEFT JOIN ({ADOPTED}) AS a ON a.tool = m.tool AND a.agent IS NOT DISTINCT FROM m.agent
        """)


class Rewriting:
    """What is to be written: `nodes` are all sightings concerned, with the call and session that they have now and had before."""

    def __init__(self, database: Database, arrived: pa.Table, nodes: list[Node]) -> None:
        self.database, self.arrived = database, arrived
        self.now, self.before = _by_call(nodes, "call_id"), _by_call([o for o in nodes if o["former"]], "former")
        self.superseded = 0
        changed = [o for o in nodes if _is_changed(o)]
        self.concerned = {o["call_id"] for o in changed} | {o["former"] for o in changed if o["former"]}
        self.remade = {c for c in self.concerned if self._is_remade(c)}
        seen = [o["seen_at"] for c in self.concerned for o in self.before.get(c, ())]
        self.since = moment(min(seen)) if seen else None
        self.left_sessions = sorted({
            s for c, members in self.before.items() if c in self.concerned and (s := _spoken(members, "former_")["session_id"])
        })

    def write(self) -> list[str]:
        """Write; the calls concerned."""
        if self.remade:
            self._remake()
        if retold := self.concerned - self.remade:
            self._retell(sorted(retold))
        return sorted(self.concerned)

    def _is_remade(self, call_id: str) -> bool:
        """Whether other sightings make the call now, or some lie in the lake; else only its session or agent is another."""
        now, before = self.now.get(call_id, []), self.before.get(call_id, [])
        same = len(now) == len(before) and all(o["former"] == call_id for o in now)
        return not same or any(o["place"] == LAKE for o in now)

    def _remake(self) -> None:
        members = [o for c in sorted(self.remade) for o in self.now.get(c, [])]
        former = [o for c in sorted(self.remade) for o in self.before.get(c, [])]
        versions = self._supersede(former)
        gathered = self._gathered(members)
        if former:
            asked = {"calls": sorted({o["former"] for o in former}), **_seen_between(former)}
            self.database.execute("DELETE FROM hot.calls WHERE seen_at BETWEEN $first AND $last AND call_id IN (SELECT unnest($calls))", asked)
            beside = [o["observation_id"] for o in former if o["place"] == BESIDE]
            self.database.execute(
                "DELETE FROM hot.sighted WHERE seen_at BETWEEN $first AND $last AND observation_id IN (SELECT unnest($ids::VARCHAR[]))",
                {"ids": beside, **_seen_between(former)},
            )
        if not len(gathered):
            return
        calls = fields.together(gathered)
        if versions:
            counted = [versions.get(c, 0) for c in calls["call_id"].to_pylist()]
            calls = calls.set_column(calls.schema.get_field_index("version"), "version", pa.array(counted, pa.int64()))
        insert_calls(self.database, calls)
        refused = dict(zip(gathered["observation_id"].to_pylist(), gathered["decision"].to_pylist(), strict=True))
        for one in members:
            if one.get("place") != LAKE:
                lone = len(self.now[one["call_id"]]) == 1 and refused.get(one["observation_id"]) != "reject"
                one["place"] = ALONE if lone else BESIDE
        place = {o["observation_id"]: o["place"] for o in members}
        kept = pa.array([place[name] == BESIDE for name in gathered["observation_id"].to_pylist()])
        self.database.insert("hot.sighted", gathered.filter(kept))
        self._note(members)

    def _gathered(self, members: list[Node]) -> pa.Table:
        """The members' sightings whole, with the call and session that they have now."""
        parts = []
        if rows := [o["row"] for o in members if o["row"] is not None]:
            parts.append(self.arrived.select(tables.names("observations")).take(pa.array(rows)))
        for place, source in _SOURCES.items():
            if there := [o for o in members if o["row"] is None and o["place"] == place]:
                parts.append(self.database.query(
                    f"""{source} AND t.seen_at BETWEEN $first AND $last AND t.called_at BETWEEN $earliest AND $latest
                        AND t.observation_id IN (SELECT unnest($ids))""",
                    {"ids": [o["observation_id"] for o in there], **_seen_between(there), **_called_between(there)},
                ))
        if not parts:
            return tables.empty("observations")
        schema = tables.schema("observations")
        gathered = pa.concat_tables(part.select(schema.names).cast(schema) for part in parts)
        known = {o["observation_id"]: o for o in members}
        rows_now = [known[name] for name in gathered["observation_id"].to_pylist()]
        for column in ("call_id", *TOLD):
            place_of = gathered.schema.get_field_index(column)
            kind = gathered.schema.field(place_of)
            gathered = gathered.set_column(place_of, kind, pa.array([o[column] for o in rows_now], kind.type))
        return gathered

    def _supersede(self, former: list[Node]) -> dict[str, int]:
        """Let a new version count in the place of those in the lake; the versions that calls get."""
        settled = _by_call([o for o in former if o["place"] == LAKE], "former")
        if not settled:
            return {}
        asked = {"calls": sorted(settled)}
        counted = {row["call_id"]: row["version"] for row in self.database.rows(
            "SELECT call_id, max(version) AS version FROM hot.superseded WHERE call_id IN (SELECT unnest($calls)) GROUP BY call_id", asked,
        )}
        rewritten = {row["call_id"] for row in self.database.rows("SELECT call_id FROM hot.calls WHERE call_id IN (SELECT unnest($calls))", asked)}
        new = {c: counted.get(c, 0) + 1 for c in settled if c not in rewritten}
        self.database.insert("hot.superseded", tables.rows_to_table("superseded", [
            {"call_id": c, "version": version, "day": moment(min(o["called_at"] for o in settled[c])).date()} for c, version in new.items()
        ]))
        self.superseded = len(new)
        return counted | new

    def _retell(self, call_ids: list[str]) -> None:
        """Sessions and agents anew: the payloads stay where they are."""
        members = [o for c in call_ids for o in self.now[c]]
        spoken = [{"call_id": c, **_spoken(self.now[c]), "server": _first(self.now[c], "server", RAN_ORDER)} for c in call_ids]
        types = tables.schema("calls")
        names = ("call_id", *TOLD, "server")
        retold = pa.table({n: pa.array([row[n] for row in spoken], types.field(n).type) for n in names})
        with self.database.named(retold=retold, sightings=_as_table(members, ("observation_id", *TOLD))):
            self.database.execute(f"""
                UPDATE hot.calls AS c SET {', '.join(f'{n} = r.{n}' for n in names[1:])}
                FROM (SELECT s.* REPLACE (coalesce(s.server, a.server) AS server) FROM retold AS s
                      LEFT JOIN hot.calls AS k ON k.call_id = s.call_id AND k.seen_at BETWEEN $first AND $last
                      LEFT JOIN ({ADOPTED}) AS a ON a.tool = k.tool AND a.agent IS NOT DISTINCT FROM s.agent) AS r
                WHERE r.call_id = c.call_id AND c.seen_at BETWEEN $first AND $last
            """, _seen_between(members))
            if any(o["place"] == BESIDE for o in members):
                self.database.execute(f"""
                    UPDATE hot.sighted AS o SET {', '.join(f'{n} = s.{n}' for n in TOLD)}
                    FROM sightings AS s WHERE s.observation_id = o.observation_id AND o.seen_at BETWEEN $first AND $last
                """, _seen_between(members))
        self._note(members)

    def _note(self, members: list[Node]) -> None:
        """What is remembered of the sightings."""
        given = tuple(f"given_{c}" for c in TOLD)
        if known := [o for o in members if o["former"]]:
            with self.database.named(noted=_as_table(known, ("observation_id", "call_id", "place", *given))):
                self.database.execute(f"""
                    UPDATE hot.told AS t SET {', '.join(f'{n} = k.{n}' for n in ('call_id', 'place', *given))}
                    FROM noted AS k WHERE k.observation_id = t.observation_id AND t.seen_at BETWEEN $first AND $last
                """, _seen_between(known))
        if fresh := [o for o in members if not o["former"]]:
            said = [c for c in tables.names("told") if c in self.arrived.column_names and c not in TOLD and c != "call_id"]
            taken = self.arrived.select([*said, *TOLD]).take(pa.array([o["row"] for o in fresh]))
            for name, values in zip(("call_id", "place", *given), _as_table(fresh, ("call_id", "place", *given)).columns, strict=True):
                taken = taken.append_column(name, values)
            self.database.insert("hot.told", taken)


def _is_changed(node: Node) -> bool:
    return node["former"] is None or node["call_id"] != node["former"] or any(node[c] != node[f"former_{c}"] for c in TOLD)


def _by_call(nodes: Iterable[Node], name: str) -> dict[str, list[Node]]:
    found: dict[str, list[Node]] = defaultdict(list)
    for node in nodes:
        found[node[name]].append(node)
    return dict(found)


def _spoken(members: list[Node], prefix: str = "") -> dict[str, Any]:
    """A call's session, agent and principal out of its sightings', as `fields.together` has it."""
    told = sorted(members, key=lambda o: (o[f"{prefix}session_source"], MEANT_ORDER.index(o["observed_by"]), o["called_at"], o["observation_id"]))
    return {
        "session_id": next((o[f"{prefix}session_id"] for o in told if o[f"{prefix}session_id"]), None),
        "session_source": next((o[f"{prefix}session_source"] for o in told), None),
        **{what: _first(members, f"{prefix}{what}", MEANT_ORDER) for what in WHO},
    }


def _first(members: list[Node], name: str, order: tuple[Any, ...]) -> Any:
    ranked = sorted(members, key=lambda o: (order.index(o["observed_by"]), o["called_at"], o["observation_id"]))
    return next((o[name] for o in ranked if o[name] is not None), None)


def _as_table(nodes: list[Node], names: tuple[str, ...]) -> pa.Table:
    types = tables.schema("told")
    return pa.table({n: pa.array([o[n] for o in nodes], types.field(n).type) for n in names})


def _seen_between(nodes: list[Node]) -> dict[str, Any]:
    """Tables grow in the order of this: only the stretch that is meant is looked through."""
    return {"first": moment(min(o["seen_at"] for o in nodes)), "last": moment(max(o["seen_at"] for o in nodes))}


def _called_between(nodes: list[Node]) -> dict[str, Any]:
    return {"earliest": moment(min(o["called_at"] for o in nodes)), "latest": moment(max(o["called_at"] for o in nodes))}
