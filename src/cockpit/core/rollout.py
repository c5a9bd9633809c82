"""The way forward: stages, waves and steps, one barrier at a time, while signals stay clean."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice

from cockpit.core import checklist, holds, people, window
from cockpit.core import events as ev
from cockpit.core.attempt import Attempt, counting, outdoes
from cockpit.core.listing import some
from cockpit.core.plan import Gate, Stage
from cockpit.core.slices import Wave
from cockpit.core.standing import Progress, TargetStatus
from cockpit.core.state import State, clean, unclean
from cockpit.core.together import Turn, begin

PATIENCE = timedelta(seconds=30)
"""How long a target may be out of sight before its doubt pauses the rollout; nothing new starts meanwhile."""

TROUBLE: frozenset[TargetStatus] = frozenset({"failed", "unreachable", "in_doubt"})


def current_stage(state: State) -> Stage | None:
    """The stage that runs, bakes or waits to begin; None once all are done."""
    return state.plan.stages[state.stage] if state.stage < len(state.plan.stages) else None


def progress(state: State, stage: Stage, wave: Wave, target: str) -> Progress:
    """Where `target` stands in `wave` of `stage`, going forward."""
    newest = _newest_of(state.attempts.get(target, ()), stage.name)
    for step in wave.steps:
        attempt = newest.get(step)
        if attempt is not None and attempt.status == "succeeded":
            continue
        if attempt is not None and attempt.status == "running":
            return Progress("running", step, attempt)
        if target in state.excluded:
            return Progress("excluded", step, attempt)
        if attempt is None and _failed_before(state, stage, target):
            return Progress("skipped", step)
        if attempt is None or (stage.name, step, target) in state.retries:
            return Progress("pending", step, attempt)
        return Progress(_trouble(attempt), step, attempt)
    return Progress("succeeded")


def _newest_of(attempts: tuple[Attempt, ...], stage: str) -> dict[str, Attempt]:
    """The newest attempt that counts of each step of a stage, going forward."""
    sent = [a for a in attempts if a.stage == stage and a.direction == "run" and a.status != "skipped"]
    newest = {a.step: a for a in sent}
    if len(newest) < len(sent):  # one was tried again: the last attempt isn't always the one that counts
        newest.clear()
        for a in sent:
            if outdoes(a, newest.get(a.step)):
                newest[a.step] = a
    return newest


def _failed_before(state: State, stage: Stage, target: str) -> bool:
    """Whether an earlier stage left the target in trouble: then nothing more is put on top of it."""
    others = [a for a in state.attempts.get(target, ()) if a.stage != stage.name]
    newest = {(a.stage, a.step): a for a in others if a.status != "skipped"}
    return any(a.direction == "run" and a.status in TROUBLE for a in newest.values())


def _trouble(attempt: Attempt) -> TargetStatus:
    if attempt.status == "unreachable" or attempt.status == "in_doubt":
        return attempt.status
    return "failed"


def troubled(state: State) -> tuple[tuple[str, Progress], ...]:
    """Every target in trouble in the stage's waves so far: (target, progress)."""
    stage = current_stage(state)
    if stage is None or state.phase == "waiting":
        return ()
    aside = state.lane.aside
    return tuple((state.lane.places[number][1], aside[number]) for number in sorted(aside))


def over_tolerance(state: State) -> str:
    """Why the stage can't go on, where more targets are in trouble than `max_failed` tolerates; else empty."""
    stage = current_stage(state)
    trouble = troubled(state)
    if stage is None or len(trouble) <= stage.max_failed:
        return ""
    names = some([f"{t} {p.status.replace('_', ' ')}" for t, p in trouble])
    return f"{names} in {stage.name}: {len(trouble)} in trouble, {stage.max_failed} tolerated"


def stuck(state: State) -> str:
    """Why the wave can't go on without a person, or empty: too many failures, or a doubt that only they can settle."""
    if reason := over_tolerance(state):
        return reason
    doubtful = [t for t, p in troubled(state) if p.status == "in_doubt"]
    if doubtful and not state.running():
        return f"{', '.join(doubtful)} in doubt: it may or may not have run"
    return ""


def _out_of_sight(state: State, at: datetime) -> bool:
    """Whether nothing is wrong but a doubt of this moment: its target is being reached again."""
    stage = current_stage(state)
    trouble = [p.attempt for _, p in troubled(state)]
    fresh = [a for a in trouble if a and a.unsettled and a.doubted_at and at - a.doubted_at < PATIENCE]
    lasting = [a for a in trouble if a not in fresh]
    return stage is not None and bool(fresh) and len(lasting) <= stage.max_failed


def in_doubt(state: State) -> tuple[Attempt, ...]:
    """Every step on a target, either way, whose newest attempt is in doubt."""
    doubtful = dict.fromkeys(a.target for a in state.open.values() if a.status == "in_doubt")
    return tuple(a for a in newest(state, doubtful) if a.status == "in_doubt")


def newest(state: State, targets: Iterable[str] | None = None) -> tuple[Attempt, ...]:
    """The newest attempt that counts of each step on each target, or on each of these, either way."""
    every: dict[tuple[str, str, str, str], list[Attempt]] = {}
    for target in state.attempts if targets is None else targets:
        for a in state.attempts.get(target, ()):
            every.setdefault((a.stage, a.step, a.target, a.direction), []).append(a)
    found = (counting(attempts) for attempts in every.values())
    return tuple(a for a in found if a is not None)


def doubtful_before(state: State, attempt: Attempt) -> tuple[str, ...]:
    """The earlier attempts on the same target of which its record may not be known: their ids.

    One of a playbook's run goes by the run's first, under which its record is kept.
    """
    return tuple(
        a.together or a.id
        for a in state.attempts.get(attempt.target, ())
        if a.id != attempt.id and (a.status == "in_doubt" or a.settled in ("person", "verify"))
    )


def follow(state: State, stage: Stage, at: datetime, evidence: tuple[ev.Reading, ...]) -> list[ev.Event]:
    """What follows by itself in `stage` of a rollout that isn't paused; empty when it has to wait.

    `evidence` is what the limits say at `at`; it is kept with whatever is decided on it.
    """
    if state.phase == "waiting":
        return _entering(state, stage, at, evidence)
    if state.phase == "baking":
        return _baking(state, stage, at, evidence)
    if reason := stuck(state):
        if _out_of_sight(state, at):
            return []
        return [ev.RolloutPaused(at, by=ev.COCKPIT, via="", reason=reason, threshold=None, evidence=evidence)]
    return _running(state, stage, at)


def _entering(state: State, stage: Stage, at: datetime, evidence: tuple[ev.Reading, ...]) -> list[ev.Event]:
    if state.unexplained is not None:
        return []
    if state.promoted == stage.name:
        return _begin_stage(state, stage, at)
    if stage.gate is not None:
        return _at_gate(state, stage, stage.gate, at, evidence)
    first = state.stage == 0  # starting the release is what promotes its first stage
    if first:
        may_begin = _clean_as_started(state)
    else:
        flagged = state.opened is not None and state.opened.promote_when_clean and clean(state)
        held = people.no_return(state.plan, stage) is not None or bool(window.against(state, stage, at))
        may_begin = flagged and not held
    if may_begin and not checklist.holding(state, f"stage:{stage.name}"):
        reason = "the release started" if first else "clean, no gate, nothing open"
        return [ev.StagePromoted(at, stage.name, ev.COCKPIT, "", reason, evidence)]
    return []


def _clean_as_started(state: State) -> bool:
    """Whether the limits are clean, but for those that were seen and taken on at the start."""
    findings = state.started.findings if state.started is not None else ()
    taken_on = {
        f.key.partition(":")[2] for f in findings if not f.ok and f.key.startswith(("limit:", "breach:"))
    }
    return all(limit.id in taken_on for limit in unclean(state))


def _at_gate(
    state: State, stage: Stage, gate: Gate, at: datetime, evidence: tuple[ev.Reading, ...]
) -> list[ev.Event]:
    """A gate with a timeout says from when on it asks: silent people let it run out, unclean signals don't."""
    if gate.timeout is None:
        return []
    held = holds.by_signals(state)
    if bool(held) is (state.asked is not None):
        return [ev.GateAsked(at, stage.name, held)]
    if state.asked is not None and at - state.asked >= gate.timeout:
        return _timed_out(stage.name, gate, at, evidence)
    return []


def _timed_out(stage: str, gate: Gate, at: datetime, evidence: tuple[ev.Reading, ...]) -> list[ev.Event]:
    """Nobody decided in time: the rollout pauses, or does what was agreed instead. It never goes on by itself."""
    reason = f"nobody decided on {stage} within its gate's timeout"
    late: list[ev.Event] = [ev.GateTimedOut(at, stage)]
    match gate.on_timeout:
        case "pause":
            return late
        case "rollback":
            return [*late, ev.RollbackStarted(at, ev.COCKPIT, "", reason, None, evidence, agreed=())]
        case _:
            return [*late, ev.ReleaseAborted(at, ev.COCKPIT, "", reason, evidence)]


def _begin_stage(state: State, stage: Stage, at: datetime) -> list[ev.Event]:
    waves = state.slices[state.stage]
    if not waves:  # every target was done by an earlier stage
        return [ev.StageStarted(at, stage.name), ev.StageFinished(at, stage.name)]
    return [ev.StageStarted(at, stage.name), ev.WaveStarted(at, stage.name, 0, waves[0].targets)]


def _running(state: State, stage: Stage, at: datetime) -> list[ev.Event]:
    waves, lane = state.slices[state.stage], state.lane  # earlier waves too: a target may be retried
    room = max(0, (stage.max_parallel or len(lane.places)) - len(lane.running))
    pending = lane.next(lambda place: progress(state, stage, waves[place[0]], place[1]))
    turns = (
        Turn(*lane.places[number], standing.step or "", begun=number < lane.reached)
        for number, standing in islice(pending, room)
    )
    intents, waits = begin(state, stage, turns, "run", at)
    if intents or lane.running or waits:
        return intents
    finished = ev.WaveFinished(at, stage.name, state.wave)
    return [finished, ev.BakeStarted(at, stage.name, state.wave, stage.bake_time)]


def _baking(state: State, stage: Stage, at: datetime, evidence: tuple[ev.Reading, ...]) -> list[ev.Event]:
    bake = state.bake
    last = state.wave + 1 == len(state.slices[state.stage])
    if bake is None or bake.done(at) < bake.bake_time or not clean(state):
        return []
    after: ev.Event = ev.StageFinished(at, stage.name)
    if not last:
        batch = state.slices[state.stage][state.wave + 1].targets
        after = ev.WaveStarted(at, stage.name, state.wave + 1, batch)
    return [ev.BakeFinished(at, stage.name, state.wave, evidence), after]
