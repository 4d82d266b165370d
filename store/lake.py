"""The record: Parquet, partitioned by date, each file written whole, synced and renamed into place, never rewritten.

A file counts once its name stands in the ledger (`hot.lake_files`), which is written in the transaction that takes its rows
out of the hot tables. A file without an entry is what a crash left: its rows are still hot, so it is removed. What the ledger says is
then told to `manifest.jsonl`, by which the lake can be read without the database.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc

from store import tables
from store.database import Database
from store.errors import DamagedError, DiskError
from store.lake_file import Writer, checksum
from store.manifest import LakeFile, Manifest
from store.seal import Seal

TIME_COLUMN = {
    "calls": "called_at", "observations": "called_at", "messages": "said_at", "access": "accessed_at",
    "tool_definitions": "first_seen_at", "decisions": "decided_at",
    "grants": "granted_at", "registry": "changed_at",
}
STAYING = ("tool_definitions", "decisions", "grants", "registry")
"""Few rows: they stay hot, and the lake has a copy as the record."""

BATCH_ROWS = 8_192
SEARCHED = ("session_id", "call_id", "trace_id")
"""What single rows are looked up by; a session's rows lie together."""


class Lake:
    """The folder `lake/`: `lake/<table>/date=YYYY-MM-DD/<name>.parquet`, and the manifest."""

    def __init__(self, folder: Path, seal: Seal | None = None) -> None:
        """Raises DamagedError where the manifest cannot be read."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.manifest = Manifest(folder)
        self._writer = Writer(folder, seal, SEARCHED)

    def append(self, database: Database, table: str, rows: pa.Table) -> None:
        """Write rows and note the files in the ledger; call inside the transaction that removes them elsewhere."""
        moment = TIME_COLUMN[table]
        ordered = rows.sort_by([(column, "ascending") for column in _order(table)])
        days = pc.cast(ordered[moment], pa.date32())
        for day in pc.unique(days).to_pylist():
            part = ordered.filter(pc.equal(days, pa.scalar(day, pa.date32())))
            self.note(database, table, self._write(table, day, part), len(part))

    def move(self, database: Database, table: str, select: str) -> None:
        """Write what our own `select` gives without holding all of it at once; otherwise as `append`."""
        self.enter(database, self.write_out(database, table, select))

    def write_out(self, database: Database, table: str, select: str) -> list[LakeFile]:
        """Write what our own `select` gives into files that do not count before they are entered."""
        day, files = _day(table), []
        for part in database.rows(f"SELECT {day} AS day, count(*) AS records FROM ({select}) GROUP BY ALL ORDER BY day"):
            columns, ordered = ", ".join(tables.names(table)), ", ".join(_order(table))
            rows = database.stream(
                f"SELECT {columns} FROM ({select}) WHERE {day} = DATE '{part['day'].isoformat()}' ORDER BY {ordered}", BATCH_ROWS
            )
            try:
                path = self._write(table, part["day"], rows)
            finally:
                rows.close()  # or a disk that is full would leave the connection with half an answer
            files.append(self._told(table, path, part["records"]))
        return files

    def note(self, database: Database, table: str, path: Path, records: int) -> None:
        """Enter a file that was written into the ledger."""
        self.enter(database, [self._told(table, path, records)])

    def enter(self, database: Database, files: Sequence[LakeFile]) -> None:
        """Let files count; call inside the transaction that removes their rows elsewhere."""
        for one in files:
            database.execute(
                "INSERT INTO hot.lake_files (tbl, path, records, written_at, bytes, checksum) VALUES (?, ?, ?, ?, ?, ?)",
                [one.table, one.path, one.records, one.written_at, one.bytes, one.checksum],
            )

    def _told(self, table: str, path: Path, records: int) -> LakeFile:
        return LakeFile(table, str(path.relative_to(self.folder)), records, datetime.now(UTC), path.stat().st_size, checksum(path))

    def _write(self, table: str, day: date, rows: pa.Table | pa.RecordBatchReader) -> Path:
        return self._writer.write(table, day, rows.to_reader() if isinstance(rows, pa.Table) else rows, _order(table))

    def merge(self, database: Database, table: str, day: date, files: Sequence[LakeFile]) -> None:
        """Put one file in the place of several of a day; call inside a transaction, then `publish`."""
        ordered = ", ".join(_order(table))
        source = as_today(database, table, [str(self.folder / one.path) for one in files])
        rows = database.stream(f"SELECT {', '.join(tables.names(table))} FROM {source} ORDER BY {ordered}", BATCH_ROWS)
        self.note(database, table, self._writer.write(table, day, rows, _order(table)), sum(one.records for one in files))
        self.drop(database, [one.path for one in files])

    def drop(self, database: Database, paths: Collection[str]) -> None:
        """Let files count no more; call inside a transaction, then `publish`. They stay on disk until `remove_dropped`."""
        values = {"paths": list(paths), "now": datetime.now(UTC)}
        database.execute("DELETE FROM hot.lake_files WHERE path IN (SELECT unnest($paths::VARCHAR[]))", {"paths": list(paths)})
        database.execute("INSERT INTO hot.lake_dropped SELECT unnest($paths::VARCHAR[]), $now", values)
        self.make_views(database)

    def ledger(self, database: Database) -> list[LakeFile]:
        """The files that count, oldest first."""
        rows = database.rows('SELECT tbl AS "table", path, records, written_at, bytes, checksum FROM hot.lake_files ORDER BY written_at, path')
        return [LakeFile(**row) for row in rows]

    def files(self, database: Database, table: str) -> list[str]:
        """The files of a table that count."""
        found = database.rows("SELECT path FROM hot.lake_files WHERE tbl = ? ORDER BY path", [table])
        return [str(self.folder / row["path"]) for row in found]

    def publish(self, database: Database) -> None:
        """Have the manifest say what the ledger says. Raises DiskError; what was decided then stands, and is told the next time."""
        self.manifest.say(self.ledger(database))

    def recover(self, database: Database) -> None:
        """After a start: tell the manifest what a crash kept from it, and remove what a crash left.

        Raises DamagedError where the manifest knows files that the database never heard of: it is another one, or an older one.
        """
        known = {one.path for one in self.ledger(database)} | self.dropped(database)
        unheard = [path for path in self.manifest.files if path not in known]
        if unheard:
            raise DamagedError(
                f"{self.folder} holds {len(unheard)} files that the database does not know, such as {unheard[0]}: it was lost or is an "
                "older copy; make it anew with `toolhound verify --rebuild`"
            )
        with suppress(DiskError):  # a full disk is no reason not to start; it is told later
            self.publish(database)
            self.remove_dropped(database, datetime.now(UTC))
        self.sweep(database)

    def sweep(self, database: Database) -> int:
        """Remove files that a crash left outside the ledger; the number of them."""
        stray = self.strays({one.path for one in self.ledger(database)} | self.dropped(database))
        for path in stray:
            path.unlink()
        return len(stray)

    def strays(self, known: Collection[str]) -> list[Path]:
        """What lies in the folder and is not known."""
        inside = (path for path in self.folder.rglob("*") if path.is_file() and path.parent != self.folder)
        return sorted(path for path in inside if str(path.relative_to(self.folder)) not in known)

    def remove_dropped(self, database: Database, before: datetime) -> int:
        """Remove files that were dropped before a moment: whoever still reads them then began before it."""
        rows = database.rows("SELECT path FROM hot.lake_dropped WHERE dropped_at <= ?", [before])
        gone = [row["path"] for row in rows if row["path"] not in self.manifest.files]
        for path in gone:
            (self.folder / path).unlink(missing_ok=True)
            with suppress(OSError):  # there are others of that day
                (self.folder / path).parent.rmdir()
        database.execute("DELETE FROM hot.lake_dropped WHERE path IN (SELECT unnest($paths::VARCHAR[]))", {"paths": gone})
        return len(gone)

    def dropped(self, database: Database) -> set[str]:
        """Paths of files that count no more and are still on disk."""
        return {row["path"] for row in database.rows("SELECT path FROM hot.lake_dropped")}

    def make_views(self, database: Database) -> None:
        """`calls`, `messages`, ... : what is hot and what is in the lake, as one."""
        make_views(database, {table: self.files(database, table) for table in TIME_COLUMN})

    def size(self) -> tuple[int, int]:
        """Files, and their bytes."""
        sizes = [p.stat().st_size for p in self.folder.rglob("*.parquet")]
        return len(sizes), sum(sizes)


def make_views(database: Database, files: Mapping[str, Sequence[str]] = MappingProxyType({})) -> None:
    """The tables as everybody sees them: `hot` ones together with the lake's `files`, and the questions that build on them."""
    for table in tables.TABLES:
        columns = ", ".join(tables.names(table))
        together = f"SELECT {columns} FROM hot.{table}"
        if files.get(table) and table not in STAYING:  # by name: files of an older version lack a column, or have one more
            parts = [together, *_counting(database, table, files[table])]
            together = f"SELECT {columns} FROM ({' UNION ALL BY NAME '.join(parts)})"
        database.execute(f"CREATE OR REPLACE VIEW main.{table} AS {together}")
    database.make_views()


def as_today(database: Database, table: str, files: Sequence[str]) -> str:
    """What reads files of a table with the columns that it has today, inside a statement: files of an older version lack some."""
    return f"(SELECT * FROM hot.{table} WHERE false UNION ALL BY NAME SELECT * FROM {database.parquet(files)})"


def _counting(database: Database, table: str, files: Sequence[str]) -> list[str]:
    """What counts of the lake: of days on which calls were written anew later, without the older versions of these."""
    days = {f"date={row['day'].isoformat()}" for row in database.rows("SELECT DISTINCT day FROM hot.superseded")} if table == "calls" else set()
    as_it_is = [file for file in files if Path(file).parent.name not in days]
    parts = [f"SELECT * FROM {database.parquet(as_it_is)}"] if as_it_is else []
    if rewritten := [file for file in files if Path(file).parent.name in days]:
        parts.append(f"""
            SELECT c.* FROM {as_today(database, table, rewritten)} AS c
            ANTI JOIN hot.superseded AS s ON s.call_id = c.call_id AND s.version > coalesce(c.version, 0)""")
    return parts


def _order(table: str) -> Sequence[str]:
    return [*(column for column in ("session_id",) if column in tables.names(table)), TIME_COLUMN[table]]


def _day(table: str) -> str:
    """The partition of a row: the day of its moment; where a clock is ahead, the day on which it was seen."""
    moment = TIME_COLUMN[table]
    return f"least({moment}, seen_at)::DATE" if "seen_at" in tables.names(table) else f"{moment}::DATE"
