"""The output pane: what the chosen step printed, shown and never obeyed."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from itertools import accumulate
from typing import overload

from cockpit.core.attempt import Attempt
from cockpit.core.spans import clock
from cockpit.core.state import State
from cockpit.tui.finding import Sought
from cockpit.tui.links import links
from cockpit.tui.once import once_for_each, once_for_each_equal
from cockpit.tui.printed import Printed, folded, lines
from cockpit.tui.scene import Copy, Row, Scene, Sifted, fixed
from cockpit.tui.text import count, line, wrap

ROWS_MOST = 1000
"""Rows at the end that the pane shows; the reader of outputs shows all that is kept."""

BYTES_MOST = 128 * 1024
"""Of so many bytes at the end, at most."""

LINE_MOST = 8 * 1024
"""Characters at the end of a found line that are shown of it: one without an end may be all there is."""


def rows(scene: Scene, width: int) -> Sequence[Row]:
    """The command, then its output's last lines, wrapped."""
    attempt = chosen(scene)
    if attempt is None:
        return [fixed(line(("nothing has run yet", "dim")))]
    data = scene.link.output(attempt.id)
    if not data:
        silent = "no output yet" if attempt.status == "running" else "no output"
        return [*_command(attempt, width), fixed(line((silent, "dim")))]
    last = _last((data, width))
    said = f"… {count(last.earlier, 'earlier line')}: {scene.keys.get('output', 'o')} opens all that is kept"
    more = [fixed(line((part, "dim"))) for part in wrap(said, width)] if last.earlier else []
    return _Rows([*_command(attempt, width), *more], last)


def sifted(scene: Scene, width: int, sought: Sought) -> Sifted:
    """The last lines that are looked for, of everything that is kept."""
    attempt = chosen(scene)
    data = scene.link.output(attempt.id) if attempt is not None else b""
    return _sifted((data, width, sought))


def copied(scene: Scene, row: Row | None) -> Copy | None:
    """The whole kept output; where there is none, the command."""
    attempt = chosen(scene)
    if attempt is None:
        return None
    whose = f"{attempt.step} on {attempt.target}"
    data = scene.link.output(attempt.id)
    if not data:
        return Copy(attempt.command, f"the command of {whose}, which has printed nothing")
    said = f"the output of {whose} ({count(printed(data).lines, 'line')})"
    return Copy(data.decode("utf-8", "replace"), said)


def note(scene: Scene) -> str:
    """Whose output it is, and how that attempt stands."""
    attempt = chosen(scene)
    if attempt is None:
        return ""
    back = "rollback of " if attempt.direction == "back" else ""
    took = scene.at - attempt.started_at if attempt.status == "running" else None
    stands = attempt.status.replace("_", " ") + (f" {clock(took)}" if took is not None else "")
    again = f", attempt {attempt.n}" if attempt.n > 1 else ""
    return f"{back}{attempt.step} on {attempt.target}{again}: {stands}"


def chosen(scene: Scene) -> Attempt | None:
    """The attempt that is chosen, else one that runs, else the latest."""
    if scene.attempt and (found := scene.state.find(scene.attempt)) is not None:
        return found
    return _by_itself(scene.state)


@once_for_each
def _by_itself(state: State) -> Attempt | None:
    every = [a for many in state.attempts.values() for a in many[-1:]]
    running = [a for a in every if a.status == "running"]
    return max(running or every, key=lambda a: a.started_at, default=None)


def _command(attempt: Attempt, width: int) -> list[Row]:
    parts = wrap(f"$ {attempt.command}", width)
    return [fixed(line((part, "dim")), joins=" " if n else None) for n, part in enumerate(parts)]


printed = once_for_each_equal(Printed)
"""An output's lines; those of the last two outputs are at hand."""


class _Rows(Sequence[Row]):
    """Some rows, and an output's last ones, each made when it is looked at: ten thousand lines a second aren't."""

    def __init__(self, before: Sequence[Row], last: _Last) -> None:
        self._before = before
        self._last = last

    def __len__(self) -> int:
        return len(self._before) + self._last.rows

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        if isinstance(index, slice):
            return [self[n] for n in range(*index.indices(len(self)))]
        n = range(len(self))[index] - len(self._before)
        return self._before[n] if n < 0 else self._last.row(n)


class _Last:
    """The last rows of an output, and how many lines stand before them.

    Line ends are line ends; other controls are visible.
    """

    def __init__(self, asked: tuple[bytes, int]) -> None:
        data, width = asked
        every = printed(data)
        first = max(0, len(every) - ROWS_MOST, every.at(max(0, len(data) - BYTES_MOST)))
        self._width = max(4, width)
        self._texts = lines(data[every.start(first) :])
        self._ends = [*accumulate(len(_starts(text, self._width)) for text in self._texts)]
        self.rows = min(ROWS_MOST, self._ends[-1])
        self._goes_on = first > 0 and not every.number(first)
        self.earlier = every.line(first) - 1 if first else 0
        self._made: dict[int, Row] = {}

    def row(self, n: int) -> Row:
        """The n-th, the very same each time."""
        if n not in self._made:
            n_of_all = self._ends[-1] - self.rows + n
            at = bisect_right(self._ends, n_of_all)
            n_of_line = n_of_all - (self._ends[at - 1] if at else 0)
            self._made[n] = _row(self._texts[at], n_of_line, self._width, at == 0 and self._goes_on)
        return self._made[n]


_last = once_for_each_equal(_Last)


@once_for_each_equal
def _sifted(asked: tuple[bytes, int, Sought]) -> Sifted:
    data, width, sought = asked
    every = lines(data)
    found = [one for one in every if sought.within(one)]
    width = max(4, width)
    texts = [one[-LINE_MOST:] for one in found[-ROWS_MOST:]]
    last = (_row(text, n, width) for text in texts for n in range(len(_starts(text, width))))
    return Sifted(tuple(deque(last, ROWS_MOST)), len(found), len(every))


def _starts(text: str, width: int) -> Sequence[int]:
    """Where each row of a line begins; there is one at least."""
    return range(0, max(1, len(text)), width) if text.isascii() else folded(text, width)


def _row(text: str, n: int, width: int, goes_on: bool = False) -> Row:
    """The n-th row of a line; `goes_on`: the line goes on with what stands above."""
    starts = _starts(text, width)
    end = starts[n + 1] if n + 1 < len(starts) else len(text)
    return fixed(line(text[starts[n] : end]), joins="" if n or goes_on else None, links=links(text))
