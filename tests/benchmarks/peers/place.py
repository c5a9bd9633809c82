"""The place where every tool does the same work: one real sshd, many targets, and a ledger of what ran there."""

from __future__ import annotations

import json
import shlex
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cockpit.core.plan import Target
from tests.sshd import Sshd

_ONCE = "cat /proc/stat /proc/meminfo /proc/loadavg /proc/net/dev; sleep 1"
COUNTERS = f"i=0; while [ $i -lt %d ]; do {_ONCE}; i=$((i+1)); done"
"""What a tool without metrics can do: send the counters once a second, for somebody else to read."""


MOST = 200
"""Targets in one run."""


@dataclass(frozen=True, slots=True)
class Work:
    """Steps on targets, batch after batch, the steps of a target one after the other.

    `lines` are what the steps run besides their entry in the ledger; `stored`: so many bytes of output land on the
    client's disk. `watched_s`: how long the targets' counters are read
    afterwards, once a second. `ports`: of each target, where it isn't the server's own.
    """

    name: str
    batches: tuple[int, ...]
    lines: tuple[str, ...]
    stored: int = 0
    watched_s: int = 0
    ports: tuple[int, ...] = ()
    limit_s: float = 300.0

    @property
    def count(self) -> int:
        """How many targets."""
        return sum(self.batches)


@dataclass(slots=True)
class Job:
    """A tool's one run of some work, in a directory of its own."""

    place: Place
    work: Work
    dir: Path
    targets: list[Target] = field(init=False)
    batches: list[list[int]] = field(init=False)

    def __post_init__(self) -> None:
        """Make the directory and whatever a tool may ask for."""
        (self.dir / "out").mkdir(parents=True)
        server, work = self.place.server, self.work
        names = range(1, work.count + 1)
        if work.ports:
            self.targets = [
                Target(f"web-{n}", "127.0.0.1", port=port) for n, port in zip(names, work.ports, strict=True)
            ]
        else:
            self.targets = [server.target(f"web-{n}", n) for n in names]
        public = server.host_key.export_public_key("openssh").decode().strip()
        self.known_hosts.write_text("".join(f"[{t.host}]:{t.port} {public}\n" for t in self.targets))
        starts = [sum(work.batches[:n]) for n in range(len(work.batches))]
        self.batches = [list(range(at, at + n)) for at, n in zip(starts, work.batches, strict=True)]
        described = {
            "targets": [{"id": t.id, "host": t.host, "port": t.port} for t in self.targets],
            "batches": self.batches,
            "steps": self.steps,
            "user": self.user,
            "identity": str(server.identity),
            "known_hosts": str(self.known_hosts),
            "out": str(self.out) if work.stored else "",
            "dir": str(self.dir),
        }
        self.json.write_text(json.dumps(described))

    @property
    def known_hosts(self) -> Path:
        """A line for each target, as a team has it."""
        return self.dir / "known_hosts"

    @property
    def json(self) -> Path:
        """All of it for a tool's own script."""
        return self.dir / "work.json"

    @property
    def out(self) -> Path:
        """Where a tool stores what targets print."""
        return self.dir / "out"

    @property
    def user(self) -> str:
        """Who logs in."""
        return self.place.server.settings().user or ""

    @property
    def port(self) -> int:
        """The port of every target, where they share one."""
        return self.place.server.port

    @property
    def hosts(self) -> list[list[str]]:
        """Addresses, batch by batch."""
        return [[self.targets[i].host for i in batch] for batch in self.batches]

    @property
    def steps(self) -> list[str]:
        """The lines that targets run: each ends with an entry in the ledger, in one write."""
        lines = [COUNTERS % self.work.watched_s] if self.work.watched_s else self.work.lines
        return self.entered(lines)

    def entered(self, lines: Sequence[str]) -> list[str]:
        """The same for other lines."""
        ledger = shlex.quote(str(self.place.ledger))
        return [
            f'{line + " && " if line else ""}echo "$SSH_CONNECTION {n}" >> {ledger}'
            for n, line in enumerate(lines)
        ]

    def wrong(self) -> str:
        """What isn't as it should be on the targets and the client's disk; empty where every step ran once."""
        ledger = self.place.ledger
        lines = [line.split() for line in ledger.read_text().splitlines()] if ledger.exists() else []
        # Behind a proxy all targets have one address: then their number alone can be held against it.
        of = (lambda words: words[4:]) if self.work.ports else (lambda words: words[2:3] + words[4:])
        ran = Counter(" ".join(of(words)) for words in lines)
        steps = [str(n) for n in range(len(self.work.lines))]
        wanted = Counter(
            " ".join(([] if self.work.ports else [t.host]) + [step]) for t in self.targets for step in steps
        )
        if ran != wanted:
            return f"{sum((wanted - ran).values())} steps missing, {sum((ran - wanted).values())} too many"
        return ""

    def stored(self) -> int:
        """Bytes below `out`."""
        return sum(path.stat().st_size for path in self.out.rglob("*") if path.is_file())


class Place:
    """One sshd and what runs leave on it. Short paths: a ControlMaster's socket has to fit in 100 characters."""

    def __init__(self, path: Path) -> None:
        """Nothing runs yet."""
        self.path = path
        self.server = Sshd(path / "sshd", apart=MOST)
        self.ledger = path / "ledger"
        self._jobs = 0

    def job(self, work: Work) -> Job:
        """A fresh job; the ledger begins anew."""
        self._jobs += 1
        self.ledger.unlink(missing_ok=True)
        return Job(self, work, self.path / str(self._jobs))


@contextmanager
def opened() -> Iterator[Place]:
    """A place whose server runs."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as path:
        place = Place(Path(path))
        place.server.start()
        try:
            yield place
        finally:
            place.server.stop()
