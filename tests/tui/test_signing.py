"""Signing with a key at the screen: by the agent of its machine, or with a block made where the key is."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from textual import events

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.commands import Refused
from cockpit.core.plan import Plan
from cockpit.core.statement import block, parts, read
from cockpit.remote import signing as ssh
from cockpit.tui import asks, dialogs
from cockpit.tui.asks import Ask
from cockpit.tui.signing import BlockField, SignDialog
from tests import keys
from tests.tui.fake_link import FakeLink, a_plan
from tests.tui.people_gallery import two_of_three, with_roles
from tests.tui.seen import Person, at_every_size, at_screen, offered, scene

WITHOUT_AN_AGENT = "no SSH agent is known here"


@pytest.fixture
def lees_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A key for Lee; no agent."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    keys.new_key(tmp_path / "lee")
    return tmp_path / "lee"


@pytest.fixture
def agent(lees_key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An agent that holds Lee's key; its public key."""
    with keys.agent(tmp_path) as socket:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        keys.add(lees_key)
        yield lees_key


def keyed(key: Path, plan: Plan | None = None) -> Plan:
    """The plan, in which Lee has that key."""
    plan = plan or a_plan()
    public = key.with_name("lee.pub").read_text().strip()
    people = tuple(replace(p, key=public) if p.id == "lee" else p for p in plan.people)
    return replace(plan, people=people)


def before_signing(plan: Plan, me: str = "lee") -> FakeLink:
    """Everything is ready but Lee's signature under the backup."""
    link = FakeLink(plan, me)
    link.reach()
    link.pass_time(40)
    return link


async def the_dialog(person: Person) -> SignDialog:
    """The dialog that asks for a block, armed."""
    await person.until(
        lambda: isinstance(person.app.screen, SignDialog) and person.app.screen.armed, "a dialog for a block"
    )
    assert isinstance(person.app.screen, SignDialog)
    return person.app.screen


async def pastes(person: Person, text: str) -> BlockField:
    """Paste into the dialog, and wait until it takes ⏎ again."""
    dialog = await the_dialog(person)
    field = dialog.query_one(BlockField)
    dialog.armed = False  # it disarms itself only once it hears of the paste
    person.app.post_message(events.Paste(text))
    await person.until(lambda: text.strip() in field.text, "what was pasted")
    await the_dialog(person)
    return field


def made_elsewhere(dialog: SignDialog, key: Path) -> str:
    """What `cockpit sign --challenge` prints where the key is."""
    line = shlex.split(dialog.there)[-1]
    return block(line, keys.signed(f"{line}\n", key))


async def test_where_the_agent_has_the_key_signing_takes_no_more_than_before(agent: Path) -> None:
    link = before_signing(keyed(agent))
    async with at_screen(link) as lee:
        await lee.press("s")
        await lee.sees("Sign this?", "as Lee Chen")
        await lee.confirms()
        await lee.sees("Lee Chen   signed off backup (signed with their key)")
    (signed,) = link.state.signed["backup"]
    line, armoured = parts(signed.signature)
    public = agent.with_name("lee.pub").read_text()
    assert await ssh.verify(line, armoured, public, "lee") == ""
    assert read(line).about == "backup" and signed.level == "key"


async def test_all_of_ones_roles_are_signed_one_by_one(agent: Path) -> None:
    plan = with_roles(keyed(agent), metrics_watcher="lee")
    link = FakeLink(plan, "dana", accepted=False)
    link.sit("lee", own=False)
    async with at_screen(link) as lee:
        await lee.press("a")
        await lee.confirms()
        await lee.until(
            lambda: ("metrics_watcher", "lee") in link.state.accepted_roles, "the second signature"
        )
    accepted = [e for e in link.events if isinstance(e, ev.RoleAccepted) and e.by == "lee"]
    assert [(e.role, e.level) for e in accepted] == [("rollback_owner", "key"), ("metrics_watcher", "key")]
    assert len({e.signature for e in accepted}) == 2


@at_every_size
async def test_without_an_agent_a_block_is_made_elsewhere_and_pasted(
    lees_key: Path, size: tuple[int, int]
) -> None:
    link = before_signing(keyed(lees_key))
    async with at_screen(link, size) as lee:
        await lee.press("s")
        await lee.confirms()
        dialog = await the_dialog(lee)
        await lee.sees(WITHOUT_AN_AGENT, "On your own machine, until 10:35", "cockpit sign --challenge")
        await lee.sees("`cockpit sign backup --ask --as lee`", "paste here what that prints")
        await pastes(lee, made_elsewhere(dialog, lees_key))
        await lee.sees("the block is whole")
        await lee.press("enter")
        await lee.until(lambda: bool(link.state.signed.get("backup")), "the signature")
    (signed,) = link.state.signed["backup"]
    assert (signed.by, signed.via, signed.level) == ("lee", "", "key")


async def test_danas_screen_takes_what_lee_signs_elsewhere(agent: Path) -> None:
    link = FakeLink(keyed(agent, with_roles(two_of_three(), typed_names=False)), "dana")
    link.baking()
    link.do(cmd.ReportCheck(link.at, "drill", True, "12", ""))
    link.do(cmd.SignItem(link.at, "kim", item="briefed"))
    link.do(cmd.SignItem(link.at, "lee", item="drill"))
    link.pass_time(600)
    link.do(cmd.Promote(link.at, "dana", os_user="dana"))
    public = agent.with_name("lee.pub")
    async with at_screen(link) as dana:
        await dana.sees("1 of 2 different people said yes: you (own account); still wanted: Lee Chen or Sam")
        await dana.press("enter")
        await dana.sees("Promote “web”?", "as Lee Chen, signed with their key")
        await dana.types("orders are fine")
        await dana.confirms()
        dialog = await the_dialog(dana)  # though an agent here has his key: it is his to use, not Dana's
        await dana.sees("On Lee Chen's own machine", "approve web: Order rate within 5%")
        await dana.sees("`cockpit sign gate:web --ask --as lee`")
        await pastes(dana, made_elsewhere(dialog, public))
        await dana.press("enter")
        await dana.sees("running web", "approved web at its gate (signed with their key): orders are fine")
    said = [e for e in link.events if isinstance(e, ev.StageApproved)][-1]
    assert (said.by, said.via, said.level) == ("lee", "dana", "key")


async def test_what_was_signed_for_something_else_is_not_handed_in(lees_key: Path) -> None:
    link = before_signing(keyed(lees_key))
    asked = await link.challenge(cmd.AcceptRole(link.at, "lee", role="rollback_owner"))
    assert isinstance(asked, str)
    async with at_screen(link) as lee:
        await lee.press("s")
        await lee.confirms()
        dialog = await the_dialog(lee)
        field = await pastes(lee, block(asked, keys.signed(f"{asked}\n", lees_key)))
        await lee.press("enter")
        await lee.sees("not handed in: it says accept rollback_owner, not sign backup")
        assert link.sent == []
        field.clear()
        await lee.until(lambda: dialog.complaint == "")
        field = await pastes(lee, "no block at all\n-----END SSH SIGNATURE-----")
        await lee.press("enter")
        await lee.sees("not handed in: a sign-off is the challenge's line with the signature beneath it")
        assert link.sent == []


async def test_a_block_of_another_key_is_refused_and_asked_for_again(lees_key: Path, tmp_path: Path) -> None:
    keys.new_key(tmp_path / "other")
    link = before_signing(keyed(lees_key))
    async with at_screen(link) as lee:
        await lee.press("s")
        await lee.confirms()
        first = await the_dialog(lee)
        await pastes(lee, made_elsewhere(first, tmp_path / "other"))
        await lee.press("enter")
        await lee.until(lambda: lee.app.screen is not first, "another dialog")
        second = await the_dialog(lee)
        await lee.sees("key")
        assert second.wanted.challenge != first.wanted.challenge and second.wanted.why
        assert not link.state.signed.get("backup")
        await pastes(lee, made_elsewhere(second, lees_key))
        await lee.press("enter")
        await lee.until(lambda: bool(link.state.signed.get("backup")), "the signature")


async def test_a_half_pasted_block_takes_no_enter_and_a_pasted_end_of_line_confirms_nothing(
    lees_key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = before_signing(keyed(lees_key))
    async with at_screen(link) as lee:
        await lee.press("s")
        await lee.confirms()
        dialog = await the_dialog(lee)
        whole = made_elsewhere(dialog, lees_key)
        half = whole[: whole.index("-----END")]
        field = await pastes(lee, half)
        await lee.press("enter")
        assert field.text == f"{half}\n" and link.sent == []
        field.clear()
        monkeypatch.setattr(dialogs, "ARM_AFTER", 0.3)
        lee.app.post_message(events.Paste(whole))
        await lee.until(lambda: field.whole)
        await lee.press("enter")
        assert link.sent == [] and lee.app.screen is dialog
        await the_dialog(lee)
        await lee.press("enter")
        await lee.sends(cmd.SignItem)


async def test_going_back_decides_nothing(lees_key: Path) -> None:
    link = before_signing(with_roles(keyed(lees_key), metrics_watcher="lee"))
    async with at_screen(link) as lee:
        await lee.press("s")
        await lee.confirms()
        await the_dialog(lee)
        await lee.press("escape")
        await lee.sees("Nothing was signed, and nothing was decided.")
        assert link.sent == [] and not isinstance(lee.app.screen, SignDialog)


async def test_the_command_is_copied_and_long_ones_scroll(lees_key: Path) -> None:
    link = before_signing(keyed(lees_key))
    async with at_screen(link, (80, 24)) as lee:
        await lee.press("s")
        await lee.confirms()
        dialog = await the_dialog(lee)
        await lee.press("ctrl+y")
        await lee.sees("copied, where this terminal allows it")
        assert lee.app.clipboard == dialog.there
        await lee.press("pagedown", "pageup")
        await lee.pilot.resize_terminal(40, 12)
        await lee.sees("hand it in")


async def test_where_there_is_nothing_to_sign_any_more_it_is_said(lees_key: Path) -> None:
    class Late(FakeLink):
        async def challenge(self, command: cmd.SignedCommand) -> str | Refused:
            return Refused("it was signed meanwhile")

    link = Late(keyed(lees_key), "lee")
    link.reach()
    async with at_screen(link) as lee:
        await lee.press("s")
        await lee.confirms()
        await lee.sees("it was signed meanwhile")
        assert link.sent == []


def test_whoever_has_a_key_says_no_to_an_offer_only_at_their_own_screen(lees_key: Path) -> None:
    link = FakeLink(keyed(lees_key))
    link.do(cmd.OfferRole(link.at, "dana", role="decision_owner", to="lee"))
    ask = asks.accept(scene(link))
    assert isinstance(ask, Ask) and [c.says for c in ask.choices] == ["take decision owner, as Lee Chen"]
    link.seat = link.attach("lee")
    ask = asks.accept(scene(link))
    assert isinstance(ask, Ask) and [c.says for c in ask.choices] == ["take decision owner", "decline it"]


def test_a_screen_that_only_watches_takes_no_block(lees_key: Path) -> None:
    link = FakeLink(keyed(lees_key), accepted=False)
    link.seat = link.attach("kim", may_act=False)
    assert "accept" not in offered(link) and "sign" not in offered(link)
