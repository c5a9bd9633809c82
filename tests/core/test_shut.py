"""Ways in which a release once could have gone wrong: each stays shut."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.plan import Freeze, Stage, Window
from cockpit.core.view import next_line
from cockpit.core.wanted import may_begin, wanted
from tests.core.plans import ERRORS, FLAG, MIGRATE, SWITCH, T0, Session, gated, item, limit, plan


def limited(action: str = "pause", auto: bool = True, **changes: object) -> Session:
    s = Session(plan(signals=(ERRORS,), thresholds=(limit(action),), **changes), auto=auto)
    s.verdict("pass", 0.5)
    s.start()
    return s


def test_a_retried_rollback_leaves_the_one_that_succeeded_alone() -> None:
    stages = tuple(Stage(f"f{p}", ("flag",), vars={"percent": p}) for p in ("25", "50"))
    s = Session(plan(steps=(FLAG, SWITCH), stages=(*stages, Stage("more", ("switch",), ("web",)))), auto=True)
    s.start()
    s.finish()
    s.finish()
    s.do(cmd.RollBack(s.at, "lee"))
    s.tick()
    s.finish("web-1", "web-2", "web-3")
    s.finish("web-1", "web-2", "web-3")
    s.finish("here")  # f50 is back
    s.finish("here", as_="failed")  # f25 isn't
    s.do(cmd.RetryTarget(s.at, "lee", reason="flag service is up again", target="here"))
    s.tick()
    assert [a.id for a in s.state.running()] == ["f25/flag/here/back-2"]


def test_a_retry_on_an_earlier_wave_runs_there() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",), waves=(1, "rest"), max_failed=1),)))
    s.start()
    s.finish(as_="failed")  # web-1, tolerated
    s.finish("web-2", as_="failed")
    s.finish("web-3")
    s.do(cmd.RetryTarget(s.at, "lee", reason="disk replaced", target="web-1"))
    s.do(cmd.ResumeRollout(s.at, "dana"))
    s.tick()
    assert s.running() == ["web-1"]
    s.finish()
    assert s.state.closed is not None
    assert s.state.closed.partial == ("web-2: switch failed",)


def test_a_retry_while_it_bakes_bakes_anew() -> None:
    bake = timedelta(minutes=1)
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",), max_failed=1, bake_time=bake),)))
    s.start()
    s.finish("web-1", as_="failed")
    s.finish()
    s.tick(59)
    s.do(cmd.RetryTarget(s.at, "lee", reason="disk replaced", target="web-1"))
    s.tick(10)
    assert s.running() == ["web-1"]
    s.finish()
    s.tick(59)
    assert s.state.phase == "baking"


def test_a_bake_counts_only_time_that_was_seen() -> None:
    s = limited()
    s.finish()
    seen = s.at + timedelta(seconds=5)
    s.at += timedelta(minutes=10)  # the laptop slept
    s.verdict("inconclusive", known_until=seen, detail="no data for 595 s")
    s.verdict("pass", 0.1, known_until=s.at)
    s.tick()
    assert s.state.phase == "baking"
    s.tick(54)
    assert s.state.phase == "baking"
    s.tick(1)
    assert s.state.phase == "running"


def test_silence_does_not_lift_a_limits_pause() -> None:
    s = limited()
    s.verdict("breach", 3.0)
    s.verdict("inconclusive", detail="no data for 20 s")
    assert "Dana Ruiz" in s.refused(cmd.ResumeRollout(s.at, "sam", reason="looks fine"))
    s.do(cmd.ResumeRollout(s.at, "dana", reason="we watch the dashboard"))
    s.verdict("breach", 4.0)
    assert s.state.paused is not None


def test_nobody_approves_what_they_have_not_seen() -> None:
    s = Session(plan(signals=(ERRORS,), thresholds=(limit(),)))
    s.verdict("pass", 0.1)
    s.verdict("breach", 9.0)
    assert "breach" in s.refused(cmd.StartRelease(s.at, "dana", reason="all green, go"))
    assert s.refused(cmd.StartRelease(s.at, "dana", overriding=("limit:errors > 2",), reason="  "))
    stages = (*gated()[:1], Stage("recheck", ("switch",), ("web-2",)), Stage("prod", ("switch",), ("web-3",)))
    s = Session(plan(stages=stages))
    s.start()
    s.finish()
    s.do(cmd.Promote(s.at, "dana", stage="recheck"))
    assert "begins now" in s.refused(cmd.Promote(s.at, "dana", stage="recheck"))
    s.tick()
    s.finish()
    assert "doesn't wait" in s.refused(cmd.Promote(s.at, "dana", stage="recheck"))


def test_a_first_stage_waits_for_clean_signals_too() -> None:
    s = limited(steps=(SWITCH, MIGRATE), checklist=(item("brief", "stage:canary"),))
    s.verdict("inconclusive")
    s.do(cmd.SignItem(s.at, "lee", item="brief"))
    s.tick()
    assert s.running() == []
    s.verdict("pass", 0.1)
    s.tick()
    assert s.running() == ["web-1"]


def test_accepting_a_breach_covers_its_target_and_nothing_else() -> None:
    s = limited()
    s.finish()
    s.verdict("breach", 2.5, target="web-1")
    s.do(cmd.ResumeRollout(s.at, "dana", reason="known", accepting=("errors > 2",)))
    s.verdict("inconclusive", detail="no data")
    s.tick(1000)
    assert s.state.phase == "baking"  # accepted isn't blind
    s.verdict("breach", 2.5, target="web-1")
    assert s.state.paused is None
    s.verdict("breach", 95.0, target="web-3")
    assert s.state.paused is not None


def test_a_retry_that_was_never_sent_hides_no_failure() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",), max_failed=1),)))
    s.start()
    s.finish("web-2", as_="failed")
    s.do(cmd.RetryTarget(s.at, "lee", reason="disk cleaned", target="web-2"))
    s.tick()
    s.do(cmd.PauseRollout(s.at, "sam"))
    s.finish("web-2", as_="skipped")
    s.finish()
    s.do(cmd.ResumeRollout(s.at, "dana"))
    s.tick()
    assert s.state.closed is not None
    assert s.state.closed.partial == ("web-2: switch failed",)


def test_what_is_unresolved_is_named_at_the_end() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",), max_failed=1),)))
    s.start()
    s.finish("web-1", as_="failed")
    s.finish()
    assert s.state.closed is not None
    assert s.state.closed.partial == ("web-1: switch failed",)
    s = Session()
    s.start()
    s.finish(as_="in_doubt")
    first = s.state.attempts["web-1"][0].id
    s.tick(1000)
    s.do(cmd.ReportStep(s.at, first, "in_doubt", False, None, None, 0.0, "gone", settled="record"))
    s.do(cmd.RetryTarget(s.at, "lee", reason="looked: nothing ran", target="web-1"))
    s.do(cmd.ResumeRollout(s.at, "dana"))
    s.tick()
    s.finish()
    s.do(cmd.Abort(s.at, "dana"))
    s.tick(31)
    assert s.state.closed is not None
    assert s.state.closed.partial == ()  # the doubt was settled by the retry
    s = Session()
    s.start()
    s.finish()
    s.do(cmd.RollBack(s.at, "lee"))
    s.tick()
    s.finish(as_="failed", tick=False)
    s.do(cmd.Abort(s.at, "dana"))
    s.tick()
    assert s.state.closed is not None
    assert s.state.closed.partial == ("web-1: rollback of switch failed",)


def test_an_abort_is_closed_even_after_the_session_was_left() -> None:
    s = Session()
    s.start()
    s.do(cmd.Abort(s.at, "dana"))
    s.do(cmd.LeaveSession(s.at, "dana", "good night"))
    assert s.kinds(s.finish(as_="failed"))[-1] == "SessionClosed"
    assert wanted(s.state) == {}


def test_a_session_that_was_left_acts_on_nothing() -> None:
    s = limited("rollback")
    s.do(cmd.LeaveSession(s.at, "dana", "good night"))
    assert "was left" in s.refused(cmd.RollBack(s.at, "lee"))
    assert s.kinds(s.verdict("breach", 9.0)) == ["VerdictChanged", "ThresholdTripped"]


def test_a_flag_does_not_walk_into_a_freeze() -> None:
    freeze = (Freeze((T0 + timedelta(days=1)).date(), (T0 + timedelta(days=2)).date(), "sales"),)
    s = Session(plan(window=Window(T0, T0 + timedelta(days=5), "UTC", freeze=freeze)), auto=True)
    s.start()
    s.finish()
    assert s.kinds(s.tick(24 * 3600)) == ["WindowClosed"]
    assert next_line(s.state, s.at).startswith(
        "frozen until 2026-11-27 00:00: sales: roll back, or Dana Ruiz"
    )
    assert "the freeze (frozen until" in s.refused(cmd.ResumeRollout(s.at, "dana"))
    s.do(cmd.ResumeRollout(s.at, "dana", reason="sales agreed"))
    s.tick(60)
    assert s.state.phase == "waiting"
    assert "needs a reason" in s.refused(cmd.Promote(s.at, "dana"))


def test_a_target_in_trouble_gets_nothing_more_on_top() -> None:
    stages = (
        Stage("web", ("switch",), ("web",), max_failed=1),
        Stage("more", ("warm",), ("web",)),
    )
    warm = type(SWITCH)("warm", "warm", rollback="cool")
    s = Session(plan(steps=(SWITCH, warm), stages=stages), auto=True)
    s.start()
    s.finish("web-1", as_="failed")
    s.finish()
    assert s.running() == ["web-2", "web-3"]


def test_a_step_that_was_never_sent_is_sent_later() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",)),)))
    s.start()
    s.do(cmd.PauseRollout(s.at, "sam"))
    s.finish("web-1", "web-2", as_="skipped")
    s.finish("web-3")
    s.do(cmd.ResumeRollout(s.at, "sam"))
    s.tick()
    assert [a.id for a in s.state.running()] == ["web/switch/web-1/run-2", "web/switch/web-2/run-2"]
    s.finish()
    assert s.state.closed == ev.SessionClosed(s.at, "completed", ())


def test_notes_have_an_author_and_words() -> None:
    s = Session()
    assert "isn't in the plan" in s.refused(cmd.AddNote(s.at, "mallory", reason="hi"))
    assert "says nothing" in s.refused(cmd.AddNote(s.at, "dana", reason=" "))


def test_an_unattended_partial_rollback_is_closed_in_nobodys_name() -> None:
    s = Session()
    assert s.do(cmd.CloseUnattended(s.at)) == []
    s.start()
    s.finish()
    s.do(cmd.RollBack(s.at, "lee"))
    s.tick()
    s.finish(as_="failed")
    s.do(cmd.CloseUnattended(s.at))
    assert s.state.closed == ev.SessionClosed(s.at, "rolled_back", ("web-1: rollback of switch failed",))


def test_what_has_not_been_sent_is_held_by_a_pause_and_a_rollback() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",)),)))
    s.start()
    forward = s.state.running()[0]
    assert may_begin(s.state, forward)
    s.do(cmd.PauseRollout(s.at, "sam"))
    assert not may_begin(s.state, forward)
    s.do(cmd.RollBack(s.at, "lee"))
    assert not may_begin(s.state, forward)
    assert may_begin(s.state, replace(forward, direction="back"))
    s.do(cmd.Abort(s.at, "lee"))
    assert not may_begin(s.state, replace(forward, direction="back"))
