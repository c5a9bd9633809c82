"""The limits pane: business questions first, then how far each limit is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cockpit.core.attendance import MANUAL, typed
from cockpit.core.plan import HERE, Plan, Signal, Threshold
from cockpit.core.spans import clock
from cockpit.core.state import breached, unclean
from cockpit.core.thresholds import Judgement
from cockpit.signals import SIGNALS
from cockpit.tui import entries
from cockpit.tui.marks import Mark
from cockpit.tui.scene import Row, Scene, fixed
from cockpit.tui.text import Line, Tone, as_in_plan, bar, line, listed, number, pad, pad_left, spark, wrap

SPARK_MOST = 16
ACTIONS = {"notify": "NOTIFY", "pause": "PAUSE", "rollback": "ROLL BACK", "escalate": "ESCALATE"}


@dataclass(frozen=True, slots=True)
class Standing:
    """What a limit says now: its mark, its value, the words at the end, and how far it is towards acting."""

    mark: Mark
    value: float | None
    target: str | None
    words: tuple[tuple[str, Tone], ...]
    towards: float | None = None
    loud: bool = False
    detail: str = ""


def rows(scene: Scene, width: int) -> list[Row]:
    """A row a limit, beneath its signal's question where it has one; more of it where it isn't clean."""
    named = {s.name: s for s in scene.plan.signals}
    others = dict.fromkeys(t.signal for t in scene.plan.thresholds if t.signal not in named)
    sizes = _sizes(scene, width)
    ordered = sorted(named, key=lambda name: named[name].question is None)
    found = [
        row
        for name in (*ordered, *others)
        for row in _signal_rows(scene, name, named.get(name), width, sizes)
    ]
    return found or [fixed(line(("no limits agreed: nothing acts by itself", "warn")))]


def hand(scene: Scene) -> str:
    """`exceeded`, `over`, or `can't say`: the worst of what isn't clean."""
    if scene.state.closed is not None:
        return ""
    if breached(scene.state):
        return "exceeded"
    standing = [_judgement(scene, t) for t in unclean(scene.state)]
    if any(j is not None and j.breaching_since is not None for j in standing):
        return "over"
    return "can't say" if any(j is None or j.verdict in ("inconclusive", "error") for j in standing) else ""


def wanted(plan: Plan) -> int:
    """Rows it would like: two a limit, in case it isn't clean, one a question and one a signal that people enter."""
    asked = sum(1 for s in plan.signals if s.question)
    return 2 * len(plan.thresholds) + asked + len(typed(plan))


def _signal_rows(scene: Scene, name: str, signal: Signal | None, width: int, sizes: Sizes) -> Iterator[Row]:
    if signal is not None and signal.question:
        yield fixed(line((signal.question, "strong")))
    thresholds = [t for t in scene.plan.thresholds if t.signal == name]
    for threshold in thresholds:
        yield from _limit_rows(scene, threshold, signal.unit if signal else "", width, sizes)
    if signal is None:
        return
    if not thresholds:
        yield Row(lambda w: _reading(scene, signal).cut(w), f"signal:{name}")
    if signal.source == MANUAL and scene.state.closed is None:
        yield fixed(line("    ", entries.due(scene, signal)))


def _limit_rows(scene: Scene, threshold: Threshold, unit: str, width: int, sizes: Sizes) -> Iterator[Row]:
    standing = _standing(scene, threshold)
    key = f"limit:{threshold.id}"
    first = _limit_line(scene, threshold, unit, standing, sizes)
    agreed = (
        f"agreed by {listed([scene.called(p) for p in threshold.agreed_by])}" if threshold.agreed_by else ""
    )
    beside = line((f"   {agreed}", "dim")) if agreed else Line()
    fits = first.cells + beside.cells <= width
    yield Row((first + beside if fits else first).cut, key, folds=True)
    if scene.opened(key, standing.loud):
        away = standing.loud and standing.target not in (None, HERE)
        where = f"on {standing.target}" if away else ""
        at = " ".join(part for part in (standing.detail, where) if part)
        details = [at, "" if fits else agreed, threshold.message, _span(threshold)]
        said = " · ".join(d for d in details if d)
        for part in wrap(said, width - 4) if said else ():
            yield fixed(line((f"    {part}", "dim")))


def _span(threshold: Threshold) -> str:
    how = {
        "any": "",
        "all": "on every target",
        "median": "median of the targets",
        "sum": "sum of the targets",
    }
    return how[threshold.aggregate]


def _limit_line(scene: Scene, t: Threshold, unit: str, standing: Standing, size: Sizes) -> Line:
    glyph, _, tone = standing.mark
    if standing.towards is not None:
        middle = line((bar(standing.towards, size.middle), tone))
    else:
        middle = line((_spark(_series(scene, t, standing.target, size.middle), t, size.middle), "dim"))
    return line(
        (f"{glyph} ", tone),
        pad(t.signal, size.name),
        (f" {pad_left(number(standing.value), 6)}", "strong" if standing.loud else "text"),
        (f" {pad(unit, size.unit)} ", "dim"),
        middle,
        " ",
        *standing.words,
    )


@dataclass(frozen=True, slots=True)
class Sizes:
    """The widths of the columns, the same for every limit."""

    name: int
    unit: int
    middle: int


def _sizes(scene: Scene, width: int) -> Sizes:
    """Columns as wide as their longest entry; sparkline and bar take what the words leave."""
    plan = scene.plan
    name = min(12, max((len(t.signal) for t in plan.thresholds), default=0))
    unit = min(10, max((len(s.unit) for s in plan.signals), default=0))
    words = max((sum(len(w) for w, _ in _standing(scene, t).words) for t in plan.thresholds), default=0)
    return Sizes(name, unit, max(0, min(SPARK_MOST, width - name - unit - words - 12)))


def _judgement(scene: Scene, t: Threshold) -> Judgement | None:
    """What the limit says at this moment; after the end, or where that isn't known, what was recorded last.

    None before the first reading is on record: at the beginning, and anew once the session was taken up
    again or the machine has slept.
    """
    said = scene.state.verdicts.get(t.id)
    if said is None:
        return None
    over = scene.state.closed is not None or scene.link.failure
    if not over and (live := scene.link.judgement(t.id)) is not None:
        return live
    return Judgement(
        said.verdict, said.value, said.target, said.breaching_since, said.known_until, said.detail
    )


def _standing(scene: Scene, t: Threshold) -> Standing:
    limit: tuple[str, Tone] = (t.limit_text, "text")
    acts: tuple[str, Tone] = (
        (" → shown only", "dim") if t.observe_only else (f" → {ACTIONS[t.action]}", "text")
    )
    lasts: tuple[str, Tone] = (f" for {as_in_plan(t.for_)}" if t.for_ else "", "dim")
    if not t.acted_on:
        return Standing(
            ("–", "", "warn"), None, None, (("not judged by this version: protects nothing", "warn"),)
        )
    judged = _judgement(scene, t)
    if judged is None:
        unread = "no reading yet" if t.observe_only else "no reading; holds"
        return Standing(("○", "", "warn"), None, None, ((unread, "warn"), ("  ", "dim"), limit))
    if judged.verdict in ("inconclusive", "error"):
        word = "can't say" if judged.verdict == "inconclusive" else "unreadable"
        holds = "" if t.observe_only else "; holds"
        words: tuple[tuple[str, Tone], ...] = ((f"{word}{holds}", "warn"),)
        return Standing(("?", word, "warn"), judged.value, judged.target, words, None, True, judged.detail)
    value, target, beyond = judged.value, judged.target, f"limit {t.limit_text}"
    if judged.verdict == "breach":
        recorded = scene.state.verdicts.get(t.id)
        if recorded is not None and scene.state.accepts(recorded):
            return Standing(
                ("▲", "", "warn"), value, target, (("exceeded, accepted", "warn"),), 1, True, beyond
            )
        if t.observe_only:
            return Standing(("△", "", "warn"), value, target, (("over", "warn"), acts), 1, False, beyond)
        return Standing(("▲", "", "alarm"), value, target, (("exceeded", "alarm"), acts), 1, True, beyond)
    if judged.breaching_since is not None:
        since = scene.at - judged.breaching_since
        towards = since / t.for_ if t.for_ else 1.0
        over: tuple[str, Tone] = (f"{clock(since)} of {clock(t.for_)}", "warn")
        return Standing(("△", "", "warn"), value, target, (over, acts), towards, not t.observe_only, beyond)
    return Standing(("✔", "", "good"), value, target, (limit, lasts, acts))


def _series(scene: Scene, t: Threshold, target: str | None, most: int) -> Sequence[float | None]:
    signal = next((s for s in scene.plan.signals if s.name == t.signal), None)
    where = target or (signal.targets[0] if signal and signal.targets else HERE)
    return [s.value for s in list(scene.link.series(t.signal, where))[-most:]]


def _spark(series: Sequence[float | None], t: Threshold, width: int) -> str:
    """Scaled up to the limit where that is an upper one, so that calm looks calm."""
    known = [v for v in series if v is not None]
    high = max(known, default=0.0)
    if t.op in (">", ">=") and t.limit is not None:
        high = max(high, t.limit)
    return spark(series, width, low=min(0.0, *known) if known else 0.0, high=high)


def _reading(scene: Scene, signal: Signal) -> Line:
    """A signal without a limit: its latest values, from the lowest to the highest."""
    if signal.source not in SIGNALS:
        return line(
            ("– ", "dim"),
            f"{signal.name}  ",
            (f"{signal.source} signals aren't read by this version", "warn"),
        )
    latest = [series[-1].value for t in signal.targets if (series := scene.link.series(signal.name, t))]
    known = sorted(v for v in latest if v is not None)
    value = "no data yet" if not known else number(known[0])
    upto = f"..{number(known[-1])}" if len(known) > 1 and known[0] != known[-1] else ""
    return line(("· ", "dim"), f"{signal.name}  {value}{upto} {signal.unit}", ("  no limit agreed", "dim"))
