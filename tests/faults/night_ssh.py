"""Connections to a real OpenSSH server, cut and made again hundreds of times: nothing may stay behind.

`python -m tests.faults.night_ssh --seed N --rounds 12`
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from unittest import mock

from cockpit.core.plan import Target
from cockpit.remote import login
from cockpit.remote.base import Driver, Ended, Launch, Request
from cockpit.remote.ssh import SshRunner
from cockpit.signals.host import host_loop
from cockpit.store.output import Kept
from tests.faults.night_checks import Broke, Left, check_left, holds, left, resident
from tests.faults.proxy import Proxy
from tests.remote.waiting import until
from tests.sshd import Sshd, _servers_of  # pyright: ignore[reportPrivateUsage]

BEHIND_ONE = 4
"""Targets behind one proxy: they are cut together."""

ROUND_S = 5.0
SETTLE_S = 30.0
"""Real seconds that everything open may take to be known once the network is well again."""

WARM_ROUNDS = 2
SLACK = 6_000_000
"""Bytes that a process may grow after its first rounds: what the allocator keeps of a busy moment. A connection is
27 kB, so that one kept of each three that were made shows."""

KEEPALIVE_S = 0.5

FAULTS = ("drop", "drop", "reset", "strand", "freeze", "thaw", "delay", "sessions killed")


@dataclass
class Storm:
    """Targets behind proxies, work on them, and what befalls the proxies."""

    seed: int
    path: Path
    targets: int
    told: Counter[str] = field(default_factory=Counter[str])
    memory: list[int] = field(default_factory=list[int])
    made: int = 0
    launched: int = 0

    def __post_init__(self) -> None:
        self.chance = Random(f"{self.seed} storm")
        self.sshd = Sshd(self.path / "sshd")
        self.ledger = self.path / "ledger"
        self.proxies = [Proxy(self.sshd.port) for _ in range(-(-self.targets // BEHIND_ONE))]

    async def run(self, rounds: int) -> None:
        """So many rounds; Broke where something is left behind by one."""
        self.sshd.start()
        async with AsyncExitStack() as stack:
            stack.callback(self.sshd.stop)
            for proxy in self.proxies:
                await stack.enter_async_context(proxy)
            self._trust()
            with mock.patch.object(login, "KEEPALIVE_S", KEEPALIVE_S):
                base = left()
                for n in range(rounds):
                    await self._round(n, base)
        ran = Counter(self.ledger.read_text().split()) if self.ledger.exists() else Counter[str]()
        again = [attempt for attempt, times in ran.items() if times > 1]
        holds(not again, f"ran more than once: {again}")
        if len(self.memory) > WARM_ROUNDS:
            grown = self.memory[-1] - self.memory[WARM_ROUNDS - 1]
            holds(grown < SLACK, f"memory grew by {grown / 1e6:.1f} MB in {rounds - WARM_ROUNDS} rounds")

    def _trust(self) -> None:
        key = self.sshd.host_key.export_public_key("openssh").decode().strip()
        lines = [f"[127.0.0.1]:{proxy.port} {key}\n" for proxy in self.proxies]
        self.sshd.known_hosts.write_text("".join(lines))

    def _target(self, n: int) -> Target:
        return Target(f"web-{n}", "127.0.0.1", port=self.proxies[n // BEHIND_ONE].port)

    async def _round(self, n: int, base: Left) -> None:
        targets = [self._target(i) for i in range(self.targets)]
        driver = Driver("storm", f"storm-{self.seed}", "storm test", "dana", "laptop", "now", resumed=n > 0)
        runner = SshRunner(targets, self.sshd.settings(connect_timeout=timedelta(seconds=5)), driver=driver)
        ends = time.monotonic() + ROUND_S
        failing = asyncio.create_task(self._network(ends))
        work = [asyncio.create_task(self._work(runner, target.id, n, ends)) for target in targets]
        try:
            await failing
            async with asyncio.timeout(SETTLE_S):
                await asyncio.gather(*work)
        except TimeoutError:
            raise Broke(
                f"round {n}: something is still unknown {SETTLE_S:g} s after the network was well"
            ) from None
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            await runner.close()
        await self._gone(n)
        gc.collect()
        check_left(base)
        self.memory.append(resident())

    async def _gone(self, n: int) -> None:
        """No connection, and no process of the server's, is left."""
        self.made = sum(proxy.accepted for proxy in self.proxies)

        def none() -> bool:
            return not any(proxy.open for proxy in self.proxies) and not self._sessions()

        await until(none, f"round {n}: every connection to be closed", SETTLE_S)

    def _sessions(self) -> list[int]:
        """The server's processes below its listener."""
        listener = self.sshd._process  # pyright: ignore[reportPrivateUsage]
        return _servers_of(listener.pid) if listener is not None else []

    # The network

    async def _network(self, ends: float) -> None:
        """Let it fail until `ends`, and mend it."""
        while time.monotonic() < ends:
            await asyncio.sleep(self.chance.uniform(0.02, 0.3))
            proxy = self.chance.choice(self.proxies)
            fault = self.chance.choice(FAULTS)
            self.told[fault] += 1
            match fault:
                case "drop":
                    proxy.drop()
                case "reset":
                    proxy.reset()
                case "strand":
                    proxy.strand()
                case "freeze":
                    proxy.freeze()
                case "thaw":
                    proxy.thaw()
                case "delay":
                    proxy.delay(self.chance.choice((0.0, 0.0, 0.02, 0.1)))
                case _:
                    for pid in self._sessions():
                        if self.chance.random() < 0.2:
                            with suppress(ProcessLookupError):
                                os.kill(pid, signal.SIGKILL)
        for proxy in self.proxies:
            proxy.delay(0)
            proxy.thaw()

    # The work

    async def _work(self, runner: SshRunner, target: str, n: int, ends: float) -> None:
        """Ask, follow and launch until `ends`; what was launched is followed to what is known of it."""
        chance = Random(f"{self.seed} {n} {target}")
        await runner.prepare(target)
        turn = 0
        while time.monotonic() < ends:
            turn += 1
            match chance.choice(("probe", "ask", "ask", "follow", "launch", "launch")):
                case "probe":
                    await runner.probe(target)
                case "ask":
                    request = Request("echo; seq 2000", timedelta(seconds=5))
                    await runner.run(target, request, lambda _: None, asyncio.Event())
                case "follow":
                    with suppress(TimeoutError):
                        async with asyncio.timeout(chance.uniform(0.05, 1.0)):
                            await runner.follow(target, host_loop(0.1), lambda _: None)
                case _:
                    await self._launch(runner, target, f"{n}/{target}/run-{turn}", chance)

    async def _launch(self, runner: SshRunner, target: str, id_: str, chance: Random) -> None:
        """An attempt that writes into the ledger, to its end or to the record that it never began."""
        lines, seconds = chance.choice((1, 100, 20000)), chance.choice((0, 0.2))
        line = f"echo {id_} >> {self.ledger}; seq {lines}; sleep {seconds}"
        launch, kept = Launch(id_, Request(line, timedelta(seconds=20))), Kept()
        self.launched += 1
        ended = await runner.launch(target, launch, kept, asyncio.Event())
        doubt = ended.kind == "lost"
        while doubt and ended.kind in ("lost", "unreachable"):
            await asyncio.sleep(0.05)
            ended = await runner.settle(target, launch, kept, asyncio.Event(), lambda: None)
        self._known(id_, ended, doubt)

    def _known(self, id_: str, ended: Ended, doubt: bool) -> None:
        """What is said of an attempt is what its ledger says."""
        ran = self.ledger.exists() and id_ in self.ledger.read_text().split()
        self.told[f"{ended.kind}{' after a doubt' if doubt else ''}"] += 1
        if ended.kind == "exited":
            holds(ran, f"{id_} exited {ended.exit_code}, and never ran")
        if ended.kind in ("void", "unreachable", "withheld"):
            holds(not ran, f"{id_} ran, and is told as {ended.kind}: {ended.detail}")


def main() -> int:
    """Parse the command line, and let it storm."""
    parser = argparse.ArgumentParser(description="Real connections, cut and made again.")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--rounds", type=int, default=12, help=f"of {ROUND_S:g} s each")
    parser.add_argument("--targets", type=int, default=24)
    given = parser.parse_args()
    path = Path(tempfile.mkdtemp(prefix="night-ssh-"))
    storm = Storm(given.seed, path, given.targets)
    began = time.monotonic()
    broken = ""
    try:
        asyncio.run(storm.run(given.rounds))
    except (Broke, AssertionError) as fault:
        again = f"`python -m tests.faults.night_ssh --seed {given.seed}` draws the same faults"
        broken = f"BROKEN: {fault}\n{again}; {path} has what the server said."
    told = ", ".join(f"{n} {name}" for name, n in storm.told.most_common())
    megabytes = " ".join(f"{m / 1e6:.1f}" for m in storm.memory)
    print(
        f"seed {given.seed}: {storm.made} connections, {storm.launched} launches, {time.monotonic() - began:.0f} s\n"
        f"  {told}\n  memory in MB after each round: {megabytes}"
    )
    if broken:
        print(broken)
        return 1
    shutil.rmtree(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
