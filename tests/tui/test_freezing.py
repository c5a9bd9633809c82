"""Freezing: the panes stand still, the release doesn't, and nobody can take the one for the other."""

from __future__ import annotations

from cockpit.core import commands as cmd
from cockpit.tui.still import Still
from tests.tui.fake_link import FakeLink
from tests.tui.seen import at_screen


async def test_the_panes_stand_still_and_the_band_says_that_the_release_goes_on() -> None:
    async with at_screen(FakeLink().in_web()) as dana:
        await dana.press("f")
        await dana.sees(
            "❄ view frozen at 10:33:20 · the release goes on: 0 new events · f shows them", "❄ 5 Journal"
        )
        band = next(row for row in dana.screen().splitlines() if "❄ view" in row)
        assert "paus" not in band
        dana.link.pass_time(30)
        dana.link.do(cmd.AddNote(dana.link.at, "kim", reason="shops are \x1b[2Jfine"))
        await dana.sees("goes on: 1 new event ·")
        assert "shops are" not in dana.screen()
        await dana.press("f")
        await dana.sees("shops are ␛[2Jfine")
        assert "❄" not in dana.screen()


async def test_frozen_rows_can_be_scrolled_filtered_and_resized_and_stay_as_they_were() -> None:
    async with at_screen(FakeLink().in_web()) as dana:
        await dana.press("3")
        await dana.sees("web-2 ● moves")
        await dana.press("f")
        dana.link.pass_time(30)
        dana.link.finish()
        await dana.sees("new event")
        await dana.press("z", "down", "down")
        await dana.sees("❄ 3 Targets  1 new, 1 moves", "● moves")
        await dana.press("slash", *"web-2", "enter")
        await dana.sees("❄ 3 Targets  /web-2 1 of 6", "web-2 ● moves")
        await dana.press("f")
        await dana.sees("web-2 ✔ new")


async def test_a_question_and_a_breach_are_shown_at_once() -> None:
    async with at_screen(FakeLink(me="sam").baking()) as sam:
        await sam.press("f")
        await sam.sees("❄ view frozen")
        sam.link.pass_time(125, errors=2.4)
        await sam.sees("❄ 2 Limits", "▲ exceeded", "paused in canary", "R roll back")
        await sam.press("p")
        dialog = await sam.dialog()
        assert dialog.scene.status == "paused"  # what is decided is decided on what is true now


async def test_a_rollback_lets_go() -> None:
    async with at_screen(FakeLink().in_web()) as dana:
        await dana.press("f")
        await dana.sees("❄ view frozen")
        dana.link.do(cmd.RollBack(dana.link.at, "lee", reason="orders fall"))
        dana.link.tick()
        await dana.until(lambda: "❄" not in dana.screen(), "live again")
        await dana.sees("The release rolls back: the view is live again.")


async def test_the_band_fits_and_the_question_stays_in_a_small_terminal() -> None:
    async with at_screen(FakeLink(me="sam").paused_by_limit(), (80, 24)) as sam:
        await sam.press("f")
        await sam.sees("❄ view frozen at", "R roll back", "2 limits▲")


async def test_a_frozen_output_keeps_what_it_had_printed() -> None:
    link = FakeLink().in_web()
    (running,) = link.state.running()
    link.outputs[running.id] = b"first\n"
    async with at_screen(link) as dana:
        await dana.press("o")
        await dana.sees("first")
        await dana.press("f")
        link.outputs[running.id] = b"first\nsecond\n"
        link.pass_time(5)
        await dana.sees("❄ 7 Output")
        assert "second" not in dana.screen()
        await dana.press("f")
        await dana.sees("second")


async def test_nothing_is_sent_through_a_view_that_stands_still() -> None:
    link = FakeLink().in_web()
    still = Still(link, "")
    assert (await still.send(cmd.PauseRollout(link.at, "dana"))) is not None
    assert link.sent == []
    (running,) = link.state.running()
    link.outputs[running.id] = b"one\n"
    assert still.output(running.id) == b"one\n"  # first looked at now
    link.outputs[running.id] = b"one\ntwo\n"
    assert still.output(running.id) == b"one\n"
