"""The outcome in one paragraph that somebody who wasn't there understands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cockpit.core.events import COCKPIT
from cockpit.core.journal import span
from cockpit.export.model import Decision, Review


def moment(at: datetime) -> str:
    """A moment as every format for people shows it, with its zone."""
    return f"{at:%Y-%m-%d %H:%M:%S %Z}"


def summarise(review: Review) -> str:
    """What went out, how that ended, what is unresolved, and where it was held up. Plain text, not yet escaped."""
    return " ".join(_sentences(review))


def _sentences(review: Review) -> Iterator[str]:
    release = review.release
    yield f"{release.name} ({release.service} {release.version}, {release.environment}) {_ending(review)}"
    if review.rollback:
        yield _way_back(review)
    if review.outcome.partial:
        yield f"It is partial: unresolved are {'; '.join(review.outcome.partial)}."
    elif review.outcome.state != "open" and (review.rollback is None or _all_proven(review)):
        yield "Nothing is recorded as unresolved."
    if review.session.started_at:
        yield _extent(review)
    yield from _held_up(review.decisions)
    if review.overrides:
        why = "; ".join(f"{o.by}: {o.reason or 'no reason given'}" for o in review.overrides)
        yield f"What stood in the way was overridden {_times(len(review.overrides))} ({why})."
    if review.outcome.state != "completed":
        yield f"Impact on customers as the plan puts it: {release.customer_impact}"


def _ending(review: Review) -> str:
    release, closed = review.release, review.session.closed_at
    when = f" on {moment(closed)}" if closed else ""
    match review.outcome.state:
        case "completed" if review.outcome.partial:
            return f"was closed as completed{when}, with matters unresolved."
        case "completed":
            return f"was completed{when}."
        case "rolled_back" if review.outcome.partial or not _all_proven(review):
            return f"was being rolled back to {release.previous_version} and was closed{when} before that was proven."
        case "rolled_back":
            return f"was rolled back to {release.previous_version}, proven on every touched target{when}."
        case "aborted":
            return f"was stopped{when} and left as it was then: neither completed nor rolled back."
        case _:
            last = review.timeline[-1].at
            return f"has no recorded end: the log stops at {moment(last)}, and nothing here says what came after."


def _all_proven(review: Review) -> bool:
    """Whether the log itself bears out the claim: every touched target ran its rollback and passed its verify."""
    return review.rollback is not None and all(target.proven for target in review.rollback.targets)


def _way_back(review: Review) -> str:
    back = review.rollback
    if back is None:
        return ""
    who = f"An agreed limit ({back.threshold})" if back.threshold else back.by
    proven = sum(target.proven for target in back.targets)
    took = f"after {span(back.measured)}" if back.measured is not None else "but did not end"
    agreed = f", {span(back.expected)} had been agreed" if back.expected is not None else ""
    return f"{who} started the rollback; {proven} of {len(back.targets)} touched targets were proven {took}{agreed}."


def _extent(review: Review) -> str:
    finished = sum(stage.state == "finished" for stage in review.stages)
    touched = {a.target for a in review.attempts if a.direction == "run" and a.finish != "unreachable"}
    starter = next((d.by for d in review.decisions if d.kind == "start"), "")
    until = review.session.closed_at or review.timeline[-1].at
    lasted = span(until - review.session.started_at) if review.session.started_at else ""
    targets = "1 target" if len(touched) == 1 else f"{len(touched)} targets"
    return f"{starter} started it; {finished} of {len(review.stages)} stages finished, {targets} touched, in {lasted}."


def _held_up(decisions: tuple[Decision, ...]) -> Iterator[str]:
    pauses = [d for d in decisions if d.kind == "pause"]
    if pauses:
        by_rule = sum(d.by == COCKPIT for d in pauses)
        yield f"It was paused {_times(len(pauses))}; an agreed rule did so {_times(by_rule)}."
    excluded = [d.subject for d in decisions if d.kind == "exclude"]
    if excluded:
        yield f"Excluded: {', '.join(excluded)}."


def _times(n: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(n, f"{n} times")
