"""The header: where are we, is it healthy, whose move is it, how do we get back."""

from __future__ import annotations

from datetime import timedelta

from cockpit.core import events as ev
from cockpit.core import people, rollback, rollout, view, window
from cockpit.core.estimate import back_out
from cockpit.core.spans import clock
from cockpit.core.state import State, breached, clean
from cockpit.tui import going_back, presence
from cockpit.tui.doubt import wants_a_person
from cockpit.tui.marks import RELEASE
from cockpit.tui.panes.banner import out_of_reach
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, Tone, count, join, line, spread, wrap

NEXT_LINES_MOST = 2


def header(scene: Scene, width: int) -> list[Line]:
    """Two lines; a third where the plain sentence needs it."""
    first, with_window = _answers(scene, width - 2)
    return [first, *_next(scene, width - 2, _beside(scene, with_window))]


def _beside(scene: Scene, with_window: bool) -> tuple[Line, ...]:
    """What belongs beside the plain sentence, the longest wording first."""
    count_all, count_here = _present(scene, True), _present(scene, False)
    if with_window:
        decides, back = _decides(scene), _rolls_back(scene)
        both = [decides, back]
        wordings = [*both, count_all], [*both, count_here], both, [decides, count_here], [decides]
    else:
        window_ = _window(scene)
        wordings = [window_, count_all], [window_, count_here], [window_]
    return tuple(join(parts, " · ") for parts in wordings)


def _answers(scene: Scene, width: int) -> tuple[Line, bool]:
    """Line one, in the longest wording that fits, and whether that has the window in it."""
    where, window_ = _where(scene), _window(scene)
    back_out, back = _way_back(scene)
    wordings = (
        (join([_what(scene), where]), join([window_, back_out]), True),
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
    if (scene.link.failure or state.replaced) and state.closed is None:
        word = "halted" if scene.link.failure else "taken over"
        word = "out of reach" if out_of_reach(scene) else word
        stage = rollout.current_stage(state) if state.started else None
        return line((f"■ {word}{f' in {stage.name}' if stage else ''}", "alarm"))
    glyph, word, tone = RELEASE[status]
    if view.partial(state):
        return line((f"✖ {word}, partial", "alarm"))
    if status == "paused" and (breached(state) or (rollout.stuck(state) and wants_a_person(scene))):
        tone = "alarm"
    return line((f"{glyph} {word}", tone), (_place(state, scene), tone))


def _place(state: State, scene: Scene) -> str:
    status = view.status(state, scene.at)
    stage = rollout.current_stage(state)
    if status == "rolling_back" and state.paused is not None:
        return ", waits"
    if status == "rolling_back":
        every = [b for wave in rollback.way_back(state, scene.at) for b in wave]
        return f": proven {sum(b.status == 'proven' for b in every)} of {len(every)}"
    if stage is None or status not in ("running", "baking", "waiting", "paused"):
        return ""
    if status == "baking" and state.bake is not None:
        held = "" if clean(state) else ", held"
        held += ": unexplained" if state.unexplained is not None else ""
        done = clock(state.bake.done(scene.at))
        return f" {stage.name} {done} of {clock(state.bake.bake_time)}{held}"
    return (
        f" before {stage.name}"
        if state.phase == "waiting"
        else f" {'in ' * (status == 'paused')}{stage.name}"
    )


def _window(scene: Scene) -> Line:
    if scene.state.closed is not None:
        return Line()
    left = window.left(scene.plan, scene.link.now())  # it runs on, even where the rest stands still
    if left is None:
        return line(("no window", "dim"))
    if left < timedelta(0):
        return line((f"window over by {clock(-left)}", "alarm"))
    tone: Tone = "warn" if left < timedelta(minutes=15) else "text"
    minutes = int(left.total_seconds() // 60)
    said = f"{minutes // 60}:{minutes % 60:02}" if minutes >= 60 else clock(left)
    return line(("window ", "dim"), (f"{said} left", tone))


def _way_back(scene: Scene) -> tuple[Line, Line]:
    """How we get back, in full and short: what it would take, or how long it has taken so far."""
    if scene.state.rollback is not None:
        going = scene.state.closed is None and scene.state.rollback_result is None
        took = going_back.taken(scene)
        return line(("going back: " if going else "went back in ", "dim"), took), line(
            ("back: ", "dim"), took
        )
    if scene.state.closed is not None:
        return Line(), Line()
    back, stays = back_out(scene.state, scene.at), going_back.stays(scene.state)
    if not back.targets:
        return line(("back out now: ", "dim"), "nothing touched"), Line()
    about = going_back.about(back)
    said = [count(back.targets, "target"), about or "time unknown", stays]
    short = [str(back.targets), about, stays]
    return (
        line(("back out now: ", "dim"), ", ".join(part for part in said if part)),
        line(("back: ", "dim"), ", ".join(part for part in short if part)),
    )


def _next(scene: Scene, width: int, besides: tuple[Line, ...]) -> list[Line]:
    """The plain sentence, with what belongs beside it in the longest wording there is room for."""
    lines = wrap(_sentence(scene), width)
    shown = [line((part, "strong")) for part in lines[:NEXT_LINES_MOST]]
    if len(lines) > NEXT_LINES_MOST:
        shown[-1] = (shown[-1] + line((" …", "strong"))).cut(width)
    beside = next((b for b in besides if shown[-1].cells + b.cells + 3 <= width), Line())
    return [*shown[:-1], spread(width, shown[-1], beside)]


def _sentence(scene: Scene) -> str:
    state = scene.state
    if out_of_reach(scene) and state.closed is None:
        return "this screen can do nothing any more: leave, then `cockpit attach` brings you back"
    if scene.link.failure and state.closed is None:
        return "nothing further starts here: leave, then `cockpit resume` takes it up again"
    said = view.next_line(state, scene.at)
    if state.closed is not None:
        return said
    if state.left is not None:
        return "left: nothing new starts; `cockpit resume` takes it up again"
    if state.unattended:
        if isinstance(state.paused, ev.LeftAlone):
            said = f"`cockpit attach`, then {scene.called(scene.plan.roles.decision_owner)} resumes, or roll back"
        return f"nobody is at the controls: nothing expands; {said}"
    lost = tuple(dict.fromkeys(a.target for a in state.unsettled()))
    if lost and not (state.paused or state.replaced or state.aborted or state.rollback):
        return f"{said}; {', '.join(lost[:3])}{' …' * (len(lost) > 3)} out of sight, being reached again"
    return said


def _decides(scene: Scene) -> Line:
    if scene.state.closed is not None:
        return Line()
    stage = rollout.current_stage(scene.state) if scene.state.started else None
    decides = " or ".join(_who(scene, p) for p in people.deciders(scene.plan, stage))
    return line(("decides ", "dim"), decides)


def _rolls_back(scene: Scene) -> Line:
    if scene.state.closed is not None:
        return Line()
    return line(("rolls back ", "dim"), _who(scene, scene.plan.roles.rollback_owner))


def _who(scene: Scene, person: str) -> str:
    if person == ev.COCKPIT:
        return ev.COCKPIT
    if person == scene.link.me:
        return "you"
    how = presence.of(scene.state, person)
    return scene.called(person) + (f" ({how})" if scene.state.screens and how != "here" else "")


def _present(scene: Scene, with_watching: bool) -> Line:
    """`2 here, 1 watching`: how many people are at screens."""
    state = scene.state
    if state.closed is not None or scene.link.failure or not state.screens:
        return Line()
    acting, watching = presence.count(state, "here"), presence.count(state, "watching")
    besides = f", {watching} watching" if with_watching and watching else ""
    return line((f"{acting or 'nobody'} here{besides}", "dim"))
