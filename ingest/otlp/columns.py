"""Plans carried out on scanned spans: Arrow columns of calls, without a Python object for a span or a value."""

import hashlib
import json
import math
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit

from ingest.dialects.contract import AGENT_KEYS, LEFT_OVER_BYTES, LEFT_OVER_VALUE, PRINCIPAL_KEYS, SESSION_KEYS, holds_payload
from ingest.dialects.plan import Plan, Text
from ingest.otlp.wire import ABSENT, BOOL, DOUBLE, EMPTY, INT, NOTHING, PLACEHOLDER, STRING, Array, Spans
from store import tables
from store.records import Outcome, SessionSource, State

_AGENT, _VERSION, _PRINCIPAL = Text(AGENT_KEYS), Text(("gen_ai.agent.version",)), Text(PRINCIPAL_KEYS)
_CLIENT, _ADDRESS, _ERROR = Text(("client.address",)), Text(("server.address",)), Text(("error.type",))
_FAILED: Final = 2
_STATES: Final = pa.array([State.ABSENT.value, State.CAPTURED.value, State.REDACTED.value])
_OUTCOMES: Final = pa.array([Outcome.OK.value, Outcome.ERROR.value])
_ID_BYTES: Final = 49  # a trace id in hex, a NUL, a span id in hex


class Columns:
    """The spans of a request, asked by attribute. `odd` marks those that a plan did not fit, which are read one by one."""

    def __init__(self, spans: Spans) -> None:
        self.spans, self.odd = spans, spans.irregular.copy()
        data = spans.data
        self.names = [data[place : place + length].tobytes().decode() for place, length in spans.key_places.tolist()]
        self._numbers = {name: number for number, name in enumerate(self.names)}
        self._now = int(datetime.now(UTC).timestamp() * 1e6)

    def calls(self, rows: Array, plan: Plan) -> pa.Table:
        """The calls that spans `rows` tell of by this plan, in the columns of `observations`; those that it does not fit are left out."""
        if plan.tool is None:
            raise ValueError("a plan without a tool makes no calls")
        picked = {
            name: self._picked(rows, text) for name, text in (
                ("tool", plan.tool), ("tool_call_id", plan.tool_call_id), ("server", plan.server), ("server_version", plan.server_version),
                ("transport", plan.transport), ("agent", plan.agent or _AGENT), ("agent_version", _VERSION), ("principal", _PRINCIPAL),
                ("client_address", _CLIENT), ("server_address", _ADDRESS), ("error_type", _ERROR),
            )
        }
        payloads = {"arguments": self._payload(rows, plan.arguments), "result": self._payload(rows, plan.result)}
        session, source = self._session(rows)
        left, left_fits = self._left_over(rows)
        self.odd[rows[~left_fits]] = True
        kept = ~self.odd[rows]
        spans, n = self.spans, int(kept.sum())
        rows = rows[kept]
        made: dict[str, Any] = {name: self._texts(places[kept]) for name, places in picked.items()}
        for name, places in payloads.items():
            made[name] = self._texts(places[kept])
            made[f"{name}_state"] = _STATES.take(pa.array(np.where(places[kept, 0] >= 0, 1, np.where(places[kept, 0] == ABSENT, 0, 2))))
        for name, text in (("tool", plan.tool), ("server", plan.server), ("server_version", plan.server_version), ("transport", plan.transport),
                           ("agent", plan.agent or _AGENT)):
            if text.otherwise is not None:
                made[name] = made[name].fill_null(text.otherwise)
        failed = (spans.statuses[rows, 0] == _FAILED) | (picked["error_type"][kept, 0] >= 0)
        begun, ended = spans.moments[rows, 0], spans.moments[rows, 1]
        messages = spans.statuses[rows, 1:].copy()
        messages[messages[:, 1] == 0, 0] = ABSENT
        joined, trace, span, parent = _ids(spans.data, spans.ids[rows])
        if plan.agent_at_root is not None:
            made["agent"] = pc.if_else(pc.and_(pc.is_null(made["agent"]), pc.is_null(parent)), plan.agent_at_root, made["agent"])
        both = range(0, n * _ID_BYTES, _ID_BYTES)
        made |= {
            "observation_id": pa.array([hashlib.sha256(joined[i : i + _ID_BYTES]).hexdigest()[:24] for i in both], pa.string()),
            "trace_id": trace, "span_id": span, "parent_span_id": parent,
            "called_at": self._moments(begun),
            "duration_ms": pa.array((ended - begun) / 1e6, mask=~((ended > begun) & (begun > 0))),
            "session_id": self._texts(session[kept]), "session_source": pa.array(source[kept], pa.int8()),
            "outcome": _OUTCOMES.take(pa.array(failed.astype(np.int8))),
            "error_message": self._texts(messages), "attributes": _json_texts(left, left_fits, kept),
            "observed_by": _repeated(plan.observed_by.value, n), "dialect": _repeated(plan.dialect, n),
        }
        return _table("observations", made, n)

    def contexts(self, rows: Array) -> pa.Table:
        """Spans `rows` in the columns of `spans`: kept for parentage. What is known of them is text, or they are left out."""
        picked = {name: self._picked(rows, text) for name, text in (("agent", _AGENT), ("agent_version", _VERSION), ("principal", _PRINCIPAL))}
        session, source = self._session(rows)
        kept = ~self.odd[rows]
        rows = rows[kept]
        _, trace, span, parent = _ids(self.spans.data, self.spans.ids[rows])
        made: dict[str, Any] = {name: self._texts(places[kept]) for name, places in picked.items()}
        made |= {
            "trace_id": trace, "span_id": span, "parent_span_id": parent, "started_at": self._moments(self.spans.moments[rows, 0]),
            "session_id": self._texts(session[kept]), "session_source": pa.array(source[kept], pa.int8()),
        }
        return _table("spans", made, len(rows))

    def _attributes(self, rows: Array, keys: Iterable[str]) -> Array:
        """(rows, keys) the number of the attribute that a span has under each name, or ABSENT; names that no span has take no column."""
        wanted = np.array([self._numbers[key] for key in keys if key in self._numbers], dtype=np.int64)
        return _found(self.spans.first, self.spans.keys, rows, wanted, len(self.names))

    def _picked(self, rows: Array, text: Text) -> Array:
        """(rows, 2) place and length of the first value; ABSENT where there is none. Other values than texts make a span odd."""
        places = np.full((len(rows), 2), ABSENT, dtype=np.int64)
        chosen = np.full(len(rows), ABSENT, dtype=np.int64)
        for attributes in self._attributes(rows, text.keys).T:
            types = self.spans.types[attributes]
            chosen = np.where((chosen < 0) & (attributes >= 0) & (types != NOTHING) & (types != EMPTY), attributes, chosen)
        has = chosen >= 0
        self.odd[rows[has & (self.spans.types[chosen] != STRING)]] = True
        places[has] = self.spans.values[chosen[has]]
        if text.name_from is not None:
            names = self.spans.names[rows[~has]]
            places[~has, 0], places[~has, 1] = names[:, 0] + text.name_from, names[:, 1] - text.name_from
            self.odd[rows[~has][names[:, 1] <= text.name_from]] = True
        for beginning in text.unless:
            self.odd[rows[has][_begin_with(self.spans.data, places[has], np.frombuffer(beginning.encode(), dtype=np.uint8))]] = True
        return places

    def _payload(self, rows: Array, text: Text) -> Array:
        """As `_picked`, but -2 where the source says that it gives no value."""
        attributes = self._attributes(rows, text.keys)
        hidden = np.zeros(len(rows), dtype=np.bool_)
        settled = np.zeros(len(rows), dtype=np.bool_)
        for column in attributes.T:
            types = self.spans.types[column]
            has = (column >= 0) & (types != NOTHING) & (types != EMPTY) & ~settled
            hidden |= has & (types == PLACEHOLDER)
            settled |= has
        odd = self.odd[rows].copy()
        places = self._picked(rows, text)
        self.odd[rows[hidden]] = odd[hidden]
        places[hidden] = (-2, 0)
        return places

    def _session(self, rows: Array) -> tuple[Array, Array]:
        """Place and length of the session's id, and what it was taken from; placeholders are passed over."""
        places = np.full((len(rows), 2), ABSENT, dtype=np.int64)
        source = np.full(len(rows), int(SessionSource.TRACE), dtype=np.int64)
        known = [(key, told) for key, told in SESSION_KEYS if key in self._numbers]
        for (_, told), attributes in zip(known, self._attributes(rows, [key for key, _ in known]).T, strict=True):
            types = self.spans.types[attributes]
            open_ = (places[:, 0] < 0) & (attributes >= 0)
            fits = open_ & (types == STRING)
            self.odd[rows[open_ & ~fits & (types != NOTHING) & (types != EMPTY) & (types != PLACEHOLDER)]] = True
            places[fits] = self.spans.values[attributes[fits]]
            source[fits] = int(told)
        return places, source

    def _texts(self, places: Array) -> pa.Array:
        """The texts at these places; null where there is none."""
        offsets, data = _gathered(self.spans.data, places)
        return _strings(offsets, data, places[:, 0] < 0)

    def _moments(self, nanos: Array) -> pa.Array:
        return pa.array(np.where(nanos > 0, nanos // 1000, self._now), pa.int64()).cast(tables.MOMENT)

    def _left_over(self, rows: Array) -> tuple[tuple[Array, Array], Array]:
        """What `leftover` makes, as (offsets, bytes), and which spans that could be done for."""
        spans = self.spans
        wanted = [number for name, number in sorted(self._numbers.items()) if not holds_payload(name)]
        attributes = _found(spans.first, spans.keys, rows, np.array(wanted, dtype=np.int64), len(self.names))
        names = [json.dumps(self.names[number], ensure_ascii=False) for number in wanted]
        written = b"".join(name.encode() for name in names)
        ends = np.cumsum(np.array([0, *(len(name.encode()) for name in names)], dtype=np.int64))
        sizes = np.array([len(self.names[number]) for number in wanted], dtype=np.int64)
        numbers, number_places = self._numbers_written(attributes)
        offsets, out, fits = _objects(
            spans.data, spans.types, spans.values, attributes, np.frombuffer(written + b"\0", dtype=np.uint8), ends, sizes,
            np.frombuffer(numbers + b"\0", dtype=np.uint8), number_places,
        )
        return (offsets, out), fits

    def _numbers_written(self, attributes: Array) -> tuple[bytes, Array]:
        """How DOUBLE and INT attributes are written in JSON, and (m, 2) where each lies; there are few of them."""
        spans = self.spans
        places = np.zeros((len(spans.types), 2), dtype=np.int64)
        parts: list[bytes] = []
        size = 0
        for number in attributes[(attributes >= 0) & np.isin(spans.types[attributes], (DOUBLE, INT))].tolist():
            place = int(spans.values[number, 0])
            if spans.types[number] == INT:
                said = str(place)
            else:
                value = spans.data[place : place + 8].view("<f8")[0].item()
                said = repr(value) if math.isfinite(value) else f'"{value}"'
            parts.append(said.encode())
            places[number] = (size, len(said))
            size += len(said)
        return b"".join(parts), places


def _table(kind: str, made: dict[str, Any], n: int) -> pa.Table:
    return pa.table({f.name: made[f.name] if f.name in made else pa.nulls(n, f.type) for f in tables.schema(kind)}, tables.schema(kind))


def _repeated(word: str, n: int) -> pa.Array:
    return pa.repeat(pa.scalar(word, pa.string()), n)


def _strings(offsets: Array, data: Array, absent: Array) -> pa.Array:
    valid = pa.array(~absent).buffers()[1] if absent.any() else None
    return pa.StringArray.from_buffers(len(absent), pa.py_buffer(offsets), pa.py_buffer(data), valid)


def _json_texts(left: tuple[Array, Array], fits: Array, kept: Array) -> pa.Array:
    offsets, data = left
    whole = _strings(offsets, data, np.diff(offsets) == 0)
    return whole if kept.all() else whole.filter(pa.array(kept))


def _ids(data: Array, places: Array) -> tuple[bytes, pa.Array, pa.Array, pa.Array]:
    """Trace ids and span ids in hex, joined as `digest` wants them; then as columns, with the parents' ids."""
    joined, parents = _hexed(data, places)
    n = len(places)
    table = joined.reshape(n, _ID_BYTES)
    return (
        joined.tobytes(), _fixed(table[:, :32], 32, None), _fixed(table[:, 33:], 16, None), _fixed(parents.reshape(n, 16), 16, places[:, 2] < 0),
    )


def _fixed(characters: Array, width: int, absent: Array | None) -> pa.Array:
    n = len(characters)
    offsets = np.arange(n + 1, dtype=np.int32) * np.int32(width)
    return _strings(offsets, np.ascontiguousarray(characters).reshape(-1), np.zeros(n, dtype=np.bool_) if absent is None else absent)


@njit(cache=True, nogil=True)
def _found(first: Array, keys: Array, rows: Array, wanted: Array, names: int) -> Array:
    column = np.full(names + 1, -1, dtype=np.int64)
    for w in range(len(wanted)):
        column[wanted[w]] = w
    found = np.full((len(rows), len(wanted)), -1, dtype=np.int64)
    for r in range(len(rows)):
        for a in range(first[rows[r]], first[rows[r] + 1]):
            if column[keys[a]] >= 0:
                found[r, column[keys[a]]] = a
    return found


@njit(cache=True, nogil=True)
def _begin_with(data: Array, places: Array, beginning: Array) -> Array:
    found = np.zeros(len(places), dtype=np.bool_)
    for r in range(len(places)):
        same = places[r, 1] >= len(beginning)
        for i in range(len(beginning)):
            same = same and data[places[r, 0] + i] == beginning[i]
        found[r] = same
    return found


@njit(cache=True, nogil=True)
def _gathered(data: Array, places: Array) -> tuple[Array, Array]:
    """Pieces of `data` one after another, with Arrow's offsets."""
    offsets = np.zeros(len(places) + 1, dtype=np.int32)
    for r in range(len(places)):
        offsets[r + 1] = offsets[r] + (places[r, 1] if places[r, 0] >= 0 else 0)
    out = np.empty(offsets[-1], dtype=np.uint8)
    for r in range(len(places)):
        if places[r, 0] >= 0:
            out[offsets[r] : offsets[r + 1]] = data[places[r, 0] : places[r, 0] + places[r, 1]]
    return offsets, out


@njit(cache=True, nogil=True)
def _hexed(data: Array, places: Array) -> tuple[Array, Array]:
    """For each span trace id, NUL and span id in hex; and its parent's id (zeros where there is none)."""
    joined, parents = np.zeros(len(places) * 49, dtype=np.uint8), np.full(len(places) * 16, 48, dtype=np.uint8)
    for r in range(len(places)):
        _hex(data, places[r, 0], 16, joined, 49 * r)
        _hex(data, places[r, 1], 8, joined, 49 * r + 33)
        if places[r, 2] >= 0:
            _hex(data, places[r, 2], 8, parents, 16 * r)
    return joined, parents


@njit(cache=True, nogil=True)
def _hex(data: Array, place: int, size: int, out: Array, at: int) -> None:
    for i in range(size):
        high, low = data[place + i] >> 4, data[place + i] & 15
        out[at + 2 * i] = high + 48 if high < 10 else high + 87
        out[at + 2 * i + 1] = low + 48 if low < 10 else low + 87


@njit(cache=True, nogil=True)
def _objects(
    data: Array, types: Array, values: Array, attributes: Array, names: Array, name_ends: Array, name_sizes: Array, numbers: Array,
    number_places: Array,
) -> tuple[Array, Array, Array]:
    """JSON objects of the attributes of each row, as `leftover` writes them; which rows hold what cannot be written here."""
    fits = np.ones(len(attributes), dtype=np.bool_)
    offsets = np.zeros(len(attributes) + 1, dtype=np.int32)
    out = np.empty(256 * len(attributes) + 4096, dtype=np.uint8)
    o = 0
    for r in range(len(attributes)):
        if len(out) - o < 16 * (LEFT_OVER_BYTES + 64):
            grown = np.empty(2 * len(out) + 16 * (LEFT_OVER_BYTES + 64), dtype=np.uint8)
            grown[:o] = out[:o]
            out = grown
        room, begun = LEFT_OVER_BYTES, o
        for w in range(attributes.shape[1]):
            a = attributes[r, w]
            if a < 0:
                continue
            kind = types[a]
            end, characters = values[a, 0], 0
            if kind in (STRING, PLACEHOLDER):
                stop = values[a, 0] + values[a, 1]
                while end < stop and not (characters == LEFT_OVER_VALUE and data[end] & 0xC0 != 0x80):
                    characters += data[end] & 0xC0 != 0x80
                    end += 1
            elif kind == NOTHING:
                characters = 4
            elif kind == BOOL:
                characters = 4 if values[a, 0] else 5
            elif kind in (INT, DOUBLE):
                characters = number_places[a, 1]
                characters -= 2 if numbers[number_places[a, 0]] == 34 else 0
            elif kind != EMPTY:
                fits[r] = False
                break
            needs = name_sizes[w] + characters
            if needs > room:
                continue
            room -= needs
            if o == begun:
                out[o] = 123
                o += 1
            else:
                out[o], out[o + 1] = 44, 32
                o += 2
            size = name_ends[w + 1] - name_ends[w]
            out[o : o + size] = names[name_ends[w] : name_ends[w + 1]]
            o += size
            out[o], out[o + 1] = 58, 32
            o += 2
            if kind in (NOTHING, BOOL):
                word = "null" if kind == NOTHING else "true" if values[a, 0] else "false"
                for i in range(len(word)):
                    out[o] = ord(word[i])
                    o += 1
            elif kind in (INT, DOUBLE):
                size = number_places[a, 1]
                out[o : o + size] = numbers[number_places[a, 0] : number_places[a, 0] + size]
                o += size
            else:
                out[o] = 34
                o += 1
                for i in range(values[a, 0], end):
                    o = _escaped(data[i], out, o)
                out[o] = 34
                o += 1
        if o > begun:
            out[o] = 125
            o += 1
        if not fits[r]:
            o = begun
        offsets[r + 1] = o
    return offsets, out[:o], fits


@njit(cache=True, nogil=True)
def _escaped(byte: int, out: Array, o: int) -> int:
    """One byte of a JSON string, as Python's json writes it; where the next one goes."""
    if byte >= 32 and byte != 34 and byte != 92:
        out[o] = byte
        return o + 1
    out[o] = 92
    short = 110 if byte == 10 else 114 if byte == 13 else 116 if byte == 9 else 98 if byte == 8 else 102 if byte == 12 else byte
    if byte >= 32 or short != byte:
        out[o + 1] = short
        return o + 2
    out[o + 1], out[o + 2], out[o + 3] = 117, 48, 48
    out[o + 4] = 48 + (byte >> 4)
    low = byte & 15
    out[o + 5] = low + 48 if low < 10 else low + 87
    return o + 6

