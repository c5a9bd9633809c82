"""A session without a screen: starts when ready, and prints each event as it is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from cockpit.core import commands as cmd
from cockpit.core import readiness
from cockpit.core.commands import Refused
from cockpit.core.errors import Held, NotReady, StillInDoubt
from cockpit.core.events import Event, ScreenAttached, SessionResumed
from cockpit.core.rollout import stuck
from cockpit.core.state import State, breached
from cockpit.core.view import next_line, reopened
from cockpit.runtime import needed
from cockpit.runtime.engine import Engine, set_within
from cockpit.runtime.sockets import own_user
from cockpit.runtime.spoken import in_words

FIRST_READINGS = timedelta(seconds=30)
"""How long targets and signals have for their first answer before the release counts as not ready.

Checks, and what targets are looked at for, have a time of their own.
"""

LOOK_AGAIN = timedelta(seconds=5)
"""How often a refusal to go on is looked at again."""

SETTLING = timedelta(minutes=2)
"""How long what was open may take to settle before a session that is taken up says where it stands."""


async def run_headless(
    engine: Engine,
    say: Callable[[Event], None],
    hint: Callable[[str], None],
    override: str,
    go_on: str,
) -> None:
    """Drive `engine` (already opened, or taken up again, and running) to its end.

    `say` gets each event from here on, `hint` gets the line that says what the release waits for when it changes.
    `go_on` is a person's reason to go on with a session taken up again, as soon as it is known where it stands, as
    `override` is one to start it; without one it waits. Raises NotReady where the release can't start, StillInDoubt
    where it can't go on, Held where another session has a target; returns once the session is closed or left.
    """
    taken_up = [n for n, event in enumerate(engine.events) if isinstance(event, SessionResumed)]
    printed = taken_up[-1] if taken_up else 0  # what was said before is in the log
    changed = asyncio.Event()
    end = engine.subscribe(changed.set)
    hinted: tuple[str, ...] = ()
    await engine.send(_seat(engine))
    if engine.state.started is None and (go_on or override or not taken_up):
        starting = asyncio.create_task(_start(engine, hint, override))
    else:
        starting = asyncio.create_task(_go_on(engine, hint, go_on))
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
            if state.replaced is not None and not state.running():
                raise Held(next_line(state, engine.now()))
            if state.started is not None and state.closed is None:
                lines = tuple(map(in_words, needed.now(state, engine.now(), _reader(engine))))
                for line in lines:
                    if line not in hinted:
                        hint(f"Needed: {line}")
                hinted = lines
            await set_within(changed, 1.0)
            changed.clear()
            await _close_partial(engine)
    finally:
        end()
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)


def _reader(engine: Engine) -> needed.Reader:
    """Whoever reads what is printed here."""
    return needed.Reader(own_user(), engine.me)


def _seat(engine: Engine) -> cmd.AttachScreen:
    """Presence of this process, which watches over the release: it isn't left alone."""
    name = f"{engine.me}-headless-{sum(isinstance(event, ScreenAttached) for event in engine.events) + 1}"
    return cmd.AttachScreen(engine.now(), name, engine.me, own_user(), "headless", may_act=True, own=True)


async def _start(engine: Engine, hint: Callable[[str], None], override: str) -> None:
    """Start as soon as everything answered; NotReady with what is missing where it did and isn't enough.

    What only people can settle is waited for: they accept, sign and enter from another terminal.
    """
    await _until(engine, lambda state: not readiness.pending(state, entered=False), FIRST_READINGS)
    await _until(engine, lambda state: not readiness.looking(state))
    if not override:
        await _people(engine, hint)
    seen = tuple(f.key for f in readiness.blocking(engine.state, engine.now()))
    start = cmd.StartRelease(engine.now(), engine.me, reason=override, overriding=seen, os_user=own_user())
    refused = await engine.send(start)
    if not isinstance(refused, Refused) or engine.state.started or engine.state.left or engine.ended:
        return
    if any(p.held_by for p in engine.state.probes.values()):
        raise Held(f"{refused.reason}\nNothing ran.")
    if override or not seen:  # it is somebody else's to start
        raise NotReady(f"{refused.reason}\nNothing ran.")
    raise NotReady(f'{refused.reason}\nNothing ran. Settle these, or start anyway with --override "REASON".')


async def _people(engine: Engine, hint: Callable[[str], None]) -> None:
    """Wait while nothing but people's words is missing, and say whose."""
    said: tuple[str, ...] = ()
    while missing := readiness.blocking(engine.state, engine.now()):
        if not _drives(engine) or not all(readiness.for_people(engine.state.plan, f) for f in missing):
            return
        lines = needed.before_start(engine.state, missing, _reader(engine))
        for line in lines:
            if line not in said:
                hint(f"Needed before the start: {line}")
        said = lines
        waited = missing
        await _until(engine, lambda state, w=waited: readiness.blocking(state, engine.now()) != w, LOOK_AGAIN)


async def _go_on(engine: Engine, hint: Callable[[str], None], reason: str) -> None:
    """Say what was open and what is known of it now, then go on for `reason`, if there is one."""
    await _until(engine, lambda state: not state.unsettled() and not readiness.pending(state), SETTLING)
    for attempt, now in reopened(engine.state):
        hint(f"Known: {attempt.id} was open; now we know: {now}")
    if engine.state.started is None and _drives(engine):
        on = _reader(engine).anyone(engine.state, "attach")
        hint(
            "Needed: not started, and a session taken up again starts nothing by itself. "
            f'On a screen: {on}. Without one: end this and take it up with --go-on "why"'
        )
    refusal = ""
    while reason and engine.state.resumed is not None and _drives(engine):
        going_on = cmd.ResumeRollout(engine.now(), engine.me, reason=reason, os_user=own_user())
        refused = await engine.send(going_on)
        if not isinstance(refused, Refused) or not _drives(engine):
            return
        if stuck(engine.state) or not breached(engine.state):
            on = _reader(engine).anyone(engine.state, "resume")
            raise StillInDoubt(
                f"{refused.reason}\nNothing was started. Take the session up on a screen: {on}."
            )
        if refused.reason != refusal:  # a limit is breached: it goes on as soon as that is over
            refusal = refused.reason
            hint(f"Needed: not going on: {refusal}")
        await _until(engine, lambda state: not breached(state), LOOK_AGAIN)


def _drives(engine: Engine) -> bool:
    """Whether anything can be started from here."""
    return not (engine.state.left or engine.state.replaced or engine.ended)


async def _until(engine: Engine, settled: Callable[[State], bool], within: timedelta | None = None) -> None:
    """Wait until the state is so, the session is left or ends, or time is up."""
    deadline = engine.now() + within if within is not None else None
    changed = asyncio.Event()
    end = engine.subscribe(changed.set)
    while not (settled(engine.state) or engine.state.left or engine.ended):
        if deadline is not None and engine.now() >= deadline:
            break
        changed.clear()
        await set_within(changed, 0.2)
    end()


async def _close_partial(engine: Engine) -> None:
    """Without a screen nobody retries a partial rollback: it is closed as it is, and the exit code says so."""
    result = engine.state.rollback_result
    if result is not None and result.unproven and engine.state.closed is None:
        await engine.send(cmd.CloseUnattended(engine.now()))
