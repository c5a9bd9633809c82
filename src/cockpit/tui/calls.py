"""Who was called, and who said first that something is unexplained: as panes and questions name them."""

from __future__ import annotations

from cockpit.core import events as ev
from cockpit.core import people
from cockpit.tui.scene import Scene
from cockpit.tui.text import time_of_day


def since(scene: Scene, unexplained: ev.UnexplainedReported) -> str:
    """`22:14:05 by Kim Park`: when it was said first, and by whom."""
    return f"{time_of_day(unexplained.at, scene.zone)} by {scene.called(unexplained.by)}"


def whom(scene: Scene, call: ev.ThresholdTripped) -> str:
    """Everybody an escalation calls, by name; whom the plan doesn't know as it names them."""
    return ", ".join(scene.called(person) for person in people.holders(scene.plan, call.escalate_to))
