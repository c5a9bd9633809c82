"""What `check` tells of a plan's inventory: its hosts, their groups, and what changed since the last session."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from cockpit.cli.loading import Read
from cockpit.core.listing import ranges, some
from cockpit.core.text import visible

COUNTS_MOST = 12
"""Groups, or values of a label, that are counted one by one; more are summed up."""


def told(plan: Any, read: Read) -> Iterator[str]:
    """Its lines, the first a title; none where the plan has no inventory."""
    from cockpit.export.preview import SINGLY

    taken = plan.inventory
    if taken is None:
        return
    targets = [plan.target(name) for name in taken.hosts]
    those = f", those of {', '.join(taken.groups)}" if taken.groups else ""
    yield "Inventory"
    yield f"  {taken.source}: {len(targets)} host{'s' * (len(targets) != 1)}{those}"
    if len(targets) <= SINGLY:
        yield from (f"    {_line(target)}" for target in targets)
    else:
        yield f"    groups: {_counted(group for target in targets for group in target.groups)}"
        for label in taken.labels:
            yield f"    {label}: {_counted(target.labels.get(label, '(none)') for target in targets)}"
    yield from (f"  {line}" for line in _since(plan, targets, read))
    yield from (f"  Ansible warns: {said}" for said in read.said)


def lines(plan: Any, read: Read) -> str:
    """As `told`, to be printed."""
    return "".join(f"{visible(line)}\n" for line in told(plan, read))


def _line(target: Any) -> str:
    """One host: how it is reached, its groups and its labels."""
    port = f" port {target.port}" if target.port else ""
    user = f" as {target.user}" if target.user else ""
    labels = "".join(f" {name}={value}" for name, value in target.labels.items())
    groups = f" ({', '.join(target.groups)})" if target.groups else ""
    return f"{target.id}: {target.host}{port}{user}{groups}{labels}"


def _counted(values: Iterator[str]) -> str:
    return some([f"{value} {n}" for value, n in Counter(values).most_common()], COUNTS_MOST + 1) or "none"


def _since(plan: Any, targets: Sequence[Any], read: Read) -> Iterator[str]:
    from cockpit.planfile.inventory import difference, targets_in
    from cockpit.store.sessions import with_inventory

    if read.session:
        yield f"not asked now (--offline): these are the hosts that {read.session} recorded"
        return
    last = with_inventory(plan.release.service, plan.release.environment)
    if last is None:
        yield "first session with an inventory: nothing to compare with"
        return
    changes = difference(targets_in(last.inventory), targets)
    if not changes:
        yield f"as in {last.session}: the same hosts, addresses and groups"
        return
    yield f"since {last.session}:"
    yield from (f"  {what}: {as_ranges(names)}" for what, names in changes.items())


def as_ranges(names: Sequence[str]) -> str:
    """Names in ranges, as far as a person reads on."""
    from cockpit.export.preview import SINGLY

    whole = ranges(names)
    return whole if whole.count(", ") < SINGLY else some(names, SINGLY + 1)
