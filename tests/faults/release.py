"""A small real release: sshd targets, a proxy before each, ledgers, a process."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from tests.faults import ledger
from tests.faults.proxy import Proxy
from tests.forked import NURSERY
from tests.remote.waiting import until
from tests.sshd import Sshd

ROOT = Path(__file__).parents[2]
DEADLINE_S = 60.0
GO_ON = "the fault was only a test"

RELEASE = """
[release]
name = "Ledger"
service = "ledger"
environment = "test"
version = "2"
previous_version = "1"
customer_impact = "Nobody but this test sees it."

[people]
dana = { name = "Dana Ruiz" }
lee = { name = "Lee Chen" }

[roles]
decision_owner = "dana"
rollback_owner = "dana"
typed_names = true
stop_authority = ["dana", "lee"]
"""

SIGNAL = """
[[signal]]
name = "errors"
source = "command"
run = "cat DIR/errors"
on = "here"
interval = "1s"

[[threshold]]
signal = "errors"
when = "> 2"
action = "rollback"
"""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the release is like: a canary on web-1, then the other targets in waves of one and the rest.

    Each of these waves bakes for `bake`; `gate` makes them wait for a person; `breaks` names a target whose
    step makes a limit trip, so that everything goes back; `idempotent` lets the step run again;
    `work` and `undo` are shell lines that each step and its rollback run besides.
    """

    bake: str = "0s"
    gate: bool = False
    breaks: str = ""
    idempotent: bool = False
    work: str = "true"
    undo: str = "true"


SHAPES = {
    "rollout": Shape(),
    "bake": Shape(bake="1s"),
    "gate": Shape(gate=True),
    "rollback": Shape(bake="3s", breaks="web-2"),
}
"""The situations that faults happen in, by name."""


class Site:
    """`count` targets and what a release leaves on them, all below `path`. An async context manager."""

    def __init__(self, path: Path, count: int = 3) -> None:
        self.path = path
        self.log = path / "session.db"
        self.plan = path / "plan.toml"
        self.targets = tuple(f"web-{n + 1}" for n in range(count))
        self.servers = {target: Sshd(path / "sshd" / target) for target in self.targets}
        self.proxies = {target: Proxy(server.port) for target, server in self.servers.items()}
        self.runs: list[Run] = []
        self._stack = AsyncExitStack()
        for target in self.targets:
            (path / target).mkdir()
            (path / target / "version").write_text("1\n")

    async def __aenter__(self) -> Self:
        first = self.servers[self.targets[0]]
        known: list[str] = []
        for target, server in self.servers.items():
            if server is not first:
                shutil.copy(first.path / "authorized_keys", server.path / "authorized_keys")
            server.start()
            self._stack.callback(server.stop)
            proxy = await self._stack.enter_async_context(self.proxies[target])
            public = server.host_key.export_public_key("openssh").decode().strip()
            known.append(f"[127.0.0.1]:{proxy.port} {public}\n")
        (self.path / "known_hosts").write_text("".join(known))
        return self

    async def __aexit__(self, *_: object) -> None:
        for run in self.runs:
            run.kill()
        for lock in self.path.rglob("*.db-lock"):
            if (pid := _holder(lock)) is not None:  # an engine that lives apart from every screen
                os.kill(pid, signal.SIGKILL)
        await self._stack.aclose()

    # The plan

    def write_plan(self, shape: Shape = SHAPES["rollout"]) -> Path:
        """Write the plan of this shape, and what its signal reads."""
        (self.path / "errors").write_text("0\n")
        settings = self.servers[self.targets[0]].settings()
        others = [target for target in self.targets if target != "web-1"]
        parts = [
            RELEASE,
            table(
                "ssh",
                user=settings.user,
                known_hosts=str(self.path / "known_hosts"),
                identity=settings.identity,
            ),
            "[targets]",
            *(f'{t} = {{ host = "127.0.0.1", port = {self.proxies[t].port} }}' for t in self.targets),
            self._step(shape),
            table("[stage]", name="canary", targets=["web-1"], steps=["switch"]),
            table("[stage]", name="web", targets=others, steps=["switch"], bake_time=shape.bake),
            'waves = [1, "rest"]',
            'gate = { approvers = ["decision_owner"] }' if shape.gate else "",
            SIGNAL.replace("DIR", shlex.quote(str(self.path))) if shape.breaks else "",
        ]
        self.plan.write_text("\n".join(parts))
        return self.plan

    def _step(self, shape: Shape) -> str:
        """Write the ledger, do the work, wait while there is a `hold`, fail where there is a `fail`, say done."""
        root = shlex.quote(str(self.path))
        begin = f'cd {root}/{{target}} && echo "$COCKPIT_ATTEMPT" >> ledger'
        done = 'echo "$COCKPIT_ATTEMPT done" >> ledger'
        breach = (
            f"{{ [ {{target}} != {shape.breaks} ] || echo 9 > {root}/errors; }}" if shape.breaks else "true"
        )
        wait = "{ while [ -e hold ]; do sleep 0.02; done; [ ! -e fail ]; }"
        return table(
            "[step]",
            id="switch",
            run=f"{begin} && echo {{version}} > version && {breach} && {{ {shape.work}; }} && {wait} && {done}",
            verify=f'test "$(cat {root}/{{target}}/version)" = {{version}}',
            rollback=f"{begin} && {{ {shape.undo}; }} && echo {{previous_version}} > version && {done}",
            verify_rollback=f'test "$(cat {root}/{{target}}/version)" = {{previous_version}}',
            timeout="60s",
            idempotent=shape.idempotent,
        )

    def hold(self, target: str) -> None:
        """From now on the step on `target` doesn't come to its end."""
        (self.path / target / "hold").touch()

    def let_go(self, target: str) -> None:
        """End the hold."""
        (self.path / target / "hold").unlink()

    # Cockpit

    def cockpit(
        self,
        *words: object,
        failpoint: str = "",
        env: dict[str, str] | None = None,
        under: Sequence[str] = (),
    ) -> Run:
        """Start the cockpit with failpoints as a process of its own, `under` a command that runs another."""
        run = Run(
            self.path / f"run-{len(self.runs)}",
            [str(word) for word in words],
            self.env(failpoint, env or {}),
            under,
        )
        self.runs.append(run)
        return run

    def run(self, failpoint: str = "", **env: str) -> Run:
        """Start the release, headless, as dana; it goes on by itself where nothing holds it."""
        return self.cockpit(*self.run_words(), failpoint=failpoint, env=env)

    def run_words(self) -> tuple[object, ...]:
        """The command line of `run`."""
        return ("run", self.plan, "--as", "dana", *_HEADLESS, "--promote-when-clean", "--log", self.log)

    def resume(self, failpoint: str = "", **env: str) -> Run:
        """Take the session up again and go on once what was in doubt is settled."""
        words = ("resume", self.log, "--as", "dana", *_HEADLESS, "--go-on", GO_ON)
        return self.cockpit(*words, failpoint=failpoint, env=env)

    def words(self, *words: object) -> list[str]:
        """The command line of a cockpit with failpoints."""
        return [sys.executable, "-m", "tests.faults.cockpit", *(str(word) for word in words)]

    def engine(self) -> int | None:
        """The process that writes the log, or None."""
        return _holder(self.log.with_name(f"{self.log.name}-lock"))

    def export(self, to: Path, failpoint: str = "") -> Run:
        """Write the session's review to `to`."""
        return self.cockpit("export", self.log, "-o", to, failpoint=failpoint)

    def env(self, failpoint: str = "", more: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
        """The environment of a cockpit process of this site: nothing of it lands elsewhere."""
        return {
            **os.environ,
            "HOME": str(self.path),
            "XDG_STATE_HOME": str(self.path / "state"),
            "COCKPIT_FAILPOINT": failpoint,
            "COCKPIT_FAILPOINT_TRACE": str(self.path / "trace"),
            **more,
        }

    # What became of it

    def ran(self, target: str) -> list[str]:
        """The lines of the target's ledger."""
        path = self.path / target / "ledger"
        return path.read_text().splitlines() if path.exists() else []

    def versions(self) -> list[str]:
        """The version that each target has now."""
        return [(self.path / target / "version").read_text().strip() for target in self.targets]

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        """The events in the log, of these types or all."""
        if not self.log.exists():
            return []
        with closing(sqlite3.connect(f"file:{self.log}?mode=ro", uri=True)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'event'").fetchone():
                return []
            rows = connection.execute("SELECT body FROM event ORDER BY seq").fetchall()
        events = [json.loads(body) for (body,) in rows]
        return [event for event in events if event["type"] in kinds or not kinds]

    def trace(self) -> Counter[str]:
        """How often each failpoint was reached, by all processes together."""
        path = self.path / "trace"
        return Counter(path.read_text().split() if path.exists() else ())

    def broken(self) -> list[str]:
        """The invariants that don't hold, as sentences; see ledger.check."""
        return ledger.check(
            self.log,
            {target: self.path / target / "ledger" for target in self.targets},
            {target: self.path / target / "version" for target in self.targets},
            [line for run in self.runs if "--json" in run.words for line in run.lines()],
        )


_HEADLESS = ("--headless", "--json")


class Run:
    """One cockpit process; its streams go to files beside `path`, so that nothing ever blocks it."""

    def __init__(self, path: Path, words: list[str], env: dict[str, str], under: Sequence[str] = ()) -> None:
        self.words = words
        self.out, self.err = path.with_suffix(".out"), path.with_suffix(".err")
        line = [sys.executable, "-m", "tests.faults.cockpit", *words]
        with open(os.devnull, "rb") as null, self.out.open("wb") as out, self.err.open("wb") as err:
            if under:
                self.process = subprocess.Popen(
                    [*under, *line], cwd=ROOT, env=env, stdin=null, stdout=out, stderr=err
                )
            else:
                self.process = NURSERY.start(line, env=env, cwd=ROOT, streams=(null, out, err))

    async def ended(self, within: float = DEADLINE_S) -> int:
        """Its exit status, negative for a signal; fails with what it said where it doesn't end in time."""
        try:
            await until(lambda: self.process.poll() is not None, "cockpit's end", within)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.said()}") from None
        return self.process.returncode

    def kill(self) -> None:
        """SIGKILL, also where it was stopped; nothing if it has ended."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def lines(self) -> list[str]:
        """The whole lines on its standard output so far."""
        return self.out.read_text().split("\n")[:-1]

    def said(self) -> str:
        """Both streams, for a failure's message."""
        return f"{' '.join(self.words)}\n{self.out.read_text()[-3000:]}\n{self.err.read_text()[-3000:]}"


def _holder(lock: Path) -> int | None:
    """The process that holds a lock file, or None."""
    with suppress(FileNotFoundError):  # also where it was given up between the two looks
        try:
            with lock.open() as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(lock.read_text().splitlines()[0].removeprefix("process "))
    return None


def table(name: str, /, **values: object) -> str:
    """A TOML table; `[step]` as its name makes an entry of a list."""
    lines = [f"{key} = {_value(value)}" for key, value in values.items()]
    return "\n".join([f"[{name}]", *lines])


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(_value(item) for item in value)}]"
    return str(value) if isinstance(value, int) else f"'''{value}'''"
