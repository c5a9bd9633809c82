"""Asks web servers: one shared client, every answer bounded in time and size, every failure in plain words.

The library is imported with the first question: it takes half as long as all of SSH, and many releases ask none.
"""

from __future__ import annotations

import asyncio
import contextlib
import json as codec
import ssl
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import Any

MOST_BYTES = 1_000_000
"""What an answer may be long; none that is asked for a number is."""

REDIRECTS = 3
IDLE = 20
"""Connections kept open between questions. Those in use have no bound: slow servers mustn't hold up the others."""


def prepare() -> None:
    """Import the library now: where another thread asks the first question, that would hold up the loop's turns."""
    for name in ("httpx2", "httpcore2", "anyio._backends._asyncio", "truststore"):
        import_module(name)


class WebError(Exception):
    """There is no answer to use; the text says why, and holds nothing of the address or of what was sent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said: its status, the whole body, and the seconds from asking to the body's last byte."""

    status: int
    body: bytes
    seconds: float


class Web:
    """One client for all that a session asks of web servers.

    Certificates are checked against this machine's own store. Proxies are those of the environment
    (HTTP_PROXY, HTTPS_PROXY, NO_PROXY), as for every other tool of this machine. At most three redirects
    of a GET are followed, and an Authorization header isn't taken along to another host; what is posted goes
    nowhere but where it was sent.
    """

    def __init__(self) -> None:
        self._client: Any = None

    async def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: timedelta = timedelta(seconds=5),
    ) -> Answer:
        """Ask for `url`; its own query stays, and `params` are added. WebError says why there is no answer."""
        with _plain_words(timeout):
            async with asyncio.timeout(timeout.total_seconds()):
                return await self._ask("GET", url, params, headers or {}, None)

    async def post(
        self,
        url: str,
        json: bytes | Mapping[str, object],
        headers: Mapping[str, str] | None = None,
        timeout: timedelta = timedelta(seconds=5),
    ) -> Answer:
        """Send `json`, a mapping or JSON written already, to `url`. WebError says why there is no answer."""
        content = json if isinstance(json, bytes) else codec.dumps(json).encode()
        typed = {"Content-Type": "application/json", **(headers or {})}
        with _plain_words(timeout):
            async with asyncio.timeout(timeout.total_seconds()):
                return await self._ask("POST", url, None, typed, content)

    async def close(self) -> None:
        """Close every connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _ask(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str],
        content: bytes | None,
    ) -> Answer:
        import httpx2  # noqa: PLC0415 - see above

        began = time.monotonic()
        where = httpx2.URL(url)
        if params:
            where = where.copy_merge_params(dict(params))
        if self._client is None:
            self._client = httpx2.AsyncClient(
                follow_redirects=True,
                max_redirects=REDIRECTS,
                timeout=None,  # every request is under one deadline of its own, whatever it waits for
                limits=httpx2.Limits(max_connections=None, max_keepalive_connections=IDLE),
                headers={"User-Agent": "cockpit"},
            )
        asked = self._client.stream(
            method, where, headers=dict(headers), content=content, follow_redirects=method == "GET"
        )
        async with asked as response:
            body = bytearray()
            async for part in response.aiter_bytes():
                body += part
                if len(body) > MOST_BYTES:
                    raise WebError("more than 1 MB came")
            return Answer(response.status_code, bytes(body), time.monotonic() - began)


@contextlib.contextmanager
def _plain_words(timeout: timedelta) -> Generator[None]:
    try:
        yield
    except TimeoutError:
        raise WebError(f"no answer within {timeout.total_seconds():g} s") from None
    except WebError:
        raise
    except Exception as fault:  # noqa: BLE001 - whatever a server makes the library raise is no answer
        raise WebError(_said(fault)) from None


def _said(fault: BaseException) -> str:
    """What went wrong in a few words of ours: the library's own text may hold the address."""
    for cause in _causes(fault):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate isn't trusted ({cause.verify_message})"
        if isinstance(cause, ssl.SSLError):
            return "no TLS connection can be made: is it https at all?"
        if isinstance(cause, ConnectionRefusedError):
            return "refused the connection"
        if isinstance(cause, OverflowError):
            return "the address can't be understood: a port is 65535 at most"
        text = str(cause)
        if "Name or service not known" in text or "nodename nor servname" in text or "No address" in text:
            return "name not known"
        if "name resolution" in text:
            return "its name can't be looked up now"
    return _KINDS.get(type(fault).__name__, f"no answer ({type(fault).__name__})")


_KINDS = {
    "TooManyRedirects": f"redirects in a circle, or more than {REDIRECTS} times",
    "ConnectError": "can't be connected to",
    "ProxyError": "the proxy of the environment doesn't let it through",
    "RemoteProtocolError": "closed the connection, or what came is no HTTP",
    "ReadError": "the connection broke",
    "WriteError": "the connection broke",
    "DecodingError": "what came can't be unpacked",
    "UnsupportedProtocol": "the address must begin with http:// or https://",
    "InvalidURL": "the address can't be understood",
    "UnicodeEncodeError": "a header must be plain ASCII",
}
"""What the library's faults mean, by their names: the classes would take it to be imported."""


def _causes(fault: BaseException) -> Generator[BaseException]:
    """`fault` and what led to it."""
    seen: BaseException | None = fault
    while seen is not None:
        yield seen
        if isinstance(seen, BaseExceptionGroup):
            for inner in seen.exceptions:  # one for each address of a name
                yield from _causes(inner)
        seen = seen.__cause__ or seen.__context__
