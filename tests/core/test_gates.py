"""Gates: who says yes, how many of them, how sure it is who they are, and what a no or silence does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.core import claims, gates
from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.journal import line, say
from cockpit.core.plan import Gate, Person, Plan, Stage, Window
from cockpit.core.statement import block
from cockpit.core.view import next_line
from tests.core.plans import PEOPLE, ROLES, T0, Session, plan

TWO = Gate(("decision_owner", "rollback_owner", "sam"), "Orders fine?", needs=2)
KEY = block("cockpit-signoff v1 person=lee", "-----BEGIN SSH SIGNATURE-----")


def at_gate(gate: Gate, **changes: object) -> Session:
    """A release whose canary is out, before a stage behind `gate`."""
    stages = (Stage("canary", ("switch",), ("web-1",)), Stage("web", ("switch",), ("web",), gate=gate))
    s = Session(plan(**{"stages": stages, **changes}))
    s.start()
    s.finish()
    s.tick()
    assert s.state.phase == "waiting"
    return s


def yes(s: Session, by: str, **changes: object) -> cmd.Promote:
    return replace(cmd.Promote(s.at, by), **changes)  # type: ignore[arg-type]


def test_a_stage_is_promoted_once_enough_approvers_said_yes() -> None:
    s = at_gate(TWO)
    assert next_line(s.state, s.at) == (
        "Dana Ruiz, Lee Chen or Sam Okoro decides on “web” (0 of 2 have said yes): Orders fine?"
    )
    (approved,) = s.do(yes(s, "lee", reason="looks right"))
    assert say(approved, s.plan, s.state.find) == "approved web at its gate (typed name): looks right"
    assert s.tick() == []
    assert next_line(s.state, s.at).startswith("Dana Ruiz or Sam Okoro decides on “web” (1 of 2")
    assert "not Lee Chen" in s.refused(yes(s, "lee"))
    assert s.kinds(s.do(yes(s, "sam"))) == ["StageApproved", "StagePromoted"]
    assert s.kinds(s.tick())[:2] == ["StageStarted", "WaveStarted"]
    assert not any("approvals" in claim for claim in claims.check(s.log, s.plan))


def test_one_person_in_two_roles_counts_for_both_unless_people_must_differ() -> None:
    both = replace(ROLES, rollback_owner="dana")
    gate = Gate(("decision_owner", "rollback_owner"), needs=2)
    s = at_gate(gate, roles=both)
    assert s.kinds(s.do(yes(s, "dana"))) == ["StageApproved", "StagePromoted"]
    s = at_gate(
        replace(gate, approvers=("decision_owner", "rollback_owner", "sam"), distinct=True), roles=both
    )
    assert s.kinds(s.do(yes(s, "dana"))) == ["StageApproved"]
    assert gates.deciders(s.state, s.plan.stages[1]) == ("sam",)
    assert s.kinds(s.do(yes(s, "sam"))) == ["StageApproved", "StagePromoted"]
    assert not any("approvals" in claim for claim in claims.check(s.log, s.plan))


def test_a_gate_whose_people_have_become_one_opens_for_nobody() -> None:
    s = at_gate(Gate(("decision_owner", "rollback_owner"), needs=2, distinct=True))
    s.do(cmd.OfferRole(s.at, "lee", role="rollback_owner", to="dana"))
    s.do(cmd.AcceptRole(s.at, "dana"))
    s.do(yes(s, "dana"))
    assert gates.deciders(s.state, s.plan.stages[1]) == ()
    refused = "promoting web takes somebody who isn't there: hand a role over, or take one"
    assert s.refused(yes(s, "dana")) == refused


def test_too_few_approvals_make_a_false_claim() -> None:
    s = at_gate(TWO)
    s.do(yes(s, "lee"))
    s.do(yes(s, "sam"))
    forged = [e for e in s.log if not (isinstance(e, ev.StageApproved) and e.by == "lee")]
    (claim,) = [c for c in claims.check(forged, s.plan) if "approvals" in c]
    assert claim.endswith("web was promoted with 1 of the 2 approvals that its gate needs")


def test_what_pauses_the_rollout_voids_what_was_approved_before() -> None:
    s = at_gate(TWO)
    s.do(yes(s, "lee"))
    s.do(cmd.PauseRollout(s.at, "sam", reason="wait"))
    s.do(cmd.ResumeRollout(s.at, "sam"))
    assert s.state.approvals == ()
    assert s.kinds(s.do(yes(s, "sam"))) == ["StageApproved"]


def test_a_no_pauses_with_its_reason_and_every_yes_is_given_anew() -> None:
    s = at_gate(TWO)
    assert "needs its reason" in s.refused(cmd.RejectStage(s.at, "lee", reason=" "))
    assert "no other" in s.refused(cmd.RejectStage(s.at, "lee", reason="x", stage="no other"))
    s.do(yes(s, "sam"))
    (no,) = s.do(cmd.RejectStage(s.at, "lee", reason="orders dip in the north"))
    assert (
        line(no, s.plan, s.state.find)[10:] == "Lee Chen: rejected web at its gate: orders dip in the north"
    )
    assert next_line(s.state, s.at) == (
        "Lee Chen rejected “web”: orders dip in the north; roll back, or Dana Ruiz resumes with a reason"
    )
    assert "already" in s.refused(cmd.RejectStage(s.at, "lee", reason="x"))
    assert s.refused(yes(s, "dana")) == "the rollout is paused: resume it first"
    assert "takes Dana Ruiz" in s.refused(cmd.ResumeRollout(s.at, "sam", reason="x"))
    assert "the no to web needs a reason" in s.refused(cmd.ResumeRollout(s.at, "dana"))
    s.do(cmd.ResumeRollout(s.at, "dana", reason="it was the weather"))
    assert s.state.approvals == ()


def test_only_a_gate_that_waits_is_rejected() -> None:
    s = Session(plan())
    assert "hasn't started" in s.refused(cmd.RejectStage(s.at, "lee", reason="x"))
    s.start()
    assert s.refused(cmd.RejectStage(s.at, "lee", reason="x")) == "no gate waits for a decision"
    s = at_gate(Gate(("sam",)))
    assert "rejecting web takes Sam Okoro or Dana Ruiz" in s.refused(cmd.RejectStage(s.at, "lee", reason="x"))


@pytest.mark.parametrize(
    ("then", "kinds"),
    [
        ("pause", ["GateTimedOut"]),
        ("rollback", ["GateTimedOut", "RollbackStarted", "StepIntended"]),
        ("abort", ["GateTimedOut", "ReleaseAborted", "SessionClosed"]),
    ],
)
def test_silence_at_a_gate_never_promotes(then: str, kinds: list[str]) -> None:
    gate = replace(TWO, timeout=timedelta(minutes=5), on_timeout=then)  # type: ignore[arg-type]
    s = at_gate(gate)
    s.do(yes(s, "lee"))
    assert s.kinds(s.tick(300)) == kinds
    assert s.state.approvals == ()


# How sure it is who says so


def strict(**changes: object) -> Plan:
    people = (*PEOPLE[:1], replace(PEOPLE[1], **changes), *PEOPLE[2:])
    stages = (Stage("canary", ("switch",), ("web-1",)), Stage("web", ("switch",), ("web",), gate=TWO))
    return plan(roles=replace(ROLES, typed_names=False), people=people, stages=stages)


def test_a_typed_name_opens_no_gate_unless_the_plan_says_so() -> None:
    s = at_gate(TWO, **{"roles": strict().roles})
    refused = s.refused(yes(s, "lee", via="dana", os_user="dana"))
    assert refused.startswith(
        "the gate of web takes more than a typed name: Lee Chen decides from their own account"
    )
    (approved,) = s.do(yes(s, "lee", os_user="lee"))
    assert isinstance(approved, ev.StageApproved) and approved.level == "account"


def test_whoever_has_a_key_signs_with_it() -> None:
    p = strict(key="ssh-ed25519 AAAA lee")
    s = at_gate(TWO, roles=p.roles, people=p.people)
    refused = s.refused(yes(s, "lee", os_user="lee"))
    assert refused == "the gate of web takes Lee Chen's key: `cockpit sign` signs with it"
    (approved,) = s.do(yes(s, "lee", via="dana", signature=KEY))
    assert isinstance(approved, ev.StageApproved)
    assert (approved.level, approved.signature) == ("key", KEY)
    assert "cockpit-signoff v1 person=lee" in s.state.statements


def test_the_window_s_objection_is_the_decision_owner_s_beside_the_gate() -> None:
    window = Window(T0, T0 + timedelta(minutes=30), "UTC")
    s = at_gate(Gate(("rollback_owner",)), window=window)
    s.tick(1800)
    s.do(cmd.ResumeRollout(s.at, "dana", reason="ten more minutes"))
    assert s.kinds(s.do(yes(s, "lee"))) == ["StageApproved"]
    assert "takes Dana Ruiz, not Lee Chen" in s.refused(yes(s, "lee"))
    assert "needs a reason" in s.refused(yes(s, "dana", reason="agreed"))
    (promoted,) = s.do(yes(s, "dana", reason="agreed", overriding=(gates.WINDOW,)))
    assert isinstance(promoted, ev.StagePromoted)


def test_an_owner_at_the_gate_overrides_the_window_there() -> None:
    window = Window(T0, T0 + timedelta(minutes=30), "UTC")
    s = at_gate(Gate(("decision_owner",)), window=window)
    s.tick(1800)
    s.do(cmd.ResumeRollout(s.at, "dana", reason="ten more minutes"))
    assert "needs a reason" in s.refused(yes(s, "dana"))
    seen = yes(s, "dana", reason="agreed", overriding=(gates.WINDOW,))
    assert s.kinds(s.do(seen)) == ["StageApproved", "StagePromoted"]


def test_once_it_is_open_an_approver_promotes_what_something_else_had_held() -> None:
    """The window was against it when the last approver said yes, and is no more once it was moved."""
    window = Window(T0, T0 + timedelta(minutes=30), "UTC")
    s = at_gate(Gate(("rollback_owner",)), window=window)
    s.tick(1800)
    s.do(cmd.ResumeRollout(s.at, "dana", reason="x"))
    s.do(yes(s, "lee"))
    s.state = replace(s.state, plan=replace(s.state.plan, window=None))
    assert gates.deciders(s.state, s.plan.stages[1]) == ("dana", "lee")
    assert s.kinds(s.do(yes(s, "lee"))) == ["StagePromoted"]


def test_the_start_is_the_decision_owner_s() -> None:
    assert gates.deciders(Session().state, None) == ("dana",)


def test_nobody_else_may_say_yes() -> None:
    s = at_gate(TWO, people=(*PEOPLE, Person("kim", "Kim Park")))
    assert "not Kim Park" in s.refused(yes(s, "kim"))
