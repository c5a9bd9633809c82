"""What takes time of its own: a breach until something acts, doubt, calls, retries, slow steps, the way back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from cockpit.core import events as ev
from cockpit.core.attempt import Attempt
from cockpit.core.estimate import slow_after, usually
from cockpit.core.friction_pieces import NOISE, Cause, Moment, Piece, late, later
from cockpit.core.journal import span
from cockpit.core.listing import some
from cockpit.core.questions import FrictionKind
from cockpit.core.state import State

Key = tuple[FrictionKind, str]
"""What is open: of which kind, and a limit's or an attempt's id where there may be several."""

IN_VAIN = ("failed", "unreachable", "in_doubt", "rollback_failed")
"""How an attempt ended that is run again."""


class Spans:
    """What has come to its end, and what is still open."""

    def __init__(self) -> None:
        self._done: list[Piece] = []
        self._open: dict[Key, Piece] = {}
        self._counted: set[str] = set()
        self._entered: dict[str, datetime] = {}
        self._started: datetime | None = None
        self._back: Piece | None = None
        self._proof: Piece | None = None

    def take(self, m: Moment) -> None:
        """One more record."""
        match m.event:
            case ev.ReleaseStarted():
                self._started = m.at
            case ev.VerdictChanged():
                self._judged(m, m.event)
            case ev.ThresholdTripped():
                self._tripped(m, m.event)
            case ev.RolloutPaused() | ev.RollbackStarted() | ev.ReleaseAborted():
                self._stopped(m, m.event)
            case ev.LimitChanged() | ev.MachineSlept():
                self._blind()
            case ev.EscalationAnswered():
                self._end(m, "escalation", m.event.threshold)
            case ev.UnexplainedReported():
                said = f": {m.event.reason}" if m.event.reason else ""
                before = "What was seen stayed unexplained for"
                after = ": what would have told sooner what it was?"
                self._begin(m, "", Cause("unexplained", "what was seen", f"unexplained{said}", before, after))
            case ev.RollbackFinished():
                self._went_back(m, m.event)
            case ev.SignalEntered():
                self._number(m, m.event)
            case _:
                self._attempted(m)
        if m.after.unexplained is None:
            self._end(m, "unexplained", "")
        if m.after.closed is not None:
            self._blind()
            for kind, id_ in list(self._open):
                self._end(m, kind, id_)

    def breaches(self) -> list[Piece]:
        """The time from each breach to what it led to."""
        return [piece for piece in self._done if piece.cause.kind == "breach"]

    def pieces(self, at: datetime, state: State) -> list[Piece]:
        """All of it; what is open lasts until `at`."""
        still = [replace(piece, until=at) for (kind, _), piece in self._open.items() if kind != "breach"]
        found = [*self._done, *(piece for piece in still if piece.length >= NOISE)]
        found += self._overdue(at, state.plan.rollback.expected_time)
        return found if self._proof is None else [*found, self._proof]

    # Limits

    def _judged(self, m: Moment, event: ev.VerdictChanged) -> None:
        """A breach begins with the first reading beyond the limit; it is over where a reading isn't."""
        before, limit = m.before.verdicts.get(event.threshold), m.after.plan.threshold(event.threshold)
        if event.verdict != "breach" and event.breaching_since is None:
            self._open.pop(("breach", event.threshold), None)
        elif self._started is None or limit.observe_only:
            return
        elif before is None or (before.verdict != "breach" and before.breaching_since is None):
            name = limit.called
            told, begun = f"from a breach of {name} to what acted on it", f"{name} was exceeded for"
            cause = Cause("breach", limit.id, told, begun, " before anything acted: is that soon enough?")
            since = max(m.by_watch(event.breaching_since or event.at), self._started)
            self._open["breach", limit.id] = m.piece(cause, since)

    def _tripped(self, m: Moment, event: ev.ThresholdTripped) -> None:
        self._acted(m, event.threshold)
        if event.action == "escalate":
            name = m.after.plan.threshold(event.threshold).called
            told, before = (
                f"{name} called people",
                f"The call of {name} went without an answer for",
            )
            after = ": who else is called?"
            self._begin(m, event.threshold, Cause("escalation", event.threshold, told, before, after))

    def _stopped(self, m: Moment, event: ev.RolloutPaused | ev.RollbackStarted | ev.ReleaseAborted) -> None:
        """A person who stops a release is quicker than the limits that are on their way."""
        if event.by != ev.COCKPIT:
            for kind, id_ in list(self._open):
                if kind == "breach":
                    self._acted(m, id_)
        if isinstance(event, ev.RollbackStarted):
            cause = Cause("rollback", "the way back", "", "Going back took longer than agreed, by", "")
            self._back = m.piece(cause, m.at)

    def _acted(self, m: Moment, threshold: str) -> None:
        """Something followed from the breach: that is the record to look at."""
        begun = self._open.pop(("breach", threshold), None)
        if begun is not None and begun.since < m.at:  # however short: it tells how soon an alarm came
            self._done.append(replace(m.piece(begun.cause, begun.since), until=m.at))

    def _blind(self) -> None:
        """What was read counts no more."""
        self._open = {key: piece for key, piece in self._open.items() if key[0] != "breach"}

    # The way back

    def _went_back(self, m: Moment, event: ev.RollbackFinished) -> None:
        """The end of a rollback; there may be another one, where it stayed partial and was retried."""
        if self._back is not None:
            self._back = replace(self._back, until=m.at)
        self._proof = None
        if event.unproven:
            target = event.unproven[0].partition(":")[0]
            were = "were" if len(event.unproven) > 1 else "was"
            said = f"{some([target, *event.unproven[1:]], 1)} {were}n't proven to be back"
            told = f"not proven to be back: {some(event.unproven, 1)}"
            self._proof = m.piece(Cause("rollback", target, told, said, ": what would prove it?"), m.at)

    def _overdue(self, at: datetime, agreed: timedelta | None) -> Iterator[Piece]:
        """What a rollback took beyond the time that was agreed for it."""
        if self._back is None or agreed is None:
            return
        until = self._back.until if self._back.length else at
        begun = self._back.since
        if until - begun - agreed >= NOISE:
            told = f"going back took {span(until - begun)}, agreed were {span(agreed)}"
            cause = replace(self._back.cause, told=told, after=": what slowed it down?")
            yield replace(self._back, cause=cause, since=begun + agreed, until=until)

    # Attempts

    def _attempted(self, m: Moment) -> None:
        match m.event:
            case ev.StepFinished(attempt=id_, finish="in_doubt"):
                self._doubt(m, m.after.find(id_))
            case ev.StepFinished(attempt=id_):
                self._end(m, "doubt", id_)
                self._slow(m, m.event, m.after.find(id_))
            case ev.StepFound(attempt=id_) | ev.DoubtResolved(attempt=id_):
                self._end(m, "doubt", id_)
            case ev.RetryAuthorised():
                self._retried(m, m.event)
            case ev.SessionResumed():
                self._blind()
                self._down(m)
                for attempt in m.before.running():
                    self._doubt(m, attempt)
            case _:
                pass

    def _doubt(self, m: Moment, attempt: Attempt | None) -> None:
        if attempt is None:
            return
        said = f"{_named(attempt)} was in doubt on {attempt.target}"
        after = ": what would have told sooner what became of it?"
        self._begin(m, attempt.id, Cause("doubt", _subject(attempt), said, f"{said} for", after))

    def _retried(self, m: Moment, event: ev.RetryAuthorised) -> None:
        """What was in vain, each attempt once; a doubt about one ends with the word that it runs again."""
        for attempt in m.before.attempts.get(event.target, ()):
            if (attempt.stage, attempt.step) != (event.stage, event.step) or attempt.status not in IN_VAIN:
                continue
            self._end(m, "doubt", attempt.id)
            if attempt.id in self._counted:
                continue
            self._counted.add(attempt.id)
            told = f"{_named(attempt)} ran again on {attempt.target}"
            cost = "; what was in vain took" if attempt.seconds else ""
            cause = Cause("retry", _subject(attempt), told, f"{told}{cost}", ": what made it fail?")
            begun = m.by_watch(attempt.started_at)
            until = later(begun, timedelta(seconds=attempt.seconds))
            self._done.append(replace(m.piece(cause, begun), until=until))

    def _slow(self, m: Moment, event: ev.StepFinished, attempt: Attempt | None) -> None:
        """A step that succeeded, and took much longer than in earlier releases."""
        if attempt is None or event.finish != "succeeded":
            return
        usual = usually(m.after, attempt.step, attempt.direction)
        if usual is None or event.seconds <= slow_after(usual):
            return
        normally, took = timedelta(seconds=usual), timedelta(seconds=event.seconds)
        told = f"{_named(attempt)} took {span(took)} on {attempt.target}, usual are {span(normally)}"
        before = f"{_named(attempt)} took longer than its usual {span(normally)} on {attempt.target}, by"
        cause = Cause("slow_step", _subject(attempt), told, before, ": what was different?")
        begun = m.by_watch(attempt.started_at)
        self._done.append(replace(m.piece(cause, later(begun, normally)), until=later(begun, took)))

    # Numbers that people enter

    def _number(self, m: Moment, event: ev.SignalEntered) -> None:
        """One that came later than agreed: while the release ran, and behind one before it."""
        before, self._entered[event.signal] = self._entered.get(event.signal), m.at
        if before is None or self._started is None:
            return
        due = max(later(before, m.after.plan.signal(event.signal).interval), self._started)
        if m.at - due >= NOISE:
            told = f"“{event.signal}” came late by {span(m.at - due)}"
            self._done.append(m.piece(late(event.signal, told, f"“{event.signal}” came late"), m.at))

    # Beginnings and ends

    def _down(self, m: Moment) -> None:
        """Cockpit wasn't running since the record before: nobody could have answered, or explained anything."""
        for key, piece in self._open.items():
            if key[0] in ("escalation", "unexplained"):
                self._keep(replace(piece, until=m.since))
                self._open[key] = replace(piece, since=m.at, until=m.at)

    def _begin(self, m: Moment, id_: str, cause: Cause) -> None:
        self._open.setdefault((cause.kind, id_), m.piece(cause, m.at))

    def _end(self, m: Moment, kind: FrictionKind, id_: str) -> None:
        if (begun := self._open.pop((kind, id_), None)) is not None:
            self._keep(replace(begun, until=m.at))

    def _keep(self, piece: Piece) -> None:
        if piece.length >= NOISE:
            self._done.append(piece)


def _subject(attempt: Attempt) -> str:
    return f"rollback of {attempt.step}" if attempt.direction == "back" else attempt.step


def _named(attempt: Attempt) -> str:
    return f"{'the rollback of ' if attempt.direction == 'back' else ''}“{attempt.step}”"
