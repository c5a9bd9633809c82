"""Reports of a very large session: 10,000 events, 500 targets, 5 million samples."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cockpit.core import events as e
from cockpit.store.log import Log
from tests.benchmarks.rows import Row

EVENTS, TARGETS, SAMPLES = 10_000, 500, 5_000_000
MOST_SECONDS, MOST_MB = 20.0, 300.0
START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
EVERY = timedelta(seconds=5)
SIGNALS = ("errors", "latency")

PLAN = """
[release]
name             = "Checkout tax rules v7"
service          = "checkout"
environment      = "production"
version          = "2026.11.3"
previous_version = "2026.11.2"
customer_impact  = "EU receipts show the old tax line."

[people]
dana = { name = "Dana Ruiz" }
lee  = { name = "Lee Chen" }

[roles]
decision_owner = "dana"
rollback_owner = "lee"
stop_authority = ["dana", "lee"]

[targets]
"web-[001-500]" = { host = "web-[001-500].example", groups = ["web"] }

[[step]]
id              = "switch"
run             = "bin/switch {version}"
verify          = "bin/health {version}"
rollback        = "bin/switch {previous_version}"
verify_rollback = "bin/health {previous_version}"

[[step]]
id              = "warm"
run             = "bin/warm"
rollback        = "true"
verify_rollback = "true"

[[stage]]
name    = "canary"
targets = ["web-001"]
steps   = ["switch", "warm"]

[[stage]]
name      = "web"
targets   = ["web"]
waves     = ["10%", "20%", "rest"]
steps     = ["switch", "warm"]
bake_time = "10m"

[[signal]]
name     = "errors"
question = "Can customers still check out?"
source   = "command"
run      = "bin/errors"
unit     = "%"
targets  = ["web"]
interval = "5s"

[[signal]]
name     = "latency"
source   = "command"
run      = "bin/latency"
unit     = "ms"
targets  = ["web"]
interval = "5s"

[[threshold]]
signal = "errors"
when   = "> 2"
for    = "2m"
action = "pause"

[[threshold]]
signal = "latency"
when   = "> 1000"
for    = "1m"
action = "rollback"
"""


def rows() -> list[Row]:
    """Each format in a process of its own, beside what a bare SELECT over the same samples takes."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "large.db"
        made(path)
        floor = _bare(path)
        return [row for name in ("html", "markdown", "json", "csv") for row in _export(path, name, floor)]


def _export(path: Path, name: str, floor: float) -> Iterator[Row]:
    out = path.with_suffix(f".{name}")
    out.unlink(missing_ok=True)
    line = [sys.executable, "-m", "cockpit", "export", str(path), "--format", name, "-o", str(out)]
    before = time.perf_counter()
    child = os.posix_spawn(sys.executable, line, os.environ)
    _, status, used = os.wait4(child, 0)
    took = time.perf_counter() - before
    if status:
        raise RuntimeError(f"export --format {name} ended with {os.waitstatus_to_exitcode(status)}")
    busy = used.ru_utime + used.ru_stime
    what = f"export {name}, 5 million samples ({busy / floor:.0f}x a bare SELECT)"
    yield Row(what, took, floor, "s", None, MOST_SECONDS)
    yield Row(f"export {name}: processor time", busy, floor, "s", None, MOST_SECONDS)
    yield Row(f"export {name}: memory", used.ru_maxrss / 1024, None, "MB", None, MOST_MB)


def _bare(path: Path) -> float:
    before = time.perf_counter()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT count(*), max(value) FROM sample").fetchone()
    return time.perf_counter() - before


def made(path: Path, samples: int = SAMPLES) -> None:
    """Write the log: its records by the store, its samples by one statement."""
    asyncio.run(_recorded(path))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("BEGIN")
        # Every target each 5 s, in turn; one in 1,000 fails to be read, and target 7 is not seen for a while.
        connection.execute(
            "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1) "
            "INSERT INTO sample (signal, target, at_us, value) SELECT "
            "  CASE i % 2 WHEN 0 THEN 'errors' ELSE 'latency' END, "
            "  printf('web-%03d', i / 2 % ?2 + 1), "
            "  ?3 + i / (2 * ?2) * 5000000 + i % (2 * ?2) * 5000, "
            "  CASE WHEN i % 997 = 0 THEN NULL WHEN i % 2 THEN i * 7919 % 9000 / 10.0 ELSE i * 7919 % 210 / 100.0 END "
            "FROM n WHERE i / 2 % ?2 <> 6 OR i / (2 * ?2) % 500 > 10",
            (samples, TARGETS, int(START.timestamp()) * 1_000_000),
        )
        connection.execute("COMMIT")


async def _recorded(path: Path) -> None:
    log = await Log.create(path)
    try:
        await log.append(list(_events()))
    finally:
        await log.close()


def _events() -> Iterator[e.Event]:
    """The session: every target done, flapping limits all the while, then rolled back."""
    text = PLAN.encode()
    digest, at = hashlib.sha256(text).hexdigest(), START
    opened = e.SessionOpened(
        at, "large", "5p001", "dana", "druiz", "desk", "0.5.0", "plan.toml", digest, PLAN, False
    )
    forward = [*_stage("canary", 0, ("web-001",)), *_waves()]
    back = list(_back())
    fixed = 1 + TARGETS + 1 + len(forward) + len(back) + 1
    spare = EVENTS - fixed
    yield opened
    for n in range(TARGETS):
        yield e.TargetProbed(at, f"web-{n + 1:03}", True, "", "", ())
    yield e.ReleaseStarted(at, "dana", "", "", (), ())
    step = timedelta(seconds=SAMPLES / TARGETS / len(SIGNALS) * EVERY.total_seconds() / EVENTS)
    for i, event in enumerate(forward):
        at += step
        yield _moved(event, at)
        for n in range(spare * i // len(forward), spare * (i + 1) // len(forward)):
            at += step
            yield _flap(at, n)
    for event in back:
        at += step
        yield _moved(event, at)
    yield e.SessionClosed(at, "rolled_back", (), "", "", "")


def _moved(event: e.Event, at: datetime) -> e.Event:
    object.__setattr__(event, "at", at)
    return event


def _flap(at: datetime, n: int) -> e.VerdictChanged:
    verdict: tuple[e.Verdict, ...] = ("pass", "inconclusive", "error")
    return e.VerdictChanged(
        at, "errors > 2", "errors", verdict[n % 3], 1.9, "> 2", f"web-{n % 500 + 1:03}", None, at, ""
    )


def _waves() -> Iterator[e.Event]:
    names = [f"web-{n + 1:03}" for n in range(1, TARGETS)]
    cut = (len(names) // 10, len(names) // 10 + len(names) // 5)
    yield from _stage("web", 0, tuple(names[: cut[0]]))
    yield from _stage("web", 1, tuple(names[cut[0] : cut[1]]))
    yield from _stage("web", 2, tuple(names[cut[1] :]))


def _stage(stage: str, wave: int, names: Sequence[str]) -> Iterator[e.Event]:
    at = START
    if not wave:
        yield e.StagePromoted(at, stage, "dana", "", "staging is clean", ())
        yield e.StageStarted(at, stage)
    yield e.WaveStarted(at, stage, wave, tuple(names))
    for name in names:
        for step in ("switch", "warm"):
            yield from _attempt(stage, wave, step, name, "run")
    yield e.WaveFinished(at, stage, wave)
    yield e.BakeStarted(at, stage, wave, timedelta(minutes=10))
    yield e.BakeFinished(at, stage, wave, ())
    if stage == "canary" or wave == 2:
        yield e.StageFinished(at, stage)


def _back() -> Iterator[e.Event]:
    names = [f"web-{n + 1:03}" for n in range(TARGETS)]
    yield e.ThresholdTripped(START, "latency > 1000", "rollback", 1200.0, "> 1000", "web-007", (), "")
    yield e.RollbackStarted(START, e.COCKPIT, "", "", "latency > 1000", ())
    for n, name in enumerate(reversed(names)):
        for step in ("warm", "switch"):
            yield from _attempt("canary" if n == TARGETS - 1 else "web", 0, step, name, "back")
    yield e.RollbackFinished(START, tuple(reversed(names)), ())


def _attempt(stage: str, wave: int, step: str, name: str, direction: e.Direction) -> Iterator[e.Event]:
    id_ = f"{stage}/{step}/{name}/{direction}-1"
    line = f"bin/{step} 2026.11.3"
    yield e.StepIntended(
        START, id_, stage, wave, step, name, direction, 1, line, "bin/health", timedelta(minutes=5)
    )
    yield e.StepFinished(START, id_, "succeeded", True, 0, 0, 1.5, "", 0, hashlib.sha256(b"").hexdigest(), "")
