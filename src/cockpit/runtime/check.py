"""Readiness looked at before a session: targets examined, signals read and checks run once, nothing changed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from cockpit.core import attendance, people, readiness
from cockpit.core import commands as cmd
from cockpit.core.commands import Command, Refused
from cockpit.core.decide import decide
from cockpit.core.events import Finding
from cockpit.core.evolve import replay
from cockpit.core.plan import Plan
from cockpit.core.secret import references
from cockpit.core.state import State, initial
from cockpit.remote import secrets
from cockpit.remote.base import Runner
from cockpit.remote.secrets import SecretError, is_reference, look_up
from cockpit.runtime import freezes, left_to_do, playbooks, usual
from cockpit.runtime.checks import Checks
from cockpit.runtime.discreet import Discreet
from cockpit.runtime.engine import utc_now
from cockpit.runtime.examining import Examining
from cockpit.runtime.hooks import shown
from cockpit.runtime.rehearsed import found
from cockpit.runtime.sampling import Sampling
from cockpit.runtime.session import runners
from cockpit.runtime.sockets import own_user
from cockpit.steps import commands

PATIENCE = timedelta(seconds=15)
"""How long signals have for their first reading; targets and checks take their own time."""


@dataclass(frozen=True, slots=True)
class Looked:
    """Every line of readiness, and for each signal that can't be read the reason; people's own aren't among them.

    `mute`: by how it is shown, each hook whose address can't be looked up here, and why. `secrets`: by what to call
    it, each secret for commands that can't.
    """

    findings: tuple[Finding, ...]
    unreadable: Mapping[str, str]
    mute: Mapping[str, str]
    secrets: Mapping[str, str]


async def look(plan: Plan, path: str) -> Looked:
    """What a session would find now that whoever looks opens it; nobody has signed or accepted anything else yet.

    `path` is where the plan lies.
    """
    runner = runners(plan)
    sampling = Sampling(plan, runner, runner.host_sample, utc_now, lambda: None)
    session, me = _Session(initial(plan, commands)), own_user()
    opener = people.person_of(plan, me)
    session.tell(cmd.OpenSession(utc_now(), "check", "", opener, me, "", "", "", "", "", False))
    if (rehearsed := found(plan, path, utc_now())) is not None:
        session.tell(rehearsed)
    session.tell(await left_to_do.look(plan, utc_now))
    if (times := await usual.look(plan, utc_now)) is not None:
        session.tell(times)
    if (calendar := await freezes.look(plan, path, utc_now)) is not None:
        session.tell(calendar)
    unknown: Mapping[str, str] = {}
    if isinstance(runner, Discreet):
        unknown = await runner.vault.missing(plan)
        session.tell(cmd.ReportSecrets(utc_now(), tuple(f"{name}: {why}" for name, why in unknown.items())))
    checks = Checks(plan, runner, utc_now, session.tell, lambda: session.state)
    asking = asyncio.gather(
        _targets(plan, runner, session), _playbooks(plan, path, session), checks.run_once()
    )
    try:
        sampling.start()
        deadline = utc_now() + PATIENCE
        while not asking.done() or (readiness.pending(session.state, entered=False) and utc_now() < deadline):
            await asyncio.sleep(0.1)
            verdicts = sampling.judging.verdicts(session.state, utc_now())
            for report in (*sampling.readable(utc_now()), *verdicts):
                session.tell(report)
        await asking
    finally:
        asking.cancel()
        await sampling.stop()
        await runner.close()
    typed = {s.name for s in attendance.typed(plan)}
    signals = session.state.signals.items()
    unreadable = {name: read.detail for name, read in signals if not read.ok and name not in typed}
    open_files = (Finding(f"open:{why}", True, why, doubtful=True) for why in exposed(plan))
    findings = (*readiness.findings(session.state, utc_now()), *_later(session.state), *open_files)
    return Looked(findings, unreadable, await _mute(plan), unknown)


@dataclass(slots=True)
class _Session:
    """A session of which nothing is kept: what it is told, it knows."""

    state: State

    def tell(self, command: Command) -> None:
        decided = decide(self.state, command)
        if not isinstance(decided, Refused):
            self.state = replay(decided, self.state)


async def _targets(plan: Plan, runner: Runner, session: _Session) -> None:
    """Reach every target, and examine those that answer."""
    examining = Examining(plan, runner, utc_now, session.tell, lambda: session.state)

    async def reach(target: str) -> None:
        ended = await runner.probe(target)
        session.tell(cmd.ReportProbe(utc_now(), target, ended.ok, ended.detail))
        if ended.ok:
            await examining.examine(target)

    await asyncio.gather(*(reach(target.id) for target in plan.targets))


async def _playbooks(plan: Plan, path: str, session: _Session) -> None:
    """Ask Ansible about the plan's playbooks."""
    if (said := await playbooks.look(plan, path, utc_now)) is not None:
        session.tell(said)


def _later(state: State) -> tuple[Finding, ...]:
    """What checks say against items that don't hold back the start, but something after it."""
    said = ((item, state.checks.get(item.id)) for item in state.plan.checklist if item.before != "start")
    return tuple(
        Finding(
            f"check:{item.id}", True, f"{item.text} (before {item.before}): {check.detail}", doubtful=True
        )
        for item, check in said
        if check is not None and not check.ok
    )


def exposed(plan: Plan) -> tuple[str, ...]:
    """Each file with a secret of the plan that other users of this machine get at, in a sentence."""
    tokens = (str(signal.options.get("token") or "") for signal in plan.signals)
    hooks = (notify.url or "" for notify in plan.notify)
    found = map(secrets.exposed, (*references(plan).values(), *tokens, *hooks))
    return tuple(dict.fromkeys(filter(None, found)))


async def _mute(plan: Plan) -> dict[str, str]:
    mute: dict[str, str] = {}
    for notify in plan.notify:
        if notify.url is not None and is_reference(notify.url):
            try:
                await look_up(notify.url)
            except SecretError as fault:
                mute[shown(notify)] = str(fault)
    return mute
