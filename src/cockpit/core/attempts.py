"""What became of attempts, as many events at a time as follow one another; lanes are told once, at the end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Self

from cockpit.core import events as ev
from cockpit.core import lanes
from cockpit.core.attempt import Attempt, attempt_target, begun, found, resolved, settled
from cockpit.core.shared import put_all
from cockpit.core.state import State

OfAttempt = ev.StepIntended | ev.StepFinished | ev.StepFound | ev.DoubtResolved
"""What happens to one attempt, and changes nothing else."""


class Attempts:
    """The attempts of a state while they change: `taken` and `changed` in order, then `folded`, once.

    Where a target stands is worked out for the last of the events about it. Only until the target has had its turn
    it is worked out for each: the order of turns follows from who had theirs when.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._many: dict[str, tuple[Attempt, ...]] = {}
        self._open = dict(state.open)
        self._late: dict[str, datetime] = {}

    def taken(self, event: OfAttempt) -> Self:
        """After `event`."""
        match event:
            case ev.StepFinished():
                return self._ended(event, partial(settled, event=event))
            case ev.StepIntended():
                return self._begun(event)
            case ev.StepFound():
                return self.changed(event.attempt, found, event.at)
            case _:
                return self._ended(event, partial(resolved, event=event))

    def changed(self, attempt_id: str, change: Callable[[Attempt], Attempt], at: datetime) -> Self:
        """After the attempt of that id, if there is one, has changed."""
        if (before := self._find(attempt_id)) is not None:
            self._change(before, change(before), at)
        return self

    def folded(self) -> State:
        """The state that all of it comes to."""
        return lanes.changed(self._settled(), self._late)

    def _begun(self, event: ev.StepIntended) -> Self:
        attempt, target = begun(event), event.target
        self._many[target] = (*self._of(target), attempt)
        self._open[attempt.id] = attempt
        if self._state.retries:
            left = self._state.retries - {(event.stage, event.step, target)}
            self._state = self._state.but(retries=left)
        self._stands(target, event.at)
        return self

    def _ended(self, event: ev.StepFinished | ev.DoubtResolved, change: Callable[[Attempt], Attempt]) -> Self:
        """Its end. One of a rollback: what was found at the rollback's end is to be looked at anew."""
        before = self._find(event.attempt)
        if before is None:
            return self
        if before.direction == "back" and self._state.rollback_result is not None:
            self._state = self._state.but(rollback_result=None)
        self._change(before, change(before), event.at)
        return self

    def _change(self, before: Attempt, after: Attempt, at: datetime) -> None:
        if after.status in ("running", "in_doubt"):
            self._open[after.id] = after
        else:
            self._open.pop(after.id, None)
        many = self._of(after.target)
        if many[-1] is before:
            self._many[after.target] = (*many[:-1], after)
        else:
            self._many[after.target] = tuple([after if a is before else a for a in many])
        self._stands(after.target, at)

    def _stands(self, target: str, at: datetime) -> None:
        if target not in self._late and not lanes.had_its_turn(self._state, target):
            self._state = lanes.changed(self._settled(), {target: at})
            self._many, self._open = {}, dict(self._open)
        else:
            self._late[target] = at

    def _of(self, target: str) -> tuple[Attempt, ...]:
        many = self._many.get(target)
        return self._state.attempts.get(target, ()) if many is None else many

    def _find(self, attempt_id: str) -> Attempt | None:
        if (attempt := self._open.get(attempt_id)) is not None:
            return attempt
        return next((a for a in self._of(attempt_target(attempt_id)) if a.id == attempt_id), None)

    def _settled(self) -> State:
        """The state with the attempts as they are; of targets that are late, lanes say how they stood before."""
        attempts = put_all(self._state.attempts, self._many) if self._many else self._state.attempts
        return self._state.but(attempts=attempts, open=self._open)
