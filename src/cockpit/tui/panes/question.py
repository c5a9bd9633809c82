"""The question above the panes while the release can't go on by itself."""

from __future__ import annotations

from cockpit.core import events as ev
from cockpit.core import rollout, view
from cockpit.core.state import State, breached
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, Tone, count, join, line, wrap

Option = tuple[str, str, str]
"""(key, what it does, what that costs)"""


def question(scene: Scene, width: int, most: int) -> list[Line]:
    """What has to be answered and each answer with its key and its cost; empty where nothing has to be.

    Where the header's sentence has said it all, or it would take more than `most` lines, only the
    answers stand here.
    """
    state = scene.state
    if state.closed is not None or state.aborted is not None or state.left is not None or scene.link.failure:
        return []
    said, options, tone = _asked(scene)
    if not options:
        return []
    inner = width - 4
    answers = _options(options, inner)
    parts = [line((part, tone)) for part in wrap(said, inner)] if said else []
    parts = parts if len(parts) + len(answers) <= most else []
    return [line(("▲ " if n == 0 else "  ", tone)) + part for n, part in enumerate([*parts, *answers])]


def _asked(scene: Scene) -> tuple[str, tuple[Option, ...], Tone]:
    state = scene.state
    result = state.rollback_result
    nothing: tuple[str, tuple[Option, ...], Tone] = ("", (), "text")
    if state.rollback is not None:
        options = (("t", "retry", "runs it there again"), ("c", "close as it is", "stays partial"))
        return ("", options, "alarm") if result is not None and result.unproven else nothing
    if state.started is None:
        return nothing
    back = ("R", "roll back", _cost(scene))
    if rollout.stuck(state):
        retry = ("t", "retry", "runs the step there again")
        return "", (retry, ("x", "exclude", "goes on without it"), back), "alarm"
    if state.paused is None:
        return nothing
    if limits := breached(state):
        owner = scene.called(scene.plan.roles.decision_owner)
        said = f"{_exceeded(state, limits)} The rollout is paused: nothing new starts."
        accept = ("p", "accept and go on", f"{owner} says why")
        return said, (back, ("", "keep waiting", "limits keep watching"), accept), "alarm"
    if isinstance(state.paused, ev.RolloutPaused) and state.paused.by != ev.COCKPIT:
        return nothing  # paused by hand: the header says so, and nobody is asked anything
    return _why(state), (("p", "resume", "anyone may"), back), "warn"


def _exceeded(state: State, limits: tuple[str, ...]) -> str:
    """Each breached limit, with its last value and target."""
    said: list[str] = []
    for limit in limits:
        verdict = state.verdicts[limit]
        value = "no data" if verdict.value is None else f"{verdict.value:g}"
        said.append(f"{limit} is exceeded: {value}{f' on {verdict.target}' if verdict.target else ''}.")
    return " ".join(said)


def _why(state: State) -> str:
    match state.paused:
        case ev.RolloutPaused(threshold=str(), reason=reason):
            return f"Paused by a limit that is no longer exceeded: {reason}."
        case ev.RolloutPaused(reason=reason):
            return f"Paused: {reason}. That is no longer so."
        case ev.SessionResumed():
            return "Taken up again. Look first: what ran when the session ended is in doubt."
        case _:
            return ""


def _cost(scene: Scene) -> str:
    back = view.back_out(scene.state, scene.at)
    if not back.targets:
        return "nothing touched yet"
    about = f", {view.about(back.expected)}" if back.expected else ""
    return f"{count(back.targets, 'target')}{about}"


def _options(options: tuple[Option, ...], width: int) -> list[Line]:
    """The answers side by side where they fit, else one below the other."""
    each = [
        line((key or "–", "key"), (f" {what}", "strong"), (f": {cost}", "dim")) for key, what, cost in options
    ]
    row = join(each, "    ")
    return [row] if row.cells <= width else [option.cut(width) for option in each]
