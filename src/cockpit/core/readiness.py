"""Ready or not: each line green, or the exact reason why customers would be the test group."""

from __future__ import annotations

from datetime import datetime

from cockpit.core import checklist, people, window
from cockpit.core.events import Finding
from cockpit.core.plan import Threshold
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
    for item in plan.checklist:
        if item.before == "start":
            wanted = checklist.missing(state, item)
            text = f"{item.text}: {people.names(plan, wanted)} signs" if wanted else f"{item.text}: signed"
            found.append(Finding(f"checklist:{item.id}", not wanted, text))
    return tuple(found)


def blocking(state: State, at: datetime) -> tuple[Finding, ...]:
    """The findings that stand in the way of the start."""
    return tuple(f for f in findings(state, at) if not f.ok)


def pending(state: State) -> bool:
    """Whether a target or a judged limit has yet to give its first answer."""
    judged = (t.id for t in state.plan.thresholds if t.acted_on and not t.observe_only)
    return any(t.id not in state.probes for t in state.plan.targets) or any(
        t not in state.verdicts for t in judged
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


def _limit(state: State, threshold: Threshold) -> Finding:
    key = f"limit:{threshold.id}"
    if not threshold.acted_on:
        return Finding(
            key, False, f"{threshold.id}: not judged by this version, it won't protect this release"
        )
    verdict = state.verdicts.get(threshold.id)
    if verdict is None:
        return Finding(key, False, f"{threshold.id}: no reading yet")
    if verdict.verdict == "pass":
        value = "no data" if verdict.value is None else f"{verdict.value:g}"
        return Finding(key, True, f"{threshold.id}: {value}, limit {threshold.limit_text}")
    why = verdict.detail or verdict.verdict
    return Finding(key, False, f"{threshold.id}: {verdict.verdict} before the start ({why})")
