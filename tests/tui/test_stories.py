"""Sessions in front of the screen, key by key."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from datetime import timedelta

import pytest
from textual import events
from textual.widgets import Input

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.tui import dialogs, rhythm
from cockpit.tui.app import CockpitApp
from cockpit.tui.dialogs import Dialog
from tests.tui.fake_link import FakeLink, a_plan
from tests.tui.seen import at_screen


async def test_dana_starts_a_ready_release() -> None:
    async with at_screen(FakeLink().ready()) as dana:
        await dana.sees("PRODUCTION", "your move: you start the release", "start")
        await dana.press("enter")
        await dana.sees("Start checkout 2026.11.3 on production?", "$ switch 2026.11.3", "as Dana Ruiz")
        await dana.confirms()
        await dana.sends(cmd.StartRelease)
        await dana.sees("running canary", "web-1  switch running")
        assert dana.link.state.started is not None
        assert (dana.link.state.started.by, dana.link.state.started.via) == ("dana", "")


async def test_starting_what_is_not_ready_takes_a_reason_and_says_what_is_missing() -> None:
    link = FakeLink()
    link.reach()
    link.pass_time(40)
    async with at_screen(link) as dana:
        await dana.sees("next: Lee Chen signs “Last night's orders backup restored on staging”")
        await dana.press("enter")
        await dana.sees("although it isn't ready", "✖ Last night's orders backup")
        await dana.confirms()
        await dana.sees("this needs a reason")
        assert dana.link.sent == []
        await dana.types("seen it on staging")
        await dana.confirms()
        await dana.sends(cmd.StartRelease)
        assert link.state.started is not None
        assert link.state.started.override == "seen it on staging"


async def test_anyone_pauses_with_one_key_and_resumes_after_a_question() -> None:
    async with at_screen(FakeLink(me="kim").baking()) as kim:
        await kim.sees("baking canary")
        await kim.press("p")
        await kim.sees("paused in canary", "paused by Kim Park")
        await kim.press("p")
        await kim.sees("Go on with the release?", "paused by Kim Park at 10:23")
        assert len(kim.link.sent) == 1
        await kim.confirms()
        await kim.sees("baking canary")
        assert [type(c) for c in kim.link.sent] == [cmd.PauseRollout, cmd.ResumeRollout]


async def test_sam_enters_danas_decision_and_the_log_says_so() -> None:
    async with at_screen(FakeLink(me="sam").at_gate()) as sam:
        await sam.sees("Dana Ruiz decides on “web”", "Order rate within 5% of last Tuesday?")
        await sam.press("enter")
        await sam.sees("Promote “web”?", "in waves 1 · 2 · 2", "as Dana Ruiz, entered at Sam Okoro's screen")
        await sam.types("orders are fine")
        await sam.confirms()
        await sam.sees("running web", "promoted web: orders are fine (at Sam Okoro's screen)")
        promoted = next(e for e in sam.link.events if isinstance(e, ev.StagePromoted) and e.stage == "web")
        assert (promoted.by, promoted.via) == ("dana", "sam")


async def test_promoting_too_early_says_why_not_and_asks_nothing() -> None:
    async with at_screen(FakeLink().baking()) as dana:
        await dana.press("enter")
        await dana.sees("the bake needs")
        assert not isinstance(dana.app.screen, Dialog)
        assert dana.link.sent == []


async def test_a_breached_limit_asks_its_question_without_hiding_the_limits() -> None:
    async with at_screen(FakeLink(me="sam").paused_by_limit()) as sam:
        await sam.sees("errors > 2 is exceeded: 2.4 on web-1. The rollout is paused: nothing new starts.")
        await sam.sees("R roll back: 1 target", "keep waiting", "p accept and go on: Dana Ruiz says why")
        await sam.sees(
            "Can customers still check out?",
            "exceeded → PAUSE",
            "2.4 % > 2 %",
            "on web-1 · agreed by Dana Ruiz",
            "Sam Okoro",
        )
        await sam.press("p")
        await sam.sees("Accept errors > 2, and go on?")
        await sam.confirms()
        await sam.sees("this needs a reason")
        await sam.types("known noise")
        await sam.confirms()
        await sam.sees("exceeded, accepted up to 2.4")
        resumed = next(e for e in sam.link.events if isinstance(e, ev.RolloutResumed))
        assert (resumed.by, resumed.via, resumed.reason, resumed.accepted) == (
            "dana",
            "sam",
            "known noise",
            ("errors > 2",),
        )


async def test_rolling_back_takes_the_environments_name_and_shows_each_command() -> None:
    async with at_screen(FakeLink(me="lee").in_web()) as lee:
        lee.link.finish()
        await lee.press("R")
        await lee.sees("Roll back checkout 2026.11.3 on production?", "2 targets go back, last wave first")
        await lee.sees(
            "canary, wave 1  web-1",
            "$ switch 2026.11.2",
            "then health --expect 2026.11.2",
            "type production to roll back",
        )
        await lee.types("demo")
        await lee.confirms()
        await lee.sees("that isn't “production”: nothing was done")
        assert lee.link.sent == []
        await lee.press(*["backspace"] * 4)
        await lee.types("production")
        await lee.confirms()
        await lee.sees("rolling back", "web-2  switch going back", "proven 0 of 2")
        lee.link.finish()
        lee.link.finish()
        await lee.sees("↶ rolled back", "2026.11.2 proven")


async def test_escape_goes_back_from_a_rollback_and_nothing_happens() -> None:
    async with at_screen(FakeLink().baking()) as dana:
        await dana.press("R")
        await dana.types("production")
        await dana.press("escape")
        await dana.until(lambda: not isinstance(dana.app.screen, Dialog))
        assert dana.link.sent == []


async def test_the_confirming_word_can_not_be_pasted() -> None:
    async with at_screen(FakeLink().baking()) as dana:
        await dana.press("R")
        dialog = await dana.dialog()
        field = dialog.query_one("#field", Input)
        field.post_message(events.Paste("production"))
        dana.app.copy_to_clipboard("production")
        await dana.press("ctrl+v")
        await dana.confirms()
        await dana.sees("a paste is refused: type it, or click its letters")
        assert field.value == ""
        assert dana.link.sent == []


async def test_a_held_or_early_enter_confirms_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialogs, "ARM_AFTER", 1.0)
    async with at_screen(FakeLink().at_gate()) as dana:
        await dana.press(*["enter"] * 20)
        assert dana.link.sent == []
        assert isinstance(dana.app.screen, Dialog)
        await dana.confirms()
        await dana.sends(cmd.Promote)


async def test_whoever_may_not_stop_chooses_for_whom_they_enter_it() -> None:
    async with at_screen(FakeLink(me="kim").baking()) as kim:
        await kim.press("A")
        await kim.sees(
            "Abort checkout", "everything is left as it is", "as Dana Ruiz, entered at Kim Park's screen"
        )
        await kim.press("tab")
        await kim.sees("as Lee Chen, entered at Kim Park's screen")
        await kim.types("production")
        await kim.confirms()
        await kim.sees("aborted: left as it was")
        assert kim.link.state.aborted is not None
        assert (kim.link.state.aborted.by, kim.link.state.aborted.via) == ("lee", "kim")


async def test_signing_the_chosen_item_as_its_owner() -> None:
    async with at_screen(FakeLink().baking()) as dana:
        await dana.press("4", "down", "down", "s")
        await dana.sees("Sign this?", "Support knows what the new tax line says")
        await dana.sees("as Kim Park, entered at Dana Ruiz's screen")
        await dana.types("told them")
        await dana.confirms()
        await dana.sends(cmd.SignItem)
        await dana.sees(
            "2 of 2", "Kim Park   signed off briefed (typed name): told them (at Dana Ruiz's screen)"
        )
        assert dana.last() == cmd.SignItem(dana.link.at, "kim", "dana", "told them", item="briefed")


async def test_a_note_goes_into_the_journal() -> None:
    async with at_screen(FakeLink(me="sam").baking()) as sam:
        await sam.press("n")
        await sam.types("vendor called back")
        await sam.confirms()
        await sam.sees("Sam Okoro  noted: vendor called back")


async def test_a_failed_target_is_retried_with_a_reason() -> None:
    link = FakeLink().in_web()
    link.finish(finish="failed", code=3, detail="service did not come up")
    async with at_screen(link) as dana:
        await dana.sees("web-2  switch failed, exit 3", "service did not come up", "t retry", "x exclude")
        await dana.press("t")
        await dana.sees("Run switch on web-2 again?", "$ switch 2026.11.3")
        await dana.types("disk freed")
        await dana.confirms()
        await dana.sends(cmd.RetryTarget)
        await dana.press("p")
        await dana.confirms()
        await dana.sees("web-2  switch running")


async def test_the_chosen_target_is_excluded() -> None:
    async with at_screen(FakeLink().at_gate()) as dana:
        await dana.press("3", *["down"] * 5, "x")
        await dana.sees("Exclude web-5?", "It keeps the version it has.")
        await dana.types("in repair")
        await dana.confirms()
        await dana.sees("web-5 – out")
        assert set(dana.link.state.excluded) == {"web-5"}


async def test_the_chosen_steps_output_is_shown_and_left_again() -> None:
    async with at_screen(FakeLink().at_gate()) as dana:
        await dana.press("3", "down", "o")
        await dana.sees("7 Output  switch on web-1: succeeded", "$ switch 2026.11.3", "starting new")
        await dana.press("escape")
        await dana.sees("5 Journal")


async def test_leaving_asks_and_says_what_stops() -> None:
    async with at_screen(FakeLink().in_web()) as dana:
        await dana.press("q")
        await dana.sees(
            "Leave the release as it stands?", "1 step running now may finish", "limits no longer act"
        )
        await dana.press("escape")
        await dana.until(lambda: not isinstance(dana.app.screen, Dialog))
        assert dana.app.is_running
        await dana.press("q")
        await dana.confirms()
        await dana.until(lambda: not dana.app.is_running)
        assert dana.link.sent == []


async def test_after_the_end_the_screen_stands_still_and_q_leaves_at_once() -> None:
    link = FakeLink().baking()
    async with at_screen(link) as dana:
        await dana.sees("baking canary")
        link.do(cmd.Abort(link.at, "dana"))
        link.tick()
        link.at += timedelta(minutes=5)
        await dana.sees("aborted: left as it was")
        assert "no data" not in dana.screen()
        await dana.press("q")
        await dana.until(lambda: not dana.app.is_running)


@pytest.mark.parametrize(("key", "opened"), [("ctrl+c", "R"), ("ctrl+q", ""), ("ctrl+z", "")])
async def test_the_keys_of_habit_explain_instead_of_ending(key: str, opened: str) -> None:
    async with at_screen(FakeLink().baking()) as dana:
        await dana.press(*([opened] if opened else []), key)
        await dana.sees("p pauses the release")
        assert dana.app.is_running
        assert dana.link.sent == []


async def test_what_happens_meanwhile_is_drawn_by_itself() -> None:
    async with at_screen(FakeLink().in_web()) as dana:
        dana.link.finish()
        await dana.sees("switch on web-2: succeeded, verified, exit code 0, in 41 s", "baking web")
        dana.link.silent.add("web-4")
        dana.link.pass_time(30)
        await dana.sees("no data for 30 s", "▲ 1 silent", "can't say; holds")


@pytest.fixture
def drawings(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The moments at which the screen drew."""
    moments: list[float] = []
    drawing = CockpitApp.drawing

    def counted(app: CockpitApp) -> Iterator[None]:
        moments.append(asyncio.get_running_loop().time())
        return drawing(app)

    monkeypatch.setattr(CockpitApp, "drawing", counted)
    return moments


async def test_a_burst_of_events_is_a_few_drawings(
    drawings: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rhythm, "DRAW_EVERY", 60.0)  # nothing is drawn that can wait
    link = FakeLink().baking()
    async with at_screen(link) as dana:
        assert len(link.subscribers) == 1
        await dana.sees("baking canary")
        drawings.clear()
        for n in range(200):
            link.do(cmd.ReportProbe(link.at, "web-1", True, f"reached {n}"))
        await dana.settled()
        assert drawings == []
        link.do(cmd.AddNote(link.at, "sam", reason="all of them"))
        await dana.sees("noted: all of them")
        assert len(drawings) == 1
    assert link.subscribers == []


async def test_a_flood_of_decisions_is_drawn_ten_times_a_second_at_most(
    drawings: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rhythm, "DRAW_EVERY", 60.0)
    link = FakeLink().baking()
    async with at_screen(link) as dana:
        await dana.sees("baking canary")
        drawings.clear()

        def another() -> bool:
            link.do(cmd.AddNote(link.at, "sam", reason="and another"))
            return len(drawings) >= 4

        await dana.until(another, "four drawings")
    gaps = [later - before for before, later in itertools.pairwise(drawings[:4])]
    assert min(gaps) > 0.95 * rhythm.AT_ONCE_EVERY


async def test_a_partial_rollback_is_closed_as_it_is() -> None:
    link = FakeLink(me="lee").in_web()
    link.finish()
    link.do(cmd.RollBack(link.at, "lee"))
    link.tick()
    link.finish(finish="failed", code=1, detail="no such version")
    link.finish()
    async with at_screen(link) as lee:
        await lee.sees("rolling back, partial", "t retry", "C close as it is", "no such version")
        await lee.press("C")
        await lee.sees("Not proven to be back:", "✖ web-2")
        await lee.confirms()
        await lee.sees("partly rolled back")


async def test_rows_fold_and_zoom_fills_the_screen() -> None:
    async with at_screen(FakeLink(a_plan(40)).in_web()) as dana:
        dana.link.finish()
        dana.link.pass_time(305)
        await dana.sees("wave 2", "19 ")
        await dana.press("z")
        await dana.until(lambda: "Journal" not in dana.screen().split("\n", 4)[4], "one pane")
        await dana.press("down", "space")
        await dana.sees("web-1  switch done, verified")
        await dana.press("z")
        await dana.sees("5 Journal")


async def test_a_narrow_screen_marks_the_tab_that_needs_a_hand() -> None:
    async with at_screen(FakeLink().paused_by_limit(), (80, 24)) as dana:
        await dana.sees("2 limits▲", "4 checklist△", "1 rollout ")
        await dana.pilot.click("#tabs", offset=(14, 0))
        await dana.sees("2 Limits", "Can customers still check out?")
