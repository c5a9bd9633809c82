"""The commands that only look: check, export, verify, sessions, schema."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from typing import Any

from cockpit import failpoint
from cockpit.cli.backtesting import against
from cockpit.cli.session import recorded, refusal
from cockpit.cli.signing import bad_signatures
from cockpit.core.errors import PlanError, UsageError
from cockpit.core.vocabulary import Finding


def check(args: argparse.Namespace) -> int:
    """Print every problem in the plan, then readiness and the exact commands."""
    from cockpit.core import readiness
    from cockpit.export.preview import preview
    from cockpit.planfile import load
    from cockpit.runtime.check import look
    from cockpit.runtime.engine import utc_now

    checked = load(args.plan, utc_now())
    groups = {
        "Problems": checked.problems,
        "Worth a look": checked.warnings,
        "Not acted on yet": checked.not_acted_on,
    }
    for title, problems in groups.items():
        for problem in problems:
            print(f"{title}\n" if problem is problems[0] else "", problem.render(), sep="", end="\n\n")
    if checked.plan is None:
        raise PlanError(refusal(args.plan, checked.problems))
    if args.against:
        return against(checked.plan, args.against)
    print(preview(checked.plan))
    if args.offline:
        print("\nReadiness wasn't looked at (--offline).")
        return 0
    looked = asyncio.run(look(checked.plan, str(args.plan)))
    for i, (signal, why) in enumerate(looked.unreadable.items()):
        title = "" if i else "\nCan't be read\n"
        print(title, checked.about_signal(signal, f"`{signal}` can't be read: {why}"), sep="", end="\n\n")
    for i, (hook, why) in enumerate(looked.mute.items()):
        print("" if i else "\nCan't be told\n", f"[[notify]] {hook}: {why}", sep="")
        print("    nobody hears of anything by it; mend it where the session will be started")
    unsettled = [f for f in looked.findings if not f.ok]
    waiting = [f for f in unsettled if readiness.for_people(checked.plan, f)]
    missing = [f for f in unsettled if f not in waiting]
    print("\nReadiness")
    _lines("NOT", missing)
    if waiting:
        print("\nWaits for people in the session")
        _lines("wait", waiting)
        print()
    _lines("look", [f for f in looked.findings if f.ok and f.doubtful])
    _lines("ok", [f for f in looked.findings if f.ok and not f.doubtful])
    return 5 if missing else 0


def _lines(mark: str, findings: Sequence[Finding]) -> None:
    for finding in findings:
        print(f"  {mark:4}  {finding.text}")


def export(args: argparse.Namespace) -> int:
    """Write a session's review."""
    from cockpit.export import FORMATS
    from cockpit.export.review import review
    from cockpit.store import sessions as stored

    if args.format not in FORMATS:
        raise UsageError(f"no format {args.format!r}: choose {' or '.join(FORMATS)}")
    recording, _, plan = recorded(stored.find(args.session))
    text = FORMATS[args.format](review(recording.events, plan, recording.head, recording.output))
    failpoint.reach("export.before_write")
    if args.output:
        args.output.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    failpoint.reach("export.written")
    return 0


def verify(args: argparse.Namespace) -> int:
    """Check a session's log, and whether the outcome it claims follows from it."""
    from cockpit.core import claims
    from cockpit.store import log
    from cockpit.store import sessions as stored

    path = stored.find(args.session)
    found = log.verify(path, _head(args.head))
    if not found.ok:
        where = f"record {found.first_bad}: " if found.first_bad else ""
        print(f"{path}: NOT sound. {where}{found.reason}")
        print(f"sound up to: {found.head.seq} {found.head.hash}")
        return 1
    recording, _, plan = recorded(path)
    signed, bad = bad_signatures(recording, plan)
    if bad:
        print("\n".join(f"{path}: NOT sound. {fault}" for fault in bad))
        return 1
    untrue = claims.check([event for _, event in recording.events], plan)
    print(f"{path}: sound, {found.events} records\nhead {found.head.seq} {found.head.hash}")
    if signed:
        print(f"signatures: {signed}, each made with its person's key in the plan, for what its record says")
    for claim in untrue or ("every outcome it claims follows from its records",):
        print(f"NOT true: {claim}" if untrue else claim)
    if not args.head:
        print("a tail that was cut off shows only with --head SEQ:HASH, as printed when the session ended")
    return 1 if untrue else 0


def _head(said: str) -> Any:
    """The head that --head names, or None; UsageError where it isn't SEQ:HASH."""
    from cockpit.store.log import Head

    if not said:
        return None
    seq, _, digest = said.partition(":")
    if not (seq.isdecimal() and digest):
        raise UsageError("--head is SEQ:HASH, as printed when the session ended")
    return Head(int(seq), digest)


def sessions(_: argparse.Namespace) -> int:
    """List what has been run."""
    from cockpit.core.spans import clock
    from cockpit.store import sessions as stored

    rows = stored.listing()
    if not rows:
        print(f"no sessions yet under {stored.session_dir()}; `cockpit demo` makes one")
    for row in rows:
        if row.problem:
            print(f"{row.name:36} unreadable: {row.problem}")
            continue
        when = f"{row.at.astimezone():%Y-%m-%d %H:%M}" if row.at else ""
        outcome = row.outcome.replace("_", " ") + (" (partial)" if row.partial else "")
        print(
            f"{row.name:36} {when}  {row.service} {row.version} {row.environment}  {outcome}  {clock(row.length)}"
        )
    return 0


def schema(_: argparse.Namespace) -> int:
    """Print the JSON Schema of the plan."""
    from cockpit.planfile import schema as plan_schema

    print(json.dumps(plan_schema(), indent=2))
    return 0
