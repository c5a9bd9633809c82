"""How keys and clicks reach the app: each in the order in which it came, and none once the screen is being left."""

from __future__ import annotations

from textual import events
from textual.css.query import NoMatches
from textual.errors import NoWidget

from cockpit.tui.filtering import Finder
from cockpit.tui.theme import Dressed


class Hearing(Dressed, inherit_bindings=False):
    """The part of the app that hears."""

    @property
    def is_left(self) -> bool:
        """Whether the screen is being left: somebody said so, or it is being taken down already."""
        return self._exit or not self.is_running

    @property
    def finder(self) -> Finder | None:
        """The field in which words are typed at the moment, or None."""
        on_top = self.screen_stack[-1:]  # none, while it is all taken down
        return next((one for screen in on_top for one in screen.query(Finder) if one.display), None)

    async def on_event(self, event: events.Event) -> None:
        """Leave out what comes too late, and what would fail; all else as Textual has it."""
        late = self.is_left and isinstance(event, events.InputEvent)
        if late or (isinstance(event, events.MouseDown) and self._is_gone(event)):
            return
        if isinstance(event, events.Key) and not event.is_forwarded and (finder := self.finder) is not None:
            # Those typed in the same breath as the one that opened the field are still on their way through
            # what had the keys before: this one takes the same way, and overtakes none of them.
            if not await self._check_bindings(event.key, priority=True):
                finder.behind(event)
        else:
            await super().on_event(event)

    async def _on_key(self, event: events.Key) -> None:
        """No key acts on the release while words are typed, whoever it was meant for."""
        if (finder := self.finder) is not None and finder.hears(event):
            event.prevent_default()
            event.stop()

    def _is_gone(self, event: events.MouseDown) -> bool:
        """Whether what was clicked has been taken away since it was drawn: Textual would look for what holds it."""
        try:
            widget, _ = self.get_widget_at(event.x, event.y)
        except NoWidget:
            return False
        return widget.parent is None

    def _handle_exception(self, error: Exception) -> None:
        """What opened just as the screen was left misses its parts: nobody is to read of that."""
        if not (self.is_left and isinstance(error, NoMatches)):
            super()._handle_exception(error)
