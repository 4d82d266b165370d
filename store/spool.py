"""Acknowledged batches on disk: whoever gets the answer "stored" can rely on it.

A batch is one file of several Arrow IPC streams, one for each kind of record. It is written under a name that no reader
takes, synced, renamed, and the folder is synced; only then `write` returns. Names sort by the time of writing.

What the database has taken is kept in `taken/` until it is in the lake too: so the database alone never holds anything.
"""

import errno
import heapq
import io
import itertools
import os
import time
from collections.abc import Container, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pyarrow as pa

from store import direct
from store.errors import DamagedError, DiskError, StoreError
from store.seal import Seal, is_sealed

SUFFIX, PARTIAL = ".arrow", ".partial"
TAKEN = "taken"
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EFBIG}
PASSING = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EINTR, errno.EAGAIN}
"""Why a good file may be unreadable for a while."""


class Spool:
    """The folder of batches that are acknowledged and not yet in the database. Many may write, one reads."""

    def __init__(self, folder: Path, seal: Seal | None = None) -> None:
        self.folder, self._seal = folder, seal
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, batch: Mapping[str, pa.Table]) -> Path:
        """Put a batch on disk; on return it survives a crash.

        Raises DiskError where the disk is full or failing: then nothing of the batch is left behind.
        """
        body = encode(batch)
        if self._seal:
            body = self._seal.close(body)
        name = f"{time.time_ns():020d}-{os.getpid()}-{uuid4().hex[:8]}"
        partial, final = self.folder / (name + PARTIAL), self.folder / (name + SUFFIX)
        try:
            direct.write_durably(partial, body)
            partial.rename(final)
            sync_folder(self.folder)
        except OSError as error:
            partial.unlink(missing_ok=True)
            final.unlink(missing_ok=True)
            if error.errno in FULL:
                raise DiskError(f"{self.folder} cannot take more: {error.strerror}; free some space") from error
            raise StoreError(f"{self.folder} cannot be written: {error}") from error
        return final

    def pending(self, limit: int, most_bytes: int | None = None) -> list[Path]:
        """The oldest files, at most `limit`, and at most `most_bytes` together (but one of any size)."""
        oldest = heapq.nsmallest(limit, (p for p in self.folder.iterdir() if p.suffix == SUFFIX))
        if most_bytes is None:
            return oldest
        sizes = itertools.accumulate(p.stat().st_size for p in oldest)
        return [p for n, (p, size) in enumerate(zip(oldest, sizes, strict=True)) if n == 0 or size <= most_bytes]

    def read(self, path: Path) -> dict[str, pa.Table]:
        """A batch from its file. Raises DamagedError, or DiskError where it cannot be read just now."""
        return read(path, self._seal)

    def set_aside(self, files: list[Path]) -> None:
        """Keep files whose content is in the database, until `let_go`."""
        folder = self.folder / TAKEN
        folder.mkdir(exist_ok=True)
        for path in files:
            with suppress(FileNotFoundError):
                path.rename(folder / path.name)
        sync_folder(folder)
        sync_folder(self.folder)

    def taken(self) -> list[Path]:
        """Files that were set aside, oldest first."""
        return sorted((self.folder / TAKEN).glob(f"*{SUFFIX}"))

    def give_back(self, known: Container[str]) -> int:
        """Wait for the database again with files that were set aside and whose names it does not know: it is older than they, or new."""
        unknown = [path for path in self.taken() if path.name not in known]
        for path in unknown:
            path.rename(self.folder / path.name)
        if unknown:
            sync_folder(self.folder)
        return len(unknown)

    def superfluous(self, before: datetime | None, most_bytes: int) -> list[Path]:
        """Files that were set aside and written before a moment (all, where there is none), and the oldest beyond a size."""
        files = self.taken()
        sizes = [path.stat().st_size for path in files]
        left, gone = sum(sizes), []
        for path, size in zip(files, sizes, strict=True):
            if before is not None and written_at(path) >= before and left <= most_bytes:
                break
            gone.append(path)
            left -= size
        return gone

    def let_go(self, files: Iterable[Path]) -> None:
        """Remove files that were set aside."""
        for path in files:
            path.unlink()

    def size(self) -> tuple[int, int]:
        """Files waiting, and their bytes."""
        return _size(self.folder)

    def taken_size(self) -> tuple[int, int]:
        """Files that were set aside, and their bytes."""
        with suppress(FileNotFoundError):  # nothing was ever put there
            return _size(self.folder / TAKEN)
        return 0, 0

    def sweep(self) -> int:
        """Remove what writers left half-written when they were killed; only while no collector runs."""
        left = [p for p in self.folder.iterdir() if p.suffix == PARTIAL]
        for path in left:
            path.unlink()
        return len(left)


def _size(folder: Path) -> tuple[int, int]:
    sizes = []
    for path in folder.iterdir():
        if path.suffix == SUFFIX:
            with suppress(FileNotFoundError):  # somebody took it meanwhile
                sizes.append(path.stat().st_size)
    return len(sizes), sum(sizes)


def encode(batch: Mapping[str, pa.Table]) -> bytes:
    """A batch as bytes."""
    sink = io.BytesIO()
    for kind, table in batch.items():
        if len(table):
            with pa.ipc.new_stream(sink, table.schema.with_metadata({"kind": kind})) as writer:
                writer.write_table(table)
    return sink.getvalue()


def written_at(path: Path) -> datetime:
    """When a file of the spool was written, by its name."""
    return datetime.fromtimestamp(int(path.name.split("-")[0]) / 1e9, UTC)


def read(path: Path, seal: Seal | None = None) -> dict[str, pa.Table]:
    """A batch from its file, which may be sealed. Raises DamagedError, or DiskError where it cannot be read just now."""
    batch: dict[str, pa.Table] = {}
    try:
        body = _body(path, seal)
        source = pa.BufferReader(body)
        while source.tell() < body.size:
            reader = pa.ipc.open_stream(source)
            kind = (reader.schema.metadata or {})[b"kind"].decode()
            batch[kind] = reader.read_all().replace_schema_metadata(None)
            batch[kind].validate(full=True)  # wrong offsets or broken UTF-8 would bring the database down
    except (pa.ArrowException, KeyError, ValueError, OSError) as error:
        if getattr(error, "errno", None) in PASSING:
            raise DiskError(f"{path} cannot be read now: {error}") from error
        raise DamagedError(f"{path} is damaged: {error}") from error
    except DamagedError as error:
        raise DamagedError(f"{path}: {error}") from error
    return batch


def _body(path: Path, seal: Seal | None) -> pa.Buffer:
    """A file's content. What was written before there was a key is read too."""
    body = direct.read(path)
    if is_sealed(body):
        if seal is None:
            raise DamagedError("it is sealed; give the workspace's key")
        body = seal.open(body)
    return pa.py_buffer(body)


def sync_folder(folder: Path) -> None:
    """Make renames and removals in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
