"""The screen of a replay: the same panes on a recorded session, with a scrubber and keys of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size

from cockpit.runtime.link import Link
from cockpit.runtime.replaying import REPLAY, Recorded
from cockpit.runtime.replaying_place import place
from cockpit.runtime.replaying_player import Player
from cockpit.runtime.replaying_timeline import Kind
from cockpit.runtime.replaying_timeline import Mark as Place
from cockpit.signals.host import HostSample
from cockpit.tui import keys
from cockpit.tui.app import CockpitApp, run_to_its_end
from cockpit.tui.asks import Ask, Asked
from cockpit.tui.dialogs import Answer, Dialog
from cockpit.tui.help import GROUPS
from cockpit.tui.key import Group, bound
from cockpit.tui.lines import RowPane
from cockpit.tui.replay_keys import REPLAY_KEYS, REPLAY_MOVES
from cockpit.tui.replay_known import KnownHere
from cockpit.tui.replay_scrubber import Scrubber
from cockpit.tui.review import ReviewScreen, goes_on
from cockpit.tui.review_entries import over
from cockpit.tui.scene import History, Scene
from cockpit.tui.style import CSS
from cockpit.tui.tables import TABLES, refused
from cockpit.tui.text import Line, join, line, time_of_day, wrap

TWO_ROWS, ONE_ROW = 14, 8
"""Rows of the terminal from which on the scrubber has so many of its own."""

REFUSED = f"{REPLAY[:1].upper()}{REPLAY[1:]}. {{help}} lists its keys."


class ReplayPane(RowPane, inherit_bindings=False):
    """A pane that leaves the keys of the replay alone."""

    BINDINGS: ClassVar[list[BindingType]] = bound("replay", REPLAY_MOVES)


class Recollection(History):
    """What a screen remembers at the moment that is looked at: nothing of what comes later."""

    def __init__(self, recorded: Recorded) -> None:
        super().__init__()
        self._recorded = recorded

    def look(self, link: Link) -> None:
        """Remember what has happened by now; anew where the replay went back."""
        if len(link.events) < self._read:
            History.__init__(self)
        super().look(link)

    def latest(self, target: str) -> tuple[datetime, HostSample] | None:
        """How the target did."""
        return self._recorded.host(target)

    def metric(self, target: str, name: str) -> list[float | None]:
        """How it had done, from the log."""
        return [sample.metric(name) for _, sample in self._recorded.hosts(target)]


class ReplayedReview(ReviewScreen):
    """The review as it stood at the moment that is looked at: it is read, and nothing is added to it."""

    def top(self, scene: Scene, width: int) -> list[Line]:
        """That this is a replay, of which moment, and where something may be added."""
        link = scene.link
        first = line((" REPLAY ", "env"), " ") + self.whose(scene)
        ended = over(scene)
        second = line(("as it stood at ", "dim"), (time_of_day(link.now(), scene.zone), "strong"))
        second += line((": ", "dim")) + (ended if ended.spans else line(scene.sentence))
        why = [line((part, "dim")) for part in wrap(self.against(scene), width)]
        return [first.cut(width), second.cut(width), *why]

    def against(self, scene: Scene) -> str:
        """Nothing is added here."""
        return f"Nothing can be added in a replay: {goes_on(scene.link)} does that."


def _bindings() -> list[BindingType]:
    """The replay's keys, a number for each pane, and all other keys of the screen: those say what this is."""
    acts = ",".join(refused(TABLES["screen"], TABLES["replay"]))
    return [*bound("replay", REPLAY_KEYS), Binding(acts, "refuse", show=False, id="replay.refuse")]


class ReplayApp(CockpitApp, inherit_bindings=False):
    """A recorded session on one screen, played by a clock."""

    CSS = (
        CSS
        + "#scrubber { position: absolute; background: $background; color: $foreground; text-wrap: nowrap; }\n"
        + "ToastRack { margin-bottom: 3; }\n"
        + "KnownHere { align: center middle; background: $background 60%; }\n"
    )
    BINDINGS = _bindings()
    SECTION = "replay"
    TITLES: ClassVar[Mapping[Group, str]] = {**GROUPS, "release": "Playing"}
    PANE = ReplayPane
    LIVE = False

    def __init__(self, player: Player, theme: str | None = None) -> None:
        """UsageError if there is no such theme."""
        self.player = player
        self.recorded = player.recorded
        super().__init__(self.recorded, theme)
        self.history = Recollection(self.recorded)

    # Drawing

    def compose(self) -> ComposeResult:
        """As ever, and the scrubber below."""
        yield from super().compose()
        yield Scrubber(id="scrubber")

    @property
    def rows(self) -> int:
        """How many rows the scrubber has."""
        height = self.size.height
        return 2 if height >= TWO_ROWS else 1 if height >= ONE_ROW else 0

    @property
    def room(self) -> Size:
        """All but the scrubber's rows."""
        return Size(self.size.width, self.size.height - self.rows)

    def tops(self, scene: Scene, width: int) -> list[Line]:
        """That this is a replay, and of what; then the header as ever."""
        return [self._banner(width - 2), *super().tops(scene, width)]

    def _banner(self, width: int) -> Line:
        head = line((" REPLAY ", "env"), (f" {self.recorded.name}", "strong"))
        said = [line(("nothing can be decided here", "dim"))]
        said += [line((f"△ {remark}", "warn")) for remark in self.recorded.remarks]
        whole = join([head, *said], " · ")
        return whole if whole.cells <= width else join([head, *said[1:]], " · ").cut(width)

    def footer(self, scene: Scene, width: int) -> Line:
        """The replay's own keys."""
        return keys.footer(scene, width, self.keys, "replay")

    def drawing(self) -> Iterator[None]:
        """Go on by the time that has passed, and draw what has changed."""
        self.player.advance()
        yield from super().drawing()
        if self.is_mounted_on_screen:
            scrubber = self.screen_stack[0].query_one(Scrubber)
            scrubber.display = self.rows > 0
            scrubber.styles.offset = (0, self.size.height - self.rows)
            scrubber.styles.width, scrubber.styles.height = self.size.width, self.rows
            if scrubber.size.height:
                scrubber.show_player(self.player, self.scene)

    # Playing

    def action_play(self) -> None:
        """Play, or stand still."""
        self._moved(self.player.toggle)

    def action_step(self, by: int) -> None:
        """An event on or back."""
        self._moved(lambda: self.player.step(by))

    def action_jump(self, kind: Kind, by: int) -> None:
        """To the next of a kind, or the one before."""
        self._moved(lambda: self.player.jump(kind, by))

    def action_faster(self, by: int) -> None:
        """Another speed."""
        self._moved(lambda: self.player.faster(by))

    def action_skip(self) -> None:
        """Over a stretch in which nothing happens."""
        self._moved(self.player.skip)

    def action_first(self) -> None:
        """To the beginning."""
        self._moved(lambda: self.player.to(1))

    def action_last(self) -> None:
        """To the end."""
        self._moved(lambda: self.player.to(len(self.recorded.timeline)))

    def on_scrubber_sought(self, event: Scrubber.Sought) -> None:
        """A click on the bar."""
        self._moved(lambda: self._go(event.place))

    def _go(self, to: Place | datetime | int) -> None:
        """Stand still at a mark, a moment, or a position."""
        if isinstance(to, Place):
            self.player.to(to.position)
        elif isinstance(to, datetime):
            self.player.seek(to)
        else:
            self.player.to(to)

    def _moved(self, move: Callable[[], None]) -> None:
        self.player.advance()  # what has passed until now was played as it was
        move()
        self.draw()

    # Looking

    def action_known(self) -> None:
        """What did we know here?"""
        self._moved(self.player.stop)
        self.push_screen(KnownHere(self.scene, self.recorded))

    def action_review(self) -> None:
        """The review as it stood."""
        self._moved(self.player.stop)
        self.push_screen(ReplayedReview(lambda: self.scene, self.elsewhere))

    def action_go_to(self) -> None:
        """Ask where to."""

        def found(text: str) -> datetime | int | str:
            return place(text, self.recorded, self.zone)

        def wrong(text: str) -> str:
            there = found(text)
            return there if isinstance(there, str) else ""

        def answered(answer: Answer | None) -> None:
            there = found(answer.text) if answer is not None else ""
            if not isinstance(there, str):
                self._moved(lambda: self._go(there))

        self._moved(self.player.stop)
        field = f"a time like 22:14 or 22:14:05, or a record: 1 to {self.recorded.last_record}"
        ask = Ask("Where to?", (), "go there", field=field, needed=True, wrong=wrong)
        self.push_screen(Dialog(ask, self.scene), answered)

    # What a replay doesn't do

    def action_refuse(self) -> None:
        """Every act: what has happened has happened."""
        self.say(REFUSED.format(help=self.printed["help"]))

    def against(self, action: str) -> str:
        """Nothing of the replay's own is ever in the way."""
        return ""

    def _act(self, asked: Asked, anew: Callable[[], Asked]) -> None:
        self.action_refuse()

    def action_explain(self) -> None:
        """ctrl+c, ctrl+q and ctrl+z do nothing, and say so."""
        self.say(f"ctrl+c does nothing here. {self.printed['leave']} leaves the replay.")

    def action_leave(self) -> None:
        """q: at once."""
        self.exit()


async def show_replay(player: Player, theme: str | None = None, plays: bool = True) -> None:
    """Show a recorded session until the person leaves, or a TERM or HUP signal ends the screen.

    `plays`: from the first frame on. Returns with the terminal restored. UsageError if there is no such theme.
    """
    app = ReplayApp(player, theme)
    if plays:
        app.on_shown = player.play
    await run_to_its_end(app)
