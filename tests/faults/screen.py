"""What a terminal shows after the bytes it was sent, and which modes are on."""

from __future__ import annotations

import codecs
import re

from rich.cells import cell_len

_TOKEN = re.compile(
    r"\x1b\[(?P<params>[0-9;:<=>?]*)[ -/]*(?P<final>[@-~])"
    r"|\x1b[\]P^_X][^\x18\x1a]*?(?:\x07|\x1b\\)"
    r"|\x1b(?:[\]P^_X][^\x18\x1a]*|\[[^\x18\x1a@-~]*|[ -/]*)[\x18\x1a]"  # cut off, and cancelled
    r"|\x1b[ -/]*[0-OQ-WYZ\\`-~]"
    r"|(?P<control>[\x00-\x1a\x1c-\x1f\x7f])"
    r"|(?P<text>[^\x00-\x1f\x7f]+)",
    re.DOTALL,
)


class Screen:
    """A grid of `rows` by `cols` cells. `modes` is the last word on each private mode (DECSET): on or off.

    `keyboards` counts the keyboard protocols pushed and not popped.
    """

    def __init__(self, rows: int, cols: int) -> None:
        self.modes: dict[int, bool] = {}
        self.keyboards = 0
        self.resize(rows, cols)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def resize(self, rows: int, cols: int) -> None:
        """Another size; what was shown is gone, as after a full redraw."""
        self.rows, self.cols = rows, cols
        self._cells = [[" "] * cols for _ in range(rows)]
        self._row = self._col = 0

    def text(self) -> str:
        """What is shown, a line a row, without the spaces at their ends."""
        return "\n".join("".join(row).rstrip() for row in self._cells)

    def feed(self, data: bytes) -> None:
        """Show the next bytes; a sequence may be cut anywhere."""
        text = self._rest + self._decoder.decode(data)
        at = 0
        while found := _TOKEN.match(text, at):
            at = found.end()
            if found["final"]:
                self._sequence(found["params"], found["final"])
            elif found["control"]:
                self._control(found["control"])
            elif found["text"]:
                self._write(found["text"])
        self._rest = text[at:]

    def _write(self, text: str) -> None:
        for char in text:
            width = cell_len(char)
            if self._col + width > self.cols:
                self._control("\r")
                self._control("\n")
            row = self._cells[self._row]
            if width == 0 and self._col:
                row[self._col - 1] += char
            row[self._col : self._col + width] = [char, *[""] * (width - 1)][:width]
            self._col += width

    def _control(self, char: str) -> None:
        if char == "\r":
            self._col = 0
        elif char == "\b":
            self._col = max(0, self._col - 1)
        elif char == "\n" and self._row + 1 < self.rows:
            self._row += 1
        elif char == "\n":
            self._cells = [*self._cells[1:], [" "] * self.cols]

    def _sequence(self, params: str, final: str) -> None:
        if final in "hl" and params.startswith("?"):
            self.modes.update((int(mode), final == "h") for mode in params[1:].split(";") if mode)
        elif final == "u" and params[:1] in (">", "<"):
            self.keyboards += 1 if params[0] == ">" else -1
        elif final in "ABCDGHJKdf" and params[:1] not in ("?", "<", "=", ">"):
            first, _, second = params.partition(";")
            self._place(final, int(first or 0), int(second.partition(";")[0] or 0))

    def _place(self, final: str, first: int, second: int) -> None:
        many = max(1, first)
        match final:
            case "H" | "f":
                self._row, self._col = many - 1, max(1, second) - 1
            case "A":
                self._row -= many
            case "B":
                self._row += many
            case "C":
                self._col += many
            case "D":
                self._col -= many
            case "G":
                self._col = many - 1
            case "d":
                self._row = many - 1
            case "J":
                self._erase(first, self._row * self.cols + self._col, self.rows * self.cols)
            case _:
                start = self._row * self.cols
                self._erase(first, start + self._col, start + self.cols, start)
        self._row = min(max(0, self._row), self.rows - 1)
        self._col = min(max(0, self._col), self.cols - 1)

    def _erase(self, what: int, here: int, end: int, start: int = 0) -> None:
        """From here to the end (0), from the start to here (1), or all of it (2); counted in cells."""
        for cell in range(start if what else here, here + 1 if what == 1 else end):
            self._cells[cell // self.cols][cell % self.cols] = " "
