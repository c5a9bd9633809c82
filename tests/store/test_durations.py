"""How long steps take, as earlier sessions of the service in its environment tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cockpit.core import events as ev
from cockpit.core.plan import Plan, Release, Stage, Step, Target
from cockpit.store.durations import SESSIONS, usual
from cockpit.store.log import Log
from tests.core.plans import ROLES

AT = datetime(2026, 11, 24, 22, 0, tzinfo=UTC)
PLAN = Plan(
    release=Release("Tax rules", "checkout", "production", "7", "6", ""),
    roles=ROLES,
    targets=(Target("web-1", "10.0.0.1"),),
    steps=(Step("switch", "switch 7", rollback="switch 6"), Step("warm", "warm up")),
    stages=(Stage("all", ("switch", "warm"), ("web-1",)),),
)


def ran(
    name: str, seconds: float, way: ev.Direction = "run", step: str = "switch", **also: object
) -> list[ev.Event]:
    """A step that succeeded; `also` replaces fields of its end."""
    intent = ev.StepIntended(AT, name, "all", 0, step, "web-1", way, 1, step, None, timedelta(minutes=5))
    end = ev.StepFinished(AT, name, "succeeded", True, 0, 0, seconds, "", 0, "", "")
    return [intent, replace(end, **also)]  # type: ignore[arg-type]


async def session(
    directory: Path, name: str, events: Sequence[ev.Event], environment: str = "production", day: int = 0
) -> Path:
    text = f'[release]\nservice = "checkout"\nenvironment = "{environment}"\nversion = "7"'
    at = AT + timedelta(days=day)
    opened = ev.SessionOpened(at, name, "5p", "dana", "dana", "laptop", "1", "plan.toml", "", text, False)
    log = await Log.create(directory / f"{name}.db")
    await log.append([opened, *events])
    await log.close()
    return log.path


async def test_the_usual_time_is_the_median_of_all_successes_that_were_measured(tmp_path: Path) -> None:
    first = [*ran("a", 10), *ran("b", 30), *ran("c", 99, finish="failed"), *ran("d", 500, settled="verify")]
    second = [*ran("e", 20), *ran("f", 7, "back"), *ran("g", 9, "back", settled="record"), *ran("h", 0)]
    await session(tmp_path, "first", [*first, *ran("w", 3, step="warm")])
    await session(tmp_path, "second", [*second, *ran("x", 3, step="other")], day=1)
    assert usual(PLAN, tmp_path) == (
        ev.UsualTime("switch", "run", 20, 3),
        ev.UsualTime("switch", "back", 8, 2),
    )


async def test_another_environment_or_service_says_nothing(tmp_path: Path) -> None:
    await session(tmp_path, "demo", [*ran("a", 10), *ran("b", 10)], environment="demo")
    assert usual(PLAN, tmp_path) == ()
    release = replace(PLAN.release, environment="demo")
    assert len(usual(replace(PLAN, release=release), tmp_path)) == 1
    assert usual(replace(PLAN, release=replace(release, service="basket")), tmp_path) == ()


async def test_only_the_newest_sessions_in_which_steps_ran_count(tmp_path: Path) -> None:
    await session(tmp_path, "oldest", [*ran("a", 500), *ran("b", 500)])
    for n in range(SESSIONS):
        await session(tmp_path, f"s{n}", ran("a", 10), day=n + 1)
        await session(tmp_path, f"never-{n}", [], day=n + 1)
    assert usual(PLAN, tmp_path) == (ev.UsualTime("switch", "run", 10, SESSIONS),)


async def test_what_cannot_be_read_counts_for_nothing_and_a_log_that_grew_is_read_anew(
    tmp_path: Path,
) -> None:
    path = await session(tmp_path, "a", [*ran("a", 10), *ran("b", 10)])
    (tmp_path / "torn.db").write_bytes(b"SQLite format 3\x00 no more")
    (tmp_path / "torn.db").chmod(0o600)
    assert usual(PLAN, tmp_path)[0].runs == 2
    log = await Log.open(path)
    try:
        await log.append(ran("c", 10))
        assert usual(PLAN, tmp_path)[0].runs == 3
        await log.append(ran("d", 10))
        assert usual(PLAN, tmp_path)[0].runs == 4, "also while it is written"
    finally:
        await log.close()
    assert usual(PLAN, tmp_path)[0].runs == 4
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:5000])
    assert usual(PLAN, tmp_path) == ()
