"""The dialogs: a question, its facts, whose decision it is; and the help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Input

from cockpit.core.people import has_key
from cockpit.tui.asks import Ask, Choice
from cockpit.tui.asks.base import Make
from cockpit.tui.keys import KEYS
from cockpit.tui.lines import Block
from cockpit.tui.panes.table import PANES
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, Tone, chop, line, pad, rewrap, wrap
from cockpit.tui.theme import Look

ARM_AFTER = 0.5
"""Seconds without ⏎ before a dialog takes one: a held or pasted key must not confirm anything."""

WIDTH_MOST = 92
LOW = 20
LEAST = 10
"""Rows that a dialog with answers to choose from takes beside them and its foot, at least."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A confirmed question: whose decision it is, the words given, and what makes the command of them."""

    by: str
    text: str
    make: Make | None


class TypedInput(Input):
    """A text field that takes what is typed, never what is pasted."""

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()

    def action_paste(self) -> None:
        """Deaf to paste, by key as well."""


class Dialog(ModalScreen[Answer | None]):
    """Puts one Ask; dismissed with the Answer, or None where the person goes back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", show=False),
        Binding("enter", "confirm", show=False),
        Binding("up", "choose(-1)", show=False),
        Binding("down", "choose(1)", show=False),
        Binding("tab", "author(1)", show=False),
        Binding("shift+tab", "author(-1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
    ]

    def __init__(self, look: Look, ask: Ask, scene: Scene) -> None:
        super().__init__()
        self.look = look
        self.ask = ask
        self.scene = scene
        self.armed = False
        self.complaint = ""
        self._author = 0
        self._chosen: Choice | None = None
        self._arming: Timer | None = None

    @property
    def by(self) -> str:
        """The person whose decision it is."""
        return self.authors[self._author % len(self.authors)] if self.authors else ""

    @property
    def authors(self) -> tuple[str, ...]:
        """Everybody whose decision it may be; the chosen answer may have its own."""
        return (self._chosen.authors if self._chosen else ()) or self.ask.authors

    def compose(self) -> ComposeResult:
        """Title, facts, the field, and whose decision it is."""
        with Vertical(id="dialog", classes="danger" if self.ask.danger else ""):
            yield Block(self.look, id="title")
            with VerticalScroll(id="facts", can_focus=False):
                yield Block(self.look, id="fact-lines")
            if self.ask.choices:
                yield Block(self.look, id="choices")
            if self.ask.word:
                yield TypedInput(id="field", max_length=200)
            elif self.ask.field:
                yield Input(id="field", max_length=500)
            yield Block(self.look, id="foot")

    def on_mount(self) -> None:
        """Deaf to ⏎ at first."""
        self._arm_later()
        self._draw()

    def on_resize(self) -> None:
        """Wrap anew."""
        self._draw()

    def _arm_later(self) -> None:
        if self._arming is not None:
            self._arming.stop()
        self._arming = self.set_timer(ARM_AFTER, self._arm)

    def _arm(self) -> None:
        self.armed = True
        self._draw()

    def _draw(self) -> None:
        width = max(16, min(WIDTH_MOST, self.size.width) - 6)
        self.query_one("#dialog").styles.width = min(WIDTH_MOST, self.size.width)
        tone = "alarm" if self.ask.danger else "strong"
        self._show("#title", [line((part, tone)) for part in wrap(self.ask.title, width)])
        self._show("#fact-lines", [part for fact in self.ask.lines for part in rewrap(fact, width)])
        foot = [part for said in self._foot() for part in rewrap(said, width)]
        self._show("#foot", foot)
        choices = self._choices(width, self.size.height - LEAST - len(foot))
        if choices:
            self._show("#choices", choices)
        self._make_room(len(self.query_one("#title", Block).lines) + len(choices) + len(foot))

    def _make_room(self, told: int) -> None:
        """The facts scroll in what the title, the field and the foot leave; in a low terminal without gaps."""
        low = self.size.height < LOW
        self.query_one("#facts").styles.margin = (0, 0) if low else (1, 0)
        self.query_one("#foot").styles.margin = (0, 0) if low else (1, 0, 0, 0)
        gaps = 0 if low else 3
        if self.ask.choices:
            self.query_one("#choices").styles.margin = (0, 0) if low else (0, 0, 1, 0)
            gaps += 0 if low else 1
        fixed = 2 + told + (1 if self.ask.field or self.ask.word else 0) + gaps
        self.query_one("#facts").styles.max_height = max(1, self.size.height - fixed)

    def _show(self, selector: str, lines: list[Line]) -> None:
        block = self.query_one(selector, Block)
        if len(block.lines) != len(lines):
            block.styles.height = len(lines)
        block.show(lines)

    def _foot(self) -> list[Line]:
        """What to type, whose decision it is, and the keys."""
        foot: list[Line] = []
        if self.complaint:
            foot.append(line((self.complaint, "alarm")))
        elif self.ask.word:
            foot.append(line("type ", (self.ask.word, "strong"), f" to {self.ask.verb}"))
        elif self.ask.field:
            foot.append(line((f"{self.ask.field}{'' if self.ask.needed else ' (may stay empty)'}", "dim")))
        if self.by:
            foot.append(self._whose())
        armed = self.armed and (self._chosen is not None or not self.ask.choices)
        verb = self._chosen.verb if self._chosen else self.ask.verb
        keys = line(("⏎", "key" if armed else "dim"), (f" {verb}", "text" if armed else "dim"))
        if self.ask.choices:
            keys = line(("↑↓", "key"), (" choose    ", "dim")) + keys
        return [*foot, keys + line("    ", ("esc", "key"), (" go back", "dim"))]

    def _choices(self, width: int, room: int) -> list[Line]:
        """The answers; where there are more than there is room for, those around the chosen one."""
        each = [self._choice(choice, width) for choice in self.ask.choices]
        chosen = next((n for n, choice in enumerate(self.ask.choices) if choice is self._chosen), 0)
        first, last = 0, len(each)
        while last - first > 1 and sum(map(len, each[first:last])) > room:
            if last - 1 - chosen >= chosen - first:
                last -= 1
            else:
                first += 1
        shown = [part for lines in each[first:last] for part in lines]
        hidden = len(each) - (last - first)
        return [*shown, line((f"… {hidden} more, up and down", "dim"))] if hidden else shown

    def _choice(self, choice: Choice, width: int) -> list[Line]:
        """An answer and its cost; one that can't be chosen now is quiet, and says why."""
        chosen = choice is self._chosen
        tone: Tone = "dim" if choice.make is None else "strong" if chosen else "text"
        glyph = "–" if choice.make is None else "●" if chosen else "○"
        said = line(
            (f"{glyph} ", "key" if chosen else "dim"), (choice.says, tone), (f": {choice.cost}", "dim")
        )
        return rewrap(said, width)

    def _whose(self) -> Line:
        me = self.scene.link.me
        if self.by == me:
            return line(("as ", "dim"), (self.scene.called(me), "strong"))
        other = "   tab somebody else" if len(self.authors) > 1 else ""
        entered = f", entered at {self.scene.called(me)}'s screen"
        if has_key(self.scene.plan, self.by):
            entered = ", signed with their key"
        return line(("as ", "dim"), (self.scene.called(self.by), "strong"), (entered, "warn"), (other, "dim"))

    # Acting

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """⏎ in the field."""
        event.stop()
        self.action_confirm()

    def on_input_changed(self) -> None:
        """Typing answers a complaint."""
        if self.complaint:
            self.complaint = ""
            self._draw()

    def action_confirm(self) -> None:
        """⏎: only once armed, and only with what is asked for."""
        if not self.armed:
            self._arm_later()
            return
        text = self.query_one("#field", Input).value.strip() if self.ask.field or self.ask.word else ""
        if self.ask.choices and self._chosen is None:
            self.complaint = "choose one of them first with ↑ ↓: nothing was done"
        elif self.ask.word and text != self.ask.word:
            self.complaint = f"that isn't “{self.ask.word}”: nothing was done"
        elif wrong := self.ask.wrong(text):
            self.complaint = wrong
        elif self.ask.needed and not text:
            self.complaint = "this needs a reason: it is read in the review"
        else:
            make = self._chosen.make if self._chosen else self.ask.make
            self.dismiss(Answer(self.by, "" if self.ask.word else text, make))
            return
        self._draw()

    def action_back(self) -> None:
        """esc: nothing happens."""
        self.dismiss(None)

    def action_author(self, by: int) -> None:
        """Another of those whose decision it may be."""
        if len(self.authors) > 1:
            self._author = (self._author + by) % len(self.authors)
            self._draw()

    def action_choose(self, by: int) -> None:
        """The next of the answers that can be given now."""
        may = [choice for choice in self.ask.choices if choice.make is not None]
        if may:
            here = may.index(self._chosen) if self._chosen in may else -1 if by > 0 else 0
            self._chosen, self.complaint = may[(here + by) % len(may)], ""
            self._draw()

    def action_page(self, by: int) -> None:
        """Scroll the facts."""
        facts = self.query_one("#facts", VerticalScroll)
        facts.scroll_relative(y=by * max(1, facts.size.height - 1), animate=False)


class Help(ModalScreen[None]):
    """Every key and what it does."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter,question_mark", "dismiss", show=False)]

    def __init__(self, look: Look, head: tuple[int, str]) -> None:
        super().__init__()
        self.look = look
        self.head = head

    def compose(self) -> ComposeResult:
        """The table of keys, and the log's head."""
        with VerticalScroll(id="dialog"):
            yield Block(self.look, id="fact-lines")

    def on_mount(self) -> None:
        """Scrolled with the arrow keys."""
        self.query_one("#dialog").focus()

    def on_resize(self) -> None:
        """Wrap to the width there is."""
        width = max(16, min(WIDTH_MOST, self.size.width) - 8)
        self.query_one("#dialog").styles.width = min(WIDTH_MOST, self.size.width)
        block = self.query_one("#fact-lines", Block)
        lines = [
            *help_lines(width),
            *head_lines(self.head, width),
            line(),
            line(("esc", "key"), (" goes back", "dim")),
        ]
        block.styles.height = len(lines)
        block.show(lines)


def help_lines(width: int) -> list[Line]:
    """The keys, one below the other."""
    entries = [(key.shown, key.does) for key in KEYS.values()]
    entries.append(
        (f"1-{len(PANES)}", "To a pane: " + ", ".join(p.title.lower() for p in PANES.values()) + ".")
    )
    lines = [line(("Keys", "strong")), line()]
    for shown, does in entries:
        for n, part in enumerate(wrap(does, width - 11)):
            lines.append(line((pad(shown if n == 0 else "", 11), "key"), part))
    return lines


def head_lines(head: tuple[int, str], width: int) -> list[Line]:
    """The log's head in full: kept elsewhere, it shows a log that was cut or rewritten."""
    seq, digest = head
    said = f"The log's head is record {seq}. Kept elsewhere, its hash shows a log that was cut or rewritten:"
    return [
        line(),
        *(line(part) for part in wrap(said, width)),
        *(line((p, "dim")) for p in chop(digest, width)),
    ]
