"""The lines of an output of any size: counted in one quick pass, decoded only when they are looked at."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate

from rich.cells import cell_len

from cockpit.core import text as text_core

CELL = 8192
"""Bytes that are counted at once; a line is broken into parts after so many, and none has more than twice as many."""

TAB = 8


class Printed:
    """Bytes as parts of lines, numbered from 0: a line is one part, or several where it is very long.

    Of each cell of bytes it is known how many parts begin in it: one for each line end in it, or if there is none, one
    at its end. So the n-th part is found without a list of them all.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        size = len(data)
        ends = [data.count(b"\n", at, at + CELL) for at in range(0, size, CELL)]
        begun = [max(1, n) for n in ends]
        if begun and (data.endswith(b"\n") or not ends[-1]):
            begun[-1] -= 1  # nothing begins behind the last byte
        self._parts = array("Q", accumulate(begun, initial=1 if size else 0))
        self._lines = array("Q", accumulate(ends, initial=0))

    def __len__(self) -> int:
        return self._parts[-1]

    @property
    def lines(self) -> int:
        """How many lines there are, the last one counted even without its end."""
        return self._lines[-1] + (bool(self.data) and not self.data.endswith(b"\n"))

    def start(self, n: int) -> int:
        """Where the n-th part begins; the size of everything behind the last one."""
        if n <= 0:
            return 0
        if n >= len(self):
            return len(self.data)
        cell = bisect_right(self._parts, n) - 1
        ends = _ends(self.data[cell * CELL : (cell + 1) * CELL])
        if ends:
            return cell * CELL + ends[n - self._parts[cell]] + 1
        return self._whole((cell + 1) * CELL)

    def _whole(self, at: int) -> int:
        """`at`, or a little before it, where a character begins."""
        for back in range(4):
            if self.data[at - back] & 0xC0 != 0x80:
                return at - back
        return at

    def at(self, offset: int) -> int:
        """The part that has the byte at `offset`."""
        cell = min(offset // CELL, len(self._parts) - 2)
        n = max(0, self._parts[cell] - 1)
        most = min(len(self), self._parts[cell + 1] + 1)
        while most - n > 1:
            middle = (n + most) // 2
            n, most = (middle, most) if self.start(middle) <= offset else (n, middle)
        return n

    def number(self, n: int) -> int:
        """The number of the n-th part's line, from 1; 0 where the part goes on with a line that began before."""
        start = self.start(n)
        return self.line(n) if not start or self.data[start - 1] == 0x0A else 0

    def line(self, n: int) -> int:
        """The number of the line that the n-th part belongs to, from 1."""
        start = self.start(n)
        cell = start // CELL
        return self._lines[cell] + self.data.count(b"\n", cell * CELL, start) + 1

    def bytes_of(self, n: int) -> bytes:
        """The n-th part, without its line end."""
        return self.data[self.start(n) : self.start(n + 1)].removesuffix(b"\n").removesuffix(b"\r")

    def text(self, n: int) -> str:
        """The n-th part with its tabs set and every control shown."""
        return shown(self.bytes_of(n))

    def texts(self, first: int = 0, last: int | None = None) -> Iterator[str]:
        """The whole lines from a part to before another, or to the end."""
        whole = ""
        for n in range(first, len(self) if last is None else min(last, len(self))):
            if n > first and self.number(n):
                yield whole
                whole = ""
            whole += self.text(n)
        yield whole


@lru_cache(64)
def _ends(cell: bytes) -> array[int]:
    """Where the line ends are."""
    return array("H", [found.start() for found in re.finditer(b"\n", cell)])


class _Seen(dict[int, str]):
    """What each character is shown as, found out once for those that are common."""

    def __missing__(self, code: int) -> str:
        said = text_core.visible(chr(code))
        if code < 0x3000:
            self[code] = said
        return said


_SEEN = _Seen()


@lru_cache(256)
def shown(data: bytes) -> str:
    """Bytes as text: what isn't UTF-8 replaced, tabs set, every control shown."""
    return _seen(data.decode("utf-8", "replace").expandtabs(TAB))


def lines(data: bytes) -> list[str]:
    """All lines of bytes, each as `shown`."""
    text = data.decode("utf-8", "replace").replace("\r\n", "\n").expandtabs(TAB).removesuffix("\n")
    return [_seen(one) for one in text.split("\n")] if data else []


def _seen(text: str) -> str:
    return text if text.isascii() and text.isprintable() else text.translate(_SEEN)


def cut(text: str, left: int, width: int) -> tuple[str, int]:
    """What of `text` stands in `width` cells from the cell `left` on, and the number of its first character."""
    if text.isascii():
        return text[left : left + width], left
    first = cells = used = 0
    while first < len(text) and cells < left:
        cells += cell_len(text[first])
        first += 1
    for at in range(first, len(text)):
        used += cell_len(text[at])
        if used > width:
            return text[first:at], first
    return text[first:], first


@lru_cache(128)
def folded(text: str, width: int) -> tuple[int, ...]:
    """Where each row of `text` begins when it is broken after `width` cells."""
    if text.isascii():
        return tuple(range(0, len(text), width)) or (0,)
    starts, used = [0], 0
    for at, char in enumerate(text):
        cells = cell_len(char)
        if used + cells > width:
            starts.append(at)
            used = 0
        used += cells
    return tuple(starts)
