"""A session without a screen: starts when ready, and prints each event as it is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from cockpit.core import commands as cmd
from cockpit.core import readiness
from cockpit.core.commands import Refused
from cockpit.core.errors import NotReady
from cockpit.core.events import Event
from cockpit.core.view import next_line
from cockpit.runtime.engine import Engine, set_within

FIRST_READINGS = timedelta(seconds=30)
"""How long targets and signals have for their first answer before the release counts as not ready."""


async def run_headless(
    engine: Engine,
    say: Callable[[Event], None],
    hint: Callable[[str], None],
    override: str,
) -> None:
    """Drive `engine` (already opened and running) to its end.

    `say` gets each event, `hint` gets the line that says what the release waits for when it changes.
    Raises NotReady where the release can't start; returns once the session is closed or left.
    """
    printed = 0
    changed = asyncio.Event()
    end = engine.subscribe(changed.set)
    last_hint = ""
    starting = asyncio.create_task(_start(engine, override))
    try:
        while True:
            ended = engine.ended
            for event in list(engine.events)[printed:]:
                say(event)
                printed += 1
            if starting.done():
                starting.result()
            if ended:
                return
            state = engine.state
            if state.started is not None and (line := _waits_for(engine)) != last_hint:
                last_hint = line
                if line:
                    hint(line)
            await set_within(changed, 1.0)
            changed.clear()
            await _close_partial(engine)
    finally:
        end()
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)


def _waits_for(engine: Engine) -> str:
    """What a person has to do now, or empty while the release goes on by itself."""
    state = engine.state
    waiting = state.paused is not None or (state.phase == "waiting" and state.rollback is None)
    return next_line(state, engine.now()) if waiting else ""


async def _start(engine: Engine, override: str) -> None:
    """Start as soon as everything answered; NotReady with what is missing where it did and isn't enough."""
    deadline = engine.now() + FIRST_READINGS
    while readiness.pending(engine.state) and engine.state.left is None and engine.now() < deadline:
        changed = asyncio.Event()
        end = engine.subscribe(changed.set)
        await set_within(changed, 0.2)
        end()
    seen = tuple(f.key for f in readiness.blocking(engine.state, engine.now()))
    start = cmd.StartRelease(engine.now(), engine.me, reason=override, overriding=seen)
    refused = await engine.send(start)
    if isinstance(refused, Refused) and not (engine.state.started or engine.state.left or engine.ended):
        raise NotReady(
            f'{refused.reason}\nNothing ran. Settle these, or start anyway with --override "REASON".'
        )


async def _close_partial(engine: Engine) -> None:
    """Without a screen nobody retries a partial rollback: it is closed as it is, and the exit code says so."""
    result = engine.state.rollback_result
    if result is not None and result.unproven and engine.state.closed is None:
        await engine.send(cmd.CloseUnattended(engine.now()))
