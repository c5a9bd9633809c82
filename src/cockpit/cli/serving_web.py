"""The HTTP server of `attach --serve`: who is let in, the page with its parts, and a socket for each tab.

Of textual-serve only the page's terminal is taken. Its own server has no door, lists its files, hands out downloads and
asks elsewhere for a font.
"""

from __future__ import annotations

import asyncio
import hmac
import html
import json
import logging
import os
import secrets
import socket
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestHandler

from cockpit.cli.serving_tabs import DRAWN, TOLD, Tab
from cockpit.core.errors import UsageError
from cockpit.runtime.acts import Allowance

HOST = "127.0.0.1"
NAMES = (HOST, "localhost")
"""What this machine may be called by: a page of elsewhere can have its own name lead here, but not these."""

TABS_MOST = 8
"""Each tab is a process and a seat at the session, which has 64."""

COMING_BURST, COMING_PER_S = 16, 0.5
"""How many tabs may be opened at once, and a second in the long run: fewer than the session lets one account come
(`runtime.server`), whose other screens and acts from a shell share that with the tabs."""

STRANGERS_MOST, STRANGER_S, FREE_S = 64, 10.0, 0.2
"""Connections of those who showed nothing yet that lets in, and for how long: an account of this machine could else
hold so many that nobody gets in. Behind these, how long a free descriptor is waited for."""

COLUMNS_MOST, ROWS_MOST = 500, 250
SAID_MOST = 1 << 18
"""Bytes of what a browser says at once; a paste is one."""

BEAT_S, READS_S, GOODBYE_S, ENDS_WITHIN_S = 15.0, 30.0, 2.0, 8.0
"""How often a browser is asked whether it is there, how long it may take to read what is drawn, how long its goodbye is
waited for, and how long all of them."""

PARTS = {
    "page.css": ("cockpit.cli", "serving_page.css", "text/css"),
    "page.js": ("cockpit.cli", "serving_page.js", "text/javascript"),
    "xterm.css": ("textual_serve", "static/css/xterm.css", "text/css"),
    "textual.js": ("textual_serve", "static/js/textual.js", "text/javascript"),
    "upright.ttf": ("textual_serve", "static/fonts/RobotoMono-VariableFont_wght.ttf", "font/ttf"),
    "italic.ttf": ("textual_serve", "static/fonts/RobotoMono-Italic-VariableFont_wght.ttf", "font/ttf"),
}
"""Every file that a browser gets beside the page: its package, its place there, and its kind."""

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "font-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Server": "cockpit",
}
"""With every answer to what can be read. The terminal makes style sheets of its own, so those may stand in the page."""

ASK = "Open the whole address that `cockpit attach --serve` printed: it holds what lets you in."
CLEAR = "\x1bc\x1b[?25l"
"""A terminal as new, without a cursor."""


class Site:
    """One session for browsers. `open_tab` starts the process of a tab of so many columns and rows."""

    def __init__(self, name: str, open_tab: Callable[[int, int], Awaitable[Tab]]) -> None:
        self._name = name
        self._open_tab = open_tab
        self._token = secrets.token_urlsafe(32)
        # A browser sends a cookie to every port of its host: nobody else's server knows this path.
        self._place = f"/{secrets.token_hex(8)}/"
        # Nor this name: under a known one it could have the browser keep another cookie, which would come instead.
        self._cookie = f"cockpit-{secrets.token_hex(8)}"
        self._tabs: set[web.WebSocketResponse] = set()
        self._coming = Allowance(COMING_BURST, COMING_PER_S, time.monotonic())
        self._strangers: dict[RequestHandler, None] = {}

    @asynccontextmanager
    async def at(self, port: int) -> AsyncGenerator[str]:
        """Serve at this port, 0 for any, for the time of the block; gives the address that lets in.

        UsageError where the port can't be had. At the end every tab is closed, and its process has ended.
        """
        app = web.Application(middlewares=[self._guard], client_max_size=1024)
        get = {"/": self._door, self._place: self._page, f"{self._place}ws": self._watch}
        app.add_routes([web.get(path, answer) for path, answer in get.items()])
        app.add_routes([web.get(self._place + "{part}", self._part)])
        app.on_response_prepare.append(_with_headers)
        app.on_shutdown.append(self._end)
        runner = web.AppRunner(app, access_log=None, logger=_log(), shutdown_timeout=ENDS_WITHIN_S)
        await runner.setup()
        assert runner.server is not None
        try:
            try:
                listening = socket.create_server((HOST, port), backlog=128)
            except OSError as fault:
                why = os.strerror(fault.errno or 0)
                raise UsageError(
                    f"nothing can be served at port {port} of {HOST} ({why}). Say another with --serve PORT: 0 takes "
                    "any that is free."
                ) from fault
            with listening:
                listening.setblocking(False)
                coming = asyncio.create_task(self._let_come(listening, runner.server))
                try:
                    yield f"http://{HOST}:{listening.getsockname()[1]}/?token={self._token}"
                finally:
                    coming.cancel()
        finally:
            await runner.cleanup()

    # The door

    async def _let_come(self, listening: socket.socket, connection: Callable[[], RequestHandler]) -> None:
        """Take whoever connects. Soon they show what lets in; of too many who didn't, the one who came first goes."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                came, _ = await loop.sock_accept(listening)
            except OSError:  # no descriptor is free, say: some will be
                await asyncio.sleep(FREE_S)
                continue
            _, stranger = await loop.connect_accepted_socket(connection, came)
            self._strangers[stranger] = None
            loop.call_later(STRANGER_S, self._turn_away, stranger)
            if len(self._strangers) > STRANGERS_MOST:
                self._turn_away(next(iter(self._strangers)))

    def _turn_away(self, stranger: RequestHandler) -> None:
        if stranger in self._strangers:
            del self._strangers[stranger]
            if stranger.transport is not None:
                stranger.transport.abort()

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Nothing is answered, not even that there is nothing, before it is clear who asks."""
        host = request.headers.get("Host", "")
        if host.partition(":")[0] not in NAMES:
            return _refusal(f"Here is only {' and '.join(NAMES)}.")
        is_door = request.path == "/"
        given = request.query.get("token", "") if is_door else request.cookies.get(self._cookie, "")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), self._token.encode()):
            return _refusal(ASK)
        self._strangers.pop(request.protocol, None)
        return await handler(request)

    async def _door(self, request: web.Request) -> web.Response:
        """The token becomes a cookie, and goes out of the address. The page itself leads on: coming from another
        site's link, the browser would follow a redirect without the cookie."""
        on = (
            f'<!DOCTYPE html><title>Cockpit</title><meta http-equiv="refresh" content="0; url={self._place}">'
        )
        response = web.Response(text=on, content_type="text/html")
        is_https = _origin(request).startswith("https:")
        response.set_cookie(
            self._cookie, self._token, path=self._place, httponly=True, samesite="Strict", secure=is_https
        )
        return response

    async def _page(self, request: web.Request) -> web.Response:
        page = files("cockpit.cli").joinpath("serving_page.html").read_text("utf-8")
        title = html.escape(f"{self._name} · Cockpit")
        return web.Response(text=page.replace("@TITLE@", title), content_type="text/html")

    async def _part(self, request: web.Request) -> web.Response:
        if (part := PARTS.get(request.match_info["part"])) is None:
            raise web.HTTPNotFound
        package, place, kind = part
        body = files(package).joinpath(place).read_bytes()
        return web.Response(body=body, content_type=kind, headers={"Cache-Control": "private, max-age=86400"})

    # The tabs

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        """A tab, until it is closed or its screen is left."""
        if request.headers.get("Origin", "") != _origin(request):
            return _refusal("Another page asks for this. Open it in a tab of its own.")
        socket = web.WebSocketResponse(heartbeat=BEAT_S, timeout=GOODBYE_S, max_msg_size=SAID_MOST)
        await socket.prepare(request)
        last = "Tabs are opened faster than anybody could mean: wait a little, then open this one again."
        if len(self._tabs) >= TABS_MOST:
            last = f"{TABS_MOST} tabs are open already: close one, then open this one again."
        elif self._coming.take(time.monotonic()):
            self._tabs.add(socket)
            try:
                last = await self._shown(socket, request)
            finally:
                self._tabs.discard(socket)
        try:
            async with asyncio.timeout(GOODBYE_S):
                await socket.send_bytes((CLEAR + last.replace("\n", "\r\n")).encode())
                await socket.close()
        except (ConnectionError, TimeoutError):  # nobody reads, so a close would wait for that
            if request.transport is not None:
                request.transport.abort()
        return socket

    async def _shown(self, socket: web.WebSocketResponse, request: web.Request) -> str:
        """Show the session at this socket; returns the last words of the process that drew it."""
        try:
            tab = await self._open_tab(*_size(request.query))
        except OSError as fault:
            return f"No screen can be started beside the server ({fault.strerror})."
        work = {asyncio.create_task(_draw(tab, socket)), asyncio.create_task(_hear(socket, tab))}
        try:
            await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            last = await tab.end()
        return last

    async def _end(self, _: web.Application) -> None:
        closing = (socket.close(code=WSCloseCode.GOING_AWAY) for socket in list(self._tabs))
        await asyncio.gather(*closing, return_exceptions=True)


def _log() -> logging.Logger:
    """Where aiohttp tells what fails here: not what makes no sense, which anybody on this machine may send."""
    log = logging.getLogger("cockpit.browsers")
    log.addFilter(_is_ours)
    return log


def _is_ours(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


async def _with_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")


def _refusal(why: str) -> web.Response:
    return web.Response(status=403, text=f"{why}\n")


def _origin(request: web.Request) -> str:
    """Where the page that this comes from must be of: as the browser sees us, through a proxy as that one says.

    No page can set these headers, so another one's origin never equals what they say.
    """
    headers = request.headers
    host = headers.get("X-Forwarded-Host") or headers.get("Host", "")
    return f"{headers.get('X-Forwarded-Proto') or 'http'}://{host}"


def _size(said: Any) -> tuple[int, int]:
    """Columns and rows, of whatever a browser says about them."""

    def some(name: str, otherwise: int, most: int) -> int:
        try:
            return min(max(int(said[name]), 1), most)
        except (KeyError, TypeError, ValueError, OverflowError):
            return otherwise

    return some("width", 80, COLUMNS_MOST), some("height", 24, ROWS_MOST)


async def _draw(tab: Tab, socket: web.WebSocketResponse) -> None:
    """From the process to the browser: what it draws, and addresses to open. Files it offers don't get there."""
    async for kind, content in tab.packets():
        if kind == DRAWN:
            async with asyncio.timeout(READS_S):
                await socket.send_bytes(content)
        elif kind == TOLD:
            match json.loads(content):
                case {"type": "open_url", "url": str(url)} if url.startswith(("http://", "https://")):
                    await socket.send_json(["open_url", {"url": url, "new_tab": True}])
                case _:
                    pass


async def _hear(socket: web.WebSocketResponse, tab: Tab) -> None:
    """From the browser to the process: keys, clicks and sizes; whatever else it says ends the tab."""
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            return
        match json.loads(message.data):
            case ["stdin", str(typed)]:
                await tab.say(DRAWN, typed.encode("utf-8", "replace"))
            case ["resize", dict() as said]:
                width, height = _size(said)
                await tab.tell(type="resize", width=width, height=height)
            case ["focus" | "blur" as word]:
                await tab.tell(type=word)
            case ["ping", str(asked)]:
                await socket.send_json(["pong", asked[:20]])
            case _:
                return
