"""Roles that change hands while their holder is away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.core import checklist, people
from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.evolve import replay
from cockpit.core.plan import Gate, Person, Roles, Stage
from cockpit.core.state import initial
from cockpit.core.view import next_line
from tests.core.plans import Session, gated, item, plan, render

WAVES = (Stage("web", ("switch",), ("web",), waves=(1, "rest"), bake_time=timedelta(seconds=30)),)


def started(**changes: object) -> tuple[Session, str]:
    """A release that Dana started from her screen, and the screen's name."""
    s = Session(plan(**changes))
    screen = s.come("dana")
    s.start()
    return s, screen


def took(s: Session, by: str, role: str, reason: str = "no answer for ten minutes") -> list[ev.Event]:
    return s.do(cmd.TakeRole(s.at, by, reason=reason, role=role))


def test_an_absent_person_s_role_is_taken_with_all_that_follows_from_it() -> None:
    s = Session(plan(stages=gated(), roles=Roles("dana", "lee", metrics_watcher="sam", typed_names=True)))
    lee = s.come("lee")
    s.come("sam")
    s.come("dana")
    s.start()
    s.finish()
    s.go(lee)
    left = (
        "Lee Chen, rollback owner, has left: nothing expands until they are back, or somebody takes the role"
    )
    assert next_line(s.state, s.at) == left
    assert "Dana Ruiz or Lee Chen, not Sam Okoro" in s.refused(cmd.RollBack(s.at, "sam"))
    (taken,) = took(s, "sam", "rollback_owner")
    assert taken == ev.RoleTaken(s.at, "rollback_owner", "lee", "sam", "no answer for ten minutes", ())
    assert s.state.plan.roles.holder("rollback_owner") == "sam"
    assert people.stoppers(s.state.plan) == ("dana", "sam")
    assert next_line(s.state, s.at) == "Sam Okoro decides on “web”: Orders fine?"
    s.come("lee")
    assert "takes Sam Okoro, not Lee Chen" in s.refused(cmd.Promote(s.at, "lee"))
    s.do(cmd.Promote(s.at, "sam"))
    assert s.refused(cmd.TakeRole(s.at, "lee", reason="back", role="rollback_owner")).startswith(
        "Sam Okoro is"
    )
    s.do(cmd.RollBack(s.at, "sam"))


def test_whoever_decides_after_a_takeover_resumes() -> None:
    s, screen = started(stages=WAVES)
    s.finish()
    s.go(screen)
    s.tick(30)
    s.come("lee")
    took(s, "lee", "decision_owner")
    s.do(cmd.ResumeRollout(s.at, "lee"))
    assert replay(s.log, initial(s.plan, render)) == s.state
    s.do(cmd.ResumeSession(s.at, "lee", "lee", "laptop", "1"))
    assert s.state.plan.roles.decision_owner == "lee"


def test_approvals_that_name_a_person_stay_with_them() -> None:
    stages = (gated()[0], replace(gated()[1], gate=Gate(("lee",))))
    s, _ = started(stages=stages)
    s.finish()
    took(s, "dana", "rollback_owner")
    assert "takes Lee Chen" in s.refused(cmd.Promote(s.at, "dana"))
    assert people.stoppers(s.state.plan) == ("dana", "lee")


def test_what_was_signed_in_a_role_stays_signed_when_it_is_taken() -> None:
    both = item("drill", "close", "rollback_owner", approval=("decision_owner",))
    other = item("report", "close", "rollback_owner")
    s, _ = started(checklist=(both, other))
    s.come("sam")
    s.do(cmd.SignItem(s.at, "lee", item="drill"))
    took(s, "sam", "rollback_owner")
    assert checklist.missing(s.state, both) == ("dana",)
    assert checklist.missing(s.state, other) == ("sam",)
    assert s.refused(cmd.SignItem(s.at, "sam", item="drill")) == (
        "whoever held the role before has signed drill already"
    )
    s.do(cmd.SignItem(s.at, "dana", item="drill"))
    assert checklist.missing(s.state, both) == ()
    s.do(cmd.SignItem(s.at, "sam", item="report"))
    assert checklist.holding(s.state, "close") == ()


def test_a_role_of_the_plan_s_own_is_taken_too() -> None:
    s, _ = started(roles=Roles("dana", "lee", others={"scribe": "sam"}))
    took(s, "dana", "scribe")
    assert s.state.plan.roles.holder("scribe") == "dana"
    assert s.state.plan.roles.held()[-1] == ("scribe", "dana")


@pytest.mark.parametrize(
    ("by", "role", "reason", "why"),
    [
        (
            "dana",
            "captain",
            "x",
            "the plan has no role captain: there are decision_owner, rollback_owner, metrics",
        ),
        (
            "dana",
            "support_liaison",
            "x",
            "nobody holds support liaison in this plan: there are decision_owner",
        ),
        ("dana", "stop_authority", "x", "the plan has no role stop_authority"),
        ("dana", "decision_owner", "x", "you are decision owner already"),
        ("dana", "rollback_owner", "x", "Lee Chen is rollback owner, and is here: ask them"),
        (
            "kim",
            "metrics_watcher",
            "x",
            "taking over as metrics watcher takes Dana Ruiz or Lee Chen, not Kim Park",
        ),
        ("dana", "metrics_watcher", "  ", "taking a role over needs a reason"),
        ("max", "metrics_watcher", "x", "a role is taken at a screen of one's own: `cockpit attach` first"),
        ("pat", "metrics_watcher", "x", "pat isn't in the plan's [people]"),
    ],
)
def test_a_role_is_not_taken_just_so(by: str, role: str, reason: str, why: str) -> None:
    s = Session(plan(people=(*plan().people, Person("kim", "Kim Park"), Person("max", "Max Roe"))))
    for person in ("dana", "lee", "kim"):
        s.come(person)
    s.come("max", "watch", may_act=False)
    s.come("sam", "watch", may_act=False)
    assert s.refused(cmd.TakeRole(s.at, by, reason=reason, role=role)).startswith(why)


def test_a_role_is_taken_by_those_who_sit_there_themselves() -> None:
    s, _ = started()
    s.come("lee")
    entered = cmd.TakeRole(s.at, "lee", via="dana", reason="x", role="metrics_watcher")
    assert "at a screen of one's own" in s.refused(entered)


def test_whoever_may_stop_the_release_takes_a_role_without_having_one() -> None:
    kim = Person("kim", "Kim Park")
    s = Session(plan(people=(*plan().people, kim), roles=Roles("dana", "lee", stop_authority=("kim",))))
    s.come("kim")
    took(s, "kim", "decision_owner")
    assert s.state.plan.roles.decision_owner == "kim"


def test_the_header_says_who_decides_now() -> None:
    s = Session()
    s.come("lee")
    took(s, "lee", "decision_owner")
    assert next_line(s.state, s.at) == "Lee Chen starts the release"
    assert s.refused(cmd.StartRelease(s.at, "dana")).startswith("starting the release takes Lee Chen")
