"""Sightings of one call by agent, client, server and decision logs become one call, in one session.

`store.identity` works out which sightings belong together from what they said themselves (`hot.told`), so neither the order in which
they come nor how they are batched matters. Nearly all calls are seen once, in a trace whose other calls and spans come with them: those go
in column by column. The others are looked at one by one.

A payload is written once where that is possible. A call with one sighting holds it in its own row; the sightings of other calls stand
in `hot.sighted`; `hot.observations` shows both.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from store import fields, tables
from store.database import Database
from store.heard import NO_KEY, Flags, Keys, Kind, heard_of, keys, rekeyed, remember
from store.identity import TOLD, WHO, Node, identify, outermost_first, resolve
from store.pairs import take_pairs
from store.rewriting import ALONE, Rewriting, insert_calls
from store.siblings import Siblings, siblings

SAID = (
    "observation_id", "tool_call_id", "observed_by", "dialect", "tool", "server", "called_at", "seen_at", "trace_id", "span_id",
    "parent_span_id", *TOLD,
)
"""What identity is worked out from."""

CLOCK_AHEAD = timedelta(minutes=5)
"""Clocks of well-kept machines differ by less (Kerberos, RFC 4120, allows as much)."""

_IDS = ("trace_id", "span_id", "parent_span_id", "tool_call_id", "session_id", *WHO)
_SPAN = ("trace_id", "span_id", "parent_span_id", *TOLD)


Rows: TypeAlias = npt.NDArray[np.int64]


@dataclass(slots=True)
class Merged:
    """What changed: the calls that were made, rewritten or taken up by others, and the sessions that they were in before.

    repeated: sightings that were known; contradicted: those of them that say something else under the same id (the first counts);
    ahead: sightings whose source's clock is ahead of ours by more than `CLOCK_AHEAD`; superseded: versions in the lake that count no more;
    since: when the oldest sighting of a call that was known before, and is another now, was seen.
    """

    call_ids: list[str] = field(default_factory=list)
    left_sessions: list[str] = field(default_factory=list)
    repeated: int = 0
    contradicted: int = 0
    ahead: int = 0
    superseded: int = 0
    since: datetime | None = None

    def add(self, other: "Merged") -> None:
        """Take over what another says."""
        self.call_ids += other.call_ids
        self.left_sessions += other.left_sessions
        self.repeated += other.repeated
        self.contradicted += other.contradicted
        self.ahead += other.ahead
        self.superseded += other.superseded
        self.since = earliest(self.since, other.since)


def merge(database: Database, observations: pa.Table, spans: pa.Table) -> Merged:
    """Take new sightings and context spans into the hot tables and rewrite the calls that they concern.

    Call inside a transaction. Sightings that are already known are left out (a batch sent twice counts once).
    """
    heard = heard_of(database)
    observations, spans = _without_empty(observations, _IDS), _without_empty(spans, _IDS)
    merged = Merged(ahead=_ahead(observations))
    observations = _without_settled(database, observations, merged)
    own, ties, traces = _keys(observations)
    span_traces = keys(Kind.TRACE, spans["trace_id"].to_pylist())
    span_contexts = rekeyed(span_traces, Kind.TRACE, Kind.CONTEXT)
    repeated, since_own = heard.find(own)
    tied, since_tied = heard.find(ties)
    around, since_around = heard.find(rekeyed(traces, Kind.TRACE, Kind.CONTEXT))
    new = ~(repeated | tied | around) & _once(own)
    shared = _shared(ties, span_traces)
    awaited, since_awaited = heard.find(span_traces)
    spanned, since_spanned = heard.find(span_contexts)
    stand = siblings(observations, traces, new & ~_refused(observations) & ((traces != NO_KEY) | (shared == 1)), spans, span_traces,
                     ~(awaited | spanned))
    merged.call_ids += _take_alone(database, observations, stand)
    alone = stand.calls
    pairs, paired = take_pairs(database, observations, _in_twos(np.where(new & (shared == 2) & ~alone & (traces != NO_KEY), traces, NO_KEY)))
    merged.call_ids += pairs
    left = ~alone
    left[paired] = False
    rest = np.flatnonzero(left)
    if stand.spans.any():
        database.insert("hot.spans", spans.filter(pa.array(stand.spans)))
    around_rest = spans if not stand.spans.any() else spans.filter(pa.array(~stand.spans))
    if len(rest) or awaited.any() or spanned.any():
        known = _Since(since_own, earliest(since_tied, since_awaited), earliest(since_around, since_spanned))
        _take_rest(database, observations, rest, around_rest, known, merged)
    else:
        _insert_spans(database, around_rest)
    for wanted, seen in ((own, observations), (traces, observations), (ties, observations), (span_contexts, spans)):
        remember(heard, wanted, seen)
    return merged


def _ahead(observations: pa.Table) -> int:
    lead = pc.subtract(observations["called_at"], observations["seen_at"])
    return int(pc.sum(pc.greater(lead, pa.scalar(CLOCK_AHEAD, lead.type))).as_py() or 0)


def _without_settled(database: Database, observations: pa.Table, merged: Merged) -> pa.Table:
    """Calls from before what is remembered may have been told long ago, as when a file is read again: for these the lake is asked."""
    edge = database.value("SELECT max(seen_at) FROM hot.forgotten")
    if edge is None:
        return observations
    old = observations.filter(pc.less(observations["called_at"], pa.scalar(edge, tables.MOMENT)))
    if not len(old):
        return observations
    span = pc.min_max(old["called_at"])
    with database.named(old=old.select(["observation_id"])):
        known = database.query("""
            SELECT observation_id FROM observations WHERE called_at BETWEEN $first AND $last AND observation_id IN (SELECT observation_id FROM old)
        """, {"first": span["min"].as_py(), "last": span["max"].as_py()})
    left = observations.filter(pc.invert(pc.is_in(observations["observation_id"], known["observation_id"].combine_chunks())))
    merged.repeated += len(observations) - len(left)
    return left


def _keys(observations: pa.Table) -> tuple[Keys, Keys, Keys]:
    """Of each sighting: its own key, that of what may tie it to others, and that of its trace."""
    traces = keys(Kind.TRACE, observations["trace_id"].to_pylist())
    ties = traces
    if (traces == NO_KEY).any():
        pairs = zip(observations["session_id"].to_pylist(), observations["tool_call_id"].to_pylist(), strict=True)
        ties = np.where(traces != NO_KEY, traces, keys(Kind.PAIR, (f"{a}\x1f{b}" if a and b else None for a, b in pairs)))
    return keys(Kind.SIGHTING, observations["observation_id"].to_pylist()), ties, traces


def _once(own: Keys) -> Flags:
    found, places, counts = np.unique(own, return_inverse=True, return_counts=True)
    return np.asarray(counts[places] == 1) if len(found) < len(own) else np.ones(len(own), np.bool_)


def _shared(ties: Keys, span_traces: Keys) -> Rows:
    """How many sightings the batch has of each one's trace, or session and tool-call id; 0 where there are context spans too."""
    _, places, counts = np.unique(ties, return_inverse=True, return_counts=True)
    return np.where(ties == NO_KEY, 1, np.where(np.isin(ties, span_traces), 0, counts[places]))


def _in_twos(traces: Keys) -> Rows:
    """The rows of traces that have two, one after the other."""
    rows = np.argsort(traces, kind="stable")
    rows = rows[traces[rows] != NO_KEY]
    _, places, counts = np.unique(traces[rows], return_inverse=True, return_counts=True)
    return np.asarray(rows[counts[places] == 2])


def _refused(observations: pa.Table) -> Flags:
    """A refusal changes the outcome of its call, so that the call's row cannot stand for the sighting."""
    decisions = observations["decision"]
    if decisions.null_count == len(decisions):
        return np.zeros(len(decisions), np.bool_)
    return np.array([decision == "reject" for decision in decisions.to_pylist()], np.bool_)


def earliest(*moments: datetime | None) -> datetime | None:
    """The first of those that are known."""
    return min((m for m in moments if m is not None), default=None)


def _without_empty(table: pa.Table, columns: Iterable[str]) -> pa.Table:
    """An empty id says nothing."""
    for name in columns:
        if name in table.column_names and pc.any(pc.equal(table[name], "")).as_py():
            table = table.set_column(table.schema.get_field_index(name), name, pc.if_else(pc.equal(table[name], ""), None, table[name]))
    return table


def _take_alone(database: Database, observations: pa.Table, stand: Siblings) -> list[str]:
    """Calls seen once, that nothing else is to be known of."""
    if not stand.calls.any():
        return []
    chosen = pa.array(stand.calls)
    lone = observations if stand.calls.all() else observations.filter(chosen)
    told = {name: column if stand.calls.all() else column.filter(chosen) for name, column in stand.told.items()}
    given = {f"given_{name}": pc.if_else(pa.array(stand.given[name][stand.calls]), column, None) for name, column in told.items()}
    calls = fields.alone(lone, told)
    insert_calls(database, calls)
    database.insert("hot.told", pa.table(
        {name: lone[name] for name in SAID} | {"call_id": calls["call_id"], "place": pa.repeat(ALONE, len(lone))} | given,
    ))
    ids: list[str] = calls["call_id"].to_pylist()
    return ids


@dataclass(frozen=True, slots=True)
class _Since:
    """Since when rows that may concern a batch were seen: the same sightings, others of their calls, spans around them; None if there are none."""

    own: datetime | None
    told: datetime | None
    spans: datetime | None


def _take_rest(database: Database, observations: pa.Table, rest: Rows, spans: pa.Table, since: _Since, merged: Merged) -> None:
    """Sightings that may be of calls with several, or in a trace of which more is known."""
    fresh = _fresh(database, _nodes(observations, rest, SAID), since.own, merged)
    traces = {*(o["trace_id"] for o in fresh), *pc.unique(spans["trace_id"]).to_pylist()} - {None}
    pairs = {(o["session_id"], o["tool_call_id"]) for o in fresh if not o["trace_id"] and o["session_id"] and o["tool_call_id"]}
    known = _known(database, traces, pairs, since.told)
    context = _context(database, spans, traces, since.spans)
    nodes = sorted([*known, *fresh], key=lambda o: (o["called_at"], o["observation_id"]))
    if not nodes:
        return
    said = {o["observation_id"]: [o[c] for c in TOLD] for o in nodes}
    enclosing = outermost_first(nodes, _concerning(context, nodes))
    identify(nodes, enclosing)
    resolve(nodes, enclosing)
    for one in nodes:
        for column, own in zip(TOLD, said[one["observation_id"]], strict=True):
            one[f"given_{column}"] = one[column] if one[column] != own else None
    changed = Rewriting(database, observations, nodes)
    merged.call_ids += changed.write()
    merged.left_sessions += changed.left_sessions
    merged.superseded += changed.superseded
    merged.since = earliest(merged.since, changed.since)


def _nodes(table: pa.Table, rows: Rows, columns: Iterable[str]) -> list[Node]:
    """Rows as dictionaries, moments as microseconds; `row` is their place in the batch."""
    part = table.select(list(columns)).take(pa.array(rows))
    values = [(c.cast(pa.int64()) if pa.types.is_timestamp(c.type) else c).to_pylist() for c in part.columns]
    names = (*part.column_names, "row", "former", "call_id")
    return [dict(zip(names, (*row, int(n), None, None), strict=True)) for n, row in zip(rows, zip(*values, strict=True), strict=True)]


def _fresh(database: Database, nodes: list[Node], since: datetime | None, merged: Merged) -> list[Node]:
    """Sightings that are not known; the first that came under an id counts."""
    seen = {}
    if nodes and since is not None:
        with database.named(arrived=pa.table({"observation_id": [o["observation_id"] for o in nodes]})):
            seen = {row["observation_id"]: row for row in database.rows("""
                SELECT observation_id, observed_by, tool, epoch_us(called_at) AS called_at FROM hot.told
                WHERE seen_at >= $since AND observation_id IN (SELECT observation_id FROM arrived)
            """, {"since": since})}
    fresh = []
    for one in sorted(nodes, key=lambda o: (o["seen_at"], o["row"])):
        before = seen.setdefault(one["observation_id"], one)
        if before is one:
            fresh.append(one)
        else:
            merged.repeated += 1
            merged.contradicted += any(before[c] != one[c] for c in ("observed_by", "tool", "called_at"))
    return fresh


def _known(database: Database, traces: set[str], pairs: set[tuple[str, str]], since: datetime | None) -> list[Node]:
    """Sightings that came before and that the new ones may belong to."""
    found: list[Node] = []
    if since is None:
        return found
    select = f"""
        SELECT {', '.join(f'epoch_us({c}) AS {c}' if c.endswith('_at') else c for c in SAID)}, call_id, call_id AS former, place, NULL AS row,
               {', '.join(f'coalesce(given_{c}, {c}) AS former_{c}' for c in TOLD)}
        FROM hot.told AS t WHERE t.seen_at >= $since AND"""
    if traces:
        with database.named(concerned=pa.table({"trace_id": sorted(traces)})):
            found += database.rows(f"{select} trace_id IN (SELECT trace_id FROM concerned)", {"since": since})
    if pairs:
        sessions, names = zip(*pairs, strict=True)
        with database.named(concerned=pa.table({"session_id": list(sessions), "tool_call_id": list(names)})):
            found += database.rows(
                f"{select} trace_id IS NULL AND EXISTS (FROM concerned AS p WHERE p.session_id = t.session_id AND p.tool_call_id = t.tool_call_id)",
                {"since": since},
            )
    return found


def _context(database: Database, spans: pa.Table, traces: set[str], since: datetime | None) -> list[Node]:
    """The spans of these traces, those that are new among them written down."""
    known: list[Node] = []
    if since is not None and traces:
        with database.named(concerned=pa.table({"trace_id": sorted(traces)})):
            known = database.rows(f"""
                SELECT {', '.join(_SPAN)} FROM hot.spans WHERE seen_at >= $since AND trace_id IN (SELECT trace_id FROM concerned)
            """, {"since": since})
    new = _insert_spans(database, spans, {(s["trace_id"], s["span_id"]) for s in known})
    return [*known, *_nodes(spans, new, _SPAN)]


def _insert_spans(database: Database, spans: pa.Table, known: Iterable[tuple[str, str]] = ()) -> Rows:
    """Write those down that are not known; the rows that they are."""
    seen, new = set(known), []
    names = list(zip(spans["trace_id"].to_pylist(), spans["span_id"].to_pylist(), strict=True))
    moments = spans["seen_at"].cast(pa.int64()).to_pylist()
    for row in sorted(range(len(spans)), key=lambda n: (moments[n], n)):
        if names[row] not in seen:
            seen.add(names[row])
            new.append(row)
    if new:
        database.insert("hot.spans", spans if len(new) == len(spans) else spans.take(pa.array(new)))
    return np.array(new, np.int64)


def _concerning(context: list[Node], nodes: list[Node]) -> list[Node]:
    """The spans of the traces that have sightings: the others place nothing."""
    wanted = {o["trace_id"] for o in nodes}
    return [span for span in context if span["trace_id"] in wanted]
