"""`cockpit demo`: the sample plan filled in for the embedded fleet, and what the hosts say afterwards."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cockpit.core import checklist, roles
from cockpit.core import commands as cmd
from cockpit.core.errors import PlanError
from cockpit.demo.fleet import PREFIX, Fleet
from cockpit.planfile import parse
from cockpit.planfile.edit import fill
from cockpit.runtime.engine import Engine, utc_now
from cockpit.runtime.session import Opening
from cockpit.shipped import directory
from cockpit.store import sessions

LEAD = "dana"

Crew = Callable[[Engine, bool], Coroutine[Any, Any, None]]
"""The people of a session, who may sign too or leave that to whoever sits at the screen."""
Drive = Callable[[Opening, Crew], Coroutine[Any, Any, int]]


async def play(hosts: int, bad: bool, promote_when_clean: bool, drive: Drive) -> int:
    """Start the fleet, let `drive` run the session on it, and say which version each host serves at the end."""
    with TemporaryDirectory(prefix=PREFIX) as work:
        async with Fleet.start(Path(work) / "fleet", hosts) as fleet:
            text = fill(
                (directory("sample-plans") / "demo.toml").read_text(encoding="utf-8"), fleet.plan_values(bad)
            )
            checked = parse(text.encode(), "demo.toml")
            if checked.plan is None:
                raise PlanError("\n\n".join(p.render() for p in checked.problems))
            release = checked.plan.release
            path = sessions.new_path(release.service, release.environment, utc_now())
            opening = Opening(
                checked.plan,
                "demo.toml",
                checked.data,
                checked.sha256,
                LEAD,
                path,
                promote_when_clean,
                lasting=False,
            )
            code = await drive(opening, crew)
            versions = await fleet.versions()
    print(
        "serving now: " + ", ".join(f"{host} {version}" for host, version in versions.items()),
        file=sys.stderr,
    )
    return code


async def crew(engine: Engine, signs: bool) -> None:
    """The demo's people: each accepts their roles, and, where they do so at all, signs what can be signed."""
    changed = asyncio.Event()
    end = engine.subscribe(changed.set)
    try:
        while True:
            changed.clear()
            for person in dict.fromkeys(person for _, person in engine.state.plan.roles.held()):
                if roles.waiting(engine.state, person):
                    await engine.send(cmd.AcceptRole(engine.now(), person, LEAD))
            for item in engine.state.plan.checklist if signs else ():
                if not checklist.unhealthy(engine.state, item):
                    for person in checklist.missing(engine.state, item):
                        await engine.send(cmd.SignItem(engine.now(), person, LEAD, "done", item=item.id))
            await changed.wait()
    finally:
        end()
