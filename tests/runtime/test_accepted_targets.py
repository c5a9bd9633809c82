"""What was accepted on one target hides nothing of the others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from cockpit.core import commands as cmd
from cockpit.core.state import clean
from cockpit.core.thresholds import Sample
from cockpit.runtime.judging import Judging
from tests.core.plans import ERRORS, Session, limit, plan

FINE: Mapping[str, float | None] = {"web-1": 1.0, "web-2": 1.0, "web-3": 1.0}
BAD = {**FINE, "web-1": 3.0}


class Judged:
    """A canary that bakes while its signal is judged."""

    def __init__(self, **changes: object) -> None:
        self.s = Session(plan(signals=(ERRORS,), thresholds=(limit(**changes),)), auto=True)  # type: ignore[arg-type]
        self.judging = Judging(self.s.plan, {})
        self.judging.on = True
        self.read(FINE)
        self.s.start()
        self.s.finish()

    def read(self, values: Mapping[str, float | None], times: int = 1) -> None:
        for _ in range(times):
            self.s.at += timedelta(seconds=5)
            for target, value in values.items():
                self.judging.add("errors", target, Sample(self.s.at, value))
            for verdict in self.judging.verdicts(self.s.state, self.s.at):
                self.s.do(verdict)

    def accept(self) -> None:
        assert self.s.state.paused is not None
        self.s.do(cmd.ResumeRollout(self.s.at, "dana", reason="known", accepting=("errors > 2",)))
        assert clean(self.s.state)


@pytest.mark.parametrize(
    ("then", "verdict", "paused"),
    [
        ({**BAD, "web-2": 2.5}, "breach", True),
        ({**BAD, "web-2": None}, "error", False),
        ({"web-1": 3.0, "web-3": 1.0}, "inconclusive", False),
    ],
)
def test_what_was_accepted_on_one_target_hides_no_other(
    then: Mapping[str, float | None], verdict: str, paused: bool
) -> None:
    j = Judged()
    j.read(BAD)
    j.accept()
    j.read(then, 6)
    said = j.s.state.verdicts["errors > 2"]
    assert (said.verdict, said.target, j.s.state.paused is not None) == (verdict, "web-2", paused)
    assert not clean(j.s.state)
    if not paused:
        j.read(BAD, 2)
        assert clean(j.s.state)  # what was accepted still is


def test_of_two_accepted_targets_the_lesser_one_may_become_worse_or_fall_silent() -> None:
    j = Judged()
    j.read(BAD)
    j.accept()
    j.read({**BAD, "web-2": 9.0})
    j.accept()
    j.read({**BAD, "web-2": 9.0}, 3)
    assert clean(j.s.state)
    j.read({"web-1": 8.0, "web-2": 9.0, "web-3": 1.0})
    assert j.s.state.verdicts["errors > 2"].target == "web-1"
    j.accept()
    j.read({"web-2": 9.0, "web-3": 1.0}, 5)
    assert (j.s.state.verdicts["errors > 2"].verdict, clean(j.s.state)) == ("inconclusive", False)


def test_every_target_may_be_accepted() -> None:
    j = Judged()
    for values in (BAD, {**BAD, "web-2": 3.0}, {**BAD, "web-2": 3.0, "web-3": 3.0}):
        j.read(values)
        j.accept()
    j.read(dict.fromkeys(FINE, 3.0), 3)
    assert clean(j.s.state)


def test_a_number_after_accepted_silence_asks_again() -> None:
    j = Judged(no_data="breach")
    j.read({"web-2": 1.0, "web-3": 1.0}, 4)
    j.accept()
    j.read({"web-2": 1.0, "web-3": 1.0}, 2)
    assert clean(j.s.state)
    j.read({**FINE, "web-1": 50.0})
    assert j.s.state.paused is not None
