"""The measures that a slice offers to baselines."""

import pytest

from detectors.contract import Slice


@pytest.fixture
def seen() -> Slice:
    return Slice({})


@pytest.mark.parametrize(("moment", "hour"), [("2026-01-05 00:30", 0), ("2026-01-05 23:59", 23), ("2026-01-11 23:00", 167)])
def test_hour_of_week(seen: Slice, moment: str, hour: int) -> None:
    assert seen.rows("SELECT hour_of_week($at::TIMESTAMPTZ) AS h", {"at": f"{moment}+00"}) == [{"h": hour}]


def test_robust_z_and_its_floor(seen: Slice) -> None:
    row = seen.rows("SELECT robust_z(30, 10, 4, 1) AS z, robust_z(12, 10, 0, 1) AS floored")[0]
    assert (row["z"], row["floored"]) == (pytest.approx(3.3725), pytest.approx(1.349))


def test_surprise_falls_with_what_is_known(seen: Slice) -> None:
    row = seen.rows("SELECT surprise(NULL, NULL, 8) AS nothing, surprise(0, 92, 8) AS new, surprise(49, 92, 8) AS usual")[0]
    assert (row["nothing"], row["usual"]) == (pytest.approx(3), pytest.approx(1)) and row["new"] > 6
