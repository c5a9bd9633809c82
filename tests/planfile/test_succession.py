"""The next release's plan: what is new in its place, every other byte as it was."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.planfile import load, parse
from cockpit.planfile.problem import UNSEEN
from cockpit.planfile.succession import (
    Earlier,
    Successor,
    bumped,
    next_weekday,
    objection,
    still_said,
    succeeded,
)
from tests.planfile.plans import PLAN

SAMPLES = sorted((Path(__file__).parents[2] / "sample-plans").glob("*.toml"))

OPENS, CLOSES = datetime(2026, 12, 1, 9, 30), datetime(2026, 12, 1, 11, 30)

TEMPLATE = """\
[window] #@
closes = @closes@#@
"opens"= @opens@ #@
timezone = "Europe/Berlin"
[release]#@
  version   =   @version@  #@
name = "Tax rules v7 for 2026.11.3"
'previous_version' = @previous@
service = "checkout"
change_ref = @change@#@
environment = "production"
customer_impact = '''EU receipts#@
show the old tax line.'''
[people]
dana = { name = "Dana 2026.11.2", on_shift_until = @dana@ } #@
lee = { on_shift_until=@lee@, name = "Lee" }
kim.on_shift_until = @kim@
[people.sam] #@
on_shift_until = @sam@
"""

EARLIER = {
    "opens": "2026-11-24 10:00:00",
    "closes": "2026-11-24T12:00:00.5",
    "version": '"2026.11.3"',
    "previous": "'2026.11.2'",
    "change": '"CHG-1"',
    "dana": "2026-11-24T15:00:00",
    "lee": "2026-11-25T00:30:00+01:00",
    "kim": "9999-12-31T00:00:00",
    "sam": "2026-11-24T15:00:00Z",
}
LATER = {
    "opens": "2026-12-01T09:30:00",
    "closes": "2026-12-01T11:30:00",
    "version": '"2026.11.4 \\"é\\""',
    "previous": '"2026.11.3"',
    "change": '"CHG-2"',
    "dana": "2026-12-01T15:00:00",
    "lee": "2026-12-02T00:30:00+01:00",
    "kim": "9999-12-31T00:00:00",
    "sam": "2026-12-01T15:00:00Z",
}
NEW = Successor('2026.11.4 "é"', "CHG-2", OPENS, CLOSES)

REST = PLAN[PLAN.index("[roles]") :].replace('"lee"', '"lee" #@')


def filled(values: dict[str, str], notes: list[str], ends: str, mark: str) -> str:
    text = TEMPLATE + REST
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    for note in notes:
        text = text.replace("#@", f"# {note}", 1)
    return mark + text.replace("#@", "#").replace("\n", ends)


def earlier_of(text: str) -> Earlier:
    checked = parse(text.encode(), "plan.toml")
    assert [p.render() for p in checked.problems] == []
    return Earlier.of(checked)


@given(
    notes=st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc"))), max_size=12),
    ends=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from(["", "\ufeff"]),
)
def test_every_other_byte_stays(notes: list[str], ends: str, mark: str) -> None:
    notes = [UNSEEN.sub("", note).replace("@", "") for note in notes]
    notes = ["".join(note.splitlines()) for note in notes]
    earlier = earlier_of(filled(EARLIER, notes, ends, mark))
    assert succeeded(earlier, NEW) == filled(LATER, notes, ends, mark)
    assert objection(earlier, NEW) == ""


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.name)
def test_a_sample_plan_is_followed(path: Path) -> None:
    earlier = Earlier.of(load(path))
    version = earlier.document["release"]["version"]
    new = Successor(bumped(version), "CHG-9", OPENS, CLOSES)
    assert objection(earlier, new) == ""
    before, after = path.read_text().split("\n"), succeeded(earlier, new).split("\n")
    changed = [one.split("=")[0].strip() for one, other in zip(before, after, strict=True) if one != other]
    moving = {"version", "previous_version", "change_ref", "opens", "closes", "dana"}
    assert set(changed) <= moving
    checked = parse("\n".join(after).encode(), "plan.toml")
    assert checked.plan is not None
    assert checked.plan.release.previous_version == version


def test_what_is_not_new_keeps_even_its_notation() -> None:
    earlier = earlier_of(filled(EARLIER, [], "\n", ""))
    same = Successor("2026.11.4", "CHG-1", datetime(2026, 11, 24, 10), datetime(2026, 11, 24, 13))
    lines = set(succeeded(earlier, same).split("\n")) - set(earlier.text.split("\n"))
    assert [line.split("=")[0].strip() for line in sorted(lines)] == [
        "version",
        "'previous_version'",
        "closes",
    ]
    assert "2026-11-24T13:00:00" in succeeded(earlier, same)
    unmoved = succeeded(earlier, Successor("2026.11.4"))
    assert all(EARLIER[key] in unmoved for key in ("opens", "closes", "change", "dana", "lee", "sam"))


def test_only_what_the_earlier_plan_did_not_say_is_an_objection() -> None:
    vague = '[[checklist]]\nid = "a"\ntext = "ok"\nowner = "dana"\n'
    freeze = "[[window.freeze]]\nfrom = 2026-12-01\nto = 2026-12-02\nwhy = 'sales'\n"
    earlier = earlier_of(filled(EARLIER, [], "\n", "") + vague + freeze)
    assert earlier.checked.warnings
    assert objection(earlier, Successor("8")) == ""
    assert "going back would change nothing. Write" in objection(earlier, Successor("2026.11.3"))
    assert "lies in this freeze" in objection(earlier, NEW)
    backwards = Successor("8", "", CLOSES, OPENS)
    assert (
        objection(earlier, backwards)
        == "The window closes before it opens. Write a later time, or swap the two."
    )


def test_lines_that_speak_of_an_earlier_version_are_named() -> None:
    more = (
        "[[checklist]]\nid = 'drill'\ntext = 'Tried on staging with 2026.11.3.'\nowner = 'dana'\n"
        "[[checklist]]\nid = 'other'\ntext = 'Not 12026.11.3, 2026.11.31, 2026.11.3.1 or x-2026.11.3'\nowner = 'dana'\n"
    )
    earlier = earlier_of(filled(EARLIER, [], "\r\n", "\ufeff") + more)
    assert [line.split(": ", 1)[1] for line in still_said(earlier, NEW)] == [
        'name = "Tax rules v7 for 2026.11.3"',
        'dana = { name = "Dana 2026.11.2", on_shift_until = 2026-12-01T15:00:00 } #',
        "text = 'Tried on staging with 2026.11.3.'",
    ]
    assert still_said(earlier_of(PLAN), Successor("3")) == ('line 2: name = "Tax rules v7"',)


@pytest.mark.parametrize(
    ("version", "following"),
    [
        ("2026.11.3", "2026.11.4"),
        ("v7", "v8"),
        ("2026.11.09", "2026.11.10"),
        ("v099-rc", "v100-rc"),
        ("1.2.3-rc.1+x", "1.2.3-rc.2+x"),
        ("blue", ""),
        ("٣", ""),
        pytest.param("9" * 6000, "9" * 5900 + "1" + "0" * 100, id="long"),
    ],
)
def test_a_version_is_bumped_at_its_last_number(version: str, following: str) -> None:
    assert bumped(version) == following


@pytest.mark.parametrize(
    ("after", "freezes", "day"),
    [
        (date(2026, 11, 24), (), date(2026, 11, 25)),
        (date(2026, 11, 27), (), date(2026, 11, 30)),
        (date(2026, 11, 28), (), date(2026, 11, 30)),
        (date(2026, 11, 24), ((date(2026, 11, 25), date(2026, 11, 27)),), date(2026, 11, 30)),
        (date(2026, 11, 24), ((date(2026, 1, 1), date(9999, 1, 1)),), date(2026, 11, 25)),
    ],
)
def test_the_next_weekday_lies_in_no_freeze(
    after: date, freezes: tuple[tuple[date, date], ...], day: date
) -> None:
    assert next_weekday(after, [{"from": first, "to": last} for first, last in freezes]) == day
