"""In whose hands the roles are, as a log tells it: read anew, for its claims."""

from __future__ import annotations

from cockpit.core import events as ev
from cockpit.core.plan import Plan


class Hands:
    """Who holds which role, and who of them was here and has left. `take` reads a record after another."""

    def __init__(self, plan: Plan) -> None:
        self._held = dict(plan.roles.held())
        self._seats: dict[str, str] = {}
        self._left: set[str] = set()
        self._told = False

    def take(self, event: ev.Event) -> None:
        """Read one more record; what isn't about people changes nothing."""
        match event:
            case ev.RoleAccepted() | ev.RoleTaken():
                self._held[event.role] = event.by
                self._told |= isinstance(event, ev.RoleAccepted)
            case ev.ScreenAttached() if event.may_act:
                self._left.discard(event.person)
                if event.kind == "screen":  # a process that runs in somebody's name can't leave for them
                    self._seats[event.screen] = event.person
            case ev.ScreenDetached() if event.screen in self._seats:
                person = self._seats.pop(event.screen)
                if person not in self._seats.values():
                    self._left.add(person)
            case ev.SessionResumed():
                self._left.update(self._seats.values())
                self._seats.clear()
            case _:
                pass

    def person(self, name: str) -> str:
        """A role's holder; a person id as it is."""
        return self._held.get(name, name)

    def stood_for(self, names: tuple[str, ...], by: str) -> tuple[str, ...]:
        """The approvers among `names` (roles or people) that a person is at this moment."""
        return tuple(name for name in names if self.person(name) == by)

    def left_open(self) -> str:
        """The first role whose holder has left, by its name; empty where none has.

        So too in the log of an earlier version, which let a release expand all the same.
        """
        if not self._told:
            return ""
        return next((role.replace("_", " ") for role, who in self._held.items() if who in self._left), "")
