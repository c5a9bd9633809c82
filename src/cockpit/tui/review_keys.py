"""Every key of the review, once: what it does, and its word in the footer."""

from __future__ import annotations

from collections.abc import Mapping

from textual.binding import BindingType

from cockpit.tui.key import HELP, MOVES, PALETTE, Group, Key, Table, always, bound


def _key(key: str, shown: str, word: str, does: str, name: str = "", group: Group = "release") -> Key:
    return Key(key, shown, always(word), does, name=name, group=group)


REVIEW_KEYS: Table = {
    "answer": _key(
        "enter", "⏎", "answer", "Answer the chosen question in a line. Again: put it in other words."
    ),
    "act": _key(
        "plus", "+", "action", "Ask for an action, about what is chosen: what, by whom, until when.", "action"
    ),
    "settle('closed')": _key(
        "x",
        "x",
        "done",
        "Say that the chosen action is done, and what was done; also of one that an earlier release left.",
        "done",
    ),
    "settle('waived')": _key("minus", "-", "waive", "Give the chosen action up, and say why.", "waive"),
    "palette": PALETTE,
    "help": HELP,
    "dismiss": _key(
        "escape,q,w", "esc", "back", "Back to the release; q and w do the same.", "back", "screen"
    ),
}
REVIEW_MOVES: Table = {action: key for action, key in MOVES.items() if not action.startswith("aside")}
"""How one moves within its list."""

CHOOSE_QUESTION = "choose a question first, with ↑ ↓"
CHOOSE_ACTION = "choose an open action first, with ↑ ↓"

END = ("palette", "help", "dismiss")
"""What is offered at any moment."""

TITLES: Mapping[Group, str] = {"release": "The review", "moving": "Moving", "screen": "The screen"}
"""What its help calls each group of keys."""


def bindings() -> list[BindingType]:
    """The table as Textual bindings."""
    return bound("review", REVIEW_KEYS)
