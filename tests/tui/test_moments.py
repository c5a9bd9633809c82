"""A moment that is handed out as a copy is the moment itself, and nobody's but the test's that asked for it."""

from __future__ import annotations

import pytest

from tests.tui.fake_link import FakeLink
from tests.tui.gallery import STATES, TELLING


@pytest.mark.parametrize("name", ["over", "called", "breached", "doubt", "hostile_paused"])
def test_what_follows_on_a_copy_is_what_follows_on_the_moment_itself(name: str) -> None:
    copies = [STATES[name]() for _ in range(3)]
    one, other, untouched = copies
    itself = TELLING[name]()
    for link in (one, itself, other):
        link.pass_time(60, errors=3.0)
        link.finish()
        link.pass_time(60, errors=0.1)
    assert one.events == other.events == itself.events
    assert one.state == itself.state
    assert one.samples == itself.samples and one.said == itself.said
    anew = STATES[name]()
    assert untouched.events == anew.events and untouched.samples == anew.samples != one.samples


def test_a_moment_depends_on_all_that_went_before_it() -> None:
    calm, dear = FakeLink(), FakeLink(me="sam")
    ill = FakeLink()
    ill.silent.add("web-3")
    for link in (calm, dear, ill, FakeLink()):
        link.ready()
    assert calm.me == "dana" and dear.me == "sam"
    assert len(calm.series("errors", "web-3")) > 1 and len(ill.series("errors", "web-3")) == 0
