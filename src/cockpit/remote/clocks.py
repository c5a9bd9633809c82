"""How far a target's clock is before ours, from what its `date` said and when we asked: pure."""

from __future__ import annotations

import re
from datetime import timedelta

TELL = "date +%s"
"""What a target is asked."""

TELLS = timedelta(seconds=1)
"""A difference of no more is that of whole seconds, and of the way there and back."""


def ahead(told: bytes, sent: float, heard: float) -> timedelta | None:
    """How far it is, to the second; None where that can't be read. `sent`, `heard`: seconds since the epoch, ours."""
    found = re.fullmatch(rb"\s*([0-9]{1,12})\s*", told)
    if found is None:
        return None
    # `date` cuts its second off: on average it was half of one later.
    by = timedelta(seconds=round(int(found[1]) + 0.5 - (sent + heard) / 2))
    return by if abs(by) > TELLS else timedelta(0)
