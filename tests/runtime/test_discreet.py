"""Secrets reach a command when it begins, and are hidden in whatever it says; one that can't be had runs nothing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cockpit.core.commands import Command, ReportCheck, ReportSecrets
from cockpit.core.plan import HERE, ChecklistItem, Notify, Plan, Signal
from cockpit.core.state import State, initial
from cockpit.planfile import parse
from cockpit.remote.base import Driver, Ended, Launch, Request
from cockpit.remote.here import HereRunner
from cockpit.remote.secrets import SecretError
from cockpit.remote.ssh import SshRunner
from cockpit.runtime import vault
from cockpit.runtime.asking import Asking
from cockpit.runtime.checks import Checks
from cockpit.runtime.discreet import Discreet
from cockpit.runtime.hooks import Hooks
from cockpit.runtime.router import Router
from cockpit.runtime.vault import Vault, keep_looking, look
from cockpit.steps import commands
from cockpit.steps.secret import variables
from cockpit.store.output import Kept
from tests.cli.shell import write
from tests.core.plans import plan
from tests.remote.waiting import until
from tests.sshd import Sshd

AWKWARD = '-----BEGIN x-----\nit\'s a "quoted" $HOME `id` \\ line\n\ttab, ünïcode, {token}\r\n-----END x-----'
TOKEN = {"COCKPIT_SECRET_token": "env:SHOP_TOKEN"}
MINUTE = timedelta(minutes=1)


def now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def discreet(state: Path, sshd: Sshd | None = None) -> AsyncIterator[Discreet]:
    """A runner with `web-1` on sshd, and this machine, whose spool lies below `state`."""
    driver = Driver("s", "5p001", "shop prod", "dana", "laptop", "now")
    os.environ["XDG_STATE_HOME"] = str(state)
    here = HereRunner(driver)
    targets = SshRunner([sshd.target("web-1")], sshd.settings(), driver=driver) if sshd else here
    runner = Discreet(Router(here, targets))
    try:
        yield runner
        await asyncio.gather(runner.release(HERE), runner.release("web-1"))  # others use the same spool
    finally:
        await runner.close()


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


async def ran(runner: Discreet, target: str, line: str, launched: bool, **more: object) -> tuple[Ended, str]:
    """How a line ended, asked or launched, and what is kept of its output."""
    request = replace(Request(line, MINUTE, secrets=TOKEN), **more)  # pyright: ignore[reportArgumentType]
    kept = Kept()
    if not launched:
        ended = await runner.run(target, request, kept.write, asyncio.Event())
    else:
        assert (await runner.prepare(target)).ended.ok
        ended = await runner.launch(target, Launch(f"web/{line}", request), kept, asyncio.Event())
    return ended, kept.text().decode()


@pytest.mark.parametrize("launched", [False, True])
@pytest.mark.parametrize("target", [HERE, "web-1"])
@pytest.mark.parametrize("value", [AWKWARD, "x" * 65536, "s3cr"])
async def test_a_value_reaches_its_command_whole_and_comes_back_hidden(
    value: str, target: str, launched: bool, sshd: Sshd, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", value)
    digest = 'printf %s "$COCKPIT_SECRET_token" | wc -c'
    line = (
        f'{digest}; echo "<$COCKPIT_SECRET_token>"; echo "<$COCKPIT_SECRET_token>" >&2; cat /proc/$$/cmdline'
    )
    async with discreet(state, sshd) as runner:
        for _ in range(2):  # a second time from a shell that had it before
            ended, said = await ran(runner, target, line, launched)
            assert ended.ok, (ended, said)
            assert said.startswith(f"{len(value.encode())}\n<[secret token]>\n<[secret token]>\n")
            assert value not in said and "COCKPIT_SECRET_token" in said
            line += " "
        _, said = await ran(runner, target, "env | grep -c SECRET", launched, secrets={})
        assert said == "0\n"


@pytest.mark.parametrize("launched", [False, True])
async def test_standard_input_comes_behind_the_secrets(
    launched: bool, sshd: Sshd, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", AWKWARD)
    async with discreet(state, sshd) as runner:
        for target in (HERE, "web-1"):
            ended, said = await ran(
                runner, target, 'cat; [ "$COCKPIT_SECRET_token" ]', False, stdin=b"given\n"
            )
            assert (ended.ok, said) == (True, "given\n")


async def test_a_secret_that_cannot_be_had_runs_nothing(
    tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHOP_TOKEN", raising=False)
    why = "nothing ran: no secret token: the environment has no SHOP_TOKEN"
    async with discreet(state) as runner:
        for launched in (False, True):
            ended, said = await ran(runner, HERE, f"touch {tmp_path}/ran", launched)
            assert (ended.kind, ended.detail, said) == ("unreachable", why, "")
        monkeypatch.setenv("SHOP_TOKEN", "s3cr3t")
        assert (await ran(runner, HERE, "true", True))[0].ok
    assert not (tmp_path / "ran").exists()


async def test_a_stop_ends_the_wait_for_a_secret(state: Path) -> None:
    async with discreet(state) as runner:
        stop = asyncio.Event()
        slow = {"COCKPIT_SECRET_token": "cmd:sleep 60; echo x"}
        running = asyncio.create_task(
            runner.run(HERE, Request("true", MINUTE, secrets=slow), lambda _: None, stop)
        )
        await asyncio.sleep(0)
        stop.set()
        ended = await running
        assert (ended.kind, ended.detail) == ("unreachable", "stopped before it was sent: nothing ran")


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("env:SHOP_TOKEN", "so far [secret token]\n"),
        (
            "cmd:echo $SHOP_TOKEN",
            "[output withheld: it was begun with a value of `cmd:` that cockpit doesn't know any more]\n",
        ),
        (
            "env:GONE",
            "[output withheld: it may hold a secret that can't be looked up to be hidden: "
            "token: the environment has no GONE]\n",
        ),
    ],
)
async def test_after_a_crash_no_output_is_kept_in_which_a_secret_could_not_be_hidden(
    reference: str, said: str, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "s3cr3t")
    monkeypatch.setenv("GONE", "s3cr3t")
    line = f'echo "so far $COCKPIT_SECRET_token"; while [ ! -e {tmp_path}/go ]; do sleep 0.02; done'
    launch = Launch("web/a", Request(line, MINUTE, secrets={"COCKPIT_SECRET_token": reference}))
    async with discreet(state) as first:
        assert (await first.prepare(HERE)).ended.ok
        lost = asyncio.create_task(first.launch(HERE, launch, Kept(), asyncio.Event()))
        await until(lambda: any(p.stat().st_size for p in state.rglob("*.out")), "its output")
        lost.cancel()
        await asyncio.wait({lost})
    monkeypatch.delenv("GONE")
    async with discreet(state) as second:
        kept = Kept()
        (tmp_path / "go").touch()
        ended = await second.settle(HERE, launch, kept, asyncio.Event(), lambda: None)
        assert ended.ok, ended
        assert kept.text().decode() == said
        (spooled,) = state.rglob("*.out")
        assert (
            spooled.read_text() == "so far s3cr3t\n"
        )  # which is for whoever runs the steps, and nobody else
        assert spooled.stat().st_mode & 0o777 == 0o600


async def test_a_connection_that_breaks_loses_no_byte_and_shows_no_secret(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "s3cr3t-0123456789")
    go = f"while [ ! -e {tmp_path}/go ]; do sleep 0.02; done"
    line = f'printf "begin %.8s" "$COCKPIT_SECRET_token"; {go}; echo "${{COCKPIT_SECRET_token#????????}} end"'
    launch, kept = Launch("web/cut", Request(line, MINUTE, secrets=TOKEN)), Kept()
    server = Sshd(tmp_path / "sshd")
    server.start()
    try:
        async with discreet(state, server) as runner:
            assert (await runner.prepare("web-1")).ended.ok
            launching = asyncio.create_task(runner.launch("web-1", launch, kept, asyncio.Event()))
            await until(lambda: kept.total > 0, "the first bytes")
            server.kill()
            ended = await launching
            assert (ended.kind, kept.text()) == ("lost", b"begin ")  # the rest may begin a secret
            server.start()
            (tmp_path / "go").touch()
            ended = await runner.settle("web-1", launch, kept, asyncio.Event(), lambda: None)
            assert ended.ok, ended
            assert kept.text() == b"begin [secret token] end\n"
    finally:
        server.kill()


# What is looked up, and how often


async def test_who_asks_at_once_or_soon_after_shares_one_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = f"cmd:echo x >>{tmp_path}/ran; wc -l <{tmp_path}/ran | sed s/^/token-/"
    kept = Vault()
    values = await asyncio.gather(*(kept.values({"COCKPIT_SECRET_a": line}) for _ in range(20)))
    assert [*values] == [{"COCKPIT_SECRET_a": "token-1"}] * 20
    assert await kept.values({"COCKPIT_SECRET_b": line}) == {"COCKPIT_SECRET_b": "token-1"}
    monkeypatch.setattr(vault, "FRESH_S", 0.0)
    assert await kept.values({"COCKPIT_SECRET_b": line}) == {"COCKPIT_SECRET_b": "token-2"}
    assert kept.mask.hide(b"token-1 token-2 token-3") == b"[secret a] [secret b] token-3"


async def test_a_failure_is_not_kept_and_names_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOP_TOKEN", raising=False)
    kept = Vault()
    for _ in range(2):
        with pytest.raises(SecretError, match=r"^token: the environment has no SHOP_TOKEN$"):
            await kept.values(TOKEN)
    monkeypatch.setenv("SHOP_TOKEN", "s3cr3t")
    assert await kept.values(TOKEN) == {"COCKPIT_SECRET_token": "s3cr3t"}


async def test_readiness_hears_of_each_until_the_release_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "AGAIN_S", 0.0)
    monkeypatch.setattr(vault, "IN_ORDER_S", 0.0)
    monkeypatch.delenv("SHOP_TOKEN", raising=False)
    p = replace(plan(), secrets={"token": "env:SHOP_TOKEN", "pin": "cmd:echo 1234"})
    told: list[Command] = []
    state: State = initial(p, commands)

    async def send(command: Command) -> None:
        nonlocal state
        told.append(command)
        if len(told) == 2:
            state = state.but(started=now())
        monkeypatch.setenv("SHOP_TOKEN", "s3cr3t")

    async with asyncio.timeout(30):
        await keep_looking(Vault(), p, now, send, lambda: state)
    problems = [c.problems for c in told if isinstance(c, ReportSecrets)]
    assert problems == [("token: the environment has no SHOP_TOKEN",), ()]
    assert await look(Vault(), plan(), now) is None
    monkeypatch.delenv("SHOP_TOKEN")
    assert await Vault().missing(replace(p, secrets={"pin": "cmd:false"}), run=False) == {}


# Whoever else runs commands


MORE = """
[secrets]
token = "env:SHOP_TOKEN"

[[signal]]
name = "here"
source = "command"
on = "here"
run = "[ {token} = s3cr3t ] && echo 4"

[[signal]]
name = "torn"
source = "command"
on = "here"
run = "echo {token}"

[[signal]]
name = "rows"
source = "sql"
client = "DIR/psql"
query = "select 1"
password = "env:SHOP_TOKEN"

[[checklist]]
id = "backup"
text = "The backup of last night is 1 day old"
owner = "dana"
check = "echo {token}; [ {token} = s3cr3t ]"

[[notify]]
on = ["pause"]
run = "echo {message} {token} >DIR/told; echo {token}; false"
"""


def declared(tmp_path: Path) -> Plan:
    """The small plan, with secrets wherever they can stand."""
    path = write(tmp_path, None, more=MORE.replace("DIR", str(tmp_path)))
    checked = parse(path.read_bytes(), str(path))
    assert checked.plan is not None, [p.render() for p in checked.problems]
    return checked.plan


def of(p: Plan, name: str) -> Signal:
    return p.signal(name)


async def test_signals_checks_and_notices_have_their_secrets_and_show_none(
    tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "s3cr3t")
    (tmp_path / "psql").write_text(
        '#!/bin/sh\necho "$PGPASSWORD" >&2\n[ "$PGPASSWORD" = s3cr3t ] && echo 7\n'
    )
    (tmp_path / "psql").chmod(0o755)
    p = declared(tmp_path)
    async with discreet(state) as runner:
        asking = Asking(p, runner, now)
        assert (await asking.ask(of(p, "here"), HERE))[HERE].value == 4
        assert (await asking.ask(of(p, "rows"), HERE))[HERE].value == 7
        assert (await asking.ask(of(p, "torn"), HERE))[HERE].detail == (
            "printed '[secret token]'; it must print one number"
        )
        await asking.close()
        told: list[Command] = []
        await Checks(p, runner, now, told.append, lambda: initial(p, commands)).run_once()
        assert [(c.ok, c.found) for c in told if isinstance(c, ReportCheck)] == [(True, "[secret token]")]
        hooks = Hooks(runner, variables(p))
        (notify,) = p.notify
        said = await hooks.tell(notify, "paused")
        await hooks.close()
        assert (tmp_path / "told").read_text() == "paused s3cr3t\n"
        assert (said.line, said.detail) == (
            f'echo paused "$COCKPIT_SECRET_token" >{tmp_path}/told; echo "$COCKPIT_SECRET_token"; false',
            "[secret token]",
        )


def test_what_is_filled_in_where(tmp_path: Path) -> None:
    p = declared(tmp_path)
    assert of(p, "torn").options["run"] == 'echo "$COCKPIT_SECRET_token"'
    assert p.notify == (Notify(("pause",), p.notify[0].run),)
    assert isinstance(p.checklist[0], ChecklistItem)
