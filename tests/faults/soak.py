"""Random faults, round after round, until an invariant breaks."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from tests.faults.points import NAMES
from tests.faults.proxy import Way
from tests.faults.release import SHAPES, Run, Site

IDLE_S = 4.0
"""A cockpit that has printed nothing for so long waits for a person, or for a target: it is asked to leave."""

LEAVES_S = 30.0
"""How long a cockpit that was asked to leave may take: more is a hang."""

RESUMES = 4
"""How often at most a session is taken up again once nothing goes wrong any more."""

OVER = (0, 1, 3, 4, 130)
"""The exit codes of a release that came to its end, or waits for a person."""

FROZEN: tuple[tuple[Way, ...], ...] = ((), ("up",), ("down",))
"""Which ways of a connection freeze: both, or one."""

POINTS = [name for name in NAMES if not name.startswith("export.")]


class Round:
    """One release with its faults, all drawn from `seed`."""

    def __init__(self, seed: int, path: Path) -> None:
        self.site = Site(path)
        self.story: list[str] = []
        self._random = Random(seed)
        self._shape = self._random.choice(list(SHAPES))

    async def run(self) -> list[str]:
        """What broke, as sentences; empty when everything held."""
        async with self.site as site:
            site.write_plan(SHAPES[self._shape])
            self.story.append(self._shape)
            run = site.run(self._failpoint())
            for _ in range(self._random.randint(1, 4)):
                if broken := await self._suffer(run):
                    return broken
                run = site.resume(self._failpoint())
            if broken := await self._suffer(run):
                return broken
            return await self._recover()

    async def _recover(self) -> list[str]:
        """Resume without a fault until the release is over, or waits for a person."""
        for _ in range(RESUMES):
            run = self.site.resume()
            if broken := await self._ended(run):
                return broken
            self.story.append(f"ended with {run.process.returncode}")
            if run.process.returncode in OVER:
                break
        return []

    def _failpoint(self) -> str:
        if self._random.random() < 0.3:
            return ""
        name, times = self._random.choice(POINTS), self._random.choice((1, 1, 2, 3, 5, 8))
        point = f"{name}:{times}:{self._random.choice(('kill', 'kill', 'raise'))}"
        self.story.append(point)
        return point

    async def _suffer(self, run: Run) -> list[str]:
        """Let the network fail while `run` goes on, until it ends; then all is mended."""
        failing = asyncio.create_task(self._network())
        try:
            return await self._ended(run)
        finally:
            failing.cancel()
            await asyncio.gather(failing, return_exceptions=True)
            for target in self.site.targets:
                self._mend(target)

    async def _network(self) -> None:
        for _ in range(self._random.randint(0, 3)):
            await asyncio.sleep(self._random.uniform(0.2, 1.5))
            target = self._random.choice(self.site.targets)
            proxy, server = self.site.proxies[target], self.site.servers[target]
            fault = self._random.choice(
                ("drop", "reset", "freeze", "strand", "hold", "delay", "server killed")
            )
            self.story.append(f"{fault} {target}")
            match fault:
                case "drop":
                    proxy.drop()
                case "reset":
                    proxy.reset()
                case "freeze":
                    proxy.freeze(*self._random.choice(FROZEN))
                case "strand":
                    proxy.strand()
                case "hold":
                    proxy.hold_after(self._random.randint(1, 4000))
                case "delay":
                    proxy.delay(self._random.uniform(0.01, 0.2))
                case _:
                    server.kill()
            await asyncio.sleep(self._random.uniform(0.1, 2.0))
            if self._random.random() < 0.8:
                self._mend(target)

    def _mend(self, target: str) -> None:
        self.site.proxies[target].delay(0)
        self.site.proxies[target].thaw()
        if not self.site.servers[target].running:
            self.site.servers[target].start()

    async def _ended(self, run: Run) -> list[str]:
        """Wait for the run's end, asking it to leave where it does nothing; what is broken then."""
        asked = 0.0
        said, since = 0, time.monotonic()
        while run.process.poll() is None:
            now = time.monotonic()
            printed = run.out.stat().st_size + run.err.stat().st_size
            if printed != said:
                said, since = printed, now
            if not asked and now - since > IDLE_S:
                asked = now
                self.story.append("asked to leave")
                run.process.terminate()
            if asked and now - asked > LEAVES_S:
                return [f"I12: cockpit didn't end within {LEAVES_S:g} s of being asked to: {run.said()}"]
            await asyncio.sleep(0.05)
        return self.site.broken()


def soak(seed: int, rounds: int) -> int:
    """Go through `rounds` (0: without end), the first one with `seed`; returns 1 at the first break, else 0."""
    done = 0
    while not rounds or done < rounds:
        path = Path(tempfile.mkdtemp(prefix="soak-"))
        began = time.monotonic()
        this = Round(seed + done, path)
        broken = asyncio.run(this.run())
        print(f"seed {seed + done}: {', '.join(this.story)} ({time.monotonic() - began:.1f} s)", flush=True)
        if broken:
            print("\n".join(broken))
            print(
                f"{path} has the log and what cockpit said. `--seed {seed + done} --rounds 1` draws the same faults."
            )
            return 1
        shutil.rmtree(path)
        done += 1
    return 0


def main() -> int:
    """Parse the command line and soak until something breaks or somebody has seen enough."""
    parser = argparse.ArgumentParser(description="Random faults until an invariant breaks.")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the first round")
    parser.add_argument("--rounds", type=int, default=0, help="how many; without end if left out")
    args = parser.parse_args()
    try:
        return soak(args.seed, args.rounds)
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
