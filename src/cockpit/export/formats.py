"""The formats people and machines read a review in: FORMATS."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cockpit.export import html, markdown, plain
from cockpit.export.model import Review

FORMATS: Mapping[str, Callable[[Review], str]] = {
    "html": html.render,
    "markdown": markdown.render,
    "json": plain.render,
}
"""How each format writes a review, by the name `--format` knows it by."""
