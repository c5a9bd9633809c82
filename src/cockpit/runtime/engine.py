"""The loop that runs a session: decide, record, act, publish, one turn at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cockpit import failpoint
from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.attempt import Attempt
from cockpit.core.commands import Command, Refused
from cockpit.core.decide import Afterwards, decide
from cockpit.core.errors import Broken, LogError
from cockpit.core.evolve import replay
from cockpit.core.plan import HERE, Plan
from cockpit.core.review import beyond
from cockpit.core.state import Render, State, initial
from cockpit.core.thresholds import Judgement, Sample
from cockpit.core.wanted import may_begin, stopping, wanted
from cockpit.remote.base import Runner
from cockpit.runtime import left_to_do, usual
from cockpit.runtime.checks import Checks
from cockpit.runtime.jobs import Jobs, Surroundings
from cockpit.runtime.notices import Notices
from cockpit.runtime.sampling import Sampling
from cockpit.runtime.targets import Targets
from cockpit.runtime.wakefulness import Wakefulness
from cockpit.signals.host import HostSample
from cockpit.store.log import Log, Recording
from cockpit.store.output import Kept, Output

TICK = 0.25
"""Seconds between looks at the clock when nothing else happens."""

NOTICES = timedelta(seconds=8)
"""How long the end waits for what is being told: enough for a hook's third try."""

ROWS_EVERY = timedelta(seconds=1)
"""How often samples are written to the log."""


async def set_within(event: asyncio.Event, seconds: float) -> None:
    """Wait until `event` is set, at most so long."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


Behind = Afterwards | cmd.AttachScreen | cmd.DetachScreen
"""What may come behind the end, if it is decided so."""

Asked = tuple[Command, asyncio.Future[Refused | None] | None]
"""A command, and where its sender waits for the answer."""


def utc_now() -> datetime:
    """This moment, aware, in UTC."""
    return datetime.now(UTC)


class Engine:
    """One session at work. `run` it as a task, `send` it commands."""

    def __init__(
        self,
        plan: Plan,
        render: Render,
        log: Log,
        runner: Runner,
        meter: Callable[[], HostSample | None],
        me: str,
        now: Callable[[], datetime] = utc_now,
        events: Sequence[ev.Event] = (),
    ) -> None:
        """`events` are those that the log holds already: a session that is taken up again."""
        self._log = log
        self._runner = runner
        self._me = me
        self._plan = plan
        self.now = now
        self._state = replay(events, initial(plan, render))
        self._events = list(events)
        self._failure = ""
        self._fault: Exception | None = None
        self._left = False
        self.ended = False
        self._inbox: list[Asked] = []
        self._late = asyncio.Lock()
        self._outputs: list[tuple[str, Output]] = []
        self._wake = asyncio.Event()
        self._subscribers: list[Callable[[], None]] = []
        self._rows_at = now()
        around = Surroundings(self._session, now, self._may_begin, lambda: self._state)
        self.jobs = Jobs(runner, around, self._finished, self._post, self._broke)
        self.targets = Targets(plan, runner, now, self._post, lambda: self._state)
        self.checks = Checks(plan, runner, now, self._post, lambda: self._state)
        self.awake = Wakefulness()
        self._reaching: asyncio.Task[None] | None = None
        self.sampling = Sampling(plan, runner, meter, now, self._wake.set)
        self.sampling.entered(events)
        self.sampling.take_rows()  # the log has them already
        if events:
            self._remember()
        self.notices = Notices(plan, runner, now, self._post)

    def _remember(self) -> None:
        """What was read before targets were touched, from the log: limits compare what is read now with it."""
        recording = Recording(self._log.path, (), self._log.head)
        judging = self.sampling.judging
        for signal in judging.compared_before:
            rows = recording.samples(signal)
            judging.remember(self._state, signal, ((r.target or HERE, Sample(r.at, r.value)) for r in rows))

    # What screens see

    @property
    def me(self) -> str:
        """The person who opened the session, or took it up."""
        return self._me

    @property
    def state(self) -> State:
        """The state as recorded."""
        return self._state

    @property
    def events(self) -> Sequence[ev.Event]:
        """Every event so far, in order."""
        return self._events

    @property
    def head(self) -> tuple[int, str]:
        """The log's head: sequence and hash."""
        return self._log.head.seq, self._log.head.hash

    @property
    def failure(self) -> str:
        """Why the log can't be written, or empty."""
        return self._failure

    def series(self, signal: str, target: str) -> Sequence[Sample]:
        """The recent samples of a signal on a target."""
        return self.sampling.judging.series(signal, target)

    def judgement(self, threshold: str) -> Judgement | None:
        """What a threshold says now."""
        return self.sampling.judging.judgement(threshold)

    def host(self, target: str) -> tuple[datetime, HostSample] | None:
        """The latest host metrics of a target."""
        return self.sampling.host(target)

    def output(self, attempt: str) -> Kept | Output | None:
        """The kept output of an attempt: from memory, or from the log where it has been let go; None before any."""
        return self.jobs.output(attempt) or Recording(self._log.path, (), self._log.head).output(attempt)

    def hash_at(self, seq: int) -> str:
        """The hash of a record of the log; empty where there is none. Reads the file."""
        return Recording(self._log.path, (), self._log.head).hash_at(seq)

    async def send(self, command: Command) -> Refused | None:
        """Ask for something; None once it is durable, Refused with the reason otherwise."""
        if self._failure or (self.ended and not self._may_follow(command)):
            return Refused(self._failure or "the session is over")
        if isinstance(command, cmd.HumanCommand):
            if unheard := beyond(command, self._log.head.seq):
                return unheard
            command = replace(command, evidence=self.sampling.judging.readings(self._state))
        answer: asyncio.Future[Refused | None] = asyncio.get_running_loop().create_future()
        self._inbox.append((command, answer))
        self._wake.set()
        if self.ended:
            async with self._late:  # the loop is over: such turns follow one another without it
                with contextlib.suppress(LogError):  # told to whoever asked; the release is over as it was
                    await self.turn()
        return await answer

    def _may_follow(self, command: Command) -> bool:
        """Whether it may come behind the end of a release: what the review adds, screens that come for it and go."""
        return self._state.closed is not None and isinstance(command, Behind)

    async def _follow_up(self) -> None:
        """The end. What came while it was written and may stand behind it is recorded; the rest is refused."""
        self.ended = True
        behind = [asked for asked in self._inbox if self._may_follow(asked[0])]
        self._inbox = [asked for asked in self._inbox if asked not in behind]
        self._refuse_waiting("the session is over")
        self._inbox = behind
        if behind:
            async with self._late:
                await self.turn()

    @property
    def reviewed(self) -> bool:
        """Whether the release is over and recorded, and whoever may add to its review still sits at a screen."""
        over = self.ended and self._state.closed is not None and not (self._failure or self._left)
        return over and any(screen.kind == "screen" for screen in self._state.acting)

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each recorded turn."""
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback) if callback in self._subscribers else None

    # The loop

    async def run(self, hold: asyncio.Event | None = None) -> None:
        """Work until the session is closed or left, or the log fails (LogError). Ends all that it started.

        Targets are reached and signals read once `hold` is set: a hundred logins would slow the first frame.
        """
        watching = asyncio.create_task(self._unbroken(self._watch(hold)))
        try:
            while True:
                await self.turn()
                if self._over():
                    break
                await set_within(self._wake, TICK)
                self._wake.clear()
                self._look_at_clock()
            await self.sampling.stop()
            await _ended(watching, self._reaching)  # nothing is reached any more once it is let go
            await self._let_targets_go()
            await self.notices.settle(NOTICES)
            self._rows_at = datetime.min.replace(tzinfo=UTC)
            await self.turn()  # the last samples, and whether people could be told
            await self._follow_up()
        except LogError as fault:
            self._fail(str(fault))
            raise
        except Exception as fault:
            self._fail(
                f"cockpit itself broke ({type(fault).__name__}: {fault}): nothing further is dispatched"
            )
            raise Broken(self._failure) from fault
        finally:
            self.ended = True
            self._refuse_waiting(self._failure or "the session is over")
            await self.sampling.stop()
            await self.notices.close()
            await self.jobs.let_go(timedelta(0))
            await _ended(watching, self._reaching)
            self._publish()

    async def turn(self) -> None:
        """Everything waiting is decided, recorded in one commit, and only then acted on and shown.

        Whatever breaks, everybody who asked gets an answer.
        """
        asked, self._inbox = self._inbox, []
        try:
            await self._turn(asked)
        except BaseException as fault:
            for _, answer in asked:
                if answer is not None:
                    _answer(answer, Refused(str(fault) or type(fault).__name__))
            raise

    async def _turn(self, asked: list[Asked]) -> None:
        if self._fault is not None:
            raise self._fault
        outputs, self._outputs = self._outputs, []
        at = self.now()
        verdicts = self.sampling.judging.verdicts(self._state, at)
        evidence = self.sampling.judging.readings(self._state)
        batch: list[Asked] = [*asked, *((replace(v, evidence=evidence), None) for v in verdicts)]
        batch += [(report, None) for report in self.sampling.readable(at)] if self._state.opened else []
        batch.sort(key=lambda entry: cmd.precedence(entry[0]))
        state, events = self._state, list[ev.Event]()
        answers: list[tuple[asyncio.Future[Refused | None], Refused | None]] = []
        for command, answer in [*batch, (cmd.Tick(at, evidence), None)]:
            decided = decide(state, command)
            refused = decided if isinstance(decided, Refused) else None
            if not isinstance(decided, Refused):
                state, events = replay(decided, state), events + decided
            if answer is not None:
                answers.append((answer, refused))
        rows = self.sampling.take_rows() if abs(at - self._rows_at) >= ROWS_EVERY else []
        if rows:
            self._rows_at = at
        await self._log.append(events, outputs, rows)
        self._state = state
        self._events += events
        self.sampling.entered(events)
        failpoint.reach("turn.after_append")
        self.jobs.reconcile(wanted(state), stopping=stopping(state))
        for answer, refused in answers:
            _answer(answer, refused)
        if events:
            self.notices.about(events, state)
            self._publish()

    async def leave(self, by: str, reason: str, within: timedelta) -> None:
        """End before the release does: nothing new starts, what runs after `within` goes on on its target."""
        await self.send(cmd.LeaveSession(self.now(), by, reason))
        await self.jobs.let_go(within)
        self._left = True
        self._wake.set()

    def _over(self) -> bool:
        return (self._state.closed is not None or self._left) and not self._inbox

    def _session(self) -> str:
        return self._state.opened.session if self._state.opened else ""

    def _finished(self, report: cmd.ReportStep, kept: Kept) -> None:
        # As it is now: while the turn waits for the disk, the attempt may print more than its report speaks of.
        self._outputs.append((report.attempt, kept.output()))
        self._post(report)

    def _broke(self, fault: Exception) -> None:
        """Something of ours failed outside a turn: the next turn ends the session with it."""
        self._fault = fault
        self._wake.set()

    def _may_begin(self, attempt: Attempt) -> bool:
        return not self._failure and may_begin(self._state, attempt)

    def _post(self, command: Command) -> None:
        self._inbox.append((command, None))
        self._wake.set()

    def _publish(self) -> None:
        for callback in list(self._subscribers):
            try:
                callback()
            except Exception:  # noqa: BLE001 - a watcher that breaks is let go; the release goes on
                self._subscribers.remove(callback)

    def _fail(self, reason: str) -> None:
        self._failure = reason
        self._refuse_waiting(reason)
        self._publish()

    def _refuse_waiting(self, reason: str) -> None:
        waiting, self._inbox = self._inbox, []
        for _, answer in waiting:
            if answer is not None:
                _answer(answer, Refused(reason))

    async def _watch(self, hold: asyncio.Event | None) -> None:
        """Read every signal, reach every target and run every check, once nothing holds that back."""
        if hold is not None:
            await hold.wait()
        if self._state.closed is None:
            self.sampling.start(self.targets.answered)
            await asyncio.gather(
                self.targets.reach(),
                self.checks.keep_running(),
                left_to_do.keep_looking(self._plan, self.now, self._post, lambda: self._state),
                usual.tell(self._plan, self.now, self._post, lambda: self._state),
            )

    def _look_at_clock(self) -> None:
        """After a standstill nothing that was read before counts, and nothing is judged until targets answer."""
        slept = self.awake.slept()
        if slept is None:
            return
        self._post(cmd.ReportSleep(self.now(), slept))
        self.sampling.forget()
        self._reaching = asyncio.create_task(self._unbroken(self._judge_again()))

    async def _unbroken(self, work: Coroutine[Any, Any, None]) -> None:
        """Do `work` beside the turns; a fault in it ends the session."""
        try:
            await work
        except Exception as fault:  # noqa: BLE001 - the next turn raises it
            self._broke(fault)

    async def _judge_again(self) -> None:
        await self.targets.reach_once()
        self.sampling.judge_from_now()

    async def _let_targets_go(self) -> None:
        """At the end, and where nothing ever ran, what the session left on its targets is removed, on record."""
        if self._state.closed is not None or self._state.started is None:
            failpoint.reach("release.before")
            await self.targets.release()


async def _ended(*tasks: asyncio.Task[None] | None) -> None:
    """Cancel what is left of `tasks`, and wait until they are over."""
    left = [task for task in tasks if task is not None]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def _answer(future: asyncio.Future[Refused | None], refused: Refused | None) -> None:
    if not future.done():  # its sender may have been cancelled
        future.set_result(refused)
