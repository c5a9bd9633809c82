"""`cockpit demo`: the sample plan filled in for the embedded fleet, and what the hosts say afterwards."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cockpit.core import checklist
from cockpit.core import commands as cmd
from cockpit.core.errors import PlanError
from cockpit.demo.fleet import Fleet
from cockpit.planfile import fill, parse
from cockpit.runtime.engine import Engine, utc_now
from cockpit.runtime.session import Opening
from cockpit.shipped import directory
from cockpit.store import sessions

LEAD = "dana"

Crew = Callable[[Engine], Coroutine[Any, Any, None]]
Drive = Callable[[Opening, Crew], Coroutine[Any, Any, int]]


async def play(hosts: int, bad: bool, promote_when_clean: bool, drive: Drive) -> int:
    """Start the fleet, let `drive` run the session on it, and say which version each host serves at the end."""
    with TemporaryDirectory(prefix="cockpit-demo-") as work:
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


async def crew(engine: Engine) -> None:
    """The demo's people: each signs their own items as soon as they hold something back."""
    changed = asyncio.Event()
    end = engine.subscribe(changed.set)
    try:
        while True:
            changed.clear()
            for item in engine.state.plan.checklist:
                for person in checklist.missing(engine.state, item):
                    await engine.send(cmd.SignItem(engine.now(), person, LEAD, "done", item=item.id))
            await changed.wait()
    finally:
        end()
