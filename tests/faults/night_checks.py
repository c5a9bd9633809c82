"""What must hold all night: checked as records come, every quarter of an hour, and at each end."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from cockpit.core import claims
from cockpit.core import events as ev
from cockpit.core.evolve import replay
from cockpit.core.plan import HERE, Plan
from cockpit.core.state import State, initial
from cockpit.core.view import next_move, status
from cockpit.core.wanted import wanted
from cockpit.runtime.engine import Engine
from cockpit.steps import commands
from cockpit.store.log import read, verify
from tests.core.moves import says_whose_move
from tests.core.oracle import check
from tests.faults.night_fleet import Fleet

OURS = "night:"
"""How tasks of the night itself are called: whatever else is left after a session was left by it."""

DRIVES = (ev.StepIntended, ev.StagePromoted, ev.WaveStarted, ev.ReleaseStarted)


class Broke(Exception):
    """Something that must hold doesn't; the message says what."""


def holds(fact: object, what: str) -> None:
    """Broke where it doesn't."""
    if not fact:
        raise Broke(what)


@dataclass
class Watch:
    """Folds every record of one process as it comes, and compares with what the engine says."""

    engine: Engine
    plan: Plan
    state: State = field(init=False)
    seen: int = 0
    broken: str = ""

    def __post_init__(self) -> None:
        self.state = initial(self.plan, commands)

    def news(self) -> None:
        """What was recorded since: folded here it gives the engine's state, and says whose move it is."""
        if self.broken or len(self.engine.events) == self.seen:
            return
        try:
            self._news()
        except (
            AssertionError,
            Broke,
        ) as fault:  # a subscriber must not raise: whoever waits for the end does
            self.broken = str(fault) or repr(fault)

    def _news(self) -> None:
        new = self.engine.events[self.seen :]
        self.seen += len(new)
        self.state = replay(new, self.state)
        state = self.engine.state
        holds(self.state == state, "the fold of the records isn't the engine's state")
        busy = {a.id for a in (*state.running(), *state.unsettled())}
        holds(set(wanted(state)) <= busy, "an attempt is wanted that neither runs nor is in doubt")
        holds(state.alone is None or state.unattended, "left alone, though somebody is here")
        said = next_move(state, self.engine.now(), me="dana").says
        holds(says_whose_move(said, state), f"whose move is it? {said!r}")
        holds(status(state, self.engine.now()), "no status")


class Durable:
    """Which intents are on disk, asked of the file itself."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seq = 0
        self._known: set[str] = set()

    def begun(self, target: str, attempt: str) -> None:
        """An attempt begins on its target: Broke where its intent isn't durable."""
        if attempt not in self._known:
            self._read()
        holds(attempt in self._known, f"{attempt} began on {target} before its intent was durable")

    def _read(self) -> None:
        with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)) as log:
            rows = log.execute(
                "SELECT seq, body FROM event WHERE seq > ? ORDER BY seq", (self._seq,)
            ).fetchall()
        for seq, body in rows:
            self._seq = seq
            said = json.loads(body)
            if said["type"] == "StepIntended":
                self._known.add(said["attempt"])


def check_events(events: Sequence[ev.Event], plan: Plan) -> None:
    """The safety rules on the records alone, and that they bear out what they claim."""
    try:
        check(events, plan)
    except AssertionError as fault:
        raise Broke(f"the oracle: {fault}") from fault
    unborne = claims.check(events, plan)
    holds(not unborne, f"the log claims what it doesn't bear out: {unborne}")


def check_log(path: Path, known: Sequence[ev.Event], state: State, plan: Plan) -> None:
    """The file verifies, holds what was known, and its replay is the state."""
    found = verify(path)
    holds(found.ok, f"the log doesn't verify: {found.reason}")
    recorded = [event for _, event in read(path).events]
    holds(recorded[: len(known)] == list(known), "the log isn't what the engine said it recorded")
    if len(recorded) == len(known):
        holds(replay(recorded, initial(plan, commands)) == state, "the replay of the log isn't the state")
    check_events(recorded, plan)


def check_books(fleet: Fleet, session: str, events: Sequence[ev.Event]) -> None:
    """The targets' own books against the records: an attempt ran at most once, and succeeded as they say."""
    intended = {e.attempt: e for e in events if isinstance(e, ev.StepIntended)}
    again = [key for key, times in fleet.executions.items() if times > 1]
    holds(not again, f"ran more than once: {again}")
    steps: Counter[tuple[str, str, str, str]] = Counter()
    for target, (of, attempt) in fleet.executions:
        if of == session:
            holds(attempt in intended, f"{attempt} ran on {target}, and no record intends it")
            i = intended[attempt]
            steps[i.stage, i.step, i.target, i.direction] += 1
    allowed = Counter((e.stage, e.step, e.target) for e in events if isinstance(e, ev.RetryAuthorised))
    for (stage, step, target, direction), times in steps.items():
        most = 1 + allowed[stage, step, target]
        holds(
            times <= most,
            f"{step} ({direction}) ran {times} times on {target} in {stage}; {most} were authorised",
        )
    for event in events:
        if isinstance(event, ev.StepFinished) and event.finish == "succeeded" and event.settled != "verify":
            machine = fleet.machines[intended[event.attempt].target]
            record = machine.records.get((session, event.attempt))
            holds(record is not None and record.exit_code == 0, f"{event.attempt} succeeded without a record")


def check_end(fleet: Fleet, session: str, events: Sequence[ev.Event], end: ev.SessionClosed) -> None:
    """What the end says of the targets is how they are."""
    if end.outcome == "rolled_back" and not end.partial:
        touched = {t for t, (of, _) in fleet.executions if of == session} - {HERE}
        new = [t for t in touched if fleet.machines[t].version != "1"]
        holds(not new, f"rolled back, but the new version is on {new}")
    if end.outcome == "completed":
        excluded = {e.target for e in events if isinstance(e, ev.TargetExcluded)}
        partial = " ".join(end.partial)
        old = [
            m.id for m in fleet.targets if m.version != "2" and m.id not in excluded and m.id not in partial
        ]
        holds(not old, f"completed, but the old version is on {old}")


@dataclass(frozen=True)
class Act:
    """What somebody asked for; `mark` stands in its record, if there is one. `refused` None: nobody knows."""

    mark: str
    name: str
    refused: bool | None


def check_acts(acts: Sequence[Act], events: Sequence[ev.Event]) -> None:
    """Nothing that was refused is done, and all that was acknowledged is on record."""
    marks = {
        said.split(":")[0]
        for event in events
        for field_ in ("reason", "note", "text")
        if isinstance(said := getattr(event, field_, None), str) and said.startswith("act-")
    }
    for act in acts:
        if act.refused is True:
            holds(act.mark not in marks, f"{act.name} ({act.mark}) was refused, and is on record")
        elif act.refused is False:
            holds(act.mark in marks, f"{act.name} ({act.mark}) was acknowledged, and isn't on record")


# What is left behind


@dataclass(frozen=True)
class Left:
    """What a process holds: tasks that aren't the night's own, open files, threads."""

    tasks: int
    files: int
    threads: int


def names_of_tasks() -> list[str]:
    """The tasks that aren't the night's own."""
    return sorted(
        f"{t.get_name()} {t.get_coro()!r}"
        for t in asyncio.all_tasks()
        if not t.get_name().startswith(OURS) and t is not asyncio.current_task()
    )


def left() -> Left:
    """What this process holds at this moment, garbage collected."""
    gc.collect()
    holds(not gc.garbage, f"garbage that can't be collected: {gc.garbage[:3]}")
    return Left(len(names_of_tasks()), len(os.listdir("/proc/self/fd")), len(_threads()))


def check_left(base: Left) -> None:
    """No more is held than at the beginning."""
    now = left()
    holds(now.tasks <= base.tasks, f"tasks left behind: {names_of_tasks()}")
    files = {n: _leads(n) for n in os.listdir("/proc/self/fd")}
    holds(now.files <= base.files, f"files left open: {base.files} at first, {now.files} now: {files}")
    holds(now.threads <= base.threads, f"threads left: {_threads()}")


def _threads() -> list[str]:
    """Those of the loop's own pool, of which there are only so many, stay to be used again."""
    return [thread.name for thread in threading.enumerate() if not thread.name.startswith("asyncio_")]


def _leads(fd: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        return ""


def resident() -> int:
    """Bytes of memory that this process has now."""
    status_ = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status_.splitlines() if line.startswith("VmRSS"))
