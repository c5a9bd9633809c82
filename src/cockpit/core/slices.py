"""Which targets each stage touches, in which waves, with which steps: worked out before anything runs."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.core.plan import HERE, Plan, Stage


@dataclass(frozen=True, slots=True)
class Wave:
    """A barrier batch: these steps, in order, on each of these targets."""

    targets: tuple[str, ...]
    steps: tuple[str, ...]


def slices_of(plan: Plan) -> tuple[tuple[Wave, ...], ...]:
    """The waves of every stage.

    Targets that an earlier stage already did with the same steps and vars are left out. Steps on
    `here` run once a stage: those before the target steps as a wave of their own first, those
    after them last.
    """
    done: dict[str, set[tuple[str, tuple[tuple[str, str], ...]]]] = {}
    return tuple(_stage_waves(plan, stage, done) for stage in plan.stages)


def _stage_waves(
    plan: Plan, stage: Stage, done: dict[str, set[tuple[str, tuple[tuple[str, str], ...]]]]
) -> tuple[Wave, ...]:
    variables = tuple(sorted(stage.vars.items()))
    on_targets = tuple(s for s in stage.steps if plan.step(s).on != "here")
    needed = {(step, variables) for step in on_targets}
    fresh = tuple(
        t.id for t in plan.expand(stage.targets) if on_targets and not needed <= done.get(t.id, set())
    )
    for target in fresh:
        done.setdefault(target, set()).update(needed)
    first, last = _here_steps(plan, stage)
    waves = [Wave((HERE,), first)] if first else []
    waves += [Wave(batch, on_targets) for batch in batches(fresh, stage.waves)]
    if last:
        waves.append(Wave((HERE,), last))
    return tuple(waves)


def _here_steps(plan: Plan, stage: Stage) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The `here` steps before and after the stage's target steps."""
    first: list[str] = []
    last: list[str] = []
    side = first
    for step in stage.steps:
        if plan.step(step).on == "here":
            side.append(step)
        else:
            side = last
    return tuple(first), tuple(last)


def batches(targets: tuple[str, ...], waves: tuple[int | str, ...]) -> tuple[tuple[str, ...], ...]:
    """`targets` cut into waves: counts, percentages of all (rounded down, never below 1), "rest".

    What the waves leave over becomes a last wave, so that no target is forgotten; empty waves vanish.
    """
    left = list(targets)
    cut: list[tuple[str, ...]] = []
    for wave in (*waves, "rest"):
        if wave == "rest":
            size = len(left)
        elif isinstance(wave, int):
            size = wave
        else:
            size = max(1, len(targets) * int(wave.rstrip("%")) // 100)
        if batch := tuple(left[:size]):
            cut.append(batch)
        del left[:size]
    return tuple(cut)
