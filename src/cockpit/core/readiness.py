"""Ready or not: each line green, or the exact reason why customers would be the test group."""

from __future__ import annotations

from datetime import datetime, timedelta

from cockpit.core import attendance, checklist, people, window
from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.events import Finding
from cockpit.core.journal import span
from cockpit.core.plan import Plan, Threshold
from cockpit.core.state import State


def findings(state: State, at: datetime) -> tuple[Finding, ...]:
    """Every line of readiness at `at`, what stands in the way and what is in order alike."""
    plan = state.plan
    roles = ", ".join(f"{role.replace('_', ' ')} {plan.person_name(p)}" for role, p in plan.roles.held())
    found = [Finding("roles", True, roles), Finding("impact", True, plan.release.customer_impact)]
    objection = window.against(state, plan.stages[0], at)
    no_window = "no window agreed: any time"
    found.append(Finding("window", not objection, objection or ("open" if plan.window else no_window)))
    found += [_probe(state, target.id) for target in plan.targets]
    found += [_limit(state, t) for t in plan.thresholds if not t.observe_only]
    limited = {t.signal for t in plan.thresholds if not t.observe_only}
    found += [_signal(state, s.name) for s in plan.signals if s.name not in limited]
    if plan.rollback.rehearsed_within is not None:
        found.append(_rehearsal(state, plan.rollback.rehearsed_within, at))
    for item in plan.checklist:
        if item.before == "start":
            wanted = checklist.missing(state, item)
            text = f"{item.text}: {people.names(plan, wanted)} signs" if wanted else f"{item.text}: signed"
            found.append(Finding(f"checklist:{item.id}", not wanted, text))
    return tuple(found)


def report(state: State, c: cmd.ReportSignal | cmd.ReportRehearsal) -> list[ev.Event]:
    """What was found out, recorded where it is news."""
    if isinstance(c, cmd.ReportRehearsal):
        return [ev.RehearsalFound(c.at, c.rehearsed_at, c.unproven, c.rollback, c.detail)]
    known = state.signals.get(c.signal)
    if known is not None and (known.ok, known.detail) == (c.ok, c.detail):
        return []
    return [ev.SignalRead(c.at, c.signal, c.ok, c.detail)]


def blocking(state: State, at: datetime) -> tuple[Finding, ...]:
    """The findings that stand in the way of the start."""
    return tuple(f for f in findings(state, at) if not f.ok)


def for_people(plan: Plan, finding: Finding) -> bool:
    """Whether only people can settle it, and only once a session is open: a signature, or a number that they enter."""
    entered = {s.name for s in attendance.typed(plan)}
    numbers = {f"signal:{name}" for name in entered}
    numbers |= {f"limit:{t.id}" for t in plan.thresholds if t.signal in entered}
    return finding.key.startswith("checklist:") or finding.key in numbers


def pending(state: State, *, entered: bool = True) -> bool:
    """Whether a target, a judged limit or a signal has yet to give its first answer.

    `entered` False leaves out what people enter.
    """
    typed = () if entered else tuple(s.name for s in attendance.typed(state.plan))
    judged = (t.id for t in state.plan.thresholds if not t.observe_only and t.signal not in typed)
    return (
        any(t.id not in state.probes for t in state.plan.targets)
        or any(t not in state.verdicts for t in judged)
        or any(s.name not in state.signals for s in state.plan.signals if s.name not in typed)
    )


def _probe(state: State, target: str) -> Finding:
    probe = state.probes.get(target)
    key = f"target:{target}"
    if probe is None:
        return Finding(key, False, f"{target}: not reached yet")
    if probe.held_by:
        text = f'{target}: held by {probe.held_by}; to take it over, run with --take-over "REASON"'
        return Finding(key, False, text)
    if probe.running:
        return Finding(
            key, False, f"{target}: {', '.join(probe.running)} of an earlier session still runs there"
        )
    return Finding(key, probe.ok, f"{target}: {probe.detail or 'reachable'}")


def _signal(state: State, name: str) -> Finding:
    """A signal that no limit speaks for: it was read, or why not."""
    key, read = f"signal:{name}", state.signals.get(name)
    if read is None:
        return Finding(key, False, f"{name}: not read yet")
    return Finding(key, read.ok, f"{name}: {'read' if read.ok else read.detail}")


def _rehearsal(state: State, within: timedelta, at: datetime) -> Finding:
    """The plan was rehearsed lately enough, and every limit was seen to fire."""
    found, run = state.rehearsal, "run `cockpit rehearse` on this plan"
    if found is None or found.rehearsed_at is None:
        why = found.detail if found is not None and found.detail else "it was never rehearsed"
        return Finding("rehearsal", False, f"rehearsal: {why}: {run}")
    age = at - found.rehearsed_at
    if age > within:
        return Finding(
            "rehearsal", False, f"rehearsal: {_days(age)} old, agreed are {_days(within)} at most: {run}"
        )
    if found.unproven:
        unproven = ", ".join(found.unproven)
        return Finding(
            "rehearsal", False, f"rehearsal: {unproven} never fired in it: `cockpit rehearse` says why"
        )
    return Finding("rehearsal", True, f"rehearsed {found.rehearsed_at:%Y-%m-%d %H:%M} UTC: every limit fired")


def _days(length: timedelta) -> str:
    return f"{length.days} days" if length.days > 1 else span(length)


def _limit(state: State, threshold: Threshold) -> Finding:
    key = f"limit:{threshold.id}"
    verdict = state.verdicts.get(threshold.id)
    if verdict is None:
        read = state.signals.get(threshold.signal)
        why = read.detail if read is not None and not read.ok else "no reading yet"
        return Finding(key, False, f"{threshold.id}: {why}")
    value = "no data" if verdict.value is None else f"{verdict.value:g}"
    held = f"{value}, limit {threshold.limit_text}"
    if verdict.verdict == "pass":
        return Finding(key, True, f"{threshold.id}: {held}")
    why = verdict.detail or held
    if verdict.verdict == "breach":
        # A finding of its own: whoever took on a limit without readings saw no breach.
        key = f"breach:{threshold.id}"
    return Finding(key, False, f"{threshold.id}: {verdict.verdict} before the start ({why})")
