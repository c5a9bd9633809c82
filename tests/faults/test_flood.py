"""Ten targets print 100 MB each at once: cockpit stays small and answers."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.faults.release import ROOT, Shape, Site, table

TARGETS = 10
BYTES = 100_000_000
MOST_MEMORY_MB = 200
MOST_WAIT_MS = 200


@pytest.fixture
def in_memory() -> Iterator[Path]:
    """A directory that no disk slows down."""
    with TemporaryDirectory(dir="/dev/shm") as path:
        yield Path(path)


@pytest.mark.faults_slow
@pytest.mark.parametrize(
    "prints",
    [f"yes 'a line of a log, as long as they are' | head -c {BYTES}", f"head -c {BYTES} /dev/zero"],
    ids=["lines", "one line"],
)
async def test_a_gigabyte_at_once(tmp_path: Path, in_memory: Path, prints: str) -> None:
    async with Site(tmp_path, TARGETS) as site:
        # The targets' output and the log share a disk only here: its writes would hold up ours.
        site.log = in_memory / "session.db"
        text = site.write_plan(Shape(work=prints)).read_text().replace("'''60s'''", "'''120s'''")
        stage = table("[stage]", name="web", targets=list(site.targets), steps=["switch"])
        site.plan.write_text(text[: text.index("[[stage]]")] + stage)
        past_the_proxies(site)
        words = [sys.executable, "-m", "tests.faults.flood", site.plan, site.log]
        process = await asyncio.create_subprocess_exec(
            *words, cwd=ROOT, env=site.env(), stdout=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(120):
            out, _ = await process.communicate()
        told = json.loads(out)
        print(told)
        assert told["exit_code"] == 0, told
        assert [len(site.ran(target)) for target in site.targets] == [2] * TARGETS
        assert site.broken() == []
        assert told["answers"] > 20, told
        assert told["rss_mb"] < MOST_MEMORY_MB, told
        assert told["p95_ms"] < MOST_WAIT_MS, told
        assert told["lag_p95_ms"] < MOST_WAIT_MS, told


def past_the_proxies(site: Site) -> None:
    """Log in at the servers themselves: a proxy takes more of this machine's processors than cockpit does."""
    for path in (site.plan, site.path / "known_hosts"):
        text = path.read_text()
        for target, proxy in site.proxies.items():
            text = text.replace(str(proxy.port), str(site.servers[target].port))
        path.write_text(text)
