"""A session taken up again: what is known, what waits for a person, and what a crash leaves as it was."""

from __future__ import annotations

from datetime import timedelta

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.evolve import replay
from cockpit.core.journal import line, say
from cockpit.core.plan import RollbackTerms, Stage, Window
from cockpit.core.state import initial
from cockpit.core.view import next_line, reopened
from cockpit.core.wanted import may_begin
from tests.core.plans import ERRORS, T0, Session, limit, plan, render

FIRST = "canary/switch/web-1/run-1"


def take_up(s: Session, by: str = "dana") -> list[ev.Event]:
    """The process dies, and the log is taken up again."""
    s.state = replay(s.log, initial(s.plan, render))
    return s.do(cmd.ResumeSession(s.at, by, by, "laptop", "2", "plan.toml has changed since", ""))


def test_before_and_now_are_both_told() -> None:
    s = Session()
    s.start()
    take_up(s)
    ((attempt, now),) = reopened(s.state)
    assert attempt.id == FIRST
    assert now == "not known yet: cockpit ended while this ran; reaching web-1"
    s.do(cmd.ReportFound(s.at, FIRST))
    assert [now for _, now in reopened(s.state)] == ["it runs"]
    s.finish()
    assert [now for _, now in reopened(s.state)] == ["succeeded"]
    s.do(cmd.ResumeRollout(s.at, "dana"))
    assert reopened(s.state) == ()


def test_nothing_starts_until_a_person_says_so() -> None:
    s = Session()
    s.start()
    take_up(s)
    s.do(cmd.ReportFound(s.at, FIRST))
    s.finish()
    assert s.tick(1000) == []
    attempt = s.state.find(FIRST)
    assert attempt is not None and not may_begin(s.state, attempt)
    s.do(cmd.ResumeRollout(s.at, "sam"))
    assert s.kinds(s.tick()) == ["WaveFinished", "BakeStarted"]


def test_a_pause_outlives_the_process() -> None:
    s = Session(plan(signals=(ERRORS,), thresholds=(limit(),)))
    s.verdict("pass", 0.0)
    s.start()
    s.verdict("breach", 3.0)
    take_up(s)
    s.do(cmd.ReportStep(s.at, FIRST, "succeeded", True, 0, 0, 2.0, "", settled="record"))
    assert isinstance(s.state.paused, ev.RolloutPaused)
    assert "errors > 2" in s.refused(cmd.ResumeRollout(s.at, "sam", reason="fine"))


def test_a_limit_starts_no_rollback_before_a_person_has_looked() -> None:
    s = Session(plan(signals=(ERRORS,), thresholds=(limit("rollback"),)))
    s.verdict("pass", 0.0)
    s.start()
    take_up(s)
    s.do(cmd.ReportStep(s.at, FIRST, "succeeded", True, 0, 0, 2.0, "", settled="record"))
    assert s.kinds(s.verdict("breach", 3.0)) == ["VerdictChanged", "ThresholdTripped"]
    assert "accepting it is a decision" in s.refused(cmd.ResumeRollout(s.at, "dana", reason="known"))
    s.do(cmd.ResumeRollout(s.at, "dana", reason="known", accepting=("errors > 2",)))


def test_a_rollback_cut_short_goes_on_when_somebody_says_so() -> None:
    s = Session()
    s.start()
    s.finish()
    s.do(cmd.RollBack(s.at, "lee"))
    s.tick()
    take_up(s)
    back = "canary/switch/web-1/back-1"
    s.do(cmd.ReportStep(s.at, back, "unreachable", False, None, None, 0.0, "void", settled="record"))
    assert s.tick(100) == []
    looks = "taken up again in the middle of a rollback: look"
    assert next_line(s.state, s.at) == f"{looks}, then Dana Ruiz or Lee Chen resumes it"
    assert "Dana Ruiz or Lee Chen" in s.refused(cmd.ResumeRollout(s.at, "sam"))
    s.do(cmd.LeaveSession(s.at, "dana", "coffee"))
    assert "left" in s.refused(cmd.ResumeRollout(s.at, "lee"))
    take_up(s, "lee")
    s.do(cmd.ResumeRollout(s.at, "lee"))
    assert s.kinds(s.tick()) == ["RollbackFinished"]
    s.do(cmd.RetryTarget(s.at, "lee", reason="it never began", target="web-1"))
    s.tick()
    s.finish()
    assert s.state.closed == ev.SessionClosed(s.at, "rolled_back", ())


def test_an_abort_after_a_crash_in_a_rollback_ends_it() -> None:
    s = Session()
    s.start()
    s.finish()
    s.do(cmd.RollBack(s.at, "lee"))
    s.tick()
    take_up(s)
    s.do(cmd.Abort(s.at, "lee"))
    assert "aborted" in s.refused(cmd.ResumeRollout(s.at, "lee"))


def test_stages_promote_themselves_as_was_said_last() -> None:
    s = Session(auto=True)
    s.start()
    s.finish()
    assert s.state.opened is not None and s.state.opened.promote_when_clean
    take_up(s)
    s.do(cmd.ResumeRollout(s.at, "dana"))
    s.tick(60)
    assert (s.state.stage, s.state.phase) == (1, "waiting")


def test_a_stage_needs_window_for_its_bakes_and_the_way_back() -> None:
    window = Window(T0, T0 + timedelta(minutes=30), "UTC")
    stages = (
        Stage("canary", ("switch",), ("web-1",)),
        Stage("web", ("switch",), ("web",), waves=(1, "rest"), bake_time=timedelta(minutes=10)),
    )
    s = Session(plan(window=window, stages=stages, rollback=RollbackTerms(timedelta(minutes=6))), auto=True)
    s.start()
    s.tick(15 * 60)
    s.finish()  # two bakes of ten minutes don't fit into fifteen
    assert s.state.phase == "waiting"
    refusal = s.refused(cmd.Promote(s.at, "dana"))
    assert refusal == (
        "the window closes in ~15 min: web bakes ~20 min, going back takes ~6 s: promoting it now needs a reason"
    )
    assert "Dana Ruiz" in s.refused(cmd.Promote(s.at, "lee", reason="go", overriding=("window",)))
    s.do(cmd.Promote(s.at, "dana", reason="agreed to overrun", overriding=("window",)))


def test_a_release_does_not_start_into_a_window_that_is_too_short() -> None:
    window = Window(T0, T0 + timedelta(minutes=5), "UTC")
    s = Session(plan(window=window, rollback=RollbackTerms(timedelta(minutes=6))))
    refusal = "not ready: the window closes in ~5 min: the release bakes ~60 s, going back takes ~6 min"
    assert s.refused(cmd.StartRelease(s.at, "dana")) == refusal
    s.start("the window will be extended")
    assert s.running() == ["web-1"]


def test_the_words_of_a_session_s_life() -> None:
    s = Session()
    s.start()
    words = [line(e, s.plan, s.state.find) for e in take_up(s)]
    assert words == [
        "22:00:00  Dana Ruiz: took the session up again on laptop with cockpit 2; plan.toml has changed since, "
        "this session goes by its own copy"
    ]
    found, resolved = ev.StepFound(T0, FIRST), ev.DoubtResolved(T0, FIRST, "failed", "lee", "", "looked")
    assert say(found, s.plan, s.state.find) == "switch on web-1: reached again, it is running"
    assert say(found, s.plan, lambda _: None) == f"attempt {FIRST}: reached again, it is running"
    assert say(resolved, s.plan, s.state.find) == "says that switch on web-1 failed: looked"
    held = ev.TargetProbed(T0, "web-1", False, "", "lee on bastion-2", ())
    assert say(held, s.plan, s.state.find) == "web-1 is held by lee on bastion-2"
    s.do(cmd.ReportReleased(s.at, ("web-1",), ("web-2: no answer",)))
    assert s.state.released == {"web-1"}
    assert say(s.log[-1], s.plan, s.state.find) == (
        "removed what this session had left on web-1; not from web-2: no answer"
    )
