"""Metrics that nothing waits for come after the logins; those that a limit needs don't wait."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from cockpit.core.plan import Signal
from cockpit.remote.scripted import ScriptedRunner
from cockpit.runtime import sampling
from cockpit.runtime.engine import utc_now
from tests.core.plans import plan, web
from tests.remote.waiting import until


async def test_metrics_for_the_screen_wait_for_the_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "AFTER_S", 0.0)
    monkeypatch.setattr(sampling, "APART_S", 0.0)
    load = Signal("load", "host", timedelta(seconds=2), targets=("web-1",))
    p = plan(targets=web(2), signals=(load,), thresholds=())
    runner, answered = ScriptedRunner(), asyncio.Event()
    reading = sampling.Sampling(p, runner, lambda: None, utc_now, lambda: None)

    def followed() -> set[str]:
        return {call.target for call in runner.calls if call.verb == "follow"}

    try:
        reading.start(answered)
        await until(followed, "the first loop")
        for _ in range(20):
            await asyncio.sleep(0)
        assert followed() == {"web-1"}
        answered.set()
        await until(lambda: followed() == {"web-1", "web-2"}, "the other one")
    finally:
        await reading.stop()


async def test_a_target_is_read_as_often_as_its_most_frequent_signal_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sampling, "AFTER_S", 0.0)
    monkeypatch.setattr(sampling, "APART_S", 0.0)
    often = Signal("load", "host", timedelta(seconds=1), targets=("web-1",))
    seldom = Signal("cpu", "host", timedelta(seconds=30), targets=("web-1", "web-2"))
    p = plan(targets=web(3), signals=(often, seldom), thresholds=())
    runner, answered = ScriptedRunner(), asyncio.Event()
    reading = sampling.Sampling(p, runner, lambda: None, utc_now, lambda: None)
    try:
        reading.start(answered)
        answered.set()
        await until(lambda: all(runner.followed(t.id) for t in p.targets), "the loops")
    finally:
        await reading.stop()
    told = {call.target: call.line.rpartition("sleep ")[2].split()[0] for call in runner.calls}
    assert told == {"web-1": "1", "web-2": "2", "web-3": "2"}
