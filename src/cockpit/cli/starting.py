"""`cockpit init`: a first plan by a few questions, or the next one from an earlier plan; on plain streams."""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from shlex import quote
from typing import Any

from cockpit.cli.asking import asked
from cockpit.cli.loading import load
from cockpit.cli.questions import HOW, WHAT, ZONE, next_change_ref, next_version, now_in, window_times
from cockpit.cli.session import tell
from cockpit.core.errors import PlanError, UsageError
from cockpit.core.text import visible

INTERRUPTED = 130
NAME_LENGTH = 60
HOW_TO_ANSWER = """Nothing is written before the last answer.
? explains a question; Enter takes what stands in [brackets].
"""


def init(args: argparse.Namespace) -> int:
    """Ask, write a plan that was never there, and say how to go on."""
    if sys.stdin is None:
        raise UsageError("nobody can answer: standard input is closed. Nothing was written.")
    for stream, errors in ((sys.stdin, "surrogateescape"), (sys.stdout, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)
    with suppress(ImportError):
        import readline  # noqa: F401 - answers can be edited as in a shell
    try:
        return _next_plan(args.earlier, args.output) if args.earlier else _first_plan(args.output)
    except EOFError:
        print()
        raise UsageError(
            "the answers ended before the last question. Nothing was written: start again, and answer them all."
        ) from None
    except KeyboardInterrupt:
        tell("\nNothing was written.")
        return INTERRUPTED


def _first_plan(output: Path | None) -> int:
    from cockpit.planfile.drafting import EXAMPLE, objection, plan_text

    if output:
        _free(output)
    print(f"A first plan, by a few questions. {HOW_TO_ANSWER}")
    draft = asked(WHAT, EXAMPLE, objection)
    path = _free(output or _named(draft.service, draft.version))
    draft = asked(HOW, draft, objection)
    if draft.opens is not None:
        draft = asked([ZONE], draft, objection)
        draft = asked(window_times(draft.opens, draft.timezone), draft, objection)
    _write(path, plan_text(draft))
    return 0


def _next_plan(earlier: Path, output: Path | None) -> int:
    from cockpit.planfile import succession

    checked = load(earlier)
    if checked.plan is None:
        problems, count = "\n\n".join(p.render() for p in checked.problems), len(checked.problems)
        many = "s" if count != 1 else ""
        raise PlanError(
            f"{problems}\n\n{earlier}: {count} problem{many}. Nothing was written: mend it first."
        )
    if output:
        _free(output)
    plan = succession.Earlier.of(checked)

    def objection(new: Any) -> str:
        return succession.objection(plan, new)

    release, window = plan.document["release"], plan.document.get("window")
    print(f"The next release of {visible(release['service'])}, from {visible(str(earlier))}. {HOW_TO_ANSWER}")
    standing = succession.Successor(f"after {release['version']}")
    new = asked([next_version(succession.bumped(release["version"]))], standing, objection)
    path = _free(output or _named(release["service"], new.version))
    if "change_ref" in release:
        new = asked([next_change_ref(release["change_ref"])], new, objection)
    if window is not None:
        day = succession.next_weekday(now_in(window["timezone"]).date(), window.get("freeze", ()))
        opens = datetime.combine(day, window["opens"].time())
        times = window_times(opens, window["timezone"], window["closes"] - window["opens"])
        new = asked(times, new, objection)
    _write(path, succession.succeeded(plan, new), succession.still_said(plan, new))
    return 0


def _named(service: str, version: str) -> Path:
    """The file for a plan that was given none, in this directory."""
    name = re.sub(r"[^\w.+]+", "-", f"{service}-{version}")[:NAME_LENGTH].strip("-.")
    return Path(f"{name or 'plan'}.toml")


def _free(path: Path) -> Path:
    """The path, if a plan can be written to it; UsageError if not."""
    if os.path.lexists(path):
        raise _taken(path)
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise UsageError(
            f"no file can be written to {path.parent}. Nothing was written: give another with -o."
        )
    return path


def _taken(path: Path) -> UsageError:
    return UsageError(f"{path} is there already, and stays. Nothing was written: give another file with -o.")


def _write(path: Path, text: str, look_at: Sequence[str] = ()) -> None:
    try:
        with path.open("xb") as file:
            file.write(text.encode())
    except FileExistsError:
        raise _taken(path) from None
    except OSError as fault:
        with suppress(OSError):
            path.unlink()
        print("", visible(text, keep="\n"), sep="\n")
        raise UsageError(
            f"{path} can't be written: {fault.strerror}. The plan stands above instead."
        ) from None
    if look_at:
        print("\nStill as in the earlier plan; see whether it fits this release:")
        print(*(f"  {visible(line)}" for line in look_at), sep="\n")
    name = visible(quote(str(path)))
    print(f"\nWrote {visible(str(path))}. Next:")
    print(f"  cockpit check {name}   what is missing, and each exact command")
    print(f"  cockpit {name}         open the session and its screen")
