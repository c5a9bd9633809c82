"""Checks of what is done: steps and their ways back, stages, waves, placeholders."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from itertools import chain

from cockpit.core.listing import some
from cockpit.planfile.check_secrets import unnameable
from cockpit.planfile.models import PlanFile, StageTable, StepTable
from cockpit.planfile.names import Names, target_tables
from cockpit.planfile.positions import Path
from cockpit.planfile.problem import Findings, shorten
from cockpit.planfile.scalars import Mistake, odd_brackets, ranged, spelled
from cockpit.steps import SHARED, STEP_KINDS, misquoted, placeholders

Asks = Mapping[str, tuple[tuple[str, str], ...]]
"""For each step id, the (key, placeholder) pairs of its commands."""

COMMANDS = ("run", "verify", "rollback", "verify_rollback", "previous")


def check(plan: PlanFile, names: Names, findings: Findings) -> None:
    """Everything about steps and stages."""
    used: dict[str, list[StageTable]] = {step.id: [] for step in plan.step}
    for stage in plan.stage:
        for step in stage.steps:
            if step in used:
                used[step].append(stage)
    for i, step in enumerate(plan.step):
        _step(("step", i), step, used[step.id], findings)
    asks = {step.id: _asks(step) for step in plan.step}
    for i, stage in enumerate(plan.stage):
        _stage(("stage", i), stage, plan, asks, names, findings)
    _twice(plan, names, findings)
    _brackets(plan, findings)
    if plan.rollback is not None:
        for key in ("explain_within", "rehearsed_within"):
            positive(("rollback", key), getattr(plan.rollback, key), findings)


def _brackets(plan: PlanFile, findings: Findings) -> None:
    """Brackets in a target's name or host are ranges, or a slip of the pen."""
    for name, table in target_tables(plan).items():
        for path, text, key in (
            (("targets", name), name, True),
            (("targets", name, "host"), table.host, False),
        ):
            if (fault := odd_brackets(text)) is not None:
                findings.problem(path, f"`{shorten(text)}`: {fault}", fault.hint, key=key)


def _twice(plan: PlanFile, names: Names, findings: Findings) -> None:
    """A step that isn't idempotent must reach a target once with the same vars, over all stages."""
    steps = {step.id: step for step in plan.step if step.on != "here"}
    done: dict[str, set[tuple[str, str]]] = {}
    for i, stage in enumerate(plan.stage):
        variables = repr(sorted(stage.vars.items()))
        needed = {(step, variables) for step in stage.steps if step in steps}
        fresh = [t for t in names.expand(stage.targets) if not needed <= done.get(t, set())]
        for j, step in enumerate(stage.steps):
            again = [t for t in fresh if (step, variables) in done.get(t, set())]
            if again and step in steps and not steps[step].idempotent:
                message = (
                    f"`{shorten(step)}` would run a second time on {shorten(again[0])}, and isn't idempotent"
                )
                hint = "write idempotent = true on the step, or leave it or these targets out of this stage"
                findings.problem(("stage", i, "steps", j), message, hint)
        for target in fresh:
            done.setdefault(target, set()).update(needed)


def names_lead(path: Path, named: Sequence[str], names: Names, findings: Findings) -> None:
    """Each of `named` must be a target or a group."""
    for i, name in enumerate(named):
        if name not in names.members and findings.sure("targets"):
            message = f"there is no target or group `{shorten(name)}`"
            hint = findings.instead(name, names.members)
            if ranged(name):
                message, hint = _beyond(name, names)
            findings.problem((*path, i), message, hint)


def _beyond(name: str, names: Names) -> tuple[str, str]:
    """What is wrong with a range in a list of targets."""
    try:
        missing = [id_ for id_ in spelled(name) if id_ not in names.members]
    except Mistake as fault:
        return str(fault), fault.hint
    first = some([shorten(missing[0]), *missing[1:]], 1)
    message = f"`{shorten(name)}` stands for targets that aren't in the plan: {first}"
    return message, "write a range of targets that [targets] has"


def positive(path: Path, span: timedelta | None, findings: Findings) -> None:
    """A timeout or interval must be longer than nothing."""
    if span is not None and span <= timedelta(0):
        findings.problem(path, f"`{path[-1]}` can't be zero", 'write a duration such as "30s"')


def _asks(step: StepTable) -> tuple[tuple[str, str], ...]:
    """The (key, placeholder) pairs of a step's commands."""
    return tuple((key, name) for key in COMMANDS for name in placeholders(getattr(step, key) or ""))


def _step(path: Path, step: StepTable, stages: Sequence[StageTable], findings: Findings) -> None:
    positive((*path, "timeout"), step.timeout, findings)
    _commands(path, step, findings)
    name = shorten(step.id)
    if not stages and step.id and findings.sure("stage"):
        findings.warn(
            (*path, "id"), f"step `{name}` is in no stage: it never runs", "add it to a stage, or remove it"
        )
    if any((*path, key) in findings.broken for key in ("rollback", "reversible", "roll_forward")):
        return
    if step.reversible and step.rollback is None and stages:
        where = ", ".join(f"`{shorten(s.name)}`" for s in stages[:3])
        message = f"step `{name}` has no rollback: stage {where} couldn't be rolled back"
        hint = "write rollback = ..., or reversible = false and roll_forward = ... if there is no way back"
        findings.problem((*path, "id"), message, hint)
    if not step.reversible and step.rollback is not None:
        message = f"step `{name}` has a rollback and is a point of no return: only one can be true"
        findings.problem((*path, "reversible"), message, "remove reversible = false, or the rollback")
    elif not step.reversible and step.roll_forward is None:
        message = f"step `{name}` is a point of no return, and nothing says what to do if it goes wrong"
        findings.problem(
            (*path, "reversible"), message, 'write roll_forward = "what to do instead, and how long it takes"'
        )
    if step.reversible and step.roll_forward is not None:
        message = f"step `{name}` can be rolled back: its roll_forward would never be shown"
        findings.warn(
            (*path, "roll_forward"),
            message,
            "write reversible = false if it is a point of no return",
            key=True,
        )
    if (
        step.rollback is not None
        and step.verify_rollback is None
        and (*path, "verify_rollback") not in findings.broken
    ):
        message = f"a rollback of `{name}` can't be proven: it will end as partial"
        findings.warn(
            (*path, "rollback"),
            message,
            "write verify_rollback = a command that exits 0 once it is undone",
            key=True,
        )
    if step.verify_rollback is not None and step.rollback is None:
        message = f"step `{name}` has no rollback to verify"
        findings.problem(
            (*path, "verify_rollback"), message, "write rollback = ..., or remove this", key=True
        )


def _commands(path: Path, step: StepTable, findings: Findings) -> None:
    for key in COMMANDS:
        quotes((*path, key), getattr(step, key) or "", findings)
    if step.previous is not None and step.on == "here":
        message = (
            f"step `{shorten(step.id)}` runs on this machine: there is no target whose version it could tell"
        )
        findings.problem((*path, "previous"), message, "remove it", key=True)


def quotes(path: Path, command: str, findings: Findings) -> None:
    """Each placeholder of a command must stand bare."""
    for name in misquoted(command):
        message = (
            f"`{{{shorten(name)}}}` stands inside quotes or a here-document: its value could run as code"
        )
        hint = f"write {{{name}}} without quotes around it; values are quoted by themselves"
        findings.problem(path, message, hint, within=f"{{{name}}}")


def _stage(
    path: Path, stage: StageTable, plan: PlanFile, asks: Asks, names: Names, findings: Findings
) -> None:
    if stage.name in ("start", "close"):
        message = f"`{stage.name}` means the {stage.name} of the release and can't name a stage"
        findings.problem((*path, "name"), message, "give the stage another name")
    steps = _steps_of(path, stage, plan, names, findings)
    names_lead((*path, "targets"), stage.targets, names, findings)
    on_targets = [i for i, step in enumerate(steps) if step is not None and step.on != "here"]
    if on_targets and not stage.targets and (*path, "targets") not in findings.broken:
        message = f"stage `{shorten(stage.name)}` has steps for targets, but no target"
        findings.problem((*path, "steps"), message, "write targets = [...]", key=True)
    if steps and None not in steps and not on_targets and stage.targets:
        message = "all steps of this stage run on this machine: its targets aren't touched"
        findings.warn((*path, "targets"), message, "remove targets", key=True)
    if stage.waves != ["rest"]:
        _waves(path, stage, len(names.together(stage.targets)), findings)
    _placeholders(path, stage, steps, asks, plan.secrets.all, names, findings)


def _steps_of(
    path: Path, stage: StageTable, plan: PlanFile, names: Names, findings: Findings
) -> list[StepTable | None]:
    """The stage's steps in order, None where there is no such step."""
    seen: set[str] = set()
    for i, name in enumerate(stage.steps):
        if name not in names.steps and findings.sure("step"):
            message = f"there is no step `{shorten(name)}`"
            findings.problem((*path, "steps", i), message, findings.instead(name, names.steps))
        elif name in seen:
            message = (
                f"step `{shorten(name)}` stands twice in stage `{shorten(stage.name)}`: it would run once"
            )
            findings.problem((*path, "steps", i), message, "remove one, or write a second step")
        seen.add(name)
    steps = [plan.step[names.steps[name]] if name in names.steps else None for name in stage.steps]
    on_targets = [i for i, step in enumerate(steps) if step is not None and step.on != "here"]
    for i, step in enumerate(steps):
        if step is not None and step.on == "here" and on_targets and on_targets[0] < i < on_targets[-1]:
            message = (
                f"step `{shorten(step.id)}` runs once on this machine and can't stand between steps on targets, "
                "which each target takes at its own pace"
            )
            findings.problem((*path, "steps", i), message, "put it first or last, or cut the stage in two")
    return steps


def _waves(path: Path, stage: StageTable, targets: int, findings: Findings) -> None:
    taken = percent = 0
    for i, wave in enumerate(stage.waves):
        here: Path = (*path, "waves", i)
        if wave == "rest" and i < len(stage.waves) - 1:
            findings.problem(here, '"rest" leaves nothing for the waves after it', 'write "rest" last')
            return
        if targets and taken >= targets and wave != "rest":
            message = f"no target is left for this wave: the stage has {targets}"
            findings.warn(here, message, "remove it, or make the waves before it smaller")
            return
        if isinstance(wave, int):
            taken += wave
        elif wave != "rest":
            percent += int(wave.rstrip("%"))
            taken += max(1, targets * int(wave.rstrip("%")) // 100)
        if percent > 100:
            findings.problem(
                here, f"the percentages add up to {percent}%", 'write shares of the whole stage, or "rest"'
            )
            return


def _placeholders(
    path: Path,
    stage: StageTable,
    steps: Sequence[StepTable | None],
    asks: Asks,
    secrets: Collection[str],
    names: Names,
    findings: Findings,
) -> None:
    for name in stage.vars:
        fault = unnameable(name) or ("it is a secret of the plan" if name in secrets else "")
        if fault:
            message = f"`{shorten(name)}` can't name a variable: {fault}"
            findings.problem((*path, "vars", name), message, "give it another name", key=True)
    values = {*SHARED, *stage.vars, *secrets}
    for step in steps:
        for key, name in asks.get(step.id, ()) if step is not None else ():
            if step is not None and name not in (*values, *STEP_KINDS[step.on].named_in(key)):
                _unknown(("step", names.steps[step.id], key), name, step, stage, findings)


def _unknown(path: Path, name: str, step: StepTable, stage: StageTable, findings: Findings) -> None:
    """A placeholder without a value."""
    message = f"`{{{shorten(name)}}}` has no value in stage `{shorten(stage.name)}`"
    kind = STEP_KINDS[step.on]
    if step.on == "here" and name in STEP_KINDS["targets"].names:
        message += ": the step runs on this machine, once, not on a target"
    elif path[-1] in kind.as_one and name in kind.names:
        message += (
            ": the playbook runs once for several targets, and Ansible knows each as inventory_hostname"
        )
    near = findings.similar(name, chain(SHARED, kind.named_in(str(path[-1])), stage.vars))
    hint = f"did you mean {{{near}}}?" if near else f"give the stage vars = {{ {shorten(name)} = ... }}"
    literal = f"for the literal text write {{{{{shorten(name)}}}}}"
    findings.problem(path, message, f"{hint} ({literal})", within=f"{{{name}}}")
