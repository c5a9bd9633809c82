"""Secrets that a plan only points at: looked up late, never shown."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

CMD_S = 10.0
MOST_BYTES = 65536
MASK = "***"

_REFERENCE = re.compile(r"(env|file|cmd):\S")


class SecretError(Exception):
    """A secret can't be had; the text says why, and holds nothing of it."""


def is_reference(value: str) -> bool:
    """Whether `value` points at a secret: `env:NAME`, `file:PATH` or `cmd:LINE`."""
    return _REFERENCE.match(value) is not None


def mask(text: str, secrets: Iterable[str]) -> str:
    """`text` with each of `secrets` hidden, the longest first; an empty one hides nothing."""
    for secret in sorted(filter(None, set(secrets)), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


async def look_up(reference: str) -> str:
    """The secret that `reference` points at, without the newline at its end.

    `cmd:` runs in /bin/sh on this machine, within 10 s; only what it prints to standard output counts.
    SecretError where there is none, it is empty, or it isn't one line of text.
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
    if not secret.isprintable():
        raise SecretError(f"{_called(kind, where)} is more than one line, or holds control characters")
    return secret


def _called(kind: str, where: str) -> str:
    """What to call the secret: a command's line may hold one itself."""
    return {"env": f"the environment's {where}", "file": where, "cmd": "what the command printed"}[kind]


def _environment(name: str) -> str:
    if name not in os.environ:
        raise SecretError(f"the environment has no {name}")
    return os.environ[name]


def _file(path: str) -> str:
    try:
        with Path(path).expanduser().open("rb") as file:
            data = file.read(MOST_BYTES)
    except (OSError, RuntimeError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "no home directory"
        raise SecretError(f"{path} can't be read: {why}") from None
    return _text(data, path)


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
            data, _ = await process.communicate()
    except TimeoutError:
        raise SecretError(f"the command gave no secret within {CMD_S:g} s") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode != 0:
        raise SecretError(f"the command that gives the secret failed: exit {process.returncode}")
    return _text(data, "what the command printed")


def _text(data: bytes, called: str) -> str:
    try:
        return data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise SecretError(f"{called} is no text") from None
