"""The demo fleet from outside: start its process, know its hosts, end it."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cockpit.core.errors import CockpitError, UsageError
from cockpit.core.plan import Plan
from cockpit.demo.hosts import GROUPS, MOST_HOSTS, VERSION, Host
from cockpit.demo.service import BAD_SUFFIX, ask

PREFIX = "cockpit-demo-"
"""How the name of the directory begins in which a demo's hosts live, as long as it does."""

READY_WITHIN_S = 30.0
ENDS_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Fleet:
    """A running fleet: its hosts, and the files that let the cockpit in."""

    hosts: tuple[Host, ...]
    known_hosts: Path
    identity: Path
    user: str
    pid: int

    @staticmethod
    @asynccontextmanager
    async def start(directory: Path, hosts: int = 6) -> AsyncGenerator[Fleet]:
        """Start a fleet of `hosts` hosts below `directory`, in a process of its own; it ends with the block.

        It also ends when this process dies, however that happens. Every host begins with the previous version.
        UsageError if `hosts` isn't 1 to 50; CockpitError if the fleet doesn't come up.
        """
        if not 1 <= hosts <= MOST_HOSTS:
            raise UsageError(
                f"{hosts} hosts: the demo fleet has 1 to {MOST_HOSTS} of them; nothing was started"
            )
        directory.mkdir(parents=True, exist_ok=True)
        said = directory / "fleet.log"
        with said.open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "cockpit.demo.fleet", "--dir", str(directory), "--hosts", str(hosts)),
                stdin=PIPE,
                stdout=PIPE,
                stderr=log,
                start_new_session=True,  # ctrl+c at the demo must not take the hosts away under a release
            )
        try:
            yield await _ready(process, said)
        finally:
            await _end(process)

    def plan_values(self, bad: bool) -> dict[str, object]:
        """What to fill into the demo's plan, by dotted path. `bad`: the version that passes its verify, then fails."""
        return {
            "release.version": VERSION + (BAD_SUFFIX if bad else ""),
            "ssh.user": self.user,
            "ssh.known_hosts": str(self.known_hosts),
            "ssh.identity": str(self.identity),
            "targets": {
                host.id: {"host": host.host, "port": host.port, "groups": list(GROUPS)} for host in self.hosts
            },
        }

    async def versions(self) -> dict[str, str]:
        """The version that each host's service says it runs, by host id. CockpitError if one doesn't say."""
        said = await asyncio.gather(*(_version(host) for host in self.hosts))
        return {host.id: version for host, version in zip(self.hosts, said, strict=True)}


def had_fleet(plan: Plan) -> bool:
    """Whether a session's plan is a demo's, whose hosts ended with it."""
    return plan.release.environment == "demo" and Path(plan.ssh.known_hosts).parent.parent.name.startswith(
        PREFIX
    )


async def _ready(process: Process, said: Path) -> Fleet:
    assert process.stdout is not None  # it was asked for as a pipe
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            told = json.loads(await process.stdout.readline())
    except (TimeoutError, ValueError) as error:
        why = (
            said.read_text(errors="replace").strip().rsplit("\n", 1)[-1] or f"no word in {READY_WITHIN_S:g} s"
        )
        raise CockpitError(
            f"The demo's hosts didn't start: {why}\nNo release was begun. The whole message is in {said}."
        ) from error
    hosts = tuple(Host(**(host | {"dir": Path(host["dir"])})) for host in told["hosts"])
    return Fleet(hosts, Path(told["known_hosts"]), Path(told["identity"]), told["user"], process.pid)


async def _end(process: Process) -> None:
    """Closing its stdin is what ends the fleet; KILL only if that doesn't help."""
    assert process.stdin is not None  # it was asked for as a pipe
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), ENDS_WITHIN_S)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _version(host: Host) -> str:
    try:
        status, body = await ask(host.http, "/version")
        if status == 200:
            return json.loads(body)["version"]
        reason = f"HTTP {status}"
    except OSError as error:
        reason = str(error) or type(error).__name__
    raise CockpitError(
        f"The checkout service of {host.id} doesn't tell its version: {reason}\n"
        "What runs there is unknown. See whether the demo's fleet is still running."
    )


if __name__ == "__main__":
    # Only the fleet's own process pays for asyncssh; whoever imports this module doesn't.
    from cockpit.demo.servers import main

    main()
