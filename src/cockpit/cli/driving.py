"""The commands that drive a release: run, resume, demo."""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from cockpit import failpoint
from cockpit.cli.attending import check_screen, go_on, on_screen, said_to_be, whoever
from cockpit.cli.loading import Begun
from cockpit.cli.session import is_headless, named, recorded, refusal, tell
from cockpit.cli.standing import DEMO_OVER, LOG_FAILED, not_over
from cockpit.core.errors import PlanError, UsageError

Crew = Callable[[Any], Coroutine[Any, Any, None]]
"""People who act by themselves in a session: the demo's."""


def run(args: argparse.Namespace) -> int:
    """Open a session of a plan."""
    checked = _load(args.plan)
    from cockpit.runtime.session import Opening
    from cockpit.store import sessions

    plan = checked.plan
    me = _who(plan, said_to_be(args))
    path = args.log or sessions.new_path(plan.release.service, plan.release.environment, _now())
    opening = Opening(
        plan,
        os.path.abspath(args.plan),
        checked.data,
        checked.sha256,
        me,
        Path(os.path.abspath(path)),
        args.promote_when_clean,
        take_over=args.take_over,
        inventory=checked.inventory,
    )
    return _drive(opening, args)


def resume(args: argparse.Namespace) -> int:
    """Take up a session that never came to its end."""
    from cockpit.core.events import SessionClosed
    from cockpit.demo.fleet import had_fleet
    from cockpit.runtime.session import Opening
    from cockpit.store import sessions
    from cockpit.store.files import is_written

    path = Path(os.path.abspath(sessions.find(args.session)))
    if args.go_on and is_written(path):  # it runs: what is asked for is that its rollout goes on
        return go_on(args, path)
    recording, opened, plan = recorded(path)
    if had_fleet(plan) and not is_written(path):
        known = shlex.quote(named(path))
        raise UsageError(
            f"{path.stem} was a demo: its hosts ended with it, so nothing is left to take up. Nothing was started: "
            f"begin anew with `cockpit demo`; `cockpit replay {known}` shows what happened."
        )
    opening = Opening(
        plan,
        opened.plan_path,
        opened.plan_text.encode(),
        opened.plan_sha256,
        _who(plan, said_to_be(args)),
        path,
        opened.promote_when_clean or args.promote_when_clean,
        resumed=True,
        plan_file=_plan_file(opened),
        take_over=args.take_over,
    )
    is_over = any(isinstance(event, SessionClosed) for _, event in recording.events)
    if is_over and not is_headless(args):
        return asyncio.run(_let_go(opening))
    return _drive(opening, args, args.go_on)


async def _let_go(opening: Any) -> int:
    """A session that is over: whatever a crash may have left of it on its targets is removed; returns its code."""
    from cockpit.cli import summary
    from cockpit.core.view import exit_code
    from cockpit.runtime.session import session

    async with session(opening) as engine:
        over = asyncio.Event()
        engine.subscribe(over.set)
        while not engine.ended:
            await over.wait()
            over.clear()
    tell(summary.over(engine.state, engine.events, engine.now(), opening.log_path))
    return exit_code(engine.state)


def _plan_file(opened: Any) -> str:
    """How the plan's file differs now from the plan a session was opened with; empty: not at all."""
    try:
        now = sha256(Path(opened.plan_path).read_bytes()).hexdigest()
    except OSError:
        return f"{opened.plan_path} can't be read any more"
    return "" if now == opened.plan_sha256 else f"{opened.plan_path} has changed since"


def _drive(opening: Any, args: argparse.Namespace, go_on: str = "") -> int:
    """Run a session: headless, on a screen in this process, or in a process of its own with a screen here."""
    headless = is_headless(args)
    if not headless:
        check_screen(args.theme)
    opening = _outward(opening, headless)
    if headless or args.foreground:
        return asyncio.run(_drive_here(opening, args, go_on=go_on))
    from cockpit.cli.apart import launch
    from cockpit.runtime.sockets import name_of

    launch(opening, meanwhile=_import_screen)
    failpoint.reach("screen.before_attach")
    tell(f"log {opening.log_path}")
    name = name_of(opening.log_path)
    return asyncio.run(on_screen(name, args, apart=True, said=opening.me, log=opening.log_path))


def _outward(opening: Any, is_heard: bool) -> Any:
    """The session, telling other systems what the person's settings say; `is_heard`: no screen shows complaints."""
    from cockpit import settings

    found = settings.read()
    for complaint in found.complaints if is_heard else ():
        tell(complaint)
    if not (found["otel.endpoint"] or found["annotations.url"]):
        return opening
    from cockpit.runtime.outward import Outward, outlets

    keys = ("otel.endpoint", "otel.token", "annotations.url", "annotations.token")
    outward = Outward(*(found[key] for key in keys))
    return replace(opening, outward=partial(outlets, outward), prepare=outward.prepare)


def _import_screen() -> None:
    import cockpit.tui.app  # noqa: F401  # pyright: ignore[reportUnusedImport] - it takes a while, as the engine does


async def _drive_here(
    opening: Any, args: argparse.Namespace, crew: Crew | None = None, go_on: str = ""
) -> int:
    """Run a session in this process, headless or on the screen; returns its exit code."""
    from cockpit.core.view import exit_code
    from cockpit.runtime.session import session

    headless = is_headless(args)
    shown = asyncio.Event()
    opened: list[Any] = []
    try:
        async with session(opening, None if headless else shown) as engine:
            opened.append(engine)
            helping = asyncio.create_task(crew(engine)) if crew else None
            if headless:
                await _headless(engine, args, go_on)
            else:
                await _on_screen_here(opening, args, shown, guided=crew is not None)
            if helping:
                helping.cancel()
    finally:
        for engine in opened:
            _tell_how_it_ended(engine, opening, is_heard=headless)
    (engine,) = opened
    return LOG_FAILED if engine.failure else exit_code(engine.state)


async def _headless(engine: Any, args: argparse.Namespace, go_on: str) -> None:
    from cockpit.cli.lines import forgiving, printer
    from cockpit.runtime.headless import run_headless

    await run_headless(engine, forgiving(printer(engine, args.json)), tell, args.override, go_on)


async def _on_screen_here(opening: Any, args: argparse.Namespace, shown: asyncio.Event, guided: bool) -> None:
    from cockpit.runtime.sockets import name_of

    name = name_of(opening.log_path)
    await on_screen(name, args, apart=False, said=opening.me, on_shown=shown.set, guided=guided)


def _tell_how_it_ended(engine: Any, opening: Any, is_heard: bool) -> None:
    """Tell it; `is_heard`: as what is said without a screen, with words for signs."""
    from cockpit.cli import summary
    from cockpit.runtime.spoken import in_words

    said = in_words if is_heard else str
    seq, digest = engine.head
    tell(f"log {opening.log_path}\nhead {seq}:{digest}")
    if engine.state.closed is not None:
        tell(said(summary.over(engine.state, engine.events, engine.now(), opening.log_path)))
    elif engine.state.started is not None or not opening.lasting:
        whole = said(summary.under_way(engine.state, engine.events))
        goes_on = not_over(engine.state, opening.me, named(opening.log_path), opening.log_path)
        tell(f"{whole}\n{goes_on if opening.lasting else DEMO_OVER}".strip())


def demo(args: argparse.Namespace) -> int:
    """Run a release on the embedded fleet."""
    from cockpit.demo.play import play

    headless = is_headless(args)
    if not headless:
        check_screen(args.theme)

    def drive(opening: Any, crew: Callable[..., Coroutine[Any, Any, None]]) -> Coroutine[Any, Any, int]:
        return _drive_here(_outward(opening, headless), args, partial(crew, signs=headless))

    return asyncio.run(play(args.hosts, args.bad, args.promote_when_clean, drive))


def _load(path: Path) -> Any:
    """The checked plan; PlanError with every problem where it can't be used. Warnings go to stderr."""
    with Begun(path) as begun:
        checked = begun.load(_now())
    if checked.plan is None:
        problems = "\n\n".join(p.render() for p in checked.problems)
        raise PlanError(f"{problems}\n\n{refusal(path, checked.problems)}")
    for note in checked.warnings:
        tell(note.render().splitlines()[0])
    return checked


def _who(plan: Any, said: str) -> str:
    """The person at this screen: the one whose account this is, else the one named, if that may be."""
    from cockpit.core.attendance import known_as
    from cockpit.core.commands import Refused
    from cockpit.runtime.sockets import own_user

    person = known_as(plan, own_user(), own=True, said=said)
    if isinstance(person, Refused):
        raise UsageError(f"{person.reason}. Nothing was contacted.")
    if not person:
        raise UsageError(f"who are you? {whoever(plan, own_user())} Nothing was contacted.")
    return person


def _now() -> Any:
    from cockpit.runtime.engine import utc_now

    return utc_now()
