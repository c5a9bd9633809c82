"""The `command` signal: a line run on each target, or here, whose last line of output is the number."""

from __future__ import annotations

import math
import re
from datetime import timedelta

from cockpit.core.plan import Signal
from cockpit.signals.query import Line, shown

NUMBER = re.compile(rb"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
PATIENCE = timedelta(seconds=5)


def query(signal: Signal) -> Line:
    """The POSIX sh line to run on a target: the plan's `run`; KeyError where the plan has none."""
    return Line(str(signal.options["run"]), max(PATIENCE, 2 * signal.interval))


def parse(output: bytes) -> float:
    """The number on the last non-empty line of `output`, surrounding whitespace ignored.

    ValueError says what came instead: nothing, text, or a number that isn't finite.
    """
    text = output.strip()
    if not text:
        raise ValueError("printed nothing; it must print one number")
    last = text.splitlines()[-1].strip()
    try:
        return number(last)
    except ValueError as fault:
        raise ValueError(f"printed {fault}; it must print one number") from None


def number(text: bytes) -> float:
    """The finite decimal number that `text` is; ValueError quotes what it is instead."""
    if not NUMBER.fullmatch(text):
        raise ValueError(shown(text))
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{shown(text)}, too large for a number")
    return value
