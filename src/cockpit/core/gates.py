"""Promotion: a gate's approvers say yes or no, and what stands in the way of a stage has an owner."""

from __future__ import annotations

from dataclasses import replace

from cockpit.core import attendance, holds, people, rollout, window
from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.authority import allowed, not_active
from cockpit.core.commands import Decided, Refused
from cockpit.core.plan import Gate, Stage
from cockpit.core.state import State

WINDOW = "window"
"""In Promote.overriding: what the window has against it was seen."""


def approved(state: State, gate: Gate) -> tuple[str, ...]:
    """Who of the approvers has said yes: as the gate names them, for a `distinct` gate each person once."""
    if gate.distinct:
        return tuple(dict.fromkeys(said.by for said in state.approvals))
    stood_for = {name for said in state.approvals for name in said.stands_for}
    return tuple(name for name in gate.approvers if name in stood_for)


def opened(state: State, stage: Stage) -> bool:
    """Whether the stage has no gate, or enough of its approvers have said yes."""
    return stage.gate is None or len(approved(state, stage.gate)) >= stage.gate.needs


def deciders(state: State, stage: Stage | None, objection: str = "") -> tuple[str, ...]:
    """Whose word `stage` waits for next: its gate's approvers who haven't given it, then whoever lets it begin.

    `objection` is what the window has against it. Without a stage: whoever starts the release.
    """
    if stage is None:
        return people.promoters(state.plan)
    if stage.gate is not None and not opened(state, stage):
        said = {a.by for a in state.approvals}
        return tuple(p for p in people.holders(state.plan, stage.gate.approvers) if p not in said)
    if people.no_return(state.plan, stage) is not None:
        return (state.plan.roles.decision_owner,)
    if stage.gate is not None and not objection:
        return people.holders(state.plan, (*people.promoters(state.plan), *stage.gate.approvers))
    return people.promoters(state.plan)


def promote(state: State, c: cmd.Promote) -> Decided:
    """Say yes to the stage that waits; it is promoted once nobody else's word is wanted."""
    stage = _waiting(state, c)
    if isinstance(stage, Refused):
        return stage
    objection = window.against(state, stage, c.at)
    over = f" although {objection}" if objection else ""
    if refused := allowed(state, c.by, deciders(state, stage, objection), f"promoting {stage.name}{over}"):
        return refused
    if why := holds.against(state, stage):
        return Refused(why)
    approval: list[ev.Event] = []
    if stage.gate is not None and not opened(state, stage):
        level = people.level(state.plan, c)
        if refused := people.unproven(state.plan, c, f"the gate of {stage.name}", level):
            return refused
        roles_ = tuple(n for n in stage.gate.approvers if state.plan.roles.person(n) == c.by)
        said = ev.StageApproved(
            c.at, stage.name, c.by, c.via, level, c.reason, c.evidence, c.signature, roles_
        )
        approval, state = [said], state.approving(said)
        if not opened(state, stage) or c.by not in deciders(state, stage, objection):
            return approval
    elif refused := _unsigned(state, stage, c):
        return refused
    if objection and (not c.reason or WINDOW not in c.overriding):
        return Refused(f"{objection}: promoting it now needs a reason")
    promoted = ev.StagePromoted(c.at, stage.name, c.by, c.via, c.reason, c.evidence)
    if not approval and c.signature:
        promoted = replace(promoted, level="key", signature=c.signature)
    return [*approval, promoted]


def _unsigned(state: State, stage: Stage, c: cmd.Promote) -> Refused | None:
    """Why the last word on a gated stage, or on a point of no return, doesn't count without a key."""
    if stage.gate is None and people.no_return(state.plan, stage) is None:
        return None
    return people.unsigned(state.plan, c, f"the last word on {stage.name}")


def _waiting(state: State, c: cmd.Promote) -> Stage | Refused:
    """The stage that may be promoted now."""
    if refused := not_active(state) or attendance.unattended(state):
        return refused
    stage = rollout.current_stage(state)
    if state.paused is not None:
        return Refused("the rollout is paused: resume it first")
    if c.stage and (stage is None or c.stage != stage.name or state.phase != "waiting"):
        return Refused(f"{c.stage} doesn't wait to be promoted")
    if state.phase == "baking" and state.bake is not None:
        left = state.bake.left(c.at)
        return Refused(f"the bake needs {left.total_seconds():.0f} s more of clean signals")
    if stage is None or state.phase != "waiting":
        return Refused("nothing waits to be promoted: a wave is running" if stage else "every stage is done")
    if state.promoted == stage.name:
        return Refused(f"{stage.name} is promoted already: it begins now")
    return stage


def reject(state: State, c: cmd.RejectStage) -> Decided:
    """Say no at a gate: any of its approvers may, while it waits, with a reason."""
    if refused := not_active(state):
        return refused
    stage = rollout.current_stage(state)
    if stage is None or state.phase != "waiting" or stage.gate is None or state.promoted == stage.name:
        return Refused("no gate waits for a decision")
    if c.stage not in ("", stage.name):
        return Refused(f"{c.stage} doesn't wait at its gate")
    who = people.holders(state.plan, (*stage.gate.approvers, *people.promoters(state.plan)))
    if refused := allowed(state, c.by, who, f"rejecting {stage.name}"):
        return refused
    if not c.reason:
        return Refused("a no needs its reason: what has to change?")
    if isinstance(state.paused, ev.StageRejected):
        return Refused(f"{stage.name} is rejected already: resume first, once that is settled")
    return [ev.StageRejected(c.at, stage.name, c.by, c.via, c.reason, c.evidence)]
