"""The dialogs: a question, its facts, whose decision it is; and the help."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
from cockpit.tui.key import Key
from cockpit.tui.keys import KEYS
from cockpit.tui.lines import Block
from cockpit.tui.panes.table import PANES
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, Tone, chop, join, line, pad, rewrap, wrap

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

    def __init__(self, ask: Ask, scene: Scene) -> None:
        super().__init__()
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
            yield Block(id="title")
            with VerticalScroll(id="facts", can_focus=False):
                yield Block(id="fact-lines")
            if self.ask.choices:
                yield Block(id="choices")
            if self.ask.word:
                yield TypedInput(id="field", max_length=200)
            elif self.ask.field:
                yield Input(id="field", max_length=500)
            yield Block(id="foot")

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
        title = [line((part, tone)) for part in wrap(self.ask.title, width)]
        wanted = self._wanted()
        said = rewrap(wanted, width) if wanted.spans else []
        foot = [part for one in self._foot(width) for part in rewrap(one, width)]
        choices = self._choices(width, self.size.height - LEAST - len(said) - len(foot))
        over = self._frame + sum(map(len, (title, said, choices, foot))) - self.size.height
        title, over = _shortened(title, over, width)
        said, over = _shortened(said, over, width)
        self._show("#title", title)
        self._show("#fact-lines", [part for fact in self.ask.lines for part in rewrap(fact, width)])
        self._show("#foot", [*said, *foot])
        if choices:
            self._show("#choices", choices)
        self.query_one("#facts").display = over < 0
        self._make_room(sum(map(len, (title, said, choices, foot))))

    @property
    def _frame(self) -> int:
        """The rows of border, field and gaps; in a low terminal without gaps."""
        gaps = 0 if self.size.height < LOW else 4 if self.ask.choices else 3
        return 2 + (1 if self.ask.field or self.ask.word else 0) + gaps

    def _make_room(self, told: int) -> None:
        """The facts scroll in what the title, the field and the foot leave."""
        low = self.size.height < LOW
        self.query_one("#facts").styles.margin = (0, 0) if low else (1, 0)
        self.query_one("#foot").styles.margin = (0, 0) if low else (1, 0, 0, 0)
        if self.ask.choices:
            self.query_one("#choices").styles.margin = (0, 0) if low else (0, 0, 1, 0)
        self.query_one("#facts").styles.max_height = max(1, self.size.height - self._frame - told)

    def _show(self, selector: str, lines: list[Line]) -> None:
        block = self.query_one(selector, Block)
        if len(block.lines) != len(lines):
            block.styles.height = len(lines)
        block.show(lines)

    def _wanted(self) -> Line:
        """What to type, or what was wrong with it."""
        if self.complaint:
            return line((self.complaint, "alarm"))
        if self.ask.word:
            return line("type ", (self.ask.word, "strong"), f" to {self.ask.verb}")
        empty = "" if self.ask.needed else " (may stay empty)"
        return line((f"{self.ask.field}{empty}", "dim")) if self.ask.field else Line()

    def _foot(self, width: int) -> list[Line]:
        """Whose decision it is, and the keys: in one line, where that is possible."""
        armed = self.armed and (self._chosen is not None or not self.ask.choices)
        verb = self._chosen.verb if self._chosen else self.ask.verb
        keys = [
            line(("↑↓", "key"), (" choose", "dim")) if self.ask.choices else Line(),
            line(("⏎", "key" if armed else "dim"), (f" {verb}", "text" if armed else "dim")),
            line(("esc", "key"), (" go back", "dim")),
        ]
        wide = join(keys, "    ")
        said = wide if wide.cells <= width else join(keys, "  ")
        return [self._whose(), said] if self.by else [said]

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


def _shortened(lines: list[Line], over: int, width: int) -> tuple[list[Line], int]:
    """Lines without so many of the last as are `over`, but one at least; and how many are over then."""
    kept = lines[: max(1, len(lines) - max(0, over))]
    if len(kept) < len(lines):
        kept = [*kept[:-1], (kept[-1] + line(" …")).cut(width)]
    return kept, over - len(lines) + len(kept)


class Help(ModalScreen[None]):
    """Every key and what it does."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter,question_mark", "dismiss", show=False)]

    def __init__(self, head: tuple[int, str], table: Mapping[str, Key] = KEYS) -> None:
        super().__init__()
        self.head = head
        self.table = table

    def compose(self) -> ComposeResult:
        """The table of keys, and the log's head."""
        with VerticalScroll(id="dialog"):
            yield Block(id="fact-lines")

    def on_mount(self) -> None:
        """Scrolled with the arrow keys."""
        self.query_one("#dialog").focus()

    def on_resize(self) -> None:
        """Wrap to the width there is."""
        width = max(16, min(WIDTH_MOST, self.size.width) - 8)
        self.query_one("#dialog").styles.width = min(WIDTH_MOST, self.size.width)
        block = self.query_one("#fact-lines", Block)
        lines = [*self.told(width), line(), line(("esc", "key"), (" goes back", "dim"))]
        block.styles.height = len(lines)
        block.show(lines)

    def told(self, width: int) -> list[Line]:
        """What it says."""
        return [*help_lines(width, self.table), *head_lines(self.head, width)]


def help_lines(width: int, table: Mapping[str, Key] = KEYS) -> list[Line]:
    """The keys, one below the other."""
    panes = f"To a pane: {', '.join(p.title.lower() for p in PANES.values())}."
    return key_lines([*((key.shown, key.does) for key in table.values()), (f"1-{len(PANES)}", panes)], width)


def key_lines(keys: Iterable[tuple[str, str]], width: int) -> list[Line]:
    """Keys with what each does."""
    lines = [line(("Keys", "strong")), line()]
    for shown, does in keys:
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
