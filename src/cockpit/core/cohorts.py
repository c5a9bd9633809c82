"""Which targets the release has moved, and since when: whom a comparison compares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cockpit.core.attempt import Attempt, counting
from cockpit.core.plan import HERE
from cockpit.core.state import State


@dataclass(frozen=True, slots=True)
class Moved:
    """A target on which something may have run: from `touched_at` on it is no longer as it was before.

    `updated_at` is when the last step so far had succeeded there; None while it is neither one nor the other:
    half done, in doubt or failed. `back_at`: from then on it is on its way back, and is updated no more.
    """

    touched_at: datetime
    updated_at: datetime | None
    back_at: datetime | None = None


def moved(state: State) -> Mapping[str, Moved]:
    """Every touched target, by id. HERE is one of them where a step of this machine ran."""
    steps = begun_steps(state)
    found = ((target, moved_of(state, target, steps.get(target, ()))) for target in state.attempts)
    return {target: moved for target, moved in found if moved is not None}


def moved_of(state: State, target: str, steps: Sequence[tuple[str, str]]) -> Moved | None:
    """What became of one target, of which `steps` have begun; None while it is untouched."""
    attempts = state.attempts.get(target, ())
    ran = [a for a in attempts if a.status not in ("unreachable", "skipped")]
    forward = [a.started_at for a in ran if a.direction == "run"]
    if not forward:
        return None
    back = min((a.started_at for a in ran if a.direction == "back"), default=None)
    return Moved(min(forward), _updated_at(attempts, steps), back)


def anywhere(moved: Mapping[str, Moved]) -> Moved | None:
    """The release as a whole, for a number that isn't read on a target; None while nothing was touched.

    It counts as updated from its first touch on, not from the latest update: the business feels the first
    changed target, and a span that began anew with each target would never be over while a long wave runs.
    """
    first = min((m.touched_at for m in moved.values()), default=None)
    return None if first is None else Moved(first, first)


def whom(target: str, moved: Mapping[str, Moved]) -> Moved | None:
    """What became of the target that a number was read on; HERE stands for the release as a whole."""
    return anywhere(moved) if target == HERE else moved.get(target)


def begun_steps(state: State, since: int = 0) -> Mapping[str, Sequence[tuple[str, str]]]:
    """For each target the (stage, step) pairs of every wave begun so far, but for the first `since` of them."""
    found: dict[str, list[tuple[str, str]]] = {}
    for stage, wave in state.waves_begun[since:]:
        begun = state.slices[stage][wave]
        name = state.plan.stages[stage].name
        for target in begun.targets:
            found.setdefault(target, []).extend((name, step) for step in begun.steps)
    return found


def _updated_at(attempts: tuple[Attempt, ...], steps: Sequence[tuple[str, str]]) -> datetime | None:
    """When the last of these steps had succeeded; None where one of them hasn't."""
    ends: list[datetime] = []
    for stage, step in steps:
        newest = counting(_of(attempts, stage, step))
        if newest is None or newest.status != "succeeded":
            return None
        ends.append(_ended_at(newest))
    return max(ends, default=None)


def _of(attempts: tuple[Attempt, ...], stage: str, step: str) -> Iterator[Attempt]:
    return (a for a in attempts if (a.stage, a.step, a.direction) == (stage, step, "run"))


def _ended_at(attempt: Attempt) -> datetime:
    """Its end by its own clock; for one that a person settled, no earlier than its doubt."""
    end = attempt.started_at + timedelta(seconds=attempt.seconds)
    return end if attempt.doubted_at is None else max(end, attempt.doubted_at)
