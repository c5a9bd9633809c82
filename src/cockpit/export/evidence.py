"""What a review has beside its story: samples, targets, friction, answers, actions, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from cockpit.core import events as e
from cockpit.core.friction import measured
from cockpit.core.journal import span
from cockpit.core.plan import Plan
from cockpit.core.questions import QUESTIONS
from cockpit.core.state import State, initial
from cockpit.export import gaps, signals
from cockpit.export import model as m
from cockpit.export.clock import Clock
from cockpit.export.people import Records
from cockpit.export.smooth import smooth
from cockpit.export.targets import folded, targets
from cockpit.steps import commands
from cockpit.store.digest import Digest, digest
from cockpit.store.recording import Recording

SET_BACK = timedelta(seconds=1)
MOST_SET_BACK = 5


def samples_of(recording: Recording, plan: Plan) -> Digest:
    """What the samples of a recording come to, as far as a review asks."""
    records = recording.events
    ran, judged = signals.ran(records), signals.judged(records)
    return digest(recording, signals.asked(plan, records), signals.session(records), ran, judged)


def with_evidence(made: m.Review, records: Records, plan: Plan, samples: Digest | None) -> m.Review:
    """The review with all that its records and samples bear out; `samples` None: they weren't looked at."""
    state, fitting, odd = folded(records, plan)
    known = samples or Digest()
    found = gaps.gaps(known, plan, signals.asked(plan, records), records)
    shown = gaps.told(found, records[-1][1].at)
    told = signals.missing(samples, plan, records) if samples is not None else ()
    lacks = (*made.missing, *_set_back(records), *odd)
    whole = replace(
        made,
        missing=(*lacks, *_missing(state), *told, *gaps.missing(found, shown)),
        friction=measured(fitting, initial(plan, commands)),
        answers=tuple(_answers(state, plan)),
        actions=tuple(_actions(records, plan)),
        targets=tuple(targets(state, fitting)),
        near=tuple(signals.near(known, plan, records)),
        gaps=shown,
        curves=signals.curves(known, plan, records, Clock(made.timezone)),
    )
    # Of a log that isn't all there, or whose clock can't be trusted, nothing is praised.
    return whole if lacks else replace(whole, smooth=smooth(whole, records, known))


def _set_back(records: Records) -> Iterator[str]:
    """That the clock went back on the way, by more than one does that is kept right."""
    steps = [(seq, before.at - event.at) for (_, before), (seq, event) in pairwise(records)]
    back = [(seq, by) for seq, by in steps if by >= SET_BACK]
    for seq, by in back[:MOST_SET_BACK]:
        yield f"The clock went back by {span(by)} at record {seq}: what lasted beyond it is told too short."
    if len(back) > MOST_SET_BACK:
        yield f"It went back {len(back) - MOST_SET_BACK} times more."


def _missing(state: State) -> Iterator[str]:
    """What a session that never came to its end doesn't tell."""
    if state.started is None:
        yield "The release was never started: nothing is told of what would have come of it."
    if state.closed is None and state.left:  # else the outcome says all that there is to say of it
        yield f"The session was left by {state.plan.person_name(state.left.by)}, and has no recorded close."


def _answers(state: State, plan: Plan) -> Iterator[m.Answer]:
    """The answers that stand, question by question, those about friction by the record they are about."""
    place = {question: n for n, question in enumerate(QUESTIONS)}
    given = sorted(state.answers.values(), key=lambda a: (place.get(a.question, len(place)), a.about, a.at))
    for answer in given:
        yield m.Answer(answer.question, answer.about, answer.at, plan.person_name(answer.by), answer.text)


def _actions(records: Records, plan: Plan) -> Iterator[m.Action]:
    """What was asked for, in order, and what became of it."""
    settled = {event.action: event for _, event in records if isinstance(event, e.ActionSettled)}
    for _, event in records:
        if isinstance(event, e.ActionAdded):
            end = settled.get(event.action)
            yield m.Action(
                event.action,
                event.text,
                plan.person_name(event.owner),
                event.due,
                event.about,
                event.at,
                plan.person_name(event.by),
                end.how if end else "",
                end.at if end else None,
                end.reason if end else "",
                plan.person_name(end.by) if end else "",
            )
