"""`cockpit completion`, and the words it asks for: read off the parser, so that no command or flag is missing."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from cockpit.cli import offering
from cockpit.cli.arguments import parser
from cockpit.cli.offering import Given, Word
from cockpit.core.text import visible

MOST = 200


def completion(args: argparse.Namespace) -> int:
    """Print the script for a shell."""
    from cockpit.cli.shells import SCRIPTS

    print(SCRIPTS[args.shell], end="")
    return 0


def complete(words: Sequence[str]) -> int:
    """Print what may stand where the last of these words is being typed, a line each."""
    joined, cut = _joined(words)
    for word in _offered(joined):
        if (shown := word.text[cut:]) and offering.safe(word.text):
            print(f"{shown}\t{visible(word.says)}" if word.says else shown)
    return 0


def _joined(words: Sequence[str]) -> tuple[list[str], int]:
    """The words with those put together that bash takes apart at `:` and `=`, and how much of the last stays."""
    joined: list[str] = []
    cut, glued = 0, False
    for n, word in enumerate(words):
        at_mark = word in (":", "=") and joined and n > 0
        if at_mark or glued:
            cut = len(joined[-1]) + (len(word) if at_mark else 0)
            joined[-1] += word
        else:
            cut = 0
            joined.append(word)
        glued = bool(at_mark)
    return joined or [""], cut


@dataclass(slots=True)
class _Place:
    """Where on the command line the word to complete stands."""

    parser: argparse.ArgumentParser
    positionals: list[argparse.Action]
    given: Given
    value_of: argparse.Action | None = None
    values_left: int = 0
    used: set[str] = field(default_factory=set[str])


def _offered(words: Sequence[str]) -> list[Word]:
    *before, current = words
    place = _place(before)
    flag, is_assigned, value = current.partition("=")
    if is_assigned and (action := place.parser._option_string_actions.get(flag)) and action.nargs != 0:
        offered = [Word(f"{flag}={w.text}", w.says) for w in _values(action, place.given, value)]
    elif place.value_of is not None and not (place.values_left < 0 and current.startswith("-")):
        is_flag = place.value_of.nargs == "?" and current.startswith("-")
        offered = list(_flags(place) if is_flag else _values(place.value_of, place.given, current))
    elif current.startswith("-"):
        offered = list(_flags(place))
    else:
        offered = list(_positional(place, current))
    return [word for word in offered if word.text.startswith(current)][:MOST]


def _place(before: Iterable[str]) -> _Place:
    """Follow the words that stand before the one to complete."""
    whole = parser()
    place = _Place(whole, _positionals(whole), Given())
    for word in before:
        if place.values_left < 0 and word.startswith("-"):
            place.value_of, place.values_left = None, 0
        if place.value_of is not None:
            place.given.take(place.value_of, word)
            place.values_left -= 1
            if not place.values_left:
                place.value_of = None
        elif word.startswith("-"):
            _take_flag(place, word)
        elif place.positionals:
            _take(place, word)
    return place


def _take_flag(place: _Place, word: str) -> None:
    flag, is_assigned, _ = word.partition("=")
    action = place.parser._option_string_actions.get(flag)
    if action is None:
        return
    place.used.update(action.option_strings)
    if action.nargs != 0 and not is_assigned:
        place.value_of = action
        place.values_left = (
            action.nargs if isinstance(action.nargs, int) else -1 if action.nargs in ("+", "*") else 1
        )


def _take(place: _Place, word: str) -> None:
    """A word that is no flag: a command, a plan in its place, or an argument."""
    action = place.positionals.pop(0)
    if not isinstance(action, argparse._SubParsersAction):
        place.given.take(action, word)
        return
    command, below = word, action.choices.get(word)
    if below is None and place.given.command:
        return
    if below is None:  # `cockpit PLAN.toml`
        command, below = "run", action.choices["run"]
    place.given.command = place.given.command or command
    place.parser, place.positionals, place.used = below, _positionals(below), set()
    if command != word:
        place.given.take(place.positionals.pop(0), word)


def _positionals(below: argparse.ArgumentParser) -> list[argparse.Action]:
    return [action for action in below._actions if not action.option_strings]


def _flags(place: _Place) -> Iterator[Word]:
    """The long flags that weren't given yet; those that may be given again always."""
    for action in place.parser._actions:
        again = isinstance(action, argparse._AppendAction)
        if again or not place.used.intersection(action.option_strings):
            longest = max(action.option_strings, key=len, default="")
            if longest:
                yield Word(longest, action.help or "")


def _positional(place: _Place, current: str) -> Iterator[Word]:
    for action in place.positionals:
        if isinstance(action, argparse._SubParsersAction):
            yield from (Word(sub.dest, sub.help or "") for sub in action._choices_actions)
            if place.parser.prog == "cockpit":
                yield from offering.plan_files(current)
        else:
            yield from _values(action, place.given, current)
        if action.nargs != "?":  # it may be left out: then the next one stands here
            return


def _values(action: argparse.Action, given: Given, current: str) -> Iterator[Word]:
    """What may be the value of an argument or a flag."""
    if action.choices is not None:
        yield from (Word(str(choice)) for choice in action.choices)
        return
    offer = offering.BY_METAVAR.get(str(action.metavar))
    if offer is not None:
        yield from offer(given, current)
