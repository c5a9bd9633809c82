"""What became of each target, by the state that the records come to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cockpit.core import events as e
from cockpit.core.attempt import Attempt
from cockpit.core.evolve import evolve
from cockpit.core.plan import HERE, Plan, Target
from cockpit.core.rollback import NOTHING_RAN, way_back
from cockpit.core.standing import BackTarget
from cockpit.core.state import State, initial
from cockpit.export import measures as m
from cockpit.export.measures import Records
from cockpit.steps import commands


def folded(records: Records, plan: Plan) -> tuple[State, Records, tuple[str, ...]]:
    """The state that the records come to, those that it comes of, and what is missing where that aren't all.

    Records of a later version, or ones that somebody made up, may speak of what the plan doesn't have.
    """
    state, fitting = initial(plan, commands), list[tuple[int, e.Event]]()
    for seq, event in records:
        try:
            state = evolve(state, event)
        except (LookupError, ValueError, ArithmeticError):
            continue
        fitting.append((seq, event))
    odd = len(records) - len(fitting)
    if not odd:
        return state, records, ()
    many = f"{odd} records don't" if odd > 1 else "1 record doesn't"
    return state, fitting, (f"{many} fit the plan: what became of targets is told without.",)


def targets(state: State, records: Records) -> Iterator[m.TargetResult]:
    """Each target of the plan in its order, and this machine where steps ran on it."""
    unproven: dict[str, BackTarget] = {}
    if state.rollback is not None:
        at = max(event.at for _, event in records)
        unproven = {b.target: b for wave in way_back(state, at) for b in wave if b.status != "proven"}
    plan = {target.id: target for target in state.plan.targets}
    for name in (*plan, HERE) if state.attempts.get(HERE) else plan:
        own = state.attempts.get(name, ())
        result = _result(state, name, own, unproven.get(name))
        detail = "; ".join(part for part in (result.detail, _left_out(state, name)) if part)
        target = plan.get(name, Target(name, ""))
        yield m.TargetResult(
            name,
            result.word,
            result.proven,
            result.version,
            len(own),
            detail,
            target.labels,
            target.groups,
        )


class _Result(NamedTuple):
    """The word for it, whether a verify proves it, what isn't as it should be, and the version it serves now."""

    word: str
    proven: bool = False
    detail: str = ""
    version: str = ""


def _result(state: State, name: str, own: tuple[Attempt, ...], unproven: BackTarget | None) -> _Result:
    release = state.plan.release
    ran = [a for a in own if a.direction == "run" and a.status not in NOTHING_RAN]
    if not ran:
        unreached = own[-1].detail or "not reached" if own and own[-1].status == "unreachable" else ""
        word = "excluded" if name in state.excluded else "not touched"
        return _Result(word, False, unreached, release.previous_version)
    for attempt in own:
        if attempt.status == "in_doubt":
            return _Result("in doubt", False, f"{_named(attempt)}: {attempt.detail}")
        if attempt.status == "running":
            return _Result("open", False, f"{_named(attempt)} has no recorded end")
    if state.rollback is None:
        return _forward(state, name)
    if unproven is None:
        return _Result("rolled back", True, "", release.previous_version)
    return _unproven(unproven, own)


def _unproven(back: BackTarget, own: tuple[Attempt, ...]) -> _Result:
    """A target that a rollback was to take back, and that isn't proven to be."""
    statuses = {a.status for a in own if a.direction == "back"}
    if back.status in ("pending", "waiting", "running"):
        return _Result("open", False, "its rollback did not end")
    if statuses == {"rolled_back"} and "can't be undone" not in back.why:
        return _Result("rolled back", False, back.why)
    return _Result("failed" if statuses - {"rolled_back"} else "open", False, back.why)


def _forward(state: State, name: str) -> _Result:
    """A target that was touched, and that nobody took back."""
    newest = [
        state.latest(stage.name, step, name, "run")
        for stage, waves in zip(state.plan.stages, state.slices, strict=True)
        for wave in waves
        if name in wave.targets
        for step in wave.steps
    ]
    begun = [attempt for attempt in newest if attempt is not None]
    left_out = "excluded" if name in state.excluded else ""
    for attempt in begun:
        if attempt.status != "succeeded":
            why = f" ({attempt.detail})" if attempt.detail else ""
            return _Result(left_out or "failed", False, f"{_named(attempt)} {attempt.status}{why}")
    proven = all(attempt.proven for attempt in begun)
    if len(begun) < len(newest):
        return _Result(left_out or "open", proven, f"{len(begun)} of its {len(newest)} steps done")
    unproven = "" if proven else "not every step has a verify that proves it"
    return _Result("updated", proven, unproven, state.plan.release.version)


def _left_out(state: State, name: str) -> str:
    said = state.excluded.get(name)
    return f"left out by {state.plan.person_name(said.by)}: {said.reason}" if said else ""


def _named(attempt: Attempt) -> str:
    return f"{'rollback of ' if attempt.direction == 'back' else ''}{attempt.step}"
