"""The notebook runs from top to bottom, over a folder and over a server, and is kept without outputs."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest
import uvicorn
from nbclient import NotebookClient

from dashboards.app import create_app
from toolhound import Workspace

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
RECORDED = ("calls.jsonl.gz", "claude_code_logs.jsonl.gz", "otlp_http.jsonl.gz")
SECONDS_A_CELL = 120
PLOTLY = "application/vnd.plotly.v1+json"
TOKEN = "a-token-of-the-notebook"


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # nbformat types some of its functions only


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace(tmp_path / "workspace") as made:
        taken = made.ingest([str(ROOT / "sample_data" / "recorded" / name) for name in RECORDED])
        assert taken["calls"]
        assert not taken["refused"]
        yield made


@contextmanager
def served(workspace: Workspace) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(create_app(workspace, TOKEN), port=0, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def run(path: Path) -> None:
    notebook = read(path)
    NotebookClient(notebook, timeout=SECONDS_A_CELL, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert sum(PLOTLY in output.get("data", {}) for output in outputs) >= 4
    assert [output for output in outputs if output.get("name") == "stderr"] == []


@pytest.fixture
def kernel_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    return monkeypatch


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_kept_without_outputs(path: Path) -> None:
    assert [cell.id for cell in read(path).cells if cell.get("outputs") or cell.get("execution_count")] == []


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_over_a_folder(path: Path, workspace: Workspace, kernel_environment: pytest.MonkeyPatch) -> None:
    workspace.close()
    kernel_environment.setenv("TOOLHOUND_WORKSPACE", str(workspace.folder))
    run(path)


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_over_a_server(path: Path, workspace: Workspace, kernel_environment: pytest.MonkeyPatch) -> None:
    with served(workspace) as address:
        kernel_environment.setenv("TOOLHOUND_WORKSPACE", address)
        kernel_environment.setenv("TOOLHOUND_TOKEN", TOKEN)
        run(path)
