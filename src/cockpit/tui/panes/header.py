"""The header: where are we, is it healthy, whose move is it, how do we get back."""

from __future__ import annotations

from datetime import timedelta

from cockpit.core import events as ev
from cockpit.core import people, rollback, rollout, view, window
from cockpit.core.state import State, breached, clean
from cockpit.tui.marks import RELEASE
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, Tone, count, join, line, spread, wrap

NEXT_LINES_MOST = 2


def header(scene: Scene, width: int) -> list[Line]:
    """Two lines; a third where the plain sentence needs it."""
    first, with_window = _answers(scene, width - 2)
    beside = _owners(scene) if with_window else _window(scene)
    return [first, *_next(scene, width - 2, beside)]


def _answers(scene: Scene, width: int) -> tuple[Line, bool]:
    """Line one, in the longest wording that fits, and whether that has the window in it."""
    where, window_, back = _where(scene), _window(scene), _back(scene)
    wordings = (
        (join([_what(scene), where]), join([window_, _back_out(scene)]), True),
        (join([_what(scene), where], "  "), join([window_, back], "  "), True),
        (join([_short(scene), where], "  "), join([window_, back], "  "), True),
        (join([_what(scene), where], "  "), back, False),
        (join([_short(scene), where], "  "), back, False),
        (join([_environment(scene), where], " "), back, False),
    )
    for left, right, with_window in wordings:
        if left.cells + right.cells + 2 <= width:
            return spread(width, left, right), with_window
    return join([_environment(scene), where], " ").cut(width), False


def _environment(scene: Scene) -> Line:
    """The environment, tinted where it is production."""
    environment = scene.plan.release.environment
    tone: Tone = "prod" if environment.lower().startswith("prod") else "env"
    return line((f" {environment.upper()} ", tone))


def _what(scene: Scene) -> Line:
    release = scene.plan.release
    return line((f"{release.service} ", "strong"), f"{release.version} → ", _environment(scene))


def _short(scene: Scene) -> Line:
    return line((f"{scene.plan.release.service} → ", "strong"), _environment(scene))


def _where(scene: Scene) -> Line:
    """The release's state: glyph, word, and its clock or place."""
    state, at = scene.state, scene.at
    status = view.status(state, at)
    glyph, word, tone = RELEASE[status]
    if view.partial(state):
        return line((f"✖ {word}, partial", "alarm"))
    if status == "paused" and (breached(state) or rollout.stuck(state)):
        tone = "alarm"
    return line((f"{glyph} {word}", tone), (_place(state, scene), tone))


def _place(state: State, scene: Scene) -> str:
    status = view.status(state, scene.at)
    stage = rollout.current_stage(state)
    if status == "rolling_back":
        every = [b for wave in rollback.way_back(state, scene.at) for b in wave]
        return f": proven {sum(b.status == 'proven' for b in every)} of {len(every)}"
    if stage is None or status not in ("running", "baking", "waiting", "paused"):
        return ""
    if status == "baking" and state.bake is not None:
        held = "" if clean(state) else ", held"
        done = view.clock(state.bake.done(scene.at))
        return f" {stage.name} {done} of {view.clock(state.bake.bake_time)}{held}"
    return (
        f" before {stage.name}"
        if state.phase == "waiting"
        else f" {'in ' * (status == 'paused')}{stage.name}"
    )


def _window(scene: Scene) -> Line:
    left = window.left(scene.plan, scene.at)
    if scene.state.closed is not None:
        return Line()
    if left is None:
        return line(("no window", "dim"))
    if left < timedelta(0):
        return line((f"window over by {view.clock(-left)}", "alarm"))
    tone: Tone = "warn" if left < timedelta(minutes=15) else "text"
    minutes = int(left.total_seconds() // 60)
    said = f"{minutes // 60}:{minutes % 60:02}" if minutes >= 60 else view.clock(left)
    return line(("window ", "dim"), (f"{said} left", tone))


def _back_out(scene: Scene) -> Line:
    back = view.back_out(scene.state, scene.at)
    if scene.state.closed is not None:
        return Line()
    if not back.targets:
        return line(("back out: ", "dim"), "nothing touched")
    about = f", {view.about(back.expected)}" if back.expected else ", time unknown"
    return line(("back out: ", "dim"), f"{count(back.targets, 'target')}{about}")


def _back(scene: Scene) -> Line:
    back = view.back_out(scene.state, scene.at)
    if scene.state.closed is not None or not back.targets:
        return Line()
    about = f", {view.about(back.expected)}" if back.expected else ""
    return line(("back: ", "dim"), f"{back.targets}{about}")


def _next(scene: Scene, width: int, beside: Line) -> list[Line]:
    """The plain sentence, with what belongs `beside` it where there is room."""
    if scene.link.failure:
        text = f"the log can't be written, nothing further is started: {scene.link.failure}"
        return [line((part, "alarm")) for part in wrap(text, width)][: NEXT_LINES_MOST + 1]
    sentence = view.next_line(scene.state, scene.at)
    if scene.state.left is not None and scene.state.closed is None:
        sentence = "left: nothing new starts; `cockpit resume` takes it up again"
    if line(sentence).cells + beside.cells + 3 <= width:
        return [spread(width, line((sentence, "strong")), beside)]
    lines = wrap(sentence, width)
    shown = [line((part, "strong")) for part in lines[:NEXT_LINES_MOST]]
    if len(lines) > NEXT_LINES_MOST:
        shown[-1] = (shown[-1] + line((" …", "strong"))).cut(width)
    return shown


def _owners(scene: Scene) -> Line:
    if scene.state.closed is not None:
        return Line()
    stage = rollout.current_stage(scene.state) if scene.state.started else None
    decides = " or ".join(_who(scene, p) for p in people.deciders(scene.plan, stage))
    back = _who(scene, scene.plan.roles.rollback_owner)
    return line(("decides ", "dim"), decides, (" · rolls back ", "dim"), back)


def _who(scene: Scene, person: str) -> str:
    if person == ev.COCKPIT:
        return ev.COCKPIT
    return "you" if person == scene.link.me else scene.called(person)
