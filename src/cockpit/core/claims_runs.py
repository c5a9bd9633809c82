"""The playbook runs of a log as its records tell them: each is one thing, and beside no other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from cockpit.core import events as ev

What = tuple[str, str, ev.Direction]
"""What a run does: a step of a stage, one way."""


@dataclass(slots=True)
class Runs:
    """What each run does, by its first attempt, and which attempts are in the midst of one.

    `by_playbook` are the steps that a playbook does.
    """

    by_playbook: frozenset[str]
    does: dict[str, What] = field(default_factory=dict[str, What])
    busy: dict[str, str] = field(default_factory=dict[str, str])

    def take(self, event: ev.Event) -> Iterator[str]:
        """Read one more record; yields what is wrong with it."""
        match event:
            case ev.StepIntended():
                yield from self._begins(event)
            case ev.StepFinished() | ev.DoubtResolved():
                self.busy.pop(event.attempt, None)
            case ev.SessionResumed():  # what ran is in doubt
                self.busy.clear()
            case _:
                pass

    def _begins(self, event: ev.StepIntended) -> Iterator[str]:
        run = event.together
        if bool(run) is not (event.step in self.by_playbook):
            is_one, told = ("is", "alone") if not run else ("isn't", "in a playbook's run")
            yield f"{event.attempt} begins {told}, but {event.step} {is_one} a playbook's"
        if not run:
            return
        does = (event.stage, event.step, event.direction)
        if run == event.attempt:
            if beside := sorted(
                {other for other in self.busy.values() if self.does[other][0] == event.stage}
            ):
                yield f"{event.attempt} begins beside another run, {beside[0]}"
            self.does[run] = does
        elif self.does.get(run) != does:
            yield f"{event.attempt} joins the run {run}, which isn't one of {event.step} ({event.stage})"
            return
        self.busy[event.attempt] = run
