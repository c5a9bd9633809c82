"""Work that takes long says how far it is, and by how much it is late; nothing is told that nobody knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.plan import Step
from cockpit.tui import progress
from cockpit.tui.panes import closing
from tests.tui.fake_link import SWITCH, FakeLink, a_plan
from tests.tui.gallery import STATES
from tests.tui.people_gallery import at_gate_of_two, checked, two_of_three
from tests.tui.seen import asked, at_every_size, at_screen, rows, scene, top

USUAL = (ev.UsualTime("switch", "run", 41.0, 12), ev.UsualTime("switch", "back", 80.0, 12))


def known(link: FakeLink | None = None) -> FakeLink:
    """Earlier releases tell how long `switch` takes."""
    link = link or FakeLink()
    link.do(cmd.ReportUsualTimes(link.at, USUAL))
    return link


def patient(timeout: int = 300) -> FakeLink:
    """A step whose timeout is known."""
    return known(
        FakeLink(a_plan(steps=(replace(SWITCH, timeout=timedelta(seconds=timeout)), a_plan().steps[1])))
    )


def row(link: FakeLink, word: str, width: int = 100) -> str:
    return next(text for text in rows("rollout", link, width) if word in text)


@pytest.mark.parametrize(
    ("done", "whole", "part"), [(0, 10, 0.0), (5, 10, 0.5), (20, 10, 1.0), (-5, 10, 0.0), (5, 0, 1.0)]
)
def test_a_part_stays_between_nothing_and_all(done: int, whole: int, part: float) -> None:
    assert progress.part(timedelta(seconds=done), timedelta(seconds=whole)) == part


def test_a_clock_that_runs_out_warns_in_time_and_never_goes_below_nothing() -> None:
    minute = timedelta(minutes=1)
    assert progress.running_out(15 * minute, 20 * minute, 2 * minute).plain == "▰▱▱▱▱▱ 15:00 left"
    assert progress.running_out(2 * minute, 20 * minute, 2 * minute).spans[-1][1] == "warn"
    assert progress.running_out(-minute, 20 * minute, 2 * minute).plain == "▰▰▰▰▰▰ 0:00 left"


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (10, "switch running, ▰▱▱▱▱▱ ~40 s left"),
        (45, "switch running  "),
        (62, "switch running, usually 41 s  "),
        (149, "switch running, usually 41 s  "),
        (150, "switch running, 2:30 of 5:00 until it is stopped, usually 41 s  "),
    ],
)
def test_a_step_tells_what_is_left_then_that_it_is_late_then_when_it_is_stopped(
    after: int, said: str
) -> None:
    link = patient().in_web()
    link.at += timedelta(seconds=after)
    assert said in row(link, "web-2 ")


def test_without_earlier_releases_a_step_is_held_against_those_that_ended_here() -> None:
    link = FakeLink().in_web()
    assert "switch running, ▱▱▱▱▱▱ ~50 s left" in row(link, "web-2 ")
    link.at += timedelta(seconds=63)
    assert "switch running, others took 41 s" in row(link, "web-2 ")
    assert "switch running  " in row(FakeLink().ready().start(), "web-1 ")


def test_the_next_line_tells_what_everything_waits_for() -> None:
    link = patient().in_web()
    assert "0 of 1 done, ~50 s to go; nobody is needed" in top(link)[1]
    link.at += timedelta(seconds=100)
    late = "0 of 1 done; switch on web-2 takes long: 1:40, usually 0:41; nobody is needed"
    assert late in " ".join(top(link)[1:3])


def test_a_wave_and_its_stage_tell_how_far_they_are() -> None:
    link = known().in_web()
    link.finish()
    link.pass_time(305)
    link.finish("web-3")
    link.at += timedelta(seconds=20)
    assert "wave 2  1 of 2  ▰▰▰▱▱▱ ~20 s to go" in row(link, "wave 2")
    assert "web       2 of 5    running  ▰▰▱▱▱▱ ~20 s to go" in row(link, "● web ")


def test_a_bake_tells_what_is_left_where_there_is_room() -> None:
    link = FakeLink().baking()
    assert row(link, "● canary").endswith("2:00 of 10:00, 8:00 left")
    assert rows("rollout", link, 50)[0].endswith(" 2:00 of 10:00")
    link.at += timedelta(seconds=0.5)
    assert row(link, "● canary").endswith("2:00 of 10:00, 8:00 left") and "ends in 8:00" in top(link)[1]


def test_the_rollout_says_how_long_at_least_and_what_that_is_based_on() -> None:
    said = {name: [w.plain for w in progress.course(scene(link()))] for name, link in COURSES.items()}
    assert said["before"] == [
        "takes at least ~25 min (bakes alone)",
        "takes at least ~25 min",
        "takes at least ~25 min",
    ]
    assert said["baking"][0] == "▱▱▱▱▱▱ stage 1 of 3, at least ~23 min to go (bakes alone)"
    assert said["web"][0] == "▰▰▱▱▱▱ stage 2 of 3, at least ~17 min to go (steps as usual)"
    assert said["web"][1:] == ["stage 2 of 3, at least ~17 min to go", "at least ~17 min to go"]
    assert said["paused"] == ["stage 1 of 3", ""]
    assert said["rolling back"] == said["over"] == said["out of reach"] == [""]


def all_known() -> FakeLink:
    link = FakeLink()
    link.do(cmd.ReportUsualTimes(link.at, (*USUAL, ev.UsualTime("flag", "run", 2.0, 12))))
    return link.in_web()


COURSES = {
    "before": FakeLink,
    "baking": STATES["baking"],
    "web": all_known,
    "paused": STATES["paused"],
    "rolling back": STATES["rolling_back"],
    "over": STATES["rolled_back"],
    "out of reach": STATES["out_of_reach"],
}


def test_the_way_back_tells_how_far_it_is() -> None:
    link = FakeLink().rolling_back()
    said = rows("rollout", link, 100)
    assert said[0] == "proven 0 of 4  ▱▱▱▱▱▱ ~2 min to go"
    link.finish()
    assert rows("rollout", link, 100)[0] == "proven 2 of 4  ▰▰▰▱▱▱ ~2 min to go"
    assert "proven 2 of 4, ~2 min to go; nobody is needed" in " ".join(top(link)[1:3])
    link.finish()
    link.finish()
    assert not any("to go" in text for text in rows("rollout", link, 100))


def test_what_is_looked_at_before_the_start_is_counted() -> None:
    link = FakeLink()
    for target in link.state.plan.targets[:2]:
        link.do(cmd.ReportProbe(link.at, target.id, True, ""))
    said = rows("rollout", link, 80)
    assert "◌ targets    ▰▰▱▱▱▱ 2 of 6 reached" in said and "◌ limits     ▱▱▱▱▱▱ 0 of 4 read" in said
    link.reach()
    link.read()
    assert not any("▱" in text for text in rows("rollout", link, 80))


def test_clocks_of_gates_and_of_the_unexplained_have_a_bar() -> None:
    link = at_gate_of_two()
    link.pass_time(600)
    assert any("▰▰▰▱▱▱ 8:00 left to decide, then the release rolls back" in text for text in asked(link))
    assert any(
        "▰▰▱▱▱▱ 3:12 left, then a rollback is proposed" in text for text in asked(STATES["unexplained"]())
    )


def test_a_signature_says_until_when_it_counts_and_an_item_when_it_is_due() -> None:
    link = checked(FakeLink(two_of_three()).baking())
    assert any("holds “web”, due in 8:00" in text for text in rows("checklist", link, 80))
    link.do(cmd.SignItem(link.at, "lee", item="drill"))
    assert any("signed 10:23:20, counts until 14:23" in text for text in rows("checklist", link, 80))
    link.do(cmd.PauseRollout(link.at, "sam"))
    assert not any("due in" in text for text in rows("checklist", link, 80))


def test_a_limit_that_cannot_be_judged_is_read_again() -> None:
    link = FakeLink().baking()
    link.silent.add("web-3")
    link.pass_time(30)
    assert any("read again every 5s" in text for text in rows("limits", link, 100))
    assert not any("read again" in text for text in rows("limits", FakeLink().baking(), 100))


def test_what_is_left_of_the_window_has_a_bar_where_there_is_room() -> None:
    now = scene(FakeLink().baking())
    assert closing.left(now, with_bar=True).plain == "window ▰▰▱▱▱▱ 1h56 left"
    assert closing.left(now).plain == "window 1h56 left"
    assert "window ▰▰▱▱▱▱ 1h56 left" in top(FakeLink().baking(), 200)[0]


@at_every_size
async def test_a_slow_step_is_seen_on_the_screen(size: tuple[int, int]) -> None:
    link = patient().in_web()
    link.at += timedelta(seconds=100)
    async with at_screen(link, size) as dana:
        await dana.sees("takes long: 1:40", "usually 41 s")


def test_a_step_of_the_plan_without_a_past_tells_nothing() -> None:
    step = Step("warm", "warm up", rollback="cool down")
    stages = (replace(a_plan().stages[0], steps=("warm",)), *a_plan().stages[1:])
    link = FakeLink(a_plan(steps=(*a_plan().steps, step), stages=stages)).ready().start()
    assert "~" not in row(link, "web-1 ") and "to go" not in top(link)[1]
