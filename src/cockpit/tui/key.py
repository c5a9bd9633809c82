"""What a key is: an entry in a table of keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding, BindingType

from cockpit.tui.scene import Scene

Offer = Callable[[Scene], str]
"""The word the key has at this moment, or empty while it would do nothing."""

Group = Literal["release", "people", "stopping", "looking", "moving", "screen"]
"""Where the help lists a key."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key: as Textual calls it, as it is printed, its word where it is offered, and what it does in a sentence.

    `loud`: it is wanted now. `over_dialogs`: it works above a dialog, too. `harm`: it undoes or stops the release.
    `name` is what a keymap calls it, where that isn't the action's own name; `fixed`: a keymap can't move it.
    """

    key: str
    shown: str
    offered: Offer
    does: str
    loud: Callable[[Scene], bool] = lambda scene: False
    over_dialogs: bool = False
    harm: bool = False
    group: Group = "looking"
    name: str = ""
    fixed: bool = False

    @property
    def each(self) -> tuple[str, ...]:
        """Every single key, as Textual calls it."""
        return tuple(self.key.split(","))

    def word(self, scene: Scene) -> str:
        """What `offered` says, worked out once a moment however many ask: it tries what an act would come to."""
        return scene.once(self.offered)

    def urgent(self, scene: Scene) -> bool:
        """What `loud` says, once a moment."""
        return scene.once(self.loud)


Table = Mapping[str, Key]
"""Keys by their actions."""


def always(word: str) -> Offer:
    """A key that is offered by the same word at any moment; by none where it is empty."""
    return lambda scene: word


def named(action: str, key: Key) -> str:
    """What a keymap calls the action."""
    return key.name or action


def bound(section: str, table: Table) -> list[BindingType]:
    """The table as Textual bindings, each with the id by which a keymap of `section` moves it."""
    return [
        Binding(key.key, action, priority=key.over_dialogs, show=False, id=f"{section}.{named(action, key)}")
        for action, key in table.items()
    ]


def shown(table: Table) -> Mapping[str, str]:
    """The key of every action, as it is printed."""
    return {action: key.shown for action, key in table.items()}


def _move(key: str, shown: str, does: str, name: str) -> Key:
    return Key(key, shown, always(""), does, group="moving", name=name)


MOVES: Table = {
    "move(-1)": _move("up,k", "↑ k", "To the row above.", "up"),
    "move(1)": _move("down,j", "↓ j", "To the row below.", "down"),
    "aside(-1)": _move(
        "left,h", "← h", "To the pane to the left, or among the targets to the one before.", "left"
    ),
    "aside(1)": _move(
        "right,l", "→ l", "To the pane to the right, or among the targets to the next.", "right"
    ),
    "move_page(-1)": _move("pageup", "page up", "A screenful up.", "page_up"),
    "move_page(1)": _move("pagedown", "page down", "A screenful down.", "page_down"),
    "edge(-1)": _move("home,g", "home g", "To the first row.", "first_row"),
    "edge(1)": _move("end,G", "end G", "To the last row.", "last_row"),
}
"""How one moves within a pane."""

PALETTE = Key(
    "ctrl+p",
    "ctrl+p",
    always("more"),
    "Everything that can be done now, to find by words and choose.",
    group="screen",
)
HELP = Key("question_mark", "?", always("help"), "This list of keys.", group="screen")

PANE_KEYS: Table = {
    "zoom": Key("z", "z", always("zoom"), "One pane over the whole screen, and back."),
    "next_pane": Key("tab", "tab", always(""), "To the next pane.", group="moving"),
    "previous_pane": Key("shift+tab", "shift+tab", always(""), "To the pane before.", group="moving"),
    "palette": PALETTE,
    "help": HELP,
}
"""What works alike wherever there are panes."""

HABIT = "ctrl+c,ctrl+q,ctrl+z,ctrl+d,ctrl+backslash"
"""What ends or suspends a program elsewhere: here it never does, and no keymap gives it to anything else."""

DIALOG_KEYS: Table = {
    "confirm": Key("enter", "⏎", always(""), "Confirms, once the dialog has stood for half a second."),
    "back": Key("escape", "esc", always(""), "Goes back: nothing happens."),
    "choose(1)": Key("down", "↓", always(""), "The next answer, where there are several."),
    "choose(-1)": Key("up", "↑", always(""), "The answer before."),
    "author(1)": Key("tab", "tab", always(""), "Whose decision it is, where several people may take it."),
    "author(-1)": Key("shift+tab", "shift+tab", always(""), "The person before."),
    "page(1)": Key("pagedown", "page down", always(""), "The facts, a screenful down."),
    "page(-1)": Key("pageup", "page up", always(""), "A screenful up."),
}
"""The keys of every dialog. A keymap leaves them alone: what confirms and what goes back is the same everywhere."""
