"""The checkout service's counting and its bad version, with time passed in."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.demo.hosts import lay_out
from cockpit.demo.service import FAILS_AFTER_S, Counter, Shop


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def statuses(shop: Shop, count: int) -> list[int]:
    return [shop.answer("POST", "/order")[0] for _ in range(count)]


def test_counter_measures_only_the_last_seconds():
    clock = Clock()
    counter = Counter(clock)
    assert counter.errors_percent() is None
    assert counter.orders_per_minute() == 0.0
    counter.add(True)
    assert 150 < counter.orders_per_minute() < 200  # at the usual pace, already from the first order
    for ok in (False, True, True):
        counter.add(ok)
    assert counter.errors_percent() == 25.0
    clock.now += 9.9
    assert counter.errors_percent() is None
    assert counter.orders_per_minute() == 18.0
    clock.now += 0.2
    assert counter.orders_per_minute() == 0.0


def test_a_bad_version_is_fine_at_first_then_loses_three_orders_in_ten(tmp_path: Path):
    clock = Clock()
    lay_out(tmp_path, "7-bad")
    shop = Shop(tmp_path / "current", clock)
    assert shop.version() == "7-bad"
    assert statuses(shop, 20) == [200] * 20
    clock.now += FAILS_AFTER_S
    assert statuses(shop, 100).count(500) == 30
    for _ in range(10):  # even a window of four orders shows it
        assert 500 in statuses(shop, 4)
    assert shop.answer("GET", "/health") == (200, "text/plain", "ok 7-bad\n")

    lay_out(tmp_path, "6")
    assert statuses(shop, 20) == [200] * 20
    clock.now += FAILS_AFTER_S
    assert statuses(shop, 20) == [200] * 20


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/order"), ("POST", "/version"), ("GET", "/etc/passwd")]
)
def test_anything_else_is_not_found(tmp_path: Path, method: str, path: str):
    lay_out(tmp_path, "6")
    assert Shop(tmp_path / "current").answer(method, path)[0] == 404
