"""The roles pane: who holds which and is here, who is at the controls, who may stop."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cockpit.core import people
from cockpit.core.plan import Plan
from cockpit.tui import presence
from cockpit.tui.marks import PRESENCE, Presence
from cockpit.tui.presence import Who
from cockpit.tui.scene import Row, Scene, fixed
from cockpit.tui.text import Line, line, pad, time_of_day, wrap

CONTROLS = "at the controls"


def rows(scene: Scene, width: int) -> list[Row]:
    """Who is at the controls, a row a role, a row for everybody else who is here, then who may stop and pause."""
    plan = scene.plan
    held = plan.roles.held()
    words = min(18, max(len(CONTROLS), *(len(role) for role, _ in held)))
    found = list(_controls(scene, words))
    found += [fixed(_role(scene, role, person, words)) for role, person in held]
    everybody = presence.everybody(scene.state).items()
    found += [
        fixed(_free(scene, one, how, words)) for one, how in everybody if not people.roles_of(plan, one[0])
    ]
    stoppers = ", ".join(scene.called(p) for p in people.stoppers(plan))
    for n, part in enumerate(wrap(stoppers, width - words - 2)):
        found.append(fixed(line((pad("may stop" if n == 0 else "", words), "dim"), f"  {part}")))
    found.append(fixed(line((pad("may pause", words), "dim"), "  anyone the plan names")))
    return found


def wanted(plan: Plan) -> int:
    """Rows it would like: one a role, and five about who is here and who may stop."""
    return len(plan.roles.held()) + 5


def _controls(scene: Scene, words: int) -> Iterator[Row]:
    """Whether the decision owner is here; nothing while nobody is known to be anywhere."""
    state, owner = scene.state, scene.plan.roles.decision_owner
    if not state.screens or state.closed is not None:
        return
    said = line(("nobody", "warn"))
    if presence.count(state, "headless"):
        said = line(("it runs headless", "dim"))
    if state.here(owner):
        said = line(("you" if owner == scene.link.me else scene.called(owner), "strong"))
    yield fixed(line((pad(CONTROLS, words), "dim"), "  ") + said)


def _mark(scene: Scene, mark: Presence) -> Line:
    glyph, word, tone = PRESENCE[mark]
    return line((f"  {glyph} {word.ljust(4)}", tone)) if scene.state.screens else Line()


def _free(scene: Scene, one: Who, how: Presence, words: int) -> Line:
    """Somebody without a role, or whom the plan doesn't know."""
    person, _ = one
    you = " ‹ you" if one == presence.who(scene.link.seat) else ""
    unknown = "" if person else "  not in the plan"
    said = line(f"  {presence.name(scene, one)}", (you, "now"), (unknown, "dim"))
    return line((pad("no role", words), "dim"), _mark(scene, how), said)


def _role(scene: Scene, role: str, person: str, words: int) -> Line:
    known = next((p for p in scene.plan.people if p.id == person), None)
    contact = f"  {known.contact}" if known and known.contact else ""
    you = " ‹ you" if person == scene.link.me else ""
    shift = Line()
    if known and known.on_shift_until:
        over = known.on_shift_until <= scene.at
        until = f"  {'off shift since' if over else 'until'} {_at(scene, known.on_shift_until)}"
        shift, contact = line((until, "warn" if over else "dim")), "" if over else contact
    return line(
        (pad(role.replace("_", " "), words), "dim"),
        _mark(scene, presence.of(scene.state, person)),
        f"  {scene.called(person)}",
        (you, "now"),
        (contact, "dim"),
        shift,
    )


def _at(scene: Scene, moment: datetime) -> str:
    return time_of_day(moment, scene.zone)[:5]
