"""What a key is: an entry in a table of keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cockpit.tui.scene import Scene

Offer = Callable[[Scene], str]
"""The word the key has at this moment, or empty while it would do nothing."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key: as Textual calls it, as it is printed, its word where it is offered, and what it does in a sentence.

    `loud`: it is wanted now. `over_dialogs`: it works above a dialog, too. `harm`: it undoes or stops the release.
    """

    key: str
    shown: str
    offered: Offer
    does: str
    loud: Callable[[Scene], bool] = lambda scene: False
    over_dialogs: bool = False
    harm: bool = False


def always(word: str) -> Offer:
    """A key that is offered by the same word at any moment; by none where it is empty."""
    return lambda scene: word


MOVES: Mapping[str, Key] = {
    "move(-1)": Key("up,k", "↑ k", always(""), "To the row above."),
    "move(1)": Key("down,j", "↓ j", always(""), "To the row below."),
    "move_page(-1)": Key("pageup", "page up", always(""), "A screenful up."),
    "move_page(1)": Key("pagedown", "page down", always(""), "A screenful down."),
    "edge(-1)": Key("home,g", "home g", always(""), "To the first row."),
    "edge(1)": Key("end,G", "end G", always(""), "To the last row."),
}
"""How one moves within a pane."""

PANE_KEYS: Mapping[str, Key] = {
    "zoom": Key("z", "z", always("zoom"), "One pane over the whole screen, and back."),
    "next_pane": Key("tab", "tab", always(""), "To the next pane."),
    "previous_pane": Key("shift+tab", "shift+tab", always(""), "To the pane before."),
    "help": Key("question_mark", "?", always("help"), "This list of keys."),
}
"""What works alike wherever there are panes."""
