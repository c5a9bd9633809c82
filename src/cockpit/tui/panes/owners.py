"""Who decides next, who rolls back, and how many are here."""

from __future__ import annotations

from cockpit.core import gates, rollout
from cockpit.tui import presence
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, join, line

NAMED_MOST = 3
"""So many are named who may decide; of more, how many."""


def owners(scene: Scene) -> list[Line]:
    """`decides Dana Ruiz · rolls back Lee Chen (away)`, the longest wording first; nothing once the session is over."""
    if scene.state.closed is not None:
        return [Line()]
    stage = rollout.current_stage(scene.state) if scene.state.started else None
    who = gates.deciders(scene.state, stage, scene.late if stage is not None else "")
    back = _rolls_back(scene)
    wordings = (NAMED_MOST, True), (NAMED_MOST, False), (1, False)
    return [join([_decides(scene, who, *wording), back], " · ") for wording in wordings]


def present(scene: Scene, with_watching: bool) -> Line:
    """`2 here, 1 watching`: how many people are at screens."""
    state = scene.state
    if state.closed is not None or scene.link.failure or not state.screens:
        return Line()
    acting, watching = presence.count(state, "here"), presence.count(state, "watching")
    besides = f", {watching} watching" if with_watching and watching else ""
    return line((f"{acting or 'nobody'} here{besides}", "dim"))


def _decides(scene: Scene, who: tuple[str, ...], most: int, with_presence: bool) -> Line:
    if not who:
        return line(("decides ", "dim"), ("nobody", "warn"))
    mine_first = sorted(who, key=lambda person: person != scene.link.me)
    named = [_who(scene, person, with_presence) for person in mine_first[:most]]
    more = [f"{len(who) - most} more"] if len(who) > most else []
    return line(("decides ", "dim"), " or ".join([*named, *more]))


def _rolls_back(scene: Scene) -> Line:
    owner = scene.plan.roles.rollback_owner
    return line(("rolls back ", "dim"), (_who(scene, owner, True), "text") if owner else ("nobody", "warn"))


def _who(scene: Scene, person: str, with_presence: bool) -> str:
    if person == scene.link.me:
        return "you"
    how = "has left" if person in scene.state.gone else presence.of(scene.state, person)
    told = with_presence and bool(scene.state.screens) and how != "here"
    return scene.called(person) + (f" ({how})" if told else "")
