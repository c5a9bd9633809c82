"""A report's end: overrides, sign-offs, who was here, notes, and the records that all of it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from cockpit.core.journal import span
from cockpit.core.text import hidden
from cockpit.export import model as m
from cockpit.export.document_blocks import (
    MOST,
    Block,
    Cell,
    Code,
    Facts,
    Heading,
    Page,
    Row,
    Table,
    Text,
    Tone,
    counted,
    evidence,
    first,
    who,
)

MOST_RECORDS = 2_000
"""So many lines of the timeline are shown."""

MOST_OUTPUTS = 50
"""So many attempts that didn't succeed are shown with their command and output."""


def overrides(page: Page) -> Iterator[Block]:
    """What stood in the way, and the reason for going on."""
    rows, left_out = first(
        (
            (
                page.at(o.at),
                o.by,
                o.reason,
                "; ".join((*(f.text for f in o.findings), *o.accepted, *map(_lacks, o.without))),
                page.record(o.seq),
            )
            for o in page.review.overrides
        ),
        MOST,
        "overrides",
    )
    head = ("when", "who", "why", "what stood in the way", "record")
    yield Table(head, rows, "Nothing was overridden.", left_out=left_out, numeric=frozenset({4}))


def _lacks(name: str) -> str:
    return f"the rollback lacked the agreement of {name}"


def signoffs(page: Page) -> Iterator[Block]:
    """The checklist: who signed, and how sure that is."""
    rows, left_out = first(
        (
            (
                s.item,
                s.text,
                s.owner,
                s.before.replace(":", " ", 1),
                _signed(page, s),
                who(s),
                s.note,
                evidence(s.evidence) if s.signed_at else "",
            )
            for s in page.review.signoffs
        ),
        MOST,
        "sign-offs",
    )
    head = ("item", "text", "owner", "before", "signed", "by", "note", "what the signals said")
    yield Table(head, rows, "The plan has no checklist.", left_out=left_out)


def _signed(page: Page, s: m.SignOff) -> str | Cell:
    if s.signed_at is None:
        return Cell("not signed", "warn")
    if s.void:
        return Cell(f"{page.at(s.signed_at)} (counts no more: {s.void})", "warn")
    return page.at(s.signed_at)


def attendance(page: Page) -> Iterator[Block]:
    """Who was here, screen by screen."""
    closed = page.review.session.closed_at
    rows, left_out = first(
        (
            (
                a.screen,
                a.person or "not in the plan",
                a.os_user,
                a.kind,
                "yes" if a.may_act else "no",
                page.at(a.came_at),
                page.at(a.left_at, "not recorded" if a.why or closed is None else "the end"),
                a.why,
            )
            for a in page.review.attendance
        ),
        MOST,
        "screens",
    )
    head = ("screen", "who", "account", "as", "could act", "from", "to", "why it went")
    yield Table(head, rows, "The log tells of no screens.", left_out=left_out)


def notices(page: Page) -> Iterator[Block]:
    """Who was told of what, and whether that worked."""
    told, left_out = first(
        (
            (
                page.at(n.at),
                n.on,
                n.line,
                "sent" if n.ok else Cell("FAILED", "bad"),
                n.detail,
                page.record(n.seq),
            )
            for n in page.review.notices
        ),
        MOST,
        "notices",
    )
    yield Table(
        ("when", "on", "sent with", "result", "detail", "record"),
        told,
        "None were sent.",
        left_out=left_out,
        numeric=frozenset({5}),
    )


_TONES: dict[str, Tone] = {"failed": "bad", "in_doubt": "bad", "unreachable": "bad", "open": "warn"}


def attempts(page: Page) -> Iterator[Block]:
    """Every execution of a step on a target; those that didn't succeed with their output."""
    every = page.review.attempts
    unsuccessful = [a for a in every if a.finish != "succeeded"]
    ordered = sorted(every, key=lambda a: a.finish == "succeeded")
    wanted = {a.id for a in ordered[:MOST]}
    rows = tuple(_attempt(a) for a in every if a.id in wanted)
    more = len(every) - len(rows)
    left_out = f"{more:,} more are left out here; the JSON and CSV exports have every one." if more else ""
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
    yield Table(
        head,
        rows,
        "Nothing ran.",
        left_out=left_out,
        numeric=frozenset({6, 7, 8, 9}),
        folded=len(rows) > 20,
    )
    for a in unsuccessful[:MOST_OUTPUTS]:
        yield Heading(f"{a.step} on {a.target}: {_words(a.finish)} ({a.id})")
        yield Text(a.detail or "No detail is recorded.")
        yield Code(f"ansible-playbook {a.line}" if a.together else a.line)
        if a.tail:
            yield Text("The end of its output:")
            yield Code(a.tail)
        else:
            yield Text("No output is kept.")
    if len(unsuccessful) > MOST_OUTPUTS:
        yield Text(
            f"{counted(len(unsuccessful) - MOST_OUTPUTS, 'more attempt')} did not succeed; the JSON export has their "
            "commands and outputs."
        )


def _attempt(a: m.Attempt) -> Row:
    return (
        f"{a.id} (n {a.n})",
        a.stage,
        a.step,
        a.target,
        a.direction,
        Cell(f"{_words(a.finish)}{', proven' if a.proven else ''}{_doubt(a)}", _TONES.get(a.finish, "")),
        _code(a.exit_code),
        _code(a.verify_exit_code),
        "" if a.seconds is None else span(timedelta(seconds=a.seconds)),
        f"{a.output_bytes} bytes",
        Cell(a.output_sha256, "hash"),
    )


def _words(finish: str) -> str:
    return finish.replace("_", " ")


def _doubt(attempt: m.Attempt) -> str:
    if not attempt.was_in_doubt:
        return ""
    by = {"record": "the target's record", "verify": "its verify", "person": "a person"}
    return f", after a doubt that {by[attempt.settled]} settled" if attempt.settled else ", after a doubt"


def _code(code: int | None) -> str:
    return "none" if code is None else str(code)


def shown(review: m.Review) -> frozenset[int]:
    """The records that the timeline shows: all, or those of people and limits, and the first and last of the others."""
    every = [x.seq for x in review.timeline]
    if len(every) <= MOST_RECORDS:
        return frozenset(every)
    told = {x.seq for many in (review.decisions, review.trips, review.friction, review.notes) for x in many}
    told |= {x.seq for x in review.timeline if x.who}
    of_people = [seq for seq in every if seq in told]
    others = [seq for seq in every if seq not in told]
    kept = _ends(of_people, MOST_RECORDS)
    return frozenset((*kept, *_ends(others, MOST_RECORDS - len(kept))))


def _ends(many: list[int], most: int) -> list[int]:
    """The first and the last of many, `most` altogether."""
    if len(many) <= most:
        return many
    before = most // 2
    return [*many[:before], *many[len(many) - (most - before) :]]


def timeline(page: Page) -> Iterator[Block]:
    """Every record in words."""
    rows: tuple[Row, ...] = tuple(
        (str(x.seq), page.at(x.at), x.who, x.text) for x in page.review.timeline if x.seq in page.shown
    )
    more = len(page.review.timeline) - len(rows)
    left_out = (
        f"{more:,} of {len(page.review.timeline):,} records are left out here, none of them of a person or a limit "
        "that acted as far as there is room; the JSON and CSV exports have every one."
        if more
        else ""
    )
    yield Table(
        ("record", "when", "who", "what"),
        rows,
        "There is no record to tell of.",
        left_out=left_out,
        numeric=frozenset({0}),
        anchor="record",
        folded=True,
    )


def release(page: Page) -> Iterator[Block]:
    """What went out, where, when, and by which plan."""
    release, session = page.review.release, page.review.session
    yield Facts(
        (
            ("service", release.service),
            ("environment", release.environment),
            ("version", f"{release.previous_version} to {release.version}"),
            ("change", release.change_ref or "none given"),
            ("if it half fails", release.customer_impact),
            *((f"link: {name}", _address(address)) for name, address in release.links.items()),
            ("session", session.id),
            ("opened", _opened(page)),
            ("started", _started(page)),
            ("closed", _closed(page)),
            ("times are in", page.review.timezone),
            ("plan", session.plan_path),
        )
    )


def _address(address: str) -> str | Cell:
    """An address; one of the web leads there."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    plain = not any(hidden(c) or c.isspace() for c in address)
    return (
        Cell(address, to=address) if parts.scheme in ("http", "https") and parts.netloc and plain else address
    )


def _opened(page: Page) -> str:
    session = page.review.session
    where = " on ".join(part for part in (session.os_user, session.machine) if part)
    when = "not recorded" if session.opened_at is None else page.clock.full(session.opened_at)
    by = f" by {session.opened_by}" if session.opened_by else ""
    return f"{when}{by}{f' ({where})' if where else ''}"


def _started(page: Page) -> str:
    review = page.review
    if review.session.started_at is None:
        return "not recorded" if review.outcome.state == m.UNKNOWN else "never"
    return page.clock.full(review.session.started_at)


def _closed(page: Page) -> str:
    session = page.review.session
    when = "no close is recorded" if session.closed_at is None else page.clock.full(session.closed_at)
    why = f": {session.close_reason}" if session.close_reason else ""
    return f"{when} by {session.closed_by}{why}" if session.closed_by else when


def proof(page: Page) -> Iterator[Block]:
    """What this report stands on, and how to check that."""
    review = page.review
    head = f"{review.head.seq}:{review.head.hash}"
    yield Text(
        "Everything above was made from the session's log alone. Each of its records is chained to all before it: "
        "whoever has the log and the head below can tell whether it is still the one that this report tells of."
    )
    yield Facts(
        (
            ("log head", Cell(f"{review.head.seq} {review.head.hash}", "hash")),
            ("plan sha256", Cell(review.session.plan_sha256, "hash")),
            ("cockpit", review.session.cockpit_version),
        )
    )
    yield Text("With cockpit, and without it (docs/verify_log.py needs Python alone):")
    yield Code(f"cockpit verify SESSION --head {head}\npython3 verify_log.py SESSION.db {head}")
