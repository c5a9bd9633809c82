"""How a release stands, as metrics: from its state, and from what the log counts. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from statistics import median
from typing import get_args

from cockpit.core import events as ev
from cockpit.core.attempt import Attempt
from cockpit.core.plan import HERE, Plan, Signal
from cockpit.core.remaining import back_left, release_left
from cockpit.core.state import State
from cockpit.core.thresholds import Sample
from cockpit.core.view import Status, status
from cockpit.remote.otlp import Metric, Point, Value
from cockpit.runtime.tracing_events import nanoseconds, short, snake

APART_MOST = 50
"""Targets of a signal that each have a series of their own; above that the least, the median and the most do."""

METRICS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "cockpit.release.state": (
        "{release}",
        "1 for the state that the release is in, 0 for each other",
        ("state",),
    ),
    "cockpit.release.time_remaining": (
        "s",
        "what is to go, or of the way back; only while that is known",
        (),
    ),
    "cockpit.stage": (
        "{stage}",
        "the number of the stage it is at, from 1; one more than there are: all done",
        (),
    ),
    "cockpit.wave": ("{wave}", "the number of the wave in that stage, from 1", ()),
    "cockpit.targets": ("{target}", "how many targets stand so", ("status",)),
    "cockpit.limits": ("{limit}", "how many limits say so; `unknown`: not judged yet", ("verdict",)),
    "cockpit.signal.value": (
        "{value}",
        "what a signal read last, at its own time, in the plan's unit",
        ("signal", "unit", "target", "aggregate"),
    ),
    "cockpit.attempts": (
        "{attempt}",
        "attempts that ended so, since the session opened",
        ("finish", "direction"),
    ),
    "cockpit.decisions": (
        "{decision}",
        "decisions of this kind, since the session opened",
        ("decision", "rule"),
    ),
}
"""Each metric: its unit (UCUM), what it says, its attributes, each under `cockpit.`, beside service and environment."""

STATUSES = (
    "pending",
    "running",
    "succeeded",
    "failed",
    "unreachable",
    "in_doubt",
    "excluded",
    "rolled_back",
    "rollback_failed",
)
VERDICTS = (*get_args(ev.Verdict), "unknown")

Read = Callable[[str, str], Sequence[Sample]]
"""The recent samples of a signal on a target, oldest first."""


class Measures:
    """What a session's metrics are at a moment. `feed` it every event in order."""

    def __init__(self, plan: Plan, read: Read) -> None:
        """`read` may be called from wherever `measure` is."""
        self._release = plan.release
        self._read = read
        self._since: datetime | None = None
        self._attempts: Counter[tuple[str, ev.Direction]] = Counter()
        self._decisions: Counter[tuple[str, bool]] = Counter()
        self._directions: dict[str, ev.Direction] = {}
        self._stood: dict[str, tuple[tuple[Attempt, ...], object, str]] = {}

    def feed(self, events: Iterable[ev.Event]) -> None:
        """Count these."""
        for event in events:
            match event:
                case ev.SessionOpened():
                    self._since = event.at
                case ev.StepIntended():
                    self._directions[event.attempt] = event.direction
                case (
                    ev.StepFinished(attempt=attempt, finish=finish)
                    | ev.DoubtResolved(attempt=attempt, finish=finish)
                ) if finish != "in_doubt":
                    self._attempts[finish, self._directions.pop(attempt, "run")] += 1
                case _:
                    pass
            if isinstance(event, ev.Decision):
                by_rule = getattr(event, "by", "") in ("", ev.COCKPIT)
                self._decisions[snake(type(event).__name__), by_rule] += 1

    def measure(self, state: State, at: datetime) -> tuple[Metric, ...]:
        """Everything as it is at `at`; nothing before the session is open."""
        if self._since is None:
            return ()
        now = nanoseconds(at)
        found = (
            self._metric("cockpit.release.state", now, _one_of(get_args(Status), status(state, at))),
            self._metric("cockpit.release.time_remaining", now, _left(state, at)),
            self._metric("cockpit.stage", now, [((), state.stage + 1 if state.started else 0)]),
            self._metric("cockpit.wave", now, [((), _wave(state))]),
            self._metric("cockpit.targets", now, self._targets(state)),
            self._metric("cockpit.limits", now, _limits(state)),
            self._signals(state.plan),
            self._metric("cockpit.attempts", now, self._attempts.items(), counts=True),
            self._metric("cockpit.decisions", now, self._decisions.items(), counts=True),
        )
        return tuple(metric for metric in found if metric.points)

    def _metric(
        self,
        name: str,
        at: int,
        values: Iterable[tuple[tuple[Value, ...], float]],
        counts: bool = False,
    ) -> Metric:
        """`values` are (attributes in the metric's order, value)."""
        unit, says, attributes = METRICS[name]
        since = nanoseconds(self._since) if counts and self._since else None
        points = (Point(value, at, self._named(zip(attributes, of, strict=True))) for of, value in values)
        return Metric(name, unit, says, tuple(points), since)

    def _named(self, attributes: Iterable[tuple[str, Value]]) -> Mapping[str, Value]:
        return {
            "cockpit.service": self._release.service,
            "cockpit.environment": self._release.environment,
            **{f"cockpit.{name}": value for name, value in attributes if value != ""},
        }

    def _targets(self, state: State) -> Iterator[tuple[tuple[Value, ...], int]]:
        """How many stand how; a target is looked at anew only where something happened to it."""
        planned = Counter(
            target
            for waves in state.slices
            for wave in waves
            for target in wave.targets
            for _ in wave.steps
            if target != HERE
        )
        stands: Counter[str] = Counter()
        for target in state.plan.targets:
            attempts, left_out = state.attempts.get(target.id, ()), state.excluded.get(target.id)
            was = self._stood.get(target.id)
            if was is None or was[0] is not attempts or was[1] is not left_out:
                word = _stands(attempts, planned[target.id], left_out is not None)
                self._stood[target.id] = was = (attempts, left_out, word)
            stands[was[2]] += 1
        return (((word,), stands[word]) for word in STATUSES)

    def _signals(self, plan: Plan) -> Metric:
        unit, says, names = METRICS["cockpit.signal.value"]
        points = (
            Point(value, at, self._named(zip(names, of, strict=True)))
            for signal in plan.signals
            for of, value, at in self._values(signal)
        )
        return Metric("cockpit.signal.value", unit, says, tuple(points))

    def _values(self, signal: Signal) -> Iterator[tuple[tuple[Value, ...], float, int]]:
        """The last reading of each target, or of all of them together."""
        known: list[tuple[str, float, int]] = []
        for target in dict.fromkeys((*signal.targets, HERE)):
            samples = self._read(signal.name, target)
            if samples and (value := samples[-1].value) is not None:
                known.append((target, value, nanoseconds(samples[-1].at)))
        name, unit = signal.name, short(signal.unit)
        if len(signal.targets) <= APART_MOST:
            for target, value, at in known:
                yield (name, unit, target, ""), value, at
        elif known:
            values, newest = [value for _, value, _ in known], max(at for *_, at in known)
            for word, of in (("min", min), ("median", median), ("max", max)):
                yield (name, unit, "", word), of(values), newest


def _one_of(words: Iterable[str], now: str) -> Iterator[tuple[tuple[Value, ...], int]]:
    return (((word,), int(word == now)) for word in words)


def _left(state: State, at: datetime) -> list[tuple[tuple[Value, ...], float]]:
    left = back_left(state, at) if state.rollback is not None else release_left(state, at)
    return [] if left is None or state.closed is not None else [((), left.expected.total_seconds())]


def _wave(state: State) -> int:
    return state.wave + 1 if state.started is not None and state.phase != "waiting" else 0


def _limits(state: State) -> Iterator[tuple[tuple[Value, ...], int]]:
    said = Counter(
        verdict.verdict if (verdict := state.verdicts.get(limit.id)) else "unknown"
        for limit in state.plan.thresholds
    )
    return (((word,), said[word]) for word in VERDICTS)


def _stands(attempts: tuple[Attempt, ...], planned: int, left_out: bool) -> str:
    """One word for a target: what is open, then what went wrong, then how far it is."""
    newest = {(a.stage, a.step): a.status for a in attempts if a.status != "skipped"}
    words = set(newest.values())
    for word in ("running", "in_doubt", "rollback_failed"):
        if word in words:
            return word
    if left_out:
        return "excluded"
    for word in ("failed", "unreachable", "rolled_back"):
        if word in words:
            return word
    done = sum(word == "succeeded" for word in newest.values())
    return "succeeded" if planned and done >= planned else "pending"
