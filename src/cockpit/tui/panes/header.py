"""The header: where are we, is it healthy, whose move is it, how do we get back."""

from __future__ import annotations

from itertools import product

from cockpit.core import events as ev
from cockpit.core import rollback, rollout, view
from cockpit.core.estimate import back_out
from cockpit.core.spans import clock
from cockpit.core.state import State, breached, clean
from cockpit.tui import going_back
from cockpit.tui.doubt import wants_a_person
from cockpit.tui.marks import RELEASE
from cockpit.tui.panes import closing
from cockpit.tui.panes.banner import out_of_reach
from cockpit.tui.panes.owners import owners, present
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, Tone, count, join, line, spread, wrap

NEXT_LINES_MOST = 2


def header(scene: Scene, width: int) -> list[Line]:
    """Where it is; what it waits for; who decides, who rolls back, and what the window allows.

    What there is no room for beside the plain sentence stands below it.
    """
    inner = width - 2
    first, told = _answers(scene, inner)
    said = _next(scene, inner)
    here = [present(scene, True), present(scene, False), Line()]
    room = inner - said[-1].cells - 3
    clock_, named = _clock(scene, told), owners(scene)
    limits = [join([clock_, part], " · ") for part in _limits(scene)]
    for allowed, count_ in product([*limits, *_tight(scene, told)], here):
        beside = join([allowed, named[0], count_], " · ")
        if beside.cells <= room:
            return [first, *said[:-1], spread(inner, said[-1], beside)]
    if 0 < clock_.cells <= room:
        said[-1], limits = spread(inner, said[-1], clock_), _limits(scene)
    else:
        limits += _tight(scene, told)
    for whose, allowed, count_ in product(named, limits, here):
        below = join([whose, count_], " · ")
        if below.cells + allowed.cells + 3 <= inner:
            return [first, *said, spread(inner, below, allowed)]
    return [first, *said, _fitting(named, inner), _fitting(limits, inner)]


def _fitting(wordings: list[Line], width: int) -> Line:
    return next((one for one in wordings if one.cells <= width), wordings[-1].cut(width))


def _clock(scene: Scene, told: str) -> Line:
    """What is left of the window and when it closes, as far as the first line doesn't tell it."""
    left, closes = closing.left(scene), closing.closes(scene)
    return join([Line() if told else left, Line() if told == "closes" else closes], " · ")


def _limits(scene: Scene) -> list[Line]:
    """The next freeze and the last safe start, in full and short."""
    freeze, start = closing.freeze(scene), closing.last_start(scene)
    return [join(parts, " · ") for parts in zip(freeze, start, strict=True)]


def _tight(scene: Scene, told: str) -> list[Line]:
    """The same in the fewest words, with what is left of the window."""
    untold = Line() if told or scene.plan.window is None else closing.left(scene)
    return [join([untold, _limits(scene)[-1]], " · ")]


def _answers(scene: Scene, width: int) -> tuple[Line, str]:
    """Line one, in the longest wording that fits, and how much it tells of the window: "closes", "left" or nothing."""
    where, left = _where(scene), closing.left(scene)
    back_out, back = _way_back(scene)
    whole = join([left, closing.closes(scene)], ", ")
    wordings = (
        (join([_what(scene), where]), join([whole, back_out]), "closes"),
        (join([_what(scene), where]), join([left, back_out]), "left"),
        (join([_what(scene), where], "  "), join([whole, back], "  "), "closes"),
        (join([_what(scene), where], "  "), join([left, back], "  "), "left"),
        (join([_short(scene), where], "  "), join([whole, back], "  "), "closes"),
        (join([_short(scene), where], "  "), join([left, back], "  "), "left"),
        (join([_what(scene), where], "  "), back, ""),
        (join([_short(scene), where], "  "), back, ""),
        (join([_environment(scene), where], " "), back, ""),
    )
    for said, right, told in wordings:
        if said.cells + right.cells + 2 <= width:
            return spread(width, said, right), told
    return join([_environment(scene), where], " ").cut(width), ""


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
    state = scene.state
    status = scene.status
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
    status = scene.status
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


def _next(scene: Scene, width: int) -> list[Line]:
    """The plain sentence, cut where it would take too many lines."""
    lines = wrap(_sentence(scene), width)
    shown = [line((part, "strong")) for part in lines[:NEXT_LINES_MOST]]
    if len(lines) > NEXT_LINES_MOST:
        shown[-1] = (shown[-1] + line((" …", "strong"))).cut(width)
    return shown


def told(scene: Scene, width: int, words: str) -> bool:
    """Whether the plain sentence, as much of it as is shown, has these words in it."""
    shown = wrap(_sentence(scene), width - 2)[:NEXT_LINES_MOST]
    return " ".join(wrap(words, width)) in " ".join(shown)


def _sentence(scene: Scene) -> str:
    state = scene.state
    if out_of_reach(scene) and state.closed is None:
        return "this screen can do nothing any more: leave, then `cockpit attach` brings you back"
    if scene.link.failure and state.closed is None:
        return "nothing further starts here: leave, then `cockpit resume` takes it up again"
    said = scene.sentence
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
