"""The limits pane: business questions first, then how far each limit is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from cockpit.core import people
from cockpit.core.attendance import MANUAL, typed
from cockpit.core.plan import HERE, Plan, Signal, Threshold
from cockpit.core.spans import clock
from cockpit.core.state import breached, unclean
from cockpit.core.thresholds import Judgement, breaches
from cockpit.tui import entries
from cockpit.tui.marks import Mark
from cockpit.tui.scene import Row, Scene, fixed
from cockpit.tui.text import (
    Line,
    Tone,
    as_in_plan,
    bar,
    line,
    listed,
    number,
    pad,
    pad_left,
    spark,
    time_of_day,
    wrap,
)

SPARK_MOST = 16
ACTIONS = {"notify": "NOTIFY", "pause": "PAUSE", "rollback": "ROLL BACK", "escalate": "ESCALATE"}
DOES = {"notify": "tells", "pause": "pauses", "rollback": "rolls back", "escalate": "calls"}
WORDS_MOST = 24
"""Cells of the words at the end for which every row leaves room."""

ROOM_ABOVE = 2.5
"""How much higher than the highest reading the sparkline of a lower limit reaches: at full height it would be loud."""

UNIT_REPEATED = 3
"""Cells of a unit that is short enough to stand behind the limit as well."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a limit says now: its mark, its value, the words at the end, and how far it is towards acting.

    `since`: the value is beyond the limit, from that moment on.
    """

    mark: Mark
    value: float | None
    target: str | None
    words: tuple[tuple[str, Tone], ...]
    towards: float | None = None
    loud: bool = False
    detail: str = ""
    since: datetime | None = None


def rows(scene: Scene, width: int) -> list[Row]:
    """A row a limit, beneath its signal's question where it has one; more of it where it isn't clean.

    What is exceeded comes first, then business questions, then the plan's order.
    """
    named = {s.name: s for s in scene.plan.signals}
    others = dict.fromkeys(t.signal for t in scene.plan.thresholds if t.signal not in named)
    sizes = _sizes(scene, width)
    over = {scene.plan.threshold(id_).signal for id_ in breached(scene.state) if urgent(scene)}
    asked = {name for name, signal in named.items() if signal.question is not None}
    ordered = sorted((*named, *others), key=lambda name: (name not in over, name not in asked))
    found = [row for name in ordered for row in _signal_rows(scene, name, named.get(name), width, sizes)]
    return found or [fixed(line(("no limits agreed: nothing acts by itself", "warn")))]


def hand(scene: Scene) -> str:
    """`exceeded`, `over`, or `can't say`: the worst of what isn't clean."""
    if scene.state.closed is not None:
        return ""
    if breached(scene.state):
        return "exceeded"
    standing = [judgement(scene, t) for t in unclean(scene.state)]
    if any(j is not None and j.breaching_since is not None for j in standing):
        return "over"
    return "can't say" if any(j is None or j.verdict in ("inconclusive", "error") for j in standing) else ""


def urgent(scene: Scene) -> bool:
    """Whether a limit is exceeded, and nothing has been done about it yet."""
    state = scene.state
    return not (state.closed or state.rollback or state.aborted) and bool(breached(state))


def wanted(plan: Plan) -> int:
    """Rows it would like: two a limit, in case it isn't clean, one a question and one a signal that people enter."""
    asked = sum(1 for s in plan.signals if s.question)
    return 2 * len(plan.thresholds) + asked + len(typed(plan))


def _signal_rows(scene: Scene, name: str, signal: Signal | None, width: int, sizes: Sizes) -> Iterator[Row]:
    if signal is not None and signal.question:
        yield fixed(line((signal.question, "strong")))
    over = breached(scene.state) if urgent(scene) else ()
    thresholds = [t for t in scene.plan.thresholds if t.signal == name]
    for threshold in sorted(thresholds, key=lambda t: t.id not in over):
        yield from _limit_rows(scene, threshold, signal.unit if signal else "", width, sizes)
    if signal is None:
        return
    if not thresholds:
        yield from _unlimited(scene, signal, width)
    if signal.source == MANUAL and scene.state.closed is None:
        yield fixed(line("    ", entries.due(scene, signal)))


def _limit_rows(scene: Scene, threshold: Threshold, unit: str, width: int, sizes: Sizes) -> Iterator[Row]:
    standing = _standing(scene, threshold)
    key = f"limit:{threshold.id}"
    shown, with_limit = _value_and_limit(threshold, unit, standing, sizes)
    first = _limit_line(scene, threshold, shown, standing, sizes)
    agreed = _agreed(scene, threshold)
    beside = line((f"   {agreed}", "dim")) if agreed else Line()
    fits = first.cells + beside.cells <= width
    yield Row((first + beside if fits else first).cut, key, limit=threshold.id, folds=True)
    if scene.opened(key, standing.loud):
        limit = "" if with_limit else f"limit {tolerated(threshold)}"
        away = standing.loud and standing.target not in (None, HERE)
        at = " ".join(part for part in (limit, f"on {standing.target}" if away else "") if part)
        will = _will(scene, threshold, standing) or _lasts(threshold, standing)
        again = _again(scene, threshold, standing)
        agreed = "" if fits else agreed
        details = [standing.detail, again, at, will, agreed, threshold.message, _span(threshold)]
        said = " · ".join(d for d in details if d)
        for part in wrap(said, width - 4) if said else ():
            yield fixed(line((f"    {part}", "dim")))


def _agreed(scene: Scene, t: Threshold) -> str:
    """Who agreed on it; a limit that was moved since is no longer the one they agreed on."""
    agreed = [scene.called(p) for p in people.holders(scene.plan, t.agreed_by)]
    by = f" by {listed(agreed)}" if agreed else ""
    if t.changed:
        return f"changed; agreed was {t.id}{by}"
    return f"agreed{by}" if by else ""


def _will(scene: Scene, t: Threshold, standing: Standing) -> str:
    """`pauses at 10:28:38 if it lasts`: what comes of a value beyond the limit, and when; empty where nothing does."""
    state, since = scene.state, standing.since
    if since is None or t.observe_only or since + t.for_ <= scene.at:
        return ""
    over = state.rollback is not None or state.aborted is not None or state.closed is not None
    if state.started is None or over or (t.action == "pause" and state.paused is not None):
        return ""
    called = [scene.called(p) for p in people.holders(scene.plan, t.escalate_to)]
    does = DOES[t.action] + (f" {listed(called)}" if called else "")
    return f"{does} at {time_of_day(since + t.for_, scene.zone)} if it lasts"


def _again(scene: Scene, t: Threshold, standing: Standing) -> str:
    """`read again every 5s`, of a limit that can't be judged; what people enter tells when it is due."""
    signal = next((s for s in scene.plan.signals if s.name == t.signal), None)
    if standing.mark[0] != "?" or signal is None or signal.source == MANUAL or scene.state.closed is not None:
        return ""
    return f"read again every {as_in_plan(signal.interval)}"


def _lasts(t: Threshold, standing: Standing) -> str:
    """What a breach waits for whose value is no longer beyond the limit."""
    back = standing.value is not None and not breaches(t, standing.value)
    if t.clears_at is None or standing.towards is None or not back:
        return ""
    return f"stays exceeded until it is back at {number(t.clears_at)}"


def tolerated(t: Threshold, unit: str = "") -> str:
    """The limit as it is now: `> 2 %`; of a comparison `of 1.5×`, since its value is a ratio."""
    if t.compare is None:
        return f"{t.limit_text} {unit}" if unit else t.limit_text
    return f"of {t.limit:g}×" if t.op in (">", ">=") else f"{t.limit_text}×"


def _value_and_limit(t: Threshold, unit: str, standing: Standing, sizes: Sizes) -> tuple[str, bool]:
    """What stands behind the value: its unit, and where it isn't well the limit, if there is room for it."""
    unit = t.compare or unit
    if standing.towards is None:
        return unit, True
    again = unit if not t.compare and len(unit) <= UNIT_REPEATED else ""
    for limit in (tolerated(t, again), tolerated(t)):
        said = f"{unit} {limit}".lstrip()
        if len(said) <= sizes.unit + 1 + sizes.middle:
            return said, True
    return unit, False


def _span(threshold: Threshold) -> str:
    how = {
        "any": "",
        "all": "on every target",
        "median": "median of the targets",
        "sum": "sum of the targets",
    }
    return how[threshold.aggregate]


def _limit_line(scene: Scene, t: Threshold, shown: str, standing: Standing, size: Sizes) -> Line:
    glyph, _, tone = standing.mark
    more = max(0, _length(standing.words) - size.words)
    region = max(len(shown), size.unit + size.middle - more)
    room = min(max(size.unit, len(shown)), region)
    left = region - room
    if standing.towards is not None:
        middle = line((bar(standing.towards, left), tone))
    else:
        middle = line((_spark(_series(scene, t, standing.target, left), t, left), "dim"))
    ratio = "×" if t.compare is not None and standing.value is not None else ""
    return line(
        (f"{glyph} ", tone),
        pad(t.signal, size.name),
        (f" {pad_left(number(standing.value) + ratio, 6)}", "strong" if standing.loud else "text"),
        (f" {pad(shown, room)} ", "dim"),
        middle,
        " ",
        *standing.words,
    )


@dataclass(frozen=True, slots=True)
class Sizes:
    """The widths of the columns, the same for every limit; longer words take from their own row."""

    name: int
    unit: int
    middle: int
    words: int


def _sizes(scene: Scene, width: int) -> Sizes:
    """Columns as wide as their longest entry; sparkline and bar take what the words leave."""
    plan = scene.plan
    name = min(12, max((len(t.signal) for t in plan.thresholds), default=0))
    units = [len(s.unit) for s in plan.signals] + [len(t.compare) for t in plan.thresholds if t.compare]
    unit = min(10, max(units, default=0))
    words = max((_length(_standing(scene, t).words) for t in plan.thresholds), default=0)
    words = min(words, WORDS_MOST)
    return Sizes(name, unit, max(0, min(SPARK_MOST, width - name - unit - words - 12)), words)


def _length(words: tuple[tuple[str, Tone], ...]) -> int:
    return sum(len(said) for said, _ in words)


def judgement(scene: Scene, t: Threshold) -> Judgement | None:
    """What the limit says at this moment; where that isn't known, what was recorded last.

    None before the first reading is on record: at the beginning, and anew once the session was taken up
    again or the machine has slept. After the end it is what was read last, as long as the verdict stands on record.
    """
    said = recorded(scene, t)
    live = scene.link.judgement(t.id) if said is not None and not scene.link.failure else None
    if live is None or said is None:
        return said
    return said if scene.state.closed is not None and live.verdict != said.verdict else live


def recorded(scene: Scene, t: Threshold) -> Judgement | None:
    """What was recorded of the limit last, or None."""
    said = scene.state.verdicts.get(t.id)
    if said is None:
        return None
    return Judgement(
        said.verdict, said.value, said.target, said.breaching_since, said.known_until, said.detail
    )


def _standing(scene: Scene, t: Threshold) -> Standing:
    limit: tuple[str, Tone] = (tolerated(t), "text")
    acts: tuple[str, Tone] = (
        (" → shown only", "dim") if t.observe_only else (f" → {ACTIONS[t.action]}", "text")
    )
    lasts: tuple[str, Tone] = (f" for {as_in_plan(t.for_)}" if t.for_ else "", "dim")
    changed: tuple[str, Tone] = (" changed" if t.changed else "", "warn")
    judged = judgement(scene, t)
    if judged is None:
        unread = "no reading yet" if t.observe_only else "no reading; holds"
        said = scene.state.signals.get(t.signal)
        why = said.detail if said is not None and not said.ok else ""
        words: tuple[tuple[str, Tone], ...] = ((unread, "warn"), ("  ", "dim"), limit)
        return Standing(("○", "", "warn"), None, None, words, None, bool(why), why)
    value, target, detail = judged.value, judged.target, judged.detail
    if judged.verdict in ("inconclusive", "error"):
        word = "can't say" if judged.verdict == "inconclusive" else "unreadable"
        words = ((f"{word}{'' if t.observe_only else '; holds'}", "warn"),)
        return Standing(("?", word, "warn"), value, target, words, None, True, detail)
    since = judged.breaching_since
    if judged.verdict == "breach":
        recorded = scene.state.verdicts.get(t.id)
        if recorded is not None and scene.state.accepts(recorded):
            words = ((f"exceeded, accepted{_up_to(scene, t, recorded.target)}", "warn"),)
            return Standing(("▲", "", "warn"), value, target, words, 1, True, detail)
        if t.observe_only:
            return Standing(
                ("△", "", "warn"), value, target, (("over", "warn"), changed, acts), 1, False, detail
            )
        over = scene.state.rollback or scene.state.aborted or scene.state.closed
        tone: Tone = "warn" if over else "alarm"  # what is acted on already needs no hand
        words = (("exceeded", tone), changed, acts)
        return Standing(("▲", "", tone), value, target, words, 1, True, detail)
    if since is not None:
        lasted = scene.at - since
        towards = lasted / t.for_ if t.for_ else 1.0
        words = ((f"{clock(lasted)} of {clock(t.for_)}", "warn"), changed, acts)
        return Standing(("△", "", "warn"), value, target, words, towards, not t.observe_only, detail, since)
    return Standing(("✔", "", "good"), value, target, (limit, lasts, changed, acts), detail=detail)


def _up_to(scene: Scene, t: Threshold, target: str | None) -> str:
    """The worst value that was accepted: a worse one acts again."""
    most = scene.state.accepted.get((t.id, target))
    return f" up to {number(most)}{'×' if t.compare else ''}" if most is not None else ""


def _series(scene: Scene, t: Threshold, target: str | None, most: int) -> Sequence[float | None]:
    signal = next((s for s in scene.plan.signals if s.name == t.signal), None)
    where = target or (signal.targets[0] if signal and signal.targets else HERE)
    return [s.value for s in list(scene.link.series(t.signal, where))[-most:]]


def _spark(series: Sequence[float | None], t: Threshold, width: int) -> str:
    """Scaled so that calm looks calm: up to an upper limit; from a lower one on, with room above what was read."""
    known = [v for v in series if v is not None]
    least, most = min(known, default=0.0), max(known, default=0.0)
    if t.limit is not None and t.op in ("<", "<=") and t.compare is None:
        return spark(series, width, low=t.limit, high=t.limit + ROOM_ABOVE * (most - t.limit))
    upper = t.limit if t.limit is not None and t.op in (">", ">=") else most
    return spark(series, width, low=min(0.0, least), high=max(most, upper))


def _unlimited(scene: Scene, signal: Signal, width: int) -> Iterator[Row]:
    """A signal without a limit: its latest values, from the lowest to the highest, or why it can't be read."""
    key, read = f"signal:{signal.name}", scene.state.signals.get(signal.name)
    if read is not None and not read.ok:
        yield fixed(line(("? ", "warn"), f"{signal.name}  ", ("unreadable", "warn")), key)
        for part in wrap(read.detail, width - 4):
            yield fixed(line((f"    {part}", "dim")))
        return
    latest = [series[-1].value for t in signal.targets if (series := scene.link.series(signal.name, t))]
    known = sorted(v for v in latest if v is not None)
    value = "no data yet" if not known else number(known[0])
    upto = f"..{number(known[-1])}" if len(known) > 1 and known[0] != known[-1] else ""
    said = line(("· ", "dim"), f"{signal.name}  {value}{upto} {signal.unit}", ("  no limit agreed", "dim"))
    yield fixed(said, key)
