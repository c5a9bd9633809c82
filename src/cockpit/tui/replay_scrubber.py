"""The scrubber of a replay: where in the session it stands, and what stands out before and behind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from textual import events
from textual.message import Message

from cockpit.core.journal import span
from cockpit.core.spans import clock
from cockpit.runtime.replaying import Recorded
from cockpit.runtime.replaying_player import Player
from cockpit.runtime.replaying_scale import Scale
from cockpit.runtime.replaying_timeline import Kind, Timeline
from cockpit.runtime.replaying_timeline import Mark as Place
from cockpit.tui.lines import Block
from cockpit.tui.marks import Mark, glyph
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, join, line, spread, time_of_day

MOMENTS: Mapping[Kind, Mark] = {
    "rollback": ("◀", "rollback", "warn"),
    "breach": ("▲", "breach", "alarm"),
    "pause": ("‖", "pause", "warn"),
    "decision": ("◆", "decision", "now"),
    "stage": ("┃", "stage", "text"),
    "close": ("■", "close", "text"),
}
"""What stands out; where several fall together, the first of these is shown."""

BEHIND, AHEAD = "━", "─"
AFTER_BEHIND, AFTER_AHEAD = "═", "┄"
"""After the close: the review."""

TIMES_FROM = 44
"""Columns from which on the bar has the session's first and last moment at its ends."""


class Scrubber(Block):
    """Two lines: the whole session as a bar, and where in it we are. A click on the bar goes there."""

    class Sought(Message):
        """A place on the bar was clicked: a mark, or a moment."""

        def __init__(self, place: Place | datetime) -> None:
            super().__init__()
            self.place = place

    player: Player | None = None

    def show_player(self, player: Player, scene: Scene) -> None:
        """Draw it: both lines, or where there is room for one only, where we are."""
        self.player = player
        width = self.size.width
        said = standing(player, scene, width)
        self.show([bar(player.recorded, scene, width), said] if self.size.height > 1 else [said])

    def on_click(self, event: events.Click) -> None:
        """Find the place under the pointer."""
        if self.player is None or event.y or len(self.lines) < 2:
            return
        left, cells = _bar_at(self.size.width)
        place = sought(self.player.recorded.timeline, event.x - left, cells)
        if place is not None:
            self.post_message(self.Sought(place))


def bar(recorded: Recorded, scene: Scene, width: int) -> Line:
    """`22:04:10 ━━┃━◆━━▲‖────◆───■┄┄ 22:31:07`: heavy as far as it has come, with what stands out.

    At its ends the opening and the close; behind the close what the review added.
    """
    line_ = recorded.timeline
    left, cells = _bar_at(width)
    scale = _scale(line_)
    here, close = (_cell(scale, at, cells) for at in (recorded.now(), scale.closed))
    marks = _marks(line_, cells)
    parts: list[Line] = []
    for cell in range(cells):
        if cell in marks:
            parts.append(glyph(MOMENTS[marks[cell].kind]))
        else:
            behind, ahead = (BEHIND, AHEAD) if cell <= close else (AFTER_BEHIND, AFTER_AHEAD)
            parts.append(line((behind, "strong") if cell <= here else (ahead, "dim")))
    whole = Line(tuple(piece for one in parts for piece in one.spans))
    if not left:
        return whole
    first, last = (time_of_day(at, scene.zone) for at in (line_.start, scale.closed))
    return line((f" {first} ", "dim")) + whole + line((f" {last} ", "dim"))


def standing(player: Player, scene: Scene, width: int) -> Line:
    """`▶ playing 20x   22:14:05 EST Tue 24 Nov   record 212 of 480`, what it is or what was skipped; and the marks."""
    recorded = player.recorded
    at = recorded.now().astimezone(scene.zone)
    going = (
        line((f" ▶ playing {player.speed}x", "now"))
        if player.playing
        else line((f" ■ stopped, {player.speed}x", "warn"))
    )
    when = line((f"{at:%H:%M:%S} {at:%Z}", "strong"))
    dated = when + line((f" {at:%a %d %b}", "dim"))
    record = line(("record ", "dim"), str(recorded.record), (f" of {recorded.last_record}", "dim"))
    gone = line((_gone(recorded), "dim"))
    said = line((player.note, "warn")) if player.note else _here(recorded)
    legend = join([glyph(mark) + line((f" {mark[1]}", "dim")) for mark in MOMENTS.values()], " ")
    for parts, right in (
        ([going, dated, record, gone, said], legend),
        ([going, dated, record, gone, said], Line()),
        ([going, when, record, gone, said], Line()),
        ([going, when, record, said], Line()),
        ([going, when, said], Line()),
    ):
        left = join(parts)
        if left.cells + right.cells + 2 <= width:
            return spread(width - 1, left, right)
    return join([going, line((f"{at:%H:%M:%S}", "strong")), said], " ").cut(width)


def _gone(recorded: Recorded) -> str:
    """`3:20 of 27:05`, to the close; behind that how long after it."""
    start, closed, now = recorded.timeline.start, _scale(recorded.timeline).closed, recorded.now()
    if now > closed:
        return f"{span(now - closed)} after the close"
    return f"{clock(now - start)} of {clock(closed - start)}"


def sought(timeline: Timeline, x: int, cells: int) -> Place | datetime | None:
    """What lies at column `x` of a bar: the mark that is shown there, or the moment."""
    if not 0 <= x < cells:
        return None
    return _marks(timeline, cells).get(x, _scale(timeline).moment(x / max(1, cells - 1)))


def _here(recorded: Recorded) -> Line:
    """What stands out here: each mark of this position, by its glyph and its word."""
    here = [m for m in recorded.timeline.marks if m.position == recorded.position]
    return join([glyph(MOMENTS[m.kind]) + line((f" {m.kind}", MOMENTS[m.kind][2])) for m in here], " ")


def _bar_at(width: int) -> tuple[int, int]:
    """The column at which the bar begins, and how long it is."""
    ends = 10 if width >= TIMES_FROM else 0
    return ends, max(1, width - 2 * ends)


@lru_cache(8)
def _scale(timeline: Timeline) -> Scale:
    return Scale(timeline)


def _cell(scale: Scale, at: datetime, cells: int) -> int:
    return round(scale.share(at) * (cells - 1))


@lru_cache(8)
def _marks(timeline: Timeline, cells: int) -> Mapping[int, Place]:
    """The mark that is shown in each cell that has one: the weightiest, and of these the first."""
    found: dict[int, Place] = {}
    weights = list(MOMENTS)
    for mark in timeline.marks:
        cell = _cell(_scale(timeline), mark.at, cells)
        known = found.get(cell)
        if known is None or weights.index(mark.kind) < weights.index(known.kind):
            found[cell] = mark
    return found
