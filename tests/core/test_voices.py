"""Whose word counts where: accounts, screens, numbers that people enter, and how the journal tells it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core import people
from cockpit.core.attendance import known_as, speaks
from cockpit.core.commands import Refused
from cockpit.core.journal import author, line, say
from cockpit.core.plan import Person, Plan, Roles, Signal, Stage
from tests.core.plans import ERRORS, T0, Session, item, plan

TICKETS = Signal("tickets", "manual", timedelta(minutes=5), owner="support_liaison", targets=("here",))


# Whose word it is

PEOPLE = (
    Person("dana", "Dana Ruiz", os_user="druiz"),
    Person("lee", "Lee Chen"),
    Person("sam", "Sam Okoro"),
    Person("kim", "Kim Park", os_user="kpark"),
)
MIXED = plan(people=PEOPLE)


def seat(person: str, os_user: str, may_act: bool = True, own: bool = False) -> ev.ScreenAttached:
    return ev.ScreenAttached(T0, "x-1", person, os_user, "screen", may_act, own)


@pytest.mark.parametrize(
    ("os_user", "own", "said", "known"),
    [
        ("druiz", False, "", "dana"),
        ("druiz", False, "dana", "dana"),
        ("lee", False, "", "lee"),  # without an account in the plan, their id is one
        ("root", True, "", ""),
        ("root", False, "", ""),
        ("root", True, "sam", "sam"),
        ("druiz", True, "lee", "lee"),
    ],
)
def test_the_account_says_who_somebody_is(os_user: str, own: bool, said: str, known: str) -> None:
    assert known_as(MIXED, os_user, own, said) == known


@pytest.mark.parametrize(
    ("os_user", "own", "said", "why"),
    [
        ("root", True, "pat", "the plan names no 'pat': there are dana, lee, sam, kim"),
        ("root", True, "kim", "Kim Park has an account of their own, kpark, and attaches from there"),
        ("druiz", True, "kim", "Kim Park has an account of their own, kpark, and attaches from there"),
        (
            "druiz",
            False,
            "lee",
            "you are druiz, whom the plan knows as Dana Ruiz: nobody else attaches from there",
        ),
        (
            "mallory",
            False,
            "lee",
            "you are mallory, whom the plan knows as nobody: nobody else attaches from there",
        ),
    ],
)
def test_nobody_passes_for_somebody_else(os_user: str, own: bool, said: str, why: str) -> None:
    assert known_as(MIXED, os_user, own, said) == Refused(why)


def test_an_account_that_could_be_two_people_is_nobody_s() -> None:
    twice = replace(MIXED, people=(*PEOPLE, Person("druiz", "Another Ruiz")))
    assert people.person_of(twice, "druiz") == ""
    assert people.person_of(MIXED, "dana") == ""  # she has an account, and it isn't this one


@pytest.mark.parametrize(
    ("at", "by", "why"),
    [
        (seat("dana", "druiz"), "dana", ""),
        (seat("sam", "root", own=True), "sam", ""),
        (seat("sam", "root", own=True), "lee", ""),
        (
            seat("", "mallory"),
            "",
            "you are mallory, whom the plan doesn't know: you may watch, and nothing else",
        ),
        (
            seat("", "mallory"),
            "dana",
            "you are mallory, whom the plan doesn't know: you may watch, and nothing else",
        ),
        (seat("dana", "druiz", may_act=False), "dana", "this screen only watches: nothing is decided here"),
        (
            seat("sam", "root", own=True),
            "dana",
            "Dana Ruiz decides that from their own account: `cockpit attach` there",
        ),
        (
            seat("dana", "druiz"),
            "kim",
            "Kim Park decides that from their own account: `cockpit attach` there",
        ),
        (
            seat("dana", "druiz"),
            "lee",
            "Lee Chen decides that from a screen of their own: `cockpit attach` there",
        ),
    ],
)
def test_whose_word_is_entered_where(at: ev.ScreenAttached, by: str, why: str) -> None:
    refused = speaks(MIXED, at, by)
    assert (refused.reason if refused else "") == why


# Numbers that people read


def reading(by: str = "sam", signal: str = "tickets", value: float = 3.0, **more: str) -> cmd.EnterReading:
    return cmd.EnterReading(T0, by, signal=signal, value=value, **more)


def watched(**changes: object) -> Session:
    signal = replace(TICKETS, **changes)
    return Session(plan(signals=(ERRORS, signal), roles=Roles("dana", "lee", support_liaison="sam")))


def test_a_number_is_entered_by_its_owner() -> None:
    s = watched()
    (entered,) = s.do(reading(via="dana", reason=" the queue at 10:00 "))
    assert entered == ev.SignalEntered(T0, "tickets", 3.0, "sam", "dana", "the queue at 10:00")
    s.come("lee")
    s.do(cmd.TakeRole(s.at, "lee", reason="no answer", role="support_liaison"))
    s.do(reading("lee"))
    assert s.refused(reading()) == "entering tickets takes Lee Chen, not Sam Okoro"


def test_a_number_that_nobody_owns_is_entered_by_anyone_the_plan_names() -> None:
    s = watched(owner=None)
    s.do(reading("lee"))
    assert s.refused(reading("pat")) == "pat isn't in the plan's [people]"


NO_SIGNAL = "{} is no signal of this plan that a person enters: {}"


@pytest.mark.parametrize(
    ("ask", "why"),
    [
        (reading(signal="errors"), NO_SIGNAL.format("errors", "there are tickets")),
        (reading(signal="sales"), NO_SIGNAL.format("sales", "there are tickets")),
        (reading(value=float("nan")), "nan is no number that a limit could be held against"),
        (reading(value=float("-inf")), "-inf is no number that a limit could be held against"),
        (reading("lee"), "entering tickets takes Sam Okoro, not Lee Chen"),
    ],
)
def test_a_number_that_means_nothing_is_refused(ask: cmd.EnterReading, why: str) -> None:
    assert watched().refused(ask) == why


def test_a_plan_without_such_a_signal_says_so() -> None:
    assert Session().refused(reading()) == NO_SIGNAL.format("tickets", "it has none")


def test_numbers_are_entered_before_the_start_and_not_after_the_end() -> None:
    s = watched()
    s.do(reading())
    s.do(cmd.Abort(s.at, "dana"))
    s.tick()
    assert s.refused(reading()) == "the session is closed"


# From which account

Ask = Callable[[Session], cmd.HumanCommand]

DECISIONS: list[tuple[Ask, str]] = [
    (lambda s: cmd.StartRelease(s.at, "dana", os_user="root"), "ReleaseStarted"),
    (lambda s: cmd.PauseRollout(s.at, "sam", os_user="root"), "RolloutPaused"),
    (lambda s: cmd.ResumeRollout(s.at, "sam", os_user="root"), "RolloutResumed"),
    (lambda s: cmd.TakeRole(s.at, "lee", reason="x", role="metrics_watcher", os_user="root"), "RoleTaken"),
    (lambda s: cmd.EnterReading(s.at, "lee", signal="tickets", value=1.0, os_user="root"), "SignalEntered"),
    (lambda s: cmd.SignItem(s.at, "lee", item="report", os_user="root"), "ChecklistSigned"),
    (lambda s: cmd.ExcludeTarget(s.at, "lee", reason="x", target="web-3", os_user="root"), "TargetExcluded"),
    (lambda s: cmd.AddNote(s.at, "kim", via="sam", reason="x", os_user="root"), "NoteAdded"),
    (lambda s: cmd.RollBack(s.at, "lee", os_user="root"), "RollbackStarted"),
]


def test_every_decision_keeps_the_account_it_came_from_and_nothing_else_does() -> None:
    s = Session(
        plan(
            signals=(replace(TICKETS, owner=None),),
            checklist=(item("report", "close"),),
            people=(*plan().people, Person("kim", "Kim Park")),
        )
    )
    s.come("lee")
    for ask, kind in DECISIONS:
        (event,) = s.do(ask(s))
        assert isinstance(event, ev.Decision)
        assert (type(event).__name__, event.os_user) == (kind, "root")
        s.tick()
    said = (e for e in s.log if isinstance(e, ev.Decision) and not isinstance(e, ev.RoleAccepted))
    accounts = {(type(e).__name__, e.os_user) for e in said}
    by_itself = {(kind, account) for kind, account in accounts if not account}
    assert by_itself == {("StagePromoted", "")}  # the start promotes the first stage
    assert {e.os_user for e in s.log if isinstance(e, ev.ScreenAttached)} == {"lee"}


def test_what_follows_from_a_decision_has_no_account() -> None:
    s = Session()
    start = cmd.StartRelease(s.at, "dana", os_user="druiz")
    events = s.do(start) + s.tick()
    assert [e.os_user for e in events if isinstance(e, ev.Decision)] == ["druiz", ""]


def test_a_decision_without_an_account_has_none() -> None:
    s = Session()
    (event,) = s.do(cmd.AddNote(s.at, "dana", reason="x"))
    assert isinstance(event, ev.Decision)
    assert event.os_user == ""


def test_who_closes_a_partial_rollback_is_kept() -> None:
    s = Session(plan(stages=(Stage("web", ("switch",), ("web-1",)),)))
    s.start()
    s.do(cmd.RollBack(s.at, "lee"))
    s.finish()
    s.finish(as_="failed")
    (closed,) = s.do(cmd.CloseSession(s.at, "lee", via="dana", reason="rebuilt by hand", os_user="druiz"))
    assert isinstance(closed, ev.SessionClosed)
    assert (closed.by, closed.via, closed.reason, closed.os_user) == (
        "lee",
        "dana",
        "rebuilt by hand",
        "druiz",
    )
    said = "session closed: rolled back (rebuilt by hand), partial: web-1: rollback of switch failed"
    assert say(closed, s.plan, s.state.find) == said


# In words


def words(event: ev.Event, p: Plan = MIXED) -> str:
    return line(event, p, lambda _: None).removeprefix("22:00:00  ")


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (seat("dana", "druiz"), "Dana Ruiz is here (x-1)"),
        (seat("lee", "lee"), "Lee Chen is here (x-1)"),
        (seat("lee", "root", own=True), "Lee Chen (account root) is here (x-1)"),
        (seat("dana", "druiz", may_act=False), "Dana Ruiz is here, only watching (x-1)"),
        (
            seat("", "mallory", may_act=False),
            "mallory, whom the plan doesn't know, is here, only watching (x-1)",
        ),
        (replace(seat("dana", "druiz"), kind="headless"), "Dana Ruiz runs it headless (x-1)"),
        (replace(seat("kim", "kpark", may_act=False), kind="watch"), "Kim Park follows it (x-1)"),
        (ev.ScreenDetached(T0, "x-1", "left"), "screen x-1 is gone: left"),
        (ev.LeftAlone(T0), "nobody is here to see what follows: nothing expands"),
        (
            ev.RoleTaken(T0, "decision_owner", "dana", "lee", "asleep", ()),
            "Lee Chen: took over as decision owner from Dana Ruiz, who isn't here: asleep",
        ),
        (
            ev.SignalEntered(T0, "tickets", 3.0, "sam", "lee", "queue"),
            "Sam Okoro (at Lee Chen's screen): entered tickets: 3 open: queue",
        ),
    ],
)
def test_the_journal_tells_who_came_and_what_they_took(event: ev.Event, said: str) -> None:
    assert words(event, replace(MIXED, signals=(replace(TICKETS, unit="open"),))) == said


@pytest.mark.parametrize(
    ("by", "via", "account", "said"),
    [
        ("dana", "", "", "Dana Ruiz"),
        ("dana", "", "druiz", "Dana Ruiz"),
        ("dana", "", "root", "Dana Ruiz (account root)"),
        ("lee", "", "lee", "Lee Chen"),
        ("lee", "dana", "druiz", "Lee Chen (at Dana Ruiz's screen)"),
        ("lee", "sam", "root", "Lee Chen (at Sam Okoro's screen) (account root)"),
    ],
)
def test_an_account_is_told_where_it_does_not_speak_for_itself(
    by: str, via: str, account: str, said: str
) -> None:
    assert author(ev.RolloutPaused(T0, by, via, "", None, (), os_user=account), MIXED) == said
