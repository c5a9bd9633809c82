"""The tables that say what goes out, when, who is responsible, and where to."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from cockpit.planfile.table import Duration, Table


class ReleaseTable(Table):
    """What goes out, where to, and what customers feel if it half fails."""

    written, needs = (
        "[release]",
        ("name", "service", "environment", "version", "previous_version", "customer_impact"),
    )
    name: str = Field(default="", description="What goes out, as the team calls it.")
    service: str = Field(default="", description="The service that changes.")
    environment: str = Field(
        default="", description="Where it changes; one release at a time for each service and environment."
    )
    version: str = Field(default="", description="The new version: `{version}` in commands.")
    previous_version: str = Field(
        default="", description="The version to go back to: `{previous_version}` in commands."
    )
    customer_impact: str = Field(
        default="",
        description='What customers notice if it half fails; never empty, and "none" only with its why: "none: …".',
    )
    change_ref: str | None = Field(default=None, description="The change ticket.")
    links: dict[str, str] = Field(default={}, description="Dashboards, channels, runbooks, by a short name.")


class FreezeTable(Table):
    """Days on which nothing may go out."""

    written, needs = "an entry of `freeze`", ("from", "to", "why")
    since: date | None = Field(default=None, alias="from", description="The first frozen day.")
    until: date | None = Field(default=None, alias="to", description="The last frozen day.")
    why: str = Field(default="", description="The reason, shown when it stands in the way.")


class WindowTable(Table):
    """When the release may run; without it: any time, said so on screen."""

    written, needs = "[window]", ("opens", "closes", "timezone")
    opens: datetime | None = Field(default=None, description="Local time in `timezone`.")
    closes: datetime | None = Field(
        default=None, description="Local time in `timezone`; the release pauses at it."
    )
    timezone: str = Field(default="", description='A zone name such as "Europe/Berlin".')
    min_staff: int = Field(default=0, ge=0, description="People on shift through the whole window.")
    freeze: list[FreezeTable] = Field(default=[], description="Days on which nothing may go out.")
    freeze_calendar: str | None = Field(
        default=None,
        description="An iCalendar file whose entries are freezes too; its path, from the plan's folder.",
    )


class PersonTable(Table):
    """Someone the plan names, by a short id."""

    written = "a person under [people]"
    name: str | None = Field(default=None, description="The name on screen; else the id.")
    contact: str | None = Field(default=None, description="How to reach them.")
    os_user: str | None = Field(
        default=None, description="Their login on this machine, where it isn't the id."
    )
    key: str | None = Field(
        default=None,
        description="Their SSH public key, as the line of its .pub file: sign-offs and gates then take its signature.",
    )
    on_shift_until: datetime | None = Field(
        default=None,
        description="The end of their shift, local to their `timezone`, else to the window's; else there is none.",
    )
    timezone: str | None = Field(
        default=None, description='Where they are, such as "Asia/Tokyo"; else the window\'s zone.'
    )


class RolesTable(Table):
    """Who holds which role. Other keys are roles of your own."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, str] = Field(init=False)  # pyright: ignore[reportIncompatibleVariableOverride]
    written, needs = "[roles]", ("decision_owner",)
    decision_owner: str = Field(default="", description="Says go, says no.")
    rollback_owner: Annotated[str, StringConstraints(strip_whitespace=True)] = Field(
        default="", description="Leads the way back; while nobody does, the release isn't ready."
    )
    metrics_watcher: str | None = Field(default=None, description="Watches the signals.")
    support_liaison: str | None = Field(default=None, description="Hears from customers first.")
    stop_authority: list[str] = Field(
        default=[],
        description="Who may abort or roll back; empty: the decision and the rollback owner. Anyone may pause.",
    )
    go_authority: list[str] = Field(
        default=[],
        description="Who may promote, override and change a limit beside the decision owner.",
    )
    typed_names: bool = Field(
        default=False,
        description="true: a gate opens on a name that was only typed; else it takes an account or a key.",
    )


class SshTable(Table):
    """How targets are reached; the defaults are strict."""

    written = "[ssh]"
    user: str | None = Field(default=None, description="The login name on the targets; else yours.")
    known_hosts: str = Field(
        default="~/.ssh/known_hosts", description="The file with the targets' host keys; always checked."
    )
    identity: str | None = Field(default=None, description="The private key file; else the agent.")
    jump: str | None = Field(default=None, description="A host to go through (ProxyJump).")
    connect_timeout: Duration | None = Field(
        default=None, description="How long a connection may take; else 10s."
    )
    port: int = Field(default=22, ge=1, le=65535, description="The port on the targets.")


class TargetTable(Table):
    """A host steps run on. A range in its name and host stands for many: `"web-[001-400]"`, or `"web-[1-99/2]"` for
    every other one. Several ranges stand for every combination: `"rack[1-4]-web-[01-40]"`.
    """

    written, needs = "a target under [targets]", ("host",)
    host: str = Field(default="", description="Name or address.")
    port: int | None = Field(
        default=None, ge=1, le=65535, description="The SSH port, where it isn't the one under [ssh]."
    )
    user: str | None = Field(default=None, description="The login name, where it isn't the one under [ssh].")
    groups: list[str] = Field(
        default=[], description="Names that stages and signals may use for several targets."
    )


class InventoryTable(Table):
    """Targets from an Ansible inventory, in the order of their names. It is read when a session opens, and the session
    keeps to what was read then.
    """

    written, needs = "`inventory`", ("ansible",)
    ansible: str = Field(
        default="",
        description="A file, a directory, a script or a plugin's file; its path, from the plan's folder.",
    )
    groups: list[str] = Field(
        default=[],
        description="Its groups whose hosts are taken, those of their children too; else all hosts.",
    )
    labels: list[str] = Field(
        default=[],
        description="Host variables to show with each target. They are kept in the log; no other variable is.",
    )


class TargetsTable(Table):
    """The hosts, by the name that the plan calls them."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, TargetTable] = Field(init=False)  # pyright: ignore[reportIncompatibleVariableOverride]
    written = "[targets]"
    inventory: InventoryTable | None = Field(default=None, description="Targets from an Ansible inventory.")


class SecretsTable(Table):
    """Values that neither a plan nor a log may hold, by the name that commands have for each. What stands here is where
    one is looked up, late, on this machine: `env:NAME`, `file:PATH` or `cmd:COMMAND`. `vars` of a stage may say so too.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, str] = Field(init=False)  # pyright: ignore[reportIncompatibleVariableOverride]
    written = "[secrets]"

    @property
    def all(self) -> dict[str, str]:
        """Where each is looked up, by its name."""
        return self.__pydantic_extra__ or {}
