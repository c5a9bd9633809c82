"""When each key is offered, and by which word: what can be done at this moment, by who sits here."""

from __future__ import annotations

from collections.abc import Callable

from cockpit.core import consent, people, roles, rollback, rollout
from cockpit.core.attendance import typed
from cockpit.core.checklist import overdue
from cockpit.core.state import breached
from cockpit.tui import asks, entries
from cockpit.tui.asks.agreeing import agreers
from cockpit.tui.asks.alarms import answerable
from cockpit.tui.asks.base import voices
from cockpit.tui.asks.entering import authors_of
from cockpit.tui.asks.forward import promoting, rejectable
from cockpit.tui.asks.roles import movable, takes, waiting
from cockpit.tui.asks.single import signable
from cockpit.tui.doubt import wants_a_person
from cockpit.tui.key import Offer
from cockpit.tui.scene import Scene


def while_open(word: str) -> Offer:
    return lambda scene: word if is_open(scene) else ""


def is_open(scene: Scene) -> bool:
    """Whether anything may still be decided here."""
    state, link = scene.state, scene.link
    over = state.closed is not None or state.left is not None or state.replaced is not None
    return link.seat.may_act and not over and not link.failure


def stops(scene: Scene) -> bool:
    """Whether the word of somebody who may roll back or abort can be entered here."""
    return bool(voices(scene, people.stoppers(scene.plan), stops=True))


def mends(scene: Scene) -> bool:
    """Whether the word of somebody who may retry or exclude can be entered here."""
    return bool(voices(scene, people.menders(scene.plan)))


def forward(scene: Scene) -> bool:
    """Whether the release is under way, going forward."""
    state = scene.state
    return is_open(scene) and state.started is not None and state.rollback is None and state.aborted is None


def pause(scene: Scene) -> str:
    if is_open(scene) and scene.state.rollback is not None and scene.state.paused is not None:
        return "go on rolling back" if stops(scene) else ""
    if not forward(scene):
        return ""
    if scene.state.paused is None:
        return "pause"
    if rollout.stuck(scene.state) or isinstance(asks.pause(scene), str):
        return ""
    if scene.state.resumed is not None and not breached(scene.state):
        return "go on"
    return "accept and go on" if breached(scene.state) else "resume"


def go(scene: Scene) -> str:
    state = scene.state
    if not is_open(scene) or state.aborted is not None or state.rollback is not None:
        return ""
    if state.started is None:
        return "start" if voices(scene, people.promoters(scene.plan)) else ""
    asking = promoting(scene)
    return "" if isinstance(asking, str) else asking.verb


def reject(scene: Scene) -> str:
    return "reject" if is_open(scene) and rejectable(scene) else ""


def sign(scene: Scene) -> str:
    return "sign" if is_open(scene) and any(signable(scene, item) for item in scene.plan.checklist) else ""


def sign_wanted(scene: Scene) -> bool:
    """Whether the release waits for a signature that can be given here."""
    return any(overdue(scene.state, item) and signable(scene, item) for item in scene.plan.checklist)


def enter(scene: Scene) -> str:
    mine = any(authors_of(scene, signal) for signal in typed(scene.plan))
    return "enter a number" if is_open(scene) and mine else ""


def number_wanted(scene: Scene) -> bool:
    signals = typed(scene.plan) if enter(scene) else ()
    return any(entries.wanted(scene, signal) and authors_of(scene, signal) for signal in signals)


def troubled(scene: Scene) -> bool:
    state = scene.state
    if not is_open(scene) or state.aborted is not None:
        return False
    if state.rollback is not None:
        return any(b.status == "unproven" for wave in rollback.way_back(state, scene.at) for b in wave)
    return bool(rollout.troubled(state))


def retry(scene: Scene) -> str:
    """Offered where a step may run again: not while it may still be at work out of sight."""
    state = scene.state
    if not troubled(scene) or not mends(scene):
        return ""
    if state.rollback is not None:
        every = (b for wave in rollback.way_back(state, scene.at) for b in wave if b.status == "unproven")
        again = (state.latest(b.stage.name, b.step or "", b.target, "back") for b in every)
        return "retry" if any(a is not None and a.status != "rolled_back" for a in again) else ""
    trouble = (p.attempt for _, p in rollout.troubled(state))
    return "retry" if any(a and not rollback.may_still_run(a, scene.at) for a in trouble) else ""


def doubt(scene: Scene) -> str:
    state = scene.state
    may = is_open(scene) and state.started is not None and state.aborted is None
    return "settle doubt" if may and mends(scene) and rollout.in_doubt(state) else ""


def loudly(offered: Offer) -> Callable[[Scene], bool]:
    """Loud where a person is needed: what is out of sight may still settle by itself."""
    return lambda scene: bool(offered(scene)) and wants_a_person(scene)


def close(scene: Scene) -> str:
    result = scene.state.rollback_result
    may = is_open(scene) and stops(scene)
    return "close as it is" if may and result is not None and result.unproven else ""


def roll_back(scene: Scene) -> str:
    """By its own word once it is asked for: one agrees, or goes without those who haven't."""
    if not forward(scene) or not voices(scene, consent.askers(scene.plan), stops=True):
        return ""
    if scene.state.back_asked is None:
        return "roll back"
    if agreers(scene):
        return "agree"
    return "override" if stops(scene) else ""


def abort(scene: Scene) -> str:
    return "abort" if is_open(scene) and scene.state.aborted is None and stops(scene) else ""


def unexplained(scene: Scene) -> str:
    if not forward(scene):
        return ""
    return "can't explain" if scene.state.unexplained is None else "explain"


def decline(scene: Scene) -> str:
    asked = scene.state.back_asked
    if asked is not None and is_open(scene):
        mine = scene.link.me == asked.by
        may = voices(scene, consent.decliners(scene.state))
        return ("take it back" if mine else "decline") if may else ""
    proposed = scene.state.proposed is not None
    return "decline" if proposed and is_open(scene) and stops(scene) else ""


def answer(scene: Scene) -> str:
    return "I'm here" if is_open(scene) and answerable(scene) else ""


def change_limit(scene: Scene) -> str:
    owners = people.promoters(scene.plan)
    return "change a limit" if is_open(scene) and scene.plan.thresholds and voices(scene, owners) else ""


def exclude(scene: Scene) -> str:
    return "exclude" if forward(scene) and troubled(scene) and mends(scene) else ""


def accept(scene: Scene) -> str:
    return "accept" if is_open(scene) and waiting(scene) else ""


def accept_wanted(scene: Scene) -> bool:
    """Whether a role waits for who sits here."""
    return bool(accept(scene)) and bool(roles.waiting(scene.state, scene.link.me))


def hand_over(scene: Scene) -> str:
    return "hand over" if is_open(scene) and movable(scene) else ""


def role_wanted(scene: Scene) -> bool:
    """Whether nobody holds a role that could be taken here."""
    return bool(take_role(scene)) and bool(roles.left_open(scene.state))


def take_role(scene: Scene) -> str:
    return "take a role" if is_open(scene) and takes(scene) else ""


def hurry(scene: Scene) -> bool:
    state = scene.state
    alarming = breached(state) or state.proposed is not None or state.back_asked is not None
    return bool(roll_back(scene) and alarming)
