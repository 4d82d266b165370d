"""What the documentation says is so: pages follow the code, links lead somewhere, commands and examples work."""

import importlib.util
import json
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pytest
import typer.main
from standardwebhooks import Webhook, WebhookVerificationError

from detectors.contract import Scenario
from detectors.registry import FAMILIES, Registered, detectors, registered
from docs import generate
from ingest.json_traces.lines import read_body
from toolhound import cli
from toolhound.detection import look_at_touched
from toolhound.proof import database_of
from toolhound.scanning import scan
from toolhound.settings import FILE_NAME, read_settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(p for p in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")))
README = (ROOT / "README.md").read_text()
VERBS: Any = typer.main.get_command(cli.app)
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
HALF_A_PAGE = 35
SCREENSHOT_BYTES = 300_000


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return [block.partition("\n")[2] for block in text.split("```")[1::2] if block.partition("\n")[0].strip() == language]


def commands() -> list[list[str]]:
    """Every command line of the README, comments and exports left out."""
    lines = "".join(blocks(README, "sh")).replace("|\n", "\n").splitlines()
    kept = [line for line in lines if line.strip().startswith((".venv/", "make "))]
    return [shlex.split(line, comments=True) for line in kept]


def links(page: Path) -> list[str]:
    outside_code = "".join(page.read_text().split("```")[::2])
    return [part.partition(")")[0] for part in outside_code.split("](")[1:]]


def anchors(page: Path) -> set[str]:
    headings = [line.lstrip("#").strip() for line in page.read_text().splitlines() if line.startswith("#")]
    return {"".join(c for c in h.lower().replace(" ", "-") if c.isalnum() or c in "-_") for h in headings}


def test_generated_pages_follow_the_code() -> None:
    assert generate.drift(ROOT) == [], f"cure: {generate.CURE}"


def test_a_page_that_drifts_is_named_with_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = generate.pages()
    assert generate.write(tmp_path) == len(made)
    assert generate.write(tmp_path) == 0
    (tmp_path / "docs" / "tables.md").write_text("something else")
    (tmp_path / "docs" / "settings.md").unlink()
    (tmp_path / "docs" / "detectors" / "gone.md").write_text("a detector that was removed")
    monkeypatch.setattr(generate, "drift", lambda _, told=generate.drift: told(tmp_path))
    monkeypatch.setattr(sys, "argv", ["generate", "--check"])
    assert generate.main() == 1
    complaint = capsys.readouterr().err
    assert all(name in complaint for name in ("docs/tables.md", "docs/settings.md", "docs/detectors/gone.md", generate.CURE))
    assert generate.write(tmp_path) == 3
    assert generate.main() == 0


def test_every_detector_has_a_page_that_the_table_links() -> None:
    table = (ROOT / "docs" / "detectors" / "README.md").read_text()
    ours = [name for name, one in detectors().items() if one.family in FAMILIES]
    assert [name for name in ours if not (ROOT / "docs" / "detectors" / f"{name}.md").exists() or f"({name}.md)" not in table] == []


def test_technique_lists_are_whole_and_ids_say_their_year() -> None:
    taxonomies = json.loads((ROOT / "detectors" / "techniques.json").read_text())
    for key in ("owasp-mcp:2025", "owasp-asi:2026", "owasp-llm:2026"):
        assert len(taxonomies[key]["titles"]) == 10
    assert [id_ for key, one in taxonomies.items() for id_ in one["titles"] if not id_.startswith(f"{key}:")] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    broken = []
    for link in links(page):
        parts = urlsplit(link)
        if parts.scheme:
            continue
        target = (page.parent / parts.path).resolve() if parts.path else page
        if not target.exists() or (parts.fragment and parts.fragment not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_commands_of_the_readme_exist(command: list[str]) -> None:
    if command[0] == "make":
        targets = {line.partition(":")[0] for line in (ROOT / "Makefile").read_text().splitlines() if ":" in line and line[:1].isalpha()}
        assert set(command[1:]) <= targets
        return
    if command[0] == ".venv/bin/python":
        assert command[1] == "-m"
        assert importlib.util.find_spec(command[2])
        return
    assert command[0] == ".venv/bin/toolhound"
    verb = VERBS.commands[command[1]]
    if hasattr(verb, "commands"):
        verb = verb.commands[command[2]]
    known = {option for param in verb.params for option in param.opts}
    assert {word for word in command[2:] if word.startswith("-") and word != "-"} <= known
    assert [word for word in command[2:] if word.startswith("sample_data/") and not (ROOT / word).exists()] == []


def test_every_verb_is_in_the_readme() -> None:
    named = {command[1] for command in commands() if command[0] == ".venv/bin/toolhound"}
    assert named | {"serve"} == set(VERBS.commands)


def module_of(tmp_path: Path, name: str, source: str) -> ModuleType:
    path = tmp_path / f"{name}.py"
    path.write_text(source)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def told(one: Registered, records: Scenario) -> int:
    looked = look_at_touched(database_of(records), [one])
    assert not looked.failures
    return len(looked.findings)


@pytest.mark.parametrize(("page", "name"), [("README.md", "whole_table_read"), ("docs/writing-detectors.md", "export_in_new_format")])
def test_the_detector_of_a_page_works(tmp_path: Path, page: str, name: str) -> None:
    source = next(block for block in blocks((ROOT / page).read_text(), "python") if "DETECTOR = " in block)
    one = registered(module_of(tmp_path, name, source), "rules")
    assert all(told(one, records) for records in one.detector.fires_on.values())
    assert not any(told(one, records) for records in one.detector.quiet_on.values())
    assert set(one.detector.techniques) <= generate.technique_titles().keys()


def test_the_webhook_receiver_of_the_readme_works(tmp_path: Path) -> None:
    source = next(block for block in blocks(README, "python") if "standardwebhooks" in block)
    receiver = module_of(tmp_path, "receiver", source)
    secret, now = "whsec_" + "QUJD" * 8, datetime.now(UTC)
    body = json.dumps({"type": "alert.created", "data": {"alert_id": "a1", "version": 1}})
    headers = {"webhook-id": "m1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": Webhook(secret).sign("m1", now, body)}
    assert receiver.received(secret, body.encode(), headers)["alert_id"] == "a1"
    with pytest.raises(WebhookVerificationError):
        receiver.received(secret, body.replace("a1", "a2").encode(), headers)


def test_the_line_of_the_readme_raises_a_finding() -> None:
    curl = next(block for block in blocks(README, "sh") if block.startswith("curl"))
    records = read_body(shlex.split(curl)[-1].encode()).records
    assert len(records.calls) == 1
    assert told(detectors()["path_traversal_in_arguments"], [*records.calls, *records.messages]) == 1


def test_the_definition_of_the_readme_steers(tmp_path: Path) -> None:
    line = next(line for line in README.splitlines() if line.startswith("echo "))
    (tmp_path / "tools.json").write_text(shlex.split(line.removesuffix("|"))[1])
    rated, refused = scan([str(tmp_path / "tools.json")])
    assert not refused
    assert rated[0]["severity"] >= 3


@pytest.mark.parametrize("page", ["README.md", "docs/settings.md"])
def test_examples_of_settings_are_settings(page: str, tmp_path: Path) -> None:
    for block in blocks((ROOT / page).read_text(), "toml"):
        (tmp_path / FILE_NAME).write_text(block)
        assert read_settings(tmp_path / FILE_NAME).webhooks[0].name == "soc"


@pytest.mark.parametrize("page", DECISIONS, ids=lambda p: p.stem)
def test_decisions_are_listed_and_short(page: Path) -> None:
    assert f"({page.name})" in (page.parent / "README.md").read_text()
    assert len(page.read_text().splitlines()) <= HALF_A_PAGE
    assert "**Given up:**" in page.read_text()


def test_screenshots_are_small() -> None:
    assert [p.name for p in (ROOT / "docs" / "screenshots").glob("*.png") if p.stat().st_size > SCREENSHOT_BYTES] == []


def test_no_page_names_a_registry_or_a_machine() -> None:
    registries = ["py" + "pi.org", "files.python" + "hosted", "registry." + "npmjs", "proxy." + "golang"]
    machine = ["/wo" + "rk/", "/ro" + "ot/", "/tm" + "p/", "/ho" + "me/"]
    written = [*PAGES, *(ROOT / "notebooks").glob("*.ipynb"), ROOT / "Makefile", ROOT / "pyproject.toml", *ROOT.glob("requirements*.lock")]
    found = [(str(p.relative_to(ROOT)), word) for p in written for word in (*registries, *machine) if word in p.read_text()]
    assert found == []
