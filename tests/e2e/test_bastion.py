"""docs/bastion.md, held against a real sshd and a real ssh."""

from __future__ import annotations

import asyncio
import getpass
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.faults.attended import press
from tests.faults.pty import Terminal
from tests.faults.release import ROOT, Shape, Site
from tests.remote.waiting import until
from tests.sshd import Sshd

DOOR = "#!/bin/sh -f"


def from_docs(first: str) -> str:
    """The indented block of docs/bastion.md that begins with this line."""
    text = (ROOT / "docs/bastion.md").read_text()
    block = re.search(rf"^    {re.escape(first)}\n((?:    .*\n|\n)*)", text, re.MULTILINE)
    assert block is not None, first
    return f"{first}\n" + "".join(line.removeprefix("    ") for line in block[1].splitlines(keepends=True))


class Bastion:
    """An sshd whose one key opens `command`, and nothing else, on a site's session."""

    def __init__(self, site: Site, command: str) -> None:
        bin_ = site.path / "bin"
        bin_.mkdir()
        for name, body in {
            "cockpit": f'#!/bin/sh\nexec {sys.executable} -m cockpit "$@"\n',
            "cockpit-door": from_docs(DOOR),
        }.items():
            (bin_ / name).write_text(body)
            (bin_ / name).chmod(0o755)
        env = {name: value for name, value in site.env().items() if name.startswith("XDG")}
        self.sshd = Sshd(site.path / "bastion", env={**env, "PATH": f"{bin_}:{os.environ['PATH']}"})
        keys = self.sshd.path / "authorized_keys"
        keys.write_text(f'restrict,pty,command="{command}" {keys.read_text()}')
        self.sshd.start()

    def ssh(self, *words: str, tty: bool = False) -> list[str]:
        options = {
            "Port": self.sshd.port,
            "IdentityFile": self.sshd.identity,
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": self.sshd.known_hosts,
            "LogLevel": "ERROR",
        }
        said = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        return [
            "ssh",
            "-F",
            "none",
            *(["-t"] if tty else []),
            *said,
            f"{getpass.getuser()}@127.0.0.1",
            *words,
        ]

    def asks(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.ssh(*words), capture_output=True, text=True, check=False, timeout=60)


def write_plan(site: Site) -> None:
    """A plan in which Dana is the account that logs in here."""
    plan = site.write_plan(Shape())
    named = plan.read_text().replace(
        'name = "Dana Ruiz"', f'name = "Dana Ruiz", os_user = "{getpass.getuser()}"'
    )
    plan.write_text(named)


async def test_the_door(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        write_plan(site)
        bastion = Bastion(site, "cockpit-door")
        try:
            site.hold("web-1")
            run = site.cockpit("run", site.plan, "--headless", "--log", site.log)
            await until(lambda: site.ran("web-1"), "the step", 40)
            async with Terminal(bastion.ssh(tty=True), rows=24, cols=80) as terminal:
                await terminal.shows("running canary", 30)
                paused = await asyncio.to_thread(bastion.asks, "cockpit", "pause", "--reason", "calls")
                assert paused.returncode == 0, paused.stderr
                await terminal.shows("paused by Dana Ruiz: calls")
                for words in (("sh",), ("cockpit", "run", "x.toml"), ("pause;id",), ("$(id)",)):
                    refused = await asyncio.to_thread(bastion.asks, *words)
                    assert refused.returncode == 2, refused
                    assert refused.stdout == ""
                    assert "here is only" in refused.stderr
                terminal.type("p")
                await terminal.shows("Go on with the release?")
                await press(terminal, "\r", lambda: bool(site.events("RolloutResumed")), "the resumption")
                await terminal.shows("running canary")
                site.let_go("web-1")
                await terminal.shows("waiting before web")
                promoted = await asyncio.to_thread(bastion.asks, "promote")
                assert promoted.returncode == 0, promoted.stderr
                await terminal.shows("completed", 30)
                terminal.type("q")
                assert await terminal.ends() == 0
            assert await run.ended() == 0
            assert site.broken() == []
        finally:
            bastion.sshd.stop()


async def test_the_screen_on_the_wall(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        write_plan(site)
        bastion = Bastion(site, "cockpit attach --read-only")
        try:
            site.hold("web-1")
            run = site.cockpit("run", site.plan, "--headless", "--log", site.log, "--promote-when-clean")
            await until(lambda: site.ran("web-1"), "the step", 40)
            async with Terminal(bastion.ssh("cockpit", "abort", tty=True)) as terminal:
                await terminal.shows("running canary", 30)
                terminal.type("p")
                await terminal.shows("only watch")
                site.let_go("web-1")
                await terminal.shows("completed", 30)
            assert await run.ended() == 0
        finally:
            bastion.sshd.stop()
