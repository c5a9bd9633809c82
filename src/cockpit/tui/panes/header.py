"""The header: where are we, is it healthy, whose move is it, how do we get back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from cockpit.core import rollback, rollout, view
from cockpit.core.estimate import back_out
from cockpit.core.plan import Plan
from cockpit.core.spans import clock
from cockpit.core.state import State, breached, clean
from cockpit.tui import going_back
from cockpit.tui.doubt import wants_a_person
from cockpit.tui.marks import RELEASE
from cockpit.tui.panes import closing
from cockpit.tui.panes.alarms import alarms
from cockpit.tui.panes.banner import banner, out_of_reach
from cockpit.tui.panes.health import health
from cockpit.tui.panes.owners import owners, present
from cockpit.tui.panes.question import asking
from cockpit.tui.panes.sentence import sentence
from cockpit.tui.progress import course
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, Tone, count, join, line, spread

BESIDE_ALARMS = 4
"""Lines of it in a low terminal, where alarms stand below it."""

Wordings = Sequence[Line]
"""The same in other words, the longest first."""


def header(scene: Scene, width: int) -> list[Line]:
    """Where it is; what it waits for; is it healthy; who decides and rolls back; what the window allows.

    In as few lines as hold all of it: what there is no room for beside the plain sentence stands below it.
    """
    inner = width - 2
    if scene.low and (asking(scene).options or banner(scene, inner, 1)):
        return _brief(scene, inner)
    lines = _whole(scene, inner)
    return lines[:BESIDE_ALARMS] if scene.low and alarms(scene, inner, ()) else lines


def _brief(scene: Scene, inner: int) -> list[Line]:
    """Above a question in a low terminal: what the question says itself needn't be said here."""
    first, told, told_back = _answers(scene, inner)
    asked = asking(scene)
    said = sentence(scene, inner, 1 if asked.said or not asked.options else 2, brief=bool(asked.said))
    word, people_ = health(scene)[-1], _people(scene)
    word = word if told_back else join([word, _way_back(scene)[1]], " · ")
    well = [word] if told else [join([word, closing.left(scene)], " · "), word]
    row = next((row for one in well if (row := _row([one], people_, inner)) is not None), None)
    rows = [row] if row is not None else [_fitting(well, inner), _fitting(people_, inner)]
    return _lines(first, *said, *rows)


def _whole(scene: Scene, inner: int) -> list[Line]:
    first, told, told_back = _answers(scene, inner)
    said = sentence(scene, inner, brief=bool(asking(scene).said))
    people_, well, window = _people(scene), health(scene), _times(scene, told)
    whole = [wording for wording in window if wording != window[-1]] or window
    if not told_back:
        back = _way_back(scene)[1]
        well = [spread(inner, one, back) for one in well if one.cells + back.cells < inner] or well
    for beside, below in ((people_, whole), (whole, people_)):
        last, row = _row([said[-1]], beside, inner), _row(well, below, inner)
        if last is not None and row is not None:
            return _lines(first, *said[:-1], last, row)
    row = _row(well, people_, inner)
    rows = [row] if row is not None else [_fitting(well, inner), _fitting(people_, inner)]
    return _lines(first, *said, *rows, _fitting(window, inner))


def _lines(*lines: Line) -> list[Line]:
    return [each for each in lines if each.spans]


def _row(left: Wordings, right: Wordings, width: int) -> Line | None:
    """The longest wordings of both that stand side by side in `width`; None where not even the shortest do.

    The shortest one of `left`, which gives no reasons, only where nothing else helps.
    """
    pairs = product(enumerate(left), enumerate(right))
    last = len(left) - 1
    by_length = sorted(
        pairs, key=lambda pair: pair[0][0] + pair[1][0] + len(right) * (pair[0][0] == last > 0)
    )
    for (_, one), (_, other) in by_length:
        if one.cells + other.cells + 3 * bool(one.spans and other.spans) <= width:
            return spread(width, one, other)
    return None


def _fitting(wordings: Wordings, width: int) -> Line:
    return next((one for one in wordings if one.cells <= width), wordings[-1].cut(width))


def _people(scene: Scene) -> list[Line]:
    """Who decides and who rolls back, with how many are here where there is room."""
    here = [present(scene, True), present(scene, False), Line()]
    return [join([whose, count_], " · ") for whose in owners(scene) for count_ in here]


def _times(scene: Scene, told: str) -> list[Line]:
    """How far the rollout is, and what the window allows: as far as the first line doesn't tell it.

    The last wording leaves out when the window closes.
    """
    left, closes = closing.left(scene), closing.closes(scene)
    clock_ = join([Line() if told else left, Line() if told == "closes" else closes], " · ")
    far = course(scene)
    limits = [
        join(parts, " · ") for parts in zip(closing.freeze(scene), closing.last_start(scene), strict=True)
    ]
    wordings = [join([one, clock_, allowed], " · ") for allowed in limits for one in far]
    wordings += [join([clock_, allowed], " · ") for allowed in limits]
    tight = Line() if told or scene.plan.window is None else left
    return [*wordings, join([tight, limits[-1]], " · ")]


def _answers(scene: Scene, width: int) -> tuple[Line, str, bool]:
    """Line one, in the longest wording that fits; how much it tells of the window, and whether it tells the way back.

    Of the window: "closes", "left" or nothing.
    """
    where, left = standing(scene), closing.left(scene)
    back_out, back = _way_back(scene)
    whole = join([left, closing.closes(scene)], ", ")
    drawn = join([closing.left(scene, with_bar=True), closing.closes(scene)], ", ")
    wordings = (
        (join([_what(scene), where]), join([drawn, back_out]), "closes"),
        (join([_what(scene), where]), join([whole, back_out]), "closes"),
        (join([_what(scene), where]), join([left, back_out]), "left"),
        (join([_what(scene), where], "  "), join([whole, back], "  "), "closes"),
        (join([_what(scene), where], "  "), join([left, back], "  "), "left"),
        (join([_what(scene), where], "  "), back, ""),
        (join([_what(scene), standing(scene, brief=True)], "  "), back, ""),
        (join([_version(scene), where], "  "), back, ""),
        (join([_version(scene), standing(scene, brief=True)], "  "), back, ""),
        (join([_short(scene), where], "  "), back, ""),
        (join([_environment(scene), where], " "), back, ""),
    )
    for said, right, told in wordings:
        if said.cells + right.cells + 2 <= width:
            return spread(width, said, right), told, True
    return join([_environment(scene), where], " ").cut(width), "", False


def in_production(plan: Plan) -> bool:
    """Whether the release goes where customers are."""
    return plan.release.environment.lower().startswith("prod")


def _environment(scene: Scene) -> Line:
    """The environment, tinted where it is production."""
    environment = scene.plan.release.environment
    tone: Tone = "prod" if in_production(scene.plan) else "env"
    return line((f" {environment.upper()} ", tone))


def _what(scene: Scene) -> Line:
    release = scene.plan.release
    return line((f"{release.service} ", "strong"), f"{release.version} → ", _environment(scene))


def _version(scene: Scene) -> Line:
    """Without the service, where not even the shortest words leave room for it."""
    return line((f"{scene.plan.release.version} → ", "strong"), _environment(scene))


def _short(scene: Scene) -> Line:
    return line((f"{scene.plan.release.service} → ", "strong"), _environment(scene))


def standing(scene: Scene, brief: bool = False) -> Line:
    """The release's state: glyph, word, and its clock or place; `brief`: what other lines tell as well left out."""
    state = scene.state
    status = scene.status
    if (scene.link.failure or state.replaced) and state.closed is None:
        word = "halted" if scene.link.failure else "taken over"
        word = "out of reach" if out_of_reach(scene) else word
        stage = rollout.current_stage(state) if state.started else None
        return line((f"■ {word}{f' in {stage.name}' if stage else ''}", "alarm"))
    glyph, word, tone = RELEASE[status]
    if view.partial(state):
        said = "✖ partial" if brief else f"✖ {word}, partial"
        return line((said, "alarm" if state.closed is None else "warn"))
    if status == "paused" and (breached(state) or (rollout.stuck(state) and wants_a_person(scene))):
        tone = "alarm"
    return line((f"{glyph} {word}", tone), (_place(state, scene, brief), tone))


def _place(state: State, scene: Scene, brief: bool) -> str:
    status = scene.status
    stage = rollout.current_stage(state)
    if status == "rolling_back" and state.paused is not None:
        return ", waits"
    if status == "rolling_back" and brief:
        return ""
    if status == "rolling_back":
        every = [b for wave in rollback.way_back(state, scene.at) for b in wave]
        return f": proven {sum(b.status == 'proven' for b in every)} of {len(every)}"
    if stage is None or status not in ("running", "baking", "waiting", "paused"):
        return ""
    if status == "baking" and state.bake is not None:
        held = "" if clean(state) else ", held"
        held += ": unexplained" if state.unexplained is not None and not brief else ""
        done = clock(state.bake.done(scene.at))
        return f" {stage.name}{'' if brief else f' {done} of {clock(state.bake.bake_time)}'}{held}"
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
