"""docs/scale.md quotes docs/performance.md, and leads to what is there."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"
SCALE, PERFORMANCE = ((DOCS / f"{name}.md").read_text() for name in ("scale", "performance"))
MEASURED = re.findall(r"^\| ([^|]+?) \| ([\d.,]+) (ms|us|s|MB|%)[ |]", PERFORMANCE, re.MULTILINE)
QUOTED = re.findall(r"^\| [^|]+ \| ([\d.]+) (ms|s|MB|%) \| ([^|]+) \|$", SCALE, re.MULTILINE)


def words(text: str) -> str:
    """Without the breaks between lines."""
    return " ".join(text.split())


def test_no_figure_is_better_than_what_was_measured() -> None:
    assert len(QUOTED) == 10
    for figure, unit, name in QUOTED:
        found = {(float(was.replace(",", "")), of) for what, was, of in MEASURED if what.startswith(name)}
        assert len(found) == 1, name
        ((was, of),) = found
        assert of == unit, name
        assert float(figure) / 8 <= was <= float(figure), f"{name}: {was} {of} was measured"


def test_what_is_said_in_words_is_said_there() -> None:
    for said in (
        "at 2,000 10 s each way",
        "at 5,000 34 s, 38 s and 169 MB",
        "3 to 5 ms a target to log in and prepare",
        "a quarter of",
        "3 us a target and frame",
        "MaxStartups 10:30:100",
    ):
        assert said in words(SCALE), said
        assert said in words(PERFORMANCE), said


def test_every_page_and_plan_that_it_leads_to_is_there() -> None:
    led = re.findall(r"\]\(([^)#]+)\)", SCALE)
    assert len(led) > 8
    assert [to for to in led if not (DOCS / to).exists()] == []
