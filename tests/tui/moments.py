"""Moments that many tests begin at: told once, then handed out as copies."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from copy import copy
from functools import cache, wraps
from typing import Any, TypeVar

from cockpit.runtime.watching import Compared, EachTarget, Together
from cockpit.tui.scene import History

T = TypeVar("T")

HOLDERS = (EachTarget, Together, Compared, History)
"""What a link holds that changes, besides collections."""

_TOLD: dict[tuple[str, str], dict[str, Any]] = {}


def copied(link: T) -> T:
    """Another link at the same moment: what happens to one doesn't happen to the other."""
    other = copy(link)
    other.__dict__ = _copied(vars(link), {})
    return other


def moment(tell: Callable[[T], T]) -> Callable[[T], T]:
    """A method that brings a link to a moment: the same link, as it is by all that it holds, is told once."""

    @wraps(tell)
    def told(self: T) -> T:
        # With samples come watches, which don't say what they hold.
        if getattr(self, "samples", None) or getattr(self, "subscribers", None):
            return tell(self)
        key = (f"{type(self).__qualname__}.{tell.__name__}", repr(vars(self)))
        if key not in _TOLD:
            _TOLD[key] = _copied(vars(tell(self)), {})
        else:
            self.__dict__ = _copied(_TOLD[key], {})
        return self

    return told


def once(tell: Callable[[], T]) -> Callable[[], T]:
    """A copy of what `tell` makes, which is made once."""
    kept = cache(tell)
    return lambda: copied(kept())


def _copied(value: Any, made: dict[int, Any]) -> Any:
    """What can change is made anew, once for all who hold it; the rest, frozen as it is, is shared."""
    if id(value) in made:
        return made[id(value)]
    if isinstance(value, HOLDERS):
        new = made[id(value)] = copy(value)
        new.__dict__ = _copied(vars(value), made)
    elif type(value) is dict:
        new = made[id(value)] = {}
        new.update((key, _copied(one, made)) for key, one in value.items())
    elif type(value) in (list, set, deque):
        new = made[id(value)] = copy(value)
    else:
        new = value
    return new
