"""The output pane: what the chosen step printed, shown and never obeyed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from functools import lru_cache

from cockpit.core.attempt import Attempt
from cockpit.core.spans import clock
from cockpit.tui.finding import Sought
from cockpit.tui.links import links
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
    last, earlier = _last(data, width)
    said = f"… {count(earlier, 'earlier line')}: {scene.keys.get('output', 'o')} opens all that is kept"
    more = [fixed(line((part, "dim"))) for part in wrap(said, width)] if earlier else []
    return [*_command(attempt, width), *more, *last]


def sifted(scene: Scene, width: int, sought: Sought) -> Sifted:
    """The last lines that are looked for, of everything that is kept."""
    attempt = chosen(scene)
    data = scene.link.output(attempt.id) if attempt is not None else b""
    return _sifted(data, width, sought)


def copied(scene: Scene, row: Row | None) -> Copy | None:
    """The whole kept output; where there is none, the command."""
    attempt = chosen(scene)
    if attempt is None:
        return None
    whose = f"{attempt.step} on {attempt.target}"
    data = scene.link.output(attempt.id)
    if not data:
        return Copy(attempt.line, f"the command of {whose}, which has printed nothing")
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
    every = [a for many in scene.state.attempts.values() for a in many[-1:]]
    running = [a for a in every if a.status == "running"]
    return max(running or every, key=lambda a: a.started_at, default=None)


def _command(attempt: Attempt, width: int) -> list[Row]:
    parts = wrap(f"$ {attempt.line}", width)
    return [fixed(line((part, "dim")), joins=" " if n else None) for n, part in enumerate(parts)]


@lru_cache(2)
def printed(data: bytes) -> Printed:
    """An output's lines; those of the last two outputs are at hand."""
    return Printed(data)


@lru_cache(2)
def _last(data: bytes, width: int) -> tuple[tuple[Row, ...], int]:
    """The last rows, and how many lines stand before them. Line ends are line ends; other controls are visible."""
    every = printed(data)
    first = max(0, len(every) - ROWS_MOST, every.at(max(0, len(data) - BYTES_MOST)))
    texts = lines(data[every.start(first) :])
    found: deque[Row] = deque(maxlen=ROWS_MOST)
    for n, text in enumerate(texts):
        found.extend(_wrapped(text, width, goes_on=n == 0 and first > 0 and not every.number(first)))
    return tuple(found), every.line(first) - 1 if first else 0


@lru_cache(2)
def _sifted(data: bytes, width: int, sought: Sought) -> Sifted:
    every = lines(data)
    found = [one for one in every if sought.within(one)]
    last = (row for one in found[-ROWS_MOST:] for row in _wrapped(one[-LINE_MOST:], width))
    return Sifted(tuple(deque(last, ROWS_MOST)), len(found), len(every))


def _wrapped(text: str, width: int, goes_on: bool = False) -> Iterator[Row]:
    """A line in as many rows as it takes; `goes_on`: with the line above."""
    width, urls = max(4, width), links(text)
    starts = folded(text, width) if len(text) > width or not text.isascii() else (0,)
    for n, start in enumerate(starts):
        end = starts[n + 1] if n + 1 < len(starts) else len(text)
        yield fixed(line(text[start:end]), joins="" if n or goes_on else None, links=urls)
