"""A plan's text, checked: every problem with its place, and the plan if there is none."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from cockpit.core.plan import Plan
from cockpit.planfile import (
    check_checklist,
    check_compare,
    check_gates,
    check_notify,
    check_people,
    check_playbooks,
    check_rollout,
    check_secrets,
    check_signals,
    check_window,
)
from cockpit.planfile.build import build, built_anyway
from cockpit.planfile.models import PlanFile
from cockpit.planfile.names import collect
from cockpit.planfile.positions import Path as Place
from cockpit.planfile.positions import Positions, Span
from cockpit.planfile.problem import Findings, Problem, in_order
from cockpit.planfile.reading import MOST_BYTES, read
from cockpit.planfile.taken import NOTHING, Reader, Taken
from cockpit.planfile.validation import validate

NOWHERE: Mapping[str, Problem] = MappingProxyType({})
_SECRET = "\0secret "
"""Before what a secret is called among the places: no signal has such a name."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome of a check. `plan` is None where there is any problem; `data` are the very bytes checked.

    A recorded plan is there in spite of problems, as long as it can be built.

    `warnings` work, but the team should know. Both are sorted by position, at most 1,000 of each. `inventory` is what
    the log keeps of the plan's inventory.
    """

    source: str
    data: bytes = field(repr=False)
    sha256: str
    plan: Plan | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    inventory: str = field(default="", repr=False)
    _places: Mapping[str, Problem] = field(default_factory=lambda: NOWHERE, repr=False)

    def about_signal(self, name: str, message: str) -> str:
        """`message` as problems are shown, at the place in the plan that says what the signal reads, if it has one."""
        place = self._places.get(name)
        return message if place is None else replace(place, message=message).render()

    def about_secret(self, name: str, message: str) -> str:
        """The same at the place that says where a secret is looked up; `name` as core.secret calls it."""
        return self.about_signal(f"{_SECRET}{name}", message)


def parse(
    data: bytes,
    source: str,
    now: datetime | None = None,
    *,
    recorded: bool = False,
    reader: Reader | None = None,
    folder: Path | None = None,
) -> Checked:
    """Check the bytes of a plan; `source` is how problems call it. Never raises for what the bytes say.

    `reader` tells what is in the plan's inventory, if it has one. A recorded plan without: none was taken then.
    `folder` is the plan's, in which the files that it names are looked for; None: they aren't.

    With `now` a window that is over is worth a warning: not for plans that are read back from a log. Such a plan is
    `recorded`: some version accepted it, so rules that came later are told as problems and don't keep it from being
    built; what this version can't read at all does.
    """
    findings, document = read(data, source)
    plan: Plan | None = None
    places: Mapping[str, Problem] = {}
    taken = NOTHING
    if document is not None:
        file = validate(document, findings)
        if file.targets.inventory is not None and not (recorded and reader is None):
            taken = _taken(file, reader, findings)
        names = collect(file, taken, findings)
        readable = not findings.problems
        check_people.check(file, names, findings)
        check_window.check(file, names, now, findings)
        check_rollout.check(file, names, findings)
        check_playbooks.check(file, folder, findings)
        check_gates.check(file, names, findings)
        check_checklist.check(file, names, findings)
        check_signals.check(file, names, findings)
        check_compare.check(file, findings)
        check_notify.check(file, findings)
        check_secrets.check(file, document, findings)
        if not findings.problems:
            plan = build(file, names)
            check_compare.places(plan, findings)
        elif recorded and readable:
            plan = built_anyway(file, names)
        plan = plan if recorded or not findings.problems else None
        places = {s.name: _place(findings, check_signals.read_at(i, s)) for i, s in enumerate(file.signal)}
        places |= _secrets(file, findings)
    return _checked(data, plan, findings, places, taken.record)


def load(path: Path, now: datetime | None = None, reader: Reader | None = None) -> Checked:
    """Read and check a plan file, as `parse` does; one that can't be read is one problem."""
    try:
        with path.open("rb") as file:
            return parse(file.read(MOST_BYTES + 1), str(path), now, reader=reader, folder=path.parent)
    except OSError as fault:
        findings = Findings(str(path), [""], Positions(""))
        message = f"the plan can't be read: {fault.strerror}"
        findings.at(Span(1, 1, 1), message, "write the path of a plan, and check its permissions")
        return _checked(b"", None, findings)


def _taken(file: PlanFile, reader: Reader | None, findings: Findings) -> Taken:
    from cockpit.planfile.inventory import take  # noqa: PLC0415 - most plans have none

    return take(file, reader, findings)


def _secrets(file: PlanFile, findings: Findings) -> Mapping[str, Problem]:
    paths: dict[str, Place] = {name: ("secrets", name) for name in file.secrets.all}
    for i, stage in enumerate(file.stage):
        paths |= {f"{name} of {stage.name}": ("stage", i, "vars", name) for name in stage.vars}
    for i, signal in enumerate(file.signal):
        paths[f"password of {signal.name}"] = ("signal", i, "password")
    return {f"{_SECRET}{name}": _place(findings, path) for name, path in paths.items()}


def _place(findings: Findings, path: Place) -> Problem:
    """The value at `path`, as a problem that says nothing yet."""
    span = findings.positions.value(path)
    return Problem(
        findings.source, span.line, span.column, span.length, "", "", findings.lines[span.line - 1]
    )


def _checked(
    data: bytes,
    plan: Plan | None,
    findings: Findings,
    places: Mapping[str, Problem] = NOWHERE,
    record: str = "",
) -> Checked:
    return Checked(
        source=findings.source,
        data=data,
        sha256=hashlib.sha256(data).hexdigest(),
        plan=plan,
        problems=in_order(findings.problems),
        warnings=in_order(findings.warnings),
        inventory=record,
        _places=places,
    )
