"""A limit as a person types it during a session: `> 3`, `outside 1..5`, `> 3 for 2m`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from pydantic_core import PydanticCustomError

from cockpit.core.plan import Op
from cockpit.planfile.scalars import Mistake, duration, limit

_NUMBER = r"-?\d+(?:\.\d+)?"
_OUTSIDE = re.compile(rf"outside +({_NUMBER}) *\.\. *({_NUMBER})", re.ASCII)

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class TypedLimit:
    """Either `op` and `limit` are set, or `outside` has a low and a high end; `for_` None leaves the span as it is."""

    op: Op | None
    limit: float | None
    outside: tuple[float, ...]
    for_: timedelta | None


def typed_limit(text: str) -> TypedLimit:
    """`text` taken apart, in the plan's own notation; Mistake says what is wrong and what to write."""
    said, given, span = text.strip().partition(" for ")
    for_ = _read(duration, span.strip()) if given else None
    if said.startswith("outside"):
        return TypedLimit(None, None, _outside(said), for_)
    found = _read(limit, said.strip())
    return TypedLimit(found.op, found.value, (), for_)


def _read(how: Callable[[object], Read], text: str) -> Read:
    try:
        return how(text)
    except PydanticCustomError as fault:
        raise Mistake(fault.message(), str((fault.context or {}).get("hint", ""))) from None


def _outside(said: str) -> tuple[float, float]:
    found = _OUTSIDE.fullmatch(said.strip())
    if found is None:
        raise Mistake("this is no range", 'write its two ends: "outside 1..5"')
    low, high = float(found[1]), float(found[2])
    if not low < high:
        raise Mistake("a range has a low and a high end, in this order", f'write "outside {high:g}..{low:g}"')
    return low, high
