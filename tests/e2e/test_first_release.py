"""docs/first-release.md, followed to the letter: every command on the page, in its order, on a real sshd."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from cockpit.store.log import read
from tests.faults.attended import leaves
from tests.faults.pty import Terminal
from tests.sshd import free_port

ROOT = Path(__file__).parent.parent.parent
DEADLINE_S = 60.0
DONE = "--- done"
PORT = "2222"


class Block(NamedTuple):
    """A block of shell on the page: whether it opens a screen, and its lines."""

    screen: bool
    text: str

    def commands(self) -> list[str]:
        """What is typed at a time: one line, or all of it where a text stands in it."""
        return [self.text] if "<<" in self.text else self.text.splitlines()


def blocks() -> list[Block]:
    page = (ROOT / "docs" / "first-release.md").read_text(encoding="utf-8")
    found = re.findall(r"^```sh( screen)?\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert page.count("```") == 2 * len(found)
    return [Block(bool(screen), text) for screen, text in found]


class Shell:
    """A bash in which a person types one command after the other."""

    def __init__(self, env: dict[str, str], home: Path) -> None:
        words = ["bash", "--norc", "--noprofile"]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            words, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, env=env, cwd=home, text=True
        )

    def types(self, command: str) -> tuple[int, str]:
        """The exit code of a command, and what it printed."""
        into, out = self.process.stdin, self.process.stdout
        assert into is not None and out is not None
        into.write(f"{command}\nprintf '\\n{DONE} %s\\n' $?\n")
        into.flush()
        said: list[str] = []
        for line in out:
            if line.startswith(DONE):
                return int(line.removeprefix(DONE)), "".join(said)
            said.append(line)
        raise AssertionError(f"the shell ended: {''.join(said)}")

    def close(self) -> None:
        """End it, whatever it waits for."""
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()
        self.process.terminate()
        self.process.wait(10)


def home(path: Path) -> dict[str, str]:
    """An environment in which `cockpit` is a command, and all is kept below `path`."""
    tools = path / "bin"
    tools.mkdir()
    (tools / "cockpit").write_text(f'#!/bin/sh\nexec {sys.executable} -m cockpit "$@"\n')
    (tools / "cockpit").chmod(0o755)
    ours = {n: v for n, v in os.environ.items() if not n.startswith(("COCKPIT_", "XDG_", "SSH_"))}
    return {
        **ours,
        "HOME": str(path),
        "XDG_STATE_HOME": str(path / "state"),
        "COCKPIT_LINKS": "",
        "PYTHONPATH": str(ROOT / "src"),
        "PATH": f"{tools}:{os.environ['PATH']}",
    }


def patiently(shell: Shell, command: str) -> str:
    """Type it; an act that comes too early is asked again, as the page says."""
    end = time.monotonic() + DEADLINE_S
    while True:
        status, said = shell.types(command)
        early = status in (1, 2) and re.match(r"cockpit (accept|sign|promote) ", command)
        if not early or time.monotonic() > end:
            assert status == 0, f"{command}: {status}\n{said}"
            return said


async def follow(shell: Shell, env: dict[str, str], port: int) -> dict[str, str]:
    """Each command of the page with what it printed."""
    told: dict[str, str] = {}
    for block in blocks():
        for command in block.commands():
            if block.screen:
                async with Terminal(["bash", "-c", command], env=env, cols=120, rows=40) as screen:
                    await screen.shows("shop 1.1")
                    assert await leaves(screen) in (0, 130)
                    continue
            told[command] = patiently(shell, command.replace(PORT, str(port)))
    return told


async def test_the_page_works_when_it_is_followed(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    env = home(tmp_path)
    shell = Shell(env, tmp_path)
    try:
        said = await follow(shell, env, free_port())
    finally:
        shell.close()
        with suppress(OSError, ValueError):
            os.kill(int((tmp_path / "first-release/sshd.pid").read_text()), 15)
    assert said["cat shop-1 shop-2 shop-3"].split() == ["1.1"] * 3
    assert "completed: shop 1.1 is out" in said["tail -n 12 release.log"]
    assert "web" not in said["cockpit doctor shop-1.1.toml"]
    assert "3 reached: host keys known" in said["cockpit doctor shop-1.1.toml"]
    assert "every outcome it claims follows from its records" in said["cockpit verify"]
    assert "completed" in said["cockpit sessions"]
    page = (tmp_path / "first-release/review.html").read_text(encoding="utf-8")
    assert "shop" in page
    (log,) = (tmp_path / "state/cockpit/sessions").glob("*.db")
    kinds = [type(event).__name__ for _, event in read(log).events]
    assert kinds.count("StageApproved") + kinds.count("StagePromoted") >= 2
    assert "ActionAdded" in kinds
    heard = (tmp_path / "first-release/release.log").read_text()
    assert "Say yes: `cockpit promote`" in heard
    assert "Needed: completed" not in heard
