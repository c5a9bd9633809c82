"""The journal's words: what each event says, one line each."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol

from cockpit.core import events as e
from cockpit.core import people_journal
from cockpit.core.listing import some
from cockpit.core.people import holders, listed, person_of
from cockpit.core.people_journal import because as _because
from cockpit.core.people_journal import sure
from cockpit.core.plan import HERE, Plan
from cockpit.core.spans import rounded
from cockpit.core.vocabulary import ANNOTATIONS, TELEMETRY


class Intent(Protocol):
    """What an attempt set out to do: a StepIntended event, or the state's Attempt."""

    @property
    def step(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def direction(self) -> e.Direction: ...
    @property
    def n(self) -> int: ...


_SPELT = re.compile(r" (?:[<>]=? -?[0-9.]+|outside [-0-9.e+]+)(?: |$)")

Find = Callable[[str], Intent | None]
"""Finds the intent of an attempt by its id."""


def span(length: timedelta) -> str:
    """A length as a person says it: `0.3 s`, `41 s`, `6 min 12 s`, `10 min`, `1 h 5 min`."""
    seconds = length.total_seconds()
    if seconds < 10:
        return f"{f'{seconds:.1f}'.removesuffix('.0')} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    if not minutes:
        return f"{rest} s"
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def number(value: float | None, unit: str = "") -> str:
    """A reading as a person says it, rounded, with its unit; `no number` where there is none."""
    return "no number" if value is None else f"{rounded(value)}{' ' if unit else ''}{unit}"


def _as_entered(value: float, unit: str) -> str:
    """A number that somebody typed stays as they typed it."""
    return f"{value:g}{' ' if unit else ''}{unit}"


def say(event: e.Event, plan: Plan, find: Find) -> str:
    """The event in words, without its time and author; other moments in the zone of its own.

    `find` lets an outcome name its step.
    """
    match event:
        case e.StepFinished():
            return _finished(event, find(event.attempt))
        case e.StepFound():
            return f"{_named(event.attempt, find)}: reached again, it is running"
        case e.DoubtResolved():
            return f"says that {_named(event.attempt, find)} {event.finish}{_because(event.reason)}"
        case _:
            return SAYINGS[type(event)](event, plan)


def author(event: e.Event, plan: Plan) -> str:
    """Who answers for the event, by name; empty where it just happened."""
    by = getattr(event, "by", "")
    via = getattr(event, "via", "")
    at_screen = f" (at {plan.person_name(via)}'s screen)" if via and via != by else ""
    other = other_account(event, plan)
    return plan.person_name(by) + at_screen + (f" (account {other})" if other else "")


def other_account(event: e.Event, plan: Plan) -> str:
    """The account that a decision came from, where it isn't the one of whoever entered it; else empty.

    They said who they are, then: the plan doesn't know them by it.
    """
    if not isinstance(event, e.Decision) or not event.os_user:
        return ""
    return _only_said(plan, event.os_user, getattr(event, "via", "") or getattr(event, "by", ""))


def _only_said(plan: Plan, os_user: str, person: str) -> str:
    """The account, where the plan doesn't know the person by it; else empty."""
    return os_user if person_of(plan, os_user) != person else ""


def line(event: e.Event, plan: Plan, find: Find) -> str:
    """The event as one line of a journal: time (UTC), author where there is one, words."""
    who = author(event, plan)
    return f"{event.at:%H:%M:%S}  {f'{who}: ' if who else ''}{say(event, plan, find)}"


def _finished(event: e.StepFinished, intent: Intent | None) -> str:
    what = _named(event.attempt, lambda _: intent)
    proof = ", verified" if event.proven else ""
    told = {"record": ", as its record tells", "verify": ", as its verify tells"}.get(event.settled, "")
    code = "" if event.exit_code is None else f", exit code {event.exit_code}"
    lasted = span(timedelta(seconds=event.seconds))
    why = "" if event.detail == f"exit {event.exit_code}" else _because(event.detail)
    return f"{what}: {event.finish.replace('_', ' ')}{proof}{code}{told}, in {lasted}{why}"


def _named(attempt: str, find: Find) -> str:
    intent = find(attempt)
    return f"attempt {attempt}" if intent is None else _attempted(intent)


def _attempted(intent: Intent) -> str:
    what = "rollback of " if intent.direction == "back" else ""
    again = f", attempt {intent.n}" if intent.n > 1 else ""
    return f"{what}{intent.step} on {intent.target}{again}"


def on(target: str | None) -> str:
    """` on web-1` behind what a limit says of a target; empty where it is of none, or read on this machine."""
    return f" on {target}" if target not in (None, HERE) else ""


def _acted(what: str) -> Callable[[Any, Plan], str]:
    """What a limit made happen, or a person: the reason that names the limit needn't repeat it."""

    def said(event: e.RolloutPaused | e.RollbackStarted, plan: Plan) -> str:
        if not event.threshold:
            return f"{what}{_because(event.reason)}"
        if event.reason.startswith((f"{event.threshold}: ", f"{event.threshold} (now ")):
            return f"{what} on the limit {event.reason}"
        return f"{what} on the limit {event.threshold}{_because(event.reason)}"

    return said


def _unit(plan: Plan, signal: str) -> str:
    return next((s.unit for s in plan.signals if s.name == signal), "")


def _started(event: e.ReleaseStarted, plan: Plan) -> str:
    if not event.override:
        return "started the release"
    against = "; ".join(f.text for f in event.findings if not f.ok)
    return f"started the release although it was not ready ({against}): {event.override}"


def _taken_up(event: e.SessionResumed, plan: Plan) -> str:
    plan_file = f"; {event.plan_file}, this session goes by its own copy" if event.plan_file else ""
    over = f"; taken over: {event.reason}" if event.reason else ""
    return (
        f"took the session up again on {event.machine} with cockpit {event.cockpit_version}{plan_file}{over}"
    )


def _probed(event: e.TargetProbed, plan: Plan) -> str:
    if event.held_by:
        return f"{event.target} is held by {event.held_by}"
    running = f"; of an earlier session still run: {', '.join(event.running)}" if event.running else ""
    return f"{event.target} {'reached' if event.ok else 'not reached'}{_because(event.detail)}{running}"


def _released(event: e.TargetsReleased, plan: Plan) -> str:
    left = f"; not from {'; '.join(event.left)}" if event.left else ""
    return f"removed what this session had left on {some(event.released) or 'no target'}{left}"


def _resumed(event: e.RolloutResumed, plan: Plan) -> str:
    accepted = f", accepting {', '.join(event.accepted)}" if event.accepted else ""
    return f"resumed the rollout{accepted}{_because(event.reason)}"


def _verdict(event: e.VerdictChanged, plan: Plan) -> str:
    began = event.breaching_since.astimezone(event.at.tzinfo) if event.breaching_since else None
    since = f", beyond it since {began:%H:%M:%S %Z}" if began else ""
    value = number(event.value, unit_of(plan, event.threshold))
    return (
        f"limit {limit_of(event)}{on(event.target)}: {event.verdict}, {value} against {event.limit}"
        f"{since}{_because(event.detail)}"
    )


def _tripped(event: e.ThresholdTripped, plan: Plan) -> str:
    names = ", ".join(map(plan.person_name, holders(plan, event.escalate_to)))
    told = f", told {names}" if names else ""
    value = number(event.value, unit_of(plan, event.threshold))
    return (
        f"limit {limit_of(event)} tripped{on(event.target)}: {value} against {event.limit}; action {event.action}"
        f"{told}{_because(event.message)}"
    )


def _signal_read(event: e.SignalRead, plan: Plan) -> str:
    return f"signal {event.signal} {'is read' if event.ok else 'could not be read'}{_because(event.detail)}"


def _limit_changed(event: e.LimitChanged, plan: Plan) -> str:
    low_high = event.outside
    now = f"outside {low_high[0]:g}..{low_high[1]:g}" if low_high else f"{event.op} {event.limit or 0:g}"
    lasting = f" for {span(event.for_)}" if event.for_ else ""
    return f"changed the limit {event.threshold}: was {event.was}, now {now}{lasting}{_because(event.reason)}"


def _unexplained(event: e.UnexplainedReported, plan: Plan) -> str:
    return f"can't explain what is seen{_because(event.reason)}; to be explained within {span(event.within)}"


def _proposed(event: e.RollbackProposed, plan: Plan) -> str:
    who = ", ".join(plan.person_name(person) for person in event.to)
    return f"a rollback is proposed to {who}{_because(event.reason)}"


def _asked_back(event: e.RollbackAsked, plan: Plan) -> str:
    waits = f"; {listed(map(plan.person_name, event.to))} yet to agree" if event.to else ""
    return f"asked to roll back{_because(event.reason)}{waits}"


def _back(event: e.RollbackStarted, plan: Plan) -> str:
    """As any rollback; and why it didn't wait for those who had yet to agree."""
    said = _acted("started the rollback")(event, plan)
    if not event.override:
        return said
    lacks = dict.fromkeys(name for name in plan.rollback.approval if name not in (event.agreed or ()))
    names = (plan.person_name(name).replace("_", " ") for name in lacks)
    return f"{said}; without the agreement of {listed(names)}: {event.override}"


def _rehearsed(event: e.RehearsalFound, plan: Plan) -> str:
    if event.rehearsed_at is None:
        return f"no rehearsal of this plan{_because(event.detail)}"
    unproven = f"; never fired: {', '.join(event.unproven)}" if event.unproven else ""
    return f"this plan was rehearsed at {event.rehearsed_at:%Y-%m-%d %H:%M} UTC{unproven}"


def limit_of(event: e.VerdictChanged | e.ThresholdTripped) -> str:
    """The limit's id, which spells out what the plan has; and what it was then, where it had been moved."""
    moved = _SPELT.search(event.threshold) and f" {event.limit} " not in f"{event.threshold} "
    return f"{event.threshold} (now {event.limit})" if moved else event.threshold


def unit_of(plan: Plan, id_: str) -> str:
    """The unit of what a limit judges; none for the ratio of one that compares."""
    return next((_unit(plan, t.signal) for t in plan.thresholds if t.id == id_ and not t.compare), "")


def _back_done(event: e.RollbackFinished, plan: Plan) -> str:
    missing = f"; not proven: {'; '.join(event.unproven)}" if event.unproven else ""
    return f"rollback over: proven on {', '.join(event.proven) or 'no target'}{missing}"


def _attached(event: e.ScreenAttached, plan: Plan) -> str:
    who = plan.person_name(event.person) if event.person else f"{event.os_user}, whom the plan doesn't know,"
    other = event.person and _only_said(plan, event.os_user, event.person)
    account = f" (account {other})" if other else ""
    how = {"screen": "is here", "headless": "runs it headless", "watch": "follows it"}[event.kind]
    watching = "" if event.may_act or event.kind == "watch" else ", only watching"
    return f"{who}{account} {how}{watching} ({event.screen})"


def _noticed(event: e.NoticeSent, plan: Plan) -> str:
    if event.on in (TELEMETRY, ANNOTATIONS):
        return f"{event.on}, {event.line}: {event.detail}"
    sent = "sent" if event.ok else "could not be sent"
    return f"notice of {event.on.replace('_', ' ')} {sent}{_because(event.detail)}"


def _closed(event: e.SessionClosed, plan: Plan) -> str:
    open_ends = f", partial: {'; '.join(event.partial)}" if event.partial else ""
    why = f" ({event.reason})" if event.reason else ""
    return f"session closed: {event.outcome.replace('_', ' ')}{why}{open_ends}"


SAYINGS: dict[type[e.Event], Callable[[Any, Plan], str]] = {
    e.SessionOpened: lambda v, p: f"opened the session {v.session} on {v.machine} with {v.plan_path}",
    e.SessionResumed: _taken_up,
    e.ScreenAttached: _attached,
    e.ScreenDetached: lambda v, p: f"screen {v.screen} is gone{_because(v.why)}",
    e.LeftAlone: lambda v, p: "nobody is here to see what follows: nothing expands",
    e.SessionLeft: lambda v, p: f"left the session{_because(v.reason)}",
    e.SessionClosed: _closed,
    e.TargetsReleased: _released,
    e.DriverReplaced: lambda v, p: f"{v.detail}: nothing more starts from here",
    e.MachineSlept: lambda v, p: f"stood still for {span(v.slept)}: what was read before counts no more",
    e.TargetProbed: _probed,
    e.ReleaseStarted: _started,
    e.StagePromoted: lambda v, p: f"promoted {v.stage}{_because(v.reason)}",
    e.GateTimedOut: lambda v, p: f"nobody decided about {v.stage} within its gate's timeout",
    e.StageStarted: lambda v, p: f"stage {v.stage} began",
    e.WaveStarted: lambda v, p: f"wave {v.wave + 1} of {v.stage} began: {some(v.targets)}",
    e.StepIntended: lambda v, p: f"{_attempted(v)}: about to run{' by Ansible' if v.together else ''}",
    e.RetryAuthorised: lambda v, p: f"allowed {v.step} to run again on {v.target}{_because(v.reason)}",
    e.TargetExcluded: lambda v, p: f"excluded {v.target}{_because(v.reason)}",
    e.WaveFinished: lambda v, p: f"wave {v.wave + 1} of {v.stage} settled",
    e.BakeStarted: lambda v, p: f"{v.stage} bakes for {span(v.bake_time)} after wave {v.wave + 1}",
    e.BakeFinished: lambda v, p: f"{v.stage} stayed clean for its whole bake time",
    e.StageFinished: lambda v, p: f"stage {v.stage} done",
    e.RolloutPaused: _acted("paused the rollout"),
    e.RolloutResumed: _resumed,
    e.WindowClosed: lambda v, p: v.why or "the agreed window closed with the release unfinished",
    e.SignalRead: _signal_read,
    e.LimitChanged: _limit_changed,
    e.UnexplainedReported: _unexplained,
    e.ExplanationRecorded: lambda v, p: f"explained it: {v.reason}",
    e.RollbackProposed: _proposed,
    e.RollbackAsked: _asked_back,
    e.RollbackAgreed: lambda v, p: f"agreed to the rollback{sure(v.level)}{_because(v.reason)}",
    e.ProposalDeclined: lambda v, p: (
        f"declined the {'' if v.asked else 'proposed '}rollback{' that was asked for' * v.asked}: {v.reason}"
    ),
    e.EscalationAnswered: lambda v, p: (
        f"is here for {v.threshold}, {span(v.waited)} after the call{_because(v.reason)}"
    ),
    e.RehearsalFound: _rehearsed,
    e.VerdictChanged: _verdict,
    e.ThresholdTripped: _tripped,
    e.ChecklistSigned: lambda v, p: f"signed off {v.item}{sure(v.level)}{_because(v.note)}",
    **people_journal.SAYINGS,
    e.SignalEntered: lambda v, p: (
        f"entered {v.signal}: {_as_entered(v.value, _unit(p, v.signal))}{_because(v.note)}"
    ),
    e.NoteAdded: lambda v, p: f"noted: {v.text}",
    e.NoticeSent: _noticed,
    e.RollbackStarted: _back,
    e.RollbackFinished: _back_done,
    e.ReleaseAborted: lambda v, p: f"aborted the release, leaving it as it is{_because(v.reason)}",
}
"""The words for every event but those of an attempt, which need its intent."""
