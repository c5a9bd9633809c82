"""The plan as frozen values: what a release is, who owns what, and which limits were agreed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Literal, TypeVar

HOST_INTERVAL = timedelta(seconds=2)
"""How often a target's host metrics are read at least: what the screen shows of a target is never much older."""

HERE = "here"
"""The id of the pseudo target on which `on = "here"` steps run: the operator's machine."""

ROLE_NAMES = ("decision_owner", "rollback_owner", "metrics_watcher", "support_liaison")

On = Literal["targets", "here", "ansible"]
"""Where a step runs: on each target, on the operator's machine, or by a playbook on all targets whose turn it is."""
Action = Literal["notify", "pause", "rollback", "escalate"]
Op = Literal[">", ">=", "<", "<="]
Compare = Literal["control", "before"]
Aggregate = Literal["any", "all", "median", "sum"]
NoData = Literal["inconclusive", "breach", "pass"]
OnTimeout = Literal["pause", "rollback", "abort"]

NOTHING: Mapping[str, str] = MappingProxyType({})


def _nothing() -> Mapping[str, str]:
    return NOTHING


@dataclass(frozen=True, slots=True)
class Release:
    """What goes out, where to, and what customers feel if it half fails."""

    name: str
    service: str
    environment: str
    version: str
    previous_version: str
    customer_impact: str
    change_ref: str | None = None
    links: Mapping[str, str] = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class Freeze:
    """Days (both included, in the window's zone) on which nothing may go out."""

    since: date
    until: date
    why: str


@dataclass(frozen=True, slots=True)
class Window:
    """When the release may run. `opens` and `closes` are in UTC; `timezone` is the zone they were written in.

    `freeze_calendar` is the path of an iCalendar file whose entries are freezes too, as written in the plan.
    """

    opens: datetime
    closes: datetime
    timezone: str
    min_staff: int = 0
    freeze: tuple[Freeze, ...] = ()
    freeze_calendar: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Someone the plan names. `id` is the key under [people]; `key` an SSH public key, with which they sign."""

    id: str
    name: str
    contact: str | None = None
    os_user: str | None = None
    key: str | None = None
    on_shift_until: datetime | None = None
    timezone: str | None = None


@dataclass(frozen=True, slots=True)
class Roles:
    """Who holds which role, by person id; an empty id: nobody does. `stop_authority` may abort or roll back.

    `go_authority` may promote, override and change limits as the decision owner may. Anyone may pause.
    `typed_names`: a gate opens on a name that was only typed.
    """

    decision_owner: str
    rollback_owner: str
    metrics_watcher: str | None = None
    support_liaison: str | None = None
    stop_authority: tuple[str, ...] = ()
    go_authority: tuple[str, ...] = ()
    typed_names: bool = False
    others: Mapping[str, str] = field(default_factory=_nothing)

    def holder(self, role: str) -> str | None:
        """The person id that holds `role`, or None."""
        if role in ROLE_NAMES:
            return getattr(self, role) or None
        return self.others.get(role)

    def held(self) -> tuple[tuple[str, str], ...]:
        """(role, person id) for every held role, the four standard roles first."""
        named = tuple((role, person) for role in ROLE_NAMES if (person := self.holder(role)))
        return named + tuple(self.others.items())

    def given(self, role: str, person: str) -> Roles:
        """These roles, with `role` (one that is held) in the hands of `person`."""
        if role in ROLE_NAMES:
            return replace(self, **{role: person})
        return replace(self, others={**self.others, role: person})

    def person(self, name: str) -> str:
        """`name` as a person id: a role becomes its holder, a person stays as it is."""
        return self.holder(name) or name


@dataclass(frozen=True, slots=True)
class SshSettings:
    """How targets are reached. Paths are as written in the plan, `~` not yet expanded."""

    user: str | None = None
    known_hosts: str = "~/.ssh/known_hosts"
    identity: str | None = None
    jump: str | None = None
    connect_timeout: timedelta = timedelta(seconds=10)
    port: int = 22


@dataclass(frozen=True, slots=True)
class Target:
    """A host steps run on. `host` is a name or address; `id` is what the plan calls it.

    `labels` are the variables of its inventory that the plan asks for, by name.
    """

    id: str
    host: str
    port: int | None = None
    user: str | None = None
    groups: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class Inventory:
    """An Ansible inventory whose hosts, those of `groups` or all, are targets. `source` is a path as written.

    `labels` names the host variables that are kept with each target. `hosts` are the ids of the targets it gave.
    """

    source: str
    groups: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One command with its proof and its way back. Commands are templates: `{name}` is a plan value, shell-quoted.

    `previous` prints the version that the target has, before anything runs there.
    """

    id: str
    run: str
    on: On = "targets"
    verify: str | None = None
    rollback: str | None = None
    verify_rollback: str | None = None
    timeout: timedelta = timedelta(minutes=5)
    idempotent: bool = False
    reversible: bool = True
    roll_forward: str | None = None
    healthy: str | None = None
    previous: str | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """A decision that holds a stage back: asked before the stage's first wave. `approvers` are roles or person ids.

    `needs` of them approve; `distinct`: so many different people, whatever roles each holds. `on_timeout` is what
    follows where they don't within `timeout`.
    """

    approvers: tuple[str, ...]
    instructions: str = ""
    timeout: timedelta | None = None
    needs: int = 1
    distinct: bool = False
    on_timeout: OnTimeout = "pause"


@dataclass(frozen=True, slots=True)
class Stage:
    """A named slice: these steps on these targets, in waves. `waves` holds counts, percentages ("50%") and "rest"."""

    name: str
    steps: tuple[str, ...]
    targets: tuple[str, ...] = ()
    waves: tuple[int | str, ...] = ("rest",)
    max_parallel: int | None = None
    max_failed: int = 0
    bake_time: timedelta = timedelta(0)
    gate: Gate | None = None
    vars: Mapping[str, str] = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class Signal:
    """A number read again and again. `source` names its kind; `options` holds the keys only that kind knows."""

    name: str
    source: str
    interval: timedelta
    question: str | None = None
    unit: str = ""
    owner: str | None = None
    targets: tuple[str, ...] = ()
    options: Mapping[str, object] = field(default_factory=_nothing)

    @property
    def read_every(self) -> timedelta:
        """How often it is read at least."""
        return min(HOST_INTERVAL, self.interval) if self.source == "host" else self.interval


@dataclass(frozen=True, slots=True)
class Threshold:
    """A limit agreed in advance. `id` is made from the signal and the limit, unique in the plan.

    Either `op` and `limit` are set (`when = "> 2"`) or `outside` is. A limit is the number tolerated:
    `> 2` breaches at anything above 2. `for_` is how long every sample must breach before the action fires.
    `clears_at`: once exceeded, it stays so until a reading is no longer beyond this easier number (hysteresis).
    `changed`: it was moved during the session, and is no longer the one that `id` spells out.
    """

    id: str
    signal: str
    action: Action
    op: Op | None = None
    limit: float | None = None
    outside: tuple[float, float] | None = None
    for_: timedelta = timedelta(0)
    compare: Compare | None = None
    aggregate: Aggregate = "any"
    min_samples: int = 1
    stale_after: timedelta | None = None
    no_data: NoData = "inconclusive"
    observe_only: bool = False
    agreed_by: tuple[str, ...] = ()
    escalate_to: tuple[str, ...] = ()
    message: str = ""
    clears_at: float | None = None
    changed: bool = False

    @property
    def called(self) -> str:
        """What to call it on screen: its id, and the limit as it is now where that was changed."""
        return f"{self.id} (now {self.limit_text})" if self.changed else self.id

    @property
    def limit_text(self) -> str:
        """The limit as a person reads it: `> 2` or `outside 1..5`."""
        if self.outside is not None:
            return f"outside {self.outside[0]:g}..{self.outside[1]:g}"
        return f"{self.op} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """Something a named person confirms. `before` is "start", "close" or "stage:NAME": what it holds back.

    `check` runs on `on`, and `expect` judges what it prints. `max_age`: where a check has no `expect`, how old the
    moment that it prints may be; else how old a signature may be.
    """

    id: str
    text: str
    owner: str
    before: str = "start"
    approval: tuple[str, ...] = ()
    check: str | None = None
    on: str = HERE
    expect: str | None = None
    healthy: str | None = None
    max_age: timedelta | None = None
    expected_recovery_time: timedelta | None = None
    data_condition: str | None = None
    link: str | None = None


@dataclass(frozen=True, slots=True)
class RollbackTerms:
    """What was agreed about going back. An empty `approval`: whoever has stop authority, at once.

    `explain_within`: unexplained behaviour is explained by then, or going back is proposed. `rehearsed_within`:
    the start wants a rehearsal of this plan that is no older.
    """

    expected_time: timedelta | None = None
    approval: tuple[str, ...] = ()
    explain_within: timedelta = timedelta(minutes=5)
    rehearsed_within: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Notify:
    """A command or web hook told about events; exactly one of `run` and `url` is set."""

    on: tuple[str, ...]
    run: str | None = None
    url: str | None = None


@dataclass(frozen=True)
class Plan:
    """A whole checked plan: every reference leads somewhere, every group has a target."""

    release: Release
    roles: Roles
    targets: tuple[Target, ...]
    steps: tuple[Step, ...]
    stages: tuple[Stage, ...]
    people: tuple[Person, ...] = ()
    window: Window | None = None
    ssh: SshSettings = SshSettings()
    inventory: Inventory | None = None
    signals: tuple[Signal, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    checklist: tuple[ChecklistItem, ...] = ()
    rollback: RollbackTerms = RollbackTerms()
    notify: tuple[Notify, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=_nothing)
    """Where each secret that commands may name is looked up, by its placeholder; a stage's own are among its vars."""

    def target(self, id_: str) -> Target:
        """The target called `id_`; KeyError if there is none."""
        return self._targets[id_]

    @cached_property
    def _targets(self) -> Mapping[str, Target]:
        return {target.id: target for target in reversed(self.targets)}

    @cached_property
    def by_playbook(self) -> frozenset[str]:
        """The ids of the steps that a playbook does, for several targets in one run."""
        return frozenset(step.id for step in self.steps if step.on == "ansible")

    def step(self, id_: str) -> Step:
        """The step called `id_`; KeyError if there is none."""
        return _by_id(self.steps, id_)

    def item(self, id_: str) -> ChecklistItem:
        """The checklist item called `id_`; KeyError if there is none."""
        return _by_id(self.checklist, id_)

    def threshold(self, id_: str) -> Threshold:
        """The threshold called `id_`; KeyError if there is none."""
        return _by_id(self.thresholds, id_)

    def signal(self, name: str) -> Signal:
        """The signal called `name`; KeyError if there is none."""
        for signal in self.signals:
            if signal.name == name:
                return signal
        raise KeyError(name)

    def expand(self, names: tuple[str, ...]) -> tuple[Target, ...]:
        """The targets that `names` (target ids or groups) stand for, in the plan's order, each once."""
        wanted = frozenset(names)
        return tuple(t for t in self.targets if t.id in wanted or not wanted.isdisjoint(t.groups))

    def among(self, names: tuple[str, ...], id_: str) -> bool:
        """Whether the target called `id_` is one of those that `names` (target ids or groups) stand for."""
        target = self._targets.get(id_)
        return target is not None and (id_ in names or any(group in names for group in target.groups))

    def person_name(self, id_: str) -> str:
        """How to call the person on screen: their name, or the id itself where the plan has no such person."""
        return next((person.name for person in self.people if person.id == id_), id_)


T = TypeVar("T", Step, ChecklistItem, Threshold)


def _by_id(values: tuple[T, ...], id_: str) -> T:
    for value in values:
        if value.id == id_:
            return value
    raise KeyError(id_)
