"""A finished session of 100 MB: how long it takes to open it for each thing that people do with it."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from cockpit.store.log import Log, SampleRow, read
from tests.benchmarks.rows import Row

MEGABYTES = 100
OPENED = 2.0
FORMAT = ("--format", "markdown")

REPLAY = """
import sys
from pathlib import Path
from cockpit.cli import replaying
from cockpit.runtime.replaying import Recorded
Recorded(*replaying._read(Path(sys.argv[1])))
"""


async def fill(path: Path, targets: Sequence[str]) -> int:
    """Add samples to a session, as its targets would have given them, until it has its size; how many."""
    first = read(path).events[0][1].at
    log = await Log.open(path)
    added = 0
    try:
        while path.stat().st_size < MEGABYTES * 1e6:
            at = first + timedelta(milliseconds=added / len(targets))
            rows = [
                SampleRow(s, t, at, 1.0 + added % 7)
                for s in ("errors", "cpu")
                for t in targets
                for _ in range(10)
            ]
            await log.append((), (), rows)
            added += len(rows)
    finally:
        await log.close()
    return added


def spent(*words: str, home: Path) -> float:
    """Processor seconds that a command takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    env = {**os.environ, "XDG_STATE_HOME": str(home)}
    done = subprocess.run([sys.executable, *words], capture_output=True, check=False, env=env, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, (words, done.stderr[-500:], done.stdout[-500:])
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def opening(path: Path, what: str) -> list[Row]:
    """Each command that reads the whole of a session, from its start to its end, in processor time."""
    home = path.parent / "state"
    name = f"open {path.stat().st_size / 1e6:.0f} MB, {what}"
    log = str(path)
    return [
        Row(
            f"{name}: replay, ready to be shown", spent("-c", REPLAY, log, home=home), None, "s", None, OPENED
        ),
        Row(f"{name}: review", spent("-m", "cockpit", "review", log, home=home), None, "s", None, OPENED),
        Row(f"{name}: verify", spent("-m", "cockpit", "verify", log, home=home), None, "s", None, None),
        Row(
            f"{name}: export",
            spent("-m", "cockpit", "export", log, *FORMAT, home=home),
            None,
            "s",
            None,
            None,
        ),
    ]
