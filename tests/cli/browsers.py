"""`cockpit attach --serve` as tests use it: the server, a tab without a browser, and a tab of Chromium."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp
import psutil
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, WebSocket

from tests.cli.shell import DEADLINE_S
from tests.cli.test_attending import Session, running
from tests.faults.screen import Screen
from tests.remote.waiting import until
from tests.sshd import Sshd

SHOWN = ("Sam Okoro signs “Support is [briefed]”", "1 Rollout", "✔ web", "◌ watching")
"""What stands on the screen of a session that waits before its second stage (test_attending)."""

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@dataclass
class Served:
    """A server that runs: its process, and the address that it printed."""

    process: subprocess.Popen[str]
    address: str
    told: str

    @property
    def origin(self) -> str:
        """Its address without what lets in."""
        return f"http://{urlsplit(self.address).netloc}"

    @property
    def screens(self) -> list[psutil.Process]:
        """The processes that draw for its tabs."""
        try:
            return psutil.Process(self.process.pid).children()
        except psutil.NoSuchProcess:
            return []

    async def enter(self, client: aiohttp.ClientSession) -> str:
        """Come in as a browser does: the cookie is the client's then; gives the page's path."""
        async with client.get(self.address) as door:
            (path,) = re.findall(r"url=(/\w+/)", await door.text())
            return path

    @asynccontextmanager
    async def tab(self, rows: int = 40, cols: int = 120) -> AsyncIterator[Tab]:
        """A tab without a browser, for the time of the block."""
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
            address = f"{self.origin}{await self.enter(client)}ws?width={cols}&height={rows}"
            async with client.ws_connect(address, origin=self.origin) as socket:
                yield Tab(socket, Screen(rows, cols))


@dataclass
class Tab:
    """What a browser's terminal does, without one."""

    socket: aiohttp.ClientWebSocketResponse
    screen: Screen
    data: bytes = b""
    words: list[object] = field(default_factory=list)

    async def type(self, keys: str) -> None:
        """Press these keys."""
        await self.socket.send_str(json.dumps(["stdin", keys]))

    async def shows(self, *texts: str) -> None:
        """Wait until all of this can be read, each in one line."""
        end = time.monotonic() + DEADLINE_S
        while not all(text in self.screen.text() for text in texts):
            there = time.monotonic() < end and await self.read()
            assert there, f"{texts} never came; the screen shows:\n{self.screen.text()}"

    async def read(self) -> bool:
        """Take the next thing that the server says; False where it has closed, or says nothing for very long."""
        try:
            message = await self.socket.receive(DEADLINE_S)
        except TimeoutError:
            return False
        if message.type is aiohttp.WSMsgType.BINARY:
            self.data += message.data
            self.screen.feed(message.data.replace(b"\x1bc", b"\x1b[2J\x1b[H"))
        elif message.type is aiohttp.WSMsgType.TEXT:
            self.words.append(json.loads(message.data))
        return message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT)

    async def closes(self) -> str:
        """Wait until the server has closed it; what can be read then."""
        while await self.read():
            pass
        return self.screen.text()


@contextmanager
def serving(home: Mapping[str, str], *words: object, module: str = "cockpit", **env: str) -> Iterator[Served]:
    """`cockpit attach` with these words, which say --serve, for the time of the block."""
    argv = [sys.executable, "-m", module, "attach", *map(str, words)]
    process = subprocess.Popen(
        argv, env={**home, **env}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    screens: list[psutil.Process] = []
    try:
        assert process.stdout is not None
        told = [next(process.stdout) for _ in range(7)]
        served = Served(process, told[2].strip(), "".join(told))
        yield served
        screens = served.screens
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_S) in (0, -signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    assert [screen for screen in screens if screen.is_running()] == []


async def gone(process: psutil.Process) -> None:
    """Wait until a process has ended."""
    await until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, str(process))


class Chromium:
    """A tab of a real browser: what its terminal was sent, and all that the page asked for or complained of."""

    def __init__(
        self, browser: Browser, address: str, width: int = 1280, height: int = 800, **options: object
    ) -> None:
        self._context = browser.new_context(viewport={"width": width, "height": height}, **options)  # pyright: ignore[reportArgumentType]
        self.page: Page = self._context.new_page()
        self.page.clock.install()
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.screen = Screen(250, 500)
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("websocket", self._follow)
        self.page.on("console", self._complain)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(address)

    def __enter__(self) -> Chromium:
        return self

    def __exit__(self, *_: object) -> None:
        self._context.close()

    def _complain(self, message: ConsoleMessage) -> None:
        if message.type == "error":  # what a policy forbids is one; how long a ping took isn't
            self.complaints.append(message.text)

    def _follow(self, socket: WebSocket) -> None:
        self.asked.append(socket.url)
        socket.on("framereceived", self._draw)

    def _draw(self, frame: str | bytes) -> None:
        if isinstance(frame, bytes):
            self.screen.feed(frame.replace(b"\x1bc", b"\x1b[2J\x1b[H"))

    def press(self, *keys: str) -> None:
        """Press these keys, one by one."""
        self.page.bring_to_front()
        for key in keys:
            self.page.keyboard.press(key)

    def resize(self, width: int, height: int) -> None:
        """Drag the window to another size, in pixels; all is drawn anew."""
        self.screen.resize(250, 500)
        self.page.set_viewport_size({"width": width, "height": height})

    def shows(self, *texts: str) -> None:
        """Wait until all of this can be read, each in one line."""
        self.waits(lambda: all(text in self.screen.text() for text in texts), texts)

    def waits(self, met: Callable[[], bool], what: object) -> None:
        """Wait for the browser to come so far."""
        end = time.monotonic() + DEADLINE_S
        while not met():
            assert time.monotonic() < end, (
                f"{what} never came; {self.complaints}; shown:\n{self.screen.text()}"
            )
            self.page.wait_for_timeout(20)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, sshd_server: Sshd) -> Iterator[Session]:
    """One that waits before its second stage."""
    with running(tmp_path_factory.mktemp("served"), sshd_server) as session:
        yield session


@pytest.fixture(scope="module")
def served(session: Session) -> Iterator[Served]:
    """Its server."""
    with serving(session.home, session.name, "--as", "dana", "--serve", "0") as served:
        yield served
