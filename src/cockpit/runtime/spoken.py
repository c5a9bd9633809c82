"""Events as lines for whoever only hears them: words for signs, alarms first, and nothing said a hundred times."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from cockpit.core import events as ev
from cockpit.core.events import Event
from cockpit.core.journal import Find, line, number, on
from cockpit.core.moves import DOES
from cockpit.core.plan import Plan, Threshold
from cockpit.core.state import State

ALARM, NEEDED = "Alarm: ", "Needed: "

_WORDS = {">": "above", "<": "below", ">=": "at least", "<=": "at most", "==": "equal to", "!=": "other than"}
_COMPARED = re.compile(r"(?<= )(>=|<=|==|!=|>|<)(?= -?[0-9])")
_AGAINST = re.compile(r" against (?:[<>=!]+ -?[\d.]+|outside \S+)")


class Spoken:
    """Says the events of one session, in their order."""

    def __init__(self, plan: Plan, find: Find) -> None:
        """`find` lets an outcome name its step."""
        self._plan = plan
        self._find = find
        self._reached: set[str] = set()
        self._fit: set[str] = set()
        self._verdicts: dict[tuple[str, str | None], str] = {}
        self._spans = {limit.id: limit.for_ for limit in plan.thresholds}

    def line(self, event: Event) -> str:
        """The event as one line; empty where it says nothing new."""
        if isinstance(event, ev.LimitChanged):
            self._spans[event.threshold] = event.for_
        match event:
            case ev.TargetProbed(ok=True, running=()) | ev.TargetExamined():
                return self._together(event)
            case ev.VerdictChanged():
                return self._verdict(event)
            case ev.SessionOpened():
                return f"{self._said(event)}; times are in UTC"
            case _:
                return f"{_begins(event)}{self._said(event)}"

    def _said(self, event: Event) -> str:
        """As the journal has it, with words for its signs; the limit is named, and needn't be repeated."""
        words = line(event, self._plan, self._find)
        return in_words(_AGAINST.sub("", words) if isinstance(event, ev.ThresholdTripped) else words)

    def _together(self, event: ev.TargetProbed | ev.TargetExamined) -> str:
        """Targets that are as they should be: said once, of all together. What isn't is said at once."""
        every = {target.id for target in self._plan.targets}
        if isinstance(event, ev.TargetProbed):
            so_far, words = self._reached, "reached"
        elif _is_fit(event):
            so_far, words = self._fit, "have the right clock and the previous version"
        else:
            return self._said(event)
        new = event.target not in so_far
        so_far.add(event.target)
        if not new or not every <= so_far:
            return ""
        if len(every) == 1:
            return self._said(event)
        return f"{event.at:%H:%M:%S}  all {len(every)} targets {words}"

    def _verdict(self, event: ev.VerdictChanged) -> str:
        key = (event.threshold, event.target)
        before = self._verdicts.get(key, "")
        self._verdicts[key] = event.verdict
        if event.verdict == "pass" and before in ("", "pass") and event.breaching_since is None:
            return ""
        what = in_words(f"limit {event.threshold}{on(event.target)}")
        limit = next((t for t in self._plan.thresholds if t.id == event.threshold), None)
        is_shown_only = limit is not None and limit.observe_only
        units = {s.name: s.unit for s in self._plan.signals}
        unit = units.get(limit.signal, "") if limit is not None and not limit.compare else ""
        value = number(event.value, unit)
        since = f", beyond it since {event.breaching_since:%H:%M:%S}" if event.breaching_since else ""
        why = in_words(f": {event.detail}" if event.detail else "")
        match event.verdict:
            case "pass" if event.breaching_since is None:
                said = f"{what}: back within it, {value}"
            case "pass":
                said = f"{what}: {value}{since}; {self._then(limit, event)}{why}"
            case "breach":
                said = f"{what}: breached, {value}{since}{why}{'; it is shown only' if is_shown_only else ''}"
            case _:
                holds = "it is shown only" if is_shown_only else "it holds the release"
                said = f"{what}: {event.verdict}, {value}{why}; {holds}"
        return f"{event.at:%H:%M:%S}  {said}"

    def _then(self, limit: Threshold | None, event: ev.VerdictChanged) -> str:
        """What a limit does, and when, if it stays beyond."""
        if limit is None or event.breaching_since is None:
            return "it acts if that lasts"
        if limit.observe_only:
            return "it is shown only"
        at = event.breaching_since + self._spans[limit.id]
        when = f" at {at:%H:%M:%S}" if limit.min_samples == 1 and at > event.at else ""
        return f"it {DOES[limit.action]}{when} if that lasts"


def speaker(plan: Plan, state: Callable[[], State]) -> Callable[[Event], str]:
    """What says the events of a session whose plan this is; empty for one that says nothing new."""
    return Spoken(plan, lambda attempt: state().find(attempt)).line


def in_words(text: str) -> str:
    """Comparisons in words: a screen reader passes over signs, and `errors > 5` would be heard as errors 5."""
    return _COMPARED.sub(lambda found: _WORDS[found[1]], text)


def _is_fit(event: ev.TargetExamined) -> bool:
    right = event.clock_ahead is not None and abs(event.clock_ahead) == timedelta(0)
    return right and all(version.ok for version in event.versions)


def _begins(event: Event) -> str:
    """The word for an event that needs a hand, or ears."""
    match event:
        case ev.ThresholdTripped() | ev.UnexplainedReported() | ev.MachineSlept() | ev.DriverReplaced():
            return ALARM
        case (
            ev.StepFinished(finish="failed" | "in_doubt" | "unreachable")
            | ev.RollbackFinished(unproven=[_, *_] | (_, *_))
        ):
            return ALARM
        case ev.TargetProbed() | ev.SignalRead(ok=False):
            return NEEDED
        case ev.RollbackProposed() | ev.GateTimedOut() | ev.WindowClosed() | ev.LeftAlone():
            return NEEDED
        case _:
            return ""
