"""What is wrong with what is stored is told, with its place and what helps; and the database can be made anew without it."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from alerts import queue
from detectors.scenarios import access, call, definition, session
from store import register
from store.errors import BusyError, DamagedError, ToolhoundError
from tests.toolhound.small import DELETED, FUTURE, MONDAY, UNASKED, attack, opened, spool, state, work
from toolhound.cli import app
from toolhound.engine import Engine
from toolhound.rebuild import KEPT, rebuild
from toolhound.settings import DATABASE_FILE, Settings
from toolhound.verification import verify_engine, verify_folder


@pytest.fixture
def folder(tmp_path: Path, only: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with calls in the lake, hot and in the spool, alerts, decisions and grants; closed."""
    only(UNASKED, DELETED)
    monkeypatch.setattr("toolhound.rebuild.detectors", lambda: {one.name: one for one in (UNASKED, DELETED)})
    engine = opened(tmp_path / "workspace")
    spool(engine, [*work(5), *attack(prompt=None), definition(), access()])
    engine.catch_up()
    engine.settle(FUTURE)
    spool(engine, [*attack("second", prompt=None), *work(2, first=20)])
    engine.catch_up()
    now = datetime.now(UTC)
    for row in engine.database.rows("SELECT alert_id FROM hot.alerts ORDER BY group_key")[:1]:
        engine.decide(lambda d, a=row["alert_id"]: queue.decide(d, a, actor="kim", state="in_progress", assignee="kim", now=now))  # type: ignore[misc]
        engine.decide(lambda d, a=row["alert_id"]: queue.decide(  # type: ignore[misc]
            d, a, actor="kim", state="closed", verdict="false_positive", comment="a drill", now=now + timedelta(seconds=1)))
    given = engine.lay_down("grants", register.granted(principal="eve@example.com", actor="kim", now=now))
    engine.lay_down("grants", register.revoked(engine.database, given["grant_id"], actor="lee", now=now))
    spool(engine, session(call(), name="waiting", start=MONDAY))
    engine.close()
    return tmp_path / "workspace"


def lake_files(folder: Path, table: str = "calls") -> list[Path]:
    return sorted((folder / "lake" / table).rglob("*.parquet"))


def problems(folder: Path) -> list[tuple[str, str]]:
    return [(Path(one["place"]).name, one["what"]) for one in verify_folder(folder, Settings())["problems"]]


def test_all_is_well(folder: Path) -> None:
    told = verify_folder(folder, Settings())
    assert told["problems"] == [] and told["counts"]["calls"] == 20 + 2 + 8 + 2 and told["counts"]["decisions"] == 2
    engine = opened(folder)
    assert verify_engine(engine)["problems"] == []
    engine.close()


def test_looking_changes_nothing(folder: Path) -> None:
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file() and DATABASE_FILE not in p.name}
    verify_folder(folder, Settings())
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file() and DATABASE_FILE not in p.name} == before


def _flip(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)


@pytest.mark.parametrize(("harm", "told"), [
    (lambda folder: lake_files(folder)[0].unlink(), "it is gone"),
    (lambda folder: _flip(lake_files(folder)[0]), "checksum differs"),
    (lambda folder: lake_files(folder)[0].write_bytes(b""), "it has 0 bytes instead of"),
    (lambda folder: (lake_files(folder)[0].parent / "stray.parquet").write_bytes(b"x"), "no ledger knows it"),
    (lambda folder: os.truncate(sorted((folder / "spool").glob("*.arrow"))[0], 900), "damaged"),
    (lambda folder: sorted((folder / "spool" / "taken").glob("*.arrow"))[0].write_bytes(b"x"), "damaged"),
    (lambda folder: (folder / "lake" / "manifest.jsonl").unlink(), "manifest does not yet"),
    (lambda folder: (folder / DATABASE_FILE).unlink(), "it is gone"),
    (lambda folder: (folder / DATABASE_FILE).write_bytes(b"x" * 10_000), "cannot be read"),
])
def test_harm_is_told(folder: Path, harm: Callable[[Path], Any], told: str) -> None:
    harm(folder)
    assert any(told in what for _, what in problems(folder)), problems(folder)


def test_rows_are_counted_against_one_another(folder: Path) -> None:
    engine = opened(folder)
    engine.database.execute("INSERT INTO hot.calls SELECT * FROM hot.calls LIMIT 1")
    engine.database.execute("DELETE FROM hot.decisions WHERE to_state = 'closed'")
    found = [one["what"] for one in verify_engine(engine)["problems"]]
    assert any("1 occur more than once" in what for what in found) and any("1 are in the lake and not in the database" in what for what in found)
    engine.close()


def test_other_rows_than_the_ledger_says(folder: Path) -> None:
    engine = opened(folder)
    engine.database.execute("UPDATE hot.lake_files SET records = records + 1, checksum = NULL WHERE tbl = 'calls'")
    assert any("rows instead of" in one["what"] for one in verify_engine(engine)["problems"])
    engine.close()


def knowledge(folder: Path) -> tuple[Any, ...]:
    """What a workspace knows, without the moments at which it learned it."""
    engine = opened(folder)
    engine.detect()
    tables = ("calls", "observations", "messages", "access")
    counts = [engine.database.value(f"SELECT count(*) FROM {table}") for table in tables]
    alerts = engine.database.rows("SELECT alert_id, group_key, state, verdict, assignee, finding_ids, call_ids FROM hot.alerts ORDER BY alert_id")
    laid_down = engine.database.rows("SELECT * FROM hot.grants ORDER BY grant_id"), engine.database.rows("SELECT * FROM hot.decisions ORDER BY ALL")
    definitions = engine.database.rows("SELECT definition_id FROM hot.tool_definitions ORDER BY ALL")
    known = (counts, state(engine), alerts, laid_down, definitions)
    engine.close()
    return known


@pytest.mark.parametrize("harm", [
    lambda folder: None,
    lambda folder: (folder / DATABASE_FILE).unlink(),
    lambda folder: (folder / DATABASE_FILE).write_bytes(b"x" * 10_000),
])
def test_the_database_is_made_anew(folder: Path, harm: Callable[[Path], Any], tmp_path: Path) -> None:
    before = knowledge(folder)
    assert len(before[2]) == 2 and {row["state"] for row in before[2]} == {"new", "closed"}
    harm(folder)
    existed = (folder / DATABASE_FILE).exists()
    done = rebuild(folder, Settings())
    assert (done["left_out"], done["failures"], done["decisions_about_nothing"]) == ([], {}, 0)
    assert (folder / KEPT).exists() == existed and not (folder / f"{DATABASE_FILE}.rebuilding").exists()
    assert verify_folder(folder, Settings())["problems"] == []
    assert knowledge(folder) == before


def test_anew_twice_is_the_same(folder: Path) -> None:
    before = knowledge(folder)
    for _ in range(2):
        rebuild(folder, Settings())
    assert knowledge(folder) == before


def test_nobody_begins_anew_over_a_lake(folder: Path) -> None:
    (folder / DATABASE_FILE).unlink()
    files = lake_files(folder)
    with pytest.raises(DamagedError, match="verify --rebuild"):
        opened(folder)
    assert lake_files(folder) == files


def test_a_damaged_file_is_left_out_and_kept(folder: Path) -> None:
    _flip(lake_files(folder)[0])
    damaged = lake_files(folder)[0].read_bytes()
    done = rebuild(folder, Settings())
    assert len(done["left_out"]) == 1 and "checksum" in done["left_out"][0]
    assert damaged in [p.read_bytes() for p in (folder / "rejected").glob("*.bin")]
    engine = opened(folder)
    engine.catch_up()
    assert engine.database.value("SELECT count(*) FROM calls") == 2 + 8 + 1  # what was hot or waited; no other file of calls was settled
    engine.close()


def test_a_rebuild_that_was_broken_off_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = knowledge(folder)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("toolhound.rebuild._swap", crash)
        with pytest.raises(KeyboardInterrupt):
            rebuild(folder, Settings())
    assert knowledge(folder) == before
    rebuild(folder, Settings())
    assert knowledge(folder) == before


def test_not_while_somebody_has_it_open(folder: Path) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:  # DuckDB refuses a file that another process holds; of one process it is the same database
        os.close(reading)
        engine = opened(folder)
        os.write(writing, b".")
        os.read(os.pipe()[0], 1)
        engine.close()
        os._exit(0)
    os.close(writing)
    try:
        assert os.read(reading, 1) == b"."
        with pytest.raises(BusyError):
            rebuild(folder, Settings())
        with pytest.raises(BusyError):
            verify_folder(folder, Settings())
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)


def test_the_command(folder: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke
    assert run(app, ["verify", "-w", str(folder)]).exit_code == 0
    lake_files(folder, "messages")[0].unlink()
    wrong = run(app, ["verify", "-w", str(folder), "--json"])
    told = json.loads(wrong.stdout)
    assert wrong.exit_code == 1 and told["problems"][0]["what"] == "it is gone" and "backup" in told["problems"][0]["cure"]
    anew = run(app, ["verify", "-w", str(folder), "--rebuild", "--json"])
    assert anew.exit_code == 1 and len(json.loads(anew.stdout)["rebuilt"]["left_out"]) == 1
    assert run(app, ["verify", "-w", str(folder)]).exit_code == 0
    nowhere = run(app, ["verify", "-w", str(tmp_path / "nowhere")])
    assert isinstance(nowhere.exception, ToolhoundError)


def test_files_of_the_lake_can_be_looked_up_in(folder: Path) -> None:
    (path, *_) = lake_files(folder)
    about = pq.ParquetFile(path).metadata.row_group(0)
    column = {about.column(n).path_in_schema: about.column(n) for n in range(about.num_columns)}
    assert column["called_at"].statistics.has_min_max and column["call_id"].compression == "ZSTD"


def test_an_older_copy_of_the_database_is_not_taken_for_the_new_one(folder: Path) -> None:
    older = (folder / DATABASE_FILE).read_bytes()
    engine: Engine = opened(folder)
    engine.catch_up()
    engine.settle(FUTURE)
    engine.close()
    (folder / DATABASE_FILE).write_bytes(older)
    assert any("older copy" in what for _, what in problems(folder))
    with pytest.raises(DamagedError, match="older copy"):
        opened(folder)
    rebuild(folder, Settings())
    assert problems(folder) == []
