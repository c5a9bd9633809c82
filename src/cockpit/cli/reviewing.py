"""`cockpit review`: what cost a release time, the questions of its review with their answers, and its actions."""

from __future__ import annotations

import argparse
import shlex
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cockpit.cli.keeping import added
from cockpit.cli.session import any_log, columns, local, named, tell
from cockpit.core.errors import UsageError
from cockpit.core.text import visible

INDENT = " " * 14
"""Under the first column of every list."""


def review(args: argparse.Namespace) -> int:
    """Print it, or answer one of its questions."""
    if args.answer:
        return added(args.session, args, _answering(args))
    if args.about:
        raise UsageError('--about goes with --answer KEY "TEXT": it says which friction is answered.')
    from cockpit.export.report import report
    from cockpit.store import sessions

    path = sessions.find(args.session)
    recording = any_log(path)
    made, plan = report(recording, samples=False)
    for sentence in made.missing:
        tell(f"{path}: {sentence}")
    events = [event for _, event in recording.events]
    parts = (
        _head(made, path.stem),
        _friction(made),
        _notes(made),
        _questions(made, named(path)),
        _actions(made, events, plan),
    )
    print("\n\n".join(text for part in parts if (text := "\n".join(visible(line) for line in part))))
    return 0


def _answering(args: argparse.Namespace) -> Any:
    from cockpit.core.commands import AnswerQuestion
    from cockpit.runtime.engine import utc_now

    key, text = args.answer
    return AnswerQuestion(utc_now(), "", reason=text, question=key, about=args.about)


def _head(made: Any, name: str) -> list[str]:
    release, outcome = made.release, made.outcome.state.replace("_", " ")
    partial = " (partial)" if made.outcome.partial else ""
    ended = "not over" if outcome == "open" else outcome
    head = f"{release.service} {release.version}, {release.environment}: {ended}{partial} (session {name})"
    return textwrap.wrap(head, columns(), break_on_hyphens=False)


def _friction(made: Any) -> Iterator[str]:
    """What cost time, the costliest first, then what wasn't as agreed; each with what was answered."""
    from cockpit.core.journal import span
    from cockpit.core.questions import FRICTION_KINDS, asked

    yield "Friction"
    for one in made.friction:
        cost = span(one.cost) if one.cost is not None else "no time"
        yield from _entry(cost, f"{one.told} ({one.kind}, record {one.seq})", one.question)
        yield from _answers(made, one.kind, one.seq)
    if not made.friction:
        yield "  nothing was waited for, and all was as agreed"
    known = {(one.kind, one.seq) for one in made.friction}
    about = dict.fromkeys((a.question, a.about) for a in made.answers if a.question in FRICTION_KINDS)
    for kind, record in (key for key in about if key not in known):
        yield from _entry("", f"{asked(kind)}, record {record}")
        yield from _answers(made, kind, record)


def _notes(made: Any) -> Iterator[str]:
    """What was noted on the way, or since."""
    if made.notes:
        yield "Notes"
    for note in made.notes:
        yield from _entry(f"record {note.seq}", f"{note.by}: {note.text}")


def _questions(made: Any, name: str) -> Iterator[str]:
    from cockpit.core.questions import QUESTIONS

    yield "Questions"
    for key, question in QUESTIONS.items():
        yield from _entry(key, question)
        yield from list(_answers(made, key, 0)) or [f"{INDENT}no answer yet"]
    yield f'  to answer: cockpit review {shlex.quote(name)} --answer KEY "TEXT"'
    yield "  of friction: its kind as KEY, and --about RECORD"


def _answers(made: Any, question: str, about: int) -> Iterator[str]:
    for answer in made.answers:
        if (answer.question, answer.about) == (question, about):
            yield from _wrapped(f"{answer.by}: {answer.text}")


def _actions(made: Any, events: Sequence[Any], plan: Any) -> Iterator[str]:
    """What this review asked for, and what earlier ones had left to do."""
    from cockpit.core.events import ActionSettled, ActionsFound

    yield "Actions"
    ends = {event.action: event for event in events if isinstance(event, ActionSettled)}
    for action in made.actions:
        about = f" (record {action.about})" if action.about else ""
        said = f"{action.owner}, until {action.due}: {action.text}{about}"
        yield from _entry(f"{action.number} {action.settled or 'open'}", said)
        if action.settled:
            yield from _wrapped(settled(ends[action.number], plan.person_name))
    if not made.actions:
        yield "  none was asked for"
    found = [event for event in events if isinstance(event, ActionsFound)]
    for left in found[-1].actions if found else ():
        owner = plan.person_name(left.owner) if plan is not None else left.owner
        yield from _entry("earlier", f"{owner}, until {left.due}: {left.text} ({left.name})")


def settled(end: Any, called: Callable[[str], str]) -> str:
    """Who settled an action, when and why; `called` is how a person is."""
    return f"{end.how} by {called(end.by)} on {local(end.at):%Y-%m-%d}: {end.reason}"


def _entry(first: str, *lines: str) -> Iterator[str]:
    """A first column, and lines beside it."""
    for n, line in enumerate(part for text in lines for part in _wrapped(text)):
        yield f"  {first}".ljust(len(INDENT)) + line[len(INDENT) :] if n == 0 else line


def _wrapped(text: str) -> list[str]:
    further = INDENT + "  "
    wrapped = textwrap.wrap(
        text, columns(), initial_indent=INDENT, subsequent_indent=further, break_on_hyphens=False
    )
    return wrapped or [INDENT]
