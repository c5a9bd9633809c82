"""Panes remember their place: through tabs, zoom, other sizes, what comes in, and the way back."""

from __future__ import annotations

from textual import events

from cockpit.core import commands as cmd
from cockpit.tui.lines import RowPane
from tests.tui.fake_link import FakeLink, a_plan
from tests.tui.seen import Person, at_screen


def seen(pane: RowPane) -> list[str]:
    """The words of the rows in sight."""
    return [pane.rows[n].draw(pane.text_width).plain.rstrip() for n in pane.in_sight()]


async def wheel(person: Person, pane: RowPane, by: int) -> None:
    kind = events.MouseScrollDown if by > 0 else events.MouseScrollUp
    for _ in range(abs(by)):
        pane.post_message(kind(pane, 5, 3, 0, by, 0, False, False, False))
        await person.settled()


async def test_scroll_and_cursor_survive_other_tabs() -> None:
    async with at_screen(FakeLink(a_plan(20)).in_web(), (60, 24)) as dana:
        await dana.press("3", *"jjjjjjjjjjjjjjjjjjjj")
        pane = dana.app.panes["targets"]
        at, chosen = pane.scroll_offset.y, pane.cursor
        assert at > 0
        await dana.press("5", "pageup", "pageup")
        before = seen(dana.app.panes["journal"])
        await dana.press("1", "2", "6", "5")
        assert seen(dana.app.panes["journal"]) == before
        await dana.press("3")
        assert (pane.scroll_offset.y, pane.cursor) == (at, chosen)


async def test_a_zoom_and_a_larger_terminal_give_the_place_back() -> None:
    async with at_screen(FakeLink().in_web(), (120, 40)) as dana:
        await dana.press("5", "up", "up", "up")
        pane = dana.app.panes["journal"]
        before = seen(pane)
        await dana.press("z")
        await dana.until(lambda: len(seen(pane)) > len(before))
        await dana.press("z")
        await dana.until(lambda: seen(pane) == before)
        await dana.pilot.resize_terminal(120, 50)
        await dana.settled()
        await dana.pilot.resize_terminal(120, 40)
        await dana.until(lambda: seen(pane) == before)


async def test_a_cursor_in_sight_stays_in_sight_in_less_room() -> None:
    async with at_screen(FakeLink(a_plan(20)).in_web(), (60, 34)) as dana:
        await dana.press("3", "z", *"jjjjjjjjjjjjjjjjjjj")
        pane = dana.app.panes["targets"]
        chosen = pane.cursor
        assert pane.scroll_offset.y == 0
        await dana.pilot.resize_terminal(60, 24)
        await dana.settled()
        assert pane.cursor == chosen and pane.row is not None
        assert any(row.startswith(f"{pane.row.target} ") for row in seen(pane))


async def test_whoever_scrolled_away_from_the_cursor_isnt_carried_back() -> None:
    link = FakeLink(a_plan(20)).in_web()
    async with at_screen(link, (60, 24)) as dana:
        await dana.press("3", "j")
        pane = dana.app.panes["targets"]
        await wheel(dana, pane, 4)
        at = pane.scroll_offset.y
        assert at > 0
        link.pass_time(10)
        dana.app.draw()
        assert pane.scroll_offset.y == at


async def test_what_comes_in_moves_nothing_under_the_eyes() -> None:
    link = FakeLink().in_web()
    async with at_screen(link, (80, 24)) as dana:
        await dana.press("5", "pageup")
        pane = dana.app.panes["journal"]
        before = seen(pane)
        for n in range(30):
            link.do(cmd.AddNote(link.at, "dana", reason=f"note {n}"))
        dana.app.draw()
        assert seen(pane) == before
        await dana.press("end")
        await dana.sees("note 29")


async def test_rows_above_come_and_go_and_the_cursor_stays_on_its_row() -> None:
    link = FakeLink(a_plan(6)).in_web()
    async with at_screen(link, (80, 24)) as dana:
        await dana.press("1", "end")
        pane = dana.app.panes["rollout"]
        chosen, row = pane.cursor, len(pane.rows)
        dana.app.toggled ^= {"stage:canary"}
        dana.app.draw()
        assert len(pane.rows) != row and pane.cursor == chosen and pane.row is not None


async def test_a_row_that_goes_away_leaves_the_cursor_at_the_nearest() -> None:
    link = FakeLink(a_plan(6)).in_web()
    async with at_screen(link, (80, 24)) as dana:
        await dana.press("1", "home", "j")
        pane = dana.app.panes["rollout"]
        while pane.row is not None and not pane.row.target:
            await dana.press("j")
        gone, at = pane.cursor, pane.rows.index(pane.row)  # type: ignore[arg-type]
        stage = gone.split(":")[1].split("/")[0]
        dana.app.toggled ^= {f"stage:{stage}"}
        dana.app.draw()
        assert pane.row is not None and pane.cursor != gone
        assert abs(pane.rows.index(pane.row) - at) <= 1


async def test_the_way_back_takes_the_pane_over_and_the_cursor_stays_with_its_target() -> None:
    link = FakeLink().in_web()
    link.pass_time(10)
    link.finish()
    link.pass_time(305)
    async with at_screen(link, (120, 40)) as dana:
        await dana.press("1", "end")
        pane = dana.app.panes["rollout"]
        while pane.row is not None and pane.row.target != "web-3":
            await dana.press("k")
        assert dana.app.subject[0] == "web-3"
        link.do(cmd.RollBack(link.at, "lee", reason="orders fall"))
        link.tick()
        await dana.sees("proven 0 of")
        assert pane.row is not None and pane.row.target == "web-3"
        assert dana.app.subject[0] == "web-3"
