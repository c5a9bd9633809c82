"""The acts of looking: find, copy, freeze, read in full, open a link. None of them touches the release."""

from __future__ import annotations

import asyncio
import re

from textual.widgets import Input

from cockpit.core.plan import Plan
from cockpit.tui import clipboard, links, sifting
from cockpit.tui.acts import Acts
from cockpit.tui.filtering import Finder
from cockpit.tui.finding import Sought
from cockpit.tui.lines import Block, RowPane
from cockpit.tui.pager import Pager
from cockpit.tui.panes import output
from cockpit.tui.panes.table import PANES
from cockpit.tui.scene import Copy, Scene
from cockpit.tui.selecting import Selectable
from cockpit.tui.still import Frozen
from cockpit.tui.text import Line, count

COPIES = "copied.txt"


class Looking(Acts, inherit_bindings=False):
    """The part of the app that looks."""

    below: str
    frozen: Frozen | None = None
    _came_from = "rollout"
    _found_in = ""
    _plan_urls: tuple[Plan, tuple[str, ...]] | None = None
    _offered: tuple[tuple[str, ...], int] = ((), 0)

    def action_pane(self, name: str) -> None:
        """To a pane."""
        raise NotImplementedError

    @property
    def urls(self) -> tuple[str, ...]:
        """The addresses that the plan names."""
        plan = self.link.state.plan
        if self._plan_urls is None or self._plan_urls[0] is not plan:
            self._plan_urls = (plan, links.links_within(plan))
        return self._plan_urls[1]

    # Finding

    def action_find(self) -> None:
        """Look for words in the pane in front."""
        pane = self.panes[self.front]
        self._found_in = self.front
        self.screen_stack[0].query_one(Finder).ask(f"in {pane.pane.title.lower()}:", pane.sought, pane)

    def on_finder_changed(self, event: Finder.Changed) -> None:
        """Show what has these words."""
        self._look_for(event.sought)

    def on_finder_moved(self, event: Finder.Moved) -> None:
        """The rows move beneath the field."""
        self.panes[self._found_in].action_move(event.by)

    def on_finder_ended(self, event: Finder.Ended) -> None:
        """The pane, with what is kept."""
        self._look_for(event.kept)

    def _look_for(self, sought: Sought) -> None:
        if self._found_in:
            scene = self.scene
            seen = self.seen(scene)
            self.panes[self._found_in].look_for(sought, seen, scene if self.frozen is not None else None)

    def action_clear(self) -> None:
        """esc: a selection goes, else the words that are looked for; else back from the output."""
        pane = self.panes[self.front]
        if self.screen.get_selected_text():
            self.screen.clear_selection()
        elif pane.sought:
            self._found_in = self.front
            self._look_for(Sought())
        elif self.front == "output":
            self._leave_output()

    # Standing still

    def seen(self, scene: Scene) -> Scene:
        """What the panes show: this moment, or the one at which the view was frozen."""
        if self.frozen is not None and self.frozen.outdated(scene):
            self.frozen = None
            self.say("The release rolls back: the view is live again.")
        return scene if self.frozen is None else self.frozen.scene(scene)

    def band(self, scene: Scene, width: int) -> list[Line]:
        """That the view stands still, while it does."""
        return [self.frozen.band(scene, width)] if self.frozen is not None else []

    def action_freeze(self) -> None:
        """The panes keep what they show, or show what is true now."""
        scene = self.scene
        attempt = output.chosen(scene)
        self.frozen = None if self.frozen is not None else Frozen(scene, attempt.id if attempt else "")
        self.draw()

    # Copying

    def action_copy(self) -> None:
        """What is selected, else what is chosen."""
        if selected := self.screen.get_selected_text():
            self._copy(Copy(selected, _lines(selected, "selected")))
        elif self.panes[self.front].rows:
            self._copy_chosen()
        else:
            self.call_after_refresh(self._copy_chosen)  # a pane that was called up in the same breath

    def _copy_chosen(self) -> None:
        scene, pane = self.seen(self.scene), self.panes[self.front]
        self._copy(pane.pane.copied(scene, pane.row) or self._chosen_text(scene, pane))

    def _chosen_text(self, scene: Scene, pane: RowPane) -> Copy:
        """The chosen entry in full, and the command where it is about a step; without a cursor, all in sight."""
        rows, row = pane.entry(), pane.row
        told = [re.sub(r" {3,}", "  ", sifting.told(entry)).strip() for entry in sifting.entries(rows)]
        if not pane.pane.cursor or row is None:
            return Copy("\n".join(told), f"what is in sight of the {pane.pane.title.lower()}")
        whose = f"{row.target}’s row" if row.target else "the chosen row"
        attempt = scene.state.find(row.attempt) if row.attempt else None
        if attempt is None:
            return Copy("\n".join(told), whose)
        return Copy("\n".join([*told, f"$ {attempt.command}"]), f"{whose} and its command")

    def _copy(self, copy: Copy) -> None:
        if copy.text.strip():
            self.run_worker(self._copied(copy))
        else:
            self.say("There is nothing to copy here.")

    async def _copied(self, copy: Copy, why: str = "") -> None:
        text = await asyncio.to_thread(clipboard.cleaned, copy.text)
        self._clipboard = text
        sent = clipboard.sequence(text)
        self._write(sent)
        if self.is_web:  # what is pressed in a browser leaves nothing on this machine
            copied = f"Copied {copy.called}: sent to the browser's clipboard."
            self.say(copied if sent else "Not copied: too long for the browser's clipboard.")
            return
        program = await clipboard.hand_on(text)
        file = await asyncio.to_thread(clipboard.keep, text, clipboard.directory() / COPIES)
        self.say(f"{why}Copied {copy.called}: {clipboard.Copied(bool(sent), program, file).told()}.")

    def copy_to_clipboard(self, text: str) -> None:
        """As Textual does, but through tmux and screen, too."""
        self._clipboard = text
        self._write(clipboard.sequence(clipboard.cleaned(text)))

    def _write(self, sequence: str) -> None:
        if self._driver is not None and sequence:
            self._driver.write(sequence)

    def action_explain(self) -> None:
        """ctrl+c copies what is selected; else it does nothing, and says so."""
        field = self.focused
        selected = field.selected_text if isinstance(field, Input) else ""
        if selected := selected or self.screen.get_selected_text() or "":
            self._copy(Copy(selected, _lines(selected, "selected")))
        else:
            super().action_explain()

    # Reading

    def action_output(self) -> None:
        """The chosen step's output; from there, all of it over the whole screen."""
        if self.front != "output":
            self._came_from = self.front
            self.action_pane("output")
            return
        scene = self.scene
        attempt = output.chosen(self.seen(scene))
        if attempt is None or not scene.link.output(attempt.id):
            self.say("Nothing has been printed yet, so there is nothing to read in full.")
            return
        self.push_screen(Pager(lambda: self.scene, attempt.id, self._copy), self._read)

    def _read(self, on: bool | None) -> None:
        """Back from reading: to the output, or on to where one came from."""
        if on:
            self._leave_output()

    def _leave_output(self) -> None:
        self.below = "journal"
        self.action_pane(self._came_from if self._came_from in PANES else "rollout")

    # Links

    def action_open_link(self) -> None:
        """Open the address in the chosen row, else in the question; again: the next of several."""
        scene, pane = self.seen(self.scene), self.panes[self.front]
        rows = pane.entry()
        if not pane.pane.cursor or pane.row is None:
            rows = rows[::-1]  # the newest first
        said = [row.draw(pane.text_width).plain for row in rows]
        shown = (url for row in rows for url in row.links)
        asked = [part.plain for part in self.screen_stack[0].query_one("#question", Block).lines]
        of_row = tuple(dict.fromkeys((*shown, *self._named_in(said), *self._of_item(scene, pane))))
        urls = tuple(links.first((of_row, self._named_in(asked))))
        if not urls:
            self.say("There is no link in what is chosen.")
            return
        before, n = self._offered
        n = (n + 1) % len(urls) if urls == before else 0
        self._offered = (urls, n)
        more = f" ({n + 1} of {len(urls)}; again: the next)" if len(urls) > 1 else ""
        self.run_worker(self._opened(urls[n], more))

    def _named_in(self, said: list[str]) -> tuple[str, ...]:
        """The plan's addresses in these lines, be they broken over several."""
        whole = "".join(part.strip() for part in said)
        return tuple(url for url in self.urls if url in whole)

    def _of_item(self, scene: Scene, pane: RowPane) -> tuple[str, ...]:
        """Those of the chosen checklist item, folded or not."""
        item = pane.row.item if pane.row is not None else ""
        return next((links.links_within(one) for one in scene.plan.checklist if item and one.id == item), ())

    def on_selectable_link_picked(self, event: Selectable.LinkPicked) -> None:
        """A link was clicked."""
        self.run_worker(self._opened(event.url, ""))

    async def _opened(self, url: str, more: str) -> None:
        if self.is_web:
            self.open_url(url)
            self.say(f"The browser was asked to open {url}{more}.")
            return
        program = links.opener()
        if program:
            await links.open_with(program, url)
            self.say(f"Opened {url} with {program.rsplit('/', 1)[-1]}{more}.")
        else:
            await self._copied(Copy(url, f"{url}{more}"), "No display is here to open a link on. ")


def _lines(text: str, what: str) -> str:
    return f"what is {what} ({count(text.count(chr(10)) + 1, 'line')})"
