"""What panes draw from: one moment of a session, and what a screen remembers of it."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from math import isnan, nan
from typing import Literal, NamedTuple, TypeVar, cast
from zoneinfo import ZoneInfo

from cockpit.core import readiness, rollout, view, window
from cockpit.core.events import ChecklistSigned, Event, Finding, NoticeSent, RoleAccepted, RoleTaken
from cockpit.core.plan import Plan
from cockpit.core.state import State
from cockpit.core.view import Status
from cockpit.core.vocabulary import ANNOTATIONS, TELEMETRY
from cockpit.runtime.link import Link
from cockpit.signals.host import METRICS, HostSample
from cockpit.tui.finding import Sought
from cockpit.tui.text import Line

T = TypeVar("T")

KEEP = 60
"""Host samples remembered for each target's sparklines."""


class History:
    """What the state doesn't keep: recent host metrics, the last notices, who took which role, and who ever signed."""

    def __init__(self) -> None:
        self._latest: dict[str, tuple[datetime, HostSample]] = {}
        self._past: dict[str, array[float]] = {}
        self._notices: dict[str, NoticeSent] = {}
        self._roles: dict[str, RoleAccepted | RoleTaken] = {}
        self._signed: set[tuple[str, str]] = set()
        self._read = 0

    def look(self, link: Link) -> None:
        """Remember what came since the last look."""
        known, host = self._latest, link.host
        for target in link.state.plan.targets:
            id_ = target.id
            latest = host(id_)
            if latest is not None and latest is not (before := known.get(id_)):
                known[id_] = latest
                if before is None or before[0] != latest[0]:
                    self._remember(id_, latest[1])
        events = link.events
        for event in events[self._read :]:
            self._keep(event)
        self._read = len(events)

    def _remember(self, target: str, sample: HostSample) -> None:
        past = self._past.get(target)
        if past is None:
            past = self._past[target] = array("d")
        elif len(past) == KEEP * len(METRICS):
            del past[: len(METRICS)]
        past.extend(_values(sample))

    def _keep(self, event: Event) -> None:
        match event:
            case NoticeSent() if event.on not in (TELEMETRY, ANNOTATIONS):  # nobody has to be told instead
                self._notices[event.on] = event
            case RoleAccepted() | RoleTaken():
                self._roles[event.role] = event
            case ChecklistSigned():
                self._signed.add((event.item, event.by))
            case _:
                pass

    def copy(self) -> History:
        """What is remembered now, whatever comes later."""
        same = History()
        same._latest = dict(self._latest)
        same._past = {target: past[:] for target, past in self._past.items()}
        same._notices, same._roles = dict(self._notices), dict(self._roles)
        same._signed, same._read = set(self._signed), self._read
        return same

    def held_since(self, role: str) -> RoleAccepted | RoleTaken | None:
        """How whoever holds `role` came to it, or None where nobody has accepted it."""
        return self._roles.get(role)

    def signed_once(self, item: str, person: str) -> bool:
        """Whether the person has signed the item, be it that it counts no more."""
        return (item, person) in self._signed

    def unsent(self) -> tuple[NoticeSent, ...]:
        """The last notice of each occasion for which that could not be sent."""
        return tuple(notice for notice in self._notices.values() if not notice.ok)

    def latest(self, target: str) -> tuple[datetime, HostSample] | None:
        """The newest sample of a target and its moment, or None."""
        return self._latest.get(target)

    def metric(self, target: str, name: str) -> list[float | None]:
        """The recent values of a metric (see signals.host.METRICS), oldest first."""
        past = self._past.get(target)
        return [None if isnan(v) else v for v in past[METRICS.index(name) :: len(METRICS)]] if past else []


def _values(sample: HostSample) -> tuple[float, ...]:
    """In the order of METRICS; not a number while the disk isn't known yet. Five thousand samples a second fit."""
    disk = nan if sample.disk_percent is None else sample.disk_percent
    network = sample.rx_bytes_per_s + sample.tx_bytes_per_s
    return sample.cpu_percent, sample.memory_percent, disk, sample.load1, network


@dataclass(slots=True)
class Known:
    """What a scene has worked out once."""

    findings: tuple[Finding, ...] | None = None
    late: str | None = None
    worked: dict[object, object] = field(default_factory=dict[object, object])


Guide = Literal["", "shown", "hidden"]
"""Whether there is a guide, as in the demo, and whether it is shown."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One moment: the session's state at `at`, seen through `link`, times in `zone` (None: this machine's).

    `toggled` are the rows folded or unfolded by hand; `target` and `attempt` are what is chosen, or empty;
    `keys` has the key of each action as it is printed. `low`: the terminal is so low that everything is said once.
    """

    link: Link
    state: State
    at: datetime
    zone: tzinfo | None
    history: History = field(default_factory=History)
    toggled: frozenset[str] = frozenset()
    target: str = ""
    attempt: str = ""
    keys: Mapping[str, str] = field(default_factory=dict[str, str], compare=False, repr=False)
    known: Known = field(default_factory=Known, compare=False, repr=False)
    guide: Guide = ""
    low: bool = False

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every line of readiness at this moment."""
        if self.known.findings is None:
            self.known.findings = readiness.findings(self.state, self.at)
        return self.known.findings

    @property
    def missing(self) -> tuple[Finding, ...]:
        """What stands in the way of the start; nothing once it has begun."""
        return () if self.state.started else tuple(f for f in self.findings if not f.ok)

    @property
    def late(self) -> str:
        """What the window has against the stage that waits, or empty."""
        if self.known.late is None:
            stage = rollout.current_stage(self.state)
            waits = stage is not None and self.state.phase == "waiting"
            self.known.late = window.against(self.state, stage, self.at) if stage and waits else ""
        return self.known.late

    def once(self, work: Callable[[Scene], T]) -> T:
        """What `work` makes of this scene, worked out once however often it is asked for."""
        if work not in self.known.worked:
            self.known.worked[work] = work(self)
        return cast(T, self.known.worked[work])

    @property
    def status(self) -> Status:
        """The release's state in one word."""
        return view.status(self.state, self.at, self.missing)

    @property
    def sentence(self) -> str:
        """What the release waits for, and whose move it is."""
        return view.next_line(self.state, self.at, self.missing)

    @property
    def plan(self) -> Plan:
        """The plan of the release."""
        return self.state.plan

    @property
    def head(self) -> str:
        """`record 412 · 3fa9c1d2`: the log's head, short."""
        seq, digest = self.link.head
        return f"record {seq} · {digest[:8]}"

    def opened(self, key: str, by_itself: bool) -> bool:
        """Whether the row `key` is unfolded, where it is or isn't `by_itself`."""
        return by_itself != (key in self.toggled)

    def called(self, person: str) -> str:
        """The person's name, as shown."""
        return self.plan.person_name(person)


def zone_of(plan: Plan) -> tzinfo | None:
    """The zone the release is spoken of in: its window's, else this machine's (None)."""
    return ZoneInfo(plan.window.timezone) if plan.window else None


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a pane, drawn only when it is seen.

    `key` is what the cursor and folding hold on to, across refreshes; a row without one can't be
    chosen. `target`, `attempt`, `item` and `limit` (a threshold's id) say what an act on this row is about.
    `cells`: it is made of several things that can be chosen, each `pitch` wide, the first `left` from its beginning;
    rows with the very same cells beneath each other are one row of cells that are higher.
    `about`, of the last row: it stays at the pane's foot, and tells about what is under the cursor.
    `joins`: the row goes on with the one above, whose text was broken: after a space, or in mid-word. `links` are the
    whole addresses of which it shows all or a part.
    """

    draw: Callable[[int], Line]
    key: str = ""
    target: str = ""
    attempt: str = ""
    item: str = ""
    limit: str = ""
    folds: bool = False
    joins: str | None = None
    links: tuple[str, ...] = ()
    cells: tuple[Row, ...] = ()
    left: int = 0
    pitch: int = 1
    about: Callable[[Row | None, int], Line] | None = None


def fixed(text: Line, key: str = "", joins: str | None = None, links: tuple[str, ...] = ()) -> Row:
    """A row that looks the same at any width, cut where it must be."""
    return Row(text.cut, key, joins=joins, links=links)


class Sifted(NamedTuple):
    """The rows of the entries that are looked for, how many entries those are, and of how many."""

    rows: Sequence[Row]
    found: int
    every: int


class Copy(NamedTuple):
    """What is copied, and what it is called."""

    text: str
    called: str


@dataclass(frozen=True, slots=True)
class Pane:
    """A pane as a table entry: its name, and pure functions of a scene.

    `rows` may use the width to wrap. `hand` says in a word or two why the pane needs a hand, or is
    empty; it is `urgent` where something is broken or exceeded, not where it only waits. `note` stands beside the
    title. `wanted` is how many rows it would like, `welcome` how many it could use.
    `fitted` are the rows where a pane looks different by how many there is room for. `sifted` are the rows with what is
    looked for, `within` says in what that is, where it isn't all there is, and `copied` is what is copied of it for a
    row under the cursor, where the pane knows better than its rows tell.
    """

    title: str
    rows: Callable[[Scene, int], Sequence[Row]]
    hand: Callable[[Scene], str] = lambda scene: ""
    note: Callable[[Scene], str] = lambda scene: ""
    wanted: Callable[[Plan], int] = lambda plan: 8
    cursor: bool = True
    follows: bool = False
    sifted: Callable[[Scene, int, Sought], Sifted] | None = None
    copied: Callable[[Scene, Row | None], Copy | None] = lambda scene, row: None
    welcome: Callable[[Plan], int] = lambda plan: 0
    fitted: Callable[[Scene, int, int], Sequence[Row]] | None = None
    urgent: Callable[[Scene], bool] = lambda scene: False
    within: Callable[[Scene], str] = lambda scene: ""
