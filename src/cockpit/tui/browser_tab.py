"""The driver of a screen in a browser's tab: the server at the other end of two pipes hands on what it draws."""

from __future__ import annotations

import os
from typing import Any

from textual import events
from textual.app import App
from textual.drivers.web_driver import WebDriver
from textual.message import Message

from cockpit.tui.driver import pasted


class BrowserTab(WebDriver):
    """Textual's driver for browsers, which ends the screen when the server is gone, however it went."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._write: Any = self._whole

    def _whole(self, data: bytes) -> None:
        """All of a packet: cut short by a signal, it would garble every one behind it. Nobody reads: never mind."""
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self.fileno, rest) :]
        except OSError:
            self._app.call_later(self._app.exit)

    def process_message(self, message: Message) -> None:
        """Hand on what came from the browser; what is pasted may come from anywhere."""
        if isinstance(message, events.Paste):
            message.text = pasted(message.text)
        super().process_message(message)

    def run_input_thread(self) -> None:
        """Read keys until the server is gone, or says what makes no sense."""
        try:
            super().run_input_thread()
        finally:
            self._app.call_later(self._app.exit)
