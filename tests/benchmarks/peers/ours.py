"""Ours: the same work as a release, by the real command, with its log, supervision, limits and metrics."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path

from cockpit.core.events import StepFinished, StepIntended
from cockpit.store.log import read
from tests.benchmarks.peers.place import Job
from tests.faults.release import RELEASE, table

ROOT = Path(__file__).parents[3]


def log_of(job: Job) -> Path:
    """Where the session's log is."""
    return job.dir / "session.db"


def command(job: Job) -> list[str]:
    """The command line."""
    plan = job.dir / "plan.toml"
    plan.write_text(_plan(job))
    cockpit = Path(sys.executable).with_name("cockpit")
    flags = ["--as", "dana", "--headless", "--promote-when-clean", "--log", str(log_of(job))]
    return [str(cockpit), "run", str(plan), *flags]


def _plan(job: Job) -> str:
    lines = job.entered(job.work.lines)
    server, ids = job.place.server, [f"s{n}" for n in range(len(lines))]
    first, *waves = job.batches
    stage = table(
        "[stage]", name="canary" if waves else "web", targets=[job.targets[i].id for i in first], steps=ids
    )
    parts = [
        RELEASE.replace('name = "Ledger"', 'name = "Benchmark"'),
        table("ssh", user=job.user, known_hosts=str(job.known_hosts), identity=str(server.identity)),
        "[targets]",
        *(f'{t.id} = {{ host = "{t.host}", port = {t.port} }}' for t in job.targets),
        *(_step(id_, line, bool(waves)) for id_, line in zip(ids, lines, strict=True)),
        stage,
    ]
    if job.work.watched_s:
        parts += [
            f'bake_time = "{job.work.watched_s}s"',
            table("[signal]", name="busy", source="host", metric="cpu", interval="1s"),
            table("[threshold]", signal="busy", when="> 1000", action="pause"),
        ]
    if waves:
        rest = [job.targets[i].id for wave in waves for i in wave]
        parts.append(table("[stage]", name="web", targets=rest, steps=ids))
        parts.append(
            f'waves = [{", ".join(str(len(wave)) for wave in waves[:-1])}{", " * (len(waves) > 1)}"rest"]'
        )
    return "\n".join(parts)


def _step(id_: str, line: str, proven: bool) -> str:
    """A step; `proven`: it is known, before the start too, what its rollback has to come back to."""
    verify = {"verify_rollback": "true"} if proven else {}
    return table("[step]", id=id_, run=line, rollback="true", **verify, timeout="2m")


def rollout_s(job: Job) -> float:
    """Seconds from the first step's intent to the last one's end, as the log has it."""
    at: list[datetime] = [
        e.at for _, e in read(log_of(job)).events if isinstance(e, StepIntended | StepFinished)
    ]
    return (max(at) - min(at)).total_seconds()


def kept(job: Job) -> tuple[int, int]:
    """(bytes that came over the wire and were digested, bytes of them that the log keeps) of all outputs."""
    with closing(sqlite3.connect(f"file:{log_of(job)}?mode=ro", uri=True)) as connection:
        return connection.execute(
            "SELECT sum(total), sum(length(head) + length(tail)) FROM output"
        ).fetchone()


def rate(log: Path, signal: str) -> float:
    """How often a second a signal was read on each target; not a number where it hardly was."""
    counted = "SELECT count(*), count(DISTINCT target), max(at_us) - min(at_us) FROM sample WHERE signal = ?"
    with closing(sqlite3.connect(f"file:{log}?mode=ro", uri=True)) as connection:
        samples, targets, span_us = connection.execute(counted, (signal,)).fetchone()
    return (samples / targets - 1) / span_us * 1e6 if targets and span_us else float("nan")
