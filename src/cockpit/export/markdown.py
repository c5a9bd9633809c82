"""The review as Markdown: for the pull request, the wiki, the meeting."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cockpit.export import escape
from cockpit.export import model as m
from cockpit.export.document import document


def render(review: m.Review) -> str:
    """The report as one document. Everything the plan, a person or a target wrote is escaped, piece by piece."""
    return _PAGES.get_template("review.md.j2").render(report=document(review)).rstrip("\n") + "\n"


def _written(value: Any) -> Markup:
    """What a template writes: every text is escaped, but for what is Markdown already."""
    return value if isinstance(value, Markup) else _done(escape.markdown(str(value)))


def _done(text: str) -> Markup:
    """Text that is Markdown, and harmless: nothing escapes it again."""
    return Markup(text)


_PAGES = Environment(
    loader=PackageLoader("cockpit.export"),
    autoescape=True,  # so that whatever `finalize` has escaped stays as it is, through macros too
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=_written,
)
_PAGES.filters["fenced"] = lambda text: _done(escape.fenced(text))
