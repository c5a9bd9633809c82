"""What the window still allows: how much of it is left, when it closes, and by when the next stage begins."""

from __future__ import annotations

from datetime import datetime, timedelta

from cockpit.core import rollout, window
from cockpit.core.estimate import back_out
from cockpit.core.events import Frozen
from cockpit.core.spans import clock
from cockpit.core.state import State
from cockpit.tui.moments import wall
from cockpit.tui.progress import gauge, part
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, Tone, line

SOON = timedelta(minutes=10)
"""The last safe start is warned of from so long before it on."""


def left(scene: Scene, with_bar: bool = False) -> Line:
    """`window 1h48 left`, `with_bar` of how much of it has gone."""
    if scene.state.closed is not None:
        return Line()
    remains = window.left(scene.plan, scene.link.now())  # it runs on, even where the rest stands still
    if remains is None:
        return line(("no window", "dim"))
    if remains < timedelta(0):
        return line((f"window over by {clock(-remains)}", "warn"))
    tone: Tone = "warn" if remains < timedelta(minutes=15) else "text"
    said = _left(remains)
    agreed = scene.plan.window
    gone = line()
    if with_bar and agreed is not None:
        gone = gauge(part(agreed.closes - agreed.opens - remains, agreed.closes - agreed.opens), tone) + line(
            " "
        )
    return line(("window ", "dim")) + gone + line((f"{said} left", tone))


def _left(remains: timedelta) -> str:
    """`1h46`, `46m`, and `9m05s` once it is short: hours are never taken for minutes."""
    minutes, seconds = divmod(int(remains.total_seconds()), 60)
    if minutes >= 60:
        return f"{minutes // 60}h{minutes % 60:02}"
    return f"{minutes}m" if minutes >= 10 else f"{minutes}m{seconds:02}s"


def closes(scene: Scene) -> Line:
    """`closes 13:00 EST`: in the window's zone."""
    agreed = scene.plan.window
    if agreed is None or scene.state.closed is not None:
        return Line()
    verb = "opens" if scene.at < agreed.opens else "closes" if scene.at < agreed.closes else "closed"
    at = agreed.opens if scene.at < agreed.opens else agreed.closes
    return line((f"{verb} ", "dim"), wall(scene, at, named=True))


def freeze(scene: Scene) -> tuple[Line, Line]:
    """The freeze of this moment, or the one that begins before the window closes; with its reason and without."""
    first = _first_freeze(scene.state, scene.at)
    if first is None or scene.state.closed is not None:
        return Line(), Line()
    now = first.since <= scene.at
    said = f"frozen until {wall(scene, first.until)}" if now else f"freeze begins {wall(scene, first.since)}"
    short = line((said, "warn"))
    return short + line((f": {first.why}", "dim")), short


def _first_freeze(state: State, at: datetime) -> Frozen | None:
    """The freeze of this moment, or the first that begins before the window closes."""
    agreed = state.plan.window
    ahead = [f for f in window.freezes(state) if agreed and f.until > at and f.since < agreed.closes]
    return min(ahead, key=lambda f: f.since, default=None)


def last_start(scene: Scene) -> tuple[Line, Line]:
    """By when what comes next begins, so that its bakes and the way back fit into the window; in full and short."""
    found = _coming(scene.state, scene.at)
    if found is None:
        return Line(), Line()
    what, at = found
    if scene.at > at:
        late = f"last safe start of {what} was {wall(scene, at)}"
        return line((late, "warn")), line((f"{what}: too late since {wall(scene, at)}", "warn"))
    near = at - scene.at <= SOON
    tone: Tone = "warn" if near else "text"
    soon = f", in {clock(at - scene.at)}" if near else ""
    return (
        line((f"last safe start of {what} ", "warn" if near else "dim"), (f"{wall(scene, at)}{soon}", tone)),
        line((f"start {what} by ", "warn" if near else "dim"), (f"{wall(scene, at)}", tone)),
    )


def _coming(state: State, at: datetime) -> tuple[str, datetime] | None:
    """What is to begin next, all or a stage of it, and its last safe moment; nothing in a freeze or too late."""
    agreed, stages = state.plan.window, state.plan.stages
    freeze = _first_freeze(state, at)
    if agreed is None or at >= agreed.closes or (freeze and freeze.since <= at):
        return None
    if state.closed or state.aborted or state.rollback:
        return None
    frozen = agreed.closes - freeze.since if freeze else timedelta(0)
    if state.started is None:
        back = back_out(state, at, beyond=stages[-1]).expected or timedelta(0)
        return "the release", agreed.closes - frozen - window.bakes(state, stages) - back
    current = rollout.current_stage(state)
    waits = current is not None and state.phase == "waiting" and state.promoted != current.name
    for stage in stages[state.stage + (not waits) :][:1]:
        at_last = window.last_safe_start(state, stage, at)
        return None if at_last is None else (f"“{stage.name}”", at_last - frozen)
    return None
