"""A session in a process of its own, busy with many targets that take no processor from it: they answer from inside.

All else is real: the engine, its log on disk, the socket that screens attach to.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

from cockpit.core import commands as cmd
from cockpit.planfile import load
from cockpit.remote.base import Ended, Request
from cockpit.remote.scripted import OK, Reply, ScriptedRunner
from cockpit.runtime.engine import Engine
from cockpit.runtime.server import serving
from cockpit.runtime.sockets import listening
from cockpit.steps import commands
from cockpit.store.log import Log
from tests.remote.waiting import until

NAME = "bench"
TARGETS = 100
NOTE_BYTES = 4_000

PLAN = """
[release]
name = "Tax rules"
service = "checkout"
environment = "test"
version = "7"
previous_version = "6"
customer_impact = "Nobody sees it."
[people]
dana = {{ name = "Dana Ruiz" }}
lee = {{ name = "Lee Chen" }}
sam = {{ name = "Sam Okoro" }}
[roles]
decision_owner = "dana"
rollback_owner = "dana"
stop_authority = ["dana", "lee"]
[targets]
"web-[1-{targets}]" = {{ host = "10.0.0.[1-{targets}]", groups = ["web"] }}
[[signal]]
name = "errors"
source = "command"
run = "errors"
interval = "5s"
[[threshold]]
signal = "errors"
when = "> 50"
action = "pause"
{steps}
[[stage]]
name = "web"
targets = ["web"]
steps = [{names}]
"""

STEP = """
[[step]]
id = "{id}"
run = "{run}"
rollback = "true"
verify_rollback = "true"
"""


class EngineProcess:
    """A running session whose release is under way. A context manager; the process ends with it."""

    def __init__(self, directory: Path, events: int = 0, steps: int = 0) -> None:
        """With so many events at least, and so many quick steps behind it. Screens attach to NAME in `directory`."""
        ids = [*(f"s{n}" for n in range(steps)), "hold"]
        text = PLAN.format(
            targets=TARGETS,
            steps="".join(STEP.format(id=i, run="hold" if i == "hold" else "true") for i in ids),
            names=", ".join(f'"{i}"' for i in ids),
        )
        (directory / "plan.toml").write_text(text)
        words = [sys.executable, "-m", __name__, str(directory), str(events)]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> EngineProcess:
        assert self._told() == "ready"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def tells(self, notes: int = 0) -> tuple[float, float]:
        """Its processor seconds so far, and the longest its loop was busy with one thing since it last told this.

        Afterwards it writes so many long notes (NOTE_BYTES each) into its journal.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(f"{notes}\n")
        self._process.stdin.flush()
        processor, longest = self._told().split()
        return float(processor), float(longest)

    def memory(self) -> float:
        """What it holds in memory, in MB."""
        pages = Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def _told(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


class Fleet(ScriptedRunner):
    """Targets in good health: host metrics every 2 s, a number when asked, steps done at once, but `hold` never."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self._never = asyncio.Event()
        self._chance = random.Random(1)

    def _answer(self, _target: str, request: Request) -> Reply:
        self.calls.clear()  # nobody asks for them here, and what grows is to be the engine's
        if request.line == "errors":
            return Reply(output=b"%d\n" % self._chance.randrange(40))
        return Reply(until=self._never) if request.line == "hold" else OK

    async def follow(self, target: str, script: str, on_line: Callable[[bytes], None]) -> Ended:
        """Counters as a busy machine has them; the targets don't all speak at the same moment."""
        await asyncio.sleep(self._chance.uniform(0, 2))
        on_line(b"disk /dev/sda1 41152736 21152736 17876492 55% /")
        busy, idle, rx = 10_000, 90_000, 1_000_000
        for tick in count(1):
            used = self._chance.randrange(400)
            busy, idle, rx = busy + used, idle + 800 - used, rx + self._chance.randrange(4_000_000)
            free = self._chance.randrange(2_000_000, 6_000_000)
            counters = (2.0 * tick, busy, idle, 16_000_000, free, used / 100, rx, rx)
            on_line(b"host %.2f %d 0 0 %d 0 0 0 0 %d %d %.2f 4 %d %d" % counters)
            await asyncio.sleep(2)
        raise AssertionError("it never ends")


class Timed(selectors.EpollSelector):
    """A selector that knows the longest time for which its loop didn't come back to it, in seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.longest = 0.0
        self._left = time.perf_counter()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait as ever, and note how long nobody did."""
        self.longest = max(self.longest, time.perf_counter() - self._left)
        found = super().select(timeout)
        self._left = time.perf_counter()
        return found


async def _serve(directory: Path, events: int, timed: Timed) -> None:
    """Run the session until stdin ends."""
    log = await Log.create(directory / "log.db")
    try:
        text = (directory / "plan.toml").read_text()
        plan = load(directory / "plan.toml").plan
        assert plan is not None
        engine = Engine(plan, commands, log, Fleet(), lambda: None, "dana")
        working = asyncio.create_task(engine.run())
        with listening(NAME, directory) as listener:
            async with serving(engine, listener):
                await _begin(engine, text)
                await _notes(
                    engine, events - len(engine.events), "Support heard of an order that went through."
                )
                await _answering(engine, timed)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    finally:
        await log.close()


async def _begin(engine: Engine, text: str) -> None:
    """Open the session, start the release, and come to the step that never ends."""
    opening = cmd.OpenSession(
        engine.now(), "s", "5p001", "dana", "root", "m", "1", "plan.toml", "", text, False
    )
    assert await engine.send(opening) is None
    await until(
        lambda: len(engine.state.examined) == TARGETS and engine.state.verdicts, "the first readings", 30
    )
    assert await engine.send(cmd.StartRelease(engine.now(), "dana")) is None
    held = ["hold"] * TARGETS
    await until(lambda: [a.line for a in engine.state.running()] == held, "the last step", 300)


async def _notes(engine: Engine, many: int, said: str) -> None:
    notes = [cmd.AddNote(engine.now(), "sam", reason=said)] * many
    await asyncio.gather(*map(engine.send, notes))


async def _answering(engine: Engine, timed: Timed) -> None:
    """Answer each line on stdin, which says how many notes to write."""
    over = asyncio.Event()
    writing: list[asyncio.Task[None]] = []

    def asked() -> None:
        if not (line := sys.stdin.readline()):
            over.set()
            return
        print(time.process_time(), timed.longest, flush=True)
        timed.longest = 0.0
        writing.append(asyncio.create_task(_notes(engine, int(line), "x" * NOTE_BYTES)))

    asyncio.get_running_loop().add_reader(sys.stdin, asked)
    print("ready", flush=True)
    await over.wait()


def main(words: Sequence[str]) -> None:
    """Be the engine: DIRECTORY EVENTS."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)  # as the command line does it
    timed = Timed()
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(timed)) as runner:
        runner.run(_serve(Path(words[0]), int(words[1]), timed))


if __name__ == "__main__":
    main(sys.argv[1:])
