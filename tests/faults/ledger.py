"""Judges a session by its targets' own ledgers, without any of cockpit's code.

A ledger is a file on a target to which each step appends a line with one write: `ATTEMPT` when it begins, and
`ATTEMPT done` just before it exits with 0. The invariants are those of docs/faults.md.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

COCKPIT = "cockpit"
GENESIS = hashlib.sha256(b"cockpit.log/1").hexdigest()

Body = dict[str, Any]
"""An event as its record has it: `type` and its fields."""

Key = tuple[str, str, str, str]
"""What ran: stage, step, target, direction."""


@dataclass(frozen=True, slots=True)
class Ledgers:
    """What the targets wrote: (target, attempt) in the order of each ledger, as begun and as done."""

    begun: list[tuple[str, str]] = field(default_factory=list)
    done: set[tuple[str, str]] = field(default_factory=set)


def chained(before: str, body: bytes, seq: int) -> str:
    """The hash (hex) of record `seq` after the hash `before` (hex)."""
    return hashlib.sha256(bytes.fromhex(before) + body + seq.to_bytes(8, "big")).hexdigest()


def check(
    log: Path,
    ledgers: Mapping[str, Path],
    versions: Mapping[str, Path] | None = None,
    shown: Sequence[str] = (),
) -> list[str]:
    """Every broken invariant (I1 to I7, I14) as a sentence; empty when all hold.

    `ledgers` and `versions` are files by target id; a file that isn't there says that nothing ran. `shown` are
    the lines that `--json` printed, of all processes that drove the session.
    """
    rows = _rows(log)
    told = _read(ledgers)
    events = [json.loads(body) for _, body, _ in rows]
    session = Session(events)
    return [
        *_chain(rows),
        *_intents(session, told),
        *_once(session, told),
        *_shown(events, shown),
        *_outcomes(session, told),
        *_rolled_back(session, told, versions or {}),
        *_gates(session),
    ]


class Session:
    """The events of a log, and the plan they carry."""

    def __init__(self, events: Sequence[Body]) -> None:
        self.events = events
        opened = next((e for e in events if e["type"] == "SessionOpened"), None)
        plan: Body = tomllib.loads(opened["plan_text"]) if opened else {}
        self.stages: list[Body] = plan.get("stage", [])
        self.steps: dict[str, Body] = {step["id"]: step for step in plan.get("step", [])}
        self.release: Body = plan.get("release", {})
        self.intents = {e["attempt"]: e for e in self.of("StepIntended")}
        self.closed = next(iter(self.of("SessionClosed")), None)

    def of(self, *types: str) -> Iterator[Body]:
        """The events of these types, in order."""
        return (e for e in self.events if e["type"] in types)

    def key(self, attempt: str) -> Key:
        """What an attempt with an intent set out to run."""
        e = self.intents[attempt]
        return e["stage"], e["step"], e["target"], e["direction"]

    def finish(self, attempt: str) -> Body | None:
        """The last word on an attempt: how it finished, or what a person said about it."""
        return next(
            (
                e
                for e in reversed(self.events)
                if e["type"] in ("StepFinished", "DoubtResolved") and e["attempt"] == attempt
            ),
            None,
        )


def _rows(log: Path) -> list[tuple[int, bytes, str]]:
    """(seq, body, hash) of every record; none where cockpit died before there was a log."""
    if not log.exists():
        return []
    with closing(sqlite3.connect(f"file:{log}?mode=ro", uri=True, timeout=5)) as connection:
        connection.text_factory = bytes
        if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'event'").fetchone():
            return []
        rows = connection.execute("SELECT seq, body, hash FROM event ORDER BY seq").fetchall()
    return [(seq, body, digest.decode()) for seq, body, digest in rows]


def _read(ledgers: Mapping[str, Path]) -> Ledgers:
    told = Ledgers()
    for target, path in ledgers.items():
        for line in path.read_text().splitlines() if path.exists() else ():
            attempt, _, ended = line.rpartition(" done")
            if attempt and not ended:
                told.done.add((target, attempt))
            else:
                told.begun.append((target, line))
    return told


def _chain(rows: Iterable[tuple[int, bytes, str]]) -> Iterator[str]:
    before, expected = GENESIS, 1
    for seq, body, digest in rows:
        if seq != expected:
            yield f"I5: record {expected} is missing, the next one is {seq}"
            return
        if digest != chained(before, body, seq):
            yield f"I5: the hash of record {seq} doesn't follow from it and those before"
            return
        before, expected = digest, seq + 1


def _intents(session: Session, told: Ledgers) -> Iterator[str]:
    for target, attempt in told.begun:
        intent = session.intents.get(attempt)
        if intent is None:
            yield f"I1: {attempt} ran on {target} without an intent in the log"
        elif intent["target"] != target:
            yield f"I1: {attempt} ran on {target}, but was meant for {intent['target']}"
    for attempt, times in Counter(attempt for _, attempt in told.begun).items():
        if times > 1:
            yield f"I2: {attempt} ran {times} times"
    for attempt, times in Counter(e["attempt"] for e in session.of("StepIntended")).items():
        if times > 1:
            yield f"I2: {attempt} was intended {times} times"


def _once(session: Session, told: Ledgers) -> Iterator[str]:
    """A step that isn't idempotent and ran (the ledger says so) runs again only after a person's record between."""
    ran = {attempt for _, attempt in told.begun}
    last: dict[Key, str] = {}
    allowed: set[Key] = set()
    for e in session.events:
        if e["type"] == "RetryAuthorised" and e["by"] not in ("", COCKPIT):
            allowed |= {(e["stage"], e["step"], e["target"], way) for way in ("run", "back")}
        elif (
            e["type"] == "DoubtResolved" and e["by"] not in ("", COCKPIT) and e["attempt"] in session.intents
        ):
            allowed.add(session.key(e["attempt"]))
        elif e["type"] == "StepIntended" and e["attempt"] in ran:
            key = session.key(e["attempt"])
            idempotent = session.steps.get(e["step"], {}).get("idempotent", False)
            if key in last and key not in allowed and not idempotent:
                yield f"I3: {e['attempt']} ran after {last[key]}, and no named person allowed it"
            last[key] = e["attempt"]
            allowed.discard(key)


def _shown(events: Sequence[Body], shown: Sequence[str]) -> Iterator[str]:
    known = {json.dumps(e, sort_keys=True) for e in events}
    for line in shown:
        event = json.loads(line)
        if json.dumps(event, sort_keys=True) not in known:
            yield f"I4: {event['type']} at {event['at']} was shown, but the log doesn't have it"


def _outcomes(session: Session, told: Ledgers) -> Iterator[str]:
    """Success takes the target's own word: the attempt came to its end there, with exit code 0."""
    begun, done = set(told.begun), told.done
    for e in session.of("StepFinished"):
        attempt = e["attempt"]
        if attempt not in session.intents:
            yield f"I6: {attempt} finished without an intent"
            continue
        target = session.intents[attempt]["target"]
        verified = e.get("settled") == "verify"
        if e["finish"] == "succeeded":
            if (target, attempt) not in begun:
                yield f"I6: {attempt} is recorded as succeeded, but never ran on {target}"
            elif not verified and (target, attempt) not in done:
                yield f"I6: {attempt} is recorded as succeeded, but didn't come to its end on {target}"
            elif not verified and e["exit_code"] != 0:
                yield f"I6: {attempt} is recorded as succeeded, with exit code {e['exit_code']}"
        if e["finish"] in ("unreachable", "skipped") and (target, attempt) in begun:
            yield f"I6: {attempt} is recorded as {e['finish']}: nothing ran; but it ran on {target}"


def _rolled_back(session: Session, told: Ledgers, versions: Mapping[str, Path]) -> Iterator[str]:
    """The outcome holds on every touched target: what undid it ran there after it, and was proven."""
    closed = session.closed
    if closed is None or closed["partial"]:
        return
    begun = {attempt: n for n, (_, attempt) in enumerate(told.begun)}
    touched = [a for a in begun if a in session.intents and session.intents[a]["direction"] == "run"]
    wanted = {"rolled_back": "previous_version", "completed": "version"}.get(closed["outcome"])
    for attempt in touched if closed["outcome"] == "rolled_back" else ():
        stage, step, target, _ = session.key(attempt)
        undoing = (stage, step, target, "back")
        proven = any(
            begun.get(back, -1) > begun[attempt] and _is_proven(session, back)
            for back in session.intents
            if session.key(back) == undoing
        )
        if not proven:
            yield f"I7: closed as rolled back, but nothing proves that {attempt} was undone"
    if wanted is None:
        return
    for target in sorted({session.intents[a]["target"] for a in touched}):
        path = versions.get(target)
        there = path.read_text().strip() if path is not None and path.exists() else None
        if path is not None and there != session.release[wanted]:
            yield f"I7: closed as {closed['outcome']}, but {target} has version {there}"


def _is_proven(session: Session, attempt: str) -> bool:
    finish = session.finish(attempt)
    return finish is not None and finish["finish"] == "succeeded" and finish.get("proven") is True


def _gates(session: Session) -> Iterator[str]:
    """What an intent going forward waits for: its stage's promotion, the stage before, the bake before."""
    order = [stage["name"] for stage in session.stages]
    gated = {stage["name"] for stage in session.stages if "gate" in stage}
    promoted: set[str] = set()
    finished: set[str] = set()
    baked: set[tuple[str, int]] = set()
    for e in session.events:
        match e["type"]:
            case "StagePromoted":
                if e["stage"] in gated and e["by"] in ("", COCKPIT):
                    yield f"I14: the gate of {e['stage']} was opened by nobody"
                promoted.add(e["stage"])
            case "StageFinished":
                finished.add(e["stage"])
            case "BakeFinished":
                baked.add((e["stage"], e["wave"]))
            case "StepIntended" if e["direction"] == "run":
                stage, wave = e["stage"], e["wave"]
                if stage not in promoted:
                    yield f"I14: {e['attempt']} was intended before {stage} was promoted"
                for earlier in order[: order.index(stage)] if stage in order else ():
                    if earlier not in finished:
                        yield f"I14: {e['attempt']} was intended before {earlier} was finished"
                if wave and (stage, wave - 1) not in baked:
                    yield f"I14: {e['attempt']} was intended before wave {wave} of {stage} was baked"
            case _:
                pass
