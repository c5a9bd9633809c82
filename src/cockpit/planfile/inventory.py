"""Targets from an Ansible inventory: what `ansible-inventory --list` prints, checked, and kept as small JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from cockpit.core.errors import NoInventory
from cockpit.core.listing import some
from cockpit.core.plan import HERE, Inventory, Target
from cockpit.planfile.models import PlanFile
from cockpit.planfile.problem import Findings, shorten
from cockpit.planfile.scalars import MOST_TARGETS, Mistake
from cockpit.planfile.taken import AT, NOTHING, Reader, Taken

MOST_RECORD = 4 * 1024 * 1024
"""Characters of what is kept: it is part of a session's first record, and each screen is sent it."""

MOST_LABELS, LABEL_LENGTH, NAME_LENGTH = 8, 200, 253

EVERY, UNGROUPED = "all", "ungrouped"
"""The groups that every inventory has."""

_ADDRESS = ("ansible_host", "ansible_ssh_host")
_PORT = ("ansible_port", "ansible_ssh_port")
_USER = ("ansible_user", "ansible_ssh_user")
_OVER_SSH = frozenset({"ssh", "smart", "paramiko", "paramiko_ssh"})
_NOT_READ = (
    *("ansible_ssh_common_args", "ansible_ssh_extra_args", "ansible_ssh_args", "ansible_ssh_executable"),
    *("ansible_ssh_private_key_file", "ansible_private_key_file", "ansible_ssh_pass", "ansible_password"),
    *("ansible_become", "ansible_become_user"),
)
"""Variables by which Ansible would reach a host otherwise than the plan says."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET = re.compile(
    r"pass(?:word|wd|phrase)?(?:_|$)|secret|token|vault|private|credential|_key$", re.IGNORECASE
)
_HOST = re.compile(r"[^\s\-@/\[\]][^\s@/\[\]]*")
_LOGIN = re.compile(r"[^\s\-][^\s]*")
_NUMBER = re.compile(r"(\d+)")

Groups = Mapping[str, frozenset[str]]
"""The hosts of each group, those of its children too."""


def take(plan: PlanFile, reader: Reader | None, findings: Findings) -> Taken:
    """The hosts of the plan's inventory; where there is a problem, none, and no group or target is missed then."""
    table = plan.targets.inventory
    if table is None:
        return NOTHING
    wanted = Inventory(table.ansible, tuple(table.groups), tuple(table.labels))
    known = len(findings.problems)
    _check_labels(wanted, findings)
    if table.ansible and len(findings.problems) == known:
        try:
            return _taken(wanted, _read(wanted, reader), plan, findings)
        except NoInventory as fault:
            findings.problem((*AT, "ansible"), str(fault), fault.hint)
        except Mistake as fault:
            findings.problem((*AT, "ansible"), str(fault), fault.hint)
    findings.broken.add(("targets",))
    return NOTHING


def targets_in(record: str) -> tuple[Target, ...]:
    """The targets of a log's record, whose address, port, login and groups count; none where it can't be read."""
    try:
        groups, variables = _parsed(record)
        return _targets(Inventory(""), _in_order(groups[EVERY]), groups, variables)
    except Mistake:
        return ()


def difference(before: Iterable[Target], now: Iterable[Target]) -> dict[str, tuple[str, ...]]:
    """What is otherwise now, by what it is: the names of targets, in their order; empty where nothing is."""
    old, new = ({target.id: target for target in each} for each in (before, now))
    both = [(old[name], new[name]) for name in new if name in old]
    found = {
        "added": [name for name in new if name not in old],
        "gone": [name for name in old if name not in new],
        "address changed": [b.id for a, b in both if (a.host, a.port, a.user) != (b.host, b.port, b.user)],
        "groups changed": [b.id for a, b in both if a.groups != b.groups],
    }
    return {what: tuple(names) for what, names in found.items() if names}


def _read(wanted: Inventory, reader: Reader | None) -> str:
    if reader is None:
        raise Mistake(
            "the inventory isn't read here, so its hosts aren't known",
            "look at the plan with `cockpit check`",
        )
    return reader(wanted)


def _check_labels(wanted: Inventory, findings: Findings) -> None:
    for i, name in enumerate(wanted.labels):
        path = (*AT, "labels", i)
        if i >= MOST_LABELS:
            findings.problem(
                path, f"an inventory has at most {MOST_LABELS} labels", "leave out what nobody looks at"
            )
            break
        if not _VARIABLE.fullmatch(name):
            findings.problem(path, f"`{shorten(name)}` is no variable's name", "write letters, digits and _")
        elif _SECRET.search(name):
            message = f"`{shorten(name)}` sounds like a secret: a label is shown, and kept in the log"
            findings.problem(path, message, "name a variable that anybody may see")


def _taken(wanted: Inventory, printed: str, plan: PlanFile, findings: Findings) -> Taken:
    groups, variables = _parsed(printed)
    for i, group in enumerate(wanted.groups):
        if group not in groups:
            hint = findings.instead(group, groups, "its hosts are in no group: leave `groups` out")
            message = f"the inventory has no group `{shorten(group)}` with a host in it"
            findings.problem((*AT, "groups", i), message, hint)
            findings.broken.add(("targets",))
            return NOTHING
    chosen = _in_order(
        frozenset().union(*(groups[g] for g in wanted.groups)) if wanted.groups else groups[EVERY]
    )
    _count(wanted, chosen)
    kept = {name: hosts & frozenset(chosen) for name, hosts in groups.items()}
    kept = {name: hosts for name, hosts in kept.items() if hosts or name in wanted.groups}
    targets = _targets(wanted, chosen, kept, variables)
    record = _recorded(wanted, targets, kept)
    if len(record) > MOST_RECORD:
        message = f"what is to be kept of the inventory is longer than {MOST_RECORD // 1024 // 1024} MiB"
        raise Mistake(message, "take fewer of its `groups`, or fewer `labels`")
    _warn(chosen, variables, findings)
    inventory = Inventory(wanted.source, wanted.groups, wanted.labels, tuple(chosen))
    return Taken(inventory, targets, record)


def _count(wanted: Inventory, chosen: Sequence[str]) -> None:
    if not chosen:
        where = f"the groups {', '.join(wanted.groups)} have" if wanted.groups else "the inventory has"
        raise Mistake(
            f"{where} no host: there is nothing to release to",
            "see what `ansible-inventory --graph` shows of it",
        )
    if len(chosen) > MOST_TARGETS:
        raise Mistake(
            f"the inventory has {len(chosen)} hosts, {MOST_TARGETS} at most", "take some of its `groups`"
        )


def _targets(
    wanted: Inventory, chosen: Sequence[str], groups: Groups, variables: Mapping[str, Mapping[str, object]]
) -> tuple[Target, ...]:
    """A target for each host. Mistake tells the first that can be none, and how many others."""
    found: list[Target] = []
    faults: list[Mistake] = []
    inside: dict[str, list[str]] = {name: [] for name in chosen}
    for group in sorted(groups.keys() - {EVERY, UNGROUPED}):
        for name in groups[group]:
            inside[name].append(group)
    for name in chosen:
        try:
            _named(name, groups)
            found.append(_target(wanted, HostVariables(name, variables.get(name, {})), inside[name]))
        except Mistake as fault:
            faults.append(fault)
    if faults:
        more = f" (and {len(faults) - 1} more of its hosts can be no targets)" if len(faults) > 1 else ""
        raise Mistake(f"{faults[0]}{more}", faults[0].hint)
    return tuple(found)


def _target(wanted: Inventory, host: HostVariables, groups: Sequence[str]) -> Target:
    name = host.name
    connection = host.text(("ansible_connection",)) or "ssh"
    if connection.rpartition(".")[2] not in _OVER_SSH:
        message = f"Ansible reaches {shorten(name)} by `{shorten(connection)}`, and steps run over SSH only"
        raise Mistake(message, "take `groups` without it, or take it out of the inventory")
    address = host.text(_ADDRESS) or name
    if not _HOST.fullmatch(address) or len(address) > NAME_LENGTH:
        raise Mistake(
            f"`{shorten(address)}` is no host: it stands in the inventory for {shorten(name)}",
            "write its name or address as ansible_host; ansible_user and ansible_port are variables of their own",
        )
    user = host.text(_USER) or None
    if user is not None and (not _LOGIN.fullmatch(user) or len(user) > NAME_LENGTH):
        raise Mistake(
            f"`{shorten(user)}`, as whom {shorten(name)} is reached, is no login", "mend its ansible_user"
        )
    labels = {label: said for label in wanted.labels if (said := host.text((label,), LABEL_LENGTH))}
    return Target(name, address, host.port(), user, tuple(groups), labels)


def _named(name: str, groups: Groups) -> None:
    if name == HERE:
        raise Mistake(
            f"`{HERE}` is this machine and can't be the name of a target", "give the host another name"
        )
    if odd := next((c for c in "/[]" if c in name), ""):
        raise Mistake(
            f"the host `{shorten(name)}` can be no target: its name has a `{odd}`",
            "give it a name in the inventory, and its address as ansible_host",
        )
    if name in groups:
        message = (
            f"`{shorten(name)}` is both a host and a group of the inventory: a stage couldn't tell which"
        )
        raise Mistake(message, "rename one of them")


@dataclass(frozen=True, slots=True)
class HostVariables:
    """The variables of the host called `name`."""

    name: str
    values: Mapping[str, object]

    def text(self, names: Sequence[str], most: int = NAME_LENGTH) -> str:
        """The first of these variables that the host has, as text; empty where it has none. Mistake if it isn't."""
        variable = next((each for each in names if self.values.get(each) is not None), "")
        value = self.values.get(variable)
        if isinstance(value, dict):
            value = cast(dict[str, object], value).get("__ansible_unsafe", value)
        about = f"`{variable}` of {shorten(self.name)}"
        if isinstance(value, bool):
            value = str(value).lower()
        if isinstance(value, dict) and "__ansible_vault" in value:
            raise Mistake(
                f"{about} is locked in a vault: it can be neither used nor shown", "write it in the clear"
            )
        if value is not None and not isinstance(value, str | int | float):
            raise Mistake(f"{about} is no text or number", "write one, or leave it out")
        said = "" if value is None else str(value).strip()
        if "{{" in said or "{%" in said:
            message = f"{about} is a template, `{shorten(said)}`, which only a playbook fills in: it says no value yet"
            raise Mistake(message, "write its value in the inventory")
        if not said.isprintable() or len(said) > most:
            raise Mistake(f"{about} has a character that isn't seen, or more than {most} of them", "mend it")
        return said

    def port(self) -> int | None:
        """The port that it is reached at; None where it says none."""
        said = self.text(_PORT)
        if said and not (
            said.isascii() and said.isdecimal() and 1 <= int(said[:6]) <= 65535 and len(said) < 6
        ):
            raise Mistake(
                f"`{shorten(said)}` is no port: it is that of {shorten(self.name)}", "mend its ansible_port"
            )
        return int(said) if said else None


def _parsed(printed: str) -> tuple[Groups, Mapping[str, Mapping[str, object]]]:
    """The groups with their hosts, `all` among them, and each host's variables. Mistake where it isn't of this form."""
    try:
        said = json.loads(printed)
        meta = said.pop("_meta", {}).get("hostvars", {})
        listed = {name: (tuple(g.get("hosts", ())), tuple(g.get("children", ()))) for name, g in said.items()}
        variables: dict[str, dict[str, object]] = {name: dict(own) for name, own in meta.items()}
        names = [*listed, *variables, *(name for pair in listed.values() for part in pair for name in part)]
        odd = [name for name in names if not (isinstance(name, str) and 0 < len(name) <= NAME_LENGTH)]  # pyright: ignore[reportUnnecessaryIsInstance]
    except (ValueError, AttributeError, TypeError, RecursionError):
        message = f"this is no inventory: {shorten(' '.join(printed[:200].split())) or 'nothing was printed'}"
        raise Mistake(message, "see what `ansible-inventory --list` prints of it") from None
    odd += [name for name in names if name not in odd and (not name.isprintable() or name != name.strip())]
    if odd:
        raise Mistake(
            f"a name in the inventory can't be shown or is too long: {ascii(odd[0])[:60]}",
            "give it another name",
        )
    groups = {name: frozenset(_below(name, listed)) for name in listed}
    everywhere = frozenset[str]().union(*groups.values(), variables)
    return {**groups, EVERY: everywhere}, variables


def _below(group: str, listed: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]) -> Iterator[str]:
    """The hosts of a group and of all groups below it."""
    left, seen = [group], {group}
    while left:
        hosts, children = listed.get(left.pop(), ((), ()))
        yield from hosts
        fresh = [child for child in children if child not in seen]
        seen.update(fresh)
        left += fresh


def _in_order(names: Iterable[str]) -> list[str]:
    """By name, numbers in it as numbers: what a cloud answers comes in any order, and waves are cut from this one."""

    def key(name: str) -> tuple[list[tuple[str, int]], str]:
        parts = _NUMBER.split(name)
        return [(text, int(n)) for text, n in zip(parts[::2], [*parts[1::2], "0"], strict=True)], name

    return sorted(names, key=key)


def _recorded(wanted: Inventory, targets: Sequence[Target], groups: Groups) -> str:
    """What the log keeps: of hosts what makes them targets, in the form that it was printed in."""
    hostvars = {t.id: _kept(t) for t in targets}
    listed = {name: {"hosts": _in_order(hosts)} for name, hosts in groups.items() if name != EVERY}
    said = {
        **{name: hosts for name, hosts in listed.items() if name != UNGROUPED or name in wanted.groups},
        EVERY: {"hosts": [t.id for t in targets]},
        "_meta": {"hostvars": {name: kept for name, kept in hostvars.items() if kept}},
    }
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _kept(target: Target) -> dict[str, object]:
    own = {"ansible_host": "" if target.host == target.id else target.host}
    own |= {"ansible_port": target.port or "", "ansible_user": target.user or ""}
    return {**target.labels, **{name: value for name, value in own.items() if value}}


def _warn(chosen: Sequence[str], variables: Mapping[str, Mapping[str, object]], findings: Findings) -> None:
    """What the inventory says of its hosts that this release doesn't go by."""
    used = {
        name: [h for h in chosen if variables.get(h, {}).get(name) not in (None, "", False)]
        for name in _NOT_READ
    }
    said = [f"`{name}` ({_some(hosts)})" for name, hosts in used.items() if hosts]
    if said:
        message = f"not read of the inventory: {', '.join(said)}"
        hint = "[ssh] of the plan says how targets are reached: jump, identity, user; steps run as that user"
        findings.warn((*AT, "ansible"), message, hint)
    elif "localhost" in chosen:
        message = "`localhost` of the inventory is this machine, and is reached by SSH as every other target"
        findings.warn(
            (*AT, "ansible"), message, 'leave it out; a step with `on = "here"` runs on this machine'
        )


def _some(names: Sequence[str]) -> str:
    return some([shorten(names[0]), *names[1:]], 1)
