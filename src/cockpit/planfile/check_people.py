"""Checks of a plan's promises: impact, window, people, roles, checklist."""

from __future__ import annotations

import zoneinfo
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import chain

from cockpit.core.plan import HERE, ROLE_NAMES
from cockpit.planfile.models import PlanFile
from cockpit.planfile.names import Names, held
from cockpit.planfile.positions import Path
from cockpit.planfile.problem import Findings, shorten

_NO_IMPACT = frozenset({"none", "no", "n/a", "na", "nothing", "no impact", "tbd", "-", "?"})
_VAGUE = frozenset(
    (
        "ok",
        "okay",
        "done",
        "check",
        "checked",
        "test",
        "tests",
        "tested",
        "verify",
        "verified",
        "ready",
        "good",
        "fine",
    )
)


def check(plan: PlanFile, names: Names, findings: Findings) -> None:
    """Everything about the release's promises and the people who keep them."""
    _release(plan, findings)
    _window(plan, findings)
    _people(plan, names, findings)
    _checklist(plan, names, findings)
    who(("rollback", "approval"), plan.rollback.approval, names, findings)


def who(path: Path, named: Sequence[str], names: Names, findings: Findings) -> None:
    """Each of `named` must be a role that is held or a person; `path` is the list's (or the single value's) place."""
    unread = not findings.sure("people") or not findings.sure("roles")
    if unread or (names.from_roles and findings.lost("roles")):
        return
    known = names.who
    for i, name in enumerate(named):
        if name in known or not name:
            continue
        if name in ROLE_NAMES:
            message = f"nobody holds the role `{name}`"
            hint = f'write {name} = "..." under [roles]'
        else:
            message = f"`{shorten(name)}` is neither a person nor a role of this plan"
            hint = findings.instead(name, known)
        findings.problem((*path, i) if (*path, i) in findings.positions.values else path, message, hint)


def _release(plan: PlanFile, findings: Findings) -> None:
    release = plan.release
    if release.customer_impact.strip(" .!").lower() in _NO_IMPACT:
        message = "every release can half fail: without its customer impact nobody can weigh going back"
        findings.problem(("release", "customer_impact"), message, "write what customers notice when it does")
    if release.version and release.version == release.previous_version:
        message = "the new and the previous version are the same: going back would change nothing"
        findings.warn(("release", "previous_version"), message, "write the version that runs now")


def _window(plan: PlanFile, findings: Findings) -> None:
    window = plan.window
    if window is None:
        return
    zone = _zone(window.timezone, findings)
    opens, closes = (
        _local(("window", key), moment, zone, findings)
        for key, moment in (("opens", window.opens), ("closes", window.closes))
    )
    if opens and closes and opens >= closes:
        findings.problem(
            ("window", "closes"), "the window closes before it opens", "write a later time, or swap the two"
        )
    for i, freeze in enumerate(window.freeze):
        if not (freeze.since and freeze.until):
            continue
        if freeze.until < freeze.since:
            message = f"the freeze ends ({freeze.until}) before it begins ({freeze.since})"
            findings.problem(("window", "freeze", i, "to"), message, "write the last frozen day")
        elif (
            window.opens
            and window.closes
            and freeze.since <= window.opens.date()
            and window.closes.date() <= freeze.until
        ):
            message = "the whole window lies in this freeze: the release could never start"
            findings.problem(("window", "freeze", i), message, "move the window or the freeze")


def _zone(name: str, findings: Findings) -> zoneinfo.ZoneInfo | None:
    try:
        return zoneinfo.ZoneInfo(name) if name else None
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        hint = findings.instead(
            name, sorted(zoneinfo.available_timezones()), 'write one such as "Europe/Berlin"'
        )
        findings.problem(("window", "timezone"), f"there is no time zone `{shorten(name)}`", hint)
        return None


def _local(
    path: Path, moment: datetime | None, zone: zoneinfo.ZoneInfo | None, findings: Findings
) -> datetime | None:
    """The moment in UTC, after checking that it is written as a local time that exists."""
    if moment is None or zone is None:
        return None
    if moment.tzinfo is not None:
        plain = moment.replace(tzinfo=None).isoformat()
        findings.problem(
            path, "the window's times are local to `timezone`, without an offset", f"write {plain}"
        )
        return None
    there = moment.replace(tzinfo=zone)
    if there.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
        message = f"this time doesn't exist in {zone.key}: the clocks skip it that day"
        findings.problem(path, message, "write a time before or after the change")
    elif there.utcoffset() != there.replace(fold=1).utcoffset():
        findings.warn(
            path, f"this time comes twice in {zone.key} that day: the first is taken", "write another time"
        )
    return there.astimezone(UTC)


def _people(plan: PlanFile, names: Names, findings: Findings) -> None:
    for id_, person in plan.people.items():
        until = person.on_shift_until
        if until is not None and until.tzinfo is None and plan.window is None:
            message = "without a [window] there is no time zone for this time"
            findings.problem(
                ("people", id_, "on_shift_until"), message, f"write {until.isoformat()}Z, with its offset"
            )
        if id_ in dict(held(plan.roles)) or id_ == "cockpit":
            hint = "give the person another id"
            findings.problem(
                ("people", id_), f"`{id_}` is a role or reserved, not the id of a person", hint, key=True
            )
    if not findings.sure("people"):
        return
    for role, holder in held(plan.roles):
        if not names.from_roles and holder and holder not in names.people:
            message = f"`{shorten(holder)}` isn't under [people]: nobody holds `{shorten(role)}`"
            findings.problem(("roles", role), message, findings.instead(holder, plan.people))
        if (
            role not in ROLE_NAMES
            and (near := findings.similar(role, ROLE_NAMES))
            and not getattr(plan.roles, near)
        ):
            message = f"`{shorten(role)}` would be a role of your own, while `{near}` stays empty"
            findings.problem(("roles", role), message, f"write {near}", key=True)
    if not names.from_roles:
        who(("roles", "stop_authority"), plan.roles.stop_authority, names, findings)


def _checklist(plan: PlanFile, names: Names, findings: Findings) -> None:
    first: dict[str, int] = {}
    for i, item in enumerate(plan.checklist):
        path: Path = ("checklist", i)
        if item.id and first.setdefault(item.id, i) != i:
            message = f"a second checklist item is called `{shorten(item.id)}`"
            findings.problem((*path, "id"), message, "give each item an id of its own")
        who((*path, "owner"), [item.owner], names, findings)
        who((*path, "approval"), item.approval, names, findings)
        stage = item.before.removeprefix("stage:")
        if item.before not in ("start", "close") and stage not in names.stages and findings.sure("stage"):
            message = f"`{shorten(item.before)}` is neither start, close nor a stage: this item would hold nothing back"
            hint = findings.instead(stage, chain(("start", "close"), names.stages))
            findings.problem((*path, "before"), message, hint)
        if item.on != HERE and names.members.get(item.on) != (item.on,) and findings.sure("targets"):
            message = f"there is no target `{shorten(item.on)}`"
            findings.problem((*path, "on"), message, findings.instead(item.on, chain((HERE,), names.members)))
        words = item.text.lower().strip(" .!").split()
        if words and (len(words) < 3 or all(word in _VAGUE for word in words)):
            message = f'"{shorten(item.text)}" is vague: nobody can say when it is true'
            findings.warn(
                (*path, "text"), message, "write what is true once it is signed, with the number or place"
            )
