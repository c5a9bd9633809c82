"""What did we know here? One moment of a recorded session, with what was decided in it and what came after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import ClassVar

from textual.binding import Binding, BindingType

from cockpit.core import events as ev
from cockpit.core import roles, rollout
from cockpit.core.journal import author, number, on, say, span
from cockpit.core.plan import Plan, Threshold
from cockpit.core.state import State
from cockpit.core.thresholds import breaches
from cockpit.runtime.replaying import Recorded
from cockpit.runtime.replaying_timeline import DECISIONS
from cockpit.tui import going_back, presence
from cockpit.tui.doubt import known as known_of
from cockpit.tui.help import Page
from cockpit.tui.marks import FOUND, PRESENCE, Mark, glyph
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, line, pad, pad_left, rewrap, time_of_day

AFTER = timedelta(minutes=5)
"""How far it is told what came after."""

AFTER_MOST = 20
"""Events told of that, and of the review."""

REVIEW = (ev.NoteAdded, ev.QuestionAnswered, ev.ActionAdded, ev.ActionSettled)
"""What a review adds."""

LABELS = 18
"""Cells of the words at the left."""

VERDICTS: dict[ev.Verdict, Mark] = {
    "pass": ("✔", "pass", "good"),
    "breach": ("▲", "breach", "alarm"),
    "inconclusive": ("?", "can't say", "warn"),
    "error": ("?", "unreadable", "warn"),
}
ON_ITS_WAY: Mark = ("△", "over, not for long enough yet", "warn")
NOT_READ: Mark = ("○", "no reading yet", "warn")

TableRow = tuple[Mark, str, str, str]
"""(what a limit said, its name, its number, more of it)"""


class KnownHere(Page):
    """The page, as long as it is read."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter,k", "leave", show=False)]

    def __init__(self, scene: Scene, recorded: Recorded) -> None:
        super().__init__()
        self._lines = list(known_here(scene, recorded))

    def told(self, width: int) -> list[Line]:
        """What it says, wrapped."""
        return [part for one in self._lines for part in (rewrap(one, width) if one.spans else [one])]


def known_here(scene: Scene, recorded: Recorded) -> Iterator[Line]:
    """What was known at this moment; beneath a line what came after."""
    event, at = recorded.events[-1], recorded.now()
    yield line(("What did we know here?", "strong"))
    yield line()
    ago = at - recorded.timeline.moment(recorded.position)
    when = f", {span(ago)} before: " if ago else ": "
    yield line(
        (f"{at.astimezone(scene.zone):%a %d %b %H:%M:%S %Z}", "strong"),
        (f", record {recorded.record}{when}", "dim"),
        _words(scene, event),
    )
    for remark in recorded.remarks:
        yield line((f"△ {remark}", "warn"))
    if isinstance(event, DECISIONS) or getattr(event, "evidence", ()):
        yield from _decided(scene, event)
    yield from _limits(scene)
    yield line()
    yield from _unread(scene)
    yield from _told("unexplained", _unexplained(scene))
    doubts = rollout.in_doubt(scene.state)
    yield from _told("in doubt", [f"{a.step} on {a.target}: {'; '.join(known_of(scene, a))}" for a in doubts])
    yield from _told("going back", [_back(scene)])
    yield from _people(scene, recorded)
    yield from _after(scene, recorded)


def _words(scene: Scene, event: ev.Event) -> str:
    """The event as the journal has it, with its author."""
    who = author(event, scene.plan)
    return (
        f"{who}: {say(event, scene.plan, scene.state.find)}"
        if who
        else say(event, scene.plan, scene.state.find)
    )


def _decided(scene: Scene, event: ev.Event) -> Iterator[Line]:
    """Who decided, why, and the evidence that was recorded with it."""
    by = getattr(event, "by", ev.COCKPIT)
    who = "an agreed rule, by itself" if by == ev.COCKPIT else author(event, scene.plan)
    reason = getattr(event, "reason", "") or getattr(event, "override", "") or getattr(event, "note", "")
    yield line()
    yield from _told("decided by", [who])
    yield from _told("why", [reason or "no reason was given"])
    evidence: tuple[ev.Reading, ...] = getattr(event, "evidence", ())
    yield line((pad("evidence", LABELS), "dim"), "" if evidence else "none was kept with it")
    yield from _table(
        (
            _mark(scene.plan, r),
            _called(scene.plan, r.threshold),
            number(r.value, _unit(scene.plan, r.threshold)),
            f"{on(r.target)}, limit {r.limit}",
        )
        for r in evidence
    )


def _mark(plan: Plan, r: ev.Reading) -> Mark:
    """What a limit said; of a number that is beyond it and passes, that it had still to last."""
    limit = _limit(plan, r.threshold)
    if limit is None or limit.compare is not None or limit.limit_text != r.limit or r.value is None:
        return VERDICTS[r.verdict]
    return ON_ITS_WAY if r.verdict == "pass" and breaches(limit, r.value) else VERDICTS[r.verdict]


def _limits(scene: Scene) -> Iterator[Line]:
    """What every limit said, with how old its number was."""
    yield line()
    yield line((pad("limits", LABELS), "dim"), "" if scene.plan.thresholds else "none were agreed")
    yield from _table(_limit_row(scene, t) for t in scene.plan.thresholds)


def _limit_row(scene: Scene, t: Threshold) -> TableRow:
    judged = scene.link.judgement(t.id)
    if judged is None:
        return NOT_READ, t.called, "–", ""
    over = judged.verdict == "pass" and judged.breaching_since is not None
    known = judged.known_until if judged.value is not None else None
    old = f", {span(scene.at - known)} old" if known else ""
    value = number(judged.value, _unit(scene.plan, t.id))
    return ON_ITS_WAY if over else VERDICTS[judged.verdict], t.called, value, f"{on(judged.target)}{old}"


def _table(rows: Iterable[TableRow]) -> Iterator[Line]:
    """A row a limit: its mark, its name, its number, and what more there is of it, the numbers below each other."""
    every = list(rows)
    names = min(24, max((len(name) for _, name, _, _ in every), default=0))
    values = min(20, max((len(value) for _, _, value, _ in every), default=0))
    for mark, name, value, more in every:
        said = f" {pad(name, names)}  {pad_left(value, values)}"
        yield line("  ", glyph(mark), said, (f"  {mark[1]}", mark[2]), (more, "dim"))


def _limit(plan: Plan, id_: str) -> Threshold | None:
    return next((t for t in plan.thresholds if t.id == id_), None)


def _called(plan: Plan, id_: str) -> str:
    limit = _limit(plan, id_)
    return limit.called if limit is not None else id_


def _unit(plan: Plan, id_: str) -> str:
    """The unit of what a limit judges; of one that compares, that it is a ratio."""
    limit = _limit(plan, id_)
    if limit is None or limit.compare is not None:
        return "×" if limit is not None else ""
    return next((s.unit for s in plan.signals if s.name == limit.signal), "")


def _told(label: str, said: list[str]) -> Iterator[Line]:
    """A label with what is told of it, a line each; `nothing` where there is none."""
    for n, one in enumerate(said or ["nothing"]):
        yield line((pad("" if n else label, LABELS), "dim"), (one, "text" if said else "dim"))


def _unread(scene: Scene) -> Iterator[Line]:
    """What couldn't be read: signals, targets, and limits that couldn't be judged."""
    state = scene.state
    said = [f"signal {s.signal}: {s.detail}" for s in state.signals.values() if not s.ok]
    said += [f"{p.target}: {p.detail or p.held_by}" for p in state.probes.values() if not p.ok]
    for t in scene.plan.thresholds:
        judged = scene.link.judgement(t.id)
        if judged is not None and judged.verdict in ("inconclusive", "error"):
            said.append(f"limit {t.called}: {judged.detail or VERDICTS[judged.verdict][1]}")
    yield from _told("couldn't be read", said)


def _unexplained(scene: Scene) -> list[str]:
    unexplained = scene.state.unexplained
    if unexplained is None:
        return []
    since = time_of_day(unexplained.at, scene.zone)
    return [f"since {since}, said {scene.called(unexplained.by)}: {unexplained.reason or 'without words'}"]


def _back(scene: Scene) -> str:
    """What going back would have taken from here, or how far it was."""
    taken = going_back.taken(scene)
    return f"under way: {taken.plain}" if taken.spans else f"would take: {going_back.cost(scene)}"


def _people(scene: Scene, recorded: Recorded) -> Iterator[Line]:
    """Who was here, and who held which role."""
    state = scene.state
    everybody = presence.everybody(state)
    here = [f"{presence.name(scene, who)} ({PRESENCE[how][1]})" for who, how in everybody.items()]
    yield from _told("who was here", [", ".join(here)] if here else ["nobody, as far as is recorded"])
    told = recorded.timeline.final.accepted_roles  # an earlier version asked nobody to accept
    for n, (role, person) in enumerate(roles.wanted(scene.plan)):
        said = line(f"{roles.called(role)}: {scene.called(person) if person else 'nobody'}")
        about = _accepted(state, role, person) if person and told else Line()
        yield line((pad("" if n else "roles", LABELS), "dim")) + said + about


def _accepted(state: State, role: str, person: str) -> Line:
    if person in state.gone:
        return line("  ", glyph(FOUND["wrong"]), (" had left", "dim"))
    done = roles.accepted(state, role)
    mark, how = FOUND["good" if done else "person"], "accepted" if done else "hadn't accepted it"
    return line("  ", glyph(mark), (f" {how}", "dim"))


def _after(scene: Scene, recorded: Recorded) -> Iterator[Line]:
    """What happened within some minutes after, quietly: nobody knew that yet. Then what the review added."""
    line_ = recorded.timeline
    until, closed = line_.position(recorded.now() + AFTER), line_.before(len(line_) + 1, "close")
    ahead = list(enumerate(line_.events, 1))[recorded.position :]
    review = [e for n, e in ahead if closed is not None and n > closed.position and isinstance(e, REVIEW)]
    later = [e for n, e in ahead if n <= until and e not in review]
    yield from _told_after(
        scene, recorded, f"what came after, within {span(AFTER)}; nobody knew it here", later
    )
    if review:
        yield from _told_after(scene, recorded, "what the review added, after the close", review)


def _told_after(scene: Scene, recorded: Recorded, title: str, later: Sequence[ev.Event]) -> Iterator[Line]:
    final, day = recorded.timeline.final, recorded.now().astimezone(scene.zone).date()
    yield line()
    yield line((f"── {title} ──", "dim"))
    for event in later[:AFTER_MOST]:
        at, who = event.at.astimezone(scene.zone), author(event, scene.plan)
        when = f"{at:%H:%M:%S}" if at.date() == day else f"{at:%a %d %b %H:%M:%S}"
        said = say(event, final.plan, final.find)
        yield line((f"{when}  {f'{who}: ' if who else ''}{said}", "dim"))
    more = len(later) - AFTER_MOST
    if more > 0 or not later:
        yield line((f"… and {more} more events" if later else "nothing", "dim"))
