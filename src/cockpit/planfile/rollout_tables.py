"""The tables that say what is done, in which slices, and what is watched and confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from cockpit.core.plan import Action, Aggregate, Compare, NoData, On, OnTimeout
from cockpit.planfile.table import Duration, Table, Var, Wave, When

Occasion = Literal[
    "notify",
    "pause",
    "rollback",
    "escalate",
    "unexplained",
    "unattended",
    "abort",
    "completed",
    "rolled_back",
    "aborted",
]
ReadOn = Literal["targets", "here"]
Source = Literal["host", "command", "http", "prometheus", "log", "sql", "manual"]

SOURCE_KEYS: Mapping[str, tuple[str, ...]] = {
    "host": ("metric",),
    "command": ("run", "on"),
    "http": ("url", "metric", "json_path", "token", "on"),
    "prometheus": ("url", "query", "label", "token"),
    "log": ("path", "journal", "pattern", "on"),
    "sql": ("client", "query", "password", "on"),
    "manual": (),
}
"""The keys of [[signal]] that mean something to each source only."""


class StepTable(Table):
    """One command with its proof and its way back. `{name}` in a command is a plan value, shell-quoted."""

    written, needs = "[[step]]", ("id", "run")
    id: str = Field(default="", description="What stages call it.")
    run: str = Field(
        default="", description="The command, for a POSIX shell; on Ansible the playbook and its options."
    )
    on: On = Field(
        default="targets",
        description='"here": on the operator\'s machine, once a stage. "ansible": `run` and `rollback` are playbooks, '
        "each run once for all targets whose turn it is.",
    )
    verify: str | None = Field(
        default=None, description="Exit 0: in place. Also settles doubt when a session is resumed."
    )
    rollback: str | None = Field(default=None, description="The command that undoes it.")
    verify_rollback: str | None = Field(
        default=None, description="Exit 0: undone. Without it a rollback ends as partial."
    )
    timeout: Duration | None = Field(default=None, description="Enforced on the target too; else 5m.")
    idempotent: bool = Field(default=False, description="May run again without a person saying so.")
    reversible: bool = Field(
        default=True, description="false: a point of no return, announced before it is crossed."
    )
    roll_forward: str | None = Field(
        default=None, description="What to do instead of undoing it, where it isn't reversible."
    )
    healthy: str | None = Field(default=None, description="What good looks like, shown beside the step.")
    previous: str | None = Field(
        default=None,
        description="Prints the version that a target has; asked before the start, which wants `previous_version`. "
        "Without it `verify_rollback` is asked.",
    )


class GateTable(Table):
    """A decision that holds the stage back."""

    written, needs = "`gate`", ("approvers",)
    approvers: list[str] = Field(default=[], description="Roles or people who approve.")
    instructions: str = Field(default="", description="The question they answer.")
    timeout: Duration | None = Field(default=None, description="How long they have to decide.")
    on_timeout: OnTimeout = Field(
        default="pause", description="What follows where they haven't decided within `timeout`."
    )
    approvals: int = Field(default=1, ge=1, alias="needs", description="How many of them must approve.")
    distinct: bool = Field(
        default=False, description="true: by so many different people, whatever roles each of them holds."
    )


class StageTable(Table):
    """A named slice: these steps on these targets, in waves."""

    written, needs = "[[stage]]", ("name", "steps")
    name: str = Field(default="", description="What the screen calls it; `{stage}` in commands.")
    targets: list[str] = Field(
        default=[],
        description="Names, ranges of them or groups; those an earlier stage did with the same steps are left out.",
    )
    steps: list[str] = Field(
        default=[], description='Step ids, in order. Steps with `on = "here"` stand first or last.'
    )
    waves: list[Wave] = Field(
        default=["rest"],
        description='Barrier batches: counts, percentages (rounded down, never below 1), "rest".',
    )
    max_parallel: int | None = Field(
        default=None, ge=1, description="Targets at the same time within a wave; else all of it."
    )
    max_failed: int = Field(default=0, ge=0, description="Failed targets tolerated in the stage.")
    bake_time: Duration | None = Field(
        default=None, description="Clean time before it may be promoted; a breach restarts it."
    )
    gate: GateTable | None = Field(default=None, description="A decision before the first wave.")
    vars: dict[str, Var] = Field(
        default={},
        description="Values for placeholders of this stage's steps; one can be a secret, as under [secrets].",
    )


class SignalTable(Table):
    """A number read again and again. cpu, memory, disk, load and network of every target need no entry."""

    written, needs = "[[signal]]", ("name", "source")
    name: str = Field(default="", description="What thresholds call it.")
    source: Source = Field(default="command", description="Where the number comes from.")
    question: str | None = Field(
        default=None, description="What the business asks; such signals come first on screen."
    )
    unit: str | None = Field(default=None, description="Shown behind the number.")
    interval: Duration | None = Field(
        default=None,
        description="Time between readings; else 10s, for manual ones 10m, for host ones 2s (and never longer).",
    )
    owner: str | None = Field(
        default=None, description="The role or person who watches it; manual: who enters it."
    )
    targets: list[str] = Field(
        default=[],
        description="Names or groups to read it on; else all. http, sql: else this machine asks. "
        "prometheus: those that `label` tells apart.",
    )
    on: ReadOn | None = Field(
        default=None,
        description='command, log: "here" reads it on the operator\'s machine. http, sql: "targets" asks on all.',
    )
    run: str | None = Field(
        default=None,
        description="command: a line that prints one number. Only placeholders of [secrets] are filled in.",
    )
    metric: str | None = Field(
        default=None,
        description="host: cpu, memory, disk, load or network. http: status (its code, whatever it is), latency "
        "(seconds to the last byte) or json; but for status, any answer other than 2xx is no reading.",
    )
    url: str | None = Field(default=None, description="http, prometheus: the address.")
    json_path: str | None = Field(
        default=None,
        description="http: the number's place in a JSON answer, such as `$.queue.shards[0].depth`.",
    )
    token: str | None = Field(
        default=None,
        description="http, prometheus: sent as `Authorization: Bearer`. It is a secret: write where to look it up, "
        "`env:NAME`, `file:PATH` or `cmd:COMMAND`.",
    )
    query: str | None = Field(
        default=None,
        description="prometheus: an instant query that answers one number. sql: one statement that only reads.",
    )
    label: str | None = Field(
        default=None,
        description="prometheus: the label whose value is a target's name or host, with a port or none; each target "
        "then has its own number.",
    )
    client: str | None = Field(
        default=None,
        description="sql: the command line of psql, mysql, mariadb or sqlite3. It may only read, and gives up in time.",
    )
    password: str | None = Field(
        default=None,
        description="sql: handed to the client in its environment. It is a secret: write where to look it up, "
        "`env:NAME`, `file:PATH` or `cmd:COMMAND`.",
    )
    path: str | None = Field(default=None, description="log: the file to follow, also when it is rotated.")
    journal: str | None = Field(default=None, description="log: the unit whose journal to follow.")
    pattern: str | None = Field(
        default=None, description="log: what to count, as `grep -E` knows it; the number is matches a minute."
    )


class ThresholdTable(Table):
    """A limit agreed in advance: the number still tolerated. Exactly one of `when` and `outside`."""

    written, needs = "[[threshold]]", ("signal", "action")
    signal: str = Field(default="", description="A signal of the plan, or cpu, memory, disk, load, network.")
    when: When | None = Field(
        default=None,
        description='The breach: "> 2" breaches at anything above 2. A number below zero is no reading there: '
        "`outside` takes those.",
    )
    outside: list[float] | None = Field(
        default=None, description="The range still tolerated: [low, high].", min_length=2, max_length=2
    )
    clears_at: float | None = Field(
        default=None,
        description="Once exceeded it stays so until a reading is no longer beyond this easier number; with `when`.",
    )
    for_: Duration | None = Field(
        default=None, alias="for", description="How long every sample must breach before the action fires."
    )
    action: Action = Field(default="pause", description="What happens then.")
    compare: Compare | None = Field(
        default=None, description="Judge the ratio to targets not yet updated, or to the time before."
    )
    aggregate: Aggregate = Field(default="any", description="How the targets' values count together.")
    min_samples: int = Field(default=1, ge=1, description="Fewer samples than this are inconclusive.")
    stale_after: Duration | None = Field(
        default=None,
        description="Silence for this long is no data; else three intervals, of a manual signal one.",
    )
    no_data: NoData = Field(default="inconclusive", description="What silence means.")
    observe_only: bool = Field(
        default=False, description="Shown and recorded, never acted on; as over once it is for a minute."
    )
    agreed_by: list[str] = Field(default=[], description="The people or roles who agreed to it.")
    escalate_to: list[str] = Field(default=[], description="Whom to call: people, roles or free text.")
    message: str = Field(default="", description="What they are told.")


class ItemTable(Table):
    """Something a named person confirms."""

    written, needs = "[[checklist]]", ("id", "text", "owner")
    id: str = Field(default="", description="Its short name.")
    text: str = Field(default="", description="What is true once it is signed.")
    owner: str = Field(default="", description="The role or person who signs.")
    before: str = Field(
        default="start", description='What it holds back: "start", a stage ("stage:web"), or "close".'
    )
    approval: list[str] = Field(default=[], description="Roles or people who sign as well.")
    check: str | None = Field(
        default=None, description="A command that answers it: the item can't be signed before it says so."
    )
    on: str = Field(default="here", description='Where `check` runs: "here" or a target.')
    expect: str | None = Field(
        default=None,
        description="What `check` must print: `< 24` (or <=, >, >=), `contains WORDS`, or just that. "
        "It exits 0 in any case.",
    )
    healthy: str | None = Field(default=None, description="What good looks like, shown beside the item.")
    max_age: Duration | None = Field(
        default=None,
        description="A signature older than this no longer counts. With `check` and no `expect`: how old the moment "
        "may be that it prints.",
    )
    expected_recovery_time: Duration | None = Field(
        default=None, description="How long the way back takes, as tried."
    )
    data_condition: str | None = Field(
        default=None, description="What must hold for the data to go back too; signed with the item."
    )
    link: str | None = Field(default=None, description="Where to look.")


class RollbackTable(Table):
    """What was agreed about going back."""

    written = "[rollback]"
    expected_time: Duration | None = Field(
        default=None, description="Compared on screen with the time it really takes."
    )
    approval: list[str] = Field(
        default=[],
        description="Roles or people who must all agree to a rollback that a person asks for. The rollout pauses "
        "meanwhile; whoever has stop_authority may go without them, with a reason; limits ask nobody. Empty: whoever "
        "has stop_authority, at once.",
    )
    explain_within: Duration | None = Field(
        default=None,
        description="Unexplained behaviour is explained by then, or a rollback is proposed; else 5m.",
    )
    rehearsed_within: Duration | None = Field(
        default=None, description="The start wants a rehearsal of this plan that is no older."
    )


class NotifyTable(Table):
    """A command or web hook told about events. Exactly one of `run` and `url`."""

    written, needs = "[[notify]]", ("on",)
    on: list[Occasion] = Field(
        default=[],
        description='The occasions. "unattended": nobody who may act is here, or the holder of a role has left. '
        '"unexplained": somebody can\'t explain what is seen, or a rollback is proposed for it. "rollback": one '
        'begins, or somebody asks others for it. "escalate" hears of the first, of the proposal and of the ask, too.',
    )
    run: str | None = Field(
        default=None,
        description="A command on this machine; `{message}` is what happened, shell-quoted. Of the others only those "
        "of [secrets] are filled in.",
    )
    url: str | None = Field(
        default=None,
        description="An address that gets a JSON POST as Slack's do, or one of apprise's (`mailto://…`, `slack://…`). "
        "It is a secret: write where to look it up, `env:NAME`, `file:PATH` or `cmd:COMMAND`.",
    )
