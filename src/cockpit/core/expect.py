"""What a checklist item's check is to print, and whether it did."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite

from cockpit.core import checklist
from cockpit.core.journal import span
from cockpit.core.plan import ChecklistItem
from cockpit.core.text import visible

MOST_JUDGED = 4096
"""Characters of output that an expectation is held against; what prints more gives no answer."""

MOST_SHOWN = 120
"""Characters that are kept of what a check printed."""

AHEAD_MOST = timedelta(minutes=5)
"""How far in the future a printed moment may lie: clocks differ."""

COMPARED: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
PRINTED = re.compile(rf"({NUMBER})(?:\s*(?:[^\W\d_]|[%°])[^\s\d]*)?")
"""A number, and a unit of one word: one with digits in it ("1d12h") says more than the number does."""

UNIX = re.compile(r"[0-9]{9,11}(?:\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Expect:
    """An expectation: `text` is as the plan has it, `met` says whether a trimmed output is so."""

    text: str
    met: Callable[[str], bool]


def parse(text: str) -> Expect:
    """The expectation that `text` writes; ValueError says what is wrong with it, and what to write.

    `< 24` (or `<=`, `>`, `>=`): the number printed; `contains WORDS`; anything else: just that. A pattern is for the
    check's own `grep`.
    """
    text = text.strip()
    word, _, rest = text.partition(" ")
    rest = rest.strip()
    compared = next((op for op in COMPARED if text.startswith(op)), None)
    if compared is not None:
        return Expect(text, _comparing(COMPARED[compared], text, text.removeprefix(compared).strip()))
    if word == "contains":
        if not rest:
            raise ValueError("`contains` says not what: write it behind, such as `contains restored`")
        return Expect(text, lambda output: rest in output)
    if not text or text.startswith(("=", "!=")):
        raise ValueError(f"`{text}` expects nothing: write what is printed, as it is, or `< 24`")
    return Expect(text, lambda output: output == text)


def _comparing(holds: Callable[[float, float], bool], text: str, limit: str) -> Callable[[str], bool]:
    if not re.fullmatch(NUMBER, limit):
        raise ValueError(f"`{text}` compares with no number: write one without a unit, such as `< 24`")

    def met(output: str) -> bool:
        printed = PRINTED.fullmatch(output)
        return printed is not None and isfinite(number := float(printed[1])) and holds(number, float(limit))

    return met


def judged(item: ChecklistItem, exit_code: int, output: bytes | str, at: datetime) -> tuple[bool, str, str]:
    """Whether what the item's check came to at `at` is healthy, what it printed, and why that isn't healthy.

    Both texts are fit to be shown. `output` holds what came on standard output and standard error.
    """
    text = (output.decode(errors="replace") if isinstance(output, bytes) else output).strip()
    wrong = _wrong(item, exit_code, text, at)
    return not wrong, brief(text), f"{wrong} ({brief(item.check or '')})" if wrong else ""


def brief(text: str) -> str:
    """`text` in one short line, with nothing hidden in it."""
    line = visible(" ".join(text.split()))
    return line if len(line) <= MOST_SHOWN else f"{line[: MOST_SHOWN - 1]}…"


def _wrong(item: ChecklistItem, exit_code: int, text: str, at: datetime) -> str:
    if exit_code != 0:
        last = text.splitlines()[-1:]
        return ": ".join((f"exits {exit_code}", *map(brief, last)))
    if item.expect is None and not checklist.dated(item):
        return ""
    if len(text) > MOST_JUDGED:
        return f"printed more than {MOST_JUDGED} characters, which are no answer"
    if item.expect is None:
        return _too_old(item, text, at)
    try:
        expect = parse(item.expect)
    except ValueError as wrong:  # a plan that an earlier version accepted
        return f"nothing tells whether this is healthy: {brief(str(wrong))}"
    return "" if expect.met(text) else f"{brief(text) or 'nothing'}, expected {brief(expect.text)}"


def _too_old(item: ChecklistItem, text: str, at: datetime) -> str:
    printed = _moment(text)
    assert item.max_age is not None  # it is dated
    if printed is None:
        return f"{brief(text) or 'nothing'}, expected a moment such as 2026-11-24T22:00:00Z, or Unix seconds"
    age = at - printed
    if age > item.max_age:
        return f"{_days(age)} old, {_days(item.max_age)} at most"
    return f"{_days(-age)} in the future" if -age > AHEAD_MOST else ""


def _moment(text: str) -> datetime | None:
    """The moment that `text` says: ISO 8601 with its offset, or Unix seconds; None where it says none."""
    if UNIX.fullmatch(text):
        return datetime.fromtimestamp(float(text), UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _days(length: timedelta) -> str:
    """A length in its two largest units: `2 d 3 h`, `1 d 5 min`, `23 h 10 min`."""
    days, rest = divmod(length, timedelta(days=1))
    hours, minutes = divmod(rest // timedelta(minutes=1), 60)
    if not days:
        return span(rest)
    more = f" {hours} h" if hours else f" {minutes} min" if minutes else ""
    return f"{days} d{more}"
