"""Taking over a role whose holder isn't here."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from cockpit.core import commands as cmd
from cockpit.core import people
from cockpit.core.commands import Command
from cockpit.tui.asks.base import Ask, Asked, Choice, Make, refusal, voices
from cockpit.tui.scene import Scene
from cockpit.tui.text import line

LEADING = ("decision_owner", "rollback_owner")


def take(scene: Scene) -> Asked:
    """Hold a role from now on: one choice for each whose holder isn't here."""
    roles = scene.plan.roles
    away = [role for role, holder in roles.held() if holder != scene.link.me and not scene.state.here(holder)]
    if not away:
        return "no role can be taken over: whoever holds one is here"
    refused = {role: refusal(scene, _taking(role)(scene.at, scene.link.me, "", "?")) for role in away}
    if all(refused.values()):
        return refused[away[0]]
    choices = tuple(_choice(scene, role, refused[role]) for role in away)
    said = line("It is yours from now on; the log keeps from whom, and why.")
    return Ask(
        "Take over a role?", (said,), "take it", (scene.link.me,), None, "why", needed=True, choices=choices
    )


def takes(scene: Scene) -> bool:
    """Whether a leading role can be taken over, of somebody whose word can't be entered here."""
    for role in LEADING:
        holder = scene.plan.roles.holder(role)
        elsewhere = holder is not None and not voices(scene, (holder,))
        if elsewhere and not refusal(scene, _taking(role)(scene.at, scene.link.me, "", "?")):
            return True
    return False


def _taking(role: str) -> Make:
    def make(at: datetime, by: str, via: str, reason: str) -> Command:
        return cmd.TakeRole(at, by, via, reason, role=role)

    return make


def _choice(scene: Scene, role: str, refused: str) -> Choice:
    holder = scene.plan.roles.holder(role) or ""
    says = f"{role.replace('_', ' ')}, from {scene.called(holder)}"
    if refused:
        return Choice(says, f"not now: {refused}", "take it", None)
    return Choice(says, _brings(scene, role), "take it", _taking(role))


def _brings(scene: Scene, role: str) -> str:
    """What the role lets its holder do that they may not do now."""
    plan, me = scene.plan, scene.link.me
    after = replace(plan, roles=plan.roles.given(role, me))
    brings = {
        "take the release's decisions": role == "decision_owner",
        "roll back and abort": me in people.stoppers(after) and me not in people.stoppers(plan),
        "retry and exclude": me in people.menders(after) and me not in people.menders(plan),
    }
    may = [what for what, so in brings.items() if so]
    return f"you may {'; '.join(may)}" if may else "what it signs, approves and enters is yours"
