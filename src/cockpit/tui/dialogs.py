"""The dialogs: a question, its facts, and whose decision it is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.css.query import NoMatches
from textual.timer import Timer
from textual.widgets import Input

from cockpit.core.people import has_key
from cockpit.tui.asks import Ask, Asked, Choice
from cockpit.tui.asks.base import Make
from cockpit.tui.fields import Field, TypedInput
from cockpit.tui.following import Following
from cockpit.tui.foot import WORD, Foot
from cockpit.tui.key import DIALOG_KEYS, bound, shown
from cockpit.tui.lines import Block
from cockpit.tui.modal import Modal
from cockpit.tui.pressing import Rows
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, Tone, fit, line, rewrap, spaced, time_of_day, wrap

ARM_AFTER = 0.5
"""Seconds without ⏎ before a dialog takes one: a held or pasted key must not confirm anything."""

HELD = 0.1
"""Seconds that an ⏎ waits for another: a key that is held repeats sooner, and confirms nothing, however long it is."""

LOOK_EVERY = 0.5
"""Seconds between looks at what an open question is about."""

BY_HAND = "a paste is refused: type it, or click its letters"
OVER = "nothing was done: go back with esc"
READ = "I have read it"
WITH_PASTE = "that ⏎ came with pasted text: nothing was done"
CHOOSE = "↑↓"
PRESSED = {**shown(DIALOG_KEYS), "choose(1)": CHOOSE}
"""The keys of a dialog as its foot has them."""

LOW = 20
LEAST = 10
"""Rows that a dialog with answers to choose from takes beside them and its foot, at least."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A confirmed question: whose decision it is, the words given, and what makes the command of them."""

    by: str
    text: str
    make: Make | None


NAME_MOST = 32
"""Cells of a name at the foot."""


class Dialog(Modal[Answer | None]):
    """Puts one Ask; dismissed with the Answer, or None where the person goes back."""

    BINDINGS: ClassVar[list[BindingType]] = bound("dialog", DIALOG_KEYS)

    def __init__(self, ask: Ask, scene: Scene, anew: Callable[[], Asked] | None = None) -> None:
        """`anew` asks it as it stands at any later moment: what changes is shown, and is to be read first."""
        super().__init__()
        self.ask = ask
        self.scene = scene
        self.armed = False
        self.complaint = ""
        self.following = Following(anew, lambda: time_of_day(scene.link.now(), scene.zone))
        self._refused = self._pending = False
        self._author = 0
        self._chosen: Choice | None = None
        self._arming: Timer | None = None
        self._rows: list[Choice] = []

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
        with Vertical(id="dialog"):
            yield Block(id="title")
            with VerticalScroll(id="facts", can_focus=False):
                yield Block(id="fact-lines")
            if self.ask.choices:
                yield Rows(id="choices")
            if self.ask.word:
                yield TypedInput(id="field", max_length=200)
            elif self.ask.field:
                yield Field(id="field", max_length=500)
            yield Foot(lambda: PRESSED, id="foot")

    def on_mount(self) -> None:
        """Deaf to ⏎ at first."""
        self.set_interval(LOOK_EVERY, self._look)
        self._arm_later()
        self._draw()

    def on_resize(self) -> None:
        """Wrap anew."""
        self._draw()

    def _arm_later(self, after: float | None = None, then: Callable[[], None] | None = None) -> None:
        """Deaf until then: for the half second, or for as long as it takes to know that a key isn't held."""
        self.armed = self._pending = False
        if self._arming is not None:
            self._arming.stop()
        self._arming = self.set_timer(ARM_AFTER if after is None else after, then or self._arm)

    def _arm(self) -> None:
        self.armed = True
        self._draw()

    def _look(self) -> None:
        """Show it as it stands now; who answers, what was chosen and what was typed stay, as far as they can."""
        by, says = self.by, self._chosen.says if self._chosen else ""
        self.ask = self.following.look(self.ask)
        self._chosen = next((c for c in self.ask.choices if c.says == says and c.make is not None), None)
        self._author = self.authors.index(by) if by in self.authors else 0
        self._draw()

    def _draw(self) -> None:
        if self.is_current:
            with suppress(NoMatches):  # a timer's last word, while everything is taken down
                self._draw_all()

    def _draw_all(self) -> None:
        width = self.widen()
        self.query_one("#dialog").set_class(self.ask.danger, "danger")
        tone = "alarm" if self.ask.danger else "strong"
        title = [line((part, tone)) for part in wrap(self.ask.title, width)]
        said = [part for one in self._wanted() for part in rewrap(one, width)]
        foot = [part for one in self._foot(width) for part in rewrap(one, width)]
        choices = self._choices(width, self.size.height - LEAST - len(said) - len(foot))
        over = self._frame + sum(map(len, (title, said, choices, foot))) - self.size.height
        title, over = _shortened(title, over, width)
        said, over = _shortened(said, over, width)
        self._show("#title", title)
        facts = [part for fact in self.ask.lines for part in rewrap(fact, width)]
        if len(facts) > -over:  # the last cell belongs to the scrollbar
            facts = [part for fact in self.ask.lines for part in rewrap(fact, width - 1)]
        self._show("#fact-lines", facts)
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

    def _wanted(self) -> list[Line]:
        """What to type, and what was wrong with it; the word stays, since its letters can be clicked."""
        wrong = [line((self.complaint, "alarm"))] if self.complaint else []
        news = [line(("▲ ", "warn"), (self.following.news, "warn"))] if self.following.news else []
        if self.ask.word:
            return [line("type ", (self.ask.word, WORD), f" to {self.ask.verb}"), *wrong, *news]
        empty = "" if self.ask.needed else " (may stay empty)"
        return [*news, *(wrong or ([line((f"{self.ask.field}{empty}", "dim"))] if self.ask.field else []))]

    def _foot(self, width: int) -> list[Line]:
        """Whose decision it is, and the keys: in one line, where that is possible."""
        over, unread = self.following.over, self.following.unread
        answered = unread or self._chosen is not None or not self.ask.choices
        armed = self.armed and answered and not over
        verb = READ if unread and not over else (self._chosen or self.ask).verb
        keys = [
            line((CHOOSE, "key"), (" choose", "dim")) if self.ask.choices else Line(),
            line(("⏎", "key" if armed else "dim"), (f" {verb}", "text" if armed else "dim")),
            line(("esc", "key"), (" go back", "dim")),
        ]
        said = spaced(keys, width)
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
        told = [part for lines in each[first:last] for part in lines]
        self._rows = [self.ask.choices[n] for n in range(first, last) for _ in each[n]]
        hidden = len(each) - (last - first)
        return [*told, line((f"… {hidden} more, up and down", "dim"))] if hidden else told

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
            return line(("as ", "dim"), (self._called(me), "text"))
        other = line("   ", ("tab", "key"), (" somebody else", "dim")) if len(self.authors) > 1 else Line()
        entered = f", entered at {self._called(me)}'s screen"
        if has_key(self.scene.plan, self.by):
            entered = ", signed with their key"
        return line(("as ", "dim"), (self._called(self.by), "text"), (entered, "warn"), other)

    def _called(self, person: str) -> str:
        """By name; one as long as the screen leaves room for the keys below it."""
        return fit(self.scene.called(person), NAME_MOST)

    # Acting

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """⏎ in the field: none that came with a paste."""
        event.stop()
        if self.query_one("#field", Field).hurried:
            self._complain(BY_HAND if self.ask.word else WITH_PASTE)
            return
        self.action_confirm()

    def on_input_changed(self) -> None:
        """Typing answers a complaint, and takes back an ⏎ that it follows at once."""
        self._refused = False
        if not self.armed:
            self._arm_later()
        if self.complaint:
            self.complaint = ""
            self._draw()

    def on_typed_input_refused(self) -> None:
        """A paste, or what comes like one."""
        self._refused = True
        self._complain(BY_HAND)

    def on_foot_letter(self, event: Foot.Letter) -> None:
        """A letter of the word was clicked."""
        if self.ask.word:
            self.query_one("#field", Field).value += event.char

    def on_pressable_pressed(self, event: Foot.Pressed) -> None:
        """A key at the foot was clicked: no button is held down for long."""
        event.stop()
        if event.action == "confirm":
            self._confirm()
        else:
            self.run_worker(self.run_action(event.action))

    def on_rows_picked(self, event: Rows.Picked) -> None:
        """An answer was clicked: it is chosen, and nothing more."""
        choice = self._rows[event.row] if event.row < len(self._rows) else None
        if choice is not None and choice.make is not None:
            self._take_back()
            self._chosen, self.complaint = choice, ""
            self._draw()

    def on_rows_turned(self, event: Rows.Turned) -> None:
        """The wheel over the answers."""
        self.action_choose(event.by)

    def _complain(self, why: str) -> None:
        self.complaint = why
        self._arm_later()
        self._draw()

    def action_confirm(self) -> None:
        """⏎: only once armed, and only if no other follows at once, as of a key that is held."""
        if not self.armed:
            self._arm_later()
            return
        self._arm_later(HELD, self._confirm)
        self._pending = True

    def _take_back(self) -> None:
        """The answer is another one now: an ⏎ that was waiting meant the one before."""
        if self._pending:
            self._arm_later()

    def _confirm(self) -> None:
        """Take what is asked for, or say what is missing."""
        self._look()
        if self.following.over:
            self._complain(OVER)
            return
        if self.following.unread:
            self.following.unread = False
            self._arm_later()
            self._draw()
            return
        text = self.query_one("#field", Input).value.strip() if self.ask.field or self.ask.word else ""
        if self.ask.choices and self._chosen is None:
            why = "choose one of them first with ↑ ↓: nothing was done"
        elif self.ask.word and text != self.ask.word:
            why = f"that isn't “{self.ask.word}”: nothing was done" if text else self._untyped()
        elif not (why := self.ask.wrong(text)) and self.ask.needed and not text:
            why = "this needs a reason: it is read in the review"
        if why:
            self._complain(why)
            return
        make = self._chosen.make if self._chosen else self.ask.make
        self.dismiss(Answer(self.by, "" if self.ask.word else text, make))

    def _untyped(self) -> str:
        """Why the field is empty, where a word is wanted."""
        return BY_HAND if self._refused else f"type “{self.ask.word}” first: nothing was done"

    def action_back(self) -> None:
        """esc: nothing happens."""
        self.dismiss(None)

    def action_author(self, by: int) -> None:
        """Another of those whose decision it may be."""
        if len(self.authors) > 1:
            self._take_back()
            self._author = (self._author + by) % len(self.authors)
            self._draw()

    def action_choose(self, by: int) -> None:
        """The next of the answers that can be given now."""
        may = [choice for choice in self.ask.choices if choice.make is not None]
        if may:
            self._take_back()
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
