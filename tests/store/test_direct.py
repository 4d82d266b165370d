"""A file comes back as it was written, whether the file system writes past the page cache or not."""

import errno
import fcntl
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from store import direct
from store.errors import DiskError
from store.spool import Spool

MIB = 1 << 20
SIZES = (0, 1, 65_535, 65_536, 65_537, MIB, MIB + 1, 2 * MIB + 4096)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("number", [None, errno.EINVAL, errno.EOPNOTSUPP])
def test_as_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, number: int | None) -> None:
    path, body = tmp_path / "one", os.urandom(size)
    if number is not None:
        _refuse_blocks(monkeypatch, number)
    direct.write_durably(path, body)
    assert path.read_bytes() == body and direct.read(path) == body
    with pytest.raises(FileExistsError):
        direct.write_durably(path, body)
    assert path.read_bytes() == body


def test_a_file_system_that_finds_out_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It opens the file, and refuses the second piece of it."""
    real, body, count = os.write, os.urandom(2 * MIB), 0

    def write(descriptor: int, piece: Any) -> int:
        nonlocal count
        count += 1
        if count == 2:
            raise OSError(errno.EINVAL, "invalid")
        return real(descriptor, piece)

    monkeypatch.setattr(os, "write", write)
    direct.write_durably(tmp_path / "one", body)
    assert (tmp_path / "one").read_bytes() == body


def test_a_disk_that_is_full_half_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, count = os.write, 0

    def write(descriptor: int, piece: Any) -> int:
        nonlocal count
        count += 1
        if count == 2:
            raise OSError(errno.ENOSPC, "full")
        return real(descriptor, piece)

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(DiskError):
        Spool(tmp_path / "spool").write({"spans": pa.table({"trace_id": ["x" * MIB, "y" * MIB]})})
    assert list((tmp_path / "spool").iterdir()) == []


def _refuse_blocks(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    real = fcntl.fcntl

    def changed(descriptor: int, command: int, flags: int) -> Any:
        if flags & os.O_DIRECT:
            raise OSError(number, os.strerror(number))
        return real(descriptor, command, flags)

    monkeypatch.setattr(fcntl, "fcntl", changed)
