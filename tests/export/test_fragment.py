"""Where no whole review can be made, the report has the facts and records that there are, and why no more."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from cockpit.core import events as e
from cockpit.export import model as m
from cockpit.export.csv import TABLES
from cockpit.export.formats import FORMATS
from cockpit.export.fragment import NOT_KNOWN, stand_in
from cockpit.export.names import sweeper, without_names
from cockpit.export.report import OTHER_PLAN, report
from cockpit.store.codec import encode
from cockpit.store.log import Log
from cockpit.store.recording import Recording, read_leniently
from cockpit.store.schema import link

AT = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
PLAN = """
[release]
name = "Checkout tax rules v7"
service = "checkout"
environment = "production"
version = "3"
previous_version = "2"
customer_impact = "EU receipts show the old tax line."
[people]
dana = { name = "Dana Ruiz" }
lee = { name = "Lee Chen" }
[roles]
decision_owner = "dana"
rollback_owner = "lee"
[targets]
web-1 = { host = "10.0.0.1" }
[[step]]
id = "switch"
run = "bin/switch"
rollback = "bin/back"
[[stage]]
name = "all"
targets = ["web-1"]
steps = ["switch"]
"""
LATER = PLAN + '\n[moods]\nteam = "calm"\n'


def opened(plan: str = PLAN, at: datetime = AT) -> e.SessionOpened:
    digest = sha256(plan.encode()).hexdigest()
    return e.SessionOpened(at, "s", "5p001", "dana", "druiz", "desk", "1", "plan.toml", digest, plan, False)


NO_SAMPLES = "The log holds no samples: how the signals went, and how near limits came, isn't told."
REST = (
    e.ReleaseStarted(AT, "dana", "", "", (), ()),
    e.NoteAdded(AT + timedelta(minutes=1), "lee", "two <b>customers</b> called"),
    e.SessionClosed(AT + timedelta(minutes=2), "aborted", (), "dana", "", "wrong build"),
)


@pytest.fixture
def log(tmp_path: Path) -> Callable[..., Recording]:
    """Makes a log of these events."""

    def made(*events: e.Event) -> Recording:
        async def write() -> None:
            log = await Log.create(tmp_path / "s.db")
            try:
                await log.append(events)
            finally:
                await log.close()

        asyncio.run(write())
        return read_leniently(tmp_path / "s.db")

    return made


def everywhere(made: m.Review, recording: Recording) -> Iterator[str]:
    """The report in every format."""
    yield from (render(made) for render in FORMATS.values())
    yield from ("".join(table(made, recording, str)) for table in TABLES.values())


def test_a_sound_log_has_its_whole_review(log: Callable[..., Recording]) -> None:
    made, plan = report(log(opened(), *REST))
    assert plan is not None
    assert (made.outcome.state, made.session.opened_by) == ("aborted", "Dana Ruiz")
    assert made.missing == (NO_SAMPLES,)


def test_a_plan_of_a_later_version_leaves_the_facts_and_the_records(log: Callable[..., Recording]) -> None:
    recording = log(opened(LATER), *REST)
    made, plan = report(recording)
    assert made.outcome.state == m.UNKNOWN
    assert (made.release.service, made.release.version) == ("checkout", "3")
    assert made.release.customer_impact == "EU receipts show the old tax line."
    assert (made.session.opened_by, made.session.closed_by) == ("Dana Ruiz", "Dana Ruiz")
    assert [(moment.seq, moment.who) for moment in made.timeline] == [
        (1, "Dana Ruiz"),
        (2, "Dana Ruiz"),
        (3, "Lee Chen"),
        (4, "Dana Ruiz"),
    ]
    assert "can't be read by this version" in made.missing[0]
    assert "moods" in made.missing[0], "and why not"
    assert "4 records" in made.outcome.summary
    assert "ended as aborted" in made.outcome.summary
    texts = list(everywhere(made, recording))
    for text in texts[:3]:
        assert "Checkout tax rules v7" in text
        assert "be read by this version" in text
        assert recording.head.hash in text
    for text in texts[:2]:
        assert "<b>" not in text
    assert plan is not None
    assert "Lee" not in FORMATS["json"](without_names(made, plan, recording.events))


def test_without_names_the_records_of_an_unreadable_plan_name_nobody(log: Callable[..., Recording]) -> None:
    recording = log(
        opened(LATER),
        e.ScreenAttached(AT, "mallory.jones-9", "", "mallory.jones", "watch", False, False),
        e.RolloutPaused(AT, "lee", "", "samokoro77 saw it on desk-7", None, (), os_user="samokoro77"),
        e.SessionResumed(AT, "dana", "druiz", "desk-7", "1", "", "", False),
        *REST,
    )
    made, plan = report(recording)
    assert made.outcome.state == m.UNKNOWN
    assert plan is not None
    swept, sweep = without_names(made, plan, recording.events), sweeper(plan, recording.events)
    texts = [FORMATS[name](swept) for name in FORMATS]
    texts += ["".join(table(swept, recording, sweep)) for table in TABLES.values()]
    for text in texts:
        assert not [
            name for name in ("mallory", "samokoro", "druiz", "desk-7", "Lee", "Dana") if name in text
        ]
    assert "(screen 1)" in texts[0]


def test_a_report_of_records_alone_claims_nothing_that_it_does_not_know(
    log: Callable[..., Recording],
) -> None:
    made, _ = report(log(opened(LATER), *REST))
    for name in ("html", "markdown"):
        text = FORMATS[name](made)
        for claim in ("Nothing was decided", "There was none", "no checklist", "Nothing ran", "no gap"):
            assert claim.lower() not in text.lower(), name


def test_a_plan_that_is_not_toml_leaves_the_records(log: Callable[..., Recording]) -> None:
    recording = log(opened("[release"), *REST)
    made, plan = report(recording)
    assert plan is None
    assert made.release.name == NOT_KNOWN
    assert [moment.seq for moment in made.timeline] == [1, 2, 3, 4]
    assert made.session.opened_by == "dana", "the id is what there is"
    assert all(text for text in everywhere(made, recording))


def test_a_log_whose_beginning_is_damaged_tells_that(log: Callable[..., Recording], tmp_path: Path) -> None:
    log(opened(), *REST)
    with closing(sqlite3.connect(tmp_path / "s.db")) as connection:
        connection.execute("DROP TRIGGER event_no_update")
        connection.execute("UPDATE event SET body = replace(body, 'dana', 'lee') WHERE seq = 1")
        connection.commit()
    recording = read_leniently(tmp_path / "s.db")
    made, plan = report(recording)
    assert (plan, made.timeline, made.session.opened_at) == (None, (), None)
    assert "no record" in made.missing[0].lower()
    assert "Record 1 is not sound" in made.missing[1]
    for text in everywhere(made, recording):
        assert text
    assert "Record 1 is not sound" in FORMATS["html"](made)


def test_an_empty_log_has_a_report_that_says_so(log: Callable[..., Recording]) -> None:
    recording = log()
    made, _ = report(recording)
    assert "nothing is known of how it went" in made.outcome.summary
    assert all(text for text in everywhere(made, recording))


def test_a_first_record_of_a_later_kind_leaves_the_others(
    log: Callable[..., Recording], tmp_path: Path
) -> None:
    log()
    body = json.dumps({"type": "SessionBegun", "at": AT.isoformat(timespec="microseconds")})
    first = link(sha256(b"cockpit.log/1").digest(), body.encode(), 1)
    note = encode(REST[1])
    second = link(first, note, 2)
    with closing(sqlite3.connect(tmp_path / "s.db")) as connection:
        connection.execute("INSERT INTO event VALUES (1, ?, ?)", (body, first.hex()))
        connection.execute("INSERT INTO event VALUES (2, ?, ?)", (note.decode(), second.hex()))
        connection.commit()
    made, plan = report(read_leniently(tmp_path / "s.db"))
    assert plan is None
    assert [(moment.seq, moment.text) for moment in made.timeline] == [
        (2, "noted: two <b>customers</b> called")
    ]
    assert made.session.opened_at is None
    assert any("SessionBegun (1 time)" in sentence for sentence in made.missing)
    assert all(FORMATS[name](made) for name in FORMATS)


def test_another_plan_than_the_one_it_was_opened_with_is_said(log: Callable[..., Recording]) -> None:
    made, plan = report(log(replace(opened(), plan_sha256="ab" * 32), *REST))
    assert plan is not None
    assert made.missing == (OTHER_PLAN, NO_SAMPLES)


@pytest.mark.parametrize(
    "odd",
    [
        e.StepFinished(AT, "x", "failed", False, 1, None, 1e300, "", 0, "", ""),
        e.NoteAdded(datetime(1, 1, 1, tzinfo=UTC), "lee", "before there was time"),
        e.NoteAdded(datetime(9999, 12, 31, 23, 59, tzinfo=UTC), "lee", "when there is no more"),
        e.MachineSlept(AT, timedelta(days=999_999_999)),
        e.WaveStarted(AT, "no such stage", 7, ("nobody",)),
    ],
    ids=lambda event: type(event).__name__,
)
def test_records_that_make_no_sense_end_in_a_report_all_the_same(
    log: Callable[..., Recording], odd: e.Event
) -> None:
    recording = log(opened(), REST[0], odd, *REST[1:])
    made, _ = report(recording)
    assert [moment.seq for moment in made.timeline] == [1, 2, 3, 4, 5]
    assert all(text for text in everywhere(made, recording))


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("", []),
        ("people = 3\nroles = []\nrelease = 'x'\n", []),
        ("[people]\nkim = 3\nlee = { name = 7 }\n", ["kim", "lee"]),
        ('[people.kim]\nname = "Kim"\nkey = 3\n[roles]\nx = "kim"\n', ["Kim"]),
    ],
)
def test_whatever_toml_says_its_people_are_who_can_be_made_out(text: str, people: Sequence[str]) -> None:
    plan = stand_in(text)
    assert plan is not None
    assert [person.name for person in plan.people] == people
    assert plan.release.name == NOT_KNOWN
