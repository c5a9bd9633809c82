"""What a demo host is on disk: its directory, its commands, and how the fleet names it."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from cockpit.demo import commands

USER = "demo"
VERSION = "2026.11.3"
PREVIOUS_VERSION = "2026.11.2"
GROUPS = ("web",)
MOST_HOSTS = 50


@dataclass(frozen=True, slots=True)
class Host:
    """One host of the fleet: `port` is its SSH server's, `http` its service's; `dir` is its whole disk."""

    id: str
    host: str
    port: int
    http: int
    dir: Path

    @property
    def ledger(self) -> Path:
        """The file in which every `switch` leaves a line: attempt id, `switch`, version."""
        return self.dir / "ledger"


def lay_out(host_dir: Path, version: str) -> None:
    """Make the host's directory, with `version` as its current release. A ledger already there stays."""
    for name in ("bin", "releases"):
        (host_dir / name).mkdir(parents=True, exist_ok=True)
    release = host_dir / "releases" / version
    release.mkdir(exist_ok=True)
    (release / "VERSION").write_text(version + "\n")
    link = host_dir / "current"
    link.unlink(missing_ok=True)
    link.symlink_to(Path("releases") / version)
    (host_dir / "ledger").touch()


def install_commands(host_dir: Path, http: int) -> None:
    """Put `switch`, `health`, `error-percent` and `orders` into the host's bin/."""
    script = host_dir.parent / "commands.py"
    script.write_text(Path(commands.__file__).read_text())
    for name in commands.USAGE:
        call = shlex.join([sys.executable, "-I", "-S", str(script), name, str(host_dir), str(http)])
        file = host_dir / "bin" / name
        file.write_text(f'#!/bin/sh\nexec {call} "$@"\n')
        file.chmod(0o755)


def environment(host_dir: Path, mark: str) -> dict[str, str]:
    """The environment of a login on the host. `mark` is in it so that everything started can be found again."""
    return {
        "PATH": f"{host_dir / 'bin'}:{os.defpath}:/usr/local/bin:/usr/sbin:/sbin",
        "HOME": str(host_dir),
        "USER": USER,
        "LOGNAME": USER,
        "SHELL": "/bin/sh",
        "LANG": "C.UTF-8",
        MARK: mark,
    }


MARK = "COCKPIT_DEMO_FLEET"
