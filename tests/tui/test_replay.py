"""Replays in front of the screen, key by key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio
from textual.widgets import Input

from cockpit.core import events as ev
from cockpit.core.evolve import replay
from cockpit.core.state import initial
from cockpit.runtime.replaying import Recorded
from cockpit.runtime.replaying_player import Player
from cockpit.steps import commands
from cockpit.store.log import SampleRow, read
from cockpit.tui.keys import KEYS, shown
from cockpit.tui.replay import ReplayApp
from cockpit.tui.replay_keys import REPLAY_KEYS
from cockpit.tui.replay_known import known_here
from cockpit.tui.replay_scrubber import Scrubber, bar, sought, standing
from cockpit.tui.scene import Scene
from tests.core.plans import T0
from tests.runtime.recordings import PLAN, SECOND, by_hand, rolled_back
from tests.tui.seen import Person, at_every_size


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def path(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """The log of `rolled_back`, recorded once."""
    yield (await rolled_back(tmp_path_factory.mktemp("recorded") / "told.db")).path


@pytest.fixture
def told(path: Path) -> Recorded:
    return Recorded(read(path), PLAN)


class Viewer(Person):
    """Somebody in front of a replay, whose clock they move by hand."""

    clock: Clock
    app: ReplayApp

    @property
    def recorded(self) -> Recorded:
        return self.app.recorded

    async def waits(self, seconds: float) -> None:
        """So many seconds go by, of the clock that the replay goes by."""
        for _ in range(round(seconds)):
            self.clock.at += 1
            self.app.draw()
        await self.settled()


@asynccontextmanager
async def at_replay(
    recorded: Recorded, size: tuple[int, int] = (120, 40), speed: int = 1
) -> AsyncIterator[Viewer]:
    """The replay in a terminal of `size` (columns, rows), standing still."""
    clock = Clock()
    app = ReplayApp(Player(recorded, clock, speed))
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        viewer = Viewer(app, pilot, cast(Any, recorded))
        viewer.clock = clock
        yield viewer


def scene(recorded: Recorded) -> Scene:
    return Scene(recorded, recorded.state, recorded.now(), UTC, keys=shown(KEYS))


def position_of(recorded: Recorded, kind: type[ev.Event], n: int = 0) -> int:
    return [p for p, e in enumerate(recorded.timeline.events, 1) if isinstance(e, kind)][n]


def known(recorded: Recorded) -> list[str]:
    return [line.plain.rstrip() for line in known_here(scene(recorded), recorded)]


# The story


@at_every_size
async def test_decision_by_decision_to_the_rollback_with_the_numbers_of_its_evidence(
    told: Recorded, size: tuple[int, int]
) -> None:
    async with at_replay(told, size) as viewer:
        await viewer.sees("REPLAY  told", "nothing can be decided here", "■ stopped, 1x")
        for _ in range(6):
            await viewer.press("d")
        rollback = told.events[-1]
        assert isinstance(rollback, ev.RollbackStarted)
        (evidence,) = (r for r in rollback.evidence if r.threshold == "queue > 2")
        assert evidence.value == 5.03
        await viewer.sees("rolling back", "◀ rollback", "22:11:45")
        await viewer.press("2")
        await viewer.sees("5.03 jobs > 2", "exceeded → ROLL BACK")
        await viewer.press("d")
        await viewer.sees("no later decision")
        await viewer.press("D", "2")
        await viewer.sees("◆ decision ‖ pause", "exceeded → PAUSE", "5 jobs > 4")
        await viewer.press("P")
        await viewer.sees("22:01:00", "1.05")


async def test_it_plays_stops_at_the_rollback_and_plays_on_to_the_end(told: Recorded) -> None:
    async with at_replay(told, speed=10) as viewer:
        await viewer.press("space")
        await viewer.sees("▶ playing 10x")
        await viewer.waits(3)
        await viewer.sees("22:00:30 UTC", "0:30 of 11:50")
        await viewer.press("full_stop")
        await viewer.sees("▶ playing 20x")
        await viewer.press("minus", "comma")
        await viewer.sees("▶ playing 5x")
        await viewer.press("plus", "plus", "plus")
        await viewer.sees("▶ playing 50x")
        await viewer.waits(2)
        await viewer.sees("skipped 9 min")
        await viewer.waits(2)
        await viewer.sees("■ stopped, 50x", "stopped at the rollback: space plays on", "5.03 jobs > 2")
        assert isinstance(told.events[-1], ev.RollbackStarted)
        await viewer.press("space")
        await viewer.waits(3)
        await viewer.sees("the end of the log", "rolled back: 6 proven on every touched target")


async def test_back_and_on_by_event_to_the_ends_and_to_any_place(told: Recorded) -> None:
    async with at_replay(told) as viewer:
        await viewer.press("end")
        await viewer.sees(
            f"record {len(told.timeline)} of {len(told.timeline)}", "session closed: rolled back"
        )
        await viewer.press("left", "left", "right")
        await viewer.sees(f"record {len(told.timeline) - 1} of")
        await viewer.press("home")
        await viewer.sees("record 1 of", "not ready")
        assert "session closed" not in viewer.screen()
        await viewer.press("g")
        await viewer.sees("Where to?")
        await viewer.types("noon")
        await viewer.confirms()
        await viewer.sees("“noon” is no time like 22:14")
        viewer.app.screen.query_one("#field", Input).value = ""
        await viewer.types("22:11:45")
        await viewer.confirms()
        await viewer.sees("rolling back")
        await viewer.press("g")
        await viewer.types("3")
        await viewer.confirms()
        await viewer.sees("record 3 of")
        await viewer.press("g")
        await viewer.dialog()
        await viewer.press("escape")
        await viewer.sees("record 3 of")
        await viewer.press("b")
        await viewer.sees("▲ breach", "22:11:15")
        await viewer.press("b", "B")
        await viewer.press("B")
        await viewer.sees("no earlier breach")
        await viewer.press("p")
        await viewer.sees("‖ pause")
        await viewer.press("s")
        await viewer.sees("nothing to skip")


async def test_what_acts_do_elsewhere_is_refused_here(told: Recorded) -> None:
    taken = {one for key in REPLAY_KEYS.values() for one in key.key.split(",")}
    acts = [one for key in KEYS.values() for one in key.each if one not in taken and "ctrl" not in one]
    assert {"enter", "r", "R", "A", "u", "t", "x", "n"} <= set(acts)
    async with at_replay(told) as viewer:
        for key in acts:
            viewer.app.clear_notifications()
            await viewer.press(key)
            await viewer.sees("This is a replay: nothing can be decided or done in it.")
            assert len(viewer.app.screen_stack) == 1
        viewer.app.clear_notifications()
        viewer.app.action_pause()  # by whatever way one comes to it
        await viewer.sees("This is a replay")
        await viewer.press("ctrl+c")
        await viewer.sees("ctrl+c does nothing here. q leaves the replay.")
        await viewer.press("question_mark")
        await viewer.sees("To the next decision.", "What did we know here?", "Leave the replay.")
        assert "Start the release" not in viewer.screen()
        await viewer.press("escape", "q")
        assert not viewer.app.is_running


async def test_rows_unfold_and_panes_change_as_ever(told: Recorded) -> None:
    told.to(position_of(told, ev.StepFinished))
    async with at_replay(told, (80, 24)) as viewer:
        await viewer.press("down")
        await viewer.sees("web-1")
        await viewer.press("f")
        await viewer.until(lambda: "web-1  switch done" not in viewer.screen(), "folded")
        await viewer.press("f", "down", "o")
        await viewer.sees("7 Output  switch on web-1", "done")
        await viewer.press("escape", "tab", "z", "5")
        await viewer.sees("5 Journal")


async def test_the_review_is_there_as_it_stood_and_takes_no_answers(told: Recorded) -> None:
    told.to(position_of(told, ev.RollbackStarted))
    async with at_replay(told) as viewer:
        await viewer.press("w")
        await viewer.sees("What everybody is asked", "from a breach of queue > 2")
        await viewer.sees("REPLAY  Review  checkout", "as it stood at 22:11:45: rolling back")
        assert "not over" not in viewer.screen() and "⏎ answer" not in viewer.screen()
        for key in ("enter", "plus", "x", "minus"):
            await viewer.press("down", key)
            said = viewer.screen().splitlines()[-2].strip()
            assert said == "Nothing can be added in a replay: `cockpit review s` does that."
        await viewer.press("question_mark")
        await viewer.sees("Give the chosen action up")
        await viewer.press("escape", "escape", "end", "w")
        await viewer.sees("as it stood at 22:11:50: ↶ rolled back at 22:11:50")
        await viewer.press("escape", "k")
        await viewer.sees("What did we know here?")


# The scrubber


def test_the_bar_shows_what_stands_out_and_how_far_it_is(told: Recorded) -> None:
    told.seek(T0 + 360 * SECOND)
    shown = bar(told, scene(told), 100).plain
    assert shown.startswith(" 22:00:00 ") and shown.endswith(" 22:11:50 ")
    assert len(shown) == 100
    inner = shown[10:-10]
    assert [c for c in inner if c not in "━─"] == ["◆", "‖", "◆", "▲", "◀", "■"]
    assert inner.rindex("━") == 40
    assert inner.index("◀") == 78
    assert bar(told, scene(told), 30).plain.count("━") == 13
    assert len(bar(told, scene(told), 30).plain) == 30


async def reviewed(path: Path) -> Recorded:
    """Opened an hour before its go; it took ten minutes, and was reviewed two days later."""
    minute, day = timedelta(minutes=1), timedelta(days=1)
    start, closed = T0 + 60 * minute, T0 + 70 * minute
    opened = ev.SessionOpened(T0, "s", "s-1", "dana", "dana", "desk", "1", "plan.toml", "", "", False)
    return await by_hand(
        path,
        [
            opened,
            ev.ReleaseStarted(start, "dana", "", "", (), ()),
            ev.RolloutPaused(start + 5 * minute, "sam", "", "a look", None, ()),
            ev.SessionClosed(closed, "completed", ()),
            ev.QuestionAnswered(closed + 2 * day, "smooth", 0, "the canary", "lee", ""),
            ev.ActionAdded(closed + 2 * day, "1", "Runbook R-12", "lee", "2026-12-09", 0, "lee", ""),
        ],
    )


async def test_the_bar_is_the_release_s_whatever_came_before_and_after_it(tmp_path: Path) -> None:
    told = await reviewed(tmp_path / "reviewed.db")
    shown = bar(told, scene(told), 121).plain
    assert shown.startswith(" 22:00:00 ") and shown.endswith(" 23:10:00 ")
    inner = shown[10:-10]
    assert [(n, c) for n, c in enumerate(inner) if c not in "━─┄"] == [(20, "◆"), (57, "‖"), (95, "■")]
    assert inner[96:] == "┄┄┄┄┄"
    told.seek(told.timeline.end)
    assert bar(told, scene(told), 121).plain[106:111] == "═════"
    assert "2 d" in (said := standing(Player(told, Clock()), scene(told), 200).plain) or "48 h" in said
    assert "after the close" in said


async def test_what_the_review_added_is_told_behind_what_came_after(tmp_path: Path) -> None:
    told = await reviewed(tmp_path / "reviewed.db")
    told.to(3)
    said = known(told)
    at = said.index("── what came after, within 5 min; nobody knew it here ──")
    assert said[at + 1].endswith("session closed: completed")
    assert said[at + 3] == "── what the review added, after the close ──"
    assert said[at + 4].startswith("Thu 26 Nov 23:10:00  Lee Chen: ") and "the canary" in said[at + 4]
    assert "Runbook R-12" in said[at + 5]


def test_evidence_beyond_its_limit_for_too_short_a_time_is_on_its_way(told: Recorded) -> None:
    told.to(position_of(told, ev.RolloutPaused, 1))
    said = known(told)
    assert any(
        line.startswith("  △ queue > 2") and "over, not for long enough yet on web-1, limit > 2" in line
        for line in said[: said.index("limits")]
    )
    assert "paused the rollout on the limit queue > 4: 5 jobs on web-1" in said[2]


def test_a_place_on_the_bar_is_its_mark_or_a_share_of_the_session(told: Recorded) -> None:
    line = told.timeline
    middle = sought(line, 40, 81)
    assert isinstance(middle, datetime) and middle - line.start == (line.end - line.start) / 2
    assert sought(line, -1, 81) is sought(line, 81, 81) is None
    mark = sought(line, 79, 81)
    assert mark == line.after(0, "rollback")


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100, 120, 200])
def test_where_it_stands_fits_any_width(told: Recorded, width: int) -> None:
    told.to(position_of(told, ev.RollbackStarted))
    player = Player(told, Clock())
    player.note = "skipped 9 min 54 s without an event"
    shown = standing(player, scene(told), width)
    assert shown.cells <= width
    assert shown.plain.startswith(" ■ stopped, 1x"[:width])
    if width >= 60:
        assert "22:11:45" in shown.plain and "skipped" in shown.plain
    if width == 200:
        assert "Tue 24 Nov" in shown.plain
        assert shown.plain.endswith("◀ rollback ▲ breach ‖ pause ◆ decision ┃ stage ■ close")


async def test_a_session_of_one_moment_has_a_bar(tmp_path: Path) -> None:
    opened = ev.SessionOpened(T0, "s", "s-1", "dana", "dana", "desk", "1", "plan.toml", "", "", False)
    one = await by_hand(tmp_path / "one.db", [opened, ev.StageStarted(T0, "canary")])
    async with at_replay(one, (80, 24)) as viewer:
        await viewer.sees("━┃ 22:00:00", "it ends without a close", "it has no samples")
        await viewer.press("space")
        await viewer.waits(1)
        await viewer.sees("the end of the log")


async def test_a_click_on_the_bar_goes_there(told: Recorded) -> None:
    async with at_replay(told, (100, 30)) as viewer:
        scrubber = viewer.app.query_one(Scrubber)
        await viewer.pilot.click(scrubber, offset=(50, 0))
        await viewer.settled()
        assert abs((told.now() - T0).total_seconds() - 360) < 10
        await viewer.pilot.click(scrubber, offset=(88, 0))
        await viewer.settled()
        assert isinstance(told.events[-1], ev.RollbackStarted)
        before = told.position
        await viewer.pilot.click(scrubber, offset=(50, 1))
        await viewer.pilot.click(scrubber, offset=(2, 0))
        await viewer.settled()
        assert told.position == before


@pytest.mark.parametrize("size", [(20, 5), (40, 8), (40, 12), (60, 14), (500, 200)])
async def test_any_size_shows_that_it_is_a_replay(told: Recorded, size: tuple[int, int]) -> None:
    told.to(position_of(told, ev.RollbackStarted))
    async with at_replay(told, size) as viewer:
        await viewer.sees("REPLAY")
        if size[1] >= 8:
            await viewer.sees("■ stopped")
        for key in ("k", "escape", "g", "escape", "home"):
            await viewer.press(key)
        await viewer.pilot.resize_terminal(120, 40)
        await viewer.sees("REPLAY", "1 Rollout", "■ stopped", "22:00:00 ◆")


async def test_every_moment_can_be_drawn_wherever_one_comes_from(told: Recorded) -> None:
    async with at_replay(told, (200, 60)) as viewer:
        for position in [*range(1, len(told.timeline) + 1), *range(len(told.timeline), 0, -1)]:
            viewer.app.player.to(position)
            viewer.app.draw()
            if position % 9 == 0:
                await viewer.settled()
                head, digest = told.head
                assert f"record {head} · {digest[:8]}" in viewer.screen()


async def test_what_hosts_did_is_remembered_as_of_the_moment(tmp_path: Path) -> None:
    opened = ev.SessionOpened(T0, "s", "s-1", "dana", "dana", "desk", "1", "plan.toml", "", "", False)
    notice = ev.NoticeSent(T0 + 20 * SECOND, "pause", "hook", False, "exit code 7")
    events = [opened, notice, ev.NoteAdded(T0 + 40 * SECOND, "kim", "the end")]
    metrics = (("cpu", 10.0), ("memory", 50.0), ("load", 0.5), ("network", 1e3))
    samples = [
        SampleRow(name, "web-1", T0 + at * SECOND, value + at)
        for at in range(0, 40, 2)
        for name, value in metrics
    ]
    session = await by_hand(tmp_path / "hosts.db", events, samples)
    async with at_replay(session) as viewer:
        viewer.app.player.seek(T0 + 30 * SECOND)
        viewer.app.draw()
        await viewer.sees("cpu  40%", "could not tell anybody of “pause”")
        viewer.app.player.seek(T0 + 10 * SECOND)
        viewer.app.draw()
        await viewer.sees("cpu  20%")
        assert "could not tell" not in viewer.screen()
        assert viewer.app.history.metric("web-1", "cpu") == [10.0 + n for n in range(0, 11, 2)]


# What did we know here?


def test_at_a_decision_it_is_who_why_and_on_what_evidence(told: Recorded) -> None:
    told.to(position_of(told, ev.RolloutPaused))
    said = known(told)
    assert said[2].startswith("Tue 24 Nov 22:01:00 UTC, record ")
    assert "Sam Okoro: paused the rollout: a look" in said[2]
    assert "decided by        Sam Okoro" in said
    assert "why               a look" in said
    at = said.index("evidence")
    assert said[at + 1] == "  ✔ queue > 4  1.05 jobs  pass on web-1, limit > 4"
    told.to(position_of(told, ev.RollbackStarted))
    said = known(told)
    assert "decided by        an agreed rule, by itself" in said
    assert "  ▲ queue > 2  5.03 jobs  breach on web-1, limit > 2" in said
    assert "going back        under way: 0:00" in said


def test_between_decisions_it_is_every_number_with_its_age_and_what_came_after(told: Recorded) -> None:
    told.seek(T0 + 667 * SECOND)
    said = known(told)
    assert "22:11:07 UTC, record 24, 9 min 57 s before: Dana Ruiz: resumed the rollout" in said[2]
    assert "  ✔ queue > 4  1.59 jobs  pass on web-1, 2 s old" in said
    assert "couldn't be read  nothing" in said
    assert "unexplained       nothing" in said
    assert "in doubt          nothing" in said
    assert "going back        would take: 1 target" in said
    assert "who was here      nobody, as far as is recorded" in said
    assert not [line for line in said if line.startswith("△")]
    assert "roles             decision owner: Dana Ruiz  ✔ accepted" in said
    after = said.index("── what came after, within 5 min; nobody knew it here ──")
    assert said[after + 1].startswith("22:11:15  limit queue > 4 on web-1: breach")
    assert any("cockpit: started the rollback" in line for line in said[after:])
    told.seek(told.timeline.end)
    assert known(told)[-1] == "nothing"


async def test_what_was_open_and_could_not_be_read_is_told(tmp_path: Path) -> None:
    opened = ev.SessionOpened(T0, "s", "s-1", "dana", "dana", "desk", "1", "plan.toml", "", "", False)
    attempt = "canary/switch/web-1/run-1"
    minute = timedelta(minutes=1)
    events = [
        opened,
        ev.SignalRead(T0, "queue", False, "exit code 127"),
        ev.TargetProbed(T0, "web-2", False, "no route", "", ()),
        ev.ScreenAttached(T0, "sam-1", "sam", "sam", "screen", True, False),
        ev.ScreenAttached(T0, "wall-1", "", "wall", "screen", False, False),
        ev.VerdictChanged(
            T0, "queue > 4", "queue", "error", None, "> 4", "web-1", None, None, "exit code 127"
        ),
        ev.VerdictChanged(T0, "queue > 2", "queue", "pass", 2.5, "> 2", "web-1", T0, T0, ""),
        ev.RoleAccepted(T0, "decision_owner", "dana", "", "", "account", ""),
        ev.ScreenAttached(T0, "lee-1", "lee", "lee", "screen", True, False),
        ev.ScreenDetached(T0, "lee-1", "left"),
        ev.StepIntended(T0, attempt, "canary", 0, "switch", "web-1", "run", 1, "switch 2", "health", minute),
        ev.StepFinished(T0, attempt, "in_doubt", False, None, None, 0.0, "connection lost", 0, "", ""),
        ev.UnexplainedReported(T0, "sam", "", "receipts look odd", minute, ()),
        *(ev.NoteAdded(T0 + n * SECOND, "kim", f"note {n}") for n in range(1, 31)),
    ]
    session = await by_hand(tmp_path / "open.db", events)
    session.to(13)
    said = known(session)
    assert "couldn't be read  signal queue: exit code 127" in said
    assert "                  web-2: no route" in said
    assert "                  limit queue > 4: exit code 127" in said
    assert "unexplained       since 22:00:00, said Sam Okoro: receipts look odd" in said
    assert any(line.startswith("in doubt          switch on web-1: in doubt since 22:00:00") for line in said)
    assert "who was here      Sam Okoro (here), wall (watching)" in said
    assert "  ? queue > 4  no number  unreadable on web-1" in said
    assert "  △ queue > 2   2.5 jobs  over, not for long enough yet on web-1, 0 s old" in said
    assert "evidence          none was kept with it" in said
    assert said[-1] == "… and 10 more events"
    assert "                  rollback owner: Lee Chen  ✖ had left" in said
    assert said[3] == "△ it ends without a close"
    session.to(1)
    said = known(session)
    assert "  ○ queue > 4  –  no reading yet" in said
    assert "going back        would take: nothing touched" in said


async def test_the_page_opens_where_one_stands_and_closes_again(told: Recorded) -> None:
    async with at_replay(told) as viewer:
        await viewer.press("space", "k")
        await viewer.sees("What did we know here?", "22:00:00 UTC, record 22: ")
        await viewer.waits(5)
        assert told.position == 22  # all of that moment
        await viewer.press("k")
        await viewer.sees("■ stopped")
        assert len(viewer.app.screen_stack) == 1


async def test_foreign_text_is_shown_and_never_obeyed(tmp_path: Path) -> None:
    evil = "[red]x[/] \x1b[2J\x9b31m \u202etxet [@click=app.quit]y[/]"
    opened = ev.SessionOpened(T0, "s", "s-1", "dana", "dana", "desk", "1", "plan.toml", "", "", False)
    events = [
        opened,
        ev.RolloutPaused(T0, "sam", "", evil, None, (ev.Reading(evil, evil, "pass", 1.0, evil, evil),)),
        ev.SignalRead(T0, "queue", False, evil),
        ev.NoteAdded(T0 + SECOND, "kim", evil),
    ]
    session = await by_hand(tmp_path / "evil [red].db", events)
    async with at_replay(session) as viewer:
        await viewer.press("right", "k")
        await viewer.sees("[red]x[/] ␛[2J⟨U+009B⟩31m")
        assert not [
            c for c in viewer.screen() if (c < " " and c != "\n") or "\x7f" <= c <= "\x9f" or c == "\u202e"
        ]
        await viewer.press("k")
        await viewer.sees("REPLAY  evil [red]")


async def test_a_recording_read_from_its_state_is_the_one_on_the_screen(told: Recorded) -> None:
    told.to(20)
    async with at_replay(told) as viewer:
        assert viewer.app.scene.state == replay(told.timeline.events[:20], initial(PLAN, commands))
