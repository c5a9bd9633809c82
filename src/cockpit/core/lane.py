"""Targets in the order of their turn, of which only those under way, and whoever is next, are looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, Protocol, TypeVar


class Standing(Protocol):
    """How a target stands, in one word."""

    @property
    def status(self) -> str: ...


S = TypeVar("S", bound=Standing)

Place = tuple[int, str]
"""A target within a wave: (the wave's number, the target's id)."""

Look = Callable[[Place], S | None]
"""How it stands now; None where nothing is to be done there."""


@dataclass(frozen=True, slots=True)
class Lane(Generic[S]):
    """`places` in the order of their turn, and `at`, which of them are a target's.

    Those that run or are `aside` are kept under their number. So are those that are pending, up to `reached`, whose
    turn hasn't come yet though all behind it are untouched: how these stand is asked when it comes. As long as it is
    told of every change this holds, and each change costs as much as is under way, whatever the size of the fleet.
    """

    places: tuple[Place, ...] = ()
    at: Mapping[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])
    reached: int = 0
    pending: Mapping[int, S] = field(default_factory=dict[int, S])
    running: Mapping[int, S] = field(default_factory=dict[int, S])
    aside: Mapping[int, S] = field(default_factory=dict[int, S])

    def extended(self, places: Iterable[Place], look: Look[S], aside: Callable[[S], bool]) -> Lane[S]:
        """With more places behind those it has."""
        more = tuple(places)
        at = dict(self.at)
        for number, (_, target) in enumerate(more, len(self.places)):
            at[target] = (*at.get(target, ()), number)
        running, beside = dict(self.running), dict(self.aside)
        for number, place in enumerate(more, len(self.places)):
            standing = look(place)
            if standing is not None and aside(standing):
                beside[number] = standing
            elif standing is not None and standing.status == "running":
                running[number] = standing
        longer = replace(self, places=self.places + more, at=at, running=running, aside=beside)
        return longer._advanced(look)

    def changed(self, targets: Iterable[str], look: Look[S], aside: Callable[[S], bool]) -> Lane[S]:
        """After something happened to these targets."""
        numbers = [number for target in targets for number in self.at.get(target, ())]
        if not numbers:
            return self
        pending, running, beside = dict(self.pending), dict(self.running), dict(self.aside)
        for number in numbers:
            for kept in (pending, running, beside):
                kept.pop(number, None)
            standing = look(self.places[number])
            if standing is None:
                continue
            if aside(standing):
                beside[number] = standing
            elif standing.status == "running":
                running[number] = standing
            elif standing.status == "pending" and number < self.reached:
                pending[number] = standing
        lane = Lane(self.places, self.at, self.reached, pending, running, beside)
        return lane._advanced(look) if max(numbers) >= self.reached else lane

    def had_its_turn(self, target: str) -> bool:
        """Whether the order of turns no longer depends on the target: how it stands may be told late."""
        numbers = self.at.get(target)
        return numbers is None or numbers[-1] < self.reached

    def next(self, look: Look[S]) -> Iterator[tuple[int, S]]:
        """The numbers of those that are pending, in order, and how each stands."""
        for number in sorted(self.pending):
            yield number, self.pending[number]
        for number in range(self.reached, len(self.places)):
            if number in self.aside or number in self.running:
                continue
            standing = look(self.places[number])
            if standing is not None and standing.status == "pending":
                yield number, standing

    def _advanced(self, look: Look[S]) -> Lane[S]:
        """Up to the first place that is still to have its turn."""
        reached = self.reached
        while reached < len(self.places):
            if reached not in self.running and reached not in self.aside:
                standing = look(self.places[reached])
                if standing is not None and standing.status == "pending":
                    break
            reached += 1
        return self if reached == self.reached else replace(self, reached=reached)
