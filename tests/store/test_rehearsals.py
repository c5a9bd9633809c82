"""The results of rehearsals: written, found again for the same plan, and refused where they can't be read."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from cockpit.core.errors import LogError
from cockpit.core.plan import RollbackTerms
from cockpit.runtime.rehearsed import found
from cockpit.store import rehearsals
from cockpit.store.rehearsals import Rehearsal, digest
from tests.core.plans import ERRORS, T0, limit, plan

PLAN = plan(
    signals=(ERRORS,), thresholds=(limit(),), rollback=RollbackTerms(rehearsed_within=timedelta(days=7))
)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def result(**changes: object) -> Rehearsal:
    kept = Rehearsal(
        T0, "/plans/tax.toml", digest(PLAN), {"errors > 2": 60.0}, {}, 40.5, ("db-1: no",), ("switch",)
    )
    return replace(kept, **changes)  # type: ignore[arg-type]


def test_a_result_is_found_again_for_its_plan_and_no_other() -> None:
    assert rehearsals.find(PLAN) is None
    path = rehearsals.write(result())
    assert (path.stat().st_mode & 0o777, [p.name for p in path.parent.iterdir()]) == (0o600, [path.name])
    assert rehearsals.find(PLAN) == result()
    rehearsals.write(result(at=T0 + timedelta(days=1)))
    newer = rehearsals.find(PLAN)
    assert newer is not None
    assert newer.at == T0 + timedelta(days=1)
    assert rehearsals.find(replace(PLAN, thresholds=())) is None


def test_what_was_rehearsed_makes_the_digest_and_nothing_else() -> None:
    release = replace(PLAN.release, version="8", links={"board": "https://board.example"})
    assert digest(replace(PLAN, release=release, people=())) == digest(PLAN)
    assert digest(replace(PLAN, rollback=RollbackTerms())) == digest(PLAN)
    others = (
        replace(PLAN, thresholds=(limit(for_=timedelta(seconds=1)),)),
        replace(PLAN, rollback=RollbackTerms(expected_time=timedelta(minutes=6))),
        replace(PLAN, roles=PLAN.roles.given("rollback_owner", "sam")),
        replace(PLAN, stages=PLAN.stages[:1]),
        replace(PLAN, signals=(replace(ERRORS, options={"run": "errors"}),)),
    )
    assert len({digest(PLAN), *map(digest, others)}) == 1 + len(others)


def test_a_session_is_told_of_the_newest_result_or_why_there_is_none() -> None:
    told = found(PLAN, "/plans/tax.toml", T0)
    assert told is not None
    assert (told.rehearsed_at, told.detail) == (None, "")
    assert found(replace(PLAN, rollback=RollbackTerms()), "/plans/tax.toml", T0) is None
    path = rehearsals.write(result(unproven={"errors > 2": "too long"}))
    told = found(PLAN, "/plans/tax.toml", T0)
    assert told is not None
    assert (told.rehearsed_at, told.unproven) == (T0, ("errors > 2",))
    assert told.rollback == timedelta(seconds=40.5)
    changed = found(replace(PLAN, stages=PLAN.stages[:1]), "/plans/tax.toml", T0)
    assert changed is not None
    assert changed.detail == "the plan was changed since its rehearsal of 2026-11-24 22:00 UTC"
    assert found(replace(PLAN, rollback=RollbackTerms()), "/plans/tax.toml", T0) is not None
    for damage in ("", "[]", '{"schema": "cockpit.rehearsal/2"}', path.read_text().replace("40.5", '"soon"')):
        path.write_text(damage)
        told = found(PLAN, "/plans/tax.toml", T0)
        assert told is not None
        assert told.rehearsed_at is None
        assert "can't be read" in told.detail


def test_a_result_that_can_not_be_kept_says_so(tmp_path: Path) -> None:
    (tmp_path / "cockpit").mkdir()
    (tmp_path / "cockpit" / "rehearsals").mkdir(mode=0o700)
    (tmp_path / "cockpit" / "rehearsals" / f"{digest(PLAN)}.json").mkdir()
    with pytest.raises(LogError, match="counts as not rehearsed"):
        rehearsals.write(result())
