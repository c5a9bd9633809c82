"""Ready or not: each line green, or the exact reason why customers would be the test group."""

from __future__ import annotations

from datetime import datetime, timedelta

from cockpit.core import attendance, checklist, examined, people, roles, window
from cockpit.core.events import Finding, OpenAction
from cockpit.core.journal import span
from cockpit.core.plan import ChecklistItem, Plan, Signal, Threshold
from cockpit.core.secret import references
from cockpit.core.spans import rounded
from cockpit.core.state import State

TEXT_MOST = 60
"""Characters of what an action says that readiness repeats; the review has all of it."""

ACTIONS_FIRST = "what earlier reviews asked for is done or waived before the next release"
SETTLING = '`cockpit actions close NAME "what was done"`, or `waive NAME "why not"`'


def findings(state: State, at: datetime) -> tuple[Finding, ...]:
    """Every line of readiness at `at`, what stands in the way and what is in order alike."""
    plan = state.plan
    found = [_role(state, role, person) for role, person in roles.wanted(plan)]
    found += [Finding("impact", True, f"customers, if it half fails: {plan.release.customer_impact}")]
    found += _windows(state, at)
    found += [_probe(state, target.id) for target in plan.targets]
    found += examined.findings(state)
    found += [_limit(state, t) for t in plan.thresholds if not t.observe_only]
    limited = {t.signal for t in plan.thresholds if not t.observe_only}
    found += [_signal(state, s.name) for s in plan.signals if s.name not in limited]
    if plan.rollback.rehearsed_within is not None:
        found.append(_rehearsal(state, plan.rollback.rehearsed_within, at))
    found += _playbooks(state)
    found += _secrets(state)
    found += _left_to_do(state, at)
    for item in plan.checklist:
        if item.before == "start":
            found += _item(state, item)
    return tuple(found)


def _playbooks(state: State) -> list[Finding]:
    """Ansible is there, and takes each playbook. What it says is the key: whoever took on one didn't see another."""
    if not state.plan.by_playbook:
        return []
    if state.playbooks is None:
        return [Finding("playbooks", False, "playbooks: Ansible hasn't been asked about them yet")]
    problems = state.playbooks.problems
    found = [Finding(f"playbook:{said}", False, f"playbooks: {said}") for said in problems]
    return found or [Finding("playbooks", True, "playbooks: Ansible takes each, and knows its targets")]


def _secrets(state: State) -> list[Finding]:
    """Every secret that a command needs can be had; else it would be found out in the middle of the release."""
    count = len(references(state.plan))
    if not count:
        return []
    if state.secrets is None:
        return [Finding("secrets", False, "secrets: not looked up yet")]
    found = [Finding(f"secret:{said}", False, f"secret {said}") for said in state.secrets.problems]
    return found or [Finding("secrets", True, f"secrets: {'each of ' * (count > 1)}{count} can be looked up")]


def _left_to_do(state: State, at: datetime) -> list[Finding]:
    """The actions of earlier releases: each done, or given up for a reason, before the next."""
    left = state.left_to_do
    if left is None:
        return []
    found = [
        Finding(f"action:{action.name}", False, f"{_to_do(state.plan, action, at)} ({action.name})")
        for action in left.actions
    ]
    if found:
        found.append(Finding("actions", False, f"{ACTIONS_FIRST}: {SETTLING}"))
    if left.detail:
        torn = f"a log that may hold actions of earlier releases can't be read: {left.detail}"
        found.append(Finding("actions", True, torn, doubtful=True))
    return found or [Finding("actions", True, "nothing left to do from earlier releases")]


def blocking(state: State, at: datetime) -> tuple[Finding, ...]:
    """The findings that stand in the way of the start."""
    return tuple(f for f in findings(state, at) if not f.ok)


def for_people(plan: Plan, finding: Finding) -> bool:
    """Whether only people can settle it, and only once a session is open: a signature, or a number that they enter."""
    entered = {s.name for s in attendance.typed(plan)}
    numbers = {f"signal:{name}" for name in entered}
    numbers |= {f"limit:{t.id}" for t in plan.thresholds if t.signal in entered}
    return finding.key.startswith(("checklist:", "role:", "left:")) or finding.key in numbers


def signal_of(plan: Plan, finding: Finding) -> Signal:
    """The signal that a finding `signal:NAME` or `limit:THRESHOLD` is about."""
    kind, _, about = finding.key.partition(":")
    return plan.signal(plan.threshold(about).signal if kind == "limit" else about)


def awaited(state: State, finding: Finding) -> bool:
    """Whether it isn't wrong, but not known yet."""
    kind, _, about = finding.key.partition(":")
    match kind:
        case "target":
            return about not in state.probes
        case "unseen" | "unchecked":
            return True
        case "signal":
            return about not in state.signals
        case "limit":
            read = state.signals.get(state.plan.threshold(about).signal)
            return about not in state.verdicts and (read is None or read.ok)
        case "calendar":
            return state.freezes is None
        case "playbooks":
            return state.playbooks is None
        case "secrets":
            return state.secrets is None
        case _:
            return False


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
        or looking(state)
    )


def looking(state: State) -> bool:
    """Whether a check, a target's examination, the calendar, Ansible or a secret has yet to answer: each does in time.

    Once the release has started nothing asks them any more.
    """
    plan = state.plan
    return state.started is None and (
        any(i.check and i.id not in state.checks for i in plan.checklist if i.before == "start")
        or any(examined.awaited(state, target.id) for target in plan.targets)
        or (plan.window is not None and bool(plan.window.freeze_calendar) and not state.freezes)
        or bool(plan.by_playbook and not state.playbooks)
        or bool(references(plan) and not state.secrets)
    )


def _to_do(plan: Plan, action: OpenAction, at: datetime) -> str:
    """Whose it is, until when, and what: shortened, since it stands in a line of its own."""
    text = action.text if len(action.text) <= TEXT_MOST else f"{action.text[: TEXT_MOST - 1].rstrip()}…"
    releases = f"{action.survived} release{'s' * (action.survived != 1)}"
    survived = f", survived {releases}" if action.survived else ""
    whose = f"{plan.person_name(action.owner)}, until {action.due}"
    return f"to do by {whose}: {text}, open for {_days(at - action.since)}{survived}"


def _role(state: State, role: str, person: str) -> Finding:
    """A role is held, and its holder has accepted it. Nobody at all: that is for no holder to settle."""
    called = roles.called(role)
    if not person:
        return Finding(f"nobody:{role}", False, f"{called}: nobody holds it: name somebody under [roles]")
    name = state.plan.person_name(person)
    if not roles.accepted(state, role):
        return Finding(f"role:{role}", False, f"{called}: {name} hasn't accepted it yet")
    if person in state.gone:
        return Finding(f"left:{role}", False, f"{called}: {name} has left")
    return Finding(f"role:{role}", True, f"{called}: {name}")


def _windows(state: State, at: datetime) -> list[Finding]:
    """The window, its freezes, and who is there through it."""
    plan = state.plan
    shut = window.shut(plan, at) or window.too_short_for_all(state, at)
    if plan.window is None:
        return [Finding("window", True, "no window agreed: any time")]
    closes = window.local(plan, plan.window.closes)
    found = [Finding("window", not shut, shut or f"the window is open until {closes:%H:%M}")]
    frozen, calendar = window.frozen(state, at), plan.window.freeze_calendar
    if calendar and (state.freezes is None or state.freezes.detail):
        why = state.freezes.detail if state.freezes is not None else "not read yet"
        found.append(Finding("calendar", False, f"freezes of {calendar}: {why}"))
    if frozen or calendar or plan.window.freeze:
        found.append(Finding("freeze", not frozen, frozen or "no freeze now"))
    found += _staff(state, at)
    return found


def _staff(state: State, at: datetime) -> list[Finding]:
    plan, found = state.plan, list[Finding]()
    wanted = plan.window.min_staff if plan.window is not None else 0
    if wanted:
        there = len(window.staff(plan, at))
        text = f"staff: {there} on shift until the window closes, {wanted} agreed"
        found.append(Finding("staff", there >= wanted, text))
    for leaves in window.leaving_early(state, at):
        until = window.local(plan, leaves.at)
        text = (
            f"{plan.person_name(leaves.person)}, {' and '.join(roles.called(r) for r in leaves.roles)}, is on shift "
            f"until {until:%H:%M}, before the last bake could end: plan the handover"
        )
        found.append(Finding(f"shift:{leaves.person}", True, text, doubtful=True))
    return found


def _item(state: State, item: ChecklistItem) -> list[Finding]:
    """What its check says, and whose signature is wanted: both, where the item is healthy."""
    against, wanted = checklist.unhealthy(state, item), checklist.missing(state, item)
    if against:
        key = (
            "check" if item.id in state.checks else "unchecked"
        )  # whoever took on the one didn't see the other
        return [Finding(f"{key}:{item.id}", False, f"{item.text}: {against}")]
    said = state.checks.get(item.id)
    evidence = f" ({said.found})" if said is not None and said.found else ""
    if wanted:
        who = people.listed(map(state.plan.person_name, wanted))
        text = f"{item.text}{evidence}: {who} sign{'s' * (len(wanted) == 1)}"
        return [Finding(f"checklist:{item.id}", False, text)]
    return [Finding(f"checklist:{item.id}", True, f"{item.text}{evidence}: signed")]


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
    none = "nothing to compare yet" if threshold.compare else "no data"
    value = none if verdict.value is None else rounded(verdict.value)
    held = f"{value}, limit {threshold.limit_text}"
    if verdict.verdict == "pass":
        return Finding(key, True, f"{threshold.id}: {held}")
    why = verdict.detail or held
    if verdict.verdict == "breach":
        # A finding of its own: whoever took on a limit without readings saw no breach.
        key = f"breach:{threshold.id}"
    return Finding(key, False, f"{threshold.id}: {verdict.verdict} before the start ({why})")
