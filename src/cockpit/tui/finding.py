"""What somebody looks for: plain words, in any case unless a capital is typed, or what hasn't got them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

NOT = "!"


@dataclass(frozen=True)
class Sought:
    """Words as they were typed: plain text, no pattern. A leading `!` looks for whatever hasn't got them."""

    typed: str = ""
    inverted: bool = field(init=False, default=False)
    words: str = field(init=False, default="")

    def __post_init__(self) -> None:
        inverted = self.typed.startswith(NOT) and len(self.typed) > 1
        object.__setattr__(self, "inverted", inverted)
        object.__setattr__(self, "words", self.typed[1:] if inverted else self.typed)

    def __bool__(self) -> bool:
        return self.words not in ("", NOT)

    @cached_property
    def cased(self) -> bool:
        """Whether capitals count."""
        return self.words != self.words.lower()

    @property
    def misses(self) -> str:
        """What is said of a pane in which nothing is found."""
        return f"is without “{self.words}”" if self.inverted else f"has “{self.words}”"

    @cached_property
    def _folded(self) -> str:
        return self.words if self.cased else self.words.casefold()

    def within(self, text: str) -> bool:
        """Whether `text` is looked for."""
        return (self._folded in (text if self.cased else text.casefold())) != self.inverted

    @cached_property
    def _pattern(self) -> str:
        each = ({c} if self.cased else {c, c.lower(), c.upper()} for c in self.words)
        return "".join(f"(?:{'|'.join(map(re.escape, sorted(forms)))})" for forms in each)

    @cached_property
    def in_text(self) -> re.Pattern[str]:
        """The words themselves, inverted or not."""
        return re.compile(self._pattern)

    @cached_property
    def in_bytes(self) -> re.Pattern[bytes]:
        """The same, as they stand in UTF-8."""
        return re.compile(self._pattern.encode())
