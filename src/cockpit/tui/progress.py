"""How far long work is, in words and bars: a step, a wave, the rollout, the way back, a clock that runs out."""

from __future__ import annotations

from datetime import timedelta

from cockpit.core import remaining, rollout
from cockpit.core.attempt import Attempt
from cockpit.core.remaining import Left
from cockpit.core.spans import clock, roughly
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, Tone, bar, join, line

BAR = 6
"""Cells of a bar beside a number."""


def part(done: timedelta, whole: timedelta) -> float:
    """How much of `whole` has gone, from 0 to 1."""
    return min(1.0, max(0.0, done / whole)) if whole > timedelta(0) else 1.0


def gauge(done: float, tone: Tone = "now", width: int = BAR) -> Line:
    """The bar alone; a number always stands beside it."""
    return line((bar(done, width), tone))


def running_out(left: timedelta, whole: timedelta, soon: timedelta, tone: Tone = "text") -> Line:
    """`▰▰▰▱▱▱ 3:12 left`, of a clock that does something at its end; it warns once no more than `soon` is left."""
    left = max(left, timedelta(0))
    tone = "warn" if left <= soon else tone
    return gauge(part(whole - left, whole), tone) + line((f" {clock(left)} left", tone))


def of_step(scene: Scene, attempt: Attempt | None, with_clock: bool = False) -> Line:
    """What a running step has to go, or by how much it is late, and when it is stopped; else empty.

    `▰▰▰▱▱▱ ~20 s left`, `usually 41 s`, `2:40 of 5:00 until it is stopped`.
    """
    if attempt is None or attempt.status != "running":
        return Line()
    run = remaining.running(scene.once(_takes), attempt, scene.at)
    said: list[Line] = []
    if run.stops is not None:
        said.append(line((f"{clock(run.ran)} of {clock(run.stops)} until it is stopped", "warn")))
    elif with_clock:
        said.append(line((clock(run.ran), "dim")))
    if run.slow and run.takes is not None:
        who = "usually" if run.source == "usual" else "others took"
        said.append(line((f"{who} {_seconds(run.takes)}", "warn")))
        return join(said, ", ")
    if run.left is not None and run.takes is not None:
        said.append(gauge(part(run.ran, run.takes)) + line((f" {roughly(run.left)} left", "dim")))
    return join(said, " ")


def _takes(scene: Scene) -> remaining.Takes:
    return remaining.Takes(scene.state)


def _seconds(span: timedelta) -> str:
    """`41 s`, `3:20`."""
    return f"{span.total_seconds():.0f} s" if span < timedelta(seconds=90) else clock(span)


def to_go(left: Left | None) -> Line:
    """`~40 s to go`; empty where nobody knows."""
    return line((f"{roughly(left.expected)} to go", "dim")) if left is not None else Line()


def of_wave(scene: Scene, n: int, done: int, of: int) -> Line:
    """`▰▰▰▱▱▱ ~40 s to go`, of the wave `n` of this stage that runs."""
    return join([gauge(done / of if of else 1.0), to_go(remaining.wave_left(scene.state, scene.at, n))], " ")


def of_stage(scene: Scene, done: int, of: int) -> Line:
    """The same of the whole stage: its targets, and the wave at hand."""
    return join([gauge(done / of if of else 1.0), to_go(remaining.wave_left(scene.state, scene.at))], " ")


def of_way_back(scene: Scene, proven: int, of: int) -> Line:
    """`▰▰▰▱▱▱ ~2 min to go`, of the way back."""
    return join([gauge(proven / of if of else 1.0), to_go(remaining.back_left(scene.state, scene.at))], " ")


def course(scene: Scene) -> list[Line]:
    """How far the rollout is, the longest wording first: `stage 2 of 3, at least ~36 min to go`.

    At least: nobody knows how long people take. It stands with it whether steps are in it, and who tells their times.
    """
    state = scene.state
    over = state.closed or state.aborted or state.rollback
    if over or scene.link.failure or state.replaced is not None:
        return [Line()]
    left = remaining.release_left(state, scene.at)
    every = len(scene.plan.stages)
    stages = ""
    if state.started is not None and rollout.current_stage(state) is not None:
        stages = f"stage {state.stage + 1} of {every}"
    if left is None:
        return [line((stages, "dim")), Line()]
    basis = (
        "bakes alone"
        if left.bakes_only
        else f"steps as {'measured' if left.source == 'measured' else 'usual'}"
    )
    rough = f"{'at least' if state.started is not None else 'takes at least'} {roughly(left.expected)}"
    rough += " to go" if state.started is not None else ""
    full = f"{rough} ({basis})"
    bars = gauge(state.stage / every) + line(" ") if stages else Line()
    return [
        bars + join([line((stages, "text")), line((full, "dim"))], ", "),
        join([line((stages, "text")), line((rough, "dim"))], ", "),
        line((rough, "dim")),
    ]
