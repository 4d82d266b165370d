"""Items and spans to records: names the dialect, counts what it could not name."""

import importlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from ingest.dialects.contract import PLACEHOLDERS, TOLD_BY_RESOURCE, Dialect, context
from ingest.dialects.plan import Plan
from ingest.otlp import wire
from ingest.otlp.columns import Columns
from ingest.otlp.flat import Flat
from ingest.otlp.items import Decoded, Item
from ingest.otlp.picking import grouped
from ingest.otlp.protobuf import Traces
from ingest.unknown import Vocabulary, vocabulary_of
from store.records import Records

UNKNOWN = "unknown"
_SHAPES_REMEMBERED = 50_000


@dataclass(slots=True)
class Read:
    """What a request held: records, and tables that were read column by column; how many items each dialect claimed."""

    accepted: int = 0
    records: Records = field(default_factory=Records)
    tables: dict[str, list[pa.Table]] = field(default_factory=dict)
    claimed: Counter[str] = field(default_factory=Counter)
    unknown: set[Vocabulary] = field(default_factory=set)


@cache
def dialects() -> tuple[tuple[str, Dialect], ...]:
    """All dialects by name, in the order in which they are asked: native vocabularies before generic ones."""
    folder = Path(__file__).parent / "dialects"
    found = []
    for path in sorted(folder.glob("*.py")):
        module = importlib.import_module(f"ingest.dialects.{path.stem}")
        if isinstance(made := getattr(module, "DIALECT", None), Dialect):
            found.append((path.stem, made))
    return tuple(sorted(found, key=lambda pair: pair[1].rank))


def read_items(items: Iterable[Item]) -> tuple[Records, Counter[str]]:
    """Records out of spans and log records, and how many items each dialect claimed."""
    read = Read()
    for item in items:
        _read_one(item, read)
    return read.records, read.claimed


def read_request(request: Decoded | Traces) -> Read:
    """What a request held. Plain spans are read many at once, by the plans of their dialects, everything else item by item.

    Raises SourceError where there were spans, none of which could be taken, because they are log records.
    """
    read = Read()
    if isinstance(request, Decoded):
        decoded = Flat(request.items)
        spans = decoded.spans(*_words())
        for n in range(len(request.items)) if spans is None else _read_columns(decoded, spans, read):
            _read_one(decoded.item(n), read)
        return read
    spans = wire.scan(request.body, *_words()) if request.is_whole else None
    for n in range(request.count) if spans is None else _read_columns(request, spans, read):
        if one := request.item(n):
            _read_one(one, read)
    if request.count and not read.accepted:
        request.check_signal()
    return read


def _read_one(item: Item, read: Read) -> None:
    name, dialect = _dialect_of(item)
    read.accepted += 1
    read.claimed[name] += 1
    before = len(read.records.calls) + len(read.records.spans)
    if dialect:
        for record in dialect.read(item):
            read.records.add(record)
    elif spoken := vocabulary_of(item):
        read.unknown.add(spoken)
    if item.signal == "span" and len(read.records.calls) + len(read.records.spans) == before:
        read.records.spans.append(context(item))


def _dialect_of(item: Item) -> tuple[str, Dialect | None]:
    return next(((name, one) for name, one in dialects() if one.recognises(item)), (UNKNOWN, None))


def _read_columns(traces: Traces | Flat, spans: wire.Spans, read: Read) -> list[int]:
    """Read what plans fit; the spans that are left."""
    columns = Columns(spans)
    sources = np.array([hash(source.key()) & (1 << 63) - 1 for source in traces.sources], dtype=np.uint64)
    shapes = spans.shapes ^ sources[spans.sources]
    examples, which = grouped(shapes)
    by_plan: dict[Plan, list[int]] = {}
    for number, (shape, example) in enumerate(zip(shapes[examples].tolist(), examples.tolist(), strict=True)):
        if spans.irregular[example]:
            continue  # the shape is not known to the end
        if shape not in _PLANS:
            if len(_PLANS) >= _SHAPES_REMEMBERED:
                _PLANS.clear()
            item = traces.item(example)
            _PLANS[shape] = _plan_of(item) if item else (None, None)
        plan, spoken = _PLANS[shape]
        if plan:
            by_plan.setdefault(plan, []).append(number)
        if spoken:
            read.unknown.add(spoken)
    planned = np.zeros(len(which), dtype=np.bool_)
    for plan, numbers in by_plan.items():
        meant = np.zeros(len(examples), dtype=np.bool_)
        meant[numbers] = True
        rows = np.flatnonzero(meant[which] & ~spans.irregular)
        kind, table = ("observations", columns.calls(rows, plan)) if plan.tool else ("spans", columns.contexts(rows))
        read.tables.setdefault(kind, []).append(table)
        read.claimed[plan.dialect] += len(table)
        read.accepted += len(table)
        planned[rows] = True
    left: list[int] = np.flatnonzero(~planned | columns.odd).tolist()
    return left


_PLANS: dict[int, tuple[Plan | None, Vocabulary | None]] = {}
"""What was found out about shapes; they are hashed under a key of this process."""


def _plan_of(item: Item) -> tuple[Plan | None, Vocabulary | None]:
    name, dialect = _dialect_of(item)
    if item.events or TOLD_BY_RESOURCE & item.source.resource.keys():  # their names and contents may count; plans look at attributes alone
        return None, None
    if dialect is None:
        return Plan(name), vocabulary_of(item)
    return dialect.plan(item) if dialect.plan else None, None


@cache
def _words() -> tuple[wire.Words, wire.Words]:
    return wire.Words(frozenset(key for _, one in dialects() for key in one.telling)), wire.Words(PLACEHOLDERS)
