"""The engine as a process of its own, with the API and the pages in it: `python -m dashboards.process FOLDER HOST PORT ADDRESS`.

The access token comes in the environment, where other users of the machine cannot read it. The process ends when its standard
input does, so that it does not outlive whoever started it.
"""

import os
import sys
import threading
from pathlib import Path

import uvicorn

from dashboards.app import create_app
from store.errors import ToolhoundError
from toolhound.supervisor import TOKEN_VARIABLE
from toolhound.workers import Workers
from toolhound.workspace import Workspace

GRACE_SECONDS = 3


def main() -> int:
    """Run engine, deliveries and web server until told to stop."""
    folder, host, port, address = sys.argv[1:5]
    try:
        workers = Workers(max(1, (os.cpu_count() or 1) - 1))
        workspace = Workspace(Path(folder), address=address, workers=workers)
        workers.start()
    except ToolhoundError as error:
        print(f"toolhound engine: {error}", file=sys.stderr)
        return 1
    app = create_app(
        workspace, os.environ.get(TOKEN_VARIABLE) or None, host=host, names=workspace.settings.serve.names,
        address=workspace.settings.serve.address,
    )
    web = uvicorn.Server(uvicorn.Config(
        app, host=host, port=int(port), log_level="warning", access_log=False, timeout_graceful_shutdown=GRACE_SECONDS, server_header=False,
    ))
    stop = threading.Event()
    threads = [
        threading.Thread(target=workspace.engine.run, args=(stop,), name="engine"),
        threading.Thread(target=workspace.engine.run_deliveries, args=(stop,), name="deliveries"),
    ]
    for thread in threads:
        thread.start()
    threading.Thread(target=_end_with_input, args=(web,), daemon=True).start()
    web.run()
    stop.set()
    for thread in threads:
        thread.join(GRACE_SECONDS)
    workspace.close()
    return 0


def _end_with_input(web: uvicorn.Server) -> None:
    while os.read(0, 4096):  # not sys.stdin: a thread that waits there aborts the interpreter's end
        continue
    web.should_exit = True


if __name__ == "__main__":
    raise SystemExit(main())
