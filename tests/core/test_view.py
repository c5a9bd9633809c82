"""The words on screen: where we are, whose move it is, how we get back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.core import commands as cmd
from cockpit.core.estimate import back_out
from cockpit.core.plan import Gate, RollbackTerms, Stage, Window
from cockpit.core.spans import about, clock
from cockpit.core.view import exit_code, next_line, next_move, partial, status
from tests.core.plans import ERRORS, MIGRATE, SWITCH, T0, Session, gated, item, limit, plan


def line(s: Session) -> str:
    return next_line(s.state, s.at)


def now(s: Session) -> str:
    return status(s.state, s.at)


def test_the_words_of_a_good_release() -> None:
    s = Session(plan(checklist=(item("backup", "start"), item("brief", "start"))))
    assert (now(s), line(s)) == ("not_ready", "Lee Chen signs “backup is done” (and 1 more)")
    s.do(cmd.SignItem(s.at, "lee", item="backup"))
    s.do(cmd.SignItem(s.at, "lee", item="brief"))
    assert (now(s), line(s)) == ("ready", "Dana Ruiz starts the release")
    assert exit_code(s.state) == 130
    s.start()
    assert (now(s), line(s)) == ("running", "“canary”: 0 of 1 done; nobody is needed")
    assert s.state.bake is None
    s.finish()
    s.tick(15)
    assert now(s) == "baking"
    wait = "the bake of “canary” ends in 0:45 if signals stay clean; then Dana Ruiz decides on “web”"
    assert line(s) == wait
    assert s.state.bake is not None and s.state.bake.left(s.at) == timedelta(seconds=45)
    s.tick(45)
    assert (now(s), line(s)) == ("waiting", "Dana Ruiz decides on “web”")
    s.do(cmd.Promote(s.at, "dana"))
    s.tick()
    assert line(s) == "“web”, wave 1 of 2: 0 of 1 done, ~10 s to go; nobody is needed"
    s.do(cmd.PauseRollout(s.at, "sam", reason="a look"))
    assert (now(s), line(s)) == ("paused", "paused by Sam Okoro: a look; anyone may resume")
    s.do(cmd.ResumeRollout(s.at, "sam"))
    s.do(cmd.PauseRollout(s.at, "lee"))
    assert line(s) == "paused by Lee Chen; anyone may resume"
    s.do(cmd.ResumeRollout(s.at, "sam"))
    s.finish()
    s.finish()
    assert (now(s), line(s)) == ("completed", "completed: checkout 7 is out")
    assert exit_code(s.state) == 0


def test_what_nobody_can_explain_is_said_until_somebody_answers_for_it() -> None:
    s = Session(plan())
    s.start()
    s.do(cmd.ReportUnexplained(s.at, "sam", reason="odd totals"))
    assert line(s).endswith(
        "0 of 1 done; nothing expands: what is seen is unexplained, anyone may explain it"
    )
    s.finish()
    s.tick()
    assert line(s) == "what nobody has explained yet holds the bake of “canary”: anyone may explain it"
    s.tick(300)
    proposed = "Dana Ruiz or Lee Chen rolls back, or says why not: unexplained for 5 min: odd totals"
    assert line(s) == proposed
    s.do(cmd.PauseRollout(s.at, "sam"))
    assert line(s) == proposed
    s.do(cmd.DeclineProposal(s.at, "lee", reason="seen before"))
    assert line(s) == "paused by Sam Okoro; anyone may resume"


def test_bakes_between_waves_and_before_the_close() -> None:
    stage = Stage("web", ("switch",), ("web",), waves=(1, "rest"), bake_time=timedelta(seconds=5))
    s = Session(plan(stages=(stage,), signals=(ERRORS,), thresholds=(limit(),)))
    s.verdict("pass", 0.0)
    s.start()
    s.finish()
    assert line(s).endswith("then wave 2 of “web” by itself")
    s.verdict("pass", 3.0, breaching_since=s.at)
    assert (
        line(s) == "errors > 2: over the limit holds the bake of “web”; it goes on by itself once that passes"
    )
    s.verdict("pass", 0.0)
    s.tick(5)
    s.finish()
    assert line(s).endswith("then the close")


def test_what_holds_a_stage_is_said_with_its_owner() -> None:
    items = (item("drill", "stage:web"), item("brief", "stage:web", "sam"))
    watched = replace(limit(), id="watched", observe_only=True)
    s = Session(plan(stages=gated(), signals=(ERRORS,), thresholds=(watched, limit()), checklist=items))
    s.start("no readings yet")
    s.verdict("inconclusive", detail="no data for 20 s")
    s.finish()
    assert line(s).startswith("errors > 2: no data for 20 s holds the bake of “canary”; it goes on by itself")
    s.verdict("pass", 0.0)
    s.tick()
    signs = "Lee Chen signs “drill is done” (and 1 more); then Lee Chen decides on “web”"
    assert line(s) == signs
    s.do(cmd.SignItem(s.at, "lee", item="drill"))
    s.do(cmd.SignItem(s.at, "sam", item="brief"))
    assert line(s) == "Lee Chen decides on “web”: Orders fine?"
    s.verdict("error")
    assert line(s) == "errors > 2: error holds “web”; it goes on by itself once that passes"
    s.do(cmd.ResumeSession(s.at, "dana", "d", "m", "1"))
    assert line(s) == "taken up again: look, then Dana Ruiz resumes with a reason, or roll back"
    assert "Dana Ruiz" in s.refused(cmd.ResumeRollout(s.at, "lee", reason="looked"))
    assert "needs a reason" in s.refused(cmd.ResumeRollout(s.at, "dana"))
    s.do(cmd.ResumeRollout(s.at, "dana", reason="looked at the dashboard"))
    assert line(s).startswith("errors > 2: no reading yet holds “web”; it goes on by itself")


def test_every_pause_says_what_would_end_it() -> None:
    s = Session(plan(signals=(ERRORS,), thresholds=(limit(),)))
    s.verdict("pass", 0.0)
    s.start()
    s.verdict("breach", 3.0)
    which = "errors > 2 is exceeded"
    assert line(s) == f"Dana Ruiz decides: roll back, keep waiting, or accept it: {which}"
    for me, may in (
        ("dana", "you decide: roll back, keep waiting, or accept it"),
        ("lee", "roll back, keep waiting, or Dana Ruiz accepts it"),
    ):
        move = next_move(s.state, s.at, me=me)
        assert (move.says, move.brief) == (f"{may}: {which}", may)
    s.verdict("pass", 0.0)
    assert line(s) == "paused: errors > 2: 3; anyone may resume"
    s.finish(as_="failed")
    trouble = "web-1 failed in canary: 1 in trouble, 0 tolerated"
    assert line(s) == f"{trouble}: retry, exclude, or roll back (Dana Ruiz or Lee Chen)"
    s = Session(
        plan(stages=(Stage("web", ("switch",), ("web",), gate=Gate(("dana",), "", timedelta(seconds=9))),))
    )
    s.start()
    s.tick(9)
    assert line(s) == (
        "nobody decided on web in time: anyone resumes, then Dana Ruiz decides; or Dana Ruiz or Lee Chen rolls back"
    )
    s = Session(plan(window=Window(T0, T0 + timedelta(hours=1), "UTC")))
    s.start()
    s.tick(3600)
    assert line(s) == "the window is over: roll back, or Dana Ruiz resumes with a reason"


def test_doubt_is_said_plainly() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",), max_failed=3),)))
    s.start()
    s.finish("web-1", as_="in_doubt")
    assert line(s) == "“web”: 0 of 3 done; nobody is needed"
    s.finish()
    assert line(s) == "“web”: 2 of 3 done; nobody is needed"
    s.tick(31)
    assert line(s) == "web-1 in doubt: it may or may not have run; reaching it again, nobody is needed yet"
    report = cmd.ReportStep(
        s.at, "web/switch/web-1/run-1", "in_doubt", False, None, None, 0.0, "", settled="record"
    )
    s.do(report)
    assert line(s) == (
        "web-1 in doubt: it may or may not have run: say what became of it, exclude it, or roll back "
        "(Dana Ruiz or Lee Chen)"
    )


def test_a_close_item_is_whose_move() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",)),), checklist=(item("report", "close"),)))
    s.start()
    s.finish()
    assert (now(s), line(s)) == (
        "waiting",
        "everything is out; before the close Lee Chen signs “report is done”",
    )


def test_the_words_of_going_back() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web",)),)))
    s.start()
    s.finish("web-2", "web-3")
    s.do(cmd.RollBack(s.at, "lee"))
    s.tick()
    assert now(s) == "rolling_back"
    assert line(s) == "rolling back, last wave first: proven 0 of 3; nobody is needed"
    for target in ("web-2", "web-3"):
        back = next(a for a in s.state.running() if a.target == target)
        s.do(cmd.ReportStep(s.at, back.id, "succeeded", True, 0, 0, 1.0, ""))
    assert line(s) == "rolling back: waits for web-1: switch is still running there; it goes on by itself"
    s.finish("web-1")
    s.finish("web-1", as_="failed")
    unproven = "partial: web-1: rollback of switch failed"
    assert line(s) == f"{unproven}; retry it, or close as it is (Dana Ruiz or Lee Chen)"
    assert partial(s.state) == ("web-1: rollback of switch failed",)
    s.do(cmd.CloseSession(s.at, "lee"))
    assert line(s) == "partly rolled back; 1 unresolved: web-1: rollback of switch failed"
    assert partial(s.state) == ("web-1: rollback of switch failed",)
    assert exit_code(s.state) == 4


def test_a_proven_rollback_and_an_abort_end_in_their_own_words() -> None:
    s = Session()
    s.start()
    s.do(cmd.RollBack(s.at, "lee"))
    s.finish()
    s.finish()
    assert line(s) == "rolled back: 6 proven on every touched target"
    assert exit_code(s.state) == 3
    s = Session()
    s.start()
    s.do(cmd.Abort(s.at, "lee"))
    assert now(s) == "aborted"
    assert line(s) == "aborted: waiting for 1 running step to stop; nobody is needed"
    s.finish(as_="failed")
    assert line(s) == "aborted: left as it was"
    assert exit_code(s.state) == 1
    assert partial(Session().state) == ()


def test_how_to_get_back_and_how_long_it_would_take() -> None:
    terms = RollbackTerms(timedelta(minutes=6))
    stages = (Stage("schema", ("migrate",), ("web-1",)), Stage("web", ("switch",), ("web",), max_parallel=2))
    s = Session(plan(steps=(SWITCH, MIGRATE), stages=stages, rollback=terms), auto=True)
    assert back_out(s.state, s.at).targets == 0
    assert back_out(s.state, s.at).expected == timedelta(0)
    s.start()
    estimate = back_out(s.state, s.at)
    assert (estimate.targets, estimate.expected, estimate.source) == (1, timedelta(minutes=6), "agreed")
    s.finish()
    s.finish("web-1", "web-2")
    measured = back_out(s.state, s.at)
    assert (measured.targets, measured.expected, measured.source) == (3, timedelta(seconds=4), "measured")


@pytest.mark.parametrize(
    ("seconds", "text", "rough"),
    [(7, "0:07", "~7 s"), (750, "12:30", "~13 min"), (6480, "1:48:00", "~2 h"), (-61, "-1:01", "~1 s")],
)
def test_spans_are_read_at_a_glance(seconds: int, text: str, rough: str) -> None:
    assert clock(timedelta(seconds=seconds)) == text
    assert about(timedelta(seconds=seconds)) == rough
