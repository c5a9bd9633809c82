"""The command line: parses it, and wires the real parts together for each command.

Imports of the heavy layers stand inside the commands that need them: `--help` answers at once.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial

from cockpit.cli import (
    actions,
    attending,
    driving,
    exporting,
    history,
    reading,
    rehearsing,
    replaying,
    reviewing,
    signing,
    starting,
)
from cockpit.cli.arguments import ACTS, parser
from cockpit.cli.guard import APART, LEFT, TOGETHER, guarded
from cockpit.cli.session import is_headless, tell
from cockpit.core.errors import CockpitError


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code of the contract."""
    words = [
        w.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        for w in (sys.argv[1:] if argv is None else argv)
    ]
    if words and words[0] not in COMMANDS and not words[0].startswith("-"):
        words = ["run", *words]  # `cockpit PLAN.toml`
    args = parser().parse_args(words)
    gc.freeze()  # what start-up makes stays: collecting it again and again only delays the first frame
    gc.set_threshold(50_000, 20, 20)
    try:
        run = partial(COMMANDS[args.command], args)
        on_screen = args.command in ON_SCREEN and not is_headless(args)
        return guarded(run, _means(args)) if on_screen else run()
    except CockpitError as fault:
        tell(str(fault))
        return fault.exit_code
    except KeyboardInterrupt:
        return LEFT
    except BrokenPipeError:  # the reader of our output went away, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return LEFT


def _means(args: argparse.Namespace) -> str:
    """What the end of this command's screen means for its session."""
    if args.command == "demo":
        return "The demo is over."
    if args.command == "replay":
        return "Nothing was changed by it."
    return TOGETHER if getattr(args, "foreground", False) else APART


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": driving.run,
    "resume": driving.resume,
    "attach": attending.attach,
    "watch": attending.watch,
    **dict.fromkeys(ACTS, attending.act),
    "sign": signing.sign,
    "check": reading.check,
    "rehearse": rehearsing.rehearse,
    "replay": replaying.replay,
    "export": exporting.export,
    "sessions": history.sessions,
    "review": reviewing.review,
    "actions": actions.actions,
    "verify": reading.verify,
    "demo": driving.demo,
    "schema": reading.schema,
    "init": starting.init,
}

ON_SCREEN = ("run", "resume", "demo", "attach", "replay")
"""The commands that open a screen, unless they are headless."""
