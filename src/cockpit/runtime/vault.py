"""The secrets of one session: looked up late, each time anew, kept only in memory, and known so as to be hidden."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from cockpit.core.commands import Command, ReportSecrets
from cockpit.core.plan import Plan
from cockpit.core.secret import references
from cockpit.core.state import State
from cockpit.remote.masking import Mask
from cockpit.remote.secrets import SecretError, look_up
from cockpit.steps.secret import called

FRESH_S = 10.0
"""How long a value serves those who ask next: a wave of a hundred targets runs a `cmd:` once, not a hundred times."""

REMEMBERED = 20
"""How many values of one reference are still hidden: a `cmd:` may give another one each time."""


AGAIN_S, IN_ORDER_S = 15.0, 600.0
"""Seconds between two looks before the start: while one can't be had, and where all can."""


class Vault:
    """Looks up secrets for whoever needs their values, and has the mask that hides every one it ever found."""

    def __init__(self) -> None:
        self.mask = Mask({})
        self._known: dict[str, deque[tuple[str, str]]] = {}
        self._fresh: dict[str, tuple[float, str]] = {}
        self._looking: dict[str, asyncio.Task[str | SecretError]] = {}

    async def values(self, secrets: Mapping[str, str]) -> dict[str, str]:
        """The value of each variable; `secrets` says where it is looked up. SecretError names one that can't be had."""
        found = await asyncio.gather(*(self._value(called(v), where) for v, where in secrets.items()))
        return dict(zip(secrets, found, strict=True))

    async def missing(self, plan: Plan, *, run: bool = True) -> dict[str, str]:
        """Why each secret of the plan can't be looked up, by what to call it; empty where all can. Not `run`: without
        those that a command has to be run for.
        """
        wanted = {name: w for name, w in references(plan).items() if run or not w.startswith("cmd:")}
        found = await asyncio.gather(
            *(self._value(name, where) for name, where in wanted.items()), return_exceptions=True
        )
        why: dict[str, str] = {}
        for name, said in zip(wanted, found, strict=True):
            if isinstance(said, SecretError):
                why[name] = str(said).removeprefix(f"{name}: ")
            elif isinstance(said, BaseException):
                raise said
        return why

    async def _value(self, name: str, reference: str) -> str:
        now = asyncio.get_running_loop().time()
        at, value = self._fresh.get(reference, (0.0, ""))
        if value and now - at < FRESH_S:
            return value
        if reference not in self._looking:
            self._looking[reference] = asyncio.create_task(self._look_up(name, reference))
        found = await asyncio.shield(self._looking[reference])
        if isinstance(found, SecretError):
            raise SecretError(f"{name}: {found}")
        return found

    async def _look_up(self, name: str, reference: str) -> str | SecretError:
        """The value, or why there is none: one that many wait for, or nobody any more, is no exception."""
        try:
            value = await look_up(reference, lines=True)
        except SecretError as fault:
            return fault
        except OSError as fault:
            return SecretError(f"it can't be looked up: {fault.strerror or fault}")
        finally:
            del self._looking[reference]
        self._fresh[reference] = (asyncio.get_running_loop().time(), value)
        known = self._known.setdefault(reference, deque(maxlen=REMEMBERED))
        if (value, name) not in known:
            known.append((value, name))
            self.mask = Mask(dict(pair for pairs in self._known.values() for pair in pairs))
        return value


async def look(vault: Vault, plan: Plan, now: Callable[[], datetime]) -> ReportSecrets | None:
    """Whether every secret of the plan can be looked up here; None where it has none."""
    if not references(plan):
        return None
    return ReportSecrets(now(), tuple(f"{name}: {why}" for name, why in (await vault.missing(plan)).items()))


async def keep_looking(
    vault: Vault,
    plan: Plan,
    now: Callable[[], datetime],
    send: Callable[[Command], Awaitable[object]],
    state: Callable[[], State],
) -> None:
    """Tell, again and again, for as long as the release hasn't started; once in any case, for what is to be hidden."""
    while (said := await look(vault, plan, now)) is not None and state().started is None:
        await send(said)
        await asyncio.sleep(AGAIN_S if said.problems else IN_ORDER_S)
