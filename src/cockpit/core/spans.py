"""Spans of time and readings as people read them."""

from __future__ import annotations

import math
from datetime import timedelta


def rounded(value: float) -> str:
    """A reading in at most about six characters: `0.4`, `412`, `12.3k`."""
    for least, size, suffix in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= least:
            return f"{value / size:.3g}{suffix}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def clock(span: timedelta) -> str:
    """A span as people read it: `0:07`, `12:30`, `1:48:00`; negative with a sign."""
    total = int(abs(span.total_seconds()))
    sign = "-" if span < timedelta(0) else ""
    hours, rest = divmod(total, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{sign}{hours}:{minutes:02}:{seconds:02}" if hours else f"{sign}{minutes}:{seconds:02}"


def about(span: timedelta) -> str:
    """A span roughly: `~40 s`, `~6 min`, `~2 h`."""
    seconds = span.total_seconds()
    if seconds < 90:
        return f"~{max(1, math.ceil(seconds))} s"
    return f"~{math.ceil(seconds / 60)} min" if seconds < 5400 else f"~{seconds / 3600:.0f} h"


def roughly(span: timedelta) -> str:
    """A span that is still to go, never finer than it can be known: `~10 s`, `~50 s`, `~2 min`, `~1 h 20 min`."""
    seconds = max(0.0, span.total_seconds())
    if seconds <= 55:
        return f"~{max(1, math.ceil(seconds / 10)) * 10} s"
    minutes = max(1, math.ceil(seconds / 60 - 0.25))
    if minutes < 60:
        return f"~{minutes} min"
    hours, minutes = divmod(math.ceil(minutes / 5) * 5, 60)
    return f"~{hours} h {minutes} min" if minutes else f"~{hours} h"
