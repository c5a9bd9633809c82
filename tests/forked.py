"""Cockpit's processes, each forked from one that has imported all of cockpit.

A start takes a few hundredths of a second of processor instead of half a second, and the tests make hundreds. That a
command starts by itself is shown by those tests that run it as a command: on terminals of others, under a wrapper,
with pipes.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Self

MODULES = ("cockpit", "tests.faults.cockpit", "tests.tui.gallery")
"""What can be run like this: `python -m` one of them."""

IMPORTED = (
    "cockpit.cli",
    "cockpit.cli.apart",
    "cockpit.export",
    "cockpit.planfile",
    "cockpit.runtime.check",
    "cockpit.runtime.headless",
    "cockpit.runtime.mirror",
    "cockpit.runtime.rehearsal",
    "cockpit.runtime.session",
    "cockpit.tui.app",
)
MOST = 1 << 20
"""Bytes of what is asked."""


def can_fork(words: Sequence[str]) -> bool:
    """Whether this command line is one of cockpit's own."""
    return list(words[:2]) == [sys.executable, "-m"] and words[2] in MODULES


class Forked:
    """One such process; as `subprocess.Popen` has it."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self._nursery = nursery
        self.pid = pid
        self.returncode: int | None = None
        self.stdout: IO[str] | None = None
        self.stderr: IO[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self.stdout, self.stderr):
            if stream is not None:
                stream.close()
        self.wait()

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, once it has ended."""
        if (status := self._ended(timeout)) is None:
            raise subprocess.TimeoutExpired(["cockpit"], timeout or 0)
        return status

    def said(self) -> str:
        """All that it says on its standard output, which ends with it."""
        assert self.stdout is not None
        with self.stdout:
            return self.stdout.read()

    def send_signal(self, number: int) -> None:
        """Send it a signal; nothing if it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _ended(self, within: float | None) -> int | None:
        if self.returncode is None:
            self.returncode = self._nursery.ended(self.pid, within)
        return self.returncode


class Nursery:
    """The process that the others are forked from: started when first needed, it ends with this one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._ended: dict[int, int] = {}

    def start(
        self,
        words: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path | None = None,
        streams: Sequence[IO[bytes]] = (),
        terminal: str = "",
    ) -> Forked:
        """A process of this command line, on these streams (in, out, err) or on a terminal, which it then controls."""
        asked = {
            "words": list(words[2:]),
            "env": dict(env),
            "cwd": str(cwd or Path.cwd()),
            "terminal": terminal,
        }
        with self._lock:
            here = self._socket = self._socket or self._begin()
            socket.send_fds(here, [json.dumps(asked).encode()], [stream.fileno() for stream in streams])
            while (pid := self._hear(here)) is None:
                pass
            return Forked(self, pid)

    def piped(self, words: Sequence[str], *pipes: str, env: Mapping[str, str]) -> Forked:
        """A process of this command line whose `stdout` or `stderr`, as `pipes` has it, is read here as text.

        It reads nothing, and what it says otherwise is lost.
        """
        with ExitStack() as stack:
            nothing = stack.enter_context(Path(os.devnull).open("r+b", buffering=0))
            given: dict[str, IO[bytes]] = {"stdin": nothing, "stdout": nothing, "stderr": nothing}
            read: dict[str, int] = {}
            for name in pipes:
                read[name], written = os.pipe()
                given[name] = stack.enter_context(open(written, "wb", buffering=0))
            process = self.start(words, env=env, streams=[*given.values()])
        for name, end in read.items():
            setattr(process, name, os.fdopen(end, encoding="utf-8"))
        return process

    def ended(self, pid: int, within: float | None) -> int | None:
        """How a process ended, waited for so long; None while it runs."""
        end = None if within is None else time.monotonic() + within
        with self._lock:
            assert self._socket is not None
            while pid not in self._ended:
                left = None if end is None else max(0.0, end - time.monotonic())
                if not select.select([self._socket], [], [], left)[0]:
                    return None
                self._hear(self._socket)
            return self._ended.pop(pid)

    def _hear(self, here: socket.socket) -> int | None:
        """One message: the pid of a process that began, or else one has ended."""
        pid, status = json.loads(here.recv(MOST))
        if status is None:
            return pid
        self._ended[pid] = status
        return None

    def _begin(self) -> socket.socket:
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        process = subprocess.Popen(
            [sys.executable, __file__, str(there.fileno())],
            pass_fds=[there.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        there.close()

        def stop() -> None:
            here.close()
            process.wait()

        atexit.register(stop)
        return here


NURSERY = Nursery()


def become(asked: Mapping[str, Any], files: Sequence[int]) -> None:
    """Go on as the process that was asked for."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    streams = list(files)
    if asked["terminal"]:
        streams = [os.open(asked["terminal"], os.O_RDWR)] * 3
    for standard, file in enumerate(streams):
        os.dup2(file, standard)
    for file in {*streams}:
        os.close(file)
    sys.stdout.reconfigure(line_buffering=bool(asked["terminal"]))  # pyright: ignore
    os.environ.clear()
    os.environ.update(asked["env"])
    time.tzset()
    os.chdir(asked["cwd"])
    sys.path[0] = asked["cwd"]
    module, *sys.argv[1:] = asked["words"]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as left:
        if isinstance(left.code, int):
            leave(left.code)
        raise


def leave(status: int) -> None:
    """End as an interpreter does, but let its memory lie: to be cleared, all that is shared would first be copied.

    Returns, for the interpreter to end by itself, if what was printed can't be written out.
    """
    threading._shutdown()  # pyright: ignore
    atexit._run_exitfuncs()
    gc.collect()  # whatever is dropped unfinished says so
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return
    os._exit(status)


def serve(here: socket.socket) -> None:
    """Fork a process for each that is asked for, and say when it ended; returns in the end, or as that process."""
    for module in IMPORTED:
        import_module(module)
    gc.freeze()
    woken, wake = os.pipe()
    for end in (woken, wake):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready, _, _ = select.select([here, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            reap(here)
        if here not in ready:
            continue
        asked, files, _, _ = socket.recv_fds(here, MOST, 3)
        if not asked:
            return
        if (pid := os.fork()) == 0:
            signal.set_wakeup_fd(-1)
            for end in (here.detach(), woken, wake):
                os.close(end)
            become(json.loads(asked), files)
            return
        for file in files:
            os.close(file)
        here.send(json.dumps([pid, None]).encode())


def reap(here: socket.socket) -> None:
    """Say of each that has ended how it did."""
    try:
        while (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
            pid, status = ended
            here.send(json.dumps([pid, os.waitstatus_to_exitcode(status)]).encode())
    except ChildProcessError:
        return


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
