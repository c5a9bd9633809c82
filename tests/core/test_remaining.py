"""How long it still takes: told where times are known, never where they aren't."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.plan import RollbackTerms, Stage
from cockpit.core.remaining import Left, Takes, all_slow, back_left, release_left, running, wave_left
from cockpit.core.spans import roughly
from tests.core.plans import ERRORS, MIGRATE, SWITCH, Session, limit, plan, web

SECOND = timedelta(seconds=1)
USUAL = (ev.UsualTime("switch", "run", 40.0, 12), ev.UsualTime("switch", "back", 20.0, 12))


def usual(s: Session, *times: ev.UsualTime) -> Session:
    s.do(cmd.ReportUsualTimes(s.at, times or USUAL))
    return s


def of_seven(**changes: object) -> Session:
    """Seven targets in one wave, two at a time."""
    stage = Stage("web", ("switch",), ("web",), max_parallel=2)
    return Session(plan(targets=web(7), stages=(replace(stage, **changes),)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "~10 s"),
        (0, "~10 s"),
        (10, "~10 s"),
        (10.5, "~20 s"),
        (41, "~50 s"),
        (55, "~60 s"),
        (56, "~1 min"),
        (75, "~1 min"),
        (76, "~2 min"),
        (1350, "~23 min"),
        (3555, "~59 min"),
        (3600, "~1 h"),
        (4800, "~1 h 20 min"),
        (7100, "~2 h"),
    ],
)
def test_an_estimate_is_never_finer_than_it_can_be_known(seconds: float, said: str) -> None:
    assert roughly(timedelta(seconds=seconds)) == said


def test_a_wave_takes_its_targets_a_few_at_a_time() -> None:
    s = usual(of_seven())
    assert wave_left(s.state, s.at) is None
    s.start()
    assert wave_left(s.state, s.at) == Left(timedelta(seconds=160), "usual")  # two at a time: four times 40 s
    s.tick(30)
    assert wave_left(s.state, s.at) == Left(timedelta(seconds=130), "usual")
    s.tick(20)  # over its time, but not beyond chance: it ends any moment
    assert wave_left(s.state, s.at) == Left(timedelta(seconds=120), "usual")
    s.tick(11)  # nobody knows any more
    assert wave_left(s.state, s.at) is None


def test_nothing_is_told_where_no_time_is_known_or_something_is_out_of_sight() -> None:
    s = of_seven(max_failed=3)
    s.start()
    assert wave_left(s.state, s.at) is None and release_left(s.state, s.at) is None
    s.finish("web-1")
    assert wave_left(s.state, s.at) == Left(timedelta(seconds=6), "measured")
    s.finish("web-2", as_="in_doubt")
    assert wave_left(s.state, s.at) is None


def test_a_step_that_failed_or_was_excluded_takes_no_time() -> None:
    s = usual(of_seven(max_failed=3))
    s.start()
    s.finish("web-1", as_="failed")
    s.tick()
    assert wave_left(s.state, s.at) == Left(timedelta(seconds=120), "usual")


def test_the_rollout_takes_its_steps_and_bakes_and_waits_for_nobody() -> None:
    canary = Stage("canary", ("switch",), ("web-1",), bake_time=timedelta(seconds=60))
    rest = Stage("web", ("switch",), ("web",), waves=(1, "rest"), bake_time=timedelta(seconds=30))
    s = Session(plan(stages=(canary, rest)))
    assert release_left(s.state, s.at) == Left(timedelta(seconds=120), "agreed", bakes_only=True)
    usual(s)
    assert release_left(s.state, s.at) == Left(timedelta(seconds=240), "usual")
    s.start()
    s.tick(10)
    assert release_left(s.state, s.at) == Left(timedelta(seconds=230), "usual")
    s.finish()
    s.tick(15)
    assert release_left(s.state, s.at) == Left(timedelta(seconds=185), "usual")
    s.do(cmd.PauseRollout(s.at, "sam"))
    assert release_left(s.state, s.at) is None
    s.do(cmd.ResumeRollout(s.at, "sam"))
    s.tick(45)
    assert s.state.phase == "waiting"
    assert release_left(s.state, s.at) == Left(timedelta(seconds=140), "usual")


def test_a_rollout_that_is_held_has_no_end() -> None:
    s = usual(Session(plan(signals=(ERRORS,), thresholds=(limit(),))))
    s.verdict("pass", 0.0)
    s.start()
    s.finish()
    assert release_left(s.state, s.at) is not None
    s.verdict("pass", 3.0, breaching_since=s.at)
    assert release_left(s.state, s.at) is None


def test_the_way_back_takes_what_is_left_of_it() -> None:
    s = usual(of_seven(max_parallel=4, bake_time=timedelta(hours=1)))
    s.start()
    s.finish()
    s.finish()
    assert back_left(s.state, s.at) is None
    s.do(cmd.RollBack(s.at, "lee"))
    s.tick()
    s.tick(5)
    assert back_left(s.state, s.at) == Left(
        timedelta(seconds=35), "usual"
    )  # seven, four at a time: twice 20 s
    for attempt in s.state.running():
        s.do(cmd.ReportStep(s.at, attempt.id, "succeeded", True, 0, 0, 8.0, ""))
    s.tick()
    assert back_left(s.state, s.at) == Left(timedelta(seconds=8), "measured")


def test_the_plan_estimates_the_way_back_until_that_is_over() -> None:
    terms = RollbackTerms(timedelta(seconds=60))
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",)),), rollback=terms))
    s.start()
    s.finish(as_="failed")
    s.do(cmd.RollBack(s.at, "lee"))
    s.tick(20)
    assert back_left(s.state, s.at) == Left(timedelta(seconds=40), "agreed")
    s.tick(40)
    assert back_left(s.state, s.at) is None


def test_the_way_back_that_waits_for_a_step_tells_no_time() -> None:
    s = usual(Session())
    s.start()
    s.do(cmd.RollBack(s.at, "lee"))
    s.tick()
    assert back_left(s.state, s.at) is None


def test_a_step_has_its_clock_its_time_and_its_timeout() -> None:
    s = usual(Session(plan(steps=(replace(SWITCH, timeout=timedelta(seconds=300)),))))
    s.start()
    (attempt,) = s.state.running()
    now = running(Takes(s.state), attempt, s.at + 10 * SECOND)
    assert (now.left, now.slow, now.stops, now.source) == (30 * SECOND, False, None, "usual")
    now = running(Takes(s.state), attempt, s.at + 60 * SECOND)
    assert (now.left, now.slow) == (None, False)
    assert running(Takes(s.state), attempt, s.at + 61 * SECOND).slow
    assert running(Takes(s.state), attempt, s.at + 149 * SECOND).stops is None
    assert running(Takes(s.state), attempt, s.at + 150 * SECOND).stops == 300 * SECOND
    assert running(Takes(s.state), attempt, s.at - 9 * SECOND).ran == 0 * SECOND


def test_only_where_all_that_runs_is_slow_everything_waits_for_it() -> None:
    s = usual(of_seven(max_parallel=2))
    s.start()
    s.tick(50)
    s.finish("web-1")
    s.tick(15)
    assert all_slow(s.state, s.at) is None  # web-3 runs since 15 s
    s.tick(50)
    slow = all_slow(s.state, s.at)
    assert slow is not None and slow[0].target == "web-2"


def test_steps_that_cannot_be_undone_take_no_time_on_the_way_back() -> None:
    stage = Stage("web", ("migrate", "switch"), ("web-1",))
    s = usual(Session(plan(steps=(SWITCH, MIGRATE), stages=(stage,))), *USUAL)
    s.start()
    s.finish()
    s.do(cmd.PauseRollout(s.at, "sam"))
    s.do(cmd.RollBack(s.at, "lee"))
    s.finish("web-1")
    s.tick()
    left = back_left(s.state, s.at)
    assert left is not None and left.expected == 20 * SECOND
