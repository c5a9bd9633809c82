"""Ten people at one release: what attached screens cost its engine, and how soon one sees what another does."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cockpit.tui import dialogs
from tests.benchmarks.apart import NAME, NOTE_BYTES, TARGETS, EngineProcess
from tests.benchmarks.rows import Row
from tests.faults.pty import Terminal
from tests.faults.screen import Screen
from tests.remote.waiting import until

SCREENS, ROUNDS = 10, 3
QUIET_S, SETTLE_S, FLOOD_S = 15.0, 5.0, 4.0
PRESSES = 8
"""So many that the session hasn't let go of a screen that stands still by the last of them."""

EVENTS, STEPS = 20_000, 48
"""A long session: steps make about half of its events, notes the rest."""

FLOOD = 2_000
"""So many long notes that keeping them for a screen that reads nothing would show."""

PEOPLE = ("dana", "lee", "sam")
SHOWN, PAUSED, GOES_ON = b"100 moving", b"anyone may resume", b"0 of %d done" % TARGETS


class Moment(Screen):
    """Keeps the moment at which words came, instead of what a terminal shows: that would take the processor."""

    def __init__(self, words: bytes) -> None:
        super().__init__(40, 120)
        self.expect(words)

    def expect(self, words: bytes) -> None:
        """Look out for these words from now on."""
        self._words, self._rest, self.came = words, b"", 0.0

    def feed(self, data: bytes) -> None:
        """Look for the words; they may be cut anywhere."""
        if not self.came:
            self._rest = self._rest[-len(self._words) :] + data
            if self._words in self._rest:
                self.came = time.perf_counter()


class Attached(Terminal):
    """`cockpit attach` on a terminal of its own."""

    def __init__(self, directory: Path, person: str) -> None:
        words = [sys.executable, "-m", "cockpit", "attach", NAME, "--as", person]
        super().__init__(words, env={"COCKPIT_LINKS": str(directory)})
        self.screen = self.moment = Moment(SHOWN)
        self._started = time.perf_counter()

    async def shown(self) -> float:
        """Seconds from the command to the first frame that names a target."""
        await all_came([self])
        return self.moment.came - self._started

    @contextmanager
    def standing_still(self) -> Generator[None]:
        """Stopped for the time of the block: the screen, and the guard that is its parent."""
        os.killpg(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self.process.pid, signal.SIGCONT)


async def all_came(screens: Sequence[Attached]) -> None:
    """Wait until every screen has shown the words that are expected there."""

    def came() -> bool:
        return all(s.moment.came or s.status is not None for s in screens)

    await until(came, "the words on every screen", 60)
    for screen in screens:
        assert screen.moment.came, bytes(screen.data[-2000:]).decode(errors="replace")


async def presses(screens: Sequence[Attached]) -> list[float]:
    """Pause and resume, at one screen after the other: seconds from each key until each other screen shows it."""
    seconds: list[float] = []
    chance = random.Random(2)
    for n in range(PRESSES):
        await asyncio.sleep(chance.uniform(0.3, 0.6))  # not in step with the drawings
        pressed = screens[n % len(screens)]
        if n % 2:
            pressed.type("p")
            await asyncio.sleep(dialogs.ARM_AFTER + 0.5)  # the question is up, and takes a ⏎
        for screen in screens:
            screen.moment.expect(GOES_ON if n % 2 else PAUSED)
        at = time.perf_counter() + (dialogs.HELD if n % 2 else 0)
        pressed.type("\r" if n % 2 else "p")
        await all_came(screens)
        seconds += [s.moment.came - at for s in screens if s is not pressed]
    return seconds


@dataclass(frozen=True)
class Spell:
    """A while: the seconds it lasted, the processor seconds that the engine took, and those until keys were seen."""

    lasted: float
    processor: float
    seen: tuple[float, ...] = ()

    @property
    def share(self) -> float:
        """The engine's share of one core, in per cent."""
        return 100 * self.processor / self.lasted

    def percentile(self, n: int) -> float:
        """Of the time until a key was seen, in ms."""
        return 1000 * statistics.quantiles(self.seen, n=100, method="inclusive")[n - 1]


async def spell(engine: EngineProcess, screens: Sequence[Attached] = ()) -> Spell:
    """A quiet while; with screens, one of key presses there."""
    began, (processor, _) = time.perf_counter(), engine.tells()
    seen: list[float] = []
    if screens:
        seen = await presses(screens)
    else:
        await asyncio.sleep(QUIET_S)
    return Spell(time.perf_counter() - began, engine.tells()[0] - processor, tuple(seen))


def together(spells: Sequence[Spell]) -> Spell:
    """Several spells as one."""
    seen = tuple(seconds for s in spells for seconds in s.seen)
    return Spell(sum(s.lasted for s in spells), sum(s.processor for s in spells), seen)


async def flood(engine: EngineProcess) -> float:
    """What many notes at once make the engine's memory grow by, in MB."""
    before = engine.memory()
    engine.tells(notes=FLOOD)
    await asyncio.sleep(FLOOD_S)
    return engine.memory() - before


async def attended() -> list[Row]:
    """Ten screens on a busy session, beside a session without any; then key presses, with one that stands still."""
    with tempfile.TemporaryDirectory() as path, EngineProcess(Path(path)) as engine:
        async with AsyncExitStack() as stack:
            screens: list[Attached] = []
            for n in range(SCREENS):
                screen = Attached(Path(path), PEOPLE[n % len(PEOPLE)])
                screens.append(await stack.enter_async_context(screen))
                await screen.shown()
            costs = await _costs(engine)
            pressed, grown = await _one_stopped(engine, screens)
    return [*costs, *_sees(pressed[0]), *_beside(*pressed, *grown)]


async def _one_stopped(
    engine: EngineProcess, screens: Sequence[Attached]
) -> tuple[tuple[Spell, Spell], tuple[float, float]]:
    """Key presses, and what a flood takes: with all screens, and with one of them standing still, in turns."""
    stopped, *others = screens
    every, rest = list[Spell](), list[Spell]()
    for _ in range(ROUNDS):
        every.append(await spell(engine, screens))
        with stopped.standing_still():
            rest.append(await spell(engine, others))
    for _ in range(ROUNDS):
        await flood(engine)  # these make the room that the others use again
    grown, kept = list[float](), list[float]()
    for _ in range(ROUNDS):
        grown.append(await flood(engine))
        with stopped.standing_still():
            kept.append(await flood(engine))
    return (together(every), together(rest)), (statistics.median(grown), statistics.median(kept))


async def _costs(engine: EngineProcess) -> list[Row]:
    """What the engine takes, beside one without screens at the same time: a core at rest is slower than a busy one."""
    with tempfile.TemporaryDirectory() as path, EngineProcess(Path(path)) as other:
        await asyncio.sleep(SETTLE_S)
        ours, floor = (s.share for s in await asyncio.gather(spell(engine), spell(other)))
    name = f"engine, {TARGETS} targets, {SCREENS} screens"
    return [
        Row(f"{name}: share of one core", ours, None, "%", None, 25.0),
        Row(f"{name}: against no screen", ours, floor, "%", ours / floor, None),
    ]


def _sees(every: Spell) -> list[Row]:
    name = f"key at one screen to seen at {SCREENS - 1} (all real)"
    return [
        Row(f"{name}, p50", every.percentile(50), None, "ms", None, None),
        Row(f"{name}, p95", every.percentile(95), None, "ms", None, 150.0),
    ]


def _beside(every: Spell, rest: Spell, grown: float, kept: float) -> list[Row]:
    def row(what: str, ours: float, floor: float, unit: str, most: float | None) -> Row:
        return Row(f"one screen stopped: {what}", ours, floor, unit, ours / floor, most)

    flooded = FLOOD * NOTE_BYTES / 1e6
    return [
        row("engine's share", rest.share, every.share, "%", 1.5),
        row("key seen at the others, p50", rest.percentile(50), every.percentile(50), "ms", 1.2),
        row("key seen at the others, p95", rest.percentile(95), every.percentile(95), "ms", None),
        Row(f"one screen stopped: memory, {flooded:.0f} MB flood", kept, grown, "MB", None, flooded / 2),
    ]


async def replay() -> list[Row]:
    """Attaching to a long session, beside attaching to a young one."""
    young, _ = await _attaching(0, 0)
    shown, longest = await _attaching(EVENTS, STEPS)
    name = f"attach to {EVENTS:,} events"
    return [
        Row(f"{name}: shown, start included", shown, young, "s", shown / young, None),
        Row(f"{name}: engine's longest pause", 1000 * longest, None, "ms", None, 100.0),
    ]


async def _attaching(events: int, steps: int) -> tuple[float, float]:
    """The least seconds until a screen on such a session is shown, and its engine's longest standstill meanwhile."""
    shown: list[float] = []
    longest: list[float] = []
    with tempfile.TemporaryDirectory() as path, EngineProcess(Path(path), events, steps) as engine:
        for _ in range(ROUNDS):
            await asyncio.sleep(SETTLE_S)
            engine.tells()
            async with Attached(Path(path), "dana") as screen:
                shown.append(await screen.shown())
                longest.append(engine.tells()[1])
    return min(shown), max(longest)
