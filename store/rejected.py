"""What was refused, kept with its reason: nothing is dropped silently."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from store.direct import write_durably
from store.errors import DamagedError
from store.seal import Seal, is_sealed
from store.spool import sync_folder

KEPT_BYTES = 1 << 20
"""How much of one refused body is kept; a larger one is cut, and its size noted."""

KEPT_FILES = 1_000
"""How many refusals are kept; beyond it the oldest go, so that a broken sender cannot fill the disk."""


class Rejected:
    """The folder of refusals: for each a `.json` with the reason and a `.bin` with the body as it came."""

    def __init__(self, folder: Path, seal: Seal | None = None) -> None:
        self.folder, self._seal = folder, seal
        folder.mkdir(parents=True, exist_ok=True)

    def keep(self, body: bytes, reason: str, source: str, size: int | None = None) -> None:
        """Keep a refused body, or its beginning; `size` is then that of the whole.

        A disk that cannot take it must not turn the refusal into a failure.
        """
        stem = f"{time.time_ns():020d}-{uuid4().hex[:8]}"
        about = {"refused_at": datetime.now(UTC).isoformat(), "reason": reason, "source": source, "bytes": len(body) if size is None else size}
        try:
            write_durably(self.folder / f"{stem}.bin", self._sealed(body[:KEPT_BYTES]))
            write_durably(self.folder / f"{stem}.json", self._sealed(json.dumps(about).encode()))
            sync_folder(self.folder)
            self._trim()
        except OSError:
            return

    def take(self, path: Path, reason: str) -> None:
        """Set aside a damaged file of ours; the reason is written first, so that a crash in between leaves none without."""
        about = {"refused_at": datetime.now(UTC).isoformat(), "reason": reason, "source": str(path), "bytes": path.stat().st_size}
        told = self.folder / f"{path.stem}.json"
        told.unlink(missing_ok=True)
        write_durably(told, self._sealed(json.dumps(about).encode()))
        path.replace(self.folder / f"{path.stem}.bin")
        sync_folder(self.folder)

    def listed(self, limit: int = 100) -> list[dict[str, Any]]:
        """The newest refusals: when, why, from where, how large, and the file's name."""
        found = []
        for path in sorted(self.folder.glob("*.json"), reverse=True)[:limit]:
            try:
                found.append({"file": path.with_suffix(".bin").name, **json.loads(self._opened(path.read_bytes()))})
            except (OSError, ValueError, DamagedError):  # being written right now, or sealed with a key that we do not have
                continue
        return found

    def count(self) -> int:
        """How many refusals are kept."""
        return sum(1 for _ in self.folder.glob("*.json"))

    def _sealed(self, body: bytes) -> bytes:
        return self._seal.close(body) if self._seal else body

    def _opened(self, body: bytes) -> bytes:
        return self._seal.open(body) if self._seal and is_sealed(body) else body

    def _trim(self) -> None:
        for path in sorted(self.folder.glob("*.json"))[:-KEPT_FILES]:
            path.unlink(missing_ok=True)
            path.with_suffix(".bin").unlink(missing_ok=True)
