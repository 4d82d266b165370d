"""The small workspace behind the application, with and without the token given."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from dashboards.app import create_app
from tests.dashboards.small import SmallWorkspace, filled

TOKEN = "a-token-of-the-tests"
ADDRESS = "http://127.0.0.1:8765"


@pytest.fixture
def workspace() -> SmallWorkspace:
    return filled(background=60)


@pytest.fixture
def stranger(workspace: SmallWorkspace) -> Iterator[TestClient]:
    """A browser or program that has shown nothing yet."""
    with TestClient(create_app(workspace, TOKEN), base_url=ADDRESS, follow_redirects=False) as client:
        yield client


@pytest.fixture
def api(stranger: TestClient) -> TestClient:
    """A program that holds the token."""
    stranger.headers["authorization"] = f"Bearer {TOKEN}"
    return stranger


@pytest.fixture
def browser(stranger: TestClient) -> TestClient:
    """A browser that has opened the printed address."""
    assert stranger.get(f"/?token={TOKEN}").status_code == 303
    stranger.headers["accept"] = "text/html"
    return stranger
