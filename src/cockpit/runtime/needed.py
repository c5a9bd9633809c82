"""What a release without a screen needs of people: a line each, with the command that answers it from any shell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from shlex import quote

from cockpit.core import attendance, checklist, consent, gates, people, readiness, roles
from cockpit.core.events import Finding, RolloutPaused
from cockpit.core.plan import ChecklistItem, Stage
from cockpit.core.rollout import current_stage, stuck
from cockpit.core.state import State, breached, clean
from cockpit.core.view import next_line


@dataclass(frozen=True, slots=True)
class Reader:
    """Whoever reads the lines: the account that this runs as, and the person who drives the release in it."""

    os_user: str
    person: str

    def command(
        self, state: State, who: Sequence[str], words: str, with_key: str = "", account_only: bool = False
    ) -> str:
        """The command by which one of `who` answers, as it is typed here: with --as where the plan doesn't know them.

        `with_key` are its words for somebody whose key the plan has. `account_only`: a typed name isn't enough.
        """
        plan = state.plan
        here = people.person_of(plan, self.os_user)
        accounts = {p.id: p.os_user for p in plan.people}
        able = [
            p
            for p in who
            if p == here
            or (accounts.get(p) is None and (not account_only or (with_key and people.has_key(plan, p))))
        ]
        if able:
            person = next((p for p in (here, self.person) if p in able), able[0])
            typed = with_key if with_key and people.has_key(plan, person) else words
            return f"`cockpit {typed}{'' if person == here else f' --as {quote(person)}'}`"
        if not who:
            return f"`cockpit {words}`"
        return f"`cockpit {words}` from the account {' or '.join(accounts.get(p) or p for p in who)}"

    def anyone(self, state: State, words: str) -> str:
        """The command as whoever sits here types it."""
        return self.command(state, (people.person_of(state.plan, self.os_user) or self.person,), words)


def now(state: State, at: datetime, reader: Reader) -> tuple[str, ...]:
    """All that a release under way needs, a line each; nothing while it goes on by itself."""
    return (*waited_for(state, at, reader), *called_for(state, reader))


def before_start(state: State, missing: Sequence[Finding], reader: Reader) -> tuple[str, ...]:
    """A line for each thing that people settle before the start."""
    return tuple(line for finding in missing for line in _before(state, finding, reader))


def _before(state: State, finding: Finding, reader: Reader) -> Iterator[str]:
    kind, _, about = finding.key.partition(":")
    if kind == "checklist":
        yield from _signatures(state, state.plan.item(about), reader)
        return
    if kind == "role":
        words = (f"accept {quote(about)}", f"sign role:{quote(about)}")
        how = reader.command(state, (state.plan.roles.holder(about) or "",), *words)
    elif kind == "left":
        how = f"they come back, or somebody takes the role: {reader.anyone(state, 'attach')}, then M"
    else:
        signal = readiness.signal_of(state.plan, finding)
        words = f"signal {quote(signal.name)} VALUE"
        by = attendance.reader(state.plan, signal)
        how = reader.command(state, (by,), words) if by else reader.anyone(state, words)
    yield f"{finding.text}: {how}"


def _signatures(state: State, item: ChecklistItem, reader: Reader) -> Iterator[str]:
    """A line for each signature that the item wants; for what its check has against it, until it has none."""
    if against := checklist.unhealthy(state, item):
        owner = people.names(state.plan, checklist.signers(state, item)[:1])
        yield f"{owner} sees to “{item.text}”: {against}"
        return
    for person in checklist.missing(state, item):
        how = reader.command(state, (person,), f"sign {quote(item.id)}")
        yield f"{state.plan.person_name(person)} signs “{item.text}”: {how}"


def waited_for(state: State, at: datetime, reader: Reader) -> tuple[str, ...]:
    """What a person has to do now for the release to go on."""
    stage = current_stage(state)
    waiting = state.paused is not None or (state.phase == "waiting" and state.rollback is None)
    lines: list[str] = []
    holding = checklist.holding(state, f"stage:{stage.name}" if stage else "close")
    if state.back_asked is not None:
        lines = list(_agreements(state, reader))
    elif waiting and state.paused is None and holding:
        before = f"before “{stage.name}”" if stage else "before the close"
        lines = [f"{before} {line}" for item in holding for line in _signatures(state, item, reader)]
    elif waiting and (state.paused is not None or clean(state)):  # a limit that holds it needs no hand yet
        line, how = next_line(state, at), _answered_by(state, stage, reader)
        lines = [f"{line}{'' if line.endswith(('.', '?', '!')) else '.'} {how}" if how else line]
    if (
        state.rollback is None
        and state.aborted is None
        and stage is not None
        and (gone := roles.holds(state))
    ):
        lines = [line for line in lines if not line.startswith(gone)]
        back = "nothing expands until they are back, or somebody takes the role"
        lines.append(f"{gone}: {back} ({reader.anyone(state, 'attach')}, then M)")
    return tuple(lines)


def _agreements(state: State, reader: Reader) -> Iterator[str]:
    """A rollback that is asked for: how each who has yet to agree does, or declines; and how to go without them."""
    says, who = consent.sentence(state, "")
    yield f"{says}."
    for person in who:
        with_key = f"sign rollback:{quote(state.plan.release.service)}"
        account_only = not state.plan.roles.typed_names
        yes = reader.command(state, (person,), "rollback", with_key, account_only)
        no = reader.command(state, (person,), 'decline "why"')
        yield f"{state.plan.person_name(person)} agrees: {yes}. Declines: {no}"
    round_ = reader.command(state, people.stoppers(state.plan), 'rollback --override "why"')
    yield f"Back without {consent.called(state)}: {round_}"


def _answered_by(state: State, stage: Stage | None, reader: Reader) -> str:
    """The commands that answer what the release waits for."""
    back = f"Go back: {reader.command(state, people.stoppers(state.plan), 'rollback')}"
    if state.paused is not None and state.rollback is None and (stuck(state) or breached(state)):
        return f"On a screen: {reader.anyone(state, 'attach')}. {back}"
    if state.paused is not None:
        who, words = _resumers(state), 'resume --go-on "why"'
        on = reader.command(state, who, words) if who else reader.anyone(state, words)
        return f"Go on: {on}. {back}"
    if stage is None or not clean(state):
        return ""
    who, is_gate_shut = gates.deciders(state, stage), not gates.opened(state, stage)
    takes_key = stage.gate is not None or people.no_return(state.plan, stage) is not None
    with_key = f"sign gate:{quote(stage.name)}" if takes_key else ""
    account_only = is_gate_shut and not state.plan.roles.typed_names
    yes = f"Say yes: {reader.command(state, who, 'promote', with_key, account_only)}"
    if stage.gate is None:
        return yes
    no = reader.command(state, who, 'reject "what has to change"')
    return f"{yes}. Say no: {no}"


def _resumers(state: State) -> tuple[str, ...]:
    """Who may say that it goes on; empty: anyone."""
    if state.rollback is not None:
        return people.stoppers(state.plan)
    by_hand = isinstance(state.paused, RolloutPaused) and state.resumed is None and clean(state)
    return () if by_hand else people.promoters(state.plan)


def called_for(state: State, reader: Reader) -> tuple[str, ...]:
    """Whom the release calls, and what they are to answer, a line each; nothing once it is over."""
    if state.closed is not None or state.rollback is not None or state.aborted is not None:
        return ()
    lines: list[str] = []
    if state.proposed is not None:
        who = people.stoppers(state.plan)
        back, no = (reader.command(state, who, words) for words in ("rollback", 'decline "why"'))
        lines.append(f"{state.proposed.reason}: {people.names(state.plan, who)} decides: {back}, or {no}")
    elif state.unexplained is not None:
        seen = f": {state.unexplained.reason}" if state.unexplained.reason else ""
        until = state.unexplained.at + state.unexplained.within
        how = reader.anyone(state, 'explain "what it was"')
        lines.append(f"unexplained{seen}: {how}, until {until:%H:%M:%S} UTC")
    for call in state.escalations.values():
        named = people.holders(state.plan, call.escalate_to)
        who = people.names(state.plan, named) if named else "somebody"
        limit = state.plan.threshold(call.threshold).called
        how = reader.command(state, named, "here") if named else reader.anyone(state, "here")
        lines.append(f"{limit} calls {who}: {how} answers")
    return tuple(lines)
