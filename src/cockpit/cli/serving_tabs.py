"""A browser's tab as the server has it: the process that draws its screen, and the packets to and from it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from cockpit.core.text import visible

DRAWN, TOLD = b"D", b"M"
"""Kinds of packets: what a terminal reads or draws, and words between the two ends, in JSON.

A packet is its kind, the length of the rest (4 bytes, big-endian), and the rest: Textual's driver for browsers says so.
"""

READY = b"__GANGLION__\n"
"""What that driver says before its first packet."""

PACKET_MOST = 16 << 20
WORDS_MOST = 20_000
"""The most bytes of one packet, and of what a process says beside them."""

ENDS_WITHIN_S = 5.0
"""How long a screen may take to leave its session."""

HERE_ALONE = ("DISPLAY", "WAYLAND_DISPLAY", "TMUX", "STY")
"""What names a display or a terminal of this machine: no key of a browser is to get at them."""


async def opened(words: Sequence[str], width: int, height: int, env: Mapping[str, str] = os.environ) -> Tab:
    """Start the process that draws a tab of so many columns and rows."""
    drawing = {name: value for name, value in env.items() if name not in HERE_ALONE}
    drawing |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "TEXTUAL_COLOR_SYSTEM": "truecolor"}
    drawing |= {"COLUMNS": str(width), "ROWS": str(height)}
    # A session of its own: ctrl+c in the server's terminal is the server's to answer.
    return Tab(
        await asyncio.create_subprocess_exec(
            *words, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=drawing, start_new_session=True
        )
    )


class Tab:
    """One such process. Use `opened`, and `end` it."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        self._process = process
        self._in, self._out = process.stdin, process.stdout
        self._words = asyncio.create_task(_last_of(process.stderr))

    async def packets(self) -> AsyncIterator[tuple[bytes, bytes]]:
        """What it says, as kind and content, until it ends or says what makes no sense."""
        with suppress(asyncio.IncompleteReadError, ConnectionError, ValueError):
            if await self._out.readline() != READY:
                return
            while True:
                head = await self._out.readexactly(5)
                size = int.from_bytes(head[1:], "big")
                if size > PACKET_MOST:
                    return
                yield head[:1], await self._out.readexactly(size)

    async def say(self, kind: bytes, content: bytes) -> None:
        """Send it a packet; nothing where it has ended."""
        with suppress(ConnectionError, RuntimeError):
            self._in.write(kind + len(content).to_bytes(4, "big") + content)
            await self._in.drain()

    async def tell(self, **word: Any) -> None:
        """Send it a word, as `tell(type="focus")`."""
        await self.say(TOLD, json.dumps(word).encode())

    async def end(self) -> str:
        """End it, the hard way where it takes too long; returns its last words, safe to show."""
        process = self._process
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(ENDS_WITHIN_S):
                    self._in.close()  # nothing more to read: it leaves
                    await self._emptied()
                    await process.wait()
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        await self._emptied()  # until it is, asyncio goes on waiting for a process that is gone
        await process.wait()
        return visible((await self._words).decode("utf-8", "replace"), keep="\n").strip()

    async def _emptied(self) -> None:
        """Read what it still says: a full pipe would keep it."""
        while await self._out.read(1 << 16):
            pass


async def _last_of(stream: asyncio.StreamReader) -> bytes:
    said = b""
    while more := await stream.read(1 << 16):
        said = (said + more)[-WORDS_MOST:]
    return said
