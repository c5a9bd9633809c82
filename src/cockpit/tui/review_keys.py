"""Every key of the review, once: what it does, and its word in the footer."""

from __future__ import annotations

from collections.abc import Mapping

from textual.binding import Binding, BindingType

from cockpit.tui.key import Key, always


def _key(key: str, shown: str, word: str, does: str) -> Key:
    return Key(key, shown, always(word), does)


REVIEW_KEYS: Mapping[str, Key] = {
    "answer": _key(
        "enter", "⏎", "answer", "Answer the chosen question in a line. Again: put it in other words."
    ),
    "act": _key("plus", "+", "action", "Ask for an action, about what is chosen: what, by whom, until when."),
    "settle('closed')": _key(
        "x",
        "x",
        "done",
        "Say that the chosen action is done, and what was done; also of one that an earlier release left.",
    ),
    "settle('waived')": _key("minus", "-", "waive", "Give the chosen action up, and say why."),
    "help": _key("question_mark", "?", "help", "This list of keys."),
    "dismiss": _key("escape,q,w", "esc", "back", "Back to the release; q and w do the same."),
}
MOVING = (
    ("↑ ↓ j k", "To the next thing that can be chosen, or the one before."),
    ("pgup pgdn", "A screenful up or down; home and end lead to the ends."),
)
"""The keys of the list itself."""


def bindings() -> list[BindingType]:
    """The table as Textual bindings."""
    return [Binding(key.key, action, show=False) for action, key in REVIEW_KEYS.items()]
