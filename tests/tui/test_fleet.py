"""A thousand targets, ten thousand lines a second: what isn't in sight isn't made, what comes together is told so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import cache

import pytest
from textual.geometry import Region

from cockpit.core import events as ev
from cockpit.signals.host import METRICS, HostSample
from cockpit.tui import app as app_module
from cockpit.tui import lines as lines_module
from cockpit.tui.app import CockpitApp
from cockpit.tui.finding import Sought
from cockpit.tui.lines import RowPane
from cockpit.tui.panes import journal, output
from cockpit.tui.panes.journal_entries import SINGLY_MOST
from cockpit.tui.scene import KEEP, History, Row, Scene
from tests.tui.fake_link import FakeLink, a_plan
from tests.tui.moments import copied
from tests.tui.seen import at_screen, scene

WIDTH = 100


def said(rows: object) -> list[str]:
    assert isinstance(rows, list)
    return [row.draw(WIDTH).plain.strip() for row in rows if isinstance(row, Row)]


@cache
def begun(hosts: int) -> FakeLink:
    """The second wave is under way, on half of the hosts; on one of them it failed."""
    link = FakeLink(a_plan(hosts)).in_web()
    link.finish()
    link.pass_time(400)
    link.finish("web-7", finish="failed", code=1, detail="disk full")
    link.finish(*(f"web-{n}" for n in range(8, hosts // 2 - 2)))
    return link


def in_waves(hosts: int) -> FakeLink:
    """Such a release: told once, for a large one takes its time."""
    return copied(begun(hosts))


def test_steps_on_many_targets_are_counted_and_a_failure_stands_alone() -> None:
    told = said(journal.rows(scene(in_waves(200)), WIDTH))
    assert any("switch about to run on 99 targets" in one for one in told)
    assert any("steps succeeded, verified" in one for one in told)
    assert any("switch on web-7: failed, exit code 1" in one for one in told)
    assert any("wave 2 of web began on 99 targets: web-[3-101]" in one for one in told)
    assert not any("switch on web-30" in one for one in told)


def test_on_few_targets_each_step_is_told() -> None:
    told = said(journal.rows(scene(in_waves(40)), WIDTH))
    assert any("switch on web-9: about to run" in one for one in told)
    assert any("switch on web-9: succeeded" in one for one in told)


def test_what_is_looked_for_is_found_in_what_is_counted() -> None:
    at = scene(in_waves(200))
    found = said(list(journal.sifted(at, WIDTH, Sought("web-30:")).rows))
    assert [one.split("web-30: ")[1].split(",")[0] for one in found] == ["about to run", "succeeded"]


@pytest.mark.parametrize("hosts", [6, 200])
def test_a_journal_that_is_read_on_says_what_it_says_from_the_start(hosts: int) -> None:
    link, every = in_waves(hosts), list[ev.Event]()
    whole, link.events = link.events, every
    grown: list[str] = []
    for n in range(0, len(whole), 7):
        every += whole[n : n + 7]
        grown = said(journal.rows(scene(link), WIDTH))
    link.events = list(whole)
    journal._kept.clear()
    assert said(journal.rows(scene(link), WIDTH)) == grown
    link.events = whole[: len(whole) // 2]  # another log, or a replay that went back
    back = said(journal.rows(scene(link), WIDTH))
    journal._kept.clear()
    assert said(journal.rows(scene(link), WIDTH)) == back != grown
    link.events = [*whole[: len(whole) // 2 - 1], ev.NoteAdded(link.at, "sam", "another end")]
    assert "another end" in said(journal.rows(scene(link), WIDTH))[-1]


def test_the_oldest_entries_leave_the_journal() -> None:
    link = FakeLink(a_plan(6))
    at, first, told = link.at, len(link.events), list[str]()
    for n in range(0, 3 * journal.SHOWN_MOST, 500):
        link.events += [ev.NoteAdded(at, "sam", f"note {n + i}") for i in range(500)]
        told = said(journal.rows(scene(link), WIDTH))
    assert first and len(told) == journal.SHOWN_MOST
    assert "note 4000" in told[0] and "note 5999" in told[-1]


def test_few_steps_at_a_time_are_told_singly_even_on_many_targets() -> None:
    link = FakeLink(a_plan(200)).in_web()
    link.finish("web-2")
    assert any("switch on web-2: succeeded" in one for one in said(journal.rows(scene(link), WIDTH)))
    assert SINGLY_MOST < journal.MANY


def test_of_an_output_only_what_is_in_sight_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    link = FakeLink().in_web()
    (running,) = link.state.running()
    link.outputs[running.id] = b"".join(b"line %d\n" % n for n in range(50_000))
    made: list[str] = []
    row = output._row

    def counted(text: str, n: int, width: int, goes_on: bool = False) -> Row:
        made.append(text)
        return row(text, n, width, goes_on)

    monkeypatch.setattr(output, "_row", counted)
    rows = output.rows(scene(link), WIDTH)
    assert len(rows) > output.ROWS_MOST and not made
    assert rows[-1].draw(WIDTH).plain == made[0] == "line 49999"
    assert rows[len(rows) - 1] is rows[-1]
    assert [one.draw(WIDTH).plain for one in rows[-3:-1]] == ["line 49997", "line 49998"]
    with pytest.raises(IndexError):
        rows[len(rows)]


def test_what_is_remembered_of_a_host_is_bounded_and_exact() -> None:
    link, history = FakeLink(), History()
    for n in range(KEEP + 5):
        disk = None if n % 2 else 0.1 * n
        link.hosts["web-1"] = (
            link.at + timedelta(seconds=n),
            HostSample(n / 3, n / 7, disk, n / 11, 4, 0.1, n, 1e5),
        )
        history.look(link)
        history.look(link)  # the same reading twice counts once
    latest = history.latest("web-1")
    assert latest is not None and latest == link.hosts["web-1"]
    for name in METRICS:
        kept = history.metric("web-1", name)
        assert len(kept) == KEEP and kept[-1] == latest[1].metric(name)
    assert history.metric("web-1", "disk")[-2] is None
    assert history.metric("web-2", "cpu") == []


async def test_only_rows_that_changed_are_painted_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    painted: list[tuple[str | None, object]] = []
    repaint = RowPane._repaint

    def counted(pane: RowPane, rows: list[int]) -> None:
        painted.append((pane.id, rows))
        repaint(pane, rows)

    monkeypatch.setattr(RowPane, "_repaint", counted)
    async with at_screen(in_waves(200)) as dana:
        dana.app.draw()
        painted.clear()
        dana.link.hosts["web-7"] = (dana.link.at, HostSample(99, 50, 70, 3, 4, 1e5, 8e4, 1e5))
        dana.link.at += timedelta(seconds=1)
        dana.app.draw()
        assert all(rows for _, rows in painted)
        told = dict(painted)
        assert "journal" not in told  # nothing has happened
        assert len(list(told["rollout"])) < len(dana.app.panes["rollout"].rows)  # type: ignore[arg-type]


async def test_many_changed_rows_are_painted_a_few_at_a_time_and_none_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lines_module, "CELLS_AT_ONCE", 1)  # one row
    painted: list[int] = []
    refresh = RowPane.refresh

    def noted(pane: RowPane, *regions: Region, **how: bool) -> RowPane:
        painted.extend(region.y for region in regions if pane.id == "targets")
        return refresh(pane, *regions, **how)

    async with at_screen(in_waves(200)) as dana:
        pane = dana.app.panes["targets"]
        await dana.until(lambda: not pane._unpainted, "all painted")
        monkeypatch.setattr(RowPane, "refresh", noted)
        pane._repaint([0, 1, 2])
        assert painted == [0]
        pane._repaint([0, 3])  # meanwhile more changes: who waits comes first
        assert painted == [0, 1]
        await dana.until(lambda: not pane._unpainted, "all painted")
        assert painted == [0, 1, 2, 0, 3]


async def test_who_waits_for_a_drawing_and_one_that_is_late_make_short_pauses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(app_module, "PIECE_S", -1.0)  # each part is a piece
    async with at_screen(FakeLink().in_web()) as dana:
        dana.app.draw()
        dana.app.draw_in_pieces()
        assert dana.app._gap == app_module.GAP_S
        dana.app.draw_in_pieces()  # the one before hasn't come to its end
        assert dana.app._gap == app_module.QUICK_S
        dana.app.draw()
        dana.app._next_piece()  # it has
        dana.app.rhythm.hurries = True
        dana.app.draw_in_pieces()
        assert dana.app._gap == app_module.QUICK_S


async def test_a_drawing_in_pieces_lets_go_of_an_older_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_module, "PIECE_S", -1.0)  # each part is a piece
    shown: list[Scene] = []
    show = RowPane.show

    def noted(pane: RowPane, at: Scene, *more: object) -> None:
        shown.append(at)
        show(pane, at, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(RowPane, "show", noted)
    async with at_screen(FakeLink().in_web()) as dana:
        shown.clear()
        dana.app.draw_in_pieces()
        assert not shown  # the panes wait, and so do keys for no longer than this
        dana.app.draw()
        newest = shown[-1]
        dana.app._next_piece()
        assert shown[-1] is newest
        shown.clear()
        dana.app.draw_in_pieces()
        await dana.until(lambda: len({id(at) for at in shown[-2:]}) == 1 and len(shown) > 1, "all its parts")


async def test_whoever_leaves_in_the_midst_of_a_drawing_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[Iterator[None]] = []
    async with at_screen(FakeLink().in_web()) as dana:
        assert isinstance(dana.app, CockpitApp)
        pieces = dana.app.drawing()
        next(pieces)
        left.append(pieces)
    assert list(left[0]) == []
