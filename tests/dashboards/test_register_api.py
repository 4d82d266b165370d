"""Grants and the registry over HTTP, as an analyst's program sees them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from dashboards.app import create_app
from tests.dashboards.conftest import ADDRESS, TOKEN
from toolhound import Workspace


@pytest.fixture
def program(tmp_path: Path) -> Iterator[TestClient]:
    with Workspace(tmp_path / "workspace") as workspace, TestClient(create_app(workspace, TOKEN), base_url=ADDRESS) as client:
        client.headers["authorization"] = f"Bearer {TOKEN}"
        yield client


def test_a_grant_is_given_listed_and_taken_back(program: TestClient) -> None:
    made = program.post("/api/v1/grants", json={"agent": "release-bot", "server": "git*", "until": "2100-01-01T00:00:00Z", "actor": "kim"}).json()
    assert made["granted_by"] == "kim"
    taken = program.post(f"/api/v1/grants/{made['grant_id']}/revocation", json={"actor": "pat"}).json()
    assert taken["revoked_by"] == "pat"
    assert [row["revoked_by"] for row in program.get("/api/v1/grants").json()["rows"]] == ["pat"]


def test_what_cannot_be_is_refused_with_a_reason(program: TestClient) -> None:
    assert program.post("/api/v1/grants", json={"server": "github"}).status_code == 400
    assert program.post("/api/v1/grants", json={"agent": "a", "until": "2100-01-01T00:00:00"}).status_code == 422
    assert program.post("/api/v1/grants/nobody/revocation", json={}).status_code == 404
    assert program.post("/api/v1/registry", json={"server": "github", "state": "liked"}).status_code == 422


def test_a_server_is_approved_and_retired(program: TestClient) -> None:
    for state in ("approved", "retired"):
        assert program.post("/api/v1/registry", json={"server": "github", "state": state}).json()["state"] == state
    assert [row["state"] for row in program.get("/api/v1/registry").json()["rows"]] == ["retired"]


def test_nothing_is_shown_to_strangers(program: TestClient) -> None:
    del program.headers["authorization"]
    assert {program.get(f"/api/v1/{what}").status_code for what in ("grants", "registry")} == {401}
