"""A question that stands open while the release goes on: whether it is the one that was put, and what is new."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from cockpit.core.commands import ResumeRollout
from cockpit.tui.asks import Ask, Asked, Choice
from cockpit.tui.asks.base import Make
from cockpit.tui.text import fit

SETTLED = "this is settled, or is asked in another way now: go back, and press its key again"
AGAIN = "it can be answered again"

NEWS_MOST = 100
"""Cells of what is new."""

_NUMBER = re.compile(
    r"(?<![\w.:])(?<!\w-)[-~]?\d+(?:\.\d+|(?::\d\d)+)?[kMG]?(?![\w:-]|\.\w)(?: (?:s|min|h)\b)?"
)
"""A reading, a count or a span, which goes on by itself; the number in a name like web-1 or 10.0.0.3 is none."""

_AT, _WHY = datetime(1970, 1, 1, tzinfo=UTC), "why"


class Following:
    """Looks at what an open question is about. An answer to a changed one, or to none, is no answer to this one.

    `unread`: it has changed, and the person hasn't said that they have read it. A word to be typed is enough of a
    pause, and stopping a release never waits: there nothing is unread. `over`: it can't be answered now.
    """

    def __init__(self, anew: Callable[[], Asked] | None, clock: Callable[[], str]) -> None:
        self._anew = anew
        self._clock = clock
        self.news = ""
        self.unread = self.over = False

    def look(self, put: Ask) -> Ask:
        """The question as it stands now, or as it was put where it is another one, or none any more."""
        if self._anew is None:
            return put
        now, was_over = self._anew(), self.over
        found = _ratcheted(put, now) if isinstance(now, Ask) and same(put, now) else None
        self.over = found is None
        if found is not None:
            new = AGAIN if was_over else news(put, found)
        else:
            new = "" if was_over else now if isinstance(now, str) else SETTLED
        if new:
            self.news, self.unread = f"changed at {self._clock()}: {new}", not put.word
        return found or put


def same(put: Ask, now: Ask) -> bool:
    """Whether `now` is the question that was put, whatever is new: about the same thing, answered in the same way."""
    one, other = ((a.about, a.word, bool(a.field), bool(a.choices)) for a in (put, now))
    return one == other


def _ratcheted(put: Ask, now: Ask) -> Ask:
    """`now`, as far out as either: a value that swings is new only where it is worse than any that was shown."""
    before = dict(put.far)
    return replace(now, far=tuple((limit, max(far, before.get(limit, far))) for limit, far in now.far))


def news(put: Ask, now: Ask) -> str:
    """What is new in `now`, in words; empty where nothing but numbers have moved on, and it decides the same."""
    before_far = dict(put.far)
    if worse := [limit for limit, far in now.far if far > before_far.get(limit, far)]:
        return f"{' and '.join(worse)} got worse"
    if _weight(put) == _weight(now):
        return ""
    before, after = dict(_told(put)), dict(_told(now))
    came = [told for key, told in after.items() if key not in before]
    gone = [told for key, told in before.items() if key not in after]
    if came:
        return fit(f"now it says “{came[0]}”", NEWS_MOST)
    return fit(f"it no longer says “{gone[0]}”", NEWS_MOST) if gone else "read it again"


def _weight(ask: Ask) -> object:
    """Everything that a person goes by, and what it comes to."""
    choices = tuple((c.says, c.authors, _decision(c.make, ask)) for c in ask.choices)
    said = tuple(key for key, _ in _told(ask))
    return (
        _bare(ask.title),
        said,
        choices,
        ask.verb,
        ask.needed,
        ask.danger,
        ask.authors,
        _decision(ask.make, ask),
    )


def _told(ask: Ask) -> Iterator[tuple[str, str]]:
    """Each thing that is said, without and with its numbers; what only introduces the next comes last."""
    lines = [told for line in ask.lines if (told := line.plain.strip())]
    lines.sort(key=lambda told: told.endswith(":"))
    for told in (*lines, *map(_choice, ask.choices)):
        yield _bare(told), told


def _bare(told: str) -> str:
    return _NUMBER.sub("#", told)


def _choice(choice: Choice) -> str:
    return f"{choice.says}: {choice.cost}"


def _decision(make: Make | None, ask: Ask) -> object:
    """The commands that an answer would come to, as far as that can be told without its text."""
    if make is None:
        return None
    made = None if ask.wrong(_WHY) else make(_AT, "", "", _WHY)
    if isinstance(made, ResumeRollout):
        made = replace(made, shown=())  # numbers that go on, as the others do
    return "?" if made is None or isinstance(made, Ask) else made
