"""An output over the whole screen: all that is kept of it, with the release and its question on top."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import cast

from textual.app import ComposeResult

from cockpit.store.sessions import slug
from cockpit.tui import clipboard, rhythm
from cockpit.tui.filtering import Finder
from cockpit.tui.finding import Sought
from cockpit.tui.help import Help
from cockpit.tui.key import Table, bound
from cockpit.tui.keyed import Keyed
from cockpit.tui.lines import Block
from cockpit.tui.modal import Modal
from cockpit.tui.pager_keys import PAGER_KEYS
from cockpit.tui.panes import output
from cockpit.tui.panes.header import header
from cockpit.tui.panes.question import question
from cockpit.tui.reader import Reader
from cockpit.tui.scene import Copy, Scene
from cockpit.tui.text import Line, Tone, join, line, spread

QUESTION_MOST = 8
"""Lines in which the question is worded before its first one is shown here."""


class Pager(Modal[bool | None]):
    """Reads the output of one attempt; dismissed with whether to go on to where one came from.

    It is our own, and no program to which the terminal is lent: an alarm is seen here, and the release goes on.
    """

    BINDINGS = bound("reader", PAGER_KEYS)
    DEFAULT_CSS = """
    Pager { layout: vertical; background: $background; }
    #pager-top, #pager-title, #pager-foot { width: 1fr; height: 1; padding: 0 1; background: $background; }
    #pager-top { background: $cockpit-raised; }
    Reader { height: 1fr; width: 1fr; background: $background; color: $foreground; padding: 0 1; }
    """

    def __init__(self, scene: Callable[[], Scene], attempt: str, copy: Callable[[Copy], None]) -> None:
        """`copy` is called with what is to be copied."""
        super().__init__()
        self._scene = scene
        self._attempt = attempt
        self._copy = copy
        self._missing = ""
        self._held = False

    def compose(self) -> ComposeResult:
        """Header, title, the lines, the keys."""
        yield Block(id="pager-top")
        yield Block(id="pager-title")
        yield Reader(id="reader")
        yield Block(id="pager-foot")
        yield Finder(id="pager-find", keeps="find", clears="no words")

    @property
    def keys(self) -> Table:
        """The keys in force."""
        return cast(Keyed, self.app).tables["reader"]

    @property
    def reader(self) -> Reader:
        """The lines."""
        return self.query_one(Reader)

    def on_mount(self) -> None:
        """Drawn by the clock; begins at the end, where it went wrong if it did."""
        self.reader.focus()
        self.set_interval(rhythm.DRAW_EVERY, self.draw)
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.draw()
        self.reader.to_end()

    def on_resize(self) -> None:
        """Worded anew."""
        self.call_after_refresh(self.draw)

    def on_reader_moved(self) -> None:
        """Other lines."""
        self._told(self._scene())

    def draw(self) -> None:
        """Show what has come, and how the release stands."""
        if not self.is_mounted:
            return
        scene = self._scene()
        self._read(scene)
        self.query_one(Finder).place()
        width = self.size.width
        asked = question(scene, width, QUESTION_MOST)
        top = [header(scene, width)[0], *(part.cut(width - 2) for part in asked[:1])]
        self.query_one("#pager-top").styles.height = len(top)
        self.query_one("#pager-top", Block).show(top)
        self._told(scene)

    def _read(self, scene: Scene) -> None:
        """Whoever reads isn't carried away: what was shortened in its middle meanwhile is taken when they follow."""
        printed, reader = output.printed(scene.link.output(self._attempt)), self.reader
        goes_on = printed.data.startswith(reader.printed.data)
        self._held = not (goes_on or reader.follows)
        if not self._held:
            reader.read(printed)

    def _told(self, scene: Scene) -> None:
        """Whose output it is, where in it one is, and the keys."""
        reader, width = self.reader, self.size.width - 2
        first, last = reader.lines_in_sight
        every = reader.printed.lines
        done = f"{100 * last // max(1, every)}%"
        how = [part for part, so in (
            (f"/{reader.sought.typed}", bool(reader.sought)), (self._missing, bool(self._missing)),
            ("follows", reader.follows), ("not wrapped", not reader.wraps),
            (f"newer output waits: {self.keys['follow'].shown} follows it", self._held),
        ) if so]  # fmt: skip
        tone: Tone = "warn" if self._missing or self._held else "dim"
        title = line((output.note(replace(scene, attempt=self._attempt)), "strong"))
        places = (f"lines {first:,}-{last:,} of {every:,} · {done}", f"line {last:,} of {every:,}", done)
        told = [line((" · ".join([*how, place]), tone)) for place in places]
        right = next((one for one in told if title.cells + one.cells < width), told[-1])
        self.query_one("#pager-title", Block).show([spread(width, title, right)])
        self.query_one("#pager-foot", Block).show([_foot(scene, width, self.keys)])

    # Moving

    def action_move(self, by: int) -> None:
        """Lines."""
        self.reader.move(by)

    def action_page(self, by: int) -> None:
        """Screenfuls."""
        self.reader.page(by)

    def action_edge(self, by: int) -> None:
        """The first or the last line."""
        if by < 0:
            self.reader.to_start()
        else:
            self.reader.to_end()

    def action_sideways(self, by: int) -> None:
        """Long lines."""
        self.reader.sideways(by)

    def action_wrap(self) -> None:
        """Long lines in several rows, or in one."""
        self.reader.wrap()

    def action_number(self) -> None:
        """Line numbers."""
        self.reader.number()

    def action_follow(self) -> None:
        """Stay at the end."""
        self.reader.follow()
        self.draw()

    # Finding

    def action_find(self) -> None:
        """Ask for words."""
        self.query_one(Finder).ask("find:", self.reader.sought, self.reader)

    def on_finder_changed(self, event: Finder.Changed) -> None:
        """Go to the first line that has them."""
        event.stop()
        self._look_for(event.sought, 1, True)

    def on_finder_moved(self, event: Finder.Moved) -> None:
        """To the next or the one before."""
        event.stop()
        self.action_again(event.by)

    def on_finder_ended(self, event: Finder.Ended) -> None:
        """Back to the lines."""
        event.stop()
        self.reader.look_for(event.kept)
        if not event.kept:
            self._missing = ""
        self._told(self._scene())

    def action_again(self, by: int) -> None:
        """The next, or the one before."""
        if self.reader.sought:
            self._look_for(self.reader.sought, by, False)
        else:
            self.action_find()

    def _look_for(self, sought: Sought, by: int, from_sight: bool) -> None:
        self.reader.look_for(sought)
        self._missing = ""
        if sought:
            self.run_worker(partial(self._find, sought, by, from_sight), group="find", exclusive=True)
        else:
            self._told(self._scene())

    async def _find(self, sought: Sought, by: int, from_sight: bool) -> None:
        """As one types, anywhere: further down first. Going through them, only the way one goes."""
        found = await self.reader.find(by, from_sight) or (from_sight and await self.reader.find(-by))
        if not found and sought == self.reader.sought:
            self._missing = (
                "found nowhere" if from_sight else "none further down" if by > 0 else "none further up"
            )
        self._told(self._scene())

    # What is decided

    def action_pause(self) -> None:
        """As on the screen: nobody has to leave the output for it."""
        self.call_later(self.app.run_action, "pause")

    def action_roll_back(self) -> None:
        """As on the screen."""
        self.call_later(self.app.run_action, "roll_back")

    # What is taken along

    def action_copy(self) -> None:
        """What is selected, else the lines in sight."""
        selected = self.get_selected_text()
        first, last = self.reader.lines_in_sight
        text = selected or self.reader.text_in_sight()
        self._copy(Copy(text, "what is selected" if selected else f"lines {first:,} to {last:,}"))

    def action_save(self) -> None:
        """Everything into a file, unless a browser asks: what is pressed there leaves nothing on this machine."""
        if self.app.is_web:
            self.app.notify(
                f"A browser saves nothing here: {self.keys['copy'].shown} copies what is in sight."
            )
        else:
            self.run_worker(self._save())

    async def _save(self) -> None:
        scene, printed = self._scene(), self.reader.printed
        attempt = scene.state.find(self._attempt)
        whose = f"{attempt.step}-{attempt.target}-{attempt.n}" if attempt is not None else self._attempt
        name = f"{slug(scene.plan.release.service)}-{slug(whose)}-{scene.link.now():%Y%m%d-%H%M%S}.txt"
        path = clipboard.directory() / "outputs" / name

        def keep() -> str:
            kept = clipboard.keep("\n".join(printed.texts()) + "\n", path)
            return f"Saved to {clipboard.at_home(kept)}." if kept is not None else ""

        said = await asyncio.to_thread(keep)
        self.app.notify(
            said or f"Not saved: {path} can't be written. {self.keys['copy'].shown} copies what is in sight.",
            markup=False,
        )

    # The end

    def action_help(self) -> None:
        """List the keys."""
        scene = self._scene()
        self.app.push_screen(Help(self.keys, scene, scene.link.head), self._press)

    def _press(self, action: str | None) -> None:
        if action:
            self.call_later(self.app.run_action, action, self)

    def action_back(self) -> None:
        """esc: a selection goes first."""
        if self.get_selected_text():
            self.clear_selection()
        else:
            self.dismiss(None)

    def action_on(self) -> None:
        """To where one came from."""
        self.dismiss(True)


def _foot(scene: Scene, width: int, keys: Table) -> Line:
    """The keys, as many as fit; the way back always."""
    back = keys["back"]
    last = line((back.shown, "key"), (f" {back.offered(scene)}", "dim"))
    told: list[Line] = []
    for action, key in keys.items():
        word = key.offered(scene) if action != "back" else ""
        entry = line((key.shown, "key"), (f" {word}", "dim"))
        if word and sum(one.cells + 3 for one in [*told, entry]) + last.cells <= width:
            told.append(entry)
    return join([*told, last])
