"""The terminal, which may go away at any moment: then the screen leaves, and nothing else comes to harm."""

from __future__ import annotations

import errno
import signal
from contextlib import suppress
from encodings import utf_8
from typing import IO, Any

from textual import events
from textual.app import App
from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from cockpit.tui import taking_back
from cockpit.tui.text import visible


class Decoder(utf_8.IncrementalDecoder):
    """What is typed as text, whatever the bytes. Nothing to read from a terminal that is ready: it is gone."""

    def __init__(self) -> None:
        super().__init__("replace")

    def decode(self, data: bytes, final: bool = False) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        """OSError where there is nothing."""
        if not data and not final:
            raise OSError(errno.EIO, "the terminal is gone")
        return super().decode(data, final)


# Textual's reader dies of a byte that is no UTF-8, typed or pasted, and takes the screen along; at the end of its
# input it goes round and round.
setattr(linux_driver, "getincrementaldecoder", lambda encoding: Decoder)  # noqa: B010 - it isn't meant to be set


def pasted(text: str) -> str:
    """What a paste brings into a field: its lines, with every control shown, since fields draw what they hold."""
    return "\n".join(visible(line) for line in text.expandtabs(8).splitlines())


class _Forgiving:
    """A file that takes whatever is written, its terminal closed or not: else Textual's writer dies, and all hangs."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self._file.write(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._file.flush()

    def fileno(self) -> int:
        return self._file.fileno()


class Terminal(LinuxDriver):
    """Textual's driver, which ends the screen when its terminal is gone or the process is to be suspended."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._file: Any = _Forgiving(self._file)

    def start_application_mode(self) -> None:
        """Begin; a suspended screen would hold up the release behind it, so it leaves instead."""
        super().start_application_mode()
        signal.signal(signal.SIGTSTP, lambda *_: self._app.call_later(self._app.exit))

    def stop_application_mode(self) -> None:
        """End, or step aside for another program."""
        if last := taking_back.kept():
            self.write(last)
            taking_back.keep("")
        super().stop_application_mode()

    def process_message(self, message: Message) -> None:
        """Hand on what came from the terminal; what is pasted may come from anywhere."""
        if isinstance(message, events.Paste):
            message.text = pasted(message.text)
        super().process_message(message)

    def run_input_thread(self) -> None:
        """Read keys until the terminal is gone."""
        try:
            super().run_input_thread()
        except OSError:
            self._app.call_later(self._app.exit)
