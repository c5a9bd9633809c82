"""The screen at its limits: many targets, any size, hostile text everywhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from time import process_time

import pytest

from cockpit.core import commands as cmd
from cockpit.core.plan import Target
from tests.tui.fake_link import FakeLink, a_plan
from tests.tui.seen import at_screen


async def test_five_hundred_targets_stay_quick() -> None:
    plan = a_plan(500)
    link = FakeLink(replace(plan, stages=tuple(replace(s, bake_time=timedelta(0)) for s in plan.stages)))
    link.ready().start()
    link.finish()
    link.do(cmd.SignItem(link.at, "kim", item="briefed"))
    link.do(cmd.Promote(link.at, "dana"))
    link.tick()
    link.finish()
    began = process_time()
    async with at_screen(link, (200, 60)) as dana:
        await dana.sees("249 ")
        assert process_time() - began < 5  # about 0.5 s; generous where the machine is busy
        await dana.press("3", "end")
        await dana.sees("● 249 moving", "web-2 ✔ new")
        began = process_time()
        for _ in range(10):
            dana.app.draw()
        assert (process_time() - began) / 10 < 0.25
        link.finish()
        await dana.sees("251 new")


SIZES = [
    (80, 24, "before"),
    (200, 60, "paused"),
    (40, 12, "paused"),
    (20, 5, "rolling_back"),
    (500, 200, "rolling_back"),
]


@pytest.mark.parametrize(("width", "height", "state"), SIZES)
async def test_any_size_shows_where_we_are(width: int, height: int, state: str) -> None:
    link = FakeLink()
    link = {"before": lambda: link, "paused": link.paused_by_limit, "rolling_back": link.rolling_back}[
        state
    ]()
    word = {"before": "not ready", "paused": "paused", "rolling_back": "rolling back"}[state]
    async with at_screen(link, (width, height)) as dana:
        await dana.sees("PROD")
        for key in ("2", "3", "4", "5", "6", "7", "1", "5", "R", "escape"):
            await dana.press(key)
        if width >= 40:
            await dana.sees(word)
        await dana.pilot.resize_terminal(120, 40)
        await dana.sees(word, "1 Rollout", "2 Limits", "3 Targets", "4 Checklist", "5 Journal", "6 Roles")


HOSTILE = (
    "[red]x[/] [/ [@click=app.quit]y[/] \x1b[2J\x1b]52;c;eA==\x07 \x9b31m \u202etxet\u202c \x00 "
    "a\u0300\u0301\u0302\u0303\u0304"
)


async def test_hostile_text_is_shown_and_never_obeyed_in_any_pane() -> None:
    plan = a_plan()
    evil = f"w{HOSTILE.replace('/', '|')}"  # a target's name has no slash
    plan = replace(
        plan,
        targets=(Target(evil, "h", groups=("web",)), *plan.targets[1:]),
        stages=(replace(plan.stages[0], targets=(evil,)), *plan.stages[1:]),
        people=tuple(replace(p, name=p.name + HOSTILE, contact=HOSTILE) for p in plan.people),
        release=replace(plan.release, service=f"s{HOSTILE}", environment=f"e{HOSTILE}"),
        checklist=tuple(replace(i, text=HOSTILE) for i in plan.checklist),
        signals=tuple(replace(s, question=HOSTILE, unit=HOSTILE, targets=("web-2",)) for s in plan.signals),
    )
    link = FakeLink(plan)
    link.ready().start()
    link.outputs[link.state.running()[0].id] = HOSTILE.encode() + b"\xff\xfe\r\n" + b"x" * 300
    link.finish(finish="failed", code=1, detail=HOSTILE)
    async with at_screen(link) as dana:
        for key in ("1", "2", "3", "4", "5", "6", "7"):
            await dana.press(key, "z")
            await dana.until(lambda k=key: f" {k} " in dana.screen() or f"{k} " in dana.screen())
            await dana.press("down", "z")
            assert_calm(dana.screen())
        await dana.press("7", "z")
        await dana.sees(
            "[red]x[/] [/ [@click=app.quit]y[/] ␛[2J␛]52;c;eA==␇ ⟨U+009B⟩31m ⟨U+202E⟩txet⟨U+202C⟩ ␀"
        )
        assert "7 Output  switch on w[red]x[|] [| [@click=app.quit]" in dana.screen()
        for key in ("t", "x", "R", "s"):
            await dana.press(key)
            await dana.dialog()
            assert_calm(dana.screen())
            await dana.press("escape")
        dana.app.say(f"refused {HOSTILE}")
        await dana.sees("refused [red]x[/] [/ [@click=app.quit]y[/]")
        assert_calm(dana.screen())
        assert dana.app.is_running


def assert_calm(screen: str) -> None:
    """No control, bidi or stacked mark that a terminal would act on."""
    assert not [
        c for c in screen if (c < " " and c != "\n") or "\x7f" <= c <= "\x9f" or "\u202a" <= c <= "\u202e"
    ]
    assert "\u0302\u0303" not in screen
