"""An address's status, latency, or a number in its JSON: from here, and by curl on a target."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cockpit.core.plan import HERE, Signal
from cockpit.signals import SIGNALS
from cockpit.signals.http import by_curl
from cockpit.signals.query import MOST_BYTES, Get, Line, Reply

URL = "http://shop.example/it's?a=1"
READ = SIGNALS["http"].read


def signal(metric: str = "status", *targets: str, **options: str) -> Signal:
    given = {"url": URL, "metric": metric, **options}
    return Signal("shop", "http", timedelta(seconds=4), targets=targets or (HERE,), options=given)


def asked(s: Signal) -> Get | Line:
    query = SIGNALS["http"].query
    assert query is not None
    found = query(s)
    assert isinstance(found, Get | Line)
    return found


def test_it_is_asked_from_here_within_its_interval() -> None:
    assert asked(signal(token="env:SHOP")) == Get(URL, timedelta(seconds=4), token="env:SHOP")


def test_on_a_target_curl_asks_and_reads_the_token_from_its_standard_input() -> None:
    line = asked(signal("latency", "web-1", token="env:SHOP"))
    assert isinstance(line, Line)
    assert "-H @-" in line.text
    assert "'http://shop.example/it'\"'\"'s?a=1'" in line.text
    assert "--max-time 4 " in line.text
    assert "env:SHOP" not in line.text
    assert (line.token, line.timeout > timedelta(seconds=4)) == ("env:SHOP", True)
    plain = asked(signal("latency", "web-1"))
    assert isinstance(plain, Line) and "-H" not in plain.text


@pytest.mark.parametrize(
    ("metric", "reply", "value"),
    [
        ("status", Reply(b"", 503), 503.0),
        ("status", Reply(b"", 200), 200.0),
        ("latency", Reply(b"ok", 200, 0.25), 0.25),
        ("json", Reply(b'{"n": 3}', 200), 3.0),
    ],
)
def test_the_number_is_read(metric: str, reply: Reply, value: float) -> None:
    assert READ(signal(metric, json_path="$.n"), reply, None) == (None, value)


@pytest.mark.parametrize("metric", ["latency", "json"])
def test_an_error_page_is_no_reading(metric: str) -> None:
    with pytest.raises(ValueError, match="answered 503"):
        READ(signal(metric, json_path="$.n"), Reply(b'{"n": 3}', 503), None)


# What curl 7.88.1 and the line around it print.
OK = b'{"a":1}\n\n-- 200 0.002172\n'
LOOP = b"\ncurl: (47) Maximum (3) redirects followed\n\n-- 302 0.015214\n"
LATE = b"\ncurl: (28) Operation timed out after 2001 milliseconds with 0 bytes received\n\n-- 000 2.001689\n"
BIG = b"x" * (MOST_BYTES + 1) + b"\ncurl: (23) Failure writing output to destination\n\n-- 200 0.005962\n"
CLOSED = b"\ncurl: (52) Empty reply from server\n\n-- 000 0.000573\n"
SHORT = b"ab\ncurl: (18) transfer closed with 98 bytes remaining to read\n\n-- 200 0.000644\n"
UNKNOWN = b"\ncurl: (6) Could not resolve host: nosuch.invalid\n\n-- 000 0.001196\n"
BAD_URL = b"\ncurl: (3) bad range in URL position 9:\nhttp://[x/\n        ^\n"
NONE = b"\ncurl: (0) there is no curl on this target\n"


def test_what_curl_prints_is_a_reply() -> None:
    assert by_curl(OK, 2) == Reply(b'{"a":1}', 200, 0.002172)
    assert by_curl(b"\n\n-- 503 0,5\n", 2) == Reply(b"", 503, 0.5)
    assert by_curl(b"curl: (7) is what the page says\nand more\n\n\n-- 200 0.1\n", 2).status == 200
    assert READ(signal("json", "web-1", json_path="$.a"), Reply(OK), None) == (None, 1.0)


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (LOOP, "redirects in a circle, or more than 3 times"),
        (LATE, "no answer within 2 s"),
        (BIG, "more than 1 MB came"),
        (CLOSED, "Empty reply from server"),
        (SHORT, "transfer closed with 98 bytes remaining to read"),
        (UNKNOWN, "Could not resolve host: nosuch.invalid"),
        (BAD_URL, "bad range in URL position 9:"),
        (NONE, "there is no curl on this target"),
        (b"", "curl didn't say what became of it: the target needs curl 7.63 or newer"),
    ],
)
def test_what_curl_complains_of_is_the_reason(output: bytes, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        by_curl(output, 2)
    assert str(caught.value) == said
