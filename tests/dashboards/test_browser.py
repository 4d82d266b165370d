"""A real browser over a real server: pages draw without a word in the console, keys triage, hostile text stays still."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Page, Request, sync_playwright

from dashboards.app import create_app
from dashboards.rendering import to
from tests.dashboards.small import EVIL_SERVER, EVIL_SESSION, SmallWorkspace, filled

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
]
TOKEN = "a-token-of-the-browser"
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not CHROMIUM.exists(), reason="needs chromium")]


@pytest.fixture
def workspace() -> SmallWorkspace:
    return filled(background=400)


@pytest.fixture
def address(workspace: SmallWorkspace) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(create_app(workspace, TOKEN), port=port, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def context(address: str) -> Iterator[BrowserContext]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser.new_context(viewport={"width": 1440, "height": 900}, base_url=address)
        browser.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page of somebody who is let in; any word in the console, any dialog, any refused resource fails the test."""
    made = context.new_page()
    complaints: list[str] = []

    def opened(dialog: Dialog) -> None:
        complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def failed(request: Request) -> None:
        if "ABORTED" not in str(request.failure):  # left behind by going on to the next page
            complaints.append(f"{request.url} {request.failure}")

    def spoke(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    made.on("console", spoke)
    made.on("pageerror", lambda error: complaints.append(str(error)))
    made.on("dialog", opened)
    made.on("requestfailed", failed)
    made.goto(f"/?token={TOKEN}")
    assert "token" not in made.url
    yield made
    assert complaints == []


def drawn(page: Page) -> int:
    """How many figures stand on the page, once all are drawn."""
    page.wait_for_function("document.querySelectorAll('[data-plot]:not([data-drawn])').length === 0")
    assert page.locator("[data-plot]").count() == page.locator("[data-plot] .main-svg:first-child").count()
    return page.locator("[data-plot]").count()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_drawn(page: Page, workspace: SmallWorkspace, tmp_path: Path, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    alerts = {f"alert{n}": f"/alerts/{row['alert_id']}" for n, row in enumerate(workspace.alerts().rows)}
    pages = {
        "overview": "/", "alerts": "/alerts", "sessions": "/sessions", "session": "/sessions/support-4711",
        "evil-session": to("/sessions", EVIL_SESSION), "loop": "/sessions/loop-1", "servers": "/servers", "server": "/servers/mail",
        "evil-server": to("/servers", EVIL_SERVER), "detectors": "/detectors", "detector": "/detectors/call_obeys_result",
        "health": "/health", "api": "/api", "login": "/login", **alerts,
    }
    figures = {}
    for name, path in pages.items():
        page.goto(path)
        figures[name] = drawn(page)
        page.screenshot(path=tmp_path / f"{name}-{scheme}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than the window"
    assert figures["overview"] == 2
    assert all(figures[name] == 1 for name in ("session", "evil-session", "loop", "server", "evil-server", "alert0", "alert2", "alert3"))


def test_a_point_of_the_timeline_leads_to_its_turn(page: Page) -> None:
    page.goto("/sessions/support-4711")
    drawn(page)
    place = page.locator("[data-plot] .scatterlayer .trace").last.locator(".point").first.bounding_box()
    assert place
    page.mouse.move(place["x"] + 5, place["y"] + 5)
    page.mouse.click(place["x"] + 5, place["y"] + 5)
    page.wait_for_url("**#turn-6")


def test_triage_by_keyboard(page: Page, workspace: SmallWorkspace) -> None:
    worst = workspace.alerts().rows[0]["alert_id"]
    page.goto("/alerts")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("x")
    assert page.locator("[data-count]").inner_text() == "1 ticked"
    page.keyboard.press("a")
    page.wait_for_url("**done=1")
    assert workspace.alert(worst)["alert"]["assignee"] == "analyst"
    assert page.locator("tr.at").get_attribute("id") == f"a-{worst}"  # still where we were
    page.keyboard.press("e")
    page.wait_for_function("document.querySelector('tr.at .state-in_progress')")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/alerts/{worst}")
    page.keyboard.press("n")
    page.keyboard.type("jjj is typed, not obeyed")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("blockquote")
    page.keyboard.press("c")
    page.keyboard.press("Space")
    page.locator("#close textarea").fill("The address is not ours.")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".state-closed")
    closed = workspace.alert(worst)
    assert (closed["alert"]["state"], closed["alert"]["verdict"]) == ("closed", "true_positive")
    assert [d["comment"] for d in closed["decisions"]] == ["", "", "jjj is typed, not obeyed", "The address is not ours."]


def test_keys_to_find_ones_way(page: Page) -> None:
    page.goto("/alerts")
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("circles")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=circles**")
    assert page.locator("tr[data-row]").count() == 1
    page.keyboard.press("g")
    page.keyboard.press("s")
    page.wait_for_url("**/sessions")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sessions/support-4711")


def test_several_at_once_by_mouse(page: Page, workspace: SmallWorkspace) -> None:
    page.goto("/alerts")
    page.locator("[data-all]").check()
    page.get_by_role("button", name="Close…").click()
    page.get_by_label("false positive").check()
    page.get_by_role("button", name="Close alert").click()
    page.wait_for_url("**done=4")
    assert workspace.alerts(states=["closed"]).total == 4


def test_a_link_from_another_site_opens(page: Page, workspace: SmallWorkspace, address: str) -> None:
    page.goto("data:text/html,<a href='" + address + "/alerts'>chat</a>")
    page.get_by_text("chat").click()
    page.wait_for_selector("h1:has-text('Alerts')")
