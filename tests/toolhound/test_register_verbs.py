"""What the verbs of grants and of the registry print: names that others gave are shown, and never obeyed."""

import io
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from toolhound import cli, register_verbs

NAMES = (
    "[red]files[/red]",
    "[link=https://example.com]mail[/link]",
    "[/nothing]",
    "[bold]",
    "a\x1b[31mb\x07c\u202ed\x9b2J",
)
"""Markup that is whole, that opens a link, that closes or opens nothing; and what a terminal would obey."""
CONTROLS = {"\x1b", "\x07", "\u202e", "\x9b"}


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What goes to the terminal: one that takes colours, so that markup would show as escapes."""
    taken = io.StringIO()
    monkeypatch.setattr(register_verbs, "shown", Console(file=taken, force_terminal=True, no_color=False, width=300))
    return taken


def run(folder: Path, *words: str) -> None:
    done = CliRunner().invoke(cli.app, [*words, "--workspace", str(folder)], catch_exceptions=False)
    assert done.exit_code == 0


@pytest.mark.parametrize("name", NAMES)
def test_foreign_names_are_shown_literally(name: str, tmp_path: Path, printed: io.StringIO) -> None:
    shown = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in name)
    run(tmp_path, "registry", "retire", name)
    assert f"{shown} is retired" in _plain(printed)
    run(tmp_path, "grant", "add", "--agent", name, "--server", "tickets")
    for verb in ("registry", "grant"):
        printed.truncate(0)
        printed.seek(0)
        run(tmp_path, verb, "list")
        assert shown in _plain(printed)


def test_a_name_stays_on_its_line(tmp_path: Path, printed: io.StringIO) -> None:
    run(tmp_path, "registry", "retire", "mail\nfiles is approved")
    assert printed.getvalue().splitlines() == ["mail ⏎ files is approved is retired"]


def _plain(printed: io.StringIO) -> str:
    """What was printed, without the escapes of the table's own bold heads; nothing else may have got through."""
    text = printed.getvalue().replace("\x1b[1m", "").replace("\x1b[0m", "")
    assert not CONTROLS & set(text)
    return text
