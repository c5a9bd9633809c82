"""What a person may do about a target in trouble: run a step again, say what became of it, leave it out."""

from __future__ import annotations

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core import people, rollback, rollout
from cockpit.core.attempt import Attempt
from cockpit.core.authority import allowed, not_active, not_driving
from cockpit.core.commands import Decided, Refused
from cockpit.core.standing import BackTarget
from cockpit.core.state import State

OTHERWISE = "what was shown is no longer so: look again"


def _mendable(state: State, by: str, what: str) -> Refused | None:
    if state.started is None:
        return Refused("the release hasn't started")
    if gone := not_driving(state):
        return gone
    if state.aborted is not None:
        return Refused("the release was aborted")
    return allowed(state, by, people.menders(state.plan), what)


def retry(state: State, c: cmd.RetryTarget) -> Decided:
    """Run the step that failed, or is in doubt, again."""
    if refused := _mendable(state, c.by, f"retrying {c.target}"):
        return refused
    if not c.reason:
        return Refused(f"running a step on {c.target} again needs a reason")
    if state.rollback is not None:
        for wave in rollback.way_back(state, c.at):
            for back in wave:
                stage, step = back.stage.name, back.step or ""
                if back.target == c.target and back.status == "unproven" and _may_rerun(state, back):
                    if _another(c, state.latest(stage, step, c.target, "back")):
                        return Refused(OTHERWISE)
                    return [ev.RetryAuthorised(c.at, stage, step, c.target, c.by, c.via, c.reason)]
        return Refused(f"nothing to retry on {c.target}")
    for target, progress in rollout.troubled(state):
        attempt = progress.attempt
        if target != c.target or attempt is None:
            continue
        if _another(c, attempt):
            return Refused(OTHERWISE)
        if attempt.unsettled:
            return Refused(
                f"{target} is being reached, and will tell what became of {attempt.step}: wait for that, say it "
                f"yourself, or exclude {target}"
            )
        return [ev.RetryAuthorised(c.at, attempt.stage, attempt.step, target, c.by, c.via, c.reason)]
    return Refused(f"nothing to retry on {c.target}: no step failed or is in doubt there")


def _another(c: cmd.RetryTarget | cmd.ExcludeTarget, attempt: Attempt | None) -> bool:
    """Whether the trouble is another one than the person was shown."""
    return bool(c.attempt) and (attempt is None or attempt.id != c.attempt)


def resolve(state: State, c: cmd.ResolveDoubt) -> Decided:
    """Settle a doubt that the target and its verify left open."""
    if refused := _mendable(state, c.by, "saying what became of a step"):
        return refused
    doubtful = next((a for a in rollout.in_doubt(state) if a.id == c.attempt), None)
    if doubtful is None:
        return Refused(f"{c.attempt} isn't in doubt")
    if not c.reason:
        return Refused(f"say how you know what became of {doubtful.step} on {doubtful.target}")
    return [ev.DoubtResolved(c.at, doubtful.id, c.finish, c.by, c.via, c.reason)]


def _may_rerun(state: State, back: BackTarget) -> bool:
    attempt = state.latest(back.stage.name, back.step or "", back.target, "back")
    return attempt is not None and attempt.status != "rolled_back" and not attempt.unsettled


def exclude(state: State, c: cmd.ExcludeTarget) -> Decided:
    """Leave a target out of the rest of the rollout."""
    if refused := not_active(state):
        return refused
    if refused := _mendable(state, c.by, f"excluding {c.target}"):
        return refused
    if all(c.target != t.id for t in state.plan.targets):
        return Refused(f"the plan has no target {c.target}")
    if c.target in state.excluded:
        return Refused(f"{c.target} is excluded already")
    if _another(c, next((p.attempt for target, p in rollout.troubled(state) if target == c.target), None)):
        return Refused(OTHERWISE)
    if not c.reason:
        return Refused(f"excluding {c.target} needs a reason")
    return [ev.TargetExcluded(c.at, c.target, c.by, c.via, c.reason)]
