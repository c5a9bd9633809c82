"""The small notations of a plan: durations, limits, waves and ranges of targets."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import NamedTuple, cast

from pydantic_core import PydanticCustomError

from cockpit.core.plan import Op

MOST_TARGETS = 10_000
DURATION_PATTERN = r"^(?=\d)(?:\d{1,5}d)?(?:\d{1,5}h)?(?:\d{1,5}m)?(?:\d{1,7}s)?$"
LIMIT_PATTERN = r"^(>=|<=|>|<) *(-?\d+(?:\.\d+)?)$"
WAVE_PATTERN = r"^(?:[1-9]\d?|100)%$"

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_RANGE = re.compile(r"\[(\d{1,9})-(\d{1,9})(?:/(\d{1,9}))?\]", re.ASCII)
_ADDRESS = re.compile(r"\[[0-9A-Fa-f.]*:[0-9A-Fa-f.:]*(?:%\w+)?\]", re.ASCII)


class Limit(NamedTuple):
    """`> 2` taken apart."""

    op: Op
    value: float


class Mistake(ValueError):
    """A value that can't be used: what is wrong with it and what to write."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def wrong(message: str, hint: str) -> PydanticCustomError:
    """A model's complaint about a value; the message must stand on its own."""
    return PydanticCustomError("plan", "{message}", {"message": message, "hint": hint})


def duration(value: object) -> timedelta:
    """`"1h30m"` as a timedelta; a duration has a unit: d, h, m or s, the larger first."""
    example = (
        f'write "{value}s"'
        if isinstance(value, int) and not isinstance(value, bool)
        else 'write "90s" or "1h30m"'
    )
    if not isinstance(value, str):
        raise wrong("a duration is text with a unit", example)
    if not re.fullmatch(DURATION_PATTERN, value, re.ASCII):
        if re.fullmatch(r"\d+", value, re.ASCII):
            raise wrong("a duration needs a unit", f'write "{value[:8]}s" or "{value[:8]}m"')
        raise wrong(f'"{value[:30]}" is no duration', 'write digits and d, h, m or s: "90s", "10m", "1h30m"')
    return timedelta(seconds=sum(int(n) * _UNITS[unit] for n, unit in re.findall(r"(\d+)([dhms])", value)))


def limit(value: object) -> Limit:
    """`"> 2"` as its operator and number."""
    found = (
        re.fullmatch(LIMIT_PATTERN, value, re.ASCII) if isinstance(value, str) and len(value) < 40 else None
    )
    if not found:
        raise wrong("this is no limit", 'write the comparison and the number: "> 2", ">= 5", "< 0.5"')
    return Limit(cast(Op, found[1]), float(found[2]))


def wave(value: object) -> int | str:
    """One wave: a count, `"50%"` or `"rest"`."""
    if value == "rest" or (
        isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_TARGETS
    ):
        return cast("int | str", value)
    if isinstance(value, str) and re.fullmatch(WAVE_PATTERN, value, re.ASCII):
        return value
    raise wrong("this is no wave", 'write a count from 1, a percentage from "1%" to "100%", or "rest"')


def variable(value: object) -> str:
    """A stage's variable: text or a whole number."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise wrong("a variable is text or a whole number", f'write "{str(value)[:30]}"')


def expand(name: str, host: str) -> list[tuple[str, str]]:
    """The (target id, host) pairs of `"cache-[01-20]"` and `"10.0.1.[1-20]"`; one pair where there is no range.

    Several ranges in a name stand for every combination, the last one counting fastest: `"r[1-4]-web-[01-40]"`.
    Raises Mistake for ranges that don't fit together.
    """
    names, hosts = _sizes(name), _sizes(host)
    many, others = math.prod(names), math.prod(hosts)
    if not names and hosts:
        raise Mistake("the host is a range, the target isn't", f'write "{name}-[1-{others}]" as its name')
    if names and not hosts:
        hint = f'write a range of {many} in the host: "{host}[1-{many}]"'
        raise Mistake(f"{many} targets would share one host", hint)
    if many != others:
        message = f"the ranges differ: {many} targets, {others} hosts"
        raise Mistake(message, "write two ranges of equal length")
    if names != hosts and min(len(names), len(hosts)) > 1:
        sizes = " and ".join(" by ".join(map(str, of)) for of in (names, hosts))
        raise Mistake(f"the ranges don't run alike: {sizes}", "write the host's ranges in the name's order")
    return list(zip(spelled(name), spelled(host), strict=True))


def spelled(text: str) -> list[str]:
    """Every name that `text` stands for, in order; itself where it has no range. Raises Mistake for a bad range."""
    _sizes(text)
    parts = _RANGE.split(text)  # what is between, then the first, the last and the step of a range, and so on
    found = [parts[0]]
    for first, last, step, between in zip(*(iter(parts[1:]),) * 4, strict=True):
        width = len(first) if first.startswith("0") else 0
        numbers = range(int(first), int(last) + 1, int(step or 1))
        found = [f"{before}{n:0{width}d}{between}" for before in found for n in numbers]
    return found


def ranged(text: str) -> bool:
    """Whether `text` stands for several names."""
    return _RANGE.search(text) is not None


def without_ranges(text: str) -> str:
    """`text` as one of its names looks."""
    return _RANGE.sub("0", text)


def odd_brackets(text: str) -> Mistake | None:
    """What is wrong with brackets that are no range, an address in brackets aside; None where there are none."""
    rest = _ADDRESS.sub("", without_ranges(text))
    if not ("[" in rest or "]" in rest):
        return None
    if re.search(r"\[[\d,\s-]*,[\d,\s-]*\]", rest, re.ASCII):
        return Mistake(
            "a range has no gaps", "write one range, and an entry of its own for each of the others"
        )
    return Mistake(
        "these brackets are no range", "write [FIRST-LAST] in digits, as in [001-400], or [1-99/2]"
    )


def _sizes(text: str) -> tuple[int, ...]:
    """How many each range of `text` stands for."""
    sizes: list[int] = []
    for first, last, step in (found.groups() for found in _RANGE.finditer(text)):
        if int(last) < int(first):
            raise Mistake(f"the range [{first}-{last}] runs backwards", f"write [{last}-{first}]")
        if step is not None and int(step) == 0:
            raise Mistake(f"the range [{first}-{last}/{step}] never gets on", f"write [{first}-{last}]")
        sizes.append((int(last) - int(first)) // int(step or 1) + 1)
    if math.prod(sizes) > MOST_TARGETS:
        raise Mistake(f"a plan has at most {MOST_TARGETS} targets", "write a smaller range")
    return tuple(sizes)
