"""A running session in browsers: who is let in, what is shown, and that nothing can be done from there."""

from __future__ import annotations

import argparse
import asyncio
import re
import signal
import socket
import string
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import psutil
import pytest

from cockpit.cli import serving, serving_tabs, serving_web
from cockpit.cli.serving_tabs import opened
from cockpit.cli.serving_web import ASK, Site
from cockpit.core.errors import UsageError
from cockpit.runtime import server
from cockpit.store import log
from tests.cli.browsers import SHOWN, Served, Tab, gone, served, session
from tests.cli.browsers import serving as served_at
from tests.cli.shell import DEADLINE_S, cockpit
from tests.cli.test_attending import Session, running
from tests.faults.screen import Screen
from tests.remote.waiting import until
from tests.sshd import Sshd

__all__ = ["served", "session"]


async def test_who_is_let_in(session: Session, served: Served) -> None:
    port = urlsplit(served.address).port
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as stranger:
        for path, headers in (
            ("/", {}),
            ("/?token=", {}),
            ("/?token=" + "x" * 43, {}),
            ("/?token=%ff", {"Cookie": "cockpit=%ff"}),
            ("/static/js/textual.js", {}),
            ("/download/x", {}),
            ("/ws", {"Origin": served.origin}),
        ):
            async with stranger.get(served.origin + path, headers=headers) as answer:
                assert (answer.status, await answer.text()) == (403, ASK + "\n"), path
                assert answer.headers["Content-Security-Policy"].startswith(
                    "default-src 'none'; script-src 'self'"
                )
                assert "aiohttp" not in answer.headers["Server"]
        for host in (f"evil.example:{port}", f"127.0.0.1.evil.example:{port}", "", "[::1]"):
            async with stranger.get(served.address, headers={"Host": host}) as answer:
                assert (answer.status, await answer.text()) == (
                    403,
                    "Here is only 127.0.0.1 and localhost.\n",
                )
        async with stranger.get(
            served.address, headers={"Host": "localhost:9000"}
        ) as door:  # through `ssh -L`
            assert door.status == 200
            cookie = door.headers["Set-Cookie"]
        (place,) = re.findall(r"Path=(/\w+/)", cookie)
        assert re.fullmatch(
            rf"cockpit-[0-9a-f]{{16}}=[\w-]{{43}}; HttpOnly; Path={place}; SameSite=Strict", cookie
        )
        assert place.strip("/") not in (await (await stranger.get(served.origin)).text())
        # A page at another port can have the browser keep cookies for this host, but none of this name.
        own = {"Cookie": f"{cookie.partition(';')[0]}; cockpit=x; token=x"}
        for path, status in (
            (place, 200),
            (place + "textual.js", 200),
            (place + "x", 404),
            ("/x", 404),
            ("/", 403),
            (place + "../cli/serving.py", 404),
            (place + "%2e%2e%2fserving.py", 404),
        ):
            async with stranger.get(served.origin + path, headers=own) as answer:
                assert answer.status == status, path
            async with stranger.get(served.origin + path) as answer:
                assert answer.status == 403, path
            async with stranger.post(served.origin + path, headers=own) as answer:
                assert answer.status in (403, 404, 405), path
        for origin in (
            "https://evil.example",
            "null",
            f"http://localhost:{port}",
            f"https://127.0.0.1:{port}",
            "",
        ):
            with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                await stranger.ws_connect(f"{served.origin}{place}ws", headers={**own, "Origin": origin})
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await stranger.ws_connect(f"{served.origin}{place}ws", origin=served.origin)
    assert served.screens == []


async def test_behind_a_proxy_the_page_is_what_the_proxy_says(session: Session, served: Served) -> None:
    through = {"X-Forwarded-Host": "cockpit.example", "X-Forwarded-Proto": "https"}
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), headers=through) as client:
        async with client.get(served.address) as door:
            cookie = door.headers["Set-Cookie"]
        assert "; Secure" in cookie
        (place,) = re.findall(r"Path=(/\w+/)", cookie)
        own = {"Cookie": cookie.partition(";")[0]}
        for origin in ("http://cockpit.example", "https://evil.example", served.origin):
            with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                await client.ws_connect(f"{served.origin}{place}ws", headers=own, origin=origin)


async def test_no_key_and_no_word_of_a_browser_changes_anything(session: Session, served: Served) -> None:
    files = {path for path in session.path.rglob("*") if "__pycache__" not in path.parts}
    before = session.events("ScreenAttached")
    async with served.tab() as tab:
        await tab.shows(*SHOWN)
        for keys in (
            *string.printable.replace("q", ""),
            "\x1b",
            "\x1b[A",
            "\x1b[200~pasted\x07\x1b[201~",
            "\x00",
            "\ud800",
        ):
            await tab.type(keys)
            await tab.type("\x1b")
        await tab.type("5")
        await tab.shows("is here, only watching")
        await tab.socket.send_str('["resize", {"width": -1, "height": 1e999}]')
        await tab.socket.send_str('["resize", {"width": 100, "height": 30}]')
        await tab.shows("◌ watching")
        await tab.socket.send_str('["deliver_chunk_request", {"key": "x", "size": 1}]')
        await tab.closes()
    await until(lambda: served.screens == [], "the end of its process")
    seats = session.events("ScreenAttached")[len(before) :]
    assert [seat.may_act for seat in seats] == [False]
    kinds = {type(event).__name__ for _, event in log.read(session.log).events[-2 * len(seats) :]}
    assert kinds <= {"ScreenAttached", "ScreenDetached"}
    assert {path for path in session.path.rglob("*") if "__pycache__" not in path.parts} == files


async def test_copying_is_the_browsers_and_leaves_nothing_here(session: Session, served: Served) -> None:
    async with served.tab() as tab:
        await tab.shows(*SHOWN)
        await tab.type("y")
        await tab.shows("sent to the browser's clipboard")
        assert b"\x1b]52;c;" in tab.data
    assert not list(session.path.rglob("copied.txt"))


async def turned_away(reader: asyncio.StreamReader) -> None:
    """Wait until the server has hung up."""
    async with asyncio.timeout(DEADLINE_S):
        with suppress(ConnectionError):
            assert await reader.read() == b""


async def test_who_says_nothing_that_lets_in_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections of another account: only so many at once, each only for so long, and those let in stay."""
    monkeypatch.setattr(serving_web, "STRANGERS_MOST", 4)
    site = Site("any", partial(opened, [sys.executable, "-c", "input()"]))
    async with site.at(0) as address, aiohttp.ClientSession() as client:
        async with client.get(address) as door:
            assert door.status == 200
        at = urlsplit(address)
        strangers = [await asyncio.open_connection(at.hostname, at.port) for _ in range(10)]
        for reader, _ in strangers[:6]:
            await turned_away(reader)
        assert [reader.at_eof() for reader, _ in strangers[6:]] == [False] * 4
        monkeypatch.setattr(serving_web, "STRANGER_S", 0.0)
        slow, speaks = await asyncio.open_connection(at.hostname, at.port)
        speaks.write(b"GET / HTTP/1.1\r\nHost: 127.")
        await turned_away(slow)
        async with client.get(address) as door:
            assert door.status == 200
        for _, writer in [*strangers, (slow, speaks)]:
            writer.close()


async def test_what_makes_no_sense_is_not_told_to_the_servers_terminal(
    caplog: pytest.LogCaptureFixture,
) -> None:
    site = Site("any", partial(opened, [sys.executable, "-c", ""]))
    async with site.at(0) as address:
        at = urlsplit(address)
        reader, writer = await asyncio.open_connection(at.hostname, at.port)
        writer.write(f"GET /?{at.query}\xff HTTP/1.1\r\n\r\n".encode())
        assert (await reader.read()).startswith(b"HTTP/1.0 400 ")
        writer.close()
    assert caplog.text == ""


async def test_so_many_tabs_and_no_more(session: Session) -> None:
    few = "cli.serving_web:TABS_MOST:1"
    with served_at(
        session.home,
        session.name,
        "--as",
        "dana",
        "--serve",
        "0",
        module="tests.faults.cockpit",
        COCKPIT_PATIENCE=few,
    ) as served:
        async with served.tab() as one:
            await one.shows(*SHOWN)
            async with served.tab() as two:
                assert "1 tabs are open already: close one, then open this one again." in await two.closes()
            await one.type("7")
            await one.shows("7 Output")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
async def test_the_servers_end_is_every_tabs_end(session: Session, how: signal.Signals) -> None:
    with served_at(session.home, session.name, "--as", "dana", "--serve", "0") as served:
        async with served.tab() as tab:
            await tab.shows(*SHOWN)
            (screen,) = served.screens
            left = len(session.events("ScreenDetached"))
            served.process.send_signal(how)
            await gone(screen)
            await until(lambda: len(session.events("ScreenDetached")) > left, "its seat to be free")
            await tab.closes()
        assert served.process.wait(60) == (0 if how == signal.SIGTERM else -9)
    assert session.events("ScreenDetached")[-1].why == "left"


async def test_a_session_that_ends_while_it_is_watched(tmp_path: Path, sshd: Sshd) -> None:
    with (
        running(tmp_path, sshd) as session,
        served_at(session.home, session.name, "--as", "dana", "--serve", "0", NO_COLOR="1") as served,
    ):
        async with served.tab() as tab:
            await tab.shows(*SHOWN)
            assert session.asks("abort", "--reason", "enough for tonight").returncode == 0
            await tab.shows("■ aborted at", "session closed: aborted")
            assert session.process.wait(60) == 1
            await tab.type("q")
            assert "aborted: left as it was" in await tab.closes()
            assert set(re.findall(rb"[34]8;[\d;]+m", tab.data)) == set()
        async with served.tab() as late:
            assert "can be attached to: none runs." in await late.closes()


async def test_it_wears_the_theme_that_was_asked_for(session: Session) -> None:
    with served_at(
        session.home, session.name, "--as", "dana", "--theme", "calm-light", "--serve", "0"
    ) as served:
        async with served.tab() as tab:
            await tab.shows(*SHOWN)
            grounds = Counter(re.findall(rb"48;2;(\d+);(\d+);(\d+)", tab.data))
            assert min(map(int, grounds.most_common(1)[0][0])) > 200  # a light one


def test_what_is_refused(session: Session, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for words, said in (
            (
                (session.name, "--serve", port),
                f"nothing can be served at port {port} of 127.0.0.1 (Address already in use)",
            ),
            (
                (session.name, "--serve", "65536"),
                "65536 is no port (0 to 65535); SESSION stands before --serve",
            ),
            (("--serve", session.name), f"{session.name} is no port"),
            (("--theme", "neon", "--serve"), "there is no theme neon"),
            (
                ("nothing-such", "--serve", "0"),
                "no session nothing-such can be attached to; what runs is small-",
            ),
        ):
            done = cockpit(session.home, "attach", *words)
            assert (done.returncode, done.stdout) == (2, ""), done
            assert said in done.stderr
        none = cockpit({**session.home, "XDG_STATE_HOME": str(tmp_path)}, "attach", "--serve", "0")
        assert (none.returncode, "no session runs that could be attached to" in none.stderr) == (2, True)


def test_the_extra_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r'isn\'t installed here: pip install "release-cockpit\[serve\]"'):
        serving.serve("small", argparse.Namespace(serve=0))


SAYS = """
import json, os, sys, time
def say(kind, content):
    os.write(1, kind + len(content).to_bytes(4, "big") + content)
os.write(1, b"__GANGLION__\\n")
for url in ("javascript:alert(1)", "file:///etc/passwd", "https://wiki.example/r-12"):
    say(b"M", json.dumps({"type": "open_url", "url": url, "new_tab": False}).encode())
say(b"M", json.dumps({"type": "deliver_file_start", "key": "k", "path": "/etc/passwd"}).encode())
say(b"P", b"whatever")
say(b"D", b"the size is " + os.environ["COLUMNS"].encode() + b"x" + os.environ["ROWS"].encode())
"""


@asynccontextmanager
async def entered(
    script: str, program: str = sys.executable
) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    """A browser that was let in where this Python draws each tab, and the address of tabs."""
    site = Site("any", partial(opened, [program, "-c", script]))
    async with (
        site.at(0) as address,
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client,
        client.get(address) as door,
    ):
        (path,) = re.findall(r"url=(/\w+/)", await door.text())
        yield client, f"{address.partition('/?')[0]}{path}ws"


@asynccontextmanager
async def drawn_by(
    script: str, size: str = "width=120&height=40", program: str = sys.executable
) -> AsyncIterator[Tab]:
    """A tab whose screen is drawn by this Python, for the time of the block."""
    async with (
        entered(script, program) as (client, address),
        client.ws_connect(f"{address}?{size}", origin=f"http://{urlsplit(address).netloc}") as socket,
    ):
        yield Tab(socket, Screen(40, 120))


async def drawing(word: str) -> psutil.Process:
    """The process of ours that draws a tab, by a word of its script, once it is there."""

    def found() -> list[psutil.Process]:
        return [one for one in psutil.Process().children() if any(word in said for said in one.cmdline())]

    await until(found, "the process of a tab")
    (process,) = found()
    return process


async def test_tabs_opened_without_a_pause_have_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """How often an account may come to a session is shared by its tabs, its screens and its acts from a shell."""
    assert serving_web.COMING_BURST + serving_web.TABS_MOST < server.COMING_BURST
    assert serving_web.COMING_PER_S < server.COMING_PER_S
    monkeypatch.setattr(serving_web, "COMING_BURST", 1)
    async with entered("import sys; sys.exit('drawn')") as (client, address):
        for said in ("drawn", "Tabs are opened faster than anybody could mean"):
            async with client.ws_connect(address, origin=f"http://{urlsplit(address).netloc}") as socket:
                assert said in await Tab(socket, Screen(40, 120)).closes()


async def test_a_tab_that_reads_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it says meanwhile: that it speaks is no sign that anybody sees what is drawn."""
    monkeypatch.setattr(serving_web, "READS_S", 0.05)
    monkeypatch.setattr(serving_web, "GOODBYE_S", 0.05)
    monkeypatch.setattr(serving_web, "BEAT_S", 3600.0)
    monkeypatch.setattr(serving_tabs, "ENDS_WITHIN_S", 0.05)
    draws = (
        "import os; os.write(1, b'__GANGLION__\\n')\nwhile 1: os.write(1, b'D\\0\\0\\x10\\0' + b'.' * 4096)"
    )
    async with entered(draws) as (client, address):
        at = urlsplit(address)
        (cookie,) = client.cookie_jar
        reads, speaks = await asyncio.open_connection(at.hostname, at.port, limit=1024)
        asks = {
            "Host": at.netloc,
            "Origin": f"http://{at.netloc}",
            "Cookie": f"{cookie.key}={cookie.value}",
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        }
        headers = "".join(f"{name}: {value}\r\n" for name, value in asks.items())
        speaks.write(f"GET {at.path} HTTP/1.1\r\n{headers}\r\n".encode())
        assert (await reads.readline()).startswith(b"HTTP/1.1 101")
        process = await drawing("GANGLION")
        await gone(process)
        with suppress(ConnectionError):
            while await reads.read(1 << 20):
                pass
        speaks.close()


async def test_of_what_a_screen_says_only_drawings_and_web_addresses_get_through() -> None:
    async with drawn_by(SAYS, "width=99999&height=nan") as tab:
        await tab.shows("the size is 500x24")
        await tab.closes()
        assert tab.words == [["open_url", {"url": "https://wiki.example/r-12", "new_tab": True}]]


async def test_a_screen_that_cannot_begin_says_why_in_the_tab() -> None:
    async with drawn_by("import sys; sys.exit('no session \\x1b]0;x\\x07 runs')") as tab:
        assert "no session ␛]0;x␇ runs" in await tab.closes()
        assert b"\x1b]0;" not in tab.data


async def test_a_screen_that_cannot_be_started_says_so_too() -> None:
    async with drawn_by("", program="/nowhere/python") as tab:
        said = await tab.closes()
        assert "No screen can be started beside the server (No such file or directory)." in said


async def test_a_screen_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving_tabs, "ENDS_WITHIN_S", 0.05)
    stuck = (
        "import os, signal, time; signal.pause() if os.write(1, b'__GANGLION__\\nD\\0\\0\\0\\5stuck') else 0"
    )
    async with drawn_by(stuck) as tab:
        await tab.shows("stuck")
        process = await drawing("signal.pause")
        await tab.socket.close()
        await gone(process)


@pytest.mark.parametrize("begins", ["", "os.fork()"])
async def test_a_screen_that_says_more_than_anybody_takes_is_ended_too(
    begins: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving_tabs, "ENDS_WITHIN_S", 0.001)
    floods = f"import os; {begins}\nwhile 1: os.write(1, b'.' * 65536)"
    async with asyncio.timeout(DEADLINE_S):
        for _ in range(3):
            tab = await opened([sys.executable, "-S", "-c", floods], 80, 24)
            await until(lambda tab=tab: tab._out._paused, "a full pipe")  # type: ignore[attr-defined]
            assert await tab.end() == ""


def test_its_port_may_be_left_out_where_flags_are_completed(home: dict[str, str]) -> None:
    for words, offered in (
        (("--serve", "--th"), ["--theme"]),
        (("--serve", ""), []),
        (("--se",), ["--serve"]),
    ):
        lines = cockpit(home, "__complete", "attach", *words).stdout.splitlines()
        assert [line.partition("\t")[0] for line in lines] == offered
