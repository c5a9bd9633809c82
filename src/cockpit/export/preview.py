"""What a plan would do, before it does: each exact command on each target."""

from __future__ import annotations

from cockpit.core.plan import Plan
from cockpit.core.slices import slices_of
from cockpit.core.spans import about
from cockpit.core.text import visible
from cockpit.steps import check_line, commands


def preview(plan: Plan) -> str:
    """The rollout as indented lines: stages, waves, targets, and every command line as it would run."""
    lines: list[str] = []
    for stage, waves in zip(plan.stages, slices_of(plan), strict=True):
        lines.append(f"stage {stage.name}{_terms(plan, stage.name)}")
        for i, wave in enumerate(waves):
            lines.append(f"  wave {i + 1} of {len(waves)}: {', '.join(wave.targets)}")
            for target in wave.targets:
                for step_id in wave.steps:
                    step = plan.step(step_id)
                    lines.append(f"    {target}  {step_id}, at most {about(step.timeout)[1:]}")
                    rendered = commands(plan, stage, step, target)
                    pairs = {
                        "previous": rendered.previous,
                        "run": rendered.run,
                        "verify": rendered.verify,
                        "rollback": rendered.rollback or f"none: {step.roll_forward}",
                        "verify rollback": rendered.verify_rollback,
                    }
                    lines += [f"      {name:16} {text}" for name, text in pairs.items() if text is not None]
    for item in plan.checklist:
        if item.check is not None:
            lines += [
                f"checklist {item.id}",
                f"    {item.on}",
                f"      {'check':16} {check_line(plan, item)}",
            ]
    return "\n".join(visible(line) for line in lines)


def _terms(plan: Plan, name: str) -> str:
    """What a stage waits for: its gate, and its bake after each wave."""
    stage = next(s for s in plan.stages if s.name == name)
    gate = f", gate: {', '.join(stage.gate.approvers)}" if stage.gate else ""
    bake = f", bakes {about(stage.bake_time)[1:]} after each wave" if stage.bake_time else ""
    failed = f", {stage.max_failed} failed tolerated" if stage.max_failed else ""
    return f"{gate}{bake}{failed}"
