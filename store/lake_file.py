"""One file of the lake: written whole under a name that nobody reads, synced, renamed; and its checksum.

Rows lie in groups small enough to read one at a time, with statistics, and with Bloom filters on what single rows are looked up by.
Where the workspace has a key, DuckDB writes them, which alone reads what it encrypted, and its filters are its own.
"""

import hashlib
import os
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from store.database import Database
from store.errors import DiskError
from store.seal import Seal
from store.spool import sync_folder

ZSTD_LEVEL = 3
ROW_GROUP_ROWS, ROW_GROUP_BYTES = 65_536, 64 << 20
"""What a group holds at most, before compression: enough to scan fast, little enough to fit several times."""

FALSE_POSITIVES = 0.01
"""How often a Bloom filter says "perhaps" of a group that does not have the value; the filters then take about 1.2 bytes a row."""


class Writer:
    """Writes files under the lake's folder."""

    def __init__(self, folder: Path, seal: Seal | None, searched: Sequence[str]) -> None:
        self._folder, self._searched = folder, searched
        self._encrypting = Database.beside(folder.parent, seal) if seal else None
        self._one_at_a_time = threading.Lock()

    def write(self, table: str, day: date, rows: pa.RecordBatchReader, order: Sequence[str]) -> Path:
        """A new file of a day, out of rows that come in order. Raises DiskError; then nothing is left of it."""
        folder = self._folder / table / f"date={day.isoformat()}"
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{uuid4().hex[:8]}"
        partial, final = folder / f".{name}.partial", folder / f"{name}.parquet"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if self._encrypting:
                with self._one_at_a_time, self._encrypting.named(written=rows):  # DuckDB keeps no order but one that it is asked for
                    self._encrypting.write_parquet(f"SELECT * FROM written ORDER BY {', '.join(order)}", partial, ROW_GROUP_ROWS, ROW_GROUP_BYTES)
            else:
                _write(partial, rows, self._searched)
            _sync(partial)
            partial.rename(final)
            for above in (folder, folder.parent, self._folder):
                sync_folder(above)
        except (OSError, DiskError) as error:
            partial.unlink(missing_ok=True)
            final.unlink(missing_ok=True)
            raise DiskError(f"{folder} cannot be written: {getattr(error, 'strerror', None) or error}") from error
        return final


def checksum(path: Path) -> str:
    """BLAKE2b of a file's bytes, in hexadecimal."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, lambda: hashlib.blake2b(digest_size=32)).hexdigest()


def _write(path: Path, rows: pa.RecordBatchReader, searched: Sequence[str]) -> None:
    groups = _groups(rows)
    first = next(groups, rows.schema.empty_table())
    filters = {name: {"ndv": max(1, len(first)), "fpp": FALSE_POSITIVES} for name in searched if name in rows.schema.names}
    with pq.ParquetWriter(path, rows.schema, compression="zstd", compression_level=ZSTD_LEVEL, bloom_filter_options=filters or None) as writer:
        for group in (first, *groups):
            writer.write_table(group, row_group_size=ROW_GROUP_ROWS)


def _groups(rows: pa.RecordBatchReader) -> Iterator[pa.Table]:
    """Rows gathered until a group is full."""
    gathered: list[pa.RecordBatch] = []
    count = size = 0
    for batch in rows:
        step = max(1, min(ROW_GROUP_ROWS, len(batch) * ROW_GROUP_BYTES // max(1, batch.nbytes)))
        for start in range(0, len(batch), step):
            part = batch.slice(start, step)
            if gathered and (count + len(part) > ROW_GROUP_ROWS or size + part.nbytes > ROW_GROUP_BYTES):
                yield pa.Table.from_batches(gathered, rows.schema)
                gathered, count, size = [], 0, 0
            gathered.append(part)
            count += len(part)
            size += part.nbytes
    if gathered:
        yield pa.Table.from_batches(gathered, rows.schema)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
