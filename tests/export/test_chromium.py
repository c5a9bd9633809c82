"""A browser opens the report from disk, on a phone and on a desk, by day and by night, and asks nobody for anything."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from cockpit.export.formats import FORMATS
from cockpit.export.review import review
from tests.export.long_story import told
from tests.export.story import HEAD, output, plan, records
from tests.export.test_hostile import rendered

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SIZES = {"phone": (390, 844), "desk": (1280, 900)}

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: tests/install-servers.sh installs it")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three reports on disk: of the short story, of the long one, and one full of hostile text."""
    made = tmp_path_factory.mktemp("reports")
    texts = {
        "short": FORMATS["html"](review(records(), plan(), HEAD, output)),
        "long": FORMATS["html"](told(40)),
        "hostile": rendered("html"),
    }
    for name, text in texts.items():
        (made / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: made / f"{name}.html" for name in texts}


class Watched:
    """A page that was opened from disk, and everything that it asked for or complained of."""

    def __init__(self, browser: Browser, file: Path, size: str, light: str) -> None:
        width, height = SIZES[size]
        scheme = "dark" if light == "dark" else "light"
        self.page: Page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        self.asked: list[str] = []
        self.said: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.page.goto(file.as_uri())

    def __enter__(self) -> Page:
        return self.page

    def __exit__(self, *_: object) -> None:
        self.page.close()


@pytest.mark.parametrize("light", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["short", "long", "hostile"])
def test_it_opens_from_disk_and_fits(
    browser: Browser, files: dict[str, Path], name: str, size: str, light: str
) -> None:
    watched = Watched(browser, files[name], size, light)
    with watched as page:
        assert watched.asked == [files[name].as_uri()]
        assert watched.said == []
        width = SIZES[size][0]
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        shown = page.locator("svg:visible")
        assert shown.count() == {"short": 1, "long": 3, "hostile": shown.count()}[name]
        for part in shown.all():
            assert part.get_attribute("class") == ("narrow" if size == "phone" else "wide")
            box = part.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
        smallest = page.evaluate(
            "Math.min(...[...document.querySelectorAll('svg')].filter(s => s.getClientRects().length)"
            ".flatMap(s => [...s.querySelectorAll('text')].map(t => t.getBoundingClientRect().height)))"
        )
        assert smallest > 9
        paper, ink = (
            page.evaluate(f"getComputedStyle(document.body).{of}") for of in ("backgroundColor", "color")
        )
        assert (paper, ink) == (
            ("rgb(20, 25, 31)", "rgb(228, 233, 239)")
            if light == "dark"
            else ("rgb(255, 255, 255)", "rgb(27, 36, 48)")
        )


def test_the_outcome_is_seen_first(browser: Browser, files: dict[str, Path]) -> None:
    for size in SIZES:
        with Watched(browser, files["short"], size, "light") as page:
            box = page.locator(".lead").bounding_box()
            assert box is not None
            assert box["y"] < SIZES[size][1] / 2


def test_long_tables_open_by_hand_by_a_link_and_on_paper(browser: Browser, files: dict[str, Path]) -> None:
    with Watched(browser, files["short"], "desk", "light") as page:
        row = page.locator("#record-5")
        assert not row.is_visible()
        page.locator("#timeline summary").click()
        assert row.is_visible()
        page.locator("#timeline summary").click()
        assert not row.is_visible()
        page.locator("#decisions a[href='#record-5']").click()
        assert row.is_visible()
    with Watched(browser, files["short"], "desk", "dark") as page:
        page.emulate_media(media="print")
        assert page.locator("#record-5").is_visible()
        assert not page.locator("nav").is_visible()
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"


def test_a_mark_in_the_picture_leads_to_its_decision(browser: Browser, files: dict[str, Path]) -> None:
    with Watched(browser, files["long"], "desk", "light") as page:
        page.locator("svg.wide a[href='#decision-5']").click()
        assert page.url.endswith("#decision-5")
        assert page.locator("#decision-5").is_visible()


def test_it_prints(browser: Browser, files: dict[str, Path]) -> None:
    with Watched(browser, files["short"], "desk", "dark") as page:
        assert page.pdf(format="A4").startswith(b"%PDF-")
    for name in files:
        with Watched(browser, files[name], "desk", "dark") as page:
            page.emulate_media(media="print")
            page.set_viewport_size({"width": 690, "height": 1000})
            assert page.evaluate("document.documentElement.scrollWidth") <= 690


def test_days_and_names_stay_whole_in_tables(browser: Browser, files: dict[str, Path]) -> None:
    lines = (
        "[...document.querySelectorAll('td .u')].filter(e => e.getClientRects().length > 1)"
        ".map(e => e.textContent)"
    )
    owner = "getComputedStyle(document.querySelector('#questions td:nth-child(2)')).whiteSpace"
    for name in ("short", "long"):
        with Watched(browser, files[name], "desk", "light") as page:
            assert page.locator("td .u").count() > 10
            assert page.evaluate(lines) == []
            page.emulate_media(media="print")
            page.set_viewport_size({"width": 690, "height": 1000})
            assert page.evaluate(lines) == []
            assert page.evaluate(owner) == "nowrap"


def test_the_picture_begins_on_the_first_sheet_of_paper(browser: Browser, files: dict[str, Path]) -> None:
    with Watched(browser, files["long"], "desk", "light") as page:
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 690, "height": 1000})
        first, *others = page.locator("svg.wide").all()
        box = first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < 1000
        assert len(others) == 2
        kept = "getComputedStyle(document.querySelector('svg.wide')).breakInside"
        assert page.evaluate(kept) == "avoid"


def test_what_hides_on_a_phone_is_only_what_is_empty(browser: Browser, files: dict[str, Path]) -> None:
    with Watched(browser, files["long"], "phone", "light") as page:
        hidden = page.locator("#cost td:not(:visible)").all_inner_texts()
        assert set(hidden) <= {""}
        label = page.evaluate("getComputedStyle(document.querySelector('#cost td'), '::before').content")
        assert label == '"no."'
        sideways = (
            "[...document.querySelectorAll('.wide-table')].filter(t => t.scrollWidth > t.clientWidth).length"
        )
        assert page.evaluate(sideways) == 0
        assert page.evaluate("getComputedStyle(document.querySelector('#cost tr')).display") == "block"
