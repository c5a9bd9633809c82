"""How long going back takes: agreed, then measured."""

from __future__ import annotations

from datetime import timedelta

from cockpit.core import commands as cmd
from cockpit.core.estimate import back_out, rollback_took
from tests.core.plans import Session


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
