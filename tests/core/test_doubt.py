"""In doubt, and out of it: by the target's record, by the verify, by a person; and never run twice meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.plan import Stage
from cockpit.core.rollout import doubtful_before
from cockpit.core.view import exit_code, next_line, status
from cockpit.core.wanted import may_begin, wanted
from tests.core.plans import ERRORS, Session, limit, plan

FIRST = "web/switch/web-1/run-1"


def doubting() -> Session:
    """Three targets of one wave: web-1 out of sight, the others done."""
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",)),)))
    s.start()
    s.finish("web-1", as_="in_doubt")
    s.finish()
    return s


def settle(s: Session, finish: ev.Finish, settled: ev.Settled, code: int | None = None) -> None:
    s.do(
        cmd.ReportStep(s.at, FIRST, finish, finish == "succeeded", code, None, 3.0, "asked", settled=settled)
    )
    s.tick()


def test_a_short_cut_costs_nobody_a_decision() -> None:
    s = doubting()
    assert s.state.paused is None
    assert set(wanted(s.state)) == {FIRST}
    assert s.tick(29) == []
    settle(s, "succeeded", "record", 0)
    assert status(s.state, s.at) == "completed"


def test_a_target_that_stays_out_of_sight_pauses_the_rollout() -> None:
    s = doubting()
    assert s.kinds(s.tick(30)) == ["RolloutPaused"]
    settle(s, "succeeded", "record", 0)
    s.do(cmd.ResumeRollout(s.at, "sam"))
    s.tick()
    assert status(s.state, s.at) == "completed"


def test_nothing_new_begins_while_a_target_is_out_of_sight() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",), max_parallel=1),)))
    s.start()
    s.finish("web-1", as_="in_doubt")
    assert s.running() == []
    assert s.tick(10) == []


def test_what_is_found_running_runs_and_may_be_lost_again() -> None:
    s = doubting()
    s.do(cmd.ReportFound(s.at, FIRST))
    assert s.running() == ["web-1"]
    assert s.do(cmd.ReportFound(s.at, FIRST)) == []
    assert s.do(cmd.ReportFound(s.at, "web/switch/web-1/run-9")) == []
    s.finish("web-1", as_="in_doubt")
    assert set(wanted(s.state)) == {FIRST}


def test_what_never_began_counts_for_nothing_and_begins_anew() -> None:
    s = doubting()
    settle(s, "skipped", "record")
    assert s.running() == ["web-1"]
    s = doubting()
    s.do(cmd.PauseRollout(s.at, "sam"))
    settle(s, "skipped", "record")
    s.do(cmd.RollBack(s.at, "lee"))
    s.tick()
    assert sorted(s.running()) == ["web-2", "web-3"]


def test_a_target_that_cannot_tell_waits_for_a_person_at_once() -> None:
    s = doubting()
    settle(s, "in_doubt", "record")
    assert s.state.paused is not None
    assert wanted(s.state) == {}
    s.do(
        cmd.ResolveDoubt(
            s.at, "lee", reason="version file says 7", attempt="web/switch/web-1/run-1", finish="succeeded"
        )
    )
    attempt = s.state.find(FIRST)
    assert attempt is not None and (attempt.status, attempt.proven) == ("succeeded", False)
    s.do(cmd.ResumeRollout(s.at, "sam"))
    s.tick()
    assert status(s.state, s.at) == "completed"


def test_a_doubt_is_resolved_only_while_there_is_a_release() -> None:
    s = Session()
    early = cmd.ResolveDoubt(s.at, "lee", reason="x", attempt="web/switch/web-1/run-1")
    assert "hasn't started" in s.refused(early)


def test_a_rollback_that_is_in_doubt_is_proven_by_nobody_s_word() -> None:
    s = doubting()
    settle(s, "succeeded", "record", 0)
    s = Session(plan(stages=(Stage("web", ("switch",), ("web-1",), gate=None),)), auto=False)
    s.start()
    s.do(cmd.PauseRollout(s.at, "dana"))
    s.finish()
    s.do(cmd.RollBack(s.at, "lee"))
    s.tick()
    s.finish(as_="in_doubt")
    back = "web/switch/web-1/back-1"
    report = cmd.ReportStep(s.at, back, "in_doubt", False, None, None, 1.0, "gone", settled="record")
    s.do(report)
    s.do(cmd.ResolveDoubt(s.at, "lee", reason="looked", attempt=back, finish="succeeded"))
    s.tick()
    assert s.state.rollback_result is not None
    assert s.state.rollback_result.proven == ()


def test_an_earlier_attempt_of_unknown_end_is_made_void_by_the_next() -> None:
    s = doubting()
    s.tick(1000)
    settle(s, "in_doubt", "record")
    s.do(cmd.RetryTarget(s.at, "lee", reason="looked", target="web-1"))
    s.do(cmd.ResumeRollout(s.at, "dana"))
    s.tick()
    again = s.state.find("web/switch/web-1/run-2")
    assert again is not None
    assert doubtful_before(s.state, again) == (FIRST,)
    assert set(wanted(s.state)) == {again.id}


def test_a_retry_that_reached_nothing_hides_no_doubt_and_no_success() -> None:
    s = doubting()
    s.tick(31)
    settle(s, "in_doubt", "record")
    s.do(cmd.RetryTarget(s.at, "lee", reason="looked", target="web-1"))
    s.do(cmd.ResumeRollout(s.at, "dana"))
    s.tick()
    s.finish(as_="unreachable")
    assert s.state.closed is None
    s.do(cmd.ResolveDoubt(s.at, "lee", reason="looked", attempt=FIRST, finish="failed"))
    s.do(cmd.ExcludeTarget(s.at, "lee", reason="broken", target="web-1"))
    s.do(cmd.ResumeRollout(s.at, "dana"))
    s.tick()
    assert s.state.closed == ev.SessionClosed(s.at, "completed", ("web-1: switch failed",))


def test_a_target_that_was_never_reached_is_named_at_the_end() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",), max_failed=1),)))
    s.start()
    s.finish("web-1", as_="unreachable")
    s.finish()
    assert s.state.closed == ev.SessionClosed(s.at, "completed", ("web-1: switch never ran: unreachable",))
    assert exit_code(s.state) == 4


def test_what_is_learned_after_a_rollback_s_end_counts() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web-1",)),)))
    s.start()
    s.do(cmd.PauseRollout(s.at, "dana"))
    s.finish()
    s.do(cmd.RollBack(s.at, "lee"))
    s.tick()
    s.finish(as_="in_doubt")
    s.tick(1000)
    assert s.state.rollback_result is not None and s.state.rollback_result.unproven
    back = "web/switch/web-1/back-1"
    s.do(cmd.ReportStep(s.at, back, "succeeded", True, 0, 0, 1.0, "", settled="record"))
    s.tick()
    assert s.state.closed == ev.SessionClosed(s.at, "rolled_back", ())


def test_the_end_waits_for_every_doubt() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",), max_failed=1),)))
    s.start()
    s.finish("web-1", as_="in_doubt")
    s.finish()
    s.tick(31)
    s.do(cmd.ExcludeTarget(s.at, "lee", reason="broken", target="web-1"))
    s.do(cmd.ResumeRollout(s.at, "dana"))
    s.tick()
    assert s.state.closed is None
    assert "switch on web-1 is in doubt: say what became of it (Dana Ruiz or Lee Chen)" in next_line(
        s.state, s.at
    )


def test_an_aborted_attempt_is_still_stopped_where_it_is_found() -> None:
    s = doubting()
    s.do(cmd.Abort(s.at, "lee"))
    assert set(wanted(s.state)) == {FIRST}
    assert s.tick(10) == []
    settle(s, "failed", "record")
    assert s.state.closed == ev.SessionClosed(s.at, "aborted", ())


@pytest.mark.parametrize("started", [True, False])
def test_another_driver_ends_this_one(started: bool) -> None:
    s = Session()
    if started:
        s.start()
    attempt = s.state.find("canary/switch/web-1/run-1")
    events = s.do(cmd.ReportProbe(s.at, "web-2", False, "", held_by="lee on bastion-2"))
    assert s.kinds(events) == ["TargetProbed", *(["DriverReplaced"] if started else [])]
    if attempt is not None:
        assert not may_begin(s.state, attempt)
        assert "web-2 is held by lee on bastion-2" in next_line(s.state, s.at)
        assert "nothing more starts" in s.refused(cmd.RollBack(s.at, "lee"))
        assert "nothing more starts" in s.refused(cmd.RetryTarget(s.at, "lee", reason="x", target="web-1"))
        assert s.do(cmd.ReportReplaced(s.at, "web-3", "again")) == []
        s.finish()
        assert s.state.phase == "running"
    else:
        assert "held by lee on bastion-2" in s.refused(cmd.StartRelease(s.at, "dana"))
        assert "--take-over" in next_line(s.state, s.at)
    assert exit_code(s.state) == 6


def test_what_an_earlier_session_left_running_is_waited_for() -> None:
    s = Session()
    s.do(cmd.ReportProbe(s.at, "web-2", False, "", running=("web/switch/web-2/run-1",)))
    assert "of an earlier session still runs there" in s.refused(cmd.StartRelease(s.at, "dana"))


def test_what_was_read_before_a_sleep_counts_no_more() -> None:
    s = Session(plan(stages=(Stage("canary", ("switch",), ("web-1",), bake_time=timedelta(seconds=60)),)))
    s.start()
    s.finish()
    s.tick(50)
    s.do(cmd.ReportSleep(s.at, timedelta(hours=1)))
    assert s.state.bake is not None and s.state.bake.done(s.at) == timedelta(0)
    s.tick(59)
    assert s.state.closed is None
    s.tick(1)
    assert s.state.closed is not None


def test_after_a_sleep_a_bake_waits_for_its_limits() -> None:
    stages = (Stage("canary", ("switch",), ("web-1",), bake_time=timedelta(seconds=60)),)
    s = Session(plan(stages=stages, signals=(ERRORS,), thresholds=(limit(),)))
    s.verdict("pass", 0.0)
    s.start()
    s.finish()
    s.do(cmd.ReportSleep(s.at, timedelta(hours=1)))
    s.tick(600)
    assert s.state.closed is None
    s.verdict("pass", 0.0)
    s.tick(60)
    assert s.state.closed is not None


def test_a_session_resumed_before_its_start_is_protected_once_it_starts() -> None:
    s = Session(plan(signals=(ERRORS,), thresholds=(limit("rollback"),)))
    s.do(cmd.ResumeSession(s.at, "dana", "dana", "laptop", "1"))
    s.verdict("pass", 0.0)
    assert "not looked at yet" in s.refused(
        cmd.StartRelease(s.at, "dana")
    )  # what was found before counts no more
    for target in s.plan.targets:
        s.examined(target.id)
    s.start()
    assert "RollbackStarted" in s.kinds(s.verdict("breach", 3.0))
