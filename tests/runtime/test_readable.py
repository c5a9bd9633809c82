"""What is told of signals: once when it is known, again when it changes, and never for what only grows."""

from __future__ import annotations

from datetime import timedelta

from cockpit.core.plan import HERE, Signal
from cockpit.runtime.readable import Readable
from tests.core.plans import T0, plan

FIVE, TEN = timedelta(seconds=5), timedelta(minutes=10)
ERRORS = Signal("errors", "command", FIVE, targets=("web-1", "web-2"))
TICKETS = Signal("tickets", "manual", TEN, targets=(HERE,))


class Told:
    """A Readable whose clock the test moves."""

    def __init__(self, signal: Signal) -> None:
        self.at = T0
        self.readable = Readable(plan(signals=(signal,)), {}, T0)
        self._signal = signal.name

    def heard(self, target: str, why: str = "") -> None:
        self.readable.heard(self._signal, target, self.at, why)

    def after(self, seconds: float = 0) -> list[tuple[bool, str]]:
        """What is told so much later."""
        self.at += timedelta(seconds=seconds)
        return [(r.ok, r.detail) for r in self.readable.changed(self.at)]


def test_a_signal_is_readable_once_every_target_has_answered() -> None:
    told = Told(ERRORS)
    assert told.after() == []
    told.heard("web-1")
    assert told.after() == []
    told.heard("web-2")
    assert told.after() == [(True, "")]
    told.heard("web-2")
    assert told.after(1) == []


def test_one_target_that_fails_is_enough_and_is_named() -> None:
    told = Told(ERRORS)
    told.heard("web-2", "exit 3 after 12 ms")
    assert told.after() == [(False, "web-2: exit 3 after 12 ms")]
    told.heard("web-2", "exit 3 after 15 ms")
    assert told.after(1) == []  # other numbers are no news
    told.heard("web-1", "exit 4")
    assert told.after(1) == []  # the one that was named still fails
    told.heard("web-2")
    assert told.after(1) == [(False, "web-1: exit 4")]
    told.heard("web-1")
    assert told.after(1) == [(True, "")]


def test_silence_for_three_intervals_is_told_once_with_its_reason() -> None:
    told = Told(ERRORS)
    for target in ERRORS.targets:
        told.heard(target)
    assert told.after() == [(True, "")]
    told.readable.broken("errors", "web-1", "the connection was lost")
    assert told.after(15) == []
    assert told.after(1) == [(False, "web-1: no data for 16 s: the connection was lost")]
    assert told.after(20) == []
    told.heard("web-1")
    told.heard("web-2")
    assert told.after(1) == [(True, "")]
    assert told.after(21) == [(False, "web-1: no data for 22 s")]


def test_silence_after_a_failure_is_still_that_failure() -> None:
    told = Told(ERRORS)
    told.heard("web-1", "no answer within 5 s")
    assert told.after() == [(False, "web-1: no answer within 5 s")]
    assert told.after(60) == []


def test_what_never_came_is_missed_after_three_intervals() -> None:
    told = Told(ERRORS)
    assert told.after(15) == []
    assert told.after(1) == [(False, "web-1: no data for 16 s")]


def test_after_a_standstill_silence_is_counted_anew() -> None:
    told = Told(ERRORS)
    for target in ERRORS.targets:
        told.heard(target)
    assert told.after() == [(True, "")]
    told.at += timedelta(hours=1)
    told.readable.forget(told.at)
    assert told.after(15) == []
    assert told.after(1) == [(False, "web-1: no data for 16 s")]


def test_a_number_that_a_person_enters_is_read_until_it_is_late() -> None:
    told = Told(TICKETS)
    assert told.after() == [(False, "nobody has entered a number yet")]
    told.heard(HERE)
    assert told.after() == [(True, "")]
    told.readable.forget(told.at)  # what people said stays
    assert told.after(600) == []
    assert told.after(1) == [(False, "late: one is due every 10 min")]
    assert told.after(600) == []


def test_silence_is_looked_for_once_a_second() -> None:
    told = Told(ERRORS)
    assert told.after(15.5) == [(False, "web-1: no data for 16 s")]
    told.readable.forget(T0 - timedelta(hours=1))
    assert told.after(0.9) == []
