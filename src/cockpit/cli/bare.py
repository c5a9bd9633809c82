"""`cockpit` alone: what runs or was cut here, what cockpit is, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from cockpit.cli.nearby import plans
from cockpit.core.errors import CockpitError
from cockpit.core.text import visible

LOOKED_AT, NAMED = 5, 3
"""How many of the newest logs are looked at, and how many sessions are named: there are ten lines."""

DEMO = " in demo"
"""The environment of the demo, whose targets end with its session: there is nothing to take up."""

WHAT = "Cockpit takes a release out in slices, with named owners and agreed limits."


def bare() -> int:
    """Print it, in at most ten lines; it takes no longer than `--help`."""
    standing = list(islice(_standing(), NAMED))
    here = list(islice(plans(Path()), 2))
    plan = shlex.quote(str(here[0])) if len(here) == 1 and len(str(here[0])) < 30 else "plan.toml"
    steps = {
        "cockpit demo": "watch a release; nothing else is needed",
        "cockpit init": "write a first plan by a few questions",
        f"cockpit check {plan}": "what is missing, and each exact command",
        f"cockpit {plan}": "open the session and the screen",
    }
    width = max(map(len, steps))
    for line in (*standing, WHAT, *(f"  {step:{width}}  {says}" for step, says in steps.items())):
        print(visible(line))
    print("Every command: cockpit --help. What this machine lacks: cockpit doctor.")
    return 0


def _standing() -> Iterator[str]:
    """A line for each session that runs, and then for each that was cut; whatever can't be read keeps nobody off."""
    from cockpit import settings
    from cockpit.runtime import sockets
    from cockpit.store.glance import Glance, glance, names
    from cockpit.store.places import SUFFIX, session_dir

    def as_whom(seen: Glance) -> str:
        return "" if settings.read()["as"] else seen.as_whom(sockets.own_user())

    answering: tuple[str, ...] = ()
    with suppress(CockpitError, OSError):
        answering = sockets.running()
    for name in answering:
        seen = glance(session_dir() / f"{name}{SUFFIX}")
        what, whom = (seen.of, as_whom(seen)) if seen else (f"session {name}", "")
        yield f"{what} runs: cockpit attach {shlex.quote(name)}{whom}"
    for name in names()[:LOOKED_AT]:
        if name in answering:
            continue
        seen = glance(session_dir() / f"{name}{SUFFIX}")
        if seen and seen.started and not (seen.closed or seen.written or seen.of.endswith(DEMO)):
            yield f"{seen.of} didn't come to its end: cockpit resume {shlex.quote(name)}{as_whom(seen)}"
