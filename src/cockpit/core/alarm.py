"""Calls for people: what nobody can explain, the rollback proposed for it, and who is here when called."""

from __future__ import annotations

from datetime import datetime

from cockpit.core import commands as cmd
from cockpit.core import consent, people
from cockpit.core import events as ev
from cockpit.core.authority import allowed, not_active
from cockpit.core.commands import Decided, Refused
from cockpit.core.journal import span
from cockpit.core.state import State


def human(
    state: State, c: cmd.ReportUnexplained | cmd.Explain | cmd.DeclineProposal | cmd.AnswerEscalation
) -> Decided:
    """What people say about an alarm."""
    match c:
        case cmd.ReportUnexplained():
            return _report(state, c)
        case cmd.Explain():
            return _explain(state, c)
        case cmd.DeclineProposal():
            return _decline(state, c)
        case _:
            return _answer(state, c)


def _report(state: State, c: cmd.ReportUnexplained) -> Decided:
    """The clock starts: anyone may, while the release goes forward."""
    if refused := not_active(state):
        return refused
    if state.unexplained is not None:
        since = c.at - state.unexplained.at
        return Refused(f"it is unexplained since {span(since)}: say what it was, or roll back")
    within = state.plan.rollback.explain_within
    return [ev.UnexplainedReported(c.at, c.by, c.via, c.reason, within, c.evidence)]


def _explain(state: State, c: cmd.Explain) -> Decided:
    if state.unexplained is None:
        return Refused("nothing is unexplained")
    if not c.reason:
        return Refused("an explanation takes words: what was it, and how is that known?")
    return [ev.ExplanationRecorded(c.at, c.by, c.via, c.reason)]


def _decline(state: State, c: cmd.DeclineProposal) -> Decided:
    """No to what a person asks for, and to what is proposed since nobody explained it: as far as that is theirs."""
    if state.proposed is None and state.back_asked is None:
        return Refused("no rollback is proposed")
    stoppers = people.stoppers(state.plan) if state.proposed is not None else ()
    who = tuple(dict.fromkeys((*stoppers, *consent.decliners(state))))
    if refused := allowed(state, c.by, who, "declining the rollback"):
        return refused
    if not c.reason:
        without = "going on without an explanation" if c.by in stoppers else "a no to the rollback"
        return Refused(f"{without} needs a reason")
    questions = ((True, consent.decliners(state)), (False, stoppers))
    return [
        ev.ProposalDeclined(c.at, c.by, c.via, c.reason, c.evidence, asked)
        for asked, may in questions
        if c.by in may
    ]


def proposal(state: State, at: datetime) -> list[ev.Event]:
    """Nobody explained it in time: whoever may roll back is asked to. Nothing while nothing could start from here."""
    unexplained = state.unexplained
    if unexplained is None or state.proposed is not None or at < unexplained.at + unexplained.within:
        return []
    about = f": {unexplained.reason}" if unexplained.reason else ""
    reason = f"unexplained for {span(unexplained.within)}{about}"
    return [ev.RollbackProposed(at, people.stoppers(state.plan), reason)]


def called(state: State, call: ev.ThresholdTripped) -> tuple[str, ...]:
    """The person ids that an escalation calls; those it names in free text are not among them."""
    wanted = people.holders(state.plan, call.escalate_to)
    return tuple(person for person in wanted if people.known(state.plan, person))


def answers(state: State, person: str) -> tuple[ev.ThresholdTripped, ...]:
    """The open escalations that `person` may answer: those that call them, or nobody whom the plan knows."""
    return tuple(c for c in state.escalations.values() if not (who := called(state, c)) or person in who)


def _answer(state: State, c: cmd.AnswerEscalation) -> Decided:
    mine = [call for call in answers(state, c.by) if c.threshold in ("", call.threshold)]
    if not mine:
        who = tuple(dict.fromkeys(n for call in state.escalations.values() for n in called(state, call)))
        if not who:
            return Refused("nobody is called at the moment")
        return Refused(f"{people.names(state.plan, who)} is called, not {state.plan.person_name(c.by)}")
    return [
        ev.EscalationAnswered(c.at, call.threshold, c.by, c.via, c.at - call.at, c.reason) for call in mine
    ]
