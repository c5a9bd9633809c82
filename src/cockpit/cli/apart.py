"""A session's engine as a process of its own: no terminal, no screen, nobody's child."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from cockpit.core.errors import CockpitError

REACH_WITHIN_S, FIRST_FRAME_S = 3.0, 0.3
"""How long targets wait to be reached for somebody to be there, and then for their first frame."""

SCREEN_WITHIN_S = 30.0
"""How long the engine waits for its first screen: where none comes, nothing has begun, and it ends."""

LOOK_AGAIN_S = 1.0
"""How often it is looked whether the session is still wanted, when nothing happens in it."""

DIED = (
    "the session's process died as it started. Nothing was begun by it: start it again; with --foreground it tells "
    "more of what goes wrong."
)


def launch(opening: Any, meanwhile: Callable[[], None]) -> None:
    """Start the engine of a session, and return once screens can attach to it; do `meanwhile` while it starts.

    Raises, with its exit code, what kept it from starting.
    """
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        _become(opening, tell)
    os.close(tell)
    meanwhile()
    with os.fdopen(told, "rb") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    fault, code = json.loads(said) if said else (DIED, CockpitError.exit_code)
    if fault:
        error = CockpitError(fault)
        error.exit_code = code
        raise error


def _become(opening: Any, tell: int) -> None:
    """Be the engine, in a session without a terminal; never returns."""
    code = CockpitError.exit_code
    try:
        os.setsid()
        if os.fork() != 0:  # whoever leads a session could be given a terminal: its child can't
            os._exit(0)
        _let_go_of_all_but(tell)
        code = asyncio.run(_serve(opening, _Starter(tell, said_at(opening.log_path))))
    except BaseException:  # noqa: BLE001 - a process of its own: there is nobody above to hear of it
        traceback.print_exc()
    finally:
        _remove_if_empty(said_at(opening.log_path))
        os._exit(code)


def _let_go_of_all_but(kept: int) -> None:
    """Close every file that was open, the terminal too; the standard streams lead nowhere."""
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    for file in [int(name) for name in os.listdir("/proc/self/fd")]:
        if file > 2 and file != kept:
            with suppress(OSError):  # the listing's own
                os.close(file)


async def _serve(opening: Any, starter: _Starter) -> int:
    from cockpit.core.view import exit_code
    from cockpit.runtime.session import session

    try:
        attended = asyncio.Event()
        async with session(opening, attended) as engine:
            watching = asyncio.create_task(_first_screen(engine, attended))
            await _stay(engine, SCREEN_WITHIN_S if starter.ready() else 0.0)
            watching.cancel()
    except CockpitError as fault:
        starter.failed(str(fault), fault.exit_code)
        return fault.exit_code
    except Exception as fault:
        starter.failed(f"{DIED} ({type(fault).__name__}: {fault})", CockpitError.exit_code)
        raise
    return exit_code(engine.state)


async def _first_screen(engine: Any, attended: asyncio.Event) -> None:
    """Targets are reached once somebody is there, or soon anyway: many logins would hold up the first screen."""
    from cockpit.runtime.engine import set_within

    came = asyncio.Event()
    end = engine.subscribe(lambda: came.set() if engine.state.screens else None)
    await set_within(came, REACH_WITHIN_S)
    await asyncio.sleep(FIRST_FRAME_S)
    end()
    attended.set()


async def _stay(engine: Any, within_s: float) -> None:
    """Until the session is over and nobody reviews it any more, or nobody is there whom it could still be for."""
    from cockpit.core.events import COCKPIT
    from cockpit.runtime.engine import set_within

    changed = asyncio.Event()
    engine.subscribe(changed.set)
    clock = asyncio.get_running_loop().time
    deadline = clock() + within_s
    while not engine.ended:
        if why := forsaken(engine.state, clock() >= deadline):
            await engine.leave(COCKPIT, why, timedelta(0))
            return
        changed.clear()
        await set_within(changed, min(LOOK_AGAIN_S, max(0.0, deadline - clock()) or LOOK_AGAIN_S))
    while engine.reviewed:
        changed.clear()
        await set_within(changed, LOOK_AGAIN_S)


def forsaken(state: Any, late: bool) -> str:
    """Why a session ends by itself: nobody is here, and nothing is there to protect. Empty while it goes on.

    `late`: those who are to come had time to.
    """
    somebody_left = state.alone is not None
    if state.acting or not (somebody_left or late):
        return ""
    if state.started is None and (somebody_left or not state.screens):
        return "nothing had begun, and nobody is here"
    if state.replaced is not None and not state.running():
        return "another session drives the release, and nobody is here"
    return ""


def said_at(log: Path) -> Path:
    """Where what the engine prints goes: beside its log."""
    return log.with_name(f"{log.name}-said")


class _Starter:
    """The process that started us, as long as it waits to hear how that went."""

    def __init__(self, pipe: int, said: Path) -> None:
        self._pipe = pipe
        self._said = said

    def ready(self) -> bool:
        """Screens can attach: whether anybody still waits for that. What is printed from now on goes beside the log."""
        flags = os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        with suppress(OSError):  # without it the session is as good
            file = os.open(self._said, flags, 0o600)
            os.dup2(file, sys.stderr.fileno())
            os.close(file)
        return self._tell("", 0)

    def failed(self, fault: str, code: int) -> None:
        """It ends with this; said to whoever still waits, else kept beside the log."""
        if self._pipe >= 0:
            self._tell(fault, code)
        else:
            print(fault, file=sys.stderr, flush=True)

    def _tell(self, fault: str, code: int) -> bool:
        try:
            os.write(self._pipe, json.dumps([fault, code]).encode())
        except BrokenPipeError:
            return False
        finally:
            os.close(self._pipe)
            self._pipe = -1
        return True


def _remove_if_empty(said: Path) -> None:
    with suppress(OSError):
        if said.lstat().st_size == 0:
            said.unlink()
