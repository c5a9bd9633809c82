"""Targets: cards, lines or a map, by the room there is; the worst first; and the cursor among them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from cockpit.signals.host import HostSample
from cockpit.tui.panes import targets
from cockpit.tui.panes.targets_map import GROUPS, grouped
from cockpit.tui.panes.targets_said import everything
from tests.tui.fake_link import FakeLink, a_plan
from tests.tui.moments import copied
from tests.tui.seen import at_screen, scene


@cache
def told(n: int) -> FakeLink:
    """A wave under way on `n` targets: one failed, one in doubt, two silent, one at its end, some done."""
    link = FakeLink(a_plan(n)).in_web()
    link.pass_time(10)
    link.finish()
    link.pass_time(305)
    link.finish("web-3", finish="failed", code=1, detail="disk full")
    if n > 20:
        link.lose("web-4")
        link.finish("web-5")
        link.silent |= {"web-6", f"web-{n}"}
        link.pass_time(10)
        link.hosts["web-7"] = (link.at, HostSample(97, 50, 70, 3, 4, 1e5, 8e4, 1e5))
    return link


def fleet(n: int) -> FakeLink:
    """Such a fleet: told once, for a large one takes its time."""
    return copied(told(n))


def view(n: int, width: int, height: int) -> str:
    """Which of the views fits."""
    found = targets.fitted(scene(fleet(n)), width, height)
    if found[-1].about is not None:
        return "map"
    if not any(row.cells for row in found):
        return "lines"
    return "cards" if any(not row.cells for row in found) or found[0].cells is found[1].cells else "columns"


@pytest.mark.parametrize(
    ("n", "width", "height", "expected"),
    [
        (5, 56, 6, "lines"),
        (5, 56, 11, "cards"),
        (5, 76, 16, "cards"),
        (5, 30, 5, "lines"),
        (50, 56, 10, "map"),
        (50, 118, 36, "columns"),
        (50, 198, 55, "cards"),
        (160, 56, 10, "map"),
        pytest.param(500, 56, 10, "map", marks=pytest.mark.long),
        pytest.param(500, 198, 55, "map", marks=pytest.mark.long),
        pytest.param(500, 298, 85, "columns", marks=pytest.mark.long),
        (100, 198, 55, "columns"),
    ],
)
def test_the_view_follows_the_room(n: int, width: int, height: int, expected: str) -> None:
    assert view(n, width, height) == expected


@pytest.mark.parametrize(("width", "height"), [(38, 4), (56, 10), (76, 18), (118, 36), (198, 55)])
@pytest.mark.parametrize("n", [5, 50])
def test_every_view_has_every_target_once_and_keeps_to_its_width(n: int, width: int, height: int) -> None:
    link = fleet(n)
    found = targets.fitted(scene(link), width, height)
    things = {id(row.cells): [cell.target for cell in row.cells] for row in found if row.cells}
    named = [row.target for row in found if row.target] + [
        name for cells in things.values() for name in cells
    ]
    assert sorted(named) == sorted(t.id for t in link.state.plan.targets)
    for row in found:
        assert row.draw(width).cells <= width
        assert row.about is not None or not row.cells or row.left + len(row.cells) * row.pitch <= width + 2


def test_the_map_has_the_worst_first_and_counts_each_group() -> None:
    at = scene(fleet(50))
    groups = grouped(at)
    assert list(groups) == [g for g in GROUPS if g in groups]
    assert {name: groups[name] for name in ("fail", "silent", "high")} == {
        "fail": ["web-3"],
        "silent": ["web-6", "web-50"],
        "high": ["web-7"],
    }
    assert groups["settling"] == ["web-4"]
    drawn = [row.draw(56).plain.rstrip() for row in targets.fitted(at, 56, 12)]
    assert [line.split("  ")[0] for line in drawn[:4]] == [
        "✖ 1 failed",
        "? 1 in doubt",
        "⊘ 2 silent",
        "△ 1 over 90 %",
    ]
    assert "✖" in drawn[0].removeprefix("✖") and "●·" in drawn[2] and "█" in drawn[3]


def test_nothing_out_of_sight_is_drawn() -> None:
    link = fleet(160)
    asked: list[str] = []
    at = scene(link)
    metric = at.history.metric
    at.history.metric = lambda target, name: asked.append(target) or metric(target, name)  # type: ignore[method-assign]
    for row in targets.rows(at, 100)[:10]:
        row.draw(100)
    assert set(asked) == {f"web-{n}" for n in range(1, 11) if n != 6}  # that one is silent


async def test_the_cursor_moves_among_targets_and_acts_follow_it() -> None:
    async with at_screen(fleet(50), (120, 40)) as dana:
        await dana.press("3")
        await dana.sees("choose a target")
        await dana.press("j")
        await dana.sees("web-3 ✖ fail  switch failed, exit 1: disk full")
        assert dana.app.subject[0] == "web-3"
        await dana.press("j", "j", "l")
        assert dana.app.subject[0] == "web-50"
        await dana.sees("web-50 ○ old   no data for 10 s")
        assert "›" in dana.screen()
        await dana.press("l")  # beyond the last of its row stands another pane
        assert dana.app.front in ("limits", "checklist", "roles")
        assert dana.app.panes["targets"].cursor == "host:web-50"
        pane = dana.app.panes["targets"]
        first = pane.rows[0]
        await dana.pilot.click(pane, offset=(2 + first.left, 1))
        await dana.settled()
        assert dana.app.subject[0] == "web-3"


async def test_the_cursor_holds_on_to_its_target_in_every_view() -> None:
    async with at_screen(fleet(50), (200, 60)) as dana:
        await dana.press("3", "j", "j", "j")
        chosen = dana.app.panes["targets"].cursor
        assert any(row.about is None for row in dana.app.panes["targets"].rows)
        for size in ((120, 40), (80, 24), (60, 80), (200, 60)):
            await dana.pilot.resize_terminal(*size)
            await dana.press("z")
            await dana.settled()
            pane = dana.app.panes["targets"]
            assert pane.cursor == chosen and pane.row is not None
            at = pane.in_sight()
            assert any(
                pane.rows[n].key == chosen or any(c.key == chosen for c in pane.rows[n].cells) for n in at
            )
            await dana.press("z")


async def test_a_target_that_gets_worse_takes_the_cursor_along() -> None:
    link = fleet(50)
    async with at_screen(link, (120, 40)) as dana:
        await dana.press("3", "end")
        chosen = dana.app.subject[0]
        link.silent.add(chosen)
        link.pass_time(10)
        await dana.sees("⊘ 3 silent", f"{chosen} ✔ new   no data for 10 s")
        assert dana.app.panes["targets"].cursor == f"host:{chosen}"


def test_labels_of_the_inventory_stand_behind_the_numbers() -> None:
    link = fleet(5)
    plan = link.state.plan
    known = tuple(replace(t, labels={"rack": "r1"}) if t.id == "web-1" else t for t in plan.targets)
    link.state = replace(link.state, plan=replace(plan, targets=known))
    one, other = (everything(scene(link), name, 200).plain.rstrip() for name in ("web-1", "web-2"))
    assert one.endswith("  rack=r1")
    assert "rack" not in other
    assert "cpu" in everything(scene(link), "web-1", 60).plain
