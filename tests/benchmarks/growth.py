"""How a release grows with its targets: processor, memory, the log, its replay, and a plan that is checked."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from cockpit.core import commands as cmd
from cockpit.core.events import Event
from cockpit.core.evolve import replay
from cockpit.core.plan import Plan, Stage
from cockpit.core.state import State, initial
from cockpit.planfile import load
from cockpit.remote.base import Ended, Launch, Sink
from cockpit.runtime.engine import Engine
from cockpit.steps import commands
from cockpit.store.log import Log, read
from tests.benchmarks import large
from tests.benchmarks.apart import Fleet
from tests.benchmarks.rows import Row
from tests.core.plans import SWITCH, Session, web
from tests.core.plans import plan as core_plan
from tests.remote.waiting import until

SIZES = (50, 200, 500, 1000)
AT_ONCE = 40
TURN = 50
"""Events in a turn of a busy release."""

LINEAR = 1.15
"""The exponent up to which growth counts as linear, for what a few machines' noise adds."""

STEPS = ("drain", "install", "switch", "admit")

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
[roles]
decision_owner = "dana"
rollback_owner = "dana"
stop_authority = ["dana", "lee"]
[targets]
"web-[00001-{targets:05}]" = {{ host = "10.0.0.[1-{targets}]", groups = ["web"] }}
[[signal]]
name = "errors"
source = "command"
run = "errors"
interval = "5s"
[[threshold]]
signal = "errors"
when = "> 50"
for = "30s"
action = "pause"
[[threshold]]
signal = "errors"
when = "> 3"
compare = "control"
for = "1m"
action = "rollback"
[[threshold]]
signal = "cpu"
when = "> 95"
for = "1m"
action = "notify"
[[checklist]]
id = "backup"
text = "The orders were saved"
owner = "dana"
[[checklist]]
id = "drill"
text = "The way back was tried"
owner = "dana"
before = "stage:web"
[[checklist]]
id = "told"
text = "Support was told"
owner = "lee"
before = "close"
{steps}
[[stage]]
name = "canary"
targets = ["web-00001"]
steps = [{names}]
[[stage]]
name = "web"
targets = ["web"]
waves = ["2%", "30%", "rest"]
max_parallel = {at_once}
steps = [{names}]
"""

STEP = """
[[step]]
id = "{id}"
run = "/srv/checkout/bin/{id} {{version}} --host {{host}}"
verify = "/srv/checkout/bin/{id} --check {{version}}"
rollback = "/srv/checkout/bin/{id} {{previous_version}} --host {{host}}"
verify_rollback = "/srv/checkout/bin/{id} --check {{previous_version}}"
"""


def plan_text(targets: int, steps: Sequence[str] = STEPS, at_once: int = AT_ONCE) -> str:
    """A plan of so many targets: two stages, waves, limits, a comparison and a checklist."""
    return PLAN.format(
        targets=targets,
        steps="".join(STEP.format(id=i) for i in steps),
        names=", ".join(f'"{i}"' for i in steps),
        at_once=at_once,
    )


class Busy(Fleet):
    """The fleet whose steps take a moment each, so that their ends come a few in a turn and not all at once."""

    async def launch(self, target: str, launch: Launch, sink: Sink, stop: asyncio.Event) -> Ended:
        """As ever, after 20 to 80 ms."""
        await asyncio.sleep(self._chance.uniform(0.02, 0.08))
        return await super().launch(target, launch, sink, stop)


@dataclass(frozen=True)
class Grown:
    """What one release came to: processor seconds and events, forward and back, turns, and MB at its peak."""

    targets: int
    ready: float
    forward: float
    back: float
    events: int
    turns: int
    megabytes: float


def resident() -> float:
    """MB in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def release(targets: int, directory: Path) -> Grown:
    """A whole release over so many scripted targets, and all the way back."""
    path = directory / "plan.toml"
    path.write_text(plan_text(targets))
    checked = load(path)
    plan = checked.plan
    assert plan is not None
    log = await Log.create(directory / "log.db")
    before = resident()
    spent = [time.process_time()]
    engine = Engine(plan, commands, log, Busy(), lambda: None, "dana")
    turns = 0

    def turn() -> None:
        nonlocal turns
        turns += 1

    engine.subscribe(turn)
    working = asyncio.create_task(engine.run())

    async def say(command: cmd.Command) -> None:
        refused = await engine.send(command)
        assert refused is None, refused.reason[:300]

    async def come(met: Callable[[State], object]) -> None:
        await until(lambda: met(engine.state), "the release", 600)

    try:
        text, digest = checked.data.decode(), checked.sha256
        await say(
            cmd.OpenSession(
                engine.now(), "s", "5p001", "dana", "root", "m", "1", "plan.toml", digest, text, False
            )
        )
        await come(lambda state: len(state.examined) == targets and len(state.verdicts) == 3)
        for item in ("backup", "drill"):
            await say(cmd.SignItem(engine.now(), "dana", item=item))
        spent.append(time.process_time())
        await say(cmd.StartRelease(engine.now(), "dana"))
        await come(lambda state: state.stage == 1)
        await say(cmd.Promote(engine.now(), "dana", stage="web"))
        await come(lambda state: state.stage == 2)
        spent.append(time.process_time())
        await say(cmd.RollBack(engine.now(), "dana", reason="a benchmark"))
        await come(lambda state: state.closed)
        spent.append(time.process_time())
        await working
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await log.close()
    ready, forward, back = (b - a for a, b in itertools.pairwise(spent))
    return Grown(targets, ready, forward, back, len(engine.events), turns, resident() - before)


def grown(targets: int) -> Grown:
    """The same in a process of its own, as the command line runs it."""
    words = [sys.executable, "-m", __name__, str(targets)]
    return Grown(**json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout))


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The slope of the best line through the logarithms: 1 where cost grows as size does, 2 as its square."""
    return statistics.linear_regression([math.log(n) for n in sizes], [math.log(c) for c in costs]).slope


def growth(sizes: Sequence[int] = SIZES) -> list[Row]:
    """What a release and its way back take at each size, the line through it, and how it grows."""
    runs = [grown(n) for n in sizes]
    seconds = [run.ready + run.forward + run.back for run in runs]
    rows: list[Row] = []
    for run, spent in zip(runs, seconds, strict=True):
        name = f"growth: {run.targets} targets there and back, {run.events} events, {run.turns} turns"
        rows.append(Row(f"{name}, processor", spent, None, "s", None, None))
        rows.append(
            Row(f"growth: {run.targets} targets, memory it adds", run.megabytes, None, "MB", None, None)
        )
    line = statistics.linear_regression(sizes, seconds)
    off = max(abs(line.intercept + line.slope * n - spent) for n, spent in zip(sizes, seconds, strict=True))
    fit = f"growth: processor = {line.intercept:.2f} s + {1000 * line.slope:.2f} ms a target, furthest off"
    rows.append(Row(fit, 100 * off / max(seconds), None, "% of the largest", None, None))
    rows.append(Row("growth: exponent of processor", exponent(sizes, seconds), None, "", None, LINEAR))
    memory = exponent(sizes, [run.megabytes for run in runs])
    rows.append(Row("growth: exponent of memory", memory, None, "", None, LINEAR))
    return rows


def by_hand(targets: int, count: int) -> tuple[float, list[Event], Plan]:
    """A rollout of which one step ends each turn: processor seconds an event, its events, and its plan."""
    steps = tuple(replace(SWITCH, id=f"s{i}") for i in range(count))
    names = tuple(step.id for step in steps)
    stage = Stage("web", names, ("web",), waves=("10%", "rest"), max_parallel=AT_ONCE)
    session = Session(core_plan(targets=web(targets), steps=steps, stages=(stage,)))
    session.start()
    begun, before = len(session.log), time.process_time()
    while running := session.state.running():
        session.do(cmd.ReportStep(session.at, running[0].id, "succeeded", True, 0, 0, 2.0, ""))
        session.tick()
    spent = time.process_time() - before
    return spent / (len(session.log) - begun), session.log, session.plan


async def logged(events: Sequence[Event], turn: int, path: Path) -> float:
    """Processor seconds an event that the log takes, so many in a turn."""
    log = await Log.create(path)
    try:
        before = time.process_time()
        for begin in range(0, len(events), turn):
            await log.append(events[begin : begin + turn])
        return (time.process_time() - before) / len(events)
    finally:
        await log.close()


def events(path: Path) -> list[Row]:
    """What one event costs at 50 and at 1,000 targets, and what 100,000 of them cost to go through again."""
    rows: list[Row] = []
    for targets in (SIZES[0], SIZES[-1]):
        decided, _, _ = by_hand(targets, len(STEPS))
        name = f"events: decided and taken in, one a turn, {targets} targets"
        rows.append(Row(name, 1e6 * decided, None, "us", None, None))
    _, log, plan = by_hand(2000, 25)
    kept = asyncio.run(logged(log, TURN, path))
    rows.append(Row(f"events: in the log, {TURN} a turn", 1e6 * kept, None, "us", None, 20.0))
    rows.append(
        Row("events: all of that an event, 1000 targets", 1e3 * (decided + kept), None, "ms", None, 0.3)
    )
    before = time.process_time()
    recording = read(path)
    opened = time.process_time() - before
    before = time.process_time()
    replay([event for _, event in recording.events], initial(plan, commands))
    folded = time.process_time() - before
    share = 100_000 / len(recording.events)
    rows.append(Row("replay: 100,000 events of 2000 targets, folded", share * folded, None, "s", None, 1.0))
    rows.append(
        Row("replay: 100,000 events, read and their chain checked", share * opened, None, "s", None, None)
    )
    return rows


def check(targets: int, steps: int, directory: Path) -> Row:
    """The whole command `cockpit check --offline`, its output thrown away."""
    path = directory / "plan.toml"
    path.write_text(plan_text(targets, [f"step-{n:03}" for n in range(steps)]))
    words = [sys.executable, "-m", "cockpit", "check", "--offline", str(path)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Row(f"check --offline: {targets} targets x {steps} steps, processor", spent, None, "s", None, 2.0)


def rows() -> list[Row]:
    """All of it."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        path = directory / "session"
        path.mkdir()
        ended = asyncio.run(release(SIZES[-1], path))
        targets = [f"web-{n:05}" for n in range(1, SIZES[-1] + 1)]
        samples = asyncio.run(large.fill(path / "log.db", targets))
        opened = large.opening(path / "log.db", f"{ended.events} events, {samples / 1e6:.1f} M samples")
        return [*events(directory / "log.db"), check(1000, 200, directory), *opened, *growth()]


def main(words: Sequence[str]) -> None:
    """Be one release: TARGETS."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)  # as the command line does it
    with tempfile.TemporaryDirectory() as directory:
        print(json.dumps(asdict(asyncio.run(release(int(words[0]), Path(directory))))))


if __name__ == "__main__":
    main(sys.argv[1:])
