"""What a command costs the machine it runs on: seconds, processor of its whole process tree, memory at its highest.

The command runs below a process of its own that adopts whatever the command leaves behind (connections kept open,
daemons), ends that once the command is over, and adds up what all of them took.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

EVERY_S = 0.2
"""Time between two looks at the memory; more where a look takes long, so that it never takes 5 % of a core."""

LEAVE_S = 3.0
"""How long what a command left behind has to end by itself once it was told to."""

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_KILLED = 124


@dataclass(frozen=True, slots=True)
class Cost:
    """One run. `wall_s`: until the command itself ended; `cpu_s`: user and system, of it and all it started.

    `peak_bytes`: the most memory its processes held at once, shared pages counted once (Pss); at least what its
    largest process held, where that came and went between two looks. `said`: the end of what it printed.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int
    exit_code: int
    said: str


def gauge(
    words: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    within: float = 300,
) -> Cost:
    """Run a command to its end, its output kept apart; after `within` seconds it is killed and its exit code 124."""
    with tempfile.TemporaryFile() as printed:
        reader, writer = os.pipe()
        with open(os.devnull, "rb") as null:
            process = subprocess.Popen(
                [sys.executable, "-S", "-E", __file__, str(writer), str(within), *words],
                stdin=null,
                stdout=printed,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=cwd,
                pass_fds=[writer],
                start_new_session=True,
            )
        os.close(writer)
        watch = _Watch(process.pid)
        watch.start()
        try:
            with os.fdopen(reader) as report:
                told = report.read()
        finally:
            process.terminate()  # nothing to it, unless this is being interrupted
            process.wait()
            watch.over.set()
            watch.join()
        printed.seek(max(0, printed.seek(0, os.SEEK_END) - 4000))
        said = printed.read().decode(errors="replace")
    if not told:
        raise RuntimeError(f"{words[0]}: its gauge ended with {process.returncode}: {said}")
    wall, cpu, largest, code = json.loads(told)
    return Cost(wall, cpu, max(watch.peak, largest), code, said)


class _Watch(threading.Thread):
    """Looks at the memory of everything below a process, again and again."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()
        self.peak = 0
        self._root = root

    def run(self) -> None:
        """Until it is over."""
        wait = EVERY_S / 4
        while not self.over.wait(wait):
            before = time.perf_counter()
            self.peak = max(self.peak, sum(_pss(pid) for pid in below(self._root)))
            wait = max(EVERY_S, 20 * (time.perf_counter() - before))


def below(root: int) -> list[int]:
    """Every process that descends from `root`, which isn't one of them."""
    children: dict[int, list[int]] = {}
    for pid, parent in ((pid, _parent(pid)) for pid in _processes()):
        children.setdefault(parent, []).append(pid)
    found = [root]
    for pid in found:
        found.extend(children.get(pid, ()))
    return found[1:]


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _parent(pid: int) -> int:
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def _pss(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def _measure(report: int, within: float, words: Sequence[str]) -> None:
    """Run the command as a child, be the parent of all it leaves, and write what it took to `report`."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    signal.signal(signal.SIGTERM, _leave)
    os.set_inheritable(report, False)
    started = time.perf_counter()
    try:
        process = subprocess.Popen(words)
        try:
            code = process.wait(within)
        except subprocess.TimeoutExpired:
            code = _KILLED
        wall = time.perf_counter() - started
    finally:
        _end_all(time.monotonic() + LEAVE_S)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = (wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, code)
    os.write(report, json.dumps(told).encode())


def _leave(*_: object) -> None:
    """Once: the death of our parent is told by each of its threads."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(1)


def _end_all(deadline: float) -> None:
    """End and reap whatever still runs below this process."""
    told: set[int] = set()
    while True:
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        left = below(os.getpid())
        if not left:
            return
        for pid in left:
            late = time.monotonic() > deadline
            if late or pid not in told:
                told.add(pid)
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL if late else signal.SIGTERM)
        time.sleep(0.02)


if __name__ == "__main__":
    _measure(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:])
