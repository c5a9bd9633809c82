"""The roles pane: who holds which, who may stop, who sits here."""

from __future__ import annotations

from datetime import datetime

from cockpit.core import people
from cockpit.core.plan import Plan
from cockpit.tui.scene import Row, Scene, fixed
from cockpit.tui.text import Line, line, pad, time_of_day, wrap


def rows(scene: Scene, width: int) -> list[Row]:
    """A row a role, then who may abort and roll back."""
    plan = scene.plan
    held = plan.roles.held()
    words = min(18, max(len(role) for role, _ in held))
    found = [fixed(_role(scene, role, person, words)) for role, person in held]
    if not people.roles_of(plan, scene.link.me):
        found.append(
            fixed(line((pad("no role", words), "dim"), "  ", scene.called(scene.link.me), (" ‹ you", "now")))
        )
    stoppers = ", ".join(scene.called(p) for p in people.stoppers(plan))
    for n, part in enumerate(wrap(stoppers, width - words - 2)):
        found.append(fixed(line((pad("may stop" if n == 0 else "", words), "dim"), f"  {part}")))
    found.append(fixed(line((pad("may pause", words), "dim"), "  anyone")))
    return found


def wanted(plan: Plan) -> int:
    """Rows it would like: one a role, and three about stopping."""
    return len(plan.roles.held()) + 3


def _role(scene: Scene, role: str, person: str, words: int) -> Line:
    known = next((p for p in scene.plan.people if p.id == person), None)
    contact = f"  {known.contact}" if known and known.contact else ""
    you = " ‹ you" if person == scene.link.me else ""
    shift = ""
    if known and known.on_shift_until:
        over = known.on_shift_until <= scene.at
        shift = (
            f"  off shift since {_at(scene, known.on_shift_until)}"
            if over
            else f"  until {_at(scene, known.on_shift_until)}"
        )
        if over:
            return line(
                (pad(role.replace("_", " "), words), "dim"), f"  {known.name}", (you, "now"), (shift, "warn")
            )
    name = scene.called(person)
    return line(
        (pad(role.replace("_", " "), words), "dim"), f"  {name}", (you, "now"), (contact + shift, "dim")
    )


def _at(scene: Scene, moment: datetime) -> str:
    return time_of_day(moment, scene.zone)[:5]
