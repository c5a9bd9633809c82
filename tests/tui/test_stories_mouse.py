"""The same releases with the mouse: what is printed as a key, a tab, a row or an answer can be clicked."""

from __future__ import annotations

from rich.cells import cell_len
from textual.widgets import Input

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from tests.tui import gallery_release as told
from tests.tui.gallery_release import Release
from tests.tui.seen import Person, at_screen

NARROW = (80, 24)


async def clicks(person: Person, words: str, nth: int = -1) -> None:
    """Click on words where they stand, the last place on the screen if they stand in several."""
    await person.sees(words)
    places = [(row, y) for y, row in enumerate(person.screen().split("\n")) if words in row]
    row, y = places[nth]
    await person.pilot.click(offset=(cell_len(row[: row.index(words)]) + 1, y))
    await person.settled()


async def answers(person: Person, yes: str, types: str = "") -> None:
    """What the open dialog asks for, and a click on yes."""
    dialog = await person.dialog()
    if types:
        assert dialog.query_one("#field", Input)
        await person.types(types)
    sent = len(person.link.sent)
    await clicks(person, yes, 0)
    await person.until(lambda: len(person.link.sent) > sent, f"a click on {yes}")


async def test_a_release_is_started_and_promoted_by_clicks() -> None:
    link = told.opened()
    told.signed(link)
    async with at_screen(link, NARROW) as dana:
        await clicks(dana, "⏎ start")
        await answers(dana, "⏎ start")
        await dana.sends(cmd.StartRelease)
        told.schema(link)
        told.schema_out(link)
        await clicks(dana, "⏎ promote")
        await answers(dana, "⏎ promote")
        told.canary(link)
        await dana.sees("running canary")
        await clicks(dana, "4 checklist", 0)
        await dana.sees("Rollback tried on staging")


async def test_a_breach_is_looked_at_and_accepted_by_clicks() -> None:
    async with at_screen(told.breached(), NARROW) as dana:
        await clicks(dana, "2 limits", 0)
        await dana.sees("exceeded → PAUSE")
        await clicks(dana, "accept and go on", 0)
        await answers(dana, "⏎ accept", types="bots, blocked")
        await dana.sends(cmd.ResumeRollout)


async def test_a_rollback_is_asked_for_by_a_click_and_confirmed_by_a_typed_word() -> None:
    link = told.until(told.breaches, "lee")
    async with at_screen(link, NARROW) as lee:
        await clicks(lee, "R roll back")
        await lee.sees("9 targets go back, last wave first")
        await lee.dialog()
        await clicks(lee, "⏎ roll back", 0)
        await lee.sees("type “production” first: nothing was done")
        assert link.sent == []
        await answers(lee, "⏎ roll back", types="production")
        await lee.sends(cmd.RollBack)
        told.goes_back(link)
        await clicks(lee, "3 targets", 0)
        await lee.sees("3 back")


async def test_a_role_is_handed_over_by_clicks() -> None:
    link = told.until(told.bakes)
    async with at_screen(link, (120, 40)) as dana:
        await clicks(dana, "hand over")
        await clicks(dana, "Lee Chen: here")
        await answers(dana, "⏎ offer", types="my train leaves")
        await dana.sends(cmd.OfferRole)
        link.seen_by("lee")
        await clicks(dana, "accepts or declines")
        await clicks(dana, "take decision owner")
        await answers(dana, "⏎ take")
        assert link.state.plan.roles.decision_owner == "lee"


async def test_an_item_is_chosen_and_signed_by_clicks() -> None:
    link: Release = told.until(told.canary, "kim")
    async with at_screen(link, NARROW) as kim:
        await clicks(kim, "4 checklist", 0)
        await clicks(kim, "Support knows what the new tax line says")
        await clicks(kim, "s sign")
        await kim.sees("Support knows what the new tax line says")
        await answers(kim, "⏎ sign", types="told both shifts")
        signed = next(e for e in reversed(link.events) if isinstance(e, ev.ChecklistSigned))
        assert (signed.item, signed.by) == ("briefed", "kim")
