"""What wasn't as agreed, and took no time: limits moved, objections taken on, roles that changed hands."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.core import events as ev
from cockpit.core import limits, window
from cockpit.core.friction_pieces import Cause, Moment, Piece
from cockpit.core.roles import called


def marks(m: Moment) -> Iterator[Piece]:
    """What the record says of that."""
    for cause in _causes(m):
        yield m.piece(cause, m.at)


def _causes(m: Moment) -> Iterator[Cause]:
    event = m.event
    match event:
        case ev.LimitChanged(threshold=id_):
            told = f"{id_} was {event.was}, became {limits.text(m.after.plan.threshold(id_))}"
            asks = ": what should the plan say next time?"
            yield Cause("limit", id_, told, f"{id_} was changed on the way", asks)
        case ev.RoleAccepted(was=was, by=by) if was not in ("", by):
            yield _handover(event.role, f"{called(event.role)} was handed over")
        case ev.RoleTaken():
            yield _handover(event.role, f"{called(event.role)} was taken over")
        case ev.TargetExcluded(target=target):
            yield _override(target, f"{target} was left out", "what would have brought it along?")
        case ev.RollbackStarted(override=str(reason)) if reason:
            told = "went back without an agreement that the plan asks for"
            yield _override("the way back", told, "who else may agree to it?")
        case ev.ProposalDeclined(asked=False):
            told = "went on although a rollback was proposed"
            yield _override("the proposed rollback", told, "was the proposal too early?")
        case ev.StagePromoted(by=by) if by != ev.COCKPIT:
            yield from _promoted(m, event)
        case ev.ReleaseStarted(override=str(reason)) if reason:
            against = [f.key.replace(":", " ", 1).replace("_", " ") for f in event.findings if not f.ok]
            told = f"started although not ready: {', '.join(against[:3])}{' …' * (len(against) > 3)}"
            yield _override("the start", told, "what would have made it ready in time?")
        case ev.RolloutResumed():
            yield from _went_on(m, event)
        case _:
            pass


def _promoted(m: Moment, event: ev.StagePromoted) -> Iterator[Cause]:
    for stage in m.before.plan.stages:
        if stage.name == event.stage and (objection := window.against(m.before, stage, event.at)):
            told = f"“{stage.name}” was let begin although {objection}"
            yield _override(stage.name, told, "should the plan leave more room?")


def _went_on(m: Moment, event: ev.RolloutResumed) -> Iterator[Cause]:
    for id_ in event.accepted:
        yield _override(id_, f"went on although {id_} was exceeded", "is the limit the right one?")
    match m.before.paused:
        case ev.WindowClosed(why=why):
            told = f"went on in spite of {'a freeze' if why else 'the end of the window'}"
            yield _override("window", told, "should the plan leave more room?")
        case ev.StageRejected(stage=stage):
            yield _override(f"no to {stage}", f"went on after a no to “{stage}”", "was the question clear?")
        case _:
            pass


def _override(subject: str, told: str, asks: str) -> Cause:
    return Cause("override", subject, told, f"{told[:1].upper()}{told[1:]}", f": {asks}")


def _handover(role: str, told: str) -> Cause:
    said = f"The {told} during the release"
    return Cause("handover", called(role), told, said, ": should the plan say to whom, and when?")
