"""One command's channel over SSH: opened, listened to, let go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import asyncssh
from asyncssh.constants import OPEN_CONNECT_FAILED

from cockpit.remote.base import OnOutput
from cockpit.remote.channel import Closed, MayHaveRun, NothingRan

OPEN_S = 10.0
LINGER_S = 1.0


class NotOpened(NothingRan):
    """There was no channel, so the command never left. `dead`: the connection is of no further use."""

    def __init__(self, text: str, *, dead: bool) -> None:
        super().__init__(text)
        self.dead = dead


async def open_session(
    conn: asyncssh.SSHClientConnection, command: str, stdin: bytes | None, session: Session
) -> Session:
    """Start `command`; what `session` is told is what comes of it. Raises as channel.Open, or NotOpened."""
    kept = False
    creating = asyncio.ensure_future(conn.create_session(lambda: session, command, encoding=None))
    try:
        async with asyncio.timeout(OPEN_S):
            opened, _ = await asyncio.shield(creating)
    except (TimeoutError, OSError, asyncssh.Error) as exc:
        refused = isinstance(exc, asyncssh.ChannelOpenError)
        if session.sent and not (refused and not session.closed.done()):
            raise MayHaveRun(f"the command was sent, but never acknowledged ({_text(exc)})") from None
        if session.sent:
            raise NothingRan("the target refuses to run commands over SSH") from None
        raise NotOpened(f"the target opens no channel: {_text(exc)}", dead=not refused) from None
    else:
        kept = True
    finally:
        if not kept:
            session.close()
            creating.add_done_callback(lambda task: task.cancelled() or task.exception())
    if stdin is not None:
        # A command that is over before its input was sent has closed the channel already.
        with suppress(BrokenPipeError):
            opened.write(stdin)
            opened.write_eof()
    return session


def _text(exc: Exception) -> str:
    if isinstance(exc, asyncssh.Error):
        return exc.reason
    return f"no answer within {OPEN_S:g} s" if isinstance(exc, TimeoutError) else str(exc)


class Session(asyncssh.SSHClientSession[bytes]):
    """A command's channel; see channel.Channel. `free` is done once the server counts it no longer."""

    def __init__(
        self, on_data: OnOutput, on_sent: Callable[[], None], on_error: OnOutput | None = None
    ) -> None:
        self.closed: asyncio.Future[Closed] = asyncio.get_running_loop().create_future()
        self.free: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sent = False
        self._on_data = on_data
        self._on_error = on_error
        self._on_sent = on_sent
        self._chan: asyncssh.SSHClientChannel[bytes] | None = None
        self._left = False
        self._status: int | None = None
        self._ended_by = ""

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """The channel is open; the command leaves as soon as this returns."""
        self._chan = chan
        if self._left:
            chan.abort()
            raise asyncssh.ChannelOpenError(OPEN_CONNECT_FAILED, "no longer wanted")
        self.sent = True
        self._on_sent()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Pass it on; where nobody asked for standard error, it is a login shell's, and dropped."""
        if self._left:
            return
        if datatype is None:
            self._on_data(data)
        elif self._on_error is not None:
            self._on_error(data)

    def write(self, data: bytes) -> bool:
        """See warm.Wire."""
        if self._chan is None or self._chan.is_closing() or self._left:
            return False
        self._chan.write(data)
        return True

    def eof_received(self) -> bool:
        return True

    def exit_status_received(self, status: int) -> None:
        self._status = status

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:
        """No exit record can come any more; what still runs may hold the channel open for long."""
        self._ended_by = f"SIG{signal}"
        if self._chan is not None:
            asyncio.get_running_loop().call_later(LINGER_S, self._leave, self._chan)

    def connection_lost(self, exc: Exception | None) -> None:
        self._freed()
        if self.closed.done():
            return
        if exc is not None:
            detail = f"the connection was lost while it ran ({exc})"
        elif self._ended_by:
            detail = f"the shell that kept watch was ended by {self._ended_by}"
        elif self._status is None:
            detail = "the channel closed without saying how the command ended"
        else:
            detail = f"the shell that kept watch ended with {self._status}, without an exit record"
        self.closed.set_result(Closed(self._status, detail))

    def close(self) -> None:
        """See channel.Channel.

        The server counts a session until its process has exited, whoever closes the channel. So the channel
        may close by itself for a moment, and only then, say for a background child's sake, we close it.
        """
        self._left = True
        if self._chan is None:
            self._freed()
        elif not self.free.done():
            with suppress(BrokenPipeError):
                self._chan.write_eof()
            asyncio.get_running_loop().call_later(LINGER_S, self._leave, self._chan)

    def _leave(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        if not self.free.done():
            chan.close()
            self._freed()

    def _freed(self) -> None:
        if not self.free.done():
            self.free.set_result(None)
