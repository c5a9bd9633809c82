"""Sign-offs by key, over the real link, with real keys: what counts, and every way to forge one."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core import signoff, statement
from cockpit.core.commands import Refused, SignedCommand
from cockpit.core.readiness import blocking
from cockpit.planfile import parse
from cockpit.remote.scripted import ScriptedRunner
from cockpit.runtime import sockets, wire
from cockpit.runtime.engine import Engine, utc_now
from cockpit.runtime.mirror import Mirror, attach
from cockpit.runtime.server import serving
from cockpit.runtime.signatures import Challenge, signed
from cockpit.steps import commands
from cockpit.store.log import Log
from tests import keys
from tests.runtime.engines import until

NAME = "small"
PLAN = """
[release]
name = "Small"
service = "small"
environment = "test"
version = "2"
previous_version = "1"
customer_impact = "Nobody but this test sees it."
[people]
dana = { name = "Dana Ruiz", key = "%(dana)s" }
lee = { name = "Lee Chen", os_user = "nobody-here", key = "%(lee)s" }
kim = { name = "Kim Park" }
[roles]
decision_owner = "dana"
rollback_owner = "lee"
support_liaison = "kim"
[targets]
web-1 = { host = "10.0.0.1" }
[[step]]
id = "switch"
run = "switch"
rollback = "back"
[[stage]]
name = "web"
targets = ["web-1"]
steps = ["switch"]
gate = { approvers = ["lee"], instructions = '''Orders
   within 5%% of last Tuesday?''' }
[[checklist]]
id = "backup"
text = "Backup restored on staging"
owner = "lee"
check = "backup-age"
[[checklist]]
id = "drill"
text = "Rollback tried on staging"
owner = "lee"
[[checklist]]
id = "briefed"
text = "Support is briefed"
owner = "kim"
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the keys of Dana and Lee lie, and one that isn't in the plan."""
    path = tmp_path_factory.mktemp("keys")
    for name in ("dana", "lee", "mallory"):
        keys.new_key(path / name)
    return path


@dataclass
class Place:
    """A session of which Dana's screen is attached; Lee is elsewhere, with a key."""

    engine: Engine
    directory: Path
    keys: Path
    dana: Mirror

    async def screen(self, said: str = "dana", kind: wire.Kind = "screen", read_only: bool = False) -> Mirror:
        return await attach(NAME, wire.Hello(kind, read_only, said), directory=self.directory)

    async def asked(self, command: SignedCommand) -> statement.Statement:
        """What would be signed for it."""
        line = await self.dana.challenge(command)
        assert isinstance(line, str), line.reason
        return statement.read(line)

    def sealed(
        self, said: statement.Statement, key: str = "lee", namespace: str = statement.NAMESPACE
    ) -> str:
        """The block that a key makes of a statement."""
        line = said.line()
        return statement.block(line, keys.signed(f"{line}\n", self.keys / key, namespace))

    async def refused(self, command: cmd.HumanCommand) -> str:
        """Why that isn't done; nothing of it is on record."""
        before = len(self.engine.events)
        refused = await self.dana.send(command)
        assert refused is not None
        assert len(self.engine.events) == before
        return refused.reason

    async def check(self, ok: bool) -> None:
        """The backup's check says that."""
        report = cmd.ReportCheck(self.engine.now(), "backup", ok, "1 h", "" if ok else "too old")
        assert await self.engine.send(report) is None


def sign(block: str = "", item: str = "backup", by: str = "") -> cmd.SignItem:
    return cmd.SignItem(utc_now(), by, item=item, signature=block)


@pytest.fixture
async def place(tmp_path: Path, made: Path) -> AsyncIterator[Place]:
    async with session(tmp_path, made) as p:
        await p.check(True)
        yield p


@asynccontextmanager
async def session(path: Path, made: Path) -> AsyncIterator[Place]:
    directory = path / "links"
    directory.mkdir(mode=0o700)
    text = PLAN % {name: (made / f"{name}.pub").read_text().strip() for name in ("dana", "lee")}
    checked = parse(text.encode(), "plan.toml")
    assert checked.plan is not None, [p.render() for p in checked.problems]
    log = await Log.create(path / "session.db")
    engine = Engine(checked.plan, commands, log, ScriptedRunner(), lambda: None, "dana")
    task = asyncio.create_task(engine.run())
    try:
        opened = cmd.OpenSession(
            engine.now(), "s", "5p", "dana", "druiz", "desk", "1", "plan.toml", checked.sha256, text, False
        )
        assert await engine.send(opened) is None
        await until(lambda: bool(engine.state.probes), engine)
        with sockets.listening(NAME, directory) as listener:
            async with serving(engine, listener):
                dana = await attach(NAME, wire.Hello("screen", said="dana"), directory=directory)
                yield Place(engine, directory, made, dana)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await log.close()


BACKUP = sign(by="lee")


# What is signed


async def test_a_challenge_says_all_of_it_in_a_line(place: Place) -> None:
    head = place.engine.head
    said = await place.asked(BACKUP)
    opened = place.engine.state.opened
    assert opened is not None
    assert (said.person, said.decision, said.about) == ("lee", "sign", "backup")
    assert said.text == "Backup restored on staging"
    assert (said.plan, said.session) == (opened.plan_sha256, "s")
    assert said.head == f"{head[0]}:{head[1]}"
    assert len(said.nonce) == 32
    assert timedelta(minutes=14) < said.until - utc_now() <= timedelta(minutes=15)
    assert "\n" not in said.line()
    again = await place.asked(BACKUP)
    assert again.nonce != said.nonce


async def test_a_gates_instructions_are_signed_in_one_line(place: Place) -> None:
    await at_the_gate(place)
    said = await place.asked(cmd.Promote(utc_now(), "lee"))
    assert (said.decision, said.about) == ("approve", "web")
    assert said.text == "Orders within 5% of last Tuesday?"


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (sign(by="kim", item="briefed"), "the plan has no key of Kim Park: there is nothing to sign"),
        (sign(by="mallory"), "say whose signature it is to be: an id under [people] of the plan"),
        (sign(by="dana"), "signing backup takes Lee Chen, not Dana Ruiz"),
        (sign(by="lee", item="nothing"), "the plan has no checklist item nothing"),
        (cmd.Promote(utc_now(), "lee"), "the release hasn't started"),
        (cmd.AcceptRole(utc_now(), "lee"), signoff.NOTHING),
        (cmd.AcceptRole(utc_now(), "lee", role="decision_owner"), "Dana Ruiz is decision owner, and hasn't"),
    ],
)
async def test_what_would_not_count_is_not_asked_for(place: Place, command: SignedCommand, why: str) -> None:
    refused = await place.dana.challenge(command)
    assert isinstance(refused, Refused)
    assert refused.reason.startswith(why)


async def test_whoever_only_watches_may_ask_and_not_hand_in(place: Place) -> None:
    watcher = await place.screen("", "act", read_only=True)
    line = await watcher.challenge(BACKUP)
    assert isinstance(line, str)
    block = place.sealed(statement.read(line))
    refused = await watcher.send(sign(block))
    assert refused is not None
    assert "you may watch, and nothing else" in refused.reason or "only watches" in refused.reason
    assert not place.engine.state.signed


async def test_a_signature_says_whose_word_it_is_at_whatever_screen(place: Place) -> None:
    block = place.sealed(await place.asked(BACKUP))
    assert await place.dana.send(sign(block)) is None
    signed_ = place.engine.state.signed["backup"][0]
    assert (signed_.by, signed_.via, signed_.level, signed_.signature) == ("lee", "dana", "key", block)


async def test_a_block_that_was_pasted_with_other_line_ends_is_the_same(place: Place) -> None:
    block = place.sealed(await place.asked(BACKUP))
    assert await place.dana.send(sign("  " + block.replace("\n", "\r\n") + "\n")) is None
    assert place.engine.state.signed["backup"][0].signature == block


async def test_without_a_signature_it_is_not_their_word(place: Place) -> None:
    elsewhere = (
        "Lee Chen decides that from their own account, or signs it with their key: `cockpit attach` there"
    )
    assert await place.refused(BACKUP) == elsewhere
    assert await place.refused(cmd.AddNote(utc_now(), "lee", reason="hello")) == elsewhere


async def test_the_gate_and_a_role_take_a_signature_too(place: Place) -> None:
    accept = cmd.AcceptRole(utc_now(), "lee", role="rollback_owner")
    assert await place.dana.send(replace(accept, signature=place.sealed(await place.asked(accept)))) is None
    accepted = place.engine.events[-1]
    assert isinstance(accepted, ev.RoleAccepted)
    assert (accepted.by, accepted.via, accepted.level) == ("lee", "dana", "key")
    await at_the_gate(place)
    approve = cmd.Promote(utc_now(), "lee", stage="web")
    block = place.sealed(await place.asked(approve))
    assert await place.dana.send(replace(approve, by="", signature=block)) is None
    (approved,) = (e for e in place.engine.events if isinstance(e, ev.StageApproved))
    assert (approved.by, approved.level, approved.signature) == ("lee", "key", block)


async def test_an_approval_that_names_no_stage_means_the_one_that_was_signed(place: Place) -> None:
    await at_the_gate(place)
    approve = cmd.Promote(utc_now(), "", stage="")
    signed_ = replace(approve, signature=place.sealed(await place.asked(replace(approve, by="lee"))))
    answers = [await place.dana.ask(replace(signed_, stage=stage), "once") for stage in ("", "web")]
    assert [answer["refused"] for answer in answers] == ["", ""]  # the same act, which happened once
    assert sum(isinstance(e, ev.StageApproved) for e in place.engine.events) == 1


async def test_the_screens_own_agent_signs(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    approve = cmd.AcceptRole(utc_now(), "dana", role="decision_owner")
    assert isinstance(await place.dana.sign(approve), Refused)  # she has accepted it by opening the session
    offer = cmd.OfferRole(utc_now(), "dana", role="decision_owner", to="kim")
    assert await place.engine.send(replace(offer, os_user="dana")) is None
    await place.engine.send(cmd.AcceptRole(utc_now(), "kim"))
    await place.engine.send(replace(offer, by="kim", to="dana"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    refused = await place.dana.sign(approve)
    assert isinstance(refused, Refused)
    assert refused.reason.startswith("no SSH agent is known here")
    with keys.agent(tmp_path) as socket:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        keys.add(copied(place.keys / "dana", tmp_path / "dana"))
        command = await place.dana.sign(replace(approve, by=""))
    assert isinstance(command, SignedCommand)
    assert await place.dana.send(command) is None
    accepted = place.engine.events[-1]
    assert isinstance(accepted, ev.RoleAccepted)
    assert (accepted.by, accepted.via, accepted.level) == ("dana", "", "key")


async def test_a_screen_signs_nothing_but_what_was_asked_for(place: Place) -> None:
    """A session can't get a signature under something else than what its screen shows."""
    said, state, at = await place.asked(BACKUP), place.dana.state, utc_now()
    others: dict[str, statement.Statement] = {
        "it says sign drill, not sign backup": replace(said, about="drill"),
        "backup has changed since": replace(said, text="Payroll for November"),
        "Dana Ruiz signed it, not Lee Chen": replace(said, person="dana"),
        "another plan or another session": replace(said, session="other"),
        "it would count for longer": replace(said, until=said.until + timedelta(days=1)),
    }
    for why, other in others.items():
        refused = await signed(BACKUP, Challenge(other.line(), "", ""), state, at, place.keys / "lee")
        assert isinstance(refused, Refused)
        assert refused.reason.startswith("nothing was signed: what the session asked for isn't this. ")
        assert why in refused.reason
    line = replace(said, about="drill").line()
    refused = await signed(BACKUP, Challenge(line, "", ""), None, at, place.keys / "lee")
    assert isinstance(refused, Refused)
    assert "it says that lee would sign drill, which isn't what was asked for" in refused.reason
    refused = await signed(BACKUP, Challenge("rm -rf /", "", ""), None, at, place.keys / "lee")
    assert isinstance(refused, Refused)
    assert "no challenge of cockpit's" in refused.reason


# Forgeries


async def test_replayed(place: Place) -> None:
    block = place.sealed(await place.asked(BACKUP))
    assert await place.dana.send(sign(block)) is None
    await place.check(False)
    await place.check(True)
    assert "backup" not in place.engine.state.signed
    assert await place.refused(sign(block)) == signoff.USED
    assert await place.refused(sign(f"\n{block}")) == signoff.USED


async def test_replayed_at_the_same_moment(place: Place) -> None:
    block = place.sealed(await place.asked(BACKUP))
    done = await asyncio.gather(*(place.dana.send(sign(block)) for _ in range(5)))
    assert done.count(None) == 1
    assert {refused.reason for refused in done if refused} <= {signoff.USED}
    assert len(place.engine.state.signed["backup"]) == 1


async def test_before_what_voids_it(place: Place) -> None:
    """What wasn't handed in when a check failed, or the rollout was paused, is as void as what was."""
    block = place.sealed(await place.asked(BACKUP))
    await place.check(False)
    await place.check(True)
    anew = "since it was signed: look, and sign anew"
    assert await place.refused(sign(block)) == f"backup wasn't healthy {anew}"
    drill = place.sealed(await place.asked(sign(by="lee", item="drill")))
    assert await place.dana.send(sign(drill, "drill")) is None
    await at_the_gate(place)
    approve = cmd.Promote(utc_now(), "lee")
    before = replace(approve, signature=place.sealed(await place.asked(approve)))
    assert await place.dana.send(cmd.PauseRollout(utc_now(), "", reason="wait")) is None
    assert await place.dana.send(cmd.ResumeRollout(utc_now(), "", reason="on")) is None
    assert await place.refused(before) == f"the rollout was paused {anew}"
    again = replace(approve, signature=place.sealed(await place.asked(approve)))
    assert await place.dana.send(again) is None


async def test_for_another_item(place: Place) -> None:
    block = place.sealed(await place.asked(BACKUP))
    assert await place.refused(sign(block, "drill")) == "it says sign backup, not sign drill"


async def test_for_another_purpose(place: Place) -> None:
    block = place.sealed(await place.asked(BACKUP), namespace="file")
    assert await place.refused(sign(block)) == "it was made for another purpose (file), not as a sign-off"


async def test_too_late(place: Place) -> None:
    said = await place.asked(BACKUP)
    late = replace(said, until=utc_now().replace(microsecond=0) - timedelta(seconds=1))
    why = f"it could be handed in until {late.until:%H:%M:%S} UTC: sign anew"
    assert await place.refused(sign(place.sealed(late))) == why
    for_days = replace(said, until=said.until + timedelta(days=2))
    assert "longer than a challenge of ours" in await place.refused(sign(place.sealed(for_days)))


@pytest.mark.parametrize("key", ["mallory", "dana"])
async def test_with_somebody_elses_key(place: Place, key: str) -> None:
    why = await place.refused(sign(place.sealed(await place.asked(BACKUP), key)))
    theirs, lees = (keys.fingerprint(place.keys / f"{name}.pub") for name in (key, "lee"))
    assert why == f"another key made it, {theirs}; the plan has {lees}"


async def test_with_the_statement_altered(place: Place) -> None:
    said = await place.asked(BACKUP)
    armoured = statement.parts(place.sealed(said))[1]
    later = replace(said, nonce="0" * 32).line()
    assert "one of them was altered" in await place.refused(sign(statement.block(later, armoured)))
    spaced = said.line().replace(" nonce=", "  nonce=")
    assert "changed on its way" in await place.refused(sign(statement.block(spaced, armoured)))


Other = Callable[[statement.Statement], statement.Statement]


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (lambda s: replace(s, session="s2"), "it was signed for another plan or another session"),
        (lambda s: replace(s, plan="0" * 64), "it was signed for another plan or another session"),
        (lambda s: replace(s, head=f"1:{'0' * 64}"), "it names a record that this log never had"),
        (lambda s: replace(s, head="9999:abc"), "it names a record that this log never had"),
        (lambda s: replace(s, head=f"{'9' * 40}:abc"), "it names a record that this log never had"),
        (lambda s: replace(s, head="9999:"), "this challenge holds what no challenge"),
        (lambda s: replace(s, head="nothing"), "this challenge holds what no challenge"),
        (lambda s: replace(s, text="Backup begun"), "backup has changed since: sign it anew"),
    ],
)
async def test_elsewhere_or_about_something_else(place: Place, other: Other, why: str) -> None:
    assert (await place.refused(sign(place.sealed(other(await place.asked(BACKUP)))))).startswith(why)


async def test_in_another_persons_name(place: Place) -> None:
    said = await place.asked(BACKUP)
    mine = place.sealed(replace(said, person="dana"), "dana")
    assert await place.refused(sign(mine, by="lee")) == "Dana Ruiz signed it, not Lee Chen"
    assert await place.refused(sign(mine)) == "signing backup takes Lee Chen, not Dana Ruiz"
    nobodys = place.sealed(replace(said, person="kim"), "dana")
    assert await place.refused(sign(nobodys)) == "the plan has no key of Kim Park to check it with"
    strangers = place.sealed(replace(said, person="mallory"), "mallory")
    assert await place.refused(sign(strangers)) == "the plan has no key of mallory to check it with"


async def test_an_approval_is_no_acceptance(place: Place) -> None:
    await at_the_gate(place)
    block = place.sealed(await place.asked(cmd.Promote(utc_now(), "lee")))
    accept = cmd.AcceptRole(utc_now(), "lee", role="rollback_owner", signature=block)
    assert await place.refused(accept) == "it says approve web, not accept rollback_owner"


@pytest.mark.parametrize("text", ["yes", "cockpit-signoff v1", "-----BEGIN SSH SIGNATURE-----", " "])
async def test_what_is_no_block(place: Place, text: str) -> None:
    assert "the challenge's line with the signature beneath it" in await place.refused(sign(text))


async def test_with_more_beneath_the_signature(place: Place) -> None:
    block = place.sealed(await place.asked(BACKUP))
    assert "there is no signature in it" in await place.refused(sign(f"{block}and more\n"))


# While it is checked


async def test_what_changes_while_a_signature_is_checked_counts(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = place.sealed(await place.asked(BACKUP))
    with holding(tmp_path, monkeypatch) as (held, go_on):
        asked = asyncio.create_task(place.dana.send(sign(block)))
        await asyncio.wait_for(held.wait(), 10)
        assert await place.dana.send(cmd.AddNote(utc_now(), "", reason="the turns go on")) is None
        await place.check(False)
        go_on()
        refused = await asked
    assert refused == Refused("backup wasn't healthy since it was signed: look, and sign anew")


async def test_where_nothing_can_be_checked_nothing_counts(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = place.sealed(await place.asked(BACKUP))
    monkeypatch.setenv("PATH", str(tmp_path))
    why = await place.refused(sign(block))
    assert why.startswith("the signature can't be checked, so it doesn't count: ssh-keygen can't be run here")


# The link


async def test_a_challenge_that_makes_no_sense(place: Place) -> None:
    connected, _ = sockets.connect(NAME, place.directory)
    reader, writer = await asyncio.open_unix_connection(sock=connected)
    writer.write(wire.hello(wire.Hello("act", said="dana")))
    assert "welcome" in await hear(reader)
    for message, why in (
        (
            {"challenge": "PauseRollout", "id": "1"},
            "nobody signs that: there are Promote, RollBack, SignItem, AcceptRole",
        ),
        ({"challenge": "Sing", "id": "1"}, "there is no act 'Sing'"),
        ({"challenge": "SignItem"}, "an act needs an id"),
        ({"challenge": "SignItem", "id": "1", "with": {"items": 1}}, "unknown fields"),
    ):
        writer.write(wire.packed(message))
        answer = await hear(reader)
        assert why in answer["refused"]
        assert (answer["line"], answer["key"]) == ("", "")
    writer.close()


async def test_a_session_that_is_gone_asks_for_nothing(place: Place) -> None:
    place.dana.hang_up()
    await place.dana.gone.wait()
    for said in (await place.dana.challenge(BACKUP), await place.dana.sign(BACKUP)):
        assert isinstance(said, Refused)
        assert "out of reach" in said.reason


@contextmanager
def holding(path: Path, patch: pytest.MonkeyPatch) -> Iterator[tuple[asyncio.Event, Callable[[], None]]]:
    """For the time of the block ssh-keygen waits: the event says that it does, the call lets it go on."""
    for name in ("held", "go"):
        os.mkfifo(path / name)
    tool = path / "bin" / "ssh-keygen"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\necho > {path}/held\nread x < {path}/go\nexec {which("ssh-keygen")} "$@"\n')
    tool.chmod(0o700)
    patch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    held, go = (os.open(path / name, os.O_RDWR) for name in ("held", "go"))
    loop, event = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(held, event.set)
    try:
        yield event, lambda: os.write(go, b"\n") and None
    finally:
        loop.remove_reader(held)
        os.close(held)
        os.close(go)


async def hear(reader: asyncio.StreamReader) -> Any:
    async with asyncio.timeout(60):
        size = int.from_bytes(await reader.readexactly(4), "big")
        return json.loads(await reader.readexactly(size))


async def at_the_gate(place: Place) -> None:
    """Dana starts the release over all that is missing; its only stage waits for Lee."""
    engine = place.engine
    seen = tuple(f.key for f in blocking(engine.state, engine.now()))
    assert await place.dana.send(cmd.StartRelease(utc_now(), "", reason="now", overriding=seen)) is None
    await until(lambda: engine.state.phase == "waiting", engine)


def copied(key: Path, to: Path) -> Path:
    to.write_bytes(key.read_bytes())
    to.chmod(0o600)
    return to
