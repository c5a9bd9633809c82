"""One try at telling somebody: a command on this machine, a web hook, or one of apprise's services."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from cockpit.core.plan import HERE, Notify
from cockpit.core.text import visible
from cockpit.remote import services
from cockpit.remote.base import Request, Runner
from cockpit.remote.secrets import SecretError, is_reference, look_up, mask
from cockpit.remote.web import Web, WebError
from cockpit.steps.secret import named

TIMEOUT = timedelta(seconds=20)
"""How long one try may take."""

DETAIL = 200
"""Characters kept of why a try failed."""

_TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class Told:
    """What one try came to. `line` is how it was sent, as people may see it: without what an address keeps secret.

    `again`: where it failed, another try may go better.
    """

    line: str
    ok: bool
    detail: str = ""
    again: bool = True


def shown(notify: Notify) -> str:
    """How a [[notify]] is called before anything was sent by it."""
    if notify.url is None:
        return notify.run or ""
    if is_reference(notify.url):
        return "cmd:…" if notify.url.startswith("cmd:") else notify.url  # a command's line may hold a secret
    return _shown_address(notify.url)


class Hooks:
    """Tells by whatever a [[notify]] names. Secrets are looked up for each try, and never shown."""

    def __init__(self, runner: Runner, secrets: Mapping[str, str]) -> None:
        """`secrets` says where the variables are looked up that commands may name."""
        self._runner = runner
        self._known = secrets
        self._web = Web()
        self._secrets: set[str] = set()

    async def tell(self, notify: Notify, message: str) -> Told:
        """Try once; never raises for what goes wrong outside."""
        message = self._masked(message)
        if notify.run is not None:
            return await self._command(notify.run, message)
        url = notify.url or ""
        if is_reference(url):
            try:
                url = await look_up(url)
            except SecretError as fault:
                return Told(shown(notify), False, self._short(str(fault)))
        self._secrets.add(url)
        message = self._masked(message)
        if "://" not in url:
            return Told(shown(notify), False, "what stands there is no address", again=False)
        if _is_web(url):
            return await self._post(url, message)
        sent = await services.send(url, message, TIMEOUT)
        return Told(_shown_address(url), sent.ok, sent.detail, _passing(sent.status))

    async def close(self) -> None:
        """Close every connection."""
        await self._web.close()

    async def _command(self, run: str, message: str) -> Told:
        line = run.replace("{message}", shlex.quote(message))
        said = bytearray()
        request = Request(line, TIMEOUT, secrets=named(run, self._known))
        ended = await self._runner.run(HERE, request, said.extend, asyncio.Event())
        if ended.ok:
            return Told(line, True)
        printed = said.decode(errors="replace").strip()[-DETAIL:]
        return Told(line, False, self._short(ended.detail or printed or f"exit {ended.exit_code}"))

    async def _post(self, url: str, message: str) -> Told:
        """Only `text`: it is what Slack and its kind take, and they may refuse what they don't know."""
        line = _shown_address(url)
        try:
            answer = await self._web.post(url, {"text": message}, timeout=TIMEOUT)
        except WebError as fault:
            return Told(line, False, self._short(str(fault)))
        if 200 <= answer.status < 300:
            return Told(line, True)
        return Told(line, False, f"answered {answer.status}", _passing(answer.status))

    def _masked(self, text: str) -> str:
        return mask(text, self._secrets)

    def _short(self, detail: str) -> str:
        return visible(self._masked(" ".join(detail.split())))[:DETAIL]


def _passing(status: int) -> bool:
    """Whether an answer with this status may be another one soon; 0: there was none."""
    return status == _TOO_MANY or not 300 <= status < 500


def _is_web(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))


def _shown_address(url: str) -> str:
    """Where a message goes: of a web hook the host, of a service only its kind; the rest is as good as a password."""
    scheme = url.partition("://")[0]
    if not _is_web(url):
        return visible(f"{scheme}://…")
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return f"POST {scheme}://…"
    return visible(f"POST {scheme}://{parts.hostname or ''}{port}/…")
