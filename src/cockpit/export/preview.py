"""What a plan would do, before it does: each exact command on each target, once where it is the same on many."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from cockpit.core.listing import ranges
from cockpit.core.plan import Plan, Stage, Step
from cockpit.core.slices import Wave, slices_of
from cockpit.core.spans import about
from cockpit.core.text import visible
from cockpit.remote.ansible_command import PRIVATE, own_targets, shown
from cockpit.steps import STEP_KINDS, check_line, commands, placeholders

SINGLY = 12
"""Up to so many targets with the same steps are gone through one by one; more are told of together."""


def preview(plan: Plan, on: Collection[str] | None = None, base: Path = Path()) -> str:
    """The rollout as indented lines: stages, waves, targets, and every command line as it would run.

    `base` is the folder of the plan's file, whose ansible.cfg counts. `on`: the targets (ids) whose lines are wanted,
    one by one and without all others; None: of all, many together.
    """
    lines: list[str] = []
    for stage, waves in zip(plan.stages, slices_of(plan), strict=True):
        lines.append(f"stage {stage.name}{_terms(stage)}")
        numbered = list(enumerate(waves, 1))
        for _, alike in groupby(numbered, key=lambda wave: wave[1].steps):
            lines += _waves(plan, stage, list(alike), len(waves), on, base)
    if plan.by_playbook:
        lines += _private(plan)
    for item in plan.checklist:
        if item.check is not None and (on is None or item.on in on):
            lines += [
                f"checklist {item.id}",
                f"    {item.on}",
                f"      {'check':16} {check_line(plan, item)}",
            ]
    return "\n".join(visible(line) for line in lines)


def _waves(
    plan: Plan,
    stage: Stage,
    alike: Sequence[tuple[int, Wave]],
    of: int,
    on: Collection[str] | None,
    base: Path,
) -> Iterator[str]:
    """Waves of a stage that have the same steps."""
    steps = [plan.step(step) for step in alike[0][1].steps]
    together = on is None and sum(len(wave.targets) for _, wave in alike) > SINGLY
    playbooks = [step for step in steps if step.on == "ansible"]
    for number, wave in alike:
        targets = [t for t in wave.targets if on is None or t in on]
        if not targets:
            continue
        count = f" ({len(wave.targets)} targets)" if len(wave.targets) > SINGLY else ""
        yield f"  wave {number} of {of}: {ranges(wave.targets)}{count}"
        for step in playbooks:
            yield from _runs(plan, stage, step, wave, base)
        for target in () if together else targets:
            for step in steps:
                yield from _lines(plan, stage, step, target, f"{target}  ")
    if together:
        first = alike[0][1].targets[0]
        yield f"    each target, as on {first}; what is marked * has the target's own name or host in it (--on TARGET)"
        for step in steps:
            yield from _lines(plan, stage, step, first, "", "*")


def _runs(plan: Plan, stage: Stage, step: Step, wave: Wave, base: Path) -> Iterator[str]:
    """What Ansible is asked to do for a wave: once, or once for so many of its targets as `max_parallel` lets."""
    every = len(wave.targets)
    room = min(stage.max_parallel or every, every)
    yield f"    {step.id} by Ansible, {room} target{'s' * (room > 1)} in a run, at most {about(step.timeout)[1:]}"
    rendered = commands(plan, stage, step, wave.targets[0])
    yield f"      {'run':16} {shown(plan, base, rendered.run, room)}"
    back = rendered.rollback and shown(plan, base, rendered.rollback, room)
    yield f"      {'rollback':16} {back or f'none: {step.roll_forward}'}"


def _private(plan: Plan) -> Iterator[str]:
    """What the commands for Ansible have in files of their own."""
    yield f"{PRIVATE}: a directory of each run's own"
    yield f"    {PRIVATE}/limit names the run's targets"
    if own := own_targets(plan):
        yield f"    {PRIVATE}/targets.json has what stands in the plan itself: {ranges([t.id for t in own])}"


def _lines(plan: Plan, stage: Stage, step: Step, target: str, who: str, mark: str = "") -> Iterator[str]:
    """One step's lines on one target; `mark` those that are others on another one."""
    how = " by Ansible, as above" if step.on == "ansible" else ""
    yield f"    {who}{step.id}{how}, at most {about(step.timeout)[1:]}"
    rendered = commands(plan, stage, step, target)
    kind = STEP_KINDS[step.on]
    for name, template, text in (
        ("previous", step.previous, rendered.previous),
        ("run", step.run, rendered.run),
        ("verify", step.verify, rendered.verify),
        ("rollback", step.rollback, rendered.rollback or f"none: {step.roll_forward}"),
        ("verify rollback", step.verify_rollback, rendered.verify_rollback),
    ):
        if text is not None and name not in kind.as_one:  # what all have in common stands above
            own = mark if set(kind.names).intersection(placeholders(template or "")) else ""
            yield f"      {name + own:16} {text}"


def _terms(stage: Stage) -> str:
    """What a stage waits for: its gate, and its bake after each wave."""
    gate = f", gate: {', '.join(stage.gate.approvers)}" if stage.gate else ""
    bake = f", bakes {about(stage.bake_time)[1:]} after each wave" if stage.bake_time else ""
    failed = f", {stage.max_failed} failed tolerated" if stage.max_failed else ""
    return f"{gate}{bake}{failed}"
