"""The release window: how much is left, and whether a freeze stands in the way."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cockpit.core.estimate import back_out
from cockpit.core.plan import Plan, Stage
from cockpit.core.spans import about
from cockpit.core.state import State


def left(plan: Plan, at: datetime) -> timedelta | None:
    """The time until the window closes (negative: it is over), or None without a window."""
    return plan.window.closes - at if plan.window else None


def objection(plan: Plan, at: datetime) -> str:
    """Why a release may not start at `at`, or empty."""
    window = plan.window
    if window is None:
        return ""
    zone = ZoneInfo(window.timezone)
    if at < window.opens:
        return f"the window opens at {window.opens.astimezone(zone):%Y-%m-%d %H:%M} {window.timezone}"
    if at >= window.closes:
        return f"the window closed at {window.closes.astimezone(zone):%Y-%m-%d %H:%M} {window.timezone}"
    today = at.astimezone(zone).date()
    for freeze in window.freeze:
        if freeze.since <= today <= freeze.until:
            return f"frozen until {freeze.until}: {freeze.why}"
    return ""


def against(state: State, stage: Stage, at: datetime) -> str:
    """Why `stage` shouldn't begin at `at`, as far as the window goes: over, frozen, or too little of it left."""
    return objection(state.plan, at) or too_short(state, stage, at)


def too_short(state: State, stage: Stage, at: datetime) -> str:
    """Why the window's rest doesn't suffice for the stage's bakes and the way back behind them, or empty."""
    remains = left(state.plan, at)
    if remains is None:
        return ""
    bakes = stage.bake_time * len(state.slices[state.plan.stages.index(stage)])
    back = back_out(state, at, beyond=stage).expected or timedelta(0)
    if remains >= bakes + back:
        return ""
    needs = (
        f"bakes {about(bakes)}, going back takes {about(back)}"
        if bakes
        else f"going back takes {about(back)}"
    )
    return f"the window closes in {about(remains)}: {stage.name} {needs}"
