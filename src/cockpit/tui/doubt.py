"""An attempt in doubt, in words: what is known of it, what isn't, and until when it may run."""

from __future__ import annotations

from cockpit.core import rollback, rollout
from cockpit.core.attempt import Attempt
from cockpit.tui.marks import DOUBT, TARGET, Mark
from cockpit.tui.scene import Scene
from cockpit.tui.text import time_of_day


def known(scene: Scene, attempt: Attempt) -> list[str]:
    """What is known of an attempt in doubt, a sentence each: since when, why, and what may still happen there."""
    if not attempt.unsettled:
        return [f"it was asked and can't tell: {attempt.detail or 'no record of it'}"]
    since = f" since {time_of_day(attempt.doubted_at, scene.zone)}" if attempt.doubted_at else ""
    said = [f"in doubt{since}: {attempt.detail or 'no answer'}; reaching it again"]
    if attempt.exit_code is None:
        end = time_of_day(rollback.over_by(attempt), scene.zone)
        runs = rollback.may_still_run(attempt, scene.at)
        said.append(f"it may run there until {end}" if runs else f"if it ran there, it was over by {end}")
    return said


def mark(attempt: Attempt | None) -> Mark:
    """Calm while the target is being reached by itself, loud once only a person can settle it."""
    return DOUBT if attempt is not None and attempt.unsettled else TARGET["in_doubt"]


def wants_a_person(scene: Scene) -> bool:
    """Whether a target in trouble, or in doubt, can't come out of it by itself."""
    state = scene.state
    if state.rollback is not None:
        return any(b.status == "unproven" for wave in rollback.way_back(state, scene.at) for b in wave)
    return any(not p.attempt or not p.attempt.unsettled for _, p in rollout.troubled(state)) or any(
        not a.unsettled for a in rollout.in_doubt(state)
    )
