"""What a review measures and asks: the values behind its picture, its targets, its questions and actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cockpit.core import events as e

Records = Sequence[tuple[int, e.Event]]
"""A log's events with their sequence numbers."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A question of the review with one person's answer; `about` is the record that it is about, or 0."""

    question: str
    about: int
    at: datetime
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class Action:
    """What somebody is to do before the next release. `settled` is closed, waived, or empty while it is open.

    `about` is the record that it comes from, or 0; `reason`, `settled_at` and `settled_by` tell how it was settled.
    """

    number: str
    text: str
    owner: str
    due: str
    about: int
    added_at: datetime
    by: str
    settled: str
    settled_at: datetime | None
    reason: str
    settled_by: str = ""


@dataclass(frozen=True, slots=True)
class TargetResult:
    """What became of one target. `result` is not touched, updated, rolled back, excluded, failed, in doubt or open.

    `proven` is True where a verify says so; `detail` says what isn't as it should be. `version` is the one it is
    believed to serve now, or empty where nobody can tell. `labels` are what the plan's inventory says of it, `groups`
    those that it is in.
    """

    target: str
    result: str
    proven: bool
    version: str
    attempts: int
    detail: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A limit that nearly acted: how near the worst value came (`share` of the limit, None where that has no sense),
    and the longest time that it was beyond the limit without a break, of the time agreed."""

    threshold: str
    signal: str
    target: str | None
    worst: float
    at: datetime
    limit: str
    share: float | None
    beyond: timedelta
    of: timedelta
    unit: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which something wasn't seen. `what` names the signal, or everything; `targets` where, or empty."""

    what: str
    targets: tuple[str, ...]
    since: datetime
    until: datetime | None
    why: str


@dataclass(frozen=True, slots=True)
class Point:
    """The readings of a while beginning `at`, of all targets together: the lowest and the highest."""

    at: datetime
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A signal as a picture draws it. `limits` are the (value, text, action) of those that are plain numbers."""

    signal: str
    question: str
    unit: str
    targets: int
    samples: int
    points: tuple[Point, ...]
    limits: tuple[tuple[float, str, str], ...]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the release on the time axis. `kind` is stage, wave, bake, gate, wait (for whoever
    promotes a stage without a gate), pause, rollback or unexplained.

    `until` is None where the log ends first. `stage` is whose it is, or empty. `by`: of a pause, whose word it was, or
    that of an agreed rule (cockpit); empty for the one that holds a session when it is taken up again.
    """

    kind: str
    name: str
    since: datetime
    until: datetime | None
    stage: str = ""
    by: str = ""
