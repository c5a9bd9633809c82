"""A night of eight hours in minutes: the real engine, log and screens on simulated targets that fail by seed.

`python -m tests.faults.night --seed N --hours 8 --targets 200`
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from unittest import mock

from cockpit.core import plan as plans
from tests.faults.night_checks import Broke
from tests.faults.night_course import Asked, Night, Told, seams
from tests.faults.night_loop import VirtualLoop
from tests.faults.night_web import web_server

INTERVAL_S = 5.0
"""Seconds between two lines of metrics of a target. Cockpit asks for one each 2 s: that would be 2.9 million lines in
a night of 200 targets, and half as much processor again. Nothing else is thinned out."""

WORDS = 12
"""How many of the last records a failure shows."""


def play(asked: Asked) -> tuple[Told, str]:
    """The night on a loop of its own: what came of it, and what broke, or empty."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    nights: list[Night] = []

    async def whole() -> Told:
        interval = mock.patch.object(plans, "HOST_INTERVAL", timedelta(seconds=asked.interval_s))
        async with web_server(loop) as web:
            with interval:  # the plan says how often its signals are read, so that it is read under the same
                nights.append(Night(asked, loop, web))
                with seams(nights[0]):
                    return await nights[0].run()

    try:
        told = loop.run_until_complete(whole())
        return told, nights[0].memory.broken()
    except (Broke, RuntimeError) as fault:
        return nights[0].told, _told_of(nights[0], fault)
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def _told_of(night: Night, fault: Exception) -> str:
    """What broke, when, behind what; and how to see it again."""
    asked = night.asked
    events = night.engine.events if night.engine is not None else night.known
    return "\n".join(
        (
            f"BROKEN: {fault}",
            f"seed {asked.seed}, {night.clock.now():%H:%M:%S} ({night.clock.hours:.3f} h)",
            f"{len(events)} records",
            "the last faults: " + ", ".join(night.faults.recent),
            "the last records:",
            *(f"  {event}"[:400] for event in events[-WORDS:]),
            f"again: make soak SEED={asked.seed}, or python -m tests.faults.night --seed {asked.seed} "
            f"--hours {asked.hours:g} --targets {asked.targets} --interval {asked.interval_s:g}",
        )
    )


def report(asked: Asked, told: Told) -> str:
    """What came of it, for people."""
    hours = "\n".join(f"  {hour}" for hour in told.hours)
    faults = ", ".join(f"{n} {name}" for name, n in sorted(told.faults.items(), key=lambda e: -e[1]))
    return (
        f"seed {asked.seed}: {told.virtual_h:.2f} h with {asked.targets} targets in {told.real_s:.0f} s; "
        f"{told.lines} lines of metrics, {told.events} records, {told.steps} executions, {told.acts} acts "
        f"({told.refused} refused), {told.processes} processes of {told.sessions} sessions: "
        f"{', '.join(told.endings)}\n  faults: {faults}\n{hours}"
    )


def main() -> int:
    """Parse the command line, and play nights until one breaks or all are over."""
    parser = argparse.ArgumentParser(description="A night of releases with faults by seed, in virtual time.")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the first night")
    parser.add_argument("--nights", type=int, default=1, help="how many, each with the next seed")
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--targets", type=int, default=200)
    parser.add_argument(
        "--interval", type=float, default=INTERVAL_S, help="seconds between two metrics of a target"
    )
    parser.add_argument("--faults", type=float, default=40.0, help="an hour, on average")
    given = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets is drawn too, unless it is said
        os.execve(
            sys.executable,
            [sys.executable, "-m", "tests.faults.night", *sys.argv[1:], "--seed", str(given.seed)],
            {**os.environ, "PYTHONHASHSEED": "0"},
        )
    for seed in range(given.seed, given.seed + given.nights):
        shm = Path("/dev/shm")
        path = Path(tempfile.mkdtemp(prefix="night-", dir=shm if os.access(shm, os.W_OK) else None))
        asked = Asked(seed, given.hours, given.targets, given.interval, given.faults, path)
        told, broken = play(asked)
        print(report(asked, told), flush=True)
        if broken:
            print(f"{broken}\n{path} has the log.")
            return 1
        shutil.rmtree(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
