"""Whole releases as one person goes through them at their screen: keys only, in terminals of three sizes."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from tests.tui import gallery_release as told
from tests.tui.gallery_release import Release
from tests.tui.seen import Person, at_every_size, at_screen

Size = tuple[int, int]


def sits(link: Release, size: Size) -> AbstractAsyncContextManager[Person]:
    """Somebody sits down at the release."""
    return at_screen(link, size)


async def looks(person: Person, pane: str, *words: str) -> None:
    """To a pane by its number, which is all that narrow terminals show; and there are `words`."""
    await person.press(pane)
    await person.sees(*words)


async def decides(person: Person, key: str, *words: str, chooses: int = 0, types: str = "") -> None:
    """A key, the question that it opens with these words, the answer that is chosen, what is typed, and yes."""
    await person.press(key)
    await person.sees(*words)
    await person.dialog()
    await person.press(*["down"] * chooses)
    if types:
        await person.types(types)
    sent = len(person.link.sent)
    await person.confirms()
    await person.until(lambda: len(person.link.sent) > sent, f"{key} to be answered")


@at_every_size
async def test_a_release_gone_well(size: Size) -> None:
    link = told.opened()
    async with sits(link, size) as dana:
        await dana.sees("PRODUCTION", "not ready", "Last night's orders backup")
        told.signed(link)
        await dana.sees("◇ ready")
        await decides(
            dana, "enter", "Start checkout 2026.11.3 on production?", "$ schema apply 0117_tax_lines"
        )
        told.schema(link)
        await looks(dana, "1", "● schema", "migrate running")
        told.schema_out(link)
        await decides(dana, "enter", "Promote “canary”?")
        told.canary(link)
        await dana.sees("switch running")
        told.bakes(link)
        await dana.sees("baking canary", "of 10:00")
        await looks(dana, "4", "✔ Rollback tried on staging", "✔ Support knows what the new tax line says")
        told.baked(link)
        await dana.sees("waiting before web", "Order rate within 5% of last Tuesday?")
        await decides(dana, "enter", "Promote “web”?", "in waves 1 · 6 · 5", types="orders 1.8% up")
        told.rolls_out(link)
        await looks(dana, "1", "wave 2  3 of 6", "web-06  switch running", "✔ wave 1")
        await looks(dana, "3", "6 new, 3 moves, 5 old")
        while link.state.stage == 2:
            link.pass_time(40)
            link.ends()
        await dana.sees("waiting before flag 25%")
        await decides(dana, "enter", "Promote “flag 25%”?", "$ flagctl set tax-v7 --percent 25")
        link.pass_time(2)
        link.ends()
        await dana.sees("baking flag 25%")
        link.signs("sam", "reports", "no difference")
        link.pass_time(905)
        await dana.sees("completed", "2026.11.3")
        assert link.state.closed is not None
        assert link.state.closed.outcome == "completed"
        await dana.press("q")
        await dana.until(lambda: not dana.app.is_running)


@at_every_size
async def test_a_breach_pauses_and_is_accepted(size: Size) -> None:
    link = told.until(told.rolls_out)
    async with sits(link, size) as dana:
        await dana.sees("running web")
        told.errs(link)
        await looks(dana, "2", "errors", "of 2:00 → PAUSE", "on web-05")
        told.breaches(link)
        await dana.sees("paused in web", "▲ errors > 2 is exceeded", "The rollout is paused", "keep waiting")
        await looks(dana, "2", "exceeded → PAUSE")
        await dana.press("p")
        await dana.sees("Accept errors > 2, and go on?")
        await dana.confirms()
        await dana.sees("this needs a reason")
        assert link.sent == []
        await dana.types("bots on web-05, blocked")
        await dana.confirms()
        await dana.sends(cmd.ResumeRollout)
        await dana.sees("baking web", "exceeded, accepted up to")
        resumed = next(e for e in reversed(link.events) if isinstance(e, ev.RolloutResumed))
        assert (resumed.by, resumed.reason, resumed.accepted) == (
            "dana",
            "bots on web-05, blocked",
            ("errors > 2",),
        )


@at_every_size
async def test_a_rollback_is_typed_and_proven(size: Size) -> None:
    link = told.until(told.breaches, "lee")
    async with sits(link, size) as lee:
        await lee.sees("R roll back", "9 targets")
        await lee.press("R")
        await lee.sees("Roll back checkout 2026.11.3 on production?", "9 targets go back, last wave first")
        await lee.types("prod")
        await lee.confirms()
        await lee.sees("that isn't “production”: nothing was done")
        assert link.sent == []
        await lee.types("uction")
        await lee.confirms()
        await lee.sends(cmd.RollBack)
        await lee.sees("rolling back", "proven 0 of 9")
        told.goes_back(link)
        await looks(lee, "3", "3 back")
        told.nearly_back(link)
        await lee.sees("proven 7 of 9")
        told.gone_back(link)
        await lee.sees("↶ rolled back", "2026.11.2 proven on every touched target")
        await looks(lee, "3", "9 back, 5 old")
        assert link.state.rollback_result is not None
        assert link.state.rollback_result.unproven == ()


@at_every_size
async def test_the_decision_is_handed_over_before_the_gate(size: Size) -> None:
    link = told.until(told.bakes)
    async with sits(link, size) as dana:
        await decides(
            dana, "H", "Hand over decision owner?", "○ Lee Chen: here", chooses=1, types="my train leaves"
        )
        await dana.sees("you offer Lee Chen decision owner: my train leaves")
        told.baked(link)
        await dana.sees("waiting before web")
        link.seen_by("lee")
        lee = dana
        await lee.sees("Dana Ruiz offers you decision owner: my train leaves")
        await decides(lee, "a", "○ take decision owner", chooses=1)
        assert link.state.plan.roles.decision_owner == "lee"
        await looks(lee, "6", "Lee Chen")
        await decides(lee, "enter", "Promote “web”?", "as Lee Chen", types="orders fine")
        await lee.sees("running web")
        promoted = next(e for e in reversed(link.events) if isinstance(e, ev.StagePromoted))
        assert (promoted.by, promoted.via, promoted.reason) == ("lee", "", "orders fine")


@at_every_size
async def test_a_late_sign_off_holds_the_stage_and_nothing_else(size: Size) -> None:
    link = told.until(told.canary, "kim")
    link.pass_time(21)
    link.ends()
    link.signs("lee", "drill")
    link.pass_time(605)
    async with sits(link, size) as kim:
        await kim.sees("waiting before web", "Support knows what the new tax line says")
        await looks(kim, "4", "▲ 1 to sign")
        await decides(
            kim, "s", "Sign this?", "Support knows what the new tax line says", types="told both shifts"
        )
        await looks(kim, "4", "3 of 4", "Kim Park (own account)")
        link.seen_by("dana")
        await decides(kim, "enter", "Promote “web”?", types="signed now")
        await kim.sees("running web")
        signed = next(e for e in reversed(link.events) if isinstance(e, ev.ChecklistSigned))
        assert (signed.item, signed.by, signed.via) == ("briefed", "kim", "")
