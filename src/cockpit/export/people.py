"""What people did in a session: who was here, what they decided, signed and noted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from cockpit.core import events as e
from cockpit.core import statement
from cockpit.core.journal import number, other_account, span
from cockpit.core.limits import text as limit_text
from cockpit.core.people import key_of, listed, names
from cockpit.core.plan import Plan
from cockpit.export import model as m
from cockpit.export.measures import Records as Records
from cockpit.remote.signing import allowed_signer

CUT = "the session's process ended before it did"
"""Why a screen went that a crash took away."""


def decisions(records: Records, plan: Plan) -> Iterator[m.Decision]:
    """Every decision of a person, or of an agreed rule, in order."""
    for seq, event in records:
        if (decided := _decided(event, plan)) is None:
            continue
        by, via = (plan.person_name(getattr(event, key, "")) for key in ("by", "via"))
        evidence: tuple[e.Reading, ...] = getattr(event, "evidence", ())
        account = event.os_user if isinstance(event, e.Decision) else ""
        other = other_account(event, plan)
        said = (by or e.COCKPIT, via, _reason(event), evidence, account, other)
        yield m.Decision(seq, event.at, *decided, *said, *_proof(event, plan))


def _decided(event: e.Event, plan: Plan) -> tuple[str, str] | None:
    """What was decided, and about what; None for an event that is no decision."""
    match event:
        case e.ReleaseStarted():
            return "start", plan.release.name
        case e.StagePromoted(stage=stage):
            return "promote", stage
        case e.StageApproved(stage=stage):
            return "approve", stage
        case e.StageRejected(stage=stage):
            return "reject", stage
        case e.RolloutPaused(threshold=limit):
            return "pause", limit or ""
        case e.LeftAlone():
            return "pause", ""
        case e.RolloutResumed(accepted=accepted):
            return "resume", ", ".join(accepted)
        case e.RetryAuthorised():
            return "retry", f"{event.step} on {event.target}"
        case e.TargetExcluded(target=target):
            return "exclude", target
        case e.RollbackStarted(threshold=limit):
            lacks = listed(_lacking(event, plan)) if event.override else ""
            return "roll back", f"without {lacks}" if lacks else limit or ""
        case e.ReleaseAborted():
            return "abort", plan.release.name
        case e.RoleAccepted(role=role):
            handed = f" from {plan.person_name(event.was)}" if event.was not in ("", event.by) else ""
            return "accept", f"{_called(role)}{handed}"
        case e.RoleOffered():
            return "offer", f"{_called(event.role)} to {plan.person_name(event.to)}"
        case e.RoleDeclined(role=role):
            return "decline", _called(role)
        case e.RoleTaken():
            was = f" from {plan.person_name(event.was)}" if event.was else ""
            return "take over", f"{_called(event.role)}{was}"
        case e.SignalEntered(signal=signal):
            return "enter", f"{signal}: {number(event.value, units_of(plan).get(signal, ''))}"
        case e.SessionClosed() if event.by:
            return "close", event.outcome.replace("_", " ")
        case _:
            return _alarm(event, plan)


def _alarm(event: e.Event, plan: Plan) -> tuple[str, str] | None:
    """What was decided about a limit, about what nobody could explain, or by answering a call."""
    match event:
        case e.LimitChanged(threshold=limit):
            outside = (event.outside[0], event.outside[1]) if event.outside else None
            moved = replace(
                plan.threshold(limit), op=event.op, limit=event.limit, outside=outside, for_=event.for_
            )
            return "change limit", f"{limit}: from {event.was} to {limit_text(moved)}"
        case e.UnexplainedReported():
            return "can't explain", f"to be explained within {span(event.within)}"
        case e.ExplanationRecorded():
            return "explain", ""
        case e.RollbackProposed():
            return "propose rollback", f"to {names(plan, event.to)}"
        case e.RollbackAsked():
            return "ask to roll back", f"to {listed(map(plan.person_name, event.to))}" if event.to else ""
        case e.RollbackAgreed():
            return "agree to roll back", ""
        case e.ProposalDeclined():
            return "decline rollback", ""
        case e.EscalationAnswered(threshold=limit):
            return "answer", f"{limit}, {span(event.waited)} after the call"
        case _:
            return None


def _reason(event: e.Event) -> str:
    match event:
        case e.ReleaseStarted(override=reason) | e.SignalEntered(note=reason):
            return reason
        case e.LeftAlone():
            return "it was due to go on, and nobody was here to see it"
        case _:
            return getattr(event, "reason", "")


def _called(role: str) -> str:
    return role.replace("_", " ")


Proof = tuple[e.Level | None, str, str, str]


def _proof(event: e.Event | None, plan: Plan) -> Proof:
    """How sure it is whose word this is: the level, and where a key says so what verifies it."""
    if not isinstance(event, e.ChecklistSigned | e.StageApproved | e.RoleAccepted | e.RollbackAgreed):
        return None, "", "", ""
    try:
        line, armoured = statement.parts(event.signature)
        return event.level, line, armoured, allowed_signer(event.by, key_of(plan, event.by))
    except ValueError:  # nothing was signed
        return event.level, "", "", ""


def overrides(records: Records, plan: Plan) -> Iterator[m.Override]:
    """What stood in the way and was overridden, in order."""
    for seq, event in records:
        match event:
            case e.ReleaseStarted() if event.override:
                against = tuple(f for f in event.findings if not f.ok)
                yield m.Override(seq, event.at, plan.person_name(event.by), event.override, against, ())
            case e.RolloutResumed() if event.accepted:
                yield m.Override(seq, event.at, plan.person_name(event.by), event.reason, (), event.accepted)
            case e.RollbackStarted() if event.override:
                who = plan.person_name(event.by)
                yield m.Override(seq, event.at, who, event.override, (), (), _lacking(event, plan))
            case _:
                pass


def _lacking(event: e.RollbackStarted, plan: Plan) -> tuple[str, ...]:
    """Whose agreement a rollback began without: people by name, roles as the plan names them."""
    lacks = (name for name in plan.rollback.approval if name not in (event.agreed or ()))
    return tuple(plan.person_name(name).replace("_", " ") for name in dict.fromkeys(lacks))


def consent(records: Records, plan: Plan) -> m.Consent | None:
    """What the rollback took of others: what was asked last before it began; None where it asked nobody."""
    asked: e.RollbackAsked | None = None
    agreed: list[m.Agreement] = []
    for seq, event in records:
        match event:
            case e.RollbackAsked():
                asked, agreed = event, []
            case e.RollbackAgreed():
                who, via = plan.person_name(event.by), plan.person_name(event.via)
                stood = tuple(plan.person_name(name).replace("_", " ") for name in event.stands_for)
                agreed.append(m.Agreement(seq, event.at, who, stood, event.level, via, event.reason))
            case e.ProposalDeclined(asked=True):
                asked = None
            case e.RollbackStarted():
                if asked is None or event.by == e.COCKPIT:
                    return None
                wanted = tuple(plan.person_name(name).replace("_", " ") for name in plan.rollback.approval)
                without = _lacking(event, plan) if event.override else ()
                waited = max(event.at - asked.at, timedelta(0))
                by = plan.person_name(asked.by)
                told = (tuple(agreed), waited, event.override, without)
                return m.Consent(by, asked.at, asked.reason, wanted, *told)
            case _:
                pass
    return None


def signoffs(records: Records, plan: Plan) -> Iterator[m.SignOff]:
    """Every item of the checklist, once for each signature; once without, where nobody signed."""
    for item in plan.checklist:
        signed = [
            (i, s)
            for i, (_, s) in enumerate(records)
            if isinstance(s, e.ChecklistSigned) and s.item == item.id
        ]
        # An item that needs approvals is signed by several; each is shown, and so is one that nobody signed.
        for i, event in signed or [(0, None)]:
            yield m.SignOff(
                item.id,
                item.text,
                plan.person_name(plan.roles.person(item.owner)),
                item.before,
                event.at if event else None,
                plan.person_name(event.by) if event else "",
                plan.person_name(event.via) if event else "",
                event.note if event else "",
                event.evidence if event else (),
                event.os_user if event else "",
                other_account(event, plan) if event else "",
                _void(event, records[i + 1 :]) if event else "",
                *_proof(event, plan),
            )


def _void(signed: e.ChecklistSigned, later: Records) -> str:
    """Why a sign-off counts no more, or empty."""
    for _, event in later:
        match event:
            case e.SignOffExpired(item=signed.item, by=signed.by):
                return "it was too old"
            case e.ItemChecked(item=signed.item, ok=False, detail=detail):
                return f"its check failed since: {detail}"
            case _:
                pass
    return ""


def notes(records: Records, plan: Plan) -> Iterator[m.Note]:
    """Every note, in order."""
    notes = ((seq, n) for seq, n in records if isinstance(n, e.NoteAdded))
    for seq, n in notes:
        by, via = plan.person_name(n.by), plan.person_name(n.via)
        yield m.Note(seq, n.at, by, n.text, via, n.os_user, other_account(n, plan))


def attendance(records: Records, plan: Plan) -> tuple[m.Attendance, ...]:
    """Every screen, in the order they came; those that a crash took away went at a moment that nobody knows."""
    seats: list[m.Attendance] = []
    there: dict[str, int] = {}
    for _, event in records:
        match event:
            case e.ScreenAttached(screen=screen):
                person, account = plan.person_name(event.person), event.os_user
                there[screen] = len(seats)
                seats.append(
                    m.Attendance(screen, person, account, event.kind, event.may_act, event.at, None, "")
                )
            case e.ScreenDetached(screen=screen) if screen in there:
                seat = there.pop(screen)
                seats[seat] = replace(seats[seat], left_at=event.at, why=event.why)
            case e.SessionResumed():
                for seat in there.values():
                    seats[seat] = replace(seats[seat], why=CUT)
            case _:
                pass
    return tuple(seats)


def units_of(plan: Plan) -> dict[str, str]:
    """The unit of each signal, and of each threshold by its id: none for the ratio of one that compares."""
    of_signal = {signal.name: signal.unit for signal in plan.signals}
    judged = {t.id: "" if t.compare else of_signal.get(t.signal, "") for t in plan.thresholds}
    return of_signal | judged
