"""What the doctor says of logging in: the agent, known hosts, and with a plan each of its targets."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from cockpit.cli.doctor import Check, State
from cockpit.core.errors import CockpitError

PATIENCE_S = 5.0

KNOWN_HOSTS = "~/.ssh/known_hosts"
"""As the plan has it where it says nothing else."""


def login(plan: Any) -> Iterator[Check]:
    """What logins need of this machine."""
    yield from _agent(plan)
    yield _known_hosts(plan)


def _agent(plan: Any) -> Iterator[Check]:
    identity = plan.ssh.identity if plan is not None else None
    needed: State = "bad" if plan is not None and not identity and plan.targets else "look"
    if not os.environ.get("SSH_AUTH_SOCK"):
        if identity:
            yield Check("SSH agent", "ok", f"none, and the plan names a key of its own: {identity}")
            return
        yield Check(
            "SSH agent",
            needed,
            "none is known here (SSH_AUTH_SOCK isn't set)",
            'eval "$(ssh-agent)" and ssh-add, or set `identity` in the plan\'s [ssh]',
        )
        return
    status, keys = _held()
    if status == 0:
        many = "s" if keys != 1 else ""
        yield Check("SSH agent", "ok", f"it holds {keys} key{many}")
    elif status == 1:
        yield Check(
            "SSH agent", "ok" if identity else needed, "it holds no key", "" if identity else "ssh-add yours"
        )
    else:
        yield Check(
            "SSH agent",
            "ok" if identity else needed,
            f"nothing answers at {os.environ['SSH_AUTH_SOCK']}",
            "start an agent, or log in again with it forwarded",
        )
    if status in (0, 1) and _forwarded() and not identity:
        yield Check(
            "SSH agent",
            "look",
            "it is forwarded, and gone once this login is: a session that goes on without you reaches no target again",
            "leave this login open for as long as the release, or use a key of this machine (`identity`)",
        )


def _held() -> tuple[int, int]:
    """How `ssh-add -L` ended (0: there are keys, 1: none, 2: no agent), and how many keys there are."""
    tool = shutil.which("ssh-add")
    if not tool:
        return 2, 0
    try:
        asked = subprocess.run([tool, "-L"], capture_output=True, timeout=PATIENCE_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 2, 0
    return asked.returncode, len(asked.stdout.splitlines())


def _forwarded() -> bool:
    """Whether the agent is that of the machine this login came from: sshd makes its socket."""
    at = os.environ.get("SSH_AUTH_SOCK", "")
    name = Path(at).name
    return "SSH_CONNECTION" in os.environ and "/ssh-" in at and name.startswith("agent.")


def _known_hosts(plan: Any) -> Check:
    from cockpit.remote.hostkeys import KnownHosts

    path = Path(plan.ssh.known_hosts if plan is not None else KNOWN_HOSTS).expanduser()
    if plan is None and not path.exists():
        return Check(
            "host keys",
            "look",
            f"there is no {path}",
            "name one with `known_hosts` in a plan's [ssh]: a host that isn't in it is never logged in to",
        )
    try:
        KnownHosts(path)
    except CockpitError as fault:
        return Check("host keys", "bad" if plan is not None else "look", str(fault))
    if stat.S_IMODE(path.stat().st_mode) & 0o022:
        what = f"{path} can be changed by other users, who could let an impostor in"
        return Check("host keys", "look", what, f"`chmod 644 {path}`")
    return Check("host keys", "ok", f"{path}")


async def targets(plan: Any) -> list[Check]:
    """Each target: its host key is known, it answers, its clock is right. Those that are go in one line."""
    from cockpit.remote.ssh import SshRunner
    from cockpit.runtime.engine import utc_now
    from cockpit.runtime.examining import clock_ahead

    if not plan.targets:
        return []
    try:
        runner = SshRunner(plan.targets, plan.ssh)
    except CockpitError as fault:
        return [Check("targets", "bad", str(fault))]
    off: list[timedelta] = []

    async def look(target: str) -> Check | None:
        ended = await runner.probe(target)
        if not ended.ok:
            why = ended.detail or f"`true` exits {ended.exit_code} there"
            return Check("targets", "bad", f"{target} isn't reached: {why}")
        ahead = await clock_ahead(runner, target, utc_now)
        wrong = _clock(target, ahead)
        if wrong is None and ahead is not None:
            off.append(abs(ahead))
        return wrong

    try:
        found = await asyncio.gather(*(look(target.id) for target in plan.targets))
    finally:
        await runner.close()
    wrong = [check for check in found if check is not None]
    right = len(found) - len(wrong)
    if not right:
        return wrong
    most = max(off, default=timedelta(0))
    reached = f"{right} of {len(found)} reached" if wrong else f"{right} reached"
    clocks = "clocks as here" if not most else f"clocks at most {most.total_seconds():.0f} s off"
    return [*wrong, Check("targets", "ok", f"{reached}: host keys known, {clocks}")]


def _clock(target: str, ahead: timedelta | None) -> Check | None:
    """What is wrong with a target's clock, if anything: as readiness has it."""
    from cockpit.core.examined import CLOCK_MOST

    if ahead is None:
        return Check("targets", "bad", f"{target}: its clock can't be read", f"run `date +%s` on {target}")
    if abs(ahead) <= CLOCK_MOST:
        return None
    which = "ahead of" if ahead > timedelta(0) else "behind"
    what = f"{target}: its clock is {abs(ahead).total_seconds():.0f} s {which} this machine's"
    return Check("targets", "bad", what, "synchronise it: signals and logs are compared by it")
