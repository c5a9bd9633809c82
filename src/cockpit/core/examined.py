"""What targets are like before the start: their clocks, their identity, and the version they have."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from cockpit.core.events import Finding, TargetExamined
from cockpit.core.journal import span
from cockpit.core.plan import Plan, Stage, Step
from cockpit.core.state import State

CLOCK_MOST = timedelta(seconds=30)
"""How far a target's clock may be off: logs and signals of a release are compared by it."""


def probes(plan: Plan, target: str) -> tuple[tuple[Stage, Step], ...]:
    """The steps that go to `target` and can tell which version it has, each with the first stage that brings it."""
    found: dict[str, tuple[Stage, Step]] = {}
    for stage in plan.stages:
        if not plan.among(stage.targets, target):
            continue
        for step in map(plan.step, stage.steps):
            if step.on != "here" and (step.previous or step.verify_rollback):
                found.setdefault(step.id, (stage, step))
    return tuple(found.values())


def awaited(state: State, target: str) -> bool:
    """Whether a target that was reached hasn't been examined yet."""
    probe = state.probes.get(target)
    return probe is not None and probe.ok and target not in state.examined


def findings(state: State) -> Iterator[Finding]:
    """A line for each target that was examined, and one for each two that are one machine."""
    keys: dict[str, str] = {}
    for target in state.plan.targets:
        found = state.examined.get(target.id)
        if found is None:
            if awaited(state, target.id):
                yield Finding(f"unseen:{target.id}", False, f"{target.id}: not looked at yet")
            continue
        yield from _clock(target.id, found)
        yield from _previous(state.plan, target.id, found)
        other = keys.setdefault(found.host_key, target.id)
        if found.host_key and other != target.id:
            text = f"{other} and {target.id} have one host key: two names for one machine?"
            yield Finding(f"machine:{target.id}", True, text, doubtful=True)


def _clock(target: str, found: TargetExamined) -> Iterator[Finding]:
    ahead = found.clock_ahead
    if ahead is None:
        yield Finding(f"clock:{target}", False, f"{target}: its clock can't be read")
    elif abs(ahead) > CLOCK_MOST:
        which = "ahead" if ahead > timedelta(0) else "behind"
        text = f"{target}: its clock is {span(abs(ahead))} {which}, {span(CLOCK_MOST)} at most"
        yield Finding(f"clock:{target}", False, text)


def _previous(plan: Plan, target: str, found: TargetExamined) -> Iterator[Finding]:
    key, version = f"previous:{target}", plan.release.previous_version
    if not found.versions:
        text = f"{target}: no step can tell whether {version} runs there (`previous` or `verify_rollback`)"
        yield Finding(key, True, text, doubtful=True)
        return
    for said in found.versions:
        if not said.ok:
            yield Finding(key, False, f"{target}: {version} not found there: {said.step}: {said.detail}")
            return
    yield Finding(key, True, f"{target}: {version} runs there")
