"""The screen of the review: what cost time, everybody's questions, and actions; before the end for notes ahead."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Input

from cockpit.core.attendance import speaks
from cockpit.core.commands import Command, SettleAction
from cockpit.core.events import Settlement
from cockpit.core.friction import Friction, Meter
from cockpit.core.state import State, initial
from cockpit.planfile.recorded import of_session
from cockpit.runtime.link import Link
from cockpit.tui import review_asks, review_keys, rhythm
from cockpit.tui.asks import Ask, Made, entered_by
from cockpit.tui.dialogs import Answer, Dialog
from cockpit.tui.help import Help
from cockpit.tui.key import Table, bound, shown
from cockpit.tui.keyed import Keyed
from cockpit.tui.lines import Block, RowPane
from cockpit.tui.modal import Modal
from cockpit.tui.palette import Palette
from cockpit.tui.palette import entries as to_do
from cockpit.tui.pressing import Pressable
from cockpit.tui.review_entries import Entry, entries, over, rows, standing
from cockpit.tui.review_keys import CHOOSE_ACTION, CHOOSE_QUESTION, END, REVIEW_MOVES, TITLES
from cockpit.tui.scene import Pane, Row, Scene
from cockpit.tui.text import Line, join, line, rewrap, wrap

AT_ONCE = 500
"""Records that are measured between two drawings: a long log takes a few of them, and stops none."""


class ReviewPane(RowPane, inherit_bindings=False):
    """The list; the whole of what is chosen is scrolled into sight."""

    BINDINGS: ClassVar[list[BindingType]] = bound("review", REVIEW_MOVES)

    def _entitle(self, scene: Scene, live: Scene) -> None:
        self.border_title = Content(f"Review  {self.pane.note(scene)}")

    def _into_sight(self, n: int) -> None:
        super()._into_sight(n)
        last = n
        while last + 1 < len(self.rows) and not self.rows[last + 1].key:
            last += 1
        height = max(1, self.container_size.height)
        if last >= self.scroll_offset.y + height:
            self.scroll_to(y=min(n, last - height + 1), animate=False)


@dataclass(frozen=True, slots=True)
class Posed:
    """A question as it is put: with what was typed to it and why that was refused, where it is put again.

    `earlier` names an action of an earlier session that it is about; `before` is the question that led to it, to which
    esc goes back.
    """

    ask: Ask
    earlier: str = ""
    text: str = ""
    refused: str = ""
    before: Posed | None = None


class Again(Dialog):
    """A question of the review. `against` says, at any moment, why it would be refused: whoever types learns it."""

    def __init__(self, posed: Posed, scene: Scene, against: Callable[[], str]) -> None:
        super().__init__(posed.ask, scene)
        self._text = posed.text
        self._against = against
        self._told = ""
        self.complaint = posed.refused

    def on_mount(self) -> None:
        """What was typed stands there again."""
        super().on_mount()
        field = self.query_one("#field", Input)
        with field.prevent(Input.Changed):
            field.value = self._text
        field.cursor_position = len(self._text)
        self.set_interval(rhythm.DRAW_EVERY, self._look)

    def _look(self) -> None:
        against = self._against()
        if against != self._told:
            self._told = self.complaint = against
            self._draw()


class Measured:
    """The friction of a session, measured as its records come."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._begin()

    def _begin(self) -> None:
        self._meter = Meter(_before(self._link))
        self.taken = 0
        self.found: tuple[Friction, ...] = ()

    def look(self) -> None:
        """Take what is new, not more than a drawing has time for."""
        records = self._link.events
        if len(records) < self.taken:  # a replay went back
            self._begin()
        new = records[self.taken : self.taken + AT_ONCE]
        for event in new:
            self.taken += 1
            self._meter.take(self.taken, event)
        if new:
            self.found = self._meter.friction()

    @property
    def unread(self) -> int:
        """The records that weren't measured yet."""
        return len(self._link.events) - self.taken


Settle = Callable[[str, SettleAction], str]
"""Gets an action's name and what becomes of it; says why not, or nothing. It may take its time: in a thread."""


def nowhere(name: str, command: SettleAction) -> str:
    """For who can't get at other sessions: the command that can."""
    verb, said = ("close", "what was done") if command.how == "closed" else ("waive", "why it isn't needed")
    return f'that is said from a shell: `cockpit actions {verb} {name} "{said}"`'


class Elsewhere:
    """The actions of earlier sessions, settled from here: `settled` are the names of those that were."""

    def __init__(self, settle: Settle) -> None:
        self._settle = settle
        self.settled: set[str] = set()

    async def settle(self, name: str, command: SettleAction) -> str:
        """Why it couldn't be settled, or empty."""
        refused = await asyncio.to_thread(self._settle, name, command)
        if not refused:
            self.settled.add(name)
        return refused


class ReviewScreen(Modal[None], inherit_bindings=False):
    """Over the whole terminal. Nothing of the release is steered from here; what it waits for stands at the top."""

    BINDINGS: ClassVar[list[BindingType]] = review_keys.bindings()

    SCOPED_CSS = False  # it holds for the review of a replay, too
    CSS = """
    ReviewScreen { background: $background; }
    ReviewScreen RowPane { position: relative; height: 1fr; }
    #review-top, #review-keys { background: $background; color: $foreground; padding: 0 1; }
    """

    def __init__(self, scene: Callable[[], Scene], elsewhere: Elsewhere) -> None:
        super().__init__()
        self._scene = scene
        self._elsewhere = elsewhere
        self._measured = Measured(scene().link)
        self._entries: list[Entry] = []
        self._pane = ReviewPane("review", Pane("Review", self._rows, note=self._far), 0)
        self._said = ""

    def compose(self) -> ComposeResult:
        """What it is the review of, the list, and the keys."""
        yield Block(id="review-top")
        yield self._pane
        yield Pressable(lambda: shown(self.keys), id="review-keys")

    def on_mount(self) -> None:
        """Drawn by the clock, and again soon while there is more to read."""
        self._pane.focus()
        self.set_interval(rhythm.DRAW_EVERY, self._draw)
        self._draw()

    def on_resize(self) -> None:
        """Wrap anew."""
        self.call_after_refresh(self._draw)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The panes beneath keep their own front."""
        event.stop()

    def on_row_pane_chosen(self, event: RowPane.Chosen) -> None:
        """Other keys are offered for it."""
        event.stop()
        self._say("")

    # Drawing

    def _draw(self) -> None:
        self._measured.look()
        scene, width = self._scene(), self.size.width - 2
        self._block("review-top", self.top(scene, width))
        self._pane.show(scene)
        if self._measured.unread:
            self.call_later(self._draw)
        elif not self._pane.cursor:
            self._pane.cursor = next((row.key for row in self._pane.rows if row.key), "")
        said = [line((part, "warn")) for part in wrap(self._said, width)] if self._said else []
        self._block("review-keys", [*said, self._keys(scene, width)])

    def top(self, scene: Scene, width: int) -> list[Line]:
        """Whose review it is, and how the release ended or what it waits for meanwhile."""
        second = over(scene)
        if scene.state.closed is None:
            second = line(("▲ ", "warn"), ("not over: ", "warn"), scene.sentence)
        lines = [self.whose(scene).cut(width), second.cut(width)]
        ended = _ended(scene.link)
        return [*lines, *rewrap(line(("■ ", "alarm"), (ended, "alarm")), width)] if ended else lines

    def whose(self, scene: Scene) -> Line:
        """The release."""
        release = scene.plan.release
        called = f"{release.service} {release.version}"
        return line(("Review  ", "title"), (called, "strong"), f" → {release.environment}")

    def _far(self, scene: Scene) -> str:
        return standing(scene, None if self._measured.unread else self._measured.found)

    def _block(self, name: str, lines: list[Line]) -> None:
        block = self.query_one(f"#{name}", Block)
        block.styles.height = len(lines)
        block.show(lines)

    def _rows(self, scene: Scene, width: int) -> list[Row]:
        measured = self._measured
        self._entries = entries(scene, measured.found, width, measured.unread, self._elsewhere.settled)
        return rows(self._entries)

    def _keys(self, scene: Scene, width: int) -> Line:
        about = {"act": " about it"} if self.chosen is not None and self.chosen.about else {}
        each = {
            action: line((self.keys[action].shown, "key"), (f" {word}{about.get(action, '')}", "dim"))
            for action in self.offered()
            if (word := self.keys[action].offered(scene))
        }
        end = [each.pop(action) for action in END]
        up, down = (self.keys[action].shown.split()[0] for action in ("move(-1)", "move(1)"))
        choose = line((f"{up}{down}", "key"), (" choose", "dim"))
        whole = join([*each.values(), choose, *end])
        return whole if whole.cells <= width else join([*each.values(), *end[1:]]).cut(width)

    # Acting

    def against(self, scene: Scene) -> str:
        """Why nothing can be added from this screen, or empty."""
        link = scene.link
        if ended := _ended(link):
            return ended
        refused = speaks(scene.plan, link.seat, link.me)
        return refused.reason if refused is not None else ""

    @property
    def chosen(self) -> Entry | None:
        """What the cursor is on."""
        key = self._pane.cursor
        return next((entry for entry in self._entries if key and entry.key == key), None)

    def action_answer(self) -> None:
        """Answer what is chosen, in a line."""
        entry = self.chosen
        if entry is None or not entry.question:
            on_action = entry is not None and entry.settles
            self._refuse(self._settled_by() if on_action else CHOOSE_QUESTION)
            return
        self._put(Posed(review_asks.answer(self._scene(), entry)))

    def action_act(self) -> None:
        """Ask for an action, about what is chosen."""
        self._put(Posed(review_asks.act(self._scene(), self.chosen)))

    def action_settle(self, how: Settlement) -> None:
        """An action is done, or given up: one of this release, or one that an earlier one left."""
        entry = self.chosen
        if entry is None or not entry.settles:
            self._refuse(CHOOSE_ACTION)
            return
        self._put(Posed(review_asks.settle(self._scene(), entry, how), entry.earlier))

    @property
    def keys(self) -> Table:
        """The keys in force."""
        return cast(Keyed, self.app).tables["review"]

    def offered(self) -> tuple[str, ...]:
        """The actions that would do something now."""
        entry, may = self.chosen, not self.against(self._scene())
        acts = ("answer",) if entry is not None and entry.question else ()
        acts += ("settle('closed')", "settle('waived')") if entry is not None and entry.settles else ()
        return (*((*acts, "act") if may else ()), *END)

    def action_palette(self) -> None:
        """Everything that can be done here."""
        offered = (*self.offered(), *REVIEW_MOVES)
        every = to_do(self.keys, self._scene(), lambda action: "" if action in offered else self._why(action))
        self.app.push_screen(Palette(every), self._press)

    def action_help(self) -> None:
        """List the keys."""
        self.app.push_screen(Help(self.keys, self._scene(), titles=TITLES), self._press)

    def _settled_by(self) -> str:
        done, waive = (self.keys[f"settle({how!r})"].shown for how in ("closed", "waived"))
        return f"{done} says that it is done, {waive} that it isn't needed"

    def _why(self, action: str) -> str:
        """Why an action would do nothing now."""
        return self.against(self._scene()) or (CHOOSE_QUESTION if action == "answer" else CHOOSE_ACTION)

    def on_pressable_pressed(self, event: Pressable.Pressed) -> None:
        """A printed key was clicked."""
        event.stop()
        self._press(event.action)

    def _press(self, action: str | None) -> None:
        if action:
            self.app.call_later(self.app.run_action, action, self._pane if action in REVIEW_MOVES else self)

    def _put(self, posed: Posed) -> None:
        scene = self._scene()
        self._say("")
        if not (posed.text or posed.refused) and (against := self.against(scene)):
            self._say(against)
            return

        def answered(answer: Answer | None) -> None:
            if answer is None and posed.before is not None:
                self._put(posed.before)
            elif answer is not None and answer.make is not None:
                via = entered_by(self._scene(), answer.by)
                made = answer.make(scene.link.now(), answer.by, via, answer.text)
                self._follow(replace(posed, text=answer.text, refused=""), made)

        self.app.push_screen(Again(posed, scene, lambda: self.against(self._scene())), answered)

    def _follow(self, posed: Posed, made: Made) -> None:
        if isinstance(made, Ask):
            self._put(Posed(made, before=posed))
        elif not isinstance(made, tuple):
            self.run_worker(self._send(posed, made))

    async def _send(self, posed: Posed, command: Command) -> None:
        if posed.earlier and isinstance(command, SettleAction):
            refused = await self._elsewhere.settle(posed.earlier, command)
        else:
            answered = await self._scene().link.send(command)
            refused = answered.reason if answered is not None else ""
        if refused:
            self._put(replace(posed, refused=refused))
        self._draw()

    def _refuse(self, why: str) -> None:
        """Nothing comes of a key: since nothing can be added at all, or for this reason."""
        self._say(self.against(self._scene()) or why)

    def _say(self, text: str) -> None:
        """A line above the keys, until something else is chosen or done."""
        self._said = text
        self._draw()


def _before(link: Link) -> State:
    """The state before the first record: with the plan as it was opened, whatever was changed in it since."""
    state = link.state
    opened = state.opened
    checked = of_session(opened) if opened is not None else None
    plan = checked.plan if checked is not None else None
    return initial(plan or state.plan, state.render)


def _ended(link: Link) -> str:
    """Why nothing can be recorded from this screen any more, whoever sits here; or empty."""
    if link.failure:
        return f"Nothing can be recorded any more: {link.failure}"
    if not link.ended:
        return ""
    return f"The session is over, and nothing is kept from here any more: go on with {goes_on(link)}."


def goes_on(link: Link) -> str:
    """The command for a review without a screen of its session."""
    opened = link.state.opened
    return f"`cockpit review {opened.session}`" if opened is not None else "`cockpit review`"
