"""The keyboard: what a key is called and printed, whether a terminal can tell it, and which keys lie beside it."""

from __future__ import annotations

import string
import unicodedata

from textual.keys import KEY_NAME_REPLACEMENTS

SPECIAL = {
    "enter": "⏎",
    "escape": "esc",
    "space": "space",
    "tab": "tab",
    "backspace": "backspace",
    "delete": "delete",
    "insert": "insert",
    "home": "home",
    "end": "end",
    "pageup": "page up",
    "pagedown": "page down",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
}
"""Keys without a character of their own, as they are printed."""

FUNCTION = tuple(f"f{n}" for n in range(1, 13))

SAME = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+h": "backspace", "ctrl+j": "enter"}
"""What a terminal can't tell from another key."""

LOWER = (
    ("1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./"),
    ("1234567890", "qwertzuiopü+", "asdfghjklöä#", "yxcvbnm,.-"),
)
UPPER = (
    ("!@#$%^&*()_+", "QWERTYUIOP{}", 'ASDFGHJKL:"', "ZXCVBNM<>?"),
    ('!"§$%&/()=', "QWERTZUIOPÜ*", "ASDFGHJKLÖÄ'", "YXCVBNM;:_"),
)
"""The rows of a QWERTY and a QWERTZ keyboard without and with shift, each half a key to the right of the one above."""


_PRINTED = {shown: key for key, shown in SPECIAL.items()}


def spelled(key: str) -> str:
    """The key as Textual calls it: `?` is `question_mark`, `K` is `K`, `F2` is `f2`."""
    key = key.strip()
    if key in _PRINTED:
        return _PRINTED[key]
    if len(key) == 1:
        if key.isalnum():
            return key
        name = unicodedata.name(key, "").lower().replace("-", "_").replace(" ", "_")
        return KEY_NAME_REPLACEMENTS.get(name, name)
    return key.lower()


def printed(key: str) -> str:
    """A key as it is printed: `question_mark` is `?`."""
    return SPECIAL.get(key) or _CHARACTERS.get(key) or key


_CHARACTERS = {spelled(char): char for char in string.punctuation}


def unknown(key: str) -> str:
    """Why a key, spelled as Textual does, can't be one; empty where it can."""
    *modifiers, base = key.split("+")
    if not modifiers:
        known = base in SPECIAL or base in FUNCTION or base in _CHARACTERS
        known = known or (len(base) == 1 and base.isalnum() and base.isascii())
        return "" if known else "there is no such key"
    if modifiers == ["shift"] and len(base) == 1:
        return f"write a capital letter: {base.upper()}"
    if key in SAME:
        return f"a terminal can't tell it from {SAME[key]}"
    letter = len(base) == 1 and base in string.ascii_lowercase
    if (letter and modifiers in (["ctrl"], ["alt"])) or key == "shift+tab":
        return ""
    travels = base in (*FUNCTION, "up", "down", "left", "right", "home", "end", "pageup", "pagedown")
    return "" if travels and modifiers in (["ctrl"], ["shift"], ["alt"]) else "no terminal is sure to send it"


def beside(one: str, other: str) -> bool:
    """Whether two keys lie next to each other, at the same level of shift and with the same modifier held."""
    *held, one = one.split("+")
    *with_, other = other.split("+")
    if held != with_:
        return False
    if one in FUNCTION and other in FUNCTION:
        return abs(FUNCTION.index(one) - FUNCTION.index(other)) == 1
    a, b = _CHARACTERS.get(one, one), _CHARACTERS.get(other, other)
    return any(_touch(rows, a, b) for rows in (*LOWER, *UPPER))


def _touch(rows: tuple[str, ...], a: str, b: str) -> bool:
    at = [(y, 2 * x + y) for char in (a, b) for y, row in enumerate(rows) if (x := row.find(char)) >= 0]
    if len(a) != 1 or len(b) != 1 or len(at) != 2:
        return False
    (y, x), (v, u) = at
    return (abs(y - v), abs(x - u)) in ((0, 2), (1, 1))
