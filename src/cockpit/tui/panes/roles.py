"""The roles pane: who holds which, since when and how sure; who is here; whose shift ends; who may stop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from cockpit.core import people, roles, window
from cockpit.core.events import RoleAccepted
from cockpit.core.people_journal import LEVELS
from cockpit.core.plan import Person, Plan
from cockpit.core.spans import clock
from cockpit.tui import presence
from cockpit.tui.marks import FOUND, PRESENCE, Found, Presence, glyph
from cockpit.tui.moments import elsewhere, wall
from cockpit.tui.presence import Who
from cockpit.tui.scene import Row, Scene, fixed
from cockpit.tui.text import Line, Tone, join, line, pad, wrap

CONTROLS = "at the controls"


def rows(scene: Scene, width: int) -> list[Row]:
    """Who is at the controls, each role with its holder, everybody else who is here, then who may stop and pause."""
    plan = scene.plan
    held = roles.wanted(plan)
    words = min(18, max(len(CONTROLS), *(len(role) for role, _ in held)))
    found = list(_controls(scene, words))
    early = frozenset(leaves.person for leaves in window.leaving_early(scene.state, scene.at))
    for role, person in held:
        found += _role(Held(scene, role, person, words, width, person in early))
    everybody = presence.everybody(scene.state).items()
    found += [
        fixed(_free(scene, one, how, words)) for one, how in everybody if not people.roles_of(plan, one[0])
    ]
    stoppers = ", ".join(scene.called(p) for p in people.stoppers(plan))
    for n, part in enumerate(wrap(stoppers, width - words - 2)):
        found.append(fixed(line((pad("may stop" if n == 0 else "", words), "dim"), f"  {part}")))
    if agree := people.holders(plan, plan.rollback.approval):
        for n, part in enumerate(wrap(people.listed(map(scene.called, agree)), width - words - 2)):
            found.append(fixed(line((pad("agree to go back" if n == 0 else "", words), "dim"), f"  {part}")))
    found.append(fixed(line((pad("may pause", words), "dim"), "  anyone the plan names")))
    return found


@dataclass(frozen=True, slots=True)
class Held:
    """A role and its holder (empty: nobody), the cells of the column of roles and of the pane.

    `early`: their shift ends before the last bake could.
    """

    scene: Scene
    role: str
    person: str
    words: int
    width: int
    early: bool

    @property
    def known(self) -> Person | None:
        """What the plan says of the holder."""
        return next((p for p in self.scene.plan.people if p.id == self.person), None)


def wanted(plan: Plan) -> int:
    """Rows it would like: one a role, one for each holder whose shift ends, and five about who is here."""
    ending = {p.id for p in plan.people if p.on_shift_until is not None}
    agree = 1 if plan.rollback.approval else 0
    return len(roles.wanted(plan)) + sum(person in ending for _, person in plan.roles.held()) + 4 + agree


def hand(scene: Scene) -> str:
    """What roles want: somebody who has left, or hasn't accepted."""
    state = scene.state
    if state.closed is not None:
        return ""
    if gone := roles.left_open(state):
        return f"{scene.called(gone[0][1])} has left"
    return "roles wait for you" if roles.waiting(state, scene.link.me) else ""


def urgent(scene: Scene) -> bool:
    """Whether a role is open because its holder has left."""
    return scene.state.closed is None and bool(roles.left_open(scene.state))


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
    glyph_, word, tone = PRESENCE[mark]
    return line((f"  {glyph_} {word.ljust(4)}", tone)) if scene.state.screens else Line()


def _free(scene: Scene, one: Who, how: Presence, words: int) -> Line:
    """Somebody without a role, or whom the plan doesn't know."""
    person, _ = one
    seat = scene.link.seat
    you = " ‹ you" if one == presence.who(seat) and (seat.may_act or not seat.person) else ""
    unknown = "" if person else "  not in the plan"
    said = line(f"  {presence.name(scene, one)}", (you, "now"), (unknown, "dim"))
    return line((pad("no role", words), "dim"), _mark(scene, how), said)


def _role(held: Held) -> Iterator[Row]:
    """Its holder and whether they know; below, whom it is offered to, and when and where they work."""
    scene, known = held.scene, held.known
    label = line((pad(roles.called(held.role), held.words), "dim"))
    if not held.person:
        yield fixed(
            label
            + line("  ", ("✖ nobody holds it", "alarm"), (f": {scene.keys['take_role']} takes it", "dim"))
        )
        return
    you = " ‹ you" if held.person == scene.link.me else ""
    name = line(f"  {scene.called(held.person)}", (you, "now"))
    start = label + _mark(scene, presence.of(scene.state, held.person)) + name
    contact = line((known.contact if known and known.contact else "", "dim"))
    full, short = _accepted(held)
    wordings = [[start, full, contact], [start, full], [start, short, contact], [start, short]]
    yield Row(lambda w: _longest(w, wordings))
    indent = " " * (held.words + 2)
    for said, tone in (*_offer(held), *_shift(held)):
        for part in wrap(said, held.width - len(indent)):
            yield fixed(line(indent, (part, tone)))


def _longest(width: int, wordings: list[list[Line]]) -> Line:
    """The first wording that fits, else the last one as much as fits."""
    lines = [join(parts, "  ") for parts in wordings]
    return next((one for one in lines if one.cells <= width), lines[-1].cut(width))


def _accepted(held: Held) -> tuple[Line, Line]:
    """Whether the holder knows that it is theirs and how sure that is; or that they have left. In full and short."""
    state = held.scene.state
    if held.person in state.gone and state.closed is None:
        return _told("wrong", "has left: nothing expands"), _told("wrong", "has left")
    if not roles.accepted(state, held.role):
        return _told("person", "hasn't accepted it yet"), _told("person", "not accepted")
    since = held.scene.history.held_since(held.role)
    if isinstance(since, RoleAccepted):
        how = LEVELS[since.level]
        return _told("good", f"accepted, {how}"), _told("good", how.removeprefix("signed with "))
    said = "took it over" if since is not None else "accepted"
    return _told("good", said), _told("good", said)


def _told(found: Found, said: str) -> Line:
    tone = FOUND[found][2]
    return line(glyph(FOUND[found]), " ", (said, "dim" if found == "good" else tone))


def _offer(held: Held) -> Iterator[tuple[str, Tone]]:
    scene, offer = held.scene, held.scene.state.offers.get(held.role)
    if offer is not None:
        yield f"offered to {scene.called(offer.to)} {clock(scene.at - offer.at)} ago", "warn"


def _shift(held: Held) -> Iterator[tuple[str, Tone]]:
    """Until when they are on shift, by the clock where they are, and what that shows now."""
    scene, until = held.scene, held.known.on_shift_until if held.known else None
    zone = elsewhere(scene, held.person, scene.at)
    now = f"{scene.at.astimezone(ZoneInfo(zone)):%H:%M}" if zone else ""
    if until is None:
        if zone:
            yield f"{wall(scene, scene.at, held.person)} there now", "dim"
        return
    end, there = wall(scene, until, held.person), f" (now {now})" if zone else ""
    if until <= scene.at:
        yield f"▲ off shift since {end}{there}", "warn"
    elif held.early:
        yield f"▲ on shift until {end}{there}, before the last bake ends", "warn"
    else:
        yield f"on shift until {end}{there}", "dim"
