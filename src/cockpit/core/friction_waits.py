"""What a release waits for between two records, as far as somebody or something could have spared it the wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cockpit.core import checklist, gates, readiness, rollout
from cockpit.core import events as ev
from cockpit.core.attendance import MANUAL
from cockpit.core.friction_pieces import Cause, late
from cockpit.core.plan import ChecklistItem, Stage, Window
from cockpit.core.roles import accepted, called, left_open, wanted
from cockpit.core.state import State, clean, unclean

OWNER = "decision owner"
STOPPERS = "whoever may roll back"
ANYBODY = "anybody"


@dataclass(frozen=True, slots=True)
class Wait:
    """Why the release stands still, from `since` on, where it doesn't from the first moment."""

    cause: Cause
    since: datetime | None = None


def wait(state: State, at: datetime) -> Wait | None:
    """What the release waits for at `at`, or None while it moves, is over, or waits for what is measured by itself.

    That is the unexplained, and doubt. Before the start it is what isn't ready, and at last the go itself, from when
    the window opens; without a window no time was agreed, and whoever opens a session early waits for nobody.
    """
    if state.opened is None or state.closed is not None or state.replaced is not None:
        return None
    if state.started is None:
        return _before(state, state.opened, at)
    if state.left is not None:
        return Wait(stood_still())
    if state.aborted is not None:
        return None
    if state.rollback is not None:
        return _going_back(state)
    if state.back_asked is not None:
        told, before = "the rollback waited for its approval", "Approval of the rollback took"
        return Wait(Cause("approval", "the way back", told, before, ": who else may agree to it?"))
    if state.unexplained is not None:
        return None
    cause = _paused(state) if state.paused is not None else None
    return _going_on(state) if state.paused is None else Wait(cause) if cause is not None else None


def still_paused(before: State, after: State) -> bool:
    """Whether a pause goes on that waits for what it waited for before: to look at each target anew takes time."""
    return after.paused is not None and all(
        a is b for a, b in zip(_matters(before), _matters(after), strict=True)
    )


def _matters(state: State) -> tuple[object, ...]:
    """All that what a pause waits for depends on."""
    on_targets = (state.attempts, state.excluded, state.retries)
    return (state.paused, *on_targets, state.back_asked, state.unexplained, state.left, state.replaced)


def not_running() -> Cause:
    """Cockpit itself was down: nothing moved, nothing was known, and nobody could have decided anything."""
    after = ": what would have told sooner that nothing drives the release?"
    return Cause("doubt", "cockpit", "cockpit wasn't running", "Cockpit wasn't running for", after)


def stood_still() -> Cause:
    """Nobody drives the session: it was left."""
    after = ": what would have told sooner that nobody drives it?"
    return Cause("person", "driver", "the session stood still", "The session stood still for", after)


def _before(state: State, opened: ev.SessionOpened, at: datetime) -> Wait | None:
    window = state.plan.window
    if window is None or state.aborted is not None:
        return None
    for role, _ in wanted(state.plan):
        if not accepted(state, role):
            who = called(role)
            told = f"{who} wasn't accepted yet"
            after = ": could roles be accepted before the window opens?"
            return Wait(
                Cause("person", who, told, f"The start waited for the {who} for", after), window.opens
            )
    if holding := checklist.holding(state, "start"):
        return Wait(_item(state, holding[0], "the start"), window.opens)
    if clean(state):
        return _the_go(state, window, at)
    # The first reading takes a while: it isn't late before its signal's interval is over.
    signal = state.plan.signal(unclean(state)[0].signal)
    return Wait(_signal(state, "the start"), max(window.opens, opened.at + signal.interval))


def _the_go(state: State, window: Window, at: datetime) -> Wait | None:
    """Everything is ready but for the window: from when it opens only the go is missing."""
    if readiness.pending(state) or readiness.blocking(state, max(at, window.opens)):
        return None
    told, before = f"the start waited for the {OWNER}'s go", "The go for the start took"
    return Wait(Cause("person", "the start", told, before, ": who else may give it?"), window.opens)


def _going_back(state: State) -> Wait | None:
    if state.paused is not None:
        told, before = "taken up again in the middle of a rollback", "Taken up again, the rollback waited for"
        return Wait(Cause("person", STOPPERS, told, before, ": who else may go on with it?"))
    if state.rollback_result is not None and state.rollback_result.unproven:
        told, before = "the rollback stayed partial", "A rollback that stayed partial waited for"
        return Wait(Cause("person", STOPPERS, told, before, ": who decides what to do about it?"))
    return None


def _paused(state: State) -> Cause | None:
    """The decision that a pause waits for; None where it is what became of a step in doubt."""
    if (trouble := rollout.troubled(state)) and rollout.stuck(state):
        failed = [(t, p.step) for t, p in trouble if p.status != "in_doubt"]
        if len(failed) < len(trouble):
            return None
        target, step = failed[0]
        before = f"After “{step}” failed on {target}, the release waited for"
        return Cause(
            "person",
            "whoever retries",
            f"“{step}” failed on {target}",
            before,
            ": who else may decide on it?",
        )
    who, told, after = _pause(state)
    return Cause("person", who, told, f"{told[:1].upper()}{told[1:]}, the release waited for", after)


def _pause(state: State) -> tuple[str, str, str]:
    """Whose decision ends it, what paused it, and what is asked about it."""
    decide = ": who else may decide?"
    match state.paused:
        case ev.RolloutPaused(threshold=str(threshold)):
            return OWNER, f"paused by {state.plan.threshold(threshold).called}", decide
        case ev.RolloutPaused(by=ev.COCKPIT):
            return ANYBODY, "paused by steps in trouble", ": who else may decide?"
        case ev.RolloutPaused():
            return ANYBODY, "paused by hand", ": what was missing to go on?"
        case ev.GateTimedOut(stage=stage):
            return ANYBODY, f"paused since nobody decided on “{stage}” in time", decide
        case ev.StageRejected(stage=stage):
            return OWNER, f"paused by the no to “{stage}”", ": what was missing for a decision?"
        case ev.WindowClosed(why=why):
            told = "paused by a freeze" if why else "paused by the end of the window"
            return OWNER, told, ": should the plan leave more room?"
        case ev.LeftAlone():
            return OWNER, "paused since nobody was at a screen", ": who stays until the end?"
        case _:
            return ANYBODY, "taken up again", ": who else may say go on?"


def _going_on(state: State) -> Wait | None:
    """What holds a release that isn't paused: at its end, before a stage, or in a bake."""
    stage = rollout.current_stage(state)
    if stage is None:
        holding = checklist.holding(state, "close")
        return Wait(_item(state, holding[0], "the close")) if holding else None
    if state.phase == "waiting":
        return _entering(state, stage)
    if state.phase == "baking":
        return _baking(state, stage)
    return None


def _entering(state: State, stage: Stage) -> Wait | None:
    what = f"“{stage.name}”"
    if (left := _left(state, what)) is not None:
        return Wait(left)
    if state.promoted == stage.name:
        return None
    if holding := checklist.holding(state, f"stage:{stage.name}"):
        return Wait(_item(state, holding[0], what))
    if not clean(state):
        return Wait(_signal(state, what))
    if not gates.opened(state, stage):
        told, before = f"{what} waited for its approval", f"Approval of {what} took"
        return Wait(Cause("approval", stage.name, told, before, ": who else may approve?"))
    told, before = f"{what} waited for its go", f"The go for {what} took"
    return Wait(Cause("person", OWNER, told, before, ": who else may give it?"))


def _baking(state: State, stage: Stage) -> Wait | None:
    if not clean(state):
        return Wait(_signal(state, f"the bake of “{stage.name}”"))
    left, bake = _left(state, f"what follows “{stage.name}”"), state.bake
    if left is None or bake is None or bake.clean_since is None:
        return None
    return Wait(left, bake.clean_since + (bake.bake_time - bake.clean))


def _left(state: State, what: str) -> Cause | None:
    """A role whose holder was here and has left."""
    for role, _ in left_open(state):
        who = called(role)
        before = f"With the {who} gone, {what} waited for"
        return Cause("person", who, f"the {who} had left", before, ": who stands in?")
    return None


def _item(state: State, item: ChecklistItem, what: str) -> Cause:
    """A checklist item that isn't healthy, or not signed."""
    lacks = "its check" if checklist.unhealthy(state, item) else "its sign-off"
    told, before = f"“{item.id}” held {what}: {lacks}", f"“{item.id}” held {what} for"
    return Cause("check", item.id, told, before, f": could {lacks} be there before it is due?")


def _signal(state: State, what: str) -> Cause:
    """The first limit that isn't clean: not read, beyond what was agreed, or on its way there."""
    first = unclean(state)[0]
    verdict, signal = state.verdicts.get(first.id), state.plan.signal(first.signal)
    unread = verdict is None or (verdict.verdict != "breach" and verdict.breaching_since is None)
    if unread and signal.source == MANUAL:
        told, before = (
            f"“{signal.name}” was late, and held {what}",
            f"“{signal.name}” was late and held {what} for",
        )
        return late(signal.name, told, before)
    if unread:
        told, before = (
            f"{first.called} had no reading, and held {what}",
            f"{first.called}, unread, held {what} for",
        )
        return Cause("signal", first.id, told, before, ": what keeps its signal readable?")
    told, before = f"{first.called} held {what}", f"{first.called} held {what} for"
    return Cause("signal", first.id, told, before, ": is the limit right, or what it watches?")
