"""Telling other systems of a real release: all arrives, once, also over a crash; no fault there is one here."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from cockpit.core import events as ev
from cockpit.core.plan import Plan
from cockpit.planfile import parse
from cockpit.runtime.annotations import Marking
from cockpit.runtime.tracing import Trace
from cockpit.store.log import read
from tests.collector import Got, Receiver, Way, receiving
from tests.faults.release import SHAPES, Site
from tests.remote.waiting import until
from tests.sshd import free_port


def telling(url: str) -> dict[str, str]:
    return {"COCKPIT_OTEL_ENDPOINT": url, "COCKPIT_ANNOTATIONS_URL": url}


def logged(site: Site) -> tuple[Sequence[ev.Event], Plan]:
    """What the log holds in the end, and its plan."""
    events = [event for _, event in read(site.log).events]
    assert isinstance(events[0], ev.SessionOpened)
    plan = parse(events[0].plan_text.encode(), "plan.toml", recorded=True).plan
    assert plan is not None
    return events, plan


def as_logged(site: Site, receiver: Receiver) -> dict[str, Got]:
    """The spans that arrived, by id: those of the log and no others, each once, with its times and what happened."""
    events, plan = logged(site)
    wanted = Trace(plan).feed(events)
    got = {span.id: span for span in receiver.spans}
    assert len(got) == len(receiver.spans)
    assert {(s.id, s.parent, s.trace, s.name, s.start, s.end, s.error) for s in got.values()} == {
        (
            f"{s.id:016x}",
            f"{s.parent:016x}" if s.parent else "",
            f"{s.trace:032x}",
            s.name,
            s.start,
            s.end,
            s.error,
        )
        for s in wanted
    }
    for span in wanted:
        happened = [(o.name, o.at) for o in span.occurrences]
        assert [(name, at) for name, at, _ in got[f"{span.id:016x}"].events] == happened
    return got


def inside(got: dict[str, Got]) -> list[str]:
    """Each span's way down from the root, in the order of their beginnings; all lie within their parents."""

    def way(span: Got) -> str:
        if not span.parent:
            return span.name
        above = got[span.parent]
        assert above.start <= span.start <= span.end <= above.end
        return f"{way(above)} > {span.name}"

    ways = [(span.start, way(span)) for span in got.values()]
    return [line for _, line in sorted(ways, key=lambda found: (found[0], found[1].count(" > ")))]


async def test_a_release_that_goes_back_arrives_as_its_log_has_it(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        site.write_plan(SHAPES["rollback"])
        with receiving() as both:
            run = site.run(**telling(both.url))
            assert await run.ended() == 3, run.said()
        events, plan = logged(site)
        down = inside(as_logged(site, both))
    assert [line.removeprefix("release ledger 2 > ") for line in down] == [
        "release ledger 2",
        "stage canary",
        "stage canary > wave 1 of canary",
        "stage canary > wave 1 of canary > switch on web-1",
        "stage web",
        "stage web > wave 1 of web",
        "stage web > wave 1 of web > switch on web-2",
        *(["stage web > bake of web"] if any("bake" in line for line in down) else []),
        "rollback",
        "rollback > rollback of switch on web-2",
        "rollback > rollback of switch on web-1",
    ]
    root = both.named("release ledger 2")
    names = [name for name, _, _ in root.events]
    assert names.index("cockpit.release_started") < names.index("cockpit.rollback_started")
    assert all(before[1] <= after[1] for before, after in pairwise(root.events))
    (tripped,) = [
        attributes for span in both.spans for name, _, attributes in span.events if "tripped" in name
    ]
    assert (tripped["cockpit.action"], tripped["cockpit.value"]) == ("rollback", 9.0)
    assert root.error == "rolled back"
    step = both.named("switch on web-1")
    assert (step.attributes["cockpit.exit_code"], step.attributes["cockpit.proven"]) == (0, True)
    assert str(tmp_path) not in repr(both.spans)
    states = both.metrics[-1]["cockpit.release.state"][2]
    assert [attributes["cockpit.state"] for attributes, value in states if value] == ["rolled_back"]
    assert both.annotations == [mark.body(plan) for mark in Marking(plan).feed(events)]
    assert not any(isinstance(event, ev.NoticeSent) for event in events)


async def test_a_killed_session_goes_on_in_the_same_trace(tmp_path: Path) -> None:
    """What had arrived isn't sent again, and the step that ran when cockpit was killed has its own true times."""
    async with Site(tmp_path) as site:
        site.write_plan()
        site.hold("web-2")
        with receiving() as both:
            first = site.run(**telling(both.url))
            await until(lambda: site.ran("web-2"), "the step", 30)
            await asyncio.to_thread(both.wait, lambda: any("stage canary" in s.name for s in both.spans))
            await asyncio.to_thread(both.wait, lambda: any("start" in m["tags"] for m in both.annotations))
            kept = site.log.with_name(f"{site.log.name}-sent")
            await until(
                lambda: int(kept.read_bytes() or b"0") == len(both.spans), "the count of what was sent"
            )
            first.kill()
            before = len(both.spans)
            site.let_go("web-2")
            await until(lambda: len(site.ran("web-2")) == 2, "the step's end")
            second = site.resume(**telling(both.url))
            assert await second.ended() == 0, second.said()
        got = as_logged(site, both)
        events, _ = logged(site)
        assert not kept.exists()
    assert before >= 3
    assert len(inside(got)) == len(both.spans) > before
    cut = both.named("switch on web-2")
    assert next(name for name, _, _ in cut.events) == "cockpit.session_resumed"
    assert cut.attributes["cockpit.settled"] == "record"
    resumed = next(e for e in events if isinstance(e, ev.SessionResumed))
    assert cut.end / 1e9 < resumed.at.timestamp() + 60
    assert [mark["tags"][3] for mark in both.annotations][-1] == "completed"
    assert sum(mark["tags"][3] == "start" for mark in both.annotations) == 1


@pytest.mark.parametrize("way", ["absent", "hang", "503"])
async def test_a_bad_collector_changes_nothing_in_a_release(way: str, tmp_path: Path) -> None:
    """Neither its exit status nor what is printed, but for one line; nor does its end wait for long."""
    ways: list[Way] = [] if way == "absent" else [way]  # type: ignore[list-item]
    async with Site(tmp_path) as site:
        site.write_plan()
        with receiving(ways or ["200"]) as both:
            url = both.url if ways else f"http://127.0.0.1:{free_port()}"
            run = site.run(**telling(url))
            assert await run.ended() == 0, run.said()
        assert site.versions() == ["2", "2", "2"]
        assert site.broken() == []
        notices = [(n["on"], n["ok"]) for n in site.events("NoticeSent")]
        assert {on for on, ok in notices if not ok} == {"telemetry", "annotations"}
        assert len(notices) <= 4
        said = run.err.read_text()
        for word in ("Traceback", "opentelemetry", "urllib3", "Failed to export", "Warning"):
            assert word not in said
