"""The screen in an interesting state: `python -m tests.tui.gallery paused`."""

from __future__ import annotations

import asyncio
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial

from cockpit.core import commands as cmd
from cockpit.core.plan import HERE, Plan, Signal, Step, Threshold
from cockpit.core.thresholds import Judgement
from cockpit.tui.app import show
from tests.tui import gallery_release, hostile, people_gallery
from tests.tui.fake_link import FakeLink, a_plan
from tests.tui.moments import once

MINUTES_5 = timedelta(minutes=5)


def _before() -> FakeLink:
    return FakeLink()


def _over() -> FakeLink:
    link = FakeLink().baking()
    link.pass_time(80, errors=2.4)
    link.silent.add("web-3")
    link.pass_time(14, errors=2.4)
    return link


def _failed() -> FakeLink:
    link = FakeLink().in_web()
    link.pass_time(12)
    link.finish(finish="failed", code=3, detail="service did not come up")
    return link


def _back() -> FakeLink:
    link = FakeLink().rolling_back()
    for _ in range(6):
        link.pass_time(5)
        link.finish()
    return link


def _partial() -> FakeLink:
    link = FakeLink().rolling_back()
    link.finish("web-3", finish="failed", code=1, detail="switch: no such version")
    for _ in range(6):
        link.finish()
    return link


def _doubt() -> FakeLink:
    link = FakeLink().in_web()
    link.pass_time(12)
    link.lose(detail="the connection was lost while it ran")
    link.pass_time(10)
    return link


def _doubt_lasting() -> FakeLink:
    link = _doubt()
    link.pass_time(40)
    return link


def _doubt_for_a_person() -> FakeLink:
    link = FakeLink(me="sam").in_web()
    link.pass_time(12)
    link.lose()
    link.pass_time(35)
    link.settle("in_doubt", "the target restarted at 10:32:40, and its record of this step ends before")
    link.pass_time(5)
    return link


def _taken_up() -> FakeLink:
    link = FakeLink().in_web()
    link.finish()
    link.pass_time(305)
    link.take_up()
    link.pass_time(1)
    first, _ = link.state.unsettled()
    link.do(cmd.ReportFound(link.at, first.id))
    return link


def _taken_up_back() -> FakeLink:
    link = FakeLink(me="lee").rolling_back()
    link.take_up(by="dana", after=300)
    link.settle("succeeded")
    return link


def _replaced() -> FakeLink:
    link = FakeLink().in_web()
    holder = "lee, session 20261124-1031-checkout-production"
    link.do(cmd.ReportReplaced(link.at, "web-2", f"web-2 is held by {holder}"))
    return link


def _held() -> FakeLink:
    link = FakeLink()
    link.pass_time(40)
    for target in link.state.plan.targets:
        holder = "lee, session 20261124-1031-checkout-production" if target.id != "web-1" else ""
        link.do(cmd.ReportProbe(link.at, target.id, not holder, "", holder))
    return link


def _log_failed() -> FakeLink:
    link = FakeLink().in_web()
    link.pass_time(12)
    link.failure = (
        "/home/dana/.local/state/cockpit/checkout.log: the log can't be written: database or disk is full. "
        "Nothing further is dispatched, what runs goes on: repair the disk or the file, then `cockpit resume` "
        "this session."
    )
    return link


def _back_late() -> FakeLink:
    link = FakeLink().rolling_back()
    link.pass_time(160)
    return link


def _short_window() -> FakeLink:
    link = FakeLink(me="sam").at_gate()
    link.pass_time(6000)
    return link


def _one_way() -> FakeLink:
    plan = a_plan()
    migrate = Step("migrate", "migrate up", reversible=False, roll_forward="restore last night's snapshot")
    stages = (replace(plan.stages[0], steps=("migrate", "switch")), *plan.stages[1:])
    return FakeLink(replace(plan, steps=(migrate, *plan.steps), stages=stages)).baking()


def _slept() -> FakeLink:
    link = FakeLink().baking()
    link.at += timedelta(minutes=25)
    link.do(cmd.ReportSleep(link.at, timedelta(minutes=25)))
    return link


def _large() -> FakeLink:
    link = FakeLink(a_plan(160)).in_web()
    link.pass_time(10)
    link.finish()
    link.pass_time(305)
    for n in range(3, 60):
        link.finish(f"web-{n}")
    link.finish("web-120", finish="failed", code=1, detail="disk full")
    return link


def _hostile() -> FakeLink:
    link = FakeLink().in_web()
    link.finish(
        finish="failed",
        code=1,
        detail="evil\x1b]52;c;eA==\x07\x1b]8;;http://x\x07\x9b31m[/][@click=app.quit]",
    )
    return link


def _demo_named() -> FakeLink:
    plan = a_plan()
    return FakeLink(replace(plan, release=replace(plan.release, environment="demo")), me="sam").baking()


def many_hands(me: str = "dana") -> FakeLink:
    """Five people with accounts of their own; two act, two only watch, Kim enters the orders of the shop."""
    plan = a_plan()
    people = tuple(replace(p, os_user=f"{p.id}-ops") for p in plan.people)
    signals = (
        Signal(
            "tills",
            "manual",
            MINUTES_5,
            "Do the shops still take money?",
            "shops",
            "support_liaison",
            (HERE,),
        ),
    )
    tills = Threshold("tills < 40", "tills", "pause", "<", 40, stale_after=MINUTES_5, agreed_by=("kim",))
    plan = replace(
        plan, people=people, signals=(*plan.signals, *signals), thresholds=(*plan.thresholds, tills)
    )
    link = FakeLink(plan, me)
    link.apart = True
    link.sit(me, f"{me}-ops")
    for person in ("dana", "kim"):
        if person != me:
            link.attach(person, f"{person}-ops")
    link.attach("lee", "lee-ops", may_act=False)
    link.attach("auditor")
    link.do(cmd.EnterReading(link.at, "kim", signal="tills", value=212))
    return link


def _many_hands() -> FakeLink:
    link = many_hands("sam").baking()
    link.pass_time(200)
    return link


def left_alone(watcher: bool = False) -> FakeLink:
    """Everybody left while the canary baked, and the last step out was due; Dana is back, or somebody watches."""
    link = FakeLink(me="dana").in_web()
    link.apart = True
    link.finish()
    eve = link.attach("eve")
    link.detach(link.seat)
    link.pass_time(305)
    if watcher:
        link.seat = eve
    else:
        link.sit("dana")
    return link


def escalating() -> Plan:
    """The plan with orders that call for people, and a comparison with the control."""
    plan = a_plan()
    calls = Threshold(
        "orders < 100",
        "orders",
        "escalate",
        "<",
        100,
        escalate_to=("dana", "finance on call: +1 555 0100"),
        message="Orders fall: join the channel.",
    )
    control = Threshold(
        "errors > 1.5 of control",
        "errors",
        "rollback",
        ">",
        1.5,
        for_=MINUTES_5,
        compare="control",
        agreed_by=("dana", "lee"),
    )
    return replace(plan, thresholds=(*plan.thresholds, calls, control))


def compared(link: FakeLink, ratio: float, beyond: timedelta | None = None) -> FakeLink:
    """What the comparison says from now on: `ratio`, over the limit for so long already."""
    since = link.at - beyond if beyond is not None else None
    detail = "4.8 against 0.2, rank test: p 0.001, effect 0.82, 24 and 120 samples"
    link.said["errors > 1.5 of control"] = Judgement("pass", ratio, "web-1", since, link.at, detail)
    link.read()
    return link


def called() -> FakeLink:
    """Orders fell, and nobody has answered for 80 seconds; a comparison is on its way; a notice wasn't sent."""
    link = compared(FakeLink(escalating(), me="dana"), 1.1).baking()
    link.read(orders=75)
    link.do(
        cmd.ReportNotice(
            link.at, "escalate", "POST https://hooks.example", False, "after 3 tries: answered 500"
        )
    )
    link.at += timedelta(seconds=80)
    link.read(orders=75)
    return compared(link, 24, timedelta(seconds=100))


def unexplained(after: float = 108) -> FakeLink:
    """Kim can't explain what support sees, since `after` seconds."""
    link = FakeLink().baking()
    link.do(cmd.ReportUnexplained(link.at, "kim", reason="support sees odd totals"))
    link.pass_time(after)
    return link


def _unexplained_and_paused() -> FakeLink:
    link = FakeLink(me="sam").paused_by_limit()
    link.do(cmd.ReportUnexplained(link.at, "kim", reason="support sees odd totals"))
    link.pass_time(310)
    return link


def _out_of_reach() -> FakeLink:
    link = FakeLink().in_web()
    link.apart = True
    link.pass_time(12)
    link.failure = (
        "this screen is out of reach of the session: its process is gone, or has hung up on this screen"
    )
    return link


TELLING: Mapping[str, Callable[[], FakeLink]] = {
    "before": _before,
    "ready": lambda: FakeLink().ready(),
    "baking": lambda: FakeLink().baking(),
    "over": _over,
    "gate": lambda: FakeLink(me="sam").at_gate(),
    "web": lambda: FakeLink().in_web(),
    "paused": lambda: FakeLink(me="sam").paused_by_limit(),
    "failed": _failed,
    "rolling_back": lambda: FakeLink().rolling_back(),
    "rolled_back": _back,
    "partial": _partial,
    "doubt": _doubt,
    "doubt_lasting": _doubt_lasting,
    "doubt_for_a_person": _doubt_for_a_person,
    "taken_up": _taken_up,
    "taken_up_back": _taken_up_back,
    "replaced": _replaced,
    "held": _held,
    "log_failed": _log_failed,
    "back_late": _back_late,
    "short_window": _short_window,
    "one_way": _one_way,
    "slept": _slept,
    "hostile": _hostile,
    "large": _large,
    "demo": _demo_named,
    "many_hands": _many_hands,
    "left_alone": left_alone,
    "alone": lambda: left_alone(watcher=True),
    "out_of_reach": _out_of_reach,
    "called": called,
    "unexplained": unexplained,
    "proposed": lambda: unexplained(310),
    "proposed_and_paused": _unexplained_and_paused,
    "not_accepted": lambda: FakeLink(accepted=False),
    "of_many": people_gallery.of_many,
    "gate_of_two": people_gallery.at_gate_of_two,
    "half_open": people_gallery.half_open,
    "rejected": people_gallery.rejected,
    "unhealthy": people_gallery.unhealthy,
    "offered": people_gallery.offered,
    "left": people_gallery.left,
    "autumn": people_gallery.autumn,
    "frozen_soon": people_gallery.frozen_soon,
    **{f"hostile_{moment}": partial(told, hostile.EVERYTHING) for moment, told in hostile.MOMENTS.items()},
    "rolling_out": gallery_release.rolling_out,
    "breached": gallery_release.breached,
    "told_back": gallery_release.rolled_back,
}
STATES = {name: once(tell) for name, tell in TELLING.items()}
"""A moment by its name, each time another link."""


async def _run(link: FakeLink, theme: str | None) -> None:
    async def live() -> None:
        while True:
            await asyncio.sleep(1)
            link.pass_time(1, reading=link.at.second % 5 == 0)

    going = asyncio.create_task(live())
    await show(link, theme)
    going.cancel()


if __name__ == "__main__":
    warnings.simplefilter("error")
    if len(sys.argv) < 2 or sys.argv[1] not in STATES:
        sys.exit(f"which state? {' '.join(STATES)}")
    asyncio.run(_run(STATES[sys.argv[1]](), sys.argv[2] if len(sys.argv) > 2 else None))
