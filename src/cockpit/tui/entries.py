"""The signals that people enter: who enters the next number, and by when."""

from __future__ import annotations

from datetime import timedelta

from cockpit.core.attendance import reader
from cockpit.core.plan import HERE, Signal
from cockpit.core.spans import clock
from cockpit.tui.scene import Scene
from cockpit.tui.text import Tone


def left(scene: Scene, signal: Signal) -> timedelta | None:
    """The time until the next number is due, negative where it is late; None before the first."""
    entered = scene.link.series(signal.name, HERE)
    return entered[-1].at + signal.interval - scene.at if entered else None


def wanted(scene: Scene, signal: Signal) -> bool:
    """Whether a number is missing now: the first, or one that is late."""
    remains = left(scene, signal)
    return remains is None or remains < timedelta(0)


def due(scene: Scene, signal: Signal) -> tuple[str, Tone]:
    """`Kim Park's next entry in 3:10`, `… is late by 1:20`, or `… enters the first number`."""
    by, remains = reader(scene.plan, signal), left(scene, signal)
    mine = bool(by) and by == scene.link.me
    if remains is None:
        enters = "you enter" if mine else f"{scene.called(by) or 'anyone'} enters"
        return f"{enters} the first number", "warn"
    whose = "your" if mine else f"{scene.called(by)}'s" if by else "the"
    if remains < timedelta(0):
        return f"{whose} entry is late by {clock(-remains)}", "warn"
    return f"{whose} next entry in {clock(remains)}", "dim"
