"""Events as lines for whoever only hears them: words for signs, alarms first, and nothing said a hundred times."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from cockpit.core import events as ev
from cockpit.core.attempt import Attempt
from cockpit.core.events import Event
from cockpit.core.journal import limit_of, line, number, on, span
from cockpit.core.listing import some
from cockpit.core.plan import Plan, Threshold
from cockpit.core.state import State
from cockpit.core.together import among
from cockpit.core.unclean import DOES

ALARM, NEEDED = "Alarm: ", "Needed: "

_WORDS = {">": "above", "<": "below", ">=": "at least", "<=": "at most", "==": "equal to", "!=": "other than"}
_COMPARED = re.compile(r"(?<= )(>=|<=|==|!=|>|<)(?= -?[0-9])")
_AGAINST = re.compile(r" against (?:[<>=!]+ -?[\d.]+|outside \S+)")


@dataclass(slots=True)
class _Run:
    """A playbook's run for several targets: whose end is awaited, and the ends that are told together."""

    of: int
    what: str
    awaited: set[str] = field(default_factory=set[str])
    ended: dict[tuple[str, bool, str], list[tuple[str, float]]] = field(default_factory=dict)


class Spoken:
    """Says the events of one session, in their order."""

    def __init__(self, plan: Plan, state: Callable[[], State]) -> None:
        """`state` is the session's at some later moment than the event's: an outcome names its step by it."""
        self._plan = plan
        self._state = state
        self._runs: dict[str, _Run] = {}
        self._reached: set[str] = set()
        self._fit: set[str] = set()
        self._verdicts: dict[tuple[str, str | None], str] = {}
        self._spans = {limit.id: limit.for_ for limit in plan.thresholds}

    def lines(self, event: Event) -> Iterator[str]:
        """The event as a line, if it says anything new; behind the last end of a playbook's run, what came of it."""
        if said := self.line(event):
            yield said
        if isinstance(event, ev.StepFinished):
            yield from self._over(event)

    def line(self, event: Event) -> str:
        """The event as one line; empty where it says nothing new, or is told with others of its run."""
        if isinstance(event, ev.LimitChanged):
            self._spans[event.threshold] = event.for_
        match event:
            case ev.TargetProbed(ok=True, running=()) | ev.TargetExamined():
                return self._together(event)
            case ev.VerdictChanged():
                return self._verdict(event)
            case ev.StepIntended(together=str(run)) if run:
                return self._begun(event)
            case ev.StepFinished() if self._told_later(event):
                return ""
            case ev.SessionOpened():
                return f"{self._said(event)}; times are in UTC"
            case _:
                return f"{_begins(event)}{self._said(event)}"

    def _said(self, event: Event) -> str:
        """As the journal has it, with words for its signs; the limit is named, and needn't be repeated."""
        words = line(event, self._plan, lambda attempt: self._state().find(attempt))
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

    def _begun(self, event: ev.StepIntended) -> str:
        """A playbook's run, with the first of its targets: once for all of them."""
        if run := self._runs.get(event.together):
            run.awaited.add(event.attempt)
            return ""
        attempt = self._state().find(event.attempt)
        targets = among(self._state(), attempt) if attempt is not None else ()
        if attempt is None or len(targets) < 2 or event.attempt != event.together:
            return self._said(event)
        what = f"{'rollback of ' * (event.direction == 'back')}{event.step}"
        self._runs[event.together] = _Run(len(targets), what, {event.attempt})
        whom = f"{len(targets)} targets ({some(targets)})"
        return f"{event.at:%H:%M:%S}  {what} on {whom}: about to run by Ansible: {attempt.command}"

    def _run_of(self, event: ev.StepFinished) -> tuple[_Run, Attempt] | None:
        """The run that the attempt is of, and the attempt; None where it ran alone."""
        attempt = self._state().find(event.attempt)
        run = self._runs.get(attempt.together) if attempt is not None else None
        return None if run is None or attempt is None else (run, attempt)

    def _told_later(self, event: ev.StepFinished) -> bool:
        """Whether the end needs nobody, and is told with those of the others of its run."""
        found = self._run_of(event)
        if found is None or event.attempt not in found[0].awaited or event.settled:
            return False
        if event.finish not in ("succeeded", "skipped"):
            return False
        run, attempt = found
        alike = run.ended.setdefault((event.finish, event.proven, event.detail), [])
        alike.append((attempt.target, event.seconds))
        return True

    def _over(self, event: ev.StepFinished) -> Iterator[str]:
        """What came of a run whose last end this is: a line for those who ended alike."""
        found = self._run_of(event)
        if found is None or event.attempt not in found[0].awaited:
            return
        run, attempt = found
        run.awaited.discard(event.attempt)
        if run.awaited:
            return
        del self._runs[attempt.together]
        for (finish, proven, detail), alike in run.ended.items():
            names = [target for target, _ in alike]
            everywhere = len(names) == run.of
            whom = (
                f"all {run.of} targets" if everywhere else f"{len(names)} of {run.of} targets ({some(names)})"
            )
            longest = span(timedelta(seconds=max(seconds for _, seconds in alike)))
            proof = ", verified" * proven
            why = f": {detail}" if detail else ""
            yield in_words(
                f"{event.at:%H:%M:%S}  {run.what} on {whom}: {finish}{proof}, in {longest} at most{why}"
            )

    def _verdict(self, event: ev.VerdictChanged) -> str:
        key = (event.threshold, event.target)
        before = self._verdicts.get(key, "")
        self._verdicts[key] = event.verdict
        if event.verdict == "pass" and before in ("", "pass") and event.breaching_since is None:
            return ""
        what = in_words(f"limit {limit_of(event)}{on(event.target)}")
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


def speaker(plan: Plan, state: Callable[[], State]) -> Callable[[Event], Iterator[str]]:
    """What says the events of a session whose plan this is, in lines; none for one that says nothing new."""
    return Spoken(plan, state).lines


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
        case ev.RollbackAsked(to=(_, *_)):
            return NEEDED
        case _:
            return ""
