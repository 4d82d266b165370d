"""Nothing that was acknowledged is lost and nothing counts twice, whenever a process is killed; `benchmarks/faults.py` tries it oftener."""

from pathlib import Path

import pytest

from benchmarks.faults import trial
from benchmarks.retrying import CALLS_A_REQUEST

KILLS, SEED = 3, 11


@pytest.mark.slow
@pytest.mark.parametrize("collectors", [1, 2])
def test_kill_at_any_moment(tmp_path: Path, collectors: int) -> None:
    verdict = trial(tmp_path, KILLS, SEED, collectors)
    assert verdict.wrong == []
    assert sum(verdict.kills.values()) == KILLS
    assert verdict.calls == verdict.requests * CALLS_A_REQUEST > 0
    assert verdict.findings > 0
