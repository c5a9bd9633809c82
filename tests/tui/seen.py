"""Driving the app as a person does: press, look, wait with a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC

import pytest
from textual import events
from textual._compositor import LayoutUpdate
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from cockpit.tui.app import CockpitApp
from cockpit.tui.dialogs import Dialog
from cockpit.tui.keys import KEYS, footer, shown
from cockpit.tui.panes.header import header
from cockpit.tui.panes.question import question
from cockpit.tui.panes.table import PANES
from cockpit.tui.review import Settle, nowhere
from cockpit.tui.scene import History, Scene, zone_of
from tests.tui.fake_link import FakeLink
from tests.weight import often

DEADLINE = 60.0

SIZES = ((80, 24), (120, 40), (200, 60))
ENDS = (SIZES[0], SIZES[-1])
at_every_size = pytest.mark.parametrize("size", often(SIZES, ENDS), ids=[f"{w}x{h}" for w, h in SIZES])
"""The narrowest and the widest each time; in the middle are the screens of all other tests."""


class Person:
    """Somebody in front of the screen."""

    def __init__(self, app: CockpitApp, pilot: Pilot[None], link: FakeLink) -> None:
        self.app = app
        self.pilot = pilot
        self.link = link
        self._pressed = 0.0

    def screen(self) -> str:
        """The screen's words, line by line."""
        # What export_screenshot draws from; the picture itself takes thirty times as long.
        stack = self.app._background_screens
        update = self.app.screen._compositor.render_update(full=True, screen_stack=stack)
        assert isinstance(update, LayoutUpdate)
        return "\n".join("".join(strip.text for strip in row) for row in update.strips)

    async def until(self, met: Callable[[], bool], what: str = "") -> None:
        """Wait for `met`, but not for ever."""
        end = asyncio.get_running_loop().time() + DEADLINE
        while not met():
            assert asyncio.get_running_loop().time() < end, f"never came: {what}\n{self.screen()}"
            await asyncio.sleep(0.01)

    async def sees(self, *words: str) -> None:
        """Wait until every one of `words` stands on the screen."""
        for word in words:
            await self.until(lambda w=word: w in self.screen(), word)

    async def press(self, *keys: str) -> None:
        """Press keys, each after the screen has followed the one before, and at the pace of a hand by their moments."""
        for key in keys:
            event = events.Key(key, key if len(key) == 1 else None)
            event.time = self._pressed = max(event.time, self._pressed + 0.1)
            self.app.post_message(event)
            await self.settled()

    async def settled(self) -> None:
        """Wait until the app has handled what it was sent and drawn what came of it."""
        for _ in range(3):  # a key, what it posts, and the drawing after that
            if not await self._drawn():
                return

    async def _drawn(self) -> bool:
        """Wait for the next drawing, after what was sent before; False if the app takes nothing more."""
        drawn = asyncio.Event()
        waiting: list[Screen[object]] = []

        def ask() -> None:
            waiting.append(self.app.screen)
            waiting[0]._invoke_later(drawn.set, self.app)

        def lost() -> bool:
            """A dialog that closes takes along what was to follow its drawing."""
            return bool(waiting) and waiting[0] not in self.app.screen_stack

        if not self.app.call_later(ask):
            return False
        end = asyncio.get_running_loop().time() + DEADLINE
        while not drawn.is_set() and self.app.is_running and not lost():
            assert asyncio.get_running_loop().time() < end, f"never drawn\n{self.screen()}"
            with suppress(TimeoutError):
                async with asyncio.timeout(0.01):
                    await drawn.wait()
        return self.app.is_running

    async def types(self, text: str) -> None:
        """Type into the open dialog, at the pace of a hand, as the moments of the keys have it."""
        field = (await self.dialog()).query_one("#field", Input)
        before = field.value
        for n, char in enumerate(text):
            key = events.Key("space" if char == " " else char, char)
            key.time -= 0.1 * (len(text) - n)
            self.app.post_message(key)
        await self.until(lambda: field.value == before + text, text)
        await self.settled()

    async def dialog(self) -> Dialog:
        """The open dialog, armed."""
        await self.until(
            lambda: isinstance(self.app.screen, Dialog) and self.app.screen.armed, "an armed dialog"
        )
        assert isinstance(self.app.screen, Dialog)
        return self.app.screen

    async def confirms(self) -> None:
        """Enter, once the dialog takes it."""
        await self.dialog()
        await self.press("enter")

    def last(self) -> object:
        """The last command sent."""
        return self.link.sent[-1] if self.link.sent else None

    async def sends(self, kind: type) -> None:
        """Wait until a command of `kind` went to the session."""
        await self.until(lambda: isinstance(self.last(), kind), kind.__name__)


@asynccontextmanager
async def at_screen(
    link: FakeLink, size: tuple[int, int] = (120, 40), settle: Settle = nowhere
) -> AsyncIterator[Person]:
    """The app on `link`, in a terminal of `size` (columns, rows); `settle` as in `show`."""
    app = CockpitApp(link, settle=settle)
    async with app.run_test(size=size, notifications=True) as pilot:
        person = Person(app, pilot, link)
        await person.settled()
        yield person
        if app.is_running:
            person.screen()  # what is left at the end can be painted, too


def scene(link: FakeLink, **changes: object) -> Scene:
    """This moment of the session, in the zone of its window."""
    history = History()
    history.look(link)
    zone = zone_of(link.state.plan) or UTC
    return Scene(link, link.state, link.now(), zone, history, keys=shown(KEYS), **changes)  # type: ignore[arg-type]


def rows(name: str, link: FakeLink, width: int = 56, **changes: object) -> list[str]:
    """The words of a pane, row by row."""
    return [row.draw(width).plain.rstrip() for row in PANES[name].rows(scene(link, **changes), width)]


def top(link: FakeLink, width: int = 120) -> list[str]:
    """The words of the header, line by line."""
    return [line.plain for line in header(scene(link), width)]


def asked(link: FakeLink, width: int = 120, most: int = 12) -> list[str]:
    """The words above the panes: what is to be answered, and the alarms."""
    return [line.plain for line in question(scene(link), width, most)]


def offered(link: FakeLink, width: int = 250) -> str:
    """The keys at the foot."""
    return footer(scene(link), width).plain
