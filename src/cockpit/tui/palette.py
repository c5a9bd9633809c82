"""The palette: everything that can be done now, found by words, with its key and its sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from cockpit.tui.fields import Field
from cockpit.tui.key import DIALOG_KEYS, Table, named, shown
from cockpit.tui.lines import Block
from cockpit.tui.modal import Modal
from cockpit.tui.pressing import Pressable, Rows
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, Tone, line, pad, spaced, wrap

AROUND = 6
"""Rows of the palette beside its list and what the chosen one does: border, field, keys, and two gaps."""

LOW = 20
"""Rows below which it has no gaps, and a line for what the chosen one does."""

MARGINS = {"choices": (0, 0, 1, 0), "fact-lines": (0, 0), "foot": (1, 0, 0, 0)}

LEFT_OUT = ("palette", "explain")


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to do: its action, its key as printed, a word or two, and a sentence.

    `against` says why it would do nothing now, or is empty; `harm` as in Key; `name` is what a keymap calls it.
    """

    action: str
    key: str
    word: str
    does: str
    name: str = ""
    against: str = ""
    harm: bool = False

    @property
    def words(self) -> str:
        """All that it can be found by."""
        return f"{self.word} {self.name.replace('_', ' ')} {self.key} {self.does}".lower()


def entries(table: Table, scene: Scene, against: Callable[[str], str]) -> list[Entry]:
    """The table's keys: those that are wanted first, those that do harm behind all that can be done.

    `against` says of an action why it would do nothing now, or is empty.
    """
    order = sorted(table.items(), key=lambda entry: (entry[1].harm, not entry[1].loud(scene)))
    made: list[Entry] = []
    for action, key in order:
        if action not in LEFT_OUT:
            name, word = named(action, key), key.offered(scene)
            word = word or name.replace("_", " ")
            made.append(Entry(action, key.shown, word, key.does, name, against(action), key.harm))
    return made


def found(every: Iterable[Entry], typed: str) -> list[Entry]:
    """What can be done, or all in which each of the typed words occurs: what begins with them first."""
    words = typed.lower().split()
    if not words:
        return [entry for entry in every if not entry.against]
    fitting = [entry for entry in every if all(word in entry.words for word in words)]
    start = " ".join(words)
    return sorted(fitting, key=lambda e: (bool(e.against), e.harm, not e.word.lower().startswith(start)))


class Palette(Modal[str]):
    """Puts the entries; dismissed with the action of the chosen one, or with nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", show=False),
        Binding("enter", "confirm", show=False),
        Binding("up", "choose(-1)", show=False),
        Binding("down", "choose(1)", show=False),
        Binding("pageup", "choose(-10)", show=False),
        Binding("pagedown", "choose(10)", show=False),
    ]

    def __init__(self, every: Sequence[Entry]) -> None:
        super().__init__()
        self.every = every
        self.fitting = found(every, "")
        self._at = 0
        self._top = 0

    @property
    def chosen(self) -> Entry | None:
        """The entry under the cursor."""
        return self.fitting[self._at] if self.fitting else None

    def compose(self) -> ComposeResult:
        """The field, the list, what the chosen one does, the keys."""
        with Vertical(id="dialog"):
            yield Field(id="field", max_length=60)
            yield Rows(id="choices")
            yield Block(id="fact-lines")
            yield Pressable(lambda: {**shown(DIALOG_KEYS), "choose(1)": "↑↓"}, id="foot")

    def on_mount(self) -> None:
        """Ready to type."""
        self._draw()

    def on_resize(self) -> None:
        """As many as fit."""
        self._draw()

    def on_input_changed(self) -> None:
        """What fits the words."""
        self.fitting = found(self.every, self.query_one("#field", Field).value)
        self._at = self._top = 0
        self._draw()

    def _draw(self) -> None:
        if not self.is_current:
            return
        width = self.widen()
        low = self.size.height < LOW
        told = self._told(width)[: 1 if low else None]
        room = max(1, self.size.height - (AROUND - 2 if low else AROUND) - len(told))
        self._top = min(max(self._top, self._at - room + 1), self._at)
        listed = [self._row(n, width) for n in range(self._top, min(self._top + room, len(self.fitting)))]
        listed = listed or [line(("  nothing is called that", "dim"))]
        listed += [Line()] * (min(room, len(found(self.every, ""))) - len(listed))  # it stands where it stood
        for name, lines in (("choices", listed), ("fact-lines", told), ("foot", [self._foot(width)])):
            block = self.query_one(f"#{name}", Block)
            block.styles.height = len(lines)
            block.styles.margin = (0, 0) if low else MARGINS[name]
            block.show(lines)

    def _row(self, n: int, width: int) -> Line:
        entry, chosen = self.fitting[n], n == self._at
        tone: Tone = "dim" if entry.against else "strong" if chosen else "text"
        return line(
            ("› " if chosen else "  ", "key"),
            (pad(entry.key, 11), "dim" if entry.against else "key"),
            (pad(entry.word, 22), tone),
            (f"not now: {entry.against}" if entry.against else entry.does, "dim"),
        ).cut(width)

    def _told(self, width: int) -> list[Line]:
        """What the chosen one does, in full, and what a keymap calls it."""
        if (entry := self.chosen) is None:
            return [line()]
        said = [line(part) for part in wrap(entry.does, width)]
        if entry.against:
            said = [line((part, "warn")) for part in wrap(f"not now: {entry.against}", width)]
        name = (
            [line((f"keymap.toml: {entry.name}", "dim"))]
            if entry.name and self.size.height > AROUND * 3
            else []
        )
        return [*said, *name]

    def _foot(self, width: int) -> Line:
        ready = self.chosen is not None and not self.chosen.against
        keys = (
            line(("⏎", "key" if ready else "dim"), (" do it", "text" if ready else "dim")),
            line(("↑↓", "key"), (" choose", "dim")),
            line(("esc", "key"), (" go back", "dim")),
        )
        return spaced(keys, width)

    # Acting

    def on_pressable_pressed(self, event: Pressable.Pressed) -> None:
        """A key at the foot was clicked."""
        event.stop()
        self.run_worker(self.run_action(event.action))

    def on_rows_picked(self, event: Rows.Picked) -> None:
        """An entry was clicked."""
        if self._top + event.row < len(self.fitting):
            self._at = self._top + event.row
            self._draw()
            self.action_confirm()

    def on_rows_turned(self, event: Rows.Turned) -> None:
        """The wheel."""
        self.action_choose(event.by)

    def on_input_submitted(self, event: events.Event) -> None:
        """⏎ in the field: none that came with a paste."""
        event.stop()
        if not self.query_one("#field", Field).hurried:
            self.action_confirm()

    def action_confirm(self) -> None:
        """Do the chosen one."""
        if self.chosen is not None and not self.chosen.against:
            self.dismiss(self.chosen.action)

    def action_choose(self, by: int) -> None:
        """Up and down."""
        self._at = min(max(0, self._at + by), max(0, len(self.fitting) - 1))
        self._draw()

    def action_back(self) -> None:
        """Nothing happens."""
        self.dismiss("")
