"""Scenarios by the way that real input takes: masked, fingerprinted, merged, learned from; then detectors are asked."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime

from ingest.batch import to_tables
from ingest.redact import Redactor
from store.database import Database, hot_schema
from store.intake import absorb
from store.lake import make_views
from store.records import Grant, Record, Records, Registration, Stated
from store.tables import rows_to_table

KEY = b"scenarios hold nothing that is secret"


def database_of(scenario: Iterable[Record | Stated]) -> Database:
    """A database in memory that has taken a scenario in."""
    records, stated = Records(), []
    for record in scenario:
        if isinstance(record, Grant | Registration):
            stated.append(record)
        else:
            records.add(record)
    database = Database.memory()
    hot_schema(database)
    make_views(database)
    with database.transaction():
        absorb(database, to_tables(records, Redactor(KEY)), datetime.now(UTC))
        for table, kind in (("grants", Grant), ("registry", Registration)):
            database.insert(f"hot.{table}", rows_to_table(table, [asdict(one) for one in stated if isinstance(one, kind)]))
    return database
