"""How each collector stands, in a file of its own in the workspace: several may share a port, so asking the port asks any of them."""

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

FOLDER: Final = "collectors"
TOLD_EVERY_SECONDS: Final = 1.0
SILENT_SECONDS: Final = 10.0


def keep_telling(workspace: Path, addresses: dict[str, str], told: Callable[[], dict[str, Any]], stop: threading.Event) -> None:
    """Write what `told` says every second until told to stop."""
    path = workspace / FOLDER / f"{os.getpid()}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    while True:
        ended = stop.wait(TOLD_EVERY_SECONDS)
        try:
            partial.write_text(json.dumps({**addresses, **told()}))
            partial.replace(path)
        except OSError:  # a full disk; what it means for what is received, the senders are told
            pass
        if ended:
            path.unlink(missing_ok=True)
            return


def standings(workspace: Path) -> list[dict[str, Any]]:
    """What each collector says of itself; one that has said nothing for a while is said to be silent."""
    found = []
    for path in sorted((workspace / FOLDER).glob("*.json")):
        try:
            silent = time.time() - path.stat().st_mtime > SILENT_SECONDS
            found.append({"process": path.stem, "status": "silent" if silent else "ok", **json.loads(path.read_text())})
        except (OSError, ValueError):  # it ended meanwhile
            continue
    return found


def forget(workspace: Path, process: int | None = None) -> None:
    """Remove what a collector that was killed left; all of them where none is named, which is for when none runs."""
    for path in (workspace / FOLDER).glob("*" if process is None else f"{process}.*"):
        path.unlink(missing_ok=True)
