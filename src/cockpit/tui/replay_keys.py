"""Every key of a replay, once: what it does, and the word it has in the footer."""

from __future__ import annotations

from collections.abc import Mapping

from cockpit.tui.key import PANE_KEYS, Key, always

REPLAY_KEYS: Mapping[str, Key] = {
    "play": Key("space", "space", always("play"), "Play, or stand still."),
    "step(1)": Key("right", "→", always("event"), "One event on."),
    "step(-1)": Key("left", "←", always(""), "One event back."),
    "jump('decision', 1)": Key("d", "d", always("decision"), "To the next decision."),
    "jump('decision', -1)": Key("D", "D", always(""), "To the decision before."),
    "known": Key(
        "k",
        "k",
        always("known here"),
        "What did we know here? Every limit with its number, who was here, what was open; of a decision why, and on "
        "what evidence; and what came after.",
    ),
    "jump('breach', 1)": Key("b", "b", always("breach"), "To the next limit that was exceeded."),
    "jump('breach', -1)": Key("B", "B", always(""), "To the one before."),
    "jump('pause', 1)": Key("p", "p", always("next pause"), "To the next pause of the rollout."),
    "jump('pause', -1)": Key("P", "P", always(""), "To the pause before."),
    "faster(1)": Key("full_stop,plus", ". +", always("faster"), "Faster: 1, 2, 5, 10, 20, 50 or 100 times."),
    "faster(-1)": Key("comma,minus", ", -", always(""), "Slower."),
    "go_to": Key("g", "g", always("go to"), "Go to a time of day, or to a record by its number."),
    "skip": Key(
        "s",
        "s",
        always("skip"),
        "Skip a stretch of more than 5 minutes without an event; from 20 times on that happens by itself.",
    ),
    "first": Key("home", "home", always(""), "To the beginning."),
    "last": Key("end", "end", always(""), "To the end."),
    "review": Key(
        "w", "w", always("review"), "The review as it stood here: what cost time, answers and actions."
    ),
    "output": Key("o", "o", always("output"), "Show what the chosen step had printed, once it has ended."),
    "fold": Key("f", "f", always(""), "Unfold or fold the chosen row."),
    **PANE_KEYS,
    "leave": Key("q", "q", always("leave"), "Leave the replay."),
    "explain": Key(
        "ctrl+c,ctrl+q,ctrl+z",
        "ctrl+c",
        always(""),
        "Nothing, on purpose: it says which key leaves.",
        over_dialogs=True,
    ),
}
