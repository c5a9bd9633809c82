"""One SSH session of a demo host: a channel with a real process behind it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import asyncssh
from asyncssh.constants import EXTENDED_DATA_STDERR

CHUNK = 65536
STDIN_HIGH_WATER = 4 * CHUNK
LINGER_S = 0.2
"""How long output may still come after the command's own exit, from children that keep its pipes open."""


class Groups:
    """The process groups of one host's running commands."""

    def __init__(self) -> None:
        self._leaders: set[int] = set()

    def add(self, pid: int) -> None:
        """A command has been started as the leader of the group `pid`."""
        self._leaders.add(pid)

    def ended(self, pid: int) -> None:
        """The command has ended (children of it may live on)."""
        self._leaders.discard(pid)

    @property
    def running(self) -> bool:
        """Whether any command still runs."""
        return bool(self._leaders)

    def kill(self, number: signal.Signals) -> None:
        """Signal every group that still has its leader."""
        for pid in self._leaders:
            _signal_group(pid, number)


class Shell(asyncssh.SSHServerSession[bytes]):
    """Runs the client's command line with `sh -c`, or `sh` reading its stdin where none was given.

    As with OpenSSH without a terminal: the exit code or signal is passed on as it was, and a command outlives
    its connection. Unlike it, the channel closes soon after the command's own exit, even if a background
    child still holds its stdout.
    """

    def __init__(self, host_dir: Path, environment: dict[str, str], groups: Groups) -> None:
        self._dir = host_dir
        self._environment = environment
        self._groups = groups
        self._loop = asyncio.get_running_loop()
        self._arguments: list[str] = []
        self._pid: int | None = None
        self._inbox = bytearray()
        self._eof = False
        self._paused = False
        self._stdin = -1
        self._outputs: dict[int, int | None] = {}
        self._outputs_done = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    # What the client asks for

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        """The channel is open."""
        self._chan = chan

    def shell_requested(self) -> bool:
        """A shell that reads its commands from stdin; there is no terminal."""
        self._arguments = ["/bin/sh"]
        return True

    def exec_requested(self, command: str) -> bool:
        """One command line."""
        self._arguments = ["/bin/sh", "-c", command]
        return True

    def session_started(self) -> None:
        """Everything is asked for: start the process."""
        stdin, self._stdin = os.pipe()
        stdout, stderr = os.pipe(), os.pipe()
        self._outputs = {stdout[0]: None, stderr[0]: EXTENDED_DATA_STDERR}
        for fd in (self._stdin, *self._outputs):
            os.set_blocking(fd, False)
        self._task = self._loop.create_task(self._run(stdin, stdout[1], stderr[1]))

    def signal_received(self, signal: str) -> None:
        """Pass a signal on to the command's process group."""
        number = _number(signal)
        if self._pid is not None and number is not None:
            _signal_group(self._pid, number)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the pipes: the command sees the end of its stdin, and SIGPIPE if it writes on."""
        self._eof = True
        self._inbox.clear()
        self._close_stdin()
        for fd in tuple(self._outputs):
            self._close_output(fd)

    # From the client to the process

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Input for the command; the channel waits while the command doesn't read."""
        self._inbox += data
        self._feed()
        if len(self._inbox) > STDIN_HIGH_WATER:
            self._chan.pause_reading()

    def eof_received(self) -> bool:
        """The end of the command's stdin; its output goes on."""
        self._eof = True
        self._feed()
        return True

    def _feed(self) -> None:
        if self._stdin < 0:
            self._inbox.clear()
            return
        try:
            while self._inbox:
                del self._inbox[: os.write(self._stdin, self._inbox[:CHUNK])]
        except BlockingIOError:
            self._loop.add_writer(self._stdin, self._feed)
            return
        except BrokenPipeError:
            self._inbox.clear()
        self._loop.remove_writer(self._stdin)
        if self._eof:
            self._close_stdin()
        else:
            self._chan.resume_reading()  # last: it may bring more input, and the end of it, before it returns

    def _close_stdin(self) -> None:
        if self._stdin >= 0:
            self._loop.remove_writer(self._stdin)
            os.close(self._stdin)
            self._stdin = -1

    # From the process to the client

    def pause_writing(self) -> None:
        """The client doesn't keep up: leave the rest in the pipes, so that the command waits too."""
        self._paused = True
        for fd in self._outputs:
            self._loop.remove_reader(fd)

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._paused = False
        for fd in self._outputs:
            self._loop.add_reader(fd, self._pass_on, fd)

    def _pass_on(self, fd: int) -> bool:
        """Pass on what is there; False where there is nothing (more) just now."""
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return False
        if not data:
            self._close_output(fd)
            return False
        try:
            self._chan.write(data, self._outputs[fd])
        except OSError:  # the channel has just gone
            self._close_output(fd)
            return False
        return True

    def _close_output(self, fd: int) -> None:
        self._loop.remove_reader(fd)
        del self._outputs[fd]
        os.close(fd)
        if not self._outputs:
            self._outputs_done.set()

    # The process

    async def _run(self, stdin: int, stdout: int, stderr: int) -> None:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._arguments,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                cwd=self._dir,
                env=self._environment,
                start_new_session=True,
            )
        except OSError as error:
            with contextlib.suppress(OSError):  # the channel has gone meanwhile
                self._chan.write(f"sh: {error}\n".encode(), EXTENDED_DATA_STDERR)
            self._finish(127)
            return
        finally:
            for fd in (stdin, stdout, stderr):
                os.close(fd)
        self._pid = process.pid
        self._groups.add(process.pid)
        if not self._paused:
            self.resume_writing()
        code = await process.wait()
        self._pid = None
        self._groups.ended(process.pid)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._outputs_done.wait(), LINGER_S)
        self._finish(code)

    def _finish(self, code: int) -> None:
        """Pass on what the pipes hold now (a pipe holds little, so a background child can't hold us up)."""
        for fd in tuple(self._outputs):
            for _ in range(1 + 1048576 // CHUNK):
                if not self._pass_on(fd):
                    break
        self._close_stdin()
        for fd in tuple(self._outputs):
            self._close_output(fd)
        if code >= 0:
            self._chan.exit(code)
        else:
            self._chan.exit_with_signal(_name(-code))


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)


def _number(name: str) -> signal.Signals | None:
    try:
        return signal.Signals[f"SIG{name}"]
    except KeyError:
        return None


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name.removeprefix("SIG")
    except ValueError:  # a real-time signal
        return f"{number}@cockpit"
