"""The one pass over samples finds what a slow and simple look at them finds."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import inf
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.core.plan import HERE
from cockpit.store import digest as module
from cockpit.store.digest import Asked, Beyond, Digest, Hole, Tolerated, digest
from cockpit.store.log import Log, SampleRow
from cockpit.store.recording import Recording, read, read_leniently
from cockpit.store.samples import lots
from tests.weight import examples

T0 = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
SESSION = (T0 - timedelta(days=1), T0 + timedelta(days=1))
S = timedelta(seconds=1)
ASKED = {"errors": Asked(15 * S, (Tolerated(-inf, 2.0, 15 * S), Tolerated(1.0, inf, 15 * S)))}

Read = tuple[float, float | None]
"""Seconds after T0, and what was read."""


def made(path: Path, rows: Sequence[SampleRow]) -> Recording:
    """A log with these samples and no records."""

    async def write() -> None:
        log = await Log.create(path)
        try:
            await log.append((), samples=rows)
        finally:
            await log.close()

    asyncio.run(write())
    return read(path)


def rows(reads: Sequence[Read], signal: str = "errors", target: str | None = "web-1") -> list[SampleRow]:
    return [SampleRow(signal, target, T0 + second * S, value) for second, value in reads]


def of(path: Path, reads: Sequence[Read], ran: tuple[float, float] = (0, 1000)) -> Digest:
    return digest(made(path, rows(reads)), ASKED, SESSION, (T0 + ran[0] * S, T0 + ran[1] * S))


def holes(reads: Sequence[Read], ran: tuple[float, float]) -> list[Hole]:
    """By looking from each number to the next."""
    numbers = [second for second, value in reads if value is not None]
    ends = [-1e9, *numbers, 1e9]
    found: list[Hole] = []
    for since, until in pairwise(ends):
        begin, end = max(since, ran[0]), min(until, ran[1])
        if end - begin > 15:
            tried = any(value is None and since <= second <= until for second, value in reads)
            found.append(Hole(T0 + begin * S, T0 + end * S, tried))
    return sorted(found, key=lambda hole: hole.since)


def longest(reads: Sequence[Read], ran: tuple[float, float], limit: Tolerated) -> Beyond | None:
    """By following each reading beyond the limit as far as nothing breaks it."""
    best: tuple[float, float] | None = None
    for i, (since, first) in enumerate(reads):
        last = since
        if first is None or limit.low <= first <= limit.high or not ran[0] <= since <= ran[1]:
            continue
        for second, value in reads[i:]:
            beyond = value is not None and not limit.low <= value <= limit.high
            if not beyond or second > ran[1] or (second - last) * S > limit.stale:
                break
            last = second
        if best is None or last - since > best[1]:
            best = (since, last - since)
    return Beyond(T0 + best[0] * S, best[1] * S) if best else None


def test_readings_are_those_that_a_limit_could_act_on_and_holes_are_of_all_that_ran(tmp_path: Path) -> None:
    recording = made(tmp_path / "s.db", rows([(0, 1.5), (10, 2.5), (20, 1.5), (30, 9.0), (60, 9.0)]))
    ran, judged = (T0, T0 + 100 * S), (T0, T0 + 25 * S)
    whole, part = (
        digest(recording, ASKED, SESSION, ran, j).sources["errors", "web-1"] for j in (None, judged)
    )
    assert (whole.highest, part.highest) == ((9.0, T0 + 30 * S), (2.5, T0 + 10 * S))
    assert part.beyond == (Beyond(T0 + 10 * S, 0 * S), None)
    assert part.holes == whole.holes != ()


reads_of = st.lists(
    st.tuples(
        st.sampled_from([1, 5, 5, 5, 14, 15, 16, 40]), st.sampled_from([None, 0.5, 1.0, 1.5, 2.0, 2.1, 3.0])
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=examples(40), deadline=None)
@given(
    steps=reads_of,
    ran=st.sampled_from([(0, 1000), (30, 90), (100, 100), (-50, 20)]),
    once=st.sampled_from([1, 3, 99]),
)
def test_it_is_what_a_slow_look_finds(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[int, float | None]],
    ran: tuple[float, float],
    once: int,
) -> None:
    reads: list[Read] = []
    for step, value in steps:
        reads.append(((reads[-1][0] if reads else 0.0) + step, value))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "AT_ONCE", once)
        found = of(tmp_path_factory.mktemp("log") / "s.db", reads, ran)
    own = found.sources["errors", "web-1"]
    within = [
        (value, T0 + second * S)
        for second, value in reads
        if value is not None and ran[0] <= second <= ran[1]
    ]
    assert own.lowest == min(within, key=lambda each: each[0], default=None)
    assert own.highest == max(within, key=lambda each: each[0], default=None)
    assert list(own.holes) == holes(reads, ran)
    assert own.beyond == tuple(longest(reads, ran, limit) for limit in ASKED["errors"].limits)
    numbers = [value for _, value in reads if value is not None]
    (course,) = found.courses
    assert (course.signal, course.targets, course.samples) == ("errors", 1, len(numbers))
    assert min((low for _, low, _ in course.cells), default=None) == min(numbers, default=None)
    assert max((high for _, _, high in course.cells), default=None) == max(numbers, default=None)


def test_a_course_joins_all_targets_and_keeps_its_time(tmp_path: Path) -> None:
    draw = random.Random(7)
    many = [
        SampleRow("load", target, T0 + second * S, draw.uniform(0, 9))
        for second in range(0, 2400, 2)
        for target in ("web-1", "web-2", None)
    ]
    found = digest(made(tmp_path / "s.db", many), {}, SESSION, None)
    (course,) = found.courses
    assert (course.targets, course.samples, len(course.cells)) == (3, len(many), module.CELLS)
    assert found.sources == {}, "nothing was asked of it"
    for i, (at, low, high) in enumerate(course.cells):
        until = course.cells[i + 1][0] if i + 1 < len(course.cells) else T0 + 10_000 * S
        values = [row.value for row in many if at <= row.at < until]
        assert (low, high) == (
            min(v for v in values if v is not None),
            max(v for v in values if v is not None),
        )


def test_targets_are_told_apart_and_this_machine_has_its_name(tmp_path: Path) -> None:
    both = [*rows([(0, 1.5), (10, 3.0), (20, 1.5)]), *rows([(0, 1.2), (10, 1.1)], target=None)]
    found = digest(made(tmp_path / "s.db", both), ASKED, SESSION, (T0, T0 + 25 * S))
    assert found.sources["errors", "web-1"].highest == (3.0, T0 + 10 * S)
    assert found.sources["errors", HERE].lowest == (1.1, T0 + 10 * S)


def test_a_clock_that_goes_back_makes_no_hole_and_ends_a_stretch(tmp_path: Path) -> None:
    found = of(tmp_path / "s.db", [(0, 3.0), (10, 3.0), (4, 3.0), (8, 3.0), (14, 1.5)], (0, 20))
    own = found.sources["errors", "web-1"]
    assert own.holes == ()
    assert own.beyond[0] == Beyond(T0, 10 * S)


def test_a_log_without_samples_has_nothing(tmp_path: Path) -> None:
    assert digest(made(tmp_path / "s.db", []), ASKED, SESSION, None) == Digest()


def test_what_never_ran_has_a_course_and_no_holes(tmp_path: Path) -> None:
    found = digest(made(tmp_path / "s.db", rows([(0, 3.0), (100, 3.0)])), ASKED, SESSION, None)
    own = found.sources["errors", "web-1"]
    assert (own.lowest, own.highest, own.holes, own.beyond) == (None, None, (), (None, None))
    assert found.courses[0].samples == 2


def test_what_came_after_the_end_counts_no_more(tmp_path: Path) -> None:
    reads: list[Read] = [(0, 1.5), (90, 1.7), (91, 3.0), (92, 0.5), (80_000, 3.0)]
    own = of(tmp_path / "s.db", reads, (0, 90)).sources["errors", "web-1"]
    assert (own.lowest, own.highest, own.beyond) == ((1.5, T0), (1.7, T0 + 90 * S), (None, None))


def test_samples_of_another_time_are_counted_and_left_out(tmp_path: Path) -> None:
    odd = SampleRow("errors", "web-1", T0 + timedelta(days=400), 99.0)
    found = digest(made(tmp_path / "s.db", [*rows([(0, 1.5)]), odd]), ASKED, SESSION, (T0, T0 + S))
    assert (found.outside, found.courses[0].samples) == (1, 1)
    assert digest(made(tmp_path / "t.db", [odd]), ASKED, SESSION, None).outside == 1


def test_more_sources_than_can_be_followed_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_SOURCES", 3)
    many = [row for n in range(5) for row in rows([(0, 1.5), (5, 1.5)], target=f"web-{n}")]
    found = digest(made(tmp_path / "s.db", many), ASKED, SESSION, (T0, T0 + S))
    assert (len(found.sources), found.untold) == (3, 4)


def test_of_many_holes_the_longest_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_HOLES", 3)
    lengths = [20, 50, 30, 60, 16, 17, 18, 40, 19, 21]
    at = [float(sum(lengths[:n])) for n in range(len(lengths) + 1)]
    found = of(tmp_path / "s.db", [(second, 1.5) for second in at], (0, at[-1]))
    kept = found.sources["errors", "web-1"].holes
    assert [(hole.until - hole.since) / S for hole in kept] == [50, 60, 40]


def raw(path: Path, *values: tuple[object, ...]) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executemany(
            "INSERT INTO sample (signal, target, at_us, value) VALUES (?, ?, ?, ?)", values
        )


def test_what_somebody_wrote_into_the_table_breaks_nothing(tmp_path: Path) -> None:
    recording = made(tmp_path / "s.db", rows([(0, 1.5)]))
    at = int(T0.timestamp() * 1e6)
    raw(
        recording.path,
        ("errors", "web-1", at + 1, "many"),
        ("errors", "web-1", at + 2, b"\xff"),
        ("errors", "web-1", at + 3, 9e999),
        ("errors", "web-1", "soon", 1.0),
        ("errors", "web-1", 2**62, 1.0),
        ("errors", "web-1", at + 5.5, 1.25),
        (b"\xff\xfe", 3, at + 6, 7.0),
        ("errors", "web-1", at + 7, 1.75),
    )
    found = digest(recording, ASKED, SESSION, (T0, T0 + S))
    assert found.sources["errors", "web-1"].highest == (1.75, T0 + 7 * timedelta(microseconds=1))
    assert [(c.signal, c.samples) for c in found.courses] == [("errors", 3), ("��", 1)]
    assert found.outside == 2
    kept = [row for lot in lots(recording) for row in lot]
    assert len(kept) == 9
    assert [row[3] for row in kept[1:4]] == [None, None, None]


def test_samples_behind_a_damage_are_said_to_be_missing(tmp_path: Path) -> None:
    recording = made(tmp_path / "s.db", rows([(second, 1.5) for second in range(20_000)]))
    data = recording.path.read_bytes()
    recording.path.write_bytes(data[: len(data) // 2])
    found = digest(read_leniently(recording.path), ASKED, SESSION, (T0, T0 + S))
    assert "malformed" in found.fault
    assert found.outside == 0


def test_a_damaged_page_ends_the_pass_with_what_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = made(tmp_path / "s.db", rows([(second, 1.5) for second in range(20_000)]))
    good = digest(recording, ASKED, SESSION, (T0, T0 + 20_000 * S))
    assert good.courses[0].samples == 20_000
    # As if a page went bad between the first look and the pass.
    monkeypatch.setattr(module, "AT_ONCE", 1000)
    opens = 0

    class Failing:
        def opened(self):  # type: ignore[no-untyped-def]
            nonlocal opens
            opens += 1
            if opens == 4:
                recording.path.write_bytes(recording.path.read_bytes()[:4096])
            return recording.opened()

    found = digest(Failing(), ASKED, SESSION, (T0, T0 + 20_000 * S))
    assert found.fault
    assert found.courses[0].samples == 2000


def test_lots_are_every_sample_once_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cockpit.store.samples.AT_ONCE", 7)
    recording = made(tmp_path / "s.db", rows([(second, float(second)) for second in range(100)]))
    assert [row[3] for lot in lots(recording) for row in lot] == [float(second) for second in range(100)]
    assert max(len(lot) for lot in lots(recording)) == 7
    assert list(lots(made(tmp_path / "t.db", []))) == []
