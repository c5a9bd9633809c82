"""What every screen over the screen has in common: it goes once, however often it is told to."""

from __future__ import annotations

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, ScreenResultType


class Modal(ModalScreen[ScreenResultType]):
    """A screen over the screen."""

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Give the result and go, where this is the topmost screen: a second click takes no other one away."""
        return super().dismiss(result) if self.is_active else AwaitComplete()
