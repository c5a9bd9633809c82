"""The number a command prints, as real tools print it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cockpit.core.plan import Signal
from cockpit.signals import SIGNALS, command
from cockpit.signals.query import Line, Reply

SIGNAL = Signal("errors", "command", timedelta(seconds=5), options={"run": "/srv/error-percent"})


@pytest.mark.parametrize(
    ("output", "value"),
    [
        (b"2", 2.0),
        (b"  2.40\n", 2.4),
        (b"-1\r\n", -1.0),
        (b"+.5", 0.5),
        (b"7.\n", 7.0),
        (b"1.2e3\n", 1200.0),
        (b"1E-3", 0.001),
        (b"\xff[ERROR] cache is cold\n\n12\n\n", 12.0),
        (b"count\n-----\n  4711\n", 4711.0),
    ],
)
def test_the_last_line_is_the_number(output: bytes, value: float) -> None:
    assert command.parse(output) == value


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (b"", "nothing"),
        (b" \n\t\n", "nothing"),
        (b"n/a\n", "'n/a'"),
        (b"2.4 %", "'2.4 %'"),
        (b"1,234", "'1,234'"),
        (b"1_000", "'1_000'"),
        (b"0x10", "'0x10'"),
        (b"nan", "'nan'"),
        (b"-inf", "'-inf'"),
        (b"Infinity", "'Infinity'"),
        (b"1e999", "'1e999', too large"),
        (b"12\n(1 row)\n", "'(1 row)'"),
        ("١٢".encode(), r"'\u0661\u0662'"),
        (b"\x1b[31m5\x1b[0m", r"'\x1b[31m5\x1b[0m'"),
        (b"5\x005", r"'5\x005'"),
        (b"\xff", r"'\ufffd'"),
        (b"x" * 1000, "x" * 60 + "...'"),
    ],
)
def test_anything_else_says_what_came(output: bytes, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        command.parse(output)
    text = str(caught.value)
    assert said in text
    assert text.isascii()
    assert text.isprintable()


def test_the_kind_runs_the_plans_line_and_reads_its_output() -> None:
    kind = SIGNALS["command"]
    assert kind.query is not None
    assert kind.query(SIGNAL) == Line("/srv/error-percent", timedelta(seconds=10))
    assert kind.read(SIGNAL, Reply(b"2.4\n"), None) == (None, 2.4)
