"""The page says what the document says, stands alone, asks nothing of anybody, and can be read by everybody."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from cockpit.export import model as m
from cockpit.export.document import document
from cockpit.export.document_blocks import Code, Facts, Heading, Items, Points, Table, Text
from cockpit.export.formats import FORMATS
from cockpit.export.review import review
from tests.export.long_story import told
from tests.export.pages import Page, page, standing_alone
from tests.export.story import HEAD, output, plan, records

STORY = review(records(), plan(), HEAD, output)
LONG = told(40)
ROOT = Path(__file__).parent.parent.parent


def made(of: m.Review) -> Page:
    return page(FORMATS["html"](of))


def texts(of: m.Review) -> list[str]:
    """Every text of the document, in order."""
    found: list[str] = []
    for block in (block for section in document(of).sections for block in section.blocks):
        match block:
            case Text(text=text) | Heading(text=text) | Code(text=text):
                found += text.splitlines()
            case Items(items=items):
                found += items
            case Points(points=points):
                found += [part for point in points for part in point]
            case Facts(facts=pairs):
                found += [part if isinstance(part, str) else part.text for pair in pairs for part in pair]
            case Table():
                found += [block.title, block.left_out, *(block.head if block.rows else (block.otherwise,))]
                found += [cell if isinstance(cell, str) else cell.text for row in block.rows for cell in row]
            case _:
                pass
    return [text.strip() for text in found if text.strip()]


@pytest.mark.parametrize("of", [STORY, LONG], ids=["story", "long"])
def test_the_page_says_all_that_the_document_says(of: m.Review) -> None:
    (body,) = made(of).every("body")
    seen = " ".join(body.text.split())
    assert [text for text in texts(of) if " ".join(text.split()) not in seen] == []


@pytest.mark.parametrize("of", [STORY, LONG], ids=["story", "long"])
def test_the_page_stands_alone(of: m.Review) -> None:
    standing_alone(made(of))


def test_links_of_the_plan_lead_out_and_only_those() -> None:
    out = [e for e in made(STORY).every("a") if not e.attributes["href"].startswith("#")]
    assert [(e.attributes["href"], e.text) for e in out] == [("https://grafana.example/d/checkout",) * 2]
    evil = replace(STORY.release, links={"dashboard": "javascript:alert(1)"})
    assert "javascript:alert(1)" in FORMATS["html"](replace(STORY, release=evil))
    assert all(e.attributes["href"].startswith("#") for e in made(replace(STORY, release=evil)).every("a"))


@pytest.mark.parametrize("of", [STORY, LONG], ids=["story", "long"])
def test_every_link_within_the_page_finds_its_place(of: m.Review) -> None:
    whole = made(of)
    ids = [e.attributes["id"] for e in whole.elements if "id" in e.attributes]
    assert len(set(ids)) == len(ids)
    wanted = {
        e.attributes["href"].removeprefix("#")
        for e in whole.every("a")
        if e.attributes["href"].startswith("#")
    }
    labels = {id_ for e in whole.elements for id_ in e.attributes.get("aria-labelledby", "").split()}
    assert wanted | labels <= set(ids)
    assert {"decision-1", "decision-3", "decision-4"} <= wanted
    assert whole.the("record-5").name == "tr"


def test_the_page_is_built_for_readers_of_every_kind() -> None:
    whole = made(STORY)
    (html,) = whole.every("html")
    assert html.attributes == {"lang": "en"}
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in [
        e.attributes for e in whole.every("meta")
    ]
    assert [e.text for e in whole.every("h1")] == ["Checkout tax rules v7"]
    levels = [int(e.name[1]) for e in whole.every("h1", "h2", "h3")]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for table in whole.every("table"):
        assert table.text
    assert len(whole.every("caption")) == len(whole.every("table"))
    assert all(e.text.strip() for e in whole.every("caption"))
    assert {e.attributes.get("scope") for e in whole.every("th")} == {"col"}
    for picture in whole.every("svg"):
        assert picture.attributes["role"] == "img"
    assert {e.attributes["class"] for e in whole.every("svg")} == {"wide", "narrow"}


def test_long_tables_are_folded_and_open_on_paper() -> None:
    whole = made(STORY)
    assert [e.text for e in whole.every("summary")] == ["Verdict changes: 1 row", "Timeline: 59 rows"]
    (style,) = whole.every("style")
    screen, _, paper = style.text.partition("@media print")
    assert ".folded { display: none; }" in screen
    assert ".folded { display: block; }" in paper
    assert "details[open] + .folded" in screen
    assert whole.the("record-1").inside[-4:] == ("div", "div", "table", "tbody")


def colours(style: str) -> list[dict[str, str]]:
    """The palettes: light, dark, paper."""
    return [
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+);", block))
        for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    ]


def luminance(colour: str) -> float:
    """How bright a colour is (WCAG 2.2, relative luminance)."""
    digits = colour.lstrip("#")
    whole = digits if len(digits) == 6 else "".join(d * 2 for d in digits)
    parts = [int(whole[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_colours_can_be_told_apart_in_every_light() -> None:
    (style,) = made(STORY).every("style")
    palettes = colours(style.text)
    assert len(palettes) == 3
    assert len({frozenset(palette) for palette in palettes}) == 1
    for palette in palettes:
        for ink in ("ink", "quiet", "link", "bad", "warn", "good"):
            assert contrast(palette[ink], palette["page"]) >= 4.5, ink
            assert contrast(palette[ink], palette["soft"]) >= 4.5, ink
        for text, ground in (
            ("on-run", "run"),
            ("on-person", "person"),
            ("ink", "bake"),
            ("ink", "rule-mark"),
        ):
            assert contrast(palette[text], palette[ground]) >= 4.5, text
        for mark in (
            "run",
            "bake-line",
            "gate-line",
            "pause-line",
            "back",
            "odd-line",
            "gap-line",
            "band-line",
            "bad",
        ):
            assert contrast(palette[mark], palette["page"]) >= 3, mark


def test_every_colour_is_named_and_every_name_used() -> None:
    (style,) = made(STORY).every("style")
    used = set(re.findall(r"var\(--([a-z-]+)\)", style.text))
    assert used == set(colours(style.text)[0])


def test_a_huge_log_makes_a_page_that_a_mail_takes() -> None:
    huge = told(500, flaps=1_400)
    assert len(huge.timeline) > 3_000
    curves = tuple(replace(curve, signal=f"{curve.signal} {n}") for n in range(8) for curve in huge.curves)
    text = FORMATS["html"](replace(huge, curves=curves))
    assert len(text.encode()) < 2_000_000
    whole = page(text)
    assert len([e for e in whole.elements if e.attributes.get("id", "").startswith("record-")]) == 2_000
    assert "are left out here" in text


def test_what_has_just_begun_or_never_began_makes_a_page() -> None:
    for length in (1, 2, 5, 9, 14, 21, 28, 45, 53, 58):
        standing_alone(made(review(records()[:length], plan(), HEAD, output)))


def test_a_release_of_no_length_and_of_days_makes_a_page() -> None:
    begun = STORY.session.started_at
    assert begun
    at_once = replace(STORY.session, opened_at=begun, closed_at=begun)
    standing_alone(made(replace(STORY, session=at_once)))
    standing_alone(made(replace(STORY, session=replace(STORY.session, closed_at=begun + timedelta(days=40)))))


def test_the_templates_travel_with_the_package(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    packed = {name.rpartition("/")[2] for name in zipfile.ZipFile(wheel).namelist() if "/templates/" in name}
    assert packed == {path.name for path in (ROOT / "src/cockpit/export/templates").iterdir()}
