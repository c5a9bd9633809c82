"""What a report says first, in a few sentences each: how bad it was, who decided, what it cost, what to change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cockpit.core.events import COCKPIT
from cockpit.core.journal import number, on, span
from cockpit.core.listing import some
from cockpit.export import model as m
from cockpit.export.clock import length
from cockpit.export.document_blocks import Page, capital, counted, lasted, together
from cockpit.export.picture import numbered

MOST = 3
"""So many of a kind are told; the tables have the rest."""

MOST_PEOPLE = 6

GRAVITY = ("rollback", "pause")
"""What limits do, the gravest first; whatever else they do comes behind."""

WAITING = {
    "person": "for a person",
    "approval": "for an approval",
    "check": "for a check",
    "signal": "for a signal",
    "late_entry": "for a number to be entered",
}
"""Friction that takes the release's own time, each moment counted once."""

DID: Mapping[str, str] = {
    "start": "gave the go",
    "pause": "paused it",
    "resume": "let it go on",
    "roll back": "started the rollback",
    "abort": "aborted it",
    "close": "closed it",
    "can't explain": "reported what nobody could explain",
    "explain": "explained it",
    "propose rollback": "proposed a rollback",
    "ask to roll back": "asked to roll back",
    "agree to roll back": "agreed to the rollback",
    "decline rollback": "declined the rollback",
    "answer": "answered a call",
}
"""What somebody did who decided so."""

DID_TO: Mapping[str, tuple[str, str]] = {
    "promote": ("promoted", "stage"),
    "approve": ("approved", "stage"),
    "reject": ("rejected", "stage"),
    "retry": ("retried", "step"),
    "exclude": ("excluded", "target"),
    "change limit": ("changed", "limit"),
    "accept": ("accepted", "role"),
    "offer": ("offered", "role"),
    "decline": ("declined", "role"),
    "take over": ("took over", "role"),
}
"""The same, where it was done to something, and what that is called."""


def harm(page: Page) -> str:
    """The worst that the limits saw, how far the release had come, and for how long customers felt it."""
    review = page.review
    if review.session.started_at is None:
        return "It never started: nothing was touched."
    touched = {a.target for a in review.attempts if a.direction == "run" and a.touched}
    vain = sum(a.finish != "succeeded" for a in review.attempts)
    told = [
        *(_worst(page, trips) for trips in _acted(review)[:MOST]),
        *([] if review.trips else ["No limit acted."]),
        f"{len(touched)} of {counted(len(review.targets), 'target')} touched.",
        *([f"{counted(vain, 'attempt')} did not succeed."] if vain else []),
        *_felt(page),
    ]
    return " ".join(told)


def _acted(review: m.Review) -> list[list[m.Trip]]:
    """The trips of each limit that acted, the gravest first."""
    by: dict[str, list[m.Trip]] = {}
    for trip in review.trips:
        by.setdefault(trip.threshold, []).append(trip)
    return sorted(by.values(), key=lambda trips: min(_gravity(trip.action) for trip in trips))


def _gravity(action: str) -> int:
    return GRAVITY.index(action) if action in GRAVITY else len(GRAVITY)


@dataclass(frozen=True, slots=True)
class _Seen:
    value: float
    target: str | None
    at: datetime


def _worst(page: Page, trips: Sequence[m.Trip]) -> str:
    """The worst value at which a limit was seen breached, and the worst reading of its signal where that is worse."""
    limit = trips[0]
    judged = [v for v in page.review.verdicts if v.threshold == limit.threshold]
    breaches = [v for v in judged if v.verdict == "breach"]
    seen = [_Seen(x.value, x.target, x.at) for x in (*trips, *breaches) if x.value is not None]
    if not seen:
        return f"The limit {limit.threshold} acted without a number, at {page.at(limit.at)}."
    worst = max(seen, key=lambda s: _beyond(limit.limit, s.value))
    value = number(_short(worst.value), limit.unit)
    signal = judged[0].signal if judged else ""
    further = _further(page.review, signal, limit, worst.value)
    more = "" if further is None else f"; the worst of all readings was {number(_short(further), limit.unit)}"
    where = f"{on(worst.target)} at {page.at(worst.at)}"
    return f"Worst: {signal or limit.threshold} at {value}{where}, limit {limit.limit}{more}."


def _further(review: m.Review, signal: str, limit: m.Trip, worst: float) -> float | None:
    """The worst reading after the start, where the limit is held against single ones and this is worse than `worst`."""
    began = review.session.started_at
    course = next((c for c in review.curves if c.signal == signal), None)
    if course is None or began is None or limit.limit not in {text for _, text, _ in course.limits}:
        return None
    ends = [v for p in course.points if p.at >= began for v in (p.low, p.high)]
    far = max(ends, key=lambda v: _beyond(limit.limit, v), default=worst)
    return (
        far
        if _short(far) != _short(worst) and _beyond(limit.limit, far) > _beyond(limit.limit, worst)
        else None
    )


def _short(value: float) -> float:
    return float(f"{value:.3g}")


def _beyond(limit: str, value: float) -> float:
    """What grows the further a value lies beyond a limit, written as the log has it."""
    if limit.startswith("<"):
        return -value
    if limit.startswith("outside "):
        low, _, high = limit.removeprefix("outside ").partition("..")
        return abs(value - (float(low) + float(high)) / 2)
    return value


def _felt(page: Page) -> Iterator[str]:
    """For how long the signals with a question were beyond a limit."""
    asked = [c for c in page.review.curves if c.question]
    told = [said for c in asked if (said := _beyond_it(page, c))]
    yield from told[:MOST]
    if asked and not told:
        yield "No signal that asks after customers breached a limit."


def _beyond_it(page: Page, curve: m.Curve) -> str:
    session = page.review.session
    began, end = session.started_at, session.closed_at or page.review.timeline[-1].at
    open_: dict[str, datetime] = {}
    spans: list[tuple[datetime, datetime]] = []
    for v in page.review.verdicts:
        if v.signal != curve.signal or v.observed or began is None:
            continue
        if v.verdict == "breach":
            open_.setdefault(v.threshold, max(began, v.breaching_since or v.at))
        elif v.verdict == "pass" and v.threshold in open_:
            spans.append((open_.pop(v.threshold), max(began, v.at)))
    still = bool(open_)
    spans = _joined([*spans, *((since, max(since, end)) for since in open_.values())])
    felt = sum((length(*s) for s in spans), timedelta(0))
    if not felt:
        return ""
    until = "on, and still at the end" if still else f"to {page.at(spans[-1][1])}"
    when = f"from {page.at(spans[0][0])} {until}"
    return f"Customers felt it for {span(felt)}, as far as “{curve.question}” tells: {when}."


def _joined(spans: Sequence[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    joined: list[tuple[datetime, datetime]] = []
    for since, until in sorted(spans):
        if joined and since <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], until))
        else:
            joined.append((since, until))
    return joined


def deciders(review: m.Review) -> str:
    """Who gave the go, who decided what since, and which agreed limit acted, with those who had agreed to it."""
    by: dict[str, dict[str, list[m.Decision]]] = {}
    for d in _deciding(review):
        by.setdefault(d.by, {}).setdefault(d.kind, []).append(d)
    rules = by.pop(COCKPIT, {})
    people = [
        f"{capital(who)} {together([_did(*each) for each in kinds.items()])}." for who, kinds in by.items()
    ]
    more = (
        [f"{counted(len(people) - MOST_PEOPLE, 'other')} decided too."] if len(people) > MOST_PEOPLE else []
    )
    told = [*people[:MOST_PEOPLE], *more, *_rules(review, rules)]
    return " ".join(told) or "Nobody decided anything."


def _deciding(review: m.Review) -> Iterator[m.Decision]:
    """The decisions that steered, without the first stage's promotion where that merely followed the start."""
    started = review.session.started_at
    begun = review.stages[0].name if review.stages else ""
    for _, d in numbered(review):
        if not (d.kind == "promote" and d.subject == begun and (d.by == COCKPIT or d.at == started)):
            yield d


def _did(kind: str, many: Sequence[m.Decision]) -> str:
    times = {1: "", 2: " twice"}.get(len(many), f" {len(many)} times")
    if kind not in DID_TO:
        return f"{DID.get(kind, kind)}{times}"
    did, what = DID_TO[kind]
    subjects = list(dict.fromkeys(d.subject.partition(": from ")[0] for d in many))
    return f"{did} {together(subjects) if len(subjects) <= MOST else counted(len(subjects), what)}"


def _rules(review: m.Review, rules: Mapping[str, Sequence[m.Decision]]) -> Iterator[str]:
    """What agreed rules did by themselves."""
    for kind in ("roll back", "pause"):
        of = rules.get(kind, ())
        for limit in list(dict.fromkeys(d.subject for d in of if d.subject))[:MOST]:
            did = _did(kind, [d for d in of if d.subject == limit])
            yield f"The limit {limit}{_agreed(review, limit, did)}."
    for kind in ("pause", "propose rollback"):
        for d in [d for d in rules.get(kind, ()) if not d.subject or kind != "pause"][:MOST]:
            yield f"An agreed rule {DID[kind]}{f': {d.reason}' if d.reason else ''}."
    if went_on := rules.get("promote"):
        yield f"{counted(len(went_on), 'stage')} began by agreed rule."


def _agreed(review: m.Review, limit: str, did: str) -> str:
    """What a limit did, and whose it is: of those who agreed to it, or of whoever changed it before it acted."""
    trip = next((t for t in review.trips if t.threshold == limit), None)
    moved = [
        d
        for d in review.decisions
        if d.kind == "change limit" and d.subject.startswith(f"{limit}: ") and trip and d.at <= trip.at
    ]
    if moved:
        return f", as {moved[-1].by} had changed it, {did}"
    if trip and trip.agreed_by:
        return f", agreed by {together(trip.agreed_by)}, {did}"
    return f" {did}; the plan names nobody who agreed to it"


def cost(review: m.Review) -> str:
    """How long it took, how much of that was waiting, and what took most."""
    session = review.session
    if session.started_at is None:
        return "It never started."
    end = session.closed_at or review.timeline[-1].at
    until = "the close" if session.closed_at else "the last record"
    told = [f"{span(length(session.started_at, end))} from the start to {until}."]
    waits = [(f.cost, WAITING[f.kind]) for f in review.friction if f.kind in WAITING and f.cost]
    by_kind = {what: sum((c for c, w in waits if w == what), timedelta(0)) for what in WAITING.values()}
    if waits:
        kinds = ", ".join(f"{span(cost)} {what}" for what, cost in by_kind.items() if cost)
        told.append(f"Waiting: {kinds}.")
    costly = next((f for f in review.friction if f.cost), None)
    if costly is not None:
        told.append(f"Most of all: {costly.told} ({lasted(costly.cost)}).")
    elif not review.friction:
        told.append("Nothing is recorded that held it up.")
    return " ".join(told)


def change(review: m.Review) -> str:
    """What is still to be done, by whom and until when; else what became of the actions, and what to ask first."""
    actions = [a for a in review.actions if not a.settled]
    done = sum(a.settled == "closed" for a in review.actions)
    given_up = len(review.actions) - len(actions) - done
    settled = together([f"{n} {what}" for n, what in ((done, "done"), (given_up, "given up")) if n])
    if actions:
        told = some([f"{a.text} ({a.owner}, until {a.due})" for a in actions], MOST + 1, "; ")
        return f"{told}.{f' Settled: {settled}.' if settled else ''}"
    none = f"No action is open: {settled}." if settled else "No action was added yet."
    answered = {(a.question, a.about) for a in review.answers}
    asked = next((f.question for f in review.friction if (f.kind, f.seq) not in answered), "")
    return f"{none} First to ask: {asked}" if asked else none
