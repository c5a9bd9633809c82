"""Whatever a plan, person or target writes is shown, and never obeyed."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.core import events as e
from cockpit.core.text import hidden, visible
from cockpit.export import model as m
from cockpit.export.escape import fenced, json_text, markdown
from cockpit.export.formats import FORMATS
from cockpit.export.picture_canvas import Canvas
from cockpit.export.review import review
from cockpit.store.output import Kept, Output
from tests.export.pages import Page, page, standing_alone
from tests.export.story import HEAD, START, plan, records
from tests.weight import examples

HOSTILE = (
    "x | y\n# h\n```\n~~~\n<script>alert(1)</script> [a](http://evil) ![i](http://evil/i) https://evil www.evil.org "
    "**b** `c` \x1b[2J\x1b]8;;http://evil\x07 \u202egnp.exe \u200b \x9b31m \r\x00 &lt; @all"
)
FREE_TEXT = {
    "reason",
    "text",
    "detail",
    "message",
    "note",
    "override",
    "machine",
    "os_user",
    "why",
    "plan_path",
    "line",
}

T = TypeVar("T")


def overridden(value: T) -> T:
    """A rollback that began by override, which is a point of the review by itself."""
    return replace(value, override="no time") if isinstance(value, e.RollbackStarted) else value


def poisoned(value: T) -> T:
    """The same value with HOSTILE after every free text in it."""
    value = overridden(value)
    changed: dict[str, Any] = {}
    for field in fields(value):  # type: ignore[arg-type]
        old = getattr(value, field.name)
        if field.name in FREE_TEXT and isinstance(old, str):
            changed[field.name] = old + HOSTILE
        elif field.name in ("findings", "partial", "unproven", "escalate_to"):
            changed[field.name] = tuple(o + HOSTILE if isinstance(o, str) else poisoned(o) for o in old)
    return replace(value, **changed)  # type: ignore[type-var]


def poisoned_output(attempt: str) -> Output:
    kept = Kept()
    kept.write(f"{HOSTILE}\n`````\n# outside?\n".encode() + b"\xff\xfe")
    return kept.output()


def rendered(name: str) -> str:
    made = plan()
    release = replace(
        made.release,
        name=f"v7 {HOSTILE}",
        service=HOSTILE,
        customer_impact=HOSTILE,
        change_ref=HOSTILE,
        links={HOSTILE: "https://evil.example/"},
    )
    people = tuple(replace(person, name=HOSTILE) for person in made.people)
    items = tuple(replace(item, text=HOSTILE) for item in made.checklist)
    signals = tuple(replace(signal, unit=HOSTILE) for signal in made.signals)
    hostile = replace(made, release=release, people=people, checklist=items, signals=signals)
    return FORMATS[name](review(records(poisoned), hostile, HEAD, poisoned_output))


@pytest.mark.parametrize("name", FORMATS)
def test_no_hidden_character_reaches_a_review(name: str) -> None:
    assert {c for c in rendered(name) if hidden(c)} == {"\n"}


def outside_fences(document: str) -> list[str]:
    """The document's lines that are not within a fenced block."""
    lines: list[str] = []
    fence = ""
    for line in document.splitlines():
        opened = re.match(r"(`{3,})text$", line)
        if fence:
            fence = "" if line.strip() == fence else fence
        elif opened:
            fence = opened[1]
        else:
            lines.append(line)
    assert not fence
    return lines


def test_markdown_has_no_structure_but_its_own() -> None:
    calm = FORMATS["markdown"](review(records(overridden), plan(), HEAD, poisoned_output))
    lines, calm_lines = outside_fences(rendered("markdown")), outside_fences(calm)
    assert len(lines) == len(calm_lines)
    for line, calm_line in zip(lines, calm_lines, strict=True):
        assert re.match(r"#*", line)[0] == re.match(r"#*", calm_line)[0]  # type: ignore[index]
        assert line.count("|") == calm_line.count("|"), "a cell broke out of its table"
        assert "<" not in line
        assert "`" not in line
        assert "://" not in line
        assert "www." not in line
        assert not re.search(r"(?<!\\)[\[\]*~]", line)


def structure(of: Page) -> list[tuple[str, tuple[str, ...]]]:
    """The page's elements, but for the picture's, and for what keeps a word whole: they depend on what is said."""
    return [(e.name, e.inside) for e in of.elements if not {"svg", "span"} & {e.name, *e.inside}]


def test_html_has_no_structure_but_its_own() -> None:
    hostile = page(rendered("html"))
    calm = page(FORMATS["html"](review(records(overridden), plan(), HEAD, poisoned_output)))
    assert [e for e in structure(hostile) if e[0] != "a"] == [e for e in structure(calm) if e[0] != "a"]
    standing_alone(hostile)
    whole = [e.text for e in hostile.every("span") if e.attributes.get("class") == "u"]
    assert all(re.fullmatch(r"\w+(?:[/-]\w+)+", text) for text in whole)
    assert [e.text for e in hostile.every("a") if not e.attributes["href"].startswith("#")] == [
        "https://evil.example/"
    ]


def test_html_shows_hostile_text_as_it_is() -> None:
    (body,) = page(rendered("html")).every("body")
    seen = body.text.replace("\n", " ")
    for said in (
        "two customers called",
        "receipts wrong",
        "disk cleaned",
        "notify-send paused",
        "web-1 is rebuilt",
        "6 h old",
    ):
        assert visible(said + HOSTILE).strip() in seen
    assert visible(HOSTILE, keep="\n") in body.text, "in an output, lines stay lines"
    (title,) = (e for e in page(rendered("html")).every("title") if "svg" not in e.inside)
    assert title.text == f"Release review: v7 {visible(HOSTILE)}"


def test_the_picture_shows_hostile_names_as_text() -> None:
    odd = HOSTILE.replace("\n", " ")
    calm = review(records(), plan(), HEAD)
    hostile = replace(
        calm,
        stages=tuple(replace(stage, name=odd) for stage in calm.stages),
        spans=tuple(replace(span, name=odd, stage=odd if span.stage else "") for span in calm.spans),
        trips=tuple(replace(trip, threshold=odd, action=odd) for trip in calm.trips),
        decisions=tuple(replace(d, kind=odd, subject=odd) for d in calm.decisions),
        gaps=(m.Gap(odd, (), START, None, odd),),
        curves=(m.Curve(odd, odd, odd, 3, 1, (m.Point(START, 1.0, 2.0),), ((1.0, odd, odd),)),),
    )
    drawn = page(FORMATS["html"](hostile))
    standing_alone(drawn)
    parts = drawn.every("svg")
    assert [part.attributes["class"] for part in parts] == ["wide", "wide", "narrow", "narrow"]
    assert all(visible(odd)[:20] in part.text for part in parts)


@given(st.text())
@settings(max_examples=examples(80))
def test_any_text_in_a_picture_is_only_text(text: str) -> None:
    canvas = Canvas(100, "wide")
    canvas.text(0, 0, text)
    canvas.rect(0, 0, 10, 10, "wave", text)
    canvas.link("decision-1", text)
    canvas.end_link()
    drawn = page(str(canvas.svg(text, text)))
    assert {e.name for e in drawn.elements} <= {
        "svg",
        "title",
        "desc",
        "defs",
        "pattern",
        "path",
        "circle",
        "text",
        "rect",
        "a",
    }
    assert [e.text for e in drawn.every("text")] == [visible(text)]
    assert not any(hidden(c) for c in drawn.every("svg")[0].text)


def test_json_keeps_hostile_text_exactly() -> None:
    told = json.loads(rendered("json"))
    assert told["release"]["service"] == HOSTILE
    assert told["notes"][0]["text"].endswith(HOSTILE)


@given(st.text())
@settings(max_examples=examples(80))
def test_any_text_is_one_harmless_cell(text: str) -> None:
    cell = markdown(text)
    assert not any(hidden(c) for c in cell)
    assert not re.search(r"[|<`]", cell)


@given(st.text(alphabet="`~ab\n\r"))
@settings(max_examples=examples(80))
def test_no_text_closes_its_fence(text: str) -> None:
    first, *body, last = fenced(text).split("\n")
    assert last == first.removesuffix("text")
    assert not any(line.strip().startswith(last) for line in body)


@given(st.text())
@settings(max_examples=examples(80))
def test_json_escapes_change_no_data(text: str) -> None:
    assert json.loads(json_text(json.dumps(text, ensure_ascii=False))) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain - text_with 1.5 %", "plain - text_with 1.5 %"),
        ("\x1b[31m", "␛[31m"),
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("\x7f\x9b", "␡⟨U+009B⟩"),
        ("grün 🟢", "grün 🟢"),
    ],
)
def test_hidden_characters_are_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("- x", "\\- x"),
        ("12. x", "12\\. x"),
        ("1.5 s", "1.5 s"),
        ("-3", "-3"),
        ("---", "\\---"),
        ("> x", "\\> x"),
        ("_x_ a_b", "\\_x\\_ a_b"),
        ("a\\|b", "a\\\\&#124;b"),
        ("http://x", "http&#58;//x"),
    ],
)
def test_markup_is_escaped_where_it_would_work(text: str, escaped: str) -> None:
    assert markdown(text) == escaped


def test_an_event_is_poisoned_at_all() -> None:
    (note,) = (event for _, event in records() if isinstance(event, e.NoteAdded))
    poison = poisoned(note)
    assert poison == e.NoteAdded(note.at, "kim", "two customers called" + HOSTILE, os_user=HOSTILE)
