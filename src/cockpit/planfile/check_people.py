"""Checks of a plan's people: what customers feel, who is named, their accounts and keys, who holds which role."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cockpit.core.plan import ROLE_NAMES
from cockpit.planfile import keys
from cockpit.planfile.models import PlanFile
from cockpit.planfile.names import Names, held
from cockpit.planfile.positions import Path
from cockpit.planfile.problem import Findings, shorten
from cockpit.planfile.scalars import Mistake

_NO_IMPACT = frozenset({"none", "no", "n/a", "na", "nothing", "no impact", "tbd", "-", "?"})
_SIGNER = re.compile(r"[^\s\"*?!,#\\-][^\s\"*?!,\\]*")
"""Whom ssh-keygen can take for a principal, in an allowed_signers file."""

_ASIDE = re.compile(r"[:;,.!–—-]")


def check(plan: PlanFile, names: Names, findings: Findings) -> None:
    """Everything about what the release may do to customers, and the people who answer for it."""
    _release(plan, findings)
    _people(plan, findings)
    _accounts(plan, findings)
    _keys(plan, findings)
    _roles(plan, names, findings)
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
    said = release.customer_impact.strip().lower()
    parts = [part.strip() for part in _ASIDE.split(said) if part.strip()]
    if said in _NO_IMPACT or (parts and all(part in _NO_IMPACT for part in parts)):
        message = "every release can half fail: without its customer impact nobody can weigh going back"
        findings.problem(("release", "customer_impact"), message, "write what customers notice when it does")
    if release.version and release.version == release.previous_version:
        message = "the new and the previous version are the same: going back would change nothing"
        findings.warn(("release", "previous_version"), message, "write the version that runs now")


def _people(plan: PlanFile, findings: Findings) -> None:
    for id_ in plan.people:
        if id_ in dict(held(plan.roles)) or id_ == "cockpit":
            message = f"`{shorten(id_)}` is a role or reserved, not the id of a person"
            findings.problem(("people", id_), message, "give the person another id", key=True)


def _accounts(plan: PlanFile, findings: Findings) -> None:
    """Whoever comes from an account that is two people's is known as neither."""
    first: dict[str, str] = {}
    for id_, person in plan.people.items():
        account = person.os_user or id_
        other = first.setdefault(account, id_)
        if other != id_:
            message = (
                f"`{shorten(account)}` is the account of `{shorten(other)}` too: it tells neither of them"
            )
            hint = "write the os_user of each; whoever gives none is known by their id"
            findings.warn(("people", id_, "os_user"), message, hint)


def _keys(plan: PlanFile, findings: Findings) -> None:
    owners: dict[bytes, str] = {}
    for id_, person in plan.people.items():
        path: Path = ("people", id_, "key")
        if person.key is None:
            continue
        if not _SIGNER.fullmatch(id_):
            message = f"`{shorten(id_)}` can't stand in a list of signers: this key would count for nobody"
            findings.problem(path[:2], message, "write an id of letters, digits, `-`, `_` and `.`", key=True)
        if keys.shortened(person.key):
            message = (
                "only the beginning of a key: nothing that they sign will count, nor anything without it"
            )
            findings.warn(path, message, keys.PUB_FILE)
            continue
        try:
            other = owners.setdefault(keys.public_key(person.key), id_)
        except Mistake as wrong:
            findings.problem(path, str(wrong), wrong.hint, secret=True)
            continue
        if other != id_:
            message = f"this key is that of `{shorten(other)}` too: nobody could tell who signed"
            findings.problem(path, message, "write the key that only this person has")


def _roles(plan: PlanFile, names: Names, findings: Findings) -> None:
    path: Path = ("roles", "rollback_owner")
    if not plan.roles.rollback_owner and not {path, path[:1]} & findings.broken:
        message = "nobody holds rollback_owner: not ready until somebody does"
        findings.warn(path, message, 'write rollback_owner = "...", who leads the way back', key=True)
    if not findings.sure("people"):
        return
    for role, holder in held(plan.roles):
        if names.from_roles and holder and (holder in dict(held(plan.roles)) or holder == "cockpit"):
            message = f"`{shorten(holder)}` is a role or reserved: nobody would hold `{shorten(role)}`"
            findings.problem(("roles", role), message, "write a person's id")
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
        who(("roles", "go_authority"), plan.roles.go_authority, names, findings)
