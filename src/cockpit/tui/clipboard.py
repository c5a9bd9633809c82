"""Copying: through the terminal, through what the desktop or tmux offers, and into a file in any case."""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cockpit.core.errors import LogError
from cockpit.store.files import make_private_directory
from cockpit.store.sessions import session_dir
from cockpit.tui.text import visible

BASE64_MOST = 74_994
"""What terminals take in one OSC 52 at least (xterm's and hterm's limit)."""

PATIENCE_S = 2.0
"""Seconds for a program that takes a copy; a display that is gone answers never."""

_SCREEN_BYTES = 700
"""GNU screen hands on strings of less than 768 bytes."""


@dataclass(frozen=True, slots=True)
class Copied:
    """Where a copy went: `terminal` where it was sent there (nobody knows what became of it), a program, a file."""

    terminal: bool
    program: str = ""
    file: Path | None = None

    def told(self) -> str:
        """In words."""
        ways = (
            ["sent to the terminal's clipboard"]
            if self.terminal
            else ["too long for the terminal's clipboard"]
        )
        if self.program:
            ways.append("put into tmux's buffer" if self.program == "tmux" else f"taken by {self.program}")
        said = ", ".join(ways)
        return f"{said}; also in {at_home(self.file)}" if self.file is not None else said


def cleaned(text: str) -> str:
    """`text` with every control shown, not kept, and without a last line end: pasted into a shell it runs nothing."""
    lines = text.replace("\r\n", "\n").expandtabs(8).split("\n")
    return "\n".join(map(visible, lines)).rstrip("\n")


def sequence(text: str, env: Mapping[str, str] = os.environ) -> str:
    """What asks the terminal to take `text`, also from within tmux or screen; empty where it is too long."""
    encoded = base64.b64encode(text.encode()).decode()
    if len(encoded) > BASE64_MOST:
        return ""
    plain = f"\x1b]52;c;{encoded}\x07"
    if "TMUX" in env:  # the plain one is for `set-clipboard on`, the wrapped one for `allow-passthrough on`
        return f"{plain}\x1bPtmux;\x1b{plain}\x1b\\"
    if "STY" in env:
        return "".join(
            f"\x1bP{plain[at : at + _SCREEN_BYTES]}\x1b\\" for at in range(0, len(plain), _SCREEN_BYTES)
        )
    return plain


def programs(env: Mapping[str, str] = os.environ) -> list[list[str]]:
    """The commands that take a copy from their standard input, where there is somewhere to put it."""
    every: list[tuple[bool, list[str]]] = [
        (bool(env.get("WAYLAND_DISPLAY")), ["wl-copy"]),
        (bool(env.get("DISPLAY")), ["xclip", "-selection", "clipboard"]),
        (bool(env.get("DISPLAY")), ["xsel", "--clipboard", "--input"]),
        (sys.platform == "darwin" and "SSH_CONNECTION" not in env, ["pbcopy"]),
        (bool(env.get("TMUX")), ["tmux", "load-buffer", "-w", "-"]),
    ]
    path = env.get("PATH")
    return [words for usable, words in every if usable and shutil.which(words[0], path=path)]


async def hand_on(text: str, env: Mapping[str, str] = os.environ) -> str:
    """The first program that took `text`, or empty. None of them gets hold of this terminal."""
    for words in programs(env):
        if await _took(words, text):
            return words[0]
    return ""


async def _took(words: list[str], text: str) -> bool:
    nothing = asyncio.subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(
            *words, stdin=asyncio.subprocess.PIPE, stdout=nothing, stderr=nothing, start_new_session=True
        )
    except OSError:
        return False
    try:
        async with asyncio.timeout(PATIENCE_S):
            await process.communicate(text.encode())
    except TimeoutError:
        return False
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return process.returncode == 0


def directory() -> Path:
    """Where copies and saved outputs lie: beside the sessions."""
    return session_dir().parent


def keep(text: str, path: Path) -> Path | None:
    """Write `text` to the file, for its owner's eyes only, in the place of what was there; None where that fails."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        make_private_directory(path.parent)
        with open(
            os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(text)
        beside.replace(path)
    except (OSError, LogError):
        with suppress(OSError):
            beside.unlink()
        return None
    return path


def at_home(path: Path) -> str:
    """The path, `~` for the home directory."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
