"""Settings: what is wrong is named with its file, and with what is allowed."""

import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from store.errors import SettingsError
from toolhound.cli import app
from toolhound.settings import Collect, Serve, Settings, read_settings
from toolhound.supervisor import Supervisor


@pytest.mark.parametrize(("text", "named"), [
    ("[colect]\nhttp_port = 1", ("colect is no setting", "known here are collect, keep, learn, detect, budgets, serve, webhooks")),
    ("[collect]\nhtpp_port = 1", ("collect.htpp_port is no setting", "http_port")),
    ("[keep]\npayload = 'full'", ("keep.payload is no setting", "payloads, truncate_bytes")),
    ("[collect]\nhttp_port = 99999", ("collect.http_port", "less than or equal to 65535")),
    ("[collect]\nhttp_port = 'many'", ("collect.http_port", "valid integer")),
    ("[keep]\npayloads = 'some'", ("keep.payloads", "'full', 'truncated', 'fingerprint_only' or 'none'")),
    ("[keep]\nsettle_seconds = 0", ("keep.settle_seconds", "greater than 0")),
    ("[[webhooks]]\nname = 'SOC desk'\nurl = 'https://example.com'", ("webhooks.0.name", "pattern")),
    ("[[webhooks]]\nname = 'soc'", ("webhooks.0.url", "required")),
    ("[[webhooks]]\nname = 'soc'\nurl = 'https://example.com'\nkey = 1", ("webhooks.0.key is no setting", "secret_file")),
    ("collect = 3", ("collect", "valid")),
    ("[collect\n", ("not TOML", "line 1")),
])
def test_what_is_wrong_is_named(tmp_path: Path, text: str, named: tuple[str, ...]) -> None:
    file = tmp_path / "toolhound.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as error:
        read_settings(file)
    assert str(error.value).startswith(str(file)) and all(part in str(error.value) for part in named), error.value


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match=r"binary\.toml: not TOML"):
        read_settings(tmp_path / "binary.toml")
    with pytest.raises(SettingsError, match="cannot be read"):
        read_settings(tmp_path)
    assert read_settings(tmp_path / "none.toml") == read_settings(None) == Settings()


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    ended = CliRunner().invoke(app, ["serve", "-w", str(tmp_path), "--config", str(tmp_path / "mine.toml")])
    assert isinstance(ended.exception, SettingsError) and "mine.toml" in str(ended.exception)


@pytest.mark.parametrize("setting", ["collect.grpc_port", "collect.http_port", "serve.port"])
def test_a_port_that_is_taken(tmp_path: Path, setting: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ports = {"collect.grpc_port": 0, "collect.http_port": 0, "serve.port": 0, setting: port}
        settings = Settings(
            collect=Collect(grpc_port=ports["collect.grpc_port"], http_port=ports["collect.http_port"]), serve=Serve(port=ports["serve.port"])
        )
        with pytest.raises(SettingsError) as error:
            Supervisor(tmp_path, settings)
    assert f"port {port} " in str(error.value) and setting in str(error.value)
