"""With a key nothing that was said can be read on disk, and without it nothing works; with the wrong one neither, and both are said plainly."""

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from detectors.scenarios import call, definition, session
from ingest.process import KEY_VARIABLE, Orders, collector_of
from store import database
from store.errors import SettingsError, StoreError
from tests.toolhound.small import DELETED, FUTURE, UNASKED, spool, work
from toolhound.cli import app
from toolhound.engine import Engine
from toolhound.keys import seal_of
from toolhound.rebuild import rebuild
from toolhound.settings import Keep, Settings
from toolhound.verification import verify_folder
from toolhound.workspace import Workspace

NEEDLE = "xyzzy-stands-nowhere-else"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, only: Callable[..., None]) -> None:
    """DuckDB encrypts with an extension that tests cannot fetch; what is built in writes the same files, with nonces not fit for real use."""
    monkeypatch.setattr(database, "ENCRYPTION_MODULE", "SET force_mbedtls_unsafe = 'true'")
    only(UNASKED, DELETED)


@pytest.fixture
def locked(tmp_path: Path) -> Settings:
    path = tmp_path / "key"
    path.write_text(secrets.token_hex(32))
    return Settings(keep=Keep(key_file=path))


def filled(folder: Path, settings: Settings) -> Engine:
    """A workspace whose spool, hot tables, lake and refusals all hold the needle."""
    engine = Engine(folder, settings)
    said = session(call("delete", arguments={"note": NEEDLE}), prompt=f"Delete {NEEDLE}.", name=f"session-{NEEDLE}")
    spool(engine, [*said, definition(description=f"It says {NEEDLE}."), *work(2)])
    engine.catch_up()
    engine.settle(FUTURE)
    spool(engine, session(call("delete", arguments={"note": NEEDLE}), prompt=None, name=f"hot-{NEEDLE}"))
    engine.catch_up()
    spool(engine, session(call(arguments={"note": NEEDLE}), name=f"waiting-{NEEDLE}"))
    engine.rejected.keep(NEEDLE.encode(), f"not understood: {NEEDLE}", "127.0.0.1")
    return engine


def found(folder: Path) -> list[str]:
    return [str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and NEEDLE.encode() in p.read_bytes()]


def test_nothing_can_be_read_on_disk(tmp_path: Path, locked: Settings) -> None:
    plain, sealed = tmp_path / "plain", tmp_path / "sealed"
    filled(plain, Settings()).close()
    assert {name.split("/")[0].split(".")[0] for name in found(plain)} >= {"toolhound", "spool", "rejected"}
    engine = filled(sealed, locked)
    assert found(sealed) == []
    assert engine.database.value("SELECT count(*) FROM calls WHERE contains(arguments, $needle)", {"needle": NEEDLE}) == 2
    assert engine.rejected.listed()[0]["reason"].endswith(NEEDLE)
    engine.close()
    assert found(sealed) == []


def test_everything_goes_on_working(tmp_path: Path, locked: Settings) -> None:
    folder = tmp_path / "sealed"
    filled(folder, locked).close()
    with Workspace(folder, locked) as workspace:
        assert workspace.detect()["failures"] == {}
        before = [row["alert_id"] for row in workspace.alerts().rows]
        chain = workspace.session(f"session-{NEEDLE}")
        assert before and NEEDLE in str(chain["turns"]) and workspace.query("SELECT * FROM calls", 100).num_rows == 11
        assert workspace.verify()["problems"] == []
    assert verify_folder(folder, locked)["problems"] == []
    rebuild(folder, locked)
    with Workspace(folder, locked) as workspace:
        assert [row["alert_id"] for row in workspace.alerts().rows] == before
    assert found(folder) == []


def test_files_become_one_encrypted(tmp_path: Path, locked: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import UTC, datetime, timedelta

    from toolhound import upkeep

    monkeypatch.setattr(upkeep, "MERGED_FROM", 2)
    engine = filled(tmp_path / "sealed", locked)
    engine.settle(FUTURE)
    before = engine.database.value("SELECT count(*) FROM calls")
    done = upkeep.keep_house(engine.database, engine.lake, Keep(), datetime.now(UTC) + timedelta(hours=2))
    assert done["merged"] == 2 and engine.database.value("SELECT count(*) FROM calls") == before and found(tmp_path / "sealed") == []
    engine.close()


@pytest.mark.parametrize(("keep", "told"), [
    ({}, "is encrypted; set one of them"),
    ({"key_variable": "TOOLHOUND_TEST_KEY"}, "encrypted with another key"),
    ({"key_variable": "TOOLHOUND_TEST_NOTHING"}, "the environment has no TOOLHOUND_TEST_NOTHING"),
    ({"key_variable": "TOOLHOUND_TEST_SHORT"}, "64 hexadecimal digits, or base64 of 32 bytes"),
    ({"key_file": Path("nowhere")}, "nowhere cannot be read"),
    ({"key_file": Path("nowhere"), "key_variable": "TOOLHOUND_TEST_KEY"}, "not both"),
])
def test_a_missing_or_a_wrong_key(
    tmp_path: Path, locked: Settings, monkeypatch: pytest.MonkeyPatch, keep: dict[str, Any], told: str
) -> None:
    monkeypatch.setenv("TOOLHOUND_TEST_KEY", secrets.token_hex(32))
    monkeypatch.setenv("TOOLHOUND_TEST_SHORT", "secret")
    seal_of(tmp_path, locked.keep)
    for look in (Engine, verify_folder, rebuild):
        with pytest.raises(SettingsError, match=told) as raised:
            look(tmp_path, Settings(keep=Keep(**keep)))
        assert "keep.key_" in str(raised.value) and "\n" not in str(raised.value)


def test_a_key_is_for_a_new_workspace(tmp_path: Path, locked: Settings) -> None:
    Engine(tmp_path, Settings()).close()
    with pytest.raises(SettingsError, match="begun without a key"):
        Engine(tmp_path, locked)


def test_duckdb_that_cannot_encrypt_says_so(tmp_path: Path, locked: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "ENCRYPTION_MODULE", "LOAD no_such_extension")
    with pytest.raises(SettingsError, match=r"keep\.key_file.*httpfs"):
        Engine(tmp_path, locked)


def test_a_database_of_another_key(tmp_path: Path, locked: Settings) -> None:
    Engine(tmp_path / "a", locked).close()
    other = Settings(keep=Keep(key_variable="TOOLHOUND_TEST_KEY"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TOOLHOUND_TEST_KEY", secrets.token_hex(32))
        Engine(tmp_path / "b", other).close()
        (tmp_path / "b" / "toolhound.duckdb").write_bytes((tmp_path / "a" / "toolhound.duckdb").read_bytes())
        with pytest.raises(StoreError, match=r"[Ww]rong encryption key"):
            Engine(tmp_path / "b", other)


def test_a_collector_gets_the_key_in_its_environment(tmp_path: Path, locked: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sealed").mkdir()
    seal = seal_of(tmp_path / "sealed", locked.keep)
    assert seal is not None
    orders = Orders(str(tmp_path / "sealed"), "127.0.0.1", 0, 0, 1 << 20, 1 << 30, locked.keep.policy())
    assert seal.text not in orders.as_json()
    monkeypatch.setenv(KEY_VARIABLE, seal.text)
    collector = collector_of(orders)
    line = {"session_id": "s", "tool": "t", "arguments": {"note": NEEDLE}, "timestamp": "2026-01-05T09:00:00Z"}
    collector.accept_calls(json.dumps(line).encode(), "a test")
    collector.stop()
    assert found(tmp_path / "sealed") == [] and list((tmp_path / "sealed" / "spool").glob("*.arrow"))
    engine = Engine(tmp_path / "sealed", locked)
    engine.catch_up()
    assert NEEDLE in engine.database.value("SELECT arguments FROM calls")
    engine.close()


def test_the_command_line_says_it_in_one_line(tmp_path: Path, locked: Settings) -> None:
    seal_of(tmp_path, locked.keep)
    answer = CliRunner().invoke(app, ["verify", "-w", str(tmp_path)])
    assert isinstance(answer.exception, SettingsError) and "keep.key_file" in str(answer.exception)
