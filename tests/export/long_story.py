"""A release as long as it is asked to be: stages in waves, gates, a breach, a pause, and curves for its signals."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cockpit.core import events as e
from cockpit.core import plan as p
from cockpit.core.slices import slices_of
from cockpit.export import model as m
from cockpit.export.review import review
from cockpit.store.schema import Head

START = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
BAKED = ("web east", "web west", "everybody")
GATED = ("web east", "everybody")
LIMIT = "failed-invoices > 1"


def plan(targets: int) -> p.Plan:
    """Six stages, two of them gated, over so many targets."""
    half = targets // 2
    named = tuple(
        p.Target(f"web-{n:03}", f"10.0.{n // 250}.{n % 250}", groups=("east" if n < half else "west",))
        for n in range(targets)
    )
    back = {"verify": "bin/health", "rollback": "bin/deploy {previous_version}"}
    return p.Plan(
        release=p.Release(
            "Invoices in two currencies",
            "billing",
            "production",
            "8.4.0",
            "8.3.2",
            "Some invoices lack the second currency; amounts due stay right.",
            "CHG-2207",
            {"dashboard": "https://grafana.example/d/billing", "channel": "#rel-billing"},
        ),
        roles=p.Roles("ines", "tomas", "ruth", "omar"),
        targets=named,
        steps=(
            p.Step("deploy", "bin/deploy {version}", timeout=timedelta(minutes=3), **back),
            p.Step("flag", "flagctl on", on="here", **back),
        ),
        stages=(
            _stage("schema", "web-000"),
            _stage("canary", "web-001"),
            _stage("web east", "east"),
            _stage("web west", "west"),
            _stage("flag 10%"),
            _stage("everybody"),
        ),
        people=(
            p.Person("ines", "Ines Krause", os_user="ikrause"),
            p.Person("tomas", "Tomas Vega", os_user="tvega"),
            p.Person("ruth", "Ruth Adeyemi"),
            p.Person("omar", "Omar Haddad"),
        ),
        window=p.Window(START - timedelta(minutes=10), START + timedelta(hours=50), "Europe/Berlin"),
        signals=(
            p.Signal(
                "failed-invoices", "command", timedelta(seconds=5), "Do customers get their invoices?", "%"
            ),
            p.Signal("replication-lag", "command", timedelta(seconds=10), unit="s"),
            p.Signal("cpu", "host", timedelta(seconds=5), unit="%"),
        ),
        thresholds=(
            p.Threshold(LIMIT, "failed-invoices", "pause", ">", 1.0, for_=timedelta(minutes=1)),
            p.Threshold("failed-invoices > 5", "failed-invoices", "rollback", ">", 5.0),
            p.Threshold("replication-lag > 30", "replication-lag", "pause", ">", 30.0),
            p.Threshold("cpu > 95", "cpu", "notify", ">", 95.0),
        ),
        checklist=(p.ChecklistItem("backup", "Last night's backup is restored on staging", "tomas"),),
        rollback=p.RollbackTerms(timedelta(minutes=8)),
    )


def _stage(name: str, *targets: str) -> p.Stage:
    gate = p.Gate(("decision_owner",), "Order rate within 5% of last Tuesday?", timedelta(minutes=20))
    return p.Stage(
        name,
        ("deploy",) if targets else ("flag",),
        targets,
        waves=("25%", "rest") if name.startswith("web") else ("rest",),
        bake_time=timedelta(minutes=10) if name in BAKED else timedelta(0),
        gate=gate if name in GATED else None,
    )


def records(made: p.Plan, flaps: int = 0) -> tuple[tuple[int, e.Event], ...]:
    """The events with their numbers: two a target; `flaps` are breaches too short to act, two events each."""
    return tuple(enumerate((*_events(made, flaps), *_afterwards(made)), 1))


def told(targets: int = 40, flaps: int = 0) -> m.Review:
    """The review, with curves as its samples would give them."""
    made = plan(targets)
    events = records(made, flaps)
    done = review(events, made, Head(len(events), "ab" * 32))
    (pause,) = (s for s in done.spans if s.kind == "pause")
    near = m.NearMiss(
        "replication-lag > 30", "replication-lag", "web-000", 28.1, pause.since, "> 30", 0.94, *_NO_TIME, "s"
    )
    return replace(done, near=(near,), curves=tuple(curves(done, pause)))


_NO_TIME = (timedelta(0), timedelta(0))


def _clean(made: p.Plan) -> tuple[e.Reading, ...]:
    return tuple(e.Reading(t.id, t.signal, "pass", 0.2, t.limit_text, "web-001") for t in made.thresholds)


def _events(made: p.Plan, flaps: int) -> Iterator[e.Event]:
    clean = _clean(made)
    at = START - timedelta(minutes=12)
    yield e.SessionOpened(
        at, "billing-1", "5p", "ines", "ikrause", "desk", "0.1.0", "plan.toml", "cd" * 32, "", False
    )
    for role, person in made.roles.held():
        at += timedelta(seconds=40)
        yield e.RoleAccepted(at, role, person, person, "", "account", "")
    yield e.ChecklistSigned(at, "backup", "tomas", "", "6 h old", clean, "account")
    yield from _first_verdicts(made, at)
    at = START
    yield e.ReleaseStarted(at, "ines", "", "", (), clean)
    for stage, waves in zip(made.stages, slices_of(made), strict=True):
        at += timedelta(minutes=14 if stage.name == "everybody" else 3 if stage.gate else 0, seconds=1)
        reason = "orders as last Tuesday" if stage.gate else "clean, no gate, nothing open"
        yield e.StagePromoted(at, stage.name, "ines" if stage.gate else e.COCKPIT, "", reason, clean)
        yield e.StageStarted(at, stage.name)
        for number, wave in enumerate(waves):
            yield e.WaveStarted(at, stage.name, number, wave.targets)
            for target in wave.targets:
                yield from _attempt(at, stage, number, target)
                at += max(timedelta(minutes=4) / len(wave.targets), timedelta(seconds=1.5))
            yield e.WaveFinished(at, stage.name, number)
            yield e.BakeStarted(at, stage.name, number, stage.bake_time)
            if (stage.name, number) == ("web east", 0):
                for event in (
                    *_trouble(made, at + timedelta(minutes=3)),
                    *_flaps(at + timedelta(minutes=14), flaps),
                ):
                    at = event.at
                    yield event
            at += stage.bake_time
            yield e.BakeFinished(at, stage.name, number, clean)
        yield e.StageFinished(at, stage.name)
    yield e.SessionClosed(at + timedelta(seconds=2), "completed", ())


def _attempt(at: datetime, stage: p.Stage, wave: int, target: str) -> Iterator[e.Event]:
    step = stage.steps[0]
    attempt = f"{stage.name}/{step}/{target}/run-1"
    line = "bin/deploy 8.4.0"
    yield e.StepIntended(
        at, attempt, stage.name, wave, step, target, "run", 1, line, "bin/health", timedelta(minutes=3)
    )
    if (target, stage.name) == ("web-007", "web east"):
        yield e.StepFinished(at, attempt, "in_doubt", False, None, None, 30.0, "connection lost", 0, "", "")
        yield e.StepFound(at, attempt)
    end = at + timedelta(seconds=1)
    yield e.StepFinished(end, attempt, "succeeded", True, 0, 0, 11.5, "", 132, f"{wave:02x}" * 32, "")


def _first_verdicts(made: p.Plan, at: datetime) -> Iterator[e.Event]:
    for t in made.thresholds:
        yield e.VerdictChanged(at, t.id, t.signal, "pass", 0.2, t.limit_text, "web-001", None, at, "")


def _judged(at: datetime, verdict: e.Verdict, since: datetime | None) -> e.VerdictChanged:
    value = 2.4 if verdict == "breach" else 0.4
    return e.VerdictChanged(
        at, LIMIT, "failed-invoices", verdict, value, "> 1", "web-004", since, at, "12 samples"
    )


def _trouble(made: p.Plan, at: datetime) -> Iterator[e.Event]:
    """A limit pauses it, something is unexplained for some time, and the decision owner goes on after nine minutes."""
    breach = (e.Reading(LIMIT, "failed-invoices", "breach", 2.4, "> 1", "web-004"),)
    minute = timedelta(minutes=1)
    yield _judged(at, "breach", at - minute)
    yield e.ThresholdTripped(at, LIMIT, "pause", 2.4, "> 1", "web-004", (), "")
    yield e.RolloutPaused(at, e.COCKPIT, "", "above 1 %", LIMIT, breach)
    yield e.UnexplainedReported(at + 2 * minute, "ruth", "", "carts are empty in Bremen", 5 * minute, breach)
    yield e.ExplanationRecorded(at + 5.5 * minute, "tomas", "", "a cache of the old version")
    yield e.NoteAdded(at + 6 * minute, "omar", "two customers called")
    yield _judged(at + 8 * minute, "pass", None)
    yield e.RolloutResumed(at + 9 * minute, "ines", "", "the cache is gone, numbers are back", (), breach)
    yield e.MachineSlept(at + 12 * minute, 2 * minute)
    yield from _first_verdicts(made, at + 12.1 * minute)


def _flaps(at: datetime, many: int) -> Iterator[e.Event]:
    for i in range(many):
        yield _judged(at + timedelta(seconds=2 * i), "breach", at + timedelta(seconds=2 * i))
        yield _judged(at + timedelta(seconds=2 * i + 1), "pass", None)


def _afterwards(made: p.Plan) -> Iterator[e.Event]:
    """What is said in the review, the next day."""
    at = START + timedelta(hours=20)
    yield e.QuestionAnswered(at, "context", 0, "nobody told support of the cache", "omar", "")
    yield e.ActionAdded(at, "1", "Runbook B-7 names the cache", "tomas", "2026-12-08", 0, "ines", "")


def curves(made: m.Review, pause: m.Span) -> Iterator[m.Curve]:
    """One for each signal, drawn by formulas: a hump where the limit tripped, a gap behind it."""
    begun, ended = made.session.started_at, made.session.closed_at
    assert begun and ended
    moments = [begun + (ended - begun) / 240 * i for i in range(240)]

    def hump(at: datetime) -> float:
        return math.exp(-(((at - pause.since) / timedelta(minutes=4)) ** 2))

    def failed(i: int, at: datetime) -> tuple[float, float]:
        return 0.1 + 0.05 * math.sin(i / 7), 0.4 + 0.1 * math.sin(i / 3) + 2.0 * hump(at)

    def lag(i: int, at: datetime) -> tuple[float, float]:
        return (8 + 4 * math.sin(i / 11) + 16 * hump(at),) * 2

    def cpu(i: int, at: datetime) -> tuple[float, float]:
        return 31 + 5 * math.sin(i / 9), 44 + 9 * math.sin(i / 5)

    limits = ((1.0, "> 1", "pause"), (5.0, "> 5", "rollback"))
    for name, question, unit, targets, shape, agreed in (
        ("failed-invoices", "Do customers get their invoices?", "%", 40, failed, limits),
        ("replication-lag", "", "s", 1, lag, ((30.0, "> 30", "pause"),)),
        ("cpu", "", "%", 40, cpu, ((95.0, "> 95", "notify"),)),
    ):
        points = tuple(m.Point(at, *shape(i, at)) for i, at in enumerate(moments) if not 100 < i < 108)
        yield m.Curve(name, question, unit, targets, targets * len(points), points, agreed)
