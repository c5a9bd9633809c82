"""The terminal, which may go away at any moment: then the screen leaves, and nothing else comes to harm."""

from __future__ import annotations

import signal
from contextlib import suppress
from typing import IO, Any

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver


class _Forgiving:
    """A file of which writing to a closed terminal is no error: Textual's writer would die of it, and hang the rest."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._file.write(text)

    def flush(self) -> None:
        with suppress(OSError):
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

    def run_input_thread(self) -> None:
        """Read keys until the terminal is gone."""
        try:
            super().run_input_thread()
        except OSError:
            self._app.call_later(self._app.exit)
