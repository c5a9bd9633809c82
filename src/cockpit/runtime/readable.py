"""Which signals can be read, and why others can't: said when it is known first, and when it changes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from cockpit.core.attendance import MANUAL
from cockpit.core.commands import ReportSignal
from cockpit.core.journal import span
from cockpit.core.plan import HERE, Plan, Signal
from cockpit.core.thresholds import STALE_INTERVALS

LOOK = timedelta(seconds=1)
"""How often silence is looked for."""

_DIGITS = re.compile(r"\d+")

Heard = tuple[datetime, str]
"""When something last came, and why it was no value; empty where it was one."""


class Readable:
    """What came of each signal from each target, and what was last said of it."""

    def __init__(self, plan: Plan, intervals: Mapping[str, timedelta], now: datetime) -> None:
        """`intervals` are those at which signals are really read, where they aren't the plan's."""
        self._signals = {s.name: s for s in plan.signals}
        self._intervals = {s.name: intervals.get(s.name, s.interval) for s in plan.signals}
        self._heard: dict[str, dict[str, Heard]] = {name: {} for name in self._signals}
        self._broken: dict[tuple[str, str], str] = {}
        self._said: dict[str, tuple[bool, str, str]] = {}
        self._since = now
        self._looked: datetime | None = None

    def heard(self, signal: str, target: str, at: datetime, why: str = "") -> bool:
        """Something came: a value, or `why` there was none. Whether that is news."""
        before = self._heard[signal].get(target)
        self._heard[signal][target] = (at, why)
        self._broken.pop((signal, target), None)
        if before is not None and before[1] == why:
            return False
        self._looked = None
        return True

    def broken(self, signal: str, target: str, why: str) -> None:
        """Nothing can come at present: this is why, should the silence last."""
        self._broken[signal, target] = why

    def forget(self, now: datetime) -> None:
        """What came before counts no more, except what people entered; silence is counted from `now`."""
        self._since = now
        for name, heard in self._heard.items():
            if self._signals[name].source != MANUAL:
                heard.clear()

    def changed(self, now: datetime) -> list[ReportSignal]:
        """A report for each signal of which something else is to be said than before."""
        if self._looked is not None and timedelta(0) <= now - self._looked < LOOK:
            return []
        self._looked = now
        reports: list[ReportSignal] = []
        for signal in self._signals.values():
            status = self._status(signal, now)
            if status is None:
                continue
            # What differs in numbers only is no news: "no data for 7 s" grows by itself.
            said = (status[0], status[1], _DIGITS.sub("#", status[2]))
            if self._said.get(signal.name) != said:
                self._said[signal.name] = said
                ok, target, why = status
                detail = f"{target}: {why}" if target not in ("", HERE) else why
                reports.append(ReportSignal(now, signal.name, ok, detail))
        return reports

    def _status(self, signal: Signal, now: datetime) -> tuple[bool, str, str] | None:
        """Whether it can be read, from which target it can't, and why; None while that isn't known."""
        if signal.source == MANUAL:
            return self._entered(signal, now)
        heard, unknown, found = self._heard[signal.name], False, list[tuple[str, str]]()
        longest = STALE_INTERVALS * self._intervals[signal.name]
        for target in signal.targets:
            at, why = heard.get(target, (self._since, ""))
            silent = now - at
            if why:  # silence after a failure is still that failure
                found.append((target, why))
            elif silent > longest:
                down = self._broken.get((signal.name, target), "")
                found.append((target, f"no data for {silent.total_seconds():.0f} s" + (down and f": {down}")))
            unknown = unknown or target not in heard
        if found:
            before = self._said.get(signal.name)
            same = [f for f in found if before is not None and f[0] == before[1]]
            return False, *(same or found)[0]
        return None if unknown else (True, "", "")

    def _entered(self, signal: Signal, now: datetime) -> tuple[bool, str, str]:
        heard = self._heard[signal.name].get(HERE)
        if heard is None:
            return False, HERE, "nobody has entered a number yet"
        if now - heard[0] > self._intervals[signal.name]:
            return False, HERE, f"late: one is due every {span(self._intervals[signal.name])}"
        return True, "", ""
