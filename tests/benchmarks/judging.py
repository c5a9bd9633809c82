"""Judging at the size of a large fleet: what it costs, and how soon a limit acts."""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.commands import Refused
from cockpit.core.decide import decide
from cockpit.core.evolve import replay
from cockpit.core.plan import HERE, Plan, Signal, Stage, Threshold
from cockpit.core.state import State
from cockpit.core.thresholds import Sample
from cockpit.remote.base import Request
from cockpit.remote.scripted import OK, Reply, ScriptedRunner
from cockpit.runtime.engine import TICK, utc_now
from cockpit.runtime.judging import Judging
from tests.benchmarks.engine import started, until
from tests.benchmarks.rows import Row
from tests.core.plans import T0, Session, plan, web

TARGETS, METRICS, SIGNALS = 500, 8, 50
EVERY = timedelta(seconds=5)
SECONDS = 120
"""How long is simulated, after as long to fill the spans."""

LIMITS: tuple[dict[str, object], ...] = (
    {"for_": timedelta(minutes=1)},
    {"for_": timedelta(minutes=1), "clears_at": 50.0},
    {"for_": timedelta(minutes=2), "min_samples": 5},
    {"for_": timedelta(minutes=1), "aggregate": "all"},
    {"for_": timedelta(minutes=1), "aggregate": "median"},
    {"for_": timedelta(minutes=1), "aggregate": "sum", "limit": 1e6},
    {"for_": timedelta(minutes=2), "compare": "control", "limit": 1.5},
    {"for_": timedelta(minutes=1), "compare": "before", "limit": 1.5},
)
RUNS = 20


def _plan() -> Plan:
    hosts = web(TARGETS)
    ids = tuple(t.id for t in hosts)
    metrics = [Signal(f"m{i}", "host", EVERY, targets=ids) for i in range(METRICS)]
    here = [Signal(f"s{i}", "prometheus", EVERY, targets=(HERE,)) for i in range(SIGNALS)]
    limit = Threshold("", "", "notify", ">", 90.0)
    on_hosts = [
        replace(limit, id=s.name, signal=s.name, **changes)  # type: ignore[arg-type]
        for s, changes in zip(metrics, LIMITS, strict=True)
    ]
    on_here = [replace(limit, id=s.name, signal=s.name, for_=timedelta(minutes=1)) for s in here]
    half = Stage("half", ("switch",), tuple(ids[: TARGETS // 2]))
    return plan(
        targets=hosts,
        stages=(half, Stage("rest", ("switch",), ("web",))),
        signals=(*metrics, *here),
        thresholds=(*on_hosts, *on_here),
    )


class _Fleet:
    """Readings as they come: each host's eight at once, spread over the interval; a few hosts are over the limit."""

    def __init__(self) -> None:
        self.plan = _plan()
        self.judging = Judging(self.plan, {})
        self.judging.on = True
        s = Session(replace(self.plan, thresholds=()))
        s.start()
        self.updating = [e for e in s.log if isinstance(e, ev.WaveStarted | ev.StepIntended)]
        s.finish()
        self.updating += [e for e in s.log if isinstance(e, ev.StepFinished)]
        self.state: State = Session(self.plan).state
        self.spent = 0.0
        self.calls = 0

    def update(self, at: datetime) -> None:
        """Half of the fleet is updated."""
        self.state = replay([replace(e, at=at) for e in self.updating], self.state)

    def judge(self, at: datetime) -> None:
        before = time.process_time()
        reports = self.judging.verdicts(self.state, at)
        self.spent += time.process_time() - before
        self.calls += 1
        for report in reports:
            decided = decide(self.state, report)
            assert not isinstance(decided, Refused)
            self.state = replay(decided, self.state)

    def read(self, at: datetime, names: list[str], target: str, value: float) -> None:
        before = time.process_time()
        wakes = False
        for i, name in enumerate(names):
            wakes = self.judging.add(name, target, Sample(at, value + i)) or wakes
        self.spent += time.process_time() - before
        if wakes:
            self.judge(at)

    def live(self, since: float, seconds: float) -> None:
        """So many seconds, in the engine's ticks and whenever a reading wakes it."""
        metrics = [s.name for s in self.plan.signals if s.source == "host"]
        here = [s.name for s in self.plan.signals if s.source != "host"]
        ticks = round(EVERY.total_seconds() / TICK)
        for n in range(round(since / TICK), round((since + seconds) / TICK)):
            for i in range(n % ticks, TARGETS, ticks):
                at = T0 + timedelta(seconds=(n + i / TARGETS) * TICK)
                hot = i % 100 == 7 and (n // ticks) % 3  # now and then, never for the whole span
                self.read(at, metrics, f"web-{i + 1}", 95.0 if hot else 40.0 + (i * 7 + n) % 11)
            for i in range(n % ticks, len(here), ticks):
                self.read(T0 + timedelta(seconds=(n + 0.99) * TICK), [here[i]], HERE, 40.0 + n % 9)
            self.judge(T0 + timedelta(seconds=(n + 1) * TICK))


def load() -> Row:
    """The share of one core that judging takes, half of the fleet updated and all kinds of limits on it."""
    fleet = _Fleet()
    fleet.live(0, SECONDS)
    fleet.update(T0 + timedelta(seconds=SECONDS))
    fleet.live(SECONDS, SECONDS)
    fleet.spent = 0.0
    fleet.live(2 * SECONDS, SECONDS)
    name = f"judging: {TARGETS} targets x {METRICS} + {SIGNALS} signals at 5 s, of one core"
    return Row(name, 100 * fleet.spent / SECONDS, None, "%", None, 5.0)


async def _act(action: str, path: Path) -> float:
    """Seconds from the sample that completes `for` to the rollback's first command on its target, or the pause."""
    bad = {"now": False}
    undone: list[datetime] = []

    def script(target: str, request: Request) -> Reply:
        if request.line == "switch 6":
            undone.append(utc_now())
        if request.line != "errors":
            return OK
        return Reply(output=b"9" if bad["now"] and target == "web-1" else b"0")

    span = timedelta(seconds=0.4)
    hosts = web(50)
    signal = Signal(
        "errors",
        "command",
        timedelta(seconds=0.2),
        targets=tuple(t.id for t in hosts),
        options={"run": "errors"},
    )
    stages = (Stage("all", ("switch",), ("web",), bake_time=timedelta(minutes=9)),)
    limit = Threshold("errors > 2", "errors", "pause", ">", 2.0, for_=span)
    p = plan(targets=hosts, stages=stages, signals=(signal,), thresholds=(replace(limit, action=action),))  # type: ignore[arg-type]
    engine, task, log = await started(p, ScriptedRunner(script), path)
    await until(lambda: bool(engine.state.verdicts), engine)
    assert await engine.send(cmd.StartRelease(engine.now(), "dana")) is None
    await until(lambda: engine.state.phase == "baking", engine)
    seen: list[datetime] = []

    def look() -> None:
        if not seen and (engine.state.paused is not None or undone):
            seen.append(undone[0] if undone else utc_now())

    end = engine.subscribe(look)
    bad["now"] = True
    await until(lambda: bool(seen), engine)
    end()
    since = engine.state.verdicts[limit.id].breaching_since
    assert since is not None
    completes = [s.at for s in engine.series("errors", "web-1") if s.at >= since + span]
    delay = (seen[0] - completes[0]).total_seconds() if completes else 0.0  # a tick was first
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await log.close()
    return max(0.0, delay)


def delay() -> list[Row]:
    """From the sample that completes `for` to the action's first effect: the middle and the slow end of many runs."""
    rows: list[Row] = []
    for action, effect in (("rollback", "first command"), ("pause", "its record")):
        delays: list[float] = []
        for _ in range(RUNS):
            with tempfile.TemporaryDirectory() as path:
                delays.append(asyncio.run(_act(action, Path(path) / "s.db")))
        delays.sort()
        name = f"judging: the last sample of `for` to {action}, {effect}"
        rows.append(Row(f"{name}, p50", delays[RUNS // 2], None, "s", None, 0.2))
        rows.append(Row(f"{name}, p95", delays[-(-RUNS * 95 // 100) - 1], None, "s", None, 0.2))
    return rows
