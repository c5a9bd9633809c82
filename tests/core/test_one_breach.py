"""One breach, one action: what a limit does of a breach that goes on, moves, or was taken on unseen."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.evolve import replay
from cockpit.core.state import clean, initial
from tests.core.plans import ERRORS, Session, limit, plan, render

ON = ("errors > 2",)


def limited(action: str = "pause", **changes: object) -> Session:
    s = Session(plan(signals=(ERRORS,), thresholds=(limit(action, **changes),)), auto=True)
    s.verdict("pass", 0.5)
    s.start()
    s.finish()
    return s


def test_a_breach_on_several_targets_calls_once_whichever_is_the_worst() -> None:
    s = limited("escalate", escalate_to=("dana",))
    assert s.kinds(s.verdict("breach", 3.0, target="web-1")) == ["VerdictChanged", "ThresholdTripped"]
    s.do(cmd.AnswerEscalation(s.at, "dana"))
    for target in ("web-2", "web-1", "web-2"):
        assert s.kinds(s.verdict("breach", 4.0, target=target)) == ["VerdictChanged"]
    assert not s.state.escalations
    s.verdict("pass", 0.5)
    s.verdict("breach", 3.0, target="web-2")
    assert s.state.escalations  # a new breach is a new call


@pytest.mark.parametrize("how", ["crash", "sleep"])
def test_a_breach_that_lasts_while_nobody_could_look_calls_nobody_again(how: str) -> None:
    s = limited("escalate", escalate_to=("dana",))
    s.verdict("breach", 3.0, target="web-1")
    s.do(cmd.AnswerEscalation(s.at, "dana"))
    for _ in range(2):
        if how == "crash":
            s.state = replay(s.log, initial(s.plan, render))
            s.do(cmd.ResumeSession(s.at, "dana", "dana", "laptop", "2", "", ""))
        else:
            s.do(cmd.ReportSleep(s.at, timedelta(minutes=5)))
        s.verdict("inconclusive", None)
        s.verdict("pass", 4.0, target="web-2", breaching_since=s.at)  # until that has lasted
        assert s.kinds(s.verdict("breach", 4.0, target="web-2")) == ["VerdictChanged"]
        assert not s.state.escalations
    s.verdict("pass", 0.5)
    assert s.kinds(s.verdict("breach", 3.0)) == ["VerdictChanged", "ThresholdTripped"]


def test_what_had_not_acted_before_nobody_could_look_acts_then() -> None:
    s = Session(plan(signals=(ERRORS,), thresholds=(limit("pause"),)))
    s.verdict("breach", 3.0, target="web-1")  # nothing acts before the start
    s.do(cmd.ReportSleep(s.at, timedelta(minutes=5)))
    s.verdict("pass", 4.0, breaching_since=s.at)
    s.start("we looked")
    assert s.kinds(s.verdict("breach", 4.0, target="web-1"))[-1] == "RolloutPaused"
    s.do(cmd.ReportSleep(s.at, timedelta(minutes=5)))
    assert s.kinds(s.verdict("breach", 4.0, target="web-1")) == ["VerdictChanged"]
    s.do(cmd.ResumeRollout(s.at, "dana", reason="known", accepting=ON))
    assert s.kinds(s.verdict("breach", 4.0, target="web-2"))[-1] == "RolloutPaused"


def test_a_breach_that_was_over_or_whose_limit_was_moved_acts_after_a_crash_as_ever() -> None:
    for over in (True, False):
        s = limited("escalate", escalate_to=("dana",))
        s.verdict("breach", 3.0)
        s.do(cmd.ReportSleep(s.at, timedelta(minutes=5)))
        if over:
            s.verdict("pass", 0.5)
        else:
            s.do(cmd.ChangeLimit(s.at, "dana", reason="agreed", threshold="errors > 2", limit=3.0))
        assert s.kinds(s.verdict("breach", 4.0)) == ["VerdictChanged", "ThresholdTripped"]


def test_the_reason_of_a_pause_has_the_unit_of_its_number() -> None:
    signals = (replace(ERRORS, unit="%"),)
    s = Session(plan(signals=signals, thresholds=(limit("pause"),)), auto=True)
    s.verdict("pass", 0.5)
    s.start()
    paused = s.verdict("breach", 3.14, target="web-1")[-1]
    assert isinstance(paused, ev.RolloutPaused)
    assert paused.reason == "errors > 2: 3.14 % on web-1"


def test_a_breach_accepted_on_one_target_acts_on_another() -> None:
    s = limited()
    s.verdict("breach", 3.0, target="web-1")
    s.do(cmd.ResumeRollout(s.at, "dana", reason="known", accepting=ON))
    assert s.kinds(s.verdict("breach", 3.0, target="web-2"))[-1] == "RolloutPaused"
    s.do(cmd.ResumeRollout(s.at, "dana", reason="known too", accepting=ON))
    assert s.kinds(s.verdict("breach", 3.0, target="web-1")) == ["VerdictChanged"]
    assert clean(s.state)


@pytest.mark.parametrize(("accepted", "then"), [(None, 90.0), (3.0, None)])
def test_silence_and_a_number_are_accepted_apart(accepted: float | None, then: float | None) -> None:
    s = limited()
    s.verdict("breach", accepted, detail="as it is")
    s.do(cmd.ResumeRollout(s.at, "dana", reason="known", accepting=ON))
    assert s.kinds(s.verdict("breach", accepted)) == ["VerdictChanged"]
    assert clean(s.state)
    assert s.kinds(s.verdict("breach", then))[-1] == "RolloutPaused"
    assert not clean(s.state)


def test_taking_on_a_limit_without_readings_takes_on_no_breach() -> None:
    s = Session(plan(signals=(ERRORS,), thresholds=(limit("rollback"),)))
    start = cmd.StartRelease(s.at, "dana", reason="the exporter is slow", overriding=("limit:errors > 2",))
    s.verdict("breach", 99.0)
    assert s.refused(start) == "not ready: errors > 2: breach before the start (99, limit > 2)"
    s.verdict("error", None, detail="unreadable")
    s.do(start)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"limit": float("nan")}, "a limit is a finite number"),
        ({"outside": (float("-inf"), 5.0)}, "a limit is a finite number"),
        (
            {"for_": timedelta(days=3_000_000)},
            "a limit that must be exceeded for more than a day protects no release",
        ),
    ],
)
def test_a_limit_is_not_moved_to_where_it_cannot_be_judged(changes: dict[str, object], why: str) -> None:
    s = limited()
    moved = cmd.ChangeLimit(s.at, "dana", reason="agreed", threshold="errors > 2", **changes)  # type: ignore[arg-type]
    assert s.refused(moved) == why


def test_a_plan_whose_span_is_longer_than_a_day_may_move_the_number_alone() -> None:
    s = limited(for_=timedelta(days=2))
    s.do(cmd.ChangeLimit(s.at, "dana", reason="agreed", threshold="errors > 2", limit=3.0))
    assert s.state.plan.threshold("errors > 2").for_ == timedelta(days=2)
