"""Where everything stands for a terminal of any size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from textual.geometry import Region

TWO_COLUMNS, THREE_COLUMNS = 100, 170
"""Widths from which panes stand side by side."""

SIDE_BY_SIDE_HEIGHT = 26
"""Rows of body below which fewer panes at a time are easier to read."""

STACK_HEIGHT, COLUMN_LEAST = 30, 50
"""Rows of body from which panes stand beneath each other under the tabs; cells of one of them beside another."""

BARE_HEIGHT = 8
"""Rows of body below which the one pane has no border: its tab names it."""

LOW, BODY_LEAST = 30, 14
"""Rows of the terminal below which everything is said once; rows that the panes keep, whatever stands above them."""

LOW_LEAST = 8
"""Rows of the pane below the columns, at least; it takes what the columns don't want, up to half."""

ANSWER_LEAST = 3
"""Rows of a question that nothing takes from it, where they aren't half of what there is."""

GUIDE_HEIGHT = 20
"""Rows of the terminal from which there is room for the demo's guide."""

PANE_LEAST = 4
"""A pane's border and two rows."""

FIRM = ("limits", "checklist", "roles")
"""Panes that need room while they are urgent; of a target in trouble both the rollout and the targets tell."""

BESIDE_URGENT = 6
"""Rows that a pane keeps before one gives way that needs a hand at once."""

FIRST = ("rollout", "limits", "targets", "checklist", "journal", "output", "roles")
"""Which panes are shown first where there isn't room for all."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be placed: lines of header, question and guide, rows wanted by each pane, and what is in front.

    `welcome` are the rows that a pane could use where nobody else wants them. `urgent` panes give way last.
    """

    header: int
    question: int
    rows: Mapping[str, int]
    front: str
    zoomed: bool = False
    below: str = "journal"
    welcome: Mapping[str, int] = field(default_factory=dict[str, int])
    guide: int = 0
    urgent: frozenset[str] = frozenset()


def arrange(width: int, height: int, wish: Wish) -> dict[str, Region]:
    """The region of everything shown: of panes, header, question, tabs, guide, keys. What is missing isn't shown."""
    places: dict[str, Region] = {}
    top = min(wish.header, max(1, height // 2 - 1))
    places["header"] = Region(0, 0, width, top)
    bottom = height
    if height >= 6:
        bottom -= 1
        places["keys"] = Region(0, bottom, width, 1)
    guide = wish.guide if height >= GUIDE_HEIGHT else 0
    if guide:
        bottom -= guide
        places["guide"] = Region(0, bottom, width, guide)
    question = min(wish.question, question_most(height, wish.header))
    if question:
        places["question"] = Region(0, top, width, question)
        top += question
    tabbed = wish.zoomed or width < TWO_COLUMNS or bottom - top < SIDE_BY_SIDE_HEIGHT
    if tabbed and bottom - top >= 4:
        places["tabs"] = Region(0, top, width, 1)
        top += 1
    body = Region(0, top, width, max(0, bottom - top))
    if not tabbed:
        return {**places, **_in_columns(body, wish)}
    if wish.zoomed:
        return {**places, wish.front: body}
    return {**places, **(_stacked(body, wish) if body.height >= STACK_HEIGHT else _in_a_row(body, wish))}


def question_most(height: int, header: int) -> int:
    """The lines a question may take: what it is about must stay in sight."""
    left = height - header - 2  # for keys and tabs
    panes = min(BODY_LEAST, left * 5 // 6)
    return max(0, min(left // 2, max(ANSWER_LEAST, left - panes)))


def bare(places: Mapping[str, Region], name: str) -> bool:
    """Whether the pane does without a border: there is so little room, and its tab names it."""
    alone = not any(other in FIRST and other != name for other in places)
    return alone and "tabs" in places and places[name].height < BARE_HEIGHT


def beside(places: Mapping[str, Region], front: str, by: int) -> str | None:
    """The pane to the right of the one in front, or to the left: the one that stands beside most of it."""
    here = places.get(front)
    if here is None:
        return None
    top, bottom = here.y, here.bottom

    def shared(other: Region) -> int:
        return min(bottom, other.bottom) - max(top, other.y)

    panes = {name: places[name] for name in FIRST if name in places and name != front}
    edges = [
        r.x for r in panes.values() if (r.x >= here.right if by > 0 else r.right <= here.x) and shared(r) > 0
    ]
    if not edges:
        return None
    edge = min(edges) if by > 0 else max(edges)
    return max((name for name, r in panes.items() if r.x == edge), key=lambda name: shared(panes[name]))


def _in_columns(body: Region, wish: Wish) -> dict[str, Region]:
    three = body.width >= THREE_COLUMNS
    below = "journal" if three else wish.below
    columns = [["rollout", "targets"], ["limits", "checklist", "roles"]]
    if three:
        columns.append(["output"])
    needed, welcome = (
        max(sum(rows.get(name, 0) + 2 for name in names) for names in columns[:2])
        for rows in (wish.rows, _most(wish))
    )
    least = max(LOW_LEAST, body.height - max(needed, welcome), min(body.height // 4, body.height - needed))
    low = min(least, body.height // 2)
    places = {below: Region(0, body.bottom - low, body.width, low)}
    x = 0
    for n, names in enumerate(columns):
        right = body.width * (n + 1) // len(columns)
        places.update(_column(names, Region(x, body.y, right - x, body.height - low), wish))
        x = right
    return places


def _most(wish: Wish) -> dict[str, int]:
    return {name: max(rows, wish.welcome.get(name, 0)) for name, rows in wish.rows.items()}


def _stacked(body: Region, wish: Wish) -> dict[str, Region]:
    """The panes that fit beneath each other, the one in front among them."""
    shown = [wish.front]
    for name in FIRST:
        if name not in shown and sum(wish.rows[n] + 2 for n in (*shown, name)) <= body.height:
            shown.append(name)
    return _column([name for name in wish.rows if name in shown], body, wish)


def _in_a_row(body: Region, wish: Wish) -> dict[str, Region]:
    """As many panes side by side as the width allows, the one in front among them."""
    most = min(3, max(1, body.width // COLUMN_LEAST))
    shown: list[str] = list(FIRST[:most])
    if wish.front not in shown:
        shown[-1] = wish.front
    edges = [body.width * n // len(shown) for n in range(len(shown) + 1)]
    return {
        name: Region(x, body.y, right - x, body.height)
        for name, x, right in zip(shown, edges, edges[1:], strict=False)
    }


def _column(names: Sequence[str], area: Region, wish: Wish) -> dict[str, Region]:
    wanted = [wish.rows[name] + 2 for name in names]
    welcome = [max(0, wish.welcome.get(name, 0) - wish.rows[name]) for name in names]
    firm = [n for n, name in enumerate(names) if name in wish.urgent and name in FIRM]
    places: dict[str, Region] = {}
    y = area.y
    for name, height in zip(names, share(wanted, area.height, welcome, firm), strict=True):
        places[name] = Region(area.x, y, area.width, height)
        y += height
    return places


def share(
    wanted: list[int], available: int, welcome: Sequence[int] = (), firm: Sequence[int] = ()
) -> list[int]:
    """`available` rows for panes stacked in a column: the longest give way first, those in `firm` last.

    What is left goes to those that could use so many more, then to the first.
    """
    heights = list(wanted)
    while sum(heights) > available and max(heights) > PANE_LEAST:
        yielding = [n for n, rows in enumerate(heights) if rows > BESIDE_URGENT and n not in firm]
        longest = max(yielding or range(len(heights)), key=lambda n: heights[n])
        heights[longest] -= 1
    for n, more in enumerate(welcome):
        heights[n] += max(0, min(more, available - sum(heights)))
    heights[0] += available - sum(heights)
    return heights
