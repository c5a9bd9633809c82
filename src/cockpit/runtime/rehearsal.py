"""The drill of a plan: one clean run, the whole way back, and a breach for every limit; all simulated."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cockpit.core import events as ev
from cockpit.core.errors import NotReady
from cockpit.core.estimate import rollback_took
from cockpit.core.people import holders
from cockpit.core.plan import HERE, Notify, Plan, Signal, Threshold
from cockpit.core.slices import slices_of
from cockpit.core.spans import clock
from cockpit.runtime.notices import occasion
from cockpit.runtime.simulated import Breach, Lasting, Played, Script, play
from cockpit.runtime.simulated_readings import breaching


@dataclass(frozen=True, slots=True)
class Back:
    """A way back: on how many targets it was proven, what it left, and how long it took."""

    proven: int
    unproven: tuple[str, ...]
    took: timedelta


@dataclass(frozen=True, slots=True)
class Proof:
    """What became of a limit whose signal breached it. `after` counts from the first reading beyond it.

    `after` None: it never fired, and `why` says what stood in the way. `stage` is where it fired, `told` who was
    told of it, `back` the rollback that followed, if any.
    """

    limit: Threshold
    stage: str = ""
    after: timedelta | None = None
    told: tuple[str, ...] = ()
    back: Back | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Drill:
    """A whole drill. `took` is the clean run's length, `stuck` why it never came to its end."""

    took: timedelta
    stuck: str
    back: Back | None
    proofs: tuple[Proof, ...]

    @property
    def passed(self) -> bool:
        """Whether the clean run completed, and every limit fired."""
        return not self.stuck and all(p.after is not None for p in self.proofs)


def drill(plan: Plan, lasting: Lasting, starts: datetime) -> Drill:
    """Rehearse the whole plan, from `starts` in virtual time. NotReady where the plan can't even start then."""
    clean = play(plan, Script(), lasting, starts)
    check_started(clean)
    last = clean.events[-1].at
    everything = play(_without_limits(plan), Script(goes_back=True), lasting, starts)
    limits = [t for t in plan.thresholds if not t.observe_only]
    proofs = tuple(_prove(plan, limit, lasting, starts) for limit in limits)
    return Drill(last - starts, clean.stuck, way_back(everything), proofs)


def check_started(played: Played) -> None:
    """NotReady where the release never got its go."""
    if played.state.started is None:
        raise NotReady(
            f"{played.stuck}\nThe rehearsal starts when the plan's window opens, with every target reached, every "
            "item signed and every signal healthy; so nor could the release start. Mend the plan."
        )


def way_back(played: Played) -> Back | None:
    """How the rollback went, or None where there was none that ended."""
    result = played.state.rollback_result
    took = rollback_took(played.state, played.events[-1].at)
    return None if result is None or took is None else Back(len(result.proven), result.unproven, took)


def breach(plan: Plan, signal: Signal, stage: int, limit: Threshold | None = None) -> Breach:
    """The signal leaves what is healthy in that stage: beyond `limit`, or beyond all of its limits."""
    return Breach(signal.name, stage, breaching(plan, signal, limit))


def _without_limits(plan: Plan) -> Plan:
    return replace(plan, thresholds=())


def _prove(plan: Plan, limit: Threshold, lasting: Lasting, starts: datetime) -> Proof:
    """Play the plan with that limit breached in the first stage where its signal can show it."""
    signal = plan.signal(limit.signal)
    stage = _first_seen(plan, signal)
    if stage is None:
        return Proof(limit, why=f"no stage changes a target on which {signal.name} is read")
    # Signals beside it are healthy throughout: the clean run has shown that they stand in nobody's way.
    own = replace(plan, signals=(signal,), thresholds=_on(plan, signal))
    played = play(own, Script(breaches=(breach(own, signal, stage, limit),)), lasting, starts)
    fired = [e for e in played.events if isinstance(e, ev.ThresholdTripped) and e.threshold == limit.id]
    if not fired or signal.name not in played.shown:
        return Proof(limit, why=_why_not(played, limit), back=way_back(played))
    return Proof(
        limit,
        _stage_at(played.events, fired[0]),
        fired[0].at - played.shown[signal.name],
        _told(plan, played.events, fired[0]),
        way_back(played),
    )


def _on(plan: Plan, signal: Signal) -> tuple[Threshold, ...]:
    return tuple(t for t in plan.thresholds if t.signal == signal.name)


def _first_seen(plan: Plan, signal: Signal) -> int | None:
    """The first stage that changes something which the signal is read on."""
    for place, waves in enumerate(slices_of(plan)):
        changed = {target for wave in waves for target in wave.targets}
        if changed and (HERE in signal.targets or changed.intersection(signal.targets)):
            return place
    return None


def _why_not(played: Played, limit: Threshold) -> str:
    """Why a limit never fired although its signal breached it, as far as the run tells."""
    if played.state.started is None:
        return f"the release can't start: {played.stuck}"
    if limit.signal not in played.shown:
        return f"{limit.signal} was never read after the change: the release was over before"
    others = [e for e in played.events if isinstance(e, ev.ThresholdTripped)]
    if others and others[0].action in ("pause", "rollback"):
        return f"{others[0].threshold} acted first ({others[0].action})"
    if any(isinstance(e, ev.WindowClosed) for e in played.events):
        return f"the window closed before {_lasted(limit)}"
    if any(isinstance(e, ev.GateTimedOut) for e in played.events):
        return f"a gate timed out before {_lasted(limit)}"
    detail = played.detail.get(limit.id, "")
    if played.stuck:
        return detail or played.stuck
    return f"the release was over before {_lasted(limit)}{f' ({detail})' if detail else ''}"


def _lasted(limit: Threshold) -> str:
    return f"the breach had lasted {clock(limit.for_)}" if limit.for_ else "it was judged"


def _stage_at(events: Sequence[ev.Event], moment: ev.Event) -> str:
    begun = [e for e in events[: events.index(moment)] if isinstance(e, ev.StageStarted)]
    return begun[-1].stage if begun else ""


def _told(plan: Plan, events: Sequence[ev.Event], trip: ev.ThresholdTripped) -> tuple[str, ...]:
    """Who hears of a limit: the [[notify]] entries that what it did answers to, and whom it names."""
    acts = (
        e
        for e in events
        if isinstance(e, ev.RolloutPaused | ev.RollbackStarted) and e.threshold == trip.threshold
    )
    words = {occasion(e) for e in (trip, *acts)}
    hooks = (_called(notify) for notify in plan.notify if words.intersection(notify.on))
    return tuple(dict.fromkeys((*map(plan.person_name, holders(plan, trip.escalate_to)), *hooks)))


def _called(notify: Notify) -> str:
    """What to call a notice: its command's first word, or where its hook lives; never the hook's own secret."""
    if notify.run is not None:
        return (notify.run.split() or ["a command"])[0]
    known = re.match(r"(env|file|cmd):|([a-z][a-z0-9+.-]*)://", notify.url or "", re.IGNORECASE)
    if known is None:
        return "a hook"
    host = re.match(r"https?://(?:[^/@]*@)?([^/:?#]+)", notify.url or "", re.IGNORECASE)
    return f"hook at {host[1]}" if host else f"hook ({known[1] or known[2]})"
