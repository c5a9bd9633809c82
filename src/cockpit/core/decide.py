"""What may happen: a command and the state give events, or a refusal that says what would help.

    command ── by a person ──> authority? ──> the release's state allows it? ──> events
            ── a report ─────> known, or already settled? ─────────────────────> events
            ── a tick ───────> whatever follows by itself, until it has to wait

Order within a turn is `commands.precedence`: abort beats roll back beats pause beats promote.
"""

from __future__ import annotations

from dataclasses import replace

from cockpit.core import checklist, follow, people, readiness, rollback, rollout, window
from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.commands import Refused
from cockpit.core.state import State, breached, clean, evolve, unclean

Decided = list[ev.Event] | Refused


def decide(state: State, command: cmd.Command) -> Decided:
    """The events that `command` causes, or why it may not happen. Pure; never raises."""
    if isinstance(command, cmd.OpenSession):
        return _open(state, command)
    if state.opened is None:
        return Refused("no session is open")
    if isinstance(command, cmd.AddNote):  # the review may be added to after the end
        return _note(state, command)
    if isinstance(command, cmd.ReportNotice):
        return [ev.NoticeSent(command.at, command.on, command.line, command.ok, command.detail)]
    if state.closed is not None:
        return [] if not isinstance(command, cmd.HumanCommand) else Refused("the session is closed")
    match command:
        case cmd.HumanCommand():
            return _human(state, command)
        case cmd.ResumeSession():
            return [ev.SessionResumed(command.at, command.by, command.os_user, command.machine)]
        case cmd.CloseUnattended():
            result = state.rollback_result
            return [ev.SessionClosed(command.at, "rolled_back", result.unproven)] if result else []
        case cmd.LeaveSession():
            return [] if state.left else [ev.SessionLeft(command.at, command.by, command.reason)]
        case cmd.ReportProbe():
            return [ev.TargetProbed(command.at, command.target, command.ok, command.detail)]
        case cmd.ReportStep():
            return _step(state, command)
        case cmd.ReportVerdict():
            return _verdict(state, command)
        case cmd.Tick():
            return follow.tick(state, command)
        case _:  # pragma: no cover
            raise TypeError(f"unknown command {command!r}")


def _open(state: State, c: cmd.OpenSession) -> Decided:
    if state.opened is not None:
        return Refused("the session is open already")
    return [
        ev.SessionOpened(
            c.at,
            c.session,
            c.by,
            c.os_user,
            c.machine,
            c.cockpit_version,
            c.plan_path,
            c.plan_sha256,
            c.plan_text,
            c.promote_when_clean,
        )
    ]


def _human(state: State, c: cmd.HumanCommand) -> Decided:
    if not people.known(state.plan, c.by):
        return Refused(f"{c.by} isn't in the plan's [people]")
    c = replace(c, reason=c.reason.strip())
    match c:
        case cmd.StartRelease():
            return _start(state, c)
        case cmd.Promote():
            return _promote(state, c)
        case cmd.PauseRollout():
            return _pause(state, c)
        case cmd.ResumeRollout():
            return _resume(state, c)
        case cmd.Abort():
            return _abort(state, c)
        case cmd.RollBack():
            return _roll_back(state, c)
        case cmd.RetryTarget():
            return _retry(state, c)
        case cmd.ExcludeTarget():
            return _exclude(state, c)
        case cmd.SignItem():
            return _sign(state, c)
        case cmd.CloseSession():
            return _close(state, c)
        case _:  # pragma: no cover
            raise TypeError(f"unknown command {c!r}")


def _note(state: State, c: cmd.AddNote) -> Decided:
    if not people.known(state.plan, c.by):
        return Refused(f"{c.by} isn't in the plan's [people]")
    if not c.reason.strip():
        return Refused("an empty note says nothing")
    return [ev.NoteAdded(c.at, c.by, c.reason.strip())]


def _not_active(state: State) -> Refused | None:
    """Why the rollout can't be steered forward now."""
    if state.started is None:
        return Refused("the release hasn't started")
    if state.left is not None:
        return Refused("the session was left: nothing new starts")
    if state.aborted is not None:
        return Refused("the release was aborted")
    if state.rollback is not None:
        return Refused("the release is rolling back")
    return None


def _allowed(state: State, by: str, who: tuple[str, ...], what: str) -> Refused | None:
    if by in who:
        return None
    return Refused(f"{what} takes {people.names(state.plan, who)}, not {state.plan.person_name(by)}")


def _start(state: State, c: cmd.StartRelease) -> Decided:
    if state.started is not None:
        return Refused("the release has started already")
    if state.aborted is not None:
        return Refused("the release was aborted")
    if refused := _allowed(state, c.by, (state.plan.roles.decision_owner,), "starting the release"):
        return refused
    findings = readiness.findings(state, c.at)
    missing = [f for f in findings if not f.ok]
    unseen = [f for f in missing if not c.reason or f.key not in c.overriding]
    if unseen:
        return Refused("not ready: " + "; ".join(f.text for f in unseen))
    override = c.reason if missing else ""
    return [ev.ReleaseStarted(c.at, c.by, c.via, override, findings, c.evidence)]


def _promote(state: State, c: cmd.Promote) -> Decided:
    if refused := _not_active(state):
        return refused
    stage = rollout.current_stage(state)
    if state.paused is not None:
        return Refused("the rollout is paused: resume it first")
    if c.stage and (stage is None or c.stage != stage.name or state.phase != "waiting"):
        return Refused(f"{c.stage} doesn't wait to be promoted")
    if state.phase == "baking" and state.bake is not None:
        left = state.bake.bake_time - state.bake.done(c.at)
        return Refused(f"the bake needs {left.total_seconds():.0f} s more of clean signals")
    if stage is None or state.phase != "waiting":
        return Refused("nothing waits to be promoted: a wave is running" if stage else "every stage is done")
    if state.promoted == stage.name:
        return Refused(f"{stage.name} is promoted already: it begins now")
    if refused := _allowed(state, c.by, people.deciders(state.plan, stage), f"promoting {stage.name}"):
        return refused
    if holding := checklist.holding(state, f"stage:{stage.name}"):
        return Refused(f"{stage.name} is held back by: {', '.join(i.text for i in holding)}")
    if not clean(state):
        return Refused(
            "the signals aren't clean: wait, roll back, or resume from a pause by accepting the limit"
        )
    if (objection := window.objection(state.plan, c.at)) and not c.reason:
        return Refused(f"{objection}: promoting {stage.name} now needs a reason")
    return [ev.StagePromoted(c.at, stage.name, c.by, c.via, c.reason, c.evidence)]


def _pause(state: State, c: cmd.PauseRollout) -> Decided:
    if refused := _not_active(state):
        return refused
    if state.paused is not None:
        return Refused("the rollout is paused already")
    return [ev.RolloutPaused(c.at, c.by, c.via, c.reason, None, c.evidence)]


def _resume(state: State, c: cmd.ResumeRollout) -> Decided:
    if refused := _not_active(state):
        return refused
    if state.paused is None:
        return Refused("the rollout isn't paused")
    if reason := rollout.stuck(state):
        return Refused(f"{reason}: retry or exclude a target, or roll back")
    held = _held_by(state)
    if held:
        if refused := _allowed(
            state, c.by, (state.plan.roles.decision_owner,), f"going on over {', '.join(held)}"
        ):
            return refused
        if not c.reason:
            return Refused(f"going on over {', '.join(held)} needs a reason")
    unseen = [t for t in breached(state) if t not in c.accepting]
    if unseen:
        return Refused(f"{', '.join(unseen)} is breached: accepting it is a decision of its own")
    return [ev.RolloutResumed(c.at, c.by, c.via, c.reason, breached(state), c.evidence)]


def _held_by(state: State) -> tuple[str, ...]:
    """What makes going on a decision: limits breached, or silent since they paused the rollout; a closed window."""
    unsettled = {t.id for t in unclean(state)}
    held = breached(state)
    match state.paused:
        case ev.RolloutPaused(threshold=str(threshold)) if threshold in unsettled and threshold not in held:
            return (*held, threshold)
        case ev.WindowClosed():
            return (*held, "the closed window")
        case _:
            return held


def _abort(state: State, c: cmd.Abort) -> Decided:
    if state.aborted is not None:
        return Refused("the release was aborted already")
    if refused := _allowed(state, c.by, people.stoppers(state.plan), "aborting"):
        return refused
    return [ev.ReleaseAborted(c.at, c.by, c.via, c.reason, c.evidence)]


def _roll_back(state: State, c: cmd.RollBack) -> Decided:
    if refused := _not_active(state):
        return refused
    if refused := _allowed(state, c.by, people.stoppers(state.plan), "rolling back"):
        return refused
    return [ev.RollbackStarted(c.at, c.by, c.via, c.reason, None, c.evidence)]


def _mendable(state: State, by: str, what: str) -> Refused | None:
    if state.started is None:
        return Refused("the release hasn't started")
    if state.aborted is not None:
        return Refused("the release was aborted")
    return _allowed(state, by, people.menders(state.plan), what)


def _retry(state: State, c: cmd.RetryTarget) -> Decided:
    if refused := _mendable(state, c.by, f"retrying {c.target}"):
        return refused
    if not c.reason:
        return Refused(f"running a step on {c.target} again needs a reason")
    if state.rollback is not None:
        for wave in rollback.way_back(state, c.at):
            for back in wave:
                stage, step = back.stage.name, back.step or ""
                if back.target == c.target and back.status == "unproven" and _may_rerun(state, back):
                    return [ev.RetryAuthorised(c.at, stage, step, c.target, c.by, c.via, c.reason)]
        return Refused(f"nothing to retry on {c.target}")
    for target, progress in rollout.troubled(state):
        attempt = progress.attempt
        if target != c.target or attempt is None:
            continue
        if rollback.may_still_run(attempt, c.at):
            return Refused(
                f"{attempt.step} may still be running on {target}: wait for its timeout, or exclude {target}"
            )
        return [ev.RetryAuthorised(c.at, attempt.stage, attempt.step, target, c.by, c.via, c.reason)]
    return Refused(f"nothing to retry on {c.target}: no step failed or is in doubt there")


def _may_rerun(state: State, back: rollback.BackTarget) -> bool:
    attempt = state.latest(back.stage.name, back.step or "", back.target, "back")
    return attempt is not None and attempt.status != "rolled_back"


def _exclude(state: State, c: cmd.ExcludeTarget) -> Decided:
    if refused := _not_active(state):
        return refused
    if refused := _mendable(state, c.by, f"excluding {c.target}"):
        return refused
    if all(c.target != t.id for t in state.plan.targets):
        return Refused(f"the plan has no target {c.target}")
    if c.target in state.excluded:
        return Refused(f"{c.target} is excluded already")
    if not c.reason:
        return Refused(f"excluding {c.target} needs a reason")
    return [ev.TargetExcluded(c.at, c.target, c.by, c.via, c.reason)]


def _sign(state: State, c: cmd.SignItem) -> Decided:
    item = next((i for i in state.plan.checklist if i.id == c.item), None)
    if item is None:
        return Refused(f"the plan has no checklist item {c.item}")
    if refused := _allowed(state, c.by, checklist.signers(state, item), f"signing {item.id}"):
        return refused
    if c.by not in checklist.missing(state, item):
        return Refused(f"{state.plan.person_name(c.by)} has signed {item.id} already")
    return [ev.ChecklistSigned(c.at, item.id, c.by, c.via, c.reason, c.evidence)]


def _close(state: State, c: cmd.CloseSession) -> Decided:
    result = state.rollback_result
    if result is None:
        return Refused("only a rollback that stays partial is closed by hand")
    if refused := _allowed(state, c.by, people.stoppers(state.plan), "closing a partial rollback"):
        return refused
    return [ev.SessionClosed(c.at, "rolled_back", result.unproven)]


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
        )
    ]


def _verdict(state: State, c: cmd.ReportVerdict) -> Decided:
    threshold = state.plan.threshold(c.threshold)
    before = state.verdicts.get(threshold.id)
    changed = ev.VerdictChanged(
        c.at,
        threshold.id,
        threshold.signal,
        c.verdict,
        c.value,
        threshold.limit_text,
        c.target,
        c.breaching_since,
        c.known_until,
        c.detail,
    )
    if c.verdict != "breach" or (
        before is not None and (before.verdict, before.target) == ("breach", c.target)
    ):
        return [changed]
    if threshold.observe_only or state.accepts(changed) or state.started is None:
        return [changed]
    tripped = ev.ThresholdTripped(
        c.at,
        threshold.id,
        threshold.action,
        c.value,
        threshold.limit_text,
        c.target,
        threshold.escalate_to,
        threshold.message,
    )
    return [changed, tripped, *_action(evolve(state, changed), tripped, c.evidence)]


def _action(state: State, trip: ev.ThresholdTripped, evidence: tuple[ev.Reading, ...]) -> list[ev.Event]:
    """What an exceeded limit does by itself. A release that goes back or has stopped needs nothing more."""
    if _not_active(state) is not None:
        return []
    value = f"{trip.value:g}" if trip.value is not None else "no data"
    reason = f"{trip.threshold}: {value}{f' on {trip.target}' if trip.target else ''}"
    if trip.action == "rollback":
        return [ev.RollbackStarted(trip.at, ev.COCKPIT, "", reason, trip.threshold, evidence)]
    if trip.action == "pause" and state.paused is None:
        return [ev.RolloutPaused(trip.at, ev.COCKPIT, "", reason, trip.threshold, evidence)]
    return []
