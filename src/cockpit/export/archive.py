"""A closed session as rows for an archive's tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from cockpit.core import events as e
from cockpit.core.archived import Cell, Rows
from cockpit.core.plan import Plan
from cockpit.export import model as m
from cockpit.store import history, sessions
from cockpit.store.archive import bodies
from cockpit.store.codec import decode
from cockpit.store.recording import Recording

BACK = {"succeeded": "rolled_back", "failed": "rollback_failed"}
"""How an attempt on the way back stands, by its finish; any other is called as on the way there."""


def facts(review: m.Review, recording: Recording, plan: Plan) -> Mapping[str, Cell]:
    """The session's row. Lengths are in seconds, as `cockpit sessions` tells them; None where there is none."""
    release, session, outcome = review.release, review.session, review.outcome
    turns = _turns(recording.path)
    return {
        "service": release.service,
        "environment": release.environment,
        "version": release.version,
        "previous_version": release.previous_version or "",
        "release": release.name,
        "change_ref": release.change_ref or "",
        "outcome": outcome.state,
        "partial": bool(outcome.partial),
        "unresolved": tuple(outcome.partial),
        "opened_at": session.opened_at,
        "started_at": session.started_at,
        "closed_at": session.closed_at,
        "length_s": _seconds(turns and turns.length),
        "breach_to_rollback_s": _seconds(turns and turns.acted_in),
        "recovery_s": _seconds(turns and turns.recovered_in),
        "targets": len(plan.targets),
        "opened_by": session.opened_by,
        "machine": session.machine,
        "cockpit_version": session.cockpit_version,
        "plan_sha256": session.plan_sha256,
    }


def rows(review: m.Review, recording: Recording, plan: Plan, after: int) -> Sequence[Rows]:
    """The rows of all other tables but samples that the records behind `after` add; of 0: all there are."""
    since = [(seq, event) for seq, event in recording.events if seq > after]
    grows = (
        Rows("events", ("record", "at", "type", "body", "hash"), tuple(_events(recording, after))),
        Rows(
            "actions",
            ("action", "record", "text", "owner", "due", "asked_at", "asked_by"),
            [
                (a.action, seq, a.text, plan.person_name(a.owner), _day(a.due), a.at, plan.person_name(a.by))
                for seq, a in since
                if isinstance(a, e.ActionAdded)
            ],
        ),
        Rows(
            "settlements",
            ("action", "record", "how", "settled_at", "settled_by", "reason"),
            [
                (a.action, seq, a.how, a.at, plan.person_name(a.by), a.reason)
                for seq, a in since
                if isinstance(a, e.ActionSettled)
            ],
        ),
        Rows(
            "decisions",
            ("record", "at", "kind", "about", "by", "via", "reason"),
            [
                (d.seq, d.at, d.kind, d.subject, d.by, d.via, d.reason)
                for d in review.decisions
                if d.seq > after
            ],
        ),
    )
    return grows if after else (*grows, _steps(review), _gates(review, plan))


def _events(recording: Recording, after: int) -> Iterator[tuple[Cell, ...]]:
    for seq, body, digest in bodies(recording.path, after):
        event = decode(body)
        yield seq, event.at, type(event).__name__, storable(body), digest


def storable(body: bytes) -> str:
    """A record's JSON as jsonb takes it: without NUL, which is shown as ␀, and without half characters."""
    text = body.decode("utf-8", "replace")
    if "\\u" not in text:  # what isn't written out there is never one of those
        return text
    return json.dumps(_storable(json.loads(text)), ensure_ascii=False, separators=(",", ":"))


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "␀").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_storable(one) for one in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(one) for key, one in value.items()}
    return value


def _steps(review: m.Review) -> Rows:
    columns = (
        *("attempt", "stage", "wave", "step", "target", "direction", "n", "status", "exit_code"),
        *("verify_exit_code", "seconds", "started_at", "ended_at", "proven", "was_in_doubt", "detail"),
    )
    return Rows(
        "steps",
        columns,
        [
            (
                *(a.id, a.stage, a.wave, a.step, a.target, a.direction, a.n, _status(a), a.exit_code),
                *(
                    a.verify_exit_code,
                    a.seconds,
                    a.started_at,
                    a.finished_at,
                    a.proven,
                    a.was_in_doubt,
                    a.detail,
                ),
            )
            for a in review.attempts
        ],
    )


def _status(attempt: m.Attempt) -> str:
    return BACK.get(attempt.finish, attempt.finish) if attempt.direction == "back" else attempt.finish


def _gates(review: m.Review, plan: Plan) -> Rows:
    """Each time that a gate stood open for a decision; who decides is named as the plan does: by role, or by person."""
    approvers = {s.name: ", ".join(s.gate.approvers) for s in plan.stages if s.gate is not None}
    waits = [span for span in review.spans if span.kind == "gate"]
    counted: dict[str, int] = {}
    found: list[tuple[Cell, ...]] = []
    for span in waits:
        n = counted[span.stage] = counted.get(span.stage, 0) + 1
        seconds = _seconds(span.until - span.since if span.until else None)
        found.append((span.stage, n, approvers.get(span.stage, ""), span.since, span.until, seconds))
    return Rows("gates", ("stage", "n", "approvers", "asked_at", "ended_at", "seconds"), found)


def _turns(path: Path) -> history.Release | None:
    """How long the release took, as `cockpit sessions` tells it; None where it never got its go."""
    listed = [row for row in sessions.listing(directory=path.parent) if row.path == path]
    return next((release for one in history.histories(listed) for release in one.releases), None)


def _day(said: str) -> date | None:
    try:
        return date.fromisoformat(said)
    except ValueError:
        return None


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()
