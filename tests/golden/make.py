"""Makes the golden logs: real sessions of this version on the demo's fleet, to be read by every version to come.

    .venv/bin/python -m tests.golden.make PREFIX

writes PREFIX-NAME.db for each session below and adds them to expected.json. It never writes over a log that is there:
a new version adds its own. Nothing of the machine goes in: names of people, hosts and paths are set here.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from cockpit.core import commands as cmd
from cockpit.core import roles, signoff, statement
from cockpit.core.decide import decide
from cockpit.core.readiness import blocking
from cockpit.core.state import State
from cockpit.demo import play
from cockpit.demo.fleet import Fleet
from cockpit.planfile import parse
from cockpit.planfile.edit import fill
from cockpit.runtime.engine import Engine, set_within, utc_now
from cockpit.runtime.headless import run_headless
from cockpit.runtime.session import Opening, session
from cockpit.store import sessions
from cockpit.store.files import make_private_directory
from cockpit.store.log import Log
from tests import keys
from tests.faults.proxy import Proxy
from tests.golden import verified
from tests.golden.facts import folded

HERE = Path(__file__).parent
WORK = Path("/tmp/cockpit-golden")
"""Everything but the logs: plans quote paths, so these are the same on every machine."""

MACHINE, ACCOUNT = "release-desk", "druiz"
DEADLINE_S = 90

PLAN = """
[release]
name = "Checkout tax rules v7"
service = "checkout"
environment = "golden"
version = "2026.11.3"
previous_version = "2026.11.2"
customer_impact = "If it half fails, some baskets find no tax rule and can't be paid."
change_ref = "CHG-1042"

[people]
dana = { name = "Dana Ruiz", os_user = "druiz" }
lee = { name = "Lee Chen", os_user = "lchen" }
sam = { name = "Sam Okoro", os_user = "sokoro" }
kim = { name = "Kim Park" }

[roles]
decision_owner = "dana"
rollback_owner = "lee"
metrics_watcher = "sam"
support_liaison = "kim"
stop_authority = ["dana", "lee", "sam"]

[ssh]
[targets]

[[step]]
id = "switch"
run = "switch {version}"
verify = "health --expect {version}"
rollback = "switch {previous_version}"
verify_rollback = "health --expect {previous_version}"
timeout = "20s"

[[stage]]
name = "canary"
targets = ["web-1"]
steps = ["switch"]
bake_time = "2s"

[[stage]]
name = "web"
targets = ["web"]
waves = [1, "rest"]
steps = ["switch"]
bake_time = "2s"
max_failed = 1

[[signal]]
name = "errors"
question = "Can customers still check out?"
source = "command"
run = "error-percent"
targets = ["web"]
unit = "%"
interval = "1s"

[[threshold]]
signal = "errors"
when = "> 5"
for = "3s"
action = "rollback"
agreed_by = ["dana", "lee"]

[[threshold]]
signal = "errors"
when = "> 2"
for = "15s"
action = "pause"
agreed_by = ["dana"]

[rollback]
expected_time = "30s"
"""
GATE = """steps = ["switch"]
bake_time = "2s"
gate = { approvers = ["rollback_owner", "metrics_watcher"], instructions = "Orders fine?", needs = 2, distinct = true }
max_failed"""
ITEMS = """
[[checklist]]
id = "backup"
text = "Last night's orders backup restored on staging"
owner = "lee"
check = "echo 6"
on = "here"
expect = "< 24"

[[checklist]]
id = "briefed"
text = "Support knows what the new tax line says"
owner = "kim"
before = "stage:web"
"""


class Hands:
    """Everybody's hands in one session."""

    def __init__(self, engine: Engine, secrets: Path | None = None) -> None:
        self.engine = engine
        self.accounts = {p.id: p.os_user or "" for p in engine.state.plan.people}
        self.secrets = secrets

    @property
    def state(self) -> State:
        return self.engine.state

    async def do(self, kind: type[cmd.HumanCommand], by: str, reason: str = "", **fields: object) -> None:
        """Somebody decides at a screen under their own account, or Dana enters it for who has none; or signs it."""
        own = self.accounts[by]
        made = kind(self.engine.now(), by, "" if own else "dana", reason, os_user=own or ACCOUNT, **fields)  # type: ignore[arg-type]
        if self.secrets is not None and isinstance(made, cmd.SignedCommand):
            said = signoff.challenge(self.state, made, self.engine.head, os.urandom(16).hex(), made.at)
            assert said is not None, made
            block = statement.block(said.line(), keys.signed(f"{said.line()}\n", self.secrets / by))
            made = replace(made, signature=block)
        refused = await self.engine.send(made)
        assert refused is None, (made, refused)

    async def come(self, person: str) -> str:
        name = f"{person}-{len(self.engine.events)}"
        at, account = self.engine.now(), self.accounts[person]
        await self.engine.send(cmd.AttachScreen(at, name, person, account, "screen", True, person == "dana"))
        return name

    async def leave(self, screen: str) -> None:
        await self.engine.send(cmd.DetachScreen(self.engine.now(), screen, "left"))

    async def until(self, met: Callable[[], bool]) -> None:
        changed = asyncio.Event()
        end = self.engine.subscribe(changed.set)
        try:
            async with asyncio.timeout(DEADLINE_S):
                while not met():
                    changed.clear()
                    await set_within(changed, 0.1)
        finally:
            end()

    async def ready(self) -> None:
        """Every role is accepted, every item signed as soon as it is healthy, and all has been looked at."""
        for role, person in sorted(self.state.plan.roles.held()):
            if role in roles.waiting(self.state, person):
                await self.do(cmd.AcceptRole, person, role=role)
        await self.until(lambda: all(i.id in self.state.checks for i in self.state.plan.checklist if i.check))
        for item in self.state.plan.checklist:
            await self.do(cmd.SignItem, item.owner, "looked at it myself", item=item.id)
        await self.until(lambda: not blocking(self.state, self.engine.now()))

    async def start(self, reason: str = "") -> None:
        over = tuple(f.key for f in blocking(self.state, self.engine.now())) if reason else ()
        await self.do(cmd.StartRelease, "dana", reason, overriding=over)

    async def waiting(self, stage: int = 1) -> None:
        """The stage before has baked."""
        await self.until(lambda: self.state.stage == stage and self.state.phase == "waiting")

    async def closed(self) -> None:
        await self.until(lambda: self.engine.ended)


@asynccontextmanager
async def release(
    fleet: Fleet, log: Path, text: str, resumed: bool = False, secrets: Path | None = None, **values: object
) -> AsyncGenerator[Hands]:
    """A session of the plan on the fleet."""
    filled = fill(text, {**fleet.plan_values(False), "release.version": "2026.11.3", **values})
    checked = parse(filled.encode(), "golden.toml")
    assert checked.plan is not None, "\n".join(p.render() for p in checked.problems)
    opening = Opening(checked.plan, "golden.toml", checked.data, checked.sha256, "dana", log, resumed=resumed)
    async with session(opening) as engine:
        yield Hands(engine, secrets)


# The sessions


async def completed(_: Fleet, log: Path) -> None:
    """The demo, to its end."""
    await _demo(log, bad=False)


async def rolled_back(_: Fleet, log: Path) -> None:
    """The demo's bad version: a limit rolls it back."""
    await _demo(log, bad=True)


async def _demo(log: Path, bad: bool) -> None:
    async def drive(opening: Opening, crew: play.Crew) -> int:
        async with session(replace(opening, log_path=log)) as engine:
            helping = asyncio.create_task(crew(engine, True))
            await run_headless(engine, lambda _: None, lambda _: None, "", "")
            helping.cancel()
        return 0

    with patch.object(play, "TemporaryDirectory", _fixed):
        await play.play(6, bad, True, drive)


@contextmanager
def _fixed(prefix: str) -> Iterator[str]:
    yield str(WORK / "demo")


async def aborted(fleet: Fleet, log: Path) -> None:
    """Paused by one, aborted by another; what is out stays out."""
    async with release(fleet, log, PLAN) as hands:
        await hands.come("dana")
        await hands.ready()
        await hands.start()
        await hands.waiting()
        await hands.do(cmd.PauseRollout, "sam", "the dashboard shows gaps")
        await hands.do(cmd.AddNote, "kim", "two callers ask about receipts\x1b[2J")
        await hands.do(cmd.Abort, "dana", "we don't know what we see")
        await hands.closed()


async def resumed(fleet: Fleet, log: Path) -> None:
    """Killed in its first step, taken up again, and brought to its end."""
    words = [sys.executable, "-m", "tests.golden.make", "--killed", str(log), _told(fleet)]
    killed = await asyncio.create_subprocess_exec(*words)
    assert await killed.wait() == -signal.SIGKILL
    async with release(fleet, log, PLAN, resumed=True) as hands:
        await hands.come("dana")
        await hands.until(lambda: not hands.state.unsettled() and not hands.state.running())
        await hands.until(lambda: hands.state.verdicts.keys() == {t.id for t in hands.state.plan.thresholds})
        await hands.do(cmd.ResumeRollout, "dana", "the process died, the targets are fine")
        await hands.waiting()
        await hands.do(cmd.Promote, "dana", "errors flat")
        await hands.closed()


async def _killed(fleet: Fleet, log: Path) -> None:
    """As far as its first step, then the end without a word."""
    async with release(fleet, log, PLAN) as hands:
        await hands.come("dana")
        await hands.ready()
        await hands.start()
        await hands.until(lambda: bool(hands.state.running()))
        os.kill(os.getpid(), signal.SIGKILL)


async def signed(fleet: Fleet, log: Path) -> None:
    """Everybody has a key: roles, items and a gate for two are signed with it."""
    secrets = WORK / "keys"
    secrets.mkdir(exist_ok=True)
    made = {f"people.{name}.key": keys.new_key(secrets / name) for name in ("dana", "lee", "sam", "kim")}
    text = PLAN.replace('steps = ["switch"]\nbake_time = "2s"\nmax_failed', GATE) + ITEMS
    async with release(fleet, log, text, secrets=secrets, **made) as hands:
        screen = await hands.come("dana")
        await hands.ready()
        await hands.start()
        await hands.waiting()
        await hands.do(cmd.Promote, "lee", "order rate within 5%", stage="web")
        await hands.do(cmd.Promote, "sam", "errors at 0.3%", stage="web")
        await hands.closed()
        await hands.leave(screen)


async def handed_over(fleet: Fleet, log: Path) -> None:
    """A role is offered and accepted, one is left open and taken, and who holds it then rolls back."""
    async with release(fleet, log, PLAN) as hands:
        dana, _ = await hands.come("dana"), await hands.come("lee")
        await hands.come("sam")
        await hands.ready()
        await hands.start()
        await hands.do(cmd.OfferRole, "lee", "my shift ends", role="rollback_owner", to="sam")
        await hands.do(cmd.AcceptRole, "sam", role="rollback_owner")
        await hands.waiting()
        await hands.leave(dana)
        await hands.until(lambda: bool(hands.state.gone))
        await hands.do(cmd.TakeRole, "lee", "Dana's train has no network", role="decision_owner")
        await hands.do(cmd.Promote, "lee", "errors flat")
        await hands.until(lambda: hands.state.stage == 1 and hands.state.phase == "baking")
        await hands.do(cmd.RollBack, "sam", "receipts show the old tax line")
        await hands.closed()


async def partial(fleet: Fleet, log: Path) -> None:
    """Nothing proves that the way back worked: it is closed as partial, with that said."""
    text = PLAN.replace('verify_rollback = "health --expect {previous_version}"\n', "")
    async with release(fleet, log, text) as hands:
        await hands.come("dana")
        await hands.until(lambda: len(hands.state.probes) == len(hands.state.plan.targets))
        await hands.ready()
        await hands.start()
        await hands.waiting()
        await hands.do(cmd.RollBack, "lee", "wrong totals")
        await hands.until(lambda: hands.state.rollback_result is not None)
        await hands.do(cmd.CloseSession, "dana", "looked at the host: the old version runs")
        await hands.closed()


async def excluded(fleet: Fleet, log: Path) -> None:
    """A target is lost in its step and never answers again: it is in doubt, left out, and named at the end."""
    (_, second, _) = fleet.hosts
    async with Proxy(second.port) as proxy:
        known = WORK / "known_hosts"
        lines = fleet.known_hosts.read_text().splitlines()
        lines += [
            li.replace(f":{second.port} ", f":{proxy.port} ") for li in lines if f":{second.port} " in li
        ]
        known.write_text("\n".join(lines) + "\n")
        through = {"ssh.known_hosts": str(known), "targets.web-2.port": proxy.port}
        seen = PLAN.replace('targets = ["web"]\nunit', 'targets = ["web-1", "web-3"]\nunit')
        async with release(fleet, log, seen, **through) as hands:
            await hands.come("dana")
            await hands.ready()
            await hands.start()
            await hands.waiting()
            await hands.do(cmd.Promote, "dana", "errors flat")
            await hands.until(lambda: any(a.target == "web-2" for a in hands.state.running()))
            await asyncio.sleep(0.4)  # the launch is on its way: what is lost now may have run
            proxy.freeze()
            proxy.drop()
            await hands.until(lambda: bool(hands.state.unsettled()))
            await hands.do(cmd.ExcludeTarget, "dana", "the rack is dark", target="web-2")
            await hands.waiting(2)
            lost = hands.state.unsettled()[0].id
            await hands.do(
                cmd.ResolveDoubt, "lee", "its disk says that nothing ran", attempt=lost, finish="failed"
            )
            await hands.closed()


async def reviewed(fleet: Fleet, log: Path) -> None:
    """A limit is moved, the unexplained explained; afterwards questions are answered, and actions asked for."""
    async with release(fleet, log, PLAN) as hands:
        await hands.come("dana")
        await hands.ready()
        await hands.start()
        await hands.do(cmd.ReportUnexplained, "kim", "receipts come twice for some baskets")
        await hands.do(
            cmd.ChangeLimit, "dana", "the evening peak", threshold="errors > 2", op=">", limit=3.0, for_=None
        )
        await hands.do(cmd.Explain, "lee", "a mail relay retried: nothing of ours")
        await hands.waiting()
        await hands.do(cmd.Promote, "dana", "errors flat")
        await hands.closed()
    add = "Runbook R-12 says how to drain a web host"
    for command in (
        cmd.AnswerQuestion(utc_now(), "dana", "", "one look at the screen sufficed", question="smooth"),
        cmd.AnswerQuestion(utc_now(), "kim", "dana", "nobody told support of the relay", question="context"),
        cmd.AddAction(utc_now(), "dana", "", add, owner="lee", due="2027-01-15", about=12),
        cmd.AddAction(
            utc_now(), "dana", "", "Alert A-7 fires before callers do", owner="sam", due="2027-01-15"
        ),
        cmd.SettleAction(utc_now(), "lee", "", "merged as R-12", action="1", how="closed"),
    ):
        await _afterwards(log, command)


async def no_samples(fleet: Fleet, log: Path) -> None:
    """Steps on the desk itself, and the one target is away, which is waived: nothing is measured at all."""
    step = PLAN[PLAN.index("[[step]]") : PLAN.index("[[stage]]")]
    here = '[[step]]\nid = "switch"\non = "here"\nrun = "echo on"\nverify = "true"\nrollback = "echo off"\n\n'
    filled = PLAN[: PLAN.index("[[signal]]")].replace(step, here) + '[rollback]\nexpected_time = "30s"\n'
    for line in ('targets = ["web-1"]', 'targets = ["web"]\nwaves = [1, "rest"]', "max_failed = 1"):
        filled = filled.replace(f"{line}\n", "")
    filled = filled.replace(
        "[targets]",
        f'known_hosts = "{WORK}/known_hosts"\n[targets]\nweb-1 = {{ host = "127.0.0.1", port = 9 }}',
    )
    (WORK / "known_hosts").touch()
    checked = parse(filled.encode(), "golden.toml")
    assert checked.plan is not None, "\n".join(p.render() for p in checked.problems)
    opening = Opening(checked.plan, "golden.toml", checked.data, checked.sha256, "dana", log, True)
    async with session(opening) as engine:
        hands = Hands(engine)
        await hands.come("dana")
        await hands.until(lambda: bool(hands.state.probes))
        for person in ("lee", "sam", "kim"):
            await hands.do(cmd.AcceptRole, person)
        await hands.start("web-1 comes back tomorrow, and nothing runs there")
        await hands.closed()


async def left(fleet: Fleet, log: Path) -> None:
    """Opened, looked at, and left before anything began."""
    async with release(fleet, log, PLAN) as hands:
        await hands.come("dana")
        await hands.until(lambda: len(hands.state.probes) == len(hands.state.plan.targets))


SESSIONS: dict[str, Callable[[Fleet, Path], Awaitable[None]]] = {
    "completed": completed,
    "rolled-back": rolled_back,
    "aborted": aborted,
    "resumed": resumed,
    "signed": signed,
    "handed-over": handed_over,
    "partial": partial,
    "excluded": excluded,
    "reviewed": reviewed,
    "no-samples": no_samples,
    "left": left,
}


async def _afterwards(path: Path, command: cmd.Command) -> None:
    """Said once the session is over: it goes into its log, under the same rules."""
    events, plan = verified.contents(path)
    log = await Log.open(path)
    try:
        decided = decide(folded(events, plan), command)
        assert not isinstance(decided, cmd.Refused), decided
        await log.append(decided)
    finally:
        await log.close()


def _told(fleet: Fleet) -> str:
    """A fleet for another process: its hosts and files."""
    return json.dumps(fleet.plan_values(False))


class _Told:
    """The fleet as another process told of it."""

    def __init__(self, said: str) -> None:
        self._values: dict[str, object] = json.loads(said)

    def plan_values(self, bad: bool) -> dict[str, object]:
        return self._values


async def _made(name: str, at: Path) -> None:
    """One session on a fleet of its own, its log at `at`."""
    for old in ("fleet", "demo", "keys"):
        shutil.rmtree(WORK / old, ignore_errors=True)
    log = (
        sessions.session_dir() / at.name
    )  # where the next ones find how long steps took, and what is left to do
    make_private_directory(log.parent)
    with suppress(FileNotFoundError):
        log.unlink()
    async with Fleet.start(WORK / "fleet", 3) as fleet:
        await SESSIONS[name](fleet, log)
    shutil.copyfile(log, at)
    print(f"{at.name}: {at.stat().st_size // 1000} kB")


def _lines(value: object, depth: int = 0) -> str:
    """JSON with a line for each log, each thing said of it, and each of its facts."""
    if depth == 3 or not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    indent = "  " * (depth + 1)
    lines = [f"{indent}{json.dumps(key)}: {_lines(value[key], depth + 1)}" for key in sorted(value)]
    return "{\n" + ",\n".join(lines) + "\n" + "  " * depth + "}"


def main(words: list[str]) -> None:
    """Make those that aren't there yet."""
    with ExitStack() as stack:
        for where in ("cockpit.runtime.session", "cockpit.runtime.headless"):
            stack.enter_context(patch(f"{where}.own_user", lambda: ACCOUNT))
        stack.enter_context(patch.object(socket, "gethostname", lambda: MACHINE))
        stack.enter_context(patch.dict(os.environ, XDG_STATE_HOME=str(WORK / "state")))
        if words[0] == "--killed":
            asyncio.run(_killed(_Told(words[2]), Path(words[1])))  # type: ignore[arg-type]
        prefix, *only = words
        shutil.rmtree(WORK, ignore_errors=True)
        expected = HERE / "expected.json"
        told = json.loads(expected.read_text()) if expected.exists() else {}
        for name in only or SESSIONS:
            at = HERE / f"{prefix}-{name}.db"
            if not at.exists():
                asyncio.run(_made(name, at))
                told[at.name] = verified.found(at, WORK / "read")
                expected.write_text(_lines(told) + "\n")
    shutil.rmtree(WORK, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
