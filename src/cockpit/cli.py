"""The command line: parses it, and wires the real parts together for each command.

Imports of the heavy layers stand inside the commands that need them: `--help` answers at once.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import getpass
import json
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from cockpit import __version__
from cockpit.core.errors import CockpitError, PlanError, UsageError

Crew = Callable[[Any], Coroutine[Any, Any, None]]
"""People who act by themselves in a session: the demo's."""

LEFT = 130
LOG_FAILED = 75


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code of the contract."""
    words = [
        w.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        for w in (sys.argv[1:] if argv is None else argv)
    ]
    if words and words[0] not in COMMANDS and not words[0].startswith("-"):
        words = ["run", *words]  # `cockpit PLAN.toml`
    args = _parser().parse_args(words)
    gc.freeze()  # what start-up makes stays: collecting it again and again only delays the first frame
    gc.set_threshold(50_000, 20, 20)
    try:
        return COMMANDS[args.command](args)
    except CockpitError as fault:
        print(fault, file=sys.stderr)
        return fault.exit_code
    except KeyboardInterrupt:
        return LEFT
    except BrokenPipeError:  # the reader of our output went away, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return LEFT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cockpit",
        description="A terminal cockpit for production releases.",
        epilog="`cockpit PLAN.toml` is the same as `cockpit run PLAN.toml`. Try `cockpit demo`.",
    )
    parser.add_argument("--version", action="version", version=f"cockpit {__version__}")
    sub = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    run = sub.add_parser("run", help="open a session and the screen")
    run.add_argument("plan", type=Path, metavar="PLAN")
    run.add_argument("--as", dest="me", metavar="PERSON", help="who you are: an id under [people]")
    run.add_argument("--log", type=Path, metavar="FILE", help="where the session's log goes")
    _driving(run)
    check = sub.add_parser("check", help="every problem in the plan, then readiness and the exact commands")
    check.add_argument("plan", type=Path, metavar="PLAN")
    check.add_argument("--offline", action="store_true", help="contact nothing")
    export = sub.add_parser("export", help="write a session's review")
    export.add_argument(
        "session", nargs="?", metavar="SESSION", help="a file or a name; the latest if left out"
    )
    export.add_argument("--format", default="markdown", metavar="FORMAT", help="markdown or json")
    export.add_argument("-o", "--output", type=Path, metavar="FILE", help="instead of standard output")
    sub.add_parser("sessions", help="what has been run")
    demo = sub.add_parser("demo", help="a release on an embedded fleet; nothing else needed")
    demo.add_argument("--bad", action="store_true", help="a version that starts failing after the switch")
    demo.add_argument("--hosts", type=int, default=6, metavar="N", help="size of the fleet (default 6)")
    _driving(demo)
    sub.add_parser("schema", help="print the JSON Schema of the plan")
    return parser


def _driving(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--headless", action="store_true", help="no screen: one line per event")
    parser.add_argument("--json", action="store_true", help="headless, one JSON object per event")
    parser.add_argument(
        "--promote-when-clean",
        action="store_true",
        help="stages without a gate or open item go on by themselves",
    )
    parser.add_argument(
        "--foreground", action="store_true", help="engine and screen in one process (as now always)"
    )
    parser.add_argument(
        "--override", default="", metavar="REASON", help="start although not ready; the reason is kept"
    )


def _run(args: argparse.Namespace) -> int:
    from cockpit.runtime.session import Opening
    from cockpit.store import sessions

    checked = _load(args.plan)
    plan = checked.plan
    path = args.log or sessions.new_path(plan.release.service, plan.release.environment, _now())
    me = _who(plan, args.me)
    opening = Opening(plan, str(args.plan), checked.data, checked.sha256, me, path, args.promote_when_clean)
    return asyncio.run(_drive(opening, args))


async def _drive(opening: Any, args: argparse.Namespace, crew: Crew | None = None) -> int:
    """Run a session on the screen or headless; returns its exit code."""
    from cockpit.core.view import exit_code
    from cockpit.runtime.session import session

    headless = args.headless or args.json
    shown = asyncio.Event()
    async with session(opening, None if headless else shown) as engine:
        helping = asyncio.create_task(crew(engine)) if crew else None
        if headless:
            from cockpit.runtime.headless import run_headless

            await run_headless(engine, _printer(engine, args.json), _to_stderr, args.override)
        else:
            from cockpit.tui.app import show

            await show(engine, on_shown=shown.set)
        if helping:
            helping.cancel()
    seq, digest = engine.head
    print(f"log {opening.log_path}\nhead {seq} {digest}", file=sys.stderr)
    return LOG_FAILED if engine.failure else exit_code(engine.state)


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
    print(f"next: {text}", file=sys.stderr, flush=True)


def _check(args: argparse.Namespace) -> int:
    from cockpit.export.preview import preview
    from cockpit.planfile import load
    from cockpit.runtime.check import look

    checked = load(args.plan)
    groups = {
        "Problems": checked.problems,
        "Worth a look": checked.warnings,
        "Not acted on yet": checked.not_acted_on,
    }
    for title, problems in groups.items():
        for problem in problems:
            print(f"{title}\n" if problem is problems[0] else "", problem.render(), sep="", end="\n\n")
    if checked.plan is None:
        raise PlanError(_refusal(args.plan, checked.problems))
    print(preview(checked.plan))
    if args.offline:
        print("\nReadiness wasn't looked at (--offline).")
        return 0
    findings = asyncio.run(look(checked.plan))
    print("\nReadiness")
    for finding in findings:
        print(f"  {'ok ' if finding.ok else 'NOT'}  {finding.text}")
    missing = [f for f in findings if not f.ok and not f.key.startswith("checklist:")]
    return 5 if missing else 0


def _export(args: argparse.Namespace) -> int:
    from cockpit.export import FORMATS
    from cockpit.export.review import review
    from cockpit.planfile import parse
    from cockpit.store import log, sessions

    if args.format not in FORMATS:
        raise UsageError(f"no format {args.format!r}: choose {' or '.join(FORMATS)}")
    recording = log.read(sessions.find(args.session))
    opened: Any = recording.events[0][1] if recording.events else None
    if opened is None:
        raise UsageError("the log holds no session yet: nothing to export")
    checked = parse(opened.plan_text.encode(), opened.plan_path)
    if checked.plan is None:
        raise PlanError(_refusal(opened.plan_path, checked.problems))
    text = FORMATS[args.format](review(recording.events, checked.plan, recording.head, recording.output))
    if args.output:
        args.output.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    return 0


def _sessions(_: argparse.Namespace) -> int:
    from cockpit.core.view import clock
    from cockpit.store import sessions

    rows = sessions.listing()
    if not rows:
        print(f"no sessions yet under {sessions.session_dir()}; `cockpit demo` makes one")
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


def _demo(args: argparse.Namespace) -> int:
    from cockpit.demo.play import play

    headless = args.headless or args.json

    def drive(opening: Any, crew: Crew) -> Coroutine[Any, Any, int]:
        return _drive(opening, args, crew if headless else None)

    return asyncio.run(play(args.hosts, args.bad, args.promote_when_clean, drive))


def _schema(_: argparse.Namespace) -> int:
    from cockpit.planfile import schema

    print(json.dumps(schema(), indent=2))
    return 0


def _load(path: Path) -> Any:
    """The checked plan; PlanError with every problem where it can't be used. Warnings go to stderr."""
    from cockpit.planfile import load

    checked = load(path)
    if checked.plan is None:
        problems = "\n\n".join(p.render() for p in checked.problems)
        raise PlanError(f"{problems}\n\n{_refusal(path, checked.problems)}")
    for note in (*checked.warnings, *checked.not_acted_on):
        print(note.render().splitlines()[0], file=sys.stderr)
    return checked


def _refusal(path: object, problems: Sequence[object]) -> str:
    count = len(problems)
    many = "s" if count != 1 else ""
    return f"{path}: {count} problem{many}. Nothing was contacted. Mend the plan, then run it again."


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


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": _run,
    "check": _check,
    "export": _export,
    "sessions": _sessions,
    "demo": _demo,
    "schema": _schema,
}
