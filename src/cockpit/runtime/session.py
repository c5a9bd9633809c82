"""Opening a session: the log, the connections and the engine, put together and surely put away again."""

from __future__ import annotations

import asyncio
import getpass
import signal
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cockpit import __version__
from cockpit.core import commands as cmd
from cockpit.core.errors import LogError
from cockpit.core.plan import Plan
from cockpit.remote.here import HereRunner
from cockpit.remote.ssh import SshRunner
from cockpit.runtime.engine import Engine
from cockpit.runtime.router import Router
from cockpit.steps import commands
from cockpit.store.log import Log

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

SETTLE = timedelta(seconds=5)
"""How long running steps may take to end when the session is left."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What a session is opened with. `plan_path`, `plan_data` and `plan_sha256` go into its first event."""

    plan: Plan
    plan_path: str
    plan_data: bytes
    plan_sha256: str
    me: str
    log_path: Path
    promote_when_clean: bool = False


def runners(plan: Plan) -> Router:
    """The real runners of a plan: this machine, and its targets over SSH."""
    return Router(HereRunner(), SshRunner(plan.targets, plan.ssh))


@asynccontextmanager
async def session(opening: Opening, hold: asyncio.Event | None = None) -> AsyncGenerator[Engine]:
    """A session at work. Leaving the block before its end leaves the session: nothing new starts.
    Nothing is contacted before `hold`, if given, is set.

    Raises LogError where the log can't be made, or failed on the way.
    """
    runner = runners(opening.plan)
    log: Log | None = None
    try:
        log = await Log.create(opening.log_path)
        engine = Engine(opening.plan, commands, log, runner, runner.host_sample, opening.me)
        working = asyncio.create_task(engine.run(hold))
        signals = _Signals(engine, opening.me)
        try:
            await engine.send(_open(opening, engine))
            signals.watch()
            yield engine
        finally:
            signals.watch()  # a screen has handlers of its own while it is up, and takes them away
            await _end(engine, working, opening.me)
            signals.ignore()
    finally:
        await runner.close()
        if log is not None:
            await log.close()


def _open(opening: Opening, engine: Engine) -> cmd.OpenSession:
    return cmd.OpenSession(
        engine.now(),
        session=opening.log_path.stem,
        by=opening.me,
        os_user=getpass.getuser(),
        machine=socket.gethostname(),
        cockpit_version=__version__,
        plan_path=opening.plan_path,
        plan_sha256=opening.plan_sha256,
        plan_text=opening.plan_data.decode(),
        promote_when_clean=opening.promote_when_clean,
    )


async def _end(engine: Engine, working: asyncio.Task[None], me: str) -> None:
    if not working.done() and engine.state.closed is None:
        with suppress(LogError):
            await engine.leave(me, "the screen was left", SETTLE)
    await working


class _Signals:
    """Leaves the session, once, when a signal ends the process: nothing new starts, and the log says so."""

    def __init__(self, engine: Engine, me: str) -> None:
        self._engine = engine
        self._me = me
        self._leaving: asyncio.Task[None] | None = None

    def _leave(self, name: str) -> None:
        if self._leaving is None:
            self._leaving = asyncio.create_task(self._engine.leave(self._me, f"received {name}", SETTLE))

    def watch(self) -> None:
        """Leave on a signal from now on."""
        loop = asyncio.get_running_loop()
        for number in ENDING:
            loop.add_signal_handler(number, self._leave, number.name)

    def ignore(self) -> None:
        """Give the signals back."""
        loop = asyncio.get_running_loop()
        for number in ENDING:
            loop.remove_signal_handler(number)
