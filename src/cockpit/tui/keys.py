"""Every key of the screen, once: what it does, and when it is offered."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual.binding import Binding, BindingType

from cockpit.core import people, roles, rollback, rollout
from cockpit.core.attendance import typed
from cockpit.core.checklist import overdue
from cockpit.core.state import breached
from cockpit.tui import asks, entries
from cockpit.tui.asks.alarms import answerable
from cockpit.tui.asks.base import voices
from cockpit.tui.asks.entering import authors_of
from cockpit.tui.asks.forward import promoting, rejectable
from cockpit.tui.asks.roles import movable, takes, waiting
from cockpit.tui.asks.single import signable
from cockpit.tui.doubt import wants_a_person
from cockpit.tui.key import PANE_KEYS, Key, Offer, always
from cockpit.tui.panes.table import PANES
from cockpit.tui.replay_keys import REPLAY_KEYS
from cockpit.tui.review_keys import MOVING, REVIEW_KEYS
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, Tone, join, line


def _while_open(word: str) -> Offer:
    return lambda scene: word if _open(scene) else ""


def _open(scene: Scene) -> bool:
    """Whether anything may still be decided here."""
    state, link = scene.state, scene.link
    over = state.closed is not None or state.left is not None or state.replaced is not None
    return link.seat.may_act and not over and not link.failure


def _stops(scene: Scene) -> bool:
    """Whether the word of somebody who may roll back or abort can be entered here."""
    return bool(voices(scene, people.stoppers(scene.plan), stops=True))


def _mends(scene: Scene) -> bool:
    """Whether the word of somebody who may retry or exclude can be entered here."""
    return bool(voices(scene, people.menders(scene.plan)))


def _forward(scene: Scene) -> bool:
    """Whether the release is under way, going forward."""
    state = scene.state
    return _open(scene) and state.started is not None and state.rollback is None and state.aborted is None


def _pause(scene: Scene) -> str:
    if _open(scene) and scene.state.rollback is not None and scene.state.paused is not None:
        return "go on rolling back" if _stops(scene) else ""
    if not _forward(scene):
        return ""
    if scene.state.paused is None:
        return "pause"
    if rollout.stuck(scene.state) or isinstance(asks.pause(scene), str):
        return ""
    if scene.state.resumed is not None and not breached(scene.state):
        return "go on"
    return "accept and go on" if breached(scene.state) else "resume"


def _go(scene: Scene) -> str:
    state = scene.state
    if not _open(scene) or state.aborted is not None or state.rollback is not None:
        return ""
    if state.started is None:
        return "start" if voices(scene, people.promoters(scene.plan)) else ""
    asking = promoting(scene)
    return "" if isinstance(asking, str) else asking.verb


def _reject(scene: Scene) -> str:
    return "reject" if _open(scene) and rejectable(scene) else ""


def _sign(scene: Scene) -> str:
    return "sign" if _open(scene) and any(signable(scene, item) for item in scene.plan.checklist) else ""


def _sign_wanted(scene: Scene) -> bool:
    """Whether the release waits for a signature that can be given here."""
    return any(overdue(scene.state, item) and signable(scene, item) for item in scene.plan.checklist)


def _enter(scene: Scene) -> str:
    mine = any(authors_of(scene, signal) for signal in typed(scene.plan))
    return "enter a number" if _open(scene) and mine else ""


def _number_wanted(scene: Scene) -> bool:
    signals = typed(scene.plan) if _enter(scene) else ()
    return any(entries.wanted(scene, signal) and authors_of(scene, signal) for signal in signals)


def _troubled(scene: Scene) -> bool:
    state = scene.state
    if not _open(scene) or state.aborted is not None:
        return False
    if state.rollback is not None:
        return any(b.status == "unproven" for wave in rollback.way_back(state, scene.at) for b in wave)
    return bool(rollout.troubled(state))


def _retry(scene: Scene) -> str:
    """Offered where a step may run again: not while it may still be at work out of sight."""
    state = scene.state
    if not _troubled(scene) or not _mends(scene):
        return ""
    if state.rollback is not None:
        every = (b for wave in rollback.way_back(state, scene.at) for b in wave if b.status == "unproven")
        again = (state.latest(b.stage.name, b.step or "", b.target, "back") for b in every)
        return "retry" if any(a is not None and a.status != "rolled_back" for a in again) else ""
    trouble = (p.attempt for _, p in rollout.troubled(state))
    return "retry" if any(a and not rollback.may_still_run(a, scene.at) for a in trouble) else ""


def _doubt(scene: Scene) -> str:
    state = scene.state
    may = _open(scene) and state.started is not None and state.aborted is None
    return "settle doubt" if may and _mends(scene) and rollout.in_doubt(state) else ""


def _loudly(offered: Offer) -> Callable[[Scene], bool]:
    """Loud where a person is needed: what is out of sight may still settle by itself."""
    return lambda scene: bool(offered(scene)) and wants_a_person(scene)


def _close(scene: Scene) -> str:
    result = scene.state.rollback_result
    may = _open(scene) and _stops(scene)
    return "close as it is" if may and result is not None and result.unproven else ""


def _roll_back(scene: Scene) -> str:
    return "roll back" if _forward(scene) and _stops(scene) else ""


def _abort(scene: Scene) -> str:
    return "abort" if _open(scene) and scene.state.aborted is None and _stops(scene) else ""


def _unexplained(scene: Scene) -> str:
    if not _forward(scene):
        return ""
    return "can't explain" if scene.state.unexplained is None else "explain"


def _decline(scene: Scene) -> str:
    proposed = scene.state.proposed is not None
    return "decline" if proposed and _open(scene) and _stops(scene) else ""


def _answer(scene: Scene) -> str:
    return "I'm here" if _open(scene) and answerable(scene) else ""


def _change_limit(scene: Scene) -> str:
    owners = people.promoters(scene.plan)
    return "change a limit" if _open(scene) and scene.plan.thresholds and voices(scene, owners) else ""


def _exclude(scene: Scene) -> str:
    return "exclude" if _forward(scene) and _troubled(scene) and _mends(scene) else ""


def _accept(scene: Scene) -> str:
    return "accept" if _open(scene) and waiting(scene) else ""


def _take_role(scene: Scene) -> str:
    return "take a role" if _open(scene) and takes(scene) else ""


def _hurry(scene: Scene) -> bool:
    alarming = breached(scene.state) or scene.state.proposed is not None
    return bool(_roll_back(scene) and alarming)


KEYS: Mapping[str, Key] = {
    "pause": Key("p", "p", _pause, "Pause: nothing new starts. Again: resume, or accept an exceeded limit."),
    "go": Key(
        "enter",
        "⏎",
        _go,
        "Start the release, promote the stage that waits, or say yes to it as one of several.",
        lambda scene: scene.status in ("ready", "waiting"),
    ),
    "reject": Key(
        "r", "r", _reject, "Reject the stage that waits at its gate, with a reason: the rollout pauses."
    ),
    "roll_back": Key(
        "R",
        "R",
        _roll_back,
        "Undo it on every touched target, proven.",
        _hurry,
    ),
    "abort": Key(
        "A",
        "A",
        _abort,
        "Stop here and leave everything as it is; nothing is undone.",
    ),
    "unexplained": Key(
        "u",
        "u",
        _unexplained,
        "We can't explain this: nothing expands, and a clock runs. Again: say what it was.",
        lambda scene: bool(_unexplained(scene)) and scene.state.unexplained is not None,
    ),
    "decline": Key(
        "D",
        "D",
        _decline,
        "Decline the rollback that is proposed, and go on, with a reason.",
        lambda scene: bool(_decline(scene)),
    ),
    "answer": Key(
        "i",
        "i",
        _answer,
        "I'm here: answer a limit's call for people.",
        lambda scene: bool(_answer(scene)),
    ),
    "doubt": Key(
        "d",
        "d",
        _doubt,
        "Say what became of a step in doubt: it is in place, it isn't, or run it again.",
        _loudly(_doubt),
    ),
    "retry": Key(
        "t",
        "t",
        _retry,
        "Run the step again on the chosen target.",
        _loudly(_retry),
    ),
    "exclude": Key(
        "x",
        "x",
        _exclude,
        "Leave the chosen target out of the rest of the rollout.",
    ),
    "close": Key("c", "c", _close, "Close a rollback that stays partial, as it is."),
    "sign": Key(
        "s",
        "s",
        _sign,
        "Sign the chosen checklist item, or the first open one.",
        lambda scene: bool(_sign(scene)) and _sign_wanted(scene),
    ),
    "enter_number": Key(
        "e",
        "e",
        _enter,
        "Enter the number of a signal that a person reads.",
        _number_wanted,
    ),
    "accept": Key(
        "a",
        "a",
        _accept,
        "Accept the roles that wait for you, or decline one that is offered.",
        lambda scene: bool(_accept(scene)) and bool(roles.waiting(scene.state, scene.link.me)),
    ),
    "hand_over": Key(
        "h",
        "h",
        lambda s: "hand over" if _open(s) and movable(s) else "",
        "Offer a role of yours to somebody, or take the offer back.",
    ),
    "take_role": Key(
        "T",
        "T",
        _take_role,
        "Take over the role of somebody who isn't here, or which nobody holds.",
        lambda scene: bool(_take_role(scene)) and bool(roles.left_open(scene.state)),
    ),
    "change_limit": Key(
        "L", "L", _change_limit, "Change a limit, with a reason: the chosen one in the limits pane, or any."
    ),
    "note": Key("n", "n", _while_open("note"), "Write a note into the journal."),
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
        Binding(key.key, action, priority=key.over_dialogs, show=False) for action, key in KEYS.items()
    ]
    made += [Binding(str(n), f"pane('{name}')", show=False) for n, name in enumerate(PANES, 1)]
    return made


def footer(scene: Scene, width: int, table: Mapping[str, Key] = KEYS, watching: str = "◌ watching") -> Line:
    """The keys offered now, the urgent ones first; what doesn't fit is in the help, whose key always fits.

    Where there is room for it at all, so does the key that leaves.

    A screen that may not act says so, and has no key that does.
    """
    last = line(("?", "key"), (" help", "dim"))
    leave = table["leave"]
    with_leave = join([line((leave.shown, "key"), (f" {leave.offered(scene)}", "dim")), last])
    last = with_leave if with_leave.cells + 1 <= width else last
    shown: list[Line] = [] if scene.link.seat.may_act else [line((watching, "strong"))]
    for action, key in sorted(table.items(), key=lambda entry: not entry[1].loud(scene)):
        if action in ("help", "leave") or not (word := key.offered(scene)):
            continue
        tone: Tone = "strong" if key.loud(scene) else "dim"
        entry = line((key.shown, "key"), (f" {word}", tone))
        if sum(e.cells + 3 for e in [*shown, entry]) + last.cells + 1 <= width:
            shown.append(entry)
    return line(" ") + join([*shown, last])


def markdown() -> str:
    """docs/keys.md."""
    rows = [f"| `{key.shown}` | {key.does} |" for key in KEYS.values()]
    panes = [f"| `{n}` | The {pane.title.lower()} pane. |" for n, pane in enumerate(PANES.values(), 1)]
    return "\n".join(
        [
            "# Keys",
            "",
            "Written by `python -m cockpit.tui.keys > docs/keys.md` from the table the screen itself uses.",
            "",
            "| key | what it does |",
            "|---|---|",
            *rows,
            *panes,
            "| `↑` `↓` `j` `k` `page up` `page down` `home` `end` | Move within a pane. |",
            "",
            "In a dialog: `⏎` confirms, `esc` goes back, `↑` `↓` choose an answer where there are several, `tab`",
            "whose decision it is where several people may take it, `page up` and `page down` scroll. A dialog",
            "takes no `⏎` in its first half second, nor while one is held down, and the word that confirms a",
            "rollback or an abort can't be pasted.",
            "",
            "Whoever has a key in the plan signs items, gates and roles with it: the SSH agent of the screen's",
            "machine does, or what is to be signed is shown. There `ctrl+y` copies the command to run where the",
            "key is, and what that prints is pasted; `⏎` hands it in once it is whole.",
            "",
            "## In the review",
            "",
            "| key | what it does |",
            "|---|---|",
            *(f"| `{key.shown}` | {key.does} |" for key in REVIEW_KEYS.values()),
            *(f"| `{shown}` | {does} |" for shown, does in MOVING),
            "",
            "## In a replay",
            "",
            "| key | what it does |",
            "|---|---|",
            *(f"| `{key.shown}` | {key.does} |" for key in REPLAY_KEYS.values()),
            "",
            "The panes have the keys they always have; `↑` `↓` `j` `page up` `page down` move within one. The keys of",
            "acts say that this is a replay, where the table has no other use for them.",
            "",
        ]
    )


if __name__ == "__main__":
    print(markdown(), end="")
