"""Small plans and a hand-driven session for the core's tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.commands import Refused
from cockpit.core.decide import decide
from cockpit.core.evolve import replay
from cockpit.core.plan import (
    ChecklistItem,
    Gate,
    Person,
    Plan,
    Release,
    Roles,
    Signal,
    Stage,
    Step,
    Target,
    Threshold,
)
from cockpit.core.readiness import blocking
from cockpit.core.secret import references
from cockpit.core.state import State, initial

T0 = datetime(2026, 11, 24, 22, 0, tzinfo=UTC)

RELEASE = Release(
    name="Tax rules",
    service="checkout",
    environment="production",
    version="7",
    previous_version="6",
    customer_impact="EU receipts show the old tax line.",
)
PEOPLE = tuple(Person(i, n) for i, n in [("dana", "Dana Ruiz"), ("lee", "Lee Chen"), ("sam", "Sam Okoro")])
ROLES = Roles("dana", "lee", metrics_watcher="sam", stop_authority=("dana", "lee"), typed_names=True)

SWITCH = Step("switch", "switch 7", verify="check 7", rollback="switch 6", verify_rollback="check 6")
MIGRATE = Step("migrate", "migrate up", reversible=False, roll_forward="restore the snapshot")
FLAG = Step("flag", "flag on", on="here", rollback="flag off", verify_rollback="flag is off")
APP = Step(
    "app", "app.yml", on="ansible", verify="check 7", rollback="app-back.yml", verify_rollback="check 6"
)
ERRORS = Signal("errors", "command", timedelta(seconds=5), targets=("web-1", "web-2", "web-3"))


@dataclass(frozen=True)
class Lines:
    """Command lines, unrendered: enough for the core."""

    run: str
    verify: str | None
    rollback: str | None
    verify_rollback: str | None
    previous: str | None


def render(plan: Plan, stage: Stage, step: Step, target: str) -> Lines:
    """The step's templates as they stand."""
    return Lines(step.run, step.verify, step.rollback, step.verify_rollback, step.previous)


def web(n: int) -> tuple[Target, ...]:
    """`n` web targets."""
    return tuple(Target(f"web-{i + 1}", f"10.0.0.{i + 1}", groups=("web",)) for i in range(n))


def plan(**changes: object) -> Plan:
    """Three web targets, a canary and a stage with waves; `changes` replace fields of it."""
    base = Plan(
        release=RELEASE,
        roles=ROLES,
        people=PEOPLE,
        targets=web(3),
        steps=(SWITCH,),
        stages=(
            Stage("canary", ("switch",), ("web-1",), bake_time=timedelta(seconds=60)),
            Stage("web", ("switch",), ("web",), waves=(1, "rest")),
        ),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def limit(action: str = "pause", **changes: object) -> Threshold:
    """A limit on errors."""
    return Threshold("errors > 2", "errors", action, ">", 2.0, **changes)  # type: ignore[arg-type]


def item(id_: str, before: str, owner: str = "lee", **changes: object) -> ChecklistItem:
    """A checklist item."""
    return ChecklistItem(id_, f"{id_} is done", owner, before, **changes)  # type: ignore[arg-type]


def gated(timeout: timedelta | None = None) -> tuple[Stage, ...]:
    """A canary, and a web stage behind a gate that Lee opens."""
    return (
        Stage("canary", ("switch",), ("web-1",)),
        Stage("web", ("switch",), ("web",), gate=Gate(("rollback_owner",), "Orders fine?", timeout)),
    )


@dataclass
class Session:
    """A session driven by hand: commands in, events kept, time as told."""

    plan: Plan = field(default_factory=plan)
    auto: bool = False
    at: datetime = T0
    log: list[ev.Event] = field(default_factory=list)
    screens: int = 0
    state: State = field(init=False)

    def __post_init__(self) -> None:
        self.state = initial(self.plan, render)
        self.do(
            cmd.OpenSession(
                self.at, "s", "5p001", "dana", "dana", "laptop", "1", "plan.toml", "", "", self.auto
            )
        )
        for person in dict.fromkeys(person for _, person in self.plan.roles.held() if person != "dana"):
            self.do(cmd.AcceptRole(self.at, person, os_user=person))
        for target in self.plan.targets:
            self.do(cmd.ReportProbe(self.at, target.id, True, ""))
            self.examined(target.id)
        for signal in self.plan.signals:
            self.do(cmd.ReportSignal(self.at, signal.name, True, ""))
        if self.plan.by_playbook:
            self.do(cmd.ReportPlaybooks(self.at, ()))
        if references(self.plan):
            self.do(cmd.ReportSecrets(self.at, ()))

    def do(self, command: cmd.Command) -> list[ev.Event]:
        """Decide and record `command`; it must not be refused."""
        decided = self.ask(command)
        assert not isinstance(decided, Refused), decided.reason
        return decided

    def ask(self, command: cmd.Command) -> list[ev.Event] | Refused:
        """Decide and record `command`, or pass its refusal on."""
        decided = decide(self.state, command)
        if not isinstance(decided, Refused):
            self.log += decided
            self.state = replay(decided, self.state)
        return decided

    def refused(self, command: cmd.Command) -> str:
        """The reason why `command` is refused; it must be."""
        decided = self.ask(command)
        assert isinstance(decided, Refused), decided
        return decided.reason

    def tick(self, seconds: float = 0) -> list[ev.Event]:
        """Let time pass, and what follows happen."""
        self.at += timedelta(seconds=seconds)
        return self.do(cmd.Tick(self.at))

    def start(self, reason: str = "") -> list[ev.Event]:
        """Dana starts the release, overriding what stands in the way where she gives a reason."""
        seen = tuple(f.key for f in blocking(self.state, self.at)) if reason else ()
        return self.do(cmd.StartRelease(self.at, "dana", reason=reason, overriding=seen)) + self.tick()

    def come(self, person: str, kind: ev.Seat = "screen", may_act: bool = True) -> str:
        """Somebody attaches, from the account of their own name; the screen's name."""
        self.screens += 1
        name = f"{person}-{self.screens}"
        self.do(cmd.AttachScreen(self.at, name, person, person, kind, may_act, False))
        return name

    def go(self, *screens: str) -> list[ev.Event]:
        """These screens are left."""
        return [e for name in screens for e in self.do(cmd.DetachScreen(self.at, name, "left"))]

    def examined(self, target: str, ahead: float = 0, key: str = "", **changes: object) -> list[ev.Event]:
        """A target was looked at: the previous version runs there, and its clock is so many seconds ahead."""
        versions = (ev.Version("switch", True, ""),)
        report = cmd.ReportExamined(self.at, target, timedelta(seconds=ahead), key, versions)
        return self.do(replace(report, **changes))  # type: ignore[arg-type]

    def running(self) -> list[str]:
        """The targets on which a step runs."""
        return [a.target for a in self.state.running()]

    def finish(
        self, *targets: str, as_: ev.Finish = "succeeded", proven: bool = True, tick: bool = True
    ) -> list[ev.Event]:
        """The running attempts on `targets` (all, if none is named) finish; then a tick."""
        events: list[ev.Event] = []
        for a in self.state.running():
            if not targets or a.target in targets:
                code = {"succeeded": 0, "failed": 1}.get(as_)
                sure = proven and as_ == "succeeded"
                report = cmd.ReportStep(self.at, a.id, as_, sure, code, 0 if sure else None, 2.0, "")
                events += self.do(report)
        return events + (self.tick() if tick else [])

    def verdict(self, verdict: ev.Verdict, value: float | None = None, **changes: object) -> list[ev.Event]:
        """The errors limit now says this."""
        return self.do(cmd.ReportVerdict(self.at, "errors > 2", verdict, value, **changes))  # type: ignore[arg-type]

    def kinds(self, events: Sequence[ev.Event]) -> list[str]:
        """The events' names."""
        return [type(e).__name__ for e in events]
