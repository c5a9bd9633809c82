"""Numbers in the JSON that web servers answer, and the plain words for answers that hold none."""

from __future__ import annotations

import json
import math
import re
from typing import cast

from cockpit.signals.command import number
from cockpit.signals.query import Reply, shown

STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*)|\[(\d{1,6})\]")


def ok(reply: Reply) -> None:
    """ValueError where the status is any but 2xx."""
    if not 200 <= reply.status < 300:
        raise ValueError(f"answered {reply.status}")


def decoded(body: bytes) -> object:
    """`body` read as JSON (RFC 8259: no NaN, no Infinity); ValueError says what came instead."""
    if not body.strip():
        raise ValueError("answered nothing")
    try:
        return json.loads(body, parse_constant=_refused)
    except (ValueError, RecursionError):
        raise ValueError(f"answered no JSON: {shown(body.strip())}") from None


def _refused(word: str) -> object:
    raise ValueError(word)


def steps(path: str) -> tuple[str | int, ...]:
    """The steps of a JSON path: `$`, then `.name` and `[index]` as often as needed.

    This is the part of RFC 9535 that names exactly one value; the rest of it selects many, of which a
    limit could judge none, and no library is needed for it. ValueError says where it stops.
    """
    if not path.startswith("$"):
        raise ValueError("a JSON path begins with `$`")
    found: list[str | int] = []
    at = 1
    while at < len(path):
        step = STEP.match(path, at)
        if step is None:
            raise ValueError(f"`{path[at:]}` can't be followed: a step is `.name` or `[0]`")
        found.append(step[1] if step[1] is not None else int(step[2]))
        at = step.end()
    return tuple(found)


def at_path(document: object, path: str) -> float:
    """The number at `path`, also where it is written as a string; ValueError says what is there instead."""
    place, value = "$", document
    for step in steps(path):
        place += f".{step}" if isinstance(step, str) else f"[{step}]"
        value = _inside(value, step)
        if value is _NOTHING:
            raise ValueError(f"there is no {place} in the answer")
    return as_number(value, place)


_NOTHING = object()


def _inside(value: object, step: str | int) -> object:
    if isinstance(value, dict):
        return cast(dict[object, object], value).get(step, _NOTHING)
    if isinstance(value, list) and isinstance(step, int):
        return next(iter(cast(list[object], value)[step : step + 1]), _NOTHING)
    return _NOTHING


_KINDS = {dict: "an object", list: "a list"}


def as_number(value: object, place: str) -> float:
    """A JSON value as a finite number; ValueError says what it is instead."""
    if isinstance(value, str):
        try:
            return number(value.strip().encode("utf-8", "replace"))
        except ValueError as fault:
            raise ValueError(f"{place} is {fault}, no number") from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        kind = next((name for type_, name in _KINDS.items() if isinstance(value, type_)), json.dumps(value))
        raise ValueError(f"{place} is {kind}, no number")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        raise ValueError(f"{place} is too large for a number")
    return found
