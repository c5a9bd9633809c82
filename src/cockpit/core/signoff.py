"""Whether a signed statement is what it is presented as, here and now; whose key made it, others check."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core import rollout
from cockpit.core.plan import ChecklistItem, Plan
from cockpit.core.state import Paused, State
from cockpit.core.statement import Said, Statement

VALID = timedelta(minutes=15)
"""How long a challenge may be answered."""

NOTHING = "there is nothing here that this could sign"
USED = "it was handed in already: each signature counts once"


SignedEvent = ev.ChecklistSigned | ev.StageApproved | ev.StagePromoted | ev.RoleAccepted | ev.RollbackAgreed
"""What a signature may stand under."""


class Asked(NamedTuple):
    """What a command that may be signed decides, and about what."""

    decision: Said
    about: str
    text: str


def asked(state: State, command: cmd.SignedCommand) -> Asked | None:
    """What `command` decides now; None where there is no such item, gate or role, or no approval to give."""
    match command:
        case cmd.SignItem():
            return _item(state.plan, command.item)
        case cmd.Promote():
            stage = rollout.current_stage(state)
            named = stage is not None and command.stage in ("", stage.name)
            return _gate(state.plan, stage.name) if stage is not None and named else None
        case cmd.AcceptRole() if command.role:
            return _role(state.plan, command.role)
        case cmd.RollBack() if state.plan.rollback.approval and not command.override:
            return _way_back(state.plan)
        case _:
            return None


def overtaken(command: cmd.SignedCommand, since: Iterable[ev.Event]) -> str:
    """Why what was signed counts no more, or empty: what voids approvals and sign-offs happened `since` then."""
    for event in since:
        match command, event:
            case cmd.Promote(), _ if isinstance(event, Paused):
                return "the rollout was paused since it was signed: look, and sign anew"
            case cmd.SignItem(item=item), ev.ItemChecked(ok=False) if event.item == item:
                return f"{item} wasn't healthy since it was signed: look, and sign anew"
            case cmd.RollBack(), ev.ProposalDeclined(asked=True):
                return "the rollback was declined since it was signed: look, and sign anew"
            case _:
                pass
    return ""


def other(command: cmd.SignedCommand, said: Statement) -> str:
    """Why the statement isn't about what `command` itself names, or empty: what can be told apart from a session."""
    match command:
        case cmd.SignItem():
            named = ("sign", command.item)
        case cmd.Promote():
            named = ("approve", command.stage or said.about)
        case cmd.AcceptRole():
            named = ("accept", command.role)
        case cmd.RollBack():
            named = ("roll back", command.service or said.about)
        case _:
            return NOTHING
    if (said.decision, said.about) != named or command.by not in ("", said.person):
        return (
            f"it says that {said.person} would {said.decision} {said.about}, which isn't what was asked for"
        )
    return ""


def recorded(plan: Plan, event: SignedEvent) -> Asked | None:
    """What `event` says was decided; None where the plan has no such item or stage."""
    if isinstance(event, ev.ChecklistSigned):
        return _item(plan, event.item)
    if isinstance(event, ev.StageApproved | ev.StagePromoted):
        return _gate(plan, event.stage)
    return _way_back(plan) if isinstance(event, ev.RollbackAgreed) else _role(plan, event.role)


def _item(plan: Plan, id_: str) -> Asked | None:
    item = next((i for i in plan.checklist if i.id == id_), None)
    return Asked("sign", item.id, wording(item)) if item is not None else None


def _gate(plan: Plan, name: str) -> Asked | None:
    stage = next((s for s in plan.stages if s.name == name), None)
    if stage is None:
        return None
    words = stage.gate.instructions if stage.gate is not None else ""
    return Asked("approve", name, _in_a_line(words) or _what(plan))


def _role(plan: Plan, role: str) -> Asked:
    return Asked("accept", role, _what(plan))


def _way_back(plan: Plan) -> Asked:
    text = f"{_what(plan)} back to {plan.release.previous_version}"
    return Asked("roll back", plan.release.service, _in_a_line(text))


def _what(plan: Plan) -> str:
    return f"{plan.release.service} {plan.release.version}"


def wording(item: ChecklistItem) -> str:
    """What a signature of the item stands for, in a line."""
    condition = f" (data: {item.data_condition})" if item.data_condition else ""
    return _in_a_line(f"{item.text}{condition}")


def _in_a_line(text: str) -> str:
    return " ".join(text.split())


def used(state: State, signature: str) -> bool:
    """Whether what a block (or a line alone) says was said in this session already: each counts once."""
    return signature.partition("\n")[0] in state.statements


def challenge(
    state: State, command: cmd.SignedCommand, head: tuple[int, str], nonce: str, at: datetime
) -> Statement | None:
    """What `command.by` is to sign for it; None where there is nothing to sign. `head` is the log's head now."""
    what, opened = asked(state, command), state.opened
    if what is None or opened is None:
        return None
    at = at.replace(microsecond=0)
    return Statement(
        command.by,
        what.decision,
        what.about,
        what.text,
        opened.plan_sha256,
        opened.session,
        f"{head[0]}:{head[1]}",
        nonce,
        at + VALID,
    )


def refusal(state: State, command: cmd.SignedCommand, said: Statement, line: str) -> str:
    """Why the statement isn't the word that `command` needs, or empty. `line` is it as it was signed."""
    what, opened = asked(state, command), state.opened
    if what is None or opened is None:
        return NOTHING
    if (said.plan, said.session) != (opened.plan_sha256, opened.session):
        return "it was signed for another plan or another session: sign anew here"
    if said.person != command.by:
        return f"{state.plan.person_name(said.person)} signed it, not {state.plan.person_name(command.by)}"
    if (said.decision, said.about) != (what.decision, what.about):
        return f"it says {said.decision} {said.about}, not {what.decision} {what.about}"
    if said.text != what.text:
        return f"{said.about} has changed since: sign it anew"
    if command.at > said.until:
        return f"it could be handed in until {said.until:%H:%M:%S} UTC: sign anew"
    if said.until > command.at + VALID:
        return "it would count for longer than a challenge of ours: sign anew"
    if used(state, line):
        return USED
    return ""
