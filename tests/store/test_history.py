"""What a service's releases come to: outcomes, lengths, recoveries, and how the last compare with those before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cockpit.core import events as ev
from cockpit.store.history import COMPARED, History, histories
from cockpit.store.log import Log
from cockpit.store.sessions import listing

AT = datetime(2026, 11, 24, 22, 0, tzinfo=UTC)
GO = ev.ReleaseStarted(AT, "dana", "", "", (), ())


def at(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def verdict(
    seconds: float, said: ev.Verdict, since: float | None = None, limit: str = "errors > 2"
) -> ev.Event:
    began = None if since is None else at(since)
    return ev.VerdictChanged(at(seconds), limit, "errors", said, 3.0, "> 2", "web-1", began, None, "")


def tripped(seconds: float, limit: str = "errors > 2") -> ev.Event:
    return ev.ThresholdTripped(at(seconds), limit, "pause", 3.0, "> 2", "web-1", (), "")


def going_back(seconds: float) -> ev.Event:
    return ev.RollbackStarted(at(seconds), "lee", "", "", None, ())


def back(seconds: float, *unproven: str) -> ev.Event:
    return ev.RollbackFinished(at(seconds), ("web-1",), unproven)


def closed(seconds: float, outcome: ev.Outcome = "rolled_back") -> ev.Event:
    return ev.SessionClosed(at(seconds), outcome, ())


async def session(
    directory: Path, name: str, events: Sequence[ev.Event], day: int = 0, service: str = "checkout"
) -> Path:
    text = f'[release]\nservice = "{service}"\nenvironment = "production"\nversion = "7"'
    opened = ev.SessionOpened(
        AT + timedelta(days=day), name, "5p", "dana", "dana", "desk", "1", "plan.toml", "", text, False
    )
    log = await Log.create(directory / f"{name}.db")
    await log.append([opened, *(later(event, day) for event in events)])
    await log.close()
    return log.path


def later(event: ev.Event, days: int) -> ev.Event:
    by = timedelta(days=days)
    if isinstance(event, ev.VerdictChanged) and event.breaching_since is not None:
        event = replace(event, breaching_since=event.breaching_since + by)
    return replace(event, at=event.at + by)


def only(directory: Path) -> History:
    (found,) = histories(listing(directory=directory))
    return found


async def test_a_rollback_is_timed_from_its_breach_to_its_proof(tmp_path: Path) -> None:
    calm = [verdict(5, "breach", 1, "latency > 9"), verdict(8, "breach", 6), verdict(9, "pass")]
    bad = [verdict(31, "breach", 20), verdict(32, "breach", 25), tripped(33), going_back(40)]
    await session(tmp_path, "a", [GO, *calm, *bad, back(100), closed(101)])
    found = only(tmp_path)
    (release,) = found.releases
    assert release.length == timedelta(seconds=101)
    assert release.acted_in == timedelta(seconds=40 - 25), (
        "that breach, and not one of a limit that never fired"
    )
    assert release.recovered_in == timedelta(seconds=60)
    assert (found.recovery, found.acting) == (
        found.recovery.__class__(1, timedelta(seconds=60), timedelta(seconds=60)),
        found.acting.__class__(1, timedelta(seconds=15), timedelta(seconds=15)),
    )
    assert found.lately is None


async def test_what_is_not_proven_is_no_recovery_and_what_nobody_measured_breached_nothing(
    tmp_path: Path,
) -> None:
    await session(tmp_path, "a", [GO, going_back(40), back(100, "web-2: no verify"), closed(101)])
    release = only(tmp_path).releases[0]
    assert (release.acted_in, release.recovered_in) == (None, None)
    assert (only(tmp_path).recovery, only(tmp_path).acting) == (None, None)


async def test_a_clock_that_went_back_makes_no_negative_time(tmp_path: Path) -> None:
    await session(
        tmp_path, "a", [GO, verdict(50, "breach"), tripped(50), going_back(40), back(30), closed(-1)]
    )
    (release,) = only(tmp_path).releases
    assert (release.length, release.acted_in, release.recovered_in) == (timedelta(0),) * 3


async def test_outcomes_are_counted_among_the_releases_that_ended(tmp_path: Path) -> None:
    for n, outcome in enumerate(("completed", "completed", "rolled_back", "aborted")):
        await session(tmp_path, outcome + str(n), [GO, closed(10 * (n + 1), outcome)], n)  # type: ignore[arg-type]
    await session(tmp_path, "cut", [GO], 5)
    await session(tmp_path, "never", [closed(7, "aborted")], 6)
    await session(tmp_path, "other", [GO, closed(7, "completed")], 7, "billing")
    (tmp_path / "torn.db").write_bytes(b"no log")
    billing, checkout = histories(listing(directory=tmp_path))
    assert (billing.service, len(billing.releases)) == ("billing", 1)
    assert [r.row.name for r in checkout.releases] == [
        "completed0",
        "completed1",
        "rolled_back2",
        "aborted3",
        "cut",
    ]
    whole = checkout.whole
    assert (whole.count, whole.ends) == (4, {"completed": 2, "rolled_back": 1, "aborted": 1})
    assert (whole.rolled_back, whole.length) == (0.25, timedelta(seconds=25))


async def test_the_last_releases_are_held_against_those_before_once_there_are_enough(tmp_path: Path) -> None:
    for n in range(2 * COMPARED - 1):
        outcome = "rolled_back" if n < 2 else "completed"
        await session(tmp_path, f"s{n}", [GO, closed(10 * (n + 1), outcome)], n)  # type: ignore[arg-type]
    assert only(tmp_path).lately is None
    await session(tmp_path, "last", [GO, closed(500, "rolled_back")], 30)
    lately = only(tmp_path).lately
    assert lately is not None
    last, before = lately
    assert (last.rolled_back, last.length) == (0.2, timedelta(seconds=80))
    assert (before.rolled_back, before.length) == (0.4, timedelta(seconds=30))


async def test_a_session_that_runs_is_read_anew_once_it_went_on(tmp_path: Path) -> None:
    path = await session(tmp_path, "a", [GO])
    assert only(tmp_path).whole.count == 0
    log = await Log.open(path)
    try:
        assert only(tmp_path).releases[0].length is None
        await log.append([closed(70, "completed")])
        assert only(tmp_path).whole.count == 1
    finally:
        await log.close()
