"""The app: draws a session four times a second, turns keys into commands."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import traceback
from collections.abc import Callable
from datetime import datetime

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.widget import Widget

from cockpit import shipped
from cockpit.core.attendance import speaks
from cockpit.core.commands import Command
from cockpit.core.errors import UsageError
from cockpit.runtime.link import Link
from cockpit.tui import asks, keys
from cockpit.tui.asks import Ask, Asked
from cockpit.tui.dialogs import Answer, Dialog, Help
from cockpit.tui.driver import Terminal
from cockpit.tui.layout import Wish, arrange, question_most
from cockpit.tui.lines import Block, RowPane
from cockpit.tui.panes.banner import out_of_reach
from cockpit.tui.panes.header import header
from cockpit.tui.panes.question import question
from cockpit.tui.panes.table import PANES
from cockpit.tui.rhythm import Rhythm
from cockpit.tui.scene import History, Scene, zone_of
from cockpit.tui.style import CSS
from cockpit.tui.tabs import Tabs
from cockpit.tui.text import visible
from cockpit.tui.theme import DEFAULT, WITHOUT_COLOUR, Look, read_all

EXPLAINED = "ctrl+c does nothing here. {pauses}q leaves the screen after a question."


class CockpitApp(App[None], inherit_bindings=False):
    """One session on one screen. Reads the link, never waits for it; every act goes through `link.send`."""

    CSS = CSS
    BINDINGS = keys.bindings()
    ENABLE_COMMAND_PALETTE = False
    NOTIFICATION_TIMEOUT = 8

    def __init__(self, link: Link, theme: str | None = None) -> None:
        """UsageError if there is no such theme."""
        without_colour = "NO_COLOR" in os.environ
        super().__init__(driver_class=Terminal, ansi_color=True if without_colour else None)
        self.on_shown: Callable[[], None] = lambda: None
        looks = read_all(shipped.directory("themes"))
        name = theme or (WITHOUT_COLOUR if without_colour else DEFAULT)
        if name not in looks:
            raise UsageError(f"there is no theme {visible(name)}; there are: {', '.join(looks)}")
        for look in looks.values():
            self.register_theme(look.textual())
        self.look: Look = looks[name]
        self.theme = name
        self.link = link
        self.history = History()
        self.zone = zone_of(link.state.plan)
        self.toggled: set[str] = set()
        self.front = "rollout"
        self.below = "journal"
        self.zoomed = False
        self._subject: tuple[str, str, str] = ("", "", "")
        self._places: dict[str, Region] = {}
        self.rhythm = Rhythm(self, self.draw, lambda: link.events)
        self._halted_at: datetime | None = None
        self._unsubscribe = lambda: None

    # Drawing

    def compose(self) -> ComposeResult:
        """Everything there is; `arrange` decides what is shown where."""
        yield Block(self.look, id="header")
        yield Block(self.look, id="question")
        yield Tabs(self.look, id="tabs")
        for n, (name, pane) in enumerate(PANES.items(), 1):
            yield RowPane(self.look, name, pane, n)
        yield Block(self.look, id="keys")

    def on_mount(self) -> None:
        """Draw by the clock, and soon after each recorded turn."""
        # Textual asks for eager tasks, which run a part of a new task in the middle of its starter:
        # the session in this loop is written for the ordinary kind.
        asyncio.get_running_loop().set_task_factory(None)
        self.panes = {name: self.query_one(f"#{name}", RowPane) for name in PANES}
        self._unsubscribe = self.link.subscribe(self.rhythm.soon)
        self.rhythm.begin()
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
        target, attempt, _ = self._subject
        state = self.link.state
        at = state.closed.at if state.closed is not None else self._halted_at or self.link.now()
        return Scene(self.link, state, at, self.zone, self.history, frozenset(self.toggled), target, attempt)

    def draw(self) -> None:
        """Draw what has changed."""
        if not self.is_mounted_on_screen:
            return
        self._halted_at = (self._halted_at or self.link.now()) if self.link.failure else None
        self.rhythm.drawn()
        self.history.look(self.link)
        scene = self.scene
        width, height = self.size
        tops = header(scene, width)
        asked = question(scene, width, question_most(height, len(tops)))
        self._place(
            Wish(len(tops), len(asked), self._wanted(), self.front, self.zoomed, self.below), width, height
        )
        self._block("header").show(tops)
        self._block("question").show(asked)
        self._block("keys").show([keys.footer(scene, width)])
        if "tabs" in self._places:
            self.screen_stack[0].query_one(Tabs).show_tabs(scene, self.front)
        lowest = max((name for name in PANES if name in self._places), key=lambda n: self._places[n].bottom)
        for name, pane in self.panes.items():
            if name in self._places:
                pane.show(scene, scene.head if name == lowest else "")

    @property
    def is_mounted_on_screen(self) -> bool:
        """Whether there are panes to draw on."""
        return hasattr(self, "panes") and self.is_running

    def _block(self, name: str) -> Block:
        return self.screen_stack[0].query_one(f"#{name}", Block)

    def _wanted(self) -> dict[str, int]:
        plan = self.link.state.plan
        return {name: pane.wanted(plan) for name, pane in PANES.items()}

    def _place(self, wish: Wish, width: int, height: int) -> None:
        places = arrange(width, height, wish)
        if places == self._places:
            return
        self._places = places
        for name in ("header", "question", "tabs", "keys", *PANES):
            widget: Widget = self.screen_stack[0].query_one(f"#{name}")
            region = places.get(name)
            widget.display = region is not None and region.height > 0
            if region is not None:
                widget.styles.offset = region.offset
                widget.styles.width, widget.styles.height = region.size
        self.call_after_refresh(self.draw)  # the panes know their new widths only then

    # Panes

    def action_pane(self, name: str) -> None:
        """To a pane; in columns, journal and output share a place."""
        self.front = name
        if name in ("journal", "output"):
            self.below = name
        self.draw()
        self.panes[name].focus()

    def action_next_pane(self) -> None:
        """The next pane that is shown, or the next tab."""
        self._step_pane(1)

    def action_previous_pane(self) -> None:
        """The pane before."""
        self._step_pane(-1)

    def _step_pane(self, by: int) -> None:
        shown = [name for name in PANES if name in self._places]
        names = shown if len(shown) > 1 else list(PANES)
        here = names.index(self.front) if self.front in names else 0
        self.action_pane(names[(here + by) % len(names)])

    def action_zoom(self) -> None:
        """One pane over the whole screen, and back."""
        self.zoomed = not self.zoomed
        self.draw()

    def action_output(self) -> None:
        """The chosen step's output, and back to where one came from."""
        if self.front == "output":
            self.below = "journal"
            self.action_pane("rollout")
        else:
            self.action_pane("output")

    def action_fold(self) -> None:
        """Unfold or fold the row under the cursor."""
        pane = self.panes[self.front]
        if pane.row is not None and pane.row.folds:
            self.toggled ^= {pane.row.key}
            self.draw()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The pane with the keys is the one in front."""
        if isinstance(event.widget, RowPane) and event.widget.id:
            self.front = event.widget.id

    def on_tabs_picked(self, event: Tabs.Picked) -> None:
        """A tab was clicked."""
        self.action_pane(event.name)

    def on_row_pane_chosen(self) -> None:
        """What acts are about follows the cursor."""
        row = self.panes[self.front].row
        if row is not None:
            target, attempt, item = self._subject
            about_target = bool(row.target)
            self._subject = (
                row.target if about_target else target,
                row.attempt if about_target else attempt,
                row.item or item,
            )
            self.rhythm.soon()

    # Acts

    def action_pause(self) -> None:
        """Pause, resume, or accept an exceeded limit."""
        self._act(asks.pause(self.scene))

    def action_go(self) -> None:
        """Start, or promote the stage that waits."""
        self._act(asks.go(self.scene))

    def action_roll_back(self) -> None:
        """Undo what was touched."""
        self._act(asks.roll_back(self.scene))

    def action_abort(self) -> None:
        """Stop, and leave everything as it is."""
        self._act(asks.abort(self.scene))

    def action_retry(self) -> None:
        """Run a step again on the chosen target."""
        self._act(asks.retry(self.scene, self._subject[0]))

    def action_exclude(self) -> None:
        """Leave the chosen target out."""
        self._act(asks.exclude(self.scene, self._subject[0]))

    def action_doubt(self) -> None:
        """Say what became of a step in doubt."""
        self._act(asks.doubt(self.scene, self._subject[0]))

    def action_close(self) -> None:
        """Close a partial rollback."""
        self._act(asks.close(self.scene))

    def action_sign(self) -> None:
        """Sign the chosen item, or the first open one."""
        self._act(asks.sign(self.scene, self._subject[2] if self.front == "checklist" else ""))

    def action_enter_number(self) -> None:
        """Enter the number of a signal that a person reads."""
        self._act(asks.enter(self.scene))

    def action_change_limit(self) -> None:
        """Move the chosen limit, or one of them all."""
        row = self.panes["limits"].row if self.front == "limits" else None
        self._act(asks.change_limit(self.scene, row.limit if row is not None else ""))

    def action_unexplained(self) -> None:
        """Say that nobody can explain what is seen, or what it was."""
        self._act(asks.unexplained(self.scene))

    def action_decline(self) -> None:
        """Don't roll back although it is proposed."""
        self._act(asks.decline(self.scene))

    def action_answer(self) -> None:
        """I'm here, to a call."""
        self._act(asks.answer(self.scene))

    def action_take_role(self) -> None:
        """Take over the role of somebody who isn't here."""
        self._act(asks.take(self.scene))

    def action_note(self) -> None:
        """Write a note."""
        self._act(asks.note(self.scene))

    def _act(self, asked: Asked) -> None:
        """Put the question, send the command, or say why not."""
        link = self.link
        if link.failure:
            lost = "asked for" if out_of_reach(self.scene) else "recorded"
            self.say(f"Nothing can be {lost} any more: {link.failure}")
        elif link.state.replaced is not None:
            self.say("Another session drives this release now: nothing is decided here any more. q leaves.")
        elif refused := speaks(link.state.plan, link.seat, link.me):
            self.say(refused.reason)
        elif isinstance(asked, str):
            self.say(asked)
        elif isinstance(asked, Ask):
            self._put(asked)
        else:
            self._send(asked)

    def _put(self, ask: Ask) -> None:
        def answered(answer: Answer | None) -> None:
            if answer is not None and answer.make is not None:
                via = asks.entered_by(self.scene, answer.by)
                self._send(answer.make(self.link.now(), answer.by, via, answer.text))

        self.push_screen(Dialog(self.look, ask, self.scene), answered)

    def _send(self, command: Command) -> None:
        self.run_worker(self._sent(command))

    async def _sent(self, command: Command) -> None:
        refused = await self.link.send(command)
        if refused is not None:
            self.say(refused.reason)
        self.draw()

    def say(self, text: str) -> None:
        """A line in the corner, as plain text."""
        self.notify(visible(text), markup=False)

    def action_help(self) -> None:
        """List the keys."""
        self.push_screen(Help(self.look, self.link.head))

    def action_explain(self) -> None:
        """ctrl+c, ctrl+q and ctrl+z do nothing, and say so."""
        may_act = self.link.seat.may_act
        self.say(EXPLAINED.format(pauses="p pauses the release, " if may_act else ""))

    def action_leave(self) -> None:
        """q: at once when the session is over or nothing can be done in it, else after a question."""
        state = self.link.state
        if state.closed or state.left or state.replaced or self.link.failure:
            self.exit()
            return

        def answered(answer: Answer | None) -> None:
            if answer is not None:
                self.exit()

        self.push_screen(Dialog(self.look, asks.leave(self.scene), self.scene), answered)

    # Ending

    def _fatal_error(self) -> None:
        """Where Textual prints every local variable: only the error itself, since secrets live in variables."""
        fault = traceback.format_exc()
        said = f"The screen failed and has closed; the release's log is whole.\n{fault}"
        self._exit_renderables.append(Text("\n".join(visible(part) for part in said.splitlines())))
        self._close_messages_no_wait()


async def show(link: Link, theme: str | None = None, on_shown: Callable[[], None] = lambda: None) -> None:
    """Show the session until the person leaves, or a TERM or HUP signal ends the screen.

    `on_shown` is called once the first frame is out.

    Returns with the terminal restored. The caller's own handlers for the two signals are its to set
    again. UsageError if there is no such theme.
    """
    app = CockpitApp(link, theme)
    app.on_shown = on_shown
    loop = asyncio.get_running_loop()
    caught = (signal.SIGTERM, signal.SIGHUP)
    for number in caught:
        loop.add_signal_handler(number, app.exit)
    try:
        await app.run_async()
    finally:
        for number in caught:
            with contextlib.suppress(ValueError):
                loop.remove_signal_handler(number)
