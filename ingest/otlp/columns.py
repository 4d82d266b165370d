"""Plans carried out on scanned spans: Arrow columns of calls, without a Python object for a span or a value."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit

from ingest.dialects.contract import AGENT_KEYS, LEFT_OVER_BYTES, LEFT_OVER_VALUE, PRINCIPAL_KEYS, SESSION_KEYS, holds_payload
from ingest.dialects.plan import Inside, Plan, Text
from ingest.otlp.picking import NO_NAME, PAYLOAD, SESSION, TEXT, begin_with, gather, pick
from ingest.otlp.unwrapping import looked_into, opened
from ingest.otlp.wire import ABSENT, BOOL, DOUBLE, EMPTY, INT, NOTHING, PLACEHOLDER, STRING, Array, Spans
from store import tables
from store.records import Outcome, SessionSource, State

_AGENT, _VERSION, _PRINCIPAL = Text(AGENT_KEYS), Text(("gen_ai.agent.version",)), Text(PRINCIPAL_KEYS)
_CLIENT, _ADDRESS, _ERROR = Text(("client.address",)), Text(("server.address",)), Text(("error.type",))
_SESSION = Text(tuple(key for key, _ in SESSION_KEYS))
_SOURCES: Final = np.array([*(int(told) for _, told in SESSION_KEYS), int(SessionSource.TRACE)], dtype=np.int8)  # last: where ABSENT points
_MODES: Final = {"arguments": PAYLOAD, "result": PAYLOAD, "session_id": SESSION}
_FAILED: Final = 2
_STATES: Final = pa.array([State.ABSENT.value, State.CAPTURED.value, State.REDACTED.value])
_OUTCOMES: Final = pa.array([Outcome.OK.value, Outcome.ERROR.value])
_ID_BYTES: Final = 49  # a trace id in hex, a NUL, a span id in hex
_DIGEST_BYTES, _OBSERVATION_BYTES = 32, 12
_AT_HAND: Final = 1024
"""Rows of columns that say the same in each."""


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
        texts = {
            "arguments": plan.arguments, "result": plan.result, "tool": plan.tool, "tool_call_id": plan.tool_call_id, "server": plan.server,
            "server_version": plan.server_version, "transport": plan.transport, "agent": plan.agent or _AGENT, "agent_version": _VERSION,
            "principal": _PRINCIPAL, "client_address": _CLIENT, "server_address": _ADDRESS, "error_type": _ERROR, "session_id": _SESSION,
        }
        places, source = self._picked(rows, texts)
        left, left_fits = self._left_over(rows)
        self.odd[rows[~left_fits]] = True
        inside = self._inside(rows, plan, places)
        kept = ~self.odd[rows]
        if not kept.all():
            rows, places, source = rows[kept], places[:, kept], source[kept]
        spans, n = self.spans, len(rows)
        messages = spans.statuses[rows, 1:]
        messages[messages[:, 1] == 0, 0] = ABSENT
        made = self._texts((*texts, "error_message"), np.concatenate((places, messages[None])))
        for c, name in enumerate(("arguments", "result")):
            where = places[c, :, 0]
            made[f"{name}_state"] = _STATES.take(pa.array(np.where(where >= 0, 1, np.where(where == ABSENT, 0, 2))))
        for name, text in texts.items():
            if text.otherwise is not None:
                made[name] = made[name].fill_null(text.otherwise)
        failed = (spans.statuses[rows, 0] == _FAILED) | made["error_type"].is_valid().to_numpy(zero_copy_only=False)
        if inside:
            failed = opened(made, [one for one, is_kept in zip(inside, kept.tolist(), strict=True) if one and is_kept], failed)
        begun, ended = spans.moments[rows, 0], spans.moments[rows, 1]
        joined, ids = _ids(spans.data, spans.ids[rows])
        if plan.agent_at_root is not None:
            at_root = pc.and_(pc.is_null(made["agent"]), pc.is_null(ids["parent_span_id"]))
            made["agent"] = pc.if_else(at_root, plan.agent_at_root, made["agent"])
        made |= ids
        made |= {
            "observation_id": _observation_ids(joined, n),
            "called_at": self._moments(begun),
            "duration_ms": pa.array((ended - begun) / 1e6, mask=~((ended > begun) & (begun > 0))),
            "session_source": pa.array(_SOURCES[source], pa.int8()),
            "outcome": _OUTCOMES.take(pa.array(failed.astype(np.int8))),
            "attributes": _json_texts(left, kept),
            "observed_by": _repeated(plan.observed_by.value, n), "dialect": _repeated(plan.dialect, n),
        }
        return _table("observations", made, n)

    def contexts(self, rows: Array) -> pa.Table:
        """Spans `rows` in the columns of `spans`: kept for parentage. What is known of them is text, or they are left out."""
        texts = {"agent": _AGENT, "agent_version": _VERSION, "principal": _PRINCIPAL, "session_id": _SESSION}
        places, source = self._picked(rows, texts)
        kept = ~self.odd[rows]
        rows = rows[kept]
        made = self._texts(tuple(texts), places[:, kept])
        made |= _ids(self.spans.data, self.spans.ids[rows])[1]
        made |= {"started_at": self._moments(self.spans.moments[rows, 0]), "session_source": pa.array(_SOURCES[source[kept]], pa.int8())}
        return _table("spans", made, len(rows))

    def _picked(self, rows: Array, texts: Mapping[str, Text]) -> tuple[Array, Array]:
        """(texts, rows, 2) place and length of each text, and which of SESSION_KEYS tells the session; what does not fit is marked odd."""
        known = [[(n, self._numbers[key]) for n, key in enumerate(text.keys) if key in self._numbers] for text in texts.values()]
        spans = self.spans
        places, source = pick(
            spans.first, spans.keys, spans.types, spans.values, spans.names, rows,
            np.array([number for keys in known for _, number in keys], dtype=np.int64), np.cumsum(np.array([0, *map(len, known)], dtype=np.int64)),
            np.array([NO_NAME if text.name_from is None else text.name_from for text in texts.values()], dtype=np.int64),
            np.array([_MODES.get(name, TEXT) for name in texts], dtype=np.int64), len(self.names), self.odd,
        )
        for c, text in enumerate(texts.values()):
            for beginning in text.unless:
                self.odd[rows[begin_with(spans.data, places[c], np.frombuffer(beginning.encode(), dtype=np.uint8))]] = True
        asked = np.array([n for n, _ in known[-1]] + [ABSENT], dtype=np.int64)  # the session is last
        return places, asked[source]

    def _inside(self, rows: Array, plan: Plan, places: Array) -> list[Inside | None]:
        """What each span's payloads hold, where a plan asks for it; spans of which that cannot be said are odd."""
        if plan.inside is None:
            return []
        found = looked_into(plan.inside, self._texts(("arguments", "result"), np.ascontiguousarray(places[:2])))
        self.odd[rows[[one is None for one in found]]] = True
        return found

    def _texts(self, names: Sequence[str], places: Array) -> dict[str, Any]:
        """The texts at these places, null where there is none, as a column for each name."""
        offsets, data, starts, valid, nulls = gather(self.spans.data, places)
        ends = starts.tolist()
        return {
            name: pa.StringArray.from_buffers(
                places.shape[1], pa.py_buffer(offsets[c]), pa.py_buffer(data[ends[c] : ends[c + 1]]), pa.py_buffer(valid[c]) if null else None, null,
            ) for c, (name, null) in enumerate(zip(names, nulls.tolist(), strict=True))
        }

    def _moments(self, nanos: Array) -> pa.Array:
        return pa.array(np.where(nanos > 0, nanos // 1000, self._now)).view(tables.MOMENT)

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


@cache
def _schema(kind: str) -> pa.Schema:
    return tables.schema(kind)


@cache
def _nothing(kind: str) -> dict[str, pa.Array]:
    return {f.name: pa.nulls(_AT_HAND, f.type) for f in _schema(kind)}


@lru_cache(maxsize=256)
def _many(word: str) -> pa.Array:
    return pa.repeat(pa.scalar(word, pa.string()), _AT_HAND)


def _repeated(word: str, n: int) -> pa.Array:
    """The same n times; most requests are short, so that a piece of one at hand will do."""
    return _many(word).slice(0, n) if n <= _AT_HAND else pa.repeat(pa.scalar(word, pa.string()), n)


def _table(kind: str, made: dict[str, Any], n: int) -> pa.Table:
    schema, nothing = _schema(kind), _nothing(kind)
    columns = [made[f.name] if f.name in made else nothing[f.name].slice(0, n) if n <= _AT_HAND else pa.nulls(n, f.type) for f in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _strings(offsets: Array, data: Array, absent: Array | None = None) -> pa.Array:
    valid = pa.array(~absent).buffers()[1] if absent is not None and absent.any() else None
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(data), valid)


def _json_texts(left: tuple[Array, Array], kept: Array) -> pa.Array:
    offsets, data = left
    whole = _strings(offsets, data, np.diff(offsets) == 0)
    return whole if kept.all() else whole.filter(pa.array(kept))


def _observation_ids(joined: Array, n: int) -> pa.Array:
    """As `digest` makes them of a trace id and a span id."""
    text = joined.tobytes()
    digests = b"".join([hashlib.sha256(text[i : i + _ID_BYTES]).digest() for i in range(0, n * _ID_BYTES, _ID_BYTES)])
    return _fixed(_in_hex(np.frombuffer(digests, dtype=np.uint8).reshape(n, _DIGEST_BYTES), _OBSERVATION_BYTES), 2 * _OBSERVATION_BYTES)


def _ids(data: Array, places: Array) -> tuple[Array, dict[str, pa.Array]]:
    """Trace ids and span ids in hex, joined as `digest` wants them; then as columns, with the parents' ids."""
    joined, parents = _hexed(data, places)
    n = len(places)
    table = joined.reshape(n, _ID_BYTES)
    return joined, {
        "trace_id": _fixed(table[:, :32], 32), "span_id": _fixed(table[:, 33:], 16),
        "parent_span_id": _fixed(parents.reshape(n, 16), 16, places[:, 2] < 0),
    }


def _fixed(characters: Array, width: int, absent: Array | None = None) -> pa.Array:
    offsets = np.arange(len(characters) + 1, dtype=np.int32) * np.int32(width)
    return _strings(offsets, np.ascontiguousarray(characters).reshape(-1), absent)


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
def _in_hex(rows: Array, size: int) -> Array:
    """The first `size` bytes of each row."""
    out = np.empty((len(rows), 2 * size), dtype=np.uint8)
    for r in range(len(rows)):
        _hex(rows[r], 0, size, out[r], 0)
    return out


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
            end, characters, special = values[a, 0], 0, False
            if kind in (STRING, PLACEHOLDER):
                stop = values[a, 0] + values[a, 1]
                while end < stop and not (characters == LEFT_OVER_VALUE and data[end] & 0xC0 != 0x80):
                    byte = data[end]
                    characters += byte & 0xC0 != 0x80
                    special |= byte < 32 or byte == 34 or byte == 92
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
                if special:
                    for i in range(values[a, 0], end):
                        o = _escaped(data[i], out, o)
                else:
                    out[o : o + end - values[a, 0]] = data[values[a, 0] : end]
                    o += end - values[a, 0]
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

