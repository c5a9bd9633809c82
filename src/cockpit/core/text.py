"""Text that isn't ours made safe to show: every character seen, none obeyed."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that draw nothing, or steer what is drawn: controls, bidi marks, zero-width characters."""

_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0") | frozenset(
    map(chr, range(0xE0100, 0xE01F0))
)
"""Letters and marks by category that draw nothing either: fillers, joiners and selectors that Unicode has ignored."""

_KNOWN_MOST = 4096
"""How many characters are remembered: whoever sends all there are fills no memory with them."""


def hidden(character: str) -> bool:
    """Whether a character would not be seen for what it is."""
    return unicodedata.category(character) in _HIDDEN or character in _BLANK


def visible(text: str, keep: str = "") -> str:
    """`text` with every hidden character shown: ESC as ␛, a right-to-left override as ⟨U+202E⟩. `keep` stay."""
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_table(keep))


class _Table(dict[int, str]):
    """What each character is shown as, worked out when it first occurs; of those in `keep`, themselves."""

    def __init__(self, keep: str) -> None:
        super().__init__()
        self._keep = keep

    def __missing__(self, code: int) -> str:
        if len(self) >= _KNOWN_MOST:
            self.clear()
        character = chr(code)
        shown = _shown(character) if hidden(character) and character not in self._keep else character
        self[code] = shown
        return shown


_table = lru_cache(8)(_Table)


def _shown(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"
