"""Text that isn't ours made safe to show: every character seen, none obeyed."""

from __future__ import annotations

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that draw nothing, or steer what is drawn: controls, bidi marks, zero-width characters."""

_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0") | frozenset(
    map(chr, range(0xE0100, 0xE01F0))
)
"""Letters and marks by category that draw nothing either: fillers, joiners and selectors that Unicode has ignored."""


def hidden(character: str) -> bool:
    """Whether a character would not be seen for what it is."""
    return unicodedata.category(character) in _HIDDEN or character in _BLANK


def visible(text: str, keep: str = "") -> str:
    """`text` with every hidden character shown: ESC as ␛, a right-to-left override as ⟨U+202E⟩. `keep` stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(c) if hidden(c) and c not in keep else c for c in text)


def _shown(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"
