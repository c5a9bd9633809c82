"""The commands that only look: check, verify, schema."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cockpit.cli import descriptors, inventories
from cockpit.cli.backtesting import against
from cockpit.cli.loading import Begun
from cockpit.cli.session import refusal, tell
from cockpit.cli.signing import bad_signatures
from cockpit.core.errors import CockpitError, LogError, PlanError, UsageError
from cockpit.core.text import visible
from cockpit.core.vocabulary import Finding

VERDICT_MOST = 2000
"""Characters of a verdict's line: what it quotes of a log may be of any length."""


def check(args: argparse.Namespace) -> int:
    """Print every problem in the plan, then readiness and the exact commands."""
    with Begun(args.plan, offline=args.offline) as begun:
        from cockpit.core import readiness
        from cockpit.export.preview import preview
        from cockpit.runtime.check import look
        from cockpit.runtime.engine import utc_now
        from cockpit.runtime.vault import Vault

        checked = begun.load(utc_now())
    groups = {
        "Problems": checked.problems,
        "Worth a look": checked.warnings,
    }
    for title, problems in groups.items():
        for problem in problems:
            print(f"{title}\n" if problem is problems[0] else "", problem.render(), sep="", end="\n\n")
    if checked.plan is None:
        raise PlanError(refusal(args.plan, checked.problems))
    if args.against:
        return against(checked.plan, args.against)
    if said := inventories.lines(checked.plan, begun.read):
        print(said)
    print(preview(checked.plan, _chosen(checked.plan, args.on), args.plan.absolute().parent))
    if few := descriptors.objection(checked.plan):
        print(f"\nNot all at once\n  {few}")
    if args.offline:
        _secrets(checked, asyncio.run(Vault().missing(checked.plan, run=False)))
        print("\nReadiness wasn't looked at (--offline).")
        return 0
    looked = asyncio.run(look(checked.plan, str(args.plan)))
    for i, (signal, why) in enumerate(looked.unreadable.items()):
        title = "" if i else "\nCan't be read\n"
        print(title, checked.about_signal(signal, f"`{signal}` can't be read: {why}"), sep="", end="\n\n")
    _secrets(checked, looked.secrets)
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


def _secrets(checked: Any, missing: Mapping[str, str]) -> None:
    """Each secret that can't be looked up here, at its line in the plan."""
    for i, (secret, why) in enumerate(missing.items()):
        title = "" if i else "\nCan't be looked up\n"
        print(
            title, checked.about_secret(secret, f"`{secret}` can't be looked up: {why}"), sep="", end="\n\n"
        )


def _chosen(plan: Any, names: Sequence[str]) -> frozenset[str] | None:
    """The ids of the targets that --on names; None where it names none."""
    from cockpit.core.plan import HERE
    from cockpit.planfile.scalars import Mistake, spelled

    if not names:
        return None
    found: set[str] = {HERE} & {*names}
    for name in names:
        try:
            ids = {target.id for target in plan.expand(tuple(spelled(name)))}
        except Mistake as fault:
            raise UsageError(f"{fault}: {fault.hint}") from fault
        if not ids and name != HERE:
            raise UsageError(
                f"the plan has no target or group {name!r}: name one of its targets, a group or a range"
            )
        found |= ids
    return frozenset(found)


def _lines(mark: str, findings: Sequence[Finding]) -> None:
    """A line each; what is the same of many targets is told once."""
    from cockpit.core.listing import ranges
    from cockpit.export.preview import SINGLY

    alike: dict[tuple[str, str], list[tuple[str, Finding]]] = {}
    for finding in findings:
        kind, _, about = finding.key.partition(":")
        same = finding.text.removeprefix(f"{about}: ")
        alike.setdefault((kind, same), []).append((about, finding))
    for (_, same), many in alike.items():
        if len(many) > SINGLY:
            print(f"  {mark:4}  {ranges([about for about, _ in many])}: {same}")
        else:
            for _, finding in many:
                print(f"  {mark:4}  {finding.text}")


def verify(args: argparse.Namespace) -> int:
    """Check a session's log, and whether the outcome it claims follows from it: `sound`, `NOT sound` or `NOT true`."""
    from cockpit.core import claims
    from cockpit.store import log
    from cockpit.store import sessions as stored
    from cockpit.store.opening import says_log

    path = stored.find(args.session)
    try:
        found = log.verify(path, _head(args.head))
    except LogError as fault:  # there is nothing to check
        raise UsageError(str(fault)) from fault
    if not found.ok and not says_log(path):
        _verdict(path, "NOT sound", found.reason)
        return UsageError.exit_code
    for remark in found.remarks:
        tell(f"{path}: {remark}")
    if not found.ok:
        _verdict(path, "NOT sound", _unsound(found))
        print(f"sound up to: {found.head.seq}:{found.head.hash}")
        return 1
    try:
        recording, plan = _as_verified(path, found.head)
    except CockpitError as fault:
        return _verdict(path, "NOT sound", str(fault))
    signed, bad = bad_signatures(recording, plan)
    if bad:
        return max(_verdict(path, "NOT sound", fault) for fault in bad)
    untrue = claims.check([event for _, event in recording.events], plan)
    for claim in untrue:
        _verdict(path, "NOT true", claim)
    if not untrue:
        print(visible(f"{path}: sound, {found.events} records"))
    print(f"head {found.head.seq}:{found.head.hash}")
    if signed:
        print(f"signatures: {signed}, each made with its person's key in the plan, for what its record says")
    if not untrue:
        print("every outcome it claims follows from its records")
    if not args.head:
        print("a tail that was cut off shows only with --head SEQ:HASH, as printed when the session ended")
    return 1 if untrue else 0


def _verdict(path: Path, verdict: str, why: str) -> int:
    """Say that a log doesn't pass, in one line whatever it holds; the exit code."""
    print(visible(f"{path}: {verdict}. {' '.join(why.split())}"[:VERDICT_MOST]))
    return 1


def proven(path: Path) -> tuple[Any, Any]:
    """A log that passes all that `cockpit verify` checks, and its plan; LogError says, in a line, what doesn't."""
    from cockpit.core import claims
    from cockpit.store import log

    found = log.verify(path)
    faults = [] if found.ok else [_unsound(found)]
    if not faults:
        recording, plan = _as_verified(path, found.head)
        _, bad = bad_signatures(recording, plan)
        faults = [*bad, *claims.check([event for _, event in recording.events], plan)]
        if not faults:
            return recording, plan
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    said = f"{' '.join(faults[0].split())}{more}"[:VERDICT_MOST]
    raise LogError(said)


def _unsound(found: Any) -> str:
    """What is wrong with a log, and from which record on."""
    return f"record {found.first_bad}: {found.reason}" if found.first_bad else found.reason


def _as_verified(path: Path, head: Any) -> tuple[Any, Any]:
    """The log that was just checked, read, and the plan in it; CockpitError says what is wrong with them."""
    from cockpit.core.events import SessionOpened
    from cockpit.planfile.recorded import of_session
    from cockpit.store import log

    recording = log.read(path, foreign=True)
    if head.seq == 0 or recording.hash_at(head.seq) != head.hash:
        raise LogError("it holds no session" if head.seq == 0 else "it changed while it was being checked")
    opened = recording.events[0][1]
    if not isinstance(opened, SessionOpened):
        raise LogError("record 1: it opens no session")
    checked = of_session(opened)
    if checked.plan is None:
        raise LogError(f"record 1: its plan can't be read by this version: {checked.problems[0].render()}")
    if checked.sha256 != opened.plan_sha256:
        raise LogError("record 1: its plan isn't the one that the session was opened with (its hash differs)")
    return recording, checked.plan


def _head(said: str) -> Any:
    """The head that --head names, or None; UsageError where it isn't SEQ:HASH."""
    from cockpit.store.log import Head

    if not said:
        return None
    seq, _, digest = said.partition(":")
    if not (seq.isdecimal() and digest):
        raise UsageError("--head is SEQ:HASH, as printed when the session ended")
    return Head(int(seq), digest)


def schema(args: argparse.Namespace) -> int:
    """Print the JSON Schema of the plan, or of a review as JSON."""
    if args.of == "review":
        from cockpit.export.schema import schema as of_review

        print(of_review(), end="")
        return 0
    from cockpit.planfile import schema as plan_schema

    print(json.dumps(plan_schema(), indent=2))
    return 0
