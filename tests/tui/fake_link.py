"""A session over the real core, driven by hand: time and readings as set."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import Context
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from cockpit.core import attendance, people, roles, signoff
from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.commands import Command, Refused
from cockpit.core.decide import decide
from cockpit.core.evolve import replay
from cockpit.core.plan import (
    HERE,
    ChecklistItem,
    Gate,
    Person,
    Plan,
    Release,
    Roles,
    RollbackTerms,
    Signal,
    Stage,
    Step,
    Target,
    Threshold,
    Window,
)
from cockpit.core.state import State, initial
from cockpit.core.statement import block, parts, read
from cockpit.core.thresholds import Judgement, Sample, breaches, raised
from cockpit.remote import signing
from cockpit.runtime.signatures import Challenge, signed
from cockpit.runtime.watching import Cohorts, Watch, watch
from cockpit.signals.host import HostSample
from cockpit.steps import commands
from tests.tui.moments import moment

T0 = datetime(2026, 11, 24, 10, 20, tzinfo=UTC)
INTERVAL = timedelta(seconds=5)
KEPT = 60
"""Samples of a signal on a target."""


RELEASE = Release(
    "Checkout tax rules v7",
    "checkout",
    "production",
    "2026.11.3",
    "2026.11.2",
    "EU receipts show the old tax line; totals stay right.",
)
PEOPLE = (
    Person("dana", "Dana Ruiz", "#dana"),
    Person("lee", "Lee Chen", "#lee"),
    Person("sam", "Sam Okoro"),
    Person("kim", "Kim Park", "#support"),
)
SWITCH = Step(
    "switch",
    "switch {version}",
    verify="health --expect {version}",
    rollback="switch {previous_version}",
    verify_rollback="health --expect {previous_version}",
    idempotent=True,
)
FLAG = Step("flag", "flagctl set tax-v7 --percent 25", on="here", rollback="flagctl set tax-v7 --percent 0")
STAGES = (
    Stage("canary", ("switch",), ("web-1",), bake_time=timedelta(minutes=10)),
    Stage(
        "web",
        ("switch",),
        ("web",),
        waves=(1, "50%", "rest"),
        bake_time=timedelta(minutes=5),
        gate=Gate(("decision_owner",), "Order rate within 5% of last Tuesday?"),
    ),
    Stage("flag 25%", ("flag",)),
)
CHECKLIST = (
    ChecklistItem(
        "backup", "Last night's orders backup restored on staging", "lee", healthy="Under 24 h old"
    ),
    ChecklistItem("briefed", "Support knows what the new tax line says", "kim", "stage:web"),
)


def a_plan(hosts: int = 6, **changes: object) -> Plan:
    """A checkout release: a canary, then the web hosts in waves behind a gate, then a flag."""
    targets = tuple(Target(f"web-{n}", f"10.0.0.{n}", groups=("web",)) for n in range(1, hosts + 1))
    ids = tuple(t.id for t in targets)
    plan = Plan(
        release=RELEASE,
        roles=Roles("dana", "lee", "sam", "kim", stop_authority=("dana", "lee"), typed_names=True),
        people=PEOPLE,
        targets=targets,
        steps=(SWITCH, FLAG),
        stages=STAGES,
        window=Window(T0 - timedelta(hours=1), T0 + timedelta(hours=2), "UTC"),
        signals=(
            Signal("errors", "command", INTERVAL, unit="%", targets=ids),
            Signal(
                "orders", "command", INTERVAL, "Can customers still check out?", "orders/min", targets=ids
            ),
            Signal("latency", "command", INTERVAL, unit="ms", targets=ids[:1]),
        ),
        thresholds=(
            _limit("errors", ">", 2, "pause", for_=timedelta(minutes=2), agreed_by=("dana", "sam")),
            _limit("errors", ">", 20, "rollback", agreed_by=("dana", "lee")),
            _limit("orders", "<", 60, "pause", agreed_by=("dana",)),
            _limit("latency", ">", 900, "notify", observe_only=True),
        ),
        checklist=CHECKLIST,
        rollback=RollbackTerms(timedelta(minutes=2)),
    )
    return replace(plan, **changes)  # type: ignore[arg-type]


def _limit(signal: str, op: str, limit: float, action: str, **changes: object) -> Threshold:
    return Threshold(f"{signal} {op} {limit:g}", signal, action, op, limit, **changes)  # type: ignore[arg-type]


class FakeLink:
    """A Link whose time, readings and outputs are set by the test. `send` answers at once.

    Who sits here is the session's own user, whom the plan knows as `me`, or doesn't know.
    """

    def __init__(self, plan: Plan | None = None, me: str = "dana", accepted: bool = True) -> None:
        """Every role is `accepted` by its holder, or only those of whoever opens the session."""
        plan = plan or a_plan()
        self.apart = False
        self.at = T0
        self.failure = ""
        self.ended = False
        self.errors = 0.4
        self.on = "web-1"
        self.sent: list[Command] = []
        self.challenged = 0
        self.events: list[ev.Event] = []
        self.state: State = initial(plan, commands)
        self.hosts: dict[str, tuple[datetime, HostSample]] = {}
        self.outputs: dict[str, bytes] = {}
        self.samples: dict[tuple[str, str], deque[Sample]] = {}
        self.silent: set[str] = set()
        self.said: dict[str, Judgement] = {}
        self._judged: dict[tuple[str, datetime], Judgement | None] = {}
        self._watches: dict[str, Watch] = {}
        self.subscribers: list[Callable[[], None]] = []
        self.do(
            cmd.OpenSession(self.at, "demo", "demo-1", me, me, "laptop", "0.1", "plan.toml", "", "", False)
        )
        for person in dict.fromkeys(person for _, person in plan.roles.held()) if accepted else ():
            if roles.waiting(self.state, person):
                self.do(cmd.AcceptRole(self.at, person))
        self.seat = self.attach(me, own=True)

    # The Link

    @property
    def me(self) -> str:
        return self.seat.person if self.seat.may_act else ""

    @property
    def head(self) -> tuple[int, str]:
        return len(self.events), sha256(str(len(self.events)).encode()).hexdigest()

    def now(self) -> datetime:
        return self.at

    def series(self, signal: str, target: str) -> Sequence[Sample]:
        return self.samples.get((signal, target), ())

    def judgement(self, threshold: str) -> Judgement | None:
        if threshold in self.said:
            return self.said[threshold]
        key = (threshold, self.at)
        if key not in self._judged:  # as the engine does: judged once a turn, not once a look
            self._judged[key] = self._judge_now(threshold)
        return self._judged[key]

    def _judge_now(self, threshold: str) -> Judgement | None:
        t = self.state.plan.threshold(threshold)
        signal = self.state.plan.signal(t.signal)
        if not any(self.series(t.signal, target) for target in signal.targets):
            return None
        watching = self._watches.get(threshold)
        if watching is None or watching.threshold != t:
            series = {target: self._kept(t.signal, target) for target in signal.targets}
            watching = self._watches[threshold] = watch(t, series, signal.interval)
        return watching.judge(self.at, Cohorts())

    def host(self, target: str) -> tuple[datetime, HostSample] | None:
        return self.hosts.get(target)

    def output(self, attempt: str) -> bytes:
        return self.outputs.get(attempt, b"")

    async def challenge(self, command: cmd.SignedCommand) -> str | Refused:
        self.challenged += 1
        nonce = f"nonce-{self.challenged}"
        said = signoff.challenge(self.state, command, self.head, nonce, self.at)
        return said.line() if said is not None else Refused("there is nothing to sign")

    async def sign(self, command: cmd.SignedCommand) -> cmd.SignedCommand | Refused:
        """By this machine's own agent."""
        line = await self.challenge(command)
        if isinstance(line, Refused):
            return line
        asked = Challenge(line, people.key_of(self.state.plan, command.by), "")
        return await signed(command, asked, self.state, self.at)

    async def send(self, command: Command) -> Refused | None:
        if self.ended:
            return Refused("the session is over")
        self.sent.append(command)
        is_signed = isinstance(command, cmd.SignedCommand) and bool(command.signature)
        if is_signed and (why := await self._forged(command)):
            return Refused(why)
        return self.answer(self.seat, command, is_signed)

    async def _forged(self, command: Command) -> str:
        """Why the signature isn't the word of its person; as the session finds out, with OpenSSH's own tool."""
        assert isinstance(command, cmd.SignedCommand)
        line, armoured = parts(command.signature)
        if why := signoff.refusal(self.state, replace(command, at=self.at), read(line), line):
            return why
        return await signing.verify(line, armoured, people.key_of(self.state.plan, command.by), command.by)

    def answer(self, seat: ev.ScreenAttached, command: Command, signed: bool = False) -> Refused | None:
        """As the session does: whose word may be entered there is its to say, and so is the account."""
        assert isinstance(command, cmd.HumanCommand)
        if refused := attendance.speaks(self.state.plan, seat, command.by, signed):
            return refused
        decided = decide(self.state, replace(command, os_user=seat.os_user))
        if isinstance(decided, Refused):
            return decided
        self._record(decided)
        self.tick()
        return None

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        self.subscribers.append(callback)
        return lambda: self.subscribers.remove(callback)

    # Who is here

    def attach(
        self, person: str, os_user: str = "", may_act: bool = True, own: bool = False
    ) -> ev.ScreenAttached:
        """Somebody comes to a screen; nobody whom the plan doesn't know may act there."""
        known = person if people.known(self.state.plan, person) else ""
        os_user = os_user or person
        n = sum(isinstance(e, ev.ScreenAttached) for e in self.events) + 1
        may_act = may_act and bool(known)
        self.do(cmd.AttachScreen(self.at, f"{os_user[:20]}-{n}", known, os_user, "screen", may_act, own))
        return list(self.state.screens.values())[-1]

    def detach(self, seat: ev.ScreenAttached, why: str = "left") -> None:
        """They are gone, and what follows from that."""
        self.do(cmd.DetachScreen(self.at, seat.screen, why))

    def sit(self, person: str, os_user: str = "", may_act: bool = True, own: bool = True) -> FakeLink:
        """Somebody else sits at this screen from now on."""
        before = self.seat
        self.seat = self.attach(person, os_user, may_act, own)
        if before.screen in self.state.screens:
            self.detach(before)
        return self

    # What happens

    def _record(self, events: Sequence[ev.Event]) -> None:
        for event in events:
            if isinstance(event, ev.SignalEntered):
                self._keep(event.signal, HERE, Sample(event.at, event.value))
            if isinstance(event, ev.SignalEntered | ev.LimitChanged):
                self._judged.clear()
        self.events += events
        self.state = replay(events, self.state)
        for callback in list(self.subscribers):
            Context().run(callback)  # as from an engine: in a task that knows nothing of the app

    def do(self, command: Command) -> None:
        """Decide and record `command`; it must not be refused. Whoever has a key has signed it."""
        if isinstance(command, cmd.SignedCommand) and people.has_key(self.state.plan, command.by):
            line = f"signed after record {len(self.events)}"
            command = replace(command, signature=command.signature or block(line, "with a key"))
        decided = decide(self.state, command)
        assert not isinstance(decided, Refused), decided.reason
        self._record(decided)

    def tick(self) -> None:
        """What follows by itself."""
        self.do(cmd.Tick(self.at))

    def reach(self) -> None:
        """Every target answers, and is as it should be."""
        for target in self.state.plan.targets:
            self.do(cmd.ReportProbe(self.at, target.id, True, ""))
            self.examine(target.id)

    def examine(self, target: str, ahead: float = 0, **changes: object) -> None:
        """A target was looked at: the previous version runs there, and its clock is so many seconds ahead."""
        versions = (ev.Version("switch", True, ""),)
        report = cmd.ReportExamined(self.at, target, timedelta(seconds=ahead), "", versions)
        self.do(replace(report, **changes))  # type: ignore[arg-type]

    def read(self, orders: float = 412) -> None:
        """One reading of everything; `self.errors` on one target, a calm 0.4 elsewhere. Verdicts follow."""
        wave = math.sin(len(self.samples.get(("errors", "web-1"), ())) / 2)
        for n, target in enumerate(t.id for t in self.state.plan.targets):
            if target in self.silent:
                continue
            self._sample("errors", target, self.errors if target == self.on else 0.4)
            self._sample("orders", target, orders + 20 * wave)
            self._sample("latency", target, 180 + 10 * wave)
            cpu = 30 + 12 * math.sin(len(self.samples[("errors", target)]) / 2 + n)
            sample = HostSample(cpu, 60 + n % 7, 70.0, 0.8, 4, 1.2e5 * (2 + wave), 8e4, 1e5)
            self.hosts[target] = (self.at, sample)
        self._judged.clear()
        for signal in sorted({"errors", "orders", "latency"} & {s.name for s in self.state.plan.signals}):
            self.do(cmd.ReportSignal(self.at, signal, True, ""))
        self._judge()

    def _sample(self, signal: str, target: str, value: float) -> None:
        self._keep(signal, target, Sample(self.at, value))

    def _kept(self, signal: str, target: str) -> deque[Sample]:
        return self.samples.setdefault((signal, target), deque(maxlen=KEPT))

    def _keep(self, signal: str, target: str, sample: Sample) -> None:
        self._kept(signal, target).append(sample)
        for watching in self._watches.values():
            if watching.threshold.signal == signal:
                watching.add(target, sample)

    def forget(self) -> None:
        """What was read before counts no more."""
        self.samples.clear()
        self._judged.clear()
        self._watches.clear()

    def _judge(self) -> None:
        for t in self.state.plan.thresholds:
            said, before = self.judgement(t.id), self.state.verdicts.get(t.id)
            if said is None:
                continue
            began = before.breaching_since if before else None
            if (
                before is None
                or before.verdict != said.verdict
                or (began is None) != (said.breaching_since is None)
                or self._worse(t, before, said)
            ):
                since, detail = said.breaching_since, said.detail
                self.do(
                    cmd.ReportVerdict(
                        self.at, t.id, said.verdict, said.value, said.target, since, said.known_until, detail
                    )
                )

    def _worse(self, limit: Threshold, before: ev.VerdictChanged, said: Judgement) -> bool:
        """Whether an accepted breach went beyond what was accepted."""
        if said.value is None or said.verdict != "breach" or not self.state.accepts(before):
            return False
        return breaches(raised(limit, self.state.accepted[limit.id, before.target] or 0.0), said.value)

    def pass_time(self, seconds: float, errors: float | None = None, reading: bool = True) -> None:
        """Time goes by, with readings all the while; `errors` is what they say from now on."""
        self.errors = self.errors if errors is None else errors
        end = self.at + timedelta(seconds=seconds)
        while self.at < end:
            self.at = min(end, self.at + INTERVAL)
            if reading:
                self.read()
            self.tick()

    @moment
    def ready(self) -> FakeLink:
        """Everything that the start wants."""
        self.reach()
        self.do(cmd.SignItem(self.at, "lee", item="backup"))
        self.pass_time(40)
        return self

    def start(self) -> FakeLink:
        """Dana starts a ready release."""
        self.do(cmd.StartRelease(self.at, "dana"))
        self.tick()
        return self

    def finish(self, *targets: str, finish: ev.Finish = "succeeded", code: int = 0, detail: str = "") -> None:
        """What runs on `targets` (all, if none is named) ends so."""
        for a in self.state.running():
            if targets and a.target not in targets:
                continue
            proven = finish == "succeeded" and a.verify is not None
            self.outputs.setdefault(a.id, b"stopping old\nstarting new\nok\n")
            self.do(cmd.ReportStep(self.at, a.id, finish, proven, code, None, 41.0, detail))
        self.tick()

    def lose(self, *targets: str, detail: str = "the connection was lost") -> None:
        """Contact with what runs on `targets` (all, if none is named) is lost; they may still tell."""
        for a in self.state.running():
            if not targets or a.target in targets:
                seconds = (self.at - a.started_at).total_seconds()
                self.do(cmd.ReportStep(self.at, a.id, "in_doubt", False, None, None, seconds, detail))
        self.tick()

    def settle(self, finish: ev.Finish, detail: str = "") -> None:
        """Every target out of sight is reached, and its record says so."""
        for a in self.state.unsettled():
            proven = finish == "succeeded" and a.verify is not None
            code = {"succeeded": 0, "failed": 1}.get(finish)
            self.do(cmd.ReportStep(self.at, a.id, finish, proven, code, None, 41.0, detail, settled="record"))
        self.tick()

    def take_up(self, by: str = "lee", after: float = 1860) -> FakeLink:
        """The process ended, and somebody takes the session up again `after` so many seconds."""
        self.at += timedelta(seconds=after)
        self.forget()
        self.do(cmd.ResumeSession(self.at, by, by, "laptop", "0.1"))
        self.sit(self.me or self.seat.os_user)
        self.tick()
        return self

    @moment
    def baking(self) -> FakeLink:
        """The canary is out and bakes."""
        self.ready().start()
        self.pass_time(40)
        self.finish()
        self.pass_time(120)
        return self

    @moment
    def at_gate(self) -> FakeLink:
        """The canary's bake is over, Kim has signed, the web stage waits."""
        self.baking()
        self.do(cmd.SignItem(self.at, "kim", item="briefed"))
        self.pass_time(600)
        return self

    @moment
    def in_web(self) -> FakeLink:
        """The web stage's first wave runs."""
        self.at_gate()
        self.do(cmd.Promote(self.at, "dana", reason="orders are fine"))
        self.tick()
        return self

    @moment
    def paused_by_limit(self) -> FakeLink:
        """Errors on the canary were over the limit for two minutes."""
        self.baking()
        self.pass_time(125, errors=2.4)
        return self

    @moment
    def rolling_back(self) -> FakeLink:
        """Two waves are out, and Lee rolls back."""
        self.in_web()
        self.pass_time(10)
        self.finish()
        self.pass_time(305)
        self.finish("web-3")
        self.do(cmd.RollBack(self.at, "lee", reason="orders fall"))
        self.tick()
        self.finish("web-4")
        return self
