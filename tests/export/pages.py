"""A report's HTML taken apart: its elements with their attributes, and its text as a reader sees it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"meta"})

STRUCTURE = (
    "html head meta title style body header nav main section h1 h2 h3 p ul li a strong span dl div dt dd"
)
LONG_PARTS = "pre code figure figcaption details summary table caption thead tbody tr th td"
DRAWN = "svg title desc defs pattern path circle rect line polygon text a"
NAMES = {name for names in (STRUCTURE, LONG_PARTS, DRAWN) for name in names.split(" ")}
LEADS = (
    "href",
    "src",
    "action",
    "data",
    "poster",
    "background",
    "cite",
    "formaction",
    "xlink:href",
    "srcset",
)


@dataclass
class Element:
    """One element: its name, attributes, and the text within it, with that of those inside."""

    name: str
    attributes: dict[str, str]
    inside: tuple[str, ...]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """Every element in the order they begin; comments and anything else that isn't an element or text are kept too."""

    elements: list[Element] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    _open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), attrs
        element = Element(
            tag, {name: value or "" for name, value in attrs}, tuple(e.name for e in self._open)
        )
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop().name == tag

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def handle_comment(self, data: str) -> None:
        self.odd.append(data)

    def handle_pi(self, data: str) -> None:
        self.odd.append(data)

    def unknown_decl(self, data: str) -> None:
        self.odd.append(data)

    def every(self, *names: str) -> list[Element]:
        """The elements of these names."""
        return [element for element in self.elements if element.name in names]

    def the(self, id_: str) -> Element:
        """The element with that id."""
        (found,) = (element for element in self.elements if element.attributes.get("id") == id_)
        return found


def page(text: str) -> Page:
    """The page, whole: every element that begins ends."""
    made = Page()
    made.feed(text)
    made.close()
    assert not made._open
    return made


def standing_alone(of: Page) -> None:
    """No script, nothing fetched, nothing that could send or run anything."""
    assert {element.name for element in of.elements} <= NAMES
    assert of.odd == []
    for element in of.elements:
        assert not any(name.startswith("on") for name in element.attributes)
        assert "style" not in element.attributes
        for name in LEADS:
            to = element.attributes.get(name, "#")
            assert to.startswith("#") or (element.name, name) == ("a", "href")
        if not element.attributes.get("href", "#").startswith("#"):
            assert re.match(r"https?://", element.attributes["href"])
            assert element.attributes["rel"] == "noreferrer noopener"
    (style,) = of.every("style")
    assert "@import" not in style.text
    assert re.findall(r"url\(\s*(?!#)", style.text) == []
    policy = [e.attributes["content"] for e in of.every("meta") if "http-equiv" in e.attributes]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"]
