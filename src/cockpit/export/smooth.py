"""What went smoothly: true sentences from the log, so that a review keeps what works."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice

from cockpit.core import events as e
from cockpit.core.journal import span
from cockpit.core.plan import HERE
from cockpit.export import model as m
from cockpit.export.people import Records
from cockpit.store.digest import Digest

MOST = 7
"""So many are said: what comes first matters most."""

PROMPT = timedelta(minutes=1)
"""Within this a gate is decided promptly, and who was called is there promptly."""

SLACK = timedelta(seconds=10)
"""A bake that took so much longer than planned still went as planned: ticks and readings come when they come."""

NOT_AT_ALL = timedelta(0)


def smooth(review: m.Review, records: Records, samples: Digest) -> tuple[str, ...]:
    """At most seven sentences about what went as it should; none for a release without a start or a close."""
    if review.session.started_at is None or review.session.closed_at is None:
        return ()
    return tuple(islice(_sentences(review, records, samples), MOST))


def _sentences(review: m.Review, records: Records, samples: Digest) -> Iterator[str]:
    every_reading = bool(review.curves) and not samples.fault and not samples.untold
    yield from _way_back(review)
    yield from _stages(review)
    yield from _attempts(review)
    if every_reading:
        yield from _limits(review)
    yield from _targets(review)
    yield from _people(review, records)
    yield from _checks(records)
    yield from _signoffs(review)
    if every_reading and not review.gaps:
        yield "Every signal was read throughout, without a gap."
    yield from _told(review)


def _way_back(review: m.Review) -> Iterator[str]:
    back = review.rollback
    if back is None or back.measured is None or not back.targets or not all(t.proven for t in back.targets):
        return
    where = _every(len(back.targets), "touched target")
    if back.expected is None:
        yield f"The rollback was proven on {where} after {span(back.measured)}."
    elif back.measured <= back.expected:
        yield f"The rollback was proven on {where} after {span(back.measured)}; {span(back.expected)} had been agreed."


def _stages(review: m.Review) -> Iterator[str]:
    pauses = [s for s in review.spans if s.kind == "pause"]
    calm = [s for s in review.stages if _calm(s, pauses)]
    if not calm:
        return
    baked = ", each baked in the time planned" if all(s.planned_bake for s in calm) else ""
    if len(calm) == len(review.stages):
        what = "The one stage finished" if len(calm) == 1 else f"All {len(calm)} stages finished"
        yield f"{what} without a pause{baked if len(calm) > 1 else baked.replace(', each', ',')}."
    elif len(calm) == 1:
        yield f"Stage {calm[0].name} finished without a pause{baked.replace(', each', ',')}."
    else:
        yield f"Stages {_listed([s.name for s in calm])} finished without a pause{baked}."


def _calm(stage: m.StageReview, pauses: Sequence[m.Span]) -> bool:
    """Whether the stage ran to its end, unpaused, and never had to bake anew."""
    begun, ended = stage.started_at, stage.finished_at
    if begun is None or ended is None or ended == begun:
        return False
    waves = len(stage.actual_waves)
    if abs((stage.actual_bake or NOT_AT_ALL) - stage.planned_bake * waves) > SLACK * waves:
        return False
    return not any(p.since < ended and (p.until is None or p.until > begun) for p in pauses)


def _attempts(review: m.Review) -> Iterator[str]:
    ran = review.attempts
    if ran and all(a.finish == "succeeded" and a.n == 1 and not a.was_in_doubt for a in ran):
        proof = ", each with its verify" if all(a.proven for a in ran) else ""
        many = "The one attempt" if len(ran) == 1 else f"Each of the {len(ran)} attempts"
        yield f"{many} succeeded the first time{proof if len(ran) > 1 else proof.replace('each ', '')}."


def _limits(review: m.Review) -> Iterator[str]:
    """Where neither a verdict nor a reading says otherwise; one that was just beyond a limit nearly acted."""
    judged = {v.threshold for v in review.verdicts}
    passed = {v.threshold for v in review.verdicts if v.verdict == "pass"}
    beyond = any(v.verdict == "breach" or v.breaching_since for v in review.verdicts)
    if judged and judged == passed and not (review.trips or review.near or beyond):
        yield "No reading was beyond a limit." if len(judged) > 1 else "No reading was beyond the limit."


def _targets(review: m.Review) -> Iterator[str]:
    there = [t for t in review.targets if t.target != HERE]
    if (
        there
        and review.outcome.state == "completed"
        and all(t.result == "updated" and t.proven for t in there)
    ):
        yield f"{_every(len(there), 'target').capitalize()} runs {review.release.version}, verified."


def _people(review: m.Review, records: Records) -> Iterator[str]:
    gates = [s for s in review.spans if s.kind == "gate"]
    said = {(x.stage, x.at) for _, x in records if isinstance(x, e.StagePromoted | e.StageRejected)}
    if gates and all(s.until and s.until - s.since <= PROMPT and (s.stage, s.until) in said for s in gates):
        decided = {s.stage for s in gates}
        yield f"{_every(len(decided), 'gate').capitalize()} was decided within a minute."
    yield from _called(records)
    if not review.overrides and all(f.kind != "override" for f in review.friction):
        yield "Nothing had to be overridden."


def _called(records: Records) -> Iterator[str]:
    """Whether every call was answered, and promptly."""
    unanswered: set[str] = set()
    waited: list[timedelta] = []
    for _, event in records:
        if isinstance(event, e.ThresholdTripped) and event.action == "escalate":
            unanswered.add(event.threshold)
        elif isinstance(event, e.EscalationAnswered):
            unanswered.discard(event.threshold)
            waited.append(event.waited)
    if waited and not unanswered and max(waited) <= PROMPT:
        yield f"Whoever a limit called was there within {span(max(waited))}."


def _checks(records: Records) -> Iterator[str]:
    checks = [event for _, event in records if isinstance(event, e.ItemChecked)]
    if checks and all(check.ok for check in checks):
        ran = _every(len({check.item for check in checks}), "check").capitalize()
        yield f"{ran} of the checklist that ran was healthy each time."


def _signoffs(review: m.Review) -> Iterator[str]:
    signed = [s for s in review.signoffs if s.signed_at is not None]
    if signed and len(signed) == len(review.signoffs) and all(_sure(s) for s in signed):
        yield f"{_every(len(signed), 'sign-off').capitalize()} came from its person's own account or key."


def _sure(signed: m.SignOff) -> bool:
    return signed.level in ("account", "key") and not signed.void


def _told(review: m.Review) -> Iterator[str]:
    if review.notices and all(n.ok for n in review.notices):
        yield f"{_every(len(review.notices), 'notice').capitalize()} was sent."


def _every(n: int, what: str) -> str:
    return f"the one {what}" if n == 1 else f"each of the {n} {what}s"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
