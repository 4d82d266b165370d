"""DuckDB behind a small door: Arrow in, Arrow out, values always bound. The only module that imports duckdb."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC
from functools import cache
from pathlib import Path
from threading import Timer
from typing import Any

import duckdb
import pyarrow as pa

from store import tables
from store.errors import BusyError, DamagedError, DiskError, SettingsError, SourceError, StoreError
from store.seal import Seal

warnings.filterwarnings("ignore", "Arrow output on a DB-API result", UserWarning)  # few rows: copying them takes less than binding a question twice

VIEWS = Path(__file__).parent / "views"
VIEW_ORDER = ("prompts", "steps", "turns", "leaves")
"""Views build on one another in this order; each is a file in `views/`."""

_WIDE = ("steps",)
"""Views that hold calls whole: they are not worth keeping beside these, only what they build on is."""

MEMORY_LIMIT_BYTES = 768 << 20
"""DuckDB's own cap; beyond it, it spills to the workspace's folder instead of growing."""

CHECKPOINT_BYTES = 256 << 20
"""How long the log grows before it is worked into the file: about as much as a whole row group of calls holds, since one that is half
full is written again with each checkpoint."""

PARSED = 500
"""How many questions are remembered as they were parsed."""

ASK_SECONDS = 60.0
"""How long a user's question may take; beyond it, it is broken off."""


ENCRYPTION_MODULE = "LOAD httpfs"
"""DuckDB writes encrypted files with OpenSSL alone, which this extension brings; what is built in can only read them."""

_ENCRYPTED = "workspace"
"""What an encrypted database is called inside DuckDB, which takes keys for attached databases only."""

_LAKE_KEY = "lake"


class Database:
    """One connection. `reader()` gives another thread its own; a connection is not shared between threads."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, encrypted: bool = False, begun_with: str | None = None,
        parsed: dict[str, duckdb.Statement] | None = None,
    ) -> None:
        self._connection, self._encrypted, self._begun_with = connection, encrypted, begun_with
        self._parsed: dict[str, duckdb.Statement] = {} if parsed is None else parsed
        if begun_with:
            connection.execute(begun_with)

    @classmethod
    def memory(cls) -> "Database":
        """A database that lives in memory, one thread: detectors look at slices of calls in such."""
        connection = duckdb.connect(":memory:", config={"threads": 1, "enable_external_access": False})
        connection.execute("SET timezone = 'UTC'")
        return cls(connection)

    def apart(self, path: Sequence[str]) -> "Database":
        """A connection to a schema of its own, the first of `path`, made now, through which the others are seen: quicker made than a database.

        Give it back with `drop`.
        """
        self._connection.execute(f"CREATE SCHEMA {path[0]}")
        return Database(self._connection.cursor(), begun_with=f"SET search_path = '{','.join(path)}'", parsed=self._parsed)

    def drop(self, name: str) -> None:
        """Let go of what `apart` made."""
        self._connection.execute(f"DROP SCHEMA {name} CASCADE")

    @classmethod
    def open(cls, path: Path, seal: Seal | None = None) -> "Database":
        """Open or make the file at `path`; beside it, the folder `lake/` is all that SQL may touch, not keys, tokens or refusals.

        Raises BusyError where another process holds the file, StoreError where it is not a database or another key is needed,
        SettingsError where DuckDB cannot encrypt here.
        """
        try:
            connection = duckdb.connect(str(path) if seal is None else ":memory:")
            if seal:
                _attach(connection, path, seal)
        except duckdb.Error as error:
            if "lock" in str(error).lower():
                raise BusyError(f"{path} is held by another process; stop it, or give the address of its server") from error
            raise StoreError(f"{path} cannot be opened: {error}") from error
        _confine(connection, path.parent)
        return cls(connection, seal is not None, f"USE {_ENCRYPTED}" if seal else None)

    @classmethod
    def beside(cls, folder: Path, seal: Seal | None = None) -> "Database":
        """A database in memory that can read the lake of a workspace, and write to it; with a key, encrypted."""
        connection = duckdb.connect(":memory:")
        if seal:
            _load_encryption(connection)
            _give_lake_key(connection, seal)
        _confine(connection, folder)
        return cls(connection, seal is not None)

    def reader(self) -> "Database":
        """Another connection to the same data, for another thread; it sees what is committed."""
        return Database(self._connection.cursor(), self._encrypted, self._begun_with)

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

    def few(self, sql: str, values: Sequence[Any] | Mapping[str, Any] | None = None) -> pa.Table:
        """As `query`, for answers of few rows: they are copied once more, but the question is bound once only, which costs more."""
        with _translated():
            answer = self._connection.execute(self._statement(sql), values).to_arrow_table()
        return answer if answer is not None else pa.table({})

    def _statement(self, sql: str) -> duckdb.Statement | str:
        """A question, parsed: that takes a fifth of what planning it does, and the same ones are asked again and again."""
        if sql not in self._parsed:
            if len(self._parsed) >= PARSED:
                self._parsed.clear()
            statements = self._connection.extract_statements(sql)
            if len(statements) != 1:
                return sql
            self._parsed[sql] = statements[0]
        return self._parsed[sql]

    def bounds(self, column: str, source: str, values: Mapping[str, Any] | None = None, newest: int | None = None) -> str:
        """A condition on a moment that all rows of `source` (FROM ... WHERE ...) meet, or of more than `newest` those.

        Only the rows that are asked for are read whole then, with those near them in time; what a join leaves out is read whole before that.
        """
        found = self.rows(f"SELECT min({column}) AS first, max({column}) AS last, count(*) AS n, count({column}) AS known {source}", values)[0]
        if found["known"] < found["n"] or not found["n"]:
            return "true"
        first = found["first"]
        if newest is not None and found["n"] > newest:
            first = self.value(f"SELECT {column} {source} ORDER BY {column} DESC LIMIT 1 OFFSET {newest - 1}", values)
        return f"{column} BETWEEN TIMESTAMPTZ '{first.isoformat()}' AND TIMESTAMPTZ '{found['last'].isoformat()}'"

    def rows(self, sql: str, values: Sequence[Any] | Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Run a question; the answer as dictionaries."""
        answer = self.few(sql, values)
        names = answer.column_names
        return [dict(zip(names, row, strict=True)) for row in zip(*map(_pylist, answer.columns), strict=True)]

    def value(self, sql: str, values: Sequence[Any] | Mapping[str, Any] | None = None) -> Any:
        """Run a question; the first column of its first row, or None."""
        column = self.few(sql, values).column(0)
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
    def named(self, **named: pa.Table | pa.RecordBatchReader) -> Iterator[None]:
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

    def stream(self, sql: str, rows: int) -> pa.RecordBatchReader:
        """Run a question; the answer in batches of about so many rows, as they are asked for."""
        with _translated():
            return self._connection.sql(sql).to_arrow_reader(rows)

    def parquet(self, files: Sequence[str]) -> str:
        """What reads files of the lake, as one table, inside a statement; the names are ours."""
        listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
        key = f", encryption_config = {{footer_key: '{_LAKE_KEY}'}}" if self._encrypted else ""
        return f"read_parquet([{listed}], hive_partitioning = false, union_by_name = true{key})"

    def write_parquet(self, select: str, path: Path, row_group_rows: int, row_group_bytes: int) -> None:
        """Write what our own `select` gives into a file of the lake, encrypted if the workspace is."""
        name = str(path).replace("'", "''")
        key = f", ENCRYPTION_CONFIG {{footer_key: '{_LAKE_KEY}'}}" if self._encrypted else ""
        self.execute(f"""
            COPY ({select}) TO '{name}' (FORMAT parquet, COMPRESSION zstd,
                ROW_GROUP_SIZE {row_group_rows}, ROW_GROUP_SIZE_BYTES {row_group_bytes}{key})
        """)

    def make_views(self) -> None:
        """The shared questions of `views/*.sql`, over whatever is called `calls`, `messages`, ... here."""
        for view in VIEW_ORDER:
            self.execute(f"CREATE OR REPLACE VIEW {view} AS {_shared(view)}")

    def make_table_of(self, view: str) -> None:
        """The answer of a shared question, kept: where many ask it and nothing changes meanwhile."""
        self.execute(f"CREATE {'VIEW' if view in _WIDE else 'TABLE'} {view} AS {_shared(view)}")

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


@cache
def _shared(view: str) -> str:
    return (VIEWS / f"{view}.sql").read_text()


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, seal: Seal) -> None:
    _load_encryption(connection)
    name, key = str(path).replace("'", "''"), seal.key_for("database")  # ATTACH takes no bound values; both are our own
    connection.execute(f"ATTACH '{name}' AS {_ENCRYPTED} (ENCRYPTION_KEY '{key}')")
    connection.execute(f"USE {_ENCRYPTED}")
    _give_lake_key(connection, seal)


def _load_encryption(connection: duckdb.DuckDBPyConnection) -> None:
    try:
        connection.execute(ENCRYPTION_MODULE)
    except duckdb.Error as error:
        raise SettingsError(
            "keep.key_file, keep.key_variable: DuckDB encrypts with its extension httpfs, which is not installed here; install it once "
            "(INSTALL httpfs), or leave the key out and encrypt the disk"
        ) from error
    connection.execute("SET temp_file_encryption = true")


def _give_lake_key(connection: duckdb.DuckDBPyConnection, seal: Seal) -> None:
    connection.execute(f"PRAGMA add_parquet_key('{_LAKE_KEY}', '{seal.key_for('lake')}')")


def _pylist(column: pa.ChunkedArray) -> list[Any]:
    """The values of a column; moments by way of numpy, which takes a tenth of the time."""
    if pa.types.is_timestamp(column.type) and (column.type.tz, column.type.unit) == ("UTC", "us"):
        return [moment and moment.replace(tzinfo=UTC) for moment in column.to_numpy().tolist()]
    values: list[Any] = column.to_pylist()
    return values


def _confine(connection: duckdb.DuckDBPyConnection, workspace: Path) -> None:
    """What every connection to a workspace keeps to, whatever is asked."""
    folder = str(workspace.resolve()).replace("'", "''")  # SET takes no bound values; this is our own path
    for setting in (
        "SET GLOBAL timezone = 'UTC'",  # readers too; else they would count days by this machine's clock
        f"SET memory_limit = '{MEMORY_LIMIT_BYTES}B'",
        "SET preserve_insertion_order = false",
        f"SET checkpoint_threshold = '{CHECKPOINT_BYTES}B'",
        "SET parquet_metadata_cache = true",
        "SET python_enable_replacements = false",  # a question must not see variables of this process
        f"SET temp_directory = '{folder}/spill'",
        f"SET allowed_directories = ['{folder}/lake/']",
        "SET enable_external_access = false",
        "SET lock_configuration = true",
    ):
        connection.execute(setting)


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
    _upgrade_sightings(database)
    for table in (*tables.TABLES, *tables.MEMORY):
        database.execute(tables.ddl(table, f"hot.{'sighted' if table == 'observations' else table}", table not in tables.PASSING))
    database.execute(f"CREATE OR REPLACE VIEW hot.observations AS {tables.HOT_OBSERVATIONS}")
    for column in ("subject VARCHAR DEFAULT ''", "sessions BIGINT DEFAULT 1", "weight DOUBLE DEFAULT 0"):  # of workspaces older than these
        database.execute(f"ALTER TABLE hot.normal ADD COLUMN IF NOT EXISTS {column}")
    database.execute("CREATE TABLE IF NOT EXISTS hot.spooled (file VARCHAR, taken_at TIMESTAMPTZ, records BIGINT)")
    database.execute("CREATE TABLE IF NOT EXISTS hot.defined (definition_id VARCHAR)")
    database.execute("CREATE TABLE IF NOT EXISTS hot.decided (decision_id VARCHAR)")
    database.execute(
        "CREATE TABLE IF NOT EXISTS hot.lessons (lesson UBIGINT, detector VARCHAR, subject VARCHAR, key VARCHAR, n BIGINT, first_at TIMESTAMPTZ, "
        "last_at TIMESTAMPTZ)"
    )
    database.execute("CREATE TABLE IF NOT EXISTS hot.taught (lesson UBIGINT, calls BIGINT, learners VARCHAR)")
    database.execute("CREATE TABLE IF NOT EXISTS hot.held (name VARCHAR, confirmed BOOLEAN)")
    database.execute("CREATE TABLE IF NOT EXISTS hot.scores (detector VARCHAR, day DATE, score SMALLINT, sessions BIGINT)")
    database.execute("CREATE TABLE IF NOT EXISTS hot.scored (session UBIGINT, day DATE)")
    database.execute(
        "CREATE TABLE IF NOT EXISTS hot.client_sessions (client VARCHAR, session_id VARCHAR, first_at TIMESTAMPTZ, last_at TIMESTAMPTZ, "
        "seen_at TIMESTAMPTZ)"
    )
    database.execute("CREATE TABLE IF NOT EXISTS hot.touched (kind VARCHAR, key VARCHAR, touched_at TIMESTAMPTZ)")
    database.execute("CREATE TABLE IF NOT EXISTS hot.waiting (scope VARCHAR, key VARCHAR, since TIMESTAMPTZ)")
    database.execute("CREATE TABLE IF NOT EXISTS hot.lake_files (tbl VARCHAR, path VARCHAR, records BIGINT, written_at TIMESTAMPTZ)")
    for column in ("bytes BIGINT", "checksum VARCHAR"):  # of workspaces older than these
        database.execute(f"ALTER TABLE hot.lake_files ADD COLUMN IF NOT EXISTS {column}")
    database.execute("CREATE TABLE IF NOT EXISTS hot.lake_dropped (path VARCHAR, dropped_at TIMESTAMPTZ)")


def _upgrade_sightings(database: Database) -> None:
    """In workspaces older than `hot.sighted`, every sighting had its payload beside it, and `hot.told` knew less of it."""
    if not database.rows("SELECT 1 FROM duckdb_tables() WHERE schema_name = 'hot' AND table_name = 'observations'"):
        return
    with database.transaction():
        database.execute("ALTER TABLE hot.observations RENAME TO sighted")
        database.execute("ALTER TABLE hot.told RENAME TO told_before")
        for table in tables.MEMORY:
            database.execute(tables.ddl(table, f"hot.{table}"))
        own = [name.removeprefix("given_") for name in tables.names("told") if name.startswith("given_")]
        same = ", ".join(name for name in tables.names("told") if name != "place" and name.removeprefix("given_") not in own)
        database.execute(f"""
            INSERT INTO hot.told BY NAME
            SELECT {same}, {', '.join(f't.{c}, o.{c} AS given_{c}' for c in own)}, 'beside' AS place
            FROM hot.sighted AS o JOIN hot.told_before AS t USING (observation_id)
        """)
        database.execute("DROP TABLE hot.told_before")
        database.execute("INSERT INTO hot.said SELECT message_id, session_id, md5(role || chr(31) || text), 0, said_at, seen_at FROM hot.messages")
        database.execute("INSERT INTO hot.accessed SELECT access_id, seen_at FROM hot.access")
    for column in ("disagreement VARCHAR", "version BIGINT DEFAULT 0"):
        database.execute(f"ALTER TABLE hot.calls ADD COLUMN IF NOT EXISTS {column}")
