"""A rollback that a person asks for, and those who must agree to it: core.consent."""

from __future__ import annotations

from dataclasses import replace

from cockpit.core import claims, consent, journal, people, readiness, roles, signoff, statement
from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.evolve import replay
from cockpit.core.friction import measured
from cockpit.core.plan import Person, Plan, RollbackTerms
from cockpit.core.state import initial
from cockpit.core.view import next_line, next_move, status
from tests.core.plans import ERRORS, PEOPLE, ROLES, Session, limit, plan, render

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIETDjEdm0t5M+/clymUSRsmsQqv/xZyxY+KWf0TCFR18 dana"


def agreed(*approval: str, **changes: object) -> Plan:
    return plan(rollback=RollbackTerms(approval=approval), **changes)


def begun(plan: Plan) -> Session:
    """The canary's switch runs."""
    s = Session(plan)
    for limit_ in plan.thresholds:
        s.do(cmd.ReportVerdict(s.at, limit_.id, "pass", 0.1))
    s.start()
    return s


def back(s: Session, by: str, reason: str = "", **more: object) -> cmd.RollBack:
    return cmd.RollBack(s.at, by, reason=reason, os_user=by, **more)  # type: ignore[arg-type]


def sound(s: Session) -> None:
    """The log bears out what it claims, and folds to the same state."""
    assert claims.check(s.log, s.plan) == ()
    assert replay(s.log, initial(s.plan, render)) == s.state


def test_without_an_approval_in_the_plan_it_begins_at_once() -> None:
    s = begun(plan())
    assert s.kinds(s.do(back(s, "lee", "errors rise"))) == ["RollbackStarted"]
    started = s.state.rollback
    assert started is not None and (started.agreed, started.override) == ((), "")
    overridden = begun(plan())
    (event,) = overridden.do(back(overridden, "lee", override="nobody to wait for"))
    assert isinstance(event, ev.RollbackStarted)
    assert (event.reason, event.override) == ("nobody to wait for", "")
    sound(s)


def test_whoever_may_stop_asks_and_everything_stands_still_until_the_last_has_agreed() -> None:
    s = begun(agreed("dana", "metrics_watcher"))
    assert s.kinds(s.do(back(s, "lee", "errors rise"))) == ["RolloutPaused", "RollbackAsked"]
    asked = s.state.back_asked
    assert asked is not None and (asked.by, asked.reason, asked.to) == ("lee", "errors rise", ("dana", "sam"))
    assert status(s.state, s.at) == "paused"
    s.finish()
    assert s.state.phase == "running" and not s.running()
    assert next_move(s.state, s.at, me="lee").who == ("dana", "sam")
    assert next_line(s.state, s.at) == (
        "Lee Chen asks to roll back (errors rise): Dana Ruiz and Sam Okoro agree or decline"
    )
    assert next_line(s.state, s.at, me="sam").endswith(": you and Dana Ruiz agree or decline")
    assert s.kinds(s.do(back(s, "sam", "seen"))) == ["RollbackAgreed"]
    assert (
        next_line(s.state, s.at, me="lee")
        == "you ask to roll back (errors rise): Dana Ruiz agrees or declines"
    )
    assert consent.missing(s.state) == ("dana",)
    assert s.kinds(s.do(back(s, "dana"))) == ["RollbackAgreed", "RollbackStarted"]
    started = s.state.rollback
    assert started is not None and s.state.paused is None and s.state.back_asked is None
    assert (started.by, started.reason, started.agreed) == (
        "dana",
        "errors rise",
        ("dana", "metrics_watcher"),
    )
    assert s.kinds(s.tick()) == ["StepIntended"]
    s.finish()
    assert s.state.closed is not None and s.state.closed.outcome == "rolled_back"
    sound(s)


def test_whoever_asks_and_is_listed_has_agreed_by_that() -> None:
    s = begun(agreed("rollback_owner"))
    assert s.kinds(s.do(back(s, "lee"))) == ["RollbackAsked", "RollbackAgreed", "RollbackStarted"]
    assert isinstance(s.log[-3], ev.RollbackAsked) and s.log[-3].to == ()
    both = begun(agreed("rollback_owner", "lee", "dana"))
    assert both.kinds(both.do(back(both, "lee", "x")))[1:] == ["RollbackAsked", "RollbackAgreed"]
    said = both.log[-1]
    assert isinstance(said, ev.RollbackAgreed) and said.stands_for == ("rollback_owner", "lee")
    assert (said.level, said.reason) == ("account", "")
    assert consent.awaited(both.state) == ("dana",)
    sound(s)
    sound(both)


def test_one_turn_in_which_two_ask_ends_in_the_rollback() -> None:
    s = begun(agreed("dana", "lee"))
    assert s.kinds(s.do(back(s, "lee")) + s.do(back(s, "dana"))) == [
        *("RolloutPaused", "RollbackAsked", "RollbackAgreed"),
        *("RollbackAgreed", "RollbackStarted"),
    ]
    sound(s)


def test_it_is_asked_once_and_nobody_goes_on_meanwhile() -> None:
    s = begun(agreed("dana"))
    s.do(back(s, "lee", "odd"))
    assert s.refused(back(s, "lee")) == (
        "Lee Chen asks to roll back already, and Dana Ruiz has yet to agree: whoever may stop the release rolls back "
        "without that by an override, with its reason"
    )
    assert s.refused(cmd.ResumeRollout(s.at, "dana")) == (
        "Lee Chen asks to roll back (odd): Dana Ruiz agrees or declines; nothing goes on until then"
    )
    assert s.refused(cmd.PauseRollout(s.at, "sam")) == "the rollout is paused already"
    assert "takes Dana Ruiz or Lee Chen, not Sam Okoro" in s.refused(back(s, "sam"))
    sound(s)


def test_a_pause_that_is_there_stays_as_it_is() -> None:
    s = begun(agreed("dana"))
    s.do(cmd.PauseRollout(s.at, "sam", reason="looking"))
    assert s.kinds(s.do(back(s, "lee"))) == ["RollbackAsked"]
    assert isinstance(s.state.paused, ev.RolloutPaused) and s.state.paused.by == "sam"


def test_a_no_ends_it_with_its_reason_and_it_may_be_asked_again() -> None:
    s = begun(agreed("dana"))
    s.do(back(s, "lee", "odd"))
    s.finish()
    assert "takes Dana Ruiz or Lee Chen" in s.refused(cmd.DeclineProposal(s.at, "sam", reason="x"))
    assert s.refused(cmd.DeclineProposal(s.at, "dana")) == "a no to the rollback needs a reason"
    (no,) = s.do(cmd.DeclineProposal(s.at, "dana", reason="only the dashboard lags"))
    assert isinstance(no, ev.ProposalDeclined) and no.asked
    assert s.state.back_asked is None and s.state.paused is not None and s.tick() == []
    assert next_line(s.state, s.at) == (
        "Dana Ruiz declined to roll back: only the dashboard lags; anyone may resume"
    )
    assert s.kinds(s.do(back(s, "lee", "orders fall"))) == ["RollbackAsked"]
    assert s.state.back_declined is None
    s.do(cmd.DeclineProposal(s.at, "lee", reason="they came back"))  # whoever asked takes it back
    s.do(cmd.ResumeRollout(s.at, "sam"))
    assert s.state.back_declined is None and s.state.paused is None
    assert s.refused(cmd.DeclineProposal(s.at, "lee", reason="x")) == "no rollback is proposed"
    sound(s)


def test_agreements_to_what_was_declined_count_no_more() -> None:
    s = begun(agreed("dana", "lee"))
    s.do(back(s, "lee"))
    s.do(cmd.DeclineProposal(s.at, "dana", reason="no"))
    s.do(back(s, "dana"))
    assert consent.awaited(s.state) == ("lee",) and s.state.rollback is None


def test_stop_authority_goes_without_the_missing_with_a_reason_on_record() -> None:
    s = begun(agreed("dana", "metrics_watcher", roles=replace(ROLES, stop_authority=("lee",))))
    assert s.refused(back(s, "dana", override="now")) == "rolling back takes Lee Chen, not Dana Ruiz"
    s.do(back(s, "dana", "odd"))
    assert s.kinds(s.do(back(s, "lee", override="sam's phone is off"))) == ["RollbackStarted"]
    started = s.state.rollback
    assert started is not None and (started.agreed, started.override) == (("dana",), "sam's phone is off")
    assert started.reason == "odd"
    assert journal.say(started, s.plan, s.state.find) == (
        "started the rollback: odd; without the agreement of metrics watcher: sam's phone is off"
    )
    sound(s)
    once = begun(agreed("dana", "lee"))
    kinds = once.kinds(once.do(back(once, "lee", "errors rise", override="  dana sleeps ")))
    assert kinds == ["RollbackAsked", "RollbackAgreed", "RollbackStarted"]
    assert once.state.rollback is not None and once.state.rollback.override == "dana sleeps"
    sound(once)
    needless = begun(agreed("lee"))
    needless.do(back(needless, "lee", override="quick"))
    assert needless.state.rollback is not None
    assert (needless.state.rollback.override, needless.state.rollback.reason) == ("", "quick")


def test_abort_stays_open_and_an_agreement_after_it_is_none() -> None:
    s = begun(agreed("dana"))
    s.do(back(s, "lee"))
    s.do(cmd.Abort(s.at, "lee"))
    assert s.state.back_asked is None
    assert s.refused(back(s, "dana")) == "the release was aborted"
    s.finish(as_="unreachable")
    assert s.state.closed is not None and s.state.closed.outcome == "aborted"
    sound(s)


def test_a_limit_acts_at_once_also_while_somebody_asks() -> None:
    for asks in (False, True):
        s = begun(agreed("dana", signals=(ERRORS,), thresholds=(limit("rollback"),)))
        if asks:
            s.do(back(s, "lee", "errors rise"))
        assert s.kinds(s.verdict("breach", 3.0))[-1] == "RollbackStarted"
        assert s.state.rollback is not None and s.state.rollback.agreed == () and s.state.back_asked is None
        sound(s)


def test_the_ask_outlives_whoever_asked_and_a_crash() -> None:
    s = begun(agreed("dana"))
    screen = s.come("lee")
    s.come("dana")
    s.do(back(s, "lee"))
    s.go(screen)
    s.do(cmd.ResumeSession(s.at, "dana", "dana", "laptop", "1"))
    assert s.state.back_asked is not None and s.tick() == []
    assert "Dana Ruiz agrees or declines" in s.refused(cmd.ResumeRollout(s.at, "dana"))
    assert s.kinds(s.do(back(s, "dana"))) == ["RollbackAgreed", "RollbackStarted"]
    s.do(cmd.ResumeSession(s.at, "dana", "dana", "laptop", "1"))
    s.do(cmd.ResumeRollout(s.at, "lee"))  # a rollback that has begun takes no approval again
    assert s.state.paused is None and s.state.rollback is not None
    sound(s)


def test_who_takes_a_role_over_agrees_in_it_and_a_yes_counts_as_it_was_said() -> None:
    s = begun(agreed("rollback_owner", "metrics_watcher"))
    lee, dana = s.come("lee"), s.come("dana")
    assert lee and dana
    s.do(back(s, "lee"))
    s.do(cmd.OfferRole(s.at, "lee", role="rollback_owner", to="dana"))
    s.do(cmd.AcceptRole(s.at, "dana", role="rollback_owner", os_user="dana"))
    assert consent.missing(s.state) == ("metrics_watcher",)
    s.do(cmd.TakeRole(s.at, "lee", reason="sam is away", role="metrics_watcher"))
    assert consent.awaited(s.state) == ("lee",)
    assert s.kinds(s.do(back(s, "lee"))) == ["RollbackAgreed", "RollbackStarted"]
    sound(s)


def test_the_unexplained_stays_open_and_both_questions_take_their_own_no() -> None:
    s = begun(agreed("sam"))
    s.do(cmd.ReportUnexplained(s.at, "sam"))
    s.do(back(s, "lee"))
    s.do(cmd.DeclineProposal(s.at, "sam", reason="wait for it"))
    assert s.state.unexplained is not None
    s.do(back(s, "lee"))
    s.tick(301)
    assert s.state.proposed is not None
    assert next_line(s.state, s.at).startswith("Lee Chen asks to roll back")
    assert s.kinds(s.do(cmd.DeclineProposal(s.at, "sam", reason="no"))) == ["ProposalDeclined"]
    assert s.state.proposed is not None and s.state.back_asked is None
    s.do(back(s, "lee"))
    assert s.refused(cmd.DeclineProposal(s.at, "dana")) == "going on without an explanation needs a reason"
    assert (
        s.kinds(s.do(cmd.DeclineProposal(s.at, "dana", reason="a display fault"))) == ["ProposalDeclined"] * 2
    )
    assert s.state.proposed is None and s.state.unexplained is None and s.state.back_asked is None
    sound(s)


# Whose word it is


def test_a_typed_name_asks_but_agrees_only_where_the_plan_takes_it() -> None:
    strict = replace(ROLES, typed_names=False)
    s = begun(agreed("dana", "lee", roles=strict))
    typed = replace(back(s, "lee"), via="dana", os_user="dana")
    assert s.kinds(s.do(typed)) == ["RolloutPaused", "RollbackAsked"]
    assert consent.awaited(s.state) == ("dana", "lee")
    assert "agreeing to the rollback takes more than a typed name" in s.refused(typed)
    s.do(back(s, "dana"))
    assert s.kinds(s.do(back(s, "lee"))) == ["RollbackAgreed", "RollbackStarted"]
    sound(s)


def test_a_key_signs_the_agreement_and_no_key_is_looked_for_before_everything_stands_still() -> None:
    keyed = (Person("dana", "Dana Ruiz", key=KEY), *PEOPLE[1:])
    s = begun(agreed("decision_owner", people=keyed))
    assert consent.takes_key(s.state, "dana") and not consent.takes_key(s.state, "lee")
    assert s.kinds(s.do(back(s, "dana"))) == ["RolloutPaused", "RollbackAsked"]
    assert s.refused(back(s, "dana")) == (
        "agreeing to the rollback takes Dana Ruiz's key: `cockpit sign rollback:checkout` signs with it"
    )
    assert s.refused(back(s, "dana", service="shop")) == "shop isn't what is released here: that is checkout"
    signed = back(s, "dana", service="checkout", signature="line\nblock")
    assert signoff.asked(s.state, signed) == ("roll back", "checkout", "checkout 7 back to 6")
    assert signoff.asked(s.state, replace(signed, override="x")) is None
    assert s.kinds(s.do(signed)) == ["RollbackAgreed", "RollbackStarted"]
    said = s.log[-2]
    assert isinstance(said, ev.RollbackAgreed) and said.level == "key"
    assert signoff.recorded(s.plan, said) == signoff.asked(s.state, signed)
    assert signoff.used(s.state, "line\nblock")
    none = begun(plan(people=keyed))
    assert signoff.asked(none.state, back(none, "dana")) is None
    assert none.refused(back(none, "dana", service="checkout")) == (
        "going back takes nobody's approval here: `cockpit rollback` begins it"
    )


def test_what_was_signed_before_a_no_counts_no_more() -> None:
    no = ev.ProposalDeclined(Session().at, "lee", "", "no", (), True)
    command = cmd.RollBack(no.at, "dana", service="checkout")
    assert signoff.overtaken(command, [no]) == (
        "the rollback was declined since it was signed: look, and sign anew"
    )
    assert signoff.overtaken(command, [replace(no, asked=False)]) == ""


def test_a_statement_is_held_against_what_is_asked_of_it() -> None:
    s = begun(agreed("dana", people=(Person("dana", "Dana Ruiz", key=KEY), *PEOPLE[1:])))
    mine = back(s, "dana", service="checkout")
    said = signoff.challenge(s.state, mine, (len(s.log), "ab"), "1f", s.at)
    assert said is not None
    assert "decision='roll back' about=checkout text='checkout 7 back to 6'" in said.line()
    assert statement.read(said.line()) == said
    assert signoff.other(mine, said) == signoff.other(replace(mine, service="", by=""), said) == ""
    assert signoff.other(replace(mine, service="shop"), said) == (
        "it says that dana would roll back checkout, which isn't what was asked for"
    )


# Before the start


def test_a_role_that_nobody_holds_is_not_ready_and_may_be_taken() -> None:
    s = Session(agreed("support_liaison", "dana", roles=replace(ROLES, support_liaison=None)))
    assert roles.required(s.plan) == ("decision_owner", "rollback_owner", "support_liaison")
    (missing,) = [f for f in readiness.blocking(s.state, s.at) if f.key == "nobody:support_liaison"]
    assert missing.text == "support liaison: nobody holds it: name somebody under [roles]"
    assert consent.called(s.state) == "Dana Ruiz and support liaison"
    s.come("sam")
    s.do(cmd.TakeRole(s.at, "sam", reason="it is mine", role="support_liaison"))
    assert not readiness.blocking(s.state, s.at)
    assert consent.awaited(s.state) == ("sam", "dana")


def test_an_ask_for_a_role_that_nobody_holds_says_so() -> None:
    s = Session(agreed("support_liaison", roles=replace(ROLES, support_liaison=None)))
    s.start("it is urgent")
    s.do(back(s, "lee"))
    assert next_line(s.state, s.at) == "Lee Chen asks to roll back: support liaison agrees or declines"
    s.do(back(s, "lee", override="nobody holds it"))
    assert s.state.rollback is not None
    sound(s)


def test_names_are_listed() -> None:
    assert people.listed(()) == "nobody"
    assert people.listed(["a"]) == "a"
    assert people.listed(iter("abc")) == "a, b and c"


# The journal, and friction


def test_the_journal_tells_who_asked_who_agreed_and_who_declined() -> None:
    s = begun(agreed("dana", "sam"))
    s.do(back(s, "lee", "odd"))
    s.do(back(s, "sam"))
    s.do(cmd.DeclineProposal(s.at, "dana", reason="no"))
    said = [journal.say(e, s.plan, s.state.find) for e in s.log[-4:]]
    assert said == [
        "paused the rollout: asks to roll back: odd",
        "asked to roll back: odd; Dana Ruiz and Sam Okoro yet to agree",
        "agreed to the rollback (own account)",
        "declined the rollback that was asked for: no",
    ]


def test_what_an_approval_took_is_friction_and_so_is_going_without() -> None:
    s = begun(agreed("dana"))
    s.do(back(s, "lee", "odd"))
    s.tick(40)
    s.do(back(s, "lee", override="dana sleeps"))
    found = measured(list(enumerate(s.log, 1)), initial(s.plan, render))
    told = {(f.kind, f.subject) for f in found}
    assert {("approval", "the way back"), ("override", "the way back")} <= told


# What a log claims


def changed(s: Session, *gone: type[ev.Event], **fields: object) -> tuple[str, ...]:
    """What the log claims without those records, and with the rollback's start changed."""
    kept = (e for e in s.log if not isinstance(e, gone))
    log = [replace(e, **fields) if isinstance(e, ev.RollbackStarted) else e for e in kept]  # type: ignore[arg-type]
    return claims.check(log, s.plan)


def test_a_rollback_without_its_agreements_is_not_borne_out() -> None:
    s = begun(agreed("dana", "sam"))
    s.do(back(s, "lee"))
    s.do(back(s, "sam"))
    s.do(back(s, "dana"))
    assert changed(s) == ()
    assert any(
        "without the agreement of dana, sam, and no override" in c for c in changed(s, ev.RollbackAgreed)
    )
    assert any("agreements that nobody gave" in c for c in changed(s, ev.RollbackAgreed))
    assert any("agrees to a rollback that nobody asked for" in c for c in changed(s, ev.RollbackAsked))
    assert changed(s, ev.RollbackAgreed, agreed=None) == ()  # an earlier version asked nobody
    why = changed(s, ev.RollbackAgreed, agreed=(), override="asleep", by="sam")
    assert any("sam overrides what the rollback lacks, who may not" in c for c in why)
    assert changed(s, ev.RollbackAgreed, agreed=(), override="asleep") == ()


def test_an_agreement_in_the_place_of_others_and_going_on_meanwhile_are_not_borne_out() -> None:
    s = begun(agreed("dana", "sam"))
    s.do(back(s, "lee"))
    s.do(back(s, "sam"))
    forged = [
        replace(e, stands_for=("sam", "dana")) if isinstance(e, ev.RollbackAgreed) else e for e in s.log
    ]
    assert any("in the place of others" in c for c in claims.check(forged, s.plan))
    by_kim = [replace(e, by="kim") if isinstance(e, ev.RollbackAsked) else e for e in s.log]
    assert any("kim asks to roll back, who may not" in c for c in claims.check(by_kim, s.plan))
    on = [*s.log, ev.RolloutResumed(s.at, "dana", "", "", (), ())]
    assert any("goes on while a rollback was asked for" in c for c in claims.check(on, s.plan))
    declined = [*s.log, ev.ProposalDeclined(s.at, "dana", "", "no", (), True), *on[-1:]]
    assert claims.check(declined, s.plan) == ()
