"""Who and what a plan's names stand for: targets and groups, people and roles, steps, stages, signals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cockpit.core.plan import HERE, ROLE_NAMES, Inventory, Target
from cockpit.planfile.models import PlanFile, RolesTable, TargetTable
from cockpit.planfile.positions import Path
from cockpit.planfile.problem import Findings, shorten
from cockpit.planfile.scalars import MOST_TARGETS, Mistake, expand, ranged, spelled, without_ranges
from cockpit.planfile.taken import AT, Taken

_HOST = re.compile(r"[^\s\-@/][^\s@/]*")


@dataclass(frozen=True, slots=True)
class Names:
    """Every name of a plan.

    `members` maps a target id or group to target ids, `roles` a role to its holder; `who` are all
    people and held roles, and the rollback owner, whom somebody will be; steps, stages and signals map to
    their (first) index. `from_roles`: the plan has no [people], so that [roles] names everybody. `inventory`: where
    the last of the targets come from.
    """

    targets: tuple[Target, ...]
    members: dict[str, tuple[str, ...]]
    people: tuple[str, ...]
    from_roles: bool
    roles: dict[str, str]
    steps: dict[str, int]
    stages: dict[str, int]
    signals: dict[str, int]
    who: frozenset[str]
    inventory: Inventory | None

    def together(self, names: Iterable[str]) -> set[str]:
        """The target ids that `names` stand for."""
        return {member for name in names for member in self.members.get(name, ())}

    def expand(self, names: Iterable[str]) -> tuple[str, ...]:
        """The target ids that `names` stand for, in the plan's order, each once."""
        wanted = self.together(names)
        return tuple(t.id for t in self.targets if t.id in wanted) if wanted else ()


def collect(plan: PlanFile, taken: Taken, findings: Findings) -> Names:
    """All names, with the problems of declaring them: twice, reserved, ranges that don't fit."""
    targets = _targets(plan, taken, findings)
    declared = tuple(dict.fromkeys((*plan.people, *findings.lost("people"))))
    people = declared or everyone(plan.roles)
    roles = {role: who for role, who in held(plan.roles) if who}
    return Names(
        targets=targets,
        members=_members(targets, plan, taken, findings),
        people=people,
        from_roles=not declared,
        roles=roles,
        steps=_unique("step", "id", [s.id for s in plan.step], findings),
        stages=_unique("stage", "name", [s.name for s in plan.stage], findings),
        signals=_unique("signal", "name", [s.name for s in plan.signal], findings),
        who=frozenset((*people, *roles, "rollback_owner", *findings.lost("roles"))),
        inventory=taken.inventory,
    )


def held(roles: RolesTable) -> tuple[tuple[str, str | None], ...]:
    """(role, holder) for the standard roles and the plan's own."""
    standard = tuple((role, getattr(roles, role)) for role in ROLE_NAMES)
    return standard + tuple((roles.__pydantic_extra__ or {}).items())


def everyone(roles: RolesTable) -> tuple[str, ...]:
    """Everybody [roles] names: who a plan without [people] knows."""
    named = [who for _, who in held(roles) if who]
    listed = [n for n in (*roles.stop_authority, *roles.go_authority) if n not in dict(held(roles))]
    return tuple(dict.fromkeys(named + listed))


def _unique(section: str, key: str, names: Sequence[str], findings: Findings) -> dict[str, int]:
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        if name and first.setdefault(name, index) != index:
            where = findings.positions.key((section, first[name])).line
            message = f"a second {section} is called `{shorten(name)}` (the first is at line {where})"
            findings.problem((section, index, key), message, f"give each {section} a {key} of its own")
        if section != "signal":
            _no_slash((section, index, key), name, findings)
    return first


def _no_slash(path: Path, name: str, findings: Findings, key: bool = False) -> None:
    """Attempts are named stage/step/target/run-1: a slash in a part would make two attempts look like one."""
    if "/" in name:
        message = f"`{shorten(name)}` has a slash, which separates the parts of an attempt's name"
        findings.problem(path, message, f"write `{shorten(name.replace('/', '-'))}`", key=key)


def target_tables(plan: PlanFile) -> dict[str, TargetTable]:
    """The entries of [targets] as written, ranges not yet expanded."""
    return plan.targets.__pydantic_extra__ or {}


def _targets(plan: PlanFile, taken: Taken, findings: Findings) -> tuple[Target, ...]:
    found: dict[str, Target] = {}
    places: dict[tuple[str, int], str] = {}
    for name, table in target_tables(plan).items():
        path: Path = ("targets", name)
        if not table.host:
            found.setdefault(name, Target(name, "", None, None, tuple(table.groups)))
            continue
        if not _HOST.fullmatch(without_ranges(table.host)):
            hint = 'write the name or address only; `user = "..."` and `port = ...` are keys of their own'
            findings.problem((*path, "host"), f"`{shorten(table.host)}` is no host", hint)
        try:
            pairs = expand(name, table.host)
        except Mistake as fault:
            findings.problem((*path, "host"), str(fault), fault.hint)
            pairs = [(name, table.host)]
        for id_, host in pairs:
            target = Target(id_, host, table.port, table.user, tuple(table.groups))
            _declare(target, path, found, findings)
            _same_place(target, (*path, "host"), places, plan, findings)
        if len(found) > MOST_TARGETS:
            findings.problem(
                path, f"the plan has more than {MOST_TARGETS} targets", "split the release", key=True
            )
            break
    for target in taken.targets:
        path = (*AT, "ansible")
        if target.id in found:
            message = f"`{shorten(target.id)}` stands under [targets], and in the inventory too"
            findings.problem(path, message, "name it in one of them only: it could be two hosts")
        found.setdefault(target.id, target)
        _same_place(target, path, places, plan, findings)
    return tuple(found.values())


def _same_place(
    target: Target, path: Path, places: dict[tuple[str, int], str], plan: PlanFile, findings: Findings
) -> None:
    if (other := places.setdefault((target.host, target.port or plan.ssh.port), target.id)) != target.id:
        same = f"`{shorten(other)}` and `{shorten(target.id)}` are the same host and port"
        findings.warn(path, f"{same}: steps would run there twice", "check that these are two targets")


def _declare(target: Target, path: Path, found: dict[str, Target], findings: Findings) -> None:
    if target.id == HERE:
        message = f"`{HERE}` is this machine and can't be the name of a target"
        findings.problem(path, message, "give the target another name", key=True)
    elif target.id in found:
        message = f"a second target is called `{shorten(target.id)}`"
        findings.problem(
            path, message, "give each target a name of its own; ranges must not overlap", key=True
        )
    else:
        found[target.id] = target
        _no_slash(path, without_ranges(target.id), findings, key=True)


def _members(
    targets: tuple[Target, ...], plan: PlanFile, taken: Taken, findings: Findings
) -> dict[str, tuple[str, ...]]:
    groups: dict[str, list[str]] = {}
    for target in targets:
        for group in target.groups:
            groups.setdefault(group, []).append(target.id)
    ids = {t.id for t in targets}
    for name, table in target_tables(plan).items():
        for i, group in enumerate(table.groups):
            if group in ids:
                message = f"`{shorten(group)}` is both a target and a group: a stage couldn't tell which"
                findings.problem(("targets", name, "groups", i), message, "rename the group")
    for group in sorted(ids.intersection(g for target in taken.targets for g in target.groups)):
        message = f"`{shorten(group)}` is a target, and a group of the inventory: a stage couldn't tell which"
        findings.problem((*AT, "ansible"), message, "rename one of them")
    members: dict[str, tuple[str, ...]] = dict.fromkeys(findings.lost("targets"), ())
    members |= {group: tuple(ids) for group, ids in groups.items()}
    members |= {id_: (id_,) for id_ in ids}
    asked = {name for table in (*plan.stage, *plan.signal) for name in table.targets}
    return members | {name: found for name in asked if ranged(name) and (found := _all_of(name, ids))}


def _all_of(name: str, ids: set[str]) -> tuple[str, ...]:
    """The targets that a range in a list of targets stands for; empty where one is missing, or it can't be read."""
    try:
        found = spelled(name)
    except Mistake:
        return ()
    return tuple(found) if ids.issuperset(found) else ()
