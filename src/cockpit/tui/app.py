"""The app: draws a session four times a second; what keys do is in `acts`."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import traceback
from collections.abc import Callable, Iterator
from datetime import datetime
from time import monotonic

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.constants import MAX_FPS
from textual.driver import Driver
from textual.geometry import Region, Size
from textual.widget import Widget

from cockpit.runtime.link import Link
from cockpit.tui import keys, taking_back
from cockpit.tui.dressing import Dressing, without_colour
from cockpit.tui.driver import Terminal
from cockpit.tui.filtering import Finder
from cockpit.tui.guide import guide
from cockpit.tui.hearing import Hearing
from cockpit.tui.key import shown
from cockpit.tui.layout import LOW, Wish, arrange, bare, beside, question_most
from cockpit.tui.lines import Block, RowPane
from cockpit.tui.looking import Looking
from cockpit.tui.palette import Entry
from cockpit.tui.panes.header import header, in_production
from cockpit.tui.panes.question import question
from cockpit.tui.panes.table import PANES
from cockpit.tui.pressing import Pressable
from cockpit.tui.review import Elsewhere, Settle, nowhere
from cockpit.tui.rhythm import Rhythm
from cockpit.tui.scene import Guide, History, Scene, zone_of
from cockpit.tui.style import CSS
from cockpit.tui.tabs import Tabs
from cockpit.tui.telling import Telling
from cockpit.tui.text import Line, visible

PIECE_S, GAP_S, QUICK_S = 0.001, 1 / MAX_FPS, 0.002
"""A drawing by the clock that takes longer makes a pause: a key's way to its act takes a millisecond, and what was
drawn until then is painted by itself. One that a person's act hurries, or behind one that is late, makes short ones."""


class CockpitApp(Hearing, Looking, Dressing, inherit_bindings=False):
    """One session on one screen. Reads the link, never waits for it; every act goes through `link.send`."""

    CSS = CSS
    BINDINGS = keys.bindings()
    ENABLE_COMMAND_PALETTE = False
    NOTIFICATION_TIMEOUT = 8
    PANE: type[RowPane] = RowPane
    LIVE = True
    """Whether this is a release, and not a replay of one."""

    def __init__(
        self,
        link: Link,
        theme: str | None = None,
        settle: Settle = nowhere,
        driver: type[Driver] = Terminal,
    ) -> None:
        """`settle` and `driver` as in `show`. UsageError if there is no such theme."""
        super().__init__(driver_class=driver, ansi_color=True if without_colour() else None)
        self.on_shown: Callable[[], None] = lambda: None
        self.dress(theme)
        self.telling = Telling(self._tell, lambda: self.settings, self.LIVE)
        self.link = link
        self.elsewhere = Elsewhere(settle)
        self.history = History()
        self.zone = zone_of(link.state.plan)
        self.toggled: set[str] = set()
        self.guide: Guide = ""
        self.front = "rollout"
        self.below = "journal"
        self.zoomed = False
        self.subject: tuple[str, str, str] = ("", "", "")
        self.panes = {}
        self._places: dict[str, Region] = {}
        self.rhythm = Rhythm(self, self.draw_in_pieces, lambda: link.events)
        self._pieces: Iterator[None] = iter(())
        self._gap, self._under_way = GAP_S, False
        self._halted_at: datetime | None = None
        self._unsubscribe = lambda: None

    # Drawing

    def compose(self) -> ComposeResult:
        """Everything there is; `arrange` decides what is shown where."""
        yield Block(id="header")
        yield Pressable(lambda: shown(self.tables["screen"]), id="question")
        yield Tabs(id="tabs")
        for n, (name, pane) in enumerate(PANES.items(), 1):
            yield self.PANE(name, pane, n)
        yield Pressable(lambda: self.printed, id="guide")
        yield Pressable(lambda: self.printed, id="keys")
        yield Finder(id="find")

    def on_mount(self) -> None:
        """Draw by the clock, and soon after each recorded turn."""
        # Textual asks for eager tasks, which run a part of a new task in the middle of its starter:
        # the session in this loop is written for the ordinary kind.
        asyncio.get_running_loop().set_task_factory(None)
        self.panes = {name: self.query_one(f"#{name}", RowPane) for name in PANES}
        self._unsubscribe = self.link.subscribe(self.rhythm.soon)
        self.rhythm.begin()
        self.app_resume_signal.subscribe(self, lambda _: self.telling.anew())
        self.draw()
        self.panes[self.front].focus()
        self.call_after_refresh(self.on_shown)

    def on_unmount(self) -> None:
        """Nobody calls a screen that is gone."""
        self._unsubscribe()

    def on_resize(self, event: events.Resize) -> None:
        """Everything finds its place anew."""
        self.call_after_refresh(self.draw)

    @property
    def scene(self) -> Scene:
        """This moment; once the session is closed, or its log has failed, the last one."""
        target, attempt, _ = self.subject
        state = self.link.state
        at = state.closed.at if state.closed is not None else self._halted_at or self.link.now()
        return Scene(
            self.link,
            state,
            at,
            self.zone,
            self.history,
            frozenset(self.toggled),
            target,
            attempt,
            shown(self.tables["screen"]),
            guide=self.guide,
            low=self.size.height < LOW,
        )

    def draw(self) -> None:
        """Draw what has changed."""
        self._pieces = iter(())  # one that is under way is of an older moment
        for _ in self.drawing():
            pass

    def draw_in_pieces(self) -> None:
        """The same, and whatever keys come meanwhile are heard first: what nobody asked for can wait for them."""
        self._gap = QUICK_S if self._under_way or self.rhythm.hurries else GAP_S
        self._pieces, self._under_way = self.drawing(), True
        self._next_piece()

    def _next_piece(self) -> None:
        began = monotonic()
        for _ in self._pieces:
            if monotonic() - began > PIECE_S:
                asyncio.get_running_loop().call_later(self._gap, self.call_later, self._next_piece)
                return
        self._under_way = False

    def drawing(self) -> Iterator[None]:
        """Draw what has changed, all of the same moment; after each part of it something else may be done."""
        if not self.is_mounted_on_screen:
            return
        self._halted_at = (self._halted_at or self.link.now()) if self.link.failure else None
        self.rhythm.drawn()
        self.history.look(self.link)
        scene = self.scene
        yield
        if not self.is_mounted_on_screen:
            return
        self.telling.follow(scene, monotonic())
        width, height = self.room
        seen = self.seen(scene)
        tops = [*self.tops(scene, width), *self.band(scene, width - 2)]
        hints = guide(scene, width - 2)
        asked = question(scene, width, question_most(height, len(tops)))
        rows, more = self._wanted(), self._welcome()
        urgent = frozenset(name for name, pane in PANES.items() if pane.urgent(scene))
        wish = Wish(
            len(tops), len(asked), rows, self.front, self.zoomed, self.below, more, len(hints), urgent
        )
        self._place(wish, width, height)
        self._block("guide").show(hints)
        self._block("header").set_class(in_production(scene.plan), "production")
        self._block("header").show(tops)
        self._block("question").show(asked)
        self._block("keys").show([self.footer(scene, width)])
        if "tabs" in self._places:
            self.screen_stack[0].query_one(Tabs).show_tabs(scene, self.front)
        yield
        lowest = max((name for name in PANES if name in self._places), key=lambda n: self._places[n].bottom)
        for name, pane in self.panes.items():
            if name in self._places and self.is_mounted_on_screen:
                pane.show(seen, seen.head if name == lowest else "", scene if seen is not scene else None)
                yield

    @property
    def room(self) -> Size:
        """Columns and rows for all of it."""
        return self.size

    def tops(self, scene: Scene, width: int) -> list[Line]:
        """What stands at the top."""
        return header(scene, width)

    def footer(self, scene: Scene, width: int) -> Line:
        """The keys that are offered."""
        return keys.footer(scene, width, self.keys)

    @property
    def is_mounted_on_screen(self) -> bool:
        """Whether there are panes to draw on."""
        return bool(self.panes) and self.is_running

    def _tell(self, said: str, last: str) -> None:
        """A word to the terminal beside the screen, and what takes back all such words."""
        if isinstance(self._driver, Terminal):
            taking_back.keep(last)
            self._driver.write(said)

    def _block(self, name: str) -> Block:
        return self.screen_stack[0].query_one(f"#{name}", Block)

    def _wanted(self) -> dict[str, int]:
        plan = self.link.state.plan
        return {name: pane.wanted(plan) for name, pane in PANES.items()}

    def _welcome(self) -> dict[str, int]:
        return {name: pane.welcome(self.link.state.plan) for name, pane in PANES.items()}

    def _place(self, wish: Wish, width: int, height: int) -> None:
        places = arrange(width, height, wish)
        if places == self._places:
            return
        self._places = places
        for name in ("header", "question", "tabs", "guide", "keys", *PANES):
            widget: Widget = self.screen_stack[0].query_one(f"#{name}")
            region = places.get(name)
            widget.display = region is not None and region.height > 0
            if region is not None:
                widget.styles.offset = region.offset
                widget.styles.width, widget.styles.height = region.size
                widget.set_class(name in PANES and bare(places, name), "bare")
        self.screen_stack[0].query_one(Finder).place()
        self.call_after_refresh(self.draw)  # the panes know their new widths only then

    # Panes

    def action_pane(self, name: str) -> None:
        """To a pane; in columns, journal and output share a place."""
        self.front = name
        if name in ("journal", "output"):
            self.below = name
        self.draw()
        self.screen_stack[0].set_focus(self.panes[name])  # at once: what comes late is no longer wanted

    def action_next_pane(self) -> None:
        """The next pane that is shown, or the next tab."""
        self._step_pane(1)

    def action_previous_pane(self) -> None:
        """The pane before."""
        self._step_pane(-1)

    def _step_pane(self, by: int) -> None:
        shown = [name for name in PANES if name in self._places]
        names = list(PANES) if "tabs" in self._places else shown
        here = names.index(self.front) if self.front in names else 0
        self.action_pane(names[(here + by) % len(names)])

    def action_beside(self, by: int) -> None:
        """The pane to the right, or to the left; with tabs and nothing there, the next or the one before."""
        name = beside(self._places, self.front, by)
        if name is not None:
            self.action_pane(name)
        elif "tabs" in self._places:
            self._step_pane(by)

    def action_zoom(self) -> None:
        """One pane over the whole screen, and back."""
        self.zoomed = not self.zoomed
        self.draw()

    def action_guide(self) -> None:
        """Hide the guide, or show it again; where there is none, nothing."""
        toggled: dict[Guide, Guide] = {"": "", "shown": "hidden", "hidden": "shown"}
        self.guide = toggled[self.guide]
        self.draw()

    def action_fold(self) -> None:
        """Unfold or fold the row under the cursor."""
        pane = self.panes[self.front]
        if pane.row is not None and pane.row.folds:
            self.toggled ^= {pane.row.key}
            self.draw()

    def commands(self) -> list[Entry]:
        """Each theme."""
        said = "Wear this theme until the screen is left; your config.toml stays as it is."
        return [Entry(f"wear({name!r})", "", f"theme: {name}", said) for name in self.looks]

    def action_wear(self, name: str) -> None:
        """Another theme."""
        self.wear(name)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The pane with the keys is the one in front."""
        pane = event.widget
        wanted = [beneath.focused for beneath in self.screen_stack[:1]]  # not one that had the keys meanwhile
        if isinstance(pane, RowPane) and pane in wanted and pane.id in self._places:
            self.front = pane.id

    def on_row_pane_beside(self, event: RowPane.Beside) -> None:
        """From the edge of a pane to what stands there."""
        if len(self.screen_stack) == 1:
            self.action_beside(event.by)

    def on_row_pane_fold(self) -> None:
        """A click on what is chosen."""
        if len(self.screen_stack) == 1:
            self.action_fold()

    def on_row_pane_zoom(self) -> None:
        """Two clicks on a title."""
        if len(self.screen_stack) == 1:
            self.action_zoom()

    def on_tabs_picked(self, event: Tabs.Picked) -> None:
        """A tab was clicked."""
        self.action_pane(event.name)

    def on_row_pane_chosen(self) -> None:
        """What acts are about follows the cursor."""
        row = self.panes[self.front].row
        if row is not None:
            target, attempt, item = self.subject
            about_target = bool(row.target)
            if about_target:
                self.chosen_in = self.panes[self.front].pane.title.lower()
            self.subject = (
                row.target if about_target else target,
                row.attempt if about_target else attempt,
                row.item or item,
            )
            self.rhythm.soon()

    # Ending

    def _fatal_error(self) -> None:
        """Where Textual prints every local variable: only the error itself, since secrets live in variables."""
        fault = traceback.format_exc()
        said = f"The screen failed and has closed; the release's log is whole.\n{fault}"
        self._exit_renderables.append(Text("\n".join(visible(part) for part in said.splitlines())))
        self._close_messages_no_wait()


async def show(
    link: Link,
    theme: str | None = None,
    on_shown: Callable[[], None] = lambda: None,
    settle: Settle = nowhere,
    guided: bool = False,
    driver: type[Driver] = Terminal,
) -> None:
    """Show the session until the person leaves, or a TERM or HUP signal ends the screen.

    `on_shown` is called once the first frame is out. `settle` closes or waives an action of another session, by its
    name, and says why not, or nothing; it is called in a thread. `guided`: hints say what comes next, as in the demo.
    `driver` is what keys come from and drawings go to.

    Returns with the terminal restored. The caller's own handlers for the two signals are its to set
    again. UsageError if there is no such theme.
    """
    app = CockpitApp(link, theme, settle, driver)
    app.on_shown = on_shown
    app.guide = "shown" if guided else ""
    await run_to_its_end(app)


async def run_to_its_end(app: CockpitApp) -> None:
    """As `show`, of an app that was made."""
    loop = asyncio.get_running_loop()
    caught = (signal.SIGTERM, signal.SIGHUP)
    for number in caught:
        loop.add_signal_handler(number, app.exit)
    gc.freeze()  # what was imported is never garbage: to look through it takes 60 ms, in the midst of a scroll
    try:
        await app.run_async()
    finally:
        for number in caught:
            with contextlib.suppress(ValueError):
                loop.remove_signal_handler(number)
