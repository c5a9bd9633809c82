"""Hostile text in every place there is: shown in its place and at its true width, obeyed by nothing."""

from __future__ import annotations

import base64
import fcntl
import os
import re
import select
import signal
import struct
import termios
from collections.abc import Iterator

import pytest
from rich.cells import cell_len
from textual import events

from cockpit.core.text import hidden
from cockpit.tui.app import CockpitApp
from cockpit.tui.driver import pasted
from cockpit.tui.keys import KEYS, footer
from cockpit.tui.panes.header import header
from cockpit.tui.panes.question import question
from cockpit.tui.panes.table import PANES
from cockpit.tui.scene import History, Row, Scene
from cockpit.tui.tabs import tabs
from cockpit.tui.text import visible
from tests.tui.hostile import CORPUS, MOMENTS, RAW, HostileLink, batches
from tests.tui.seen import ENDS, SIZES, Person, at_every_size, at_screen, scene
from tests.tui.test_terminal import Terminal
from tests.weight import often

BLANK = "\u115f\u1160\u3164\uffa0\u034f\u17b4\u17b5\U000e0100\ufe0e\ufe0f"
"""Letters and marks that draw nothing."""


def faults(text: str) -> list[str]:
    """The characters of printed text that steer or deceive, and marks that pile up."""
    if text.isascii() and text.isprintable():
        return []
    piled = [mark for mark in ("\u0300" * 4, "\u0489\u0353\u20dd\u0300") if mark in text]
    return [f"U+{ord(c):04X}" for c in set(text) if hidden(c) or c in BLANK] + piled


@pytest.mark.parametrize("name", CORPUS)
def test_visible_text_has_nothing_that_steers_or_hides(name: str) -> None:
    shown = visible(CORPUS[name])
    assert not faults(shown)
    assert shown.strip() or name == "spaces"
    assert visible(shown) == shown


def drawn(link: HostileLink, width: int) -> Iterator[tuple[str, str]]:
    """Every line that is made from a moment, and where it stands."""
    now = scene(link)
    for where, lines in (("header", header(now, width)), ("question", question(now, width, 20))):
        yield from ((where, line.plain) for line in lines)
    yield "footer", footer(now, width).plain
    for name, pane in PANES.items():
        yield "tabs", tabs(now, name, width).plain
        yield f"{name} title", visible(pane.note(now) + pane.hand(now))
        for row in pane.rows(now, width):
            yield name, row.draw(width).plain
        yield from _unfolded(now, name, width)


def _unfolded(now: Scene, name: str, width: int) -> Iterator[tuple[str, str]]:
    folded: list[Row] = [row for row in PANES[name].rows(now, width) if row.folds]
    open_ = Scene(
        now.link, now.state, now.at, now.zone, now.history, frozenset(r.key for r in folded), keys=now.keys
    )
    for row in PANES[name].rows(open_, width):
        yield f"{name}, unfolded", row.draw(width).plain


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("turns", often((3, len(MOMENTS)), (len(MOMENTS),)))
def test_no_line_of_any_pane_steers_or_is_too_long(moment: str, turns: int) -> None:
    """Each text at one moment, each moment with some of the texts and with all of them in one word."""
    turn = list(MOMENTS).index(moment)
    for evil in (*batches()[turn % turns :: turns], "".join(CORPUS.values())):
        link = MOMENTS[moment](evil)
        for width in (38, 98):
            for where, text in drawn(link, width):
                assert not faults(text), (where, evil, text)
                # A title is cut by the edge that it stands in.
                assert cell_len(text) <= width or where.endswith("title"), (where, evil, text)


def assert_calm(person: Person, after: str) -> None:
    """Nothing on the screen steers, and every row has the width of the terminal."""
    rows = person.screen().split("\n")
    width, height = person.app.size
    assert len(rows) == height, after
    for row in rows:
        assert not faults(row), (after, row)
        assert cell_len(row) == width, (after, row)


def put(app: CockpitApp, link: HostileLink) -> None:
    """The same screen, on another session."""
    app.link, app.history, app.subject = link, History(), ("", "", "")
    app.draw()


@at_every_size
async def test_every_pane_stays_calm_at_any_size(size: tuple[int, int]) -> None:
    links = [MOMENTS[list(MOMENTS)[n % len(MOMENTS)]](evil) for n, evil in enumerate(batches(140))]
    async with at_screen(links[0], size) as dana:
        for link in links:
            put(dana.app, link)
            for number in "1234567" if size[0] < 100 else "27":
                await dana.press(number)
                assert_calm(dana, f"pane {number}, {link.evil!r}")


SAYS = frozenset(("leave", "explain", "output", "zoom"))
"""Keys that open nothing and end the screen, or were seen already."""


@pytest.mark.parametrize(
    "moment",
    often(MOMENTS, ("before", "doubt", "offered", "partial")),  # between them they offer every key
)
async def test_every_key_that_is_offered_opens_something_calm(moment: str) -> None:
    link = MOMENTS[moment]("".join(batches(40)[n % 9][:12] for n in range(9)))
    async with at_screen(link, (80, 24)) as dana:
        for action, key in KEYS.items():
            if action in SAYS or not key.offered(dana.app.scene):
                continue
            await dana.press(key.key.split(",")[0])
            await dana.until(lambda: dana.screen().count("\n") == 23, action)  # it is laid out
            assert_calm(dana, action)
            if len(dana.app.screen_stack) > 1:
                dana.app.screen.post_message(events.Paste(pasted(RAW.decode("utf-8", "replace"))[:400]))
                await dana.settled()
                assert_calm(dana, f"{action}, pasted into")
                await dana.press("pagedown", "escape")
            while len(dana.app.screen_stack) > 1:
                dana.app.pop_screen()
                await dana.settled()
            if action == "find":
                await dana.press("escape")
        assert dana.app.is_running


@at_every_size
async def test_what_is_said_in_passing_is_calm(size: tuple[int, int]) -> None:
    async with at_screen(MOMENTS["running"]("x"), size) as dana:
        for evil in batches(200):
            dana.app.say(f"refused {evil}")
            await dana.settled()
            assert_calm(dana, evil)
            dana.app.clear_notifications()


# On a real terminal

SEQUENCE = re.compile(
    rb"\x1b\[(?P<given>[?<=>]?[0-9;:]*)(?P<between>[ -/]*)(?P<final>[@-~])"
    rb"|\x1b\](?P<command>[0-9;]*?);(?P<payload>[^\x00-\x1f]*)(?:\x07|\x1b\\)"
    rb"|(?P<control>[\x00-\x1f])"
)
MODES = re.compile(rb"\?(25|7|1000|1003|1004|1006|1015|1049|2004|2026|2048)(;|$)")
"""What the screen may ask of a terminal: the pointer, focus, paste, the other screen, the cursor, whole frames."""

ALLOWED_PLACE = re.compile(rb"[0-9]+;[0-9]+")
ALLOWED = {b"H": ALLOWED_PLACE.pattern, b"m": rb"[0-9;:]*", b"u": rb"[<>][0-9]*", b"t": rb"2[23];2"}
"""Where the next text stands, its colours, how keys are told, and the title that was there before and comes back."""


def strays(data: bytes, width: int) -> list[str]:
    """What was printed that is neither plain text nor what the screen itself sends; rows that are too long."""
    found: list[str] = []
    at = column = 0
    for match in (*SEQUENCE.finditer(data), None):
        text = data[at : match.start() if match else len(data)].decode("utf-8", "replace")
        column += cell_len(text)
        found += faults(text) + ([f"column {column}: {text[-20:]!r}"] if column > width else [])
        if match is None:
            break
        at = match.end()
        if match["final"] is not None and not _control(match["given"] + match["between"], match["final"]):
            found.append(repr(match[0]))
        if match["command"] is not None and not _told(match["command"], match["payload"]):
            found.append(repr(match[0]))
        if match["control"] is not None and match["control"] not in b"\r\n":
            found.append(repr(match[0] + data[at : at + 20]))
        if match["final"] == b"H" and ALLOWED_PLACE.fullmatch(match["given"]):
            column = int(match["given"].partition(b";")[2]) - 1
        elif match["control"] is not None:
            column = 0
    return found


def _control(given: bytes, final: bytes) -> bool:
    if final in (b"h", b"l", b"p"):
        return MODES.match(given.rstrip(b"$")) is not None
    return final in ALLOWED and re.fullmatch(ALLOWED[final], given) is not None


def _told(command: bytes, payload: bytes) -> bool:
    """A pointer's shape, a title, a link, progress, or what was copied: in clean text."""
    if command == b"52":
        said = base64.b64decode(payload.partition(b";")[2]).decode()
        return not faults(said.replace("\n", ""))
    return command in (b"22", b"2", b"8", b"9;4") and not faults(payload.decode())


def test_what_is_looked_for_is_found() -> None:
    for name, text in CORPUS.items():
        raw = text.encode("utf-8", "surrogatepass")
        harmless = (
            "colour",
            "markup",
            "percent and braces",
            "wide",
            "ambiguous",
            "jamo",
            "spaces",
            "long",
            "title",
        )
        harmless += (
            "clipboard",
            "progress",
            "link",
            "carriage return",
            "newlines",
            "surrogates",
            "variation",
        )
        assert strays(raw, 2000) or name in harmless, name
    assert strays(b"\x1b[5;79Habc", 80) and not strays(b"\x1b[5;78Habc", 80)
    assert strays(b"\x1b]52;c;" + base64.b64encode(b"\x1b[2J") + b"\x07", 80)


PASTE = (b"\x1b[200~" + RAW + b"\x1b[201~", b"done")
"""A paste of everything; its first line ends so."""
SHORT = (b"\x1b[200~\x1b[2J\x9b1m\x07\x1b]2;x\x07\xe2\x80\xaezap\x1b[201~", b"zap")
"""A paste for fields that take little."""
ESC = b"\x1b"
PRESSED = (
    *((b"2", b"Limits"), (b"3", b"Targets"), (b"4", b"Checklist"), (b"6", b"Roles"), (b"5", b"Journal")),
    *((b"7", b"Output"), (b"R", b"roll back"), (ESC, b"Output"), (b"n", b"esc"), PASTE, (ESC, b"Output")),
)
OPENED = (
    *((b"y", b"\x1b]52;c;"), (b"/", b"esc"), SHORT, (ESC, b"Output"), (b"o", b"page"), (ESC, b"Output")),
    *((b"?", b"Keys"), (ESC, b"Output"), (b"\x10", b"esc"), SHORT, (ESC, b"Output")),
)
"""Keys, and what is printed then: every pane, copying, the filter, the reader of outputs, dialogs, help and palette."""


def _until_it_rests(terminal: Terminal, seconds: float) -> None:
    while select.select([terminal.master], [], [], seconds)[0]:
        terminal.data += os.read(terminal.master, 65536)


@pytest.mark.parametrize(("columns", "rows"), often(SIZES, ENDS, several=True))
def test_no_byte_of_it_steers_a_real_terminal(columns: int, rows: int) -> None:
    terminal = Terminal("hostile_failed")
    fcntl.ioctl(terminal.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    printed = b""
    try:
        terminal.read_until(b"Rollout")
        for key, met in (*PRESSED, *(OPENED if columns == 80 else ())):
            printed, terminal.data = printed + terminal.data, b""
            terminal.press(key, met)
            _until_it_rests(terminal, 0.4 if key == ESC else 0.1)  # followed at once, esc is another key
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.ends() == 0
        printed += terminal.data
    finally:
        terminal.close()
    assert strays(printed, columns) == []
    raw = [text.encode("utf-8", "surrogatepass") for text in CORPUS.values() if faults(text)]
    assert [text for text in raw if text in printed] == []
