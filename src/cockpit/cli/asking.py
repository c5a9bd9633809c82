"""Asking on plain streams: each answer is checked at once, and asked for again with the reason."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from shutil import get_terminal_size
from textwrap import TextWrapper
from typing import Any, NamedTuple

from cockpit.core.text import visible

Put = Callable[[Any, str], Any]
"""The draft with an answer in it; Mistake where the answer can't be read."""


class Question(NamedTuple):
    """What is asked, the line that `?` shows, and what an answer changes.

    An empty answer is the default. `optional` says what it means where there is none; such a question may be asked
    `again` and again until it is left empty.
    """

    asks: str
    help: str
    put: Put
    default: Callable[[Any], str] = lambda _: ""
    when: Callable[[Any], bool] = lambda _: True
    optional: str = ""
    again: bool = False


def asked(questions: Sequence[Question], draft: Any, objection: Callable[[Any], str]) -> Any:
    """The draft with every answer in it; `objection` says why a draft can't stand."""
    for question in questions:
        asking = question.when(draft)
        while asking:
            answered = _answered(question, draft, objection)
            draft = draft if answered is None else answered
            asking = question.again and answered is not None
    return draft


def _answered(question: Question, draft: Any, objection: Callable[[Any], str]) -> Any:
    """The draft with an answer that stands, asked for as often as it takes; None where it was left empty."""
    default = question.default(draft)
    behind = f" [{default}]" if default else f" (Enter: {question.optional})" if question.optional else ""
    while True:
        said = _line(f"{question.asks}{behind} ") or default
        if not said and question.optional:
            return None
        if said in ("", "?"):
            _say(question.help)
            continue
        answered, wrong = _judged(question.put, draft, said, objection)
        if not wrong:
            return answered
        _say(visible(wrong))


def _judged(put: Put, draft: Any, said: str, objection: Callable[[Any], str]) -> tuple[Any, str]:
    """The draft with an answer in it, and why it can't stand, or empty."""
    from cockpit.planfile.drafting import told
    from cockpit.planfile.scalars import Mistake

    try:
        said.encode()
        answered = put(draft, said)
    except UnicodeEncodeError:
        return draft, "This isn't UTF-8. Type it once more."
    except Mistake as wrong:
        return draft, told(str(wrong), wrong.hint)
    return answered, objection(answered)


def _say(text: str) -> None:
    width = max(20, get_terminal_size((100, 24)).columns)
    wrapped = TextWrapper(width, "  ", "  ", break_long_words=False, break_on_hyphens=False)
    print(wrapped.fill(text))


def _line(prompt: str) -> str:
    said = input(visible(prompt)).strip()
    if not sys.stdin.isatty():
        print(visible(said))  # what came through a pipe shows as if it had been typed
    return said


def mistake(message: str, hint: str) -> Exception:
    """What is wrong with an answer, and what to write."""
    from cockpit.planfile.scalars import Mistake

    return Mistake(message, hint)
