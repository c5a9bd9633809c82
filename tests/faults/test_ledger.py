"""The ledger checker finds each lie it is there for; an honest session has none."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.faults import ledger
from tests.faults.ledger import GENESIS, chained

PLAN = """
[release]
version = "2"
previous_version = "1"

[[step]]
id = "switch"

[[stage]]
name = "canary"

[[stage]]
name = "web"
gate = { approvers = ["dana"] }
"""


def event(type_: str, **fields: Any) -> dict[str, Any]:
    return {"type": type_, "at": "2026-11-24T22:00:00+00:00", **fields}


@dataclass
class Story:
    """A session told by hand: what the log says, what the targets say."""

    events: list[dict[str, Any]] = field(default_factory=list)
    ledgers: dict[str, list[str]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    shown: list[str] = field(default_factory=list)

    def add(self, type_: str, **fields: Any) -> None:
        self.events.append(event(type_, **fields))

    def attempt(self, stage: str, wave: int, target: str, way: str = "run", n: int = 1) -> str:
        """An intent that ran and succeeded, on both sides."""
        id_ = f"{stage}/switch/{target}/{way}-{n}"
        self.add(
            "StepIntended",
            attempt=id_,
            stage=stage,
            wave=wave,
            step="switch",
            target=target,
            direction=way,
        )
        self.ledgers.setdefault(target, []).extend([id_, f"{id_} done"])
        self.versions[target] = "2" if way == "run" else "1"
        self.add("StepFinished", attempt=id_, finish="succeeded", proven=True, exit_code=0, settled="")
        return id_

    def find(self, type_: str, **fields: Any) -> dict[str, Any]:
        """The first event of this type with these fields."""
        return next(e for e in self.events if e["type"] == type_ and fields.items() <= e.items())

    def drop(self, type_: str, **fields: Any) -> None:
        self.events.remove(self.find(type_, **fields))

    def check(self, path: Path, tamper: str = "") -> list[str]:
        """What the checker says of the story as files."""
        write(path / "s.db", self.events, tamper)
        for target, lines in self.ledgers.items():
            (path / f"ledger-{target}").write_text("".join(f"{line}\n" for line in lines))
            (path / f"version-{target}").write_text(self.versions[target])
        return ledger.check(
            path / "s.db",
            {t: path / f"ledger-{t}" for t in ("web-1", "web-2", "web-3", "web-4")},
            {t: path / f"version-{t}" for t in self.versions},
            self.shown,
        )


def write(path: Path, events: list[dict[str, Any]], tamper: str = "") -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "CREATE TABLE event (seq INTEGER PRIMARY KEY, body TEXT NOT NULL, hash TEXT NOT NULL)"
        )
        before = GENESIS
        for seq, told in enumerate(events, 1):
            body = json.dumps(told)
            before = chained(before, body.encode(), seq)
            connection.execute("INSERT INTO event VALUES (?, ?, ?)", (seq, body, before))
        if tamper:
            connection.execute(tamper)


def begun() -> Story:
    """A canary, a gate, two waves, on three targets; not closed yet."""
    story = Story()
    story.add("SessionOpened", plan_text=PLAN)
    story.add("ReleaseStarted", by="dana")
    story.add("StagePromoted", stage="canary", by="cockpit")
    story.attempt("canary", 0, "web-1")
    story.add("BakeFinished", stage="canary", wave=0)
    story.add("StageFinished", stage="canary")
    story.add("StagePromoted", stage="web", by="dana")
    story.attempt("web", 0, "web-2")
    story.add("BakeFinished", stage="web", wave=0)
    story.attempt("web", 1, "web-3")
    return story


def completed() -> Story:
    story = begun()
    story.add("BakeFinished", stage="web", wave=1)
    story.add("StageFinished", stage="web")
    story.add("SessionClosed", outcome="completed", partial=[])
    story.shown = [json.dumps(e) for e in story.events]
    return story


def back() -> Story:
    story = begun()
    story.add("RollbackStarted", by="lee")
    for stage, wave, target in (("web", 1, "web-3"), ("web", 0, "web-2"), ("canary", 0, "web-1")):
        story.attempt(stage, wave, target, "back")
    story.add("SessionClosed", outcome="rolled_back", partial=[])
    return story


def retried(authority: dict[str, Any] | None) -> Story:
    """The switch on web-3 failed, and ran once more after `authority`."""
    story = begun()
    story.find("StepFinished", attempt="web/switch/web-3/run-1").update(finish="failed", exit_code=1)
    story.ledgers["web-3"].remove("web/switch/web-3/run-1 done")
    if authority is not None:
        story.events.append(authority)
    story.attempt("web", 1, "web-3", n=2)
    return story


RETRY = event("RetryAuthorised", stage="web", step="switch", target="web-3", by="dana")
SAID = event("DoubtResolved", attempt="web/switch/web-3/run-1", finish="failed", by="lee")


@pytest.mark.parametrize("story", [completed(), back(), retried(RETRY), retried(SAID)])
def test_an_honest_session_breaks_nothing(tmp_path: Path, story: Story) -> None:
    assert story.check(tmp_path) == []


def test_before_there_is_a_log_nothing_may_have_run(tmp_path: Path) -> None:
    ledgers = {"web-1": tmp_path / "ledger"}
    assert ledger.check(tmp_path / "s.db", ledgers) == []
    sqlite3.connect(tmp_path / "s.db").close()
    assert ledger.check(tmp_path / "s.db", ledgers) == []
    (tmp_path / "ledger").write_text("a\n")
    assert ledger.check(tmp_path / "s.db", ledgers) == ["I1: a ran on web-1 without an intent in the log"]


def ran_unintended(story: Story) -> None:
    story.ledgers["web-4"], story.versions["web-4"] = ["web/switch/web-4/run-1"], "2"


def ran_elsewhere(story: Story) -> None:
    story.ledgers["web-2"], story.ledgers["web-3"] = story.ledgers["web-3"], story.ledgers["web-2"]


def ran_twice(story: Story) -> None:
    story.ledgers["web-2"].append("web/switch/web-2/run-1")


def intended_twice(story: Story) -> None:
    story.events.insert(-3, story.find("StepIntended", target="web-3"))


def shown_only(story: Story) -> None:
    story.shown.append(json.dumps(event("NoteAdded", by="dana", text="never written")))


def never_ran(story: Story) -> None:
    story.ledgers["web-3"].clear()


def never_ended(story: Story) -> None:
    story.ledgers["web-3"].remove("web/switch/web-3/run-1 done")


def ended_badly(story: Story) -> None:
    story.find("StepFinished", attempt="web/switch/web-3/run-1")["exit_code"] = None


def finished_only(story: Story) -> None:
    story.add("StepFinished", attempt="web/switch/web-9/run-1", finish="failed", exit_code=1)


def ran_nonetheless(story: Story) -> None:
    story.find("StepFinished", attempt="web/switch/web-3/run-1").update(finish="unreachable", exit_code=None)


def old_version(story: Story) -> None:
    story.versions["web-3"] = "1"


def no_gate(story: Story) -> None:
    story.drop("StagePromoted", stage="web")


def gate_by_itself(story: Story) -> None:
    story.find("StagePromoted", stage="web")["by"] = "cockpit"


def no_bake(story: Story) -> None:
    story.drop("BakeFinished", stage="web", wave=0)


def stage_unfinished(story: Story) -> None:
    story.drop("StageFinished", stage="canary")


@pytest.mark.parametrize(
    ("forge", "said"),
    [
        (ran_unintended, "I1: web/switch/web-4/run-1 ran on web-4 without an intent"),
        (ran_elsewhere, "I1: web/switch/web-3/run-1 ran on web-2, but was meant for web-3"),
        (ran_twice, "I2: web/switch/web-2/run-1 ran 2 times"),
        (intended_twice, "I2: web/switch/web-3/run-1 was intended 2 times"),
        (shown_only, "I4: NoteAdded at 2026-11-24T22:00:00+00:00 was shown"),
        (never_ran, "I6: web/switch/web-3/run-1 is recorded as succeeded, but never ran"),
        (never_ended, "I6: web/switch/web-3/run-1 is recorded as succeeded, but didn't come to its end"),
        (ended_badly, "I6: web/switch/web-3/run-1 is recorded as succeeded, with exit code None"),
        (finished_only, "I6: web/switch/web-9/run-1 finished without an intent"),
        (ran_nonetheless, "I6: web/switch/web-3/run-1 is recorded as unreachable: nothing ran; but"),
        (old_version, "I7: closed as completed, but web-3 has version 1"),
        (no_gate, "I14: web/switch/web-2/run-1 was intended before web was promoted"),
        (gate_by_itself, "I14: the gate of web was opened by nobody"),
        (no_bake, "I14: web/switch/web-3/run-1 was intended before wave 1 of web was baked"),
        (stage_unfinished, "I14: web/switch/web-2/run-1 was intended before canary was finished"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_lie_about_a_rollout_is_found(tmp_path: Path, forge: Callable[[Story], None], said: str) -> None:
    story = completed()
    forge(story)
    story.shown = story.shown if forge is shown_only else []
    found = story.check(tmp_path)
    assert [line for line in found if line.startswith(said)], found


@pytest.mark.parametrize(
    "authority",
    [
        None,
        {**RETRY, "by": "cockpit"},
        {**RETRY, "by": ""},
        {**RETRY, "target": "web-2"},
        {**SAID, "attempt": "web/switch/web-2/run-1"},
    ],
)
def test_a_step_that_ran_again_by_itself_is_found(tmp_path: Path, authority: dict[str, Any] | None) -> None:
    assert retried(authority).check(tmp_path) == [
        "I3: web/switch/web-3/run-2 ran after web/switch/web-3/run-1, and no named person allowed it"
    ]


def test_an_idempotent_step_may_run_again(tmp_path: Path) -> None:
    story = retried(None)
    story.events[0]["plan_text"] = PLAN.replace('id = "switch"', 'id = "switch"\nidempotent = true')
    assert story.check(tmp_path) == []


def test_a_step_settled_by_its_verify_needs_no_end_of_its_own(tmp_path: Path) -> None:
    story = completed()
    never_ended(story)
    story.shown = []
    story.find("StepFinished", attempt="web/switch/web-3/run-1").update(settled="verify", exit_code=None)
    assert story.check(tmp_path) == []


def unproven(story: Story) -> None:
    story.find("StepFinished", attempt="web/switch/web-2/back-1")["proven"] = False


def failed(story: Story) -> None:
    story.find("StepFinished", attempt="web/switch/web-2/back-1").update(finish="failed", exit_code=1)


def never_undone(story: Story) -> None:
    story.drop("StepIntended", attempt="web/switch/web-2/back-1")
    story.drop("StepFinished", attempt="web/switch/web-2/back-1")
    del story.ledgers["web-2"][2:]


def undone_before(story: Story) -> None:
    lines = story.ledgers["web-2"]
    story.ledgers["web-2"] = [*lines[2:], *lines[:2]]


@pytest.mark.parametrize("forge", [unproven, failed, never_undone, undone_before])
def test_a_way_back_that_was_not_proven_is_found(tmp_path: Path, forge: Callable[[Story], None]) -> None:
    story = back()
    forge(story)
    said = "I7: closed as rolled back, but nothing proves that web/switch/web-2/run-1 was undone"
    assert said in story.check(tmp_path)
    story.find("SessionClosed")["partial"] = ["web-2: rollback not proven"]
    (tmp_path / "again").mkdir()
    assert story.check(tmp_path / "again") == []


def test_a_target_that_kept_the_new_version_was_not_rolled_back(tmp_path: Path) -> None:
    story = back()
    story.versions["web-2"] = "2"
    assert story.check(tmp_path) == ["I7: closed as rolled_back, but web-2 has version 2"]


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        ("UPDATE event SET body = replace(body, 'dana', 'lee') WHERE seq = 2", "I5: the hash of record 2 "),
        ("DELETE FROM event WHERE seq = 2", "I5: record 2 is missing, the next one is 3"),
    ],
)
def test_a_changed_log_is_found(tmp_path: Path, tamper: str, said: str) -> None:
    found = begun().check(tmp_path, tamper)
    assert found[0].startswith(said)
