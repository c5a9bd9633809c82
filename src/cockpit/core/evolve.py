"""How each event changes the state: the fold of the log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from cockpit.core import events as ev
from cockpit.core import lanes
from cockpit.core.attempt import cut
from cockpit.core.attempts import Attempts, OfAttempt
from cockpit.core.checklist import ahead
from cockpit.core.people_state import vouched
from cockpit.core.shared import put
from cockpit.core.state import Bake, Paused, State, accepting, breached, clean


def replay(events: Iterable[ev.Event], state: State) -> State:
    """Fold `events` into `state`, in order. Total: every event applies to every state."""
    attempts: Attempts | None = None
    for event in events:
        if isinstance(event, OfAttempt):
            attempts = (attempts or Attempts(state)).taken(event)
            continue
        if attempts is not None:
            state, attempts = attempts.folded(), None
        state = _evolved(state, event)
    return state if attempts is None else attempts.folded()


def evolve(state: State, event: ev.Event) -> State:
    """The state after `event`."""
    return replay((event,), state)


def _evolved(state: State, event: ev.Event) -> State:
    match event:
        case ev.TargetProbed():
            return state.but(probes=put(state.probes, event.target, event))
        case ev.ReleaseStarted():
            accepted = accepting(state, breached(state), event.evidence)
            freezes = frozenset(f.text for f in event.findings if f.key == "freeze" and not f.ok)
            started = state.but(started=event, since=event.at, freezes_over=freezes)
            return started.but(accepted={**state.accepted, **accepted})
        case ev.VerdictChanged():
            return _judged(state, event)
        case ev.RolloutPaused() | ev.LeftAlone() | ev.StageRejected() | ev.GateTimedOut():
            return _paused(state, event)
        case ev.RolloutResumed():
            accepted = {**state.accepted, **accepting(state, event.accepted, event.evidence)}
            going_on = state.but(
                paused=None, accepted=accepted, resumed=None, open_then=(), back_declined=None
            )
            return _rebaked(going_on, event.at, event.at)
        case ev.WindowClosed():
            over = state.window_over or not event.why
            freezes = state.freezes_over | {event.why}
            return _paused(state, event).but(window_over=over, freezes_over=freezes)
        case ev.RetryAuthorised():
            return _retried(state, event)
        case ev.TargetExcluded():
            excluded = state.but(excluded={**state.excluded, event.target: event})
            return lanes.changed(excluded, {event.target: event.at})
        case ev.RollbackStarted():
            going_back = _unasked(_explained(state)).but(rollback=event, paused=None, resumed=None, bake=None)
            return lanes.going_back(going_back.but(retries=frozenset(), since=event.at), event.at)
        case ev.RollbackFinished():
            return state.but(rollback_result=event, since=event.at)
        case ev.ReleaseAborted():
            stopped = _unasked(_explained(state)).but(aborted=event, paused=None, resumed=None, bake=None)
            return stopped.but(since=event.at)
        case _:
            return _advanced(state, event)


def _advanced(state: State, event: ev.Event) -> State:
    """The rollout moves on: stages, waves and bakes."""
    match event:
        case ev.StagePromoted():
            promoted = state.but(promoted=event.stage, asked=None, approvals=())
            return promoted.signing(event.signature)
        case ev.GateAsked():
            return state.but(asked=None if event.held else event.at)
        case ev.StageApproved():
            return state.approving(event)
        case ev.StageStarted():
            return state.but(promoted=None, since=event.at)
        case ev.WaveStarted():
            begun = (*state.waves_begun, (state.stage, event.wave))
            on = state.but(phase="running", wave=event.wave, bake=None, waves_begun=begun, since=event.at)
            return lanes.entered(on if state.rollback is None else lanes.going_back(on, event.at))
        case ev.BakeStarted():
            since = event.at if clean(state) else None
            bake = Bake(event.bake_time, clean_since=since)
            return state.but(phase="baking", bake=bake, since=event.at)
        case ev.StageFinished():
            after = state.but(stage=state.stage + 1, wave=0, bake=None, lane=lanes.NO_LANE)
            return after.but(phase="waiting", since=event.at)
        case _:
            return _alarmed(state, event)


def _alarmed(state: State, event: ev.Event) -> State:
    """What is known of the signals beside their verdicts; what is unexplained, and who was called."""
    match event:
        case ev.SignalRead():
            return state.but(signals={**state.signals, event.signal: event})
        case ev.RehearsalFound():
            return state.but(rehearsal=event)
        case ev.LimitChanged():
            return _limit_changed(state, event)
        case ev.UnexplainedReported():
            return _rebaked(state.but(unexplained=event), event.at, event.at)
        case ev.RollbackProposed():
            return state.but(proposed=event)
        case ev.RollbackAsked():
            return state.but(back_asked=event, back_declined=None)
        case ev.RollbackAgreed():
            return state.but(back_agreed=(*state.back_agreed, event)).signing(event.signature)
        case ev.ProposalDeclined(asked=True):
            return _unasked(state).but(back_declined=event)
        case ev.ExplanationRecorded() | ev.ProposalDeclined():
            return _rebaked(_explained(state), event.at, event.at)
        case ev.ThresholdTripped(action="escalate"):
            return state.but(escalations={**state.escalations, event.threshold: event})
        case ev.EscalationAnswered():
            waiting = {t: call for t, call in state.escalations.items() if t != event.threshold}
            return state.but(escalations=waiting)
        case _:
            return _lived(state, event)


def _paused(state: State, event: Paused) -> State:
    """Nothing new starts. What was approved at a gate was approved on what the signals said then: it is asked anew."""
    return state.but(paused=event, approvals=(), asked=None)


def _explained(state: State) -> State:
    """Nothing is unexplained any more, or nothing more comes of it."""
    return state.but(unexplained=None, proposed=None)


def _unasked(state: State) -> State:
    """Nobody asks to roll back any more, and what was agreed to it counts no more."""
    return state.but(back_asked=None, back_agreed=())


def _limit_changed(state: State, event: ev.LimitChanged) -> State:
    """The plan has the limit as it is now. What was said about the old one, and accepted of it, counts no more.

    Nor does the number at which the old one cleared: it was chosen for that one.
    """
    old = state.plan.threshold(event.threshold)
    same = (old.op, old.limit, old.outside or ()) == (event.op, event.limit, event.outside)
    moved = replace(
        old,
        clears_at=old.clears_at if same else None,
        op=event.op,
        limit=event.limit,
        outside=(event.outside[0], event.outside[1]) if event.outside else None,
        for_=event.for_,
        changed=True,
    )
    thresholds = tuple(moved if t.id == moved.id else t for t in state.plan.thresholds)
    verdicts = {t: v for t, v in state.verdicts.items() if t != moved.id}
    plan, lasting = replace(state.plan, thresholds=thresholds), state.lasting - {moved.id}
    after = state.but(plan=plan, verdicts=verdicts, lasting=lasting)
    return _rebaked(_forgiven(after, moved.id), event.at, event.at)


def _forgiven(state: State, threshold: str) -> State:
    """What was accepted of a limit is no longer."""
    accepted = {key: most for key, most in state.accepted.items() if key[0] != threshold}
    return state.but(accepted=accepted)


def _lived(state: State, event: ev.Event) -> State:
    """The session's own life. Notes, notices, trips, finished waves and bakes are for the review alone."""
    match event:
        case ev.SessionOpened():
            return state.but(opened=event, since=event.at)
        case ev.SessionResumed():
            return _resumed(state, event)
        case ev.ScreenAttached():
            return _attached(state, event)
        case ev.ScreenDetached():
            return _detached(state, event)
        case ev.SessionLeft():
            return state.but(left=event)
        case ev.SessionClosed():
            return state.but(closed=event)
        case ev.DriverReplaced():
            return state.but(replaced=event)
        case ev.TargetsReleased():
            return state.but(released=state.released.union(event.released))
        case ev.MachineSlept():
            return _blind(state, event.at)
        case _:
            return vouched(state, event)


def _attached(state: State, event: ev.ScreenAttached) -> State:
    screens = {**state.screens, event.screen: event}
    if not event.may_act:
        return state.but(screens=screens)
    gone = state.gone - {event.person}
    return state.but(screens=screens, attended=True, alone=None, gone=gone)


def _detached(state: State, event: ev.ScreenDetached) -> State:
    """A screen goes. Whoever has none left has gone; where nobody who may act has, it is alone until somebody comes."""
    screens = {name: screen for name, screen in state.screens.items() if name != event.screen}
    went = state.screens.get(event.screen)
    after = state.but(screens=screens)
    if went is not None and went.may_act and went.kind == "screen" and not after.here(went.person):
        after = after.but(gone=state.gone | {went.person})
    return after.but(alone=event) if after.unattended and not state.unattended else after


def _retried(state: State, event: ev.RetryAuthorised) -> State:
    """A retry while the wave bakes takes it back to running: it bakes anew once the target is done."""
    retries = state.retries | {(event.stage, event.step, event.target)}
    retried = state.but(retries=retries, rollback_result=None)
    retried = lanes.changed(retried, {event.target: event.at})
    return retried.but(phase="running", bake=None) if state.phase == "baking" else retried


def _resumed(state: State, event: ev.SessionResumed) -> State:
    """Attempts that were in flight are in doubt; nothing starts until a person says so."""
    then = (*state.running(), *state.unsettled())
    attempts = Attempts(state)
    for attempt in state.running():
        attempts.changed(attempt.id, partial(cut, at=event.at), event.at)
    state = attempts.folded()
    held = state.aborted is None and state.started is not None
    opened = state.opened and replace(state.opened, promote_when_clean=event.promote_when_clean)
    return _blind(state, event.at).but(
        opened=opened,
        resumed=event if held else None,
        open_then=tuple(a.id for a in then),
        screens={},
        gone=state.gone | {screen.person for screen in state.acting if screen.kind == "screen"},
        approvals=(),
        asked=None,
        alone=None,
        left=None,
        replaced=None,
        paused=state.paused or (event if held else None),
        since=event.at,
    )


def _blind(state: State, at: datetime) -> State:
    """What was read before counts no more: no limit is known to be clean, no check healthy, and a bake begins anew.

    What a check said of something that is past stays: nothing asks it again.
    """
    bake = replace(state.bake, clean=timedelta(0), clean_since=None) if state.bake else None
    items = (i for i in state.plan.checklist if i.id in state.checks and not ahead(state, i))
    past = {item.id: state.checks[item.id] for item in items}
    acted = [t.id for t in state.plan.thresholds if state.has_acted(t.id)] if state.started else []
    after = state.but(bake=bake, verdicts={}, lasting=frozenset(acted), checks=past, examined={})
    return _rebaked(after, at, at)


def _judged(state: State, event: ev.VerdictChanged) -> State:
    judged = state.but(verdicts={**state.verdicts, event.threshold: event})
    passes = event.verdict == "pass" and event.breaching_since is None
    if passes:
        judged = _forgiven(judged, event.threshold)
    if passes or event.verdict == "breach":
        judged = judged.but(lasting=judged.lasting - {event.threshold})
    return _rebaked(judged, event.at, event.known_until or event.at)


def _rebaked(after: State, at: datetime, known_until: datetime) -> State:
    """The bake's clean time where cleanness changed: a breach restarts it, silence banks what was seen before it."""
    if after.bake is None:
        return after
    if breached(after):
        return after.but(bake=replace(after.bake, clean=timedelta(0), clean_since=None))
    was, now = after.bake.clean_since is not None, clean(after)
    if was == now:
        return after
    banked = after.bake.done(min(at, known_until)) if was else after.bake.clean
    banked = max(banked, after.bake.clean)
    return after.but(bake=replace(after.bake, clean=banked, clean_since=at if now else None))
