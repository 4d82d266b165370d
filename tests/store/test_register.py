"""Grants and the registry: who may call what, and which servers are approved."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store import register
from store.errors import NotFoundError, SourceError
from toolhound import Workspace

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


def test_a_grant_is_listed_and_can_be_taken_back_once(workspace: Workspace) -> None:
    with workspace:
        made = workspace.grant(actor="kim", agent="release-bot", server="github", comment="release 4.2")
        assert [row["grant_id"] for row in workspace.grants()] == [made["grant_id"]]
        first = workspace.revoke(made["grant_id"], actor="pat")
        again = workspace.revoke(made["grant_id"], actor="eve")
        assert (first["revoked_by"], again["revoked_by"]) == ("pat", "pat")
        assert len(workspace.grants()) == 1


def test_an_entry_is_replaced_and_every_state_is_kept_in_the_lake(workspace: Workspace) -> None:
    with workspace:
        workspace.enter("github", state="approved", actor="kim", version="1.0.0")
        workspace.enter("github", state="retired", actor="pat")
        assert [(row["state"], row["changed_by"]) for row in workspace.registry()] == [("retired", "pat")]
    assert len(list((workspace.folder / "lake" / "registry").rglob("*.parquet"))) == 2


def test_what_was_laid_down_outlives_the_process(workspace: Workspace) -> None:
    with workspace:
        made = workspace.grant(actor="kim", principal="*@example.com")
    with Workspace(workspace.folder) as opened:
        assert [row["grant_id"] for row in opened.grants()] == [made["grant_id"]]


@pytest.mark.parametrize("said", [{}, {"server": "github"}, {"agent": ""}, {"agent": "x" * 301}, {"agent": "a", "until": NOW - timedelta(days=1)}])
def test_a_grant_that_says_too_little_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(SourceError):
        register.granted(actor="kim", now=NOW, **said)  # type: ignore[arg-type]  # wrong on purpose


def test_an_unknown_grant_and_an_unknown_state_are_told(workspace: Workspace) -> None:
    with workspace:
        with pytest.raises(NotFoundError):
            workspace.revoke("nobody", actor="kim")
        with pytest.raises(SourceError):
            workspace.enter("github", state="liked", actor="kim")
