"""Who gets in, from which page and by which name; and the headers of every answer."""

import time
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from dashboards.access import COOKIE_SECONDS, Gate, said_name
from dashboards.app import create_app
from tests.dashboards.conftest import ADDRESS, TOKEN
from tests.dashboards.small import SmallWorkspace

PROTECTED = ["/", "/alerts", "/alerts/x", "/sessions", "/sessions/x", "/servers", "/servers/x", "/detectors", "/health", "/api", "/nothing"]


def csrf(client: TestClient, page: str = "/alerts") -> str:
    return client.get(page).text.split('name="csrf" value="')[1].split('"')[0]


@pytest.mark.parametrize("path", PROTECTED)
def test_pages_lead_to_the_login(stranger: TestClient, path: str) -> None:
    response = stranger.get(path)
    assert response.status_code == 303
    assert parse_qs(urlsplit(response.headers["location"]).query)["next"] == [path]


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Bearer", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \xe9"])
def test_the_api_asks_for_the_token(stranger: TestClient, header: str | None) -> None:
    sent = {} if header is None else {"authorization": header.encode("latin-1")}
    response = stranger.get("/api/v1/alerts", headers=sent)  # type: ignore[arg-type]  # bytes are what comes over the wire
    assert response.status_code == 401 and response.json()["error"]["code"] == "no_access"
    assert response.headers["www-authenticate"] == "Bearer"


def test_the_token_in_the_address_becomes_a_cookie(stranger: TestClient) -> None:
    response = stranger.get(f"/alerts?token={TOKEN}&status=new")
    assert response.headers["location"] == "/alerts?status=new"
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and TOKEN not in cookie
    assert stranger.get("/alerts").status_code == 200


def test_a_wrong_token_in_the_address(stranger: TestClient) -> None:
    assert stranger.get("/?token=wrong").headers["location"].startswith("/login")
    assert "set-cookie" not in stranger.get("/?token=wrong").headers


@pytest.mark.parametrize("elsewhere", ["//evil.example/x", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/\t/evil.example"])
def test_the_login_leads_nowhere_else(stranger: TestClient, elsewhere: str) -> None:
    response = stranger.post("/login", data={"token": TOKEN, "next": elsewhere, "name": "Kim"})
    assert response.status_code == 303 and response.headers["location"] == "/"


def test_a_path_that_looks_like_a_host_stays_here(stranger: TestClient) -> None:
    assert urlsplit(stranger.get(f"//evil.example/?token={TOKEN}").headers["location"]).netloc == ""


def test_login_and_logout(stranger: TestClient) -> None:
    assert stranger.post("/login", data={"token": "wrong"}).status_code == 401
    assert stranger.post("/login", data={"token": TOKEN, "name": "Kim <b>"}).status_code == 303
    assert "Kim &lt;b&gt;" in stranger.get("/alerts").text
    assert stranger.post("/logout", data={"csrf": csrf(stranger)}).status_code == 303
    assert stranger.get("/alerts").status_code == 303


def test_cookies_age_and_cannot_be_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate.of(TOKEN, "127.0.0.1", (), None)
    cookie = gate.pass_cookie()
    assert gate.takes_cookie(cookie) and Gate.of(TOKEN, "h", (), None).takes_cookie(cookie)
    assert not Gate.of("another", "127.0.0.1", (), None).takes_cookie(cookie)
    issued, _, signature = cookie.partition(".")
    assert not gate.takes_cookie(f"{int(issued) + 9}.{signature}") and not gate.takes_cookie(None) and not gate.takes_cookie("é.é")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + COOKIE_SECONDS + 2)
    assert not gate.takes_cookie(cookie)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "", "localhost@evil.example"])
def test_unknown_hosts_are_refused(browser: TestClient, host: str) -> None:
    assert browser.get("/alerts", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:8765", "LOCALHOST", "soc.example.com", "hound.example.com:443", "10.0.0.5"])
def test_known_hosts(workspace: SmallWorkspace, host: str) -> None:
    app = create_app(workspace, None, host="10.0.0.5", names=["hound.example.com"], address="https://soc.example.com/x")
    with TestClient(app, base_url=ADDRESS) as client:
        assert client.get("/alerts", headers={"host": host}).status_code == 200


def test_liveness_is_open(stranger: TestClient) -> None:
    assert stranger.get("/livez", headers={"host": "10.9.8.7"}).json() == {"alive": True}


@pytest.mark.parametrize("foreign", [
    {"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}, {"origin": "http://127.0.0.1:1"},
])
def test_forms_from_elsewhere_are_refused(browser: TestClient, workspace: SmallWorkspace, foreign: dict[str, str]) -> None:
    alert = workspace.alerts().rows[0]["alert_id"]
    form = {"csrf": csrf(browser), "action": "assign"}
    assert browser.post(f"/alerts/{alert}", data=form, headers=foreign).status_code == 403
    assert browser.post(f"/alerts/{alert}", data=form, headers={"origin": ADDRESS, "sec-fetch-site": "same-origin"}).status_code == 303


def test_forms_without_their_token_are_refused(browser: TestClient, workspace: SmallWorkspace) -> None:
    alert = workspace.alerts().rows[0]["alert_id"]
    for form in ({"action": "assign"}, {"action": "assign", "csrf": "made up"}):
        assert browser.post(f"/alerts/{alert}", data=form).status_code == 403
    assert browser.patch(f"/api/v1/alerts/{alert}", json={"assignee": "kim"}).status_code == 403
    assert browser.patch(f"/api/v1/alerts/{alert}", json={"assignee": "kim"}, headers={"x-csrf-token": csrf(browser)}).status_code == 200
    assert workspace.alert(alert)["alert"]["assignee"] == "kim"


def test_without_a_token_forms_are_checked_all_the_same(workspace: SmallWorkspace) -> None:
    with TestClient(create_app(workspace), base_url=ADDRESS, follow_redirects=False) as client:
        alert = workspace.alerts().rows[0]["alert_id"]
        assert client.post(f"/alerts/{alert}", data={"action": "assign"}).status_code == 403
        assert client.post(f"/alerts/{alert}", data={"action": "assign", "csrf": csrf(client)}).status_code == 303


def test_a_link_from_a_chat_asks_once_more_from_here(stranger: TestClient) -> None:
    response = stranger.get("/alerts/x", headers={"sec-fetch-site": "cross-site"})
    assert response.status_code == 200 and 'http-equiv="refresh"' in response.text


@pytest.mark.parametrize("path", [*PROTECTED, "/livez", "/login", "/static/style.css", "/static/plotly.min.js", "/api/v1/alerts", "/api/v1/nothing"])
def test_every_answer_carries_the_headers(browser: TestClient, path: str) -> None:
    headers = browser.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "same-origin"
    assert ("immutable" in headers["cache-control"]) == path.startswith("/static")


def test_names_are_short_and_printable() -> None:
    assert said_name("Kim%0d%0aSet-Cookie") == "KimSet-Cookie" and said_name("") == "analyst" and len(said_name("x" * 500)) == 60
