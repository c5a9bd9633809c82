"""Before the start: what stands in the way, who is waited for, what to look at, and what is in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from cockpit.core import commands as cmd
from cockpit.core import readiness
from cockpit.core.events import Finding, OpenAction
from cockpit.core.plan import ChecklistItem, Window
from cockpit.core.state import State
from cockpit.tui.keys import footer
from cockpit.tui.panes.header import header
from cockpit.tui.panes.question import question
from cockpit.tui.panes.table import PANES
from tests.tui.fake_link import T0, FakeLink, a_plan
from tests.tui.gallery import many_hands
from tests.tui.people_gallery import of_many, with_roles
from tests.tui.seen import at_every_size, at_screen, rows, scene


def told(link: FakeLink, width: int = 100, **changes: object) -> list[str]:
    """The lines before those of the stages."""
    every = rows("rollout", link, width, **changes)
    return every[: every.index("")]


def test_each_reason_has_its_mark_and_what_is_in_order_is_a_line_a_group() -> None:
    link = FakeLink(accepted=False)
    assert told(link) == [
        "◌ web-1, web-2, web-3, web-4, web-5, web-6: not reached yet",
        "◌ errors > 2, errors > 20, orders < 60: no reading yet",
        "◌ latency: not read yet",
        "◌ targets    ▱▱▱▱▱▱ 0 of 6 reached",
        "◌ limits     ▱▱▱▱▱▱ 0 of 4 read",
        "◆ Lee Chen accepts rollback owner (a)",
        "◆ Sam Okoro accepts metrics watcher (a)",
        "◆ Kim Park accepts support liaison (a)",
        "◆ Lee Chen signs “Last night's orders backup restored on staging” (s)",
        "✔ people     decision owner: Dana Ruiz",
        "✔ plan       2 checks in order",
    ]
    link.reach()
    link.read()
    link.do(cmd.ReportProbe(link.at, "web-3", False, "connection refused"))
    link.do(cmd.ReportSignal(link.at, "latency", False, "the server answered 502"))
    now = told(link)
    assert now[:2] == ["✖ web-3: connection refused", "✖ latency: the server answered 502"]
    assert now[-4:] == [
        "✔ people     decision owner: Dana Ruiz",
        "✔ plan       2 checks in order",
        "✔ targets    11 checks in order",
        "✔ limits     3 checks in order",
    ]


def test_what_the_way_is_clear_of_is_unfolded_with_a_key() -> None:
    folded = told(FakeLink().ready())
    assert folded == [
        "✔ people     4 checks in order",
        "✔ plan       2 checks in order",
        "✔ targets    6 targets ready",
        "✔ limits     4 checks in order",
        "✔ checklist  Last night's orders backup restored on staging: signed",
    ]
    opened = told(FakeLink().ready(), toggled=frozenset({"group:people"}))
    assert opened[1:3] == ["  ✔ decision owner: Dana Ruiz", "  ✔ rollback owner: Lee Chen"]


def test_what_earlier_releases_left_to_do_is_a_line_each_and_one_beneath_them() -> None:
    link = FakeLink().ready()
    earlier = [
        OpenAction(f"checkout-1/{n}", f"Runbook R-{n} " * 6, "sam", "2026-11-30", T0 - timedelta(days=9), n)
        for n in (0, 1)
    ]
    link.do(cmd.ReportActions(link.at, tuple(earlier), ""))
    first, second, *how = told(link, 60)[:4]
    assert first.startswith("✖ to do by Sam Okoro, until 2026-11-30: Runbook R-0") and len(first) == 60
    assert second.startswith("✖ to do by Sam Okoro, until 2026-11-30: Runbook R-1")
    assert how == [
        "✖ what earlier reviews asked for is done or waived before",
        "  the next release (w, then x or -)",
    ]
    assert told(link, 60)[4].startswith("✔")
    link.sit("lee", may_act=False)
    assert "cockpit actions close NAME" in " ".join(told(link, 60)[2:6])


def test_who_is_waited_for_does_it_here_or_at_their_own_screen() -> None:
    link = many_hands("sam")
    link.reach()
    link.read()
    link.do(cmd.OfferRole(link.at, "dana", role="decision_owner", to="sam"))
    assert (
        "◆ Lee Chen signs “Last night's orders backup restored on staging”, at a screen of their own"
        in told(link)
    )
    alone = FakeLink(accepted=False)
    alone.sit("lee", own=False)
    assert "◆ you accept rollback owner (a)" in told(alone)
    assert "◆ Kim Park accepts support liaison, at a screen of their own" in told(alone)
    alone.sit("lee", may_act=False)
    assert "◆ Lee Chen accepts rollback owner" in told(alone)


def test_a_number_that_a_person_enters_is_waited_for_by_name() -> None:
    plan = many_hands().state.plan
    link = FakeLink(replace(plan, people=a_plan().people), "kim")
    link.reach()
    link.read()
    assert told(link).count("◆ you enter tills (e)") == 1
    link.do(cmd.EnterReading(link.at, "kim", signal="tills", value=212))
    assert "◆ tills < 40: no reading yet" in told(link)  # it is about to be judged
    link.read()
    assert not any("tills" in line for line in told(link))


def test_two_sign_and_both_are_named() -> None:
    item = ChecklistItem("legal", "Legal has read the new line", "dana", approval=("kim",))
    link = FakeLink(replace(a_plan(), checklist=(item,)))
    link.reach()
    link.read()
    assert "◆ you and Kim Park sign “Legal has read the new line” (s)" in told(link)


def test_a_failed_check_is_in_the_way_and_a_healthy_one_asks_for_its_signature() -> None:
    item = replace(a_plan().checklist[0], check="backup-age", expect="< 24")
    link = FakeLink(replace(a_plan(), checklist=(item,)))
    link.reach()
    link.read()
    assert told(link)[0] == "◌ Last night's orders backup restored on staging: its check hasn't run yet"
    link.do(cmd.ReportCheck(link.at, "backup", False, "49", "49, expected < 24 (backup-age)"))
    assert told(link)[0] == "✖ Last night's orders backup restored on staging: 49, expected < 24 (backup-age)"
    link.do(cmd.ReportCheck(link.at, "backup", True, "12", ""))
    assert told(link)[0] == "◆ Lee Chen signs “Last night's orders backup restored on staging” (12) (s)"


def test_what_is_doubtful_is_to_be_looked_at_and_stands_in_nobodys_way() -> None:
    link = FakeLink().ready()
    for n, key in enumerate(("a", "b", "a", "b", "a"), 1):
        link.examine(f"web-{n}", host_key=f"SHA256:{key}")
    link.examine("web-6", versions=())
    looks = [line for line in told(link) if line.startswith("?")]
    assert looks == [
        "? look: web-1, web-3, web-5 have one host key: several names for one machine?",
        "? look: web-2, web-4 have one host key: several names for one machine?",
        "? look: web-6: no step can tell whether 2026.11.2 runs there (`previous` or `verify_rollback`)",
    ]
    assert scene(link).status == "ready"


def test_of_many_targets_it_is_told_how_many_are_ready_and_why_the_others_are_not() -> None:
    link = of_many()
    assert told(link)[:2] == [
        "✖ 97 of 100 targets ready; web-3, web-4: connection refused",
        "  ✖ web-9: its clock is 1 min 1 s ahead, 30 s at most",
    ]
    for n in range(20, 26):
        link.do(cmd.ReportProbe(link.at, f"web-{n}", False, f"fault {n}"))
    folded = told(link)
    assert folded[0].startswith("✖ 91 of 100 targets ready; ")
    assert folded[4] == "  … 4 more reasons"
    opened = told(link, toggled=frozenset({"group:reasons"}))
    assert opened[5:9] == [
        *(f"  ✖ web-{n}: fault {n}" for n in (23, 24, 25)),
        "  ✖ web-9: its clock is 1 min 1 s ahead, 30 s at most",
    ]
    assert len(told(FakeLink(a_plan(100)), 400)) < 10


def test_a_role_that_nobody_holds_or_whose_holder_has_left() -> None:
    link = FakeLink(with_roles(a_plan(), rollback_owner="", support_liaison=None))
    assert "✖ rollback owner: nobody holds it: name somebody under [roles]" in told(link)
    link = FakeLink().ready()
    link.detach(link.attach("lee"))
    assert told(link)[0] == "◆ Lee Chen, rollback owner, has left: they come back, or somebody takes it (M)"


def test_the_calendar_of_freezes_that_is_not_read_yet() -> None:
    window = Window(T0 - timedelta(hours=1), T0 + timedelta(hours=2), "UTC", freeze_calendar="freezes.ics")
    link = FakeLink(replace(a_plan(), window=window)).ready()
    assert "◌ freezes of freezes.ics: not read yet" in told(link)
    link.do(cmd.ReportFreezes(link.at, (), "no such file"))
    assert "✖ freezes of freezes.ics: no such file" in told(link)


@at_every_size
@pytest.mark.parametrize("made", [lambda: FakeLink(accepted=False), of_many], ids=["few", "many"])
async def test_the_screen_before_the_start_shows_it(
    size: tuple[int, int], made: Callable[[], FakeLink]
) -> None:
    link = made()
    async with at_screen(link, size) as dana:
        await dana.sees(
            "not ready", "◆ Lee Chen accepts rollback owner (a)", "decides you · rolls back Lee Chen (away)"
        )
        await dana.press("end", "up", "up", "up")
        pane = dana.app.panes["rollout"]
        while pane.row is None or pane.row.key != "group:plan":
            await dana.press("up")
        await dana.press("space")
        await dana.sees("  ✔ customers, if it half fails:")


def test_readiness_is_worked_out_once_a_scene(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []
    findings = readiness.findings

    def counting(state: State, at: object) -> tuple[Finding, ...]:
        counted.append(1)
        return findings(state, at)  # type: ignore[arg-type]

    monkeypatch.setattr(readiness, "findings", counting)
    now = scene(of_many())
    header(now, 120)
    question(now, 120, 9)
    footer(now, 120)
    for pane in PANES.values():
        pane.hand(now)
        list(pane.rows(now, 56))
    assert len(counted) == 1
