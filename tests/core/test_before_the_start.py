"""What is found before the start: targets' clocks, names and versions, freezes, shifts, and the window's time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core import examined, window
from cockpit.core.journal import say
from cockpit.core.plan import Freeze, RollbackTerms, Signal, Stage, Step, Window
from cockpit.core.readiness import awaited, blocking, findings, pending
from cockpit.core.secret import is_reference, references
from tests.core.plans import APP, FLAG, MIGRATE, PEOPLE, SWITCH, T0, Session, plan

WINDOW = Window(T0 - timedelta(hours=1), T0 + timedelta(hours=2), "America/New_York")


def texts(s: Session) -> list[str]:
    return [f.text for f in blocking(s.state, s.at)]


def doubts(s: Session) -> list[str]:
    return [f.text for f in findings(s.state, s.at) if f.doubtful]


def test_a_target_that_was_reached_is_looked_at_before_the_start() -> None:
    s = Session()
    s.state = replace(s.state, examined={})
    assert texts(s) == [f"{t.id}: not looked at yet" for t in s.plan.targets]
    assert pending(s.state)
    s.do(cmd.ReportProbe(s.at, "web-3", False, "refused"))
    assert texts(s) == ["web-3: refused", "web-1: not looked at yet", "web-2: not looked at yet"]
    s.do(cmd.ReportProbe(s.at, "web-3", True, ""))
    for target in s.plan.targets:
        s.examined(target.id)
    assert texts(s) == []
    assert "web-1: 6 runs there" in [f.text for f in findings(s.state, s.at)]


def test_clocks_may_be_half_a_minute_off() -> None:
    s = Session()
    (ahead,) = s.examined("web-1", 31)
    s.examined("web-2", -95)
    (unread,) = s.examined("web-3", clock_ahead=None)
    assert texts(s) == [
        "web-1: its clock is 31 s ahead, 30 s at most",
        "web-2: its clock is 1 min 35 s behind, 30 s at most",
        "web-3: its clock can't be read",
    ]
    assert say(ahead, s.plan, s.state.find) == (
        "web-1: its clock is 31 s ahead; switch finds the previous version"
    )
    assert say(unread, s.plan, s.state.find).startswith("web-3: its clock can't be read")
    assert s.examined("web-1", 33) == []  # a little more is no news
    assert s.kinds(s.examined("web-1", 0)) == ["TargetExamined"]
    (behind,) = s.examined("web-1", -7)
    assert "its clock is 7 s behind" in say(behind, s.plan, s.state.find)
    assert s.kinds(s.examined("web-3", 0)) == ["TargetExamined"]


def test_two_names_for_one_machine_are_told() -> None:
    s = Session()
    s.examined("web-1", key="SHA256:one")
    s.examined("web-2", key="SHA256:two")
    s.examined("web-3", key="SHA256:one")
    assert doubts(s) == ["web-1 and web-3 have one host key: two names for one machine?"]
    assert texts(s) == []


def test_the_previous_version_is_found_or_not() -> None:
    s = Session()
    wrong = ev.Version("switch", False, "`check 6` exits 1")
    (found,) = s.examined("web-1", versions=(ev.Version("warm", True, ""), wrong))
    s.examined("web-2", versions=())
    assert texts(s) == ["web-1: 6 not found there: switch: `check 6` exits 1"]
    assert doubts(s) == ["web-2: no step can tell whether 6 runs there (`previous` or `verify_rollback`)"]
    assert "switch doesn't find the previous version: `check 6` exits 1" in say(found, s.plan, s.state.find)


def test_the_steps_that_can_tell() -> None:
    asked = Step("asked", "x", previous="cat VERSION")
    stages = (
        Stage("canary", ("switch", "migrate"), ("web-1",)),
        Stage("web", ("switch", "asked", "flag"), ("web",)),
    )
    p = plan(steps=(SWITCH, MIGRATE, FLAG, asked), stages=stages)
    canary, web = stages
    assert examined.probes(p, "web-1") == ((canary, SWITCH), (web, asked))
    assert examined.probes(p, "web-2") == ((web, SWITCH), (web, asked))


# The calendar of freezes


def test_a_calendar_that_is_not_read_holds_the_start() -> None:
    s = Session(plan(window=replace(WINDOW, freeze_calendar="freezes.ics")))
    assert texts(s) == ["freezes of freezes.ics: not read yet"]
    assert pending(s.state)
    (torn,) = s.do(cmd.ReportFreezes(s.at, (), "no such file"))
    assert texts(s) == ["freezes of freezes.ics: no such file"]
    assert say(torn, s.plan, s.state.find) == "the calendar of freezes can't be read: no such file"
    assert s.do(cmd.ReportFreezes(s.at, (), "no such file")) == []
    (none,) = s.do(cmd.ReportFreezes(s.at, (), ""))
    assert say(none, s.plan, s.state.find) == "the calendar names no freezes around the window"
    assert texts(s) == []
    sale = ev.Frozen(T0 - timedelta(hours=1), T0 + timedelta(minutes=30), "night sale")
    (one,) = s.do(cmd.ReportFreezes(s.at, (sale,), ""))
    assert say(one, s.plan, s.state.find) == "the calendar names 1 freeze around the window"
    assert texts(s) == ["frozen until 2026-11-24 17:30: night sale"]
    assert len(s.do(cmd.ReportFreezes(s.at, (), "no such file"))) == 1
    assert s.do(cmd.ReportFreezes(s.at, (), "no such file")) == []  # told once, and what was known holds
    assert texts(s)[1] == "frozen until 2026-11-24 17:30: night sale"


def test_a_freeze_that_begins_pauses_once_unless_it_was_taken_on_at_the_start() -> None:
    p = plan(window=replace(WINDOW, freeze_calendar="freezes.ics"))
    sale = ev.Frozen(T0 + timedelta(minutes=5), T0 + timedelta(minutes=30), "sale")
    s = Session(p)
    s.do(cmd.ReportFreezes(s.at, (sale,), ""))
    s.start()
    s.finish()
    (paused,) = s.tick(300)
    assert say(paused, s.plan, s.state.find) == "frozen until 2026-11-24 17:30: sale"
    s.do(cmd.ResumeRollout(s.at, "dana", reason="sale moved"))
    assert s.kinds(s.tick(60)) == ["BakeFinished", "StageFinished"]
    s = Session(p)
    s.do(cmd.ReportFreezes(s.at, (replace(sale, since=T0),), ""))
    s.start("sale moved")
    assert s.running() == ["web-1"]


# What Ansible says of the plan's playbooks


def test_a_playbook_that_cannot_run_holds_the_start_and_each_reason_is_taken_on_by_itself() -> None:
    s = Session(plan(steps=(SWITCH, APP)))
    assert texts(s) == []
    s.state = s.state.but(playbooks=None)
    assert texts(s) == ["playbooks: Ansible hasn't been asked about them yet"]
    assert pending(s.state)
    (asked,) = blocking(s.state, s.at)
    assert awaited(s.state, asked)
    (torn,) = s.do(cmd.ReportPlaybooks(s.at, ("app.yml: no such role", "web-2: unknown")))
    assert say(torn, s.plan, s.state.find) == (
        "Ansible can't run the plan's playbooks: app.yml: no such role; web-2: unknown"
    )
    assert texts(s) == ["playbooks: app.yml: no such role", "playbooks: web-2: unknown"]
    assert len({f.key for f in blocking(s.state, s.at)}) == 2 and not pending(s.state)
    assert s.do(cmd.ReportPlaybooks(s.at, ("app.yml: no such role", "web-2: unknown"))) == []
    (fine,) = s.do(cmd.ReportPlaybooks(s.at, ()))
    assert say(fine, s.plan, s.state.find) == "Ansible can run the plan's playbooks"
    assert texts(s) == []


# Secrets that commands need


def test_a_secret_that_cannot_be_had_holds_the_start_and_each_is_taken_on_by_itself() -> None:
    own = Stage("web", ("switch",), ("web",), vars=MappingProxyType({"pin": "cmd:pin", "percent": "25"}))
    orders = Signal("orders", "sql", timedelta(seconds=5), options={"password": "file:/p"})
    p = replace(plan(stages=(own,), signals=(orders,)), secrets={"token": "env:SHOP"})
    assert references(p) == {"token": "env:SHOP", "pin of web": "cmd:pin", "password of orders": "file:/p"}
    s = Session(p)
    s.state = s.state.but(secrets=None)
    assert texts(s) == ["secrets: not looked up yet"]
    assert pending(s.state)
    (asked,) = blocking(s.state, s.at)
    assert awaited(s.state, asked)
    problems = ("token: the environment has no SHOP", "pin of web: the command failed")
    (torn,) = s.do(cmd.ReportSecrets(s.at, problems))
    assert say(torn, s.plan, s.state.find) == f"secrets can't be looked up: {'; '.join(problems)}"
    assert texts(s) == [f"secret {problem}" for problem in problems]
    assert len({f.key for f in blocking(s.state, s.at)}) == 2 and not pending(s.state)
    assert s.do(cmd.ReportSecrets(s.at, problems)) == []
    (fine,) = s.do(cmd.ReportSecrets(s.at, ()))
    assert say(fine, s.plan, s.state.find) == "every secret can be looked up"
    assert texts(s) == []
    assert [f.text for f in findings(s.state, s.at) if f.key == "secrets"] == [
        "secrets: each of 3 can be looked up"
    ]
    assert Session(plan()).state.secrets is None


@pytest.mark.parametrize(
    ("value", "is_one"),
    [("env:X", True), ("cmd:a b", True), ("env: x", False), ("file:", False), ("", False)],
)
def test_what_points_at_a_secret(value: str, is_one: bool) -> None:
    assert is_reference(value) is is_one


# Shifts, zones, and how much is left


def test_staff_and_shifts_against_the_window() -> None:
    until = T0 + timedelta(minutes=5)
    people = (
        replace(PEOPLE[0], on_shift_until=T0 + timedelta(hours=9)),
        replace(PEOPLE[1], on_shift_until=until),
    )
    slow = (Stage("canary", ("switch",), ("web-1",), bake_time=timedelta(minutes=10)),)
    s = Session(plan(window=replace(WINDOW, min_staff=3), people=(*people, PEOPLE[2]), stages=slow))
    assert texts(s) == ["staff: 2 on shift until the window closes, 3 agreed"]
    assert doubts(s) == [
        "Lee Chen, rollback owner, is on shift until 17:05, before the last bake could end: plan the handover"
    ]
    (leaves,) = window.leaving_early(s.state, s.at)
    assert leaves == window.Leaves("lee", ("rollback_owner",), until)
    assert window.staff(plan(), T0) == ("dana", "lee", "sam")


def test_what_is_still_to_bake() -> None:
    stages = (
        Stage("canary", ("switch",), ("web-1",), bake_time=timedelta(seconds=60)),
        Stage("web", ("switch",), ("web",), waves=(1, "rest"), bake_time=timedelta(seconds=100)),
    )
    s = Session(plan(window=WINDOW, stages=stages, rollback=RollbackTerms(timedelta(minutes=6))))
    assert window.ahead(s.state, s.at) == timedelta(seconds=260)
    s.start()
    assert window.ahead(s.state, s.at) == timedelta(seconds=260)
    s.finish()
    s.tick(20)
    assert window.ahead(s.state, s.at) == timedelta(seconds=240)
    s.tick(40)
    safe = window.last_safe_start(s.state, stages[1], s.at)
    assert safe == WINDOW.closes - timedelta(seconds=200) - timedelta(seconds=6)  # measured: 2 s a target
    s.do(cmd.Promote(s.at, "dana"))
    s.tick()
    s.finish()
    s.tick(100)
    s.finish()
    s.tick(100)
    assert window.ahead(s.state, s.at) == timedelta(0)
    assert window.last_safe_start(Session().state, stages[1], s.at) is None


def test_the_start_counts_every_bake_to_come() -> None:
    stages = (
        Stage("canary", ("switch",), ("web-1",), bake_time=timedelta(minutes=50)),
        Stage("web", ("switch",), ("web",), bake_time=timedelta(minutes=80)),
    )
    s = Session(plan(window=WINDOW, stages=stages))
    assert texts(s) == ["the window closes in ~2 h: the release bakes ~2 h, going back takes ~1 s"]


def test_a_window_across_the_autumn_clock_change_shows_the_right_time_left() -> None:
    """New York, 1 November 2026: 01:30 comes twice, and the night has 25 hours."""
    opens, closes = datetime(2026, 11, 1, 4, 0, tzinfo=UTC), datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
    p = plan(window=Window(opens, closes, "America/New_York"))
    first, second = datetime(2026, 11, 1, 5, 30, tzinfo=UTC), datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert [f"{window.local(p, at):%H:%M %Z}" for at in (opens, first, second, closes)] == [
        "00:00 EDT",
        "01:30 EDT",
        "01:30 EST",
        "03:00 EST",
    ]
    assert [window.left(p, at) for at in (first, second)] == [
        timedelta(hours=2, minutes=30),
        timedelta(hours=1.5),
    ]
    nov = Freeze(date(2026, 11, 1), date(2026, 11, 1), "clocks")
    s = Session(replace(p, window=Window(opens, closes, "America/New_York", freeze=(nov,))))
    (day,) = window.freezes(s.state)
    assert day.until - day.since == timedelta(hours=25)


def test_everybody_reads_the_clock_where_they_are() -> None:
    p = plan(people=(replace(PEOPLE[0], timezone="Asia/Tokyo"), *PEOPLE[1:]), window=WINDOW)
    assert f"{window.local(p, T0, 'dana'):%H:%M}" == "07:00"
    assert f"{window.local(p, T0, 'lee'):%H:%M}" == "17:00"
    assert f"{window.local(plan(), T0):%H:%M}" == "22:00"
