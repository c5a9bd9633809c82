"""The command line: parses it, and wires the real parts together for each command.

A command's module is imported once it is asked for, and the heavy layers inside it: `--help` answers at once.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module

from cockpit.cli.acting import ACTS
from cockpit.cli.arguments import parser
from cockpit.cli.bare import bare
from cockpit.cli.descriptors import as_many_as_may_be
from cockpit.cli.guard import APART, LEFT, TOGETHER, guarded
from cockpit.cli.help import with_command
from cockpit.cli.session import is_headless, tell
from cockpit.core.errors import CockpitError

ASKED = "__complete"
"""The hidden word by which a shell's completion asks what may stand where."""

TAB = "__tab"
"""The hidden word by which `attach --serve` starts the screen of a browser's tab."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code of the contract."""
    words = [
        w.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        for w in (sys.argv[1:] if argv is None else argv)
    ]
    gc.freeze()  # what start-up makes stays: collecting it again and again only delays the first frame
    gc.set_threshold(50_000, 20, 20)
    as_many_as_may_be()
    try:
        if not words:
            return bare()
        if words[0] == ASKED:
            from cockpit.cli.completing import complete

            return complete(words[1:])
        if words[0] == TAB:
            from cockpit.cli.serving_screen import screen

            return screen(*words[1:])
        args = parser().parse_args(with_command(words, COMMANDS))
        run = partial(_command, args)
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
    finally:
        gc.freeze()  # the process ends: the interpreter's last collections would look through all of it


def _command(args: argparse.Namespace) -> int:
    module, name = COMMANDS[args.command].split(".")
    return getattr(import_module(f"cockpit.cli.{module}"), name)(args)


def _means(args: argparse.Namespace) -> str:
    """What the end of this command's screen means for its session."""
    if args.command == "demo":
        return "The demo is over."
    if args.command == "replay":
        return "Nothing was changed by it."
    return TOGETHER if getattr(args, "foreground", False) else APART


COMMANDS: dict[str, str] = {
    "run": "driving.run",
    "resume": "driving.resume",
    "attach": "attending.attach",
    "watch": "attending.watch",
    **dict.fromkeys(ACTS, "attending.act"),
    "sign": "signing.sign",
    "check": "reading.check",
    "rehearse": "rehearsing.rehearse",
    "replay": "replaying.replay",
    "export": "exporting.export",
    "sessions": "history.sessions",
    "review": "reviewing.review",
    "actions": "actions.actions",
    "verify": "reading.verify",
    "demo": "driving.demo",
    "schema": "reading.schema",
    "init": "starting.init",
    "doctor": "doctor.doctor",
    "completion": "completing.completion",
}
"""Each command's function: its module here, and its name."""

ON_SCREEN = ("run", "resume", "demo", "attach", "replay")
"""The commands that open a screen, unless they are headless."""
