"""Measures how soon a cockpit under load answers: `tests.faults.flood PLAN LOG`.

Prints a JSON object: `answers` (how many were timed while steps ran), `p95_ms` and `most_ms` from a command to its
durable answer, `lag_p95_ms` by which the event loop was late, `rss_mb` (the most memory the process ever had) and
`exit_code`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from statistics import quantiles
from typing import Any

from cockpit.core.commands import AddNote
from cockpit.core.view import exit_code
from cockpit.planfile import load
from cockpit.runtime.engine import Engine
from cockpit.runtime.headless import run_headless
from cockpit.runtime.session import Opening, session

EVERY_S = 0.02


async def drive(plan: Path, log: Path) -> dict[str, Any]:
    """Run the release to its end, asked something every EVERY_S."""
    checked = load(plan)
    assert checked.plan is not None, checked.problems
    opening = Opening(
        checked.plan, str(plan), checked.data, checked.sha256, "dana", log, promote_when_clean=True
    )
    answers: list[float] = []
    lags: list[float] = []
    async with session(opening) as engine:
        asking = asyncio.create_task(_ask(engine, answers, lags))
        await run_headless(engine, lambda _: None, lambda _: None, "", "")
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    return {
        "answers": len(answers),
        "p95_ms": _p95_ms(answers),
        "most_ms": round(max(answers) * 1000, 1),
        "lag_p95_ms": _p95_ms(lags),
        "rss_mb": _most_memory_mb(),
        "exit_code": exit_code(engine.state),
    }


async def _ask(engine: Engine, answers: list[float], lags: list[float]) -> None:
    while True:
        due = time.monotonic() + EVERY_S
        await asyncio.sleep(EVERY_S)
        asked = time.monotonic()
        flooded = bool(engine.state.running())
        await engine.send(AddNote(engine.now(), "dana", reason="still there?"))
        if flooded:
            lags.append(asked - due)
            answers.append(time.monotonic() - asked)


def _p95_ms(seconds: list[float]) -> float:
    return round(quantiles(seconds, n=20)[-1] * 1000, 1)


def _most_memory_mb() -> float:
    """VmHWM, which the kernel counts in kB."""
    status = Path("/proc/self/status").read_text()
    return round(int(status.partition("VmHWM:")[2].split()[0]) / 1024, 1)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(drive(Path(sys.argv[1]), Path(sys.argv[2])))))
