"""Every message that says no is on docs/errors.md, with what to do about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.cli import exit_codes
from cockpit.core import errors
from tests.errors_page import AS_ITS_LINE, SECTIONS, Message, messages, page, readiness_keys
from tests.errors_what_to_do import READINESS, TO_DO

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture(scope="module")
def found() -> list[Message]:
    return messages()


def test_every_message_says_what_to_do_or_the_table_does(found: list[Message]) -> None:
    mute = [
        f"{m.module}: {m.template}" for m in found if m.template and not m.to_do and not m.template.isupper()
    ]
    assert mute == [], "say in the message what to do, or in tests/errors_what_to_do.py"
    assert len(found) > 300


def test_every_module_with_a_message_has_its_area(found: list[Message]) -> None:
    for kinds, areas in SECTIONS.values():
        placed = [module for modules in areas.values() for module in modules]
        saying = {m.module for m in found if m.kind in kinds and m.template and not m.template.isupper()}
        assert sorted(placed) == sorted(saying), "tests/errors_areas.py: each module once, and no other"


@pytest.mark.parametrize(
    ("message", "to_do"),
    [
        ("this text isn't closed", "write the closing PAIR"),
        ("this table is written twice", "put all its keys under the first one"),
        ("the window closes before it opens", "write a later time, or swap the two"),
        ("neither `path` nor `journal`: there is nothing to follow", "write path = ... or journal = ..."),
        ("all steps of this stage run on this machine: its targets aren't touched", "remove targets"),
        ("there is no step `SHORTEN`", AS_ITS_LINE),
    ],
)
def test_each_message_has_its_own_advice(found: list[Message], message: str, to_do: str) -> None:
    assert [m.to_do for m in found if m.template == message] == [to_do]


def test_the_page_has_every_message(found: list[Message]) -> None:
    written = (DOCS / "errors.md").read_text(encoding="utf-8")
    missing = [line for line in page().splitlines() if line not in written]
    assert missing == [], "`make docs` writes docs/errors.md anew"


def test_the_table_has_no_message_that_nobody_says(found: list[Message]) -> None:
    said = {message.template for message in found}
    assert [template for template in TO_DO if template not in said] == []


def test_every_kind_of_finding_is_explained() -> None:
    assert readiness_keys() <= set(READINESS)
    assert len(readiness_keys()) > 12


def test_every_exit_code_is_in_the_table_and_the_table_on_its_page() -> None:
    codes = {kind.exit_code for kind in vars(errors).values() if isinstance(kind, type)}
    assert codes | {0, 3, 130} == {end.code for end in exit_codes.EXITS}
    assert (DOCS / "exit-codes.md").read_text(encoding="utf-8") == exit_codes.page()
