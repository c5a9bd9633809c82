"""What every screen over the screen has in common: it goes once, however often it is told to."""

from __future__ import annotations

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, ScreenResultType

WIDTH_MOST = 92


class Modal(ModalScreen[ScreenResultType]):
    """A screen over the screen."""

    def widen(self, around: int = 6) -> int:
        """Make its dialog as wide as it may be here; the cells for text in it, less the `around` of its edges."""
        wide = min(WIDTH_MOST, self.size.width)
        self.query_one("#dialog").styles.width = wide
        return max(16, wide - around)

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Give the result and go, where this is the topmost screen: a second click takes no other one away."""
        return super().dismiss(result) if self.is_active else AwaitComplete()
