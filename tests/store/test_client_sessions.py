"""Calls that nothing ties together are tied by who made them, and by pauses."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from ingest.batch import to_tables
from ingest.json_traces.lines import read_body
from ingest.redact import Redactor
from store.database import Database, hot_schema
from store.intake import absorb
from store.lake import make_views
from store.records import Call, Observer, Records, SessionSource

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MASKS = Redactor(b"a key for tests")


@pytest.fixture
def database() -> Database:
    made = Database.memory()
    hot_schema(made)
    make_views(made)
    return made


def call(minute: float, client: str = "c", **more: str | None) -> Call:
    fields = {"session_id": client, "session_source": SessionSource.CLIENT, **more}
    return Call(f"{client}{minute}{more}", NOON + timedelta(minutes=minute), "t", Observer.GATEWAY, "d", **fields)  # type: ignore[arg-type]


def take(database: Database, *calls: Call) -> None:
    with database.transaction():
        absorb(database, to_tables(Records(calls=list(calls)), MASKS), NOON)


def sessions(database: Database) -> list[list[float]]:
    """The minutes of the calls of each session."""
    rows = database.rows("""
        SELECT list(called_at ORDER BY called_at) AS moments FROM calls WHERE session_id IS NOT NULL GROUP BY session_id ORDER BY min(called_at)
    """)
    return [[(moment - NOON).total_seconds() / 60 for moment in row["moments"]] for row in rows]


def test_a_pause_ends_a_session(database: Database) -> None:
    take(database, call(0), call(29), call(58), call(89), call(90))
    assert sessions(database) == [[0, 29, 58], [89, 90]]
    assert database.rows("SELECT DISTINCT session_source FROM calls") == [{"session_source": SessionSource.CLIENT}]


def test_batches_and_clients(database: Database) -> None:
    take(database, call(40, "a"), call(0, "b"))
    take(database, call(20, "a"), call(55, "b"))
    take(database, call(-5, "a"), call(0, "b"))  # the last one again
    assert sessions(database) == [[-5, 20, 40], [0], [55]]


def test_a_trace_ties_better(database: Database) -> None:
    trace = "5b8efff798038103d269b633813fc60c"
    take(database, call(0, trace_id=trace), call(50, trace_id=trace))
    assert sessions(database) == [[0, 50]]
    assert database.value("SELECT DISTINCT session_id FROM calls") == trace


def test_who_called_is_enough(database: Database) -> None:
    take(database, *(call(n, str(n), session_id=None, session_source=SessionSource.TRACE, agent="a") for n in (0, 10)))  # type: ignore[arg-type]
    take(database, call(0, "n", session_id=None, session_source=SessionSource.TRACE))  # type: ignore[arg-type]
    assert sessions(database) == [[0, 10]]
    assert database.value("SELECT count(*) FROM calls WHERE session_id IS NULL") == 1


def test_a_gateway_log(database: Database) -> None:
    told = {"agent_id": "helper", "tool_name": "read", "parameters": {}, "allowed": True, "approval_status": "none"}
    read = read_body("\n".join(json.dumps({"timestamp": f"2026-11-20T{hour}:00:00Z", **told}) for hour in (10, 11)).encode())
    with database.transaction():
        absorb(database, to_tables(read.records, MASKS), NOON)
    assert len(sessions(database)) == 2
