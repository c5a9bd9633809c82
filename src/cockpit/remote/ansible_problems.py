"""Whether Ansible is there, and could run a plan's playbooks on the plan's targets."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import shutil
from collections.abc import Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from cockpit.core.listing import some
from cockpit.core.plan import HERE, Plan
from cockpit.remote.ansible_command import MISSING, RUNS, Command, unfit
from cockpit.remote.ansible_program import program
from cockpit.remote.base import Ended, Request
from cockpit.remote.here import HereRunner
from cockpit.steps import commands
from cockpit.steps.playbook import parsed

OLDEST = (2, 13)
"""The oldest ansible-core that is known to tell what it does as Cockpit asks it to."""

WITHIN = timedelta(seconds=30)
AT_ONCE = 2
SAID_MOST = 4_000_000
"""Bytes of what Ansible says that are looked at."""

NAMED_MOST = 8

_VERSION = re.compile(r"ansible-playbook (?:\[core )?(\d+)\.(\d+)\S*")
_UNKNOWN = re.compile(r"Could not match supplied host pattern, ignoring: (\S+)")
_HOST = re.compile(r"^      (\S.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Use:
    """A filled-in line of a plan's steps: which steps run it, and the targets it is run on."""

    steps: tuple[str, ...]
    targets: tuple[str, ...]


async def problems(plan: Plan, base: Path) -> tuple[str, ...]:
    """What keeps Ansible from running the plan's playbooks; the plan's file is in `base`. Empty: nothing is known to.

    Runs nothing on a target, but reads the inventory. Takes at most WITHIN for each playbook, AT_ONCE at a time.
    """
    uses = _uses(plan)
    if not uses:
        return ()
    found = program(RUNS)
    if found is None:
        return (f"{MISSING}, or leave such steps out",)
    strange = sorted(t for use in uses.values() for t in use.targets if unfit(t))
    if strange:
        return (
            f"Ansible would take {_names(strange)} for more than a name, and run elsewhere; "
            "give such a target a plain name",
        )
    runner, turn = HereRunner(), asyncio.Semaphore(AT_ONCE)

    async def in_turn(look: Coroutine[Any, Any, str]) -> str:
        async with turn:
            return await look

    try:
        told = await asyncio.gather(
            in_turn(_too_old(found, runner)),
            *(in_turn(_wrong(plan, base, *use, runner)) for use in uses.items()),
            *(in_turn(_elsewhere(plan, base, *use, runner)) for use in _with_variables(base, uses)),
        )
    finally:
        await runner.close()
    return tuple(problem for problem in told if problem)


def _uses(plan: Plan) -> Mapping[str, _Use]:
    uses: dict[str, _Use] = {}
    for stage in plan.stages:
        targets = tuple(target.id for target in plan.expand(stage.targets))
        for step in (plan.step(id_) for id_ in stage.steps):
            if step.on != "ansible" or not targets:
                continue
            lines = commands(plan, stage, step, targets[0])
            for line in filter(None, (lines.run, lines.rollback)):
                known = uses.get(line, _Use((), ()))
                uses[line] = _Use(_each(known.steps, (step.id,)), _each(known.targets, targets))
    return uses


def _each(some: Iterable[str], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*some, *more)))


async def _too_old(found: str, runner: HereRunner) -> str:
    ended, said = await _asked(shlex.join([found, "--version"]), {}, runner)
    version = _VERSION.search(said)
    if version is None:
        return (
            f"{found} doesn't say its version ({ended.detail or f'exit {ended.exit_code}'}), so no playbook "
            "can be relied upon to run; see what `ansible-playbook --version` says"
        )
    if (int(version[1]), int(version[2])) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        return (
            f"{found} is ansible-core {version[1]}.{version[2]}, and what it does could not be followed; "
            f"it takes {oldest} or later: pip install --upgrade ansible-core"
        )
    return ""


async def _wrong(plan: Plan, base: Path, line: str, use: _Use, runner: HereRunner) -> str:
    """Why a playbook wouldn't run on its targets, as Ansible tells when it is asked which hosts it is for."""
    what = f"step `{use.steps[0]}`"
    try:
        playbook = parsed(line).playbook
        command = Command.of(plan, base, line)
    except (ValueError, OSError) as fault:
        return f"{what} can't run: {fault}"
    try:
        command.write(use.targets)
        words = shlex.join(command.words(len(use.targets), "--list-hosts"))
        # Its files go with it, should we be killed meanwhile.
        line = (
            f"cd {shlex.quote(str(base))} && {words}; c=$?; rm -rf {shlex.quote(str(command.place))}; exit $c"
        )
        ended, said = await _asked(line, command.env(), runner)
    finally:
        shutil.rmtree(command.place, ignore_errors=True)
    if ended.kind == "timed_out":
        return (
            f"Ansible took more than {WITHIN.total_seconds():g} s to read {playbook}, so {what} may not run; "
            f"see what holds `ansible-playbook --list-hosts {playbook}` up"
        )
    strange = frozenset(_UNKNOWN.findall(said))
    if plan.inventory and (unknown := [target for target in use.targets if target in strange]):
        return (
            f"the inventory {plan.inventory.source} doesn't know {_names(unknown)}, so {what} would fail there; "
            "read the plan's targets anew, or mend the inventory"
        )
    if not ended.ok and f"parse inventory source {command.place}" in said:
        return (
            f"Ansible can't read an inventory in YAML, as the plan's own targets come to it, so {what} would fail "
            "everywhere: name `yaml` in `enable_plugins` of ansible.cfg"
        )
    if not ended.ok:
        return f"Ansible can't read {playbook}, so {what} would fail everywhere: {_error(said, ended)}"
    missing = sorted({*use.targets} - {*_HOST.findall(said)}, key=use.targets.index)
    if missing:
        return (
            f"no play of {playbook} is for {_names(missing)}, so {what} would fail there; "
            "see the plays' `hosts`, and that a play for localhost takes no part in a run on targets"
        )
    return ""


def _with_variables(base: Path, uses: Mapping[str, _Use]) -> Iterable[tuple[str, _Use]]:
    """The uses whose playbooks have variables of hosts or groups beside them, which beat those of an inventory."""
    seen: set[tuple[Path, tuple[str, ...]]] = set()
    for line, use in uses.items():
        with suppress(ValueError):
            beside = (base / parsed(line).playbook).parent
            has_some = (beside / "host_vars").exists() or (beside / "group_vars").exists()
            if has_some and (beside, use.targets) not in seen:
                seen.add((beside, use.targets))
                yield line, use


async def _elsewhere(plan: Plan, base: Path, line: str, use: _Use, runner: HereRunner) -> str:
    """Which targets the variables beside a playbook would have Ansible reach at another address than Cockpit."""
    found = program("ansible-inventory")
    playbook = parsed(line).playbook
    command = Command.of(plan, base, line)
    try:
        command.write(use.targets)
        beside = str((base / playbook).parent)
        words = shlex.join(
            [found or "ansible-inventory", *command.sources(), "--playbook-dir", beside, "--list"]
        )
        _, said = await _asked(f"cd {shlex.quote(str(base))} && {words} 2>/dev/null", command.env(), runner)
    finally:
        shutil.rmtree(command.place, ignore_errors=True)
    try:
        known = json.loads(said)["_meta"]["hostvars"]
    except (ValueError, KeyError, TypeError):
        return ""  # what Ansible can't read is told of already
    for target in map(plan.target, use.targets):
        told = known.get(target.id, {})
        host, port = told.get("ansible_host", target.id), told.get("ansible_port")
        ours = target.port or plan.ssh.port
        if str(host) != target.host or str(port or ours) != str(ours):
            return (
                f"variables beside {playbook} send Ansible to {host} port {port or 22} for {target.id}, "
                f"and Cockpit looks at {target.host} port {ours}; "
                "take ansible_host and ansible_port out of host_vars and group_vars"
            )
    return ""


async def _asked(line: str, env: Mapping[str, str], runner: HereRunner) -> tuple[Ended, str]:
    output = bytearray()

    def take(data: bytes) -> None:
        output.extend(data[: max(0, SAID_MOST - len(output))])

    ended = await runner.run(HERE, Request(line, WITHIN, env), take, asyncio.Event())
    return ended, output.decode("utf-8", "replace")


def _error(said: str, ended: Ended) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    at = next((i for i, line in enumerate(lines) if line.startswith(("[ERROR]", "ERROR!"))), 0)
    told = " ".join(lines[at : at + 2]) or ended.detail or f"exit {ended.exit_code}"
    return told.removeprefix("[ERROR]:").removeprefix("ERROR!").strip()[:400]


def _names(targets: Iterable[str]) -> str:
    return some(list(targets), NAMED_MOST + 1)
