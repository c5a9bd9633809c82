"""What the release waits for, and whose move it is: one sentence for every state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cockpit.core import (
    attendance,
    checklist,
    consent,
    gates,
    people,
    readiness,
    remaining,
    roles,
    rollback,
    rollout,
    unclean,
)
from cockpit.core import events as ev
from cockpit.core.ending import ending
from cockpit.core.events import Finding
from cockpit.core.journal import on
from cockpit.core.plan import ChecklistItem, Signal, Stage
from cockpit.core.spans import clock, roughly
from cockpit.core.state import State, breached, clean

ANYONE = "anyone"
"""In Move.who: whoever is here may make it."""


@dataclass(frozen=True, slots=True)
class Move:
    """One sentence, and whose move it is: person ids, or ANYONE; nobody's while it goes on by itself.

    `brief`: the same beside a question that says itself what it is about; empty where it can't be told more briefly.
    """

    says: str
    who: tuple[str, ...] = ()
    brief: str = ""


@dataclass(frozen=True, slots=True)
class _Moment:
    """A state at a moment, told to `me`, who is called "you"."""

    state: State
    at: datetime
    me: str

    def names(self, who: Sequence[str]) -> str:
        """`you or Lee Chen`."""
        mine_first = sorted(who, key=lambda person: person != self.me)
        called = ["you" if p == self.me else self.state.plan.person_name(p) for p in mine_first]
        *others, last = called or ["nobody"]
        return f"{', '.join(others)} or {last}" if others else last

    def do(self, who: Sequence[str], verb: str) -> str:
        """`Dana Ruiz decides`, `you or Lee Chen decide`."""
        return f"{self.names(who)} {verb}{'' if self.me and self.me in who else 's'}"


def move(state: State, at: datetime, missing: Sequence[Finding], me: str = "") -> Move:
    """What the release waits for at `at`, told to person `me`. `missing` is what stands in the way of its start."""
    now = _Moment(state, at, me)
    if state.closed is not None:
        return Move(ending(state))
    if state.replaced is not None:
        return Move(f"{state.replaced.detail}: nothing more starts from here, and nobody here is needed")
    if state.aborted is not None:
        steps = f"{len(state.running())} running step{'s' * (len(state.running()) != 1)}"
        return Move(f"aborted: waiting for {steps} to stop; nobody is needed")
    if state.rollback is not None:
        return _going_back(now)
    if state.started is None:
        return _before(now, missing)
    if state.back_asked is not None:
        return Move(*consent.sentence(state, me))
    if state.proposed is not None:
        who = people.stoppers(state.plan)
        mine = "roll back, or say" if me in who else "rolls back, or says"
        return Move(f"{now.names(who)} {mine} why not: {state.proposed.reason}", who)
    if state.paused is not None:
        return _paused(now)
    stage = rollout.current_stage(state)
    if stage is not None and (gone := roles.holds(state)):
        return Move(f"{gone}: nothing expands until they are back, or somebody takes the role", (ANYONE,))
    if stage is None:
        return _before_the_close(now)
    if state.phase == "waiting":
        return _entering(now, stage)
    if state.phase == "baking":
        return _baking(now, stage)
    return _running(now, stage)


# Before the start


def _before(now: _Moment, missing: Sequence[Finding]) -> Move:
    """What is missing: first what waits for `me`, then for others, then what is wrong, then what isn't known yet."""
    state, owners = now.state, people.promoters(now.state.plan)
    if not missing:
        return Move(f"{now.do(owners, 'start')} the release", owners)
    awaited = [f for f in missing if readiness.awaited(state, f)]
    asked = [(f, who) for f in missing if (who := _asked(state, f))]
    more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
    if mine := [(f, who) for f, who in asked if now.me and now.me in who] or asked:
        finding, who = mine[0]
        return Move(f"{_wants(now, finding, who)}{more}", who)
    wrong = [f for f in missing if f not in awaited]
    if not wrong:
        return Move(f"{missing[0].text}{more}; nobody is needed while it is looked at")
    owner = (state.plan.roles.decision_owner,)
    return Move(f"{wrong[0].text}{more}; put it right, or {now.do(owner, 'start')} with a reason", owners)


def _asked(state: State, finding: Finding) -> tuple[str, ...]:
    """Who has to do something about it: accept a role, sign an item, enter a number; or nobody in particular."""
    kind, _, about = finding.key.partition(":")
    if not readiness.for_people(state.plan, finding):
        return ()
    if kind == "checklist":
        return tuple(
            p for p in checklist.missing(state, state.plan.item(about)) if people.known(state.plan, p)
        )
    if kind == "role":
        return (state.plan.roles.holder(about) or "",)
    if kind == "left":
        return (ANYONE,)
    return _readers(state, readiness.signal_of(state.plan, finding))


def _readers(state: State, signal: Signal) -> tuple[str, ...]:
    return (attendance.reader(state.plan, signal) or ANYONE,)


def _wants(now: _Moment, finding: Finding, who: tuple[str, ...]) -> str:
    kind, _, about = finding.key.partition(":")
    if kind == "checklist":
        signer = (now.me,) if now.me in who else who[:1]
        return f"{now.do(signer, 'sign')} “{now.state.plan.item(about).text}”"
    if kind == "role":
        return f"{now.do(who, 'accept')} {roles.called(about)}"
    if kind == "left":
        return f"{finding.text}: they come back, or somebody takes the role"
    return _enters(now, readiness.signal_of(now.state.plan, finding))


def _enters(now: _Moment, signal: Signal) -> str:
    who = _readers(now.state, signal)
    return f"{'anyone enters' if ANYONE in who else now.do(who, 'enter')} {signal.name}"


# Held


def _paused(now: _Moment) -> Move:
    state = now.state
    owner = (state.plan.roles.decision_owner,)
    promoters, stoppers = people.promoters(state.plan), people.stoppers(state.plan)
    either = tuple(dict.fromkeys((*promoters, *stoppers)))
    if stuck := rollout.stuck(state):
        return _stuck(now, stuck)
    match state.paused:
        case ev.RolloutPaused() if over := breached(state):
            can = _exceeded(now, owner, stoppers)
            return Move(f"{can}: {_which(state, over)}", either, can)
        case ev.RolloutPaused(by=by) if by != ev.COCKPIT and (no := state.back_declined) is not None:
            said = f"{now.names((no.by,))} declined to roll back: {no.reason}"
            return Move(f"{said}; anyone may resume", (ANYONE,))
        case ev.RolloutPaused(by=by, reason=reason):
            who = "" if by == ev.COCKPIT else f" by {state.plan.person_name(by)}"
            return Move(f"paused{who}{f': {reason}' if reason else ''}; anyone may resume", (ANYONE,))
        case ev.GateTimedOut(stage=stage):
            return Move(
                f"nobody decided on {stage} in time: anyone resumes, then {now.do(_deciders(now), 'decide')}; "
                f"or {now.do(stoppers, 'roll')} back",
                tuple(dict.fromkeys((*_deciders(now), *stoppers))),
            )
        case ev.LeftAlone():
            return Move(
                f"nobody was here to see what follows: look, then {now.do(owner, 'resume')}, or roll back",
                either,
            )
        case ev.StageRejected(stage=stage, by=by, reason=reason):
            who = now.names((by,))
            return Move(
                f"{who} rejected “{stage}”: {reason}; roll back, or {now.do(owner, 'resume')} with a reason",
                either,
            )
        case ev.WindowClosed(why=why):
            shut = why or "the window is over"
            return Move(f"{shut}: roll back, or {now.do(owner, 'resume')} with a reason", either)
        case _:
            if clean(state):
                return Move("taken up again: look, then anyone resumes, or roll back", (ANYONE,))
            return Move(
                f"taken up again: look, then {now.do(owner, 'resume')} with a reason, or roll back", either
            )


def _exceeded(now: _Moment, owner: tuple[str, ...], stoppers: tuple[str, ...]) -> str:
    """Who decides about a limit that is exceeded, and what they can do."""
    if now.me and now.me in stoppers and now.me not in owner:
        return f"roll back, keep waiting, or {now.do(owner, 'accept')} it"
    return f"{now.do(owner, 'decide')}: roll back, keep waiting, or accept it"


def _which(state: State, over: Sequence[str]) -> str:
    """`errors > 2 is exceeded on web-5`."""
    more = f" (and {len(over) - 1} more)" if len(over) > 1 else ""
    where = on(state.verdicts[over[0]].target)
    return f"{state.plan.threshold(over[0]).called} is exceeded{where}{more}"


def _stuck(now: _Moment, reason: str) -> Move:
    """Targets in trouble: being reached again, or for somebody to mend."""
    state, who = now.state, people.menders(now.state.plan)
    trouble = [p.attempt for _, p in rollout.troubled(state)]
    if state.unsettled() and all(a is None or a.unsettled for a in trouble):
        return Move(f"{reason}; reaching it again, nobody is needed yet")
    mend = "say what became of it, exclude it" if rollout.in_doubt(state) else "retry, exclude"
    return Move(f"{reason}: {mend}, or roll back ({now.names(who)})", who)


def _deciders(now: _Moment) -> tuple[str, ...]:
    stage = rollout.current_stage(now.state)
    return gates.deciders(now.state, stage) if stage is not None else people.promoters(now.state.plan)


# Going forward


def _before_the_close(now: _Moment) -> Move:
    state = now.state
    if doubt := rollout.in_doubt(state):
        what = f"everything else is out; {doubt[0].step} on {doubt[0].target} is in doubt"
        who = people.menders(state.plan)
        said = f"{what}: say what became of it ({now.names(who)})"
        if all(a.unsettled for a in doubt):
            return Move(f"{said}, or wait: it is being reached again")
        return Move(said, who)
    if state.unexplained is not None:
        return Move(
            "everything is out; what nobody has explained yet holds the close: anyone may explain it",
            (ANYONE,),
        )
    holding = checklist.holding(state, "close")
    if not holding:
        return Move("everything is out; it closes by itself")
    item = holding[0]
    more = f" (and {len(holding) - 1} more)" if len(holding) > 1 else ""
    who, wants = _item(now, item)
    return Move(f"everything is out; before the close {wants}{more}", who)


def _item(now: _Moment, item: ChecklistItem) -> tuple[tuple[str, ...], str]:
    """Whose move an open item is, and what they do."""
    signs = checklist.missing(now.state, item)[:1]
    if against := checklist.unhealthy(now.state, item):
        owners = checklist.signers(now.state, item)[:1]
        return owners, f"{now.do(owners, 'see')} to “{item.text}”: {against}"
    return signs, f"{now.do(signs, 'sign')} “{item.text}”"


def _entering(now: _Moment, stage: Stage) -> Move:
    state, deciders = now.state, _deciders(now)
    if holding := checklist.holding(state, f"stage:{stage.name}"):
        item = holding[0]
        more = f" (and {len(holding) - 1} more)" if len(holding) > 1 else ""
        if against := checklist.unhealthy(state, item):
            owners = checklist.signers(state, item)[:1]
            said = (
                f"“{item.text}”{more}: {against}; it holds “{stage.name}” until {now.do(owners, 'see')} to it"
            )
            return Move(said, owners)
        signs, wants = _item(now, item)
        return Move(f"{wants}{more}; then {now.do(deciders, 'decide')} on “{stage.name}”", signs)
    if not clean(state):
        return _held(now, f"“{stage.name}”")
    if step := people.no_return(state.plan, stage):
        return Move(
            f"{now.do(deciders, 'decide')} on “{stage.name}”, a point of no return: {step.id} can't be undone",
            deciders,
        )
    question = f": {stage.gate.instructions}" if stage.gate and stage.gate.instructions else ""
    so_far = ""
    if stage.gate is not None and stage.gate.needs > 1:
        so_far = f" ({len(gates.approved(state, stage.gate))} of {stage.gate.needs} have said yes)"
    brief = f"{now.do(deciders, 'decide')} on “{stage.name}”{so_far}"
    return Move(f"{brief}{question}", deciders, brief)


def _baking(now: _Moment, stage: Stage) -> Move:
    state, bake = now.state, now.state.bake
    done = timedelta(seconds=int(bake.done(now.at).total_seconds())) if bake is not None else timedelta(0)
    left = bake.bake_time - done if bake is not None else timedelta(0)
    if not clean(state):
        return _held(now, f"the bake of “{stage.name}”")
    after = f"wave {state.wave + 2} of “{stage.name}” by itself"
    if state.wave + 1 == len(state.slices[state.stage]):
        after = "the close"
        for following in state.plan.stages[state.stage + 1 : state.stage + 2]:
            after = f"{now.do(gates.deciders(state, following), 'decide')} on “{following.name}”"
            if _by_itself(state, following):
                after = f"“{following.name}” by itself"
    return Move(f"the bake of “{stage.name}” ends in {clock(left)} if signals stay clean; then {after}")


def _by_itself(state: State, stage: Stage) -> bool:
    """Whether the stage promotes itself once everything is clean."""
    flagged = state.opened is not None and state.opened.promote_when_clean
    return flagged and stage.gate is None and people.no_return(state.plan, stage) is None


def _held(now: _Moment, what: str) -> Move:
    """What isn't clean holds `what`: the unexplained and a late number for people, a limit until it passes again."""
    state = now.state
    if state.unexplained is not None:
        return Move(f"what nobody has explained yet holds {what}: anyone may explain it", (ANYONE,))
    if late := unclean.late(state):
        return Move(f"{_enters(now, late)}; until then {what} is held", _readers(state, late))
    held = f"{unclean.why(state)} holds {what}; it goes on by itself once that passes"
    return Move(held + unclean.otherwise(state, now.at))


def _running(now: _Moment, stage: Stage) -> Move:
    state, waves = now.state, now.state.slices[now.state.stage]
    wave = waves[state.wave]
    standing = [rollout.progress(state, stage, wave, t) for t in wave.targets]
    done = sum(1 for p in standing if p.status == "succeeded")
    of = f", wave {state.wave + 1} of {len(waves)}" if len(waves) > 1 else ""
    said = f"“{stage.name}”{of}: {done} of {len(standing)} done"
    if state.unexplained is not None:
        return Move(f"{said}; nothing expands: what is seen is unexplained, anyone may explain it", (ANYONE,))
    return Move(f"{said}{_to_go(now, remaining.wave_left(state, now.at))}; nobody is needed")


def _to_go(now: _Moment, left: remaining.Left | None) -> str:
    """`, ~40 s to go`, or what everything waits for where that takes longer than it should."""
    if slow := remaining.all_slow(now.state, now.at):
        attempt, ran = slow
        usual = "usually" if ran.source == "usual" else "others took"
        takes = clock(ran.takes) if ran.takes is not None else ""
        return f"; {attempt.step} on {attempt.target} takes long: {clock(ran.ran)}, {usual} {takes}"
    return f", {roughly(left.expected)} to go" if left is not None else ""


# Going back, and the end


def _going_back(now: _Moment) -> Move:
    state = now.state
    stoppers = people.stoppers(state.plan)
    if state.paused is not None:
        return Move(
            f"taken up again in the middle of a rollback: look, then {now.do(stoppers, 'resume')} it",
            stoppers,
        )
    every = [b for wave in rollback.way_back(state, now.at) for b in wave]
    proven = sum(1 for b in every if b.status == "proven")
    if state.rollback_result is not None and state.rollback_result.unproven:
        who = people.menders(state.plan)
        said = f"partial: {state.rollback_result.unproven[0]}; retry it, or close as it is ({now.names(who)})"
        return Move(said, who)
    waiting = [b for b in every if b.why and b.status in ("waiting", "running")]
    if waiting and not any(b.status in ("running", "pending") and not b.why for b in every):
        return Move(f"rolling back: waits for {waiting[0].target}: {waiting[0].why}; {_until(now)}")
    to_go = _to_go(now, remaining.back_left(state, now.at))
    return Move(f"rolling back, last wave first: proven {proven} of {len(every)}{to_go}; nobody is needed")


def _until(now: _Moment) -> str:
    """By when what is out of sight can't be at work any more, and the way back goes on."""
    ends = [rollback.over_by(a) for a in now.state.unsettled() if rollback.may_still_run(a, now.at)]
    at_last = f" in {clock(max(ends) - now.at)} at the latest" if ends else ""
    return f"it goes on by itself{at_last}"
