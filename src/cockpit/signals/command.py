"""The `command` signal: a line run on each target whose last line of output is the number."""

from __future__ import annotations

import math
import re

from cockpit.core.plan import Signal

NUMBER = re.compile(rb"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
SHOWN = 60


def query(signal: Signal) -> str:
    """The POSIX sh line to run on a target: the plan's `run`; KeyError where the plan has none."""
    return str(signal.options["run"])


def parse(output: bytes) -> float:
    """The number on the last non-empty line of `output`, surrounding whitespace ignored.

    ValueError says what came instead: nothing, text, or a number that isn't finite.
    """
    text = output.strip()
    if not text:
        raise ValueError("printed nothing; it must print one number")
    last = text.splitlines()[-1].strip()
    if not NUMBER.fullmatch(last):
        raise ValueError(f"printed {_shown(last)}; it must print one number")
    value = float(last)
    if not math.isfinite(value):
        raise ValueError(f"printed {_shown(last)}, too large for a number")
    return value


def _shown(text: bytes) -> str:
    """`text` quoted and shortened, every control or non-ASCII byte escaped."""
    cut = text if len(text) <= SHOWN else text[:SHOWN] + b"..."
    return ascii(cut.decode("utf-8", "replace"))
