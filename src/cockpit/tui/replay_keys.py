"""Every key of a replay, once: what it does, and the word it has in the footer."""

from __future__ import annotations

from collections.abc import Mapping

from cockpit.tui.key import Key, Offer


def _word(word: str) -> Offer:
    return lambda scene: word


REPLAY_KEYS: Mapping[str, Key] = {
    "play": Key("space", "space", _word("play"), "Play, or stand still."),
    "step(1)": Key("right", "→", _word("event"), "One event on."),
    "step(-1)": Key("left", "←", _word(""), "One event back."),
    "jump('decision', 1)": Key("d", "d", _word("decision"), "To the next decision."),
    "jump('decision', -1)": Key("D", "D", _word(""), "To the decision before."),
    "known": Key(
        "k",
        "k",
        _word("known here"),
        "What did we know here? Every limit with its number, who was here, what was open; of a decision why, and on "
        "what evidence; and what came after.",
    ),
    "jump('breach', 1)": Key("b", "b", _word("breach"), "To the next limit that was exceeded."),
    "jump('breach', -1)": Key("B", "B", _word(""), "To the one before."),
    "jump('pause', 1)": Key("p", "p", _word("next pause"), "To the next pause of the rollout."),
    "jump('pause', -1)": Key("P", "P", _word(""), "To the pause before."),
    "faster(1)": Key("full_stop,plus", ". +", _word("faster"), "Faster: 1, 2, 5, 10, 20, 50 or 100 times."),
    "faster(-1)": Key("comma,minus", ", -", _word(""), "Slower."),
    "go_to": Key("g", "g", _word("go to"), "Go to a time of day, or to a record by its number."),
    "skip": Key(
        "s",
        "s",
        _word("skip"),
        "Skip a stretch of more than 5 minutes without an event; from 20 times on that happens by itself.",
    ),
    "first": Key("home", "home", _word(""), "To the beginning."),
    "last": Key("end", "end", _word(""), "To the end."),
    "review": Key(
        "w", "w", _word("review"), "The review as it stood here: what cost time, answers and actions."
    ),
    "output": Key("o", "o", _word("output"), "Show what the chosen step had printed, once it has ended."),
    "fold": Key("f", "f", _word(""), "Unfold or fold the chosen row."),
    "zoom": Key("z", "z", _word("zoom"), "One pane over the whole screen, and back."),
    "next_pane": Key("tab", "tab", _word(""), "To the next pane."),
    "previous_pane": Key("shift+tab", "shift+tab", _word(""), "To the pane before."),
    "help": Key("question_mark", "?", _word("help"), "This list of keys."),
    "leave": Key("q", "q", _word("leave"), "Leave the replay."),
    "explain": Key(
        "ctrl+c,ctrl+q,ctrl+z",
        "ctrl+c",
        _word(""),
        "Nothing, on purpose: it says which key leaves.",
        over_dialogs=True,
    ),
}
