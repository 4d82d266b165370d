"""The lake's own list says which files count, whatever was cut off."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from store import manifest as module
from store.errors import DamagedError, DiskError
from store.manifest import LakeFile, Manifest

FIRST = LakeFile("calls", "calls/date=2026-01-05/a.parquet", 7, datetime(2026, 1, 6, tzinfo=UTC), 4_711, "c0ffee")
SECOND = replace(FIRST, path="calls/date=2026-01-06/b.parquet", records=8)


def test_it_says_what_it_was_told(tmp_path: Path) -> None:
    told = Manifest(tmp_path)
    told.say([FIRST])
    told.say([FIRST, SECOND])
    assert list(Manifest(tmp_path).files.values()) == [FIRST, SECOND] and FIRST.day == date(2026, 1, 5)
    told.say([SECOND])
    assert Manifest(tmp_path).files == {SECOND.path: SECOND}


def test_nothing_new_writes_nothing(tmp_path: Path) -> None:
    told = Manifest(tmp_path)
    told.say([])
    assert not told.path.exists()
    told.say([FIRST])
    before = told.path.read_bytes()
    told.say([FIRST])
    assert told.path.read_bytes() == before


@pytest.mark.parametrize("kept", [0, 1, 20, 150])
def test_a_line_that_a_crash_cut_off_does_not_count(tmp_path: Path, kept: int) -> None:
    told = Manifest(tmp_path)
    told.say([FIRST])
    whole = told.path.read_bytes()
    told.say([FIRST, SECOND])
    told.path.write_bytes(whole + told.path.read_bytes()[len(whole):][:kept])
    again = Manifest(tmp_path)
    assert list(again.files) == [FIRST.path]
    again.say([FIRST, SECOND])
    assert list(Manifest(tmp_path).files) == [FIRST.path, SECOND.path]


def test_damage_inside_is_named(tmp_path: Path) -> None:
    told = Manifest(tmp_path)
    told.say([FIRST])
    told.say([FIRST, SECOND])
    told.path.write_bytes(told.path.read_bytes().replace(b'{"add"', b'{"odd', 1))
    with pytest.raises(DamagedError, match=r"manifest\.jsonl, line 1 is damaged"):
        Manifest(tmp_path)


def test_a_full_disk_leaves_it_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Manifest(tmp_path)
    told.say([FIRST])
    before = told.path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("store.manifest.os.fsync", full)
        with pytest.raises(DiskError, match="No space left"):
            told.say([FIRST, SECOND])
    assert told.path.read_bytes() == before and list(told.files) == [FIRST.path]
    told.say([FIRST, SECOND])
    assert list(Manifest(tmp_path).files) == [FIRST.path, SECOND.path]


def test_what_was_dropped_is_left_out_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SUPERFLUOUS", 2)
    told = Manifest(tmp_path)
    for _ in range(3):
        told.say([FIRST, SECOND])
        told.say([FIRST])
    again = Manifest(tmp_path)
    assert list(again.files.values()) == [FIRST] and len(again.path.read_bytes().splitlines()) == 1
