"""A step in doubt: it is in place, it isn't, or it runs again."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from cockpit.core import commands as cmd
from cockpit.core import people, rollout
from cockpit.core.attempt import Attempt
from cockpit.core.commands import Command
from cockpit.tui.asks.base import Ask, Asked, Choice, Make, may, refusal
from cockpit.tui.doubt import known
from cockpit.tui.scene import Scene
from cockpit.tui.text import line


def doubt(scene: Scene, target: str) -> Asked:
    """Settle the doubt on `target` (else on the first target in doubt), going forward or back, excluded or not."""
    newest = {a.target: a for a in rollout.in_doubt(scene.state)}
    target = target if target in newest else next(iter(newest), "")
    if not target:
        return "nothing is in doubt"
    attempt = newest[target]
    authors = may(scene, people.menders(scene.plan))
    if refused := refusal(scene, cmd.ResolveDoubt(scene.at, authors[0], reason="?", attempt=attempt.id)):
        return refused
    back = attempt.direction == "back"
    lines = [line(("$ ", "dim"), attempt.command)]
    lines += [line((said, "warn")) for said in known(scene, attempt)]
    if target in scene.state.excluded:
        lines.append(line((f"{target} is excluded from the rest of the rollout.", "dim")))
    choices = (
        Choice("it is in place", _in_place(back), "say so", _settling(attempt.id, "succeeded")),
        Choice("it isn't", _not_in_place(back), "say so", _settling(attempt.id, "failed")),
        _again(scene, attempt, authors[0]),
    )
    what = f"the rollback of {attempt.step}" if back else attempt.step
    title = f"What became of {what} on {target}?"
    field = "how it is known"
    return Ask(title, tuple(lines), "say so", authors, None, field, True, choices=choices, about=target)


def _in_place(back: bool) -> str:
    if back:
        return "nothing runs again there; unproven, so the rollback is partial"
    return "nothing runs again there, no verify proves it, the rollout goes on"


def _not_in_place(back: bool) -> str:
    if back:
        return "counts as a failed rollback: retry it, or close as partial"
    return "counts as failed, to retry or exclude; a rollback visits it"


def _settling(attempt: str, finish: Literal["succeeded", "failed"]) -> Make:
    def make(at: datetime, by: str, via: str, reason: str) -> Command:
        return cmd.ResolveDoubt(at, by, via, reason, attempt=attempt, finish=finish)

    return make


def _again(scene: Scene, attempt: Attempt, author: str) -> Choice:
    """Running it once more, where nothing stands against that now."""
    target = attempt.target

    def make(at: datetime, by: str, via: str, reason: str) -> Command:
        return cmd.RetryTarget(at, by, via, reason, target=target, attempt=attempt.id)

    says, verb = "run it again", "run it again"
    if attempt.unsettled:
        return Choice(
            says, "not yet: its target is being reached, and will tell what became of it", verb, None
        )
    if why := refusal(scene, make(scene.at, author, "", "?")):
        return Choice(says, f"not now: {why}", verb, None)
    idempotent = scene.plan.step(attempt.step).idempotent
    safe = "the plan calls it idempotent" if idempotent else "the plan doesn't call it idempotent"
    return Choice(says, f"if it did run, it runs a second time; {safe}", verb, make)
