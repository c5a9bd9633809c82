"""Sends a message through one of apprise's services, where that extra is installed."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec

from cockpit.remote.unwaited import unwaited

INSTALL = 'pip install "release-cockpit[apprise]"'

_STATUS = re.compile(r"\berror=(\d{3})\b")
"""How apprise's services log what they were answered. The rest of such a line may hold parts of the address."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a message. `detail` says why it wasn't sent and holds nothing of the address.

    `status` is the HTTP status that the service answered, where apprise tells it, else 0.
    """

    ok: bool
    detail: str = ""
    status: int = 0


async def send(url: str, text: str, timeout: timedelta) -> Sent:
    """Send `text` to the service at `url` (`slack://…`, `mailto://…`), within `timeout`; never raises."""
    if find_spec("apprise") is None:
        return Sent(False, f"apprise isn't installed here: {INSTALL}")
    try:
        async with asyncio.timeout(timeout.total_seconds()):
            return await unwaited(lambda: _send(url, text), "apprise")
    except TimeoutError:
        return Sent(False, f"no answer within {timeout.total_seconds():g} s")


def _send(url: str, text: str) -> Sent:
    from apprise import Apprise, AppriseAsset  # noqa: PLC0415 - an extra, and slow to import

    said: list[str] = []
    try:
        service = Apprise(asset=AppriseAsset(async_mode=False))
        if not service.add(url):
            return Sent(False, "apprise knows no service with such an address", status=400)
        sent = service.notify(text, log_callback=lambda entry, _: said.append(str(entry.message)))
    except Exception as fault:  # noqa: BLE001 - a service's own fault; its words may hold the address
        return Sent(False, f"apprise failed: {type(fault).__name__}")
    if sent:
        return Sent(True)
    status = next((int(found[1]) for line in said if (found := _STATUS.search(line))), 0)
    return Sent(False, f"answered {status}" if status else "the service didn't take it", status)
