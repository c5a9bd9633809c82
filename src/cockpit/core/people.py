"""Who may do what: the roles of the plan, resolved to people."""

from __future__ import annotations

from collections.abc import Iterable

from cockpit.core import commands as cmd
from cockpit.core.commands import Refused
from cockpit.core.events import Level
from cockpit.core.plan import ROLE_NAMES, Plan, Stage, Step


def holders(plan: Plan, names: tuple[str, ...]) -> tuple[str, ...]:
    """The person ids that `names` (roles or ids) stand for, each once, in order; none for a role that nobody holds."""
    found = dict.fromkeys(plan.roles.person(name) for name in names)
    return tuple(person for person in found if person and person not in ROLE_NAMES)


def promoters(plan: Plan) -> tuple[str, ...]:
    """Who may promote, override and change a limit: the decision owner, and whom the plan names beside them."""
    return holders(plan, (plan.roles.decision_owner, *plan.roles.go_authority))


def level(plan: Plan, c: cmd.HumanCommand) -> Level:
    """How sure it is that `c` is the word of whoever it says."""
    if isinstance(c, cmd.SignedCommand) and c.signature:
        return "key"
    own = not c.via and c.os_user and person_of(plan, c.os_user) == c.by
    return "account" if own else "typed"


def unproven(plan: Plan, c: cmd.SignedCommand, what: str, sure: Level) -> Refused | None:
    """Why `what` doesn't take this word: it takes a key where the person has one, and never a typed name alone."""
    if refused := unsigned(plan, c, what):
        return refused
    if sure != "typed" or plan.roles.typed_names:
        return None
    return Refused(
        f"{what} takes more than a typed name: {plan.person_name(c.by)} decides from their own account, or signs with "
        f"their key; the plan can say so with `os_user` or `key` under [people], or allow `typed_names` under [roles]"
    )


def unsigned(plan: Plan, c: cmd.SignedCommand, what: str) -> Refused | None:
    """Why `what` doesn't take this word: whoever has a key in the plan signs with it."""
    if c.signature or not has_key(plan, c.by):
        return None
    return Refused(f"{what} takes {plan.person_name(c.by)}'s key: `cockpit sign` signs with it")


def has_key(plan: Plan, person: str) -> bool:
    """Whether the plan has the person's SSH key."""
    return key_of(plan, person) != ""


def key_of(plan: Plan, person: str) -> str:
    """The person's SSH public key in the plan, or empty."""
    return next((p.key or "" for p in plan.people if p.id == person), "")


def no_return(plan: Plan, stage: Stage) -> Step | None:
    """The stage's first step that can't be undone, or None."""
    return next((step for id_ in stage.steps if not (step := plan.step(id_)).reversible), None)


def stoppers(plan: Plan) -> tuple[str, ...]:
    """Who may abort or roll back."""
    named = plan.roles.stop_authority or ("decision_owner", "rollback_owner")
    return holders(plan, named)


def menders(plan: Plan) -> tuple[str, ...]:
    """Who may retry or exclude a target."""
    return holders(plan, ("decision_owner", "rollback_owner", *stoppers(plan)))


def known(plan: Plan, person: str) -> bool:
    """Whether the plan names `person`."""
    return any(p.id == person for p in plan.people) or any(
        person == holder for _, holder in plan.roles.held()
    )


def person_of(plan: Plan, os_user: str) -> str:
    """The person whom the plan knows by this operating-system user, or empty.

    Whoever the plan gives no `os_user` is known by their id.
    """
    known = [p.id for p in plan.people if (p.os_user or p.id) == os_user]
    return known[0] if len(known) == 1 else ""


def roles_of(plan: Plan, person: str) -> tuple[str, ...]:
    """The roles that `person` holds."""
    return tuple(role for role, holder in plan.roles.held() if holder == person)


def listed(names: Iterable[str]) -> str:
    """`a, b and c`; "nobody" where there are none."""
    *others, last = tuple(names) or ("nobody",)
    return f"{', '.join(others)} and {last}" if others else last


def names(plan: Plan, ids: tuple[str, ...]) -> str:
    """`ids` as a reader's list: "Dana Ruiz or Lee Chen"; "nobody" where there are none."""
    called = [plan.person_name(i) for i in ids]
    if not called:
        return "nobody"
    return called[0] if len(called) == 1 else f"{', '.join(called[:-1])} or {called[-1]}"
