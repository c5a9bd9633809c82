"""The targets pane: which version each host has, and how the host itself does, as cards, in lines or as a map."""

from __future__ import annotations

from collections import Counter

from cockpit.core.plan import Plan
from cockpit.core.state import State
from cockpit.tui.once import once_for_each
from cockpit.tui.panes import targets_cards, targets_map
from cockpit.tui.panes.targets_said import (
    STALE_AFTER,
    WORD,
    columns,
    everything,
    expected,
    head,
    newest,
    numbers,
    version_of,
    versions,
)
from cockpit.tui.scene import Copy, Row, Scene

__all__ = ["columns", "copied", "fitted", "hand", "note", "rows", "version_of", "wanted", "welcome"]

LISTED_MOST = 10
NEARLY, HARDLY = 1.5, 3
"""So many times the rows that there is room for are nearly in sight; so many times, hardly."""


def rows(scene: Scene, width: int) -> list[Row]:
    """A row a target, in the plan's order."""
    names = min(20, max(len(t.id) for t in scene.plan.targets))
    chosen = columns(width - names - WORD - 3)
    return [_row(scene, target.id, names, chosen) for target in scene.plan.targets]


def fitted(scene: Scene, width: int, height: int) -> list[Row]:
    """Cards where all of them fit, else lines where all or nearly all do, else the map."""
    if found := targets_cards.cards(scene, width, height):
        return found
    n = len(scene.plan.targets)
    if n > height and (found := targets_cards.in_columns(scene, width, height)):
        return found
    if n <= height * NEARLY or (n <= height * HARDLY and not targets_map.fits(scene, width, height)):
        return rows(scene, width)
    return targets_map.rows(scene, width, height)


def copied(scene: Scene, row: Row | None) -> Copy | None:
    """All about the chosen target."""
    if row is None or not row.target:
        return None
    return Copy(everything(scene, row.target, 1000).plain.rstrip(), row.target)


def note(scene: Scene) -> str:
    """How many targets have which version."""
    return _noted(scene.state)


@once_for_each
def _noted(state: State) -> str:
    words = Counter(word for _, word, _ in versions(state).values())
    return ", ".join(f"{n} {word}" for word, n in words.items())


def hand(scene: Scene) -> str:
    """How many targets are silent: they gave data before, or could not be reached."""
    return scene.once(_silent)


def _silent(scene: Scene) -> str:
    read, oldest = scene.history.latest, scene.at - STALE_AFTER
    silent = 0
    for target in scene.plan.targets:
        latest = read(target.id)
        silent += expected(scene, target.id) if latest is None else latest[0] < oldest
    return f"{silent} silent" if silent and scene.state.closed is None else ""


def wanted(plan: Plan) -> int:
    """Rows it would like: a line a target, if they are few."""
    return min(LISTED_MOST, len(plan.targets))


def welcome(plan: Plan) -> int:
    """Rows it could use: a card a target."""
    return len(plan.targets) * (targets_cards.CARD_LINES + 1) - 1


def _row(scene: Scene, target: str, names: int, chosen: tuple[str, ...]) -> Row:
    return Row(
        lambda w: (head(scene, target, names) + numbers(scene, target, chosen)).cut(w),
        f"host:{target}",
        target=target,
        attempt=newest(scene, target),
    )
