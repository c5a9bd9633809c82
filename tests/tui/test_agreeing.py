"""A rollback that takes the agreement of others: asked for, agreed to, declined, and gone without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.plan import Plan, RollbackTerms
from cockpit.tui import asks
from cockpit.tui.asks import Ask
from cockpit.tui.needs import mine, needs
from tests.tui.beside import Beside
from tests.tui.fake_link import FakeLink, a_plan
from tests.tui.people_gallery import with_roles
from tests.tui.seen import asked, at_every_size, at_screen, offered, scene, top
from tests.tui.test_signing import agent, keyed, lees_key, the_dialog

__all__ = ["agent", "lees_key"]


def agreed_by(*approval: str, **roles: object) -> Plan:
    plan = a_plan()
    return with_roles(replace(plan, rollback=replace(plan.rollback, approval=approval)), **roles)


def baking(*approval: str, me: str = "dana", **roles: object) -> FakeLink:
    """The canary bakes; a rollback takes the agreement of these."""
    return FakeLink(agreed_by(*approval, **roles), me).baking()


def lee_asks(*approval: str, me: str = "dana", **roles: object) -> FakeLink:
    """Lee has asked from a screen of his own."""
    link = baking(*approval, me=me, **roles)
    link.attach("lee")
    link.do(cmd.RollBack(link.at, "lee", reason="carts are empty", os_user="lee"))
    link.pass_time(20)
    return link


def plain(ask: object) -> str:
    assert isinstance(ask, Ask)
    return "\n".join(line.plain for line in ask.lines)


@at_every_size
async def test_whoever_asks_reads_whom_it_asks_and_everything_stands_still(size: tuple[int, int]) -> None:
    link = baking("rollback_owner", typed_names=False)
    async with at_screen(link, size) as dana:
        await dana.press("R")
        await dana.sees(
            "Ask to roll back checkout", "This asks Lee Chen; the rollout pauses meanwhile.", "⏎ ask"
        )
        await dana.types("carts are empty")
        await dana.confirms()
        await dana.sends(cmd.RollBack)
        await dana.sees("paused", "you ask to roll back (carts are empty): Lee Chen agrees or declines")
        await dana.sees("roll back without Lee Chen", "take it back")
        assert link.state.back_asked is not None and link.state.rollback is None
        assert mine(scene(link), needs(scene(link))) == ()


@at_every_size
async def test_whoever_is_asked_agrees_by_the_same_key_and_it_begins(size: tuple[int, int]) -> None:
    link = lee_asks("decision_owner")
    async with at_screen(link, size) as dana:
        await dana.sees(
            "Lee Chen asks to roll back (carts are empty): you agree or decline", "R agree", "N decline"
        )
        await dana.press("R")
        await dana.sees(
            "Roll back checkout", "Lee Chen asked to roll back at", "With this agreement it begins"
        )
        await dana.types("production")
        await dana.confirms()
        await dana.sees("rolling back")
    assert [type(e) for e in link.events if isinstance(e, ev.RollbackAgreed | ev.RollbackStarted)] == [
        *(ev.RollbackAgreed, ev.RollbackStarted)
    ]


async def test_a_no_takes_a_reason_and_leaves_it_paused() -> None:
    link = lee_asks("decision_owner")
    async with at_screen(link) as dana:
        await dana.press("N")
        await dana.sees("Decline the rollback?", "carts are empty", "stays paused")
        await dana.confirms()
        await dana.sees("this needs a reason")
        await dana.types("a display fault")
        await dana.confirms()
        await dana.sends(cmd.DeclineProposal)
        await dana.sees("you declined to roll back: a display fault; anyone may resume")
    assert link.state.back_asked is None and link.state.paused is not None


async def test_whoever_may_stop_goes_without_the_missing_by_the_same_key_with_a_reason() -> None:
    link = baking("rollback_owner", typed_names=False)
    link.do(cmd.RollBack(link.at, "dana", reason="carts are empty", os_user="dana"))
    async with at_screen(link) as dana:
        await dana.sees("R override")
        await dana.press("R")
        await dana.sees("Roll back without Lee Chen?", "on record, with your reason")
        await dana.confirms()
        await dana.sees("this needs a reason")
        await dana.types("his phone is off")
        await dana.confirms()
        await dana.sees("type production to roll back")
        await dana.types("production")
        await dana.confirms()
        await dana.sees("rolling back")
    started = link.state.rollback
    assert started is not None and (started.override, started.agreed) == ("his phone is off", ())


async def test_at_one_screen_others_agree_by_name_where_the_plan_takes_that() -> None:
    link = baking("rollback_owner")
    link.do(cmd.RollBack(link.at, "dana", os_user="dana"))
    async with at_screen(link) as dana:
        await dana.press("R")
        await dana.sees("Roll back, as was asked?", "Lee Chen agrees", "roll back without Lee Chen")
        await dana.press("down")
        await dana.confirms()
        await dana.sees("With this agreement it begins", "as Lee Chen, entered at Dana Ruiz's screen")
        await dana.types("production")
        await dana.confirms()
        await dana.sees("rolling back")
    agreed = next(e for e in link.events if isinstance(e, ev.RollbackAgreed))
    assert (agreed.by, agreed.via, agreed.level) == ("lee", "dana", "typed")


async def test_two_screens_ask_and_agree() -> None:
    link = baking("rollback_owner", typed_names=False)
    beside = Beside(link, link.attach("lee"))
    async with at_screen(link) as dana, at_screen(beside) as lee:  # type: ignore[arg-type]
        await dana.press("R")
        await dana.types("carts are empty")
        await dana.confirms()
        await lee.sees(
            "paused", "Dana Ruiz asks to roll back (carts are empty): you agree or decline", "R agree"
        )
        await lee.press("R")
        await lee.types("production")
        await lee.confirms()
        await dana.sees("rolling back", "started the rollback: carts are empty")
    started = link.state.rollback
    assert started is not None and (started.by, started.agreed) == ("lee", ("rollback_owner",))


async def test_a_key_is_looked_for_once_everything_stands_still(agent: Path) -> None:
    plan = keyed(agent, agreed_by("rollback_owner", typed_names=False))
    link = FakeLink(plan, "lee").baking()
    async with at_screen(link) as lee:
        await lee.press("R")
        await lee.sees("Nobody else has to agree")
        await lee.types("production")
        await lee.confirms()
        await lee.sees("rolling back")
    kinds = [type(e).__name__ for e in link.events if isinstance(e, ev.Decision)][-4:]
    assert kinds == ["RolloutPaused", "RollbackAsked", "RollbackAgreed", "RollbackStarted"]
    said = next(e for e in link.events if isinstance(e, ev.RollbackAgreed))
    assert (said.by, said.level) == ("lee", "key") and "decision='roll back'" in said.signature


async def test_without_the_key_it_waits_for_it_and_says_how_it_is_signed(lees_key: Path) -> None:
    plan = keyed(lees_key, agreed_by("rollback_owner", typed_names=False))
    link = FakeLink(plan, "lee").baking()
    async with at_screen(link) as lee:
        await lee.press("R")
        await lee.types("production")
        await lee.confirms()
        await the_dialog(lee)
        assert link.state.back_asked is not None and link.state.paused is not None
        await lee.sees("roll back checkout", "`cockpit sign rollback:checkout --ask --as lee`")
        await lee.press("escape")
        await lee.sees("Nothing was signed: the rollback still waits for that.", "R agree")


def test_it_begins_at_once_where_whoever_asks_is_all_that_is_wanted() -> None:
    ask = asks.roll_back(scene(baking("decision_owner")))
    assert isinstance(ask, Ask) and ask.word == "production"
    assert plain(ask).startswith("Nobody else has to agree: it begins at once.")


def test_one_of_several_agrees_and_it_waits_for_the_rest() -> None:
    link = lee_asks("decision_owner", "metrics_watcher", typed_names=False)
    ask = asks.roll_back(scene(link))
    assert isinstance(ask, Ask) and (ask.title, ask.word) == ("Agree to roll back?", "")
    assert "It begins once Sam Okoro agrees too." in plain(ask)
    link.do(cmd.RollBack(link.at, "dana", os_user="dana"))
    assert "agreed: you (own account)" in "\n".join(asked(link))
    assert "roll back without Sam Okoro" in "\n".join(asked(link))


def test_the_question_tells_what_the_limits_said_and_who_has_agreed() -> None:
    link = baking("rollback_owner", typed_names=False, me="sam")
    said = (ev.Reading("errors > 2", "errors", "breach", 3.1, "> 2"),)
    link.do(cmd.RollBack(link.at, "dana", reason="odd", evidence=said, os_user="dana"))
    link.pass_time(20)
    told = "\n".join(asked(link))
    assert "asked 0:20 ago; nobody has agreed yet" in told
    assert "the limits said then: errors > 2: 3.1, breach" in told
    assert "a typed name doesn't agree to a rollback" in told
    assert "Dana Ruiz asks to roll back (odd): Lee Chen agrees or declines" in " ".join(top(link, 160))


def test_nobody_who_only_watches_has_a_key_for_it() -> None:
    link = lee_asks("decision_owner").sit("kim", may_act=False)
    assert "agree" not in offered(link) and "decline" not in offered(link)
    assert "Lee Chen asks to roll back (carts are empty): Dana Ruiz agrees or declines" in " ".join(
        top(link, 160)
    )


def test_whose_move_it_is_is_told_to_them_and_the_bell_rings() -> None:
    link = lee_asks("decision_owner")
    (need,) = [n for n in mine(scene(link), needs(scene(link))) if n.name.startswith("rollback asked")]
    assert need.alarm and need.who == ("dana",)


def test_a_plan_without_approvals_asks_as_ever() -> None:
    plan = replace(a_plan(), rollback=RollbackTerms())
    ask = asks.roll_back(scene(FakeLink(plan).baking()))
    assert isinstance(ask, Ask) and ask.title.startswith("Roll back checkout") and ask.word == "production"
