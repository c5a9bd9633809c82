"""The help: every key in groups, what is wanted now first; a click on a key presses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from cockpit.tui.key import Group, Key, Table, named, shown
from cockpit.tui.lines import Block
from cockpit.tui.modal import Modal
from cockpit.tui.pressing import Pressable
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, chop, join, line, pad, wrap

KEYS_MOST = 22
"""Cells of the column of keys, at most."""

GROUPS: Mapping[Group, str] = {
    "release": "What the release needs",
    "people": "People, sign-offs, notes",
    "stopping": "Undoing and stopping: asks for a typed word, or for a reason",
    "looking": "Looking",
    "screen": "The screen",
    "moving": "Moving",
}
"""Each group of keys with its title, in the order in which the help has them."""


class Page(Modal[str]):
    """Lines to be read, as long as one likes; dismissed with the action of a key that was clicked, or with nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter,question_mark", "leave", show=False)]

    def compose(self) -> ComposeResult:
        """The lines."""
        with VerticalScroll(id="dialog"):
            yield Pressable(self.keys, id="fact-lines")

    def keys(self) -> Mapping[str, str]:
        """How the keys are printed that can be clicked."""
        return {"": "esc"}

    def on_mount(self) -> None:
        """Scrolled with the arrow keys."""
        self.query_one("#dialog").focus()

    def on_resize(self) -> None:
        """Wrap to the width there is."""
        if not self.is_current:
            return
        width = self.widen(8)
        block = self.query_one("#fact-lines", Block)
        lines = [*self.told(width), line(), line(("esc", "key"), (" goes back", "dim"))]
        block.styles.height = len(lines)
        block.show(lines)

    def told(self, width: int) -> list[Line]:
        """What it says, wrapped."""
        raise NotImplementedError

    def on_pressable_pressed(self, event: Pressable.Pressed) -> None:
        """A key was clicked."""
        event.stop()
        self.dismiss(event.action)

    def action_leave(self) -> None:
        """Back to where one came from."""
        self.dismiss("")


class Help(Page):
    """Every key of a table, and the log's `head` where that is told as well."""

    def __init__(
        self,
        table: Table,
        scene: Scene,
        head: tuple[int, str] | None = None,
        titles: Mapping[Group, str] = GROUPS,
    ) -> None:
        super().__init__()
        self.table = table
        self.scene = scene
        self.head = head
        self.titles = titles

    def keys(self) -> Mapping[str, str]:
        """Those of the table."""
        return {**shown(self.table), **super().keys()}

    def told(self, width: int) -> list[Line]:
        """The keys in their groups."""
        head = head_lines(self.head, width) if self.head is not None else []
        return [*help_lines(width, self.table, self.scene, self.titles), *head]


def help_lines(width: int, table: Table, scene: Scene, titles: Mapping[Group, str] = GROUPS) -> list[Line]:
    """The keys, one below the other: what is wanted now, then each group."""
    wanted = [key for key in table.values() if key.offered(scene) and key.loud(scene)]
    column = min(KEYS_MOST, width // 3, max(len(key.shown) for key in table.values())) + 2
    finds = table["palette"].shown if "palette" in table else ""
    palette = line((finds, "key"), (" finds one by words", "dim")) if finds else Line()
    lines = [line(("Keys", "strong"), ("   a click presses one; ", "dim")) + palette]
    if wanted:
        lines += [line(), line(("Wanted now", "title")), *key_lines(wanted, width, column)]
    for group, title in titles.items():
        every = [(action, key) for action, key in table.items() if key.group == group]
        lines += [line(), line((title, "title"))] if every else []
        lines += (
            _pairs(every, width) if group == "moving" else key_lines([k for _, k in every], width, column)
        )
    return lines


def _pairs(every: list[tuple[str, Key]], width: int) -> list[Line]:
    """Keys side by side, with a word or two each: what they do needs no sentence."""
    lines: list[Line] = []
    for action, key in every:
        pair = line((key.shown, "key"), (f" {named(action, key).replace('_', ' ')}", "text"))
        longer = join([*lines[-1:], pair])
        lines = [*lines[:-1], longer] if lines and longer.cells <= width else [*lines, pair.cut(width)]
    return lines


def key_lines(keys: list[Key], width: int, column: int) -> list[Line]:
    """Keys with what each does."""
    lines: list[Line] = []
    for key in keys:
        for n, part in enumerate(wrap(key.does, width - column)):
            lines.append(line((pad(key.shown if n == 0 else "", column), "key"), part))
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
