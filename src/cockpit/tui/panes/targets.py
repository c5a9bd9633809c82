"""The targets pane: which version each host has, and how the host itself does."""

from __future__ import annotations

from datetime import datetime, timedelta

from cockpit.core.plan import Plan, Target
from cockpit.core.state import State
from cockpit.signals.host import HostSample
from cockpit.tui.scene import Row, Scene
from cockpit.tui.text import Line, Tone, line, number, pad, spark

STALE_AFTER = timedelta(seconds=7)
"""Three host readings missed: a number older than this isn't shown as one."""

SPARK_WIDTH = 6
LISTED_MOST = 10

Cell = tuple[str, Tone]


def rows(scene: Scene, width: int) -> list[Row]:
    """A row a target, in the plan's order."""
    names = min(20, max(len(t.id) for t in scene.plan.targets))
    chosen = columns(width - names - 7)
    return [_row(scene, target, names, chosen) for target in scene.plan.targets]


def note(scene: Scene) -> str:
    """How many targets have which version."""
    words = [version_of(scene.state, t.id)[0] for t in scene.plan.targets]
    return ", ".join(f"{words.count(w)} {w}" for w in dict.fromkeys(words))


def hand(scene: Scene) -> str:
    """How many targets are silent: they gave data before, or could not be reached."""
    silent = sum(1 for t in scene.plan.targets if _stale(scene, t.id) and _expected(scene, t.id))
    return f"{silent} silent" if silent and scene.state.closed is None else ""


def wanted(plan: Plan) -> int:
    """Rows it would like: a line a target, if they are few."""
    return min(LISTED_MOST, len(plan.targets))


def version_of(state: State, target: str) -> Cell:
    """Which version runs there, as one word: old, new, moving, back, doubt, failed or out."""
    word: Cell = ("old", "text")
    for attempt in state.attempts.get(target, ()):
        forward = attempt.direction == "run"
        match attempt.status:
            case "running":
                word = ("moves", "now")
            case "succeeded":
                word = ("new", "good")
            case "rolled_back":
                word = ("back", "good") if attempt.proven else ("back?", "warn")
            case "in_doubt":
                word = ("doubt", "warn" if attempt.unsettled else "alarm")
            case "failed" | "rollback_failed":
                word = ("fail", "alarm")
            case "unreachable":
                word = word if forward else ("fail", "alarm")
    return ("out", "dim") if target in state.excluded and word[0] == "old" else word


def _expected(scene: Scene, target: str) -> bool:
    probe = scene.state.probes.get(target)
    return scene.history.latest(target) is not None or (probe is not None and not probe.ok)


def _stale(scene: Scene, target: str) -> bool:
    latest = scene.history.latest(target)
    return latest is None or scene.at - latest[0] > STALE_AFTER


def columns(width: int) -> tuple[str, ...]:
    """The columns that fit in `width` cells: numbers before sparklines, in a fixed order on screen."""
    chosen: set[str] = set()
    for name in ("cpu", "memory", "~cpu", "disk", "load", "network", "~memory", "~load", "~network"):
        if width < _WIDTHS[name]:
            break
        width -= _WIDTHS[name]
        chosen.add(name)
    return tuple(name for name in _WIDTHS if name in chosen)


_SPARK = SPARK_WIDTH + 1
_WIDTHS = {
    "cpu": 9, "~cpu": _SPARK, "memory": 9, "~memory": _SPARK, "disk": 10, "load": 9, "~load": _SPARK,
    "network": 12, "~network": _SPARK,
}  # fmt: skip


def _row(scene: Scene, target: Target, names: int, chosen: tuple[str, ...]) -> Row:
    attempts = scene.state.attempts.get(target.id, ())
    newest = attempts[-1].id if attempts else ""
    return Row(
        lambda w: _draw(scene, target.id, names, chosen).cut(w),
        f"host:{target.id}",
        target=target.id,
        attempt=newest,
    )


def _draw(scene: Scene, target: str, names: int, chosen: tuple[str, ...]) -> Line:
    word, tone = version_of(scene.state, target)
    start = line(pad(target, names), " ", (pad(word, 6), tone))
    latest = scene.history.latest(target)
    if latest is None or _stale(scene, target):
        return start + line(" ", _silence(scene, target, latest))
    return start + line(*(_cell(scene, target, name, latest[1]) for name in chosen))


def _silence(scene: Scene, target: str, latest: tuple[datetime, HostSample] | None) -> Cell:
    if latest is not None:
        return f"no data for {(scene.at - latest[0]).total_seconds():.0f} s", "warn"
    probe = scene.state.probes.get(target)
    if probe is None:
        return "not reached yet", "dim"
    if probe.held_by:
        return f"held by {probe.held_by}", "alarm"
    if probe.running:
        return f"an earlier session's step still runs: {', '.join(probe.running)}", "alarm"
    return ("no data yet", "dim") if probe.ok else (f"not reached: {probe.detail}", "alarm")


def _cell(scene: Scene, target: str, name: str, sample: HostSample) -> Cell:
    if name.startswith("~"):
        metric = name[1:]
        top = 100.0 if metric in ("cpu", "memory") else None
        return " " + spark(scene.history.metric(target, metric), SPARK_WIDTH, high=top), "dim"
    value = sample.metric(name)
    if name == "load":
        said = "–" if value is None else f"{value:.1f}" if value < 10 else f"{value:.0f}"
        return f" load {said:>3}".ljust(_WIDTHS[name]), "text"
    if name == "network":
        return f" net {number(value):>4}B/s".ljust(_WIDTHS[name]), "text"
    short = {"cpu": "cpu", "memory": "mem", "disk": "disk"}[name]
    said = "   –" if value is None else f"{value:3.0f}%"
    return f" {short} {said}", "warn" if value is not None and value >= 90 else "text"
