"""One target, one checklist item, one note."""

from __future__ import annotations

from datetime import datetime

from cockpit.core import checklist, people, rollback, rollout
from cockpit.core import commands as cmd
from cockpit.core.attempt import Attempt
from cockpit.core.commands import Command
from cockpit.core.plan import ChecklistItem
from cockpit.tui import items
from cockpit.tui.asks.base import Ask, Asked, hands, may, refusal
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, line


def retry(scene: Scene, target: str) -> Asked:
    """Run the step that failed, or is in doubt, once more on `target` (else on the first in trouble)."""
    troubled = _troubled(scene)
    target = target if target in troubled else next(iter(troubled), "")
    if not target:
        return "nothing to retry: no step failed or is in doubt"
    authors = may(scene, people.menders(scene.plan))
    if refused := refusal(scene, cmd.RetryTarget(scene.at, authors[0], reason="?", target=target)):
        return refused
    attempt = troubled[target]
    assert attempt is not None  # else it would have been refused
    step = scene.plan.step(attempt.step)
    lines = [line(("$ ", "dim"), attempt.command)]
    lines.append(_standing(attempt))
    if attempt.detail:
        lines.append(line((attempt.detail, "dim")))
    if attempt.status == "in_doubt":
        lines.append(line(("It may have run already: then it runs a second time.", "alarm")))
    if not step.idempotent and attempt.status != "unreachable":
        lines.append(line(("The plan doesn't call this step idempotent.", "warn")))

    def make(at: datetime, by: str, via: str, reason: str) -> Command:
        return cmd.RetryTarget(at, by, via, reason, target=target, attempt=attempt.id)

    title = f"Run {attempt.step} on {target} again?"
    return Ask(title, tuple(lines), "run it again", authors, make, "why", needed=True, about=target)


def exclude(scene: Scene, target: str) -> Asked:
    """Leave `target` (empty: the first in trouble) out of the rest."""
    troubled = _troubled(scene)
    target = target or next(iter(troubled), "")
    if not target:
        return "choose the target to exclude first: move to it in the rollout or the targets pane"
    authors = may(scene, people.menders(scene.plan))
    if refused := refusal(scene, cmd.ExcludeTarget(scene.at, authors[0], reason="?", target=target)):
        return refused
    trouble = troubled.get(target)
    touched = target in rollback.touched_targets(scene.state, scene.at)
    after = "It was touched: a rollback still visits it." if touched else "It keeps the version it has."
    lines = [] if trouble is None else [_standing(trouble)]
    lines += [line(f"{target} takes no part in the rest of the rollout."), line(after)]
    if any(a.target == target for a in rollout.in_doubt(scene.state)):
        lines.append(
            line(
                (
                    f"Its doubt stays: the release ends only once that is settled ({scene.keys['doubt']}).",
                    "warn",
                )
            )
        )

    def make(at: datetime, by: str, via: str, reason: str) -> Command:
        return cmd.ExcludeTarget(at, by, via, reason, target=target, attempt=trouble.id if trouble else "")

    title = f"Exclude {target}?"
    return Ask(title, tuple(lines), "exclude", authors, make, "why", needed=True, about=target)


def _standing(attempt: Attempt) -> Line:
    """The trouble that it is about."""
    return line((f"{attempt.step} {attempt.status.replace('_', ' ')}", "warn"))


def _troubled(scene: Scene) -> dict[str, Attempt | None]:
    """Every target in trouble, and the attempt that left it so."""
    state = scene.state
    if state.rollback is None:
        return {target: progress.attempt for target, progress in rollout.troubled(state)}
    every = [b for wave in rollback.way_back(state, scene.at) for b in wave if b.status == "unproven"]
    return {b.target: state.latest(b.stage.name, b.step or "", b.target, "back") for b in every}


def sign(scene: Scene, item_id: str) -> Asked:
    """Sign `item_id` (empty: the first open item that can be signed here, else the first that wants a signature)."""
    wanting = [i for i in items.in_order(scene) if checklist.missing(scene.state, i)]
    item = next((i for i in wanting if i.id == item_id), None)
    if item is None and item_id:
        return f"“{scene.plan.item(item_id).text}” is signed already"
    item = item or next((i for i in wanting if signable(scene, i)), next(iter(wanting), None))
    if item is None:
        return "every checklist item is signed"
    chosen = item.id
    missing = checklist.missing(scene.state, item)
    authors = hands(scene, missing) or (scene.link.me,)
    if refused := refusal(scene, cmd.SignItem(scene.at, authors[0], item=chosen)):
        return refused
    lines = [line((item.text, "strong"))]
    if item.check is not None:
        lines.append(items.checked(scene, item))
    lines += [line((f"{name}: ", "dim"), said) for name, said in items.agreed(item)]
    lines += [
        line(("signed by ", "dim"), items.signature(scene, signed))
        for signed in scene.state.signed.get(chosen, ())
    ]

    def make(at: datetime, by: str, via: str, reason: str) -> Command:
        return cmd.SignItem(at, by, via, reason, item=chosen)

    return Ask("Sign this?", tuple(lines), "sign", authors, make, "note", about=chosen)


def signable(scene: Scene, item: ChecklistItem) -> bool:
    """Whether the item wants a signature that can be given here, and nothing speaks against it."""
    here = hands(scene, checklist.missing(scene.state, item))
    return bool(here) and not checklist.unhealthy(scene.state, item)


def note(scene: Scene) -> Ask:
    """Keep somebody's words."""
    return Ask("A note for the journal", (), "keep it", (scene.link.me,), cmd.AddNote, "note", needed=True)
