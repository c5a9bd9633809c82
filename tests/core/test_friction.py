"""Friction: what a release waited for, what took longer than agreed or usual, and what was decided against the plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.friction import Friction, Meter, measured
from cockpit.core.friction_pieces import FIRST, LAST
from cockpit.core.plan import Gate, RollbackTerms, Signal, Stage, Threshold, Window
from cockpit.core.questions import FRICTION_KINDS
from cockpit.core.readiness import blocking
from cockpit.core.state import breached, initial
from tests.core.plans import ERRORS, MIGRATE, SWITCH, T0, Session, gated, item, limit, plan, render, web
from tests.weight import examples

MINUTE = timedelta(minutes=1)
WAITS = ("person", "approval", "check", "signal", "late_entry")
LIMITED = {"signals": (ERRORS,), "thresholds": (limit(),)}
OPEN = Window(T0 - MINUTE, T0 + 300 * MINUTE, "UTC")


def friction(s: Session, until: int | None = None) -> tuple[Friction, ...]:
    """What the log, or its first records, come to."""
    records = list(enumerate(s.log, 1))
    return measured(records if until is None else records[:until], initial(s.plan, render))


def costs(s: Session) -> list[tuple[str, str, float | None]]:
    """(kind, subject, seconds), as ranked."""
    each = ((f.kind, f.subject, f.cost) for f in friction(s))
    return [(kind, subject, cost and cost.total_seconds()) for kind, subject, cost in each]


def only(s: Session, kind: str) -> Friction:
    """The one of that kind."""
    (one,) = [f for f in friction(s) if f.kind == kind]
    return one


def record(s: Session, one: Friction) -> ev.Event:
    """The record that it comes from."""
    return s.log[one.seq - 1]


def begun(**changes: object) -> Session:
    """A release that was started as soon as it could be."""
    s = Session(plan(**changes))
    if s.plan.thresholds:
        s.verdict("pass", 0.1)
    s.start()
    return s


def later(s: Session, seconds: float) -> None:
    """So much later something is on record: what goes on is counted up to there."""
    s.tick(seconds)
    s.do(cmd.AddNote(s.at, "dana", reason="still so"))


def at_gate(**changes: object) -> Session:
    """The canary is out, and the web stage waits."""
    s = begun(**{"stages": gated(), **changes})
    s.finish()
    s.tick()
    return s


# Approvals, and a go without a gate


def test_an_approval_takes_from_when_it_could_be_given_to_when_it_is() -> None:
    s = at_gate()
    s.tick(14 * 60)
    s.do(cmd.Promote(s.at, "lee"))
    s.tick(60)
    one = only(s, "approval")
    assert (one.cost, one.subject, one.told) == (14 * MINUTE, "web", "“web” waited for its approval")
    assert one.question == "Approval of “web” took 14 min: who else may approve?"
    assert isinstance(record(s, one), ev.StageFinished) and one.at == record(s, one).at
    assert costs(s) == [("approval", "web", 840)]


def test_what_holds_the_gate_counts_first_and_a_moment_counts_once() -> None:
    s = at_gate(checklist=(item("brief", "stage:web", "sam"),), **LIMITED)
    s.verdict("inconclusive", detail="no data for 20 s")
    s.tick(60)
    s.do(cmd.SignItem(s.at, "sam", item="brief"))
    s.tick(120)
    s.verdict("pass", 0.1)
    s.tick(180)
    s.do(cmd.Promote(s.at, "lee"))
    assert costs(s) == [("approval", "web", 180), ("signal", "errors > 2", 120), ("check", "brief", 60)]
    assert only(s, "check").question == (
        "“brief” held “web” for 1 min: could its sign-off be there before it is due?"
    )
    assert only(s, "signal").question == (
        "errors > 2, unread, held “web” for 2 min: what keeps its signal readable?"
    )


def test_an_item_that_is_not_healthy_says_so() -> None:
    s = at_gate(checklist=(item("backup", "stage:web", check="age", expect="< 24"),))
    s.tick(30)
    s.do(cmd.ReportCheck(s.at, "backup", True, "3", ""))
    s.do(cmd.SignItem(s.at, "lee", item="backup"))
    assert only(s, "check").told == "“backup” held “web”: its check"


def test_a_gate_that_times_out_is_an_approval_and_then_a_pause() -> None:
    s = at_gate(stages=gated(timeout=10 * MINUTE))
    s.tick()
    s.tick(600)
    s.tick(60)
    s.do(cmd.ResumeRollout(s.at, "sam"))
    assert costs(s) == [("approval", "web", 600), ("person", "anybody", 60)]
    assert only(s, "person").question == (
        "Paused since nobody decided on “web” in time, the release waited for 1 min: who else may decide?"
    )


def test_a_stage_without_a_gate_waits_for_its_go() -> None:
    s = begun()
    s.finish()
    s.tick(60)  # the bake: agreed
    s.tick(300)
    s.do(cmd.Promote(s.at, "dana"))
    one = only(s, "person")
    assert costs(s) == [("person", "decision owner", 300)]
    assert one.question == "The go for “web” took 5 min: who else may give it?"


def test_a_wait_shorter_than_anybody_could_be_is_none() -> None:
    s = at_gate()
    s.tick(4.9)
    s.do(cmd.Promote(s.at, "lee"))
    assert costs(s) == []


# Pauses


def paused_by_limit() -> Session:
    s = begun(**LIMITED)
    s.finish()
    s.at += 30 * timedelta(seconds=1)
    s.verdict("breach", 3.0, breaching_since=s.at - timedelta(seconds=20))
    return s


def test_a_pause_by_a_limit_lasts_until_somebody_decides() -> None:
    s = paused_by_limit()
    s.tick(12 * 60)
    s.do(cmd.RollBack(s.at, "lee"))
    assert costs(s) == [("person", "decision owner", 720), ("breach", "errors > 2", 20)]
    one = only(s, "person")
    assert isinstance(record(s, one), ev.RolloutPaused)
    assert one.question == "Paused by errors > 2, the release waited for 12 min: who else may decide?"


def test_accepting_a_breach_is_an_override() -> None:
    s = paused_by_limit()
    s.tick(60)
    s.do(cmd.ResumeRollout(s.at, "dana", reason="known noise", accepting=breached(s.state)))
    one = only(s, "override")
    assert (one.cost, one.subject) == (None, "errors > 2")
    assert one.question == "Went on although errors > 2 was exceeded: is the limit the right one?"


def test_a_worse_breach_than_the_accepted_one_acts_at_once() -> None:
    s = paused_by_limit()
    s.do(cmd.ResumeRollout(s.at, "dana", reason="known noise", accepting=breached(s.state)))
    s.tick(60)
    s.verdict("breach", 5.0, breaching_since=T0)
    assert isinstance(s.log[-1], ev.RolloutPaused)
    assert only(s, "breach").told == "from a breach of errors > 2 to what acted on it"  # once


def test_a_pause_by_hand_asks_what_was_missing() -> None:
    s = begun()
    s.do(cmd.PauseRollout(s.at, "sam", reason="customers call"))
    s.tick(30)
    s.do(cmd.ResumeRollout(s.at, "lee"))
    s.tick(60)
    s.do(cmd.PauseRollout(s.at, "sam"))
    later(s, 90)
    one = only(s, "person")
    assert (one.cost, one.subject, one.seq) == (2 * MINUTE, "anybody", len(s.log) - 1)
    assert one.told == "paused by hand; 2 times, the longest 1 min 30 s"
    assert one.question == "Paused by hand, the release waited for 2 min: what was missing to go on?"


def test_a_no_and_a_closed_window_pause_too_and_going_on_goes_over_them() -> None:
    s = at_gate(window=replace(OPEN, closes=T0 + 10 * MINUTE))
    s.do(cmd.RejectStage(s.at, "lee", reason="orders dip"))
    s.tick(30)
    s.do(cmd.ResumeRollout(s.at, "dana", reason="settled"))
    s.tick(600)
    s.tick(40)
    s.do(cmd.ResumeRollout(s.at, "dana", reason="nearly done"))
    s.tick(10)
    s.do(cmd.Promote(s.at, "lee", reason="agreed"))
    s.do(cmd.Promote(s.at, "dana", reason="agreed", overriding=("window",)))
    questions = {f.subject: f.question for f in friction(s) if f.kind == "override"}
    assert questions["no to web"] == "Went on after a no to “web”: was the question clear?"
    assert questions["web"].startswith("“web” was let begin although the window closed at")
    assert questions["window"] == (
        "Went on in spite of the end of the window: should the plan leave more room?"
    )
    (person,) = [f for f in friction(s) if f.subject == "decision owner"]
    assert person.told == "paused by the end of the window; 2 times, the longest 40 s"


def test_a_freeze_pauses() -> None:
    s = begun(window=OPEN)
    s.finish()
    frozen = (ev.Frozen(s.at + MINUTE, s.at + 60 * MINUTE, "sales"),)
    s.do(cmd.ReportFreezes(s.at, frozen, ""))
    s.tick(60)
    later(s, 30)
    assert only(s, "person").told == "paused by a freeze"
    s.do(cmd.ResumeRollout(s.at, "dana", reason="agreed"))
    assert only(s, "override").told == "went on in spite of a freeze"


def test_a_failed_step_waits_for_whoever_retries_it_and_what_was_in_vain_counts() -> None:
    s = begun()
    s.finish(as_="failed")
    s.tick(300)
    s.do(cmd.RetryTarget(s.at, "lee", reason="disk freed", target="web-1"))
    s.do(cmd.ResumeRollout(s.at, "lee"))
    s.tick()
    s.finish(as_="failed")
    s.tick(60)
    s.do(cmd.RetryTarget(s.at, "lee", reason="again", target="web-1"))
    assert costs(s) == [("person", "whoever retries", 360), ("retry", "switch", 4)]
    assert only(s, "retry").question == (
        "“switch” ran again on web-1; what was in vain took 4 s: what made it fail?"
    )
    assert only(s, "retry").told == "“switch” ran again on web-1; 2 times, the longest 2 s"
    assert only(s, "person").told == "“switch” failed on web-1; 2 times, the longest 5 min"


def test_after_the_trouble_the_pause_still_waits() -> None:
    s = begun()
    s.finish(as_="failed")
    s.do(cmd.ExcludeTarget(s.at, "lee", reason="in repair", target="web-1"))
    later(s, 60)
    assert only(s, "person").told == "paused by steps in trouble"
    assert only(s, "override").question == "Web-1 was left out: what would have brought it along?"


def test_a_retry_of_what_took_no_time_costs_none() -> None:
    s = begun()
    for a in s.state.running():
        s.do(cmd.ReportStep(s.at, a.id, "unreachable", False, None, None, 0.0, "refused"))
    s.tick()
    s.do(cmd.RetryTarget(s.at, "lee", reason="up again", target="web-1"))
    one = only(s, "retry")
    assert (one.cost, one.question) == (None, "“switch” ran again on web-1: what made it fail?")


def test_nobody_at_a_screen_is_a_wait_for_the_decision_owner() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",), waves=(1, "rest")),)))
    screen = s.come("dana")
    s.start()
    s.go(screen)
    s.finish()
    s.tick(60)
    s.come("dana")
    s.do(cmd.ResumeRollout(s.at, "dana"))
    assert only(s, "person").question == (
        "Paused since nobody was at a screen, the release waited for 1 min: who stays until the end?"
    )


def test_a_role_left_open_holds_what_follows() -> None:
    s = Session(plan(stages=(*gated(), Stage("more", ("switch",), ("web",)))))
    s.come("dana")
    lee = s.come("lee")
    s.start()
    s.finish()
    s.go(lee)
    s.tick(60)
    s.do(cmd.TakeRole(s.at, "dana", reason="the train", role="rollback_owner"))
    assert (
        only(s, "person").question == "With the rollback owner gone, “web” waited for 1 min: who stands in?"
    )
    one = only(s, "handover")
    assert (one.subject, one.told) == ("rollback owner", "rollback owner was taken over")
    assert one.question == (
        "The rollback owner was taken over during the release: should the plan say to whom, and when?"
    )


def test_a_role_left_open_in_a_bake_holds_only_what_follows_the_bake() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",), waves=(1, "rest"), bake_time=MINUTE),)))
    s.come("dana")
    lee = s.come("lee")
    s.start()
    s.finish()
    s.go(lee)
    later(s, 30)
    assert costs(s) == []
    later(s, 90)
    assert costs(s) == [("person", "rollback owner", 60)]


def test_a_role_that_is_handed_over_is_told_and_one_that_is_accepted_is_not() -> None:
    s = Session()
    s.do(cmd.OfferRole(s.at, "dana", role="decision_owner", to="sam"))
    s.do(cmd.AcceptRole(s.at, "sam", role="decision_owner"))
    assert [f.told for f in friction(s)] == ["decision owner was handed over"]


# The session stands still


def test_while_cockpit_does_not_run_nobody_is_waited_for() -> None:
    s = begun()
    s.finish()
    s.at += 31 * MINUTE
    s.do(cmd.ResumeSession(s.at, "lee", "lee", "laptop", "1"))
    s.tick(120)
    s.do(cmd.ResumeRollout(s.at, "lee"))
    s.tick(10)
    assert costs(s) == [("doubt", "cockpit", 1860), ("person", "anybody", 120)]
    down, taken_up = friction(s)
    assert down.question == (
        "Cockpit wasn't running for 31 min: what would have told sooner that nothing drives the release?"
    )
    assert taken_up.told == "taken up again"


def test_a_crash_ends_what_is_waited_for_at_the_last_record_before_it() -> None:
    s = at_gate()
    later(s, 60)
    s.at += 120 * MINUTE
    s.do(cmd.ResumeSession(s.at, "lee", "lee", "laptop", "1"))
    s.do(cmd.ResumeRollout(s.at, "lee"))
    s.tick(30)
    s.do(cmd.Promote(s.at, "lee"))
    assert costs(s) == [("doubt", "cockpit", 7200), ("approval", "web", 90)]


def test_a_pause_goes_on_behind_a_crash_without_the_time_between() -> None:
    s = begun()
    s.finish()
    s.do(cmd.PauseRollout(s.at, "sam"))
    later(s, 60)
    s.at += 120 * MINUTE
    s.do(cmd.ResumeSession(s.at, "lee", "lee", "laptop", "1"))
    later(s, 30)
    assert costs(s) == [("doubt", "cockpit", 7200), ("person", "anybody", 90)]


def test_nobody_was_called_or_asked_while_cockpit_did_not_run() -> None:
    s = begun(signals=(ERRORS,), thresholds=(limit("escalate", escalate_to=("lee",)),))
    s.finish(as_="in_doubt")
    s.verdict("breach", 3.0, breaching_since=s.at)
    s.do(cmd.ReportUnexplained(s.at, "sam"))
    later(s, 60)
    s.at += 120 * MINUTE
    s.do(cmd.ResumeSession(s.at, "lee", "lee", "laptop", "1"))
    s.tick(30)
    s.do(cmd.AnswerEscalation(s.at, "lee"))
    s.do(cmd.Explain(s.at, "lee", reason="a cache"))
    spent = {(f.kind, f.subject): f.cost for f in friction(s)}
    assert spent["escalation", "errors > 2"] == spent["unexplained", "what was seen"] == 1.5 * MINUTE
    assert spent["doubt", "cockpit"] == 120 * MINUTE
    assert spent["doubt", "switch"] == 121.5 * MINUTE  # what became of it nobody knew all the time


def test_a_crash_before_the_start_holds_nobody_up() -> None:
    s = Session(plan(window=OPEN, checklist=(item("backup", "start"),)))
    later(s, 60)
    s.at += 120 * MINUTE
    s.do(cmd.ResumeSession(s.at, "lee", "lee", "laptop", "1"))
    later(s, 30)
    assert costs(s) == [("check", "backup", 90)]


def test_a_session_that_was_left_stands_still() -> None:
    s = begun()
    s.do(cmd.LeaveSession(s.at, "dana", "train"))
    s.at += 10 * MINUTE
    s.do(cmd.ResumeSession(s.at, "lee", "lee", "laptop", "1"))
    assert costs(s)[0] == ("person", "driver", 600)


def test_a_session_that_was_replaced_waits_for_nothing() -> None:
    s = at_gate()
    s.do(cmd.ReportReplaced(s.at, "web-1", "held by lee"))
    later(s, 600)
    assert costs(s) == []


# Before the start


def test_before_the_start_the_open_window_is_waited_in() -> None:
    s = Session(plan(window=replace(OPEN, opens=T0 + 10 * MINUTE), checklist=(item("backup", "start"),)))
    s.tick(15 * 60)
    s.do(cmd.SignItem(s.at, "lee", item="backup"))
    assert costs(s) == [("check", "backup", 300)]
    assert only(s, "check").told == "“backup” held the start: its sign-off"


@pytest.mark.parametrize(("opened", "ready", "cost"), [(0, 5, 20), (0, 20, 5), (15, 5, 10), (15, 20, 5)])
def test_the_go_is_waited_for_once_all_is_ready_in_an_open_window(opened: int, ready: int, cost: int) -> None:
    s = Session(plan(window=replace(OPEN, opens=T0 + opened * MINUTE), checklist=(item("backup", "start"),)))
    s.tick(ready * 60)
    s.do(cmd.SignItem(s.at, "lee", item="backup"))
    s.at = T0 + 25 * MINUTE
    s.start()
    one = only(s, "person")
    assert (one.subject, one.cost) == ("the start", cost * MINUTE)
    assert one.question == f"The go for the start took {cost} min: who else may give it?"
    assert one.told == "the start waited for the decision owner's go"


def test_a_go_at_once_and_one_without_a_window_were_no_wait() -> None:
    for window, waited in ((OPEN, 4.9), (None, 3600)):
        s = Session(plan(window=window))
        s.at += timedelta(seconds=waited)
        s.start()
        assert costs(s) == []


def test_what_nobody_could_start_waited_for_no_go() -> None:
    """A target that isn't there, and one that was never looked at."""
    s = Session(plan(window=OPEN))
    s.do(cmd.ReportProbe(s.at, "web-2", False, "refused"))
    s.at += 20 * MINUTE
    s.do(cmd.ReportProbe(s.at, "web-2", True, ""))
    s.at += MINUTE
    s.start()
    assert costs(s) == [("person", "the start", 60)]
    s = Session(plan(window=OPEN))
    unseen = [e for e in s.log if not isinstance(e, ev.TargetProbed)]
    note = ev.NoteAdded(s.at + MINUTE, "sam", "still so")
    assert measured(list(enumerate([*unseen, note], 1)), initial(s.plan, render)) == ()


def test_before_the_start_signals_and_roles_hold_too() -> None:
    s = Session(plan(window=OPEN, **LIMITED))
    s.tick(60)
    s.verdict("pass", 0.1)
    assert costs(s) == [("signal", "errors > 2", 55)]  # a reading is due after its interval
    fresh = initial(s.plan, render)
    opened = [(n, e) for n, e in enumerate(s.log, 1) if not isinstance(e, ev.RoleAccepted)]
    (role,) = measured(opened, fresh)
    assert (role.kind, role.subject, role.cost) == ("person", "decision owner", MINUTE)
    assert role.question == (
        "The start waited for the decision owner for 1 min: could roles be accepted before the window opens?"
    )


def test_without_a_window_nobody_waited_before_the_start() -> None:
    s = Session(plan(checklist=(item("backup", "start"),)))
    s.tick(3600)
    s.do(cmd.Abort(s.at, "dana"))
    assert costs(s) == []
    s = Session(plan(window=OPEN, checklist=(item("backup", "start"),)))
    s.do(cmd.Abort(s.at, "dana"))
    s.at += MINUTE
    s.do(cmd.AddNote(s.at, "dana", reason="later then"))
    assert costs(s) == []


def test_a_session_taken_up_before_its_start_stood_still_for_nobody() -> None:
    s = Session(plan())
    s.at += 10 * MINUTE
    s.do(cmd.ResumeSession(s.at, "lee", "lee", "laptop", "1"))
    assert costs(s) == []


def test_what_was_taken_on_at_the_start_is_told_once() -> None:
    s = Session(plan(window=replace(OPEN, closes=T0 + MINUTE), rollback=RollbackTerms(10 * MINUTE)))
    s.start("we must")
    assert [f.subject for f in friction(s) if f.kind == "override"] == ["the start"]


def test_starting_what_is_not_ready_is_an_override() -> None:
    items = tuple(item(f"item-{n}", "start") for n in range(4))
    s = Session(plan(checklist=items))
    s.start("we must")
    one = only(s, "override")
    assert one.told == ("started although not ready: checklist item-0, checklist item-1, checklist item-2 …")
    assert one.subject == "the start"


# Signals


def test_a_bake_held_by_a_limit_counts_but_not_what_led_to_its_action() -> None:
    s = begun(**(LIMITED | {"thresholds": (limit("notify"),)}))
    s.finish()
    began = s.at
    s.verdict("pass", 3.0, breaching_since=began)
    s.tick(120)
    s.verdict("breach", 3.0, breaching_since=began)  # two minutes of `for`
    s.tick(60)
    s.verdict("pass", 0.1)
    assert costs(s) == [("breach", "errors > 2", 120), ("signal", "errors > 2", 60)]
    assert only(s, "breach").question == (
        "errors > 2 was exceeded for 2 min before anything acted: is that soon enough?"
    )
    assert isinstance(record(s, only(s, "breach")), ev.ThresholdTripped)
    assert only(s, "signal").told == "errors > 2 held the bake of “canary”"


def test_a_bake_held_by_one_limit_while_another_leads_to_its_action_counts_once() -> None:
    worse = replace(limit("rollback"), id="errors > 5", limit=5.0)
    s = Session(plan(signals=(ERRORS,), thresholds=(worse, limit("pause"))))
    s.verdict("pass", 0.1)
    s.do(cmd.ReportVerdict(s.at, "errors > 5", "pass", 0.1))
    s.start()
    s.finish()
    s.do(cmd.ReportVerdict(s.at, "errors > 5", "pass", 6.0, breaching_since=s.at))
    s.tick(30)
    began = s.at
    s.verdict("pass", 6.0, breaching_since=began)
    s.tick(60)
    s.verdict("breach", 6.0, breaching_since=began)
    assert costs(s) == [("breach", "errors > 2", 60), ("signal", "errors > 5", 30)]


def test_a_person_is_quicker_than_a_limit() -> None:
    s = begun(**LIMITED)
    s.finish()
    s.verdict("pass", 3.0, breaching_since=s.at)
    s.tick(30)
    s.do(cmd.PauseRollout(s.at, "sam"))
    one = only(s, "breach")
    assert one.cost == timedelta(seconds=30)
    assert isinstance(record(s, one), ev.RolloutPaused)


@pytest.mark.parametrize("how", ["passes", "moved", "asleep", "cut"])
def test_a_breach_that_led_to_nothing_is_none(how: str) -> None:
    s = begun(**LIMITED)
    s.finish()
    s.verdict("pass", 3.0, breaching_since=s.at)
    s.tick(30)
    match how:
        case "passes":
            s.verdict("pass", 0.1)
        case "moved":
            s.do(cmd.ChangeLimit(s.at, "dana", reason="agreed", threshold="errors > 2", limit=4.0))
        case "asleep":
            s.do(cmd.ReportSleep(s.at, MINUTE))
        case _:
            s.do(cmd.ResumeSession(s.at, "lee", "lee", "laptop", "1"))
    s.do(cmd.RollBack(s.at, "lee"))
    assert [f for f in friction(s) if f.kind == "breach"] == []


def test_what_is_only_watched_acts_on_nothing() -> None:
    s = begun(signals=(ERRORS,), thresholds=(limit(observe_only=True),))
    s.verdict("breach", 3.0, breaching_since=s.at)
    s.tick(60)
    s.do(cmd.RollBack(s.at, "lee"))
    assert [f for f in friction(s) if f.kind == "breach"] == []


def test_what_else_is_waited_for_during_a_breach_counts_all_the_same() -> None:
    s = at_gate(checklist=(item("brief", "stage:web", "sam"),), **LIMITED)
    s.verdict("pass", 3.0, breaching_since=s.at)
    s.tick(60)
    s.verdict("breach", 3.0, breaching_since=s.at - MINUTE)
    assert costs(s) == [("breach", "errors > 2", 60), ("check", "brief", 60)]


def test_the_time_of_a_breach_counts_from_the_start_on() -> None:
    s = Session(plan(**LIMITED))
    s.verdict("pass", 3.0, breaching_since=s.at)
    s.at += MINUTE
    s.start()
    s.verdict("inconclusive", 3.0, breaching_since=T0)
    s.verdict("pass", 0.1)
    s.verdict("pass", 3.0, breaching_since=T0)
    s.tick(30)
    s.verdict("breach", 3.0, breaching_since=T0)
    assert only(s, "breach").cost == timedelta(seconds=30)


def test_a_limit_s_own_action_says_nothing_of_the_others_that_are_on_their_way() -> None:
    worse = replace(limit("rollback"), id="errors > 9", limit=9.0)
    s = Session(plan(signals=(ERRORS,), thresholds=(limit(), worse)))
    s.verdict("pass", 0.1)
    s.do(cmd.ReportVerdict(s.at, "errors > 9", "pass", 0.1))
    s.start()
    s.do(cmd.ReportVerdict(s.at, "errors > 9", "pass", 10.0, breaching_since=s.at))
    s.verdict("pass", 10.0, breaching_since=s.at)
    s.tick(20)
    s.verdict("breach", 10.0, breaching_since=s.at - timedelta(seconds=20))
    assert [(f.kind, f.subject) for f in friction(s)] == [("breach", "errors > 2")]
    s.tick(40)
    s.do(cmd.ReportVerdict(s.at, "errors > 9", "breach", 10.0, breaching_since=s.at - MINUTE))
    assert ("breach", "errors > 9", 60) in costs(s)


def test_a_breach_is_told_however_short() -> None:
    s = begun(**LIMITED)
    s.verdict("breach", 3.0, breaching_since=s.at - timedelta(seconds=3))
    assert costs(s) == []  # before the start nothing was exceeded
    s = begun(**LIMITED)
    s.at += timedelta(seconds=3)
    s.verdict("breach", 3.0, breaching_since=s.at - timedelta(seconds=3))
    assert costs(s) == [("breach", "errors > 2", 3)]


def test_a_limit_that_was_moved_is_asked_about() -> None:
    s = begun(**LIMITED)
    s.do(cmd.ChangeLimit(s.at, "dana", reason="agreed", threshold="errors > 2", limit=3.0, for_=2 * MINUTE))
    one = only(s, "limit")
    assert (one.cost, one.told) == (None, "errors > 2 was > 2, became > 3 for 2 min")
    assert one.question == "errors > 2 was changed on the way: what should the plan say next time?"


TICKETS = Signal("tickets", "manual", 10 * MINUTE, owner="sam")
OPEN_TICKETS = Threshold("tickets >= 5", "tickets", "pause", ">=", 5.0)


def tickets() -> Session:
    s = Session(plan(signals=(TICKETS,), thresholds=(OPEN_TICKETS,)))
    s.do(cmd.EnterReading(s.at, "sam", signal="tickets", value=1))
    s.do(cmd.ReportVerdict(s.at, "tickets >= 5", "pass", 1.0))
    s.start()
    return s


def test_a_late_number_counts_where_it_holds_something() -> None:
    s = tickets()
    s.finish()
    s.at += 10 * MINUTE
    s.do(cmd.ReportVerdict(s.at, "tickets >= 5", "inconclusive", None, detail="no data for 600 s"))
    s.tick(240)
    s.do(cmd.EnterReading(s.at, "sam", signal="tickets", value=1))
    s.do(cmd.ReportVerdict(s.at, "tickets >= 5", "pass", 1.0))
    one = only(s, "late_entry")
    assert (one.cost, one.subject) == (4 * MINUTE, "tickets")
    assert one.question == (
        "“tickets” was late and held the bake of “canary” for 4 min: who else may enter it, or what could read it?"
    )


def test_a_number_is_late_from_the_start_on() -> None:
    s = Session(plan(signals=(TICKETS,)))
    s.do(cmd.EnterReading(s.at, "sam", signal="tickets", value=1))
    s.at += 15 * MINUTE
    s.do(cmd.EnterReading(s.at, "sam", signal="tickets", value=1))  # nobody waited for it yet
    s.at += 15 * MINUTE
    s.start("agreed")
    s.at += 2 * MINUTE
    s.do(cmd.EnterReading(s.at, "sam", signal="tickets", value=1))
    assert only(s, "late_entry").told == "“tickets” came late by 2 min"


def test_a_late_number_that_held_nothing_is_told_and_an_early_one_is_not() -> None:
    s = tickets()
    for minutes in (5, 12):
        s.at += minutes * MINUTE
        s.do(cmd.EnterReading(s.at, "sam", signal="tickets", value=1))
    one = only(s, "late_entry")
    assert (one.cost, one.told) == (None, "“tickets” came late by 2 min")
    assert one.question == "“tickets” came late: who else may enter it, or what could read it?"


# Doubt, the unexplained, calls


def test_a_doubt_lasts_until_the_target_tells_and_is_no_wait_beside() -> None:
    s = begun()
    s.finish(as_="in_doubt")
    s.tick(40)  # out of patience: the rollout pauses
    s.tick(50)
    (a,) = s.state.unsettled()
    s.do(cmd.ReportStep(s.at, a.id, "succeeded", True, 0, 0, 2.0, "", settled="record"))
    s.tick(7)
    s.do(cmd.ResumeRollout(s.at, "lee"))
    assert costs(s) == [("doubt", "switch", 90), ("person", "anybody", 7)]
    assert only(s, "doubt").question == (
        "“switch” was in doubt on web-1 for 1 min 30 s: what would have told sooner what became of it?"
    )


@pytest.mark.parametrize("how", ["found", "said", "again", "closed"])
def test_a_doubt_ends_with_whatever_settles_it(how: str) -> None:
    s = begun()
    s.finish(as_="in_doubt")
    s.at += MINUTE
    (a,) = s.state.unsettled()
    match how:
        case "found":
            s.do(cmd.ReportFound(s.at, a.id))
        case "said":
            s.do(cmd.ResolveDoubt(s.at, "lee", reason="looked", attempt=a.id, finish="failed"))
        case "again":
            asked = cmd.ReportStep(s.at, a.id, "in_doubt", False, None, None, 2.0, "gone", settled="record")
            s.do(asked)
            s.do(cmd.RetryTarget(s.at, "lee", reason="looked", target="web-1"))
        case _:
            s.do(cmd.Abort(s.at, "lee"))
            s.tick()
            s.tick(31)
            assert s.state.closed is not None
            s.at += 60 * MINUTE
            s.do(cmd.AddNote(s.at, "lee", reason="later"))
    doubt = only(s, "doubt").cost
    assert doubt == (MINUTE if how != "closed" else timedelta(seconds=91))


def test_a_doubt_of_this_moment_is_none_yet() -> None:
    s = begun()
    s.finish(as_="in_doubt")
    later(s, 3)
    assert costs(s) == []
    later(s, 2)
    assert costs(s) == [("doubt", "switch", 5)]


def test_doubts_side_by_side_cost_their_time_once() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",)),)))
    s.start()
    s.finish("web-1", as_="in_doubt")
    s.at += timedelta(seconds=10)
    s.finish("web-2", as_="in_doubt", tick=False)
    s.at += timedelta(seconds=20)
    for a in s.state.unsettled():
        s.do(cmd.ReportFound(s.at, a.id))
    one = only(s, "doubt")
    assert (one.cost, one.told) == (
        timedelta(seconds=30),
        "“switch” was in doubt on web-1; 2 times, the longest 30 s",
    )


def test_what_ran_when_the_session_was_cut_is_in_doubt() -> None:
    s = begun()
    s.at += MINUTE
    s.do(cmd.ResumeSession(s.at, "lee", "lee", "laptop", "1"))
    later(s, 120)
    assert costs(s) == [("doubt", "switch", 120), ("doubt", "cockpit", 60)]


def test_an_outcome_of_no_known_attempt_is_passed_over() -> None:
    s = begun()
    s.finish(as_="in_doubt", tick=False)
    without = [e for e in s.log if not isinstance(e, ev.StepIntended)]
    assert measured(list(enumerate(without, 1)), initial(s.plan, render)) == ()
    s = begun()
    s.finish(tick=False)
    without = [e for e in s.log if not isinstance(e, ev.StepIntended)]
    assert measured(list(enumerate(without, 1)), initial(s.plan, render)) == ()


def test_the_unexplained_counts_until_it_is_explained() -> None:
    s = at_gate()
    s.do(cmd.ReportUnexplained(s.at, "sam", reason="orders dip"))
    s.tick(90)
    s.do(cmd.Explain(s.at, "lee", reason="a cache"))
    later(s, 10)
    assert costs(s) == [("unexplained", "what was seen", 90), ("approval", "web", 10)]
    assert only(s, "unexplained").told == "unexplained: orders dip"


def test_going_on_without_an_explanation_is_an_override() -> None:
    s = at_gate()
    s.do(cmd.ReportUnexplained(s.at, "sam"))
    s.tick(301)
    s.do(cmd.DeclineProposal(s.at, "lee", reason="it is a display fault"))
    assert only(s, "unexplained").told == "unexplained"
    assert only(s, "override").told == "went on although a rollback was proposed"


def test_a_call_lasts_until_somebody_answers() -> None:
    s = begun(signals=(ERRORS,), thresholds=(limit("escalate", escalate_to=("lee",)),))
    s.verdict("breach", 3.0, breaching_since=s.at)
    later(s, 240)
    assert only(s, "escalation").cost == 4 * MINUTE  # so far
    s.do(cmd.AnswerEscalation(s.at, "lee"))
    s.tick(60)
    one = only(s, "escalation")
    assert (one.cost, one.subject) == (4 * MINUTE, "errors > 2")
    assert one.question == "The call of errors > 2 went without an answer for 4 min: who else is called?"


def test_what_is_answered_at_once_is_none() -> None:
    s = begun(signals=(ERRORS,), thresholds=(limit("escalate", escalate_to=("lee",)),))
    s.verdict("breach", 3.0, breaching_since=s.at)
    s.do(cmd.AnswerEscalation(s.at, "lee"))
    assert [f for f in friction(s) if f.kind == "escalation"] == []


# Steps, and the way back


def test_a_step_over_its_usual_time_is_slow_by_what_is_more() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",)),)))
    s.do(cmd.ReportUsualTimes(s.at, (ev.UsualTime("switch", "run", 20.0, 9),)))
    s.start()
    for a, seconds in zip(s.state.running(), (29.9, 31.0, 48.0), strict=True):
        s.do(cmd.ReportStep(s.at, a.id, "succeeded", True, 0, 0, seconds, ""))
    one = only(s, "slow_step")
    assert (one.cost, one.subject) == (timedelta(seconds=28), "switch")
    assert one.told == "“switch” took 48 s on web-3, usual are 20 s; 2 times, the longest 28 s"
    assert one.question == "“switch” took longer than its usual 20 s on web-3, by 28 s: what was different?"
    assert record(s, one).attempt == "web/switch/web-3/run-1"  # type: ignore[attr-defined]


def test_a_quick_step_may_take_five_seconds_more_and_a_failed_one_is_not_slow() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",)),)))
    s.do(cmd.ReportUsualTimes(s.at, (ev.UsualTime("switch", "run", 1.0, 9),)))
    s.start()
    one, two, three = s.state.running()
    s.do(cmd.ReportStep(s.at, one.id, "succeeded", True, 0, 0, 6.0, ""))
    s.do(cmd.ReportStep(s.at, two.id, "failed", False, 1, None, 60.0, ""))
    s.do(cmd.ReportStep(s.at, three.id, "succeeded", True, 0, 0, 6.1, ""))
    assert only(s, "slow_step").told == "“switch” took 6.1 s on web-3, usual are 1 s"  # and no other


def going_back(expected: timedelta | None = MINUTE) -> Session:
    s = begun(rollback=RollbackTerms(expected))
    s.finish()
    s.do(cmd.RollBack(s.at, "lee"))
    s.tick()
    return s


def test_a_rollback_beyond_the_agreed_time_costs_what_is_more() -> None:
    s = going_back()
    s.do(cmd.ReportUsualTimes(s.at, (ev.UsualTime("switch", "back", 10.0, 9),)))
    s.at += 3 * MINUTE
    assert costs(s) == []  # nothing was recorded since
    s.tick()
    (a,) = s.state.running()
    s.do(cmd.ReportStep(s.at, a.id, "succeeded", True, 0, 0, 180.0, ""))
    s.tick()
    assert s.state.closed is not None
    assert costs(s) == [("slow_step", "rollback of switch", 170), ("rollback", "the way back", 120)]
    assert (
        only(s, "rollback").question == "Going back took longer than agreed, by 2 min: what slowed it down?"
    )
    assert only(s, "rollback").told == "going back took 3 min, agreed were 1 min"
    assert isinstance(record(s, only(s, "rollback")), ev.RollbackStarted)


@pytest.mark.parametrize("expected", [None, 4 * MINUTE])
def test_a_rollback_within_its_time_or_without_one_is_none(expected: timedelta | None) -> None:
    s = going_back(expected)
    s.at += 3 * MINUTE
    s.finish()
    assert [f for f in friction(s) if f.kind == "rollback"] == []


def test_a_rollback_that_goes_on_is_measured_so_far() -> None:
    s = going_back()
    s.at += 3 * MINUTE
    s.do(cmd.AddNote(s.at, "lee", reason="slow"))
    assert costs(s) == [("rollback", "the way back", 120)]


def test_a_rollback_is_measured_up_to_its_end_and_no_further() -> None:
    s = going_back()
    s.at += 3 * MINUTE
    s.finish(as_="failed")
    later(s, 600)
    assert ("rollback", "the way back", 120) in costs(s)
    s = going_back()
    s.at += 3 * MINUTE
    s.do(cmd.Abort(s.at, "lee"))
    s.finish()
    assert s.state.closed is not None
    later(s, 600)
    assert costs(s) == [("rollback", "the way back", 120)]


def test_a_partial_rollback_waits_and_asks_for_its_proof_until_it_has_one() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",), bake_time=MINUTE),)))
    s.start()
    s.finish()
    s.do(cmd.RollBack(s.at, "lee"))
    s.tick()
    s.finish("web-1", "web-2", as_="failed", tick=False)
    s.finish()
    s.tick(60)
    rollback = only(s, "rollback")
    assert (rollback.cost, rollback.subject) == (None, "web-1")
    assert rollback.question == "web-1 and 1 more weren't proven to be back: what would prove it?"
    s.do(cmd.RetryTarget(s.at, "lee", reason="again", target="web-1"))
    s.do(cmd.RetryTarget(s.at, "lee", reason="again", target="web-2"))
    s.tick()
    s.finish()
    assert costs(s) == [("person", "whoever may roll back", 60), ("retry", "rollback of switch", 2)]
    assert only(s, "person").told == "the rollback stayed partial"
    assert only(s, "retry").told.startswith("the rollback of “switch” ran again on web-1")


def test_one_target_that_is_not_proven() -> None:
    s = going_back(None)
    s.finish(as_="failed")
    assert only(s, "rollback").told.startswith("not proven to be back: web-1: rollback of switch failed")


def test_a_rollback_without_its_beginning_is_passed_over() -> None:
    s = going_back()
    s.finish(as_="failed")
    without = [e for e in s.log if not isinstance(e, ev.RollbackStarted)]
    (one,) = measured(list(enumerate(without, 1)), initial(s.plan, render))
    assert (one.kind, one.cost) == ("rollback", None)


def test_a_rollback_taken_up_again_waits_for_its_people() -> None:
    s = going_back(None)
    s.do(cmd.ResumeSession(s.at, "lee", "lee", "laptop", "1"))
    later(s, 60)
    assert [f.told for f in friction(s) if f.kind == "person"] == [
        "taken up again in the middle of a rollback"
    ]


# The close


def test_before_the_close_its_items_hold() -> None:
    s = begun(stages=gated()[:1], checklist=(item("report", "close", "sam"),))
    s.finish()
    s.tick()
    s.tick(60)
    s.do(cmd.SignItem(s.at, "sam", item="report"))
    s.tick()
    assert s.state.closed is not None
    s.at += 60 * MINUTE
    s.do(cmd.AddNote(s.at, "sam", reason="it went well"))
    assert costs(s) == [("check", "report", 60)]


def test_a_doubt_at_the_end_is_no_wait_beside() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",), max_failed=1),)))
    s.start()
    s.finish("web-1", as_="in_doubt", tick=False)
    s.finish()
    s.tick(60)
    assert [f.kind for f in friction(s)] == ["doubt"]


# All together


def test_nothing_comes_of_nothing() -> None:
    assert measured([], initial(plan(), render)) == ()
    assert Meter(initial(plan(), render)).friction() == ()


def test_ranked_by_cost_and_what_costs_nothing_by_kind() -> None:
    s = at_gate(**LIMITED)
    s.do(cmd.OfferRole(s.at, "dana", role="decision_owner", to="sam"))
    s.do(cmd.AcceptRole(s.at, "sam", role="decision_owner"))
    s.do(cmd.ChangeLimit(s.at, "sam", reason="agreed", threshold="errors > 2", limit=4.0))
    s.do(cmd.ExcludeTarget(s.at, "lee", reason="in repair", target="web-2"))
    s.verdict("pass", 0.1)
    later(s, 30)
    assert [f.kind for f in friction(s)] == ["approval", "limit", "override", "handover"]


def test_a_clock_that_is_set_back_takes_no_time_away() -> None:
    """What went on between two records counts; how far it was set back can't be told, and costs nothing."""
    s = at_gate()
    later(s, 60)
    s.at -= 60 * MINUTE
    s.do(cmd.AddNote(s.at, "sam", reason="the clock was an hour ahead"))
    later(s, 40 * 60)
    s.do(cmd.PauseRollout(s.at, "sam"))
    later(s, 60)
    assert costs(s) == [("approval", "web", 41 * 60), ("person", "anybody", 60)]


def test_what_the_clock_says_counts_as_it_is_set_then() -> None:
    """Behind a clock set back: a window that opens, a breach, a number that is late, a slow step, one in vain."""
    s = Session(plan(window=replace(OPEN, opens=T0 + 10 * MINUTE)))
    s.do(cmd.ReportProbe(s.at, "web-1", False, ""))
    s.at += 90 * MINUTE
    s.do(cmd.AddNote(s.at, "sam", reason="it is earlier than that"))
    s.at = T0
    s.do(cmd.ReportProbe(s.at, "web-1", True, ""))
    s.at += 12 * MINUTE
    s.start()
    assert costs(s) == [("person", "the start", 120)]
    s = begun(**LIMITED)
    s.at -= 60 * MINUTE
    s.verdict("breach", 3.0, breaching_since=s.at)
    assert costs(s) == []
    s = begun(**LIMITED)
    s.at -= 60 * MINUTE
    s.verdict("pass", 0.1)
    s.at += MINUTE
    s.verdict("breach", 3.0, breaching_since=s.at - timedelta(seconds=20))
    assert costs(s) == [("breach", "errors > 2", 20)]
    s = tickets()
    s.at -= 60 * MINUTE
    s.do(cmd.EnterReading(s.at, "sam", signal="tickets", value=1))
    s.at += 12 * MINUTE
    s.do(cmd.EnterReading(s.at, "sam", signal="tickets", value=1))
    assert only(s, "late_entry").told == "“tickets” came late by 2 min"


def test_no_clock_goes_beyond_the_calendar() -> None:
    s = at_gate(window=OPEN)
    for moment in (LAST, FIRST, LAST, FIRST, T0):
        s.do(cmd.AddNote(s.at, "sam", reason="the clock is broken"))
        s.log[-1] = replace(s.log[-1], at=moment)
    later(s, 60)
    assert only(s, "approval").cost == LAST - T0


def test_no_person_is_named_in_a_question() -> None:
    s = at_gate(**LIMITED)
    s.tick(60)
    s.do(cmd.RejectStage(s.at, "lee", reason="not yet"))
    s.tick(60)
    s.do(cmd.ResumeRollout(s.at, "dana", reason="settled"))
    s.do(cmd.OfferRole(s.at, "dana", role="decision_owner", to="sam"))
    s.do(cmd.AcceptRole(s.at, "sam", role="decision_owner"))
    every = friction(s)
    assert len(every) > 3
    for f in every:
        assert not any(name in f.question + f.told for name in ("Dana", "Lee", "Sam", "dana", "lee", "sam"))
        assert f.question.endswith("?") and f.told


# Any log

PLANS: tuple[Callable[[], Session], ...] = (
    lambda: Session(
        plan(
            targets=web(3),
            steps=(SWITCH, MIGRATE),
            stages=(
                Stage("canary", ("switch",), ("web-1",), bake_time=MINUTE),
                Stage(
                    "web",
                    ("switch",),
                    ("web",),
                    (1, "rest"),
                    bake_time=MINUTE,
                    gate=Gate(("rollback_owner",)),
                ),
            ),
            checklist=(item("brief", "stage:web", "sam"), item("report", "close", "sam")),
            window=replace(OPEN, closes=T0 + 90 * MINUTE),
            rollback=RollbackTerms(MINUTE),
            **LIMITED,
        )
    ),
    lambda: Session(plan(**LIMITED), auto=True),
)


def _moves(s: Session) -> tuple[Callable[[], object], ...]:
    """What may happen next, refused or not."""
    at = s.at
    return (
        lambda: s.finish(),
        lambda: s.finish(),
        lambda: s.finish(as_="failed"),
        lambda: s.finish(as_="in_doubt"),
        lambda: s.verdict("pass", 0.1),
        lambda: s.verdict("pass", 0.1),
        lambda: s.verdict("breach", 3.0, breaching_since=at - MINUTE),
        lambda: s.verdict("pass", 3.0, breaching_since=at),
        lambda: s.verdict("inconclusive"),
        lambda: s.ask(cmd.StartRelease(at, "dana", reason="go", overriding=_seen(s))),
        lambda: s.ask(cmd.PauseRollout(at, "sam")),
        lambda: s.ask(cmd.ResumeRollout(at, "dana", reason="go", accepting=breached(s.state))),
        lambda: [s.ask(cmd.Promote(at, by, reason="go", overriding=("window",))) for by in ("lee", "dana")],
        lambda: s.ask(cmd.RejectStage(at, "lee", reason="no")),
        lambda: s.ask(cmd.SignItem(at, "sam", item="brief")),
        lambda: s.ask(cmd.SignItem(at, "sam", item="report")),
        lambda: s.ask(cmd.RetryTarget(at, "lee", reason="again", target="web-1")),
        lambda: s.ask(cmd.ReportUnexplained(at, "sam")),
        lambda: s.ask(cmd.Explain(at, "sam", reason="a cache")),
        lambda: s.ask(cmd.ResumeSession(at, "lee", "lee", "laptop", "1")),
        lambda: s.ask(cmd.RollBack(at, "lee")),
    )


def _seen(s: Session) -> tuple[str, ...]:
    return tuple(f.key for f in blocking(s.state, s.at))


@settings(max_examples=examples(40))
@given(
    st.sampled_from(PLANS),
    st.lists(st.tuples(st.integers(0, 20), st.sampled_from([0, 3, 20, 70, -40])), min_size=8, max_size=40),
    st.floats(0, 1),
)
def test_no_part_of_any_log_costs_less_than_nothing_or_more_time_than_there_was(
    make: Callable[[], Session], moves: list[tuple[int, int]], part: float
) -> None:
    s = make()
    s.verdict("pass", 0.1)
    for move, seconds in moves:
        s.at += timedelta(seconds=seconds)
        if s.state.closed is None:
            _moves(s)[move]()
            s.tick()
    prefix = s.log[: round(part * len(s.log))]
    found = measured(list(enumerate(prefix, 1)), initial(s.plan, render))
    assert all(f.cost is None or f.cost > timedelta(0) for f in found)
    assert all(f.kind in FRICTION_KINDS and 1 <= f.seq <= len(prefix) for f in found)
    waited = sum((f.cost for f in found if f.kind in WAITS and f.cost), timedelta(0))
    steps = [max(e.at - before.at, timedelta(0)) for before, e in pairwise(prefix)]
    assert waited <= sum(steps, timedelta(0))
