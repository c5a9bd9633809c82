"""The release window: how much is left, and whether a freeze stands in the way."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cockpit.core.plan import Plan


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
