"""The whole plan file as one model, and the table of all its tables."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import Field

from cockpit.planfile.release_tables import (
    FreezeTable,
    InventoryTable,
    PersonTable,
    ReleaseTable,
    RolesTable,
    SecretsTable,
    SshTable,
    TargetsTable,
    TargetTable,
    WindowTable,
)
from cockpit.planfile.rollout_tables import (
    GateTable,
    ItemTable,
    NotifyTable,
    RollbackTable,
    SignalTable,
    StageTable,
    StepTable,
    ThresholdTable,
)
from cockpit.planfile.table import Table


class PlanFile(Table):
    """A release plan for Cockpit. Durations are written "90s", "10m", "1h30m"."""

    written, needs = "the plan", ("release", "roles", "targets", "step", "stage")
    release: ReleaseTable = Field(default=ReleaseTable(), description=ReleaseTable.__doc__)
    window: WindowTable | None = Field(default=None, description=WindowTable.__doc__)
    people: dict[str, PersonTable] = Field(default={}, description="Everyone the plan names, by a short id.")
    roles: RolesTable = Field(default=RolesTable(), description=RolesTable.__doc__)
    ssh: SshTable = Field(default=SshTable(), description=SshTable.__doc__)
    targets: TargetsTable = Field(default=TargetsTable(), description=TargetsTable.__doc__)
    secrets: SecretsTable = Field(default=SecretsTable(), description=SecretsTable.__doc__)
    step: list[StepTable] = Field(default=[], description=StepTable.__doc__)
    stage: list[StageTable] = Field(default=[], description="The slices, in the order they run.")
    signal: list[SignalTable] = Field(default=[], description=SignalTable.__doc__)
    threshold: list[ThresholdTable] = Field(default=[], description=ThresholdTable.__doc__)
    checklist: list[ItemTable] = Field(default=[], description=ItemTable.__doc__)
    rollback: RollbackTable = Field(default=RollbackTable(), description=RollbackTable.__doc__)
    notify: list[NotifyTable] = Field(default=[], description=NotifyTable.__doc__)


TABLES: Mapping[tuple[str, ...], type[Table]] = MappingProxyType(
    {
        (): PlanFile,
        ("release",): ReleaseTable,
        ("window",): WindowTable,
        ("window", "freeze", "*"): FreezeTable,
        ("people", "*"): PersonTable,
        ("roles",): RolesTable,
        ("ssh",): SshTable,
        ("targets",): TargetsTable,
        ("targets", "inventory"): InventoryTable,
        ("targets", "*"): TargetTable,
        ("secrets",): SecretsTable,
        ("step", "*"): StepTable,
        ("stage", "*"): StageTable,
        ("stage", "*", "gate"): GateTable,
        ("signal", "*"): SignalTable,
        ("threshold", "*"): ThresholdTable,
        ("checklist", "*"): ItemTable,
        ("rollback",): RollbackTable,
        ("notify", "*"): NotifyTable,
    }
)
"""Every table by its place; `*` stands for a name or an index."""


def keys_of(model: type[Table]) -> tuple[str, ...]:
    """The keys of a table as they are written."""
    return tuple(field.alias or name for name, field in model.model_fields.items())
