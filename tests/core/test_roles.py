"""Roles in hands: accepted before the start, offered and handed over, and open once their holder has left."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cockpit.core import claims, people, roles
from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.journal import line, say
from cockpit.core.plan import Person, Roles
from cockpit.core.readiness import blocking
from cockpit.core.view import next_line
from tests.core.plans import PEOPLE, ROLES, T0, Session, gated, item, plan


def fresh(**changes: object) -> Session:
    """A session in which nobody but its opener has accepted anything."""
    s = Session(plan(**changes))
    s.state = replace(s.state, accepted_roles=frozenset(r for r in s.state.accepted_roles if r[1] == "dana"))
    return s


def texts(s: Session) -> list[str]:
    return [f.text for f in blocking(s.state, s.at)]


def test_opening_accepts_the_opener_s_roles_and_the_others_accept_their_own() -> None:
    s = fresh()
    (own,) = [e for e in s.log if isinstance(e, ev.RoleAccepted) and e.by == "dana"]
    assert (own.role, own.was, own.level, own.os_user) == ("decision_owner", "dana", "account", "dana")
    assert texts(s) == [
        "rollback owner: Lee Chen hasn't accepted it yet",
        "metrics watcher: Sam Okoro hasn't accepted it yet",
    ]
    assert roles.waiting(s.state, "lee") == ("rollback_owner",)
    s.do(cmd.AcceptRole(s.at, "lee", os_user="lee"))
    s.do(cmd.AcceptRole(s.at, "sam", via="dana", os_user="dana", role="metrics_watcher"))
    assert texts(s) == []
    levels = [e.level for e in s.log[-2:] if isinstance(e, ev.RoleAccepted)]
    assert levels == ["account", "typed"]
    assert s.refused(cmd.AcceptRole(s.at, "lee")) == "no role waits for Lee Chen to accept it"
    again = cmd.AcceptRole(s.at, "lee", role="rollback_owner")
    assert s.refused(again) == "Lee Chen has accepted rollback owner already"
    other = cmd.AcceptRole(s.at, "sam", role="rollback_owner")
    assert s.refused(other) == "Lee Chen is rollback owner, and hasn't offered it to Sam Okoro"
    assert "the plan has no role captain" in s.refused(cmd.AcceptRole(s.at, "sam", role="captain"))


def test_who_opens_under_a_typed_name_is_known_by_no_more() -> None:
    s = Session(plan(people=(replace(PEOPLE[0], os_user="druiz"), *PEOPLE[1:])))
    own = next(e for e in s.log if isinstance(e, ev.RoleAccepted))
    assert own.level == "typed"


def test_a_role_that_nobody_holds_is_for_no_holder_to_settle() -> None:
    s = fresh(roles=replace(ROLES, rollback_owner=""))
    s.do(cmd.AcceptRole(s.at, "sam"))
    assert texts(s) == ["rollback owner: nobody holds it: name somebody under [roles]"]
    assert blocking(s.state, s.at)[0].key == "nobody:rollback_owner"
    s.come("sam")
    assert people.holders(s.plan, ("rollback_owner", "dana")) == ("dana",)
    (taken,) = s.do(cmd.TakeRole(s.at, "sam", reason="agreed in the channel", role="rollback_owner"))
    assert say(taken, s.plan, s.state.find) == (
        "took over as rollback owner, which nobody held: agreed in the channel"
    )
    assert texts(s) == []


def test_a_role_is_handed_over_by_offer_and_acceptance() -> None:
    s = Session(plan(stages=gated()))
    s.come("dana")
    s.come("lee")
    s.start()
    s.finish()
    s.do(cmd.OfferRole(s.at, "lee", reason="my shift ends", role="rollback_owner", to="sam"))
    assert s.state.plan.roles.rollback_owner == "lee"  # until it is accepted it stays where it is
    assert roles.waiting(s.state, "sam") == ("rollback_owner",)
    again = cmd.OfferRole(s.at, "lee", role="rollback_owner", to="sam")
    assert s.refused(again) == "rollback owner is offered to Sam Okoro already"
    (handed,) = s.do(cmd.AcceptRole(s.at, "sam", os_user="sam"))
    assert handed == ev.RoleAccepted(s.at, "rollback_owner", "lee", "sam", "", "account", "", os_user="sam")
    assert s.state.plan.roles.rollback_owner == "sam"
    assert roles.waiting(s.state, "sam") == ()
    assert next_line(s.state, s.at).startswith("Sam Okoro decides")
    words = [
        line(e, s.plan, s.state.find)[10:] for e in s.log if isinstance(e, ev.RoleOffered | ev.RoleAccepted)
    ]
    assert words[-2:] == [
        "Lee Chen: offered rollback_owner to Sam Okoro: my shift ends".replace("_", " "),
        "Sam Okoro: accepted rollback owner, handed over by Lee Chen (own account)",
    ]
    s.do(cmd.RollBack(s.at, "dana"))


def test_an_offer_is_declined_or_taken_back() -> None:
    s = Session()
    offer = cmd.OfferRole(s.at, "lee", role="rollback_owner", to="sam")
    s.do(offer)
    (no,) = s.do(cmd.DeclineRole(s.at, "sam", reason="I leave at ten"))
    assert say(no, s.plan, s.state.find) == "rollback owner isn't handed over: I leave at ten"
    assert s.state.offers == {}
    s.do(offer)
    s.do(cmd.DeclineRole(s.at, "lee", role="rollback_owner"))
    assert roles.waiting(s.state, "sam") == ()
    gone = cmd.DeclineRole(s.at, "sam", role="rollback_owner")
    assert s.refused(gone) == "rollback owner isn't offered to or by Sam Okoro"
    assert s.refused(cmd.DeclineRole(s.at, "sam")) == "nothing is offered to or by Sam Okoro"


@pytest.mark.parametrize(
    ("by", "role", "to", "why"),
    [
        ("dana", "rollback_owner", "sam", "handing over rollback owner takes Lee Chen, not Dana Ruiz"),
        ("lee", "rollback_owner", "pat", "pat isn't in the plan's [people]: nobody was asked"),
        ("lee", "rollback_owner", "", "nobody isn't in the plan's [people]: nobody was asked"),
        ("lee", "rollback_owner", "lee", "you are rollback owner already"),
        ("lee", "captain", "sam", "the plan has no role captain: there are decision_owner"),
    ],
)
def test_a_role_is_not_offered_just_so(by: str, role: str, to: str, why: str) -> None:
    assert Session().refused(cmd.OfferRole(T0, by, role=role, to=to)).startswith(why)


def test_a_holder_who_leaves_holds_what_expands_until_they_are_back() -> None:
    s = Session(plan(checklist=(item("b", "close"),)), auto=True)
    s.come("dana")
    lee = s.come("lee")
    second = s.come("lee")
    s.start()
    s.finish()
    s.go(lee)
    assert roles.left_open(s.state) == ()  # another screen of theirs is there
    s.go(second)
    assert roles.left_open(s.state) == (("rollback_owner", "lee"),)
    assert s.kinds(s.tick(60)) == ["BakeFinished", "StageFinished"]
    gone = (
        "Lee Chen, rollback owner, has left: nothing expands until they are back, or somebody takes the role"
    )
    assert next_line(s.state, s.at) == gone
    assert s.refused(cmd.Promote(s.at, "dana")).startswith(
        "Lee Chen, rollback owner, has left: nothing expands"
    )
    s.come("lee")
    assert s.kinds(s.tick())[:2] == ["StagePromoted", "StageStarted"]
    assert not any("had left" in claim for claim in claims.check(s.log, s.plan))
    s.do(cmd.Abort(s.at, "dana"))
    s.finish(as_="failed")
    assert roles.left_open(s.state) == ()


def test_whoever_stays_takes_all_that_was_left_open() -> None:
    s = Session(plan(roles=replace(ROLES, rollback_owner="dana")))
    s.come("sam")
    everything = cmd.TakeRole(s.at, "sam", reason="her laptop is gone")
    assert s.refused(everything) == "no role was left open"
    s.go(s.come("dana"))
    taken = s.do(everything)
    assert [(e.role, e.was) for e in taken if isinstance(e, ev.RoleTaken)] == [
        ("decision_owner", "dana"),
        ("rollback_owner", "dana"),
    ]
    assert roles.left_open(s.state) == ()


def test_a_holder_who_left_before_the_start_is_missed_there() -> None:
    s = Session()
    s.go(s.come("lee"))
    s.come("dana")
    assert texts(s) == ["rollback owner: Lee Chen has left"]


def test_a_log_that_expands_without_a_holder_claims_too_much() -> None:
    s = Session(auto=True)
    s.come("dana")
    lee = s.come("lee")
    s.start()
    s.finish()
    s.tick(60)
    at = next(n for n, e in enumerate(s.log) if isinstance(e, ev.StageFinished))
    forged = [*s.log[:at], ev.ScreenDetached(s.at, lee, "left"), *s.log[at:]]
    assert any("while rollback owner had left" in claim for claim in claims.check(forged, s.plan))
    old = [e for e in forged if not isinstance(e, ev.RoleAccepted)]
    assert not any("had left" in claim for claim in claims.check(old, s.plan))


def test_a_session_taken_up_waits_for_those_who_were_there() -> None:
    s = Session()
    s.come("dana")
    s.come("lee")
    s.start()
    s.do(cmd.ResumeSession(s.at, "dana", "dana", "laptop", "1"))
    assert roles.left_open(s.state) == (("decision_owner", "dana"), ("rollback_owner", "lee"))
    assert claims.check(s.log, s.plan) == ()
    s.come("dana")
    assert roles.left_open(s.state) == (("rollback_owner", "lee"),)


def test_whoever_the_plan_lets_decide_beside_the_decision_owner() -> None:
    s = Session(plan(roles=replace(ROLES, go_authority=("lee",))))
    s.do(cmd.StartRelease(s.at, "lee"))
    s.tick()
    s.finish()
    s.tick(60)
    assert "takes Dana Ruiz or Lee Chen, not Sam Okoro" in s.refused(cmd.Promote(s.at, "sam"))
    s.do(cmd.Promote(s.at, "lee"))


def test_a_role_of_one_s_own_is_accepted_too() -> None:
    people_ = (*PEOPLE, Person("kim", "Kim Park"))
    s = fresh(roles=Roles("dana", "lee", others={"dba": "kim"}), people=people_)
    assert [f.key for f in blocking(s.state, s.at)] == ["role:rollback_owner", "role:dba"]
