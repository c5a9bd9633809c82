"""Who is here, who only watches, and who is away."""

from __future__ import annotations

from collections.abc import Iterable

from cockpit.core.events import ScreenAttached
from cockpit.core.state import State
from cockpit.tui.marks import Presence
from cockpit.tui.scene import Scene

Who = tuple[str, str]
"""(person id, account): the account only where the plan doesn't know whose it is."""


def who(seat: ScreenAttached) -> Who:
    """Who sits there; the same for each of their screens."""
    return seat.person, "" if seat.person else seat.os_user


def name(scene: Scene, one: Who) -> str:
    """The person's name, or the account that the plan doesn't know."""
    person, account = one
    return scene.called(person) if person else account


def everybody(state: State) -> dict[Who, Presence]:
    """How each who is known to be anywhere is there, in the order they came; whoever is missing is away."""
    found: dict[Who, Presence] = {}
    for seat in state.screens.values():
        best = (_how(seat), found.get(who(seat), "away"))
        found[who(seat)] = min(best, key=RANKS.index)
    return found


def count(state: State, how: Presence) -> int:
    """How many people are there in this way."""
    return sum(one == how for one in everybody(state).values())


def of(state: State, person: str) -> Presence:
    """How the person is there."""
    return everybody(state).get((person, ""), "away")


def others(scene: Scene) -> tuple[ScreenAttached, ...]:
    """The seats from which the release is still attended once this screen is left."""
    mine = scene.link.seat.screen
    return tuple(s for s in scene.state.acting if s.screen != mine)


def names(scene: Scene, seats: Iterable[ScreenAttached]) -> list[str]:
    """The name of each who sits there, once."""
    return [name(scene, one) for one in dict.fromkeys(map(who, seats))]


RANKS: tuple[Presence, ...] = ("here", "headless", "watching", "away")


def _how(seat: ScreenAttached) -> Presence:
    if not seat.may_act:
        return "watching"
    return "here" if seat.kind == "screen" else "headless"
