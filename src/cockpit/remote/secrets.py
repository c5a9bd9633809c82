"""Secrets that a plan only points at: looked up late, never shown."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from shlex import quote

from cockpit.core.secret import is_reference as is_reference

CMD_S = 10.0
MOST_BYTES = 65536
MASK = "***"


class SecretError(Exception):
    """A secret can't be had; the text says why, and holds nothing of it."""


def mask(text: str, secrets: Iterable[str]) -> str:
    """`text` with each of `secrets` hidden, the longest first; an empty one hides nothing."""
    for secret in sorted(filter(None, set(secrets)), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


async def look_up(reference: str, *, lines: bool = False) -> str:
    """The secret that `reference` points at, without the newline at its end.

    `cmd:` runs in /bin/sh on this machine, within 10 s; only what it prints to standard output counts.
    SecretError where there is none, it is empty, longer than 64 kB, or isn't one line of text; with `lines`, whatever
    an environment variable can hold may stand in it.
    """
    kind, _, where = reference.partition(":")
    if kind == "env":
        secret = _environment(where)
    elif kind == "file":
        secret = await asyncio.to_thread(_file, where)
    elif kind == "cmd":
        secret = await _command(where)
    else:
        raise SecretError("a secret is written env:NAME, file:PATH or cmd:LINE")
    if not secret:
        raise SecretError(f"{_called(kind, where)} is empty")
    if len(secret.encode("utf-8", "surrogateescape")) > MOST_BYTES:
        raise SecretError(f"{_called(kind, where)} is longer than {MOST_BYTES // 1024} kB")
    if any("\udc80" <= char <= "\udcff" for char in secret):
        raise SecretError(f"{_called(kind, where)} is no text")
    if lines and "\0" in secret:
        raise SecretError(f"{_called(kind, where)} holds a NUL character, which no command can be given")
    if not lines and not secret.isprintable():
        raise SecretError(f"{_called(kind, where)} is more than one line, or holds control characters")
    return secret


def exposed(reference: str) -> str:
    """That others than its owner get at the file of a `file:`, and what to do about it; empty where they don't."""
    kind, _, where = reference.partition(":")
    if kind != "file":
        return ""
    with suppress(OSError, RuntimeError, ValueError):  # whoever looks the secret up says what is wrong
        path = Path(where).expanduser()
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            return f"{where} is open to other users of this machine (mode {mode:o}): `chmod 600 {quote(str(path))}`"
    return ""


def _called(kind: str, where: str) -> str:
    """What to call the secret: a command's line may hold one itself."""
    return {"env": f"the environment's {where}", "file": where, "cmd": "what the command printed"}[kind]


def _environment(name: str) -> str:
    if name not in os.environ:
        raise SecretError(f"the environment has no {name}")
    return os.environ[name]


def _file(path: str) -> str:
    try:
        with open(Path(path).expanduser(), "rb", opener=_at_once) as file:
            data = file.read(MOST_BYTES + 3) or b""  # a line break, and one byte too many
    except (OSError, RuntimeError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "no home directory"
        raise SecretError(f"{path} can't be read: {why}") from None
    return _text(data)


def _at_once(path: str, flags: int) -> int:
    """Opens without a wait: a pipe that nobody writes to would hold up whoever looks."""
    return os.open(path, flags | os.O_NONBLOCK)


async def _command(line: str) -> str:
    """What `line` prints; its whole process group ends with the deadline."""
    process = await asyncio.create_subprocess_exec(
        "/bin/sh",
        "-c",
        line,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(CMD_S):
            data = await _printed(process)
    except TimeoutError:
        raise SecretError(f"the command gave no secret within {CMD_S:g} s") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode != 0:
        raise SecretError(f"the command that gives the secret failed: exit {process.returncode}")
    return _text(data)


async def _printed(process: asyncio.subprocess.Process) -> bytes:
    """All that it prints, but no more than is ever wanted; then its end."""
    assert process.stdout is not None
    data = bytearray()
    while block := await process.stdout.read(MOST_BYTES):
        data += block[: MOST_BYTES + 3 - len(data)]
    await process.wait()
    return bytes(data)


def _text(data: bytes) -> str:
    """As text; bytes that are none stand in it as what os.environ would make of them."""
    return data.decode("utf-8", "surrogateescape").removesuffix("\n").removesuffix("\r")
