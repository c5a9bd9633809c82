"""What stands in the journal pane as one entry: what came together, and nothing that says nothing new."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from cockpit.core import events as ev
from cockpit.core import people
from cockpit.core.journal import limit_of, number, on, span
from cockpit.core.listing import ranges
from cockpit.core.people_journal import because
from cockpit.core.plan import Plan
from cockpit.tui.text import count

Entry = tuple[ev.Event, ...]
"""Events, the one that says most last."""

TOGETHER = timedelta(seconds=2)
"""What is as it should be, and came within so much time, is told at once."""

STEPS = "steps"
SINGLY_MOST = 12
"""Beginnings and ends of steps that are told one by one, on however many targets a release is."""


class Entries:
    """Puts events into entries as they come; a verdict that says again what its limit said before is left out."""

    def __init__(self, many: bool = False) -> None:
        """`many`: on so many targets that the steps that came together are told as counts."""
        self._many = many
        self._pending: list[ev.Event] = []
        self._as = ""
        self._known: dict[str, tuple[str, bool]] = {}

    def add(self, event: ev.Event) -> list[Entry]:
        """Take the next event; the entries that are complete by that, in order."""
        back = False
        if isinstance(event, ev.VerdictChanged):
            says = (event.verdict, event.breaching_since is not None)
            before = self._known.get(event.threshold)
            if before == says:
                return []
            back, self._known[event.threshold] = before is not None, says
        kind = self._kind(event) if not back else ""
        pending, done = self._pending, list[Entry]()
        within = kind and kind == self._as and event.at - pending[0].at <= TOGETHER
        if pending and not within and not _follows(pending[-1], event):
            done, self._pending = self.rest(), []
        self._as = kind
        self._pending.append(event)
        return done

    def rest(self) -> list[Entry]:
        """What the last events come to, as long as no other comes."""
        if self._as == STEPS and len(self._pending) <= SINGLY_MOST:
            return [(event,) for event in self._pending]
        return [tuple(self._pending)] if self._pending else []

    def _kind(self, event: ev.Event) -> str:
        if _usual(event):
            return "usual"
        if isinstance(event, ev.StepIntended) and event.together and not self._many:
            return event.together
        return STEPS if self._many and _as_planned(event) else ""


def _as_planned(event: ev.Event) -> bool:
    """Whether a step begins, or went well: of nothing else are there as many as targets."""
    match event:
        case ev.StepIntended():
            return True
        case ev.StepFinished(finish="succeeded", settled="", detail=""):
            return True
        case _:
            return False


def _follows(before: ev.Event, event: ev.Event) -> bool:
    """Whether a limit made it happen, or found it exceeded, in the event before."""
    match before, event:
        case ev.VerdictChanged(verdict="breach", threshold=limit), ev.ThresholdTripped():
            return event.threshold == limit
        case ev.ThresholdTripped(threshold=limit), ev.RolloutPaused() | ev.RollbackStarted():
            return event.threshold == limit
        case _:
            return False


def _usual(event: ev.Event) -> str:
    """What is as it should be, in a word or two; empty for all else."""
    match event:
        case ev.TargetProbed(ok=True, running=(), held_by="", detail=""):
            return "reached"
        case ev.TargetExamined(clock_ahead=timedelta() as ahead):
            right = not round(ahead.total_seconds()) and all(v.ok and not v.detail for v in event.versions)
            return "as they should be" if right else ""
        case ev.SignalRead(ok=True, detail=""):
            return "read"
        case ev.VerdictChanged(verdict="pass", breaching_since=None):
            return "passes"
        case _:
            return ""


def calm(entry: Entry) -> bool:
    """Whether it tells of several things that they are as they should be."""
    return len(entry) > 1 and bool(_usual(entry[0]))


def together(entry: Entry, plan: Plan) -> str:
    """Several events in one sentence; empty for one alone."""
    if len(entry) == 1:
        return ""
    if calm(entry):
        return _at_once(entry)
    run = [e for e in entry if isinstance(e, ev.StepIntended) and e.together]
    if len(run) == len(entry) and len({e.together for e in run}) == 1:
        back = "rollback of " * (run[0].direction == "back")
        return f"{back}{run[0].step} about to run by Ansible on {ranges([e.target for e in run])}"
    if _as_planned(entry[0]):
        return _steps(entry)
    tripped = next(event for event in entry if isinstance(event, ev.ThresholdTripped))
    return _exceeded(tripped, entry, plan)


def _at_once(entry: Entry) -> str:
    said = Counter(word for event in entry if (word := _usual(event)))
    targets, signals, limits = said["reached"], said["read"], said["passes"]
    fit = said["as they should be"]
    examined = "the right clock and the previous version"
    fitting = f"{count(fit, 'target')} with {examined}" if fit != targets else f"with {examined}"
    words = [
        f"{count(targets, 'target')} reached" if targets else "",
        fitting if fit else "",
        f"{count(signals, 'signal')} read" if signals else "",
        f"{count(limits, 'limit')} {'passes' if limits == 1 else 'pass'}" if limits else "",
    ]
    return ", ".join(word for word in words if word)


def _steps(entry: Entry) -> str:
    """`switch about to run on 96 targets, 80 steps succeeded, verified`."""
    begun = Counter(
        (e.direction, e.step, " by Ansible" * bool(e.together))
        for e in entry
        if isinstance(e, ev.StepIntended)
    )
    ended = [e for e in entry if isinstance(e, ev.StepFinished)]
    proven = sum(e.proven for e in ended)
    words = [
        f"{'rollback of ' * (direction == 'back')}{step} about to run{by} on {count(n, 'target')}"
        for (direction, step, by), n in begun.items()
    ]
    if ended:
        verified = ", verified" if proven == len(ended) else f", {proven} of them verified" * bool(proven)
        words.append(f"{count(len(ended), 'step')} succeeded{verified}")
    return ", ".join(words)


def _exceeded(tripped: ev.ThresholdTripped, entry: Entry, plan: Plan) -> str:
    """`limit errors > 2 exceeded on web-5: 3.5 %, for 2 min; paused the rollout`."""
    limit = plan.threshold(tripped.threshold)
    unit = next((s.unit for s in plan.signals if s.name == limit.signal and limit.compare is None), "")
    value = number(tripped.value, unit)
    first, last = entry[0], entry[-1]
    began = first.breaching_since if isinstance(first, ev.VerdictChanged) else None
    lasted = f", for {span(first.at - began)}" if began is not None and first.at > began else ""
    names = ", ".join(map(plan.person_name, people.holders(plan, tripped.escalate_to)))
    does = f"; told {names}" if names else ""
    if isinstance(last, ev.RolloutPaused):
        does += "; paused the rollout"
    elif isinstance(last, ev.RollbackStarted):
        does += "; started the rollback"
    said = f"limit {limit_of(tripped)} exceeded{on(tripped.target)}: {value}{lasted}{does}"
    return f"{said}{because(tripped.message)}"
