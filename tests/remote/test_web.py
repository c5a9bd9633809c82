"""Web servers as they are: every answer bounded, every failure in plain words that give nothing away."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from cockpit.remote.web import MOST_BYTES, Answer, Web, WebError
from tests.servers import Answers, answering, circles, closes, drips, floods, hangs, says
from tests.sshd import free_port

SHORT = timedelta(seconds=0.3)
LONG = timedelta(seconds=20)


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    web = Web()
    yield web
    await web.close()


async def refused(web: Web, url: str, timeout: timedelta = LONG) -> str:
    """Why there is no answer."""
    with pytest.raises(WebError) as caught:
        await web.get(url, timeout=timeout)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
    return str(caught.value)


async def test_an_answer_comes_with_its_status_body_and_time(web: Web) -> None:
    asked: list[bytes] = []
    async with answering(says(b"down", "503 Service Unavailable"), asked) as url:
        answer = await web.get(f"{url}/a?b=1", {"query": "sum(x)"}, {"Authorization": "Bearer t"})
    assert (answer.status, answer.body, 0 < answer.seconds < 20) == (503, b"down", True)
    head = asked[0].decode()
    assert head.startswith("GET /a?b=1&query=sum%28x%29 HTTP/1.1\r\n")
    assert "\r\nAuthorization: Bearer t\r\n" in head


async def test_a_post_sends_json(web: Web) -> None:
    asked: list[bytes] = []
    async with answering(says(b"ok"), asked) as url:
        for json in ({"text": "hé"}, b'{"text":"raw"}'):
            assert (await web.post(url, json)).body == b"ok"
    for head in asked:
        assert head.startswith(b"POST / HTTP/1.1\r\n")
        assert b"\r\nContent-Type: application/json\r\n" in head


@pytest.mark.parametrize(
    ("answers", "timeout", "said"),
    [
        (hangs, SHORT, "no answer within 0.3 s"),
        (drips, SHORT, "no answer within 0.3 s"),
        (circles, LONG, "redirects in a circle, or more than 3 times"),
        (floods, LONG, "more than 1 MB came"),
        (closes, LONG, "closed the connection, or what came is no HTTP"),
        (says(b"", "what"), LONG, "closed the connection, or what came is no HTTP"),
    ],
)
async def test_a_bad_server_is_a_reason(web: Web, answers: Answers, timeout: timedelta, said: str) -> None:
    async with answering(answers) as url:
        assert await refused(web, f"{url}/?key=s3cret", timeout) == said


async def test_the_most_that_is_taken_is_taken(web: Web) -> None:
    async with answering(says(b"1" * MOST_BYTES)) as url:
        assert len((await web.get(url, timeout=LONG)).body) == MOST_BYTES


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://nosuch.invalid/?key=s3cret", "name not known"),
        ("ftp://me:s3cret@host/", "the address must begin with http:// or https://"),
        ("s3cret", "the address must begin with http:// or https://"),
        ("http://127.0.0.1:99999/s3cret", "the address can't be understood: a port is 65535 at most"),
        ("http://h:s3cret/", "the address can't be understood"),
    ],
)
async def test_a_bad_address_is_a_reason(web: Web, url: str, said: str) -> None:
    found = await refused(web, url)
    # Where nothing resolves names at all, the machine can't tell that this one is unknown.
    assert found in (said, "its name can't be looked up now")


async def test_nobody_listening_is_a_reason(web: Web) -> None:
    assert await refused(web, f"http://me:s3cret@127.0.0.1:{free_port()}/") == "refused the connection"


async def test_a_slow_server_keeps_nobody_else_waiting(web: Web) -> None:
    async with answering(hangs) as slow, answering(says(b"ok")) as quick:
        with suppress(WebError):
            await web.get(slow, timeout=SHORT)
        assert (await web.get(quick)).body == b"ok"


@pytest.fixture
def own_certificate(tmp_path: Path) -> ssl.SSLContext:
    """A server's side of TLS with a certificate that it signed itself."""
    key, cert = tmp_path / "key", tmp_path / "cert"
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    subprocess.run([*argv, "-keyout", key, "-out", cert, *names], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    web: Web, own_certificate: ssl.SSLContext
) -> None:
    async with answering(says(b"1"), tls=own_certificate) as url:
        said = await refused(web, f"{url}/?key=s3cret")
    assert said.startswith("its certificate isn't trusted (")


async def test_plain_http_at_an_https_address_is_a_reason(web: Web) -> None:
    async with answering(says(b"1", "400 Bad Request"), eager=True) as url:
        assert await refused(web, url.replace("http:", "https:")) in (
            "no TLS connection can be made: is it https at all?",
            "closed the connection, or what came is no HTTP",
        )


async def test_a_token_does_not_follow_a_redirect_to_another_place(web: Web) -> None:
    asked: list[bytes] = []
    async with answering(says(b"1"), asked) as other:

        async def sends_on(writer: asyncio.StreamWriter) -> None:
            writer.write(f"HTTP/1.1 302 Found\r\nLocation: {other}/\r\nContent-Length: 0\r\n\r\n".encode())

        async with answering(sends_on) as url:
            answer = await web.get(url, headers={"Authorization": "Bearer s3cret"})
    assert isinstance(answer, Answer) and answer.body == b"1"
    assert b"s3cret" not in asked[0]
