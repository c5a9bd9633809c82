"""The times in which something wasn't seen while the release ran."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cockpit.core import events as e
from cockpit.core.plan import HERE, Plan
from cockpit.export import measures as m
from cockpit.export.people import Records
from cockpit.export.signals import ran
from cockpit.store.digest import Asked, Digest, Hole, Times

MOST_GAPS = 50
EVERYTHING = "everything"

_Unread = tuple[datetime, datetime | None, str]
"""A time in which a signal was known to be unreadable, and why."""


@dataclass(slots=True)
class _Group:
    """Holes of one signal, on several targets, that are one."""

    since: datetime
    until: datetime
    tried: bool
    targets: set[str] = field(default_factory=set[str])


def gaps(digest: Digest, plan: Plan, asked: Mapping[str, Asked], records: Records) -> list[m.Gap]:
    """Each of them, in order: when nothing was seen at all, and when one signal wasn't."""
    times = ran(records)
    if times is None:
        return []
    blind = list(_blind(records, digest, times))
    unread = _unread(records, times)
    found = [*blind]
    for signal in plan.signals:
        around = asked[signal.name].hole if signal.name in asked else timedelta(0)
        holes = _grouped(_holes(digest, signal.name, _where(plan, signal.name), times), around)
        seen = [group for group in holes if not any(_covers(gap, group, around) for gap in blind)]
        known = unread.get(signal.name, [])
        found += (_gap(signal.name, group, known, len(signal.targets)) for group in seen)
        found += (
            m.Gap(signal.name, (), since, until, why)
            for since, until, why in known
            if not any(_meets(group, since, until) for group in holes)
        )
    return sorted(found, key=lambda gap: (gap.since, gap.what))


def told(found: list[m.Gap], ended: datetime) -> tuple[m.Gap, ...]:
    """The longest of them, so many as a report shows, in order."""
    longest = sorted(found, key=lambda gap: gap.since - (gap.until or ended))[:MOST_GAPS]
    return tuple(sorted(longest, key=lambda gap: (gap.since, gap.what)))


def missing(found: list[m.Gap], shown: tuple[m.Gap, ...]) -> Iterator[str]:
    """That there were more than are shown."""
    if len(found) > len(shown):
        yield f"Of {len(found)} gaps in what was seen the {len(shown)} longest are told."


def _blind(records: Records, digest: Digest, times: Times) -> Iterator[m.Gap]:
    """When nothing at all was seen: cockpit wasn't running, or its machine stood still."""
    before: e.Event | None = None
    for _, event in records:
        if isinstance(event, e.MachineSlept):
            yield from _within(EVERYTHING, event.at - event.slept, event.at, "the machine stood still", times)
        if isinstance(event, e.SessionResumed) and before is not None:
            left = isinstance(before, e.SessionLeft | e.ScreenDetached)
            why = "the session was left" if left else "cockpit wasn't running"
            seen = max((hole.since for hole in _across(digest, event.at)), default=before.at)
            yield from _within(EVERYTHING, max(before.at, seen), event.at, why, times)
        before = event


def _across(digest: Digest, at: datetime) -> Iterator[Hole]:
    """Every hole around a moment: each begins with the last number that came of its source."""
    return (hole for own in digest.sources.values() for hole in own.holes if hole.since < at <= hole.until)


def _within(what: str, since: datetime, until: datetime, why: str, times: Times) -> Iterator[m.Gap]:
    since, until = max(since, times[0]), min(until, times[1])
    if since < until:
        yield m.Gap(what, (), since, until, why)


def _unread(records: Records, times: Times) -> dict[str, list[_Unread]]:
    """For each signal when it was known to be unreadable: from one word on it to the next that it can be read."""
    found: dict[str, list[_Unread]] = {}
    open_: dict[str, tuple[datetime, str]] = {}
    for _, event in records:
        if not isinstance(event, e.SignalRead):
            continue
        if not event.ok:
            open_.setdefault(event.signal, (event.at, event.detail))
        elif event.signal in open_:
            since, why = open_.pop(event.signal)
            found.setdefault(event.signal, []).append((since, event.at, why))
    closed = any(isinstance(event, e.SessionClosed) for _, event in records)
    for signal, (since, why) in open_.items():
        found.setdefault(signal, []).append((since, times[1] if closed else None, why))
    return {
        signal: [
            (max(since, times[0]), min(until, times[1]) if until else None, why)
            for since, until, why in spans
            if until is None or (since < min(until, times[1]) and until > times[0])
        ]
        for signal, spans in found.items()
    }


def _where(plan: Plan, signal: str) -> tuple[str, ...]:
    return next((s.targets for s in plan.signals if s.name == signal), ()) or (HERE,)


def _holes(digest: Digest, signal: str, targets: tuple[str, ...], times: Times) -> Iterator[tuple[str, Hole]]:
    """A signal's holes with their targets; one that nothing ever came from is a hole from the start to the end."""
    heard = {on: readings for (name, on), readings in digest.sources.items() if name == signal}
    for on, readings in heard.items():
        yield from ((on, hole) for hole in readings.holes)
    if digest.courses and heard.keys() != {HERE}:  # read here for all of them
        yield from ((on, Hole(*times, tried=False)) for on in targets if on not in heard)


def _grouped(holes: Iterable[tuple[str, Hole]], around: timedelta) -> list[_Group]:
    """Holes that began and ended about together are one; targets are read one after the other, within an interval."""
    groups: list[_Group] = []
    open_: list[_Group] = []
    for target, hole in sorted(holes, key=lambda each: (each[1].since, each[1].until)):
        open_ = [group for group in open_ if hole.since - group.since <= around]
        same = next(
            (g for g in open_ if abs(hole.until - g.until) <= around and target not in g.targets), None
        )
        if same is None:
            same = _Group(hole.since, hole.until, False)
            groups.append(same)
            open_.append(same)
        same.until = max(same.until, hole.until)
        same.tried = same.tried or hole.tried
        same.targets.add(target)
    return groups


def _covers(gap: m.Gap, group: _Group, around: timedelta) -> bool:
    """Whether nothing more was missed than in that gap; the readings beside it lie up to an interval apart from it."""
    return gap.until is not None and gap.since - around <= group.since and group.until <= gap.until + around


def _meets(group: _Group, since: datetime, until: datetime | None) -> bool:
    return group.since < (until or group.until) and since < group.until


def _gap(signal: str, group: _Group, unread: Iterable[_Unread], targets: int) -> m.Gap:
    why = next((why for since, until, why in unread if why and _meets(group, since, until)), "")
    otherwise = "what came was no number" if group.tried else "no reading came"
    everywhere = len(group.targets) >= max(targets, 1) and targets != 1
    names = () if everywhere or group.targets == {HERE} else tuple(sorted(group.targets))
    return m.Gap(signal, names, group.since, group.until, why or otherwise)
