"""A running session in Chromium, and behind nginx as docs/browser.md has it."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.cli.browsers import CHROMIUM, SHOWN, Chromium, Served, served, session
from tests.cli.shell import wait_for
from tests.cli.test_attending import Session
from tests.servers import Nginx

__all__ = ["served", "session"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium: tests/install-servers.sh installs it")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


def test_a_browser_shows_the_session_and_its_keys_only_move_around(
    browser: Browser, session: Session, served: Served
) -> None:
    before = len(session.events("ScreenAttached"))
    with Chromium(browser, served.address) as tab:
        tab.shows(*SHOWN)
        assert "token" not in tab.page.url
        assert tab.page.title() == f"{session.name} · Cockpit"
        assert {urlsplit(url).netloc for url in tab.asked} == {urlsplit(served.address).netloc}
        assert {url.rpartition("/")[2].partition("?")[0] for url in tab.asked[1:]} - {""} <= {
            "xterm.css", "page.css", "page.js", "textual.js", "upright.ttf", "italic.ttf", "ws",
        }  # fmt: skip
        tab.press("p", "R", "A", "s", "u", "Enter")
        tab.press("?")
        tab.shows("finds one by words", "Undoing and stopping")
        tab.press("Escape")  # what comes at once behind it would make one key of both
        tab.waits(lambda: "finds one by words" not in tab.screen.text(), "the end of the help")
        tab.press("5", "z")
        tab.shows("started the release although it was not ready")
        tab.resize(700, 420)
        tab.shows("1 rollout", "2 limits", "7 output")
        assert tab.complaints == []
    (seat,) = session.events("ScreenAttached")[before:]
    assert (seat.person, seat.kind, seat.may_act) == ("dana", "screen", False)
    wait_for(lambda: session.events("ScreenDetached")[-1:] != [], "the tab's end")
    assert not session.events("RolloutPaused")


def test_each_tab_is_a_screen_and_ends_with_it(browser: Browser, session: Session, served: Served) -> None:
    with Chromium(browser, served.address) as first, Chromium(browser, served.address) as second:
        first.shows(*SHOWN)
        second.shows(*SHOWN)
        assert len(served.screens) == 2
        min(served.screens, key=lambda screen: screen.create_time()).terminate()
        first.page.wait_for_selector("#closed:visible")
        first.shows("it goes on: Sam Okoro signs", f"session {session.name}")
        wait_for(lambda: len(served.screens) == 1)
        second.press("w")
        second.shows("What cost time, and what wasn't as agreed")
    wait_for(lambda: served.screens == [], "the end of the tabs' processes")


def test_a_connection_over_which_nothing_comes_says_so(
    browser: Browser, session: Session, served: Served
) -> None:
    with Chromium(browser, served.address) as tab:
        tab.shows(*SHOWN)
        served.process.send_signal(signal.SIGSTOP)
        try:
            tab.page.clock.fast_forward(30_000)
            tab.page.wait_for_selector("#silent:visible")
        finally:
            served.process.send_signal(signal.SIGCONT)
        tab.page.clock.fast_forward(6_000)
        tab.page.wait_for_selector("#silent", state="hidden")


PAGE = Path(__file__).parents[2] / "docs" / "browser.md"
CONFIGURATIONS = re.findall(r"^```nginx\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def configured(text: str, path: Path, port: int, served: Served | None = None) -> str:
    """A configuration of the page with this machine's files and ports in it, and nothing else changed."""
    own = {"/etc/nginx/": f"{path}/", "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;"}
    if served is not None:
        own["127.0.0.1:8642"] = served.origin.removeprefix("http://")
    for there, here in own.items():
        assert there in text
        text = text.replace(there, here)
    return text


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a certificate for the page's name, and a password file for ruth."""
    path = tmp_path_factory.mktemp("certified")
    key, pem = path / "cockpit.key", path / "cockpit.pem"
    made = f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {key} -out {pem} -days 2"
    subprocess.run([*made.split(), "-subj", "/CN=cockpit.example.org"], check=True, capture_output=True)
    said = subprocess.run(
        ["openssl", "passwd", "-apr1", "secret"], check=True, capture_output=True, text=True
    )
    (path / "cockpit.users").write_text(f"ruth:{said.stdout}")
    return path


def test_behind_nginx_with_a_password_as_the_page_has_it(
    browser: Browser, session: Session, served: Served, certified: Path, tmp_path: Path
) -> None:
    nginx = Nginx(tmp_path / "nginx")
    nginx.start(configured(CONFIGURATIONS[0], certified, nginx.port, served))
    try:
        front = f"https://localhost:{nginx.port}"
        address = served.address.replace(served.origin, front)
        stranger = browser.new_context(ignore_https_errors=True)
        refused = stranger.request.get(address)
        assert refused.status == 401
        stranger.close()
        ruth: dict[str, Any] = {
            "ignore_https_errors": True,
            "http_credentials": {"username": "ruth", "password": "secret"},
        }
        with Chromium(browser, address, **ruth) as tab:
            tab.shows(*SHOWN)
            (cookie,) = tab.page.context.cookies()
            assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Strict")
            assert {urlsplit(url).netloc for url in tab.asked} == {urlsplit(front).netloc}
            assert [url.partition(":")[0] for url in tab.asked if "/ws?" in url] == ["wss"]
            tab.press("6")
            tab.shows("decision owner")
        without = browser.new_context(**ruth)
        assert without.request.get(f"{front}/").status == 403
        without.close()
    finally:
        nginx.stop()


def test_nginx_takes_the_configuration_with_a_companys_sign_in(certified: Path, tmp_path: Path) -> None:
    nginx = Nginx(tmp_path / "nginx")
    nginx.start(configured(CONFIGURATIONS[1], certified, nginx.port))
    nginx.stop()
