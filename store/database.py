"""DuckDB behind a small door: Arrow in, Arrow out, values always bound. The only module that imports duckdb."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer
from typing import Any

import duckdb
import pyarrow as pa

from store import tables
from store.errors import BusyError, DamagedError, DiskError, SourceError, StoreError

VIEWS = Path(__file__).parent / "views"
VIEW_ORDER = ("steps", "turns", "leaves")
"""Views build on one another in this order; each is a file in `views/`."""

MEMORY_LIMIT_BYTES = 1 << 30
"""DuckDB's own cap; beyond it, it spills to the workspace's folder instead of growing."""

ASK_SECONDS = 60.0
"""How long a user's question may take; beyond it, it is broken off."""


class Database:
    """One connection. `reader()` gives another thread its own; a connection is not shared between threads."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    @classmethod
    def memory(cls) -> "Database":
        """A database that lives in memory, one thread: detectors look at slices of calls in such."""
        connection = duckdb.connect(":memory:", config={"threads": 1, "enable_external_access": False})
        connection.execute("SET timezone = 'UTC'")
        return cls(connection)

    @classmethod
    def open(cls, path: Path) -> "Database":
        """Open or make the file at `path`; beside it, the folder `lake/` is all that SQL may touch, not keys, tokens or refusals.

        Raises BusyError where another process holds the file, StoreError where it is not a database.
        """
        try:
            connection = duckdb.connect(str(path))
        except duckdb.IOException as error:
            if "lock" in str(error).lower():
                raise BusyError(f"{path} is held by another process; stop it, or give the address of its server") from error
            raise StoreError(f"{path} cannot be opened: {error}") from error
        for setting in (
            "SET timezone = 'UTC'",
            f"SET memory_limit = '{MEMORY_LIMIT_BYTES}B'",
            "SET preserve_insertion_order = false",
            "SET parquet_metadata_cache = true",
            "SET python_enable_replacements = false",  # a question must not see variables of this process
        ):
            connection.execute(setting)
        folder = str(path.parent.resolve()).replace("'", "''")  # SET takes no bound values; this is our own path
        connection.execute(f"SET temp_directory = '{folder}/spill'")
        connection.execute(f"SET allowed_directories = ['{folder}/lake/']")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        return cls(connection)

    def reader(self) -> "Database":
        """Another connection to the same data, for another thread; it sees what is committed."""
        return Database(self._connection.cursor())

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()

    def execute(self, sql: str, values: Sequence[Any] | Mapping[str, Any] | None = None) -> None:
        """Run a statement for its effect."""
        with _translated():
            self._connection.execute(sql, values)

    def query(self, sql: str, values: Sequence[Any] | Mapping[str, Any] | None = None) -> pa.Table:
        """Run a question; the answer as an Arrow table."""
        with _translated():
            return self._connection.sql(sql, params=values).to_arrow_table()

    def rows(self, sql: str, values: Sequence[Any] | Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Run a question; the answer as dictionaries."""
        rows: list[dict[str, Any]] = self.query(sql, values).to_pylist()
        return rows

    def value(self, sql: str, values: Sequence[Any] | Mapping[str, Any] | None = None) -> Any:
        """Run a question; the first column of its first row, or None."""
        column = self.query(sql, values).column(0)
        return column[0].as_py() if len(column) else None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        self.execute("BEGIN")
        try:
            yield
            self._commit()
        except BaseException:
            with suppress(duckdb.Error):  # a commit that failed has rolled back
                self._connection.execute("ROLLBACK")
            raise

    def _commit(self) -> None:
        try:
            self._connection.execute("COMMIT")
        except duckdb.Error as error:  # one writer and no constraints: what is left to fail is the disk
            raise DiskError(f"the database cannot be written: {error}") from error

    @contextmanager
    def named(self, **named: pa.Table) -> Iterator[None]:
        """Make Arrow tables askable by name for a while."""
        for name, table in named.items():
            self._connection.register(name, table)
        try:
            yield
        finally:
            for name in named:
                self._connection.unregister(name)

    def load(self, name: str, table: pa.Table) -> None:
        """Make a table out of an Arrow table."""
        with self.named(incoming=table):
            self.execute(f"CREATE TABLE {name} AS SELECT * FROM incoming")

    def insert(self, name: str, table: pa.Table) -> None:
        """Append rows, matched by column name."""
        with self.named(incoming=table):
            self.execute(f"INSERT INTO {name} BY NAME SELECT * FROM incoming")

    def replace(self, name: str, table: pa.Table, key: Sequence[str]) -> None:
        """Append rows and take out the older ones of the same key."""
        with self.named(incoming=table):
            same = " AND ".join(f"old.{k} = incoming.{k}" for k in key)
            self.execute(f"DELETE FROM {name} AS old USING incoming WHERE {same}")
            self.execute(f"INSERT INTO {name} BY NAME SELECT * FROM incoming")

    def make_views(self) -> None:
        """The shared questions of `views/*.sql`, over whatever is called `calls`, `messages`, ... here."""
        for view in VIEW_ORDER:
            self.execute(f"CREATE OR REPLACE VIEW {view} AS {(VIEWS / f'{view}.sql').read_text()}")

    def ask(self, sql: str, limit: int) -> pa.Table:
        """A user's question: one SELECT, in a read-only transaction, at most `limit` rows.

        Raises SourceError for anything else, with DuckDB's words on what is wrong.
        """
        try:
            statements = self._connection.extract_statements(sql)
        except duckdb.Error as error:
            raise SourceError(f"query: {error}") from error
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise SourceError("query: exactly one SELECT is allowed; the workspace is read-only here")
        self.execute("BEGIN TRANSACTION READ ONLY")
        clock = Timer(ASK_SECONDS, self._connection.interrupt)
        clock.start()
        try:
            return self._limited(sql, limit)
        except duckdb.InterruptException as error:
            raise SourceError(f"query: broken off after {ASK_SECONDS:.0f} seconds; narrow it down by called_at") from error
        except (duckdb.Error, pa.ArrowException, ValueError, OSError) as error:  # what goes wrong in later rows comes through Arrow
            raise SourceError(f"query: {error}") from error
        finally:
            clock.cancel()
            with suppress(duckdb.Error):
                self._connection.execute("ROLLBACK")

    def _limited(self, sql: str, limit: int) -> pa.Table:
        reader = self._connection.sql(sql).to_arrow_reader(min(limit, 65_536))
        batches, count = [], 0
        for batch in reader:
            batches.append(batch.slice(0, limit - count))
            count += len(batches[-1])
            if count >= limit:
                break
        return pa.Table.from_batches(batches, reader.schema)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (duckdb.IOException, duckdb.OutOfMemoryException, duckdb.FatalException) as error:
        raise DiskError(f"the database cannot be written or read: {error}") from error
    except (duckdb.DataError, duckdb.InvalidInputException) as error:
        raise DamagedError(str(error)) from error
    except duckdb.Error as error:
        raise StoreError(str(error)) from error


def hot_schema(database: Database) -> None:
    """Make the engine's own tables, where they are not there yet."""
    database.execute("CREATE SCHEMA IF NOT EXISTS hot")
    for table in tables.TABLES:
        database.execute(tables.ddl(table, f"hot.{table}"))
    database.execute(
        "CREATE TABLE IF NOT EXISTS hot.told (observation_id VARCHAR, session_id VARCHAR, session_source TINYINT, agent VARCHAR, "
        "agent_version VARCHAR, principal VARCHAR)"
    )
    database.execute("CREATE TABLE IF NOT EXISTS hot.spooled (file VARCHAR, taken_at TIMESTAMPTZ, records BIGINT)")
    database.execute("CREATE TABLE IF NOT EXISTS hot.defined (definition_id VARCHAR)")
    database.execute("CREATE TABLE IF NOT EXISTS hot.decided (decision_id VARCHAR)")
    database.execute("CREATE TABLE IF NOT EXISTS hot.touched (kind VARCHAR, key VARCHAR, touched_at TIMESTAMPTZ)")
    database.execute("CREATE TABLE IF NOT EXISTS hot.lake_files (tbl VARCHAR, path VARCHAR, records BIGINT, written_at TIMESTAMPTZ)")
