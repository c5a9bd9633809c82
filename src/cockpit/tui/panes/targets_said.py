"""What is said of one target: its version, its silence, its numbers, and what went wrong on it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from cockpit.core.attempt import Attempt
from cockpit.core.plan import HERE
from cockpit.core.state import State
from cockpit.signals.host import HostSample
from cockpit.tui.marks import Mark
from cockpit.tui.once import once_for_each
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, Tone, join, line, number, pad, spark

STALE_AFTER = timedelta(seconds=7)
"""Three host readings missed: a number older than this isn't shown as one."""

SPARK_WIDTH = 6
HIGH = 90
"""Per cent of processor, memory or disk from which a target is near its end."""

Cell = tuple[str, Tone]

GLYPHS: Mapping[str, str] = {
    "old": "○",
    "new": "✔",
    "moves": "●",
    "back": "↶",
    "back?": "↶",
    "doubt": "?",
    "fail": "✖",
    "out": "–",
}
WORD = max(len(word) for word in GLYPHS)


def version_of(state: State, target: str) -> Cell:
    """Which version runs there, as one word: old, new, moves, back, doubt, fail or out.

    It is new once the last step of a stage has succeeded there, and moves between its steps.
    """
    word: Cell = ("old", "text")
    done: Attempt | None = None
    for attempt in state.attempts.get(target, ()):
        forward = attempt.direction == "run"
        match attempt.status:
            case "running":
                word = ("moves", "now")
            case "succeeded":
                word, done = ("new", "good"), attempt
            case "rolled_back":
                word = ("back", "good") if attempt.proven else ("back?", "warn")
            case "in_doubt":
                word = ("doubt", "warn" if attempt.unsettled else "alarm")
            case "failed" | "rollback_failed":
                word = ("fail", "alarm")
            case "unreachable":
                word = word if forward else ("fail", "alarm")
    if word[0] == "new" and done is not None and not _is_last(state, done):
        return ("moves", "now")
    return ("out", "dim") if target in state.excluded and word[0] == "old" else word


def _is_last(state: State, attempt: Attempt) -> bool:
    """Whether nothing more is to come on its target in its stage."""
    stage = next(stage for stage in state.plan.stages if stage.name == attempt.stage)
    steps = (id_ for id_ in reversed(stage.steps) if state.plan.step(id_).on != "here")
    return attempt.target == HERE or attempt.step == next(steps, "")


def _versions(state: State) -> Mapping[str, Mark]:
    said = ((target.id, version_of(state, target.id)) for target in state.plan.targets)
    return {target: (GLYPHS[word], word, tone) for target, (word, tone) in said}


versions = once_for_each(_versions)
"""Which version runs on each target."""


def stale(scene: Scene, target: str) -> bool:
    """Whether nothing has come from it for a while, or ever."""
    latest = scene.history.latest(target)
    return latest is None or scene.at - latest[0] > STALE_AFTER


def expected(scene: Scene, target: str) -> bool:
    """Whether it gave data before, or could not be reached."""
    probe = scene.state.probes.get(target)
    return scene.history.latest(target) is not None or (probe is not None and not probe.ok)


def high(sample: HostSample) -> bool:
    """Whether the host is near its end."""
    return max(sample.cpu_percent, sample.memory_percent, sample.disk_percent or 0) >= HIGH


def newest(scene: Scene, target: str) -> str:
    """The newest attempt there, or empty."""
    attempts = scene.state.attempts.get(target, ())
    return attempts[-1].id if attempts else ""


def silence(scene: Scene, target: str) -> Cell:
    """Why it has no numbers."""
    latest = scene.history.latest(target)
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


def columns(width: int) -> tuple[str, ...]:
    """The columns that fit in `width` cells: numbers before sparklines, in a fixed order on screen."""
    chosen: set[str] = set()
    for name in ("cpu", "memory", "~cpu", "disk", "load", "network", "~memory", "~load", "~network"):
        if width < WIDTHS[name]:
            break
        width -= WIDTHS[name]
        chosen.add(name)
    return tuple(name for name in WIDTHS if name in chosen)


_SPARK = SPARK_WIDTH + 1
WIDTHS = {
    "cpu": 9, "~cpu": _SPARK, "memory": 9, "~memory": _SPARK, "disk": 10, "load": 9, "~load": _SPARK,
    "network": 12, "~network": _SPARK,
}  # fmt: skip


LEAST_NUMBERS = WIDTHS["cpu"] + WIDTHS["memory"] + WIDTHS["disk"]
"""Cells that numbers have before labels."""


def head(scene: Scene, target: str, names: int) -> Line:
    """Its name and its version, `names` cells for the name."""
    glyph, word, tone = versions(scene.state)[target]
    return line(pad(target, names), " ", (f"{glyph} {pad(word, WORD)}", tone))


def numbers(scene: Scene, target: str, chosen: tuple[str, ...], sparks: int = SPARK_WIDTH) -> Line:
    """The numbers of `chosen` columns, each after a space, or why there are none."""
    latest = scene.history.latest(target)
    if latest is None or stale(scene, target):
        return line(" ", silence(scene, target))
    return line(*(_cell(scene, target, name, latest, sparks) for name in chosen))


def _cell(scene: Scene, target: str, name: str, latest: tuple[datetime, HostSample], sparks: int) -> Cell:
    sample = latest[1]
    if name.startswith("~"):
        metric = name[1:]
        top = 100.0 if metric in ("cpu", "memory") else None
        return " " + spark(scene.history.metric(target, metric), sparks, high=top), "dim"
    value = sample.metric(name)
    if name == "load":
        said = "–" if value is None else f"{value:.1f}" if value < 10 else f"{value:.0f}"
        return f" load {said:>3}".ljust(WIDTHS[name]), "text"
    if name == "network":
        return f" net {number(value):>4}B/s".ljust(WIDTHS[name]), "text"
    short = {"cpu": "cpu", "memory": "mem", "disk": "disk"}[name]
    said = "   –" if value is None else f"{value:3.0f}%"
    return f" {short} {said}", "warn" if value is not None and value >= HIGH else "text"


def wrong(scene: Scene, target: str) -> Line:
    """What went wrong there last, if that is how it stands now."""
    attempts = scene.state.attempts.get(target, ())
    if not attempts or versions(scene.state)[target][1] not in ("fail", "doubt"):
        return Line()
    last = attempts[-1]
    code = f", exit {last.exit_code}" if last.exit_code else ""
    detail = f": {last.detail}" if last.detail else ""
    return line(f"{last.step} {last.status.replace('_', ' ')}{code}{detail}")


def everything(scene: Scene, target: str, width: int) -> Line:
    """All of it in one line: what went wrong first, then as many numbers as there is room for, and its labels."""
    said = join([head(scene, target, 0 if width < len(target) else len(target)), wrong(scene, target)], " ")
    labelled = labels(scene, target)
    chosen = columns(max(LEAST_NUMBERS, width - said.cells - labelled.cells))
    return (said + numbers(scene, target, chosen) + labelled).cut(width)


def labels(scene: Scene, target: str) -> Line:
    """What the plan's inventory says of it, each behind its name."""
    said = "".join(f" {name}={value}" for name, value in scene.plan.target(target).labels.items())
    return line((f" {said}", "dim")) if said else Line()
