"""A release on up to a thousand targets, engine and screen as two processes: how much memory they take between them.

The targets answer from inside the engine's process; its log, its socket and the screen on its terminal are real.
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import tempfile
from pathlib import Path

from cockpit.core import commands as cmd
from cockpit.planfile import load
from cockpit.remote.base import Request
from cockpit.remote.scripted import Reply
from cockpit.runtime.engine import Engine
from cockpit.runtime.server import serving
from cockpit.runtime.sockets import listening
from cockpit.steps import commands
from cockpit.store.log import Log
from tests.benchmarks.apart import NAME, Fleet
from tests.benchmarks.rows import Row
from tests.benchmarks.screen import OnTerminal, program_on
from tests.remote.waiting import until
from tests.sshd import Sshd

MANY = (50, 200, 1_000)
BASE_MB, TARGET_MB = 80.0, 0.1
WATCH_S = 30.0

PLAN = """
[release]
name = "Tax rules"
service = "checkout"
environment = "production"
version = "7"
previous_version = "6"
customer_impact = "EU receipts show the old tax line; totals stay right."
[people]
dana = {{ name = "Dana Ruiz" }}
lee = {{ name = "Lee Chen" }}
[roles]
decision_owner = "dana"
rollback_owner = "lee"
stop_authority = ["dana", "lee"]
[targets]
"web-[1-10]" = {{ host = "web-[1-10]", groups = ["canary"] }}
"web-[11-{n}]" = {{ host = "web-[11-{n}]", groups = ["web"] }}
[[signal]]
name = "errors"
source = "command"
run = "errors"
question = "Do orders go through?"
interval = "5s"
[[threshold]]
signal = "errors"
when = "> 50"
action = "pause"
[[step]]
id = "switch"
run = "switch"
verify = "health"
rollback = "back"
verify_rollback = "health"
[[stage]]
name = "canary"
targets = ["canary"]
steps = ["switch"]
bake_time = "5s"
[[stage]]
name = "web"
targets = ["web"]
steps = ["switch"]
waves = ["10%", "30%", "rest"]
bake_time = "5s"
"""


class Switched(Fleet):
    """A step takes a second or more; on one target it fails."""

    def _answer(self, _target: str, request: Request) -> Reply:
        reply = super()._answer(_target, request)
        if request.line != "switch":
            return reply
        done = asyncio.Event()
        asyncio.get_running_loop().call_later(self._chance.uniform(1, 8), done.set)
        output = b"".join(b"step %d of switching\n" % n for n in range(40))
        if _target.endswith("137"):
            return Reply(exit_code=1, output=output + b"no space left on device\n", until=done)
        return Reply(output=output, until=done)


class EngineProcess:
    """A running session whose release is about to start. A context manager; the process ends with it."""

    def __init__(self, directory: Path, targets: int) -> None:
        text = PLAN.format(n=targets)
        (directory / "plan.toml").write_text(text)
        words = [sys.executable, "-m", __name__, str(directory), str(targets)]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> EngineProcess:
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == "ready"
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


async def _serve(directory: Path, targets: int) -> None:
    """Run the session until stdin ends; the release starts once somebody is there."""
    log = await Log.create(directory / "log.db")
    try:
        text = (directory / "plan.toml").read_text()
        plan = load(directory / "plan.toml").plan
        assert plan is not None
        engine = Engine(plan, commands, log, Switched(), lambda: None, "dana")
        working = asyncio.create_task(engine.run())
        with listening(NAME, directory) as listener:
            async with serving(engine, listener):
                await _begin(engine, text, targets)
                await asyncio.to_thread(sys.stdin.read)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    finally:
        await log.close()


async def _begin(engine: Engine, text: str, targets: int) -> None:
    opening = cmd.OpenSession(
        engine.now(), "s", "5p001", "dana", "root", "m", "1", "plan.toml", "", text, True
    )
    assert await engine.send(opening) is None
    await engine.send(cmd.AcceptRole(engine.now(), "lee", "dana"))
    state = lambda: engine.state  # noqa: E731
    await until(lambda: len(state().examined) == targets and state().verdicts, "the first readings", 60)
    print("ready", flush=True)
    await until(lambda: state().screens, "a screen", 600)
    assert await engine.send(cmd.StartRelease(engine.now(), "dana")) is None


def rows() -> list[Row]:
    """What one process over real SSH holds in memory; then, during a rollout, engine and screen apart."""
    return [_together(MANY[0]), *(_measured(n) for n in MANY)]


def _together(targets: int) -> Row:
    """`cockpit run --foreground` with all connections up, and readings coming."""
    with tempfile.TemporaryDirectory() as path:
        server = Sshd(Path(path))
        server.start()
        try:
            program = program_on(server, Path(path), targets, "state", "--foreground")
            assert program.read(60, b"web-1"), program.seen[-2000:]
            program.read(WATCH_S)
            holds = sum(map(held, family(program.pid)))
            program.end()
        finally:
            server.stop()
    return Row(f"memory: {targets} targets, one process", holds, None, "MB", None, _most(targets))


def _most(targets: int) -> float:
    return BASE_MB + TARGET_MB * targets


def _measured(targets: int) -> Row:
    with tempfile.TemporaryDirectory() as path:
        directory = Path(path)
        with EngineProcess(directory, targets) as engine:
            words = [sys.executable, "-m", "cockpit", "attach", NAME, "--as", "dana"]
            screen = OnTerminal(words, {"COCKPIT_LINKS": path, "XDG_STATE_HOME": path})
            assert screen.read(60, b"web-1"), screen.seen[-2000:]
            screen.read(WATCH_S)
            ours = {"engine": held(engine.process.pid), "screen": sum(map(held, family(screen.pid)))}
            screen.end()
    most = _most(targets) if targets == MANY[-1] else None  # few targets don't pay for a second interpreter
    told = ", ".join(f"{name} {mb:.0f}" for name, mb in ours.items())
    return Row(f"memory: {targets:,} targets ({told})", sum(ours.values()), None, "MB", None, most)


def family(pid: int) -> list[int]:
    """The process and those that it started."""
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            found += family(int(child))
    return found


def held(pid: int) -> float:
    """What a process holds in memory, in MB; what several share is theirs in equal parts."""
    for said in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if said.startswith("Pss:"):
            return int(said.split()[1]) * 1024 / 1e6
    raise AssertionError("the kernel says nothing of it")


if __name__ == "__main__":
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)  # as the command line does it
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))
