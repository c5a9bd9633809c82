"""Text from plans, people and targets, harmless in the formats of a review."""

from __future__ import annotations

import re

from cockpit.core.text import hidden, visible

_ENTITIES = {"&": "&amp;", "<": "&lt;", "|": "&#124;", "`": "&#96;", "@": "&#64;"}
_MARKUP = re.compile(r"[\\*\[\]~$#&<>|`@]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
"""What Markdown reads as markup; `_` within a word is none."""
_BLOCK = re.compile(r"^([-+=])(?=[-+=\s]|$)|^(\d+)([.)])(?=\s|$)")
"""What would begin a list, a rule or a heading at the start of a line."""
_UNUSUAL = re.compile(r"[^\n -~]")
"""What may be hidden; a review may have many megabytes of other characters."""
_LINK = re.compile(r":(?=//)|(?<=www)\.|(?<=mailto):", re.IGNORECASE)


def markdown(text: str) -> str:
    """`text` for one line or table cell of Markdown: no markup, HTML, link or line break in it takes effect."""
    escaped = _MARKUP.sub(lambda m: _ENTITIES.get(m[0], f"\\{m[0]}"), visible(text).strip())
    unlinked = _LINK.sub(lambda m: f"&#{ord(m[0])};", escaped)
    return _BLOCK.sub(lambda m: f"{m[2] or ''}\\{m[1] or m[3]}", unlinked)


def fenced(text: str) -> str:
    """`text` as a fenced block of Markdown that it can't close; lines stay, other controls are shown."""
    body = visible(text.replace("\r\n", "\n"), keep="\n\t")
    longest = max((len(run) for run in re.findall("`+", body)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{body.rstrip()}\n{fence}"


def json_text(text: str) -> str:
    """Finished JSON with every hidden character as an escape: the same data, and nothing a terminal obeys."""
    return _UNUSUAL.sub(lambda m: _json_escape(m[0]) if hidden(m[0]) else m[0], text)


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))
