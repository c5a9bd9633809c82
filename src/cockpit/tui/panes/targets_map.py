"""Many targets as a map: a mark and a load for each, the worst first, in groups that are counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from cockpit.tui.marks import Mark
from cockpit.tui.panes.targets_cards import cells
from cockpit.tui.panes.targets_said import STALE_AFTER, everything, expected, high, versions
from cockpit.tui.scene import Row, Scene
from cockpit.tui.text import SPARKS, Line, Tone, line, pad

GROUPS: Mapping[str, Mark] = {
    "fail": ("✖", "failed", "alarm"),
    "doubt": ("?", "in doubt", "alarm"),
    "settling": ("?", "in doubt", "warn"),
    "lost": ("⊘", "not reached", "alarm"),
    "silent": ("⊘", "silent", "warn"),
    "high": ("△", "over 90 %", "warn"),
    "moves": ("●", "moving", "now"),
    "back?": ("↶", "not proven", "warn"),
    "back": ("↶", "back", "good"),
    "old": ("○", "old", "text"),
    "new": ("✔", "new", "good"),
    "out": ("–", "out", "dim"),
}
"""Every group, the worst first."""

CALM = frozenset({"back?", "back", "moves", "old", "new"})
"""What a target's own trouble shows through."""

PITCHES = (3, 2, 1)
"""Cells of the screen for a target: mark, load and a gap; mark and gap; the mark alone."""


def grouped(scene: Scene) -> Mapping[str, list[str]]:
    """The targets of each group that has any; each is in the worst of which it is one."""
    found: dict[str, list[str]] = {group: [] for group in GROUPS}
    said, over = versions(scene.state), scene.state.closed is not None
    read, oldest = scene.history.latest, scene.at - STALE_AFTER
    for target, (_, word, tone) in said.items():
        group = "settling" if word == "doubt" and tone != "alarm" else word
        if group in CALM and not over:
            latest = read(target)
            if latest is None:
                group = "lost" if expected(scene, target) else group
            elif latest[0] < oldest:
                group = "silent"
            elif high(latest[1]):
                group = "high"
        found[group].append(target)
    return {group: targets for group, targets in found.items() if targets}


def rows(scene: Scene, width: int, height: int) -> list[Row]:
    """The groups with their marks, and at the foot all about what is under the cursor."""
    groups = scene.once(grouped)
    labels = {group: _label(group, len(targets)) for group, targets in groups.items()}
    left = max(label.cells for label in labels.values()) + 2
    room = max(1, width - left)
    pitch = next((p for p in PITCHES if _lines(groups, room // p) < height), PITCHES[-1])
    found: list[Row] = []
    for group, targets in groups.items():
        for at in range(0, len(targets), max(1, room // pitch)):
            shown = targets[at : at + max(1, room // pitch)]
            label = line() if at else labels[group]
            draw = _drawn(scene, label + line(" " * (left - label.cells)), shown, pitch)
            found.append(Row(draw, cells=cells(scene, shown), left=left, pitch=pitch))
    return [*found, Row(Line().cut, about=_about(scene))]


def fits(scene: Scene, width: int, height: int) -> bool:
    """Whether all of the map would be in sight."""
    groups = scene.once(grouped)
    left = max(_label(group, len(targets)).cells for group, targets in groups.items()) + 2
    return _lines(groups, max(1, width - left)) < height


def _lines(groups: Mapping[str, list[str]], across: int) -> int:
    return sum(-(-len(targets) // max(1, across)) for targets in groups.values())


def _label(group: str, n: int) -> Line:
    glyph, word, tone = GROUPS[group]
    return line((f"{glyph} {n} {word}", tone))


def _drawn(scene: Scene, label: Line, targets: Sequence[str], pitch: int) -> Callable[[int], Line]:
    def drawn(width: int) -> Line:
        said, gap = versions(scene.state), " " * (pitch > 1)
        parts: list[tuple[str, Tone]] = []
        for target in targets:
            glyph, _, tone = said[target]
            load, how = _load(scene, target) if pitch > 2 else ("", tone)
            if how == tone:
                parts.append((glyph + load + gap, tone))
            else:
                parts.append((glyph, tone))
                parts.append((load + gap, how))
        return Line((*label.spans, *parts)).cut(width)

    return drawn


def _load(scene: Scene, target: str) -> tuple[str, Tone]:
    """How busy its processors are, as one of eight heights; a dot where nothing is known."""
    latest = scene.history.latest(target)
    if latest is None or scene.at - latest[0] > STALE_AFTER:
        return "·", "dim"
    sample = latest[1]
    return SPARKS[min(7, max(0, round(sample.cpu_percent / 100 * 7)))], "warn" if high(sample) else "dim"


def _about(scene: Scene) -> Callable[[Row | None, int], Line]:
    def about(row: Row | None, width: int) -> Line:
        target = row.target if row is not None else scene.target
        if target not in versions(scene.state):
            return line((pad("choose a target: all about it stands here", width), "dim"))
        return everything(scene, target, width)

    return about
