"""The release as a picture: every stretch, limit and decision on one time axis, the signals beneath it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from markupsafe import Markup

from cockpit.core.events import COCKPIT
from cockpit.core.journal import number, span
from cockpit.core.listing import some
from cockpit.export import model as m
from cockpit.export.clock import Clock, length
from cockpit.export.picture_canvas import BOLD, Axis, Canvas, short, wide
from cockpit.export.picture_curves import chart
from cockpit.export.picture_lanes import NARROW, WIDE, Look, beyond, lane, limits
from cockpit.export.picture_marks import Numbered, marks, merged, numbers, thinned

MOST_LANES = 16
"""Stages beyond so many share their lanes."""

CHARTS = 2
"""So many signals are a part of the picture: a page of paper may end between two of them."""

MOST_TOLD = 40
"""So many stretches are told in the picture's description."""

AHEAD = 0.5
"""What happened before the start is drawn where it took no longer than this share of the release itself."""

SAID = {
    "gate": "waits at its gate",
    "wait": "waits to be promoted",
    "pause": "paused",
    "rollback": "rolling back",
}
"""How the description calls a stretch; the others by their own name."""


def draw(review: m.Review) -> Markup:
    """The picture twice: for wide pages and paper, and for phones. The page's style shows the one that fits."""
    return Markup("").join(part for look in (WIDE, NARROW) for part in _drawn(review, look))


def numbered(review: m.Review) -> list[Numbered]:
    """The decisions that steered the release, with the numbers by which the picture and the table name them.

    The others are who accepted which role before the start, and the numbers that people entered.
    """
    started = review.session.started_at

    def steers(d: m.Decision) -> bool:
        before = started is None or d.at < started
        return d.kind != "enter" and not (before and d.kind in ("accept", "offer", "decline"))

    return list(enumerate((d for d in review.decisions if steers(d)), 1))


def drawable(review: m.Review) -> bool:
    """Whether anything happened that a time axis can show."""
    return bool(review.spans or review.decisions or review.trips or review.curves)


def period(review: m.Review) -> tuple[datetime, datetime]:
    """What the axis shows: the release, and what came before its start where that didn't take long."""
    moments = [x.at for x in review.timeline]
    started, opened = review.session.started_at, review.session.opened_at or min(moments)
    ends = [
        s.until for s in review.spans if s.until
    ]  # where the clock went back, the close isn't the last of all
    last = max([review.session.closed_at or max(moments), *ends])
    since = started or opened
    if opened < since and since - opened <= (last - since) * AHEAD:
        since = opened
    return since, max(last, since + timedelta(seconds=1))


def _drawn(review: m.Review, look: Look) -> Iterator[Markup]:
    """One variant, in parts between which a page of paper may end: the lanes, then signals, some at a time."""
    since, until = period(review)
    margin = 12 if look.above else 16
    axis = Axis(since, until, look.left, look.width - margin, Clock(review.timezone, since))
    canvas = Canvas(look.width, look.name)
    for part in (_ends, _stages, _holds, limits, _acts):
        part(canvas, axis, look, review)
    _ruler(canvas, axis, look)
    name = review.release.name
    yield canvas.svg(f"{name}: what happened, on one time axis", _told(review, axis))
    tripped = [axis.x(x) for x in thinned((t.at for t in review.trips), axis)]
    for i in range(0, len(review.curves), CHARTS):
        curves = review.curves[i : i + CHARTS]
        canvas = Canvas(look.width, look.name, 1 + i // CHARTS)
        if i and i % (2 * CHARTS) == 0:
            _ruler(canvas, axis, look)
        for curve in curves:
            chart(canvas, axis, curve, beyond(review, axis, curve.signal), tripped, look.size)
        signals = ", ".join(curve.signal for curve in curves)
        yield canvas.svg(f"{name}: {signals}, on the same time axis", " ".join(map(_course, curves)))


def _ruler(canvas: Canvas, axis: Axis, look: Look) -> None:
    """The axis: its ticks and what the clock said."""
    canvas.y += 18
    for x, label in axis.ticks(look.apart):
        canvas.line(x, canvas.y - 12, x, canvas.y - 7, "tick")
        at = min(max(x, axis.left + 8), axis.right - wide(label, look.size) / 2 + 8)
        canvas.text(at, canvas.y + 4, label, "quiet", "middle")
    canvas.line(axis.left, canvas.y - 12, axis.right, canvas.y - 12, "tick")
    canvas.y += 14


def _ends(canvas: Canvas, axis: Axis, look: Look, review: m.Review) -> None:
    """When it began, and how it ended."""
    started, closed = review.session.started_at, review.session.closed_at
    end = {"open": "the log ends here"}.get(review.outcome.state, review.outcome.state.replace("_", " "))
    shape = "%H:%M" if axis.until - axis.since >= timedelta(minutes=10) else "%H:%M:%S"
    began = "" if started is None else f"start {axis.clock.time(started, shape)}"
    ended = end if closed is None else f"{end} {axis.clock.time(closed, shape)}"
    canvas.y += 16
    ended_at = axis.right - wide(ended, look.size) * BOLD
    canvas.text(axis.right, canvas.y, ended, "strong", "end")
    if started is not None and axis.x(started) + wide(began, look.size) * BOLD < ended_at - 8:
        canvas.text(axis.x(started), canvas.y, began, "strong")
    canvas.y += 4
    _ruler(canvas, axis, look)


def _stages(canvas: Canvas, axis: Axis, look: Look, review: m.Review) -> None:
    names = [s.name for s in review.stages]
    each = -(-len(names) // MOST_LANES)
    for i in range(0, len(names), each or 1):
        shared = names[i : i + each]
        state = next(s.state for s in review.stages if s.name == shared[0])
        own = [s for s in review.spans if s.stage in shared]
        label = shared[0] if len(shared) == 1 else f"{shared[0]} to {shared[-1]}"
        label = label if own else f"{label}: {state}"

        def paint(top: float, own: Sequence[m.Span] = own) -> None:
            _bars(canvas, axis, look, top, own)

        lane(canvas, axis, look, label, paint)


_INSIDE = {"bake": ("bake",), "gate": ("at its gate", "gate"), "wait": ("waits", "")}


def _bars(canvas: Canvas, axis: Axis, look: Look, top: float, own: Sequence[m.Span]) -> None:
    for s in sorted(own, key=lambda s: s.kind != "stage"):
        x = axis.x(s.since)
        length = axis.x(s.until or axis.until) - x
        if s.kind == "stage":
            canvas.rect(x, top + look.bar - 3, length, 3, "stage", _tip(s, axis.clock))
            continue
        kind = {"wait": "gate"}.get(s.kind, s.kind)
        canvas.rect(x, top, length, look.bar - 3, kind, _tip(s, axis.clock))
        if kind == "bake":
            canvas.rect(x, top, length, look.bar - 3, f"bake-lines {canvas.variant}")
        inside = _INSIDE.get(s.kind, (s.name, s.name.removeprefix("wave ")))
        text = next((t for t in inside if wide(t, look.size) + 6 <= length), "")
        if text:
            canvas.text(x + length / 2, top + look.bar - 6, text, f"in-{kind}", "middle")


def _tip(s: m.Span, clock: Clock) -> str:
    """What a bar tells when pointed at."""
    what = {"gate": f"{s.stage} waits at its gate", "wait": f"{s.stage} waits to be promoted"}.get(s.kind)
    of = f" of {s.stage}" if s.stage and s.kind in ("wave", "bake") else ""
    name = what or (
        f"{SAID.get(s.kind, s.kind)}: {s.name}" if not of and s.name else f"{s.name or s.kind}{of}"
    )
    if s.until is None:
        return f"{name}, from {clock.time(s.since)}"
    return f"{name}, {clock.time(s.since)} to {clock.time(s.until)}, {span(length(s.since, s.until))}"


def _holds(canvas: Canvas, axis: Axis, look: Look, review: m.Review) -> None:
    """A lane each for what held the release, took it back, or wasn't seen: where there was any."""
    unseen = [m.Span("gap", g.why, g.since, g.until) for g in review.gaps if not g.targets]
    labels = {"pause": "paused", "unexplained": "unexplained", "rollback": "rolling back", "gap": "not seen"}
    for kind, label in labels.items():
        own = [s for s in (*review.spans, *unseen) if s.kind == kind]
        own = [s for s in own if (s.until or axis.until) >= axis.since and s.since <= axis.until]
        if not own:
            continue

        def paint(top: float, own: Sequence[m.Span] = own, kind: str = kind) -> None:
            for low, high, many in merged(own, axis):
                x, length = low, high - low
                tip = _tip(many[0], axis.clock) if len(many) == 1 else f"{len(many)} times"
                canvas.rect(x, top, length, look.bar - 3, kind, tip)
                if kind != "rollback":
                    canvas.rect(x, top, length, look.bar - 3, f"{kind}-lines {canvas.variant}", tip)
                _beside(canvas, axis, look, top, (x, x + length), many)

        lane(canvas, axis, look, label, paint)


def _beside(
    canvas: Canvas, axis: Axis, look: Look, top: float, bar: tuple[float, float], many: Sequence[m.Span]
) -> None:
    """How long a hold lasted, written beside its bar where nothing else is."""
    one = many[0]
    if len(many) > 1 or one.until is None or look.above:
        return
    text = span(length(one.since, one.until))
    room = wide(text, look.size) + 10
    if bar[1] + room < axis.right:
        canvas.text(bar[1] + 5, top + look.bar - 5, text, "quiet halo")
    elif bar[0] - room > axis.left:
        canvas.text(bar[0] - 5, top + look.bar - 5, text, "quiet halo", "end")


def _acts(canvas: Canvas, axis: Axis, look: Look, review: m.Review) -> None:
    """Every decision with its number in the table: people's as circles, those of agreed rules in boxes."""
    drawn = [(i, d) for i, d in numbered(review) if axis.since <= d.at <= axis.until]
    people = [(i, d) for i, d in drawn if d.by != COCKPIT]
    rules = [(i, d) for i, d in drawn if d.by == COCKPIT]
    for label, own, kind in (("people decided", people, "person"), ("agreed rules acted", rules, "rule")):
        if not own:
            continue

        def paint(top: float, own: Sequence[tuple[int, m.Decision]] = own, kind: str = kind) -> None:
            for x, room, many in marks(own, axis, look.size):
                tip = some([f"{i} {d.kind} {d.subject}".strip() for i, d in many], 7, "; ")
                canvas.link(f"decision-{many[0][0]}", tip)
                if kind == "person":
                    canvas.pill(x, top - 2, room, look.bar, kind)
                else:
                    canvas.rect(x - room / 2, top - 2, room, look.bar, kind)
                canvas.text(x, top + look.bar - 6, numbers(many), f"in-{kind}", "middle")
                canvas.end_link()

        lane(canvas, axis, look, label, paint)


def _told(review: m.Review, axis: Axis) -> str:
    """The picture in words, for whoever can't see it; the tables of the page say the rest."""
    spans = [s for s in review.spans if s.kind != "wave"]
    told = [_tip(s, axis.clock) for s in spans[:MOST_TOLD]]
    more = [f"and {len(spans) - MOST_TOLD} more"] if len(spans) > MOST_TOLD else []
    limits = [f"{len(review.trips)} times a limit acted"] if review.trips else []
    began, ended = (axis.clock.time(at, "%H:%M") for at in (axis.since, axis.until))
    acts = [f"{len(numbered(review))} decisions"] if numbered(review) else []
    return short(f"From {began} to {ended}. {'. '.join([*told, *more, *limits, *acts])}.", 4000)


def _course(curve: m.Curve) -> str:
    """A signal in words: its lowest and highest reading, and its limits."""
    limits = "".join(f"; limit {text} ({action})" for _, text, action in curve.limits)
    if not curve.points:
        return f"{curve.signal}: no readings are kept{limits}."
    low, high = min(p.low for p in curve.points), max(p.high for p in curve.points)
    return f"{curve.signal}: {number(low)} to {number(high, curve.unit)}{limits}."
