"""Ready or not: what stands in the way of a start, and who may override it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core import people, window
from cockpit.core.plan import HERE, Freeze, Plan, Roles, RollbackTerms, Signal, Window
from cockpit.core.readiness import blocking, findings, for_people, pending
from tests.core.plans import ERRORS, PEOPLE, T0, Session, item, limit, plan

WINDOW = Window(T0 - timedelta(hours=1), T0 + timedelta(hours=1), "America/New_York")


def texts(s: Session) -> list[str]:
    return [f.text for f in blocking(s.state, s.at)]


def test_a_complete_plan_is_ready_and_says_what_was_looked_at() -> None:
    s = Session(plan(window=WINDOW, checklist=(item("backup", "start"),)))
    s.do(cmd.SignItem(s.at, "lee", item="backup"))
    assert texts(s) == []
    keys = [f.key for f in findings(s.state, s.at)]
    assert keys[:5] == [
        "role:decision_owner",
        "role:rollback_owner",
        "role:metrics_watcher",
        "impact",
        "window",
    ]
    assert keys[-1] == "checklist:backup"
    s.start()
    started = next(e for e in s.log if isinstance(e, ev.ReleaseStarted))
    assert started.override == ""
    assert "already" in s.refused(cmd.StartRelease(s.at, "dana"))


def test_everything_missing_is_named_in_one_go() -> None:
    watched = replace(limit(), observe_only=True)
    orders = replace(ERRORS, name="orders")
    s = Session(
        plan(signals=(ERRORS, orders), thresholds=(limit(), watched), checklist=(item("backup", "start"),))
    )
    s.state = replace(s.state, signals={})
    s.do(cmd.ReportProbe(s.at, "web-2", False, "connection refused"))
    s.state = replace(s.state, probes={k: v for k, v in s.state.probes.items() if k != "web-3"})
    assert texts(s) == [
        "web-2: connection refused",
        "web-3: not reached yet",
        "errors > 2: no reading yet",
        "orders: not read yet",
        "backup is done: Lee Chen signs",
    ]
    assert pending(s.state)
    s.do(cmd.ReportProbe(s.at, "web-3", True, ""))
    assert pending(s.state)
    s.do(cmd.ReportSignal(s.at, "errors", True, ""))
    s.do(cmd.ReportSignal(s.at, "orders", False, "answered 503"))
    assert "orders: answered 503" in texts(s)
    assert s.do(cmd.ReportSignal(s.at, "orders", False, "answered 503")) == []
    assert pending(s.state)
    s.verdict("breach", 3.0)
    assert not pending(s.state)
    assert "errors > 2: breach before the start (3, limit > 2)" in texts(s)
    assert "not ready" in s.refused(cmd.StartRelease(s.at, "dana"))
    assert "Dana Ruiz" in s.refused(cmd.StartRelease(s.at, "lee", reason="hurry"))
    s.start("the board knows")
    started = next(e for e in s.log if isinstance(e, ev.ReleaseStarted))
    assert started.override == "the board knows"
    assert s.state.accepted == {("errors > 2", None): 3.0}


def test_what_only_people_in_a_session_can_settle() -> None:
    tickets = Signal("tickets", "manual", timedelta(minutes=5), targets=(HERE,))
    calls = replace(tickets, name="calls")
    many = replace(limit(), id="tickets > 2", signal="tickets")
    s = Session(
        plan(signals=(ERRORS, tickets, calls), thresholds=(limit(), many), checklist=(item("b", "start"),))
    )
    s.state = replace(s.state, signals={})
    open_ = [f for f in findings(s.state, s.at) if not f.ok]
    assert [f.key for f in open_ if for_people(s.state.plan, f)] == [
        "limit:tickets > 2",
        "signal:calls",
        "checklist:b",
    ]
    assert [f.key for f in open_ if not for_people(s.state.plan, f)] == ["limit:errors > 2"]


def test_a_rehearsal_that_was_agreed_on_is_asked_for() -> None:
    week = RollbackTerms(rehearsed_within=timedelta(days=7))
    s = Session(plan(rollback=week))
    run = ": run `cockpit rehearse` on this plan"
    assert texts(s) == [f"rehearsal: it was never rehearsed{run}"]

    def found(days: float | None, unproven: tuple[str, ...] = (), detail: str = "") -> list[str]:
        at = None if days is None else s.at - timedelta(days=days)
        s.do(cmd.ReportRehearsal(s.at, at, unproven, timedelta(seconds=40), detail))
        return texts(s)

    assert found(None, detail="its file can't be read") == [f"rehearsal: its file can't be read{run}"]
    assert found(8) == [f"rehearsal: 8 days old, agreed are 7 days at most{run}"]
    assert found(1, ("errors > 2",)) == [
        "rehearsal: errors > 2 never fired in it: `cockpit rehearse` says why"
    ]
    assert found(7) == []
    assert any(f.text == "rehearsed 2026-11-17 22:00 UTC: every limit fired" for f in findings(s.state, s.at))


def test_a_passing_limit_shows_its_number() -> None:
    s = Session(
        plan(signals=(ERRORS,), thresholds=(limit(), replace(limit(), id="watched", observe_only=True)))
    )
    s.verdict("pass", 0.25)
    assert "errors > 2: 0.25, limit > 2" in [f.text for f in findings(s.state, s.at)]
    assert texts(s) == []


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, ""),
        ({"opens": T0 + timedelta(minutes=1)}, "the window opens at 2026-11-24 17:01 America/New_York"),
        ({"closes": T0}, "the window closed at 2026-11-24 17:00 America/New_York"),
        (
            {"freeze": (Freeze(date(2026, 11, 24), date(2026, 11, 30), "sales"),)},
            "frozen until 2026-12-01 00:00: sales",
        ),
        ({"freeze": (Freeze(date(2026, 11, 25), date(2026, 11, 30), "sales"),)}, ""),
    ],
)
def test_the_window_and_its_freezes(changes: dict[str, object], why: str) -> None:
    p = plan(window=replace(WINDOW, **changes))  # type: ignore[arg-type]
    assert window.objection(Session(p).state, T0) == why
    assert window.left(p, T0) == p.window.closes - T0 if p.window else None


def test_without_a_window_any_time_will_do() -> None:
    assert window.left(plan(), T0) is None
    assert "no window agreed: any time" in [f.text for f in findings(Session().state, T0)]


def test_a_window_that_closes_pauses_once_and_late_promotions_need_a_reason() -> None:
    s = Session(plan(window=WINDOW))
    s.start()
    s.finish()
    assert s.kinds(s.tick(3600)) == ["WindowClosed"]
    assert "Dana Ruiz" in s.refused(cmd.ResumeRollout(s.at, "lee", reason="nearly done"))
    assert "the closed window needs a reason" in s.refused(cmd.ResumeRollout(s.at, "dana", reason=" "))
    s.do(cmd.ResumeRollout(s.at, "dana", reason="ten more minutes agreed"))
    s.tick(60)
    assert s.state.phase == "waiting"
    assert "needs a reason" in s.refused(cmd.Promote(s.at, "dana"))
    late = cmd.Promote(s.at, "dana", reason="ten more minutes agreed")
    assert "needs a reason" in s.refused(late)  # given without having seen what stands against it
    s.do(replace(late, overriding=("window",)))


def test_an_item_wants_its_owner_and_its_approvers() -> None:
    s = Session(plan(checklist=(item("drill", "start", "sam", approval=("decision_owner",)),)))
    assert "no checklist item" in s.refused(cmd.SignItem(s.at, "sam", item="nothing"))
    assert "not Lee Chen" in s.refused(cmd.SignItem(s.at, "lee", item="drill"))
    s.do(cmd.SignItem(s.at, "dana", item="drill"))
    assert texts(s) == ["drill is done: Sam Okoro signs"]
    assert "already" in s.refused(cmd.SignItem(s.at, "dana", item="drill"))
    s.do(cmd.SignItem(s.at, "sam", item="drill"))
    assert texts(s) == []


def test_roles_resolve_to_people() -> None:
    p: Plan = plan(roles=Roles("dana", "lee", others={"dba": "sam"}), people=PEOPLE)
    assert p.roles.holder("dba") == "sam"
    assert p.roles.held() == (("decision_owner", "dana"), ("rollback_owner", "lee"), ("dba", "sam"))
    assert people.roles_of(p, "sam") == ("dba",)
    assert people.known(p, "sam")
    assert not people.known(p, "mallory")
    assert people.known(replace(p, people=()), "sam")
    assert p.person_name("nobody") == "nobody"
    assert people.names(p, ("dana", "lee", "sam")) == "Dana Ruiz, Lee Chen or Sam Okoro"
    assert people.names(p, ()) == "nobody"


def test_a_plan_finds_its_parts_by_name() -> None:
    p = plan(signals=(ERRORS,), thresholds=(limit(),), checklist=(item("backup", "start"),))
    assert p.target("web-2").host == "10.0.0.2"
    assert p.signal("errors").unit == ""
    assert p.threshold("errors > 2").action == "pause"
    assert p.item("backup").owner == "lee"
    for find in (p.target, p.signal, p.threshold, p.item, p.step):
        with pytest.raises(KeyError):
            find("nothing")


def test_a_limit_without_a_verdict_says_why_its_signal_is_not_read() -> None:
    s = Session(plan(signals=(ERRORS,), thresholds=(limit(),)))
    s.state = replace(s.state, signals={}, verdicts={})
    assert texts(s) == ["errors > 2: no reading yet"]
    s.do(cmd.ReportSignal(s.at, "errors", False, "answered 503"))
    assert texts(s) == ["errors > 2: answered 503"]


def test_what_people_enter_can_be_left_out_of_the_wait() -> None:
    calls = replace(ERRORS, name="calls", source="manual", targets=(HERE,))
    s = Session(plan(signals=(calls,), thresholds=(replace(limit(), id="calls > 2", signal="calls"),)))
    s.state = replace(s.state, signals={}, verdicts={})
    assert pending(s.state)
    assert not pending(s.state, entered=False)
