"""What is said to have gone smoothly is true, and what didn't is not said."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cockpit.core import events as e
from cockpit.core.friction import Friction
from cockpit.export import model as m
from cockpit.export.review import review
from cockpit.export.smooth import MOST, smooth
from cockpit.store.digest import Digest
from tests.export.long_story import plan, records, told
from tests.export.story import HEAD, START
from tests.export.story import plan as short_plan
from tests.export.story import records as short_records

LONG = told(6)
RECORDS = records(plan(6))
BACK = m.RollbackReview(
    START,
    START + timedelta(minutes=2),
    "Lee Chen",
    "",
    None,
    timedelta(minutes=6),
    timedelta(minutes=2),
    ("web-1",),
    (),
    (m.RollbackTarget("web-1", True, "", ()),),
)
LIMIT = LONG.trips[0]
CALL = e.ThresholdTripped(START, "errors > 2", "escalate", 2.4, "> 2", None, ("lee",), "")


def said(made: m.Review, *more: e.Event) -> str:
    return " ".join(smooth(made, (*RECORDS, *enumerate(more, 1000)), Digest()))


def calm(**fields: Any) -> m.Review:
    """The long story as a release that nothing interrupted, with some fields of its own."""
    quiet = replace(
        LONG, trips=(), verdicts=(), spans=tuple(s for s in LONG.spans if s.kind != "pause"), gaps=()
    )
    stages = tuple(replace(s, actual_bake=s.planned_bake * len(s.actual_waves)) for s in quiet.stages)
    sure = tuple(replace(a, n=1, was_in_doubt=False) for a in quiet.attempts)
    return replace(replace(quiet, stages=stages, attempts=sure), **fields)


def changed(many: tuple[Any, ...], **fields: Any) -> tuple[Any, ...]:
    return (replace(many[0], **fields), *many[1:])


def test_stages_that_nothing_interrupted_are_named() -> None:
    assert "Stages schema, canary, web west, flag 10% and everybody finished without a pause." in said(LONG)
    assert "All 6 stages finished without a pause." in said(calm())
    unfinished = changed(LONG.stages, finished_at=None)
    assert "Stages canary, web west" in said(replace(LONG, stages=unfinished))


def test_a_bake_that_began_anew_is_no_smooth_stage() -> None:
    (web,) = (s for s in calm().stages if s.name == "web west")
    longer = replace(web, actual_bake=web.planned_bake * 2 + timedelta(minutes=1))
    stages = tuple(longer if s.name == web.name else s for s in calm().stages)
    assert "Stages schema, canary, web east, flag 10% and everybody" in said(calm(stages=stages))
    assert said(calm(stages=(web,))).startswith(
        "The one stage finished without a pause, baked in the time planned."
    )
    assert said(calm(stages=(longer, web))).startswith("Stage web west finished without a pause, baked")


def test_attempts_are_praised_only_where_all_succeeded_at_once() -> None:
    praise = f"Each of the {len(calm().attempts)} attempts succeeded the first time, each with its verify."
    assert praise in said(calm())
    for spoilt in ({"finish": "failed"}, {"n": 2}, {"was_in_doubt": True}):
        assert "succeeded the first time" not in said(calm(attempts=changed(calm().attempts, **spoilt)))
    assert "succeeded the first time." in said(calm(attempts=changed(calm().attempts, proven=False)))
    assert "The one attempt succeeded the first time, with its verify." in said(
        calm(attempts=calm().attempts[:1])
    )
    assert "attempt" not in said(calm(attempts=()))


def test_limits_are_praised_only_where_none_was_beyond() -> None:
    passing = tuple(
        replace(v, verdict="pass", breaching_since=None, threshold=limit)
        for v in LONG.verdicts
        for limit in ("a", "b")
    )

    def told(verdicts: tuple[m.VerdictChange, ...], **also: Any) -> str:
        return said(calm(verdicts=verdicts, **{"near": (), **also}))

    assert "No reading was beyond a limit." in told(passing)
    assert "No reading was beyond the limit." in told(passing[:1])
    assert "beyond" not in told(passing, near=LONG.near), "one reading beyond it makes no verdict"
    assert "beyond" not in told(passing, curves=()), "no reading is kept"
    assert "beyond" not in told((*passing, replace(passing[0], threshold="c", verdict="error")))
    assert "beyond" not in told(changed(passing, breaching_since=START))
    assert "beyond" not in told(changed(passing, verdict="breach"))
    assert "beyond" not in told(passing, trips=(LIMIT,))
    assert "beyond" not in told(())


def test_a_rollback_is_praised_where_it_was_proven_in_time() -> None:
    praise = "The rollback was proven on the one touched target after 2 min; 6 min had been agreed."
    assert praise in said(calm(rollback=BACK))
    assert "after 2 min." in said(calm(rollback=replace(BACK, expected=None)))
    for spoilt in ({"expected": timedelta(minutes=1)}, {"measured": None}, {"targets": ()}):
        assert "rollback" not in said(calm(rollback=replace(BACK, **spoilt)))
    unproven = (*BACK.targets, m.RollbackTarget("web-2", False, "failed", ()))
    assert "rollback" not in said(calm(rollback=replace(BACK, targets=unproven)))


def test_targets_are_praised_where_all_run_the_version() -> None:
    praise = "Each of the 6 targets runs 8.4.0, verified."
    assert praise in said(calm())
    assert praise not in said(calm(targets=changed(LONG.targets, proven=False)))
    assert praise not in said(calm(targets=changed(LONG.targets, result="excluded")))
    assert "runs" not in said(calm(targets=()))
    assert "runs" not in said(calm(outcome=replace(LONG.outcome, state="aborted")))


def test_gates_are_praised_where_each_was_decided_within_a_minute() -> None:
    brief = tuple(replace(s, until=s.since + timedelta(seconds=50)) for s in calm().spans)
    ends = [(s.stage, s.until) for s in brief if s.kind == "gate" and s.until]
    promoted = [e.StagePromoted(at, stage, "dana", "", "", ()) for stage, at in ends]
    rejected = [e.StageRejected(at, stage, "dana", "", "", ()) for stage, at in ends]
    for decided in (promoted, rejected):
        assert "Each of the 2 gates was decided within a minute." in said(calm(spans=brief), *decided)
    assert "gate" not in said(calm(spans=brief), *promoted[:1]), "one ended without anybody's word"
    assert "gate" not in said(calm(), *promoted)
    assert "gate" not in said(calm(spans=(*brief, replace(brief[-1], kind="gate", until=None))), *promoted)


def test_calls_are_praised_where_each_was_answered_soon() -> None:
    came = e.EscalationAnswered(START, "errors > 2", "lee", "", timedelta(seconds=41), "")
    bare = calm(stages=(), attempts=(), targets=(), signoffs=(), curves=())
    assert "Whoever a limit called was there within 41 s." in said(bare, CALL, came)
    assert "called" not in said(bare, CALL)
    assert "called" not in said(bare, CALL, came, CALL)
    assert "called" not in said(bare, CALL, replace(came, waited=timedelta(minutes=2)))


def test_overrides_checks_sign_offs_readings_and_notices() -> None:
    bare = calm(stages=(), attempts=(), targets=())
    override = m.Override(1, START, "Ines Krause", "", (), ("errors > 2",))
    assert "Nothing had to be overridden." in said(bare)
    assert "overridden" not in said(replace(bare, overrides=(override,)))

    left_out = Friction("override", 1, START, None, "web-2", "web-2 was left out", "Why?")
    assert "overridden" not in said(replace(bare, friction=(left_out,)))

    good, bad = (e.ItemChecked(START, "backup", ok, "", "") for ok in (True, False))
    assert "The one check of the checklist that ran was healthy each time." in said(bare, good)
    assert "check" not in said(replace(bare, signoffs=()), good, bad)

    assert "The one sign-off came from its person's own account or key." in said(bare)
    for spoilt in ({"level": "typed"}, {"signed_at": None}, {"void": "it was too old"}):
        assert "sign-off" not in said(replace(bare, signoffs=changed(bare.signoffs, **spoilt)))

    assert "Every signal was read throughout, without a gap." in said(bare)
    assert "read throughout" not in said(replace(bare, gaps=LONG.gaps))
    assert "read throughout" not in said(replace(bare, curves=()))
    for unread in (Digest(fault="the disk is broken"), Digest(untold=1)):
        assert "read throughout" not in " ".join(smooth(bare, RECORDS, unread))

    notice = m.Notice(1, START, "pause", "mail", True, "")
    assert "The one notice was sent." in said(replace(bare, notices=(notice,)))
    assert "notice" not in said(replace(bare, notices=(notice, replace(notice, ok=False))))


def test_a_bake_that_was_never_served_is_not_praised() -> None:
    for baked in (None, timedelta(seconds=1)):
        stages = tuple(replace(s, actual_bake=baked) for s in calm().stages if s.planned_bake)
        assert "without a pause" not in said(calm(stages=stages))


def test_nothing_is_praised_of_a_log_that_is_not_whole() -> None:
    made = plan(6)
    (closed,) = (i for i, (_, event) in enumerate(RECORDS) if isinstance(event, e.SessionClosed))
    assert review(RECORDS, made, HEAD).smooth
    assert review(RECORDS[:closed], made, HEAD).smooth == ()
    assert review(RECORDS, made, HEAD, missing=("Record 3 is not sound.",)).smooth == ()
    for odd in (
        e.StepFinished(RECORDS[closed][1].at, "x", "failed", False, 1, None, 1.0, "", 0, "", ""),
        e.NoteAdded(RECORDS[closed][1].at - timedelta(hours=9), "ruth", "by another clock"),
    ):
        told = [*RECORDS[:closed], (0, odd), *RECORDS[closed:]]
        assert review([(n, event) for n, (_, event) in enumerate(told, 1)], made, HEAD).smooth == ()


def test_never_more_than_seven_and_none_without_a_start() -> None:
    passing = tuple(replace(v, verdict="pass", breaching_since=None) for v in LONG.verdicts)
    brief = tuple(replace(s, until=s.since + timedelta(seconds=50)) for s in calm().spans)
    assert len(smooth(calm(rollback=BACK, verdicts=passing, spans=brief), RECORDS, Digest())) == MOST
    assert smooth(calm(session=replace(LONG.session, started_at=None)), RECORDS, Digest()) == ()


@pytest.mark.parametrize("length", [1, 3, 12, 20, 28, 45, 59])
def test_the_story_is_praised_for_what_it_shows_so_far(length: int) -> None:
    made = review(short_records()[:length], short_plan(), HEAD)
    assert "first time" not in " ".join(made.smooth) or length < 9
    assert "Nothing had to be overridden." not in made.smooth
