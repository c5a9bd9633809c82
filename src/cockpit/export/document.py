"""The report that people read, free of any format: one document, which templates write as HTML or Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cockpit.export import document_course as course
from cockpit.export import document_records as records
from cockpit.export import document_story as story
from cockpit.export import model as m
from cockpit.export.clock import Clock
from cockpit.export.document_blocks import Block, Page, Section
from cockpit.store.recording import RUNNING

Make = Callable[[Page], Iterator[Block]]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SECTIONS: Mapping[str, tuple[str, Make]] = {
    "outcome": ("Outcome", story.outcome),
    "missing": ("What this report can't tell", story.missing),
    "picture": ("What happened", story.picture),
    "cost": ("What it cost", story.friction),
    "questions": ("Questions and actions", story.questions),
    "smooth": ("What went smoothly", story.smooth),
    "decisions": ("Decisions", course.decisions),
    "stages": ("Planned against actual", course.stages),
    "rollback": ("Rollback", course.rollback),
    "limits": ("Limits", course.limits),
    "overrides": ("Overrides", records.overrides),
    "sign-offs": ("Sign-offs", records.signoffs),
    "gaps": ("Data gaps", course.gaps),
    "targets": ("Targets", course.targets),
    "people": ("Who was here", records.attendance),
    "notices": ("Notices", records.notices),
    "release": ("Release", records.release),
    "attempts": ("Every attempt", records.attempts),
    "timeline": ("Timeline", records.timeline),
    "proof": ("Proof", records.proof),
}
"""The sections in the order that readers need them, by id: what comes last is for whoever checks the rest."""

FRAGMENT = ("outcome", "missing", "release", "timeline", "proof")
"""All that a report has where only the records can be read: what nobody knows isn't to be said not to have been."""


@dataclass(frozen=True, slots=True)
class Document:
    """A report. `state` is how the release ended, in a word or two; `facts` say which release it was."""

    title: str
    state: str
    facts: tuple[str, ...]
    sections: tuple[Section, ...]


def document(review: m.Review) -> Document:
    """The report of a review. Its texts are as they were recorded: whoever writes them out escapes them."""
    session = review.session
    page = Page(review, session.started_at or session.opened_at or EPOCH, records.shown(review))
    wanted = FRAGMENT if review.outcome.state == m.UNKNOWN else SECTIONS
    sections = (Section(id_, SECTIONS[id_][0], tuple(SECTIONS[id_][1](page))) for id_ in wanted)
    return Document(
        review.release.name,
        _state(review),
        tuple(_facts(review)),
        tuple(section for section in sections if section.blocks),
    )


def _state(review: m.Review) -> str:
    partial = ", partial" if review.outcome.partial else ""
    running = any(said.startswith(RUNNING) for said in review.missing)
    return {"open": "still running" if running else "no end recorded", m.UNKNOWN: "records only"}.get(
        review.outcome.state, review.outcome.state.replace("_", " ")
    ) + partial


def _when(clock: Clock, since: datetime, until: datetime | None) -> str:
    if until is None:
        return clock.full(since)
    first, last = clock.local(since), clock.local(until)
    if last.date() != first.date() or last.utcoffset() != first.utcoffset():
        return f"{clock.full(since)} to {clock.full(until)}"
    shape = "%H:%M" if until - since >= timedelta(minutes=10) else "%H:%M:%S"
    return f"{first:%Y-%m-%d {shape}} to {last:{shape} %Z}"


def _facts(review: m.Review) -> Iterator[str]:
    release, session = review.release, review.session
    yield f"{release.service} {release.previous_version} to {release.version}"
    yield release.environment
    if release.change_ref:
        yield release.change_ref
    if since := session.started_at or session.opened_at:
        yield _when(Clock(review.timezone), since, session.closed_at)
