"""Whether what a log says of exceeded limits follows from its records: what was agreed for them was done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cockpit.core import events as ev
from cockpit.core.claims_attempts import PAUSES
from cockpit.core.plan import Plan

DOES: Mapping[str, str] = {"pause": "paused the rollout", "rollback": "started the rollback"}
"""What the actions are that change the course of a release; the others call people."""


class Limits:
    """What the limits said, which of them acted, and what a person took on. `take` reads a record after another.

    In doubt it is for the log: a limit whose breach was accepted, or lasted while nobody could look, may act or not.
    """

    def __init__(self, plan: Plan) -> None:
        self._agreed = {t.id: t.action for t in plan.thresholds if not t.observe_only}
        self._said: dict[str, ev.VerdictChanged] = {}
        self._accepted: set[str] = set()
        self._acted: set[str] = set()
        self._lasting: set[str] = set()
        self._started = self._paused = self._taken_up = self._over = self._gone = False
        self._breach = ""
        """The limit whose breach is the record before this one."""
        self._is_due = False
        self._trip: ev.ThresholdTripped | None = None
        """The record before this one, where it is a limit that acts."""

    def take(self, event: ev.Event) -> Iterator[str]:
        """Read one more record; yields what is wrong with it as far as limits go."""
        yield from self._after_breach(event)
        yield from self._after_trip(event)
        self._breach, self._is_due, self._trip = "", False, None
        match event:
            case ev.VerdictChanged() if event.threshold in self._agreed:
                self._judged(event)
            case ev.ThresholdTripped():
                self._acted.add(event.threshold)
                self._trip = event
            case ev.ReleaseStarted():
                self._started = True
                self._accepted.update(self._breached())
            case ev.RolloutResumed():
                yield from self._goes_on(event)
            case ev.LimitChanged():
                self._said.pop(event.threshold, None)
                self._forget(event.threshold)
            case ev.SessionResumed() | ev.MachineSlept():
                self._lasting |= self._acted
                self._acted.clear()
                self._said.clear()
                self._course(event)
            case _:
                self._course(event)

    def _judged(self, event: ev.VerdictChanged) -> None:
        limit = event.threshold
        self._said[limit] = event
        if event.verdict == "breach":
            self._breach = limit
            excused = limit in self._acted | self._accepted | self._lasting
            self._is_due = self._started and not excused
        else:
            self._acted.discard(limit)
            if event.verdict == "pass" and event.breaching_since is None:
                self._forget(limit)

    def _forget(self, limit: str) -> None:
        for known in (self._accepted, self._acted, self._lasting):
            known.discard(limit)

    def _breached(self) -> set[str]:
        return {limit for limit, said in self._said.items() if said.verdict == "breach"}

    def _course(self, event: ev.Event) -> None:
        """Where the release is: a limit neither pauses nor rolls back what is paused, goes back or is over."""
        match event:
            case _ if isinstance(event, PAUSES):
                self._paused = True
            case ev.RollbackStarted() | ev.ReleaseAborted() | ev.SessionClosed():
                self._over = True
            case ev.SessionLeft() | ev.DriverReplaced():
                self._gone = True
            case ev.SessionResumed():
                self._gone, self._taken_up = False, self._started
                self._paused = self._paused or self._started
            case _:
                pass

    def _after_breach(self, event: ev.Event) -> Iterator[str]:
        """A breach acts at once, and nothing else acts."""
        tripped = event if isinstance(event, ev.ThresholdTripped) else None
        if self._is_due and (tripped is None or tripped.threshold != self._breach):
            yield f"{self._breach} was exceeded, but what was agreed for it isn't on record"
        if tripped is None:
            return
        limit = tripped.threshold
        if limit not in self._agreed:
            yield f"{limit} acts, which is no limit of the plan that may"
        elif limit != self._breach:
            yield f"{limit} acts, but no breach of it comes before"
        elif not self._started:
            yield f"{limit} acts before the start"
        elif limit in self._acted - self._accepted:
            yield f"{limit} acts a second time on one breach"
        elif tripped.action != self._agreed[limit]:
            yield f"{limit} did `{tripped.action}`, but `{self._agreed[limit]}` was agreed"

    def _after_trip(self, event: ev.Event) -> Iterator[str]:
        """What a limit does follows at once, where there is anything for it to stop; and follows from nothing else."""
        trip = self._trip
        did, limit = _done(event)
        if trip is not None and trip.action in DOES and not self._nothing_to_stop(trip.action):
            if (trip.threshold, trip.action) != (limit, did):
                yield f"{trip.threshold} acted, but isn't what {DOES[trip.action]}"
        elif limit and (trip is None or (trip.threshold, trip.action) != (limit, did)):
            yield f"{limit} is said to have {DOES[did]}, but it hadn't acted"

    def _nothing_to_stop(self, action: str) -> bool:
        idle = not self._started or self._over or self._gone or self._taken_up
        return idle or (action == "pause" and self._paused)

    def _goes_on(self, event: ev.RolloutResumed) -> Iterator[str]:
        """Over a breach only where whoever says so takes it on; a rollback goes on in any case."""
        self._paused = self._taken_up = False
        self._accepted.update(event.accepted)
        self._acted.difference_update(event.accepted)
        for limit in sorted(self._breached() - self._accepted) if not self._over else ():
            yield f"the rollout goes on while {limit} is exceeded, which nobody accepted"


def _done(event: ev.Event) -> tuple[str, str | None]:
    """The action of a limit that the record is, and the limit that it names; empty, None where it is another one."""
    match event:
        case ev.RolloutPaused():
            return "pause", event.threshold
        case ev.RollbackStarted():
            return "rollback", event.threshold
        case _:
            return "", None
