"""Engines that are closed at the end, and which detectors there are."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from detectors.registry import Registered
from tests.toolhound.small import opened
from toolhound import detection, engine, health
from toolhound.engine import Engine


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Engine]:
    made = opened(tmp_path / "workspace")
    yield made
    made.close()


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put these detectors in the place of all others."""

    def put(*these: Registered) -> None:
        for module in (detection, engine, health):
            monkeypatch.setattr(module, "detectors", lambda: {one.name: one for one in these})

    return put
