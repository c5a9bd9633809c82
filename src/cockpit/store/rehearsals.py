"""The results of rehearsals: one file for each plan as it was rehearsed."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from cockpit.core.errors import LogError
from cockpit.core.plan import Plan
from cockpit.store.files import make_private_directory
from cockpit.store.sessions import session_dir

SCHEMA = "cockpit.rehearsal/1"


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a rehearsal showed of the plan with this `digest`, at `plan` (its path), on the day `at` (UTC).

    `proven` has each limit that was seen to fire, and after how many seconds; `unproven` each that wasn't, and
    why. `rollback_s` is how long the way back took from the very end, None where there was none; `not_undone`
    says what it left. `assumed` are the steps of which no session has recorded how long they take.
    """

    at: datetime
    plan: str
    digest: str
    proven: Mapping[str, float]
    unproven: Mapping[str, str]
    rollback_s: float | None
    not_undone: tuple[str, ...]
    assumed: tuple[str, ...]


def digest(plan: Plan) -> str:
    """What stands for the plan as far as a rehearsal rests on it (sha256, hex).

    Targets, steps, stages, signals, limits, the way back, notices and roles count; comments, links, labels, the
    versions and how old a rehearsal may be don't.
    """
    rollback = {
        k: v for k, v in cast(dict[str, Any], _plain(plan.rollback)).items() if k != "rehearsed_within"
    }
    targets = [
        {k: v for k, v in cast(dict[str, Any], _plain(t)).items() if k != "labels"} for t in plan.targets
    ]
    parts = (targets, plan.steps, plan.stages, plan.signals, plan.thresholds, plan.notify, plan.roles)
    text = json.dumps([*map(_plain, parts), rollback], sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def _plain(value: object) -> object:
    """A value of the plan as JSON has it, the same for the same value."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in cast(Mapping[object, object], value).items()}
    if isinstance(value, tuple | list):
        return [_plain(v) for v in cast(tuple[object, ...], value)]
    return value.total_seconds() if isinstance(value, timedelta) else value


def directory() -> Path:
    """Where the results lie: beside the sessions."""
    return session_dir().parent / "rehearsals"


def as_json(rehearsal: Rehearsal) -> str:
    """The result as its file has it, and as `cockpit rehearse --json` prints it."""
    return json.dumps({"schema": SCHEMA, **_result(rehearsal)}, indent=2, ensure_ascii=False)


def _result(rehearsal: Rehearsal) -> dict[str, object]:
    plain = cast(dict[str, object], _plain(rehearsal))
    return {**plain, "at": rehearsal.at.isoformat()}


def write(rehearsal: Rehearsal) -> Path:
    """Keep the result, in place of an earlier one of the same plan; the file. LogError where that can't be."""
    at = directory()
    make_private_directory(at)
    path, new = at / f"{rehearsal.digest}.json", at / f".{rehearsal.digest}.{os.getpid()}"
    try:
        with open(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600), "w") as file:
            file.write(as_json(rehearsal) + "\n")
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        with suppress(OSError):
            new.unlink()
        raise LogError(
            f"{path}: the result of the rehearsal can't be kept ({error.strerror}). The plan counts as not "
            "rehearsed: make its directory writable, or name another place with XDG_STATE_HOME."
        ) from error
    return path


def find(plan: Plan) -> Rehearsal | None:
    """The result for this plan, or None. LogError where its file can't be read."""
    return _read(directory() / f"{digest(plan)}.json")


def of_another(path: str) -> Rehearsal | None:
    """The newest result of a plan that once lay at `path` and read otherwise, or None."""
    found: list[Rehearsal] = []
    for file in sorted(directory().glob("*.json")):
        with suppress(LogError):
            result = _read(file)
            if result is not None and result.plan == path:
                found.append(result)
    return max(found, key=lambda result: result.at, default=None)


def _read(path: Path) -> Rehearsal | None:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        if said["schema"] != SCHEMA:
            raise ValueError(f"schema {said['schema']}")
        return Rehearsal(
            at=datetime.fromisoformat(said["at"]),
            plan=str(said["plan"]),
            digest=str(said["digest"]),
            proven={str(k): float(v) for k, v in said["proven"].items()},
            unproven={str(k): str(v) for k, v in said["unproven"].items()},
            rollback_s=None if said["rollback_s"] is None else float(said["rollback_s"]),
            not_undone=tuple(map(str, said["not_undone"])),
            assumed=tuple(map(str, said["assumed"])),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise LogError(
            f"{path}: the result of a rehearsal can't be read ({type(error).__name__}). The plan counts as not "
            "rehearsed: rehearse it again."
        ) from error
