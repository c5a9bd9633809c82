"""The command that plays a plan against simulated targets: rehearse."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cockpit.cli.loading import load, nobody
from cockpit.cli.session import refusal
from cockpit.core.errors import PlanError, UsageError
from cockpit.core.listing import some

STUCK = 1


def rehearse(args: argparse.Namespace) -> int:
    """Play the plan in virtual time: with chosen failures once, without any the whole drill."""
    from cockpit.store.durations import durations

    checked = load(args.plan)
    if checked.plan is None:
        problems = "\n\n".join(p.render() for p in checked.problems)
        raise PlanError(f"{problems}\n\n{refusal(args.plan, checked.problems)}")
    known = durations(checked.plan)
    lasting = {way: duration.length for way, duration in known.items()}
    now = datetime.now(UTC).replace(microsecond=0)
    starts = checked.plan.window.opens if checked.plan.window else now
    if args.fail or args.breach:
        return _one(checked.plan, args, lasting, starts)
    return _drill(checked.plan, args, known, lasting, (starts, now))


def _one(plan: Any, args: argparse.Namespace, lasting: Any, starts: datetime) -> int:
    """One run with the failures asked for; its events, and how it ended as an exit code."""
    from cockpit.cli.lines import printer
    from cockpit.core.events import SessionOpened
    from cockpit.core.view import exit_code
    from cockpit.runtime.rehearsal import breach, check_started, way_back
    from cockpit.runtime.simulated import Script, play

    breaches = tuple(breach(plan, *_breached(plan, said)) for said in args.breach)
    script = Script(frozenset(_failing(plan, said) for said in args.fail), breaches)
    played = play(plan, script, lasting, starts)
    say = printer(SimpleNamespace(state=played.state), args.json)
    for event in played.events:
        say(replace(event, plan_path=str(args.plan)) if isinstance(event, SessionOpened) else event)
    check_started(played)
    if args.json:
        return STUCK if played.stuck else exit_code(played.state)
    back = way_back(played)
    if played.stuck:
        print(f"\nIt never came to an end: {played.stuck}")
        return STUCK
    print(f"\nSimulated: {nobody(plan)} was contacted. {_came_to(played)}")
    if back is not None:
        print(_back(back))
    return exit_code(played.state)


def _came_to(played: Any) -> str:
    from cockpit.core.spans import clock

    length = played.events[-1].at - played.state.started.at
    return f"It {played.state.closed.outcome.replace('_', ' ')} {clock(length)} after its start."


def _failing(plan: Any, said: str) -> tuple[str, str]:
    """The step and the target that --fail names."""
    from cockpit.core.plan import HERE

    step, at, target = said.rpartition("@")
    steps, targets = [s.id for s in plan.steps], [t.id for t in plan.targets]
    if not at or step not in steps or target not in (*targets, HERE):
        raise UsageError(
            f"--fail {said}: write STEP@TARGET. Steps: {_list(steps)}. Targets: {_list(targets)}. Nothing was played."
        )
    return step, target


def _breached(plan: Any, said: str) -> tuple[Any, int]:
    """The signal and the place of the stage that --breach names."""
    signals = {s.name: s for s in plan.signals if any(t.signal == s.name for t in plan.thresholds)}
    stages = [s.name for s in plan.stages]
    for name, signal in signals.items():
        stage = said.removeprefix(f"{name}@")
        if stage != said and stage in stages:
            return signal, stages.index(stage)
    raise UsageError(
        f"--breach {said}: write SIGNAL@STAGE. Signals with a limit: {_list(signals)}. Stages: {_list(stages)}. "
        "Nothing was played."
    )


def _list(names: Iterable[str]) -> str:
    return some(list(names), 11) or "none"


def _drill(
    plan: Any, args: argparse.Namespace, known: Any, lasting: Any, when: tuple[datetime, datetime]
) -> int:
    """The whole drill, kept as this plan's rehearsal."""
    from cockpit.runtime.rehearsal import drill
    from cockpit.store import rehearsals

    starts, now = when
    drilled = drill(plan, lasting, starts)
    result = rehearsals.Rehearsal(
        at=now,
        plan=os.path.abspath(args.plan),
        digest=rehearsals.digest(plan),
        proven={p.limit.id: p.after.total_seconds() for p in drilled.proofs if p.after is not None},
        unproven={p.limit.id: p.why for p in drilled.proofs if p.after is None},
        rollback_s=drilled.back.took.total_seconds() if drilled.back else None,
        not_undone=drilled.back.unproven if drilled.back else (),
        assumed=tuple(dict.fromkeys(step for (step, _), duration in known.items() if not duration.session)),
    )
    # Said before it is kept: a full or unwritable disk doesn't take what was found along.
    print(
        rehearsals.as_json(result) if args.json else "\n".join(_told(plan, args.plan, known, drilled)),
        flush=True,
    )
    path = None if drilled.stuck else rehearsals.write(result)
    if not args.json:
        print(_end(drilled, path))
    return 0 if drilled.passed else 1


def _told(plan: Any, path: Path, known: Any, drilled: Any) -> list[str]:
    from cockpit.core.spans import clock
    from cockpit.core.text import visible
    from cockpit.runtime.simulated_team import WHAT_IT_DOES

    wide = max(len(step.id) for step in plan.steps)
    title = f"Rehearsal of {plan.release.name} ({path}): simulated, {nobody(plan)} was contacted"
    lines = [title, "", "Steps take"]
    for step in plan.steps:
        ways = [f"{_took(known[step.id, 'run'])}"]
        if step.rollback is not None:
            ways.append(f"back {_took(known[step.id, 'back'])}")
        lines.append(f"  {step.id:{wide}}  {', '.join(ways)}")
    lines += [f"The team {WHAT_IT_DOES}.", ""]
    lines.append(
        f"The clean run never came to its end: {drilled.stuck}"
        if drilled.stuck
        else f"The clean run completed in {clock(drilled.took)}"
    )
    if drilled.back is not None:
        lines.append(f"From its very end back: {_back(drilled.back)}")
    lines += [
        "",
        "Limits" if drilled.proofs else "The plan has no limit that acts: nothing would stop a bad release",
    ]
    for proof in drilled.proofs:
        lines += _proof(proof)
    observed = [t.id for t in plan.thresholds if t.observe_only]
    if observed:
        lines.append(f"  only observed, not rehearsed: {', '.join(observed)}")
    return [visible(line) for line in lines]


def _took(duration: Any) -> str:
    from cockpit.core.spans import clock

    return f"{clock(duration.length)} {f'from session {duration.session}' if duration.session else 'assumed'}"


def _proof(proof: Any) -> list[str]:
    from cockpit.core.spans import clock

    if proof.after is None:
        return [f"  NEVER FIRED  {proof.limit.id} ({proof.limit.action})", f"    {proof.why}"]
    told = ", ".join(proof.told) or "nobody beside the screen"
    fired = f"{proof.limit.action}, in {proof.stage}, {clock(proof.after)} after the breach"
    lines = [f"  fired        {proof.limit.id}: {fired}", f"    told: {told}"]
    return [*lines, f"    {_back(proof.back)}"] if proof.back is not None else lines


def _back(back: Any) -> str:
    from cockpit.core.spans import clock

    many = "s" if back.proven != 1 else ""
    left = f"; not proven: {'; '.join(back.unproven)}" if back.unproven else ""
    return f"rollback proven on {back.proven} target{many} in {clock(back.took)}{left}"


def _end(drilled: Any, path: Path | None) -> str:
    if path is None:
        return "\nNothing was kept: a plan that never comes to its end isn't rehearsed."
    missing = sum(p.after is None for p in drilled.proofs)
    said = "" if not drilled.proofs else "Every limit fired. "
    if missing:
        said = f"{missing} of {len(drilled.proofs)} limits never fired: nothing shows that they protect. "
    return f"\n{said}Kept in {path}"
