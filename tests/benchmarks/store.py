"""Durable records a second, against bare sqlite3 doing the same commits."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from cockpit.core.events import StepFinished
from cockpit.store.codec import encode
from cockpit.store.log import Log

BATCHES = ((1, 100), (50, 40), (500, 10))
"""(events a commit, commits)."""

EVENT = StepFinished(
    datetime(2026, 11, 24, tzinfo=UTC), "a-1", "succeeded", True, 0, 0, 1.5, "", 1234, "0" * 64, ""
)


def append_rate() -> list[tuple[str, float, float]]:
    """(name, ours, floor) for each size of batch, in events a second; the floor is sqlite3 with the same durability."""
    rows: list[tuple[str, float, float]] = []
    for size, commits in BATCHES:
        with tempfile.TemporaryDirectory() as directory:
            ours = asyncio.run(_ours(Path(directory) / "ours.db", size, commits))
            floor = _floor(Path(directory) / "floor.db", size, commits)
        rows.append((f"log: {size} events a commit, events/s", ours, floor))
    return rows


async def _ours(path: Path, size: int, commits: int) -> float:
    log = await Log.create(path)
    try:
        before = perf_counter()
        for _ in range(commits):
            await log.append([EVENT] * size)
        return size * commits / (perf_counter() - before)
    finally:
        await log.close()


def _floor(path: Path, size: int, commits: int) -> float:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
        connection.execute(
            "CREATE TABLE event (seq INTEGER PRIMARY KEY, body TEXT NOT NULL, hash TEXT NOT NULL)"
        )
        body, seq = encode(EVENT).decode(), 0
        before = perf_counter()
        for _ in range(commits):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                "INSERT INTO event VALUES (?, ?, ?)", [(seq + n, body, "0" * 64) for n in range(1, size + 1)]
            )
            connection.execute("COMMIT")
            seq += size
        return size * commits / (perf_counter() - before)
    finally:
        connection.close()
