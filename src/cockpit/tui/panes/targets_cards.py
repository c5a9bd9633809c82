"""Targets as cards of a few lines, or as lines side by side, where there is room for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from cockpit.tui.panes.targets_said import SPARK_WIDTH, WORD, columns, head, newest, numbers, silence, stale
from cockpit.tui.scene import Row, Scene
from cockpit.tui.text import Line, line, spread

CARD_LEAST, CARD_MOST, CARD_LINES = 27, 48, 3
GAP = 2
NUMBERS_LEAST = 18
"""Cells of the numbers in a line: processor and memory."""


@lru_cache(16384)
def cell(target: str, attempt: str) -> Row:
    """A target as one of several things in a row, which draws it."""
    return Row(Line().cut, f"host:{target}", target=target, attempt=attempt)


def cells(scene: Scene, targets: Sequence[str]) -> tuple[Row, ...]:
    """Targets as things in one row."""
    return tuple(cell(target, newest(scene, target)) for target in targets)


def cards(scene: Scene, width: int, height: int) -> list[Row] | None:
    """Every target as a card, or None where they don't fit."""
    every = [target.id for target in scene.plan.targets]
    most = max(1, (width + GAP) // (CARD_LEAST + GAP))
    if width < CARD_LEAST or -(-len(every) // most) * (CARD_LINES + 1) - 1 > height:
        return None
    across = min(most, len(every))
    pitch = min(CARD_MOST, (width + GAP) // across)
    found: list[Row] = []
    for at in range(0, len(every), across):
        shown = every[at : at + across]
        things = cells(scene, shown)
        found += [Row(Line().cut)] if at else []
        for n in range(CARD_LINES):
            found.append(Row(_drawn(scene, shown, pitch, _card(n)), cells=things, pitch=pitch))
    return found


def in_columns(scene: Scene, width: int, height: int) -> list[Row] | None:
    """A line a target in as few columns as will do, read downwards; None where they don't fit."""
    every = [target.id for target in scene.plan.targets]
    names = min(20, max(len(target) for target in every))
    least = names + WORD + 3 + NUMBERS_LEAST
    across = -(-len(every) // max(1, height))
    if across > max(1, (width + GAP) // (least + GAP)):
        return None
    down = -(-len(every) // across)
    pitch = (width + GAP) // across
    chosen = columns(pitch - GAP - names - WORD - 3)

    def one(scene: Scene, target: str, width: int) -> Line:
        return (head(scene, target, names) + numbers(scene, target, chosen)).cut(width)

    found: list[Row] = []
    for n in range(down):
        shown = every[n::down]
        found.append(Row(_drawn(scene, shown, pitch, one), cells=cells(scene, shown), pitch=pitch))
    return found


Draw = Callable[[Scene, str, int], Line]


def _drawn(scene: Scene, targets: Sequence[str], pitch: int, draw: Draw) -> Callable[[int], Line]:
    """Targets side by side, each drawn in its own column."""

    def drawn(width: int) -> Line:
        whole = Line()
        for n, target in enumerate(targets):
            whole = whole + line(" " * (n * pitch - whole.cells)) + draw(scene, target, pitch - GAP)
        return whole.cut(width)

    return drawn


def _card(n: int) -> Draw:
    """The first, second or third line of a card."""

    def title(scene: Scene, target: str, width: int) -> Line:
        start = head(scene, target, width - WORD - 3)
        return start.cut(width)

    def second(scene: Scene, target: str, width: int) -> Line:
        if stale(scene, target):
            return line(silence(scene, target)).cut(width)
        return _two(scene, target, ("cpu", "~cpu"), "load", width)

    def third(scene: Scene, target: str, width: int) -> Line:
        return Line() if stale(scene, target) else _two(scene, target, ("memory", "~memory"), "disk", width)

    return (title, second, third)[n]


def _two(scene: Scene, target: str, first: tuple[str, ...], last: str, width: int) -> Line:
    """A number with its sparkline, which takes what the numbers leave, and another at the end."""
    right = numbers(scene, target, (last,))
    left = numbers(scene, target, first, max(SPARK_WIDTH, width - right.cells - NUMBERS_LEAST // 2 - 1))
    return spread(width, Line(((left.spans[0][0][1:], left.spans[0][1]), *left.spans[1:])), right)
