"""Steps: what each kind is made of, and the exact command lines it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cockpit.core.plan import ChecklistItem, On, Plan, Release, Stage, Step
from cockpit.steps.kinds import BY_ANSIBLE, ON_TARGETS, ON_THIS_MACHINE, SHARED, StepKind
from cockpit.steps.secret import words
from cockpit.steps.template import NAME, fill, fill_known, misquoted, placeholders

__all__ = [
    "NAME",
    "SHARED",
    "STEP_KINDS",
    "Commands",
    "StepKind",
    "check_line",
    "commands",
    "fill",
    "fill_known",
    "misquoted",
    "placeholders",
    "plan_values",
    "release_values",
    "words",
]

STEP_KINDS: Mapping[On, StepKind] = {
    "targets": ON_TARGETS,
    "here": ON_THIS_MACHINE,
    "ansible": BY_ANSIBLE,
}


@dataclass(frozen=True, slots=True)
class Commands:
    """A step's lines for one target, every value filled in; None where the plan has no such line.

    They are for a POSIX sh, but for what a playbook's step runs: that is for ansible-playbook (`playbook.parsed`).
    """

    run: str
    verify: str | None = None
    rollback: str | None = None
    verify_rollback: str | None = None
    previous: str | None = None


def commands(plan: Plan, stage: Stage, step: Step, target_id: str) -> Commands:
    """The exact lines of `step` in `stage` on `target_id` (`here` for a step on this machine).

    Raises KeyError for a target or a placeholder that the plan doesn't have; a checked plan has none.
    """
    values = {**plan_values(plan), "stage": stage.name, **words(stage.vars)}
    values.update(STEP_KINDS[step.on].values(plan, target_id))

    def line(template: str | None) -> str | None:
        return None if template is None else fill(template, values)

    return Commands(
        fill(step.run, values),
        line(step.verify),
        line(step.rollback),
        line(step.verify_rollback),
        line(step.previous),
    )


def check_line(plan: Plan, item: ChecklistItem) -> str:
    """The exact line of the item's check, which may name the values that hold for the whole release.

    Raises KeyError for another placeholder; a checked plan has none.
    """
    return fill(item.check or "", plan_values(plan))


def plan_values(plan: Plan) -> dict[str, str]:
    """The values that hold for the whole release, by placeholder name; secrets as the words that stand for them."""
    return {**release_values(plan.release), **words(plan.secrets)}


def release_values(release: Release) -> dict[str, str]:
    """The same, where there is no whole plan yet."""
    return {
        "version": release.version,
        "previous_version": release.previous_version,
        "service": release.service,
        "environment": release.environment,
        "release": release.name,
        "change_ref": release.change_ref or "",
    }
