"""From the typed plan file to the frozen plan that the rest of the house works with."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from cockpit.core import plan as core
from cockpit.core.attendance import MANUAL
from cockpit.planfile.check_signals import read_on_targets
from cockpit.planfile.models import PlanFile
from cockpit.planfile.names import Names, held
from cockpit.planfile.rollout_tables import (
    SOURCE_KEYS,
    GateTable,
    ItemTable,
    SignalTable,
    StageTable,
    StepTable,
    ThresholdTable,
)
from cockpit.planfile.scalars import ranged
from cockpit.signals.host import METRICS
from cockpit.steps import fill_known, words

INTERVAL = timedelta(seconds=10)
MANUAL_INTERVAL = timedelta(minutes=10)
STEP_TIMEOUT = timedelta(minutes=5)
UNITS = {"cpu": "%", "memory": "%", "disk": "%", "load": "", "network": "B/s"}


def build(file: PlanFile, names: Names) -> core.Plan:
    """The frozen plan of a file without problems."""
    return core.Plan(
        release=release(file),
        roles=_roles(file),
        targets=names.targets,
        steps=tuple(_step(s) for s in file.step),
        stages=tuple(_stage(s, names) for s in file.stage),
        people=_people(file, names),
        window=_window(file),
        ssh=_ssh(file),
        inventory=names.inventory,
        signals=_signals(file, names),
        thresholds=thresholds(file),
        checklist=tuple(_item(i) for i in file.checklist),
        rollback=_rollback(file),
        notify=tuple(core.Notify(tuple(n.on), _with_secrets(n.run, file), n.url) for n in file.notify),
        secrets=MappingProxyType(file.secrets.all),
    )


def release(file: PlanFile) -> core.Release:
    """What goes out, as far as the file says it."""
    return core.Release(**{**dict(file.release), "links": MappingProxyType(file.release.links)})


def built_anyway(file: PlanFile, names: Names) -> core.Plan | None:
    """The plan of a file with problems; None where it has no sense: a stage or limit names what isn't there."""
    try:
        plan = build(file, names)
        for stage in plan.stages:
            for step in stage.steps:
                plan.step(step)
        for threshold in plan.thresholds:
            plan.signal(threshold.signal)
    except (LookupError, ValueError, OverflowError):  # no such step, signal, zone or moment
        return None
    return plan


def thresholds(file: PlanFile) -> tuple[core.Threshold, ...]:
    """The limits with ids of their own; needs nothing else of the plan to be right."""
    signals = {s.name: s for s in file.signal}
    seen: Counter[str] = Counter()
    found: list[core.Threshold] = []
    for table in file.threshold:
        threshold = _threshold(table, signals.get(table.signal))
        whole = table.when is not None or table.outside is not None
        id_ = f"{table.signal} {threshold.limit_text}" if whole else table.signal
        id_ += f" ({table.compare})" if table.compare else ""
        seen[id_] += 1
        found.append(replace(threshold, id=f"{id_} #{seen[id_]}" if seen[id_] > 1 else id_))
    return tuple(found)


def _threshold(table: ThresholdTable, signal: SignalTable | None) -> core.Threshold:
    source = signal.source if signal is not None else "host"
    stale_after = table.stale_after
    if stale_after is None and signal is not None and source == MANUAL:
        stale_after = _interval(signal)  # late is late: nobody reads it in between
    return core.Threshold(
        id="",
        signal=table.signal,
        action=table.action,
        op=table.when.op if table.when else None,
        limit=table.when.value if table.when else None,
        outside=(table.outside[0], table.outside[1]) if table.outside else None,
        for_=table.for_ or timedelta(0),
        compare=table.compare,
        aggregate=table.aggregate,
        min_samples=table.min_samples,
        stale_after=stale_after,
        no_data=table.no_data,
        observe_only=table.observe_only,
        agreed_by=tuple(table.agreed_by),
        escalate_to=tuple(table.escalate_to),
        message=table.message,
        clears_at=table.clears_at,
    )


def _rollback(file: PlanFile) -> core.RollbackTerms:
    terms = file.rollback
    within = terms.explain_within
    within = core.RollbackTerms().explain_within if within is None else within
    return core.RollbackTerms(terms.expected_time, tuple(terms.approval), within, terms.rehearsed_within)


def _roles(file: PlanFile) -> core.Roles:
    roles = file.roles
    return core.Roles(
        decision_owner=roles.decision_owner,
        rollback_owner=roles.rollback_owner,
        metrics_watcher=roles.metrics_watcher,
        support_liaison=roles.support_liaison,
        stop_authority=tuple(dict.fromkeys(roles.stop_authority)),
        go_authority=tuple(dict.fromkeys(roles.go_authority)),
        typed_names=roles.typed_names,
        others=MappingProxyType({r: who for r, who in held(roles) if who and r not in core.ROLE_NAMES}),
    )


def _people(file: PlanFile, names: Names) -> tuple[core.Person, ...]:
    if not file.people:
        return tuple(core.Person(id_, id_) for id_ in names.people)
    zone = file.window.timezone if file.window else "UTC"
    return tuple(
        core.Person(
            id_,
            p.name or id_,
            p.contact,
            p.os_user,
            p.key,
            _utc(p.on_shift_until, p.timezone or zone),
            p.timezone,
        )
        for id_, p in file.people.items()
    )


def _window(file: PlanFile) -> core.Window | None:
    window = file.window
    if window is None:
        return None
    opens, closes = _utc(window.opens, window.timezone), _utc(window.closes, window.timezone)
    assert opens is not None and closes is not None  # a window without them is a problem
    freeze = tuple(core.Freeze(f.since, f.until, f.why) for f in window.freeze if f.since and f.until)
    return core.Window(opens, closes, window.timezone, window.min_staff, freeze, window.freeze_calendar)


def _utc(moment: datetime | None, zone: str) -> datetime | None:
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def _ssh(file: PlanFile) -> core.SshSettings:
    ssh = file.ssh
    timeout = ssh.connect_timeout or core.SshSettings().connect_timeout
    return core.SshSettings(ssh.user, ssh.known_hosts, ssh.identity, ssh.jump, timeout, ssh.port)


def _step(step: StepTable) -> core.Step:
    return core.Step(**{**dict(step), "timeout": step.timeout or STEP_TIMEOUT})


def _stage(stage: StageTable, names: Names) -> core.Stage:
    targets = (t for n in stage.targets for t in (names.members.get(n, (n,)) if ranged(n) else (n,)))
    return core.Stage(
        name=stage.name,
        steps=tuple(stage.steps),
        targets=tuple(targets),
        waves=tuple(stage.waves),
        max_parallel=stage.max_parallel,
        max_failed=stage.max_failed,
        bake_time=stage.bake_time or timedelta(0),
        gate=_gate(stage.gate) if stage.gate else None,
        vars=MappingProxyType(stage.vars),
    )


def _gate(gate: GateTable) -> core.Gate:
    return core.Gate(
        tuple(gate.approvers), gate.instructions, gate.timeout, gate.approvals, gate.distinct, gate.on_timeout
    )


def _signals(file: PlanFile, names: Names) -> tuple[core.Signal, ...]:
    everywhere = tuple(t.id for t in names.targets)
    declared = tuple(
        _signal(s.model_copy(update={"run": _with_secrets(s.run, file)}), names, everywhere)
        for s in file.signal
    )
    wanted = dict.fromkeys(
        t.signal for t in file.threshold if t.signal in METRICS and t.signal not in names.signals
    )
    built_in = tuple(
        core.Signal(
            m,
            "host",
            core.HOST_INTERVAL,
            unit=UNITS[m],
            targets=everywhere,
            options=MappingProxyType({"metric": m}),
        )
        for m in wanted
    )
    return declared + built_in


def _signal(signal: SignalTable, names: Names, everywhere: tuple[str, ...]) -> core.Signal:
    options = {
        key: value for key in SOURCE_KEYS[signal.source] if key != "on" and (value := getattr(signal, key))
    }
    unit = signal.unit
    if signal.source == "host":
        metric = options.setdefault("metric", signal.name)
        unit = UNITS[metric] if unit is None else unit
    if signal.source == "http":
        metric = options.setdefault("metric", "json")
        unit = "s" if unit is None and metric == "latency" else unit
    return core.Signal(
        name=signal.name,
        source=signal.source,
        interval=_interval(signal),
        question=signal.question,
        unit=unit or "",
        owner=signal.owner,
        targets=names.expand(signal.targets) or (everywhere if read_on_targets(signal) else (core.HERE,)),
        options=MappingProxyType(options),
    )


def _with_secrets(command: str | None, file: PlanFile) -> str | None:
    """A command in which no other value is filled in."""
    return command and fill_known(command, words(file.secrets.all))


def _interval(signal: SignalTable) -> timedelta:
    usual = {"host": core.HOST_INTERVAL, MANUAL: MANUAL_INTERVAL}
    return signal.interval or usual.get(signal.source, INTERVAL)


def _item(item: ItemTable) -> core.ChecklistItem:
    before = item.before
    if before not in ("start", "close") and not before.startswith("stage:"):
        before = f"stage:{before}"
    return core.ChecklistItem(**{**dict(item), "before": before, "approval": tuple(item.approval)})
