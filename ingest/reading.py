"""Items and JSON lines to records: names the dialect, counts what it could not name."""

import importlib
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from ingest.dialects.contract import Dialect, context
from ingest.otlp.items import Item
from store.records import Records

UNKNOWN = "unknown"


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
    records, claimed = Records(), Counter[str]()
    for item in items:
        name, dialect = next(((n, d) for n, d in dialects() if d.recognises(item)), (UNKNOWN, None))
        claimed[name] += 1
        before = len(records.calls)
        if dialect:
            for record in dialect.read(item):
                records.add(record)
        if item.signal == "span" and len(records.calls) == before:
            records.spans.append(context(item))
    return records, claimed
