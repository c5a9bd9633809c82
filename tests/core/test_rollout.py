"""Going forward: stages, waves, bakes, gates, sign-offs and what holds them back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.attempt import attempt_id
from cockpit.core.plan import HERE, Gate, Stage
from cockpit.core.slices import batches, slices_of
from cockpit.core.state import breached, clean, initial
from cockpit.core.view import next_line
from cockpit.core.wanted import wanted
from tests.core.plans import ERRORS, FLAG, MIGRATE, SWITCH, Session, gated, item, limit, plan, render, web


def test_a_plain_release_goes_through_canary_and_waves_to_the_end() -> None:
    s = Session(auto=True)
    s.start()
    assert s.running() == ["web-1"]
    s.finish()
    assert s.state.phase == "baking"
    s.tick(59)
    assert s.state.phase == "baking"
    s.tick(1)
    assert s.running() == ["web-2"]  # web-1 is done already; the first wave is one target
    s.finish()
    assert s.running() == ["web-3"]
    events = s.finish()
    assert s.kinds(events)[-1] == "SessionClosed"
    assert s.state.closed is not None
    assert s.state.closed.outcome == "completed"


def test_a_stage_waits_for_the_decision_owner() -> None:
    s = Session()
    s.start()
    s.finish()
    s.tick(60)
    assert s.state.phase == "waiting"
    assert "Dana Ruiz" in s.refused(cmd.Promote(s.at, "sam"))
    s.do(cmd.Promote(s.at, "dana", via="sam"))
    s.tick()
    assert s.running() == ["web-2"]
    assert "running" in s.refused(cmd.Promote(s.at, "dana"))


def test_promoting_is_refused_while_it_bakes_and_says_how_long() -> None:
    s = Session()
    s.start()
    s.finish()
    s.tick(20)
    assert "40 s more" in s.refused(cmd.Promote(s.at, "dana"))


def test_a_promotion_before_the_tick_that_begins_the_stage_is_told_so() -> None:
    s = Session(plan(checklist=(item("brief", "stage:web"),)))
    s.start()
    s.finish()
    s.tick(60)
    assert "brief is done" in s.refused(cmd.Promote(s.at, "dana"))
    s.do(cmd.SignItem(s.at, "lee", item="brief"))
    s.do(cmd.Promote(s.at, "dana"))
    assert "it begins now" in s.refused(cmd.Promote(s.at, "dana"))


def test_a_first_stage_is_held_back_by_its_own_items() -> None:
    s = Session(plan(checklist=(item("brief", "stage:canary"),)))
    s.start()
    assert s.running() == []
    s.do(cmd.SignItem(s.at, "lee", item="brief"))
    s.tick()
    assert s.running() == ["web-1"]


def test_a_gate_opens_for_its_approvers_only_even_with_promote_when_clean() -> None:
    s = Session(plan(stages=gated()), auto=True)
    s.start()
    s.finish()
    s.tick(1000)
    assert s.state.phase == "waiting"
    assert "Lee Chen" in s.refused(cmd.Promote(s.at, "dana"))
    s.do(cmd.Promote(s.at, "lee", reason="orders fine"))
    s.tick()
    assert s.running() == ["web-2", "web-3"]


def test_a_point_of_no_return_takes_the_decision_owner_whatever_the_gate_or_the_flag() -> None:
    for gate in (None, Gate(("rollback_owner",))):
        stages = (
            Stage("canary", ("switch",), ("web-1",)),
            Stage("schema", ("migrate",), ("web-2",), gate=gate),
        )
        s = Session(plan(steps=(SWITCH, MIGRATE), stages=stages), auto=True)
        s.start()
        s.finish()
        s.tick(1000)
        assert s.state.phase == "waiting"
        assert next_line(s.state, s.at).endswith("a point of no return: migrate can't be undone")
        if gate is not None:
            assert "takes Lee Chen, not Dana Ruiz" in s.refused(cmd.Promote(s.at, "dana"))
            assert s.kinds(s.do(cmd.Promote(s.at, "lee"))) == ["StageApproved"]
        assert "takes Dana Ruiz, not Lee Chen" in s.refused(cmd.Promote(s.at, "lee"))
        s.do(cmd.Promote(s.at, "dana"))
        s.tick()
        assert s.running() == ["web-2"]


def test_a_gate_nobody_answers_pauses_and_asks_anew_once_it_goes_on() -> None:
    s = Session(plan(stages=gated(timedelta(minutes=5))))
    s.start()
    s.finish()
    assert s.kinds(s.tick(300)) == ["GateTimedOut"]
    assert s.tick(300) == []
    assert "resume it first" in s.refused(cmd.Promote(s.at, "lee"))
    s.do(cmd.ResumeRollout(s.at, "sam"))
    assert s.kinds(s.tick(300)) == ["GateAsked"]
    assert s.tick(299) == []
    assert s.kinds(s.tick(1)) == ["GateTimedOut"]
    s.do(cmd.ResumeRollout(s.at, "sam"))
    s.do(cmd.Promote(s.at, "lee"))
    s.tick()
    assert len(s.running()) == 2


def test_max_parallel_bounds_what_runs_and_pause_lets_it_end() -> None:
    stages = (Stage("web", ("switch",), ("web",), max_parallel=2),)
    s = Session(plan(stages=stages))
    s.start()
    assert s.running() == ["web-1", "web-2"]
    s.do(cmd.PauseRollout(s.at, "sam"))
    assert "already" in s.refused(cmd.PauseRollout(s.at, "sam"))
    s.finish("web-1")
    assert s.running() == ["web-2"]
    assert set(wanted(s.state)) == {"web/switch/web-2/run-1"}
    s.do(cmd.ResumeRollout(s.at, "sam"))
    s.tick()
    assert s.running() == ["web-2", "web-3"]


def test_more_failures_than_tolerated_pause_and_resume_waits_for_a_mend() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",), max_failed=1),)))
    s.start()
    s.finish("web-1", as_="failed")
    assert s.state.paused is None
    s.finish("web-2", as_="unreachable")
    assert isinstance(s.state.paused, ev.RolloutPaused)
    assert "2 in trouble, 1 tolerated" in s.state.paused.reason
    s.finish()
    assert "retry or exclude" in s.refused(cmd.ResumeRollout(s.at, "dana"))
    assert "reason" in s.refused(cmd.RetryTarget(s.at, "lee", target="web-1"))
    s.do(cmd.RetryTarget(s.at, "lee", reason="disk replaced", target="web-1"))
    s.do(cmd.ResumeRollout(s.at, "dana"))
    s.tick()
    assert s.running() == ["web-1"]
    s.finish()
    assert s.state.closed is not None  # one failure is tolerated


def test_what_was_shown_in_trouble_and_is_another_step_by_now_is_neither_run_again_nor_excluded() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",)),)))
    s.start()
    s.finish(as_="failed")
    for kind in (cmd.RetryTarget, cmd.ExcludeTarget):
        other = kind(s.at, "lee", reason="x", target="web-1", attempt="web/migrate/web-1/run-1")
        assert "no longer so: look again" in s.refused(other)
    shown = "web/switch/web-1/run-1"
    s.do(cmd.RetryTarget(s.at, "lee", reason="disk freed", target="web-1", attempt=shown))
    mended = cmd.ExcludeTarget(s.at, "lee", reason="its disk is full", target="web-1", attempt=shown)
    assert "no longer so: look again" in s.refused(mended)
    s.do(cmd.ExcludeTarget(s.at, "lee", reason="x", target="web-2", attempt="web/switch/web-2/run-1"))


def test_many_failures_are_named_briefly() -> None:
    s = Session(plan(targets=web(8), stages=(Stage("web", ("switch",), ("web",)),)))
    s.start()
    s.finish(as_="failed")
    assert isinstance(s.state.paused, ev.RolloutPaused)
    assert "and 3 more in web" in s.state.paused.reason


def test_a_target_in_doubt_holds_the_wave_until_a_person_settles_it() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",), max_failed=1),)))
    s.start()
    s.finish("web-1", as_="in_doubt")
    s.finish()
    assert s.state.paused is None  # its target is being reached again
    s.tick(31)
    assert s.state.paused is not None
    assert "no step failed" in s.refused(cmd.RetryTarget(s.at, "lee", reason="x", target="web-2"))
    assert "will tell what became of switch" in s.refused(
        cmd.RetryTarget(s.at, "lee", reason="x", target="web-1")
    )
    assert "retry or exclude" in s.refused(cmd.ResumeRollout(s.at, "dana"))
    s.do(cmd.ExcludeTarget(s.at, "lee", reason="disk broken", target="web-1"))
    s.do(cmd.ResumeRollout(s.at, "dana"))
    s.tick()
    assert s.state.closed is None  # excluded or not: a doubt is settled before the end
    assert "Dana Ruiz or Lee Chen" in s.refused(
        cmd.ResolveDoubt(s.at, "sam", reason="x", attempt="web/switch/web-1/run-1")
    )
    assert "how you know" in s.refused(cmd.ResolveDoubt(s.at, "lee", attempt="web/switch/web-1/run-1"))
    assert "isn't in doubt" in s.refused(
        cmd.ResolveDoubt(s.at, "lee", reason="x", attempt="web/switch/web-2/run-1")
    )
    s.do(
        cmd.ResolveDoubt(
            s.at, "lee", reason="disk is gone", attempt="web/switch/web-1/run-1", finish="failed"
        )
    )
    s.tick()
    assert s.state.closed is not None
    assert s.state.closed.partial == ("web-1: switch failed",)


def test_excluding_needs_a_known_target_a_reason_and_an_hour() -> None:
    s = Session()
    early = cmd.ExcludeTarget(s.at, "dana", reason="x", target="web-3")
    assert "hasn't started" in s.refused(early)
    assert "hasn't started" in s.refused(cmd.RetryTarget(s.at, "dana", reason="x", target="web-3"))
    s.start()
    assert "no target" in s.refused(replace(early, target="web-9"))
    assert "reason" in s.refused(replace(early, reason=""))
    assert "Dana Ruiz or Lee Chen" in s.refused(replace(early, by="sam"))
    s.do(early)
    assert "already" in s.refused(early)


def test_a_late_report_changes_nothing() -> None:
    s = Session()
    s.start()
    report = cmd.ReportStep(s.at, "canary/switch/web-1/run-1", "succeeded", True, 0, 0, 1.0, "")
    s.do(report)
    assert s.do(report) == []
    assert s.do(replace(report, attempt="canary/switch/web-9/run-1")) == []


def test_here_steps_run_once_a_stage_before_or_after_its_targets() -> None:
    before = Stage("web", ("flag", "switch"), ("web",))
    after = Stage("web", ("switch", "flag"), ("web",))
    p = plan(steps=(SWITCH, FLAG))
    hosts = ("web-1", "web-2", "web-3")
    first, second = slices_of(replace(p, stages=(before,)))[0]
    assert (first.targets, first.steps, second.targets, second.steps) == (
        (HERE,),
        ("flag",),
        hosts,
        ("switch",),
    )
    first, second = slices_of(replace(p, stages=(after,)))[0]
    assert (first.targets, second.targets) == (hosts, (HERE,))


def test_targets_done_by_the_same_steps_are_left_out_but_not_with_other_vars() -> None:
    again = Stage("again", ("switch",), ("web",), vars={"percent": "50"})
    everything = Stage("web", ("switch",), ("web",))
    p = plan(stages=(everything, everything, again))
    assert [len(waves) for waves in slices_of(p)] == [1, 0, 1]
    s = Session(p, auto=True)
    s.start()
    events = s.finish()
    assert [e.stage for e in events if isinstance(e, ev.StageFinished)] == ["web", "web"]
    assert len(s.running()) == 3


@pytest.mark.parametrize(
    ("waves", "sizes"),
    [
        (("rest",), [12]),
        ((1, "50%", "rest"), [1, 6, 5]),
        (("5%",), [1, 11]),
        ((20,), [12]),
        ((6, 6, "rest"), [6, 6]),
    ],
)
def test_waves_cut_targets_and_forget_none(waves: tuple[int | str, ...], sizes: list[int]) -> None:
    names = tuple(f"t{i}" for i in range(12))
    cut = batches(names, waves)
    assert [len(b) for b in cut] == sizes
    assert tuple(t for b in cut for t in b) == names


def limited(action: str = "pause") -> Session:
    s = Session(plan(signals=(ERRORS,), thresholds=(limit(action),)), auto=True)
    s.verdict("pass", 0.5)
    s.start()
    s.finish()
    return s


def test_a_breach_restarts_the_bake_and_pauses_until_it_is_accepted() -> None:
    s = limited()
    s.tick(50)
    s.verdict("breach", 3.0, breaching_since=s.at, target="web-1")
    assert isinstance(s.state.paused, ev.RolloutPaused)
    assert s.state.paused.by == ev.COCKPIT
    assert s.state.paused.reason == "errors > 2: 3 on web-1"
    s.tick(1000)
    assert "going on over errors > 2 takes Dana" in s.refused(cmd.ResumeRollout(s.at, "sam"))
    assert "needs a reason" in s.refused(cmd.ResumeRollout(s.at, "dana"))
    unseen = s.refused(cmd.ResumeRollout(s.at, "dana", reason="known from last week"))
    assert "a decision of its own" in unseen
    s.do(cmd.ResumeRollout(s.at, "dana", reason="known from last week", accepting=("errors > 2",)))
    assert clean(s.state)
    assert s.tick(59) == []
    assert s.kinds(s.tick(1))[0] == "BakeFinished"


def test_an_accepted_breach_trips_again_only_after_it_was_over() -> None:
    s = limited()
    s.verdict("breach", 4.0)
    s.do(cmd.ResumeRollout(s.at, "dana", reason="known", accepting=("errors > 2",)))
    s.verdict("inconclusive")
    s.verdict("breach", 4.0)
    assert s.state.paused is None
    s.verdict("pass", 1.0)
    s.verdict("breach", 4.0)
    assert s.state.paused is not None


def test_a_breach_worse_than_the_accepted_one_asks_again() -> None:
    s = limited()
    s.verdict("breach", 3.0)
    seen = (ev.Reading("errors > 2", "errors", "breach", 3.4, "> 2"),)
    go_on = cmd.ResumeRollout(s.at, "dana", reason="known", accepting=("errors > 2",), evidence=seen)
    s.do(go_on)
    assert s.state.accepted == {("errors > 2", None): 3.4}
    assert s.kinds(s.verdict("breach", 3.4)) == ["VerdictChanged"]
    assert s.kinds(s.verdict("breach", 3.5)) == ["VerdictChanged", "ThresholdTripped", "RolloutPaused"]
    assert breached(s.state) == ("errors > 2",)
    assert s.kinds(s.verdict("breach", 9.0)) == ["VerdictChanged"]  # one breach, one action
    s.do(replace(go_on, evidence=()))
    assert s.state.accepted == {("errors > 2", None): 9.0}


def test_no_data_holds_the_bake_and_banks_the_clean_time() -> None:
    s = limited()
    s.tick(40)
    s.verdict("inconclusive", detail="no data for 15 s")
    s.tick(500)
    assert s.state.phase == "baking"
    s.verdict("pass", 0.1)
    s.tick(19)
    assert s.state.phase == "baking"
    s.tick(1)
    assert s.state.phase == "running"


def test_samples_on_their_way_to_a_breach_are_not_clean() -> None:
    s = limited()
    s.tick(59)
    s.verdict("pass", 3.0, breaching_since=s.at)
    s.tick(100)
    assert s.state.phase == "baking"


def test_observed_limits_hold_nothing() -> None:
    watch = replace(limit("rollback"), observe_only=True)
    s = Session(plan(signals=(ERRORS,), thresholds=(watch,)), auto=True)
    s.start()
    s.finish()
    assert s.kinds(s.verdict("breach", 9.0)) == ["VerdictChanged"]
    s.tick(60)
    assert s.state.phase == "running"


def test_promoting_over_unclean_signals_is_refused() -> None:
    s = Session(plan(signals=(ERRORS,), thresholds=(limit("notify"),)))
    s.verdict("pass", 0.5)
    s.start()
    s.finish()
    s.tick(60)
    events = s.verdict("breach", 3.0)
    assert s.kinds(events) == ["VerdictChanged", "ThresholdTripped"]
    assert "aren't clean" in s.refused(cmd.Promote(s.at, "dana"))


def test_a_breach_in_a_pause_is_recorded_and_another_pause_is_not() -> None:
    s = limited()
    s.do(cmd.PauseRollout(s.at, "sam"))
    assert s.kinds(s.verdict("breach", 3.0)) == ["VerdictChanged", "ThresholdTripped"]


def test_a_close_item_holds_the_end() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",)),), checklist=(item("report", "close"),)))
    s.start()
    s.finish()
    assert s.state.closed is None
    assert "every stage is done" in s.refused(cmd.Promote(s.at, "dana"))
    s.do(cmd.SignItem(s.at, "lee", item="report"))
    s.tick()
    assert s.state.closed is not None


def test_resuming_a_session_doubts_what_ran_and_waits_for_a_person() -> None:
    s = Session()
    s.start()
    s.do(cmd.LeaveSession(s.at, "dana", "laptop closed"))
    assert s.tick() == []
    assert s.do(cmd.LeaveSession(s.at, "dana", "again")) == []
    s.do(cmd.ResumeSession(s.at, "lee", "lee", "bastion", "1"))
    assert s.state.paused is not None
    assert [a.status for a in s.state.attempts["web-1"]] == ["in_doubt"]
    assert set(wanted(s.state)) == {"canary/switch/web-1/run-1"}
    assert s.tick() == []


def test_attempt_ids_are_found_again_and_unknown_ones_are_not() -> None:
    state = initial(plan(), render)
    assert state.find(attempt_id("web", "switch", "web-1", "run", 1)) is None
    s = Session()
    s.start()
    assert s.state.find("canary/switch/web-1/run-2") is None
    assert s.state.find("canary/switch/web-1/run-1") is not None


def test_a_gate_on_the_first_stage_is_asked_too() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",), gate=Gate(("dana",))),)))
    s.start()
    assert s.running() == []
    s.do(cmd.Promote(s.at, "dana"))
    s.tick()
    assert len(s.running()) == 3
