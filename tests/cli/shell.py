"""Cockpit as a script calls it: words in, streams and an exit code out."""

from __future__ import annotations

import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryFile

from tests.forked import NURSERY
from tests.sshd import Sshd

DEADLINE_S = 60.0

PLAN = """
[release]
name = "Small"
service = "small"
environment = "{environment}"
version = "2"
previous_version = "1"
customer_impact = "Nobody but this test sees it."

[people]
dana = {{ name = "Dana Ruiz" }}
lee = {{ name = "Lee Chen", os_user = "nobody-here" }}
sam = {{ name = "Sam Okoro" }}

[roles]
decision_owner = "dana"
rollback_owner = "dana"
stop_authority = ["dana", "lee"]

[ssh]
user = "{user}"
known_hosts = "{known_hosts}"
identity = "{identity}"

[targets]
web-1 = {{ host = "127.0.0.1", port = {port} }}

[[step]]
id = "switch"
run = "{run}"
rollback = "true"
verify_rollback = "true"
timeout = "20s"

[[stage]]
name = "web"
targets = ["web-1"]
steps = ["switch"]
"""


def cockpit(
    home: Mapping[str, str], *words: object, said: str = "", cwd: Path | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run `cockpit` with these words, and `more` in its environment; it has no terminal, and reads what is `said`."""
    with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as err:
        given.write(said.encode("utf-8", "surrogateescape"))
        for file in (streams := (given, out, err)):
            file.seek(0)
        process = NURSERY.start(command(*words), env={**home, **more}, cwd=cwd, streams=streams)
        try:
            status = process.wait(60)
        finally:
            process.kill()
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(words, status, out.read().decode(), err.read().decode())


def assert_told(said: str, serving: str, hit: str) -> None:
    """The end of a demo on two hosts: the plan's `serving` runs on both, these limits were hit, all in words."""
    plan = Path(__file__).parents[2] / "sample-plans" / "demo.toml"
    version = tomllib.loads(plan.read_text())["release"][serving]
    assert said.splitlines()[-1] == f"serving now: web-1 {version}, web-2 {version}"
    assert f"limits hit: {hit}" in said
    assert " > " not in said  # it is heard as well as read


def command(*words: object) -> list[str]:
    """The command line of `cockpit` with these words."""
    return [sys.executable, "-m", "cockpit", *map(str, words)]


def write(path: Path, sshd: Sshd | None, run: str = "echo [red]hi; true", more: str = "") -> Path:
    """A plan with one target on `sshd`, and `more` at its end."""
    settings = sshd.settings() if sshd else None
    text = PLAN.format(
        user=settings.user if settings else "nobody",
        known_hosts=settings.known_hosts if settings else "/dev/null",
        identity=settings.identity if settings else "",
        port=sshd.port if sshd else 22,
        run=run,
        environment=path.name,
    )
    (path / "plan.toml").write_text(text + more)
    return path / "plan.toml"


def wait_for(met: Callable[[], bool], what: object = "") -> None:
    """Wait until another process has come so far, but not for ever."""
    end = time.monotonic() + DEADLINE_S
    while not met():
        assert time.monotonic() < end, f"never came: {what}"
        time.sleep(0.02)
