"""The program as a person starts it: help, the first frame, and what watching 50 targets costs."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from tests.benchmarks.rows import Row
from tests.sshd import Sshd

ROUNDS = 5
WATCH_S = 12.0
SIZE = {"LINES": "40", "COLUMNS": "120", "TERM": "xterm-256color", "COLORTERM": "truecolor"}

PLAN = """
[release]
name = "Watch"
service = "watch"
environment = "test"
version = "2"
previous_version = "1"
customer_impact = "Nobody sees it."
[people]
dana = {{ name = "Dana Ruiz" }}
[roles]
decision_owner = "dana"
rollback_owner = "dana"
[ssh]
user = "{user}"
known_hosts = "{known_hosts}"
identity = "{identity}"
[targets]
"web-[1-{n}]" = {{ host = "127.0.0.[1-{n}]", port = {port}, groups = ["web"] }}
[[step]]
id = "switch"
run = "true"
rollback = "true"
verify_rollback = "true"
[[stage]]
name = "web"
targets = ["web"]
steps = ["switch"]
"""


def help_time() -> Row:
    """`cockpit --help`, the best of several, beside the bare interpreter."""

    def best(words: list[str]) -> float:
        times: list[float] = []
        for _ in range(ROUNDS):
            before = time.perf_counter()
            subprocess.run([sys.executable, *words], capture_output=True, check=True)
            times.append(time.perf_counter() - before)
        return min(times)

    bare, ours = best(["-c", "pass"]), best(["-m", "cockpit", "--help"])
    return Row(f"cockpit --help (the interpreter alone: {bare:.3f} s)", ours, None, "s", None, 0.15)


class OnTerminal:
    """A program on a pseudo terminal, its output read all the time."""

    def __init__(self, words: list[str], env: dict[str, str]) -> None:
        """Start it."""
        pid, self._fd = pty.fork()
        if pid == 0:
            os.execvpe(words[0], words, {**os.environ, **SIZE, **env})
        self.pid = pid
        self.seen = b""

    def read(self, seconds: float, wanted: bytes = b"\0never") -> bool:
        """Read for so long, or until `wanted` was printed; whether it was."""
        end = time.perf_counter() + seconds
        while wanted not in self.seen and (left := end - time.perf_counter()) > 0:
            if select.select([self._fd], [], [], left)[0]:
                self.seen = (self.seen + os.read(self._fd, 65536))[-2_000_000:]
        return wanted in self.seen

    def processor(self) -> float:
        """The processor seconds so far of everything on this terminal: a small process guards the screen's."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = stat.read_text().rpartition(")")[2].split()
                ticks += (int(fields[11]) + int(fields[12])) * (int(fields[3]) == self.pid)
        return ticks / os.sysconf("SC_CLK_TCK")

    def type(self, keys: bytes) -> None:
        """As somebody at its keyboard."""
        os.write(self._fd, keys)

    def terminate(self, patience_s: float = 10) -> None:
        """Ask it to end, read what it says meanwhile, and wait for it."""
        os.kill(self.pid, 15)
        with suppress(OSError):  # a terminal that nobody has any more can't be read
            self.read(patience_s)
        os.waitpid(self.pid, 0)
        os.close(self._fd)

    def end(self) -> None:
        """Kill it."""
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self._fd)


def program_on(server: Sshd, path: Path, n: int, state: str, *more: str) -> OnTerminal:
    """The program on a terminal, its sessions in a directory of its own: an engine outlives its screen a little."""
    settings = server.settings()
    (path / "plan.toml").write_text(
        PLAN.format(
            user=settings.user,
            known_hosts=settings.known_hosts,
            identity=settings.identity,
            n=n,
            port=server.port,
        )
    )
    words = [sys.executable, "-m", "cockpit", str(path / "plan.toml"), "--as", "dana", *more]
    return OnTerminal(words, {"XDG_STATE_HOME": str(path / state)})


def first_frame(n: int = 100) -> Row:
    """From the command to the first frame that names a target, `n` targets; interpreter start included."""
    times: list[float] = []
    with tempfile.TemporaryDirectory() as directory:
        server = Sshd(Path(directory))
        server.start()
        try:
            for round_ in range(ROUNDS):
                before = time.perf_counter()
                program = program_on(server, Path(directory), n, f"state-{round_}")
                assert program.read(10, b"web-1"), program.seen[-2000:]
                times.append(time.perf_counter() - before)
                program.end()
        finally:
            server.stop()
    return Row(f"screen: first frame, {n} targets, start included", min(times), None, "s", None, 1.0)


def metrics(n: int = 50) -> Row:
    """The processor share of the whole cockpit, screen and log included, watching `n` targets every 2 s."""
    with tempfile.TemporaryDirectory() as directory:
        server = Sshd(Path(directory))
        server.start()
        try:
            program = program_on(server, Path(directory), n, "state", "--foreground")
            program.read(8)
            before, at = program.processor(), time.perf_counter()
            program.read(WATCH_S)
            share = (program.processor() - before) / (time.perf_counter() - at)
            program.end()
        finally:
            server.stop()
    return Row(f"whole cockpit watching {n} targets, share of one core", share * 100, None, "%", None, 15.0)
