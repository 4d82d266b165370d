"""Scenarios by the way that real input takes: masked, fingerprinted, merged, learned from; then detectors are asked."""

from collections.abc import Iterable
from datetime import UTC, datetime

from ingest.batch import to_tables
from ingest.redact import Redactor
from store.database import Database, hot_schema
from store.intake import absorb
from store.lake import make_views
from store.records import Record, Records

KEY = b"scenarios hold nothing that is secret"


def database_of(scenario: Iterable[Record]) -> Database:
    """A database in memory that has taken a scenario in."""
    records = Records()
    for record in scenario:
        records.add(record)
    database = Database.memory()
    hot_schema(database)
    make_views(database)
    with database.transaction():
        absorb(database, to_tables(records, Redactor(KEY)), datetime.now(UTC))
    return database
