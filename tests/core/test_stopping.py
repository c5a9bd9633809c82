"""Pause, abort and roll back: stop really stops, and rolled back means proven."""

from __future__ import annotations

from datetime import timedelta

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.plan import Roles, RollbackTerms, Stage
from cockpit.core.rollback import touched_targets
from cockpit.core.wanted import stopping, wanted
from tests.core.plans import ERRORS, FLAG, MIGRATE, SWITCH, Session, limit, plan

ALL = (Stage("canary", ("switch",), ("web-1",)), Stage("web", ("switch",), ("web",)))


def running_web() -> Session:
    s = Session(plan(stages=ALL), auto=True)
    s.start()
    s.finish()
    return s


def test_a_rollback_waits_for_what_runs_then_goes_back_last_wave_first() -> None:
    s = running_web()
    s.finish("web-2")
    s.do(cmd.RollBack(s.at, "lee", reason="orders fall"))
    s.tick()
    assert [(a.target, a.direction) for a in s.state.running()] == [("web-3", "run"), ("web-2", "back")]
    s.finish("web-2")
    s.finish("web-3")
    assert [(a.target, a.direction) for a in s.state.running()] == [("web-3", "back")]
    s.finish()
    assert s.running() == ["web-1"]
    events = s.finish()
    assert events[-2:] == [
        ev.RollbackFinished(s.at, ("web-2", "web-3", "web-1"), ()),
        ev.SessionClosed(s.at, "rolled_back", ()),
    ]


def test_only_stop_authority_rolls_back_or_aborts() -> None:
    s = running_web()
    assert "Dana Ruiz or Lee Chen, not Sam Okoro" in s.refused(cmd.RollBack(s.at, "sam"))
    assert "Dana Ruiz or Lee Chen" in s.refused(cmd.Abort(s.at, "sam"))
    assert "isn't in the plan" in s.refused(cmd.Abort(s.at, "mallory"))


def test_without_stop_authority_the_owners_have_it() -> None:
    s = Session(plan(roles=Roles("dana", "lee")))
    s.start()
    assert "Dana Ruiz or Lee Chen" in s.refused(cmd.Abort(s.at, "sam"))


def test_an_abort_stops_what_runs_and_nothing_follows() -> None:
    s = running_web()
    s.do(cmd.Abort(s.at, "dana", reason="wrong version"))
    assert set(wanted(s.state)) == {a.id for a in s.state.running()}
    assert stopping(s.state)
    assert s.tick() == []
    for refused in (
        cmd.RollBack,
        cmd.Promote,
        cmd.PauseRollout,
        cmd.ResumeRollout,
        cmd.Abort,
        cmd.StartRelease,
    ):
        assert s.refused(refused(s.at, "dana"))
    assert "aborted" in s.refused(cmd.RetryTarget(s.at, "dana", reason="x", target="web-2"))
    s.finish("web-2", as_="failed")
    assert s.finish("web-3", as_="in_doubt")
    assert s.state.closed is None  # its target may still be reached, and the step stopped there
    events = s.tick(31)
    assert events[-1] == ev.SessionClosed(s.at, "aborted", ("web-3: switch is in doubt",))
    assert "closed" in s.refused(cmd.Abort(s.at, "dana"))
    assert s.tick() == []
    assert s.kinds(s.do(cmd.AddNote(s.at, "dana", reason="talk to the vendor"))) == ["NoteAdded"]
    assert s.kinds(s.do(cmd.ReportNotice(s.at, "abort", "say so", True, ""))) == ["NoticeSent"]


def test_a_release_may_be_aborted_before_it_starts() -> None:
    s = Session()
    s.do(cmd.Abort(s.at, "dana"))
    assert "aborted" in s.refused(cmd.StartRelease(s.at, "dana"))
    assert s.kinds(s.tick()) == ["SessionClosed"]


def test_an_abort_ends_a_rollback_too() -> None:
    s = running_web()
    s.do(cmd.RollBack(s.at, "lee"))
    assert "rolling back" in s.refused(cmd.RollBack(s.at, "lee"))
    s.do(cmd.Abort(s.at, "dana"))
    s.finish("web-2", "web-3")
    assert s.state.closed is not None
    assert s.state.closed.outcome == "aborted"


def test_a_limit_rolls_back_by_itself_with_its_evidence() -> None:
    s = Session(plan(signals=(ERRORS,), thresholds=(limit("rollback"),)))
    s.verdict("pass", 0.1)
    s.start()
    s.finish()
    reading = ev.Reading("errors > 2", "errors", "breach", None, "> 2")
    events = s.verdict("breach", None, detail="no data", evidence=(reading,))
    assert s.kinds(events) == ["VerdictChanged", "ThresholdTripped", "RollbackStarted"]
    started = events[-1]
    assert isinstance(started, ev.RollbackStarted)
    assert started.reason == "errors > 2: no data"
    assert started.evidence == (reading,)
    assert s.tick()
    s.verdict("pass", 0.1)
    assert s.kinds(s.verdict("breach", 5.0)) == ["VerdictChanged", "ThresholdTripped"]  # once is enough


def test_a_failing_rollback_does_not_stop_the_others_and_is_never_called_rolled_back() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",)), Stage("next", ("switch",), ("web",)))))
    s.start()
    s.finish()
    s.do(cmd.RollBack(s.at, "lee"))
    s.tick()
    s.finish("web-1", as_="failed", tick=False)
    s.finish("web-2", proven=False, tick=False)
    events = s.finish("web-3")
    done = events[-1]
    assert isinstance(done, ev.RollbackFinished)
    assert done.proven == ("web-3",)
    assert done.unproven == (
        "web-1: rollback of switch failed",
        "web-2: rollback of switch ran, but has no verify_rollback to prove it",
    )
    assert s.tick() == []
    assert "nothing to retry" in s.refused(cmd.RetryTarget(s.at, "lee", reason="x", target="web-3"))
    assert "nothing to retry" in s.refused(cmd.RetryTarget(s.at, "lee", reason="x", target="web-2"))
    s.do(cmd.RetryTarget(s.at, "lee", reason="lock removed", target="web-1"))
    s.tick()
    assert s.running() == ["web-1"]
    s.finish()
    assert "Dana Ruiz" in s.refused(cmd.CloseSession(s.at, "sam"))
    s.do(cmd.CloseSession(s.at, "dana", reason="web-2 looks right"))
    unproven = ("web-2: rollback of switch ran, but has no verify_rollback to prove it",)
    assert s.state.closed == ev.SessionClosed(
        s.at, "rolled_back", unproven, by="dana", reason="web-2 looks right"
    )


def test_only_a_finished_rollback_is_closed_by_hand() -> None:
    s = running_web()
    assert "partial" in s.refused(cmd.CloseSession(s.at, "dana"))


def test_unreachable_and_doubtful_ways_back_are_named_as_such() -> None:
    s = running_web()
    s.finish("web-2", "web-3", tick=False)
    s.do(cmd.RollBack(s.at, "lee"))
    s.tick()
    s.finish("web-2", as_="unreachable", tick=False)
    s.finish("web-3", as_="in_doubt")
    assert s.running() == ["web-1"]
    s.finish("web-1")
    events = s.tick(SWITCH.timeout.total_seconds() + 17)
    done = events[-1]
    assert isinstance(done, ev.RollbackFinished)
    assert done.unproven == (
        "web-2: rollback of switch unreachable",
        "web-3: rollback of switch in doubt",
    )


def test_a_point_of_no_return_shows_the_way_forward() -> None:
    stages = (Stage("schema", ("migrate", "switch"), ("web-1",)), Stage("web", ("switch",), ("web",)))
    s = Session(plan(steps=(SWITCH, MIGRATE), stages=stages))
    s.start()
    s.finish()  # migrate
    s.finish()  # switch
    s.do(cmd.RollBack(s.at, "lee"))
    s.tick()
    events = s.finish()
    done = events[-1]
    assert isinstance(done, ev.RollbackFinished)
    assert done.unproven == ("web-1: migrate can't be undone: restore the snapshot",)


def test_a_target_where_nothing_ran_is_not_touched() -> None:
    s = running_web()
    s.finish("web-2", as_="unreachable")
    assert s.state.paused is not None
    s.finish("web-3")
    assert touched_targets(s.state, s.at) == ("web-3", "web-1")


def test_a_rollback_waits_out_a_step_that_may_still_run() -> None:
    s = running_web()
    s.finish("web-2", as_="in_doubt")
    s.finish("web-3")
    s.do(cmd.RollBack(s.at, "lee"))
    s.tick()
    assert s.running() == ["web-3"]
    s.finish()
    s.finish("web-1")
    assert s.running() == []
    s.tick(SWITCH.timeout.total_seconds() + 15)
    assert s.running() == []  # it counts from the moment it was lost
    s.tick(2)
    assert s.running() == ["web-2"]


def test_max_parallel_bounds_the_way_back() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",), max_parallel=2), ALL[0])))
    s.start()
    s.finish("web-1", "web-2")
    s.finish()
    s.do(cmd.RollBack(s.at, "lee"))
    s.tick()
    assert s.running() == ["web-1", "web-2"]
    assert s.tick() == []
    s.finish("web-1")
    assert s.running() == ["web-2", "web-3"]


def test_a_flag_set_here_is_taken_back_first() -> None:
    stages = (Stage("web", ("switch", "flag"), ("web",)), Stage("canary", ("switch",), ("web-1",), gate=None))
    s = Session(plan(steps=(SWITCH, FLAG), stages=stages, rollback=RollbackTerms(timedelta(minutes=6))))
    s.start()
    s.finish()
    assert s.running() == ["here"]
    s.do(cmd.RollBack(s.at, "dana"))
    s.tick()
    s.finish()
    assert [(a.target, a.line) for a in s.state.running()] == [("here", "flag off")]
    s.finish()
    assert len(s.running()) == 3


def test_nothing_steers_a_release_that_has_not_started_or_was_never_opened() -> None:
    s = Session()
    assert "hasn't started" in s.refused(cmd.PauseRollout(s.at, "sam"))
    assert "isn't paused" in _after_start(s, cmd.ResumeRollout(s.at, "sam"))
    empty = Session()
    empty.state = type(empty.state)(plan=empty.plan, render=empty.state.render, slices=())
    assert "no session" in empty.refused(cmd.Tick(empty.at))
    assert "already" in s.refused(
        cmd.OpenSession(s.at, "s", "5p001", "dana", "d", "m", "1", "p", "", "", False)
    )


def _after_start(s: Session, command: cmd.Command) -> str:
    s.start()
    return s.refused(command)


def test_abort_beats_roll_back_beats_pause_beats_promote() -> None:
    s = Session()
    order = [cmd.Promote, cmd.PauseRollout, cmd.Abort, cmd.RollBack]
    commands: list[cmd.Command] = [kind(s.at, "dana") for kind in order]
    commands.append(cmd.ReportVerdict(s.at, "errors > 2", "breach", 3.0))
    ranked = [type(c) for c in sorted(commands, key=cmd.precedence)]
    assert ranked == [cmd.Abort, cmd.RollBack, cmd.PauseRollout, cmd.ReportVerdict, cmd.Promote]
