"""The kinds of steps: where a step runs, and which values its commands may name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cockpit.core.plan import Plan

SHARED = ("version", "previous_version", "service", "environment", "release", "change_ref", "stage")
"""The values that every step may name, whatever its kind; the stage's vars come on top."""


@dataclass(frozen=True, slots=True)
class StepKind:
    """Where steps of this kind run, and the values they may name besides the shared ones.

    `as_one` are the commands that run once for several targets, and so can't name one of them.
    """

    runs: str
    names: tuple[str, ...]
    values: Callable[[Plan, str], Mapping[str, str]]
    as_one: tuple[str, ...] = ()

    def named_in(self, command: str) -> tuple[str, ...]:
        """The values that a command (`run`, `verify`, …) may name besides the shared ones."""
        return () if command in self.as_one else self.names


def _on_target(plan: Plan, target_id: str) -> Mapping[str, str]:
    return {"target": target_id, "host": plan.target(target_id).host}


def _nothing_more(_plan: Plan, _target_id: str) -> Mapping[str, str]:
    return {}


ON_TARGETS = StepKind("on each target of the stage", ("target", "host"), _on_target)
BY_ANSIBLE = StepKind(
    "by one run of a playbook, for all targets whose turn it is",
    ("target", "host"),
    _on_target,
    ("run", "rollback"),
)
ON_THIS_MACHINE = StepKind("on the operator's machine, once a stage", (), _nothing_more)
