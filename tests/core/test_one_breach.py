"""One breach, one action: what a limit does of a breach that goes on, moves, or was taken on unseen."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cockpit.core import commands as cmd
from cockpit.core.state import clean
from tests.core.plans import ERRORS, Session, limit, plan

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
