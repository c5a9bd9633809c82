"""The release window: how much is left, what stands in the way, and whose shift ends too early."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cockpit.core.estimate import back_out
from cockpit.core.events import Frozen
from cockpit.core.plan import Freeze, Plan, Stage, Window
from cockpit.core.spans import about
from cockpit.core.state import State


class Leaves(NamedTuple):
    """Somebody whose shift ends before the release could: the person id, their roles, and when (UTC)."""

    person: str
    roles: tuple[str, ...]
    at: datetime


def left(plan: Plan, at: datetime) -> timedelta | None:
    """The time until the window closes (negative: it is over), or None without a window."""
    return plan.window.closes - at if plan.window else None


def objection(state: State, at: datetime) -> str:
    """Why nothing may begin at `at` as far as the window and its freezes go, or empty."""
    return shut(state.plan, at) or frozen(state, at)


def shut(plan: Plan, at: datetime) -> str:
    """Why the window isn't open at `at`, or empty."""
    window = plan.window
    if window is None:
        return ""
    if at < window.opens:
        return f"the window opens at {local(plan, window.opens):%Y-%m-%d %H:%M} {window.timezone}"
    if at >= window.closes:
        return f"the window closed at {local(plan, window.closes):%Y-%m-%d %H:%M} {window.timezone}"
    return ""


def frozen(state: State, at: datetime, gone_over: Collection[str] = ()) -> str:
    """The freeze that `at` lies in, or empty. `gone_over` are those that somebody took on, as this calls them."""
    for freeze in freezes(state):
        if freeze.since <= at < freeze.until:
            called = f"frozen until {local(state.plan, freeze.until):%Y-%m-%d %H:%M}: {freeze.why}"
            if called not in gone_over:
                return called
    return ""


def freezes(state: State) -> Iterator[Frozen]:
    """Every freeze: the plan's own, then those of its calendar."""
    window = state.plan.window
    if window is not None:
        yield from (_span(freeze, window) for freeze in window.freeze)
    if state.freezes is not None:
        yield from state.freezes.freezes


def _span(freeze: Freeze, window: Window) -> Frozen:
    """The freeze's days, both included, as they begin and end in the window's zone."""
    zone = ZoneInfo(window.timezone)
    since = datetime.combine(freeze.since, time(), zone).astimezone(UTC)
    until = datetime.combine(freeze.until + timedelta(days=1), time(), zone).astimezone(UTC)
    return Frozen(since, until, freeze.why)


def local(plan: Plan, at: datetime, person: str = "") -> datetime:
    """`at` as the clock shows it where `person` is: in their zone, else the window's, else UTC."""
    theirs = next((p.timezone for p in plan.people if p.id == person), None)
    return at.astimezone(ZoneInfo(theirs or (plan.window.timezone if plan.window else "UTC")))


def against(state: State, stage: Stage, at: datetime) -> str:
    """Why `stage` shouldn't begin at `at`, as far as the window goes: over, frozen, or too little of it left."""
    return objection(state, at) or too_short(state, stage, at)


def too_short(state: State, stage: Stage, at: datetime) -> str:
    """Why the window's rest doesn't suffice for the stage's bakes and the way back behind them, or empty."""
    return _too_short(state, (stage,), stage.name, at)


def too_short_for_all(state: State, at: datetime) -> str:
    """Why the window's rest doesn't suffice for the bakes of all stages and the way back behind them, or empty."""
    return _too_short(state, state.plan.stages, "the release", at)


def _too_short(state: State, stages: tuple[Stage, ...], what: str, at: datetime) -> str:
    remains = left(state.plan, at)
    if remains is None:
        return ""
    baking, back = bakes(state, stages), _back(state, stages[-1], at)
    if remains >= baking + back:
        return ""
    going_back = f"going back takes {about(back)}"
    needs = f"bakes {about(baking)}, {going_back}" if baking else going_back
    return f"the window closes in {about(remains)}: {what} {needs}"


def bakes(state: State, stages: tuple[Stage, ...]) -> timedelta:
    """The bake time that these stages need in all: each bakes once a wave."""
    waves = {id(s): len(w) for s, w in zip(state.plan.stages, state.slices, strict=True)}
    return sum((stage.bake_time * waves[id(stage)] for stage in stages), timedelta(0))


def _back(state: State, stage: Stage, at: datetime) -> timedelta:
    return back_out(state, at, beyond=stage).expected or timedelta(0)


def last_safe_start(state: State, stage: Stage, at: datetime) -> datetime | None:
    """The last moment (UTC) at which `stage` may begin and still bake and go back in the window; None without one."""
    window = state.plan.window
    if window is None:
        return None
    return window.closes - bakes(state, (stage,)) - _back(state, stage, at)


def ahead(state: State, at: datetime) -> timedelta:
    """The bake time that is still to come at `at`, of this stage and all after it."""
    stages = state.plan.stages[state.stage :]
    if not stages:
        return timedelta(0)
    rest = bakes(state, stages)
    if state.phase == "waiting":
        return rest
    begun = stages[0].bake_time * state.wave
    baked = state.bake.done(at) if state.bake is not None else timedelta(0)
    return rest - begun - min(baked, stages[0].bake_time)


def leaving_early(state: State, at: datetime) -> tuple[Leaves, ...]:
    """Every holder of a role whose shift ends before the last bake could."""
    end = at + ahead(state, at)
    held: dict[str, tuple[str, ...]] = {}
    for role, person in state.plan.roles.held():
        held[person] = (*held.get(person, ()), role)
    return tuple(
        Leaves(p.id, held[p.id], p.on_shift_until)
        for p in state.plan.people
        if p.id in held and p.on_shift_until is not None and p.on_shift_until < end
    )


def staff(plan: Plan, at: datetime) -> tuple[str, ...]:
    """The people on shift from `at` until the window closes; whoever names no end of their shift is."""
    closes = plan.window.closes if plan.window is not None else at
    return tuple(p.id for p in plan.people if p.on_shift_until is None or p.on_shift_until >= closes)
