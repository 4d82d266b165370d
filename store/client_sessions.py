"""Sessions of calls that come without conversation, session or trace: what one client does without a long pause.

Sources such as gateways' logs name who called, and nothing that ties the calls together. A sighting joins the client's session whose first and
last call are within the pause of it; else it begins a new one. Two sessions that a late sighting would join stay two.
"""

import hashlib
from bisect import insort
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from store import tables
from store.database import Database
from store.records import SessionSource

PAUSE: Final = timedelta(minutes=30)
"""As web analytics have it since the 1990s (Catledge and Pitkow 1995 found 25.5 minutes)."""

REMEMBERED: Final = timedelta(days=2)
_Span: TypeAlias = list[Any]
"""First call, last call, session id."""


def with_sessions(database: Database, sightings: pa.Table, now: datetime) -> pa.Table:
    """Sightings with the sessions of their clients. Call inside a transaction."""
    lacks = pc.or_kleene(
        pc.equal(sightings["session_source"], int(SessionSource.CLIENT)),
        pc.and_(pc.is_null(sightings["session_id"]), pc.is_null(sightings["trace_id"])),
    )
    places = pc.indices_nonzero(pc.fill_null(lacks, False))
    if not len(places):
        return sightings
    rows = sightings.select(["session_id", "trace_id", "dialect", "agent", "principal", "client_address", "called_at"]).take(places).to_pylist()
    clients = [None if row["trace_id"] else row["session_id"] or _client(row) for row in rows]  # a trace ties calls together better
    known = _known(database, {client for client in clients if client})
    changed: set[str] = set()
    sessions: list[str | None] = [None] * len(rows)
    for n in sorted(range(len(rows)), key=lambda n: rows[n]["called_at"]):
        if client := clients[n]:
            sessions[n] = _joined(known[client], client, rows[n]["called_at"])
            changed.add(client)
    _remember(database, {client: known[client] for client in changed}, now)
    whole = sightings["session_id"].to_pylist()
    sources = sightings["session_source"].to_pylist()
    for place, session in zip(places.to_pylist(), sessions, strict=True):
        whole[place] = session
        sources[place] = int(SessionSource.CLIENT if session else SessionSource.TRACE)
    for name, values in (("session_id", whole), ("session_source", sources)):
        field = sightings.schema.field(name)
        sightings = sightings.set_column(sightings.schema.get_field_index(name), field, pa.array(values, field.type))
    return sightings


def _client(row: dict[str, Any]) -> str | None:
    """Who called, as a key; None where nothing is known of them."""
    who = [row["agent"], row["principal"], row["client_address"]]
    if not any(who):
        return None
    return hashlib.sha256("\0".join([row["dialect"], *(part or "" for part in who)]).encode()).hexdigest()[:24]


def _joined(spans: list[_Span], client: str, at: datetime) -> str:
    """The session of a call, which is made longer, or begun."""
    for span in spans:
        if span[0] - PAUSE <= at <= span[1] + PAUSE:
            span[0], span[1] = min(span[0], at), max(span[1], at)
            return str(span[2])
    begun = f"{client}-{at:%Y%m%dT%H%M%S}"
    insort(spans, [at, at, begun])
    return begun


def _known(database: Database, clients: set[str]) -> dict[str, list[_Span]]:
    found: dict[str, list[_Span]] = defaultdict(list)
    with database.named(asked=pa.table({"client": pa.array(sorted(clients), tables.TEXT)})):
        for row in database.rows("SELECT s.* FROM hot.client_sessions AS s SEMI JOIN asked USING (client) ORDER BY first_at"):
            found[row["client"]].append([row["first_at"], row["last_at"], row["session_id"]])
    return found


def _remember(database: Database, known: dict[str, list[_Span]], now: datetime) -> None:
    rows = [(client, session, first, last) for client, spans in known.items() for first, last, session in spans]
    columns = list(zip(*rows, strict=True)) if rows else [()] * 4
    database.replace("hot.client_sessions", pa.table({
        "client": pa.array(columns[0], tables.TEXT), "session_id": pa.array(columns[1], tables.TEXT),
        "first_at": pa.array(columns[2], tables.MOMENT), "last_at": pa.array(columns[3], tables.MOMENT),
        "seen_at": pa.repeat(pa.scalar(now, tables.MOMENT), len(rows)),
    }), ["client", "session_id"])
    database.execute("DELETE FROM hot.client_sessions WHERE seen_at < ?", [now - REMEMBERED])
