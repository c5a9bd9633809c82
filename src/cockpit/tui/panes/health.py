"""Is it healthy: what the limits say now, in one word, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cockpit.core.plan import Threshold
from cockpit.core.spans import clock
from cockpit.core.thresholds import Judgement
from cockpit.tui.marks import HEALTH, Health, glyph
from cockpit.tui.panes import limits
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, Tone, join, line, number

UNIT_MOST = 4
"""Cells of a unit that is short enough to stand behind its number."""

TOLD_MOST = 2
"""Limits told one by one where they aren't clean."""


@dataclass(frozen=True, slots=True)
class _Limit:
    """A limit, what it says at this moment, and what that comes to."""

    limit: Threshold
    judged: Judgement | None
    health: Health


def health(scene: Scene) -> list[Line]:
    """`✔ healthy: Can customers still check out? orders 412, 3 of 3 limits clean`, the longest wording first."""
    if scene.state.closed is not None:
        return [Line()]
    every = scene.once(_every)
    if not every:
        return [
            line(("? no limits agreed: nothing says whether it is healthy", "warn")),
            line(("? no limits", "warn")),
        ]
    if scene.link.failure or scene.state.replaced is not None:
        return [
            line(("? unknown: no limit is read here any more", "warn")),
            line(("? health unknown", "warn")),
        ]
    if scene.state.started is None and not any(each.judged for each in every):
        return [line(("○ health: no limit is read yet", "dim")), line(("○ health unknown", "dim"))]
    return _wordings(scene, every)


def word(scene: Scene) -> Health:
    """The worst of what the judged limits say."""
    found = {each.health for each in scene.once(_every)} or {"unknown"}
    if scene.state.unexplained is not None:
        found.add("unexplained")
    return next(each for each in HEALTH if each in found)


def _every(scene: Scene) -> list[_Limit]:
    """What each limit that acts says."""
    return [_standing(scene, t) for t in _acting(scene)]


def _acting(scene: Scene) -> list[Threshold]:
    """The limits that act, those that answer a business question first."""
    asked = {s.name for s in scene.plan.signals if s.question}
    acting = [t for t in scene.plan.thresholds if not t.observe_only]
    return sorted(acting, key=lambda t: t.signal not in asked)


def _standing(scene: Scene, t: Threshold) -> _Limit:
    """What the limit says at this moment, or what is on record of it, if that is worse: the release goes by that."""
    both = (limits.judgement(scene, t), limits.recorded(scene, t))
    standing = [_Limit(t, judged, _of(scene, t, judged)) for judged in both]
    return min(standing, key=lambda each: list(HEALTH).index(each.health))


def _of(scene: Scene, t: Threshold, judged: Judgement | None) -> Health:
    if judged is None or judged.verdict in ("inconclusive", "error"):
        return "unknown"
    if judged.verdict == "breach":
        recorded = scene.state.verdicts.get(t.id)
        return "at risk" if recorded is not None and scene.state.accepts(recorded) else "unhealthy"
    return "at risk" if judged.breaching_since is not None else "healthy"


def _wordings(scene: Scene, every: Sequence[_Limit]) -> list[Line]:
    said = word(scene)
    mark = HEALTH[said]
    tone = mark[2]
    if tone == "alarm" and (scene.state.rollback is not None or scene.state.aborted is not None):
        tone = "warn"  # it is acted on already
    head = glyph((mark[0], mark[1], tone)) + line(" ", (said, tone))
    clean = sum(each.health == "healthy" for each in every)
    of = line((f"{clean} of {len(every)} limit{'s' * (len(every) > 1)} clean", "dim"))
    told = _told(scene, every, tone)
    question = _question(scene, every)
    more = [join([question, *told, of], " · "), join([*told, of] if told else [question], " · ")]
    more += [join([*told[:1], of], " · "), told[0] if told else of]
    return [head + line((": ", "dim")) + each for each in more] + [head]


def _told(scene: Scene, every: Sequence[_Limit], tone: Tone) -> list[Line]:
    """What isn't clean: the unexplained, then the worst limits."""
    said, order, unexplained = list[Line](), list(HEALTH), scene.state.unexplained
    if unexplained is not None:
        since = "" if word(scene) == "unexplained" else "unexplained "
        said.append(line((f"{since}for {clock(scene.at - unexplained.at)}", tone)))
    worst = sorted((e for e in every if e.health != "healthy"), key=lambda e: order.index(e.health))
    said += [line((_why(scene, each), tone)) for each in worst[:TOLD_MOST]]
    return [*said, *([line((f"{len(worst) - TOLD_MOST} more", tone))] if len(worst) > TOLD_MOST else [])]


def _why(scene: Scene, each: _Limit) -> str:
    """`errors 2.4 > 2, 1:20 of 2:00`, `errors exceeded`, `latency no reading`."""
    t, judged = each.limit, each.judged
    if judged is None:
        return f"{t.signal} not read yet"
    if each.health == "unknown":
        return f"{t.signal} {'unreadable' if judged.verdict == 'error' else 'no clear answer'}"
    value = "silent" if judged.value is None else _value(scene, t, judged.value)
    if judged.verdict == "breach":
        accepted = ", accepted" if each.health == "at risk" else ""
        return f"{t.signal} {value}, limit {limits.tolerated(t)}{accepted}"
    lasted = scene.at - judged.breaching_since if judged.breaching_since is not None else t.for_
    return f"{t.signal} {value}, limit {limits.tolerated(t)}, for {clock(lasted)} of {clock(t.for_)}"


def _value(scene: Scene, t: Threshold, value: float) -> str:
    """`3.3 %`, of a comparison `1.5×`; a unit that is a word is left to the limits pane."""
    unit = next((s.unit for s in scene.plan.signals if s.name == t.signal), "")
    unit = "×" if t.compare is not None else f" {unit}" if 0 < len(unit) <= UNIT_MOST else ""
    return f"{number(value)}{unit}"


def _question(scene: Scene, every: Sequence[_Limit]) -> Line:
    """The first business question, and its number where that is clean."""
    asked = {s.name: s.question for s in scene.plan.signals if s.question}
    for each in every:
        if (
            (question := asked.get(each.limit.signal))
            and each.health == "healthy"
            and each.judged is not None
        ):
            value = each.judged.value
            value = "no data" if value is None else _value(scene, each.limit, value)
            return line((f"{question} ", "dim"), f"{each.limit.signal} ", (value, "strong"))
    return Line()
