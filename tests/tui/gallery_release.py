"""One release told from its start to its end, as the pictures and the recording show it; nothing in it is random."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.attempt import Attempt
from cockpit.core.plan import (
    HERE,
    ChecklistItem,
    Gate,
    Plan,
    RollbackTerms,
    Signal,
    Stage,
    Step,
    Target,
    Threshold,
    Window,
)
from cockpit.signals.host import HostSample
from cockpit.tui.scene import History
from tests.tui.fake_link import SWITCH, T0, FakeLink, a_plan

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
WEB = tuple(f"web-{n:02}" for n in range(1, 13))
EVERY = ("db-1", *WEB, "jobs-1")
SHOWN_TO = {"dana": "dana", "sam": "sokoro", "lee": "lchen", "kim": "kpark"}
"""Who sits at a screen, by which account."""

MIGRATE = Step(
    "migrate",
    "schema apply 0117_tax_lines",
    verify="schema status --has 0117_tax_lines",
    rollback="schema revert 0117_tax_lines",
    verify_rollback="schema status --lacks 0117_tax_lines",
    previous="schema version",
)
FLAG = Step("flag", "flagctl set tax-v7 --percent 25", on="here", rollback="flagctl set tax-v7 --percent 0")
STAGES = (
    Stage("schema", ("migrate",), ("db-1",)),
    Stage("canary", ("switch",), ("web-01",), bake_time=10 * MINUTE),
    Stage(
        "web",
        ("switch",),
        ("web", "jobs"),
        waves=(1, 6, "rest"),
        max_parallel=3,
        bake_time=5 * MINUTE,
        gate=Gate(("decision_owner",), "Order rate within 5% of last Tuesday?"),
    ),
    Stage("flag 25%", ("flag",), bake_time=15 * MINUTE),
)
SIGNALS = (
    Signal("orders", "prometheus", 5 * SECOND, "Can customers still check out?", "/min", targets=(HERE,)),
    Signal(
        "tickets", "manual", 5 * MINUTE, "Do customers complain?", owner="support_liaison", targets=(HERE,)
    ),
    Signal("errors", "command", 5 * SECOND, unit="%", targets=WEB),
    Signal("latency", "prometheus", 5 * SECOND, unit="ms", targets=(HERE,)),
    Signal("db lag", "command", 5 * SECOND, unit="s", targets=("db-1",)),
)
LIMITS = (
    Threshold("orders < 300", "orders", "pause", "<", 300, for_=MINUTE, agreed_by=("dana", "kim")),
    Threshold("tickets > 5", "tickets", "pause", ">", 5, stale_after=8 * MINUTE, agreed_by=("kim",)),
    Threshold("errors > 2", "errors", "pause", ">", 2, for_=2 * MINUTE, agreed_by=("dana", "sam")),
    Threshold("errors > 20", "errors", "rollback", ">", 20, agreed_by=("dana", "lee")),
    Threshold("latency > 900", "latency", "notify", ">", 900, observe_only=True),
    Threshold("db lag > 10", "db lag", "pause", ">", 10, for_=MINUTE, agreed_by=("lee",)),
)
CHECKLIST = (
    ChecklistItem(
        "backup",
        "Last night's orders backup restored on staging",
        "lee",
        check="backup-age --hours",
        expect="< 24",
        healthy="Under 24 h old",
    ),
    ChecklistItem(
        "drill", "Rollback tried on staging", "lee", "stage:web", expected_recovery_time=6 * MINUTE
    ),
    ChecklistItem("briefed", "Support knows what the new tax line says", "kim", "stage:web"),
    ChecklistItem("reports", "Finance's night report compared", "sam", "close"),
)


def release_plan() -> Plan:
    """Checkout on a database, twelve web hosts and a job host."""
    plan = a_plan()
    people = tuple(replace(p, os_user=SHOWN_TO[p.id]) for p in plan.people)
    targets = (
        Target("db-1", "10.0.1.1", groups=("db",)),
        *(Target(name, f"10.0.2.{n}", groups=("web",)) for n, name in enumerate(WEB, 1)),
        Target("jobs-1", "10.0.3.1", groups=("jobs",)),
    )
    return replace(
        plan,
        release=replace(plan.release, change_ref="CHG-2207"),
        people=people,
        targets=targets,
        steps=(MIGRATE, replace(SWITCH, previous="version-of checkout"), FLAG),
        stages=STAGES,
        signals=SIGNALS,
        thresholds=LIMITS,
        checklist=CHECKLIST,
        rollback=RollbackTerms(6 * MINUTE),
        window=Window(T0 - timedelta(minutes=20), T0 + timedelta(hours=3), "Europe/Berlin"),
    )


class Release(FakeLink):
    """The release over the real core: whoever reads it as a Link sees what a real session would show."""

    def __init__(self, me: str = "dana") -> None:
        self.history = History()
        self.ill: dict[str, float] = {}
        self.tick_of = 0
        self.heard, self.entered_at = 1.0, T0
        super().__init__(release_plan(), me)
        self.apart = True
        for person, account in SHOWN_TO.items():
            if person == me:
                self.sit(me, account)
            else:
                self.attach(person, account)

    def seen_by(self, person: str) -> None:
        """From now on this is another's screen, who has been here all the while."""
        self.seat = next(seat for seat in self.state.screens.values() if seat.person == person)

    def read(self, orders: float = 412) -> None:
        """One reading of everything: calm waves, and on targets in `ill` so many errors. Verdicts follow."""
        self.tick_of += 1
        if self.at - self.entered_at >= 4 * MINUTE:
            self.tickets(self.heard)
        wave = _wave(self.tick_of, 0)
        sick = sum(self.ill.values())
        self._sample("orders", HERE, round(orders + 18 * wave - 6 * sick))
        self._sample("latency", HERE, round(184 + 9 * wave + 14 * sick))
        self._sample("db lag", "db-1", round(0.4 + 0.2 * wave, 1))
        for n, target in enumerate(EVERY):
            noise = _wave(self.tick_of, n)
            if target in WEB:
                errors = self.ill.get(target, 0.4) + 0.2 * noise
                self._sample("errors", target, round(errors, 1))
            self.hosts[target] = (self.at, _host(n, noise, target == "db-1"))
        self._judged.clear()
        for signal in ("orders", "errors", "latency", "db lag"):
            self.do(cmd.ReportSignal(self.at, signal, True, ""))
        self._judge()
        self.history.look(self)

    def examine(self, target: str, ahead: float = 0, **changes: object) -> None:
        """The previous version was found on every target."""
        versions = (ev.Version("migrate" if target == "db-1" else "switch", True, ""),)
        super().examine(target, ahead, **{"versions": versions, **changes})

    def ends(self, *targets: str) -> None:
        """What runs on `targets`, or everything that runs, succeeds after the time it has taken."""
        for a in self.state.running():
            if not targets or a.target in targets:
                self.outputs[a.id] = _printed(a)
                took = (self.at - a.started_at).total_seconds()
                self.do(cmd.ReportStep(self.at, a.id, "succeeded", a.verify is not None, 0, None, took, ""))
        self.tick()

    def tickets(self, so_far: float) -> None:
        """Kim enters how many tickets there are; she does so anew every four minutes."""
        self.heard, self.entered_at = so_far, self.at
        self.do(cmd.EnterReading(self.at, "kim", signal="tickets", value=so_far, os_user=SHOWN_TO["kim"]))

    def notes(self, said: str) -> None:
        """Sam writes a note."""
        self.do(cmd.AddNote(self.at, "sam", reason=said, os_user=SHOWN_TO["sam"]))

    def signs(self, person: str, item: str, note: str = "") -> None:
        """Somebody signs an item of the checklist at their own screen."""
        self.do(cmd.SignItem(self.at, person, reason=note, item=item, os_user=SHOWN_TO[person]))


def _wave(tick: int, n: int) -> float:
    """Between -1 and 1, another curve for every `n`, without an obvious beat."""
    return 0.6 * math.sin(tick / 2.3 + n * 1.7) + 0.4 * math.sin(tick / 0.9 + n * 2.9)


def _host(n: int, noise: float, database: bool) -> HostSample:
    cpu = (46 if database else 27 + n % 5) + 11 * noise
    return HostSample(
        cpu,
        (71.0 if database else 58 + n % 7) + noise,
        63.0 if database else 41.0 + n,
        (3.1 if database else 0.7) + 0.3 * noise,
        8 if database else 4,
        1.6e5 + 4e4 * noise,
        9e4 + 2e4 * noise,
        4e6 + n,
    )


def _printed(attempt: Attempt) -> bytes:
    if attempt.step == "migrate" and attempt.direction == "back":
        return b"0117_tax_lines: dropping 2 columns of orders\n0117_tax_lines: reverted\nok\n"
    if attempt.step == "migrate":
        return b"0117_tax_lines: adding 2 columns to orders\nlocked 0.2 s\n0117_tax_lines: applied\nok\n"
    to = "2026.11.2" if attempt.direction == "back" else "2026.11.3"
    return (
        f"draining {attempt.target} from the balancer\nwaiting for 14 requests\n"
        f"switching /srv/checkout/current to {to}\nstarting checkout {to}\n"
        f"healthy after 8.4 s\nback in the balancer\n"
    ).encode()


def opened(me: str = "dana") -> Release:
    """Every target is reached; Lee has still to sign for the backup."""
    link = Release(me)
    link.reach()
    link.do(cmd.ReportCheck(link.at, "backup", True, "6", ""))
    link.tickets(1)
    link.pass_time(180)
    return link


def signed(link: Release) -> None:
    """Lee signs, and Dana can start."""
    link.signs("lee", "backup", "restored 04:10, 41 GB")
    link.pass_time(20)


def starts(link: Release) -> None:
    """Dana starts."""
    link.do(cmd.StartRelease(link.at, "dana", os_user=SHOWN_TO["dana"]))
    link.tick()


def schema(link: Release) -> None:
    """The schema is on its way."""
    link.pass_time(14)


def schema_out(link: Release) -> None:
    """The schema is out; the canary waits for Dana."""
    link.pass_time(50)
    link.ends()


def promotes(link: Release) -> None:
    """Dana says yes to the stage that waits."""
    link.do(cmd.Promote(link.at, "dana", reason="orders 1.8% up", os_user=SHOWN_TO["dana"]))
    link.tick()


def canary(link: Release) -> None:
    """The canary is being switched."""
    link.pass_time(20)


def bakes(link: Release) -> None:
    """The canary bakes; the rest of the checklist is signed meanwhile."""
    link.pass_time(21)
    link.ends()
    link.signs("lee", "drill", "4 min 10 s")
    link.pass_time(150)
    link.tickets(2)
    link.signs("kim", "briefed")
    link.pass_time(65)


def baked(link: Release) -> None:
    """The bake was clean, and the web stage waits for Dana."""
    link.pass_time(180)
    link.notes("orders 1.8% above last Tuesday")
    link.pass_time(215)


def rolls_out(link: Release) -> None:
    """One host is out and was clean; of the second wave some are done, three are at it, one is to come."""
    link.pass_time(39)
    link.ends()
    link.pass_time(305 + 38)
    link.ends("web-03")
    link.pass_time(3)
    link.ends("web-04", "web-05")
    link.pass_time(19)
    for attempt in link.state.running():
        link.outputs[attempt.id] = b"".join(_printed(attempt).splitlines(keepends=True)[:4])


def errs(link: Release) -> None:
    """The second wave is out, and one of its hosts answers with errors."""
    link.pass_time(20)
    link.ends("web-06", "web-07")
    link.tickets(3)
    link.pass_time(22)
    link.ends()
    link.ill = {"web-05": 3.4}
    link.pass_time(80)


def breaches(link: Release) -> None:
    """Two minutes over the limit: it pauses, and asks."""
    link.pass_time(45)
    link.tickets(4)
    link.pass_time(14)
    link.notes("only web-05; same build as the others")
    link.pass_time(16)


def rolls_back(link: Release) -> None:
    """Lee rolls back."""
    reason = "errors on web-05, cause unknown"
    link.do(cmd.RollBack(link.at, "lee", reason=reason, os_user=SHOWN_TO["lee"]))
    link.tick()


def goes_back(link: Release) -> None:
    """The last wave goes first: three hosts are back."""
    link.pass_time(31)
    link.ill = {}
    link.ends()
    link.pass_time(12)


def nearly_back(link: Release) -> None:
    """The whole wave is back, and then the host before it."""
    for _ in range(2):
        link.pass_time(29)
        link.ends()


def gone_back(link: Release) -> None:
    """Every target it touched is proven to be back."""
    while link.state.running():
        link.pass_time(29)
        link.ends()


TOLD = (
    *(signed, starts, schema, schema_out, promotes, canary, bakes, baked),
    *(promotes, rolls_out, errs, breaches, rolls_back, goes_back, nearly_back, gone_back),
)
"""The story in order, after `opened`: what happens by itself, and between it what people decide."""


def until(last: Callable[[Release], None], me: str = "dana") -> Release:
    """The release as it stands after `last`."""
    link = opened(me)
    for chapter in TOLD:
        chapter(link)
        if chapter is last:
            break
    return link


def rolling_out() -> Release:
    """The web hosts go out in waves."""
    return until(rolls_out)


def breached() -> Release:
    """A limit has paused the release, and asks."""
    return until(breaches)


def rolled_back() -> Release:
    """Every touched target runs the old version again, proven."""
    return until(gone_back, "lee")
