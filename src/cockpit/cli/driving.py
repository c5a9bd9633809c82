"""The commands that drive a release: run, resume, demo."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import sys
from collections.abc import Callable, Coroutine
from hashlib import sha256
from pathlib import Path
from typing import Any

from cockpit.cli.session import recorded, refusal, tell
from cockpit.core.errors import PlanError, UsageError

Crew = Callable[[Any], Coroutine[Any, Any, None]]
"""People who act by themselves in a session: the demo's."""

LEFT = 130
LOG_FAILED = 75


def run(args: argparse.Namespace) -> int:
    """Open a session of a plan."""
    from cockpit.runtime.session import Opening
    from cockpit.store import sessions

    checked = _load(args.plan)
    plan = checked.plan
    path = args.log or sessions.new_path(plan.release.service, plan.release.environment, _now())
    me = _who(plan, args.me)
    opening = Opening(
        plan,
        str(args.plan),
        checked.data,
        checked.sha256,
        me,
        path,
        args.promote_when_clean,
        take_over=args.take_over,
    )
    return asyncio.run(_drive(opening, args))


def resume(args: argparse.Namespace) -> int:
    """Take up a session that never came to its end."""
    from cockpit.runtime.session import Opening
    from cockpit.store import sessions

    path = sessions.find(args.session)
    _, opened, plan = recorded(path)
    opening = Opening(
        plan,
        opened.plan_path,
        opened.plan_text.encode(),
        opened.plan_sha256,
        _who(plan, args.me),
        path,
        opened.promote_when_clean or args.promote_when_clean,
        resumed=True,
        plan_file=_plan_file(opened),
        take_over=args.take_over,
    )
    return asyncio.run(_drive(opening, args, go_on=args.go_on))


def _plan_file(opened: Any) -> str:
    """How the plan's file differs now from the plan a session was opened with; empty: not at all."""
    try:
        now = sha256(Path(opened.plan_path).read_bytes()).hexdigest()
    except OSError:
        return f"{opened.plan_path} can't be read any more"
    return "" if now == opened.plan_sha256 else f"{opened.plan_path} has changed since"


async def _drive(opening: Any, args: argparse.Namespace, crew: Crew | None = None, go_on: str = "") -> int:
    """Run a session on the screen or headless; returns its exit code."""
    from cockpit.core.view import exit_code
    from cockpit.runtime.session import session

    headless = args.headless or args.json
    shown = asyncio.Event()
    opened: list[Any] = []
    try:
        async with session(opening, None if headless else shown) as engine:
            opened.append(engine)
            helping = asyncio.create_task(crew(engine)) if crew else None
            if headless:
                from cockpit.runtime.headless import run_headless

                await run_headless(engine, _printer(engine, args.json), _to_stderr, args.override, go_on)
            else:
                from cockpit.tui.app import show

                await show(engine, on_shown=shown.set)
            if helping:
                helping.cancel()
    finally:
        for engine in opened:
            seq, digest = engine.head
            tell(f"log {opening.log_path}\nhead {seq} {digest}")
            unfinished = engine.state.started is not None and engine.state.closed is None
            if unfinished and opening.lasting:
                tell(f"not over: `cockpit resume {_named(opening.log_path)}` takes it up again")
    (engine,) = opened
    return LOG_FAILED if engine.failure else exit_code(engine.state)


def _named(path: Path) -> str:
    """How SESSION names this log: by its name where sessions lie, else by its path."""
    from cockpit.store import sessions

    return path.stem if path.parent == sessions.session_dir() else str(path)


def _printer(engine: Any, as_json: bool) -> Callable[[Any], None]:
    from cockpit.core.journal import line
    from cockpit.core.text import visible
    from cockpit.export.escape import json_text
    from cockpit.store.codec import encode

    if as_json:
        return lambda event: _print(json_text(encode(event).decode()))
    plan = engine.state.plan
    return lambda event: _print(visible(line(event, plan, engine.state.find)))


def _print(text: str) -> None:
    """A line on standard output; a reader that went away doesn't end the release."""
    try:
        print(text, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for the rest of the process


def _to_stderr(text: str) -> None:
    tell(f"next: {text}")


def demo(args: argparse.Namespace) -> int:
    """Run a release on the embedded fleet."""
    from cockpit.demo.play import play

    headless = args.headless or args.json

    def drive(opening: Any, crew: Crew) -> Coroutine[Any, Any, int]:
        return _drive(opening, args, crew if headless else None)

    return asyncio.run(play(args.hosts, args.bad, args.promote_when_clean, drive))


def _load(path: Path) -> Any:
    """The checked plan; PlanError with every problem where it can't be used. Warnings go to stderr."""
    from cockpit.planfile import load

    checked = load(path)
    if checked.plan is None:
        problems = "\n\n".join(p.render() for p in checked.problems)
        raise PlanError(f"{problems}\n\n{refusal(path, checked.problems)}")
    for note in (*checked.warnings, *checked.not_acted_on):
        tell(note.render().splitlines()[0])
    return checked


def _who(plan: Any, said: str | None) -> str:
    """The person at this screen: --as, else the one whose os_user this is, else the only one there could be."""
    ids = [p.id for p in plan.people]
    if said is not None:
        if said not in ids:
            raise UsageError(f"the plan names no {said!r}: --as {' | '.join(ids)}")
        return said
    user = getpass.getuser()
    matching = [p.id for p in plan.people if p.os_user == user or (p.os_user is None and p.id == user)]
    if len(matching) == 1:
        return matching[0]
    raise UsageError(
        f"who are you? No one in the plan has os_user = {user!r}. Say it: --as {' | '.join(ids)}"
    )


def _now() -> Any:
    from cockpit.runtime.engine import utc_now

    return utc_now()
