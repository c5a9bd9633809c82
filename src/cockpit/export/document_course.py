"""A report's middle: what was decided, planned against actual, the way back, the limits, the targets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from cockpit.core.journal import number, span
from cockpit.core.people import listed as together
from cockpit.core.people_journal import sure
from cockpit.export import model as m
from cockpit.export.clock import length
from cockpit.export.document_blocks import (
    MOST,
    Block,
    Cell,
    Page,
    Row,
    Table,
    Text,
    Tone,
    counted,
    evidence,
    first,
    lasted,
    listed,
    who,
)
from cockpit.export.picture import numbered


def decisions(page: Page) -> Iterator[Block]:
    """Who decided what, why, and what the signals said."""
    steering = numbered(page.review)
    head = ("no.", "when", "who", "decided", "about", "why", "what the signals said", "record")
    rows, left_out = first(
        (
            (
                str(i),
                page.at(d.at),
                who(d),
                d.kind,
                d.subject,
                d.reason,
                evidence(d.evidence),
                page.record(d.seq),
            )
            for i, d in steering
        ),
        MOST,
        "decisions",
    )
    yield Table(
        head,
        rows,
        "Nothing was decided.",
        numeric=frozenset({0, 7}),
        anchor="decision",
        left_out=left_out,
    )
    yield _others(page, {d.seq for _, d in steering})
    chosen = (d for d in page.review.decisions if d.kind in ("exclude", "retry"))
    rows, left_out = first(
        ((d.kind, d.subject, who(d), d.reason, page.record(d.seq)) for d in chosen), MOST, "of them"
    )
    yield Table(
        ("what", "which", "who", "why", "record"),
        rows,
        "No target was excluded and no step was retried.",
        title="Exclusions and retries",
        left_out=left_out,
        numeric=frozenset({4}),
    )


def _others(page: Page, steering: set[int]) -> Table:
    """Who accepted which role before the start, and the numbers that people entered."""
    rows, left_out = first(
        (
            (page.at(d.at), who(d), d.kind, d.subject, d.reason, page.record(d.seq))
            for d in page.review.decisions
            if d.seq not in steering
        ),
        MOST,
        "of them",
    )
    head = ("when", "who", "did", "what", "why", "record")
    otherwise = "No role was accepted before the start, and no number was entered by hand."
    title = "Roles before the start, and numbers entered"
    return Table(head, rows, otherwise, title=title, left_out=left_out, numeric=frozenset({5}))


def stages(page: Page) -> Iterator[Block]:
    """Stages and steps, planned against actual."""
    head = (
        "stage",
        "state",
        "began",
        "took",
        "targets: planned",
        "targets: actual",
        "waves: planned",
        "waves: actual",
        "bake: planned",
        "bake: actual",
    )
    rows: list[Row] = [
        (
            s.name,
            s.state if s.state == "finished" else Cell(s.state, "warn"),
            page.at(s.started_at, "never"),
            _took(page, s),
            listed(s.planned_targets),
            _actual(s),
            ", ".join(s.planned_waves),
            ", ".join(str(len(wave)) for wave in s.actual_waves) or "none",
            _bake_planned(s),
            _baked(page, s),
        )
        for s in page.review.stages
    ]
    yield Table(head, tuple(rows), "The plan has no stages.", title="Stages", numeric=frozenset({3, 8, 9}))
    head = ("step", "on", "targets: planned", "touched", "succeeded", "attempts", "timeout", "longest run")
    rows = [
        (
            s.id,
            s.on,
            str(s.planned_targets),
            str(s.touched_targets),
            str(s.succeeded_targets),
            str(s.attempts),
            span(s.timeout),
            lasted(s.longest, "never ran"),
        )
        for s in page.review.steps
    ]
    yield Table(
        head, tuple(rows), "The plan has no steps.", title="Steps", numeric=frozenset({2, 3, 4, 5, 6, 7})
    )


def _took(page: Page, s: m.StageReview) -> str:
    """How long a stage took, or for how long it ran where it didn't come to its end."""
    if s.duration is not None:
        return span(s.duration)
    return f"{span(_so_far(page, s, 'stage'))}, not finished" if s.started_at else "not started"


def _bake_planned(s: m.StageReview) -> str:
    return (
        f"{span(s.planned_bake)}{' a wave' if len(s.planned_waves) > 1 else ''}" if s.planned_bake else "none"
    )


def _baked(page: Page, s: m.StageReview) -> str:
    """How long a stage baked, over all its waves; what is lacking of that where it didn't come to its end."""
    baked = _so_far(page, s, "bake")
    if not s.planned_bake:
        return "none"
    if s.state != "unfinished" or not baked:
        return lasted(s.actual_bake, "none")
    return f"{span(baked)} of {span(s.planned_bake * len(s.planned_waves))}"


def _so_far(page: Page, s: m.StageReview, kind: str) -> timedelta:
    """For how long a stage ran or baked, up to the last record where that isn't over."""
    last = page.review.timeline[-1].at
    own = [length(x.since, x.until or last) for x in page.review.spans if (x.kind, x.stage) == (kind, s.name)]
    return sum(own, timedelta(0))


def _actual(s: m.StageReview) -> str:
    """The targets that a stage came to: all, or which and which not."""
    left = [t for t in s.planned_targets if t not in set(s.actual_targets)]
    if not left and len(s.actual_targets) == len(s.planned_targets) > 1:
        return f"all {len(s.actual_targets)}"
    never = f"; not {', '.join(left[:20])}{f' and {len(left) - 20} more' if len(left) > 20 else ''}"
    return f"{listed(s.actual_targets)}{never if left and s.actual_targets else ''}"


def rollback(page: Page) -> Iterator[Block]:
    """The way back: expected against measured, target by target."""
    back = page.review.rollback
    if back is None:
        yield Text("There was none.")
        return
    why = f"on the limit {back.threshold}" if back.threshold else "by decision"
    yield Text(
        f"Started {page.at(back.started_at)} by {back.by} {why}: {back.reason or 'no reason given'}. "
        f"Agreed time {lasted(back.expected, 'none')}, measured {lasted(back.measured, 'not ended')}."
    )
    if back.consent is not None:
        yield Text(_consent(page, back.consent))
    ordered = sorted(back.targets, key=lambda t: t.proven)
    rows, left_out = first(
        (
            (
                t.target,
                Cell("proven", "good") if t.proven else Cell("NOT proven", "bad"),
                t.detail,
                ", ".join(t.attempts),
            )
            for t in ordered
        ),
        MOST,
        "targets, all proven,",
    )
    head = ("target", "back", "why not", "attempts")
    yield Table(head, rows, "No target had been touched.", left_out=left_out)


def _consent(page: Page, c: m.Consent) -> str:
    """Who asked for it, who agreed and how long that took, and why it didn't wait for the others."""
    said = f"Asked for {page.at(c.asked_at)} by {c.asked_by}; the plan wants the agreement of {together(c.wanted)}."
    yes = [
        f"{a.by}{f' (as {together(a.stands_for)})' if a.stands_for != (a.by,) else ''}{sure(a.level)} {page.at(a.at)}"
        for a in c.agreed
    ]
    said += f" Agreed: {'; '.join(yes) or 'nobody'}."
    if c.override:
        return f"{said} After {span(c.waited)} it began without {together(c.without)}: {c.override}"
    return f"{said} It began {span(c.waited)} after it was asked for."


def limits(page: Page) -> Iterator[Block]:
    """The limits that acted, those that nearly did, and every verdict that changed."""
    trips, left_out = first((_trip(page, t) for t in page.review.trips), MOST, "of them")
    head = ("when", "limit", "target", "value", "tolerated", "action", "told", "message", "record")
    yield Table(
        head,
        trips,
        "No limit was tripped.",
        title="Limits tripped",
        left_out=left_out,
        numeric=frozenset({3, 8}),
    )
    near, left_out = first((_near(page, n) for n in page.review.near), MOST, "of them")
    head = ("limit", "target", "worst value", "when", "tolerated", "how near")
    otherwise = "No other limit came near to acting."
    if not page.review.curves:
        otherwise = "No samples are kept that could tell."
    yield Table(
        head, near, otherwise, title="Limits that nearly acted", left_out=left_out, numeric=frozenset({2})
    )
    tripped = {t.threshold for t in page.review.trips}
    idle = dict.fromkeys(v.threshold for v in page.review.verdicts if v.verdict == "breach")
    if names := [name for name in idle if name not in tripped]:
        yield Text(
            f"Exceeded without acting: {', '.join(names)}. A limit doesn't act that is only observed, or that was "
            "exceeded already when somebody started or went on all the same (see Overrides)."
        )
    changes, left_out = first((_change(page, v) for v in page.review.verdicts), MOST, "of them")
    head = ("when", "limit", "target", "verdict", "value", "tolerated", "beyond it since", "detail", "record")
    yield Table(
        head,
        changes,
        "No verdict changed.",
        title="Verdict changes",
        left_out=left_out,
        folded=True,
        numeric=frozenset({4, 8}),
    )


def _trip(page: Page, t: m.Trip) -> Row:
    return (
        page.at(t.at),
        t.threshold,
        t.target or "",
        number(t.value, t.unit),
        t.limit,
        t.action,
        ", ".join(t.escalate_to),
        t.message,
        page.record(t.seq),
    )


def _near(page: Page, n: m.NearMiss) -> Row:
    share = [] if n.share is None or n.beyond else [f"{n.share:.0%} of the limit"]
    beyond = [f"beyond it for {span(n.beyond)} of the {span(n.of)} agreed"] if n.beyond else []
    return (
        n.threshold,
        n.target or "",
        number(n.worst, n.unit),
        page.at(n.at),
        n.limit,
        "; ".join([*beyond, *share]),
    )


def _change(page: Page, v: m.VerdictChange) -> Row:
    verdict: str | Cell = v.verdict
    if v.verdict in ("breach", "error"):
        verdict = Cell(v.verdict, "bad")
    elif v.verdict == "inconclusive":
        verdict = Cell(v.verdict, "warn")
    return (
        page.at(v.at),
        v.threshold,
        v.target or "",
        verdict,
        number(v.value, v.unit),
        v.limit,
        page.at(v.breaching_since),
        v.detail,
        page.record(v.seq),
    )


def gaps(page: Page) -> Iterator[Block]:
    """When something wasn't seen."""
    rows, left_out = first(
        (
            (
                g.what,
                listed(g.targets) if g.targets else "",
                page.at(g.since),
                page.at(g.until, "the end"),
                "" if g.until is None else span(g.until - g.since),
                g.why,
            )
            for g in page.review.gaps
        ),
        MOST,
        "gaps",
    )
    head = ("what", "where", "from", "to", "lasted", "why")
    yield Table(head, rows, "No gap is known of.", left_out=left_out, numeric=frozenset({4}))


_TONES: dict[str, Tone] = {"failed": "bad", "in doubt": "bad", "open": "warn", "excluded": "warn"}


def targets(page: Page) -> Iterator[Block]:
    """What became of each target: those that aren't as they should be first."""
    every = page.review.targets
    if not every:
        yield Text("The log tells of no targets.")
        return
    counts = Counter(f"{t.result}{'' if t.proven or not t.attempts else ', not proven'}" for t in every)
    told = ", ".join(f"{n} {result}" for result, n in counts.most_common())
    yield Text(f"{counted(len(every), 'target').capitalize()}: {told}.")
    ordered = sorted(every, key=lambda t: (t.result not in _TONES, not t.detail))
    rows, left_out = first((_target(t) for t in ordered), MOST, "targets without anything unusual")
    head = ("target", "result", "serves now", "proven", "attempts", "detail")
    yield Table(head, rows, "", left_out=left_out, numeric=frozenset({4}), folded=len(rows) > 60)


def _target(t: m.TargetResult) -> Row:
    return (
        t.target,
        Cell(t.result, _TONES.get(t.result, "")),
        t.version or "not known",
        "yes" if t.proven else "no" if t.attempts else "",
        str(t.attempts),
        t.detail,
    )
