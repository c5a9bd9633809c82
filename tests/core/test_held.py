"""What a decision was about stays with it: over a crash, a second freeze, a role in other hands, an override."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.core import attendance, checklist, claims, gates, roles
from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.journal import say
from cockpit.core.plan import Gate, Stage, Window
from cockpit.core.readiness import blocking
from tests.core.plans import ERRORS, MIGRATE, PEOPLE, ROLES, SWITCH, T0, Session, gated, item, limit, plan

CALENDAR = Window(T0, T0 + timedelta(hours=9), "UTC", freeze_calendar="freezes.ics")


def taken_up(s: Session) -> None:
    s.do(cmd.ResumeSession(s.at, "dana", "dana", "laptop", "1"))


def frozen(s: Session, *spans: tuple[int, int], detail: str = "") -> None:
    """Freezes from and until so many minutes after the beginning."""
    freezes = tuple(
        ev.Frozen(T0 + timedelta(minutes=since), T0 + timedelta(minutes=until), f"freeze {n}")
        for n, (since, until) in enumerate(spans)
    )
    s.do(cmd.ReportFreezes(s.at, freezes, detail))


def test_a_no_is_still_a_no_after_a_crash() -> None:
    s = Session(plan(stages=gated()))
    s.start()
    s.finish()
    s.do(cmd.RejectStage(s.at, "lee", reason="orders dip"))
    taken_up(s)
    assert "the no to web takes Dana Ruiz" in s.refused(cmd.ResumeRollout(s.at, "sam"))
    assert "the no to web needs a reason" in s.refused(cmd.ResumeRollout(s.at, "dana"))


def test_a_closed_window_is_still_closed_after_a_crash() -> None:
    s = Session(plan(window=Window(T0, T0 + timedelta(minutes=30), "UTC")))
    s.start()
    s.finish()
    s.tick(1800)
    taken_up(s)
    assert "the closed window takes Dana Ruiz" in s.refused(cmd.ResumeRollout(s.at, "sam"))


def test_each_freeze_is_gone_over_by_itself() -> None:
    s = Session(plan(window=CALENDAR, stages=(Stage("web", ("switch",), ("web",), waves=(1, 1, "rest")),)))
    frozen(s, (10, 20), (30, 40), (32, 50))
    s.start()
    assert s.kinds(s.tick(600)) == ["WindowClosed"]
    s.do(cmd.ResumeRollout(s.at, "dana", reason="agreed"))
    s.finish()
    assert s.kinds(s.tick(1200)) == ["WindowClosed"]
    s.do(cmd.ResumeRollout(s.at, "dana", reason="agreed"))
    assert s.tick() == []
    s.at += timedelta(minutes=2)
    assert s.kinds(s.tick()) == ["WindowClosed"]  # another one, beside the one that was gone over


def test_a_calendar_that_cannot_be_read_any_more_frees_nothing() -> None:
    s = Session(plan(window=CALENDAR))
    frozen(s, (10, 20))
    s.start()
    s.finish()
    taken_up(s)
    frozen(s, detail="no such file")
    s.do(cmd.ResumeRollout(s.at, "dana"))
    assert s.kinds(s.tick(600)) == ["WindowClosed"]


def test_a_gate_s_time_runs_only_while_somebody_could_say_yes() -> None:
    gate = Gate(("rollback_owner",), timeout=timedelta(minutes=5), on_timeout="rollback")
    stages = (Stage("canary", ("switch",), ("web-1",)), Stage("web", ("switch",), ("web",), gate=gate))
    s = Session(plan(stages=stages, signals=(ERRORS,), thresholds=(limit("notify"),)))
    s.verdict("pass", 0.0)
    s.start()
    s.finish()
    s.tick(240)
    s.do(cmd.RejectStage(s.at, "lee", reason="orders dip"))
    s.tick(1800)
    s.do(cmd.ResumeRollout(s.at, "dana", reason="mended"))
    (asked,) = s.tick()
    assert say(asked, s.plan, s.state.find) == "the gate of web asks for a decision"
    s.tick(200)
    s.verdict("inconclusive")
    (waits,) = s.tick()
    assert say(waits, s.plan, s.state.find).startswith("the gate of web waits: the signals aren't clean")
    assert s.tick(1800) == []
    s.verdict("pass", 0.0)
    assert s.kinds(s.tick()) == ["GateAsked"]
    assert s.tick(299) == []
    assert s.kinds(s.tick(1))[:2] == ["GateTimedOut", "RollbackStarted"]


def test_whoever_goes_on_without_a_screen_is_back() -> None:
    s = Session(auto=True)
    s.come("dana")
    s.start()
    s.finish()
    taken_up(s)
    s.come("dana", "headless")
    assert roles.left_open(s.state) == ()
    s.do(cmd.ResumeRollout(s.at, "dana"))
    s.tick(60)
    s.do(cmd.Promote(s.at, "dana"))
    s.tick()
    assert not any("had left" in claim for claim in claims.check(s.log, s.plan))


@pytest.mark.parametrize("stop", [cmd.Abort, cmd.RollBack, cmd.PauseRollout, cmd.RejectStage])
def test_a_key_takes_away_nobody_s_stop(stop: type[cmd.HumanCommand]) -> None:
    keyed = plan(people=(PEOPLE[0], replace(PEOPLE[1], key="ssh-ed25519 AAAA lee")))
    seat = ev.ScreenAttached(T0, "dana-1", "dana", "dana", "screen", True, True)
    assert attendance.speaks(keyed, seat, "lee") is not None
    stops = isinstance(stop(T0, "lee"), attendance.STOPS)
    assert attendance.speaks(keyed, seat, "lee", stops=stops) is None


def test_who_has_a_key_gives_no_role_away_under_a_typed_name() -> None:
    keyed = (PEOPLE[0], replace(PEOPLE[1], key="ssh-ed25519 AAAA lee"), PEOPLE[2])
    s = Session(plan(people=keyed))
    offer = cmd.OfferRole(s.at, "lee", role="rollback_owner", to="sam", os_user="sam")
    assert s.refused(offer) == "handing over rollback owner takes Lee Chen's own account: they have a key"
    s.do(replace(offer, os_user="lee"))
    s.do(cmd.AcceptRole(s.at, "sam"))
    s.do(cmd.OfferRole(s.at, "sam", role="rollback_owner", to="lee"))
    accept = cmd.AcceptRole(s.at, "lee", via="sam", os_user="sam")
    assert s.refused(accept) == "accepting rollback owner takes Lee Chen's key: `cockpit sign` signs with it"


def test_a_yes_counts_for_the_role_that_it_was_said_in() -> None:
    gate = Gate(("decision_owner", "rollback_owner"), needs=2)
    stages = (Stage("canary", ("switch",), ("web-1",)), Stage("web", ("switch",), ("web",), gate=gate))
    s = Session(plan(stages=stages))
    s.start()
    s.finish()
    s.tick()
    s.do(cmd.Promote(s.at, "dana"))
    s.do(cmd.OfferRole(s.at, "lee", role="rollback_owner", to="dana"))
    s.do(cmd.AcceptRole(s.at, "dana"))
    assert not gates.opened(s.state, s.plan.stages[1])
    forged = [*s.log, ev.StagePromoted(s.at, "web", "dana", "", "", ())]
    assert any("1 of the 2 approvals" in claim for claim in claims.check(forged, s.plan))


def test_a_check_says_nothing_about_the_time_after_a_crash() -> None:
    backup = item("backup", "stage:web", check="age", expect="< 24")
    s = Session(plan(checklist=(backup,)))
    s.do(cmd.ReportCheck(s.at, "backup", True, "12", ""))
    s.do(cmd.SignItem(s.at, "lee", item="backup"))
    s.start()
    taken_up(s)
    assert checklist.unhealthy(s.state, backup) == "its check hasn't run yet"
    s.do(cmd.ReportCheck(s.at, "backup", True, "12", ""))
    assert checklist.done(s.state, backup)
    taken_up(s)
    s.do(cmd.ReportCheck(s.at, "backup", False, "30", "30, expected < 24"))
    s.do(cmd.ReportCheck(s.at, "backup", True, "12", ""))
    assert checklist.missing(s.state, backup) == ("lee",)


def test_an_override_covers_what_was_seen_and_nothing_else() -> None:
    s = Session(plan(signals=(ERRORS,), thresholds=(limit("notify"),)))
    s.verdict("pass", 0.0)
    lee = s.come("lee")
    s.come("dana")
    s.go(lee)
    s.start("he is on his way")
    assert s.running() == []
    s.verdict("breach", 50.0)
    s.come("lee")
    assert s.tick() == []  # the limit wasn't among what was taken on
    s.verdict("pass", 0.0)
    s.tick()
    assert s.running() == ["web-1"]


def test_what_was_not_known_is_no_override_of_what_is_bad() -> None:
    s = Session(plan(checklist=(item("backup", "start", check="age", expect="< 24"),)))
    seen = tuple(f.key for f in blocking(s.state, s.at))
    s.do(cmd.ReportCheck(s.at, "backup", False, "900", "900, expected < 24"))
    start = cmd.StartRelease(s.at, "dana", reason="it runs still", overriding=seen)
    assert "900, expected < 24" in s.refused(start)


def test_the_last_word_on_a_point_of_no_return_is_signed_by_whoever_has_a_key() -> None:
    keyed = (replace(PEOPLE[0], key="ssh-ed25519 AAAA dana"), *PEOPLE[1:])
    stages = (
        Stage("canary", ("switch",), ("web-1",)),
        Stage("schema", ("migrate",), ("web-2",), gate=Gate(("rollback_owner",))),
    )
    s = Session(plan(steps=(SWITCH, MIGRATE), stages=stages, people=keyed, roles=replace(ROLES)))
    s.start()
    s.finish()
    s.tick()
    s.do(cmd.Promote(s.at, "lee"))
    promote = cmd.Promote(s.at, "dana", os_user="dana")
    assert s.refused(promote) == "the last word on schema takes Dana Ruiz's key: `cockpit sign` signs with it"
    (promoted,) = s.do(replace(promote, signature="line\nsignature"))
    assert isinstance(promoted, ev.StagePromoted)
    assert (promoted.level, promoted.signature) == ("key", "line\nsignature")
    assert "line" in s.state.statements
