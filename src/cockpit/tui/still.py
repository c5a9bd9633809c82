"""A view that stands still: what a session was at one moment, while it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice

from cockpit.core.commands import Command, Refused, SignedCommand
from cockpit.core.events import Event, ScreenAttached
from cockpit.core.plan import HERE
from cockpit.core.state import State
from cockpit.core.thresholds import Judgement, Sample
from cockpit.runtime.link import Link
from cockpit.signals.host import HostSample
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, count, line, time_of_day

SAMPLES = 60
"""Of each signal on each target: more than any sparkline shows."""

OUTPUTS = 8
"""How many outputs are kept as they were; each is of 1.3 MB at most."""


class Still:
    """A Link as it was. Nothing is asked for through it: decisions are made on what is true now."""

    def __init__(self, link: Link, attempt: str) -> None:
        """Of this moment; `attempt` is the one whose output is shown."""
        plan = link.state.plan
        self._link = link
        self._at = link.now()
        self.seat: ScreenAttached = link.seat
        self.me: str = link.me
        self.apart: bool = link.apart
        self.state: State = link.state
        self.events: Sequence[Event] = link.events[:]
        self.head: tuple[int, str] = link.head
        self.failure: str = link.failure
        self.ended: bool = link.ended
        self._series = {
            (s.name, t): _latest(link.series(s.name, t)) for s in plan.signals for t in {*s.targets, HERE}
        }
        self._judged = {t.id: link.judgement(t.id) for t in plan.thresholds}
        self._hosts = {t.id: link.host(t.id) for t in plan.targets}
        self._outputs: dict[str, bytes] = {}
        self.output(attempt)

    def now(self) -> datetime:
        """The moment it stands at."""
        return self._at

    def series(self, signal: str, target: str) -> Sequence[Sample]:
        """The samples that were known."""
        return self._series.get((signal, target), ())

    def judgement(self, threshold: str) -> Judgement | None:
        """What the limit said."""
        return self._judged.get(threshold)

    def host(self, target: str) -> tuple[datetime, HostSample] | None:
        """How the target did."""
        return self._hosts.get(target)

    def output(self, attempt: str) -> bytes:
        """What had been printed when it was first looked at: an output comes only once it is asked for."""
        if attempt and attempt not in self._outputs and (data := self._link.output(attempt)):
            if len(self._outputs) == OUTPUTS:
                self._outputs.pop(next(iter(self._outputs)))
            self._outputs[attempt] = data
        return self._outputs.get(attempt, b"")

    async def send(self, command: Command) -> Refused | None:
        """Nothing is asked for here."""
        return Refused("this view stands still: decisions are made on what is true now")

    async def challenge(self, command: SignedCommand) -> str | Refused:
        """Nor here."""
        return Refused("this view stands still")

    async def sign(self, command: SignedCommand) -> SignedCommand | Refused:
        """Nor here."""
        return Refused("this view stands still")

    def subscribe(self, callback: object) -> object:
        """Nothing comes any more."""
        return lambda: None


def _latest(series: Sequence[Sample]) -> Sequence[Sample]:
    return tuple(islice(series, max(0, len(series) - SAMPLES), None))


class Frozen:
    """A scene that stands still, and what has happened since."""

    def __init__(self, scene: Scene, attempt: str) -> None:
        self._rolls_back = scene.state.rollback is not None
        self._scene = replace(scene, link=Still(scene.link, attempt), history=scene.history.copy())

    def scene(self, live: Scene) -> Scene:
        """What the panes show: as it was, with the rows folded and chosen that are now."""
        now = self._scene
        return replace(now, toggled=live.toggled, target=live.target, attempt=live.attempt, keys=live.keys)

    def outdated(self, live: Scene) -> bool:
        """Whether the release has begun to roll back since: then the way back is to be seen."""
        return (live.state.rollback is not None) != self._rolls_back

    def band(self, live: Scene, width: int) -> Line:
        """That the view stands still and the release doesn't, in the longest wording that fits."""
        new = len(live.link.events) - len(self._scene.link.events)
        at, key = time_of_day(self._scene.at, live.zone), live.keys.get("freeze", "f")
        goes_on = "the release goes on" if live.state.closed is None else "the release is over"
        events = count(new, "new event")
        wordings = (
            f"❄ view frozen at {at} · {goes_on}: {events} · {key} shows them",
            f"❄ view frozen at {at} · {goes_on}: {new} new · {key}",
            f"❄ frozen at {at} · {new} new · {key}",
            f"❄ frozen · {key}",
        )
        return line((next((w for w in wordings if len(w) <= width), wordings[-1]), "warn")).cut(width)
