"""The review as Markdown: for the pull request, the wiki, the meeting."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from cockpit.core.events import Reading
from cockpit.core.journal import number, on, span
from cockpit.core.people_journal import sure
from cockpit.export import model as m
from cockpit.export.escape import fenced
from cockpit.export.escape import markdown as text
from cockpit.export.summary import moment

Row = Sequence[str]


def render(review: m.Review) -> str:
    """The review as one document. Everything the plan, a person or a target wrote is escaped, cell by cell."""
    title = f"# Release review: {text(review.release.name)}"
    sections = (section for make in SECTIONS for section in make(review))
    return "\n\n".join([title, *sections]) + "\n"


def _table(title: str, head: Row, rows: Iterable[Row], otherwise: str) -> Iterator[str]:
    """A section with a table, or with the sentence that says why there is none. Cells get escaped here."""
    lines = [f"| {' | '.join(text(cell) for cell in row)} |" for row in rows]
    yield f"## {title}"
    if lines:
        rule = f"|{' --- |' * len(head)}"
        yield "\n".join([f"| {' | '.join(head)} |", rule, *lines])
    else:
        yield otherwise


def _outcome(review: m.Review) -> Iterator[str]:
    yield "## Outcome"
    yield text(review.outcome.summary)


def _facts(review: m.Review) -> Iterator[str]:
    release, session = review.release, review.session
    rows = [
        ("service", release.service),
        ("environment", release.environment),
        ("version", f"{release.previous_version} to {release.version}"),
        ("change", release.change_ref or "none given"),
        ("if it half fails", release.customer_impact),
        *((f"link: {name}", address) for name, address in release.links.items()),
        ("session", session.id),
        (
            "opened",
            f"{moment(session.opened_at)} by {session.opened_by} ({session.os_user} on {session.machine})",
        ),
        ("started", _moment(session.started_at, "never")),
        ("closed", _closed(session)),
        ("times are in", review.timezone),
        ("plan", session.plan_path),
        ("plan sha256", session.plan_sha256),
        ("log head", f"{review.head.seq} {review.head.hash}"),
        ("cockpit", session.cockpit_version),
    ]
    yield from _table("Release", ("", ""), rows, "")


def _stages(review: m.Review) -> Iterator[str]:
    head = (
        "stage",
        "state",
        "targets: planned",
        "actual",
        "waves: planned",
        "actual",
        "bake: planned",
        "actual",
        "took",
    )
    rows = (
        (
            s.name,
            s.state,
            _names(s.planned_targets),
            _names(s.actual_targets),
            ", ".join(s.planned_waves),
            ", ".join(str(len(wave)) for wave in s.actual_waves) or "none",
            span(s.planned_bake) if s.planned_bake else "none",
            _span(s.actual_bake, "none"),
            _span(s.duration, "unfinished"),
        )
        for s in review.stages
    )
    yield from _table("Stages, planned against actual", head, rows, "The plan has no stages.")


def _steps(review: m.Review) -> Iterator[str]:
    head = ("step", "on", "targets: planned", "touched", "succeeded", "attempts", "timeout", "longest run")
    rows = (
        (
            s.id,
            s.on,
            str(s.planned_targets),
            str(s.touched_targets),
            str(s.succeeded_targets),
            str(s.attempts),
            span(s.timeout),
            _span(s.longest, "never ran"),
        )
        for s in review.steps
    )
    yield from _table("Steps, planned against actual", head, rows, "The plan has no steps.")


def _attendance(review: m.Review) -> Iterator[str]:
    head = ("screen", "who", "account", "as", "could act", "from", "to", "why it went")
    rows = (
        (
            a.screen,
            a.person or "not in the plan",
            a.os_user,
            a.kind,
            "yes" if a.may_act else "no",
            moment(a.came_at),
            _moment(a.left_at, "not recorded"),
            a.why,
        )
        for a in review.attendance
    )
    yield from _table("Who was here", head, rows, "The log tells of no screens.")


def _decisions(review: m.Review) -> Iterator[str]:
    head = ("record", "when", "who", "decided", "about", "why", "what the signals said")
    rows = (
        (str(d.seq), moment(d.at), _who(d), d.kind, d.subject, d.reason, _evidence(d.evidence))
        for d in review.decisions
    )
    yield from _table("Decisions", head, rows, "Nothing was decided.")


def _interventions(review: m.Review) -> Iterator[str]:
    chosen = (d for d in review.decisions if d.kind in ("exclude", "retry"))
    rows = ((str(d.seq), d.kind, d.subject, _who(d), d.reason) for d in chosen)
    head = ("record", "what", "which", "who", "why")
    yield from _table("Exclusions and retries", head, rows, "No target was excluded and no step was retried.")


def _overrides(review: m.Review) -> Iterator[str]:
    rows = (
        (str(o.seq), moment(o.at), o.by, o.reason, "; ".join((*(f.text for f in o.findings), *o.accepted)))
        for o in review.overrides
    )
    head = ("record", "when", "who", "why", "what stood in the way")
    yield from _table("Overrides", head, rows, "Nothing was overridden.")


def _signoffs(review: m.Review) -> Iterator[str]:
    head = ("item", "text", "owner", "before", "signed", "by", "note", "what the signals said")
    rows = (
        (
            s.item,
            s.text,
            s.owner,
            s.before,
            f"{_moment(s.signed_at, 'not signed')}{f' (counts no more: {s.void})' if s.void else ''}",
            _who(s),
            s.note,
            _evidence(s.evidence) if s.signed_at else "",
        )
        for s in review.signoffs
    )
    yield from _table("Sign-offs", head, rows, "The plan has no checklist.")


def _limits(review: m.Review) -> Iterator[str]:
    trips = (
        (
            str(t.seq),
            moment(t.at),
            t.threshold,
            t.target or "",
            number(t.value, t.unit),
            t.limit,
            t.action,
            ", ".join(t.escalate_to),
            t.message,
        )
        for t in review.trips
    )
    head = ("record", "when", "limit", "target", "value", "tolerated", "action", "told", "message")
    yield from _table("Limits tripped", head, trips, "No limit was tripped.")
    changes = (
        (
            str(v.seq),
            moment(v.at),
            v.threshold,
            v.target or "",
            v.verdict,
            number(v.value, v.unit),
            v.limit,
            _moment(v.breaching_since, ""),
            v.detail,
        )
        for v in review.verdicts
    )
    head = ("record", "when", "limit", "target", "verdict", "value", "tolerated", "beyond it since", "detail")
    yield from _table("Verdict changes", head, changes, "No verdict changed.")


def _rollback(review: m.Review) -> Iterator[str]:
    back = review.rollback
    if back is None:
        yield "## Rollback"
        yield "There was none."
        return
    rows = (
        (t.target, "proven" if t.proven else "NOT proven", t.detail, ", ".join(t.attempts))
        for t in back.targets
    )
    yield from _table(
        "Rollback", ("target", "back", "why not", "attempts"), rows, "No target had been touched."
    )
    why = f"on the limit {back.threshold}" if back.threshold else "by decision"
    yield text(
        f"Started {moment(back.started_at)} by {back.by} {why}: {back.reason or 'no reason given'}. "
        f"Agreed time {_span(back.expected, 'none')}, measured {_span(back.measured, 'not ended')}."
    )


def _attempts(review: m.Review) -> Iterator[str]:
    head = (
        "attempt",
        "stage",
        "step",
        "target",
        "direction",
        "finish",
        "exit",
        "verify",
        "took",
        "output",
        "sha256",
    )
    rows = (
        (
            f"{a.id} (n {a.n})",
            a.stage,
            a.step,
            a.target,
            a.direction,
            f"{a.finish}{', proven' if a.proven else ''}{_doubt(a)}",
            _code(a.exit_code),
            _code(a.verify_exit_code),
            "" if a.seconds is None else span(timedelta(seconds=a.seconds)),
            f"{a.output_bytes} bytes",
            a.output_sha256,
        )
        for a in review.attempts
    )
    yield from _table("Every attempt", head, rows, "Nothing ran.")
    for a in review.attempts:
        if a.finish != "succeeded":
            yield f"### {text(f'{a.step} on {a.target}: {a.finish}')} ({text(a.id)})"
            yield text(a.detail or "No detail is recorded.")
            yield fenced(a.line)
            yield f"The end of its output:\n\n{fenced(a.tail)}" if a.tail else "No output is kept."


def _notes(review: m.Review) -> Iterator[str]:
    rows = ((str(n.seq), moment(n.at), _who(n), n.text) for n in review.notes)
    yield from _table("Notes", ("record", "when", "who", "note"), rows, "There are none.")
    told = (
        (str(n.seq), moment(n.at), n.on, n.line, "sent" if n.ok else "FAILED", n.detail)
        for n in review.notices
    )
    yield from _table(
        "Notices", ("record", "when", "on", "sent with", "result", "detail"), told, "None were sent."
    )


def _timeline(review: m.Review) -> Iterator[str]:
    rows = ((str(x.seq), moment(x.at), x.who, x.text) for x in review.timeline)
    yield from _table("Timeline", ("record", "when", "who", "what"), rows, "Nothing happened.")


SECTIONS = (
    _outcome,
    _facts,
    _stages,
    _steps,
    _attendance,
    _decisions,
    _interventions,
    _overrides,
    _signoffs,
    _limits,
    _rollback,
    _attempts,
    _notes,
    _timeline,
)


def _names(names: tuple[str, ...]) -> str:
    return f"{len(names)}: {', '.join(names)}" if names else "none"


def _closed(session: m.Session) -> str:
    when = _moment(session.closed_at, "no close is recorded")
    why = f": {session.close_reason}" if session.close_reason else ""
    return f"{when} by {session.closed_by}{why}" if session.closed_by else when


def _who(said: m.Decision | m.SignOff | m.Note) -> str:
    at_screen = f" (at the screen of {said.via})" if said.via and said.via != said.by else ""
    account = f" (account {said.other_account})" if said.other_account else ""
    level = "" if isinstance(said, m.Note) else sure(said.level)
    return f"{said.by}{at_screen}{account}{level}"


def _evidence(readings: tuple[Reading, ...]) -> str:
    return "; ".join(
        f"{r.threshold}{on(r.target)}: {r.verdict}, {number(r.value)} against {r.limit}" for r in readings
    )


def _moment(at: datetime | None, otherwise: str) -> str:
    return otherwise if at is None else moment(at)


def _span(length: timedelta | None, otherwise: str) -> str:
    return otherwise if length is None else span(length)


def _doubt(attempt: m.Attempt) -> str:
    if not attempt.was_in_doubt:
        return ""
    by = {"record": "the target's record", "verify": "its verify", "person": "a person"}
    return f", after a doubt that {by[attempt.settled]} settled" if attempt.settled else ", after a doubt"


def _code(code: int | None) -> str:
    return "none" if code is None else str(code)
