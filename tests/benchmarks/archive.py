"""A session of 100 MB into the archives: `python -m tests.benchmarks.archive`. Floors: plain COPY, and cp."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from time import perf_counter
from typing import Any

import psycopg

from cockpit.cli.archiving import _copy  # pyright: ignore[reportPrivateUsage]
from cockpit.remote.archive_postgres import Database
from cockpit.remote.archive_tables import MIGRATIONS
from cockpit.store.archive import Directory
from tests.benchmarks.rows import Row
from tests.cli.releases import FIRST, release
from tests.servers import Postgres

SAMPLES = 2_400_000
"""As many as make the log 100 MB."""

COPY = "COPY cockpit.samples (session, signal, target, at, value)"


class Spent:
    """Seconds on the clock, and of this process's processor and that of children it waited for."""

    def __init__(self, work: Callable[[], Any]) -> None:
        before, used = perf_counter(), _processor()
        self.result = work()
        self.wall, self.busy = perf_counter() - before, _processor() - used


def _processor() -> float:
    return sum(u.ru_utime + u.ru_stime for u in (getrusage(RUSAGE_SELF), getrusage(RUSAGE_CHILDREN)))


def rows() -> list[Row]:
    """What copying and verifying take once for all archives, then each archive beside its floor."""
    postgres = Postgres()
    try:
        postgres.start("CREATE DATABASE floor")
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory)
            for name in ("copy", "archive", "floor"):
                (root / name).mkdir()
            log = asyncio.run(_made(root))
            verified = Spent(lambda: _copy(log, root / "copy"))
            copy = verified.result
            size = f"{copy.bytes / 1e6:.0f} MB"
            there = Spent(lambda: Directory(root / "archive").put(copy, None))
            floor = Spent(lambda: _cp(Path(copy.file), root / "floor" / "large.db"))
            dsn = f"postgresql://postgres@127.0.0.1:{postgres.port}/"
            database = Database(f"{dsn}postgres")
            into = Spent(lambda: database.put(copy, None))
            database.close()
            plain = _plain(f"{dsn}postgres", f"{dsn}floor", root / "samples.copy")
        return [
            Row(f"archive: {size} copied and verified", verified.wall, floor.wall, "s", None, None),
            Row(
                f"archive: {size} into a directory",
                there.wall,
                floor.wall,
                "s",
                there.wall / floor.wall,
                None,
            ),
            Row(f"archive: {size} into PostgreSQL", into.wall, plain, "s", into.wall / plain, None),
            Row("archive: into PostgreSQL, processor of ours", into.busy, None, "s", None, None),
        ]
    finally:
        postgres.stop()


async def _made(directory: Path) -> Path:
    """A release with as many samples as a night has."""
    log = await release(directory, "checkout", 0, samples=0)
    with closing(sqlite3.connect(log, isolation_level=None)) as connection:
        connection.execute(
            "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1) "
            "INSERT INTO sample (signal, target, at_us, value) SELECT 'errors', printf('web-%03d', i % 500), "
            "?2 + i * 5000, CASE WHEN i % 997 = 0 THEN NULL ELSE i * 7919 % 9000 / 10.0 END FROM n",
            (SAMPLES, int(FIRST.timestamp()) * 1_000_000),
        )
    return log


def _cp(source: Path, to: Path) -> None:
    """cp, and as durable."""
    subprocess.run(["cp", source, to], check=True)
    file = os.open(to, os.O_RDONLY)
    os.fsync(file)
    os.close(file)


def _plain(source: str, to: str, file: Path) -> float:
    """Seconds that COPY takes for the same samples from a file that is ready, into the same table."""
    out_of = f"{COPY} TO STDOUT (FORMAT binary)"
    with (
        psycopg.connect(source) as connection,
        file.open("wb") as out,
        connection.cursor().copy(out_of) as data,
    ):
        out.writelines(bytes(part) for part in data)
    with psycopg.connect(to) as connection:
        connection.execute("CREATE SCHEMA cockpit")
        connection.execute(MIGRATIONS[0].encode())
        connection.commit()
        before = perf_counter()
        with connection.cursor().copy(f"{COPY} FROM STDIN (FORMAT binary)") as into, file.open("rb") as ready:
            while part := ready.read(1024 * 1024):
                into.write(part)
        connection.commit()
        return perf_counter() - before


if __name__ == "__main__":
    for row in rows():
        print(row.text())
