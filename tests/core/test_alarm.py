"""Limits that are moved, what nobody can explain, and people who are called."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.core import alarm, limits
from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.journal import line, say
from cockpit.core.plan import RollbackTerms, Threshold
from cockpit.core.state import accepting, clean, unclean
from cockpit.core.view import next_line
from tests.core.plans import ERRORS, Session, item, limit, plan


def baking(**changes: object) -> Session:
    """A canary that bakes with clean signals; `changes` are of the limit."""
    s = Session(plan(signals=(ERRORS,), thresholds=(limit(**changes),)), auto=True)  # type: ignore[arg-type]
    s.verdict("pass", 0.5)
    s.start()
    s.finish()
    assert s.state.phase == "baking"
    return s


def told(s: Session, event: ev.Event) -> str:
    return say(event, s.state.plan, lambda _: None)


# Moving a limit


def move(s: Session, **changes: object) -> cmd.ChangeLimit:
    wanted = {"by": "dana", "reason": "the importer runs", "threshold": "errors > 2", **changes}
    return cmd.ChangeLimit(s.at, **wanted)  # type: ignore[arg-type]


def test_the_decision_owner_moves_a_limit_with_a_reason() -> None:
    s = baking()
    (event,) = s.do(move(s, limit=3.0, for_=timedelta(minutes=2)))
    assert told(s, event) == ("changed the limit errors > 2: was > 2, now > 3 for 2 min: the importer runs")
    now = s.state.plan.threshold("errors > 2")
    assert (now.op, now.limit, now.outside, now.for_) == (">", 3.0, None, timedelta(minutes=2))
    assert now.called == "errors > 2 (now > 3)"
    assert unclean(s.state) == (now,)  # until it is judged anew, nobody knows


def test_a_limit_may_become_a_range_and_a_range_a_limit() -> None:
    s = baking()
    (event,) = s.do(move(s, outside=(0.0, 3.0)))
    assert told(s, event).endswith("was > 2, now outside 0..3: the importer runs")
    assert s.state.plan.threshold("errors > 2").outside == (0.0, 3.0)
    s.do(move(s, op=">=", limit=4.0))
    assert s.state.plan.threshold("errors > 2").limit_text == ">= 4"
    s.do(move(s, outside=(0.0, 3.0)))
    s.do(move(s, limit=4.0))
    assert s.state.plan.threshold("errors > 2").limit_text == "> 4"
    s.do(move(s, for_=timedelta(seconds=30)))
    assert limits.text(s.state.plan.threshold("errors > 2")) == "> 4 for 30 s"


def test_a_moved_limit_forgets_where_the_old_one_cleared() -> None:
    s = baking(clears_at=1.5)
    s.do(move(s, for_=timedelta(minutes=1)))
    assert s.state.plan.threshold("errors > 2").clears_at == 1.5
    s.do(move(s, limit=1.0))
    assert s.state.plan.threshold("errors > 2").clears_at is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"by": "sam", "limit": 3.0}, "changing errors > 2 takes Dana Ruiz, not Sam Okoro"),
        ({"reason": " ", "limit": 3.0}, "changing a limit needs a reason"),
        ({"threshold": "orders < 1", "limit": 3.0}, "the plan has no limit orders < 1: there are errors > 2"),
        ({"limit": 2.0}, "it is > 2 already"),
        ({}, "it is > 2 already"),
        ({"outside": (3.0, 1.0)}, "a range has a low and a high end, in this order"),
        ({"outside": (3.0,)}, "a range has a low and a high end, in this order"),
        ({"limit": 3.0, "for_": timedelta(seconds=-1)}, "a limit's span isn't negative"),
    ],
)
def test_a_limit_is_not_moved(changes: dict[str, object], why: str) -> None:
    s = baking()
    assert s.refused(move(s, **changes)) == why


def test_a_breach_of_the_moved_limit_acts_anew_and_what_was_accepted_is_forgotten() -> None:
    s = baking()
    s.verdict("breach", 3.0)
    s.do(cmd.ResumeRollout(s.at, "dana", reason="known", accepting=("errors > 2",)))
    assert s.state.accepted
    s.do(move(s, limit=1.0))
    assert not s.state.accepted
    events = s.verdict("breach", 3.0)
    assert s.kinds(events) == ["VerdictChanged", "ThresholdTripped", "RolloutPaused"]
    assert isinstance(s.state.paused, ev.RolloutPaused)
    assert s.state.paused.reason == "errors > 2 (now > 1): 3"


def test_a_breach_in_the_same_turn_acts_before_the_limit_is_moved_out_of_its_way() -> None:
    s = baking()
    breach = cmd.ReportVerdict(s.at, "errors > 2", "breach", 3.0)
    assert cmd.precedence(breach) < cmd.precedence(move(s, limit=9.0))


# What nobody can explain


def unexplained(s: Session, words: str = "orders look odd") -> ev.UnexplainedReported:
    (event,) = s.do(cmd.ReportUnexplained(s.at, "sam", reason=words))
    assert isinstance(event, ev.UnexplainedReported)
    return event


def test_anyone_starts_the_clock_and_nothing_expands_while_it_runs() -> None:
    s = baking()
    event = unexplained(s)
    assert told(s, event) == "can't explain what is seen: orders look odd; to be explained within 5 min"
    assert not clean(s.state)
    s.tick(299)
    assert s.state.phase == "baking"
    assert "since 4 min 59 s" in s.refused(cmd.ReportUnexplained(s.at, "dana"))


def test_an_explanation_stops_the_clock_and_the_bake_goes_on_where_it_was() -> None:
    s = baking()
    s.tick(40)
    unexplained(s)
    s.tick(100)
    assert "takes words" in s.refused(cmd.Explain(s.at, "sam"))
    (event,) = s.do(cmd.Explain(s.at, "sam", reason="a cold cache, seen in its hit rate"))
    assert told(s, event) == "explained it: a cold cache, seen in its hit rate"
    s.tick(19)
    assert s.state.phase == "baking"
    assert s.kinds(s.tick(1))[0] == "BakeFinished"
    assert s.refused(cmd.Explain(s.at, "sam", reason="again")) == "nothing is unexplained"


def test_unanswered_it_ends_in_a_proposed_rollback_once() -> None:
    s = baking()
    unexplained(s)
    (proposed,) = s.tick(300)
    assert told(s, proposed) == (
        "a rollback is proposed to Dana Ruiz, Lee Chen: unexplained for 5 min: orders look odd"
    )
    assert s.tick(1000) == []
    assert "u" in s.refused(cmd.Promote(s.at, "dana")) or s.state.phase == "baking"
    s.do(cmd.RollBack(s.at, "lee", reason="as proposed"))
    assert s.state.unexplained is None and s.state.proposed is None


def test_the_proposal_comes_in_a_pause_too_and_without_words() -> None:
    s = baking()
    s.do(cmd.PauseRollout(s.at, "sam"))
    unexplained(s, "")
    (proposed,) = s.tick(301)
    assert isinstance(proposed, ev.RollbackProposed)
    assert proposed.reason == "unexplained for 5 min"


def test_declining_takes_stop_authority_and_a_reason_and_is_on_record() -> None:
    s = baking()
    assert s.refused(cmd.DeclineProposal(s.at, "dana", reason="x")) == "no rollback is proposed"
    unexplained(s)
    s.tick(300)
    assert "takes Dana Ruiz or Lee Chen" in s.refused(cmd.DeclineProposal(s.at, "sam", reason="x"))
    assert "needs a reason" in s.refused(cmd.DeclineProposal(s.at, "dana"))
    (event,) = s.do(cmd.DeclineProposal(s.at, "dana", reason="only the dashboard lags"))
    assert told(s, event) == "declined the proposed rollback: only the dashboard lags"
    assert clean(s.state)


def test_the_plan_says_how_long_something_may_stay_unexplained() -> None:
    s = Session(plan(rollback=RollbackTerms(explain_within=timedelta(minutes=1))))
    s.start()
    assert unexplained(s).within == timedelta(minutes=1)
    assert s.kinds(s.tick(60)) == ["RollbackProposed"]


def test_before_the_start_and_going_back_nothing_is_to_be_explained() -> None:
    s = Session()
    assert "hasn't started" in s.refused(cmd.ReportUnexplained(s.at, "sam"))
    s.start()
    s.finish()
    unexplained(s)
    s.do(cmd.Abort(s.at, "dana"))
    assert s.state.unexplained is None


def test_a_waiting_stage_is_not_promoted_while_something_is_unexplained() -> None:
    s = Session(plan())
    s.start()
    s.finish()
    s.tick(60)
    assert s.state.phase == "waiting"
    unexplained(s)
    assert "something is unexplained" in s.refused(cmd.Promote(s.at, "dana"))


def test_a_stage_does_not_begin_by_itself_while_something_is_unexplained() -> None:
    s = Session(auto=True)
    s.start()
    s.finish()
    s.do(cmd.ReportUnexplained(s.at, "sam"))
    s.state = replace(s.state, phase="waiting", stage=1, bake=None)
    assert s.tick(60) == []


def test_a_release_is_not_completed_while_something_is_unexplained() -> None:
    s = Session(plan(stages=plan().stages[:1], checklist=(item("report", "close"),)))
    s.start()
    s.finish()
    s.tick(60)
    unexplained(s)
    s.do(cmd.SignItem(s.at, "lee", item="report"))
    assert s.tick() == []
    held = "everything is out; what nobody has explained yet holds the close"
    assert next_line(s.state, s.at) == f"{held}: anyone may explain it"
    s.do(cmd.Explain(s.at, "sam", reason="a late batch"))
    assert s.kinds(s.tick()) == ["SessionClosed"]


# People who are called


def calling(*names: str) -> Session:
    s = baking(action="escalate", escalate_to=names)
    s.tick(5)
    events = s.verdict("breach", 3.0)
    assert s.kinds(events) == ["VerdictChanged", "ThresholdTripped"]
    return s


def test_one_of_those_called_says_that_they_are_here() -> None:
    s = calling("rollback_owner", "sam", "finance on call: +1 555 0100")
    (call,) = s.state.escalations.values()
    assert alarm.called(s.state, call) == ("lee", "sam")
    assert alarm.answers(s.state, "sam") == (call,)
    assert s.refused(cmd.AnswerEscalation(s.at, "dana")) == "Lee Chen or Sam Okoro is called, not Dana Ruiz"
    s.tick(80)
    (event,) = s.do(cmd.AnswerEscalation(s.at, "sam", reason="joining the channel"))
    assert isinstance(event, ev.EscalationAnswered)
    assert event.waited == timedelta(seconds=80)
    assert line(event, s.state.plan, lambda _: None).endswith(
        "Sam Okoro: is here for errors > 2, 1 min 20 s after the call: joining the channel"
    )
    assert not s.state.escalations
    assert s.refused(cmd.AnswerEscalation(s.at, "sam")) == "nobody is called at the moment"


def test_where_nobody_the_plan_knows_is_called_anyone_may_tell_that_they_came() -> None:
    s = calling("finance on call: +1 555 0100")
    assert "nobody is called" in s.refused(cmd.AnswerEscalation(s.at, "dana", threshold="orders < 1"))
    (event,) = s.do(cmd.AnswerEscalation(s.at, "dana", threshold="errors > 2", reason="finance joined"))
    assert isinstance(event, ev.EscalationAnswered)


# The journal's words for what is found out


def test_what_was_found_out_is_told() -> None:
    s = Session()
    read = ev.SignalRead(s.at, "orders", True, "")
    assert told(s, read) == "signal orders is read"
    assert told(s, replace(read, ok=False, detail="answered 503")) == (
        "signal orders could not be read: answered 503"
    )
    found = ev.RehearsalFound(s.at, s.at, (), timedelta(seconds=40), "")
    assert told(s, found) == "this plan was rehearsed at 2026-11-24 22:00 UTC"
    assert told(s, replace(found, unproven=("a > 1", "b > 2"))).endswith("; never fired: a > 1, b > 2")
    assert told(s, replace(found, rehearsed_at=None)) == "no rehearsal of this plan"


def test_a_limit_that_was_not_changed_is_called_by_its_id() -> None:
    assert Threshold("errors > 2", "errors", "pause", ">", 2.0).called == "errors > 2"


def test_what_is_accepted_is_only_what_is_exceeded() -> None:
    s = baking()
    assert accepting(s.state, ("errors > 2", "orders < 1"), ()) == {}


def test_before_the_start_time_alone_does_nothing() -> None:
    assert Session().tick(1000) == []
