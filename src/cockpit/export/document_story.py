"""What a report opens with: how it ended, the picture, what it cost, what went well, what is to change."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.core.journal import span
from cockpit.core.questions import QUESTIONS
from cockpit.export import document_points as points
from cockpit.export import model as m
from cockpit.export.document_blocks import (
    MOST,
    Block,
    Cell,
    Items,
    Page,
    Picture,
    Points,
    Row,
    Table,
    Text,
    first,
    lasted,
    who,
)
from cockpit.export.picture import SAID, drawable

MOST_SPANS = 60
"""So many stretches tell what the picture draws, where it can't be drawn."""

CALLED = {
    "person": "waiting for a person",
    "approval": "waiting for an approval",
    "check": "waiting for a check",
    "signal": "waiting for a signal",
    "breach": "from breach to action",
    "rollback": "the way back",
    "unexplained": "unexplained",
    "doubt": "in doubt",
    "escalation": "a call answered",
    "late_entry": "entered late",
    "retry": "done again",
    "slow_step": "slower than usual",
    "limit": "limit changed",
    "override": "overridden",
    "handover": "role changed hands",
}
"""What a kind of friction is called."""


def outcome(page: Page) -> Iterator[Block]:
    """The paragraph to read if only one is read, then how bad it was, who decided, what it cost, what is to change."""
    review = page.review
    yield Text(review.outcome.summary, lead=True)
    if review.outcome.state == m.UNKNOWN:
        return
    yield Points(
        (
            ("How bad it was", points.harm(page)),
            ("Who decided", points.deciders(review)),
            ("What it cost", points.cost(review)),
            ("What to change", points.change(review)),
        )
    )


def missing(page: Page) -> Iterator[Block]:
    """What the log doesn't tell."""
    if page.review.missing:
        yield Items(page.review.missing)


def picture(page: Page) -> Iterator[Block]:
    """The release on one time axis."""
    review = page.review
    if not drawable(review):
        yield Text("Nothing happened that a time axis could show.")
        return
    yield Text(
        f"Times are in {review.timezone}, of {page.clock.local(page.day):%A, %d %B %Y} where no date is given."
    )
    head = ("what", "which", "from", "to", "lasted")
    drawn = [s for s in review.spans if s.kind != "wave" or len(review.spans) <= MOST_SPANS]
    rows: list[Row] = [
        (
            SAID.get(s.kind, s.kind),
            " of ".join(dict.fromkeys(part for part in (s.name, s.stage) if part)),
            page.at(s.since),
            page.at(s.until, "the log ends first"),
            "" if s.until is None else span(s.until - s.since),
        )
        for s in drawn
    ]
    shown, left_out = first(rows, MOST_SPANS, "of them")
    yield Picture(review, Table(head, shown, "Nothing began.", left_out=left_out))


def friction(page: Page) -> Iterator[Block]:
    """What held the release up, the costliest first, each with the question that it puts."""
    review = page.review
    yield Text(
        "Measured from the log, the costliest first; asked about the work, never about a person. Waiting is counted "
        "once; other rows may overlap it."
    )
    rows: list[Row] = [
        (
            str(i),
            lasted(f.cost, "none of its own"),
            CALLED.get(f.kind, f.kind.replace("_", " ")),
            f.told,
            f.question,
            "; ".join(f"{a.text} ({a.by})" for a in _answers(review, f)),
            page.record(f.seq),
        )
        for i, f in enumerate(review.friction[:100], 1)
    ]
    head = ("no.", "cost", "kind", "what happened", "question", "answer", "record")
    more = len(review.friction) - len(rows)
    left_out = (
        f"{more:,} more that cost less are left out here; the JSON export has every one." if more else ""
    )
    yield Table(
        head,
        tuple(rows),
        "Nothing is recorded that held it up.",
        numeric=frozenset({0, 1, 6}),
        left_out=left_out,
    )


def _answers(review: m.Review, f: m.Friction) -> list[m.Answer]:
    return [a for a in review.answers if (a.question, a.about) == (f.kind, f.seq)]


def questions(page: Page) -> Iterator[Block]:
    """The questions of the review with what was answered, and the actions."""
    review = page.review
    asked = {(f.kind, f.seq) for f in review.friction}
    rows: list[Row] = []
    for key, question in QUESTIONS.items():
        own = [a for a in review.answers if a.question == key]
        rows += [(question, a.text, a.by, page.at(a.at)) for a in own]
        if not own:
            rows.append((question, "not answered yet", "", ""))
    rows += [
        (f"{CALLED.get(a.question, a.question)}, record {a.about}", a.text, a.by, page.at(a.at))
        for a in review.answers
        if a.question not in QUESTIONS and (a.question, a.about) not in asked
    ]
    yield Table(("question", "answer", "who", "when"), tuple(rows), "", title="The review's questions")
    yield _noted(page)
    yield _actions(page)


def _noted(page: Page) -> Table:
    rows, left_out = first(
        ((page.at(n.at), who(n), n.text, page.record(n.seq)) for n in page.review.notes), MOST, "notes"
    )
    head = ("when", "who", "note", "record")
    otherwise = "Nothing was noted while the release went on."
    return Table(head, rows, otherwise, title="Noted on the way", left_out=left_out, numeric=frozenset({3}))


def _actions(page: Page) -> Table:
    rows: list[Row] = [
        (
            a.number,
            a.text,
            a.owner,
            a.due,
            _became(page, a),
            f"{a.by}, {page.at(a.added_at)}",
            page.record(a.about),
        )
        for a in page.review.actions
    ]
    head = ("action", "what", "owner", "until", "state", "added by", "from record")
    otherwise = "No action was added. `cockpit actions add` adds one, with an owner and a day."
    return Table(head, tuple(rows), otherwise, title="Actions before the next release")


def _became(page: Page, action: m.Action) -> str | Cell:
    """What became of an action: by whom, when and why."""
    if not action.settled:
        return Cell("open", "warn")
    by = f" by {action.settled_by}" if action.settled_by else ""
    return f"{action.settled}{by}, {page.at(action.settled_at)}: {action.reason}"


def smooth(page: Page) -> Iterator[Block]:
    """What should stay as it is."""
    if page.review.smooth:
        yield Items(page.review.smooth)
    elif page.review.session.closed_at is None:
        yield Text("Nothing is praised of a release whose end isn't recorded.")
    else:
        yield Text("The log shows nothing that clearly did.")
