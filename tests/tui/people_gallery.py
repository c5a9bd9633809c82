"""Releases in which people matter: roles that wait, a gate of two, checks, the end of a window."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.plan import ChecklistItem, Gate, Plan, Roles, Stage, Window
from tests.tui.fake_link import T0, FakeLink, a_plan

MINUTE = timedelta(minutes=1)
DRILL = ChecklistItem(
    "drill",
    "Rollback tried on staging",
    "lee",
    "stage:web",
    check="drill-age --hours",
    expect="< 24",
    healthy="Tried today",
    max_age=timedelta(hours=4),
    expected_recovery_time=6 * MINUTE,
    data_condition="no order has tax_v7 columns only",
)
GATE = Gate(
    ("decision_owner", "rollback_owner", "metrics_watcher"),
    "Order rate within 5% of last Tuesday?",
    20 * MINUTE,
    needs=2,
    distinct=True,
    on_timeout="rollback",
)


def two_of_three(**changes: object) -> Plan:
    """The plan with a gate that two of three people open, and a rehearsal of the way back that has a check."""
    plan = a_plan()
    stages = (plan.stages[0], replace(plan.stages[1], gate=replace(GATE, **changes)), *plan.stages[2:])  # type: ignore[arg-type]
    return replace(plan, stages=stages, checklist=(*plan.checklist, DRILL))


def with_gate(plan: Plan, **changes: object) -> Plan:
    """The plan, its gate changed."""
    stages: tuple[Stage, ...] = tuple(
        replace(s, gate=replace(s.gate, **changes)) if s.gate is not None else s  # type: ignore[arg-type]
        for s in plan.stages
    )
    return replace(plan, stages=stages)


def with_roles(plan: Plan, **changes: object) -> Plan:
    """The plan, its roles changed."""
    roles: Roles = replace(plan.roles, **changes)  # type: ignore[arg-type]
    return replace(plan, roles=roles)


def checked(link: FakeLink, found: str = "12", ok: bool = True) -> FakeLink:
    """What the check of the way back says now."""
    detail = "" if ok else f"{found}, expected < 24 (drill-age --hours)"
    link.do(cmd.ReportCheck(link.at, "drill", ok, found, detail))
    return link


def at_gate_of_two(plan: Plan | None = None, me: str = "dana") -> FakeLink:
    """The canary is out, everything is signed, and two of three are to say yes."""
    link = checked(FakeLink(plan or two_of_three(), me).baking())
    link.do(cmd.SignItem(link.at, "kim", item="briefed"))
    link.do(cmd.SignItem(link.at, "lee", item="drill"))
    link.pass_time(600)
    return link


def half_open(me: str = "dana") -> FakeLink:
    """Sam has said yes; one more is wanted."""
    link = at_gate_of_two(me=me)
    link.do(cmd.Promote(link.at, "sam", os_user="sam"))
    return link


def rejected() -> FakeLink:
    """Sam said no at the gate."""
    link = half_open()
    link.do(cmd.RejectStage(link.at, "sam", reason="orders are 9% down"))
    return link


def unhealthy() -> FakeLink:
    """The check turned after Lee had signed."""
    return checked(half_open(), "49", ok=False)


def offered() -> FakeLink:
    """Dana offers her role to Lee, and Lee his to Dana."""
    link = FakeLink().baking()
    link.attach("lee")
    link.do(cmd.OfferRole(link.at, "lee", reason="my shift ends", role="rollback_owner", to="dana"))
    link.do(cmd.OfferRole(link.at, "dana", reason="my train leaves", role="decision_owner", to="lee"))
    return link


def left() -> FakeLink:
    """Lee was here, and has left."""
    link = FakeLink().at_gate()
    link.detach(link.attach("lee"))
    return link


def of_many() -> FakeLink:
    """A hundred targets, of which some aren't ready."""
    link = FakeLink(a_plan(100), accepted=False)
    link.reach()
    link.read()
    link.do(cmd.ReportProbe(link.at, "web-3", False, "connection refused"))
    link.do(cmd.ReportProbe(link.at, "web-4", False, "connection refused"))
    link.examine("web-9", 61)
    return link


AUTUMN = datetime(2026, 11, 1, 4, 30, tzinfo=UTC)
"""In New York it is half past midnight; at two the clocks go back to one."""


def autumn() -> FakeLink:
    """A window of three hours across the end of summer time, in which the clock shows but two."""
    window = Window(AUTUMN, AUTUMN + timedelta(hours=3), "America/New_York")
    link = FakeLink(replace(a_plan(), window=window))
    link.at = AUTUMN + 15 * MINUTE
    return link


def frozen_soon() -> FakeLink:
    """A calendar's freeze begins before the window closes."""
    window = Window(T0 - timedelta(hours=1), T0 + timedelta(hours=4), "America/New_York")
    link = FakeLink(replace(a_plan(), window=window)).baking()
    freeze = ev.Frozen(link.at + 30 * MINUTE, link.at + timedelta(hours=9), "Black Friday sales")
    link.do(cmd.ReportFreezes(link.at, (freeze,), ""))
    return link
