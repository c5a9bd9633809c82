"""A release that lost contact, its process, its driver or its log, in front of the screen."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core import rollout
from cockpit.tui import asks
from cockpit.tui.asks import Ask
from cockpit.tui.dialogs import Dialog
from cockpit.tui.going_back import taken
from cockpit.tui.keys import footer
from cockpit.tui.panes.header import header
from cockpit.tui.panes.question import question
from cockpit.tui.panes.table import PANES
from tests.tui.fake_link import FakeLink, a_plan
from tests.tui.gallery import STATES
from tests.tui.seen import Person, at_every_size, at_screen, scene

FULL = "/var/log/x: the log can't be written: database or disk is full."


def rows(name: str, link: FakeLink, width: int = 56) -> str:
    return "\n".join(row.draw(width).plain.rstrip() for row in PANES[name].rows(scene(link), width))


def asked(link: FakeLink, width: int = 130, most: int = 20) -> str:
    return "\n".join(line.plain for line in question(scene(link), width, most))


def tones(link: FakeLink, word: str) -> set[str]:
    """The tones in which the header says `word`."""
    return {tone for line in header(scene(link), 140) for text, tone in line.spans if word in text}


# In doubt


async def test_a_target_out_of_sight_is_told_calmly_and_settles_by_itself() -> None:
    link = STATES["doubt"]()
    async with at_screen(link) as dana:
        await dana.sees("web-2 out of sight, being reached again", "? web-2  switch in doubt, being reached")
        await dana.sees("in doubt since 10:33:32: the connection was lost", "it may run there until 10:38:47")
        assert "▲" not in dana.screen()
        link.do(cmd.ReportFound(link.at, link.state.unsettled()[0].id))
        await dana.sees("● web-2  switch running", "switch on web-2: reached again, it is running")
        assert "out of sight" not in dana.screen()


def test_a_doubt_that_lasts_asks_and_is_not_yet_an_alarm() -> None:
    link = STATES["doubt_lasting"]()
    assert "– wait: being reached    d settle the doubt    x exclude" in asked(link)
    assert tones(link, "paused") == {"warn"}
    link.settle("in_doubt", "its spool is gone")
    assert "switch on web-2: it was asked and can't tell: its spool is gone" in asked(link)
    assert "wait" not in asked(link)
    assert tones(link, "paused") == {"alarm"}
    assert footer(scene(link), 200).plain.startswith(" d settle doubt")


def test_until_its_timeout_it_may_run_and_afterwards_it_is_over() -> None:
    link = STATES["doubt_lasting"]()
    assert "retry" not in footer(scene(link), 200).plain
    link.pass_time(300)
    assert "if it ran there, it was over by 10:38:47" in asked(link, 300)
    assert "t retry" in footer(scene(link), 200).plain


async def settle(person: Person, downs: int, why: str) -> None:
    """Open the doubt, take the answer that many keys down, and say why."""
    await person.press("d")
    await person.dialog()
    await person.press(*["down"] * downs)
    await person.types(why)
    await person.confirms()


async def test_settling_a_doubt_takes_a_choice_and_a_reason() -> None:
    link = STATES["doubt_for_a_person"]()
    async with at_screen(link) as sam:
        await sam.press("d")
        await sam.sees(
            "What became of switch on web-2?", "its record of this", "○ it is in place", "○ it isn't"
        )
        await sam.sees("○ run it again: if it did run, it runs a second time; the plan calls it idempotent")
        await sam.sees("as Dana Ruiz, entered at Sam Okoro's screen")
        await sam.types("looked at the host")
        await sam.confirms()
        await sam.sees("choose one of them first")
        assert link.sent == []
        await sam.press("down", "down", "tab")
        await sam.sees("● it isn't: counts as failed", "as Lee Chen")
        await sam.confirms()
        await sam.sends(cmd.ResolveDoubt)
        await sam.sees("✖ web-2  switch failed", "says that switch on web-2 failed: looked at the host")
    told = next(e for e in link.events if isinstance(e, ev.DoubtResolved))
    assert (told.finish, told.by, told.via, told.reason) == ("failed", "lee", "sam", "looked at the host")


async def test_what_is_in_place_lets_the_rollout_go_on() -> None:
    link = STATES["doubt_for_a_person"]()
    async with at_screen(link) as sam:
        await settle(sam, 1, "version is 11.3")
        await sam.sees("switch done, no verify")
        await sam.press("p")
        await sam.confirms()
        await sam.sees("● baking web")


async def test_running_it_again_is_offered_once_the_target_could_not_tell() -> None:
    link = STATES["doubt_lasting"]()
    async with at_screen(link) as dana:
        await dana.press("d")
        await dana.sees("– run it again: not yet")
        await dana.dialog()
        await dana.press("down", "down", "down")
        await dana.sees("● it is in place")
        await dana.press("escape")
        link.settle("in_doubt", "its record is gone")
        await settle(dana, 3, "the unit never started")
        await dana.sends(cmd.RetryTarget)
        await dana.sees("allowed switch to run again on web-2: the unit never started")


async def test_the_doubt_of_an_excluded_target_can_still_be_settled() -> None:
    link = STATES["doubt_for_a_person"]()
    ask = asks.exclude(scene(link), "web-2")
    assert isinstance(ask, Ask) and "Its doubt stays" in ask.lines[-1].plain
    link.do(cmd.ExcludeTarget(link.at, "dana", reason="on its own", target="web-2"))
    assert "it was asked and can't tell" in rows("rollout", link)
    async with at_screen(link) as sam:
        await sam.press("d")
        await sam.sees("web-2 is excluded from the rest", "– run it again: not now")
        await sam.press("escape")
        await settle(sam, 1, "seen there")
        await sam.sends(cmd.ResolveDoubt)
        assert link.state.attempts["web-2"][-1].status == "succeeded"


def test_a_doubt_on_the_way_back_costs_the_proof() -> None:
    link = FakeLink().rolling_back()
    link.lose("web-3")
    link.settle("in_doubt", "its spool is gone")
    for _ in range(3):
        link.finish()
    ask = asks.doubt(scene(link), "")
    assert isinstance(ask, Ask)
    assert ask.title == "What became of the rollback of switch on web-3?"
    assert "the rollback is partial" in ask.choices[0].cost
    assert "it was asked and can't tell: its spool is gone" in rows("rollout", link)
    assert "d settle the doubt" in asked(link)


async def test_a_doubt_holds_the_end_until_it_is_settled() -> None:
    link = STATES["doubt_for_a_person"]()
    link.do(cmd.ExcludeTarget(link.at, "dana", reason="on its own", target="web-2"))
    link.do(cmd.ResumeRollout(link.at, "dana"))
    link.tick()
    for _ in range(6):
        link.finish()
        link.pass_time(305)
        if (stage := rollout.current_stage(link.state)) and stage.name == "flag 25%":
            link.do(cmd.Promote(link.at, "dana"))
            link.tick()
    async with at_screen(link) as sam:
        await sam.sees("everything else is out; switch on web-2 is in doubt", "d settle the doubt")
        assert "x exclude" not in sam.screen()
        await settle(sam, 1, "seen there")
        await sam.sees("✔ completed")


def test_without_a_doubt_there_is_nothing_to_settle() -> None:
    link = FakeLink().in_web()
    assert asks.doubt(scene(link), "web-2") == "nothing is in doubt"
    assert "doubt" not in footer(scene(link), 200).plain


# Taken up again


def test_taken_up_again_says_what_was_known_then_and_what_is_now() -> None:
    link = STATES["taken_up"]()
    said = asked(link)
    assert "Taken up again by Lee Chen at 11:09:25: nothing goes on until somebody says so." in said
    assert "switch on web-3  then: sent 10:38:20, no end known   now: it runs" in said
    assert "switch on web-4  then: sent 10:38:20, no end known   now: not known yet" in said
    assert asked(link, most=3).count("\n") < 3  # the limits stay in sight
    assert "… more of it" in asked(link, 80, 6)
    link.settle("succeeded")
    assert "web-4  then: sent 10:38:20, no end known   now: succeeded" in asked(link)


async def test_going_on_after_a_resume_is_asked_even_when_all_is_well() -> None:
    link = STATES["taken_up"]()
    link.sit("kim")
    link.settle("succeeded")
    link.finish()
    link.pass_time(40)
    async with at_screen(link) as kim:
        await kim.sees("p go on: anyone may")
        await kim.press("p")
        await kim.sees("Go on with the release?", "switch on web-4: succeeded", "errors > 2: 0.4, pass")
        assert link.sent == []
        await kim.confirms()
        await kim.sends(cmd.ResumeRollout)
        await kim.sees("baking web")
        assert "Taken up again" not in kim.screen()


async def test_going_on_over_limits_without_a_reading_is_the_decision_owners() -> None:
    link = FakeLink(me="kim").baking().take_up()
    async with at_screen(link) as kim:
        await kim.sees("not clean, or not read yet: errors > 2, errors > 20, orders < 60")
        await kim.sees("p go on: Dana Ruiz says why")
        await kim.press("p")
        await kim.sees("Go on nevertheless?", "as Dana Ruiz, entered at Kim Park's screen")
        await kim.confirms()
        await kim.sees("this needs a reason")
        await kim.types("read by hand")
        await kim.confirms()
        await kim.sends(cmd.ResumeRollout)
        assert link.state.paused is None


async def test_a_rollback_taken_up_again_waits_for_its_owner() -> None:
    link = STATES["taken_up_back"]()
    async with at_screen(link) as lee:
        await lee.sees("rolling back, waits", "in the middle of a rollback", "p go on rolling back: you may")
        assert "p go on rolling back" in footer(scene(link), 200).plain
        assert not link.state.running()
        await lee.press("p")
        await lee.sees("Go on rolling back?", "rollback of switch on web-3", "last wave first")
        await lee.confirms()
        await lee.sends(cmd.ResumeRollout)
        await lee.sees("web-2  switch going back")


# Taken over, and without a log


async def test_once_taken_over_only_leaving_is_left() -> None:
    link = STATES["replaced"]()
    async with at_screen(link) as dana:
        await dana.sees("■ taken over in web", "ANOTHER SESSION DRIVES THIS RELEASE", "q leave")
        told = footer(scene(link), 200).plain
        assert told.startswith(" o output   / find") and told.endswith("q leave   ? help")
        assert not any(act in told for act in ("pause", "roll back", "abort", "note", "sign"))
        for key in ("p", "R", "A", "d", "n", "s"):
            await dana.press(key)
            assert not isinstance(dana.app.screen, Dialog)
        await dana.sees("Another session drives this release now")
        assert link.sent == []
        await dana.press("q")
        await dana.until(lambda: not dana.app.is_running)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_log_that_can_not_be_written_is_told_across_the_screen(size: tuple[int, int]) -> None:
    link = FakeLink().baking()
    async with at_screen(link, size) as dana:
        await dana.sees("baking canary", "2:00 of 10:00")
        link.failure = FULL
        await dana.sees("THE LOG CAN'T BE WRITTEN: NOTHING FURTHER STARTS", "■ halted in canary", FULL[-20:])
        link.at += timedelta(minutes=3)
        await dana.sees("window 1h53 left")
        await dana.sees("q leave (exit code 75)", "what was known at 10:23:20.", "2:00 of 10:00")
        assert " p pause" not in dana.screen()
        await dana.press("p")
        await dana.sees("Nothing can be recorded any more")
        assert link.sent == []


def test_a_fault_of_our_own_is_not_called_the_logs() -> None:
    link = FakeLink().in_web()
    link.failure = "cockpit itself broke (KeyError: x): nothing further is dispatched"
    said = asked(link)
    assert "COCKPIT ITSELF BROKE" in said and "75" not in said
    assert "1 step goes on by itself; the resume finds how it ended." in said


@at_every_size
async def test_the_logs_head_is_on_every_screen_and_whole_in_the_help(size: tuple[int, int]) -> None:
    link = FakeLink().baking()
    seq, digest = link.head
    async with at_screen(link, size) as dana:
        await dana.sees(f"record {seq} · {digest[:8]} ")
        assert dana.screen().count(digest[:8]) == 1
        await dana.press("question_mark", "end")
        await dana.sees(f"The log's head is record {seq}.", digest)


# The window, and the way back


async def test_promoting_with_too_little_window_left_is_the_decision_owners_with_a_reason() -> None:
    link = STATES["short_window"]()
    async with at_screen(link) as sam:
        await sam.sees("The window closes in ~7 min: web bakes ~15 min, going back takes ~3 min.")
        await sam.press("enter")
        await sam.sees("▲ the window closes in ~7 min", "Dana Ruiz's decision, with a reason")
        await sam.sees("Going back after it: 6 targets, ~3 min")
        await sam.confirms()
        await sam.sees("this needs a reason")
        await sam.types("agreed with support")
        await sam.confirms()
        await sam.sends(cmd.Promote)
        await sam.sees("running web")
    assert sam.last() == cmd.Promote(
        link.at, "dana", "sam", "agreed with support", stage="web", overriding=("window",)
    )


def test_the_way_back_is_an_estimate_until_it_was_measured() -> None:
    link = FakeLink().ready().start()
    assert "back out now: 1 target, ~2 min (plan)" in header(scene(link), 140)[0].plain
    link.finish()
    assert "back out now: 1 target, ~41 s" in header(scene(link), 140)[0].plain


def test_the_rollbacks_clock_turns_red_only_while_it_runs_and_is_over() -> None:
    link = FakeLink().rolling_back()
    link.pass_time(70)
    assert taken(scene(link)).spans == (("1:10 of ~2 min", "text"),)
    link.pass_time(90)
    assert taken(scene(link)).spans == (("2:40 of ~2 min, over", "alarm"),)
    for width in (80, 140):
        assert "back: 2:40 of ~2 min, over" in header(scene(link), width)[0].plain
    for _ in range(3):
        link.finish()
    assert taken(scene(link)).spans == (("2:40 of ~2 min, over", "warn"),)
    assert "went back in 2:40 of ~2 min, over" in header(scene(link), 140)[0].plain


@pytest.mark.parametrize("width", [80, 120, 160])
def test_what_can_not_be_undone_is_said_wherever_going_back_is(width: int) -> None:
    link = STATES["one_way"]()
    assert "not migrate" in header(scene(link), width)[0].plain
    ask = asks.roll_back(scene(link))
    assert isinstance(ask, Ask)
    assert ask.lines[1].plain == "▲ migrate can't be undone: restore last night's snapshot"
    link.do(cmd.RollBack(link.at, "lee"))
    link.tick()
    link.finish()
    link.finish()
    assert "migrate can't be undone: restore last night's" in rows("rollout", link)


# Readings, and who holds what


def test_after_a_standstill_nothing_that_was_read_before_is_shown_as_so() -> None:
    link = STATES["slept"]()
    said = rows("limits", link)
    assert said.count("no reading; holds") == 3
    assert "latency" in said and "no reading yet  > 900" in said
    assert "✔" not in said and "…" not in said
    link.pass_time(40)
    assert "no reading" not in rows("limits", link)


def test_targets_of_which_the_same_is_said_stand_together() -> None:
    said = rows("rollout", STATES["held"]())
    assert "✖ web-2, web-3, web-4, web-5, web-6: held by lee," in said
    assert said.count("held by lee") == 1
    assert "◌ 0 of 500 targets ready; web-1, web-2, web-3," in rows("rollout", FakeLink(a_plan(500)))


def test_a_target_held_by_another_session_says_so_in_its_row() -> None:
    link = FakeLink()
    link.do(cmd.ReportProbe(link.at, "web-1", False, "", "lee, session 7"))
    assert "held by lee, session 7" in rows("targets", link)


def test_a_step_that_is_not_idempotent_is_called_so() -> None:
    plan = a_plan()
    once = replace(plan.steps[0], idempotent=False)
    link = FakeLink(replace(plan, steps=(once, *plan.steps[1:]))).in_web()
    link.lose()
    link.settle("in_doubt", "no record")
    ask = asks.doubt(scene(link), "")
    assert isinstance(ask, Ask)
    assert "the plan doesn't call it idempotent" in ask.choices[2].cost
