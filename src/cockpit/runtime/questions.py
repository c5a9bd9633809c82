"""Questions to targets: a line run there, bounded in time and size, and whatever goes wrong is its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cockpit.core.commands import Command
from cockpit.core.expect import brief
from cockpit.core.plan import Plan
from cockpit.core.state import State
from cockpit.remote.base import Ended, Request, Runner

MARGIN = timedelta(seconds=30)
"""How long past its own timeout a line may take to be known as over; connecting is in it."""

MOST_OUTPUT = 64 * 1024
"""Bytes of a line's output that are kept."""


@dataclass(eq=False)
class Questioner:
    """Who asks the targets of one session. `post` receives what is found; `state` is asked for what is known."""

    _plan: Plan
    _runner: Runner
    _now: Callable[[], datetime]
    _post: Callable[[Command], None]
    _state: Callable[[], State]


async def answer(runner: Runner, target: str, request: Request) -> tuple[Ended, bytes]:
    """How the line ended, and the beginning of what it printed. Nothing raises."""
    output = bytearray()

    def on_output(data: bytes) -> None:
        output.extend(data[: MOST_OUTPUT - len(output)])

    try:
        async with asyncio.timeout((request.timeout + MARGIN).total_seconds()):
            ended = await runner.run(target, request, on_output, asyncio.Event())
    except TimeoutError:
        ended = Ended("lost", detail="nothing came back in time")
    except Exception as fault:  # noqa: BLE001 - the unknown becomes a record
        ended = Ended("lost", detail=f"{type(fault).__name__}: {fault}")
    return ended, bytes(output)


def unanswered(ended: Ended) -> str:
    """Why there is no answer, where the line didn't run to its own end; else empty."""
    if ended.kind == "exited":
        return ""
    return f"no answer: {brief(ended.detail or ended.kind.replace('_', ' '))}"
