"""A second screen on a session driven by hand."""

from __future__ import annotations

from cockpit.core import events as ev
from cockpit.core.commands import Command, Refused
from tests.tui.fake_link import FakeLink


class Beside:
    """Another screen's Link to the session of a FakeLink; whatever isn't its own is the session's."""

    def __init__(self, link: FakeLink, seat: ev.ScreenAttached) -> None:
        self.link = link
        self.seat = seat
        self.me = seat.person
        self.sent: list[Command] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self.link, name)

    async def send(self, command: Command) -> Refused | None:
        self.sent.append(command)
        return self.link.answer(self.seat, command)
