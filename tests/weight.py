"""What of a large grid runs each time, and what only where long tests are asked for."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

import pytest
from hypothesis import settings


def often(every: Iterable[Any], chosen: Container[Any], *, several: bool = False) -> list[Any]:
    """Values of a parameter, or of `several` together: the `chosen` run each time, all others are marked `long`."""
    return [one if one in chosen else _long(one if several else (one,)) for one in every]


def _long(values: tuple[Any, ...]) -> Any:
    return pytest.param(*values, marks=pytest.mark.long)


def examples(usual: int) -> int:
    """How many examples a search draws: the `usual` each time, as many as its profile has in `make soak`."""
    return settings().max_examples if settings.get_current_profile_name() == "soak" else usual
