"""The outcome in one paragraph that somebody who wasn't there understands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cockpit.core.events import COCKPIT
from cockpit.core.journal import span
from cockpit.export.clock import Clock
from cockpit.export.model import Review
from cockpit.store.recording import RUNNING

LOOSE_ENDS = ("failed", "in doubt", "open")
"""What a target isn't to be left as."""


_BY_RULE, _BY_HAND, _TAKEN_UP = "by an agreed rule", "by a person", "as the session was taken up again"


def summarise(review: Review) -> str:
    """What went out, how that ended, what is unresolved, and where it was held up. Plain text, not yet escaped."""
    return " ".join(_sentences(review))


def _sentences(review: Review) -> Iterator[str]:
    release = review.release
    yield f"{release.name} ({release.service} {release.version}, {release.environment}) {_ending(review)}"
    if review.rollback:
        yield _way_back(review)
    yield from _unresolved(review)
    if review.session.started_at:
        yield _extent(review)
    yield from _held_up(review)
    if review.overrides:
        why = "; ".join(f"{o.by}: {o.reason or 'no reason given'}" for o in review.overrides)
        yield f"What stood in the way was overridden {_times(len(review.overrides))} ({why})."
    if review.outcome.state != "completed":
        yield f"Impact on customers as the plan puts it: {release.customer_impact}"


def _unresolved(review: Review) -> Iterator[str]:
    state, targets = review.outcome.state, review.targets
    if review.outcome.partial:
        yield f"It is partial: unresolved are {'; '.join(review.outcome.partial)}."
    loose = any(target.result in LOOSE_ENDS for target in targets) and not review.outcome.partial
    if targets and (state == "aborted" or (state != "open" and loose)):
        counts = Counter(target.result for target in targets).most_common()
        told = ", ".join(f"{n} {result}" for result, n in counts)
        yield (
            f"Its {len(targets)} targets: {told}." if len(targets) > 1 else f"Its one target: {counts[0][0]}."
        )
    elif state in ("completed", "rolled_back") and not review.outcome.partial and _all_proven(review):
        yield "Nothing is recorded as unresolved."


def _ending(review: Review) -> str:
    release, closed, clock = review.release, review.session.closed_at, Clock(review.timezone)
    when = f" on {clock.full(closed)}" if closed else ""
    match review.outcome.state:
        case "completed" if review.outcome.partial:
            return f"was closed as completed{when}, with matters unresolved."
        case "completed":
            return f"was completed{when}."
        case "rolled_back" if review.rollback is None or review.outcome.partial or not _all_proven(review):
            return f"was being rolled back to {release.previous_version} and was closed{when} before that was proven."
        case "rolled_back":
            return f"was rolled back to {release.previous_version}, proven on every touched target{when}."
        case "aborted":
            return f"was stopped{when} and left as it was then: neither completed nor rolled back."
        case _ if any(said.startswith(RUNNING) for said in review.missing):
            return (
                f"is still running: this tells how far it had come at {clock.full(review.timeline[-1].at)}."
            )
        case _:
            last = review.timeline[-1].at
            return f"has no recorded end: the log stops at {clock.full(last)}, and nothing here says what came after."


def _all_proven(review: Review) -> bool:
    """Whether, where it was rolled back, every touched target ran its rollback and passed its verify."""
    return review.rollback is None or all(target.proven for target in review.rollback.targets)


def _way_back(review: Review) -> str:
    back = review.rollback
    if back is None:
        return ""
    who = f"An agreed limit ({back.threshold})" if back.threshold else back.by
    proven = sum(target.proven for target in back.targets)
    took = f"after {span(back.measured)}" if back.measured is not None else "but did not end"
    agreed = f", {span(back.expected)} had been agreed" if back.expected is not None else ""
    all_of = f"{proven} of {len(back.targets)} touched targets were"
    alone = f"the one touched target was {'' if proven else 'not '}"
    which = all_of if len(back.targets) != 1 else alone.rstrip()
    return f"{who} started the rollback; {which} proven {took}{agreed}."


def _extent(review: Review) -> str:
    finished = sum(stage.state == "finished" for stage in review.stages)
    touched = {a.target for a in review.attempts if a.direction == "run" and a.touched}
    starter = next((d.by for d in review.decisions if d.kind == "start"), "")
    until = review.session.closed_at or review.timeline[-1].at
    started = review.session.started_at
    forth = started is not None and started <= until  # somebody may have set the clock back
    lasted = f", in {span(until - started)}" if forth and started else ""
    targets = "1 target" if len(touched) == 1 else f"{len(touched)} targets"
    return f"{starter} started it; {finished} of {len(review.stages)} stages finished, {targets} touched{lasted}."


def _held_up(review: Review) -> Iterator[str]:
    pauses = [s for s in review.spans if s.kind == "pause"]
    if pauses:
        by = Counter(_BY_RULE if s.by == COCKPIT else _BY_HAND if s.by else _TAKEN_UP for s in pauses)
        told = [f"{_times(n)} {how}" for how, n in by.items()] if len(by) > 1 else list(by)
        yield f"It was paused {_times(len(pauses))}{':' if len(by) > 1 else ','} {', '.join(told)}."
    excluded = [d.subject for d in review.decisions if d.kind == "exclude"]
    if excluded:
        yield f"Excluded: {', '.join(excluded)}."


def _times(n: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(n, f"{n} times")
