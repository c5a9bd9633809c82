"""Spans of time as people read them."""

from __future__ import annotations

import math
from datetime import timedelta


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
