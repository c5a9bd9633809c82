"""What going back costs, in words: how much, how long, and what stays."""

from __future__ import annotations

from cockpit.core import spans
from cockpit.core.estimate import BackOut, Source, back_out, rollback_took
from cockpit.core.plan import Step
from cockpit.core.spans import clock
from cockpit.core.state import State
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, Tone, count, line


def about(back: BackOut) -> str:
    """`~41 s` as measured here, `~41 s (usual)` as in earlier releases, `~6 min (plan)` as agreed; empty: unknown."""
    return "" if back.expected is None else spans.about(back.expected) + _SOURCE[back.source][0]


def source(back: BackOut) -> str:
    """Where the time comes from, in words."""
    return _SOURCE[back.source][1]


_SOURCE: dict[Source, tuple[str, str]] = {
    "measured": ("", "measured here"),
    "usual": (" (usual)", "as usual in earlier releases"),
    "agreed": (" (plan)", "the plan's estimate"),
}


def cost(scene: Scene) -> str:
    """`4 targets, ~6 min (plan), not migrate`: what a rollback would take now, and what it can't undo."""
    back = back_out(scene.state, scene.at)
    if not back.targets:
        return "nothing touched"
    return ", ".join(
        part for part in (count(back.targets, "target"), about(back), stays(scene.state)) if part
    )


def stays(state: State) -> str:
    """`not migrate`: the steps behind a point of no return that was crossed; empty where there is none."""
    names = [step.id for step in crossed(state)]
    return f"not {' or '.join(names)}" if names else ""


def crossed(state: State) -> tuple[Step, ...]:
    """The steps that may have changed a target and can't be undone, in the plan's order."""
    one_way = [step for step in state.plan.steps if step.rollback is None]
    ran = {
        a.step
        for many in state.attempts.values()
        for a in (many if one_way else ())
        if a.direction == "run" and a.status not in ("unreachable", "skipped")
    }
    return tuple(step for step in one_way if step.id in ran)


def taken(scene: Scene) -> Line:
    """`2:10 of ~6 min`: the rollback's clock against what was agreed; empty where nothing rolls back.

    Red only while it runs and is over: then somebody has to look after it.
    """
    took = rollback_took(scene.state, scene.at)
    if took is None:
        return Line()
    expected = scene.plan.rollback.expected_time
    agreed = f" of {spans.about(expected)}" if expected else ""
    if expected is None or took <= expected:
        return line(f"{clock(took)}{agreed}")
    going = scene.state.rollback_result is None and scene.state.closed is None
    tone: Tone = "alarm" if going else "warn"
    return line((f"{clock(took)}{agreed}, over", tone))
