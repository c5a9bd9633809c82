"""Every key of the screen, once: what it does, and when it is offered."""

from __future__ import annotations

from collections.abc import Mapping

from textual.binding import BindingType

from cockpit.tui import offers
from cockpit.tui.key import HABIT, PANE_KEYS, Key, Table, always, bound, shown
from cockpit.tui.panes.table import PANES
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, Tone, join, line

__all__ = ["KEYS", "NUMBERS", "bindings", "footer", "offered", "shown"]

NUMBERS: Table = {
    f"pane('{name}')": Key(
        str(n), str(n), always(""), f"To the {pane.title.lower()} pane.", group="moving", name=f"{name}_pane"
    )
    for n, (name, pane) in enumerate(PANES.items(), 1)
}
"""A number key for each pane."""

KEYS: Table = {
    "pause": Key(
        "p",
        "p",
        offers.pause,
        "Pause: nothing new starts. Again: a question first, then it goes on, or accepts an exceeded limit.",
        group="release",
    ),
    "go": Key(
        "enter",
        "⏎",
        offers.go,
        "Start the release, promote the stage that waits, or say yes to it as one of several.",
        lambda scene: scene.status in ("ready", "waiting"),
        group="release",
    ),
    "reject": Key(
        "r",
        "r",
        offers.reject,
        "Reject the stage that waits at its gate, with a reason: the rollout pauses.",
        group="release",
    ),
    "roll_back": Key(
        "R",
        "R",
        offers.roll_back,
        "Undo it on every touched target, proven. Where others must agree: ask them, agree, or override them.",
        offers.hurry,
        harm=True,
        group="stopping",
    ),
    "abort": Key(
        "A",
        "A",
        offers.abort,
        "Stop here and leave everything as it is; nothing is undone.",
        harm=True,
        group="stopping",
    ),
    "unexplained": Key(
        "u",
        "u",
        offers.unexplained,
        "We can't explain this: nothing expands, and a clock runs. Again: say what it was.",
        lambda scene: bool(offers.unexplained(scene)) and scene.state.unexplained is not None,
        group="release",
    ),
    "decline": Key(
        "N",
        "N",
        offers.decline,
        "Decline the rollback that is proposed or asked for, with a reason; or take back that you asked.",
        lambda scene: bool(offers.decline(scene)),
        group="release",
    ),
    "answer": Key(
        "i",
        "i",
        offers.answer,
        "I'm here: answer a limit's call for people.",
        lambda scene: bool(offers.answer(scene)),
        group="release",
    ),
    "doubt": Key(
        "d",
        "d",
        offers.doubt,
        "Say what became of a step in doubt: it is in place, it isn't, or run it again.",
        offers.loudly(offers.doubt),
        group="release",
    ),
    "retry": Key(
        "t",
        "t",
        offers.retry,
        "Run the step again on the chosen target.",
        offers.loudly(offers.retry),
        group="release",
    ),
    "exclude": Key(
        "x",
        "x",
        offers.exclude,
        "Leave the chosen target out of the rest of the rollout.",
        group="release",
    ),
    "close": Key(
        "C",
        "C",
        offers.close,
        "Close a rollback that stays partial, as it is: the release ends so.",
        harm=True,
        group="stopping",
    ),
    "sign": Key(
        "s",
        "s",
        offers.sign,
        "Sign the chosen checklist item, or the first open one.",
        lambda scene: bool(offers.sign(scene)) and offers.sign_wanted(scene),
        group="people",
    ),
    "enter_number": Key(
        "e",
        "e",
        offers.enter,
        "Enter the number of a signal that a person reads.",
        offers.number_wanted,
        group="people",
    ),
    "accept": Key(
        "a",
        "a",
        offers.accept,
        "Accept the roles that wait for you, or decline one that is offered.",
        offers.accept_wanted,
        group="people",
    ),
    "hand_over": Key(
        "H",
        "H",
        offers.hand_over,
        "Offer a role of yours to somebody, or take the offer back.",
        group="people",
    ),
    "take_role": Key(
        "M",
        "M",
        offers.take_role,
        "Make a role yours: of somebody who isn't here, or which nobody holds.",
        offers.role_wanted,
        group="people",
    ),
    "change_limit": Key(
        "L",
        "L",
        offers.change_limit,
        "Change a limit, with a reason: the chosen one in the limits pane, or any.",
        group="release",
    ),
    "note": Key("n", "n", offers.while_open("note"), "Write a note into the journal.", group="people"),
    "review": Key(
        "w",
        "w",
        lambda scene: "review" if scene.state.replaced is None else "",
        "The review: what cost time, questions to answer in a line, actions; notes ahead, or once it is over.",
        lambda scene: scene.state.closed is not None,
    ),
    "output": Key(
        "o",
        "o",
        always("output"),
        "Show what the chosen step printed. Again: all that is kept of it, over the whole screen.",
    ),
    "find": Key(
        "slash",
        "/",
        always("find"),
        "Show only what has the words you type, in the pane in front. Plain text; a capital makes case count, "
        "and ! in front shows what hasn't got them.",
    ),
    "copy": Key(
        "y",
        "y",
        always("copy"),
        "Copy what is selected with the mouse, else what is chosen: a row in full, a step's whole output.",
    ),
    "freeze": Key(
        "f",
        "f",
        always("freeze"),
        "Freeze what the panes show, to read it; the release goes on, and what needs you is still shown. "
        "Again: show what is true now.",
    ),
    "open_link": Key(
        "O",
        "O",
        always(""),
        "Open the link in the chosen row or in the question; without a display, copy it.",
    ),
    "clear": Key(
        "escape", "esc", always(""), "Drop a selection, else the words that are looked for; leave the output."
    ),
    "fold": Key("space", "space", always(""), "Unfold or fold the chosen row."),
    **NUMBERS,
    **PANE_KEYS,
    "guide": Key(
        "f1",
        "F1",
        lambda scene: {"": "", "shown": "hide hints", "hidden": "hints"}[scene.guide],
        "In the demo: hide the hints on what comes next, or show them again.",
        group="screen",
    ),
    "leave": Key(
        "q",
        "q",
        always("leave"),
        "Leave the screen; while the release is open, after a question.",
        group="screen",
    ),
    "explain": Key(
        HABIT,
        "ctrl+c",
        always(""),
        "Copies what is selected with the mouse; else nothing, on purpose: it says which key leaves and which pauses.",
        over_dialogs=True,
        group="screen",
        fixed=True,
    ),
}


def bindings() -> list[BindingType]:
    """The table as Textual bindings."""
    return bound("screen", KEYS)


def offered(scene: Scene) -> frozenset[str]:
    """Every action that would do something now."""
    return frozenset(action for action, key in KEYS.items() if key.word(scene))


APART = "     "
"""Between the keys that stop or undo the release and all others."""


def footer(scene: Scene, width: int, table: Table = KEYS, watching: str = "◌ watching") -> Line:
    """The keys offered now, in three groups that keep their places: the urgent ones first; what stops or undoes the
    release, set apart; and leaving and help, which always fit where anything does.

    What doesn't fit is in the help. A screen that may not act says so, and has no key that does.
    """
    entries = {action: _entry(key, scene) for action, key in table.items() if key.word(scene)}
    last = _last(entries, width)
    loudest = sorted(entries, key=lambda action: not table[action].urgent(scene))
    urgent = [action for action in loudest if table[action].urgent(scene)]
    said = [] if scene.link.seat.may_act else [line((watching, "strong"))]
    kept: set[str] = set()
    for action in dict.fromkeys((*urgent, *entries)):
        if action not in END and _row(said, entries, loudest, {*kept, action}, table, last).cells <= width:
            kept.add(action)
    return _row(said, entries, loudest, kept, table, last)


END = ("palette", "leave", "help")
"""What stands at the end of the footer."""

PALETTE_LEAST = 100
"""Columns from which on the footer has the palette: below, the help leads there."""


def _entry(key: Key, scene: Scene) -> Line:
    tone: Tone = "strong" if key.urgent(scene) else "dim"
    return line((key.shown, "key"), (f" {key.word(scene)}", tone))


def _last(entries: Mapping[str, Line], width: int) -> Line:
    """The end: help always, leaving where it fits, and the palette where there is plenty of room."""
    ends = [join([entries[action] for action in END[n:]]) for n in range(len(END))]
    fitting = [end for end in ends[0 if width >= PALETTE_LEAST else 1 :] if end.cells + 1 <= width]
    return fitting[0] if fitting else ends[-1]


def _row(
    said: list[Line],
    entries: Mapping[str, Line],
    order: list[str],
    kept: set[str],
    table: Table,
    last: Line,
) -> Line:
    calm = join([*said, *(entries[action] for action in order if action in kept and not table[action].harm)])
    harm = join([entries[action] for action in entries if action in kept and table[action].harm])
    return line(" ") + join([calm, join([harm, last], APART)], APART if harm.spans else "   ")
