"""Roles: accepted, handed over, declined, and taken from somebody who isn't here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from cockpit.core import commands as cmd
from cockpit.core import people, roles
from cockpit.core.attendance import typed
from cockpit.core.commands import Command
from cockpit.core.plan import Plan
from cockpit.tui import presence
from cockpit.tui.asks.base import Ask, Asked, Choice, Make, hands, refusal, voices
from cockpit.tui.moments import wall
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, count, line, listed

LEADING = ("decision_owner", "rollback_owner")


def lets(plan: Plan, role: str, person: str = "") -> str:
    """What the role lets its holder do, in words; `person`: as far as they are named for it, too."""
    return ", ".join(_lets(plan, role, person)) or "the plan leaves it no decision"


def _lets(plan: Plan, role: str, person: str) -> Iterator[str]:
    stops = plan.roles.stop_authority or LEADING
    if role == "decision_owner":
        yield "start, promote, accept a breach"
    if role in stops or (role in LEADING and person in stops):
        yield "roll back, abort"
    if role in (*LEADING, *stops):
        yield "retry, exclude"
    stages = [f"“{s.name}”" for s in plan.stages if s.gate is not None and role in s.gate.approvers]
    if stages:
        yield f"approve {listed(stages)}"
    items = [item for item in plan.checklist if role in (item.owner, *item.approval)]
    if items:
        yield f"sign {items[0].id}" if len(items) == 1 else f"sign {count(len(items), 'item')}"
    numbers = [signal.name for signal in typed(plan) if signal.owner == role]
    if numbers:
        yield f"enter {listed(numbers)}"


# Accepting, declining


def waiting(scene: Scene) -> tuple[str, ...]:
    """Those who are asked to accept a role and can do it here; whoever sits here goes before all others."""
    asked = (p.id for p in scene.plan.people if roles.waiting(scene.state, p.id))
    return hands(scene, tuple(asked)) if scene.state.closed is None else ()


def accept(scene: Scene) -> Asked:
    """Accept the roles that wait, or say no to one that is offered."""
    who = waiting(scene)
    if not who:
        refused = refusal(scene, cmd.AcceptRole(scene.at, scene.link.me))
        return refused or "no role waits to be accepted here"
    if refused := refusal(scene, cmd.AcceptRole(scene.at, who[0])):
        return refused
    own = [(person, held) for person in who if (held := _own(scene, person))]
    offered = [(person, role) for person in who for role in _offered(scene, person)]
    if len(own) == 1 and not offered:
        return _accept_own(scene, *own[0])
    choices = [_owned(scene, person, held) for person, held in own]
    for person, role in offered:
        choices += _offer(scene, person, role)
    field = "what you say to it" if offered else ""
    return Ask("Accept which role?", (), "accept", who[:1], None, field, choices=tuple(choices))


def _own(scene: Scene, person: str) -> tuple[str, ...]:
    """The roles that the plan gives the person, and they haven't accepted."""
    held = people.roles_of(scene.plan, person)
    return tuple(role for role in held if not roles.accepted(scene.state, role))


def _offered(scene: Scene, person: str) -> tuple[str, ...]:
    return tuple(role for role, offer in scene.state.offers.items() if offer.to == person)


def _accept_own(scene: Scene, person: str, held: tuple[str, ...]) -> Ask:
    said: list[Line] = []
    for role in held:
        said += [line((roles.called(role), "strong")), line((f"  {lets(scene.plan, role, person)}", "dim"))]
    whose = "you answer" if person == scene.link.me else f"{scene.called(person)} answers"
    said += [line(), line(f"Accepted, {whose} for it from now on; the release starts once every role is.")]
    title = f"Accept {_named(held)}?"
    return Ask(title, tuple(said), "accept", (person,), _accepting(held))


def _owned(scene: Scene, person: str, held: tuple[str, ...]) -> Choice:
    whose = "" if person == scene.link.me else f", as {scene.called(person)}"
    may = "; ".join(lets(scene.plan, role, person) for role in held)
    return Choice(f"accept {_named(held)}{whose}", may, "accept", _accepting(held), (person,))


def _offer(scene: Scene, person: str, role: str) -> list[Choice]:
    offer = scene.state.offers[role]
    reason = f": {offer.reason}" if offer.reason else ""
    cost = f"{lets(scene.plan, role, person)}; offered by {scene.called(offer.by)}{reason}"
    whose = "" if person == scene.link.me else f", as {scene.called(person)}"
    take = Choice(f"take {roles.called(role)}{whose}", cost, "take it", _accepting((role,)), (person,))
    stays = f"it stays with {scene.called(offer.by)}"
    if people.has_key(scene.plan, person) and person != scene.link.me:
        return [take]  # a key says yes for somebody who sits elsewhere; they say no where they sit
    return [take, Choice(f"decline it{whose}", stays, "decline", _declining(role), (person,))]


def _named(held: tuple[str, ...]) -> str:
    return listed([roles.called(role) for role in held])


def _accepting(held: tuple[str, ...]) -> Make:
    def make(at: datetime, by: str, via: str, reason: str) -> tuple[Command, ...]:
        return tuple(cmd.AcceptRole(at, by, via, reason, role=role) for role in held)

    return make


def _declining(role: str) -> Make:
    def make(at: datetime, by: str, via: str, reason: str) -> Command:
        return cmd.DeclineRole(at, by, via, reason, role=role)

    return make


# Handing over


def movable(scene: Scene) -> tuple[tuple[str, str], ...]:
    """(role, holder) for each role that can be handed over here; of whoever sits here, where they hold any."""
    if scene.state.closed is not None:
        return ()
    held = scene.plan.roles.held()
    mine = voices(scene, tuple(dict.fromkeys(person for _, person in held)))
    return tuple((role, person) for role, person in held if person in mine)


def hand_over(scene: Scene) -> Asked:
    """Offer a role to somebody, or take the offer back: first which role, where there are several."""
    held = movable(scene)
    if not held:
        first = next(iter(scene.plan.roles.held()), None)
        role, holder = first or ("", "")
        return (
            refusal(scene, cmd.OfferRole(scene.at, scene.link.me, role=role, to=holder)) or "no role is yours"
        )
    if len(held) == 1:
        return _to_whom(scene, *held[0])

    def asking(role: str, holder: str) -> Make:
        return lambda at, by, via, text: _to_whom(scene, role, holder)

    choices = tuple(
        Choice(_mine(scene, role, holder), _standing(scene, role), "choose", asking(role, holder), (holder,))
        for role, holder in held
    )
    return Ask("Hand over which role?", (), "choose", (), None, choices=choices)


def _mine(scene: Scene, role: str, holder: str) -> str:
    return roles.called(role) + ("" if holder == scene.link.me else f", {scene.called(holder)}'s")


def _standing(scene: Scene, role: str) -> str:
    offer = scene.state.offers.get(role)
    return f"offered to {scene.called(offer.to)}" if offer is not None else lets(scene.plan, role)


def _to_whom(scene: Scene, role: str, holder: str) -> Ask:
    """Everybody else whom the plan names, those who are here first; and the way back from an offer."""
    offer = scene.state.offers.get(role)
    others = sorted(
        (p.id for p in scene.plan.people if p.id != holder and (offer is None or p.id != offer.to)),
        key=lambda person: not scene.state.here(person),
    )
    choices = tuple(
        Choice(scene.called(person), _there(scene, person), "offer it", _offering(role, person))
        for person in others
    )
    said = "It stays where it is until they accept it."
    if offer is not None:
        back = Choice(
            "take the offer back", f"from {scene.called(offer.to)}", "take it back", _declining(role)
        )
        choices = (back, *choices)
        said = f"It is offered to {scene.called(offer.to)}, who hasn't answered yet."
    title = f"Hand over {_mine(scene, role, holder)}?"
    lines = (line(("lets one ", "dim"), lets(scene.plan, role)), line(said))
    return Ask(title, lines, "offer it", (holder,), None, "why", needed=True, choices=choices)


def _there(scene: Scene, person: str) -> str:
    """Whether somebody is there to take a role, and how long."""
    until = next((p.on_shift_until for p in scene.plan.people if p.id == person), None)
    shift = ""
    if until is not None:
        shift = f", on shift until {wall(scene, until, person)}" if until > scene.at else ", off shift"
    return f"{presence.of(scene.state, person)}{shift}"


def _offering(role: str, to: str) -> Make:
    def make(at: datetime, by: str, via: str, reason: str) -> Command:
        return cmd.OfferRole(at, by, via, reason, role=role, to=to)

    return make


# Taking


def take(scene: Scene) -> Asked:
    """Hold a role from now on: one choice for each that nobody holds, or whose holder isn't here."""
    me = scene.link.me
    away = [r for r, holder in roles.wanted(scene.plan) if holder != me and not scene.state.here(holder)]
    if not away:
        return "no role can be taken over: whoever holds one is here"
    refused = {role: refusal(scene, _taking(role)(scene.at, me, "", "?")) for role in away}
    if all(refused.values()):
        return refused[away[0]]
    choices = tuple(_take(scene, role, refused[role]) for role in away)
    left = [role for role, _ in roles.left_open(scene.state)]
    if len(left) > 1 and not refusal(scene, _taking("")(scene.at, me, "", "?")):
        choices += (
            Choice(
                "all that was left open", listed([roles.called(r) for r in left]), "take them", _taking("")
            ),
        )
    said = line("It is yours from now on; the log keeps from whom, and why.")
    return Ask("Take over a role?", (said,), "take it", (me,), None, "why", needed=True, choices=choices)


def takes(scene: Scene) -> bool:
    """Whether taking a role would help: a holder has left, or a leading one's word can't be entered here."""
    left = {role for role, _ in roles.left_open(scene.state)}
    for role, holder in roles.wanted(scene.plan):
        if role not in left and (role not in LEADING or (holder and voices(scene, (holder,)))):
            continue
        if not refusal(scene, _taking(role)(scene.at, scene.link.me, "", "?")):
            return True
    return False


def _taking(role: str) -> Callable[[datetime, str, str, str], Command]:
    def make(at: datetime, by: str, via: str, reason: str) -> Command:
        return cmd.TakeRole(at, by, via, reason, role=role)

    return make


def _take(scene: Scene, role: str, refused: str) -> Choice:
    holder = scene.plan.roles.holder(role)
    says = f"{roles.called(role)}, {f'from {scene.called(holder)}' if holder else 'which nobody holds'}"
    if refused:
        return Choice(says, f"not now: {refused}", "take it", None)
    return Choice(says, lets(scene.plan, role, scene.link.me), "take it", _taking(role))
