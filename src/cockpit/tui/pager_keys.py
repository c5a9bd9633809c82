"""Every key of the reader of outputs, once."""

from __future__ import annotations

from cockpit.tui import offers
from cockpit.tui.key import HELP, Group, Key, Table, always


def _key(key: str, shown: str, word: str, does: str, name: str = "", group: Group = "looking") -> Key:
    return Key(key, shown, always(word), does, name=name, group=group)


PAGER_KEYS: Table = {
    "move(1)": _key("down,j", "↓ j", "", "A line down.", "down", "moving"),
    "move(-1)": _key("up,k", "↑ k", "", "A line up.", "up", "moving"),
    "page(1)": _key(
        "space,pagedown", "space", "page", "A screenful down, as page down.", "page_down", "moving"
    ),
    "page(-1)": _key("b,pageup", "b", "", "A screenful up, as page up.", "page_up", "moving"),
    "edge(-1)": _key("g,home", "g", "", "To the first line; home does the same.", "first", "moving"),
    "edge(1)": _key("G,end", "G", "", "To the last line; end does the same.", "last", "moving"),
    "find": _key(
        "slash",
        "/",
        "find",
        "Find plain words; a capital makes case count, ! in front finds what has them not.",
    ),
    "again(1)": _key("n", "n", "next", "To the next line that has the words.", "next"),
    "again(-1)": _key("N", "N", "", "To the line before that has them.", "previous"),
    "follow": _key("f", "f", "follow", "Stay at the end while more is printed, or stop there."),
    "copy": _key("y", "y", "copy", "Copy what is selected with the mouse, else the lines in sight, whole."),
    "save": _key(
        "s", "s", "save", "Save all that is kept to a file, with its controls shown; it says where."
    ),
    "wrap": _key("w", "w", "wrap", "Wrap long lines, or don't."),
    "sideways(1)": _key(
        "right,l", "→", "", "Long lines to the left, unwrapped: what stands further right.", "right"
    ),
    "sideways(-1)": _key("left,h", "←", "", "Back again.", "left"),
    "number": _key("number_sign", "#", "", "Line numbers, or none."),
    "pause": Key("p", "p", offers.pause, "Pause the release, as on the screen.", group="release"),
    "roll_back": Key(
        "R",
        "R",
        offers.roll_back,
        "Roll back, as on the screen.",
        harm=True,
        group="stopping",
    ),
    "help": HELP,
    "on": _key("o", "o", "", "Back to the pane from which the output was opened.", group="screen"),
    "back": _key("escape,q", "esc", "back", "Back to the panes; q does the same.", group="screen"),
}
"""As less has them, where that makes sense here."""
