"""Every key of the screen, once: what it does, and when it is offered."""

from __future__ import annotations

from collections.abc import Mapping

from textual.binding import Binding, BindingType

from cockpit.tui import offers
from cockpit.tui.key import PANE_KEYS, Key, always
from cockpit.tui.panes.table import PANES
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, Tone, join, line

KEYS: Mapping[str, Key] = {
    "pause": Key(
        "p", "p", offers.pause, "Pause: nothing new starts. Again: resume, or accept an exceeded limit."
    ),
    "go": Key(
        "enter",
        "⏎",
        offers.go,
        "Start the release, promote the stage that waits, or say yes to it as one of several.",
        lambda scene: scene.status in ("ready", "waiting"),
    ),
    "reject": Key(
        "r", "r", offers.reject, "Reject the stage that waits at its gate, with a reason: the rollout pauses."
    ),
    "roll_back": Key(
        "R",
        "R",
        offers.roll_back,
        "Undo it on every touched target, proven.",
        offers.hurry,
        harm=True,
    ),
    "abort": Key(
        "A",
        "A",
        offers.abort,
        "Stop here and leave everything as it is; nothing is undone.",
        harm=True,
    ),
    "unexplained": Key(
        "u",
        "u",
        offers.unexplained,
        "We can't explain this: nothing expands, and a clock runs. Again: say what it was.",
        lambda scene: bool(offers.unexplained(scene)) and scene.state.unexplained is not None,
    ),
    "decline": Key(
        "N",
        "N",
        offers.decline,
        "Decline the rollback that is proposed, and go on, with a reason.",
        lambda scene: bool(offers.decline(scene)),
    ),
    "answer": Key(
        "i",
        "i",
        offers.answer,
        "I'm here: answer a limit's call for people.",
        lambda scene: bool(offers.answer(scene)),
    ),
    "doubt": Key(
        "d",
        "d",
        offers.doubt,
        "Say what became of a step in doubt: it is in place, it isn't, or run it again.",
        offers.loudly(offers.doubt),
    ),
    "retry": Key(
        "t",
        "t",
        offers.retry,
        "Run the step again on the chosen target.",
        offers.loudly(offers.retry),
    ),
    "exclude": Key(
        "x",
        "x",
        offers.exclude,
        "Leave the chosen target out of the rest of the rollout.",
    ),
    "close": Key("c", "c", offers.close, "Close a rollback that stays partial, as it is."),
    "sign": Key(
        "s",
        "s",
        offers.sign,
        "Sign the chosen checklist item, or the first open one.",
        lambda scene: bool(offers.sign(scene)) and offers.sign_wanted(scene),
    ),
    "enter_number": Key(
        "e",
        "e",
        offers.enter,
        "Enter the number of a signal that a person reads.",
        offers.number_wanted,
    ),
    "accept": Key(
        "a",
        "a",
        offers.accept,
        "Accept the roles that wait for you, or decline one that is offered.",
        offers.accept_wanted,
    ),
    "hand_over": Key(
        "H", "H", offers.hand_over, "Offer a role of yours to somebody, or take the offer back."
    ),
    "take_role": Key(
        "M",
        "M",
        offers.take_role,
        "Make a role yours: of somebody who isn't here, or which nobody holds.",
        offers.role_wanted,
    ),
    "change_limit": Key(
        "L",
        "L",
        offers.change_limit,
        "Change a limit, with a reason: the chosen one in the limits pane, or any.",
    ),
    "note": Key("n", "n", offers.while_open("note"), "Write a note into the journal."),
    "review": Key(
        "w",
        "w",
        lambda scene: "review" if scene.state.replaced is None else "",
        "The review: what cost time, questions to answer in a line, actions; notes ahead, or once it is over.",
        lambda scene: scene.state.closed is not None,
    ),
    "output": Key("o", "o", always("output"), "Show what the chosen step printed."),
    "fold": Key("space", "space", always(""), "Unfold or fold the chosen row."),
    **PANE_KEYS,
    "leave": Key("q", "q", always("leave"), "Leave the screen; while the release is open, after a question."),
    "explain": Key(
        "ctrl+c,ctrl+q,ctrl+z",
        "ctrl+c",
        always(""),
        "Nothing, on purpose: it says which key leaves and which pauses.",
        over_dialogs=True,
    ),
}


def bindings() -> list[BindingType]:
    """The table as Textual bindings, and a number key for each pane."""
    made: list[BindingType] = [
        Binding(key.key, action, priority=key.over_dialogs, show=False, id=action)
        for action, key in KEYS.items()
    ]
    made += [Binding(str(n), f"pane('{name}')", show=False) for n, name in enumerate(PANES, 1)]
    return made


def offered(scene: Scene) -> frozenset[str]:
    """Every action that would do something now."""
    return frozenset(action for action, key in KEYS.items() if key.offered(scene))


def shown(table: Mapping[str, Key] = KEYS) -> Mapping[str, str]:
    """The key of every action, as it is printed."""
    return {action: key.shown for action, key in table.items()}


def footer(scene: Scene, width: int, table: Mapping[str, Key] = KEYS, watching: str = "◌ watching") -> Line:
    """The keys offered now, the urgent ones first; what doesn't fit is in the help, whose key always fits.

    Where there is room for it at all, so does the key that leaves.

    A screen that may not act says so, and has no key that does.
    """
    last = line(("?", "key"), (" help", "dim"))
    leave = table["leave"]
    with_leave = join([line((leave.shown, "key"), (f" {leave.offered(scene)}", "dim")), last])
    last = with_leave if with_leave.cells + 1 <= width else last
    told: list[Line] = [] if scene.link.seat.may_act else [line((watching, "strong"))]
    for action, key in sorted(table.items(), key=lambda entry: not entry[1].loud(scene)):
        if action in ("help", "leave") or not (word := key.offered(scene)):
            continue
        tone: Tone = "strong" if key.loud(scene) else "dim"
        entry = line((key.shown, "key"), (f" {word}", tone))
        if sum(e.cells + 3 for e in [*told, entry]) + last.cells + 1 <= width:
            told.append(entry)
    return line(" ") + join([*told, last])
