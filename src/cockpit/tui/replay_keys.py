"""Every key of a replay, once: what it does, and the word it has in the footer."""

from __future__ import annotations

from dataclasses import replace

from cockpit.tui.key import HABIT, MOVES, PANE_KEYS, Key, Table, always
from cockpit.tui.keys import NUMBERS


def _play(key: str, shown: str, word: str, does: str, name: str = "") -> Key:
    return Key(key, shown, always(word), does, name=name, group="release")


REPLAY_KEYS: Table = {
    "play": _play("space", "space", "play", "Play, or stand still."),
    "step(1)": _play("right", "→", "event", "One event on.", "next_event"),
    "step(-1)": _play("left", "←", "", "One event back.", "previous_event"),
    "jump('decision', 1)": _play("d", "d", "decision", "To the next decision.", "next_decision"),
    "jump('decision', -1)": _play("D", "D", "", "To the decision before.", "previous_decision"),
    "known": Key(
        "k",
        "k",
        always("known here"),
        "What did we know here? Every limit with its number, who was here, what was open; of a decision why, and on "
        "what evidence; and what came after.",
    ),
    "jump('breach', 1)": _play("b", "b", "breach", "To the next limit that was exceeded.", "next_breach"),
    "jump('breach', -1)": _play("B", "B", "", "To the breach before.", "previous_breach"),
    "jump('pause', 1)": _play("p", "p", "next pause", "To the next pause of the rollout.", "next_pause"),
    "jump('pause', -1)": _play("P", "P", "", "To the pause before.", "previous_pause"),
    "faster(1)": _play(
        "full_stop,plus", ". +", "faster", "Faster: 1, 2, 5, 10, 20, 50 or 100 times.", "faster"
    ),
    "faster(-1)": _play("comma,minus", ", -", "", "Slower.", "slower"),
    "go_to": _play("g", "g", "go to", "Go to a time of day, or to a record by its number."),
    "skip": _play(
        "s",
        "s",
        "skip",
        "Skip a stretch of more than 5 minutes without an event; from 20 times on that happens by itself.",
    ),
    "first": _play("home", "home", "", "To the beginning."),
    "last": _play("end", "end", "", "To the end."),
    "review": Key(
        "w", "w", always("review"), "The review as it stood here: what cost time, answers and actions."
    ),
    "output": Key(
        "o",
        "o",
        always("output"),
        "Show what the chosen step had printed, once it has ended. Again: all of it, over the whole screen.",
    ),
    "find": Key("slash", "/", always("find"), "Show only what has the words you type, in the pane in front."),
    "copy": Key("y", "y", always("copy"), "Copy what is selected with the mouse, else what is chosen."),
    "open_link": Key("O", "O", always(""), "Open the link in the chosen row; without a display, copy it."),
    "clear": Key(
        "escape", "esc", always(""), "Drop a selection, else the words that are looked for; leave the output."
    ),
    "fold": Key("f", "f", always(""), "Unfold or fold the chosen row."),
    **NUMBERS,
    **PANE_KEYS,
    "leave": Key("q", "q", always("leave"), "Leave the replay.", group="screen"),
    "explain": Key(
        HABIT,
        "ctrl+c",
        always(""),
        "Nothing, on purpose: it says which key leaves.",
        over_dialogs=True,
        group="screen",
        fixed=True,
    ),
}

REPLAY_MOVES: Table = {
    "move(-1)": replace(MOVES["move(-1)"], key="up", shown="↑"),
    "move(1)": MOVES["move(1)"],
    "aside(-1)": replace(MOVES["aside(-1)"], key="h", shown="h"),
    "aside(1)": replace(MOVES["aside(1)"], key="l", shown="l"),
    "move_page(-1)": MOVES["move_page(-1)"],
    "move_page(1)": MOVES["move_page(1)"],
}
"""How one moves within a pane, as far as the replay leaves it the keys."""
