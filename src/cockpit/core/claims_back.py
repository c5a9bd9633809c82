"""Whether a rollback by hand had the agreements that its plan asks for, as a log tells it; or an override."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.core import events as ev
from cockpit.core.hands import Hands
from cockpit.core.plan import Plan


class Asked:
    """Who asked for a rollback, and who has agreed to it. `take` reads a record after another.

    `roles` has read what came before each of them. Of an earlier version, which asked nobody, nothing is claimed.
    """

    def __init__(self, plan: Plan, roles: Hands) -> None:
        self._plan = plan
        self._roles = roles
        self._stands = False
        self._agreed: set[str] = set()

    def take(self, event: ev.Event) -> Iterator[str]:
        """Read one more record; yields what is wrong with it as far as agreements go."""
        match event:
            case ev.RollbackAsked():
                if event.by not in self._people(self._stoppers(), self._plan.rollback.approval):
                    yield f"{event.by} asks to roll back, who may not"
                self._stands = True
            case ev.RollbackAgreed():
                yield from self._agrees(event)
            case ev.ProposalDeclined(asked=True):
                self._stands, self._agreed = False, set()
            case ev.RolloutResumed() if self._stands:
                yield "the rollout goes on while a rollback was asked for"
            case ev.RollbackStarted():
                yield from self._begins(event)
                self._stands, self._agreed = False, set()
            case _:
                pass

    def _agrees(self, event: ev.RollbackAgreed) -> Iterator[str]:
        mine = self._roles.stood_for(self._plan.rollback.approval, event.by)
        if not self._stands:
            yield f"{event.by} agrees to a rollback that nobody asked for"
        if not set(event.stands_for) <= set(mine):
            yield f"{event.by} agrees to the rollback in the place of others"
        self._agreed.update({*event.stands_for} & {*mine} if self._stands else ())

    def _begins(self, event: ev.RollbackStarted) -> Iterator[str]:
        """A limit asks nobody."""
        if event.by == ev.COCKPIT or event.agreed is None:
            return
        lacking = [name for name in self._plan.rollback.approval if name not in self._agreed]
        if lacking and not event.override:
            yield f"the rollback begins without the agreement of {', '.join(lacking)}, and no override"
        if lacking and event.override and event.by not in self._people(self._stoppers()):
            yield f"{event.by} overrides what the rollback lacks, who may not"
        if not set(event.agreed) <= self._agreed:
            yield "the rollback is said to have agreements that nobody gave"

    def _stoppers(self) -> tuple[str, ...]:
        return self._plan.roles.stop_authority or ("decision_owner", "rollback_owner")

    def _people(self, *names: tuple[str, ...]) -> set[str]:
        return {self._roles.person(name) for many in names for name in many}
