"""The door to DuckDB: questions of users cannot write, cannot read files, cannot see this process; readers and the writer at once."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest

from store import database as door
from store.database import Database, hot_schema
from store.errors import BusyError, SourceError, StoreError
from store.lake import Lake
from tests.store.sightings import absorbed, calls, whole_call

SECRET = "a-token-of-the-server"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "serve.json").write_text(json.dumps({"token": SECRET}))
    (tmp_path / "redaction.key").write_bytes(SECRET.encode())
    (tmp_path / "rejected").mkdir()
    (tmp_path / "rejected" / "1.bin").write_text(SECRET)
    return tmp_path


@pytest.fixture
def opened(folder: Path) -> Iterator[Database]:
    made = Database.open(folder / "toolhound.duckdb")
    hot_schema(made)
    lake = Lake(folder / "lake")
    lake.make_views(made)
    absorbed(made, whole_call("t", 1), whole_call("t", 2))
    with made.transaction():
        lake.append(made, "calls", made.query("SELECT * FROM hot.calls ORDER BY called_at LIMIT 1"))
        made.execute("DELETE FROM hot.calls WHERE called_at = (SELECT min(called_at) FROM hot.calls)")
        lake.make_views(made)
    yield made
    made.close()


@pytest.mark.parametrize("sql", [
    "DELETE FROM hot.calls", "COPY calls TO 'out.csv'", "COPY hot.calls FROM '{folder}/serve.json'", "ATTACH 'x.duckdb'",
    "SELECT 1; SELECT 2", "SELECT 1; DROP TABLE hot.calls", "", "PRAGMA database_list", "SET memory_limit = '8GB'", "CALL checkpoint()",
    "INSTALL httpfs", "LOAD httpfs", "EXPLAIN ANALYZE DELETE FROM hot.calls", "CREATE TABLE x AS SELECT 1", "not SQL",
    "SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM read_text('{folder}/serve.json')", "SELECT * FROM read_json('{folder}/serve.json')", "SELECT * FROM '{folder}/serve.json'",
    "SELECT * FROM read_blob('{folder}/redaction.key')", "SELECT * FROM read_text('{folder}/rejected/*')", "SELECT * FROM glob('{folder}/*')",
    "SELECT * FROM read_text('{folder}/lake/../serve.json')", "SELECT * FROM read_text('{folder}/lake/link.json')",
    "SELECT * FROM query('DELETE FROM hot.calls')", "SELECT * FROM SECRETS", "SELECT getenv('HOME')",
    "SELECT * FROM read_text('http://192.0.2.1/')", "SELECT CAST(tool AS INTEGER) FROM calls", "SELECT * FROM range(100000) t(n), hot.nothing",
    "SELECT CAST(CASE WHEN n = 90000 THEN 'x' ELSE '1' END AS INTEGER) FROM range(100000) t(n)",
])
def test_what_is_refused(opened: Database, folder: Path, sql: str) -> None:
    (folder / "lake" / "link.json").symlink_to(folder / "serve.json")
    SECRETS = pa.table({"secret": [SECRET]})
    before = calls(opened, "call_id")
    reader = opened.reader()
    with pytest.raises(SourceError, match=r"^query: ") as refused:
        reader.ask(sql.format(folder=folder), 1_000_000)
    assert SECRET not in str(refused.value) and calls(opened, "call_id") == before and len(SECRETS) == 1
    assert reader.ask("SELECT count(*) AS n FROM calls", 10).to_pylist() == [{"n": 2}]  # and the door still works
    reader.close()


def test_what_is_answered(opened: Database) -> None:
    reader = opened.reader()
    assert reader.ask("FROM calls SELECT tool ORDER BY called_at", 10).to_pylist() == [{"tool": "list_issues"}] * 2
    assert len(reader.ask("SELECT * FROM range(1000000)", 7)) == 7 and len(reader.ask("SELECT 1 WHERE false", 7)) == 0
    assert reader.ask("WITH t AS (SELECT 1 AS a) SELECT a, a AS a FROM t", 7).num_columns == 2
    assert reader.ask("SHOW TABLES", 100).num_rows > 5
    reader.close()


def test_an_endless_question_is_broken_off(opened: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "ASK_SECONDS", 0.2)
    reader = opened.reader()
    with pytest.raises(SourceError, match="broken off"):
        reader.ask("SELECT max(a.range + b.range) FROM range(10000000) a, range(10000000) b", 10)
    assert reader.value("SELECT 1") == 1
    reader.close()


def test_a_transaction_is_all_or_nothing(opened: Database) -> None:
    with pytest.raises(ZeroDivisionError), opened.transaction():
        opened.execute("DELETE FROM hot.calls")
        raise ZeroDivisionError
    with pytest.raises(StoreError), opened.transaction():
        opened.execute("DELETE FROM hot.calls")
        opened.execute("SELECT * FROM nothing_of_that_name")
    assert len(calls(opened, "call_id")) == 2
    with opened.transaction():  # nothing is left open
        opened.execute("DELETE FROM hot.calls")
    assert len(calls(opened, "call_id")) == 1


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "x.duckdb").write_bytes(b"something else" * 1000)
    with pytest.raises(StoreError, match=r"x\.duckdb"):
        Database.open(tmp_path / "x.duckdb")


def test_a_held_file_is_busy(opened: Database, folder: Path) -> None:
    import subprocess
    import sys

    program = f"from pathlib import Path; from store.database import Database; Database.open(Path({str(folder / 'toolhound.duckdb')!r}))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert BusyError.__name__ in ended.stderr and "held by another process" in ended.stderr


def test_readers_see_each_call_once_while_calls_move(folder: Path) -> None:
    made = Database.open(folder / "toolhound.duckdb")
    hot_schema(made)
    lake = Lake(folder / "lake")
    lake.make_views(made)
    stop, wrong = threading.Event(), list[str]()
    known = 0

    def read() -> None:
        while not stop.is_set():
            reader = made.reader()
            try:
                least = known
                row = reader.rows("SELECT count(*) AS n, count(DISTINCT call_id) AS different FROM calls")[0]
                if row["n"] != row["different"] or row["n"] < least:
                    wrong.append(f"{row}, at least {least} are known")
                reader.ask("SELECT session_id, max(step) FROM steps GROUP BY ALL", 100)
            except Exception as error:  # noqa: BLE001 - whatever goes wrong in the thread is what the test looks for
                wrong.append(f"{type(error).__name__}: {error}")
            finally:
                reader.close()

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for n in range(8):
            absorbed(made, whole_call(f"t{n}", 1), whole_call(f"t{n}", 2))
            known += 2
            with made.transaction():
                lake.append(made, "calls", made.query("SELECT * FROM hot.calls"))
                made.execute("DELETE FROM hot.calls")
                lake.make_views(made)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not wrong and made.value("SELECT count(*) FROM calls") == 16
    made.close()


def test_readers_count_days_in_utc(tmp_path: Path) -> None:
    made = Database.open(tmp_path / "toolhound.duckdb")
    reader = made.reader()
    assert reader.value("SELECT current_setting('timezone')") == "UTC"
    reader.close()
    made.close()


@pytest.mark.parametrize(("newest", "told"), [(None, [1, 2, 3, 4]), (2, [3, 4]), (9, [1, 2, 3, 4])])
def test_bounds_leave_out_nothing_that_is_asked_for(newest: int | None, told: list[int]) -> None:
    with closing(Database.memory()) as database:
        database.execute("""
            CREATE TABLE t AS SELECT n, n % 5 AS kind, TIMESTAMPTZ '2026-03-02 08:00:00.000001+00' + INTERVAL 1 HOUR * n AS met
            FROM range(1, 5) AS r(n)
        """)
        database.execute("INSERT INTO t SELECT n + 100, 7, met FROM t")
        within = database.bounds("met", "FROM t WHERE kind < $most", {"most": 6}, newest)
        assert [row["n"] for row in database.rows(f"SELECT n FROM t WHERE kind < 6 AND {within} ORDER BY n")] == told
        assert within != "true"


def test_bounds_are_none_where_a_moment_is_unknown_or_no_row_is_asked_for() -> None:
    with closing(Database.memory()) as database:
        database.execute("CREATE TABLE t AS SELECT NULL::TIMESTAMPTZ AS met UNION ALL SELECT now()")
        assert database.bounds("met", "FROM t") == "true"
        assert database.bounds("met", "FROM t WHERE false") == "true"
