"""Whose move it is: each kind of thing that a release can wait for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.events import Finding
from cockpit.core.moves import ANYONE, move
from cockpit.core.plan import HERE, Signal
from cockpit.core.readiness import awaited, blocking
from cockpit.core.view import next_move
from tests.core.plans import ERRORS, T0, Session, item, limit, plan
from tests.core.test_resume import take_up

TICKETS = Signal("tickets", "manual", timedelta(minutes=5), owner="sam", targets=(HERE,))
CALLS = Signal("calls", "manual", timedelta(minutes=5), targets=(HERE,))
OVER = replace(limit(), id="tickets > 2", signal="tickets")


def asking() -> Session:
    """A release whose plan asks for everything that a person can give before the start."""
    return Session(
        plan(checklist=(item("backup", "start"),), signals=(ERRORS, TICKETS, CALLS), thresholds=(OVER,))
    )


def said(s: Session, me: str, *keys: str) -> tuple[str, tuple[str, ...]]:
    found = move(s.state, s.at, tuple(Finding(key, False, f"{key} is missing") for key in keys), me)
    return found.says, found.who


@pytest.mark.parametrize(
    ("key", "says", "who"),
    [
        ("checklist:backup", "Lee Chen signs “backup is done”", ("lee",)),
        ("role:rollback_owner", "Lee Chen accepts rollback owner", ("lee",)),
        (
            "left:rollback_owner",
            "left:rollback_owner is missing: they come back, or somebody takes the role",
            (ANYONE,),
        ),
        ("signal:tickets", "Sam Okoro enters tickets", ("sam",)),
        ("limit:tickets > 2", "Sam Okoro enters tickets", ("sam",)),
        ("signal:calls", "anyone enters calls", (ANYONE,)),
    ],
)
def test_what_people_give_before_the_start_is_asked_of_them(
    key: str, says: str, who: tuple[str, ...]
) -> None:
    assert said(asking(), "dana", key) == (says, who)


def test_each_of_several_signers_is_told_of_their_own_signature() -> None:
    s = Session(plan(checklist=(item("backup", "start", approval=("decision_owner",)),)))
    both = ("lee", "dana")
    for me, says in (("dana", "you sign"), ("lee", "you sign"), ("sam", "Lee Chen signs")):
        assert said(s, me, "checklist:backup") == (f"{says} “backup is done”", both)
    assert any(f.text == "backup is done: Lee Chen and Dana Ruiz sign" for f in blocking(s.state, s.at))
    s.do(cmd.SignItem(s.at, "lee", item="backup"))
    assert said(s, "lee", "checklist:backup") == ("Dana Ruiz signs “backup is done”", ("dana",))


@pytest.mark.parametrize(
    ("signal", "me", "says", "who"),
    [
        (TICKETS, "dana", "Sam Okoro enters tickets", ("sam",)),
        (TICKETS, "sam", "you enter tickets", ("sam",)),
        (replace(TICKETS, owner=None), "dana", "anyone enters tickets", (ANYONE,)),
    ],
)
def test_a_late_number_is_asked_of_whoever_enters_it(
    signal: Signal, me: str, says: str, who: tuple[str, ...]
) -> None:
    s = Session(plan(signals=(signal,), thresholds=(replace(limit(), signal="tickets"),)))
    s.verdict("pass", 0.0)
    s.start()
    s.finish()
    s.verdict("inconclusive", detail="no data for 301 s")
    found = next_move(s.state, s.at, me=me)
    assert (found.says, found.who) == (f"{says}; until then the bake of “canary” is held", who)
    s.verdict("pass", 3.0, breaching_since=s.at)
    assert "until then" not in next_move(s.state, s.at, me=me).says


def test_what_waits_for_me_comes_first_then_what_is_wrong_then_what_is_looked_at() -> None:
    s = asking()
    assert said(s, "sam", "role:rollback_owner", "signal:tickets") == (
        "you enter tickets (and 1 more)",
        ("sam",),
    )
    says, who = said(s, "dana", "unseen:web-1", "window")
    assert says == "window is missing (and 1 more); put it right, or you start with a reason"
    assert "dana" in who
    looked_at = "unseen:web-1 is missing; nobody is needed while it is looked at"
    assert said(s, "dana", "unseen:web-1") == (looked_at, ())


def test_what_is_not_known_yet_is_nothing_wrong() -> None:
    s = asking()
    fresh = replace(s.state, probes={}, signals={}, verdicts={}, freezes=None)
    for key in ("target:web-1", "unchecked:backup", "signal:errors", "limit:tickets > 2", "calendar"):
        assert awaited(fresh, Finding(key, False, "")), key
    assert not awaited(fresh, Finding("window", False, ""))
    unreadable = replace(fresh, signals={"tickets": ev.SignalRead(T0, "tickets", False, "no file")})
    assert not awaited(unreadable, Finding("limit:tickets > 2", False, ""))


def test_once_taken_up_again_and_clean_anyone_resumes() -> None:
    s = Session()
    s.start()
    s.finish()
    take_up(s)
    found = next_move(s.state, s.at)
    assert found.says == "taken up again: look, then anyone resumes, or roll back"
    assert found.who == (ANYONE,)


def test_a_stage_that_goes_on_by_itself_is_nobodys_move() -> None:
    s = Session(auto=True)
    s.start()
    s.finish()
    s.tick(15)
    found = next_move(s.state, s.at)
    assert found.says.endswith("if signals stay clean; then “web” by itself") and found.who == ()


def test_what_everything_waits_for_and_takes_long_is_told() -> None:
    s = Session()
    s.do(cmd.ReportUsualTimes(s.at, (ev.UsualTime("switch", "run", 40.0, 12),)))
    s.start()
    s.tick(90)
    assert (
        "; switch on web-1 takes long: 1:30, usually 0:40; nobody is needed" in next_move(s.state, s.at).says
    )


def at_the_end(checked: bool = False) -> Session:
    """Everything is out; an item whose check failed holds the close where it was `checked`."""
    night = item("night", "close", check="report", expect="ok")
    s = Session(plan(checklist=(night,) if checked else ()))
    s.start()
    if checked:
        s.do(cmd.ReportCheck(s.at, "night", False, "late", "late, expected ok"))
    s.state = replace(s.state, stage=len(s.plan.stages), phase="running")
    return s


def test_before_the_close_it_is_whoever_holds_it() -> None:
    quiet = at_the_end()
    quiet.state = replace(quiet.state, attempts={})
    assert next_move(quiet.state, quiet.at).says == "everything is out; it closes by itself"
    held = at_the_end(checked=True)
    held.state = replace(held.state, attempts={})
    found = next_move(held.state, held.at)
    assert (
        found.says
        == "everything is out; before the close Lee Chen sees to “night is done”: late, expected ok"
    )
    assert found.who == ("lee",)


def test_the_last_doubt_is_settled_by_somebody_or_by_its_target() -> None:
    s = Session()
    s.start()
    s.finish(as_="in_doubt", tick=False)
    s.state = replace(s.state, stage=len(s.plan.stages), phase="running")
    found = next_move(s.state, s.at)
    assert found.says == (
        "everything else is out; switch on web-1 is in doubt: say what became of it (Dana Ruiz or Lee Chen), "
        "or wait: it is being reached again"
    )
    assert found.who == ()
    (doubt,) = [a for many in s.state.attempts.values() for a in many]
    s.do(cmd.ReportStep(s.at, doubt.id, "in_doubt", False, None, None, 0.0, "no record", settled="record"))
    found = next_move(s.state, s.at)
    assert found.says.endswith("say what became of it (Dana Ruiz or Lee Chen)") and "dana" in found.who


def test_a_limit_that_got_worse_than_what_was_shown_is_not_accepted() -> None:
    s = Session(plan(signals=(ERRORS,), thresholds=(limit(),)))
    s.verdict("pass", 1.0)
    s.start()
    s.verdict("breach", 19.0)
    seen = (ev.Reading("errors > 2", "errors", "breach", 2.4, "> 2"),)
    go_on = cmd.ResumeRollout(s.at, "dana", reason="known", accepting=("errors > 2",), shown=seen)
    assert s.refused(go_on) == "errors > 2 has got worse than what was shown: look again"


def test_going_back_too_only_what_was_shown_runs_again() -> None:
    s = Session()
    s.start()
    s.finish()
    s.do(cmd.RollBack(s.at, "lee"))
    s.tick()
    s.finish(as_="failed")
    stale = cmd.RetryTarget(
        s.at, "lee", reason="disk freed", target="web-1", attempt="canary/switch/web-1/back-9"
    )
    assert "what was shown is no longer so" in s.refused(stale)
    s.do(replace(stale, attempt=""))
