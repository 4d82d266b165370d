"""Files past the page cache: what is written once, synced at once and read once need not lie in memory a second time.

In a virtual machine whose pages the host lends only when they are touched, the pages of such a file cost more time than all else in writing it.
Where a file system does not do this (`O_DIRECT`), files are written and read as any other.
"""

import errno
import fcntl
import mmap
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

_BLOCK: Final = 4096
"""What places and sizes are multiples of; the blocks of disks are no larger."""

_AT_ONCE: Final = 1 << 20
_WORTH_IT: Final = 16 * _BLOCK
"""Bytes; of smaller files the detour through a buffer of our own costs more than it saves."""

_DIRECT: Final = getattr(os, "O_DIRECT", 0)  # where there is none, files are written and read in the same blocks
_CANNOT: Final = {errno.EINVAL, errno.EOPNOTSUPP}
_OWN: Final = threading.local()


def write_durably(path: Path, body: bytes) -> None:
    """Write a new file and sync it; the folder is the caller's to sync."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        if not (len(body) >= _WORTH_IT and _able(_write_blocks, descriptor, body)):
            os.lseek(descriptor, 0, os.SEEK_SET)
            view = memoryview(body)
            while view:
                view = view[os.write(descriptor, view):]
        os.ftruncate(descriptor, len(body))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(path: Path) -> bytes | bytearray:
    """All of a file."""
    descriptor, found = os.open(path, os.O_RDONLY), bytearray()
    try:
        if os.fstat(descriptor).st_size >= _WORTH_IT and _able(_read_blocks, descriptor, found):
            return found
    finally:
        os.close(descriptor)
    return path.read_bytes()


def _able(work: Callable[[int, Any], None], descriptor: int, body: bytes | bytearray) -> bool:
    """Whether the file system could do it past the page cache; if not, the descriptor is again as any other."""
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETFL, _DIRECT)
        work(descriptor, body)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
        fcntl.fcntl(descriptor, fcntl.F_SETFL, 0)
        return False
    return True


def _write_blocks(descriptor: int, body: bytes) -> None:
    """The body, and something until the last block is whole."""
    buffer, view = _buffer(), memoryview(body)
    while view:
        step = min(len(view), _AT_ONCE)
        buffer[:step] = view[:step]
        written = os.write(descriptor, buffer[: -(-step // _BLOCK) * _BLOCK])
        view = view[min(written, step):]


def _read_blocks(descriptor: int, found: bytearray) -> None:
    buffer = _buffer()
    while count := os.readv(descriptor, [buffer]):
        found += buffer[:count]


def _buffer() -> memoryview:
    """This thread's own, which begins with a page."""
    if not hasattr(_OWN, "buffer"):
        _OWN.buffer = memoryview(mmap.mmap(-1, _AT_ONCE))
    buffer: memoryview = _OWN.buffer
    return buffer
