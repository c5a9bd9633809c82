"""The next release's plan from the one before it: its text with what is new put in its place."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from cockpit.planfile.checked import Checked, parse
from cockpit.planfile.drafting import everything_said, first_new
from cockpit.planfile.edit import places, replaced
from cockpit.planfile.positions import Path
from cockpit.planfile.reading import walk

SATURDAY = 5

_VERSIONS: tuple[Path, Path] = (("release", "version"), ("release", "previous_version"))


@dataclass(frozen=True, slots=True)
class Earlier:
    """The plan of the release before, without problems: its text as it is, what it says, and its check."""

    text: str
    document: dict[str, Any]
    checked: Checked

    @classmethod
    def of(cls, checked: Checked) -> Earlier:
        """From the check of a plan that has no problems."""
        text = checked.data.decode()
        return cls(text, tomllib.loads(text.removeprefix("\ufeff")), checked)


@dataclass(frozen=True, slots=True)
class Successor:
    """What is new in the next release. `change_ref` counts where the earlier plan has one; so do the window's
    times, and where they are None the window stays."""

    version: str
    change_ref: str = ""
    opens: datetime | None = None
    closes: datetime | None = None


def succeeded(earlier: Earlier, new: Successor) -> str:
    """The earlier plan's text with what is new in its place, and every other byte as it was.

    Where the window moves, the ends of shifts move by as many days.
    """
    release, window = earlier.document["release"], earlier.document.get("window")
    values: dict[Path, object] = dict(zip(_VERSIONS, (new.version, release["version"]), strict=True))
    if "change_ref" in release and new.change_ref:
        values["release", "change_ref"] = new.change_ref
    if window and new.opens and new.closes:
        values |= {("window", "opens"): new.opens, ("window", "closes"): new.closes}
        moved = new.opens.date() - window["opens"].date()
        for id_, person in earlier.document.get("people", {}).items():
            if "on_shift_until" in person:
                with suppress(OverflowError):  # the year 9999 says that a shift has no end
                    values["people", id_, "on_shift_until"] = person["on_shift_until"] + moved
    return replaced(earlier.text, values)


def objection(earlier: Earlier, new: Successor) -> str:
    """What the check says about the next plan that it didn't say about the earlier one; empty if nothing."""
    checked = parse(succeeded(earlier, new).encode(), "", reader=lambda _: earlier.checked.inventory)
    return first_new(checked, everything_said(earlier.checked))


def still_said(earlier: Earlier, new: Successor) -> tuple[str, ...]:
    """The lines of the next plan that hold an earlier version, and always the one with the release's name."""
    text = succeeded(earlier, new)
    release = earlier.document["release"]
    old = "|".join(re.escape(release[key]) for key in ("version", "previous_version"))
    holds = re.compile(rf"(?<!\w)(?<!\w[.-])(?:{old})(?![.-]?\w)")
    kept = [
        path
        for path, value in walk(earlier.document)
        if path == ("release", "name")
        or (isinstance(value, str) and holds.search(value) and path not in _VERSIONS)
    ]
    where, lines = places(text), text.split("\n")
    numbers = sorted({where.value(path).line for path in kept})
    return tuple(f"line {number}: {lines[number - 1].strip()}" for number in numbers)


def bumped(version: str) -> str:
    """The version with its last number one up (2026.11.3: 2026.11.4, v7: v8), or empty if it has no number."""
    numbers = list(re.finditer(r"[0-9]{1,100}", version))
    if not numbers:
        return ""
    start, end = numbers[-1].span()
    return f"{version[:start]}{int(version[start:end]) + 1:0{end - start}d}{version[end:]}"


def next_weekday(after: date, freezes: Iterable[Mapping[str, Any]] = ()) -> date:
    """The first day after this one from Monday to Friday; outside the window's freezes, if one within a year is."""
    frozen = [(freeze["from"], freeze["to"]) for freeze in freezes]
    days = [after + timedelta(days=n) for n in range(1, 366)]
    weekdays = [day for day in days if day.weekday() < SATURDAY]
    clear = (day for day in weekdays if not any(first <= day <= last for first, last in frozen))
    return next(clear, weekdays[0])
