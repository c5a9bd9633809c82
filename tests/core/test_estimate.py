"""How long going back takes: agreed, as usual, then measured; and when a step takes unusually long."""

from __future__ import annotations

from datetime import timedelta

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.estimate import BackOut, back_out, overdue, rollback_took, slow_after
from cockpit.core.plan import RollbackTerms, Stage
from tests.core.plans import FLAG, SWITCH, Session, plan


def test_the_clock_of_a_rollback_runs_until_its_end() -> None:
    s = Session()
    s.start()
    assert rollback_took(s.state, s.at) is None
    s.finish()
    s.do(cmd.RollBack(s.at, "lee"))
    s.tick(40)
    assert rollback_took(s.state, s.at) == timedelta(seconds=40)
    s.finish()
    assert rollback_took(s.state, s.at + timedelta(hours=1)) == timedelta(seconds=40)


def test_rollbacks_that_ran_say_more_than_runs() -> None:
    s = Session()
    s.start()
    s.finish()
    assert back_out(s.state, s.at).expected == timedelta(seconds=2)
    s.do(cmd.RollBack(s.at, "lee"))
    s.tick()
    (attempt,) = s.state.running()
    s.do(cmd.ReportStep(s.at, attempt.id, "succeeded", True, 0, 0, 9.0, ""))
    assert back_out(s.state, s.at).expected == timedelta(seconds=9)


def usual(s: Session, *times: tuple[str, ev.Direction, float]) -> None:
    """Earlier releases tell these seconds."""
    told = tuple(ev.UsualTime(step, direction, seconds, 12) for step, direction, seconds in times)
    s.do(cmd.ReportUsualTimes(s.at, told))


def test_what_is_usual_stands_until_a_rollback_is_measured_here() -> None:
    s = Session(plan(rollback=RollbackTerms(timedelta(minutes=6))))
    usual(s, ("switch", "run", 4.0))
    s.start()
    assert back_out(s.state, s.at) == BackOut(1, timedelta(seconds=4), "usual")
    s.finish()
    assert back_out(s.state, s.at) == BackOut(1, timedelta(seconds=2), "measured"), "a run here says more"
    usual(s, ("switch", "run", 4.0), ("switch", "back", 30.0))
    assert back_out(s.state, s.at) == BackOut(1, timedelta(seconds=30), "usual"), "a way back says more yet"
    s.do(cmd.RollBack(s.at, "lee"))
    s.tick()
    (attempt,) = s.state.running()
    s.do(cmd.ReportStep(s.at, attempt.id, "succeeded", True, 0, 0, 9.0, ""))
    assert back_out(s.state, s.at) == BackOut(1, timedelta(seconds=9), "measured")


def test_the_weakest_source_is_told_and_a_step_that_nobody_knows_leaves_the_agreed_time() -> None:
    stages = (Stage("all", ("switch", "flag"), ("web",)),)
    s = Session(plan(steps=(SWITCH, FLAG), stages=stages, rollback=RollbackTerms(timedelta(minutes=6))))
    usual(s, ("flag", "back", 0.01))
    beyond = s.plan.stages[0]
    assert back_out(s.state, s.at, beyond) == BackOut(4, timedelta(minutes=6), "agreed")
    usual(s, ("flag", "back", 0.01), ("switch", "back", 7.0))
    assert back_out(s.state, s.at, beyond) == BackOut(4, timedelta(seconds=7 + 1), "usual")


def test_a_running_step_is_overdue_once_it_is_clearly_over_its_usual_time() -> None:
    assert (slow_after(2), slow_after(100)) == (7, 150)
    s = Session()
    s.start()
    (attempt,) = s.state.running()
    assert overdue(s.state, attempt, s.at + timedelta(hours=1)) is None, "nobody knows what is usual"
    usual(s, ("switch", "back", 1.0), ("switch", "run", 12.0))
    assert overdue(s.state, attempt, s.at + timedelta(seconds=18)) is None
    assert overdue(s.state, attempt, s.at + timedelta(seconds=18.1)) == 12.0
    s.finish()
    (done,) = s.state.attempts["web-1"]
    assert overdue(s.state, done, s.at + timedelta(hours=1)) is None
