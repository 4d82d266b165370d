"""The record: Parquet, partitioned by date, each file written whole, synced and renamed into place, never rewritten.

A file counts once its name stands in the ledger (`hot.lake_files`), which is written in the transaction that takes its rows
out of the hot tables. A file without an entry is what a crash left: its rows are still hot, so it is removed.
"""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from store import tables
from store.database import Database
from store.errors import DiskError
from store.spool import sync_folder

TIME_COLUMN = {
    "calls": "called_at", "observations": "called_at", "messages": "said_at", "access": "accessed_at",
    "tool_definitions": "first_seen_at", "decisions": "decided_at",
}
STAYING = ("tool_definitions", "decisions")
"""Few rows: they stay hot, and the lake has a copy as the record."""
ZSTD_LEVEL = 3


class Lake:
    """The folder `lake/`: `lake/<table>/date=YYYY-MM-DD/<name>.parquet`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def append(self, database: Database, table: str, rows: pa.Table) -> None:
        """Write rows and note the files in the ledger; call inside the transaction that removes them elsewhere."""
        moment = TIME_COLUMN[table]
        ordered = rows.sort_by(moment)
        days = pc.cast(ordered[moment], pa.date32())
        for day in pc.unique(days).to_pylist():
            part = ordered.filter(pc.equal(days, pa.scalar(day, pa.date32())))
            path = self._write(table, day, part)
            database.execute(
                "INSERT INTO hot.lake_files VALUES (?, ?, ?, ?)", [table, str(path.relative_to(self.folder)), len(part), datetime.now(UTC)]
            )

    def _write(self, table: str, day: date, rows: pa.Table) -> Path:
        folder = self.folder / table / f"date={day.isoformat()}"
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{uuid4().hex[:8]}"
        partial, final = folder / f".{name}.partial", folder / f"{name}.parquet"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as sink:
                pq.write_table(rows, sink, compression="zstd", compression_level=ZSTD_LEVEL, row_group_size=65_536)
                sink.flush()
                os.fsync(sink.fileno())
            partial.rename(final)
            for above in (folder, folder.parent, self.folder):
                sync_folder(above)
        except OSError as error:
            partial.unlink(missing_ok=True)
            final.unlink(missing_ok=True)
            raise DiskError(f"{folder} cannot be written: {error.strerror}") from error
        return final

    def files(self, database: Database, table: str) -> list[str]:
        """The files of a table that count."""
        found = database.rows("SELECT path FROM hot.lake_files WHERE tbl = ? ORDER BY path", [table])
        return [str(self.folder / row["path"]) for row in found]

    def sweep(self, database: Database) -> int:
        """Remove files that a crash left outside the ledger; the number of them."""
        known = {row["path"] for row in database.rows("SELECT path FROM hot.lake_files")}
        stray = [p for p in self.folder.rglob("*") if p.is_file() and str(p.relative_to(self.folder)) not in known]
        for path in stray:
            path.unlink()
        return len(stray)

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
        if files.get(table) and table not in STAYING:
            listed = ", ".join("'" + f.replace("'", "''") + "'" for f in files[table])  # our own file names
            together += f" UNION ALL BY NAME SELECT {columns} FROM read_parquet([{listed}], hive_partitioning = false, union_by_name = true)"
        database.execute(f"CREATE OR REPLACE VIEW main.{table} AS {together}")
    database.make_views()
