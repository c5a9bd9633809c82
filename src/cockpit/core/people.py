"""Who may do what: the roles of the plan, resolved to people."""

from __future__ import annotations

from cockpit.core.plan import Plan, Stage, Step


def holders(plan: Plan, names: tuple[str, ...]) -> tuple[str, ...]:
    """The person ids that `names` (roles or person ids) stand for, each once, in order."""
    return tuple(dict.fromkeys(plan.roles.person(name) for name in names))


def deciders(plan: Plan, stage: Stage | None) -> tuple[str, ...]:
    """Who may let `stage` begin: its gate's approvers, else the decision owner.

    A stage that crosses a point of no return always takes the decision owner.
    """
    if stage is not None and no_return(plan, stage):
        return (plan.roles.decision_owner,)
    if stage is not None and stage.gate is not None:
        return holders(plan, stage.gate.approvers)
    return (plan.roles.decision_owner,)


def no_return(plan: Plan, stage: Stage) -> Step | None:
    """The stage's first step that can't be undone, or None."""
    return next((step for id_ in stage.steps if not (step := plan.step(id_)).reversible), None)


def stoppers(plan: Plan) -> tuple[str, ...]:
    """Who may abort or roll back."""
    named = plan.roles.stop_authority or (plan.roles.decision_owner, plan.roles.rollback_owner)
    return holders(plan, named)


def menders(plan: Plan) -> tuple[str, ...]:
    """Who may retry or exclude a target."""
    return tuple(dict.fromkeys((plan.roles.decision_owner, plan.roles.rollback_owner, *stoppers(plan))))


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


def names(plan: Plan, ids: tuple[str, ...]) -> str:
    """`ids` as a reader's list: "Dana Ruiz or Lee Chen"."""
    called = [plan.person_name(i) for i in ids]
    return called[0] if len(called) == 1 else f"{', '.join(called[:-1])} or {called[-1]}"
