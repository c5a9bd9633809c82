"""One release that meets it all: a gate, a limit, an override, people who come and go, a way back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from cockpit.core import events as e
from cockpit.core import plan as p
from cockpit.store.output import Kept, Output
from cockpit.store.schema import Head

START = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
HEAD = Head(59, "ab" * 32)
BREACH = e.Reading("errors > 2", "errors", "breach", 2.4, "> 2", "web-1")
CLEAN = e.Reading("errors > 2", "errors", "pass", 0.4, "> 2")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP0xOTXrtRcex1zzOz4jpRz7BwhxwGwzdro9NBivru50 lee at home"
LINE = (
    "cockpit-signoff v1 person=lee decision=sign about=backup text='Backup restored on staging' "
    f"plan={'cd' * 32} session=s-1 head=2:{'ef' * 32} nonce={'01' * 16} until=2026-11-24T15:15:00+00:00"
)
ARMOURED = "-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----\n"
BLOCK = f"{LINE}\n{ARMOURED}"
OUTPUT = b"switching\r\nno space left on \xff device\n"


def plan() -> p.Plan:
    """The plan of the story: two stages over three targets, one limit, two checklist items."""
    return p.Plan(
        release=p.Release(
            "Checkout tax rules v7",
            "checkout",
            "production",
            "2026.11.3",
            "2026.11.2",
            "EU receipts show the old tax line.",
            "CHG-1042",
            {"dashboard": "https://grafana.example/d/checkout"},
        ),
        roles=p.Roles("dana", "lee"),
        targets=tuple(p.Target(f"web-{n}", f"10.0.0.{n}", groups=("web",)) for n in (1, 2, 3)),
        steps=(
            p.Step(
                "switch",
                "bin/switch {version}",
                verify="bin/health",
                rollback="bin/switch {previous_version}",
            ),
        ),
        stages=(
            p.Stage("canary", ("switch",), ("web-1",), bake_time=timedelta(minutes=10)),
            p.Stage("web", ("switch",), ("web",), waves=(1, "rest"), gate=p.Gate(("decision_owner",))),
        ),
        people=(
            p.Person("dana", "Dana Ruiz", os_user="druiz"),
            p.Person("lee", "Lee Chen", os_user="lchen", key=KEY),
            p.Person("kim", "Kim Park"),
        ),
        window=p.Window(START - timedelta(hours=1), START + timedelta(hours=3), "America/New_York"),
        signals=(
            p.Signal("errors", "command", timedelta(seconds=5), unit="%"),
            p.Signal("tickets", "manual", timedelta(minutes=10), unit="open", owner="kim", targets=(p.HERE,)),
        ),
        thresholds=(p.Threshold("errors > 2", "errors", "pause", ">", 2.0, for_=timedelta(minutes=2)),),
        checklist=(
            p.ChecklistItem("backup", "Backup restored on staging", "lee"),
            p.ChecklistItem("drill", "Rollback tried on staging", "lee", before="stage:web"),
        ),
        rollback=p.RollbackTerms(timedelta(minutes=6)),
    )


def records(change: Callable[[e.Event], e.Event] = lambda event: event) -> tuple[tuple[int, e.Event], ...]:
    """The story's events with their numbers; `change` is done to each."""
    return tuple(
        (seq, change(event)) for seq, event in enumerate((*_forward(), *_alone(), *_alarmed(), *_back()), 1)
    )


def output(attempt: str) -> Output | None:
    """The output kept of the one attempt that failed."""
    if attempt != "web/switch/web-2/run-1":
        return None
    kept = Kept()
    kept.write(OUTPUT)
    return kept.output()


def _at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def _intent(minutes: float, attempt: str, stage: str, wave: int, target: str, **also: Any) -> e.StepIntended:
    said: dict[str, Any] = {
        "direction": "run",
        "n": 1,
        "line": "bin/switch 2026.11.3",
        "verify": "bin/health",
    } | also
    return e.StepIntended(
        _at(minutes), attempt, stage, wave, "switch", target, timeout=timedelta(minutes=5), **said
    )


def _end(minutes: float, attempt: str, finish: e.Finish, **also: Any) -> e.StepFinished:
    said: dict[str, Any] = {
        "proven": finish == "succeeded",
        "exit_code": 0 if finish == "succeeded" else None,
        "verify_exit_code": 0 if finish == "succeeded" else None,
        "seconds": 41.0,
        "detail": "",
        "output_bytes": 0,
        "output_sha256": hashlib.sha256(b"").hexdigest(),
        "settled": "",
    } | also
    return e.StepFinished(_at(minutes), attempt, finish, **said)


def _forward() -> list[e.Event]:
    late = e.Finding("window", False, "only 2 people on shift, 3 agreed")
    failed = {
        "exit_code": 1,
        "detail": "exit code 1",
        "output_bytes": len(OUTPUT),
        "output_sha256": hashlib.sha256(OUTPUT).hexdigest(),
    }
    return [
        e.SessionOpened(
            _at(0), "s-1", "5p001", "dana", "druiz", "desk", "0.1.0", "plan.toml", "cd" * 32, "", False
        ),
        e.TargetProbed(_at(0), "web-1", True, "", "", ()),
        e.ChecklistSigned(_at(1), "backup", "lee", "dana", "6 h old", (CLEAN,), "key", BLOCK),
        e.ReleaseStarted(_at(2), "dana", "dana", "Sam joins at 11", (late,), (CLEAN,)),
        e.StagePromoted(_at(2), "canary", "dana", "", "staging clean", (CLEAN,)),
        e.StageStarted(_at(2), "canary"),
        e.WaveStarted(_at(2), "canary", 0, ("web-1",)),
        _intent(2, "canary/switch/web-1/run-1", "canary", 0, "web-1"),
        _end(3, "canary/switch/web-1/run-1", "in_doubt", detail="connection lost"),
        e.StepFound(_at(3.2), "canary/switch/web-1/run-1"),
        _end(4, "canary/switch/web-1/run-1", "succeeded"),
        e.WaveFinished(_at(4), "canary", 0),
        e.BakeStarted(_at(4), "canary", 0, timedelta(minutes=10)),
        e.BakeFinished(_at(15.5), "canary", 0, (CLEAN,)),
        e.StageFinished(_at(15.5), "canary"),
        e.StagePromoted(_at(16), "web", "dana", "lee", "order rate fine", (CLEAN,)),
        e.StageStarted(_at(16), "web"),
        e.WaveStarted(_at(16), "web", 0, ("web-2",)),
        _intent(16, "web/switch/web-2/run-1", "web", 0, "web-2"),
        _end(17, "web/switch/web-2/run-1", "failed", **failed),
        e.RetryAuthorised(_at(18), "web", "switch", "web-2", "dana", "", "disk cleaned"),
        _intent(18, "web/switch/web-2/run-2", "web", 0, "web-2", n=2),
        _end(19, "web/switch/web-2/run-2", "succeeded"),
        e.VerdictChanged(
            _at(20), "errors > 2", "errors", "breach", 2.4, "> 2", "web-1", _at(18), _at(20), "24 samples"
        ),
        e.ThresholdTripped(
            _at(20), "errors > 2", "pause", 2.4, "> 2", "web-1", ("dana",), "join the channel"
        ),
        e.RolloutPaused(_at(20), e.COCKPIT, "", "errors above 2 %", "errors > 2", (BREACH,)),
        e.NoticeSent(_at(20), "pause", "notify-send paused", False, "exit code 127"),
        e.RolloutResumed(_at(21), "dana", "", "known, from the old host", ("errors > 2",), (BREACH,)),
        e.TargetExcluded(_at(22), "web-3", "lee", "", "hardware fault"),
        e.NoteAdded(_at(22), "kim", "two customers called"),
    ]


def _screen(minutes: float, screen: str, person: str, os_user: str, may_act: bool = True) -> e.ScreenAttached:
    return e.ScreenAttached(_at(minutes), screen, person, os_user, "screen", may_act, own=os_user == "druiz")


def _alone() -> list[e.Event]:
    """Dana is cut off, Lee takes over and goes, and the release waits for somebody."""
    return [
        _screen(22.1, "dana-1", "dana", "druiz"),
        _screen(22.1, "lee-2", "lee", "lchen"),
        _screen(22.2, "guest-3", "", "guest", may_act=False),
        e.ScreenDetached(_at(22.3), "dana-1", "its connection was cut"),
        e.RoleTaken(
            _at(22.4), "decision_owner", "dana", "lee", "no answer on the phone", (BREACH,), os_user="lchen"
        ),
        e.SignalEntered(_at(22.5), "tickets", 3.0, "kim", "lee", "the queue at 10:22", os_user="lchen"),
        e.ScreenDetached(_at(22.6), "lee-2", "left"),
        e.LeftAlone(_at(22.8)),
        _screen(22.9, "lee-4", "lee", "root"),
    ]


def _alarmed() -> list[e.Event]:
    """A limit calls Lee, who moves it; Kim sees what nobody can explain; a rollback is proposed, and declined."""
    return [
        e.ThresholdTripped(_at(22.91), "errors > 2", "escalate", 2.4, "> 2", "web-1", ("lee",), "come"),
        e.EscalationAnswered(_at(22.93), "errors > 2", "lee", "lee", timedelta(seconds=41), "at the desk"),
        e.LimitChanged(
            _at(22.95),
            "errors > 2",
            ">",
            3.0,
            (),
            timedelta(minutes=1),
            "> 2 for 2 min",
            "lee",
            "lee",
            "known, from the old host",
            (BREACH,),
        ),
        e.UnexplainedReported(_at(22.96), "kim", "kim", "carts are empty", timedelta(seconds=30), (BREACH,)),
        e.ExplanationRecorded(_at(22.97), "kim", "kim", "a cache of the old version"),
        e.UnexplainedReported(_at(22.97), "kim", "kim", "", timedelta(seconds=30), (BREACH,)),
        e.RollbackProposed(_at(22.98), ("dana", "lee"), "unexplained for 30 s"),
        e.ProposalDeclined(_at(22.99), "lee", "lee", "carts fill again", (BREACH,)),
    ]


def _back() -> list[e.Event]:
    back = {"direction": "back", "line": "bin/switch 2026.11.2"}
    unproven = ("web-1: rollback of switch failed (exit code 3)",)
    return [
        e.RollbackStarted(_at(23), "lee", "", "receipts wrong", None, (BREACH,), os_user="root"),
        _intent(23, "web/switch/web-2/back-1", "web", 0, "web-2", **back),
        _end(24, "web/switch/web-2/back-1", "succeeded"),
        _intent(24, "canary/switch/web-1/back-1", "canary", 0, "web-1", **back),
        _end(25, "canary/switch/web-1/back-1", "failed", exit_code=3, detail="exit code 3"),
        e.RollbackFinished(_at(25), ("web-2",), unproven),
        e.SessionLeft(_at(25.5), "lee", "tea"),
        e.SessionResumed(_at(25.8), "lee", "lchen", "desk-2", "0.1.0", "", "", False),
        _screen(25.9, "lee-5", "lee", "lchen"),
        e.SessionClosed(_at(26), "rolled_back", unproven, "lee", "", "web-1 is rebuilt", os_user="lchen"),
        e.ScreenDetached(_at(26), "lee-5", "the session is over"),
        e.TargetsReleased(_at(26.1), ("web-2",), ("web-1: connection refused",)),
    ]
