"""The review as one self-contained HTML file: no script, nothing fetched, for screens, phones and paper."""

from __future__ import annotations

import re
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cockpit.core.text import visible
from cockpit.export import model as m
from cockpit.export.document import document
from cockpit.export.document_blocks import Cell
from cockpit.export.picture import draw

LINE = 110
"""About so many characters of a table are a line on paper."""

MOST_UNBROKEN = 16
"""A word with hyphens or strokes in it stays whole up to so many characters."""

_PARTED = re.compile(r"(?<![\w/-])(\w+(?:[/-]\w+)+)(?![\w/-])")


def render(review: m.Review) -> str:
    """The report as a page. Hidden characters in its texts are shown, and nothing in them is markup."""
    return _PAGES.get_template("review.html.j2").render(report=document(review)) + "\n"


def shown(value: Any) -> Any:
    """What a template writes: text with its hidden characters seen. Jinja escapes it; what is drawn already stays."""
    return value if isinstance(value, Markup) else visible(str(value))


def _lines(text: str) -> Markup:
    """Text that keeps its lines."""
    return Markup.escape(visible(text.replace("\r\n", "\n"), keep="\n\t").rstrip())


def _unbroken(text: str) -> str | Markup:
    """A cell's text; a word in it that a line could end within, such as a day or a target's name, is kept whole."""
    if not _PARTED.search(text):
        return text
    parts = _PARTED.split(visible(text))
    kept = (
        Markup('<span class="u">{}</span>').format(part)
        if i % 2 and len(part) <= MOST_UNBROKEN
        else Markup.escape(part)
        for i, part in enumerate(parts)
    )
    return Markup("<span>{}</span>").format(Markup("").join(kept))


def _setting(value: str | Cell, numeric: bool, columns: int) -> Markup:
    """How a table's cell is set: on one line where it is short; only a word longer than its share of one may break."""
    text, share = value if isinstance(value, str) else value.text, LINE // columns
    longest = max(map(len, text.split()), default=0)
    kinds = [
        *(["n"] if numeric else []),
        *(["long"] if longest > share else ["t"] if len(text) > share else []),
    ]
    return Markup(' class="{}"').format(" ".join(kinds)) if kinds else Markup("")


_PAGES = Environment(
    loader=PackageLoader("cockpit.export"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=shown,
)
_PAGES.filters |= {"draw": draw, "lines": _lines, "setting": _setting, "unbroken": _unbroken}
