"""The review of a session, made from its events and its plan alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from cockpit.core import events as e
from cockpit.core.journal import say
from cockpit.core.people import holders
from cockpit.core.plan import Plan
from cockpit.core.slices import Wave, slices_of
from cockpit.export import lanes, people
from cockpit.export import model as m
from cockpit.export.clock import Clock, length
from cockpit.export.evidence import with_evidence
from cockpit.export.people import Records, units_of
from cockpit.export.summary import summarise
from cockpit.store.digest import Digest
from cockpit.store.output import Output
from cockpit.store.schema import Head

TAIL_LINES = 40
TAIL_BYTES = 8 * 1024

_E = TypeVar("_E", bound=e.Event)
OutputOf = Callable[[str], Output | None]


def no_output(attempt: str) -> Output | None:
    """For a review without the outputs."""
    return None


def review(
    records: Records,
    plan: Plan,
    head: Head,
    output: OutputOf = no_output,
    samples: Digest | None = None,
    missing: tuple[str, ...] = (),
) -> m.Review:
    """The review of the session that `records` (seq, event) tell of; the first is its SessionOpened.

    `plan` is the one they carry, `output` gives an attempt's kept output, `samples` is what they come to, None where
    nobody looked; `missing` says what is known to lack. ValueError for a log without a session.
    """
    if not records or not isinstance(records[0][1], e.SessionOpened):
        raise ValueError("the log holds no session: its first record is not that one was opened")
    clock = Clock(plan.window.timezone if plan.window else "UTC")
    attempts = _attempts(records, output)
    made = m.Review(
        release=plan.release,
        session=_session(records, plan),
        timezone=clock.timezone,
        outcome=_outcome(records),
        stages=tuple(_stages(records, plan)),
        steps=tuple(_steps(plan, attempts)),
        decisions=tuple(people.decisions(records, plan)),
        overrides=tuple(people.overrides(records, plan)),
        signoffs=tuple(people.signoffs(records, plan)),
        trips=tuple(_trips(records, plan)),
        verdicts=tuple(_verdicts(records, plan)),
        rollback=_rollback(records, plan, attempts),
        attempts=attempts,
        notes=tuple(people.notes(records, plan)),
        notices=tuple(
            m.Notice(seq, n.at, n.on, n.line, n.ok, n.detail) for seq, n in _all(records, e.NoticeSent)
        ),
        attendance=people.attendance(records, plan),
        timeline=tuple(_timeline(records, plan, clock)),
        head=head,
        missing=missing,
        spans=lanes.spans(records, plan),
    )
    made = with_evidence(made, records, plan, samples)
    return replace(made, outcome=replace(made.outcome, summary=summarise(made)))


def _all(records: Records, kind: type[_E]) -> Iterator[tuple[int, _E]]:
    return ((seq, event) for seq, event in records if isinstance(event, kind))


def _last(records: Records, kind: type[_E]) -> _E | None:
    return next((event for _, event in reversed(records) if isinstance(event, kind)), None)


def _first(records: Records, kind: type[_E]) -> _E | None:
    return next((event for _, event in records if isinstance(event, kind)), None)


def _session(records: Records, plan: Plan) -> m.Session:
    ((_, opened), *_) = _all(records, e.SessionOpened)
    started, closed = _first(records, e.ReleaseStarted), _last(records, e.SessionClosed)
    return m.Session(
        opened.session,
        opened.at,
        started.at if started else None,
        closed.at if closed else None,
        plan.person_name(opened.by),
        opened.os_user,
        opened.machine,
        opened.cockpit_version,
        opened.plan_path,
        opened.plan_sha256,
        plan.person_name(closed.by) if closed else "",
        closed.reason if closed else "",
    )


def _outcome(records: Records) -> m.Outcome:
    closed = _last(records, e.SessionClosed)
    return m.Outcome(closed.outcome, closed.partial, "") if closed else m.Outcome("open", (), "")


def _timeline(records: Records, plan: Plan, clock: Clock) -> Iterator[m.Moment]:
    intents: dict[str, e.StepIntended] = {}
    for seq, event in records:
        if isinstance(event, e.StepIntended):
            intents[event.attempt] = event
        who = plan.person_name(getattr(event, "by", ""))
        local = replace(event, at=clock.local(event.at))  # its words may tell the time
        yield m.Moment(seq, event.at, who, say(local, plan, intents.get))


def _stages(records: Records, plan: Plan) -> Iterator[m.StageReview]:
    for stage, waves in zip(plan.stages, slices_of(plan), strict=True):
        own = [(seq, event) for seq, event in records if getattr(event, "stage", None) == stage.name]
        started, finished = _first(own, e.StageStarted), _last(own, e.StageFinished)
        begun = [event for _, event in _all(own, e.WaveStarted)]
        yield m.StageReview(
            stage.name,
            "finished" if finished else "unfinished" if started else "not started",
            _targets(waves),
            tuple(dict.fromkeys(target for wave in begun for target in wave.targets)),
            tuple(str(wave) for wave in stage.waves),
            tuple(wave.targets for wave in begun),
            stage.bake_time,
            _baked(own),
            started.at if started else None,
            finished.at if finished else None,
            length(started.at, finished.at) if started and finished else None,
        )


def _targets(waves: tuple[Wave, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(target for wave in waves for target in wave.targets))


def _baked(own: Records) -> timedelta | None:
    """How long the stage baked, from each first start to its end; None where none ended."""
    since: dict[int, datetime] = {}
    lengths: list[timedelta] = []
    for _, event in own:
        if isinstance(event, e.BakeStarted):
            since.setdefault(event.wave, event.at)
        elif isinstance(event, e.BakeFinished) and event.wave in since:
            lengths.append(length(since.pop(event.wave), event.at))
    return sum(lengths, timedelta(0)) if lengths else None


def _steps(plan: Plan, attempts: tuple[m.Attempt, ...]) -> Iterator[m.StepReview]:
    waves = [wave for stage in slices_of(plan) for wave in stage]
    for step in plan.steps:
        own = [a for a in attempts if a.step == step.id and a.direction == "run"]
        took = [timedelta(seconds=a.seconds) for a in own if a.seconds is not None]
        yield m.StepReview(
            step.id,
            step.on,
            len({target for wave in waves if step.id in wave.steps for target in wave.targets}),
            len({a.target for a in own if a.touched}),
            len({a.target for a in own if a.finish == "succeeded"}),
            len(own),
            step.timeout,
            max(took, default=None),
        )


def _attempts(records: Records, output: OutputOf) -> tuple[m.Attempt, ...]:
    finishes: dict[str, list[e.StepFinished]] = {}
    resolved = {event.attempt: event for _, event in _all(records, e.DoubtResolved)}
    for _, event in _all(records, e.StepFinished):
        finishes.setdefault(event.attempt, []).append(event)
    attempts = (_attempt(i, finishes.get(i.attempt, []), output) for _, i in _all(records, e.StepIntended))
    return tuple(_by_person(a, resolved[a.id]) if a.id in resolved else a for a in attempts)


def _by_person(attempt: m.Attempt, event: e.DoubtResolved) -> m.Attempt:
    """The attempt, with what a person said became of it."""
    said = f"{event.by} says so: {event.reason}"
    return replace(
        attempt, finished_at=event.at, finish=event.finish, was_in_doubt=True, settled="person", detail=said
    )


def _attempt(i: e.StepIntended, ends: list[e.StepFinished], output: OutputOf) -> m.Attempt:
    end = ends[-1] if ends else None
    return m.Attempt(
        i.attempt,
        i.stage,
        i.wave,
        i.step,
        i.target,
        i.direction,
        i.n,
        i.line,
        i.verify,
        i.at,
        end.at if end else None,
        end.finish if end else "open",
        any(earlier.finish == "in_doubt" for earlier in ends[:-1]),
        end.proven if end else False,
        end.exit_code if end else None,
        end.verify_exit_code if end else None,
        end.seconds if end else None,
        end.detail if end else "",
        end.output_bytes if end else 0,
        end.output_sha256 if end else "",
        end.settled if end else "",
        "" if end and end.finish == "succeeded" else _tail(output(i.attempt)),
        i.together,
    )


def _tail(output: Output | None) -> str:
    if output is None:
        return ""
    text = output.text()[-TAIL_BYTES:].decode("utf-8", "backslashreplace")
    return "\n".join(text.splitlines()[-TAIL_LINES:])


def _trips(records: Records, plan: Plan) -> Iterator[m.Trip]:
    units = units_of(plan)
    agreed_by = {t.id: tuple(map(plan.person_name, holders(plan, t.agreed_by))) for t in plan.thresholds}
    for seq, t in _all(records, e.ThresholdTripped):
        told, unit = tuple(map(plan.person_name, holders(plan, t.escalate_to))), units.get(t.threshold, "")
        agreed = agreed_by.get(t.threshold, ())
        yield m.Trip(
            seq, t.at, t.threshold, t.action, t.value, t.limit, t.target, told, t.message, unit, agreed
        )


def _verdicts(records: Records, plan: Plan) -> Iterator[m.VerdictChange]:
    units = units_of(plan)
    observed = {t.id for t in plan.thresholds if t.observe_only}
    for seq, v in _all(records, e.VerdictChanged):
        told = (v.threshold, v.signal, v.verdict, v.value, v.limit, v.target, v.breaching_since, v.detail)
        yield m.VerdictChange(seq, v.at, *told, units.get(v.threshold, ""), v.threshold in observed)


def _rollback(records: Records, plan: Plan, attempts: tuple[m.Attempt, ...]) -> m.RollbackReview | None:
    started, finished = _first(records, e.RollbackStarted), _last(records, e.RollbackFinished)
    if started is None:
        return None
    proven = finished.proven if finished else ()
    unproven = finished.unproven if finished else ()
    touched = dict.fromkeys(a.target for a in attempts if a.direction == "run" and a.touched)
    return m.RollbackReview(
        started.at,
        finished.at if finished else None,
        plan.person_name(started.by),
        started.reason,
        started.threshold,
        plan.rollback.expected_time,
        length(started.at, finished.at) if finished else None,
        proven,
        unproven,
        tuple(_went_back(target, proven, unproven, attempts) for target in touched),
        people.consent(records, plan),
    )


def _went_back(
    target: str, proven: tuple[str, ...], unproven: tuple[str, ...], attempts: tuple[m.Attempt, ...]
) -> m.RollbackTarget:
    own = [a for a in attempts if a.target == target]
    ids = tuple(a.id for a in own if a.direction == "back")
    why = [line.removeprefix(f"{target}: ") for line in unproven if line.split(":")[0] == target]
    if target not in proven:
        return m.RollbackTarget(target, False, "; ".join(why) or "the rollback did not end", ids)
    borne_out = _borne_out(own)
    detail = "" if borne_out else "the log calls it proven, but its attempts don't bear that out"
    return m.RollbackTarget(target, borne_out, detail, ids)


def _borne_out(own: list[m.Attempt]) -> bool:
    """Whether of each step that touched a target the newest rollback is proven."""
    newest = {(a.stage, a.step): a for a in own if a.direction == "back"}
    touched = {(a.stage, a.step) for a in own if a.direction == "run" and a.touched}
    return all(key in newest and newest[key].finish == "succeeded" and newest[key].proven for key in touched)
