"""Moments by the clock on a wall: in the window's zone, or in that of a person."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cockpit.tui.scene import Scene


def wall(scene: Scene, at: datetime, person: str = "", named: bool = False) -> str:
    """`22:40`, or `Sun 01:30 EST`: with the day where it isn't today.

    With the zone where `person` lives in another one than the window's, where the clocks change before `at`, or where
    it is to be `named`.
    """
    theirs = elsewhere(scene, person, at)
    zone = ZoneInfo(theirs) if theirs else scene.zone
    shown, now = at.astimezone(zone), scene.at.astimezone(zone)
    day = ""
    if shown.date() != now.date():
        day = f"{shown:%a} " if abs(at - scene.at) < timedelta(days=6) else f"{shown:%Y-%m-%d} "
    named = named or bool(theirs) or shown.utcoffset() != now.utcoffset()
    return f"{day}{shown:%H:%M}{f' {shown:%Z}' if named else ''}"


def elsewhere(scene: Scene, person: str, at: datetime) -> str:
    """The zone in which the person lives, where the plan says so and it isn't what the window's clock shows at `at`."""
    theirs = next((p.timezone for p in scene.plan.people if p.id == person), None)
    if not theirs or at.astimezone(ZoneInfo(theirs)).utcoffset() == at.astimezone(scene.zone).utcoffset():
        return ""
    return theirs
