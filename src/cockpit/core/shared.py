"""A mapping that never changes, and whose changed copies are cheap: they share what they have in common."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import Generic, TypeVar, overload

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")

RECENT = 64
"""So many changes are kept beside the large part before a new large part is made of both."""


class Shared(Mapping[K, V], Generic[K, V]):
    """In the order in which keys first came, as a dict. A dict that is copied for each event of a large fleet costs
    more than everything else about the event.
    """

    __slots__ = ("_base", "_recent")

    def __init__(self, base: Mapping[K, V] | None = None) -> None:
        self._base: dict[K, V] = dict(base or {})
        self._recent: dict[K, V] = {}

    def but(self, changes: Mapping[K, V]) -> Shared[K, V]:
        """A copy in which these keys have these values."""
        after = object.__new__(type(self))
        recent = {**self._recent, **changes}
        after._base, after._recent = (
            (self._base, recent) if len(recent) < RECENT else ({**self._base, **recent}, {})
        )
        return after

    def beside(self, other: Shared[K, V]) -> tuple[Mapping[K, V], Mapping[K, V]]:
        """What both have beside what they surely have in common."""
        same = self._base is other._base
        return (self._recent, other._recent) if same else (self._whole(), other._whole())

    def __getitem__(self, key: K) -> V:
        recent = self._recent
        return recent[key] if key in recent else self._base[key]

    @overload
    def get(self, key: K, /) -> V | None: ...
    @overload
    def get(self, key: K, /, default: V | D) -> V | D: ...
    def get(self, key: K, /, default: V | D | None = None) -> V | D | None:
        """The value of `key`, or `default`."""
        recent = self._recent
        return recent[key] if key in recent else self._base.get(key, default)

    def __contains__(self, key: object) -> bool:
        return key in self._recent or key in self._base

    def __len__(self) -> int:
        return len(self._base) + sum(key not in self._base for key in self._recent)

    def __iter__(self) -> Iterator[K]:
        return iter(self._whole())

    def keys(self) -> KeysView[K]:
        """As a dict's."""
        return self._whole().keys()

    def values(self) -> ValuesView[V]:
        """As a dict's."""
        return self._whole().values()

    def items(self) -> ItemsView[K, V]:
        """As a dict's."""
        return self._whole().items()

    def __repr__(self) -> str:
        return f"Shared({self._whole()!r})"

    def _whole(self) -> dict[K, V]:
        return {**self._base, **self._recent} if self._recent else self._base


def put(mapping: Mapping[K, V], key: K, value: V) -> Shared[K, V]:
    """A copy of any mapping in which `key` has this value."""
    return put_all(mapping, {key: value})


def put_all(mapping: Mapping[K, V], changes: Mapping[K, V]) -> Shared[K, V]:
    """A copy of any mapping in which these keys have these values."""
    return (mapping if isinstance(mapping, Shared) else Shared(mapping)).but(changes)


def differing(one: Mapping[K, V], other: Mapping[K, V]) -> frozenset[K]:
    """The keys for which the two don't have the very same value."""
    if isinstance(one, Shared) and isinstance(other, Shared):
        one, other = one.beside(other)
    gone = other.keys() - one.keys()
    return frozenset(key for key, value in one.items() if other.get(key) is not value).union(gone)
