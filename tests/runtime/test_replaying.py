"""A recorded session looked at again: at any moment it is as it was, with the numbers of that moment."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.commands import Refused
from cockpit.core.errors import LogError
from cockpit.core.evolve import replay
from cockpit.core.plan import HERE, Signal
from cockpit.core.state import initial
from cockpit.core.thresholds import Sample
from cockpit.runtime.judging import KEEP
from cockpit.runtime.live import RECENT
from cockpit.runtime.replaying import REPLAY, Recorded
from cockpit.runtime.replaying_place import place
from cockpit.runtime.replaying_player import Player
from cockpit.runtime.replaying_timeline import APART, Timeline
from cockpit.steps import commands
from cockpit.store.codec import encode
from cockpit.store.log import Log, SampleRow, read
from cockpit.store.recording import read_leniently
from cockpit.store.schema import EMPTY, NEW_LOG, link
from tests.core.plans import T0
from tests.runtime.recordings import PAUSES, PLAN, QUEUE, SECOND, by_hand, rolled_back

FIRST_VERSION = Path(__file__).parents[1] / "store" / "first_version.jsonl"
OPENED = ev.SessionOpened(T0, "s", "s-1", "dana", "dana", "desk", "1", "plan.toml", "", "", False)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Recorded]:
    """The session of `rolled_back`, recorded once."""
    yield await rolled_back(tmp_path_factory.mktemp("recorded") / "told.db")


def position_of(recorded: Recorded, kind: type[ev.Event], n: int = 0) -> int:
    """The position that the n-th event of that kind made."""
    return [p for p, e in enumerate(recorded.timeline.events, 1) if isinstance(e, kind)][n]


def verdict(at: datetime, said: ev.Verdict, value: float | None, **changes: object) -> ev.VerdictChanged:
    """A verdict of the limit that pauses, on web-1."""
    changed = ev.VerdictChanged(at, PAUSES.id, "queue", said, value, "> 4", "web-1", None, at, "")
    return replace(changed, **changes)  # type: ignore[arg-type]


def sample(
    seconds: float, value: float | None, target: str | None = "web-1", signal: str = "queue"
) -> SampleRow:
    return SampleRow(signal, target, T0 + seconds * SECOND, value)


# The state, the events, the head


def test_at_every_position_it_is_as_it_was_wherever_one_comes_from(told: Recorded) -> None:
    events = told.timeline.events
    hashes = dict(hashes_in(told))
    positions = [*range(1, len(events) + 1)] * 3
    random.Random(5).shuffle(positions)
    for position in positions:
        told.to(position)
        assert told.state == replay(events[:position], initial(PLAN, commands))
        assert told.events == events[:position]
        assert told.head == (position, hashes[position])
        assert told.now() == events[position - 1].at


def hashes_in(recorded: Recorded) -> list[tuple[int, str]]:
    with sqlite3.connect(recorded.path) as connection:
        return connection.execute("SELECT seq, hash FROM event").fetchall()


def test_a_moment_has_all_that_had_happened_by_then(told: Recorded) -> None:
    told.seek(T0 + 30 * SECOND)
    assert told.position == sum(e.at <= T0 + 30 * SECOND for e in told.timeline.events)
    told.seek(T0 - timedelta(days=1))
    assert told.now() == T0
    told.seek(T0 + timedelta(days=1))
    assert (told.position, told.now()) == (len(told.timeline), told.timeline.end)


def test_far_from_a_kept_state_it_is_the_same() -> None:
    events = [OPENED, *(ev.NoteAdded(T0 + n * SECOND, "kim", f"note {n}") for n in range(3 * APART))]
    events.insert(APART + 7, ev.ReleaseStarted(T0 + (APART + 5) * SECOND, "dana", "", "", (), ()))
    line = Timeline(events, initial(PLAN, commands))
    for position in (len(events), 1, APART + 7, APART + 8, APART, 2 * APART, 2 * APART - 1, APART + 7):
        assert line.state(position) == replay(events[:position], initial(PLAN, commands))


async def test_a_clock_that_went_back_changes_neither_order_nor_direction(tmp_path: Path) -> None:
    at = [0, 10, 4, 6, 20]
    notes = [ev.NoteAdded(T0 + s * SECOND, "kim", f"at {s}") for s in at]
    back = await by_hand(
        tmp_path / "back.db", [OPENED, *notes], [sample(9, 1.0), sample(5, 2.0), sample(15, 3.0)]
    )
    assert [(m - T0).total_seconds() for m in back.timeline.moments] == [0, 0, 10, 10, 10, 20]
    for position in range(1, 7):
        back.to(position)
        assert back.events == (OPENED, *notes)[:position]
    back.seek(T0 + 10 * SECOND)
    assert back.events[-1] == notes[3]
    assert [s.value for s in back.series("queue", "web-1")] == [1.0, 2.0]


async def test_a_sample_from_before_the_clock_went_back_waits_for_its_moment(tmp_path: Path) -> None:
    before, behind = [sample(1, 1.0)] * 5001, [sample(20, 20.0)] * 5000
    events = [OPENED, ev.NoteAdded(T0 + 30 * SECOND, "kim", "the end")]
    back = await by_hand(tmp_path / "back.db", events, [*before, sample(9, 9.0), sample(5, 5.0), *behind])
    back.seek(T0 + 7 * SECOND)
    assert [s.value for s in back.series("queue", "web-1") if s.value != 1.0] == [5.0]
    back.seek(T0 + 10 * SECOND)
    assert [s.value for s in back.series("queue", "web-1") if s.value != 1.0][-1] == 5.0


# The numbers


def test_the_numbers_at_a_decision_are_those_recorded_as_its_evidence(told: Recorded) -> None:
    told_of = 0
    for position in reversed(range(1, len(told.timeline) + 1)):
        told.to(position)
        for reading in getattr(told.events[-1], "evidence", ()):
            judged = told.judgement(reading.threshold)
            assert judged is not None
            assert (judged.value, judged.verdict, judged.target) == (
                reading.value,
                reading.verdict,
                reading.target,
            )
            told_of += 1
    assert told_of >= 10
    told.to(position_of(told, ev.RollbackStarted))
    judged = told.judgement("queue > 2")
    assert judged is not None and judged.value == 5.03


def test_between_two_records_the_newest_sample_is_shown(told: Recorded) -> None:
    told.seek(T0 + 32 * SECOND)
    newest = told.series("queue", "web-1")[-1]
    assert (newest.at, newest.value) == (T0 + 30 * SECOND, 1.025)
    for limit in ("queue > 4", "queue > 2"):
        judged = told.judgement(limit)
        assert judged is not None
        assert (judged.verdict, judged.value, judged.target) == ("pass", 1.025, "web-1")
        assert judged.known_until == T0 + 30 * SECOND
    told.to(1)
    assert told.judgement("queue > 4") is None


async def test_evidence_stands_until_a_newer_sample_comes(tmp_path: Path) -> None:
    said = ev.Reading(PAUSES.id, "queue", "pass", 2.5, "> 4", "web-2")
    paused = ev.RolloutPaused(T0 + 10 * SECOND, "sam", "", "", None, (said,))
    events = [OPENED, verdict(T0, "pass", 1.0), paused, ev.NoteAdded(T0 + 60 * SECOND, "kim", "later")]
    samples = [sample(8, 2.0), sample(9, 2.4, "web-2"), sample(12, 3.0), sample(13, 2.6, "web-2")]
    session = await by_hand(tmp_path / "evidence.db", events, samples)
    shown = {}
    for seconds in (9, 10, 11, 12, 13):
        session.seek(T0 + seconds * SECOND)
        judged = session.judgement(PAUSES.id)
        assert judged is not None
        shown[seconds] = (judged.value, judged.target)
    # As long as it passes the worst target's number is shown; at the decision, that of its evidence.
    assert shown == {
        9: (2.4, "web-2"),
        10: (2.5, "web-2"),
        11: (2.5, "web-2"),
        12: (3.0, "web-1"),
        13: (3.0, "web-1"),
    }


async def test_a_breach_keeps_its_target_and_shows_its_number(tmp_path: Path) -> None:
    events = [
        OPENED,
        verdict(T0, "breach", 5.0, breaching_since=T0),
        ev.NoteAdded(T0 + 60 * SECOND, "kim", "later"),
    ]
    session = await by_hand(
        tmp_path / "breach.db", events, [sample(3, 6.0), sample(4, 9.0, "web-2"), sample(5, None)]
    )
    session.seek(T0 + 4 * SECOND)
    judged = session.judgement(PAUSES.id)
    assert judged is not None
    assert (judged.verdict, judged.value, judged.target) == ("breach", 6.0, "web-1")
    assert judged.breaching_since == T0
    session.seek(T0 + 5 * SECOND)  # nothing could be read: what is known is what is on record
    judged = session.judgement(PAUSES.id)
    assert judged is not None and judged.value == 5.0


@pytest.mark.parametrize(
    ("changes", "value"),
    [({"aggregate": "sum"}, 5.0), ({"aggregate": "median"}, 2.5), ({"compare": "control"}, 1.0)],
)
async def test_targets_taken_together_are_one_number_and_a_ratio_stays_as_recorded(
    tmp_path: Path, changes: dict[str, str], value: float
) -> None:
    p = replace(PLAN, thresholds=(replace(PAUSES, **changes),))  # type: ignore[arg-type]
    events = [OPENED, verdict(T0, "pass", 1.0, target=None), ev.NoteAdded(T0 + 60 * SECOND, "kim", "later")]
    session = await by_hand(tmp_path / "one.db", events, [sample(3, 2.0), sample(4, 3.0, "web-2")], p)
    session.seek(T0 + 3 * SECOND)
    judged = session.judgement(PAUSES.id)
    assert judged is not None and judged.value == 1.0  # not every target has a number yet
    session.seek(T0 + 5 * SECOND)
    judged = session.judgement(PAUSES.id)
    assert judged is not None and judged.value == value


async def test_silence_grows(tmp_path: Path) -> None:
    silent = verdict(T0 + 16 * SECOND, "inconclusive", None, detail="no data for 16 s")
    events = [OPENED, verdict(T0, "pass", 1.0), silent, ev.NoteAdded(T0 + 60 * SECOND, "kim", "later")]
    session = await by_hand(tmp_path / "silent.db", events, [sample(0, 1.0)])
    for seconds in (16, 40):
        session.seek(T0 + seconds * SECOND)
        judged = session.judgement(PAUSES.id)
        assert judged is not None
        assert (judged.verdict, judged.detail) == ("inconclusive", f"no data for {seconds} s")


# The series


def test_a_series_ends_at_the_moment_and_is_the_same_however_one_comes_there(told: Recorded) -> None:
    told.to(1)
    played: dict[int, list[Sample]] = {}
    for seconds in range(0, 700, 7):
        told.seek(T0 + seconds * SECOND)
        played[seconds] = list(told.series("queue", "web-1"))
        assert all(s.at <= told.now() for s in played[seconds])
    for seconds in (693, 70, 350, 7, 0):
        told.seek(told.timeline.end)
        assert told.series("queue", "web-1")[-1].value == 5.035
        told.seek(T0 + seconds * SECOND)
        jumped = list(told.series("queue", "web-1"))
        assert jumped == played[seconds][-len(jumped) :]
        assert len(jumped) == min(len(played[seconds]), RECENT)
    assert not told.series("queue", "nowhere")


async def test_no_more_samples_are_kept_than_an_engine_keeps(tmp_path: Path) -> None:
    samples = [sample(n, float(n)) for n in range(3 * KEEP)]
    events = [OPENED, ev.NoteAdded(T0 + 3 * KEEP * SECOND, "kim", "the end")]
    session = await by_hand(tmp_path / "many.db", events, samples)
    for n in range(0, 3 * KEEP, 10):
        session.seek(T0 + n * SECOND)
        assert session.series("queue", "web-1")[-1].value == n
    assert len(session.series("queue", "web-1")) == KEEP


async def test_what_comes_seldom_is_found_far_back(tmp_path: Path) -> None:
    slow = Signal("orders", "command", timedelta(hours=1), targets=(HERE,))
    samples = [sample(1, 400.0, None, "orders"), *(sample(2 + n / 100, float(n)) for n in range(40_000))]
    events = [OPENED, ev.NoteAdded(T0 + 500 * SECOND, "kim", "the end")]
    session = await by_hand(tmp_path / "slow.db", events, samples, replace(PLAN, signals=(QUEUE, slow)))
    session.seek(session.timeline.end)
    assert [s.value for s in session.series("orders", HERE)] == [400.0]
    assert session.series("queue", "web-1")[-1].value == 39_999


async def test_what_people_entered_needs_no_samples(tmp_path: Path) -> None:
    tickets = Signal("tickets", "manual", timedelta(minutes=10), targets=(HERE,))
    entered = [ev.SignalEntered(T0 + n * SECOND, "tickets", float(n), "kim", "", "") for n in (10, 20)]
    session = await by_hand(
        tmp_path / "typed.db", [OPENED, *entered], (), replace(PLAN, signals=(QUEUE, tickets))
    )
    session.seek(T0 + 15 * SECOND)
    assert [s.value for s in session.series("tickets", HERE)] == [10.0]


async def test_how_hosts_did_is_put_together_again_from_its_metrics(tmp_path: Path) -> None:
    busy = Signal("busy", "host", 2 * SECOND, targets=("web-1",), options={"metric": "cpu"})
    own = Signal("load", "command", 5 * SECOND, targets=("web-1",))
    metrics = {"busy": 30.0, "memory": 60.0, "disk": 70.0, "load": 0.5, "network": 1e5}
    events = [OPENED, ev.NoteAdded(T0 + 9 * SECOND, "kim", "the end")]
    samples = [
        sample(at, value + at, "web-1", name)
        for at in (2, 4)
        for name, value in metrics.items()
        if (at, name) != (2, "disk")
    ]
    p = replace(PLAN, signals=(QUEUE, busy))
    session = await by_hand(tmp_path / "hosts.db", events, samples, p)
    assert session.host("web-1") is None
    session.seek(T0 + 3 * SECOND)
    latest = session.host("web-1")
    assert latest is not None and latest[0] == T0 + 2 * SECOND
    assert [latest[1].metric(n) for n in ("cpu", "memory", "disk", "load", "network")] == [
        32,
        62,
        None,
        2.5,
        100_002,
    ]
    session.seek(T0 + 9 * SECOND)
    assert [(at - T0, s.metric("cpu")) for at, s in session.hosts("web-1")] == [
        (2 * SECOND, 32.0),
        (4 * SECOND, 34.0),
    ]
    assert session.host("web-2") is None
    # A signal of the plan's own that is called like a metric is no metric.
    taken = await by_hand(tmp_path / "taken.db", events, samples, replace(PLAN, signals=(busy, own)))
    taken.seek(T0 + 9 * SECOND)
    assert taken.host("web-1") is None
    assert [s.value for s in taken.series("load", "web-1")] == [2.5, 4.5]


async def test_samples_that_make_no_sense_are_passed_over(tmp_path: Path) -> None:
    events = [OPENED, ev.NoteAdded(T0 + 9 * SECOND, "kim", "the end")]
    path = tmp_path / "odd.db"
    await by_hand(path, events, [sample(1, 1.0)])
    with sqlite3.connect(path) as connection:
        for id_, at, value in ((-(2**62), 5, 1), (7, "soon", 2), (2**62, 2**62, 3), (2**62 + 1, 0, b"\xff")):
            connection.execute("INSERT INTO sample VALUES (?, 'queue', 'web-1', ?, ?)", (id_, at, value))
    session = Recorded(read(path), PLAN)
    session.seek(T0 + 9 * SECOND)
    assert 1.0 in [s.value for s in session.series("queue", "web-1")]


# What was printed, and what can't be done


def test_what_a_step_printed_is_known_once_it_has_ended(told: Recorded) -> None:
    intended = position_of(told, ev.StepIntended)
    attempt = told.timeline.events[intended - 1]
    assert isinstance(attempt, ev.StepIntended)
    told.to(intended)
    assert told.output(attempt.attempt) == b""
    told.to(position_of(told, ev.StepFinished))
    assert told.output(attempt.attempt) == b"done\n"
    told.to(intended)
    assert told.output(attempt.attempt) == b""
    assert told.output("canary/switch/web-9/run-1") == b""


async def test_nothing_can_be_done_in_it(told: Recorded) -> None:
    pause = cmd.PauseRollout(T0, "dana")
    go = cmd.StartRelease(T0, "dana")
    assert await told.send(pause) == Refused(REPLAY)
    sign = cmd.SignItem(T0, "lee", item="backup")
    assert await told.challenge(sign) == await told.sign(sign) == await told.send(go) == Refused(REPLAY)
    assert (told.seat.may_act, told.me, told.failure, told.apart) == (False, "", "", False)


def test_who_subscribes_is_told_when_it_moves(told: Recorded) -> None:
    moves: list[int] = []
    end = told.subscribe(lambda: moves.append(told.position))
    told.to(3)
    told.seek(T0)
    end()
    end()
    told.to(5)
    assert moves == [3, told.timeline.position(T0)]


# Logs of every kind


def test_a_log_of_the_first_version_is_replayed(told: Recorded, tmp_path: Path) -> None:
    """The events and the fields that it had, and no samples."""
    fields = {
        (plain := json.loads(line))["type"]: plain.keys() for line in FIRST_VERSION.read_bytes().splitlines()
    }
    plain = [json.loads(encode(event)) for event in told.timeline.events]
    bodies = [
        json.dumps({k: v for k, v in one.items() if k in fields[one["type"]]}).encode()
        for one in plain
        if one["type"] in fields
    ]
    path = tmp_path / "old.db"
    path.touch(0o600)
    with sqlite3.connect(path) as connection:
        connection.executescript(NEW_LOG)
        before = bytes.fromhex(EMPTY.hash)
        for seq, body in enumerate(bodies, 1):
            before = link(before, body, seq)
            connection.execute("INSERT INTO event VALUES (?, ?, ?)", (seq, body.decode(), before.hex()))
    old = Recorded(read(path), PLAN)
    assert 20 < len(old.timeline) < len(told.timeline)
    compared = 0
    for position in reversed(range(1, len(old.timeline) + 1)):
        old.to(position)
        for reading in getattr(old.events[-1], "evidence", ()):
            judged = old.judgement(reading.threshold)
            assert judged is not None
            assert judged.value == reading.value
            compared += 1
    assert compared >= 10
    old.to(len(old.timeline))
    assert old.state.closed is not None and old.state.closed.outcome == "rolled_back"
    assert old.remarks == ("it has no samples: the numbers are those that its records keep",)


async def test_what_is_not_in_a_log_is_said(tmp_path: Path) -> None:
    path = tmp_path / "open.db"
    log = await Log.create(path)
    await log.append([OPENED, ev.NoteAdded(T0 + SECOND, "kim", "one")], samples=[sample(0, 1.0)])
    written = Recorded(read(path), PLAN)
    assert written.remarks == ("it is still being written: this is how it was when it was opened",)
    await log.append([ev.NoteAdded(T0 + 9 * SECOND, "kim", "two")], samples=[sample(0.5, 2.0)])
    written.seek(T0 + 60 * SECOND)
    assert (len(written.events), written.now()) == (2, T0 + SECOND)
    assert [s.value for s in written.series("queue", "web-1")] == [1.0]
    await log.close()
    assert Recorded(read(path), PLAN).remarks == ("it ends without a close",)


async def test_a_log_that_goes_away_meanwhile_is_shown_on_without_what_lay_in_it(tmp_path: Path) -> None:
    session = await by_hand(
        tmp_path / "gone.db",
        [OPENED, verdict(T0, "pass", 1.0), ev.SessionClosed(T0 + 9 * SECOND, "aborted", ())],
        [sample(0, 1.0)],
    )
    assert session.remarks == ()
    session.path.unlink()
    session.seek(T0 + SECOND)
    judged = session.judgement(PAUSES.id)
    assert judged is not None and judged.value == 1.0
    assert session.head == (2, "")
    assert session.output("canary/switch/web-1/run-1") == b""
    assert len(session.remarks) == 1
    assert session.remarks[0].startswith("its samples can't be read")


async def test_events_of_no_session_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="event 2, StepFound, makes no sense behind those before it"):
        await by_hand(tmp_path / "odd.db", [OPENED, ev.StepFound(T0, "no-attempt")])


async def test_what_a_lenient_reading_missed_is_said(tmp_path: Path) -> None:
    path = tmp_path / "cut.db"
    await by_hand(path, [OPENED, *(ev.NoteAdded(T0 + n * SECOND, "kim", str(n)) for n in range(1, 9))])
    with sqlite3.connect(path) as connection:
        connection.executescript("DROP TRIGGER event_no_delete; DELETE FROM event WHERE seq = 5")
    cut = Recorded(read_leniently(path), PLAN)
    assert (len(cut.timeline), cut.last_record) == (4, 4)
    assert cut.remarks[-2:] == (
        "it ends without a close",
        "it has no samples: the numbers are those that its records keep",
    )
    assert "Record 5" in cut.remarks[0]


async def test_records_that_this_version_does_not_know_leave_their_numbers_free(tmp_path: Path) -> None:
    path = tmp_path / "newer.db"
    await by_hand(path, [OPENED, *(ev.NoteAdded(T0 + n * SECOND, "kim", str(n)) for n in range(1, 5))])
    recording = read(path)
    newer = Recorded(replace(recording, events=(recording.events[0], *recording.events[2:])), PLAN)
    newer.to(2)
    assert (newer.record, newer.head) == (3, (3, recording.hash_at(3)))
    assert (newer.position_of(5), newer.position_of(2), newer.last_record) == (4, None, 5)


# The timeline's marks


def kinds(*events: ev.Event) -> list[tuple[str, int]]:
    line = Timeline([OPENED, *events], initial(PLAN, commands))
    return [(mark.kind, mark.position) for mark in line.marks]


def test_what_stands_out(told: Recorded) -> None:
    at = {
        kind: [m.position for m in told.timeline.marks if m.kind == kind]
        for kind in ("pause", "breach", "stage")
    }
    events = told.timeline.events
    assert [type(events[p - 1]) for p in at["pause"]] == [ev.RolloutPaused, ev.RolloutPaused]
    assert [getattr(events[p - 1], "threshold", "") for p in at["breach"]] == ["queue > 4", "queue > 2"]
    assert [type(events[p - 1]) for p in at["stage"]] == [ev.StageStarted]
    assert told.timeline.after(0, "rollback") == told.timeline.before(99, "rollback")
    decided = [type(events[m.position - 1]) for m in told.timeline.marks if m.kind == "decision"]
    assert decided == [
        ev.ReleaseStarted,
        ev.StagePromoted,
        ev.RolloutPaused,
        ev.RolloutResumed,
        ev.RolloutPaused,
        ev.RollbackStarted,
    ]


def test_a_breach_stands_out_once_and_again_when_it_is_worse_than_accepted() -> None:
    trip = ev.ThresholdTripped(T0, PAUSES.id, "pause", 5.0, "> 4", "web-1", (), "")
    breach, calm = verdict(T0, "breach", 5.0), verdict(T0, "pass", 1.0)
    assert kinds(breach, trip, replace(breach, target="web-2")) == [("breach", 2)]
    assert kinds(breach, trip, replace(breach, value=9.0), trip) == [("breach", 2), ("breach", 5)]
    assert kinds(breach, calm, breach) == [("breach", 2), ("breach", 4)]
    assert kinds(breach, ev.MachineSlept(T0, SECOND), breach) == [("breach", 2), ("breach", 4)]


# A place by its name


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("17:00", 0),
        ("17:01", 60),
        (" 17:01:10 ", 71),
        ("17:11:45", 706),
        ("17:11:50", 710),
    ],
)
def test_a_time_of_day_is_a_moment_in_the_zone(told: Recorded, said: str, seconds: int) -> None:
    told.to(1)
    found = place(said, told, ZoneInfo("America/New_York"))
    assert isinstance(found, datetime)
    assert round((found - T0).total_seconds()) == seconds


def test_a_second_is_told_at_its_end(told: Recorded) -> None:
    found = place("22:11:45", told, UTC)
    assert isinstance(found, datetime)
    told.seek(found)
    assert told.state.rollback is not None


def test_a_record_is_a_position(told: Recorded) -> None:
    assert place("31", told, UTC) == 31
    last = len(told.timeline)
    assert place("0", told, UTC) == f"there is no record 0: the last one is {last}"
    assert place("9" * 5000, told, UTC) == f"there is no record {'9' * 20}: the last one is {last}"


@pytest.mark.parametrize("said", ["", "soon", "25:00", "22:60", "1:2", "22:00:00:00", "²"])
def test_what_is_no_place_is_said(told: Recorded, said: str) -> None:
    found = place(said, told, UTC)
    assert isinstance(found, str)
    assert "no time like 22:14" in found


def test_a_time_outside_the_session_is_said(told: Recorded) -> None:
    assert place("21:59", told, UTC) == "21:59:00 isn't within the session: it went from 22:00:00 to 22:11:50"


async def test_a_time_that_came_on_several_days_is_the_next_one(tmp_path: Path) -> None:
    events = [OPENED, *(ev.NoteAdded(T0 + timedelta(days=n), "kim", "a day") for n in (1, 2))]
    days = await by_hand(tmp_path / "days.db", events)
    for n in (1, 2, 0):
        found = place("22:00", days, UTC)
        assert found == T0 + timedelta(days=n)
        days.seek(found)


# Moving by itself


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def player(recorded: Recorded, speed: int = 1) -> tuple[Player, Clock]:
    clock = Clock()
    recorded.to(1)
    made = Player(recorded, clock, speed)
    made.play()
    return made, clock


def passes(made: Player, clock: Clock, seconds: float) -> float:
    """So many seconds at the screen, a quarter at a time; the seconds of the session since its beginning."""
    for _ in range(round(4 * seconds)):
        clock.at += 0.25
        made.advance()
    return (made.recorded.now() - T0).total_seconds()


def test_it_plays_at_its_speed(told: Recorded) -> None:
    made, clock = player(told)
    assert passes(made, clock, 10) == 10
    made.faster(1)
    made.faster(1)
    assert (made.speed, passes(made, clock, 4)) == (5, 30)
    for _ in range(9):
        made.faster(-1)
    assert (made.speed, passes(made, clock, 4)) == (1, 34)
    made.toggle()
    assert (made.playing, passes(made, clock, 4)) == (False, 34)
    made.toggle()
    assert passes(made, clock, 1) == 35
    clock.at += 3600  # the screen stood still for an hour
    made.advance()
    assert (told.now() - T0).total_seconds() == 36
    for _ in range(9):
        made.faster(1)
    assert made.speed == 100


def test_it_stops_by_itself_at_the_rollback_with_the_numbers_of_that_moment(told: Recorded) -> None:
    made, clock = player(told, 10)
    passes(made, clock, 600)
    assert isinstance(told.events[-1], ev.RollbackStarted)
    assert (made.playing, made.note) == (False, "stopped at the rollback: space plays on")
    judged = told.judgement("queue > 2")
    assert judged is not None
    assert [judged.value] == [r.value for r in told.events[-1].evidence if r.threshold == "queue > 2"]
    made.toggle()
    passes(made, clock, 60)
    assert told.position == len(told.timeline)
    assert (made.playing, made.note) == (False, "the end of the log")
    made.toggle()
    assert (made.playing, made.note) == (False, "the end of the log: home goes back to its beginning")


async def test_it_stops_by_itself_at_an_abort(tmp_path: Path) -> None:
    aborted = ev.ReleaseAborted(T0 + 5 * SECOND, "dana", "", "wrong build", ())
    session = await by_hand(
        tmp_path / "abort.db", [OPENED, aborted, ev.NoteAdded(T0 + 5 * SECOND, "kim", "oh")]
    )
    made, clock = player(session)
    passes(made, clock, 60)
    assert (session.events[-1], made.note) == (aborted, "stopped at the abort: space plays on")


def test_silence_is_skipped_by_a_key_and_by_itself_when_it_plays_fast(told: Recorded) -> None:
    breached = told.timeline.moment(position_of(told, ev.ThresholdTripped))
    made, clock = player(told)
    made.skip()
    assert made.note == "nothing to skip: an event comes within 5 min"
    told.to(position_of(told, ev.RolloutResumed))
    made.play()
    passes(made, clock, 10)
    made.skip()
    assert made.note == "skipped 9 min 54 s without an event"
    assert told.now() == breached - 0.5 * SECOND
    made.skip()
    assert made.note.startswith("nothing to skip")
    assert made.playing
    made, clock = player(told, 20)
    assert passes(made, clock, 4) > 600
    assert made.note.startswith("skipped 9 min")
    made.faster(-1)
    assert made.note == ""
    made, clock = player(told, 10)
    assert passes(made, clock, 8) == 80
    assert made.note == ""


def test_what_was_skipped_is_not_said_for_long(told: Recorded) -> None:
    made, clock = player(told)
    told.to(position_of(told, ev.RolloutResumed))
    made.skip()
    passes(made, clock, 2)
    assert made.note
    told.seek(T0 + 300 * SECOND)
    passes(made, clock, 4)
    assert made.note == ""


def test_from_mark_to_mark_and_back(told: Recorded) -> None:
    made, _ = player(told)
    seen: list[type[ev.Event]] = []
    for _ in range(6):
        made.jump("decision", 1)
        assert not made.playing
        seen.append(type(told.events[-1]))
    assert seen[-1] is ev.RollbackStarted
    made.jump("decision", 1)
    assert (made.note, type(told.events[-1])) == ("no later decision", ev.RollbackStarted)
    made.jump("pause", -1)
    assert told.events[-1] == told.timeline.events[position_of(told, ev.RolloutPaused, 1) - 1]
    told.seek(told.now() + SECOND)
    made.jump("pause", -1)  # it stands behind that pause: back is to it
    assert told.position == position_of(told, ev.RolloutPaused, 1)
    made.jump("pause", -1)
    told.seek(told.now() + SECOND)
    made.jump("pause", -1)
    assert told.position == position_of(told, ev.RolloutPaused)
    made.jump("pause", -1)
    assert (made.note, told.position) == ("no earlier pause", position_of(told, ev.RolloutPaused))


def test_event_by_event(told: Recorded) -> None:
    made, _ = player(told)
    made.step(-1)
    assert told.position == 1
    for position in range(2, len(told.timeline) + 1):
        made.step(1)
        assert told.position == position
    made.step(1)
    assert told.position == len(told.timeline)
    resumed = position_of(told, ev.RolloutResumed)
    made.seek(told.timeline.moment(resumed) + 100 * SECOND)
    made.step(-1)
    assert (told.position, told.now()) == (resumed, told.timeline.moment(resumed))
    made.play()
    made.stop()
    assert not made.playing
