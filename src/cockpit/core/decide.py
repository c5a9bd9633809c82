"""What may happen: a command and the state give events, or a refusal that says what would help.

    command ── by a person ──> authority? ──> the release's state allows it? ──> events
            ── a report ─────> known, or already settled? ─────────────────────> events
            ── a tick ───────> whatever follows by itself, until it has to wait

Order within a turn is `commands.precedence`: abort beats roll back beats pause beats promote.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from cockpit.core import (
    alarm,
    attendance,
    checklist,
    consent,
    follow,
    gates,
    limits,
    mend,
    news,
    people,
    readiness,
    review,
    roles,
    rollout,
    signoff,
)
from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.authority import allowed, not_active, not_driving
from cockpit.core.commands import Decided, Refused
from cockpit.core.state import State, accepting, breached, unclean
from cockpit.core.thresholds import towards

Afterwards = (
    cmd.AddNote
    | cmd.AnswerQuestion
    | cmd.AddAction
    | cmd.SettleAction
    | cmd.ReportNotice
    | cmd.ReportReleased
)


def decide(state: State, command: cmd.Command) -> Decided:
    """The events that `command` causes, or why it may not happen. Pure; never raises."""
    decided = _decide(state, command)
    if isinstance(decided, Refused) or not isinstance(command, cmd.HumanCommand) or not command.os_user:
        return decided
    return [replace(e, os_user=command.os_user) if isinstance(e, ev.Decision) else e for e in decided]


def _decide(state: State, command: cmd.Command) -> Decided:
    if isinstance(command, cmd.OpenSession):
        return _open(state, command)
    if state.opened is None:
        return Refused("no session is open")
    if isinstance(command, cmd.DetachScreen):
        return attendance.detach(state, command)
    if isinstance(command, cmd.AttachScreen):
        return attendance.attach(state, command)
    if isinstance(command, Afterwards):
        return _afterwards(state, command)
    if state.closed is not None:
        return [] if not isinstance(command, cmd.HumanCommand) else Refused("the session is closed")
    match command:
        case cmd.HumanCommand():
            return _human(state, command)
        case cmd.ResumeSession():
            c = command
            who = (c.by, c.os_user, c.machine, c.cockpit_version, c.plan_file, c.reason, c.promote_when_clean)
            return [ev.SessionResumed(c.at, *who)]
        case cmd.CloseUnattended():
            result = state.rollback_result
            return [ev.SessionClosed(command.at, "rolled_back", result.unproven)] if result else []
        case cmd.LeaveSession():
            return [] if state.left else [ev.SessionLeft(command.at, command.by, command.reason)]
        case cmd.ReportProbe():
            return _probed(state, command)
        case cmd.ReportReplaced():
            return _replaced(state, command.at, command.target, command.detail)
        case cmd.ReportSleep():
            return [ev.MachineSlept(command.at, command.slept)]
        case cmd.ReportStep():
            return _step(state, command)
        case cmd.ReportFound():
            found = state.find(command.attempt)
            return [ev.StepFound(command.at, found.id)] if found is not None and found.unsettled else []
        case cmd.ReportVerdict():
            return limits.verdict(state, command)
        case cmd.Tick():
            return follow.tick(state, command)
        case _:
            return news.report(state, command)


def _open(state: State, c: cmd.OpenSession) -> Decided:
    if state.opened is not None:
        return Refused("the session is open already")
    return [
        ev.SessionOpened(
            c.at,
            c.session,
            c.spool,
            c.by,
            c.os_user,
            c.machine,
            c.cockpit_version,
            c.plan_path,
            c.plan_sha256,
            c.plan_text,
            c.promote_when_clean,
            c.inventory,
        ),
        *roles.opening(state.plan, c),
    ]


def _human(state: State, c: cmd.HumanCommand) -> Decided:
    if not people.known(state.plan, c.by):
        return Refused(f"{c.by} isn't in the plan's [people]")
    if isinstance(c, cmd.SignedCommand) and c.signature and signoff.used(state, c.signature):
        return Refused(signoff.USED)
    c = replace(c, reason=c.reason.strip())
    match c:
        case cmd.StartRelease():
            return _start(state, c)
        case cmd.Promote():
            return gates.promote(state, c)
        case cmd.RejectStage():
            return gates.reject(state, c)
        case cmd.PauseRollout():
            return _pause(state, c)
        case cmd.ResumeRollout():
            return _resume(state, c)
        case cmd.Abort():
            return _abort(state, c)
        case cmd.RollBack():
            return consent.roll_back(state, replace(c, override=c.override.strip()))
        case cmd.RetryTarget():
            return mend.retry(state, c)
        case cmd.ResolveDoubt():
            return mend.resolve(state, c)
        case cmd.ExcludeTarget():
            return mend.exclude(state, c)
        case cmd.SignItem():
            return checklist.sign(state, c)
        case cmd.AcceptRole() | cmd.OfferRole() | cmd.DeclineRole() | cmd.TakeRole():
            return roles.human(state, c)
        case cmd.EnterReading():
            return attendance.enter(state, c)
        case cmd.ChangeLimit():
            return limits.change(state, c)
        case cmd.ReportUnexplained() | cmd.Explain() | cmd.DeclineProposal() | cmd.AnswerEscalation():
            return alarm.human(state, c)
        case cmd.CloseSession():
            return _close(state, c)
        case _:  # pragma: no cover
            raise TypeError(f"unknown command {c!r}")


def _afterwards(state: State, c: Afterwards) -> Decided:
    """What may come after the end too: the review is added to, and what was under way reports back."""
    match c:
        case cmd.ReportNotice():
            return [ev.NoticeSent(c.at, c.on, c.line, c.ok, c.detail)]
        case cmd.ReportReleased():
            return [ev.TargetsReleased(c.at, c.released, c.left)]
        case _:
            return review.human(state, c)


def _start(state: State, c: cmd.StartRelease) -> Decided:
    if state.started is not None:
        return Refused("the release has started already")
    if state.aborted is not None:
        return Refused("the release was aborted")
    if refused := attendance.unattended(state):
        return refused
    if held := [p for p in state.probes.values() if p.held_by]:
        return Refused(
            f"{held[0].target} is held by {held[0].held_by}: two sessions never drive one "
            'target; to take it over, run with --take-over "REASON"'
        )
    if refused := allowed(state, c.by, people.promoters(state.plan), "starting the release"):
        return refused
    findings = readiness.findings(state, c.at)
    missing = [f for f in findings if not f.ok]
    unseen = [f for f in missing if not c.reason or f.key not in c.overriding]
    if unseen:
        return Refused("not ready: " + "; ".join(f.text for f in unseen))
    override = c.reason if missing else ""
    return [ev.ReleaseStarted(c.at, c.by, c.via, override, findings, c.evidence)]


def _pause(state: State, c: cmd.PauseRollout) -> Decided:
    if refused := not_active(state):
        return refused
    if state.paused is not None:
        return Refused("the rollout is paused already")
    return [ev.RolloutPaused(c.at, c.by, c.via, c.reason, None, c.evidence)]


def _resume(state: State, c: cmd.ResumeRollout) -> Decided:
    if state.rollback is not None and state.paused is not None and state.aborted is None:
        return _resume_rollback(state, c)
    if refused := not_active(state):
        return refused
    if state.paused is None:
        return Refused("the rollout isn't paused")
    if state.back_asked is not None:
        return Refused(f"{consent.sentence(state, '')[0]}; nothing goes on until then")
    if refused := attendance.unattended(state):
        return refused
    if reason := rollout.stuck(state):
        return Refused(f"{reason}: retry or exclude a target, or roll back")
    owner = people.promoters(state.plan)
    if isinstance(state.paused, ev.LeftAlone) and (
        refused := allowed(state, c.by, owner, "going on after nobody was here")
    ):
        return refused
    held = _held_by(state)
    if held:
        if refused := allowed(state, c.by, owner, f"going on over {', '.join(held)}"):
            return refused
        if not c.reason:
            return Refused(f"going on over {', '.join(held)} needs a reason")
    unseen = [t for t in breached(state) if t not in c.accepting]
    if unseen:
        return Refused(f"{', '.join(unseen)} is breached: accepting it is a decision of its own")
    if worse := _worse_than_shown(state, c):
        return Refused(f"{', '.join(worse)} has got worse than what was shown: look again")
    return [ev.RolloutResumed(c.at, c.by, c.via, c.reason, breached(state), c.evidence)]


def _worse_than_shown(state: State, c: cmd.ResumeRollout) -> list[str]:
    """The limits of which more would be accepted than the person saw."""
    shown = {(reading.threshold, reading.target): reading.value for reading in c.shown}
    return [
        key[0]
        for key, most in accepting(state, breached(state) if shown else (), c.evidence).items()
        if towards(limit := state.plan.threshold(key[0]), most) > towards(limit, shown.get(key))
    ]


def _resume_rollback(state: State, c: cmd.ResumeRollout) -> Decided:
    """A rollback that was cut short goes on: anyone who may roll back may say so."""
    if gone := not_driving(state):
        return gone
    if refused := allowed(state, c.by, people.stoppers(state.plan), "going on rolling back"):
        return refused
    return [ev.RolloutResumed(c.at, c.by, c.via, c.reason, (), c.evidence)]


def _held_by(state: State) -> tuple[str, ...]:
    """What makes going on a decision: limits breached, or silent since they paused the rollout; a closed window.

    After the session was taken up again any limit that isn't clean does.
    """
    unsettled = {t.id for t in unclean(state)}
    held = tuple(sorted(unsettled)) if state.resumed is not None else breached(state)
    match state.paused:
        case ev.RolloutPaused(threshold=str(threshold)) if threshold in unsettled and threshold not in held:
            return (*held, threshold)
        case ev.WindowClosed(why=why):
            return (*held, f"the freeze ({why})" if why else "the closed window")
        case ev.StageRejected(stage=stage):
            return (*held, f"the no to {stage}")
        case _:
            return held


def _abort(state: State, c: cmd.Abort) -> Decided:
    if state.aborted is not None:
        return Refused("the release was aborted already")
    if refused := allowed(state, c.by, people.stoppers(state.plan), "aborting"):
        return refused
    return [ev.ReleaseAborted(c.at, c.by, c.via, c.reason, c.evidence)]


def _close(state: State, c: cmd.CloseSession) -> Decided:
    result = state.rollback_result
    if result is None:
        return Refused("only a rollback that stays partial is closed by hand")
    if refused := allowed(state, c.by, people.stoppers(state.plan), "closing a partial rollback"):
        return refused
    return [ev.SessionClosed(c.at, "rolled_back", result.unproven, c.by, c.via, c.reason)]


def _probed(state: State, c: cmd.ReportProbe) -> Decided:
    probed = ev.TargetProbed(c.at, c.target, c.ok, c.detail, c.held_by, c.running)
    if c.held_by and state.started is not None:
        return [probed, *_replaced(state, c.at, c.target, f"{c.target} is held by {c.held_by}")]
    return [probed]


def _replaced(state: State, at: datetime, target: str, detail: str) -> list[ev.Event]:
    return [] if state.replaced is not None else [ev.DriverReplaced(at, target, detail)]


def _step(state: State, c: cmd.ReportStep) -> Decided:
    attempt = state.find(c.attempt)
    if attempt is None or attempt.status not in ("running", "in_doubt"):
        return []  # settled already: a late report changes nothing
    return [
        ev.StepFinished(
            c.at,
            c.attempt,
            c.finish,
            c.proven,
            c.exit_code,
            c.verify_exit_code,
            c.seconds,
            c.detail,
            c.output_bytes,
            c.output_sha256,
            c.settled,
        )
    ]
