"""Opening a session: the log, the connections and the engine, put together and surely put away again."""

from __future__ import annotations

import asyncio
import secrets
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cockpit import __version__, failpoint
from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.errors import Broken, Held, LogError
from cockpit.core.plan import Plan
from cockpit.core.secret import references
from cockpit.remote.base import Driver
from cockpit.remote.here import HereRunner
from cockpit.remote.ssh import SshRunner
from cockpit.runtime import freezes, playbooks, vault
from cockpit.runtime.discreet import Discreet
from cockpit.runtime.engine import Engine, utc_now
from cockpit.runtime.notices import Outlet
from cockpit.runtime.rehearsed import found
from cockpit.runtime.router import Router
from cockpit.runtime.server import serving
from cockpit.runtime.sockets import listening, name_of, own_user
from cockpit.steps import commands
from cockpit.store.environment import EnvironmentLock, unfinished
from cockpit.store.log import Log, read

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP)
"""What leaves the session: nothing new starts, and what runs goes on on its target."""

SETTLE = timedelta(seconds=2)
"""How long running steps may take to end when the session is left."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What a session is opened with. `plan_path`, `plan_data` and `plan_sha256` go into its first event.

    `resumed` takes up the session that the log holds; `plan_file` then says how the plan's file differs from
    the plan in the log. `take_over` is the reason for taking the release from whoever holds it. Not `lasting`:
    the targets end with the session, so there is nothing to take up later. `inventory` is what the log keeps of the
    plan's inventory. `outward` begins to tell other systems of the release, whose log lies there; `prepare` is done
    before anything else: what would hold up turns later.
    """

    plan: Plan
    plan_path: str
    plan_data: bytes
    plan_sha256: str
    me: str
    log_path: Path
    promote_when_clean: bool = False
    resumed: bool = False
    plan_file: str = ""
    take_over: str = ""
    lasting: bool = True
    inventory: str = ""
    outward: Callable[[Engine, Path], Iterable[Outlet]] = lambda engine, log: ()
    prepare: Callable[[], None] = lambda: None


def runners(plan: Plan, driver: Driver | None = None, plan_path: str = "") -> Router | Discreet:
    """The real runners of a plan: this machine, its targets over SSH, and Ansible in the directory of its file.

    Steps take a driver.
    """
    here, targets = HereRunner(driver), SshRunner(plan.targets, plan.ssh, driver=driver)
    router = Router(here, targets)
    if plan.by_playbook:
        from cockpit.remote.ansible import AnsibleRunner  # noqa: PLC0415 - most sessions start without it, 6 ms sooner

        router = Router(here, targets, AnsibleRunner(here, plan, Path(plan_path).absolute().parent))
    return Discreet(router) if references(plan) else router


@asynccontextmanager
async def session(opening: Opening, hold: asyncio.Event | None = None) -> AsyncGenerator[Engine]:
    """A session at work, to which screens can attach. Leaving the block before its end leaves the session: nothing
    new starts. Nothing is contacted before `hold`, if given, is set.

    Raises Held where another session has the environment, LogError where the log can't be used, or failed on
    the way.
    """
    opening.prepare()
    release = opening.plan.release
    name = name_of(opening.log_path)
    async with AsyncExitStack() as stack:
        holder = f"{opening.me}, session {opening.log_path.stem} (`cockpit attach {name}`)"
        lock = EnvironmentLock(release.service, release.environment, holder)
        stack.callback(lock.release)
        if opening.lasting and not (opening.resumed or opening.take_over):
            _refuse_beside_unfinished(release.service, release.environment)
        listener = stack.enter_context(listening(name))
        log = await (Log.open if opening.resumed else Log.create)(opening.log_path)
        stack.push_async_callback(log.close)
        async with _at_work(opening, log, listener, hold) as engine:
            # Whoever still reviews this release keeps nobody from the next one.
            engine.subscribe(lambda: lock.release() if engine.ended and engine.state.closed else None)
            yield engine


@asynccontextmanager
async def _at_work(
    opening: Opening, log: Log, listener: socket.socket, hold: asyncio.Event | None
) -> AsyncGenerator[Engine]:
    """The engine of a session over its log. Screens are let in once its opening is recorded, and stay to its end."""
    events = [event for _, event in read(opening.log_path).events] if opening.resumed else []
    first = _open(opening, events)
    async with AsyncExitStack() as stack:
        runner = runners(opening.plan, _driver(opening, first), opening.plan_path)
        stack.push_async_callback(runner.close)
        engine = Engine(opening.plan, commands, log, runner, runner.host_sample, opening.me, events=events)
        signals = _Signals(engine, opening.me)
        stack.callback(signals.ignore)
        working = asyncio.create_task(engine.run(hold))
        try:
            refused = await engine.send(_resume(opening) if events else first)
            if refused is not None:
                raise LogError(refused.reason)
            failpoint.reach("session.resumed" if events else "session.opened")
            engine.notices.outlets += opening.outward(engine, opening.log_path)
            await _tell_of_rehearsal(engine, opening)
            _keep_looking(engine, opening, runner, stack)
            await stack.enter_async_context(serving(engine, listener))
            signals.watch()
            yield engine
        finally:
            signals.watch()  # a screen has handlers of its own while it is up, and takes them away
            failpoint.reach("session.closing")
            await _end(engine, working, log, opening.me)


async def _tell_of_rehearsal(engine: Engine, opening: Opening) -> None:
    """What the plan's newest rehearsal proved, for as long as the release can still wait for one."""
    report = found(opening.plan, opening.plan_path, engine.now())
    if report is not None and engine.state.started is None and engine.state.closed is None:
        await engine.send(report)


def _keep_looking(engine: Engine, opening: Opening, runner: object, stack: AsyncExitStack) -> None:
    """At calendar, playbooks and secrets, beside the session: one that hangs holds nothing back but the start."""
    about, state = (opening.plan, opening.plan_path, engine.now, engine.send), lambda: engine.state
    looking = [freezes.keep_looking(*about), playbooks.keep_looking(*about, state)]
    if isinstance(runner, Discreet):
        looking.append(vault.keep_looking(runner.vault, opening.plan, engine.now, engine.send, state))
    for each in looking:
        stack.callback(asyncio.create_task(each).cancel)


async def _last_words(log: Log, event: ev.Event) -> None:
    """Say in the log why it ends, where that can still be: also where it is the log that failed."""
    if log.failure:
        await log.last_words([event])
    else:
        with suppress(LogError):
            await log.append([event])


def _refuse_beside_unfinished(service: str, environment: str) -> None:
    left = unfinished(service, environment)
    if left is not None:
        raise Held(
            f"{service} in {environment} has a session that never came to its end: {left.name}, opened by {left.by} "
            f"at {left.since:%Y-%m-%d %H:%M} UTC. Nothing was started. Take it up with `cockpit resume {left.name}`, "
            'or start anew over it with --take-over "REASON".'
        )


def _driver(opening: Opening, first: cmd.OpenSession) -> Driver:
    release = opening.plan.release
    return Driver(
        first.session,
        first.spool,
        f"{release.service} {release.environment}",
        f"{opening.me} ({own_user()} on {socket.gethostname()})",
        socket.gethostname(),
        f"{utc_now():%Y-%m-%d %H:%M} UTC",
        opening.take_over,
        opening.resumed,
    )


def _open(opening: Opening, events: Sequence[ev.Event]) -> cmd.OpenSession:
    """The session's first command; for one that is taken up, with the names it was opened under."""
    opened = events[0] if events else None
    known = isinstance(opened, ev.SessionOpened)
    return cmd.OpenSession(
        utc_now(),
        session=opened.session if known else opening.log_path.stem,
        spool=opened.spool if known else secrets.token_hex(8),
        by=opening.me,
        os_user=own_user(),
        machine=socket.gethostname(),
        cockpit_version=__version__,
        plan_path=opening.plan_path,
        plan_sha256=opening.plan_sha256,
        plan_text=opening.plan_data.decode(),
        promote_when_clean=opening.promote_when_clean,
        inventory=opening.inventory,
    )


def _resume(opening: Opening) -> cmd.ResumeSession:
    return cmd.ResumeSession(
        utc_now(),
        opening.me,
        own_user(),
        socket.gethostname(),
        __version__,
        opening.plan_file,
        opening.take_over,
        opening.promote_when_clean,
    )


async def _end(engine: Engine, working: asyncio.Task[None], log: Log, me: str) -> None:
    if not working.done() and engine.state.closed is None:
        with suppress(LogError):
            await engine.leave(me, "", SETTLE)
    try:
        await working
    except (LogError, Broken) as fault:
        await _last_words(log, ev.SessionLeft(utc_now(), ev.COCKPIT, str(fault)))
        raise


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
