"""Where everything stands for a terminal of any size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from textual.geometry import Region

TWO_COLUMNS, THREE_COLUMNS = 100, 170
"""Widths from which panes stand side by side."""

SIDE_BY_SIDE_HEIGHT = 26
"""Rows of body below which one pane at a time is easier to read."""

LOW_LEAST = 8
"""Rows of the pane below the columns, at least; it takes what the columns don't want, up to half."""

PANE_LEAST = 4
"""A pane's border and two rows."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be placed: lines of header and question, rows wanted by each pane, and what is in front."""

    header: int
    question: int
    rows: Mapping[str, int]
    front: str
    zoomed: bool = False
    below: str = "journal"


def arrange(width: int, height: int, wish: Wish) -> dict[str, Region]:
    """The region of everything shown; what is missing isn't shown. Names of panes, header, question, tabs, keys."""
    places: dict[str, Region] = {}
    top = min(wish.header, max(1, height // 3))
    places["header"] = Region(0, 0, width, top)
    bottom = height
    if height >= 6:
        bottom -= 1
        places["keys"] = Region(0, bottom, width, 1)
    question = min(wish.question, question_most(height, wish.header))
    if question:
        places["question"] = Region(0, top, width, question)
        top += question
    single = wish.zoomed or width < TWO_COLUMNS or bottom - top < SIDE_BY_SIDE_HEIGHT
    if single and bottom - top >= 4:
        places["tabs"] = Region(0, top, width, 1)
        top += 1
    body = Region(0, top, width, max(0, bottom - top))
    places.update({wish.front: body} if single else _side_by_side(body, wish))
    return places


def question_most(height: int, header: int) -> int:
    """The lines a question may take: what it is about must stay in sight."""
    return max(0, (height - header - 1) // 2)


def _side_by_side(body: Region, wish: Wish) -> dict[str, Region]:
    three = body.width >= THREE_COLUMNS
    below = "journal" if three else wish.below
    columns = [["rollout", "targets"], ["limits", "checklist", "roles"]]
    if three:
        columns.append(["output"])
    needed = max(sum(wish.rows[name] + 2 for name in names) for names in columns[:2])
    low = min(max(LOW_LEAST, body.height - needed), body.height // 2)
    places = {below: Region(0, body.bottom - low, body.width, low)}
    x = 0
    for n, names in enumerate(columns):
        right = body.width * (n + 1) // len(columns)
        y = body.y
        heights = share([wish.rows[name] + 2 for name in names], body.height - low)
        for name, height in zip(names, heights, strict=True):
            places[name] = Region(x, y, right - x, height)
            y += height
        x = right
    return places


def share(wanted: list[int], available: int) -> list[int]:
    """`available` rows for panes stacked in a column: the longest give way first, the first takes what is left."""
    heights = list(wanted)
    while sum(heights) > available and max(heights) > PANE_LEAST:
        longest = heights.index(max(heights))
        heights[longest] -= 1
    heights[0] += available - sum(heights)
    return heights
