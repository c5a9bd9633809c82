"""The small notations of a plan: durations, limits, waves and ranges of targets."""

from __future__ import annotations

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
_RANGE = re.compile(r"\[(\d{1,9})-(\d{1,9})\]")


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

    Raises Mistake for ranges that don't fit together.
    """
    names, hosts = _range(name), _range(host)
    if names is None:
        if hosts is not None:
            raise Mistake(
                "the host is a range, the target isn't", f'write "{name}-[1-{len(hosts)}]" as its name'
            )
        return [(name, host)]
    if hosts is None:
        raise Mistake(
            f"{len(names)} targets would share one host",
            f'write a range of {len(names)} in the host: "{host}[1-{len(names)}]"',
        )
    if len(names) != len(hosts):
        raise Mistake(
            f"the ranges differ: {len(names)} targets, {len(hosts)} hosts", "write two ranges of equal length"
        )
    return list(zip(names, hosts, strict=True))


def _range(text: str) -> list[str] | None:
    found = list(_RANGE.finditer(text))
    if not found:
        return None
    if len(found) > 1:
        raise Mistake(
            "more than one range in a name", "write one range a name, and one entry for each of the others"
        )
    first, last = found[0].groups()
    if int(last) < int(first):
        raise Mistake(f"the range [{first}-{last}] runs backwards", f"write [{last}-{first}]")
    if int(last) - int(first) >= MOST_TARGETS:
        raise Mistake(f"a plan has at most {MOST_TARGETS} targets", "write a smaller range")
    width = len(first) if first.startswith("0") else 0
    before, after = text[: found[0].start()], text[found[0].end() :]
    return [f"{before}{n:0{width}d}{after}" for n in range(int(first), int(last) + 1)]
