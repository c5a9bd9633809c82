"""One reading of a signal: asked for, bounded in time and size, and whatever goes wrong becomes its reason."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from cockpit.core.plan import Plan, Signal
from cockpit.core.text import visible
from cockpit.core.thresholds import Sample
from cockpit.remote.base import Request, Runner
from cockpit.remote.secrets import SecretError, look_up, mask
from cockpit.remote.web import Web, WebError
from cockpit.signals import SIGNALS
from cockpit.signals.query import MOST_BYTES, Get, Line, Reply
from cockpit.steps.secret import named, variables

MOST_OUTPUT = MOST_BYTES + 10_000
"""Bytes of a line's output: an answer's body, and what the line says about it."""

MARGIN = timedelta(seconds=30)
"""How long past its own timeout a line may take to be known as over; connecting is in it."""

MOST_REASON = 200
UNAUTHORISED = (401, 403)


class Asking:
    """Asks for single readings. Nothing raises, and nothing takes longer than its deadline."""

    def __init__(self, plan: Plan, runner: Runner, now: Callable[[], datetime]) -> None:
        self._plan = plan
        self._runner = runner
        self._now = now
        self._web = Web()
        self._tokens: dict[str, str] = {}
        self._secrets: set[str] = set()

    async def ask(self, signal: Signal, target: str) -> Mapping[str, Sample]:
        """The samples by target that one reading gives: of `target`; of all of the signal's, if it isn't one of them.

        A sample that has no value says why, in one line of at most 200 visible characters.
        """
        try:
            return await self._ask(signal, target)
        except (ValueError, WebError, SecretError) as fault:
            why = str(fault)
        except TimeoutError:
            why = "no answer in time"
        except Exception as fault:  # noqa: BLE001 - the unknown becomes a record: the limit says error
            why = f"{type(fault).__name__}: {fault}"
        fed = (target,) if target in signal.targets else signal.targets
        return dict.fromkeys(fed, Sample(self._now(), None, self.reason(why)))

    async def close(self) -> None:
        """Close every connection to web servers."""
        await self._web.close()

    def reason(self, text: str) -> str:
        """`text` fit to be shown and recorded: one line, no secret, nothing hidden, and not long."""
        line = visible(" ".join(mask(text, self._secrets).split()))
        return line if len(line) <= MOST_REASON else line[: MOST_REASON - 1] + "…"

    async def _ask(self, signal: Signal, target: str) -> Mapping[str, Sample]:
        kind = SIGNALS[signal.source]
        assert kind.query is not None  # only what can be asked is
        query = kind.query(signal)
        token = await self._token(query.token) if isinstance(query, Get | Line) and query.token else ""
        if isinstance(query, Get):
            reply = await self._get(query, token)
        else:
            assert isinstance(query, Line)  # loops are followed
            reply = await self._run(query, target, token)
        at = self._now()
        if kind.spread is not None and target not in signal.targets:
            found = kind.spread(signal, reply, [self._plan.target(t) for t in signal.targets])
            return {t: self._sample(at, value) for t, value in found.items()}
        return {target: Sample(at, kind.read(signal, reply, None)[1])}

    def _sample(self, at: datetime, value: float | str) -> Sample:
        return Sample(at, None, self.reason(value)) if isinstance(value, str) else Sample(at, value)

    async def _token(self, reference: str) -> str:
        """The secret, looked up when it is needed first, and again once it was refused."""
        if reference not in self._tokens:
            self._tokens[reference] = await look_up(reference)
            self._secrets.add(self._tokens[reference])
        return self._tokens[reference]

    async def _get(self, query: Get, token: str) -> Reply:
        headers = {"Authorization": f"Bearer {token}"} if token else None
        answer = await self._web.get(query.url, dict(query.params), headers, query.timeout)
        if answer.status in UNAUTHORISED:
            self._tokens.pop(query.token, None)
        return Reply(answer.body, answer.status, answer.seconds)

    async def _run(self, query: Line, target: str, token: str) -> Reply:
        output = bytearray()

        def on_output(data: bytes) -> None:
            output.extend(data[: MOST_OUTPUT + 1 - len(output)])

        stdin = f"Authorization: Bearer {token}\n".encode() if token else b""
        secrets = {**named(query.text, variables(self._plan)), **query.secrets}
        request = Request(query.text, query.timeout, stdin=stdin, secrets=secrets)
        async with asyncio.timeout((query.timeout + MARGIN).total_seconds()):
            ended = await self._runner.run(target, request, on_output, asyncio.Event())
        if not ended.ok:
            raise ValueError(ended.detail or f"{ended.kind}, exit {ended.exit_code}")
        if len(output) > MOST_OUTPUT:
            raise ValueError("more than 1 MB came")
        return Reply(bytes(output))
