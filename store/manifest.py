"""Which files of the lake count, told by the lake itself, so that it can be read where the database is gone.

`manifest.jsonl` says what the ledger in the database says, a little later: each line adds files or drops some. The database is
changed first, then the manifest, and only then is anything removed that the change made superfluous. So whatever is in the
manifest is on disk, and what is not yet in it is still in `spool/taken/`, whenever a process ends.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path

from store.direct import write_durably
from store.errors import DamagedError, DiskError
from store.spool import sync_folder

NAME = "manifest.jsonl"
SUPERFLUOUS = 10_000
"""Lines of dropped files that the manifest may hold before it is written anew."""


@dataclass(frozen=True, slots=True)
class LakeFile:
    """A file of the lake: its table, its path inside the lake, and what it must have. Files of early versions have no checksum."""

    table: str
    path: str
    records: int
    written_at: datetime
    bytes: int | None = None
    checksum: str | None = None

    @property
    def day(self) -> date:
        """The day whose rows it holds."""
        return date.fromisoformat(Path(self.path).parent.name.removeprefix("date="))


class Manifest:
    """The file, and what it says: `files` by path, in the order in which they were added."""

    def __init__(self, folder: Path) -> None:
        """Raises DamagedError with the line where it cannot be read. A last line that a crash cut off was never relied on."""
        self.path = folder / NAME
        self.files: dict[str, LakeFile] = {}
        lines = _lines(self.path)
        cut_off = bool(lines) and not lines[-1].endswith(b"\n")
        for number, line in enumerate(lines[:-1] if cut_off else lines, 1):
            try:
                said = json.loads(line)
                added = [LakeFile(**{**told, "written_at": datetime.fromisoformat(told["written_at"])}) for told in said.get("add", ())]
                self._take(added, said.get("drop", ()))
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise DamagedError(f"{self.path}, line {number} is damaged: {error}; restore it from a backup of the lake") from error
        if cut_off or len(lines) > len(self.files) + SUPERFLUOUS:
            self._rewrite()

    def say(self, files: Iterable[LakeFile]) -> None:
        """Make it say that exactly these files count; on return that survives a crash. Raises DiskError; then it says what it said."""
        wanted = {one.path: one for one in files}
        added = [one for path, one in wanted.items() if path not in self.files]
        dropped = [path for path in self.files if path not in wanted]
        if not added and not dropped:
            return
        line = _encoded({"add": [_told(one) for one in added], "drop": dropped})
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                end = os.lseek(descriptor, 0, os.SEEK_END)
                _append(descriptor, line, end)
            finally:
                os.close(descriptor)
            sync_folder(self.path.parent)
        except OSError as error:
            raise DiskError(f"{self.path} cannot be written: {error.strerror}") from error
        self._take(added, dropped)

    def _take(self, added: Iterable[LakeFile], dropped: Iterable[str]) -> None:
        self.files |= {one.path: one for one in added}
        for path in dropped:
            self.files.pop(path, None)

    def _rewrite(self) -> None:
        partial = self.path.with_suffix(".partial")
        try:
            partial.unlink(missing_ok=True)
            write_durably(partial, b"".join(_encoded({"add": [_told(one)]}) for one in self.files.values()))
            partial.rename(self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            raise DiskError(f"{self.path} cannot be written: {error.strerror}") from error


def _append(descriptor: int, line: bytes, end: int) -> None:
    """Whole or not at all: half a line would make the next one unreadable."""
    try:
        view = memoryview(line)
        while view:
            view = view[os.write(descriptor, view):]
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, end)
        raise


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines(keepends=True) if path.exists() else []
    except OSError as error:
        raise DiskError(f"{path} cannot be read: {error.strerror}") from error


def _encoded(said: dict[str, object]) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"


def _told(one: LakeFile) -> dict[str, object]:
    return {**asdict(one), "written_at": one.written_at.isoformat()}
