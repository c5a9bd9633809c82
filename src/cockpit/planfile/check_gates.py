"""Checks of gates: whether enough approvers can open them, and whether those can be known."""

from __future__ import annotations

from collections import Counter

from cockpit.planfile.check_people import who
from cockpit.planfile.check_rollout import positive
from cockpit.planfile.models import PlanFile
from cockpit.planfile.names import Names
from cockpit.planfile.positions import Path
from cockpit.planfile.problem import Findings, shorten
from cockpit.planfile.rollout_tables import GateTable


def check(plan: PlanFile, names: Names, findings: Findings) -> None:
    """Every gate can be opened by those whom it names."""
    doubted: set[str] = set()
    for i, stage in enumerate(plan.stage):
        if stage.gate is None:
            continue
        path: Path = ("stage", i, "gate")
        who((*path, "approvers"), stage.gate.approvers, names, findings)
        positive((*path, "timeout"), stage.gate.timeout, findings)
        _waiting(path, stage.gate, findings)
        if (*path, "approvers") not in findings.broken:
            _enough(path, stage.gate, names, findings)
            if not plan.roles.typed_names and ("roles", "typed_names") not in findings.broken:
                _known((*path, "approvers"), stage.gate.approvers, plan, names, doubted, findings)


def _waiting(path: Path, gate: GateTable, findings: Findings) -> None:
    unread = (*path, "timeout") in findings.broken
    if "on_timeout" in gate.model_fields_set and gate.timeout is None and not unread:
        message = "without `timeout` the gate waits as long as it takes: this never follows"
        findings.warn((*path, "on_timeout"), message, 'write timeout = "20m", or remove this', key=True)


def _enough(path: Path, gate: GateTable, names: Names, findings: Findings) -> None:
    """Whether there are as many approvers, and as many people among them, as the gate needs."""
    first: Counter[str] = Counter()
    for j, name in enumerate(gate.approvers):
        first[name] += 1
        if first[name] == 2:
            message = f"`{shorten(name)}` stands twice: one yes would count as two"
            findings.problem((*path, "approvers", j), message, "remove one of them")
    people = {names.roles.get(name, name) for name in gate.approvers}
    if gate.approvals > len(gate.approvers):
        message = (
            f"the gate needs {gate.approvals} approvals, and names {len(gate.approvers)}: it would never open"
        )
        hint = f"name more approvers, or write needs = {len(gate.approvers)}"
        findings.problem((*path, "needs"), message, hint)
    elif gate.distinct and gate.approvals > len(people):
        message = f"the gate needs {gate.approvals} different people, and names {len(people)}: "
        hint = f"name other people, or write needs = {len(people)}"
        findings.problem((*path, "distinct"), f"{message}it would never open", hint)


def _known(
    path: Path, approvers: list[str], plan: PlanFile, names: Names, doubted: set[str], findings: Findings
) -> None:
    """A gate takes no typed name: whether an account or a key tells who each approver is; said once of each."""
    unread = {str(p[1]) for p in findings.broken if len(p) > 1 and p[0] == "people"}
    for j, name in enumerate(approvers):
        person = names.roles.get(name, name)
        if person not in names.people or person in unread or person in doubted or not findings.sure("people"):
            continue
        entry = plan.people.get(person)
        if entry is not None and (entry.os_user or entry.key):
            continue
        doubted.add(person)
        called = shorten(person)
        message = f"`{called}` has neither `os_user` nor `key`: they decide here only from an account called `{called}`"
        hint = "write one of them under [people], or typed_names = true under [roles]"
        findings.warn((*path, j), message, hint)
